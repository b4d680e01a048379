/* The entries about a directory and the nodes below it. */
#ifndef TF_VIEW_EVENTS_H
#define TF_VIEW_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "unindexed.h"

struct tf_buf;
struct tf_view;

/*
 * Collect the entries about directory id (a root, trail, workflow or
 * attestation) and the nodes up to `levels` levels below it; with `unindexed`,
 * only the entries that no row of table node refers to.  The list may hold
 * entries about other paths: check each with tf_is_below.  The caller frees
 * *out.
 */
TF_MUST_USE enum tf_code tf_view_collect(struct tf_view *w, uint64_t id,
    unsigned levels, bool unindexed, struct tf_seqs *out, struct tf_error *err);

/* True if the entry is about a path at or below dir, the path of such a
 * directory.  Entries about the vault itself have no path: false. */
bool tf_is_below(const struct tf_buf *entry, const struct tf_buf *dir);

#endif
