/*
 * C2SP tlog-proof: one file that proves one entry.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64>              optional, not authenticated
 *   index <n>
 *   <base64 hash>               inclusion path, leaf side first
 *   <empty line>
 *   <checkpoint, the whole note>
 *
 * trailfs puts the exact bytes of the entry into extra.  The leaf hash
 * authenticates them, so the file alone proves the recorded entry (I6).
 */
#ifndef TF_LEDGER_PROOF_H
#define TF_LEDGER_PROOF_H

#include "checkpoint.h"
#include "merkle.h"

struct tf_tlog_proof {
	uint64_t index;
	struct tf_proof path;
	struct tf_buf extra; /* decoded; empty when there is none */
	struct tf_str note;  /* within the parsed text */
};

/*
 * Append the proof file to out.  extra is the entry's bytes, not yet in base64;
 * p NULL leaves its line out.  note is a whole checkpoint.  Without memory out
 * fails.
 */
void tf_tlog_proof_write(struct tf_buf *out, uint64_t index,
    const struct tf_proof *path, struct tf_str extra, struct tf_str note);

/*
 * Parse n bytes strictly; text must outlive p.  TF_INVALID with the reason.
 * Free p with tf_tlog_proof_free on success and on failure.
 */
TF_MUST_USE enum tf_code tf_tlog_proof_parse(const char *text, size_t n,
    struct tf_tlog_proof *p, struct tf_error *err);
void tf_tlog_proof_free(struct tf_tlog_proof *p);

#endif
