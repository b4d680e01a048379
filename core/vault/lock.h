/* The lock of a store, flock(2) on STORE/lock: one writer, or any number of
 * readers.  It is held until v->lockfd is closed. */
#ifndef TF_VAULT_LOCK_H
#define TF_VAULT_LOCK_H

#include <stdbool.h>

#include "../error.h"

struct tf_vault;

/* Take the lock for a writer and write who we are into it.  TF_LOCKED: another
 * process has it; err names that.  TF_IO: the lock or its text failed.  Waits
 * for a holder that is closing the store, for no other.  On failure, too, v->lockfd may be open: the caller closes it. */
enum tf_code tf_vault_lock(struct tf_vault *v, struct tf_error *err);

/*
 * Take the lock for a mount that reads.  *grows: the store is a mirror, whose writer
 * may add entries meanwhile; only who deletes bytes of it is kept out.  A mirror that
 * lacks the files of the log, which a mount cannot make, is locked as other stores.
 * A store without a lock that we may read is a copy, or belongs to another user:
 * TF_OK.  TF_LOCKED: a writer has it.  Waits as tf_vault_lock does.
 */
TF_MUST_USE enum tf_code tf_vault_lock_shared(struct tf_vault *v, bool *grows,
    struct tf_error *err);

/* Write into the lock that this writer closes the store: whoever opens it next
 * waits. */
void tf_vault_lock_closing(struct tf_vault *v);

#endif
