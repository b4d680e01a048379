/*
 * Checks the signed statement of an attestation: its bytes, its signature, and
 * that it says what the entries say.
 *
 * A statement leaves the vault and is believed elsewhere, so the right
 * signature is not enough: the attester's key could have signed something else.
 * The audit encodes the statement again from the entries; every byte must be
 * the same.  The key is the one that the ledger had in force at the seal.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/replay.h"
#include "../ledger/statement.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "statement.h"

/* Read sealedAt, the one field of the payload that no entry holds.  It is taken
 * over for the comparison, but may not be later than the entry. */
static enum tf_code
sealed_at(const struct tf_buf *payload, struct tf_time *out, bool *there)
{
	struct tf_json_doc d;
	struct tf_str s;
	enum tf_code rc = tf_json_parse(&d, payload->p, payload->n, NULL);

	*there = false;
	if (rc != TF_OK)
		return rc;
	s = tf_json_text(&d,
	    tf_json_get(&d, tf_json_get(&d, 0, "predicate"), "sealedAt"));
	*there = s.n > 2 && tf_time_parse(s.p + 1, s.n - 2, out);
	tf_json_doc_free(&d);
	return TF_OK;
}

/* True if the payload equals the statement that the entries give. */
static bool
says_the_same(struct tf_audit *a, const struct tf_entry *e,
    struct tf_statement *s, const struct tf_buf *payload)
{
	struct tf_buf want = { 0 };
	bool ok;
	enum tf_code rc = sealed_at(payload, &s->sealed_at, &ok);

	ok = ok && tf_time_cmp(s->sealed_at, e->at) <= 0;
	if (ok)
		rc = tf_statement_encode(s, &want, NULL);
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	ok = rc == TF_NOMEM ||
	    (rc == TF_OK &&
		tf_str_same(tf_buf_bytes(&want), tf_buf_bytes(payload)));
	tf_buf_free(&want);
	return ok;
}

/* Verify the signature of the statement; the codes of tf_key_verify. */
static enum tf_code
signed_by(const struct tf_entry *e, struct tf_str attester, const void *pae,
    size_t n)
{
	uint8_t der[TF_SPKI_LEN], sig[TF_SIG_LEN];
	char keyid[TF_KEYID_LEN + 1];
	struct tf_pubkey pub;

	/* tf_entry_decode checked the form of all three. */
	(void)tf_unbase64_exact(attester.p, attester.n, der, sizeof(der));
	(void)tf_unbase64_exact(e->statement.sig.p, e->statement.sig.n, sig,
	    sizeof(sig));
	memcpy(pub.b, der + TF_SPKI_LEN - TF_PUBKEY_LEN, TF_PUBKEY_LEN);
	tf_dsse_keyid(&pub, keyid);
	if (memcmp(keyid, e->statement.keyid.p, TF_KEYID_LEN) != 0)
		return TF_TAMPER;
	return tf_key_verify(&pub, pae, n, sig);
}

/* The entry holds the digest of the pre-authentication encoding (DSSE) that was
 * signed, so a signature of other bytes is found even if it is valid. */
static void
check_signature(struct tf_audit *a, const struct tf_entry *e,
    struct tf_str attester, const struct tf_buf *payload)
{
	struct tf_buf pae = { 0 };
	enum tf_code rc = TF_NOMEM;
	struct tf_hash h;

	tf_dsse_pae(payload->p, payload->n, &pae);
	tf_sha256(pae.p, pae.n, &h);
	if (!pae.failed)
		rc = memcmp(&h, &e->statement.pae, sizeof(h)) != 0 ?
		    TF_TAMPER :
		    signed_by(e, attester, pae.p, pae.n);
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	else if (rc != TF_OK)
		tf_audit_finding(a, TF_CHECK_ENTRIES, e->seq, e->path,
		    "its statement is not signed by the attester key in "
		    "force");
	tf_buf_free(&pae);
}

void
tf_audit_check_statement(struct tf_audit *a, const struct tf_entry *e,
    struct tf_replay_effect *x)
{
	struct tf_buf payload = { 0 };
	struct tf_error why = { .code = TF_OK };
	struct tf_hash h;

	if (a->source->payload(a, e, &payload, &why) != TF_OK) {
		tf_audit_trouble(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "its statement is missing", &why);
		goto out;
	}
	tf_sha256(payload.p, payload.n, &h);
	if (memcmp(&h, &e->statement.payload, sizeof(h)) != 0 ||
	    payload.n != e->statement.size) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "its statement is altered");
		goto out;
	}
	if (!says_the_same(a, e, &x->statement, &payload))
		tf_audit_finding(a, TF_CHECK_ENTRIES, e->seq, e->path,
		    "its statement says something else than the entries");
	check_signature(a, e, x->attester, &payload);
out:
	tf_buf_free(&payload);
}
