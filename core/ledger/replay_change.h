/*
 * Replay of the entries that change what exists.
 * Each function checks the rules of its type and applies its effect.  Result:
 * TF_OK, TF_REPLAY_REPORTED if a rule is broken (no effect), or an error of the
 * table.
 */
#ifndef TF_LEDGER_REPLAY_CHANGE_H
#define TF_LEDGER_REPLAY_CHANGE_H

#include "replay_state.h"

/* A sealed directory gets no write bit; evidence changes only its readers. */
TF_MUST_USE enum tf_code tf_replay_access_changed(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/* The template is that of workflows begun from now on. */
TF_MUST_USE enum tf_code tf_replay_template_set(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/* The type has the next version of its name. */
TF_MUST_USE enum tf_code tf_replay_type_set(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/* Evidence that the trail seals from now on is encrypted. */
TF_MUST_USE enum tf_code tf_replay_recipients_set(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/*
 * Evidence of a trail with recipients is encrypted to one of their versions: that
 * of the moment when a writer closed it.  Also of what a close has entered before
 * the seal.
 */
TF_MUST_USE enum tf_code tf_replay_check_encryption(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);
/* The claims are those of an open trail or workflow. */
TF_MUST_USE enum tf_code tf_replay_claims_set(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/* No effect on the tree; the target must be the seal of the path. */
TF_MUST_USE enum tf_code tf_replay_overridden(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);

/* No effect on the tree; the path must be a trail. */
TF_MUST_USE enum tf_code tf_replay_import_done(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);

#endif
