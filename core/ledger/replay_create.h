/*
 * Replay of the entries that create a name.
 * Each function checks the rules of its type and applies its effect.  Result:
 * TF_OK, TF_REPLAY_REPORTED if a rule is broken (no effect), or an error of the
 * table.
 */
#ifndef TF_LEDGER_REPLAY_CREATE_H
#define TF_LEDGER_REPLAY_CREATE_H

#include "replay_state.h"

/* kind is the kind that the type of the entry creates; leaf its leaf hash. */
TF_MUST_USE enum tf_code tf_replay_directory_created(struct tf_replay *r,
    const struct tf_entry *e, enum tf_kind kind, const struct tf_hash *leaf,
    struct tf_replay_effect *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_evidence_sealed(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);

#endif
