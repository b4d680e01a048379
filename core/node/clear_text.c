/*
 * Reading texts that stand apart: see clear_text.h.  The digest comes from an
 * entry, which may name any object of the vault.  So only short objects are
 * read, and their bytes must be a text that the entry could have held.
 */
#include "clear_text.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/entry_read.h"
#include "../ledger/withheld.h"
#include "../store/definitions.h"
#include "../store/objects.h"

struct clearing {
	struct tf_db *db;
	enum tf_clear_mode mode;
};

/* Append the text of x as JSON; nothing if it is not there. */
static enum tf_code
find_text(struct tf_db *db, const struct tf_withheld *x, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	struct tf_hash h;
	uint64_t id;
	enum tf_code rc = tf_object_find(db, &x->sha256, &id, err);

	if (rc == TF_OK)
		rc = tf_object_get(db, id, &o, NULL, err);
	if (rc == TF_OK && o.is_inline && o.size <= TF_WITHHELD_MAX)
		rc = tf_object_get(db, id, &o, &body, err);
	if (rc == TF_OK && body.n > 0) {
		tf_sha256(body.p, body.n, &h);
		if (memcmp(&h, &x->sha256, sizeof(h)) == 0)
			(void)tf_withheld_text(body.p, body.n, x->max, out);
	}
	tf_buf_free(&body);
	/* Damage is what trailctl verify is for: here the text is not there. */
	return rc == TF_NOTFOUND || rc == TF_TAMPER ? TF_OK : rc;
}

static enum tf_code
clear(void *arg, const struct tf_withheld *x, struct tf_buf *out,
    struct tf_error *err)
{
	const struct clearing *c = arg;
	const size_t before = out->n;
	bool gone = false;
	enum tf_code rc = TF_OK;

	if (!x->is)
		return TF_OK;
	/* Evidence that somebody recorded later may have the same bytes. */
	rc = tf_text_redacted(c->db, &x->sha256, &gone, err);
	if (rc == TF_OK && !gone)
		rc = find_text(c->db, x, out, err);
	if (rc == TF_OK && out->n == before && c->mode == TF_CLEAR_SHOW)
		tf_buf_str(out,
		    gone ? "\"" TF_TEXT_REDACTED "\"" :
			   "\"" TF_TEXT_WITHHELD "\"");
	return rc;
}

enum tf_code
tf_clear_entry(struct tf_db *db, const char *bytes, size_t n,
    struct tf_buf *out, bool *changed, struct tf_error *err)
{
	struct clearing c = { db, TF_CLEAR_SHOW };

	*changed = false;
	if (tf_withheld_maybe(bytes, n))
		return tf_withheld_entry(bytes, n, clear, &c, out, changed,
		    err);
	tf_buf_add(out, bytes, n);
	return tf_buf_end(out, err);
}

enum tf_code
tf_clear_value(struct tf_db *db, const char *field, struct tf_str json,
    enum tf_clear_mode mode, struct tf_buf *out, struct tf_error *err)
{
	struct clearing c = { db, mode };

	if (json.n > 0 && tf_withheld_maybe(json.p, json.n))
		return tf_withheld_value(field, json, clear, &c, out, NULL,
		    err);
	if (json.n > 0)
		tf_buf_add(out, json.p, json.n);
	return tf_buf_end(out, err);
}

/* With its texts an entry of a writer that did not check them might be longer
 * than an entry can be.  Then it is shown as it is. */
enum tf_code
tf_clear_decoded(struct tf_db *db, const char *bytes, size_t n,
    struct tf_entry_decoded *d, struct tf_buf *clear, struct tf_error *err)
{
	struct tf_entry_decoded with = { 0 };
	bool changed = false;
	enum tf_code rc;

	if (!tf_withheld_maybe(bytes, n))
		return TF_OK;
	rc = tf_clear_entry(db, bytes, n, clear, &changed, err);
	if (rc == TF_OK && changed)
		rc = tf_entry_decode(&with, clear->p, clear->n, err);
	if (rc == TF_OK && changed) {
		tf_entry_decoded_free(d);
		*d = with;
		return TF_OK;
	}
	tf_entry_decoded_free(&with);
	return rc == TF_INVALID ? TF_OK : rc;
}
