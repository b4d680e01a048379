/*
 * .trailfs/at: the tree as it was.
 *
 * at/MOMENT (core/past.h) stands for the directory that has the .trailfs, as it
 * was.  Below it are the names of that moment, and in each directory a .trailfs
 * with the files that follow from the ledger.  Nodes of directories and of
 * evidence say everything in their id, so these functions keep nothing; they may
 * be called from any thread.
 */
#ifndef FS_CONTROL_PAST_H
#define FS_CONTROL_PAST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/vault.h"

/* Is ino a directory or evidence as it was, and not what is in a .trailfs? */
bool fs_past_is_node(uint64_t ino);
/* Such a node's node of the vault. */
uint64_t fs_past_node(uint64_t ino);
/* Set *ino and *st to the child `name` of directory parent, which is such a
 * node.  TF_NOTFOUND, TF_NOTDIR; those of past.h. */
TF_MUST_USE enum tf_code fs_past_lookup(struct tf_vault *v, uint64_t parent,
    const char *name, uint64_t *ino, struct stat *st, struct tf_error *err);
/* *st of such a node. */
TF_MUST_USE enum tf_code fs_past_stat(struct tf_vault *v, uint64_t ino,
    struct stat *st, struct tf_error *err);
/* Append attribute `name` of such a node, or the list of its attributes if name
 * is NULL.  TF_NODATA. */
TF_MUST_USE enum tf_code fs_past_xattr(struct tf_vault *v, uint64_t ino,
    const char *name, struct tf_buf *out, struct tf_error *err);

#endif
