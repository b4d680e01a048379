/* What namespace.c shares with the rest of the room.  mu is held for all. */
#ifndef TF_VAULT_NAMESPACE_H
#define TF_VAULT_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/policy.h"

struct tf_db;
struct tf_pending;
struct tf_node_row;
struct tf_place;
struct tf_txn;
struct tf_vault;

/* May a name be born in directory parent?  Fills *p.  While a seal of what is
 * above is being decided: waits, or TF_BUSY.  Who has claimed a pending node
 * must not wait here: the seal waits for him. */
TF_MUST_USE enum tf_code tf_may_add(struct tf_vault *v, struct tf_db *db,
    uint64_t parent, const struct tf_actor *who, bool wait, struct tf_place *p,
    struct tf_error *err);
/* Is the name legal and free there?  TF_EXISTS. */
TF_MUST_USE enum tf_code tf_may_call(struct tf_vault *v, struct tf_db *db,
    const struct tf_place *p, enum tf_kind kind, const char *name,
    struct tf_error *err);
/* Is a file called name in place p a draft? */
bool tf_is_draft(const struct tf_place *p, const char *name);
/* The same of a pending one, for caller.  A directory below an attestation
 * belongs to who made it and to the owner of the attestation. */
struct tf_subject tf_pending_directory_subject(struct tf_vault *v,
    struct tf_db *db, const struct tf_pending *l, uint32_t caller);
/*
 * l gave up its name, and no entry says so yet: until one does it can be
 * neither renamed, replaced nor removed.  Wait for a change; the entry is tried
 * once more if it was not *tried, and nobody is at it.  mu is held, and no
 * claim.
 */
TF_MUST_USE enum tf_code tf_await_entry(struct tf_vault *v,
    struct tf_pending *l, bool *tried, struct tf_error *err);
/* The child of that name: pending and claimed in *out, after its entry if one
 * is owed (tf_await_entry), or NULL there and its row in *row.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_claim_child(struct tf_vault *v, struct tf_db *db,
    uint64_t parent, const char *name, struct tf_pending **out,
    struct tf_node_row *row, struct tf_error *err);
/* Remove a claimed pending node for good: its rows (in a job, mu not held),
 * then what is in memory. */
TF_MUST_USE enum tf_code tf_drop_rows(struct tf_txn *t, void *pending,
    struct tf_error *err);
void tf_drop_pending(struct tf_vault *v, struct tf_pending *l);
/* A new pending file, open once for who, with a reference for that handle; mu
 * is not held. */
TF_MUST_USE enum tf_code tf_names_create(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const struct tf_actor *who,
    const char *actor, struct tf_pending **out, struct tf_error *err);

#endif
