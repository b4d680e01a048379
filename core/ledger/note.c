/*
 * Signed notes and their keys.  The parser accepts one form only: writing an
 * accepted note again gives the same bytes.
 */
#include "note.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"

#define DASH "\xe2\x80\x94 " /* em dash and a space open a signature line */

static void
make(struct tf_vkey *k, enum tf_vkey_type type, const char *name,
    const struct tf_pubkey *pub)
{
	uint8_t text[TF_ORIGIN_MAX + 2 + TF_PUBKEY_LEN];
	struct tf_hash h;
	size_t n;

	memset(k, 0, sizeof(*k));
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	n = strlen(k->name);
	k->type = type;
	k->pub = *pub;
	memcpy(text, k->name, n);
	text[n++] = '\n';
	text[n++] = (uint8_t)type;
	memcpy(text + n, pub->b, TF_PUBKEY_LEN);
	tf_sha256(text, n + TF_PUBKEY_LEN, &h);
	memcpy(k->id, h.b, sizeof(k->id));
}

void
tf_vkey_make(struct tf_vkey *k, const char *name, const struct tf_pubkey *pub)
{
	make(k, TF_VKEY_LOG, name, pub);
}

void
tf_cosign_vkey_make(struct tf_vkey *k, const char *name,
    const struct tf_pubkey *pub)
{
	make(k, TF_VKEY_COSIGNER, name, pub);
}

void
tf_vkey_text(const struct tf_vkey *k, struct tf_buf *out)
{
	uint8_t key[1 + TF_PUBKEY_LEN] = { (uint8_t)k->type };
	char id[2 * sizeof(k->id) + 1];

	memcpy(key + 1, k->pub.b, TF_PUBKEY_LEN);
	tf_hex(k->id, sizeof(k->id), id);
	tf_buf_str(out, k->name);
	tf_buf_str(out, "+");
	tf_buf_str(out, id);
	tf_buf_str(out, "+");
	tf_base64(out, key, sizeof(key));
}

/* Keys of other types have other lengths, so the type, which is the first byte, is
 * judged first. */
static enum tf_code
check_type(const char *key, size_t n, enum tf_vkey_type type,
    struct tf_error *err)
{
	static const char *const kinds[] = { [TF_VKEY_LOG] = "of a log",
		[TF_VKEY_COSIGNER] = "of a cosigner",
		[6] = "ML-DSA-44 of a cosigner" };
	uint8_t first[3];
	const char *is;

	if (n < 4 || !tf_unbase64_exact(key, 4, first, sizeof(first)) ||
	    first[0] == type)
		return TF_OK; /* another check finds what is wrong */
	is = first[0] < sizeof(kinds) / sizeof(*kinds) ? kinds[first[0]] : NULL;
	return tf_fail(err, TF_INVALID,
	    "key: type %u%s%s%s is not supported here, only Ed25519 %s (type "
	    "%d)",
	    first[0], is != NULL ? " (" : "", is != NULL ? is : "",
	    is != NULL ? ")" : "", kinds[type], (int)type);
}

static enum tf_code
parse(const char *s, size_t n, enum tf_vkey_type type, struct tf_vkey *out,
    struct tf_error *err)
{
	/* Names hold no plus sign, but base64 may: split at the first two. */
	const char *plus = n > 0 ? memchr(s, '+', n) : NULL;
	size_t name_n = plus ? (size_t)(plus - s) : 0;
	char name[TF_ORIGIN_MAX + 1];
	uint8_t id[4], key[1 + TF_PUBKEY_LEN];
	struct tf_pubkey pub;
	enum tf_code rc;

	if (!plus || name_n > TF_ORIGIN_MAX || !tf_origin_ok(s, name_n) ||
	    n - name_n < 10 || plus[9] != '+' ||
	    !tf_unhex(plus + 1, 8, id, sizeof(id)))
		return tf_fail(err, TF_INVALID,
		    "key: not of the form NAME+ID+KEY");
	if ((rc = check_type(plus + 10, n - name_n - 10, type, err)) != TF_OK)
		return rc;
	if (!tf_unbase64_exact(plus + 10, n - name_n - 10, key, sizeof(key)))
		return tf_fail(err, TF_INVALID, "key: bad base64 or length");
	memcpy(name, s, name_n);
	name[name_n] = '\0';
	memcpy(pub.b, key + 1, TF_PUBKEY_LEN);
	make(out, type, name, &pub);
	if (memcmp(out->id, id, sizeof(id)) != 0)
		return tf_fail(err, TF_INVALID, "key: the ID does not fit");
	return TF_OK;
}

enum tf_code
tf_vkey_parse(const char *s, size_t n, struct tf_vkey *out,
    struct tf_error *err)
{
	return parse(s, n, TF_VKEY_LOG, out, err);
}

enum tf_code
tf_cosign_vkey_parse(const char *s, size_t n, struct tf_vkey *out,
    struct tf_error *err)
{
	return parse(s, n, TF_VKEY_COSIGNER, out, err);
}

bool
tf_note_take(struct tf_str *rest, struct tf_str *line)
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

bool
tf_note_next(struct tf_str *rest, struct tf_note_line *out)
{
	size_t dash = strlen(DASH);
	struct tf_str line;
	const char *space;

	if (!tf_note_take(rest, &line) || line.n < dash ||
	    memcmp(line.p, DASH, dash) != 0)
		return false;
	out->whole = line;
	out->name.p = line.p + dash;
	line.n -= dash;
	space = line.n > 0 ? memchr(out->name.p, ' ', line.n) : NULL;
	if (!space)
		return false;
	out->name.n = (size_t)(space - out->name.p);
	out->b64 = (struct tf_str){ space + 1, line.n - out->name.n - 1 };
	return out->name.n > 0 &&
	    is_text_of(in_name, out->name.p, out->name.n) &&
	    tf_base64_bytes(out->b64.p, out->b64.n) > 4;
}

bool
tf_note_by(const struct tf_note_line *line, const struct tf_vkey *k)
{
	uint8_t head[6]; /* the first four are the ID */

	return line->name.n == strlen(k->name) &&
	    memcmp(line->name.p, k->name, line->name.n) == 0 &&
	    tf_unbase64_exact(line->b64.p, 8, head, sizeof(head)) &&
	    memcmp(head, k->id, sizeof(k->id)) == 0;
}

void
tf_note_add_line(struct tf_buf *out, const struct tf_vkey *k,
    const uint8_t *sig, size_t n)
{
	struct tf_buf b = { 0 };

	tf_buf_add(&b, k->id, sizeof(k->id));
	tf_buf_add(&b, sig, n);
	out->failed = out->failed || b.failed;
	tf_buf_printf(out, DASH "%s ", k->name);
	if (!b.failed)
		tf_base64(out, b.p, b.n);
	tf_buf_str(out, "\n");
	tf_buf_free(&b);
}

bool
tf_note_lines_ok(struct tf_str lines)
{
	struct tf_note_line line;
	unsigned n = 0;
	bool ok = lines.n > 0;

	if (!is_text_of(in_note, lines.p, lines.n))
		return false;
	while (ok && lines.n > 0)
		ok = ++n <= TF_NOTE_LINES_MAX && tf_note_next(&lines, &line);
	return ok;
}

bool
tf_note_split(const char *note, size_t n, struct tf_note *out)
{
	*out = (struct tf_note){ .body = { NULL, 0 } };
	if (n > TF_NOTE_MAX || !is_text_of(in_note, note, n))
		return false;
	/* The body is at least one line, so that it cannot be empty. */
	for (size_t i = n; i > 2; i--)
		if (note[i - 1] == '\n' && note[i - 2] == '\n') {
			out->body = (struct tf_str){ note, i - 1 };
			out->lines = (struct tf_str){ note + i, n - i };
			return tf_note_lines_ok(out->lines);
		}
	return false;
}

enum tf_code
tf_note_verify(const struct tf_note *note, const struct tf_vkey *k,
    tf_note_verifier verify, void *arg)
{
	struct tf_str rest = note->lines;
	struct tf_note_line line;
	enum tf_code rc = TF_NOTFOUND;

	while (tf_note_next(&rest, &line)) {
		enum tf_code one;

		if (!tf_note_by(&line, k))
			continue;
		if ((one = verify(arg, note->body, &line, k)) == TF_TAMPER)
			return TF_TAMPER;
		if (one != TF_OK || rc == TF_NOTFOUND)
			rc = one;
	}
	return rc;
}
