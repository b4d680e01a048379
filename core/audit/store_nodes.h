/*
 * The node table of a store against the entries (I5).  The functions are
 * callbacks of struct tf_source; the source is a tf_audit_store.
 */
#ifndef TF_AUDIT_STORE_NODES_H
#define TF_AUDIT_STORE_NODES_H

#include "../error.h"

struct tf_audit;
struct tf_entry;
struct tf_replay_effect;

/* Compare the row and the attributes of evidence with its entry, and queue its
 * bytes.  Directories are compared at the end. */
TF_MUST_USE enum tf_code tf_audit_store_created(struct tf_audit *a,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    struct tf_error *err);

/* Remember to compare the access of e->path at the end. */
void tf_audit_store_access(struct tf_audit *a, const struct tf_entry *e);

/* Compare directories, changed access, sums, and rows that no entry names. */
TF_MUST_USE enum tf_code tf_audit_store_end(struct tf_audit *a,
    struct tf_error *err);

#endif
