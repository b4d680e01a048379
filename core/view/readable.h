/*
 * What the asker of a view may read of what the view's files speak of: the one
 * rule for lists, pages, events, proofs and packages.
 *
 * He may read a thing when the ordinary permissions let him, from the root
 * down: search on each directory above it, and read on it (of a directory:
 * read and search).  Modes are those that stat(2) shows now.  Who may read all
 * (tf_view.all) is never looked at, and costs nothing.
 * Errors: those of the vault.
 */
#ifndef TF_VIEW_READABLE_H
#define TF_VIEW_READABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_evidence;
struct tf_json;
struct tf_node_row;
struct tf_view;

/* May he read node id?  row: the same for a row of the node table. */
TF_MUST_USE enum tf_code tf_may_read(struct tf_view *w, uint64_t id, bool *may,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_may_read_row(struct tf_view *w,
    const struct tf_node_row *row, bool *may, struct tf_error *err);
/* The path of node id, for a list of j, if he may read it: false when not, and
 * when it is gone meanwhile.  Want of memory fails j. */
bool tf_path_to_show(struct tf_view *w, uint64_t id, struct tf_buf *path,
    struct tf_json *j);
/* Node id, and all that is in the ledger below it?  Digests of lists and
 * packages are of that: who knows all but a short secret could guess it. */
TF_MUST_USE enum tf_code tf_may_read_whole(struct tf_view *w, uint64_t id,
    bool *may, struct tf_error *err);
/* The evidence of an attestation that he may read; e->left_out is the rest. */
TF_MUST_USE enum tf_code tf_readable_evidence(struct tf_view *w, uint64_t id,
    struct tf_evidence *e, struct tf_error *err);
/* What this entry speaks of?  An entry about the vault itself: yes. */
TF_MUST_USE enum tf_code tf_may_read_entry(struct tf_view *w,
    const struct tf_buf *entry, bool *may, struct tf_error *err);

#endif
