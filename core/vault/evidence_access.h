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

/* Is this change, from a to the fields of want that mask names, one of them? */
bool tf_evidence_only_access(const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want);
/* Make such a change of file id, with an access.changed entry.  Durable on
 * TF_OK; the times of the file stay.  TF_SEALED: something else would change.
 * TF_DENIED: who is neither the owner nor root.  No lock is held. */
TF_MUST_USE enum tf_code tf_evidence_set_access(struct tf_vault *v, uint64_t id,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err);

#endif
