/*
 * The socket of a follower: see follow.h.  A thread accepts, and one answers each
 * connection.  Engines belong to one thread at a time, so each request takes a pair
 * that nobody uses, or opens one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../org/bundle.h"
#include "../org/uri.h"
#include "follow_i.h"

#define LOOK_MS 200	/* between two looks for the end */
#define PATIENCE_S 3	/* for requests at the end */
#define LINE_MAX_ 512	/* bytes of a message */
#define REQUEST_MS 5000 /* until a request has come */

struct tf_engines {
	struct tf_engines *next;
	struct tf_ledger *ledger;
	struct tf_blobs *blobs;
};

struct request {
	struct tf_follower *f;
	int fd;
};

/* --- engines --------------------------------------------------------------------- */

static void
close_engines(struct tf_engines *e)
{
	if (e == NULL)
		return;
	tf_ledger_close(e->ledger);
	tf_blobs_close(e->blobs);
	free(e);
}

static enum tf_code
take_engines(struct tf_follower *f, struct tf_engines **out,
    struct tf_error *err)
{
	struct tf_engines *e;
	enum tf_code rc;

	pthread_mutex_lock(&f->mu);
	if ((e = f->engines) != NULL)
		f->engines = e->next;
	pthread_mutex_unlock(&f->mu);
	if ((*out = e) != NULL)
		return TF_OK;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return tf_nomem(err);
	rc = tf_ledger_open(f->ledger, TF_ORG_READER, &e->ledger, err);
	if (rc == TF_OK)
		rc = tf_blobs_open(f->blobs, TF_ORG_READER, &e->blobs, err);
	if (rc != TF_OK) {
		close_engines(e);
		return rc;
	}
	*out = e;
	return TF_OK;
}

static void
give_back(struct tf_follower *f, struct tf_engines *e)
{
	pthread_mutex_lock(&f->mu);
	e->next = f->engines;
	f->engines = e;
	pthread_mutex_unlock(&f->mu);
}

/* --- objects ---------------------------------------------------------------------- */

/* Get the bytes into a file without a name.  A full disk is tried once more with an
 * empty cache. */
static enum tf_code
get(struct tf_follower *f, struct tf_engines *e, const char *origin,
    const struct tf_hash *h, int *fd, uint64_t *size, struct tf_error *err)
{
	enum tf_code rc = TF_NOSPACE;

	for (int i = 0; i < 2 && rc == TF_NOSPACE; i++) {
		if (i > 0)
			tf_object_cache_shrink(&f->cache, 0);
		rc = tf_object_cache_new(&f->cache, fd, err);
		if (rc == TF_OK)
			rc = tf_org_object(e->ledger, e->blobs, origin, h, *fd,
			    size, err);
		if (rc != TF_OK && *fd >= 0) {
			(void)close(*fd);
			*fd = -1;
		}
	}
	return rc;
}

static enum tf_code
object(struct tf_follower *f, const char *origin, const struct tf_hash *h,
    int *fd, uint64_t *size, struct tf_error *err)
{
	struct tf_follow_counts *c = f->o->counts;
	struct tf_engines *e = NULL;
	int fresh = -1;
	enum tf_code rc = tf_object_cache_get(&f->cache, h, fd, size, err);

	if (c != NULL)
		atomic_fetch_add(rc == TF_OK ? &c->hits : &c->misses, 1);
	if (rc != TF_NOTFOUND)
		return rc;
	if ((rc = take_engines(f, &e, err)) != TF_OK)
		return rc;
	rc = get(f, e, origin, h, &fresh, size, err);
	if (rc == TF_OK)
		rc = tf_object_cache_put(&f->cache, h, fresh, fd, err);
	if (fresh >= 0)
		(void)close(fresh); /* it has another name, or none is needed */
	give_back(f, e);
	return rc;
}

static void
count(struct tf_follower *f, enum tf_code rc)
{
	struct tf_follow_counts *c = f->o->counts;

	if (c == NULL)
		return;
	if (rc != TF_OK)
		atomic_fetch_add(&c->failures, 1);
	atomic_store(&c->cached, tf_object_cache_used(&f->cache));
}

static void
answer(int s, const char *text, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { (char *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	(void)sendmsg(s, &m, MSG_NOSIGNAL); /* who asked may be gone */
}

/* "HEX ORIGIN" */
static void
answer_object(struct tf_follower *f, int s, const char *what)
{
	char text[LINE_MAX_];
	struct tf_error err = { 0 };
	struct tf_hash h;
	uint64_t size = 0;
	int fd = -1;
	enum tf_code rc;

	if (strlen(what) < 66 || what[64] != ' ' ||
	    strlen(what + 65) > TF_ORG_NAME_MAX ||
	    !tf_unhex(what, 64, h.b, sizeof(h.b))) {
		answer(s, "failed malformed request", -1);
		return;
	}
	rc = object(f, what + 65, &h, &fd, &size, &err);
	count(f, rc);
	if (rc == TF_OK)
		(void)snprintf(text, sizeof(text), "ok %llu",
		    (unsigned long long)size);
	else
		(void)snprintf(text, sizeof(text), "%s %s",
		    rc == TF_NOTFOUND	? "absent" :
			rc == TF_TAMPER ? "altered" :
					  "failed",
		    err.text[0] != '\0' ? err.text : "no such object");
	answer(s, text, fd);
	if (fd >= 0)
		(void)close(fd);
}

/* --- watching ---------------------------------------------------------------------- */

/* Tell about copies that have more entries than was said. */
static bool
say_grown(struct tf_follower *f, int s, uint64_t **said, size_t *n)
{
	char text[LINE_MAX_];
	uint64_t *p;
	bool ok = true;

	pthread_mutex_lock(&f->mu);
	if ((p = realloc(*said, (f->n + 1) * sizeof(*p))) == NULL)
		ok = false;
	else
		*said = p;
	for (; ok && *n < f->n; (*n)++)
		(*said)[*n] = 0;
	for (size_t i = 0; ok && i < *n; i++) {
		if ((*said)[i] == f->followed[i].entries)
			continue;
		(*said)[i] = f->followed[i].entries;
		(void)snprintf(text, sizeof(text), "grown %s %llu",
		    f->followed[i].origin, (unsigned long long)(*said)[i]);
		/* Who does not read loses the connection, and asks anew. */
		ok = send(s, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) >=
		    0;
	}
	pthread_mutex_unlock(&f->mu);
	return ok;
}

static void
watch(struct tf_follower *f, int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	uint64_t *said = NULL;
	size_t n = 0;

	while (!atomic_load(&f->ends) && say_grown(f, s, &said, &n))
		if (poll(&p, 1, LOOK_MS) > 0)
			break; /* closed, or a second request */
	free(said);
}

/* --- connections ------------------------------------------------------------------- */

static void *
serve_one(void *arg)
{
	struct request r = *(struct request *)arg;
	struct pollfd p = { .fd = r.fd, .events = POLLIN };
	char text[LINE_MAX_];
	ssize_t n = -1;

	free(arg);
	if (poll(&p, 1, REQUEST_MS) > 0)
		n = recv(r.fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n > 0) {
		text[n] = '\0';
		if (strncmp(text, "object ", 7) == 0)
			answer_object(r.f, r.fd, text + 7);
		else if (strcmp(text, "watch") == 0)
			watch(r.f, r.fd);
		else
			answer(r.fd, "failed malformed request", -1);
	}
	(void)close(r.fd);
	pthread_mutex_lock(&r.f->mu);
	r.f->requests--;
	pthread_cond_broadcast(&r.f->changed);
	pthread_mutex_unlock(&r.f->mu);
	return NULL;
}

static void
start_one(struct tf_follower *f, int fd)
{
	struct request *r = malloc(sizeof(*r));
	pthread_t t;
	bool room;

	pthread_mutex_lock(&f->mu);
	room = r != NULL && f->requests < TF_FOLLOW_REQUESTS;
	f->requests += room;
	pthread_mutex_unlock(&f->mu);
	if (room) {
		*r = (struct request){ f, fd };
		if (pthread_create(&t, NULL, serve_one, r) == 0) {
			(void)pthread_detach(t);
			return;
		}
		pthread_mutex_lock(&f->mu);
		f->requests--;
		pthread_mutex_unlock(&f->mu);
	}
	free(r);
	answer(fd, "failed too many requests", -1);
	(void)close(fd);
}

static void *
serve(void *arg)
{
	struct tf_follower *f = arg;
	struct pollfd p = { .fd = f->listenfd, .events = POLLIN };
	int fd;

	while (!atomic_load(&f->ends)) {
		if (poll(&p, 1, LOOK_MS) <= 0)
			continue;
		fd = accept4(f->listenfd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			start_one(f, fd);
	}
	return NULL;
}

enum tf_code
tf_follow_serve(struct tf_follower *f, struct tf_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t mask;
	int bound;

	(void)snprintf(at.sun_path, sizeof(at.sun_path),
	    "/proc/self/fd/%d/" TF_FOLLOW_SOCKET, f->dirfd);
	if (unlinkat(f->dirfd, TF_FOLLOW_SOCKET, 0) < 0 && errno != ENOENT)
		return tf_fail(err, TF_IO, "remove " TF_FOLLOW_SOCKET ": %s",
		    strerror(errno));
	f->listenfd = socket(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->listenfd < 0)
		return tf_fail(err, TF_IO, "make a socket: %s",
		    strerror(errno));
	mask = umask(0177);
	bound = bind(f->listenfd, (const struct sockaddr *)&at, sizeof(at));
	(void)umask(mask);
	if (bound < 0 || listen(f->listenfd, TF_FOLLOW_REQUESTS) < 0)
		return tf_fail(err, TF_IO, "listen at " TF_FOLLOW_SOCKET ": %s",
		    strerror(errno));
	if (pthread_create(&f->server, NULL, serve, f) != 0)
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	f->serves = true;
	return TF_OK;
}

bool
tf_follow_serve_end(struct tf_follower *f)
{
	struct timespec until;
	struct tf_engines *e;
	bool ended;
	int waited = 0;

	atomic_store(&f->ends, true);
	if (f->serves)
		(void)pthread_join(f->server, NULL);
	if (f->listenfd >= 0) {
		(void)unlinkat(f->dirfd, TF_FOLLOW_SOCKET, 0);
		(void)close(f->listenfd);
	}
	tf_clock_after(PATIENCE_S * TF_SECOND, &until);
	pthread_mutex_lock(&f->mu);
	while (f->requests > 0 && waited == 0)
		waited = pthread_cond_timedwait(&f->changed, &f->mu, &until);
	ended = f->requests == 0;
	pthread_mutex_unlock(&f->mu);
	while (ended && (e = f->engines) != NULL) {
		f->engines = e->next;
		close_engines(e);
	}
	return ended;
}
