/* Keys that rotations replaced, and their end: see core/sign. */
#ifndef TF_SEAL_OLD_KEY_H
#define TF_SEAL_OLD_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_vault;

/* How long the old key of the log signs beside the new one, from the time of the
 * entry that replaced it. */
#define TF_OVERLAP_S ((int64_t)30 * 86400)

#define TF_KEY_ID_SIZE 9 /* the eight digits of a vkey, and a NUL */

/* Write to id the old key of the log that signs beside the new one; "": none. */
void tf_old_key_find(struct tf_vault *v, char id[TF_KEY_ID_SIZE]);

/*
 * After a rotation: have the signer wipe what nobody needs any more, and tell the
 * operator that this was done, or why not; then the next start tries again.  log:
 * the key of the log was replaced, and before that tf_old_key_find() found `before`.
 * The caller holds no lock.
 */
void tf_old_key_replaced(struct tf_vault *v, bool log,
    const char before[TF_KEY_ID_SIZE]);

/*
 * If the overlap of the last rotation is over, and the old key of the log still
 * signs, have the signer wipe it, and tell the operator.  Sets v->retire_ns to the
 * next time for this call.  The newest checkpoint is loaded, and the caller holds
 * no lock.
 */
void tf_old_key_retire(struct tf_vault *v);

#endif
