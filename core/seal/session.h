/* The entries about a process: the first, the last, one per day. */
#ifndef TF_SEAL_SESSION_H
#define TF_SEAL_SESSION_H

#include "../error.h"

struct tf_buf;
struct tf_entry_decoded;
struct tf_home;
struct tf_recovery;
struct tf_vault;
struct tf_vault_options;

/* Append ledger.opened, with o's mount and actor, the home and, under a new
 * origin, what recovery has (else NULL).  Durable on TF_OK. */
TF_MUST_USE enum tf_code tf_append_opened(struct tf_vault *v,
    const struct tf_vault_options *o, const struct tf_home *home,
    const struct tf_recovery *recovery, struct tf_error *err);

/* Load the last ledger.opened, as tf_load_entry() does.  d stays {0}, with TF_OK,
 * if a program of an earlier version wrote it. */
TF_MUST_USE enum tf_code tf_session_last(struct tf_vault *v,
    struct tf_buf *text, struct tf_entry_decoded *d, struct tf_error *err);

/* Append clock.observed, unless the kernel does not tell the clock's state. */
TF_MUST_USE enum tf_code tf_append_clock(struct tf_vault *v,
    struct tf_error *err);

/* Append ledger.closed with the reason and the number of refused attempts.
 * Durable on TF_OK; the caller lets nobody append afterwards.  Errors of all:
 * TF_NOMEM and those of a commit.  No lock is held. */
TF_MUST_USE enum tf_code tf_append_closed(struct tf_vault *v,
    const char *reason, struct tf_error *err);

#endif
