/*
 * Reading claims, user data and reports.  The claims of a sealed attestation
 * are in the entry of its seal, all others in table claim.  Bytes are compared
 * with their digest before they are given out, so damage is an error and never
 * another answer.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../definition.h"
#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/clear_text.h"
#include "../node/load_entry.h"
#include "../node/redacted.h"
#include "../node/vault_i.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "redact.h"

/* Append the claims about id, and set *object to the row of user data that no
 * entry names, or 0. */
static enum tf_code
read_claims(struct tf_db *db, uint64_t id, struct tf_buf *out, uint64_t *object,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_claim_row claims = { 0 };
	struct tf_buf body = { 0 };
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(db, id, &row, err);

	*object = 0;
	if (rc == TF_OK && row.attr.kind == TF_KIND_ATTESTATION &&
	    row.seal != TF_NO_SEQ) {
		rc = tf_load_entry(db, row.seal, &body, &d, err);
		if (rc == TF_OK)
			rc = tf_clear_value(db, "claims", d.e.claims,
			    TF_CLEAR_SHOW, out, err);
	} else if (rc == TF_OK || rc == TF_NOTFOUND) {
		rc = tf_claims_get(db, id, &claims, err);
		if (rc == TF_OK)
			rc = tf_clear_value(db, "claims",
			    tf_buf_bytes(&claims.claims), TF_CLEAR_SHOW, out,
			    err);
		*object = claims.object;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	tf_claim_row_free(&claims);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum tf_code
tf_vault_claims(struct tf_vault *v, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_db *db;
	uint64_t object;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = read_claims(db, id, out, &object, err);
	tf_reader_done(v, db);
	return rc;
}

/* Refuse what went with redacted evidence of attestation id: see redacted.h. */
static enum tf_code
check_redacted(struct tf_db *db, uint64_t id, const struct tf_hash *sha256,
    struct tf_error *err)
{
	bool gone;
	enum tf_code rc = tf_redacted_in(db, id, sha256, UINT64_MAX, &gone,
	    err);

	return rc == TF_OK && gone ? tf_redacted(err) : rc;
}

/* Append the bytes with this digest; object is their row, or 0. */
static enum tf_code
read_object(struct tf_db *db, const struct tf_content *c, uint64_t object,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_hash h;
	size_t start = out->n;
	enum tf_code rc = TF_OK;

	if (object == 0)
		rc = tf_object_find(db, &c->sha256, &object, err);
	if (rc == TF_OK)
		rc = tf_object_get(db, object, &o, out, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "the database has no object");
	if (rc != TF_OK)
		return rc;
	tf_sha256(out->p + start, out->n - start, &h);
	if (out->n - start == c->size && memcmp(&h, &c->sha256, sizeof(h)) == 0)
		return TF_OK;
	return tf_fail(err, TF_TAMPER, "the bytes were altered");
}

enum tf_code
tf_vault_claimed(struct tf_vault *v, uint64_t id, const char *key,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf claims = { 0 };
	struct tf_content content;
	struct tf_db *db;
	uint64_t object;
	bool has;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = read_claims(db, id, &claims, &object, err);
	if (rc == TF_OK && strcmp(key, TF_CLAIM_USER_DATA) == 0) {
		rc = tf_claims_user_data(tf_buf_bytes(&claims), &content, &has,
		    err);
		if (rc == TF_OK && !has)
			rc = tf_fail(err, TF_NODATA, "no such attribute");
		if (rc == TF_OK)
			rc = check_redacted(db, id, &content.sha256, err);
		if (rc == TF_OK)
			rc = read_object(db, &content, object, out, err);
	} else if (rc == TF_OK) {
		rc = tf_claims_value(tf_buf_bytes(&claims), key, out, err);
	}
	if (rc == TF_INVALID)
		rc = tf_fail(err, TF_TAMPER,
		    "the claims in the database are damaged");
	tf_reader_done(v, db);
	tf_buf_free(&claims);
	return rc;
}

enum tf_code
tf_vault_evaluation(struct tf_vault *v, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_content report;
	struct tf_node_row row;
	struct tf_db *db;
	bool has = false;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_get(db, id, &row, err);
	if (rc == TF_OK && row.seal != TF_NO_SEQ)
		rc = tf_load_entry(db, row.seal, &body, &d, err);
	if (rc == TF_OK && body.n > 0)
		rc = tf_evaluated_report(d.e.evaluated, &report, &has, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && !has))
		rc = tf_fail(err, TF_NODATA, "it was not evaluated");
	if (rc == TF_OK)
		rc = check_redacted(db, id, NULL, err);
	if (rc == TF_OK)
		rc = read_object(db, &report, 0, out, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	tf_reader_done(v, db);
	return rc;
}
