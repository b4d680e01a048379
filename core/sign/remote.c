/*
 * A signer that is another process, reached over a descriptor.
 *
 * One request is on its way at a time.  A signer that ends in the middle of one
 * costs nothing: each request may be made twice, since the same question gets the
 * same answer, so it is sent again to the next signer.  One that does not answer
 * is waited for.  All keys that come later must be those that came first.
 */
#include "remote.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../ledger/checkpoint.h"
#include "../ledger/note.h"
#include "../signer.h"
#include "message.h"

#define SLICE_MS 100	       /* between questions whether to give up */
#define AWAY_NS TF_SECOND      /* without an answer, then it is away */
#define RECONNECT_MS_MAX 2000u /* between signers that end at once */

struct remote {
	struct tf_signer s;
	struct tf_signer_link link;
	pthread_mutex_t mu; /* one request at a time */
	int fd;		    /* or -1; guarded by mu */
	bool has_keys;	    /* of an earlier connection; likewise */
	bool is_away;	    /* reported; likewise */
	/* What a signer may have done before it ended; likewise. */
	const struct tf_signer_keys *adopting;
	struct tf_buf in; /* bytes of an answer; likewise */
	/* The request that is on its way; likewise. */
	uint64_t begun_ns;
	unsigned pause_ms;
};

/* --- one connection --------------------------------------------------------- */

static void
drop(struct remote *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

static void
note_wait(struct remote *r, const char *why)
{
	if (r->is_away || tf_clock_boot_ns() - r->begun_ns < AWAY_NS)
		return;
	r->is_away = true;
	r->link.away(r->link.arg, why);
}

static void
note_answer(struct remote *r)
{
	if (r->is_away)
		r->link.away(r->link.arg, NULL);
	r->is_away = false;
	r->pause_ms = 0;
}

/* Wait until the connection can be read or written.  TF_BUSY: it cannot yet. */
static enum tf_code
wait_for(struct remote *r, short events, struct tf_error *err)
{
	struct pollfd p = { .fd = r->fd, .events = events };
	int n = poll(&p, 1, SLICE_MS);

	if (n > 0)
		return TF_OK;
	note_wait(r, "it does not answer");
	return r->link.gives_up(r->link.arg) ?
	    tf_fail(err, TF_INTERRUPTED,
		"the signer is away: what is not signed is signed at the next "
		"start") :
	    TF_BUSY;
}

/* Send and receive all n bytes, or return TF_NODATA if the connection ends. */
static enum tf_code
move_all(struct remote *r, bool sends, void *bytes, size_t n,
    struct tf_error *err)
{
	char *p = bytes;
	enum tf_code rc;
	ssize_t moved;

	while (n > 0) {
		moved = sends ? send(r->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) :
				recv(r->fd, p, n, MSG_DONTWAIT);
		if (moved > 0) {
			p += moved;
			n -= (size_t)moved;
			continue;
		}
		if (moved < 0 && errno == EINTR)
			continue;
		if (moved == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			return TF_NODATA;
		rc = wait_for(r, sends ? POLLOUT : POLLIN, err);
		if (rc != TF_OK && rc != TF_BUSY)
			return rc;
	}
	return TF_OK;
}

/* Send frame and receive the bytes of its answer. */
static enum tf_code
exchange(struct remote *r, struct tf_buf *frame, struct tf_error *err)
{
	uint8_t length[TF_SIGN_LENGTH];
	char piece[4096];
	enum tf_code rc;
	size_t n, part;

	r->in.n = 0;
	if ((rc = move_all(r, true, frame->p, frame->n, err)) != TF_OK ||
	    (rc = move_all(r, false, length, sizeof(length), err)) != TF_OK)
		return rc;
	n = tf_get_be32(length);
	if (n > TF_SIGN_MESSAGE_MAX)
		return tf_fail(err, TF_INVALID, "the signer answers nonsense");
	for (; n > 0; n -= part) {
		part = n < sizeof(piece) ? n : sizeof(piece);
		if ((rc = move_all(r, false, piece, part, err)) != TF_OK)
			return rc;
		tf_buf_add(&r->in, piece, part);
	}
	if (!r->in.failed)
		return TF_OK;
	tf_buf_free(&r->in);
	return tf_nomem(err);
}

/* --- connecting ------------------------------------------------------------- */

/* Send a request that is only a verb, and receive its answer. */
static enum tf_code
exchange_verb(struct remote *r, enum tf_sign_verb verb, struct tf_error *err)
{
	const struct tf_sign_message m = { .verb = verb };
	struct tf_buf frame = { 0 };
	enum tf_code rc;

	tf_sign_put_request(&frame, &m);
	rc = frame.failed ? tf_nomem(err) : exchange(r, &frame, err);
	tf_buf_free(&frame);
	return rc;
}

/* The first request on a connection. */
static enum tf_code
ask_keys(struct remote *r, struct tf_error *err)
{
	struct tf_signer_keys keys;
	struct tf_str rest;
	enum tf_code rc;

	if ((rc = exchange_verb(r, TF_SIGN_KEYS, err)) != TF_OK)
		return rc;
	rc = tf_sign_take_answer(r->in.p, r->in.n, &rest, err);
	if (rc != TF_OK)
		return rc;
	if (!tf_sign_take_key(&rest, &keys.log) ||
	    !tf_sign_take_key(&rest, &keys.attester))
		return tf_fail(err, TF_INVALID, "the signer answers nonsense");
	if (r->has_keys && memcmp(&keys, &r->s.keys, sizeof(keys)) != 0 &&
	    (r->adopting == NULL ||
		memcmp(&keys, r->adopting, sizeof(keys)) != 0))
		return tf_fail(err, TF_TAMPER,
		    "the signer has other keys than at the start");
	/* Keys that are being adopted are set with the answer to that. */
	if (!r->has_keys)
		r->s.keys = keys;
	r->has_keys = true;
	return TF_OK;
}

/* Take a number up to max of rest. */
static bool
take_small(struct tf_str *rest, uint64_t max, unsigned *out)
{
	struct tf_str line;
	uint64_t n;

	if (!tf_sign_take_line(rest, &line) ||
	    !tf_decimal(line.p, line.n, max, &n))
		return false;
	*out = (unsigned)n;
	return true;
}

/* The second request on a connection.  A signer that does not know it has given up
 * what nobody knows. */
static enum tf_code
ask_fence(struct remote *r, struct tf_error *err)
{
	unsigned landlock, seccomp, memory, state = 0;
	struct tf_str rest;
	enum tf_code rc;

	if ((rc = exchange_verb(r, TF_SIGN_FENCE, err)) != TF_OK)
		return rc;
	if (tf_sign_take_answer(r->in.p, r->in.n, &rest, NULL) == TF_OK &&
	    take_small(&rest, TF_FENCE_LANDLOCK, &landlock) &&
	    take_small(&rest, 1, &seccomp) && take_small(&rest, 1, &memory))
		state = TF_FENCE_KNOWN | landlock |
		    (seccomp != 0 ? TF_FENCE_SECCOMP : 0) |
		    (memory != 0 ? TF_FENCE_MEMORY : 0);
	r->link.fenced(r->link.arg, state);
	return TF_OK;
}

static void
pause_a_little(struct remote *r)
{
	const struct timespec t = { .tv_sec = r->pause_ms / 1000,
		.tv_nsec = (long)(r->pause_ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
	r->pause_ms = r->pause_ms == 0	       ? 10 :
	    r->pause_ms < RECONNECT_MS_MAX / 2 ? r->pause_ms * 2 :
						 RECONNECT_MS_MAX;
}

static enum tf_code
connect_signer(struct remote *r, struct tf_error *err)
{
	enum tf_code rc;

	while (r->fd < 0) {
		if (r->pause_ms > 0)
			pause_a_little(r);
		r->fd = r->link.connect(r->link.arg, SLICE_MS);
		if (r->fd >= 0)
			break;
		note_wait(r, "no signer can be started");
		if (r->link.gives_up(r->link.arg))
			return tf_fail(err, TF_INTERRUPTED,
			    "there is no signer: what is not signed is signed "
			    "at the next start");
	}
	rc = ask_keys(r, err);
	return rc == TF_OK ? ask_fence(r, err) : rc;
}

/* Before the next try: is there going to be one?  why is for the operator. */
static enum tf_code
try_again(struct remote *r, const char *why, struct tf_error *err)
{
	drop(r);
	if (r->pause_ms == 0)
		r->pause_ms = 1;
	note_wait(r, why);
	return r->link.gives_up(r->link.arg) ?
	    tf_fail(err, TF_INTERRUPTED, "the signer is away: %.100s", why) :
	    TF_OK;
}

/* Connect, send frame if it is any, and receive its answer. */
static enum tf_code
try_once(struct remote *r, struct tf_buf *frame, bool *unable,
    struct tf_error *err)
{
	enum tf_code rc = r->fd < 0 ? connect_signer(r, err) : TF_OK;

	/* The signers of a vault that is open may be without their keys for a
	 * while, which its start must report. */
	*unable = rc != TF_OK && r->has_keys && rc != TF_TAMPER &&
	    rc != TF_INTERRUPTED && rc != TF_NODATA;
	return rc == TF_OK && frame != NULL ? exchange(r, frame, err) : rc;
}

/* Send frame until it is answered, and set *fields.  mu is held. */
static enum tf_code
ask_held(struct remote *r, struct tf_buf *frame, struct tf_str *fields,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc;
	bool unable;

	r->begun_ns = tf_clock_boot_ns();
	for (;;) {
		rc = try_once(r, frame, &unable, &e);
		if (rc != TF_NODATA && !unable)
			break;
		rc = try_again(r, unable ? e.text : "it ends at once", &e);
		if (rc != TF_OK)
			break;
	}
	if (rc != TF_OK) {
		/* The rest of an answer must not be taken for the next one. */
		drop(r);
		return tf_fail_as(err, &e);
	}
	note_answer(r);
	return frame == NULL ?
	    TF_OK :
	    tf_sign_take_answer(r->in.p, r->in.n, fields, err);
}

/* A signer that ended may have the keys of an ADOPT already. */
static enum tf_code
ask_adopting(struct remote *r, const struct tf_sign_message *m,
    struct tf_buf *frame, struct tf_str *fields, struct tf_error *err)
{
	enum tf_code rc;

	r->adopting = m->verb == TF_SIGN_ADOPT ? &m->keys : NULL;
	rc = ask_held(r, frame, fields, err);
	if (rc == TF_OK && r->adopting != NULL)
		r->s.keys = m->keys;
	r->adopting = NULL;
	return rc;
}

/* Ask m, and append the fields of the answer to out. */
static enum tf_code
ask(struct tf_signer *s, const struct tf_sign_message *m, struct tf_buf *out,
    struct tf_error *err)
{
	struct remote *r = (struct remote *)s;
	struct tf_buf frame = { 0 };
	struct tf_str fields = { "", 0 };
	enum tf_code rc = TF_OK;

	tf_sign_put_request(&frame, m);
	if (frame.failed || frame.n > TF_SIGN_LENGTH + TF_SIGN_MESSAGE_MAX)
		rc = frame.failed ?
		    tf_nomem(err) :
		    tf_fail(err, TF_TOOBIG, "too much for a signer");
	if (rc == TF_OK) {
		pthread_mutex_lock(&r->mu);
		rc = ask_adopting(r, m, &frame, &fields, err);
		if (rc == TF_OK)
			tf_buf_add(out, fields.p, fields.n);
		pthread_mutex_unlock(&r->mu);
	}
	tf_buf_free(&frame);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* --- the calls -------------------------------------------------------------- */

/* Ask m for n bytes. */
static enum tf_code
ask_bytes(struct tf_signer *s, const struct tf_sign_message *m, void *p,
    size_t n, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_str rest, line;
	enum tf_code rc = ask(s, m, &b, err);

	rest = tf_buf_bytes(&b);
	if (rc == TF_OK &&
	    (!tf_sign_take_line(&rest, &line) ||
		!tf_unbase64_exact(line.p, line.n, p, n)))
		rc = tf_fail(err, TF_INVALID, "the signer answers nonsense");
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
ask_last(struct tf_signer *s, const char *origin, struct tf_signed *out,
    struct tf_error *err)
{
	struct tf_checkpoint c = { .size = 0 };
	const struct tf_sign_message m = { .verb = TF_SIGN_LAST,
		.request.c = &c };
	struct tf_buf b = { 0 };
	struct tf_str rest, line;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	(void)strncpy(c.origin, origin, sizeof(c.origin) - 1);
	rc = ask(s, &m, &b, err);
	rest = tf_buf_bytes(&b);
	if (rc == TF_OK &&
	    (!tf_sign_take_line(&rest, &line) ||
		!tf_decimal(line.p, line.n, INT64_MAX, &out->size)))
		rc = tf_fail(err, TF_INVALID, "the signer answers nonsense");
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
ask_newest(struct tf_signer *s, const char *origin, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_checkpoint c = { .size = 0 };
	const struct tf_sign_message m = { .verb = TF_SIGN_NEWEST,
		.request.c = &c };

	(void)strncpy(c.origin, origin, sizeof(c.origin) - 1);
	return ask(s, &m, note, err);
}

static enum tf_code
ask_ticket(struct tf_signer *s, const struct tf_checkpoint *c,
    struct tf_ticket *ticket, struct tf_error *err)
{
	const struct tf_sign_message m = { .verb = TF_SIGN_PREPARE,
		.request.c = c };

	return ask_bytes(s, &m, ticket->b, sizeof(ticket->b), err);
}

/* A note that does not hold what was asked would be shown to everybody.  The
 * signature of a program that is ours is taken for right. */
static enum tf_code
ask_note(struct tf_signer *s, const struct tf_sign_request *r,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_sign_message m = { .verb = TF_SIGN_CHECKPOINT,
		.request = *r };
	const size_t start = note->n;
	struct tf_checkpoint c;
	struct tf_note parts;
	struct tf_vkey k;
	enum tf_code rc = ask(s, &m, note, err);

	if (rc != TF_OK)
		return rc;
	tf_vkey_make(&k, r->c->origin, &s->keys.log);
	rc = ((struct remote *)s)->link.is_foreign ?
	    tf_checkpoint_check(note->p + start, note->n - start, &k, &c, err) :
	    tf_checkpoint_parse(note->p + start, note->n - start, &parts, &c,
		err);
	if (rc == TF_OK &&
	    (c.size != r->c->size ||
		memcmp(&c.root, &r->c->root, sizeof(c.root)) != 0))
		rc = tf_fail(err, TF_TAMPER,
		    "the signer signed another tree than was asked");
	return rc;
}

static enum tf_code
ask_signature(struct tf_signer *s, const void *pae, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	const struct tf_sign_message m = { .verb = TF_SIGN_STATEMENT,
		.bytes = { pae, n } };

	return ask_bytes(s, &m, sig, TF_SIG_LEN, err);
}

static bool
take_signature(struct tf_str *rest, uint8_t sig[TF_SIG_LEN])
{
	struct tf_str line;

	return tf_sign_take_line(rest, &line) &&
	    tf_unbase64_exact(line.p, line.n, sig, TF_SIG_LEN);
}

static enum tf_code
ask_rotation(struct tf_signer *s, struct tf_signer_new_key *k,
    struct tf_error *err)
{
	struct tf_checkpoint c = { .size = 0 };
	const struct tf_sign_message m = { .verb = TF_SIGN_ROTATE,
		.request.c = &c,
		.log = k->log,
		.seq = k->seq };
	struct tf_buf b = { 0 };
	struct tf_str rest;
	enum tf_code rc;

	(void)strncpy(c.origin, k->origin, sizeof(c.origin) - 1);
	rc = ask(s, &m, &b, err);
	rest = tf_buf_bytes(&b);
	if (rc == TF_OK &&
	    (!tf_sign_take_key(&rest, &k->pub) ||
		(k->log &&
		    (!take_signature(&rest, k->old_sig) ||
			!take_signature(&rest, k->new_sig)))))
		rc = tf_fail(err, TF_INVALID, "the signer answers nonsense");
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
ask_adoption(struct tf_signer *s, const struct tf_signer_keys *keys,
    bool retire, struct tf_error *err)
{
	const struct tf_sign_message m = { .verb = TF_SIGN_ADOPT,
		.keys = *keys,
		.retire = retire };
	struct tf_buf none = { 0 };
	enum tf_code rc = ask(s, &m, &none, err);

	tf_buf_free(&none);
	return rc;
}

static void
close_remote(struct tf_signer *s)
{
	struct remote *r = (struct remote *)s;

	drop(r);
	r->link.close(r->link.arg);
	tf_buf_free(&r->in);
	(void)pthread_mutex_destroy(&r->mu);
	free(r);
}

static const struct tf_signer_ops remote_ops = {
	.close = close_remote,
	.last = ask_last,
	.newest = ask_newest,
	.prepare = ask_ticket,
	.checkpoint = ask_note,
	.statement = ask_signature,
	.rotate = ask_rotation,
	.adopt = ask_adoption,
};

enum tf_code
tf_signer_remote(const struct tf_signer_link *link, struct tf_signer **out,
    struct tf_error *err)
{
	struct remote *r = calloc(1, sizeof(*r));
	struct tf_str none;
	enum tf_code rc;

	if (r == NULL) {
		link->close(link->arg);
		return tf_nomem(err);
	}
	r->s.ops = &remote_ops;
	r->link = *link;
	r->fd = -1;
	(void)pthread_mutex_init(&r->mu, NULL);
	rc = ask_held(r, NULL, &none, err);
	if (rc != TF_OK)
		close_remote(&r->s);
	else
		*out = &r->s;
	return rc;
}
