/*
 * The socket between a mount and its forwarder: see forward_link.h.  A message of
 * the mount is a number of 8 bytes; one of the forwarder is such a number, the
 * origin, a null byte, and why.  SOCK_SEQPACKET keeps messages apart.
 */
#include "forward_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/bytes.h"

/* The path of a store may be longer than a socket's address. */
static struct sockaddr_un
address(int dirfd)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path),
	    "/proc/self/fd/%d/" TF_FORWARD_SOCKET, dirfd);
	return a;
}

/* Is the other side root or the owner of the store? */
static bool
is_trusted(int dirfd, int fd)
{
	struct ucred who;
	struct stat st;
	socklen_t n = sizeof(who);

	return fstat(dirfd, &st) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    n == sizeof(who) && (who.uid == 0 || who.uid == st.st_uid);
}

static int
new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
}

enum tf_code
tf_forward_connect(int dirfd, int *out, struct tf_error *err)
{
	const struct sockaddr_un a = address(dirfd);
	int fd = new_socket();
	enum tf_code rc = TF_OK;

	if (fd < 0)
		return tf_fail(err, TF_IO, "make a socket");
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		rc = tf_fail(err,
		    errno == ENOENT || errno == ECONNREFUSED ? TF_NOTFOUND :
							       TF_IO,
		    "no forwarder runs");
	else if (!is_trusted(dirfd, fd))
		rc = tf_fail(err, TF_FOREIGN,
		    TF_FORWARD_SOCKET " is not of root or the owner of the "
				      "store");
	if (rc != TF_OK)
		(void)close(fd);
	else
		*out = fd;
	return rc;
}

/* Does another process listen?  It counts as one when that cannot be known. */
static bool
is_taken(int dirfd, struct tf_error *err)
{
	int fd;
	enum tf_code rc = tf_forward_connect(dirfd, &fd, err);

	if (rc == TF_OK)
		(void)close(fd);
	return rc != TF_NOTFOUND;
}

enum tf_code
tf_forward_listen(int dirfd, int *out, struct tf_error *err)
{
	const struct sockaddr_un a = address(dirfd);
	struct stat st;
	int fd = new_socket();
	enum tf_code rc = TF_OK;

	if (fd < 0)
		return tf_fail(err, TF_IO, "make a socket");
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		const bool used = errno == EADDRINUSE;

		if (used && is_taken(dirfd, NULL))
			rc = tf_fail(err, TF_LOCKED,
			    "another forwarder listens at " TF_FORWARD_SOCKET);
		else if (!used ||
		    (unlinkat(dirfd, TF_FORWARD_SOCKET, 0) < 0 &&
			errno != ENOENT) ||
		    bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
			rc = tf_fail(err, TF_IO, "make " TF_FORWARD_SOCKET);
	}
	/* Root may forward the store of a user, as whom the mount runs. */
	if (rc == TF_OK &&
	    (fstat(dirfd, &st) < 0 ||
		(geteuid() == 0 &&
		    fchownat(dirfd, TF_FORWARD_SOCKET, st.st_uid, st.st_gid,
			AT_SYMLINK_NOFOLLOW) < 0) ||
		fchmodat(dirfd, TF_FORWARD_SOCKET, 0600, 0) < 0 ||
		listen(fd, 8) < 0))
		rc = tf_fail(err, TF_IO, "listen at " TF_FORWARD_SOCKET);
	if (rc != TF_OK)
		(void)close(fd);
	else
		*out = fd;
	return rc;
}

int
tf_forward_accept(int dirfd, int fd)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer >= 0 && !is_trusted(dirfd, peer)) {
		(void)close(peer);
		peer = -1;
	}
	return peer;
}

/* --- messages ------------------------------------------------------------------ */

/* A message that finds no room is not needed: the other side has others to read. */
static bool
put(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n || errno == EAGAIN ||
	    errno == EINTR;
}

static uint64_t
number(const uint8_t *p)
{
	return (uint64_t)tf_get_be32(p) << 32 | tf_get_be32(p + 4);
}

/* -1: the connection is over; 0: there is no message now. */
static ssize_t
get(int fd, void *p, size_t n)
{
	ssize_t got = recv(fd, p, n, 0);

	if (got > 0)
		return got;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool
tf_forward_want(int fd, uint64_t entries)
{
	uint8_t m[8];

	tf_put_be64(m, entries);
	return put(fd, m, sizeof(m));
}

bool
tf_forward_wanted(int fd, uint64_t *entries, bool *got)
{
	uint8_t m[9];
	ssize_t n;

	*got = false;
	while ((n = get(fd, m, sizeof(m))) == 8) {
		*entries = number(m);
		*got = true;
	}
	return n == 0;
}

bool
tf_forward_tell(int fd, const struct tf_forward_word *w)
{
	uint8_t m[8 + sizeof(w->origin) + sizeof(w->why)];
	const size_t origin = strnlen(w->origin, sizeof(w->origin) - 1),
		     why = strnlen(w->why, sizeof(w->why) - 1);

	tf_put_be64(m, w->entries);
	memcpy(m + 8, w->origin, origin);
	m[8 + origin] = '\0';
	memcpy(m + 8 + origin + 1, w->why, why);
	return put(fd, m, 8 + origin + 1 + why);
}

bool
tf_forward_told(int fd, struct tf_forward_word *w, bool *got)
{
	uint8_t m[8 + sizeof(w->origin) + sizeof(w->why) + 1];
	const uint8_t *end;
	ssize_t n;
	size_t origin, why;

	*got = false;
	while ((n = get(fd, m, sizeof(m))) > 8) {
		end = memchr(m + 8, '\0', (size_t)n - 8);
		if (end == NULL)
			return false;
		origin = (size_t)(end - m) - 8;
		why = (size_t)n - 8 - origin - 1;
		if (origin >= sizeof(w->origin) || why >= sizeof(w->why))
			return false;
		w->entries = number(m);
		memcpy(w->origin, m + 8, origin + 1);
		memcpy(w->why, end + 1, why);
		w->why[why] = '\0';
		*got = true;
	}
	return n == 0;
}
