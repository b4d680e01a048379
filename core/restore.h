/*
 * Making a vault from a mirror or a backup, when the vault is lost.
 */
#ifndef TF_RESTORE_H
#define TF_RESTORE_H

#include "backup.h"
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

/* What a restoration from a backup tells. */
struct tf_restored {
	struct tf_backed_up copy; /* of the backup to the new store */
	char format[16]; /* that the backup had, if upgraded; else "" */
	/* The guard that the lost store had: its file, and the entries that it
	 * has seen.  0: there is none, or it is not newer than the backup. */
	char guard[256];
	uint64_t guard_entries;
	struct tf_buf vkey; /* of the new store; the caller frees it */
};

/*
 * The same from the backup b->store, to the store b->dir, with b->keys under the
 * keys that are in the backup.  Files that were not sealed are recovered, as after
 * a power cut.
 *
 * On failure or after a crash the same call goes on with what was copied; no
 * writer opens the store before.  Errors: those of tf_backup_make, and TF_EXISTS
 * b->dir holds something else.
 */
TF_MUST_USE enum tf_code tf_restore_backup(const struct tf_backup *b,
    const char *origin, const struct tf_actor *actor, struct tf_restored *out,
    struct tf_error *err);

#endif
