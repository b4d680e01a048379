/* The lock of a store, flock(2) on STORE/lock: one writer, or any number of
 * readers.  It is held until v->lockfd is closed. */
#ifndef TF_VAULT_LOCK_H
#define TF_VAULT_LOCK_H

#include "../error.h"

struct tf_vault;

/* Take the lock for a writer and write who we are into it.  TF_LOCKED: another
 * process has it; err names that.  TF_IO: the lock or its text failed.  Waits
 * for a holder that is closing the store, for no other.  On failure, too, v->lockfd may be open: the caller closes it. */
enum tf_code tf_vault_lock(struct tf_vault *v, struct tf_error *err);

/* Take the lock for a reader.  A store without a lock that we may read is a
 * copy, or belongs to another user: TF_OK.  TF_LOCKED: a writer has it.  Waits as
 * tf_vault_lock does. */
enum tf_code tf_vault_lock_shared(struct tf_vault *v, struct tf_error *err);

/* Write into the lock that this writer closes the store: whoever opens it next
 * waits. */
void tf_vault_lock_closing(struct tf_vault *v);

#endif
