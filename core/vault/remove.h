/* Removing pending nodes.  The caller holds mu unless a comment says otherwise.
 */
#ifndef TF_VAULT_REMOVE_H
#define TF_VAULT_REMOVE_H

#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_node_row;
struct tf_pending;
struct tf_txn;
struct tf_vault;

/* Find the child of that name.  A pending one is claimed, with a reference, and
 * in *out; if it owes an entry, this waits for it.  Of a committed one *out is
 * NULL and *row is filled.  TF_NOTFOUND: neither.  TF_INTERRUPTED, TF_IO: the
 * entry did not come.  Lets go of mu while it waits, so the caller checks again
 * what it knew; the caller has no claim, and ends the one that it gets. */
TF_MUST_USE enum tf_code tf_claim_child(struct tf_vault *v, struct tf_db *db,
    uint64_t parent, const char *name, struct tf_pending **out,
    struct tf_node_row *row, struct tf_error *err);

/* Remove a claimed pending node for good: first its rows, in a transaction and
 * without mu; then, with mu, its name and what is in memory.  tf_drop_rows() is
 * a function for tf_commit_wait() or a part of one; when its transaction fails,
 * the rows stay and tf_drop_pending() must not be called. */
TF_MUST_USE enum tf_code tf_drop_rows(struct tf_txn *t, void *pending,
    struct tf_error *err);

void tf_drop_pending(struct tf_vault *v, struct tf_pending *l);

#endif
