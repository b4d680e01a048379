/* The first and the last entry of a process. */
#ifndef TF_SEAL_SESSION_H
#define TF_SEAL_SESSION_H

#include "../error.h"

struct tf_recovery;
struct tf_vault;
struct tf_vault_options;

/* Append ledger.opened, with o's mount and actor and, under a new origin, what
 * recovery has (else NULL).  Durable on TF_OK. */
TF_MUST_USE enum tf_code tf_append_opened(struct tf_vault *v,
    const struct tf_vault_options *o, const struct tf_recovery *recovery,
    struct tf_error *err);

/* Append ledger.closed with the reason and the number of refused attempts.
 * Durable on TF_OK; the caller lets nobody append afterwards.  Errors of both:
 * TF_NOMEM and those of a commit.  No lock is held. */
TF_MUST_USE enum tf_code tf_append_closed(struct tf_vault *v,
    const char *reason, struct tf_error *err);

#endif
