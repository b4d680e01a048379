/*
 * Replay of the entries that seal an attestation, a workflow or a trail.
 * Each function checks the rules of its type and applies its effect.  Result:
 * TF_OK, TF_REPLAY_REPORTED if a rule is broken (no effect), or an error of the
 * table.
 */
#ifndef TF_LEDGER_REPLAY_SEAL_H
#define TF_LEDGER_REPLAY_SEAL_H

#include "replay_state.h"

/*
 * out becomes the statement that the attestation must have.  It points into r
 * and e.
 */
TF_MUST_USE enum tf_code tf_replay_attestation_sealed(struct tf_replay *r,
    const struct tf_entry *e, const struct tf_hash *leaf,
    struct tf_replay_effect *out, struct tf_error *err);
/* workflow: seal a workflow, else a trail. */
TF_MUST_USE enum tf_code tf_replay_parent_sealed(struct tf_replay *r,
    const struct tf_entry *e, bool workflow, const struct tf_hash *leaf,
    struct tf_error *err);

#endif
