/*
 * The files under .trailfs: one table row each, in control.c.
 *
 * Their node ids are made of a kind and the id of the directory whose .trailfs
 * it is, so nothing is kept of them but the snapshots that are open.  fstat
 * after open tells the true size, because a size belongs to the inode: it is
 * that of the open snapshot, or of one made for the question (DESIGN.md 5).
 */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/vault.h"

struct fs_control;  /* the open snapshots */
struct fs_snapshot; /* what one file held when it was opened */

/* NULL: no memory. */
struct fs_control *fs_control_new(struct tf_vault *v);
void fs_control_free(struct fs_control *c);

/* Is ino a .trailfs or a file in one? */
bool fs_control_is(uint64_t ino);
/* Is ino a .trailfs? */
bool fs_control_is_dir(uint64_t ino);
/* The directory of the vault that .trailfs or file ino belongs to. */
uint64_t fs_control_owner(uint64_t ino);

/*
 * Look up name in parent, a .trailfs, or a directory of the vault and then the
 * name is .trailfs.  *st as stat(2) will show it; st_ino is the node id.
 * TF_NOTFOUND, TF_NOTDIR, and what making the file's content may return.
 */
TF_MUST_USE enum tf_code fs_control_lookup(struct fs_control *c,
    uint64_t parent, const char *name, struct stat *st, struct tf_error *err);
TF_MUST_USE enum tf_code fs_control_stat(struct fs_control *c, uint64_t ino,
    struct stat *st, struct tf_error *err);
/*
 * The first file of .trailfs ino that stands in row *row of the table or
 * behind it: *row becomes its row, *name its name, *st as fs_control_stat.
 * TF_NOTFOUND at the end.
 */
TF_MUST_USE enum tf_code fs_control_list(struct fs_control *c, uint64_t ino,
    unsigned *row, const char **name, struct stat *st, struct tf_error *err);

/* Open file ino for reading: everybody who has it open sees one snapshot. */
TF_MUST_USE enum tf_code fs_control_open(struct fs_control *c, uint64_t ino,
    struct fs_snapshot **out, struct tf_error *err);
TF_MUST_USE enum tf_code fs_control_read(struct fs_control *c,
    const struct fs_snapshot *s, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err);
void fs_control_close(struct fs_control *c, struct fs_snapshot *s);

#endif
