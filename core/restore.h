/*
 * Making a vault from a mirror, when the machine of the vault is lost.
 */
#ifndef TF_RESTORE_H
#define TF_RESTORE_H

#include "json.h"
#include "types.h"

struct tf_actor;

/*
 * Make the store at path, which is absent or an empty directory, from the mirror
 * (or other store) at from, which is only read.  Every entry is checked and every
 * object is hashed on the way.
 *
 * The vault has new keys and the new origin, because the old ones may still be
 * in use elsewhere: its first new entry, ledger.opened, states that the ledger of
 * the mirror ends there.  The new vkey is appended to vkey.  Proofs and
 * checkpoints of the old part stay good under the old key.
 *
 * On failure what was made is removed, unless that fails too.
 * Errors: TF_EXISTS; TF_USAGE the origin is malformed, or one of the log;
 * TF_TAMPER an entry breaks a rule, an object is missing or altered; those of
 * reading and of tf_vault_open.
 */
TF_MUST_USE enum tf_code tf_restore(const char *from, const char *path,
    const char *origin, const struct tf_actor *actor, struct tf_buf *vkey,
    struct tf_error *err);

#endif
