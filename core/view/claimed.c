/*
 * Claims as a view shows them (see claimed.h), and the file user-data.
 *
 * Claims have two places.  Until its seal an attestation has a row that may
 * change; the entry of its seal then holds the claims for good, and this file
 * no longer looks at the row.  The claims of a workflow or a trail stay in a
 * row, and the entry of each change records them.
 */
#include "claimed.h"

#include "../base/bytes.h"
#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../node/clear_text.h"
#include "../node/paths.h"
#include "../node/redacted.h"
#include "../page.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "object.h"
#include "readable.h"
#include "unindexed.h"
#include "view.h"

void
tf_claimed_free(struct tf_claimed *c)
{
	tf_json_doc_free(&c->doc);
	tf_buf_free(&c->text);
	*c = (struct tf_claimed){ 0 };
}

/* Take the claims of the seal, or of claims.set, which no later change of the row
 * can reach. */
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

/* Walking finds it, as no row of table node names it. */
static enum tf_code
find_entry(struct tf_view *w, const struct tf_node_row *row, uint64_t *seq,
    struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	struct tf_buf path = { 0 };
	struct tf_seqs seqs = { 0 };
	enum tf_code rc = tf_path_of(w->v, w->db, row->attr.id, &path, err);

	if (rc == TF_OK)
		rc = tf_buf_end(&path, err);
	if (rc == TF_OK)
		rc = tf_view_unindexed(w, &path, row->entry, &seqs, err);
	tf_seqs_sort(&seqs);
	for (size_t i = seqs.n; rc == TF_OK && *seq == TF_NO_SEQ && i > 0;
	     i--) {
		rc = tf_loaded_entry_read(w, seqs.p[i - 1], &t, err);
		if (rc == TF_OK && t.d.e.type == TF_CLAIMS_SET &&
		    tf_str_same(t.d.e.path, tf_buf_bytes(&path)))
			*seq = seqs.p[i - 1];
	}
	tf_loaded_entry_free(&t);
	tf_seqs_free(&seqs);
	tf_buf_free(&path);
	return rc;
}

enum tf_code
tf_claimed_entry(struct tf_view *w, const struct tf_node_row *row,
    uint64_t *seq, struct tf_error *err)
{
	struct tf_claim_row r = { 0 };
	enum tf_code rc = tf_claims_get(w->db, row->attr.id, &r, err);

	*seq = TF_NO_SEQ;
	if (rc == TF_OK && r.entry != 0 && r.entry < w->entries)
		*seq = r.entry;
	else if (rc == TF_OK && r.entry != 0) /* the row is younger */
		rc = find_entry(w, row, seq, err);
	tf_claim_row_free(&r);
	return rc;
}

/* Read the row of node id.  In a package a row that no entry records yet does
 * not count: see ledger_only in view.h. */
static enum tf_code
read_row(struct tf_view *w, uint64_t id, const struct tf_node_row *row,
    struct tf_claimed *out, struct tf_error *err)
{
	struct tf_claim_row r = { 0 };
	uint64_t seq = TF_NO_SEQ;
	enum tf_code rc = tf_claims_get(w->db, id, &r, err);

	if (rc == TF_OK && r.entry >= w->entries && row != NULL) {
		rc = find_entry(w, row, &seq, err);
		if (rc == TF_OK)
			rc = read_seal(w, seq, out, err);
	} else if (rc == TF_OK && (r.entry != 0 || !w->ledger_only)) {
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
		rc = read_row(w, id, draft ? NULL : &row, out, err);
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
		rc = tf_redacted_in(w->db, id, &content.sha256, UINT64_MAX,
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
