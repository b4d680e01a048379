/*
 * The process that fetches for a mount of an organisation, and the one that starts it
 * again: see follower.h.
 *
 *	router --- trailfs-restart --- trailfs-follow
 *
 * trailfs-restart ends when the router's end of their socket is closed, and the kernel
 * ends trailfs-follow with it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mutant.h"
#include "core/follow.h"
#include "core/org.h"
#include "follower.h"
#include "report.h"

#define DIR_URI "dir:"
#define LOCKED_TRIES 200 /* while another process has the cache */
#define LOCKED_MS 50
#define AGAIN_MS 1000	    /* the first pause; each is twice as long, */
#define AGAIN_MOST_MS 60000 /* up to this; a process that ran so long counts */

/* To the router, once: the copies are there, or why they are not. */
struct answer {
	int32_t code;
	int32_t landlock, seccomp;
	char text[sizeof(((struct tf_error *)0)->text)];
};

struct following {
	const struct fs_options *o;
	struct fs_follow_state *state;
	uint64_t refused; /* in this round */
	int fd;
	bool answered; /* by this process or one before it */
	struct tf_sandbox sandbox;
};

/* What the process is started with. */
struct begin {
	const struct fs_options *o;
	const struct fs_user *user;
	struct fs_follow_state *state;
};

static void
let_go_of_terminal(const struct fs_options *o)
{
	fs_report_started();
	if (!o->foreground)
		fs_helper_be_silent();
}

static void
answer(struct following *f, const struct tf_error *why)
{
	struct answer a = { .landlock = f->sandbox.landlock,
		.seccomp = f->sandbox.seccomp };

	if (f->answered)
		return;
	f->answered = true;
	if (why != NULL) {
		a.code = (int32_t)why->code;
		memcpy(a.text, why->text, sizeof a.text);
	}
	atomic_store(&f->state->began, why == NULL);
	(void)fs_helper_send(f->fd, &a, sizeof a, NULL, 0);
	if (why == NULL)
		let_go_of_terminal(f->o);
}

/* --- callbacks of the rounds ----------------------------------------------------- */

static void
origin_done(void *arg, const struct tf_fetched *f, const struct tf_error *why)
{
	struct following *all = arg;

	if (why == NULL)
		return;
	all->refused++;
	fs_report_line(LOG_ERR, "%.128s: %s", f->origin, why->text);
}

/* The end of a round. */
static void
order(void *arg, const struct tf_fetch_order *o, const struct tf_error *why)
{
	struct following *f = arg;

	if (why != NULL)
		fs_report_line(LOG_ERR, "the order of the organisation: %s",
		    why->text);
	atomic_store(&f->state->disordered, why != NULL);
	atomic_store(&f->state->refused, f->refused);
	atomic_store(&f->state->entries, o->entries);
	atomic_store(&f->state->done_at, tf_clock_now().s);
	f->refused = 0;
	answer(f, NULL);
}

static bool
stop(void *arg)
{
	(void)arg;
	return false; /* see await() */
}

/* A mount does not begin without its organisation, but goes on without it. */
static void
report(void *arg, const struct tf_error *why)
{
	struct following *f = arg;

	if (!f->answered && why != NULL) {
		answer(f, why);
		_exit(EXIT_FAILURE);
	}
	atomic_store(&f->state->failing, why != NULL);
	f->refused = 0;
	if (why != NULL)
		fs_report_line(LOG_WARNING, "%s", why->text);
	else
		fs_report_line(LOG_NOTICE, "%s is followed again",
		    f->o->store_arg);
}

/* --- the process ----------------------------------------------------------------- */

static const char *
blobs_of(const struct fs_options *o)
{
	return o->blobs != NULL ? o->blobs : o->store_arg;
}

static void
work(int fd, const struct begin *b)
{
	struct following f = { .o = b->o,
		.state = b->state,
		.fd = fd,
		.answered = atomic_load(&b->state->began) };
	const char *const uri[2] = { f.o->store_arg, blobs_of(f.o) };
	const struct tf_follow how = {
		.fetch = { .ledger = f.o->store_arg,
		    .blobs = blobs_of(f.o),
		    .dir = f.o->store,
		    .names = true,
		    .done = origin_done,
		    .order = order,
		    .stop = stop,
		    .arg = &f },
		.size = f.o->cache_size,
		.counts = &f.state->counts,
		.report = report,
	};
	struct tf_error err = { 0 };

	/* Whoever can write the organisation can send anything, so this comes
	 * first. */
	if (fs_sandbox_follower(f.o->store, uri, &f.sandbox, &err) != TF_OK) {
		answer(&f, &err);
		return;
	}
	/* That of a mount that was just taken off is about to end. */
	for (int i = 0; tf_follow(&how, &err) == TF_LOCKED && !f.answered &&
	     i < LOCKED_TRIES;
	     i++)
		(void)poll(NULL, 0, LOCKED_MS);
	if (!f.answered) {
		answer(&f, &err);
		return;
	}
	fs_report_line(LOG_ERR, "the organisation cannot be followed: %s",
	    err.text);
}

/* --- the process that starts it again --------------------------------------------- */

/* Wait until the mount ends, at most ms. */
static bool
mount_ends(int fd, unsigned ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, (int)ms) > 0;
}

static pid_t
start(int fd, const struct begin *b)
{
	const pid_t parent = getpid();
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* Nobody else would start it again. */
	if (!TF_IS_MUTANT(TF_FOLLOWER_STAYS))
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "trailfs-follow");
	if (getppid() == parent)
		work(fd, b);
	_exit(EXIT_FAILURE);
}

/* Wait until the process has ended.  It is killed if the mount ends, which it may be at
 * any moment: it may be waiting for an organisation that does not answer. */
static int
await(int fd, pid_t pid)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = (int)syscall(SYS_pidfd_open, pid, 0),
		    .events = POLLIN } };
	int status = 0;

	while (p[1].fd >= 0 && poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (p[0].revents != 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (p[1].fd >= 0)
		(void)close(p[1].fd);
	return status;
}

static void
report_end(int status, unsigned ms)
{
	fs_report_line(LOG_ERR,
	    "the process that fetches has ended (%s): until it is started again "
	    "in %u s, nothing new appears, and bytes that are not in the cache "
	    "cannot be read",
	    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "by itself",
	    ms / 1000);
}

static void
run(int fd, const void *arg)
{
	const struct begin *b = arg;
	struct following f = { .o = b->o, .state = b->state, .fd = fd };
	struct tf_error err = { 0 };
	unsigned ms = AGAIN_MS;
	uint64_t since;
	pid_t pid;
	int status = 0;
	bool first = true;
	enum tf_code rc;

	rc = fs_sandbox_become(b->user, &err);
	if (rc == TF_OK && !fs_sandbox_restarter())
		rc = tf_fail(&err, TF_IO, "forbid new privileges");
	if (rc != TF_OK) {
		answer(&f, &err);
		return;
	}
	for (;; first = false) {
		since = tf_clock_boot_ns();
		if ((pid = start(fd, b)) > 0) {
			atomic_store(&b->state->runs, true);
			if (first)
				let_go_of_terminal(b->o);
			status = await(fd, pid);
			atomic_store(&b->state->runs, false);
		}
		if (mount_ends(fd, 0) || !atomic_load(&b->state->began))
			return;
		if (tf_clock_boot_ns() - since >= AGAIN_MOST_MS * 1000000ull)
			ms = AGAIN_MS;
		report_end(status, ms);
		if (mount_ends(fd, ms))
			return;
		ms = ms * 2 < AGAIN_MOST_MS ? ms * 2 : AGAIN_MOST_MS;
		atomic_fetch_add(&b->state->restarts, 1);
	}
}

/* --- for the router -------------------------------------------------------------- */

bool
fs_follower_is_for(const struct fs_options *o)
{
	return o->connection < 0 && tf_org_is_uri(o->store_arg);
}

const char *
fs_follower_mounted(const struct fs_options *o)
{
	return fs_follower_is_for(o) ? o->store_arg : o->store;
}

/* The helper works in another directory. */
static enum tf_code
make_absolute(const char **uri, struct tf_error *err)
{
	char *absolute;
	enum tf_code rc = tf_org_uri_absolute(*uri, &absolute, err);

	if (rc == TF_OK)
		*uri = absolute; /* until the process ends */
	return rc;
}

enum tf_code
fs_follower_prepare(struct fs_options *o, struct tf_error *err)
{
	bool both = strncmp(o->store_arg, DIR_URI, sizeof DIR_URI - 1) == 0;
	enum tf_code rc;

	if (!fs_follower_is_for(o)) {
		if (o->cache == NULL && o->blobs == NULL && o->cache_size == 0)
			return TF_OK;
		errno = 0;
		return tf_fail(err, TF_USAGE,
		    "%s is for a mount of an organisation by its URI",
		    o->cache != NULL	 ? "cache=" :
			o->blobs != NULL ? "blobs=" :
					   "cache_size=");
	}
	errno = 0;
	if (o->cache == NULL)
		return tf_fail(err, TF_USAGE,
		    "an organisation needs cache=DIRECTORY, for the copies of "
		    "its origins");
	if (!o->read_only)
		return tf_fail(err, TF_USAGE,
		    "an organisation is mounted read only: -o ro");
	if (o->blobs == NULL && !both)
		return tf_fail(err, TF_USAGE,
		    "this ledger needs blobs=URI, where the bytes are");
	if (o->objects != NULL)
		return tf_fail(err, TF_USAGE,
		    "objects= is for copies that another process fetches");
	if (o->cache_size == 0)
		o->cache_size = TF_FOLLOW_CACHE;
	rc = make_absolute(&o->store_arg, err);
	if (rc == TF_OK && o->blobs != NULL)
		rc = make_absolute(&o->blobs, err);
	if (rc == TF_OK && mkdir(o->cache, 0700) < 0 && errno != EEXIST)
		rc = tf_fail(err, TF_IO, "make %.100s", o->cache);
	return rc;
}

enum tf_code
fs_follower_start(struct fs_helper *h, const struct fs_options *o,
    const struct fs_user *user, struct tf_sandbox *sandbox,
    struct fs_follow_state **state, struct tf_error *err)
{
	struct begin b = { .o = o, .user = user };
	struct answer a;
	int none[FS_HELPER_FDS];
	enum tf_code rc;

	if (!fs_follower_is_for(o))
		return TF_OK;
	b.state = mmap(NULL, sizeof *b.state, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b.state == MAP_FAILED)
		return tf_nomem(err);
	*state = b.state; /* until the process ends */
	if ((rc = fs_helper_start(h, "trailfs-restart", run, &b, err)) != TF_OK)
		return rc;
	errno = 0;
	if (!fs_helper_receive(h->fd, &a, sizeof a, none))
		return tf_fail(err, TF_IO,
		    "the process that fetches has ended at once");
	*sandbox = (struct tf_sandbox){ .user = user->name,
		.landlock = a.landlock,
		.seccomp = a.seccomp != 0 };
	if (a.code == TF_OK)
		return TF_OK;
	a.text[sizeof a.text - 1] = '\0';
	return tf_fail(err, (enum tf_code)a.code, "%s", a.text);
}
