/*
 * Sealing files: each gets its evidence.sealed entry.
 *
 *     claim (caller) -> tf_seal_prepare -> commit (tf_seal_one) ->
 *     tf_seal_settle -> tf_stage_remove -> end of the claim
 *
 * tf_seal_files() does all of this for claimed files.  seal_dir.c and rename.c
 * use the parts, of seal_prepare.h and seal_one.h, because their transaction
 * holds more than the files.
 */
#ifndef TF_SEAL_SEAL_H
#define TF_SEAL_SEAL_H

#include <stddef.h>

#include "../error.h"

struct tf_pending;
struct tf_vault;

#define TF_SEAL_RETRY_NS 5000000000u /* after a seal that failed */
#define TF_SEAL_MAX 256		     /* files in one transaction */

/*
 * Seal the files l[0..n), which the caller has claimed, in one transaction; if
 * that fails, each in a transaction of its own.  A file that fails is reported
 * to the operator and due again after TF_SEAL_RETRY_NS.  Returns the first
 * failure.  The claims have ended in any case.  No lock is held.
 */
enum tf_code tf_seal_claimed(struct tf_vault *v, struct tf_pending **l,
    size_t n, struct tf_error *err);

/* After the commit: l and the directories above it that got an entry are no
 * longer pending.  The caller holds mu; the claim on l stays. */
void tf_seal_settle(struct tf_vault *v, struct tf_pending *l);

/* Seal the files l[0..n), which the caller has claimed, in one transaction: all
 * or none.  Sorts l.  The claims have ended in any case.  cause: of the
 * entries, or NULL.  No lock is held. */
TF_MUST_USE enum tf_code tf_seal_files(struct tf_vault *v,
    struct tf_pending **l, size_t n, const char *cause, struct tf_error *err);

#endif
