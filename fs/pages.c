/* Dropping pages, on both sides: see pages.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper.h"
#include "pages.h"
#include "report.h"
#include "sandbox.h"

#define FILEID_INO64_GEN 0x81 /* <linux/exportfs.h>; FUSE uses it, too */
#define GENERATION 1	      /* of every node: attr.c */

struct fs_pages {
	struct fs_helper helper;
	struct fs_mount_watch at; /* which mount; constant once mounted */
	pthread_mutex_t mu;	  /* held from a request to its answer */
	bool stopped;		  /* guarded by state */
	pthread_mutex_t state;
};

struct request {
	uint64_t node;
	uint32_t major, minor; /* of the file system */
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

static bool
drop(const char *mnt, const struct request *r)
{
	union handle h;
	int dir = open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	bool done = false;

	if (dir >= 0 && is_of(dir, r)) {
		make_handle(r->node, &h);
		fd = open_by_handle_at(dir, &h.h, O_RDONLY | O_CLOEXEC);
		/* ESTALE: the kernel does not know the node. */
		done = fd >= 0 || errno == ESTALE;
	}
	if (fd >= 0)
		(void)close(fd);
	if (dir >= 0)
		(void)close(dir);
	return done;
}

static void
run(int end, const void *arg)
{
	const char *mnt = arg;
	struct request r;
	int got[FS_HELPER_FDS];
	uint32_t done;

	fs_helper_be_silent();
	if (!fs_sandbox_pages())
		return;
	while (fs_helper_receive(end, &r, sizeof r, got)) {
		for (int i = 0; i < FS_HELPER_FDS; i++)
			if (got[i] >= 0)
				(void)close(got[i]);
		done = drop(mnt, &r);
		if (!fs_helper_send(end, &done, sizeof done, NULL, 0))
			return;
	}
}

/* --- the daemon ------------------------------------------------------------ */

enum tf_code
fs_pages_start(const char *mnt, struct fs_pages **out, struct tf_error *err)
{
	struct fs_pages *p;
	enum tf_code rc;

	*out = NULL;
	if (geteuid() != 0)
		return TF_OK;
	if ((p = malloc(sizeof *p)) == NULL)
		return tf_nomem(err);
	*p = (struct fs_pages){ .helper = FS_HELPER_NONE,
		.at = { .fd = -1 },
		.mu = PTHREAD_MUTEX_INITIALIZER,
		.state = PTHREAD_MUTEX_INITIALIZER };
	rc = fs_helper_start(&p->helper, "trailfs-pages", run, mnt, err);
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
	/* A call under way returns, and the helper ends. */
	(void)shutdown(p->helper.fd, SHUT_RDWR);
	pthread_mutex_unlock(&p->state);
}

void
fs_pages_end(struct fs_pages *p)
{
	if (p == NULL)
		return;
	fs_helper_end(&p->helper);
	pthread_mutex_destroy(&p->mu);
	pthread_mutex_destroy(&p->state);
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
	pthread_mutex_unlock(&p->state);
	if (first)
		fs_report_line(LOG_ERR,
		    "trailfs-pages does not answer: until the next start, the "
		    "daemon itself drops pages of files");
}

bool
fs_pages_drop(struct fs_pages *p, uint64_t node)
{
	struct request r = { .node = node };
	int got[FS_HELPER_FDS];
	uint32_t done = 0;

	if (p == NULL || p->at.fd < 0)
		return false;
	r.major = p->at.major;
	r.minor = p->at.minor;
	pthread_mutex_lock(&p->mu);
	if (!fs_helper_send(p->helper.fd, &r, sizeof r, NULL, 0) ||
	    !fs_helper_receive(p->helper.fd, &done, sizeof done, got)) {
		done = 0;
		note_lost(p);
	}
	pthread_mutex_unlock(&p->mu);
	return done != 0;
}

bool
fs_pages_asks(const struct fs_pages *p, pid_t pid)
{
	return p != NULL && pid == p->helper.pid;
}
