/*
 * The entries of an organisation's log, judged: its own by ledger/organisation.h, and
 * those of each member as the entries of a vault, by a replay of its own.
 *
 * The entries come as they are published: without the checkpoints of the members.  So
 * an entry belongs to the origin that it names itself.
 */
#ifndef TF_AUDIT_ORGANISATION_H
#define TF_AUDIT_ORGANISATION_H

#include "../error.h"
#include "../types.h"

struct tf_audit;
struct tf_audit_org;
struct tf_entry;

/* Begin, if the bytes of entry 0, which is e, open an organisation: *out stays NULL
 * otherwise. */
TF_MUST_USE enum tf_code tf_audit_org_new(struct tf_audit *a,
    const struct tf_entry *e, struct tf_str bytes, struct tf_audit_org **out,
    struct tf_error *err);
void tf_audit_org_free(struct tf_audit_org *o);
/* Check the next entry. */
TF_MUST_USE enum tf_code tf_audit_org_entry(struct tf_audit *a, uint64_t idx,
    const struct tf_entry *e, struct tf_str bytes, const struct tf_hash *leaf,
    struct tf_error *err);
/* Check what only the end shows. */
TF_MUST_USE enum tf_code tf_audit_org_end(struct tf_audit *a,
    struct tf_error *err);

#endif
