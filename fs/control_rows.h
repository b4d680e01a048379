/*
 * The table of what is in a .trailfs: each row is a file or the topmost
 * directory of a tree (control_tree.h).
 *
 * The number of a row is part of node ids, so new rows go to the end.  The
 * table never changes: every function may be called from any thread.
 */
#ifndef FS_CONTROL_ROWS_H
#define FS_CONTROL_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "control_save.h"
#include "control_tree.h"
#include "core/package.h"
#include "core/page.h"
#include "core/vault.h"

/* The bit of a kind of directory in fs_row.levels. */
#define FS_ROW_AT(kind) (1u << (kind))

/*
 * How the content of a file is made.  A row sets one of these:
 *  - render: makes all of it, which must be short;
 *  - write: writes it to a sink, piece by piece;
 *  - size and read, besides write: for askers who may read everything, size
 *    returns the size and a mark, and read reads ranges of the file as it was
 *    at that mark;
 *  - package: the file is a package;
 *  - last_error: it says why a settable file was refused (control_save.h);
 *  - tree: the row is a directory.
 * set, besides render or write: the file is settable.
 */
struct fs_row {
	const char *name;
	unsigned levels; /* FS_ROW_AT(kind) of the directories that have it */
	unsigned mode;	 /* without the bits that the directory's mode lacks */
	enum tf_code (*render)(struct tf_vault *v, uint64_t dir,
	    const struct tf_asker *asker, struct tf_buf *out,
	    struct tf_error *err);
	enum tf_code (*write)(struct tf_view *w, uint64_t dir,
	    const struct tf_sink *out, struct tf_error *err);
	enum tf_code (*size)(struct tf_vault *v, uint64_t dir, uint64_t *mark,
	    uint64_t *size, struct tf_error *err);
	enum tf_code (*read)(struct tf_vault *v, uint64_t dir, uint64_t mark,
	    void *p, size_t n, uint64_t off, size_t *got, struct tf_error *err);
	const struct fs_tree *tree;
	const struct fs_settable *set;
	/* Or NULL: it is always there.  TF_NOTFOUND: dir does not have it. */
	enum tf_code (*exists)(struct tf_vault *v, const struct tf_attr *dir,
	    struct tf_error *err);
	bool package;
	bool last_error;
	bool same;   /* for all who may open it; else each asker sees his own */
	bool slow;   /* render takes long */
	bool walk;   /* opening it begins a walk through the tiles */
	bool sealed; /* only there when the directory is sealed */
	bool seals;  /* a lookup first seals a directory that is closed */
	bool past;   /* also in at/, with its write; see control_past.c */
	bool some;   /* not every directory at these levels has it */
	bool
	    unlisted; /* readdir leaves it out: a look at all files costs too much */
	bool ledger; /* the ledger's entries alone decide its content */
};

/* The tree that node ino is in.  NULL: ino is not in a tree. */
const struct fs_tree *fs_row_tree(uint64_t ino);
bool fs_row_is_dir(uint64_t ino);
/* The directory of the vault that .trailfs ino, or the file ino of a row,
 * belongs to. */
uint64_t fs_row_owner(uint64_t ino);
/* Does file ino have editions? */
bool fs_row_has_editions(uint64_t ino);
/* Node ino without its edition: what stat(2) shows and names lead to. */
uint64_t fs_row_base(uint64_t ino);

/* The row of file ino in the .trailfs of dir.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code fs_row_of(uint64_t ino, const struct tf_attr *dir,
    const struct fs_row **out, struct tf_error *err);
/* The node that is called name in the .trailfs of dir.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code fs_row_find(const struct tf_attr *dir,
    const char *name, uint64_t *ino, struct tf_error *err);
/* The first row at or after number *at that dir has: its number, name and
 * node.  False: there is none. */
bool fs_row_next(const struct tf_attr *dir, uint64_t *at, const char **name,
    uint64_t *ino);
/* The same for the rows that are in at/, where dir is as it was; and the row of
 * that number. */
TF_MUST_USE enum tf_code fs_row_find_past(const struct tf_attr *dir,
    const char *name, unsigned *number, struct tf_error *err);
bool fs_row_next_past(const struct tf_attr *dir, uint64_t *at,
    const char **name);
TF_MUST_USE enum tf_code fs_row_past(const struct tf_attr *dir, unsigned number,
    const struct fs_row **out, struct tf_error *err);
/* Can there be settable files in the .trailfs of dir? */
bool fs_row_any_settable(const struct tf_attr *dir);
/* Does the seal of dir make or change what is called name in its .trailfs? */
bool fs_row_asks_for_seal(const struct tf_attr *dir, const char *name);

#endif
