/*
 * The objects that the seal of an attestation names: its signed statement, in
 * three forms, and the report of the evaluation.
 *
 * The store keeps only the payload as an object and the signature in the entry;
 * the envelope (DSSE) and the Sigstore bundle are made from both on each read.
 * So there is one copy of what was signed, and two forms cannot differ.  A
 * statement lists the digests of all evidence, so an asker who may not read
 * every file may not read the statement either: see tf_may_read_whole in
 * readable.h.
 */
#include "../base/bytes.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../ledger/statement.h"
#include "../node/redacted.h"
#include "../page.h"
#include "../store/nodes.h"
#include "object.h"
#include "view.h"

/* Read the seal of attestation id and its statement. */
static enum tf_code
read_sealed(struct tf_view *w, uint64_t id, struct tf_loaded_entry *seal,
    struct tf_buf *payload, struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_content c;
	enum tf_code rc = tf_view_row(w, id, TF_KIND_ATTESTATION, &row, err);

	if (rc == TF_OK && row.seal == TF_NO_SEQ)
		rc = tf_fail(err, TF_NOTFOUND, "it is not sealed yet");
	if (rc == TF_OK)
		rc = tf_view_check_whole(w, id, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, row.seal, seal, err);
	if (rc == TF_OK && !seal->d.e.has_evidence)
		rc = tf_fail(err, TF_TAMPER, "its seal has no statement");
	if (rc != TF_OK)
		return rc;
	c = (struct tf_content){ seal->d.e.statement.payload,
		seal->d.e.statement.size };
	return tf_view_object(w, &c, "a statement", payload, err);
}

enum tf_code
tf_view_statement(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_loaded_entry seal = { 0 };
	struct tf_buf payload = { 0 };
	enum tf_code rc = read_sealed(w, id, &seal, &payload, err);

	if (rc == TF_OK)
		rc = tf_sink_buf(out, &payload, err);
	tf_loaded_entry_free(&seal);
	tf_buf_free(&payload);
	return rc;
}

typedef void (*wrap)(const void *payload, size_t n, const char *keyid,
    const uint8_t sig[TF_SIG_LEN], struct tf_buf *out);

/* Write the statement in the form that `form` gives it.  Nothing is signed
 * here: the signature is the one that was made at the seal. */
static enum tf_code
put_wrapped(struct tf_view *w, uint64_t id, wrap form,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_loaded_entry seal = { 0 };
	struct tf_buf payload = { 0 }, text = { 0 };
	uint8_t sig[TF_SIG_LEN];
	const struct tf_statement_ref *s = &seal.d.e.statement;
	enum tf_code rc = read_sealed(w, id, &seal, &payload, err);

	if (rc == TF_OK &&
	    !tf_unbase64_exact(s->sig.p, s->sig.n, sig, sizeof(sig)))
		rc = tf_fail(err, TF_TAMPER, "its signature is malformed");
	if (rc == TF_OK) {
		/* Strings of a decoded entry end with a NUL. */
		form(payload.p, payload.n, s->keyid.p, sig, &text);
		rc = tf_sink_buf(out, &text, err);
	}
	tf_loaded_entry_free(&seal);
	tf_buf_free(&payload);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_view_intoto(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	return put_wrapped(w, id, tf_dsse_envelope, out, err);
}

enum tf_code
tf_view_sigstore(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	return put_wrapped(w, id, tf_dsse_bundle, out, err);
}

/* --- evaluation.json ------------------------------------------------------ */

/*
 * Write the report that the entry of the seal names; other bytes are TF_TAMPER.
 */
static enum tf_code
put_report(struct tf_view *w, const struct tf_loaded_entry *seal,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_evaluated_field e;
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_evaluated_read(seal->d.e.evaluated, &e, err);

	if (rc == TF_OK && !e.has_report)
		rc = tf_fail(err, TF_NOTFOUND, "its evidence was not judged");
	if (rc == TF_OK)
		rc = tf_view_object(w, &e.report, "a report", &text, err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &text, err);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_view_report(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_loaded_entry seal = { 0 };
	struct tf_node_row row;
	bool gone = false;
	enum tf_code rc = tf_view_row(w, id, TF_KIND_ATTESTATION, &row, err);

	if (rc == TF_OK && row.seal == TF_NO_SEQ)
		rc = tf_fail(err, TF_NOTFOUND, "it is not sealed yet");
	/* A report quotes the evidence. */
	if (rc == TF_OK)
		rc = tf_view_check_whole(w, id, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, row.seal, &seal, err);
	if (rc == TF_OK)
		rc = tf_redacted_in(w->db, id, NULL, UINT64_MAX, &gone, err);
	if (rc == TF_OK && gone)
		rc = tf_fail(err, TF_REDACTED,
		    "it quotes evidence that was redacted");
	if (rc == TF_OK)
		rc = put_report(w, &seal, out, err);
	tf_loaded_entry_free(&seal);
	return rc;
}
