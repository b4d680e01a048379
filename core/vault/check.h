/*
 * Sealed objects are hashed at their first open since the vault was opened,
 * and compared with what their entries say.  Each once, however many open it.
 * A long one nobody waits for: it is read while it is hashed, and when it turns
 * out to be altered it is read no more, until an open finds that its bytes are
 * right again.
 */
#ifndef TF_VAULT_CHECK_H
#define TF_VAULT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_object_row;
struct tf_vault;

#define TF_CHECK_WAIT ((uint64_t)64 << 20) /* bytes that an open waits for */

/*
 * Is object number id, which has a file of its own, what o says?  node is to be
 * read by uid.  *pending: that is not known yet, and the answer is TF_OK.
 * TF_TAMPER; TF_INTERRUPTED.  No lock is held.
 */
TF_MUST_USE enum tf_code tf_check_object(struct tf_vault *v, uint64_t id,
    const struct tf_object_row *o, uint64_t node, uint32_t uid, bool *pending,
    struct tf_error *err);
/* What is known by now of a pending one. */
TF_MUST_USE enum tf_code tf_check_known(struct tf_vault *v, uint64_t id,
    bool *pending, struct tf_error *err);

#endif
