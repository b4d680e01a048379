/* The daemon's side of its two helpers: see broker.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"
#include "broker.h"
#include "broker_i.h"
#include "report.h"

/* Each of the broker's answers takes microseconds.  One that does not come is a
 * broker that was stopped: the daemon goes on without it. */
#define BROKER_S 5

struct fs_broker {
	struct fs_helper mounter;
	pthread_mutex_t mu;
	struct fs_helper broker; /* fd -1: given up; guarded by mu */
};

enum tf_code
fs_broker_start(const struct fs_options *o, struct fs_broker **out,
    struct tf_error *err)
{
	const struct timeval limit = { .tv_sec = BROKER_S };
	struct fs_broker *k = malloc(sizeof *k);
	enum tf_code rc;

	if (k == NULL)
		return tf_nomem(err);
	*k = (struct fs_broker){ .mounter = FS_HELPER_NONE,
		.mu = PTHREAD_MUTEX_INITIALIZER,
		.broker = FS_HELPER_NONE };
	rc = fs_helper_start(&k->mounter, "trailfs-mounter",
	    fs_broker_run_mounter, o, err);
	if (rc == TF_OK && !o->foreground)
		(void)setsid();
	if (rc == TF_OK &&
	    (rc = fs_helper_start(&k->broker, "trailfs-broker",
		 fs_broker_run_broker, o, err)) == TF_OK &&
	    (setsockopt(k->broker.fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
		 sizeof limit) < 0 ||
		setsockopt(k->broker.fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
		    sizeof limit) < 0))
		rc = tf_fail(err, TF_IO, "set the time limit of a socket");
	if (rc != TF_OK) {
		fs_broker_end(k);
		return rc;
	}
	*out = k;
	return TF_OK;
}

void
fs_broker_end(struct fs_broker *k)
{
	if (k == NULL)
		return;
	fs_helper_end(&k->broker);
	fs_helper_end(&k->mounter);
	pthread_mutex_destroy(&k->mu);
	free(k);
}

/* Ask, and wait for the answer.  *fd, if fd is not NULL: the descriptor that
 * came with it, or -1. */
static bool
ask(int to, enum fs_broker_verb verb, uint32_t number, const int *fds, int nfds,
    struct fs_broker_answer *answer, int *fd)
{
	const struct fs_broker_request r = { verb, number };
	int got[FS_HELPER_FDS];

	if (to < 0 || !fs_helper_send(to, &r, sizeof r, fds, nfds) ||
	    !fs_helper_receive(to, answer, sizeof *answer, got))
		return false;
	for (int i = fd == NULL ? 0 : 1; i < FS_HELPER_FDS; i++)
		if (got[i] >= 0)
			(void)close(got[i]);
	if (fd != NULL)
		*fd = got[0];
	return true;
}

/* --- the mounter ----------------------------------------------------------- */

static bool
ask_mounter(struct fs_broker *k, enum fs_broker_verb verb)
{
	struct fs_broker_answer a;

	return ask(k->mounter.fd, verb, 0, NULL, 0, &a, NULL) && a.result != 0;
}

enum tf_code
fs_broker_mount(struct fs_broker *k, const char *mnt, int *fd,
    struct tf_error *err)
{
	struct fs_broker_answer a;

	*fd = -1;
	if (ask(k->mounter.fd, FS_BROKER_MOUNT, 0, NULL, 0, &a, fd) &&
	    *fd >= 0) {
		if (a.result == 1)
			return TF_OK;
		fs_report_line(LOG_NOTICE,
		    "made the bare mount point %s immutable, so that nothing "
		    "is written there while it is not mounted; chattr -i "
		    "undoes it",
		    mnt);
		return TF_OK;
	}
	errno = 0; /* libfuse and fusermount3 have said why */
	return tf_fail(err, TF_IO, "cannot mount at %s", mnt);
}

bool
fs_broker_unmount(struct fs_broker *k, bool lazy)
{
	return ask_mounter(k,
	    lazy ? FS_BROKER_UNMOUNT_LAZY : FS_BROKER_UNMOUNT);
}

void
fs_broker_abort(struct fs_broker *k)
{
	(void)ask_mounter(k, FS_BROKER_ABORT);
}

bool
fs_broker_is_dead(struct fs_broker *k)
{
	return ask_mounter(k, FS_BROKER_IS_DEAD);
}

/* --- the broker ------------------------------------------------------------ */

/* False: there is no broker any more. */
static bool
ask_broker(struct fs_broker *k, enum fs_broker_verb verb, uint32_t number,
    const int *fds, int nfds, struct fs_broker_answer *answer)
{
	bool known;

	if (k == NULL)
		return false;
	pthread_mutex_lock(&k->mu);
	known = ask(k->broker.fd, verb, number, fds, nfds, answer, NULL);
	if (!known && k->broker.fd >= 0) {
		/* A late answer must not be taken for that of the next request. */
		(void)close(k->broker.fd);
		k->broker.fd = -1;
		k->broker.pid = 0; /* it may be stopped: do not wait for it */
		fs_report_line(LOG_ERR,
		    "the broker does not answer: until the next start, "
		    "programs of callers are not known, and long reads go "
		    "through the daemon");
	}
	pthread_mutex_unlock(&k->mu);
	return known;
}

void
fs_broker_exe(struct fs_broker *k, uint32_t pid, char *out, size_t size)
{
	struct fs_broker_answer a;
	size_t n;

	out[0] = '\0';
	if (!ask_broker(k, FS_BROKER_EXE, pid, NULL, 0, &a))
		return;
	n = strnlen(a.exe, sizeof a.exe);
	if (n < size && n < sizeof a.exe)
		memcpy(out, a.exe, n + 1);
}

uint32_t
fs_broker_backing_open(struct fs_broker *k, int fuse_fd, int fd)
{
	const int fds[] = { fuse_fd, fd };
	struct fs_broker_answer a;

	if (!ask_broker(k, FS_BROKER_BACKING_OPEN, 0, fds, 2, &a))
		return 0;
	return a.result > 0 ? (uint32_t)a.result : 0;
}

void
fs_broker_backing_close(struct fs_broker *k, int fuse_fd, uint32_t id)
{
	struct fs_broker_answer a;

	(void)ask_broker(k, FS_BROKER_BACKING_CLOSE, id, &fuse_fd, 1, &a);
}
