/* The anchors of a store against the entries (I5).  The source is a
 * tf_audit_store. */
#ifndef TF_AUDIT_STORE_ANCHORS_H
#define TF_AUDIT_STORE_ANCHORS_H

#include "../error.h"

struct tf_audit;
struct tf_entry;

/* Compare the row of an entry anchor.added, judge its tree and its receipt, and
 * queue the bytes that it names. */
TF_MUST_USE enum tf_code tf_audit_store_anchor(struct tf_audit *a,
    const struct tf_entry *e, struct tf_error *err);
/* After the last entry: find rows that no entry made. */
TF_MUST_USE enum tf_code tf_audit_store_anchors_end(struct tf_audit *a,
    struct tf_error *err);

#endif
