/*
 * What is under .trailfs: one row each of the table in control.c, a file or a
 * tree of directories (control_tree.h).
 *
 * Node ids say all there is to know of a node, so nothing is kept of them but
 * the snapshots that are open.  fstat after open tells the true size, because a
 * size belongs to the inode, and each state of a file is an inode of its own, an
 * edition: whoever opens a file gets what is so now, whatever others have open.
 */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "asker.h"
#include "core/vault.h"

struct fs_control;  /* the open snapshots */
struct fs_snapshot; /* what one file held when it was opened */

/* When *stop becomes true, what takes long is given up.  NULL: no memory. */
struct fs_control *fs_control_new(struct tf_vault *v, const atomic_bool *stop);
void fs_control_free(struct fs_control *c);

/* Is ino a .trailfs or in one? */
bool fs_control_is(uint64_t ino);
/* Is ino a file whose bytes never change? */
bool fs_control_is_final(uint64_t ino);

/*
 * Which node is name in parent, a directory in .trailfs, or one of the vault and
 * then the name is .trailfs?  TF_NOTFOUND, TF_NOTDIR.
 */
TF_MUST_USE enum tf_code fs_control_lookup(struct fs_control *c,
    uint64_t parent, const char *name, uint64_t *ino, struct tf_error *err);
/*
 * *st as stat(2) will show it to who.  Packages are made for the directory's
 * owner and root.  What cannot be opened, because it speaks of what who may not
 * read, has size 0.
 * edition, unless NULL: a name is being looked up, which led to ino.  Then
 * nothing is made that need not be, the size may be 0, and *edition is the node
 * that shows what is so now: GETATTR and OPEN of that node make it, and it keeps
 * its content and size as long as somebody has it open.
 * TF_NOTFOUND, and what making the file's content may return.
 */
TF_MUST_USE enum tf_code fs_control_stat(struct fs_control *c, uint64_t ino,
    struct fs_asker *who, uint64_t *edition, struct stat *st,
    struct tf_error *err);
/* Would that with NULL, or fs_control_open, first make what takes long? */
bool fs_control_takes_long(struct fs_control *c, uint64_t ino,
    struct fs_asker *who);
/* Let go of packages that the ledger has outgrown; open ones stay.  Are any
 * left? */
bool fs_control_sweep(struct fs_control *c);
/* The directory that ino is in; that of a .trailfs is one of the vault. */
TF_MUST_USE enum tf_code fs_control_parent(struct fs_control *c, uint64_t ino,
    uint64_t *parent, struct tf_error *err);

/* One name of a listing; type is S_IFDIR or S_IFREG.  False: no more. */
typedef bool (*fs_control_add)(void *arg, uint64_t place, const char *name,
    uint64_t ino, mode_t type);
/*
 * Give the names of directory ino that stand at place at or behind it, in order
 * of their places, to add; a name keeps its place.  The caller is any number
 * that tells one process from another: who has opened the checkpoint finds
 * afterwards, as the same caller, all tiles that belong to it.
 */
TF_MUST_USE enum tf_code fs_control_list(struct fs_control *c, uint64_t ino,
    uint64_t caller, uint64_t at, fs_control_add add, void *arg,
    struct tf_error *err);

/* Open edition ino of a file for reading: all who have the same rights and have
 * it open see one snapshot.  TF_ACCESS: it cannot be made without what who may not read. */
TF_MUST_USE enum tf_code fs_control_open(struct fs_control *c, uint64_t ino,
    struct fs_asker *who, struct fs_snapshot **out, struct tf_error *err);
TF_MUST_USE enum tf_code fs_control_read(struct fs_control *c,
    const struct fs_snapshot *s, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err);
void fs_control_close(struct fs_control *c, struct fs_snapshot *s);

#endif
