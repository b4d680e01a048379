/*
 * The rule that decides which nodes the asker of a view may read.  Lists,
 * pages, events, proofs and packages all use it.
 *
 * The asker may read a node if the POSIX permissions allow it from the root
 * down: search on each directory above the node, and read on the node (on a
 * directory: read and search).  The modes are those that stat(2) shows now.  An
 * asker who may read everything (tf_view.all) passes without any look-up.
 * Errors: those that vault.h lists for every call.
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

/* *may becomes true if the asker may read node id, or the node of row. */
TF_MUST_USE enum tf_code tf_may_read(struct tf_view *w, uint64_t id, bool *may,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_may_read_row(struct tf_view *w,
    const struct tf_node_row *row, bool *may, struct tf_error *err);
/* *may becomes true if the asker may open template.yml of the trail, which only
 * its owner and its group may. */
TF_MUST_USE enum tf_code tf_may_read_template(struct tf_view *w, uint64_t trail,
    bool *may, struct tf_error *err);
/* Append the path of node id to path, for a list in j.  False: the asker may
 * not read the node, or it no longer exists.  An error that leaves this
 * undecided makes j fail. */
bool tf_path_to_show(struct tf_view *w, uint64_t id, struct tf_buf *path,
    struct tf_json *j);
/* *may becomes true if the asker may read node id and every node in the ledger
 * below it.  Digests of whole lists and packages need this: an asker who knows
 * all files except a short secret could find the secret by trying. */
TF_MUST_USE enum tf_code tf_may_read_whole(struct tf_view *w, uint64_t id,
    bool *may, struct tf_error *err);
/* List the evidence of attestation id that the asker may read; e->left_out
 * becomes the number of the other files. */
TF_MUST_USE enum tf_code tf_readable_evidence(struct tf_view *w, uint64_t id,
    struct tf_evidence *e, struct tf_error *err);
/* *may becomes true if the asker may read the node that the entry is about.  An
 * entry about the vault itself is readable for everyone. */
TF_MUST_USE enum tf_code tf_may_read_entry(struct tf_view *w,
    const struct tf_buf *entry, bool *may, struct tf_error *err);

#endif
