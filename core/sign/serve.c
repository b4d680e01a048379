/*
 * The other side of the messages: a signer that answers what comes in at a
 * descriptor, until its end.  It answers everything, whatever it is: a request
 * that is not understood, or longer than any, changes nothing.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/token.h"
#include "../ledger/checkpoint.h"
#include "../signer.h"
#include "fence.h"
#include "message.h"
#include "serve.h"

/* Read exactly n bytes.  False: they end before. */
static bool
read_all(int fd, void *p, size_t n)
{
	char *to = p;

	while (n > 0) {
		ssize_t got = read(fd, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

static bool
skip(int fd, size_t n)
{
	char piece[4096];

	for (size_t part; n > 0; n -= part) {
		part = n < sizeof(piece) ? n : sizeof(piece);
		if (!read_all(fd, piece, part))
			return false;
	}
	return true;
}

/* Read the bytes of a request in pieces, so that memory is used only for what
 * has come. */
static bool
read_request(int fd, size_t n, struct tf_buf *out)
{
	char piece[4096];

	out->n = 0;
	for (size_t part; n > 0; n -= part) {
		part = n < sizeof(piece) ? n : sizeof(piece);
		if (!read_all(fd, piece, part))
			return false;
		tf_buf_add(out, piece, part);
	}
	return true;
}

static void
put_base64(struct tf_buf *out, const void *p, size_t n)
{
	tf_base64(out, p, n);
	tf_buf_str(out, "\n");
}

static void
put_new_key(struct tf_buf *out, const struct tf_signer_new_key *k)
{
	tf_sign_put_key(out, &k->pub);
	if (!k->log)
		return;
	put_base64(out, k->old_sig, sizeof(k->old_sig));
	put_base64(out, k->new_sig, sizeof(k->new_sig));
}

static void
put_fence(struct tf_buf *out, unsigned state)
{
	tf_buf_printf(out, "%u\n%d\n%d\n", state & TF_FENCE_LANDLOCK,
	    (state & TF_FENCE_SECCOMP) != 0, (state & TF_FENCE_MEMORY) != 0);
}

/* Do what m asks, and append the fields of the answer. */
static enum tf_code
answer(struct tf_signer *s, const struct tf_sign_message *m,
    struct tf_buf *fields, struct tf_error *err)
{
	const struct tf_sign_request *r = &m->request;
	uint8_t sig[TF_SIG_LEN];
	struct tf_signer_new_key new_key;
	struct tf_ticket ticket;
	struct tf_signed last;
	enum tf_code rc = TF_OK;

	switch (m->verb) {
	case TF_SIGN_KEYS:
		tf_sign_put_key(fields, &s->keys.log);
		tf_sign_put_key(fields, &s->keys.attester);
		break;
	case TF_SIGN_LAST:
		rc = s->ops->last(s, r->c->origin, &last, err);
		if (rc == TF_OK)
			tf_buf_printf(fields, "%llu\n",
			    (unsigned long long)last.size);
		break;
	case TF_SIGN_NEWEST:
		rc = s->ops->newest(s, r->c->origin, fields, err);
		break;
	case TF_SIGN_PREPARE:
		rc = s->ops->prepare(s, r->c, &ticket, err);
		if (rc == TF_OK)
			put_base64(fields, ticket.b, sizeof(ticket.b));
		break;
	case TF_SIGN_CHECKPOINT:
		rc = s->ops->checkpoint(s, r, fields, err);
		break;
	case TF_SIGN_STATEMENT:
		rc = s->ops->statement(s, m->bytes.p, m->bytes.n, sig, err);
		if (rc == TF_OK)
			put_base64(fields, sig, sizeof(sig));
		break;
	case TF_SIGN_ROTATE:
		new_key = (struct tf_signer_new_key){ .log = m->log,
			.origin = r->c->origin,
			.seq = m->seq };
		rc = s->ops->rotate(s, &new_key, err);
		if (rc == TF_OK)
			put_new_key(fields, &new_key);
		break;
	case TF_SIGN_ADOPT:
		rc = s->ops->adopt(s, &m->keys, m->retire, err);
		break;
	case TF_SIGN_FENCE:
		put_fence(fields, s->fence);
		break;
	case TF_SIGN_VERBS:
		rc = tf_fail(err, TF_INVALID, "no such verb");
		break;
	}
	return rc == TF_OK ? tf_buf_end(fields, err) : rc;
}

/* Answer the request in b, or with rc if that is a failure. */
static bool
serve_one(struct tf_signer *s, const struct tf_buf *b, enum tf_code rc,
    struct tf_error *err, int out)
{
	struct tf_buf fields = { 0 }, frame = { 0 };
	struct tf_checkpoint c;
	struct tf_sign_message m = { .c = &c };
	bool sent;

	if (rc == TF_OK)
		rc = tf_sign_take_request(&m, b->n == 0 ? "" : b->p, b->n, err);
	if (rc == TF_OK)
		rc = answer(s, &m, &fields, err);
	if (rc != TF_OK)
		fields.n = 0;
	tf_sign_put_answer(&frame, rc, err,
	    (struct tf_str){ fields.n == 0 ? "" : fields.p, fields.n });
	sent = !frame.failed && write_all(out, frame.p, frame.n);
	tf_buf_free(&fields);
	tf_buf_free(&frame);
	return sent;
}

void
tf_signer_serve(struct tf_signer *s, const struct tf_error *unable, int in,
    int out)
{
	uint8_t length[TF_SIGN_LENGTH];
	struct tf_buf b = { 0 };
	struct tf_error err;
	enum tf_code rc;
	bool more = true;
	size_t n;

	while (more && read_all(in, length, sizeof(length))) {
		err = (struct tf_error){ .code = TF_OK };
		n = tf_get_be32(length);
		rc = s == NULL ? tf_fail_as(&err, unable) : TF_OK;
		if (n > TF_SIGN_MESSAGE_MAX) {
			rc = tf_fail(&err, TF_INVALID, "a request too long");
			more = skip(in, n);
		} else {
			more = read_request(in, n, &b);
			if (b.failed) {
				tf_buf_free(&b);
				rc = tf_nomem(&err);
			}
		}
		more = more && serve_one(s, &b, rc, &err, out);
	}
	tf_buf_free(&b);
}

enum tf_code
tf_signer_serve_keys(int keysfd, const char *tokens, int in, int out,
    void (*fenced)(unsigned state), struct tf_error *err)
{
	struct tf_signer *s = NULL;
	unsigned state;
	enum tf_code rc = tokens == NULL ?
	    tf_signer_fence(keysfd, &state, err) :
	    tf_signer_fence_of_tokens(&state, err);

	if (rc == TF_OK && fenced != NULL)
		fenced(state);
	if (rc == TF_OK && tokens != NULL)
		rc = tf_token_open(tokens, err);
	if (rc == TF_OK)
		rc = tf_signer_local(keysfd, &s, err);
	if (s != NULL)
		s->fence = state;
	tf_signer_serve(s, err, in, out);
	tf_signer_close(s);
	tf_token_close();
	return rc;
}
