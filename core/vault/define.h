/* What the files of definitions share. */
#ifndef TF_VAULT_DEFINE_H
#define TF_VAULT_DEFINE_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_txn;
struct tf_vault;

/* May who say something about node a?  The kernel has checked that for a mount,
 * by the mode; without one only the owner and root may: TF_DENIED.  Takes no
 * lock. */
TF_MUST_USE enum tf_code tf_may_say(const struct tf_vault *v,
    const struct tf_attr *a, const struct tf_actor *who, struct tf_error *err);

/* In a transaction: TF_SEALED if directory id is sealed, TF_READONLY if chmod
 * closed it, TF_NOTFOUND if it has no entry.  What is refused so stays true until
 * the transaction ends.  Reads only. */
TF_MUST_USE enum tf_code tf_txn_must_be_open(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

#endif
