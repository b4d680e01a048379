/*
 * The field `run` of verify.done: which contents were read, how long that took,
 * and the verdict.  A verification always checks all entries, names and the tree;
 * it may leave out old contents, of which it then reads a part.  All functions
 * are pure.
 */
#ifndef TF_LEDGER_VERIFY_RUN_H
#define TF_LEDGER_VERIFY_RUN_H

#include "../json.h"
#include "../verify.h"

struct tf_verify_run {
	struct tf_verify_scope scope;
	uint64_t seconds;
};

/* Append it to out, canonical JSON.  The verdict is "ok": others are not
 * recorded. */
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
