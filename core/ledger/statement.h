/*
 * The in-toto Statement v1 of a sealed attestation, in a DSSE envelope.
 * trailfs-json(5) has the schema and the rules by which statement and entry
 * agree.
 */
#ifndef TF_LEDGER_STATEMENT_H
#define TF_LEDGER_STATEMENT_H

#include "../base/crypto.h"
#include "entry.h"
#include "sums.h"

#define TF_STATEMENT_TYPE "application/vnd.in-toto+json"
#define TF_PREDICATE_TYPE "https://trailfs.example/attestation/v1"
#define TF_STATEMENT_SUBJECTS 1024

struct tf_statement {
	struct tf_str origin, host;
	struct tf_str trail, workflow, attestation; /* without "@N" */
	unsigned version; /* 1 when there is no "@N" */
	bool has_template;
	uint64_t template_version;
	/* All raw but cause; or absent. */
	struct tf_str actor, cause, claims, claimants, evaluated, imported;
	bool has_written; /* there is evidence */
	struct tf_time first_written, last_written;
	struct tf_time sealed_at;
	bool has_previous;
	struct tf_hash previous; /* payload digest of version N-1 */
	struct tf_sums evidence;
	const struct tf_subject_file *files; /* evidence.count of them, sorted
	    by name as bytes; ignored when there are more than
	    TF_STATEMENT_SUBJECTS */
};

/* Append the payload to out: canonical JSON of any length. */
TF_MUST_USE enum tf_code tf_statement_encode(const struct tf_statement *s,
    struct tf_buf *out, struct tf_error *err);

/* Append the DSSE PAE of a payload of type TF_STATEMENT_TYPE to out. */
void tf_dsse_pae(const void *payload, size_t n, struct tf_buf *out);
/* Write the key ID to out: "SHA256:" and the OpenSSH fingerprint of the key. */
#define TF_KEYID_LEN 50
void tf_dsse_keyid(const struct tf_pubkey *pub, char out[TF_KEYID_LEN + 1]);
/* Append the DSSE envelope to out. */
void tf_dsse_envelope(const void *payload, size_t n, const char *keyid,
    const uint8_t sig[TF_SIG_LEN], struct tf_buf *out);
/*
 * Append a Sigstore bundle v0.3 to out, with that envelope and keyid as the
 * hint for the key.
 */
void tf_dsse_bundle(const void *payload, size_t n, const char *keyid,
    const uint8_t sig[TF_SIG_LEN], struct tf_buf *out);

#endif
