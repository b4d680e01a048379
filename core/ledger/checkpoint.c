/*
 * Checkpoints as signed notes.  The parser accepts one form only: writing an
 * accepted checkpoint again gives the same bytes.
 */
#include "checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"

enum tf_code
tf_checkpoint_sign(const struct tf_checkpoint *c, const struct tf_key *key,
    struct tf_buf *out, struct tf_error *err)
{
	uint8_t sig[TF_SIG_LEN];
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
	rc = tf_key_sign(key, out->p + start, out->n - start, sig, err);
	if (rc != TF_OK)
		return rc;
	tf_buf_str(out, "\n");
	tf_note_add_line(out, &k, sig, sizeof(sig));
	return tf_buf_end(out, err);
}

/* Parse origin, size and root; the text has no other line. */
static bool
parse_text(struct tf_str text, struct tf_checkpoint *out)
{
	struct tf_str origin, size, root;

	memset(out, 0, sizeof(*out));
	if (!tf_note_take(&text, &origin) || !tf_note_take(&text, &size) ||
	    !tf_note_take(&text, &root) || text.n != 0)
		return false;
	if (origin.n > TF_ORIGIN_MAX || !tf_origin_ok(origin.p, origin.n) ||
	    !tf_decimal(size.p, size.n, INT64_MAX, &out->size) ||
	    !tf_unbase64_exact(root.p, root.n, out->root.b,
		sizeof(out->root.b)))
		return false;
	memcpy(out->origin, origin.p, origin.n);
	out->origin[origin.n] = '\0';
	return true;
}

enum tf_code
tf_checkpoint_parse(const char *note, size_t n, struct tf_note *parts,
    struct tf_checkpoint *out, struct tf_error *err)
{
	bool good = tf_note_split(note, n, parts);

	if (parts->lines.n == 0 || !parse_text(parts->body, out))
		return tf_fail(err, TF_INVALID, "checkpoint: malformed");
	if (!good)
		return tf_fail(err, TF_INVALID,
		    "checkpoint: malformed signature line");
	return TF_OK;
}

static enum tf_code
verify_line(void *arg, struct tf_str body, const struct tf_note_line *line,
    const struct tf_vkey *k)
{
	uint8_t b[sizeof(k->id) + TF_SIG_LEN];

	(void)arg;
	if (!tf_unbase64_exact(line->b64.p, line->b64.n, b, sizeof(b)))
		return TF_TAMPER;
	return tf_key_verify(&k->pub, body.p, body.n, b + sizeof(k->id));
}

enum tf_code
tf_checkpoint_check(const char *note, size_t n, const struct tf_vkey *k,
    struct tf_checkpoint *out, struct tf_error *err)
{
	struct tf_note parts;
	struct tf_checkpoint c;
	enum tf_code rc;

	if ((rc = tf_checkpoint_parse(note, n, &parts, &c, err)) != TF_OK)
		return rc;
	if (k->type != TF_VKEY_LOG)
		return tf_fail(err, TF_INVALID, "key: not the key of a log");
	if (strcmp(c.origin, k->name) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "checkpoint: its origin is %s, the key's name %s", c.origin,
		    k->name);
	switch (tf_note_verify(&parts, k, verify_line, NULL)) {
	case TF_OK:
		*out = c;
		return TF_OK;
	case TF_NOTFOUND:
		return tf_fail(err, TF_TAMPER,
		    "checkpoint: no signature of the key");
	case TF_TAMPER:
		return tf_fail(err, TF_TAMPER,
		    "checkpoint: the signature is wrong");
	default:
		return tf_nomem(err);
	}
}
