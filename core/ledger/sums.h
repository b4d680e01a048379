/*
 * SHA256SUMS of the evidence of an attestation, and of the leaves of sealed
 * children: the text that sha256sum(1) prints, and its digest.
 */
#ifndef TF_LEDGER_SUMS_H
#define TF_LEDGER_SUMS_H

#include "../json.h"

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

/*
 * Append one line of SHA256SUMS to out: "HEX  NAME" LF, as sha256sum prints it,
 * with '\' in name escaped.
 */
void tf_sums_line(struct tf_buf *out, const struct tf_hash *h, const char *name,
    size_t n);

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

#endif
