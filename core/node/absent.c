/* Asking for the bytes that a sparse store does not have: see absent.h. */
#include "absent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/mutant.h"
#include "../store/connection.h"
#include "../store/meta.h"
#include "../store/objects.h"
#include "vault_i.h"

#define ASK_MS 100 /* between two checks for cancellation in a wait */
#define SOCKET_MAX sizeof(((struct sockaddr_un *)0)->sun_path)
#define ANSWER_MAX 512 /* bytes */

enum tf_code
tf_absent_start(struct tf_vault *v, struct tf_db *db, const char *source,
    struct tf_error *err)
{
	char blobs[512] = "", beside[48];
	enum tf_code rc = TF_OK;

	v->sparse = tf_db_is_sparse(db);
	if (!v->sparse)
		return TF_OK;
	if (source != NULL && strlen(source) >= SOCKET_MAX)
		return tf_fail(err, TF_NAMETOOLONG,
		    "objects=%.60s...: too long", source);
	/* The source may give anything. */
	v->verify_open = !TF_IS_MUTANT(TF_BELIEVE_BYTES);
	rc = tf_meta_get_text(db, TF_META_BLOBS, blobs, sizeof(blobs), err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	v->blobs = strdup(blobs);
	/* What follows the organisation listens in the directory of all copies.
	 * The path of a socket must be short. */
	(void)snprintf(beside, sizeof(beside), "/proc/self/fd/%d/../.follow",
	    v->dirfd);
	v->source = strdup(source != NULL ? source : beside);
	return v->blobs == NULL || v->source == NULL ? tf_nomem(err) : TF_OK;
}

static enum tf_code
cannot_ask(const struct tf_vault *v, struct tf_error *err)
{
	int why = errno;

	errno = 0;
	if (why == ENOENT || why == ECONNREFUSED)
		return tf_fail(err, TF_IO,
		    "the bytes are not in this copy, but in %.40s: run trailctl "
		    "org follow, or fetch it without --names",
		    v->blobs);
	return tf_fail(err, TF_IO,
	    "the bytes are not in this copy, and who has them does not answer: "
	    "%s",
	    strerror(why));
}

/* The source is busy when its queue is full. */
static enum tf_code
connect_to(struct tf_vault *v, int fd, struct tf_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct timespec pause = { .tv_nsec = ASK_MS * 1000000L };

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", v->source);
	while (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		if (errno != EAGAIN && errno != EINTR &&
		    !TF_IS_MUTANT(TF_ABSENT_WAITS))
			return cannot_ask(v, err);
		if (tf_vault_must_stop(v))
			return tf_fail(err, TF_INTERRUPTED,
			    "given up while it waited");
		(void)nanosleep(&pause, NULL);
	}
	return TF_OK;
}

/* Receive the answer with a NUL, and the descriptor that is with it, or -1. */
static enum tf_code
receive(struct tf_vault *v, int s, char text[ANSWER_MAX], int *fd,
    struct tf_error *err)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { text, ANSWER_MAX - 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = s, .events = POLLIN };
	const struct cmsghdr *c;
	ssize_t n;

	for (;;) {
		if (tf_vault_must_stop(v))
			return tf_fail(err, TF_INTERRUPTED,
			    "given up while it waited");
		if (poll(&p, 1, ASK_MS) <= 0)
			continue;
		n = recvmsg(s, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (n >= 0)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return cannot_ask(v, err);
	}
	text[n] = '\0';
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	errno = ECONNRESET;
	return n == 0 ? cannot_ask(v, err) : TF_OK;
}

/* A text of the source is shown as it is but for what is no plain letter. */
static enum tf_code
judge(char *text, int fd, struct tf_error *err)
{
	struct stat st;
	char *why = strchr(text, ' ');

	errno = 0; /* the text says all */
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	if (strncmp(text, "ok ", 3) == 0 && fd >= 0 && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode))
		return TF_OK;
	why = why == NULL ? "" : why + 1;
	if (strncmp(text, "absent ", 7) == 0)
		return tf_fail(err, TF_TAMPER, "the bytes are missing: %.110s",
		    why);
	if (strncmp(text, "altered ", 8) == 0)
		return tf_fail(err, TF_TAMPER, "the bytes are altered: %.110s",
		    why);
	return tf_fail(err, TF_IO, "bytes that are not in this copy: %.110s",
	    strncmp(text, "failed ", 7) == 0 ? why : "a malformed answer");
}

static enum tf_code
ask(struct tf_vault *v, const struct tf_hash *h, int *fd, struct tf_error *err)
{
	char hex[2 * sizeof(h->b) + 1], text[ANSWER_MAX];
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	enum tf_code rc;

	*fd = -1;
	if (s < 0)
		return cannot_ask(v, err);
	tf_hex(h->b, sizeof(h->b), hex);
	(void)snprintf(text, sizeof(text), "object %s %s", hex, v->origin);
	rc = connect_to(v, s, err);
	if (rc == TF_OK && send(s, text, strlen(text), MSG_NOSIGNAL) < 0)
		rc = cannot_ask(v, err);
	if (rc == TF_OK)
		rc = receive(v, s, text, fd, err);
	if (rc == TF_OK)
		rc = judge(text, *fd, err);
	(void)close(s);
	if (rc != TF_OK && *fd >= 0) {
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

enum tf_code
tf_vault_object_open(struct tf_vault *v, const struct tf_hash *h, int *fd,
    struct tf_error *err)
{
	uint64_t ino = 1;
	enum tf_code rc = v->sparse ?
	    tf_object_inode(v->objectsfd, h, &ino, err) :
	    TF_OK;

	if (rc != TF_OK)
		return rc;
	if (ino != 0)
		return tf_object_open(v->objectsfd, h, fd, err);
	tf_vault_slow(v);
	return ask(v, h, fd, err);
}
