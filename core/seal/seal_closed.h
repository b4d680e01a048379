/*
 * Sealing the directories that chmod(2) closed; close_dir.h has their states.
 *
 * Unless a comment says otherwise: callable from any thread, without vault.mu
 * and without a claim.  Errors beside those named: TF_IO and its sharper
 * forms, TF_NOMEM, TF_INTERRUPTED.
 */
#ifndef TF_SEAL_SEAL_CLOSED_H
#define TF_SEAL_SEAL_CLOSED_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_vault;

/* Seal directory id now if it is closed, and before that all closed directories
 * in it.  TF_OK also when it is not closed.  Waits for work below it. */
TF_MUST_USE enum tf_code tf_closed_seal(struct tf_vault *v, uint64_t id,
    struct tf_error *err);
/*
 * The same for the sealer, which does not wait: TF_BUSY when there is work
 * below.  After a failure the directory is due again some seconds later; any
 * failure but TF_BUSY is reported to the operator.
 */
enum tf_code tf_closed_seal_due(struct tf_vault *v, uint64_t id);
/* Seal every closed directory at or below id that who may seal: its owner or
 * root.  A failure does not keep the others from being sealed; the last one is
 * returned. */
TF_MUST_USE enum tf_code tf_closed_sync(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);
/* The same when the vault closes, for every user.  A mount does not wait until
 * evidence is judged: such directories stay closed until the next start. */
TF_MUST_USE enum tf_code tf_closed_finish(struct tf_vault *v,
    struct tf_error *err);
/* Before NAME@N is made in workflow wf: seal the version before it if that one
 * is closed.  TF_OK when there is nothing to seal. */
TF_MUST_USE enum tf_code tf_closed_before(struct tf_vault *v, uint64_t wf,
    const char *name, struct tf_error *err);
/* Load the rows of table closing and seal what is ready; the sealer seals the
 * rest.  At the start of a vault, before there are other callers. */
TF_MUST_USE enum tf_code tf_closed_recover(struct tf_vault *v,
    struct tf_error *err);

#endif
