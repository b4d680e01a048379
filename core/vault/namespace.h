/*
 * What namespace.c shares with the rest of the room.  The caller holds mu
 * unless a comment says otherwise.
 */
#ifndef TF_VAULT_NAMESPACE_H
#define TF_VAULT_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "../commit/withhold.h"
#include "../ledger/policy.h"

struct tf_db;
struct tf_pending;
struct tf_place;
struct tf_vault;

/*
 * May a name be made in directory parent?  Fills *p.  While a seal of a
 * directory above is being decided, this waits, or returns TF_BUSY without
 * wait.  A caller with a claim must not wait: the seal waits for that claim.
 * TF_READONLY: sealed or closed.  TF_NOTFOUND: no such directory.  The answer
 * is true until the caller lets go of mu.
 */
TF_MUST_USE enum tf_code tf_may_add(struct tf_vault *v, struct tf_db *db,
    uint64_t parent, const struct tf_actor *who, bool wait, struct tf_place *p,
    struct tf_error *err);
/* Is the name legal for that kind and free in place p?  TF_EXISTS: it is taken.
 */
TF_MUST_USE enum tf_code tf_may_call(struct tf_vault *v, struct tf_db *db,
    const struct tf_place *p, enum tf_kind kind, const char *name,
    struct tf_error *err);
/* Would a file with that name in place p be a draft? */
bool tf_is_draft(const struct tf_place *p, const char *name);
/* What tf_policy() has to know of a pending directory, for caller.  One below
 * an attestation belongs to its maker and to the owner of the attestation. */
struct tf_subject tf_pending_directory_subject(struct tf_vault *v,
    struct tf_db *db, const struct tf_pending *l, uint32_t caller);
/*
 * l gave up its name and its entry is still owed: until then it can be neither
 * renamed, replaced nor removed.  Wait for a change.  If nobody is at work on
 * the entry, it is tried once more; *tried notes that, and TF_IO says that it
 * failed.  The caller has no claim.
 */
TF_MUST_USE enum tf_code tf_await_entry(struct tf_vault *v,
    struct tf_pending *l, bool *tried, struct tf_error *err);
/* tf_vault_mkdir() with the field `imported` of the entry: raw, or NULL.  mu is
 * not held. */
TF_MUST_USE enum tf_code tf_names_mkdir(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const char *imported,
    const struct tf_actor *who, struct tf_attr *out, struct tf_error *err);
/* The field `imported`: raw, with a NUL, and texts that it names. */
struct tf_imported_field {
	struct tf_buf json;
	struct tf_withhold texts;
};
/* tf_vault_rename() with the field `imported` of the entries that the
 * publication of a draft attestation makes, or NULL.  mu is not held. */
TF_MUST_USE enum tf_code tf_names_rename(struct tf_vault *v, uint64_t parent,
    const char *name, uint64_t new_parent, const char *new_name, bool noreplace,
    const struct tf_imported_field *from, const struct tf_actor *who,
    struct tf_error *err);
/* Make a pending file that who has open for writing; *out has a reference for
 * that handle.  actor: canonical JSON.  Not durable until a flush.  Errors: those
 * of tf_may_add() and tf_may_call(); TF_READONLY, TF_QUOTA, TF_NOMEM; that of a
 * place where no file can be.  mu is not held. */
TF_MUST_USE enum tf_code tf_names_create(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const struct tf_actor *who,
    const char *actor, struct tf_pending **out, struct tf_error *err);

#endif
