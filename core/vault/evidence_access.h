/*
 * Access to sealed evidence.  Its owner and root may change the read bits of
 * its mode, and its group.  Nothing else of it can change.
 */
#ifndef TF_VAULT_EVIDENCE_ACCESS_H
#define TF_VAULT_EVIDENCE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/* Is this change, from a to the fields of want that mask names, one of them?
 * Pure.  An equal value is no change. */
bool tf_evidence_only_access(const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want);
/*
 * Make such a change of file id, with an access.changed entry.  Durable on
 * TF_OK; the times of the file stay.  On failure nothing has changed.
 *
 * TF_SEALED: something else would change.  TF_DENIED: who is neither the owner
 * nor root.  TF_READONLY: the vault accepts no changes.  Others: TF_NOTFOUND,
 * TF_NOSPACE, TF_NOMEM and those of a commit.  Safe from many threads at once;
 * no lock is held.
 */
TF_MUST_USE enum tf_code tf_evidence_set_access(struct tf_vault *v, uint64_t id,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err);

#endif
