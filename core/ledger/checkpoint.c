/*
 * Checkpoints as signed notes.  The parser accepts one form only: writing an
 * accepted checkpoint again gives the same bytes.
 */
#include "checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"

#define ED25519 0x01
#define DASH "\xe2\x80\x94 " /* em dash and a space open a signature line */

void
tf_vkey_make(struct tf_vkey *k, const char *name, const struct tf_pubkey *pub)
{
	uint8_t text[TF_ORIGIN_MAX + 2 + TF_PUBKEY_LEN];
	struct tf_hash h;
	size_t n;

	memset(k, 0, sizeof(*k));
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	n = strlen(k->name);
	k->pub = *pub;
	memcpy(text, k->name, n);
	text[n++] = '\n';
	text[n++] = ED25519;
	memcpy(text + n, pub->b, TF_PUBKEY_LEN);
	tf_sha256(text, n + TF_PUBKEY_LEN, &h);
	memcpy(k->id, h.b, sizeof(k->id));
}

void
tf_vkey_text(const struct tf_vkey *k, struct tf_buf *out)
{
	uint8_t key[1 + TF_PUBKEY_LEN] = { ED25519 };
	char id[2 * sizeof(k->id) + 1];

	memcpy(key + 1, k->pub.b, TF_PUBKEY_LEN);
	tf_hex(k->id, sizeof(k->id), id);
	tf_buf_str(out, k->name);
	tf_buf_str(out, "+");
	tf_buf_str(out, id);
	tf_buf_str(out, "+");
	tf_base64(out, key, sizeof(key));
}

enum tf_code
tf_vkey_parse(const char *s, size_t n, struct tf_vkey *out,
    struct tf_error *err)
{
	/* Names hold no plus sign, but base64 may: split at the first two. */
	const char *plus = n > 0 ? memchr(s, '+', n) : NULL;
	size_t name_n = plus ? (size_t)(plus - s) : 0;
	char name[TF_ORIGIN_MAX + 1];
	uint8_t id[4], key[1 + TF_PUBKEY_LEN];
	struct tf_pubkey pub;

	if (!plus || name_n > TF_ORIGIN_MAX || !tf_origin_ok(s, name_n) ||
	    n - name_n < 10 || plus[9] != '+' ||
	    !tf_unhex(plus + 1, 8, id, sizeof(id)))
		return tf_fail(err, TF_INVALID,
		    "key: not of the form NAME+ID+KEY");
	if (!tf_unbase64_exact(plus + 10, n - name_n - 10, key, sizeof(key)))
		return tf_fail(err, TF_INVALID, "key: bad base64 or length");
	if (key[0] != ED25519)
		return tf_fail(err, TF_INVALID, "key: not an Ed25519 key");
	memcpy(name, s, name_n);
	name[name_n] = '\0';
	memcpy(pub.b, key + 1, TF_PUBKEY_LEN);
	tf_vkey_make(out, name, &pub);
	if (memcmp(out->id, id, sizeof(id)) != 0)
		return tf_fail(err, TF_INVALID, "key: the ID does not fit");
	return TF_OK;
}

enum tf_code
tf_checkpoint_sign(const struct tf_checkpoint *c, const struct tf_key *key,
    struct tf_buf *out, struct tf_error *err)
{
	uint8_t line[4 + TF_SIG_LEN];
	struct tf_pubkey pub;
	struct tf_vkey k;
	size_t start = out->n;
	enum tf_code rc;

	if (!tf_origin_ok(c->origin, strnlen(c->origin, sizeof(c->origin))) ||
	    c->size > INT64_MAX)
		return tf_fail(err, TF_INVALID,
		    "checkpoint: bad origin or "
		    "size");
	tf_key_public(key, &pub);
	tf_vkey_make(&k, c->origin, &pub);
	tf_buf_printf(out, "%s\n%llu\n", c->origin,
	    (unsigned long long)c->size);
	tf_base64(out, c->root.b, sizeof(c->root.b));
	tf_buf_str(out, "\n");
	if (out->failed)
		return tf_nomem(err);
	memcpy(line, k.id, sizeof(k.id));
	rc = tf_key_sign(key, out->p + start, out->n - start,
	    line + sizeof(k.id), err);
	if (rc != TF_OK)
		return rc;
	tf_buf_printf(out, "\n" DASH "%s ", c->origin);
	tf_base64(out, line, sizeof(line));
	tf_buf_str(out, "\n");
	if (out->failed)
		return tf_nomem(err);
	return TF_OK;
}

/* Take the next line without its LF; false when no LF is left. */
static bool
next_line(struct tf_str *rest, struct tf_str *line)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;

	if (!end)
		return false;
	line->p = rest->p;
	line->n = (size_t)(end - rest->p);
	rest->p = end + 1;
	rest->n -= line->n + 1;
	return true;
}

/* True if s is UTF-8 and fit accepts all its characters. */
static bool
is_text_of(bool (*fit)(uint32_t c), const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = tf_utf8(p + i, n - i, &c);

		if (len == 0 || !fit(c))
			return false;
		i += len;
	}
	return true;
}

/* Allow every character except control characters other than LF. */
static bool
in_note(uint32_t c)
{
	return c >= 0x20 || c == '\n';
}

/* Allow every character except '+' and Unicode spaces; ' ' ends a key name. */
static bool
in_name(uint32_t c)
{
	switch (c) {
	case '+':
	case 0x85:
	case 0xa0:
	case 0x1680:
	case 0x2028:
	case 0x2029:
	case 0x202f:
	case 0x205f:
	case 0x3000:
		return false;
	default:
		return c < 0x2000 || c > 0x200a;
	}
}

/* Parse origin, size and root; no other line may precede the empty line. */
static bool
parse_text(struct tf_str *rest, struct tf_checkpoint *out)
{
	struct tf_str origin, size, root, empty;

	if (!next_line(rest, &origin) || !next_line(rest, &size) ||
	    !next_line(rest, &root) || !next_line(rest, &empty))
		return false;
	if (origin.n > TF_ORIGIN_MAX || !tf_origin_ok(origin.p, origin.n) ||
	    !tf_decimal(size.p, size.n, INT64_MAX, &out->size) ||
	    !tf_unbase64_exact(root.p, root.n, out->root.b,
		sizeof(out->root.b)) ||
	    empty.n != 0)
		return false;
	memcpy(out->origin, origin.p, origin.n);
	out->origin[origin.n] = '\0';
	return true;
}

/* Split a signature line into key name and base64 of ID and signature. */
static bool
parse_line(struct tf_str line, struct tf_str *name, struct tf_str *b64)
{
	size_t dash = strlen(DASH);
	const char *space;

	if (line.n < dash || memcmp(line.p, DASH, dash) != 0)
		return false;
	name->p = line.p + dash;
	line.n -= dash;
	space = line.n > 0 ? memchr(name->p, ' ', line.n) : NULL;
	if (!space)
		return false;
	name->n = (size_t)(space - name->p);
	*b64 = (struct tf_str){ space + 1, line.n - name->n - 1 };
	return name->n > 0 && is_text_of(in_name, name->p, name->n) &&
	    tf_base64_bytes(b64->p, b64->n) > 4;
}

/* True if name and ID are those of k; IDs alone can be made to collide. */
static bool
is_by(struct tf_str name, struct tf_str b64, const struct tf_vkey *k)
{
	uint8_t head[6]; /* the first four are the ID */

	return name.n == strlen(k->name) &&
	    memcmp(name.p, k->name, name.n) == 0 &&
	    tf_unbase64_exact(b64.p, 8, head, sizeof(head)) &&
	    memcmp(head, k->id, sizeof(k->id)) == 0;
}

/* Signature lines of a key: valid, invalid, not checked for lack of memory. */
struct lines {
	unsigned good, bad, unsure;
};

static void
count_line(struct tf_str b64, struct tf_str text, const struct tf_vkey *k,
    struct lines *n)
{
	uint8_t b[sizeof(k->id) + TF_SIG_LEN];
	enum tf_code rc = TF_TAMPER;

	if (tf_unbase64_exact(b64.p, b64.n, b, sizeof(b)))
		rc = tf_key_verify(&k->pub, text.p, text.n, b + sizeof(k->id));
	n->good += rc == TF_OK;
	n->bad += rc == TF_TAMPER;
	n->unsure += rc == TF_NOMEM;
}

/* Parse all signature lines and count those of k. */
static bool
parse_lines(struct tf_str rest, struct tf_str text, const struct tf_vkey *k,
    struct lines *n)
{
	unsigned lines = 0;
	bool ok = rest.n > 0;

	*n = (struct lines){ .good = 0 };
	while (ok && rest.n > 0) {
		struct tf_str line, name, b64;

		ok = ++lines <= TF_NOTE_LINES_MAX && next_line(&rest, &line) &&
		    parse_line(line, &name, &b64);
		if (ok && is_by(name, b64, k))
			count_line(b64, text, k, n);
	}
	return ok;
}

enum tf_code
tf_checkpoint_check(const char *note, size_t n, const struct tf_vkey *k,
    struct tf_checkpoint *out, struct tf_error *err)
{
	struct tf_str rest = { note, n }, text;
	struct tf_checkpoint c;
	struct lines lines;

	memset(&c, 0, sizeof(c));
	if (n > TF_NOTE_MAX || !is_text_of(in_note, note, n) ||
	    !parse_text(&rest, &c))
		return tf_fail(err, TF_INVALID, "checkpoint: malformed");
	/* The signed text ends before the empty line. */
	text = (struct tf_str){ note, (size_t)(rest.p - note) - 1 };
	if (!parse_lines(rest, text, k, &lines))
		return tf_fail(err, TF_INVALID,
		    "checkpoint: malformed signature line");
	if (strcmp(c.origin, k->name) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "checkpoint: its origin is %s, the key's name %s", c.origin,
		    k->name);
	if (lines.bad > 0)
		return tf_fail(err, TF_TAMPER,
		    "checkpoint: the signature is wrong");
	if (lines.unsure > 0)
		return tf_nomem(err);
	if (lines.good == 0)
		return tf_fail(err, TF_TAMPER,
		    "checkpoint: no signature of the key");
	*out = c;
	return TF_OK;
}
