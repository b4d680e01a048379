/*
 * The field `run` of verify.done and verify.failed: which contents were read, how
 * long that took, and the verdict.  A verification always checks all entries, names and the tree;
 * it may leave out old contents, of which it then reads a part.  All functions
 * are pure.
 */
#ifndef TF_LEDGER_VERIFY_RUN_H
#define TF_LEDGER_VERIFY_RUN_H

#include <stdbool.h>

#include "../json.h"
#include "../verify.h"

/* The verdicts.  Later versions may add words. */
#define TF_VERIFY_OK "ok" /* of every verify.done */
#define TF_VERIFY_WRONG "failed"
#define TF_VERIFY_UNUSUAL "unusual"	/* nothing that is about evidence */
#define TF_VERIFY_UNDECIDED "undecided" /* something could not be checked */

struct tf_verify_run {
	struct tf_verify_scope scope;
	uint64_t seconds;
	char verdict[TF_VERIFY_WORD + 1]; /* ""; is written as TF_VERIFY_OK */
	/* Of another verdict than TF_VERIFY_OK: the entries of the tree that was
	 * verified, 0 if that is not known, and the number of findings. */
	uint64_t entries, findings;
};

/* True if it is the verdict of a verify.failed. */
bool tf_verify_is_bad(const char *verdict);

/* Append it to out, canonical JSON. */
TF_MUST_USE enum tf_code tf_verify_run_text(const struct tf_verify_run *run,
    struct tf_buf *out, struct tf_error *err);

/* Read it; text.p NULL, as in entries of earlier versions: everything was read.
 * TF_INVALID: members that do not fit each other; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_verify_run_read(struct tf_str text,
    struct tf_verify_run *out, struct tf_error *err);

/* Is an object of that digest in the part that the scope reads? */
bool tf_verify_in_part(const struct tf_verify_scope *s,
    const struct tf_hash *sha256);

#endif
