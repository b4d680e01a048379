/*
 * The in-toto Statement v1 of a sealed attestation, in a DSSE envelope.
 * trailfs-format(5) has the schema and the rules by which statement and entry
 * agree.
 */
#ifndef TF_LEDGER_STATEMENT_H
#define TF_LEDGER_STATEMENT_H

#include "../base/crypto.h"
#include "entry.h"

#define TF_STATEMENT_TYPE "application/vnd.in-toto+json"
#define TF_PREDICATE_TYPE "https://trailfs.example/attestation/v1"
#define TF_STATEMENT_SUBJECTS 1024

/* One evidence file; name relative to the attestation. */
struct tf_subject_file {
	struct tf_str name;
	struct tf_hash sha256;
	uint64_t size;
	uint64_t seq; /* of its entry; set only where a caller needs it */
};

/* Number and size of some files, and the digest of their SHA256SUMS. */
struct tf_sums {
	uint64_t count, bytes;
	struct tf_hash sums;
};

struct tf_statement {
	struct tf_str origin, host;
	struct tf_str trail, workflow, attestation; /* without "@N" */
	unsigned version; /* 1 when there is no "@N" */
	bool has_template;
	uint64_t template_version;
	struct tf_str actor, cause, claims, claimants, evaluated; /* raw but
							cause; or absent */
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

/*
 * Compute the sums of files one by one.  add takes the files in the order of
 * their names as bytes: TF_INVALID when the order is wrong, TF_TOOBIG when the
 * sizes are too large.  end stores the sums and frees s in every case; s NULL,
 * from a failed new, gives TF_NOMEM.
 */
struct tf_summer;
struct tf_summer *tf_summer_new(void);
TF_MUST_USE enum tf_code tf_summer_add(struct tf_summer *s,
    const struct tf_subject_file *f, struct tf_error *err);
TF_MUST_USE enum tf_code tf_summer_end(struct tf_summer *s, struct tf_sums *out,
    struct tf_error *err);
void tf_summer_free(struct tf_summer *s);
/* Compute the sums of an array of n files, with the same order and errors. */
TF_MUST_USE enum tf_code tf_sums(const struct tf_subject_file *files, size_t n,
    struct tf_sums *out, struct tf_error *err);

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
