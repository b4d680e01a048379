/* The messages between a vault and its signer: see message.h. */
#include "message.h"

#include <string.h>

#include "../base/bytes.h"
#include "../ledger/checkpoint.h"
#include "../ledger/name.h"

static const char *const verbs[TF_SIGN_VERBS] = {
	[TF_SIGN_KEYS] = "keys",
	[TF_SIGN_LAST] = "last",
	[TF_SIGN_NEWEST] = "newest",
	[TF_SIGN_PREPARE] = "prepare",
	[TF_SIGN_CHECKPOINT] = "checkpoint",
	[TF_SIGN_STATEMENT] = "statement",
	[TF_SIGN_ROTATE] = "rotate",
	[TF_SIGN_ADOPT] = "adopt",
	[TF_SIGN_FENCE] = "fence",
};

/* The first word for a code is what an answer says; a code without one is
 * "failed". */
static const struct {
	const char *word;
	enum tf_code code;
} words[] = {
	{ "refused", TF_TAMPER },
	{ "stale", TF_BUSY },
	{ "none", TF_NOTFOUND },
	{ "invalid", TF_INVALID },
	{ "denied", TF_ACCESS },
	{ "foreign", TF_FOREIGN },
	{ "usage", TF_USAGE },
	{ "memory", TF_NOMEM },
	{ "full", TF_NOSPACE },
	{ "read-only", TF_READONLY },
	{ "failed", TF_IO },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

/* --- lines ------------------------------------------------------------------ */

bool
tf_sign_take_line(struct tf_str *rest, struct tf_str *line)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	line->p = rest->p;
	line->n = (size_t)(end - rest->p);
	rest->p += line->n + 1;
	rest->n -= line->n + 1;
	return true;
}

static void
put_base64(struct tf_buf *out, const void *p, size_t n)
{
	tf_base64(out, p, n);
	tf_buf_str(out, "\n");
}

void
tf_sign_put_key(struct tf_buf *out, const struct tf_pubkey *k)
{
	uint8_t der[TF_SPKI_LEN];

	tf_pubkey_spki(k, der);
	put_base64(out, der, sizeof(der));
}

bool
tf_sign_take_key(struct tf_str *rest, struct tf_pubkey *out)
{
	uint8_t der[TF_SPKI_LEN], want[TF_SPKI_LEN];
	struct tf_str line;

	if (!tf_sign_take_line(rest, &line) ||
	    !tf_unbase64_exact(line.p, line.n, der, sizeof(der)))
		return false;
	memcpy(out->b, der + TF_SPKI_LEN - TF_PUBKEY_LEN, TF_PUBKEY_LEN);
	tf_pubkey_spki(out, want);
	return memcmp(der, want, sizeof(der)) == 0;
}

/* Take one of two words; *first: it is the first. */
static bool
take_word(struct tf_str *rest, const char *yes, const char *no, bool *first)
{
	struct tf_str line;

	if (!tf_sign_take_line(rest, &line))
		return false;
	*first = tf_str_same(line, tf_str_of(yes));
	return *first || tf_str_same(line, tf_str_of(no));
}

static bool
take_base64(struct tf_str *rest, void *p, size_t n)
{
	struct tf_str line;

	return tf_sign_take_line(rest, &line) &&
	    tf_unbase64_exact(line.p, line.n, p, n);
}

static bool
take_number(struct tf_str *rest, uint64_t *out)
{
	struct tf_str line;

	return tf_sign_take_line(rest, &line) &&
	    tf_decimal(line.p, line.n, INT64_MAX, out);
}

/* Write the length of what follows start, which the frame began with. */
static void
end_frame(struct tf_buf *out, size_t start)
{
	if (!out->failed)
		tf_put_be32((uint8_t *)out->p + start,
		    (uint32_t)(out->n - start - TF_SIGN_LENGTH));
}

/* --- requests --------------------------------------------------------------- */

static void
put_tree(struct tf_buf *out, const struct tf_checkpoint *c)
{
	tf_buf_printf(out, "%s\n%llu\n", c->origin,
	    (unsigned long long)c->size);
	put_base64(out, c->root.b, sizeof(c->root.b));
}

void
tf_sign_put_request(struct tf_buf *out, const struct tf_sign_message *m)
{
	const struct tf_sign_request *r = &m->request;
	const size_t start = out->n;

	tf_buf_add(out, "\0\0\0", TF_SIGN_LENGTH);
	tf_buf_printf(out, "%s\n", verbs[m->verb]);
	switch (m->verb) {
	case TF_SIGN_KEYS:
		tf_buf_printf(out, "%d\n", TF_SIGN_VERSION);
		break;
	case TF_SIGN_FENCE:
		break;
	case TF_SIGN_LAST:
	case TF_SIGN_NEWEST:
		tf_buf_printf(out, "%s\n", r->c->origin);
		break;
	case TF_SIGN_PREPARE:
		put_tree(out, r->c);
		break;
	case TF_SIGN_CHECKPOINT:
		put_tree(out, r->c);
		put_base64(out, r->ticket.b, sizeof(r->ticket.b));
		tf_buf_printf(out, "%llu\n", (unsigned long long)r->from);
		for (unsigned i = 0; i < r->proof.n; i++)
			put_base64(out, r->proof.h[i].b,
			    sizeof(r->proof.h[i].b));
		break;
	case TF_SIGN_ROTATE:
		tf_buf_printf(out, "%s\n%s\n%llu\n",
		    m->log ? "log" : "attester", r->c->origin,
		    (unsigned long long)m->seq);
		break;
	case TF_SIGN_ADOPT:
		tf_sign_put_key(out, &m->keys.log);
		tf_sign_put_key(out, &m->keys.attester);
		tf_buf_str(out, m->retire ? "retire\n" : "keep\n");
		break;
	case TF_SIGN_STATEMENT:
	case TF_SIGN_VERBS:
		tf_buf_add(out, m->bytes.p, m->bytes.n);
		break;
	}
	end_frame(out, start);
}

static bool
take_origin(struct tf_str *rest, struct tf_checkpoint *c)
{
	struct tf_str line;

	if (!tf_sign_take_line(rest, &line) || line.n > TF_ORIGIN_MAX ||
	    !tf_origin_ok(line.p, line.n))
		return false;
	memcpy(c->origin, line.p, line.n);
	return true;
}

static bool
take_tree(struct tf_str *rest, struct tf_checkpoint *c)
{
	return take_origin(rest, c) && take_number(rest, &c->size) &&
	    take_base64(rest, c->root.b, sizeof(c->root.b));
}

static bool
take_proof(struct tf_str *rest, struct tf_proof *p)
{
	for (p->n = 0; rest->n > 0; p->n++)
		if (p->n == TF_PROOF_MAX ||
		    !take_base64(rest, p->h[p->n].b, sizeof(p->h[p->n].b)))
			return false;
	return true;
}

/* Take the fields of m's verb, to the end. */
static bool
take_fields(struct tf_sign_message *m, struct tf_str rest)
{
	struct tf_sign_request *r = &m->request;
	uint64_t version;

	switch (m->verb) {
	case TF_SIGN_KEYS:
		return take_number(&rest, &version) && rest.n == 0 &&
		    version == TF_SIGN_VERSION;
	case TF_SIGN_LAST:
	case TF_SIGN_NEWEST:
		return take_origin(&rest, m->c) && rest.n == 0;
	case TF_SIGN_PREPARE:
		return take_tree(&rest, m->c) && rest.n == 0;
	case TF_SIGN_CHECKPOINT:
		return take_tree(&rest, m->c) &&
		    take_base64(&rest, r->ticket.b, sizeof(r->ticket.b)) &&
		    take_number(&rest, &r->from) &&
		    take_proof(&rest, &r->proof);
	case TF_SIGN_ROTATE:
		return take_word(&rest, "log", "attester", &m->log) &&
		    take_origin(&rest, m->c) && take_number(&rest, &m->seq) &&
		    rest.n == 0;
	case TF_SIGN_ADOPT:
		return tf_sign_take_key(&rest, &m->keys.log) &&
		    tf_sign_take_key(&rest, &m->keys.attester) &&
		    take_word(&rest, "retire", "keep", &m->retire) &&
		    rest.n == 0;
	case TF_SIGN_STATEMENT:
		m->bytes = rest;
		return true;
	case TF_SIGN_FENCE:
		return rest.n == 0;
	case TF_SIGN_VERBS:
		break;
	}
	return false;
}

enum tf_code
tf_sign_take_request(struct tf_sign_message *m, const void *p, size_t n,
    struct tf_error *err)
{
	struct tf_str rest = { p, n }, verb;

	memset(m->c, 0, sizeof(*m->c));
	memset(&m->request, 0, sizeof(m->request));
	m->request.c = m->c;
	if (!tf_sign_take_line(&rest, &verb))
		return tf_fail(err, TF_INVALID, "no line of a verb");
	for (int i = 0; i < TF_SIGN_VERBS; i++) {
		if (strlen(verbs[i]) != verb.n ||
		    memcmp(verbs[i], verb.p, verb.n) != 0)
			continue;
		m->verb = (enum tf_sign_verb)i;
		return take_fields(m, rest) ?
		    TF_OK :
		    tf_fail(err, TF_INVALID, "%s: malformed", verbs[i]);
	}
	return tf_fail(err, TF_INVALID, "no such verb");
}

/* --- answers ---------------------------------------------------------------- */

static const char *
word_of(enum tf_code code)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].code == code)
			return words[i].word;
	return words[WORDS - 1].word;
}

void
tf_sign_put_answer(struct tf_buf *out, enum tf_code code,
    const struct tf_error *err, struct tf_str fields)
{
	const size_t start = out->n;

	tf_buf_add(out, "\0\0\0", TF_SIGN_LENGTH);
	if (code == TF_OK) {
		tf_buf_str(out, "ok\n");
		tf_buf_add(out, fields.p, fields.n);
	} else {
		tf_buf_printf(out, "%s\n%s\n", word_of(code), err->text);
	}
	end_frame(out, start);
}

enum tf_code
tf_sign_take_answer(const void *p, size_t n, struct tf_str *fields,
    struct tf_error *err)
{
	struct tf_str rest = { p, n }, word, text;

	if (!tf_sign_take_line(&rest, &word))
		return tf_fail(err, TF_INVALID, "the signer answers nonsense");
	if (word.n == 2 && memcmp(word.p, "ok", 2) == 0) {
		*fields = rest;
		return TF_OK;
	}
	for (size_t i = 0; i < WORDS; i++)
		if (strlen(words[i].word) == word.n &&
		    memcmp(words[i].word, word.p, word.n) == 0 &&
		    tf_sign_take_line(&rest, &text)) {
			enum tf_code rc = tf_fail(err, words[i].code, "%.*s",
			    (int)(text.n < 159 ? text.n : 159), text.p);

			/* An errno of this process means nothing. */
			if (err != NULL)
				err->sys = 0;
			return rc;
		}
	return tf_fail(err, TF_INVALID, "the signer answers nonsense");
}
