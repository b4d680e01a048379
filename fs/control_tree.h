/*
 * What a tree of directories under .trailfs gives to control.c, which keeps
 * the table of names and the snapshots.
 *
 * The id of a control node is a kind, 8 bits, and 56 bits that the kind
 * explains.  So the id is all there is to know of a node, and nothing has to be
 * remembered of it.
 */
#ifndef FS_CONTROL_TREE_H
#define FS_CONTROL_TREE_H

#include "control.h"

#define FS_ID_BITS 56
#define FS_ID_MASK ((UINT64_C(1) << FS_ID_BITS) - 1)

/*
 * Of the kinds whose rest is the id of a node of the vault, that has 40 bits;
 * 16 bits above are an edition: another state of the ledger, or other rights, is
 * another inode, for the size that fstat(2) tells belongs to that.
 */
#define FS_NODE_BITS 40
#define FS_NODE_MASK ((UINT64_C(1) << FS_NODE_BITS) - 1)
#define FS_EDITION_MASK (FS_ID_MASK & ~FS_NODE_MASK)

enum fs_control_kind {
	FS_KIND_DIR = 1, /* a .trailfs: the id of its directory */
	FS_KIND_ROW = 2, /* and so on, a row of the table each: the same */
	FS_KIND_ROW_LAST = 0x3f,
	FS_KIND_TILE_TOP = 0x40, /* these four: control_tile.c */
	FS_KIND_TILE_GROUP,
	FS_KIND_TILE_PART,
	FS_KIND_TILE,
	FS_KIND_PROOF_DIR = 0x48, /* these two: control_proof.c */
	FS_KIND_PROOF,
};

static inline uint64_t
fs_control_id(unsigned kind, uint64_t rest)
{
	return (uint64_t)kind << FS_ID_BITS | (rest & FS_ID_MASK);
}

static inline unsigned
fs_control_kind(uint64_t ino)
{
	return (unsigned)(ino >> FS_ID_BITS);
}

/* A listing under way: fs_control_list explains. */
struct fs_names {
	uint64_t at;	 /* names before this place are not asked for */
	uint64_t caller; /* who lists */
	struct fs_walks *walks;
	fs_control_add add;
	void *arg;
};

/* All but top and is_dir may fail as the vault does. */
struct fs_tree {
	unsigned first, last; /* its kinds */
	bool final;	      /* its files never change */
	/* Its topmost directory, in the .trailfs of directory dir. */
	uint64_t (*top)(uint64_t dir);
	bool (*is_dir)(uint64_t ino);
	/* The id that name has in directory parent.  stat says whether there
	 * is such a node.  TF_NOTFOUND. */
	enum tf_code (*lookup)(struct tf_vault *v, uint64_t parent,
	    const char *name, uint64_t *ino, struct tf_error *err);
	enum tf_code (*parent)(struct tf_vault *v, uint64_t ino,
	    uint64_t *parent, struct tf_error *err);
	/* As stat(2), with a size of -1 where only render knows.
	 * TF_NOTFOUND. */
	enum tf_code (*stat)(struct tf_vault *v, uint64_t ino, struct stat *st,
	    struct tf_error *err);
	/* The content of a file, onto out. */
	enum tf_code (*render)(struct tf_vault *v, uint64_t ino,
	    struct tf_buf *out, struct tf_error *err);
	enum tf_code (*list)(struct tf_vault *v, uint64_t ino,
	    const struct fs_names *names, struct tf_error *err);
};

extern const struct fs_tree fs_tile_tree;
extern const struct fs_tree fs_proof_tree;

/*
 * Walks through the tiles.  Whoever copies the log reads the checkpoint first
 * and then, for minutes perhaps, one directory after another, while the log
 * grows: the partial tile that a directory named can be full when it is listed
 * itself.  So each caller is shown, with the tiles of the present log, those of
 * the log as it was when its walk began: when it opened the checkpoint, else
 * when it began to list the topmost directory.  Some hundred callers are
 * remembered, the newest walks.
 */
struct fs_walks;

/* NULL: no memory. */
struct fs_walks *fs_walks_new(void);
void fs_walks_free(struct fs_walks *w);
/* The caller has been given this checkpoint, a note. */
void fs_walks_told(struct fs_walks *w, uint64_t caller,
    const struct tf_buf *note);

#endif
