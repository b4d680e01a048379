/*
 * Replay of the entries that protect: hold.placed, hold.released and
 * retention.set; and of the redactions, which they refuse.  Each function
 * checks the rules of its type and applies its effect.  Result: TF_OK,
 * TF_REPLAY_REPORTED if a rule is broken (no effect), or an error of the table.
 */
#ifndef TF_LEDGER_REPLAY_PROTECT_H
#define TF_LEDGER_REPLAY_PROTECT_H

#include "replay_state.h"

/* The name stands at that path, or no longer does.  It must not have stood, or
 * have stood, before. */
TF_MUST_USE enum tf_code tf_replay_hold(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/* The retention is added to those that the directory has. */
TF_MUST_USE enum tf_code tf_replay_retention_set(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
/* Remember where the entry names texts that stand apart. */
TF_MUST_USE enum tf_code tf_replay_texts(struct tf_replay *r,
    const struct tf_entry *e, struct tf_error *err);
/* The entry is about evidence that nothing protects; redaction.done: another
 * person approves the newest proposal, by the rules of redaction.h. */
TF_MUST_USE enum tf_code tf_replay_redaction_proposed(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_redaction_done(struct tf_replay *r,
    const struct tf_entry *e, struct tf_replay_effect *out,
    struct tf_error *err);

#endif
