/*
 * Who makes a request: see actor.h.  The helper thread, its deadline, and recent
 * results.
 *
 * A job belongs to the helper and the caller together: the last of the two
 * frees it.  A caller that gives up marks the helper as blocked, and no caller
 * waits for the helper until it has finished that job.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "actor.h"
#include "core/base/proc.h"
#include "core/environment.h"
#include "broker.h"

#define DEADLINE_MS 50
#define BELIEVED_S 1	    /* a result is used again for so long */
#define SLOTS 64	    /* results that are remembered, at most */
#define DESCRIPTORS_EACH 32 /* of the daemon's limit, per result */

/* What was found about one thread and its process.  The pidfd refers to that process
 * only, so a pid that was given to a new process is noticed. */
struct known {
	uint32_t tid; /* the number in the request; 0: unused */
	uint32_t pid; /* 0: none, see tf_proc_process */
	int pidfd;
	uint64_t second; /* fs_actors.second when it was found */
	int64_t loginuid, session;
	char cgroup[sizeof((struct tf_actor *)0)->cgroup];
	/* For readers, see fs_actor_of_reader(): an open /proc/PID/comm, or -1,
	 * and what belongs to the name that it had. */
	int comm_fd;
	char comm[sizeof((struct tf_actor *)0)->comm];
	char exe[sizeof((struct tf_actor *)0)->exe];
};

struct job {
	struct job *next; /* guarded by fs_actors.mu, as are the flags */
	bool done;	  /* the helper has finished: the caller frees it */
	bool abandoned;	  /* the caller gave up: the helper frees it */
	int ready;	  /* eventfd */
	uint32_t pid;
	char cgroup[sizeof((struct tf_actor *)0)->cgroup]; /* the helper's
								until done */
};

struct fs_actors {
	pthread_t helper;
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct job *first, **last; /* guarded by mu, as all below */
	bool blocked;		   /* a caller waited in vain; see above */
	bool end;
	bool proc_is_ours;	  /* never changes */
	struct fs_broker *broker; /* never changes */
	int ticks;		  /* timerfd that counts seconds */
	uint64_t second;
	unsigned slots; /* the part of known in use; never changes */
	struct known known[SLOTS];
};

bool
fs_actors_know(const struct fs_actors *a)
{
	return a != NULL && a->proc_is_ours;
}

static void
job_free(struct job *j)
{
	if (j->ready >= 0)
		close(j->ready);
	free(j);
}

static void *
help(void *arg)
{
	struct fs_actors *a = arg;
	struct job *j;

	pthread_mutex_lock(&a->mu);
	for (;;) {
		a->blocked = false;
		while (a->first == NULL && !a->end)
			pthread_cond_wait(&a->more, &a->mu);
		if (a->first == NULL)
			break;
		/* The job stays in the list until it is done: if the process
		 * ends meanwhile, a leak checker still finds it. */
		j = a->first;
		if (!j->abandoned) {
			pthread_mutex_unlock(&a->mu);
			tf_proc_cgroup(j->pid, j->cgroup, sizeof j->cgroup);
			pthread_mutex_lock(&a->mu);
		}
		if ((a->first = j->next) == NULL)
			a->last = &a->first;
		if (j->abandoned) {
			job_free(j);
			continue;
		}
		j->done = true;
		/* With mu held: afterwards the caller may close it. */
		(void)eventfd_write(j->ready, 1);
	}
	pthread_mutex_unlock(&a->mu);
	return NULL;
}

struct fs_actors *
fs_actors_new(struct fs_broker *broker)
{
	const struct itimerspec each = { { BELIEVED_S, 0 }, { BELIEVED_S, 0 } };
	struct fs_actors *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->proc_is_ours = tf_proc_is_ours();
	a->broker = broker;
	a->ticks = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (a->ticks < 0 || timerfd_settime(a->ticks, 0, &each, NULL) < 0) {
		if (a->ticks >= 0)
			close(a->ticks);
		free(a);
		return NULL;
	}
	pthread_mutex_init(&a->mu, NULL);
	pthread_cond_init(&a->more, NULL);
	a->last = &a->first;
	a->slots = tf_environment_descriptors() / DESCRIPTORS_EACH;
	a->slots = a->slots < 1 ? 1 : a->slots > SLOTS ? SLOTS : a->slots;
	if (pthread_create(&a->helper, NULL, help, a) != 0) {
		close(a->ticks);
		free(a);
		return NULL;
	}
	return a;
}

/* Close what k has open. */
static void
forget(struct known *k)
{
	if (k->tid == 0)
		return;
	close(k->pidfd);
	if (k->comm_fd >= 0)
		close(k->comm_fd);
	k->tid = 0;
}

void
fs_actors_free(struct fs_actors *a)
{
	bool blocked;

	if (a == NULL)
		return;
	pthread_mutex_lock(&a->mu);
	a->end = true;
	blocked = a->blocked;
	pthread_cond_signal(&a->more);
	pthread_mutex_unlock(&a->mu);
	if (blocked) {
		/* It may never return; the process ends without it. */
		pthread_detach(a->helper);
		return;
	}
	pthread_join(a->helper, NULL);
	for (unsigned i = 0; i < SLOTS; i++)
		forget(&a->known[i]);
	close(a->ticks);
	pthread_cond_destroy(&a->more);
	pthread_mutex_destroy(&a->mu);
	free(a);
}

/* Give the helper a job.  NULL: no memory, or the helper is blocked. */
static struct job *
start_helper(struct fs_actors *a, uint32_t pid)
{
	struct job *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	j->pid = pid;
	j->ready = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_lock(&a->mu);
	if (j->ready < 0 || a->blocked) {
		pthread_mutex_unlock(&a->mu);
		job_free(j);
		return NULL;
	}
	*a->last = j;
	a->last = &j->next;
	pthread_cond_signal(&a->more);
	pthread_mutex_unlock(&a->mu);
	return j;
}

/* --- recent results ------------------------------------------------------ */

/* The seconds since the start.  mu is held. */
static uint64_t
seconds(struct fs_actors *a)
{
	uint64_t n;

	if (read(a->ticks, &n, sizeof n) == (ssize_t)sizeof n)
		a->second += n;
	return a->second;
}

static bool
has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

/* The process is there, and its name has not changed since k->exe was read: of
 * a process that has ended, the open file gives no name.  mu is held. */
static bool
has_same_name(const struct known *k)
{
	char comm[sizeof k->comm + 1];
	ssize_t n = k->comm_fd < 0 ? -1 :
				     pread(k->comm_fd, comm, sizeof comm, 0);

	return n > 0 && comm[n - 1] == '\n' &&
	    strlen(k->comm) == (size_t)n - 1 &&
	    memcmp(comm, k->comm, (size_t)n - 1) == 0;
}

/* Copy what is remembered of thread tid to *who; of a reader all of it.  False:
 * nothing. */
static bool
recall(struct fs_actors *a, uint32_t tid, bool reader, struct tf_actor *who)
{
	struct known *k = &a->known[tid % a->slots];
	bool fresh;

	pthread_mutex_lock(&a->mu);
	fresh = k->tid == tid && k->second == seconds(a) &&
	    (reader ? has_same_name(k) : !has_ended(k->pidfd));
	if (fresh && reader) {
		memcpy(who->comm, k->comm, sizeof who->comm);
		memcpy(who->exe, k->exe, sizeof who->exe);
	}
	if (fresh) {
		who->pid = k->pid;
		who->loginuid = k->loginuid;
		who->session = k->session;
		memcpy(who->cgroup, k->cgroup, sizeof who->cgroup);
	}
	pthread_mutex_unlock(&a->mu);
	return fresh;
}

/* Remember *who.  pidfd was opened before /proc was read. */
static void
remember(struct fs_actors *a, uint32_t tid, const struct tf_actor *who,
    int pidfd)
{
	struct known *k = &a->known[tid % a->slots];

	pthread_mutex_lock(&a->mu);
	forget(k);
	k->tid = tid;
	k->pid = who->pid;
	k->pidfd = pidfd;
	k->comm_fd = -1;
	k->second = seconds(a);
	k->loginuid = who->loginuid;
	k->session = who->session;
	memcpy(k->cgroup, who->cgroup, sizeof k->cgroup);
	pthread_mutex_unlock(&a->mu);
}

/* Remember name and program of *who too, a reader that may open more. */
static void
remember_name(struct fs_actors *a, uint32_t tid, const struct tf_actor *who)
{
	struct known *k = &a->known[tid % a->slots];
	char path[32];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%u/comm", (unsigned)who->pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	pthread_mutex_lock(&a->mu);
	/* Another thread may have put another process here meanwhile. */
	if (k->tid == tid && k->pid == who->pid && !has_ended(k->pidfd)) {
		if (k->comm_fd >= 0)
			close(k->comm_fd);
		k->comm_fd = fd;
		memcpy(k->comm, who->comm, sizeof k->comm);
		memcpy(k->exe, who->exe, sizeof k->exe);
		fd = -1;
	}
	pthread_mutex_unlock(&a->mu);
	if (fd >= 0)
		close(fd);
}

/* Ask the helper for the cgroup, and wait for it up to DEADLINE_MS.  False: there
 * is no answer. */
static bool
ask_cgroup(struct fs_actors *a, struct tf_actor *who)
{
	struct job *j = start_helper(a, who->pid);
	struct pollfd p = { .events = POLLIN };
	bool done;

	if (j == NULL)
		return false;
	p.fd = j->ready;
	(void)poll(&p, 1, DEADLINE_MS);
	pthread_mutex_lock(&a->mu);
	done = j->done;
	if (!done)
		j->abandoned = a->blocked = true;
	pthread_mutex_unlock(&a->mu);
	if (done) {
		memcpy(who->cgroup, j->cgroup, sizeof who->cgroup);
		job_free(j);
	}
	return done;
}

/* Find the process of thread tid, and what rarely changes.  Login uid and session
 * are those of the thread, as the uid is. */
static void
look_up(struct fs_actors *a, uint32_t tid, struct tf_actor *who)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tid, 0);
	bool all = true;

	if ((who->pid = tf_proc_process(tid)) != 0) {
		who->loginuid = tf_proc_number(tid, "loginuid");
		who->session = tf_proc_number(tid, "sessionid");
		all = ask_cgroup(a, who);
	}
	if (all && pidfd >= 0)
		remember(a, tid, who, pidfd);
	else if (pidfd >= 0)
		close(pidfd);
}

/* The process of thread tid, found without /proc.  0: unknown. */
static uint32_t
process_of(uint32_t tid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tid, 0);

	if (pidfd < 0)
		return 0; /* not the main thread, or ended */
	close(pidfd);
	return tid;
}

/* What the request itself says.  Returns its thread, or 0. */
static uint32_t
of_request(struct fs_actors *a, fuse_req_t req, struct tf_actor *who)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	memset(who, 0, sizeof *who);
	who->uid = ctx->uid;
	who->gid = ctx->gid;
	who->loginuid = who->session = TF_AUDIT_UNKNOWN;
	/* 0: the caller's pid namespace is not inside ours. */
	return ctx->pid <= 0 || !fs_actors_know(a) ? 0 : (uint32_t)ctx->pid;
}

static void
add_hints(struct fs_actors *a, uint32_t tid, struct tf_actor *who)
{
	if (!recall(a, tid, false, who))
		look_up(a, tid, who);
	if (who->pid == 0)
		return;
	tf_proc_comm(who->pid, who->comm, sizeof who->comm);
	fs_broker_exe(a->broker, who->pid, who->exe, sizeof who->exe);
}

void
fs_actor_of(struct fs_actors *a, fuse_req_t req, bool hints,
    struct tf_actor *who)
{
	uint32_t tid = of_request(a, req, who);

	if (tid != 0 && hints)
		add_hints(a, tid, who);
	else if (tid != 0)
		who->pid = process_of(tid);
}

void
fs_actor_of_reader(struct fs_actors *a, fuse_req_t req, struct tf_actor *who)
{
	uint32_t tid = of_request(a, req, who);

	if (tid == 0 || recall(a, tid, true, who))
		return;
	add_hints(a, tid, who);
	if (who->pid != 0 && who->comm[0] != '\0')
		remember_name(a, tid, who);
}
