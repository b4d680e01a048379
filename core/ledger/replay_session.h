/*
 * Replay of ledger.opened, key.rotated, anchor.added and verify.*: origin,
 * store, keys in force.
 * Each function checks the rules of its type and applies its effect.  Result:
 * TF_OK, TF_REPLAY_REPORTED if a rule is broken (no effect), or an error of the
 * table.
 */
#ifndef TF_LEDGER_REPLAY_SESSION_H
#define TF_LEDGER_REPLAY_SESSION_H

#include "replay_state.h"

/* Check that the entry has the current origin. */
TF_MUST_USE enum tf_code tf_replay_check_origin(struct tf_replay *r,
    const struct tf_entry *e);
/* The first one creates the root.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_replay_opened(struct tf_replay *r,
    const struct tf_entry *e);
/* The new key is in force from the next entry on.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_replay_key_rotated(struct tf_replay *r,
    const struct tf_entry *e);
/* No effect on the tree of names. */
TF_MUST_USE enum tf_code tf_replay_anchor_added(struct tf_replay *r,
    const struct tf_entry *e);
TF_MUST_USE enum tf_code tf_replay_verify_done(struct tf_replay *r,
    const struct tf_entry *e);
TF_MUST_USE enum tf_code tf_replay_verify_failed(struct tf_replay *r,
    const struct tf_entry *e);

#endif
