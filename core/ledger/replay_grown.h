/*
 * Replay of evidence.flushed and evidence.grown, and of the seals and interruptions of files that
 * have such entries.  Each function checks the rules of its type and applies its
 * effect.  Result: TF_OK, TF_REPLAY_REPORTED if a rule is broken (no effect), or
 * an error of the table.
 */
#ifndef TF_LEDGER_REPLAY_GROWN_H
#define TF_LEDGER_REPLAY_GROWN_H

#include "replay_state.h"

/* A file that has no entry of its own yet held that.  No effect. */
TF_MUST_USE enum tf_code tf_replay_evidence_flushed(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);
/* The part follows the one of the entry before. */
TF_MUST_USE enum tf_code tf_replay_evidence_grown(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);
/* What was entered of the file that had the path is no part of evidence. */
TF_MUST_USE enum tf_code tf_replay_evidence_interrupted(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);
/* Report evidence.sealed of a file that is not the one that was entered.
 * Errors: those of the table. */
TF_MUST_USE enum tf_code tf_replay_check_grown(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);

#endif
