/*
 * Messages of a mirror over two descriptors: see mirror_link.h.
 */
#include "mirror_link.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/show.h"

#define LAST_WORD_MS 3000 /* for a REFUSED that is still on its way */

void
tf_mirror_link_free(struct tf_mirror_link *l)
{
	tf_buf_free(&l->received);
	tf_buf_free(&l->sent);
}

/* No system call failed, so errno says nothing. */
enum tf_code
tf_mirror_broken(struct tf_error *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errno = 0;
	return tf_fail(err, TF_IO, "%s", text);
}

static enum tf_code
ended(const struct tf_mirror_link *l, struct tf_error *err)
{
	return tf_mirror_broken(err, "%s ended in the middle of the mirroring",
	    l->peer);
}

/* --- receiving ------------------------------------------------------------ */

/*
 * Wait until there is something to read, or the end.  The other side may have
 * ended while a program between the two keeps the pipe from it open: then only
 * the pipe to it shows that nobody listens any more.
 */
static enum tf_code
await(const struct tf_mirror_link *l, struct tf_error *err)
{
	struct pollfd p[2] = { { .fd = l->in, .events = POLLIN },
		{ .fd = l->out } };
	nfds_t n = 2;
	int got;

	do {
		got = poll(p, n, n == 2 ? -1 : LAST_WORD_MS);
		if (got < 0 && errno != EINTR)
			return tf_fail(err, TF_IO, "wait for %s: %s", l->peer,
			    strerror(errno));
		if (got == 0)
			return ended(l, err);
		if (got > 0 && p[0].revents == 0)
			n = 1;
	} while (got < 0 || p[0].revents == 0);
	return TF_OK;
}

/* Append exactly n bytes to the message. */
static enum tf_code
read_bytes(struct tf_mirror_link *l, size_t n, struct tf_error *err)
{
	struct tf_buf *b = &l->received;
	enum tf_code rc;
	ssize_t got;

	if (!tf_buf_room(b, n))
		return tf_nomem(err);
	while (n > 0) {
		if ((rc = await(l, err)) != TF_OK)
			return rc;
		got = read(l->in, b->p + b->n, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return tf_fail(err, TF_IO, "read from %s: %s", l->peer,
			    strerror(errno));
		if (got == 0)
			return ended(l, err);
		b->n += (size_t)got;
		n -= (size_t)got;
	}
	return TF_OK;
}

static enum tf_code
read_message(struct tf_mirror_link *l, struct tf_mirror_msg *m,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	size_t length;
	enum tf_code rc;

	l->received.n = 0;
	if ((rc = read_bytes(l, TF_MIRROR_HEADER, err)) != TF_OK)
		return rc;
	rc = tf_mirror_length((const uint8_t *)l->received.p, &length, &why);
	if (rc != TF_OK)
		return tf_mirror_broken(err, "%s", why.text);
	if ((rc = read_bytes(l, length + TF_MIRROR_SUM, err)) != TF_OK)
		return rc;
	rc = tf_mirror_parse(l->received.p, l->received.n, m, &why);
	return rc == TF_OK ? TF_OK : tf_mirror_broken(err, "%s", why.text);
}

/* The text comes from another machine: make it safe to print. */
static enum tf_code
refused(const struct tf_mirror_msg *m, struct tf_error *err)
{
	struct tf_buf text = { 0 };

	tf_name_show(&text, m->text.p, m->text.n);
	errno = 0;
	(void)tf_fail(err, m->code, "%s", tf_buf_bytes(&text).p);
	tf_buf_free(&text);
	return m->code;
}

enum tf_code
tf_mirror_hear_any(struct tf_mirror_link *l, struct tf_mirror_msg *m,
    struct tf_error *err)
{
	enum tf_code rc = read_message(l, m, err);

	if (rc == TF_OK && m->type == TF_MIRROR_REFUSED)
		return refused(m, err);
	return rc;
}

enum tf_code
tf_mirror_hear(struct tf_mirror_link *l, enum tf_mirror_type type,
    struct tf_mirror_msg *m, struct tf_error *err)
{
	enum tf_code rc = tf_mirror_hear_any(l, m, err);

	if (rc == TF_OK && m->type != type)
		rc = tf_mirror_broken(err, "%s sent %s instead of %s", l->peer,
		    tf_mirror_name(m->type), tf_mirror_name(type));
	return rc;
}

enum tf_code
tf_mirror_check_version(const struct tf_mirror_link *l,
    const struct tf_mirror_msg *m, struct tf_error *err)
{
	if (m->version == TF_MIRROR_VERSION)
		return TF_OK;
	return tf_fail(err, TF_NEWER,
	    "%s speaks version %llu of the protocol, this side version %d: "
	    "use the same trailfs on both",
	    l->peer, (unsigned long long)m->version, TF_MIRROR_VERSION);
}

/* --- sending --------------------------------------------------------------- */

static enum tf_code
write_bytes(struct tf_mirror_link *l, const char *p, size_t n,
    struct tf_error *err)
{
	ssize_t did;

	while (n > 0) {
		did = write(l->out, p, n);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0 && errno == EPIPE)
			return ended(l, err);
		if (did < 0)
			return tf_fail(err, TF_IO, "write to %s: %s", l->peer,
			    strerror(errno));
		p += did;
		n -= (size_t)did;
	}
	return TF_OK;
}

/* Why the other side went away: it says so before it ends.  What it says may also
 * show that it is no mirror. */
static enum tf_code
last_word(struct tf_mirror_link *l, const struct tf_error *why,
    struct tf_error *err)
{
	struct tf_error other = { 0 };
	struct tf_mirror_msg m;
	enum tf_code rc = read_message(l, &m, &other);

	if (rc == TF_OK && m.type == TF_MIRROR_REFUSED)
		return refused(&m, err);
	return tf_fail_as(err, rc != TF_OK && l->received.n > 0 ? &other : why);
}

enum tf_code
tf_mirror_tell(struct tf_mirror_link *l, const struct tf_mirror_msg *m,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	l->sent.n = 0;
	tf_mirror_put(&l->sent, m);
	if ((rc = tf_buf_end(&l->sent, err)) != TF_OK)
		return rc;
	rc = write_bytes(l, l->sent.p, l->sent.n, &why);
	return rc == TF_OK ? TF_OK : last_word(l, &why, err);
}
