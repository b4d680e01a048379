/* Claims as a view shows them: see claimed.h. */
#include "claimed.h"

#include "../ledger/entry.h"
#include "../node/vault_i.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "view.h"

void
tf_claimed_free(struct tf_claimed *c)
{
	tf_json_doc_free(&c->doc);
	tf_buf_free(&c->text);
	*c = (struct tf_claimed){ 0 };
}

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

static enum tf_code
read_row(struct tf_view *w, uint64_t id, struct tf_claimed *out,
    struct tf_error *err)
{
	struct tf_claim_row r = { 0 };
	enum tf_code rc = tf_claims_get(w->db, id, &r, err);

	if (rc == TF_OK && (r.entry != 0 || !w->ledger_only)) {
		tf_buf_add(&out->text, r.claims.p, r.claims.n);
		out->object = r.object;
	}
	tf_claim_row_free(&r);
	return rc;
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
	return tf_json_parse(&out->doc, out->claims.p, out->claims.n, err);
}

struct tf_str
tf_claimed_member(const struct tf_claimed *c, const char *key)
{
	return c->doc.tok == NULL ?
	    (struct tf_str){ NULL, 0 } :
	    tf_json_text(&c->doc, tf_json_get(&c->doc, 0, key));
}
