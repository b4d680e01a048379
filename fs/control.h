/*
 * The files and directories in .trailfs.  Each is a row of the table in
 * control_rows.c: a file, or a tree of directories (control_tree.h).
 *
 * The id of a node says everything about the node, so only snapshots of files
 * are kept in memory.  Each state of a file is an inode of its own, an edition,
 * because the kernel has one size per inode.  So an open returns the present
 * state, whatever other programs have open, and fstat(2) after it returns the
 * true size.
 *
 * Every function may be called from several threads at a time.  Where errors
 * are not named, they are those of the vault, and TF_NOMEM.
 */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "asker.h"
#include "core/page.h"
#include "core/vault.h"
#include "roles.h"

struct fs_control;  /* the control files of one mount */
struct fs_snapshot; /* what one file held when it was opened */
struct fs_save;	    /* one that is being written (control_save.h) */
struct fs_saves;

/* When *stop becomes true, making a package is given up.  v and stop stay the
 * caller's and must outlive the result.  NULL: no memory. */
struct fs_control *fs_control_new(struct tf_vault *v, const atomic_bool *stop);
/* No file is open any more.  The vault still is, because packages are files in
 * its store.  NULL: nothing. */
void fs_control_free(struct fs_control *c);

/* Is ino a .trailfs, or in one? */
bool fs_control_is(uint64_t ino);
/* Is ino a file whose bytes never change, as those of a tile? */
bool fs_control_is_final(uint64_t ino);
/* Is ino a file that shows evidence, so that opening it is reading that? */
bool fs_control_has_evidence(uint64_t ino);
/* Set parts to the evidence that such a file shows to the asker; *n is their
 * number. */
TF_MUST_USE enum tf_code fs_control_evidence(struct fs_control *c, uint64_t ino,
    struct fs_asker *asker, uint64_t parts[TF_REPLAY_PARTS], size_t *n,
    struct tf_error *err);
/* Is ino a package.zip?  *dir becomes the directory that it is of. */
bool fs_control_is_package(uint64_t ino, uint64_t *dir);

/*
 * Set *ino to the node called name in parent, for user uid. parent is a
 * directory in .trailfs, or a directory of the vault if name is .trailfs.  A
 * directory that is closed is sealed first if the name asks for what its seal
 * makes.  TF_NOTFOUND, TF_NOTDIR.
 */
TF_MUST_USE enum tf_code fs_control_lookup(struct fs_control *c,
    uint64_t parent, const char *name, uint32_t uid, uint64_t *ino,
    struct tf_error *err);
/*
 * *st as stat(2) shows node ino to the asker.  A file that the asker may not
 * open has size 0: a package of somebody else's directory, or a file about
 * evidence that the asker may not read.
 *
 * edition is NULL for GETATTR; then the content is made to know its size.  For
 * LOOKUP, *edition is the node that shows the present state; the content is not
 * made yet, and the size may be 0.  GETATTR and OPEN of that node make it, and
 * it keeps its content and size while anybody has it open.
 * TF_NOTFOUND, and the errors of making the content.
 */
TF_MUST_USE enum tf_code fs_control_stat(struct fs_control *c, uint64_t ino,
    struct fs_asker *asker, uint64_t *edition, struct stat *st,
    struct tf_error *err);
/*
 * Set the type, owner, group and mode of node ino in *st, and what members of
 * admins= may do with it.  TF_NOTFOUND.
 */
TF_MUST_USE enum tf_code fs_control_mode(struct fs_control *c, uint64_t ino,
    struct stat *st, enum fs_admin *admin, struct tf_error *err);
/* Must fs_control_stat without edition, or fs_control_open, first make content
 * that takes long to make? */
bool fs_control_takes_long(struct fs_control *c, uint64_t ino,
    struct fs_asker *asker);
/* Free the packages that nobody has open and that the ledger has outgrown.
 * True: there are other packages. */
bool fs_control_drop_packages(struct fs_control *c);
/* From now on, LOOKUP makes the content of a file to know its size: the kernel
 * keeps the first size of a node. */
void fs_control_tell_sizes(struct fs_control *c);
/* Set *parent to the directory that ino is in.  The parent of a .trailfs is a
 * directory of the vault. */
TF_MUST_USE enum tf_code fs_control_parent(struct fs_control *c, uint64_t ino,
    uint64_t *parent, struct tf_error *err);

/* Takes one name of a listing; type is S_IFDIR or S_IFREG.  False: stop. */
typedef bool (*fs_control_add)(void *arg, uint64_t place, const char *name,
    uint64_t ino, mode_t type);
/*
 * Call add for each name of directory ino whose place is at or more, in the
 * order of places.  A name always has the same place.
 * caller is a number per process (fs_asker_caller): a caller that has opened
 * the checkpoint finds all tiles of that checkpoint afterwards.
 * TF_NOTDIR.
 */
TF_MUST_USE enum tf_code fs_control_list(struct fs_control *c, uint64_t ino,
    uint64_t caller, uint64_t at, fs_control_add add, void *arg,
    struct tf_error *err);

/*
 * Open edition ino of a file.  *out is the caller's until fs_control_close; all
 * askers with the same rights share one snapshot.
 * TF_ACCESS: the content needs evidence that the asker may not read.
 */
TF_MUST_USE enum tf_code fs_control_open(struct fs_control *c, uint64_t ino,
    struct fs_asker *asker, struct fs_snapshot **out, struct tf_error *err);
/* Read at most n bytes at offset off; *got is 0 at the end of the file. */
TF_MUST_USE enum tf_code fs_control_read(struct fs_control *c,
    const struct fs_snapshot *s, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err);
void fs_control_close(struct fs_control *c, struct fs_snapshot *s);

/* --- settable files: control_set.c --------------------------------------- */

/* Is ino a settable file, or a directory where such files are created?  Else
 * TF_DENIED. */
TF_MUST_USE enum tf_code fs_control_settable(struct fs_control *c, uint64_t ino,
    struct tf_error *err);
/*
 * Open edition ino of a settable file for writing.  *out is the caller's until
 * fs_save_close.  empty: without its present bytes.  TF_DENIED, and the
 * errors of fs_save_open.
 */
TF_MUST_USE enum tf_code fs_control_open_save(struct fs_control *c,
    uint64_t ino, bool empty, const struct tf_actor *who, struct fs_save **out,
    struct tf_error *err);
/* The same for the settable file name in directory parent, which does not exist
 * yet; *ino is its node while it is written.  TF_DENIED: there can be no such
 * file. */
TF_MUST_USE enum tf_code fs_control_create(struct fs_control *c,
    uint64_t parent, const char *name, const struct tf_actor *who,
    uint64_t *ino, struct fs_save **out, struct tf_error *err);
/* May who, a member of admins=, create it?  TF_ACCESS, and the errors of
 * fs_control_create. */
TF_MUST_USE enum tf_code fs_control_may_create(struct fs_control *c,
    uint64_t parent, const char *name, const struct tf_asker *who,
    struct tf_error *err);
/* truncate(2) by path: the cut bytes are recorded at once. */
TF_MUST_USE enum tf_code fs_control_resize(struct fs_control *c, uint64_t ino,
    uint64_t size, const struct tf_actor *who, struct tf_error *err);

/* For the functions of control_save.h on what these open. */
struct fs_saves *fs_control_saves(struct fs_control *c);

#endif
