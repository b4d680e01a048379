/*
 * Claims as a view shows them (see claimed.h), and the file user-data.
 *
 * Claims have two places.  Until its seal an attestation has a row that may
 * change; the entry of its seal then holds the claims for good, and this file
 * no longer looks at the row.  The claims of a workflow or a trail stay in a
 * row, and the entry of each change records them.
 */
#include "claimed.h"

#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../node/clear_text.h"
#include "../node/redacted.h"
#include "../page.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "object.h"
#include "readable.h"
#include "view.h"

void
tf_claimed_free(struct tf_claimed *c)
{
	tf_json_doc_free(&c->doc);
	tf_buf_free(&c->text);
	*c = (struct tf_claimed){ 0 };
}

/* Take the claims of the seal, which no later change of the row can reach. */
static enum tf_code
read_seal(struct tf_view *w, uint64_t seal, struct tf_claimed *out,
    struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	enum tf_code rc = tf_loaded_entry_read(w, seal, &t, err);

	if (rc == TF_OK && t.d.e.claims.p != NULL)
		tf_buf_add(&out->text, t.d.e.claims.p, t.d.e.claims.n);
	tf_loaded_entry_free(&t);
	return rc;
}

/* Read the row of node id.  In a package a row that no entry records yet does
 * not count: see ledger_only in view.h. */
static enum tf_code
read_row(struct tf_view *w, uint64_t id, struct tf_claimed *out,
    struct tf_error *err)
{
	struct tf_claim_row r = { 0 };
	enum tf_code rc = tf_claims_get(w->db, id, &r, err);

	if (rc == TF_OK && (r.entry != 0 || !w->ledger_only)) {
		rc = tf_clear_value(w->db, "claims", tf_buf_bytes(&r.claims),
		    TF_CLEAR_SHOW, &out->text, err);
		out->object = r.object;
	}
	tf_claim_row_free(&r);
	return rc;
}

static bool
is_object(const struct tf_json_doc *d)
{
	return d->tok[0].type == TF_JSON_OBJECT;
}

enum tf_code
tf_claimed_read(struct tf_view *w, uint64_t id, struct tf_claimed *out,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(w->db, id, &row, err);
	bool draft = rc == TF_NOTFOUND;

	if (rc != TF_OK && !draft)
		return rc;
	if (!draft && row.attr.kind == TF_KIND_ATTESTATION &&
	    row.seal != TF_NO_SEQ)
		rc = read_seal(w, row.seal, out, err);
	else
		rc = read_row(w, id, out, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&out->text, err);
	if (rc != TF_OK || out->text.n == 0)
		return rc;
	out->claims = (struct tf_str){ out->text.p, out->text.n };
	rc = tf_json_parse(&out->doc, out->claims.p, out->claims.n, err);
	if (rc == TF_INVALID || (rc == TF_OK && !is_object(&out->doc))) {
		tf_claimed_free(out);
		rc = tf_fail(err, TF_TAMPER, "its claims are malformed");
	}
	return rc;
}

struct tf_str
tf_claimed_member(const struct tf_claimed *c, const char *key)
{
	return c->doc.tok == NULL ?
	    (struct tf_str){ NULL, 0 } :
	    tf_json_text(&c->doc, tf_json_get(&c->doc, 0, key));
}

/* --- user-data ------------------------------------------------------------ */

enum tf_code
tf_view_user_data(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_claimed c = { 0 };
	struct tf_content content;
	struct tf_buf bytes = { 0 };
	bool has = false, may, gone = false;
	enum tf_code rc = tf_may_read(w, id, &may, err);

	if (rc == TF_OK && !may)
		rc = tf_fail(err, TF_ACCESS,
		    "it is about something that you may not read");
	if (rc == TF_OK)
		rc = tf_claimed_read(w, id, &c, err);
	if (rc == TF_OK)
		rc = tf_claims_user_data(c.claims, &content, &has, err);
	if (rc == TF_OK && !has)
		rc = tf_fail(err, TF_NOTFOUND, "it has no user data");
	if (rc == TF_OK)
		rc = tf_redacted_in(w->db, id, &content.sha256, w->entries,
		    &gone, err);
	if (rc == TF_OK && gone)
		rc = tf_fail(err, TF_REDACTED,
		    "it was redacted with the file that has the same bytes");
	if (rc == TF_OK)
		rc = tf_view_object_row(w, c.object, &content, "user data",
		    &bytes, err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &bytes, err);
	tf_claimed_free(&c);
	tf_buf_free(&bytes);
	return rc;
}
