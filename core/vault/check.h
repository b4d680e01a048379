/*
 * Comparing sealed objects with their entries.  An object is hashed once, at
 * its first open since the vault was opened, however many readers open it.  A
 * reader waits for a short object.  A long one is read while it is hashed; if
 * its bytes are wrong, every later read fails, until an open finds them right
 * again.
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
 * Is object number id, which has a file of its own, what o says?  uid is going
 * to read it as node.  TF_OK with *pending: not known yet, the reader asks
 * tf_check_known() later.  TF_TAMPER: it has other bytes.  TF_INTERRUPTED: the
 * caller gave up.  TF_NOMEM, TF_IO: not known either.  May take as long as
 * hashing the object; safe from many threads at once.  No lock is held.
 */
TF_MUST_USE enum tf_code tf_check_object(struct tf_vault *v, uint64_t id,
    const struct tf_object_row *o, uint64_t node, uint32_t uid, bool *pending,
    struct tf_error *err);
/* The same question later, about an object that was pending.  Does not wait.
 * TF_TAMPER, until an open finds the right bytes again.  Takes vault.mu. */
TF_MUST_USE enum tf_code tf_check_known(struct tf_vault *v, uint64_t id,
    bool *pending, struct tf_error *err);

#endif
