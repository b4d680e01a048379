/* Dropping pages, on both sides: see pages.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/array.h"
#include "core/base/file.h"
#include "helper.h"
#include "pages.h"
#include "report.h"
#include "sandbox.h"

#define FILEID_INO64_GEN 0x81 /* <linux/exportfs.h>; FUSE uses it, too */
#define GENERATION 1	      /* of every node: attr.c */

#define PROCESSES 4 /* with streams=on: so many files at a time */
#define CLOSERS 4   /* threads of each of them */

struct one {
	struct fs_helper helper;
	pthread_mutex_t mu; /* held from a request to its answer */
};

/* A descriptor of a helper that is not released yet. */
struct opened {
	uint64_t node, seq;
};

struct fs_pages {
	struct one one[PROCESSES]; /* the first n; constant */
	size_t n;
	struct fs_mount_watch at; /* which mount; constant once mounted */
	pthread_mutex_t state;
	bool stopped;	     /* guarded by state, as the rest */
	struct opened *open; /* their order is that of seq */
	size_t opens, cap;
	uint64_t seq;
	pthread_cond_t closed;
};

/* What a helper needs to know. */
struct given {
	const char *mnt;
	bool streams;
};

enum verb { DROP, COLLECT };

struct request {
	uint64_t node;
	uint32_t major, minor; /* of the file system */
	uint32_t verb, reserved;
};

/* --- the helper ------------------------------------------------------------ */

/* The number of a file as the kernel gives it to name_to_handle_at(2). */
union handle {
	struct file_handle h;
	char room[sizeof(struct file_handle) + 3 * sizeof(uint32_t)];
};

static void
make_handle(uint64_t node, union handle *out)
{
	const uint32_t parts[3] = { (uint32_t)(node >> 32), (uint32_t)node,
		GENERATION };

	memset(out, 0, sizeof *out);
	out->h.handle_bytes = sizeof parts;
	out->h.handle_type = FILEID_INO64_GEN;
	memcpy(out->room + sizeof out->h, parts, sizeof parts);
}

/* Another file system may cover the mount.  It is not asked. */
static bool
is_of(int dir, const struct request *r)
{
	struct statx st;

	return statx(dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE,
		   &st) == 0 &&
	    st.stx_dev_major == r->major && st.stx_dev_minor == r->minor;
}

/* Close what comes from the pipe: see pages.h. */
static void *
close_later(void *arg)
{
	const int *from = arg;
	int fd;

	if (!fs_sandbox_pages())
		_exit(EXIT_FAILURE);
	while (read(*from, &fd, sizeof fd) == sizeof fd)
		(void)close(fd);
	return NULL;
}

static bool
serve(const char *mnt, const struct request *r, int *fd)
{
	union handle h;
	int dir = open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = false;

	*fd = -1;
	if (dir >= 0 && is_of(dir, r)) {
		make_handle(r->node, &h);
		*fd = open_by_handle_at(dir, &h.h,
		    O_RDONLY | O_CLOEXEC |
			(r->verb == COLLECT ? FS_PAGES_KEEP : 0));
		/* ESTALE: the kernel does not know the node. */
		done = *fd >= 0 || errno == ESTALE;
	}
	if (dir >= 0)
		(void)close(dir);
	if (*fd >= 0 && r->verb == COLLECT)
		tf_file_await_writing(*fd);
	return done;
}

static bool
start_closers(int pipe[2])
{
	pthread_t t;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return false;
	for (int i = 0; i < CLOSERS; i++)
		if (pthread_create(&t, NULL, close_later, &pipe[0]) != 0)
			return false;
	return true;
}

static void
run(int end, const void *arg)
{
	const struct given *g = arg;
	struct request r;
	int got[FS_HELPER_FDS], pipe[2], fd;
	uint32_t done;

	fs_helper_be_silent();
	if ((g->streams && !start_closers(pipe)) || !fs_sandbox_pages())
		return;
	while (fs_helper_receive(end, &r, sizeof r, got)) {
		for (int i = 0; i < FS_HELPER_FDS; i++)
			if (got[i] >= 0)
				(void)close(got[i]);
		done = serve(g->mnt, &r, &fd);
		if (fd >= 0 && !g->streams)
			(void)close(fd);
		else if (fd >= 0 && write(pipe[1], &fd, sizeof fd) != sizeof fd)
			return;
		if (!fs_helper_send(end, &done, sizeof done, NULL, 0))
			return;
	}
}

/* --- the daemon ------------------------------------------------------------ */

enum tf_code
fs_pages_start(const char *mnt, bool streams, struct fs_pages **out,
    struct tf_error *err)
{
	const struct given given = { mnt, streams };
	struct fs_pages *p;
	enum tf_code rc = TF_OK;

	*out = NULL;
	if (geteuid() != 0)
		return TF_OK;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return tf_nomem(err);
	p->at.fd = -1;
	pthread_mutex_init(&p->state, NULL);
	pthread_cond_init(&p->closed, NULL);
	while (rc == TF_OK && p->n < (streams ? PROCESSES : 1)) {
		struct one *one = &p->one[p->n++];

		one->helper = (struct fs_helper)FS_HELPER_NONE;
		pthread_mutex_init(&one->mu, NULL);
		rc = fs_helper_start(&one->helper, "trailfs-pages", run, &given,
		    err);
	}
	if (rc != TF_OK) {
		fs_pages_end(p);
		return rc;
	}
	*out = p;
	return TF_OK;
}

void
fs_pages_mounted(struct fs_pages *p, const struct fs_mount_watch *w)
{
	if (p != NULL)
		p->at = *w;
}

void
fs_pages_stop(struct fs_pages *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->state);
	p->stopped = true;
	pthread_cond_broadcast(&p->closed);
	/* Calls under way return, and the helpers end. */
	for (size_t i = 0; i < p->n; i++)
		(void)shutdown(p->one[i].helper.fd, SHUT_RDWR);
	pthread_mutex_unlock(&p->state);
}

void
fs_pages_end(struct fs_pages *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		fs_helper_end(&p->one[i].helper);
		pthread_mutex_destroy(&p->one[i].mu);
	}
	pthread_mutex_destroy(&p->state);
	pthread_cond_destroy(&p->closed);
	free(p->open);
	free(p);
}

/* The helper was killed: say so once. */
static void
note_lost(struct fs_pages *p)
{
	bool first;

	pthread_mutex_lock(&p->state);
	first = !p->stopped;
	p->stopped = true;
	pthread_cond_broadcast(&p->closed);
	pthread_mutex_unlock(&p->state);
	if (first)
		fs_report_line(LOG_ERR,
		    "trailfs-pages does not answer: until the next start, the "
		    "daemon itself drops pages of files");
}

/* A helper that is free, or else one to wait for; its mu becomes held. */
static struct one *
take_one(struct fs_pages *p, uint64_t node)
{
	struct one *one;

	for (size_t i = 0; i < p->n; i++)
		if (pthread_mutex_trylock(&p->one[i].mu) == 0)
			return &p->one[i];
	one = &p->one[node % p->n];
	pthread_mutex_lock(&one->mu);
	return one;
}

static bool
ask(struct fs_pages *p, enum verb verb, uint64_t node)
{
	struct request r = { .node = node, .verb = verb };
	int got[FS_HELPER_FDS];
	struct one *one;
	uint32_t done = 0;

	if (p == NULL || p->at.fd < 0)
		return false;
	r.major = p->at.major;
	r.minor = p->at.minor;
	one = take_one(p, node);
	if (!fs_helper_send(one->helper.fd, &r, sizeof r, NULL, 0) ||
	    !fs_helper_receive(one->helper.fd, &done, sizeof done, got)) {
		done = 0;
		note_lost(p);
	}
	pthread_mutex_unlock(&one->mu);
	return done != 0;
}

bool
fs_pages_drop(struct fs_pages *p, uint64_t node)
{
	return ask(p, DROP, node);
}

bool
fs_pages_collect(struct fs_pages *p, uint64_t node)
{
	return ask(p, COLLECT, node);
}

bool
fs_pages_opened(struct fs_pages *p, uint64_t node)
{
	bool room;

	pthread_mutex_lock(&p->state);
	room = tf_array_room(&p->open, p->opens, &p->cap, sizeof *p->open);
	if (room)
		p->open[p->opens++] = (struct opened){ node, p->seq++ };
	pthread_mutex_unlock(&p->state);
	return room;
}

void
fs_pages_released(struct fs_pages *p, uint64_t node)
{
	size_t i;

	pthread_mutex_lock(&p->state);
	for (i = 0; i < p->opens && p->open[i].node != node; i++)
		;
	if (i < p->opens) {
		p->opens--;
		memmove(p->open + i, p->open + i + 1,
		    (p->opens - i) * sizeof *p->open);
	}
	pthread_cond_broadcast(&p->closed);
	pthread_mutex_unlock(&p->state);
}

/* Is a descriptor of node open that has a number below upto?  state is held. */
static bool
is_open(const struct fs_pages *p, uint64_t node, uint64_t upto)
{
	for (size_t i = 0; i < p->opens; i++)
		if (p->open[i].node == node && p->open[i].seq < upto)
			return true;
	return false;
}

void
fs_pages_await(struct fs_pages *p, uint64_t node)
{
	uint64_t upto;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->state);
	upto = p->seq;
	while (is_open(p, node, upto) && !p->stopped)
		pthread_cond_wait(&p->closed, &p->state);
	pthread_mutex_unlock(&p->state);
}

bool
fs_pages_asks(const struct fs_pages *p, pid_t pid)
{
	for (size_t i = 0; p != NULL && i < p->n; i++)
		if (pid == p->one[i].helper.pid)
			return true;
	return false;
}
