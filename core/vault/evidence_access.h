/*
 * Access of sealed evidence: its owner and root may change who reads it, which
 * are the reading bits of its mode and its group.  Everything else stays.
 */
#ifndef TF_VAULT_EVIDENCE_ACCESS_H
#define TF_VAULT_EVIDENCE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/* Does a change from a to want, of what mask names, touch only that? */
bool tf_evidence_only_access(const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want);
/* Make it, with an access.changed entry.  The times of the evidence stay.
 * TF_SEALED when more than that would change; TF_DENIED. */
TF_MUST_USE enum tf_code tf_evidence_set_access(struct tf_vault *v, uint64_t id,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err);

#endif
