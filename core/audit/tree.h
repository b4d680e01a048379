/* The tree of an audit: leaves, tiles and checkpoints of the log (I3). */
#ifndef TF_AUDIT_TREE_H
#define TF_AUDIT_TREE_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_audit;

/* Report the entries from a->next up to upto as missing.  Their stored leaves
 * take their place in the tree, so that the later entries can be checked. */
void tf_audit_missing(struct tf_audit *a, uint64_t upto);

/* Check that the entry is at index idx of the tree, and add its leaf. */
TF_MUST_USE enum tf_code tf_audit_check_place(struct tf_audit *a, uint64_t idx,
    struct tf_str path, const struct tf_hash *leaf, struct tf_error *err);

/* After the last entry: compare the tree with the newest checkpoint, and its
 * size with the earlier checkpoints. */
void tf_audit_check_tree(struct tf_audit *a);

/* Report the caller's checkpoint if it needs a key that no entry has named. */
void tf_audit_unproven(struct tf_audit *a);

#endif
