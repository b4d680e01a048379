/*
 * The ids of control nodes, and what a tree of directories in .trailfs
 * provides: control_tile.c and control_proof.c are trees.
 *
 * An id is a kind of 8 bits and a rest of 56 bits, whose meaning depends on the
 * kind.  The id says everything about a node, so nothing about nodes is kept in
 * memory.
 */
#ifndef FS_CONTROL_TREE_H
#define FS_CONTROL_TREE_H

#include "control.h"
#include "control_save.h"
#include "core/control.h"
#include "core/page.h"

#define FS_ID_BITS 56
#define FS_ID_MASK ((UINT64_C(1) << FS_ID_BITS) - 1)

/*
 * Where the rest is the id of a node of the vault, that id takes the lower 40
 * bits.  The 16 bits above are the edition: another state of the ledger, or
 * other rights of the asker, is another inode, because the kernel has one size
 * per inode.
 */
#define FS_NODE_BITS 40
#define FS_NODE_MASK ((UINT64_C(1) << FS_NODE_BITS) - 1)
#define FS_EDITION_MASK (FS_ID_MASK & ~FS_NODE_MASK)

enum fs_control_kind {
	FS_KIND_DIR = 1, /* a .trailfs; rest: the id of its directory */
	FS_KIND_ROW = 2, /* and following, one per row; rest: the same */
	FS_KIND_ROW_LAST = 0x3f,
	FS_KIND_TILE_TOP = 0x40, /* these four: control_tile.c */
	FS_KIND_TILE_GROUP,
	FS_KIND_TILE_PART,
	FS_KIND_TILE,
	FS_KIND_PROOF_DIR = 0x48, /* these two: control_proof.c */
	FS_KIND_PROOF,
	FS_KIND_TYPES = 0x4a, /* these six: control_definition.c */
	FS_KIND_TYPE,
	FS_KIND_TYPE_VERSION,
	FS_KIND_TYPE_NEW,
	FS_KIND_TEMPLATE_VERSION,
	FS_KIND_RECIPIENTS_VERSION,
	FS_KIND_MISSING = 0x50, /* these two: control_missing.c */
	FS_KIND_MISSING_SLOT,
	FS_KIND_FIND_DIR = 0x60, /* these two: control_find.c */
	FS_KIND_FIND,
	FS_KIND_BY_SHA256_DIR, /* these two: the same file */
	FS_KIND_BY_SHA256,
	FS_KIND_COSIGNED_DIR = 0x68, /* to the last: control_anchor.c */
	FS_KIND_COSIGNED,
	FS_KIND_STAMPS_DIR,
	FS_KIND_STAMP,
	FS_KIND_STAMP_LAST = FS_KIND_STAMP + 2,
	FS_KIND_REPLAY_DIR = 0x70, /* these two: control_replay.c */
	FS_KIND_REPLAY,
	FS_KIND_AT = 0x78, /* to the last: control_past.c */
	FS_KIND_PAST_FILE,
	FS_KIND_PAST = 0x80,
	FS_KIND_PAST_LAST = 0xff,
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

/* The arguments of fs_control_list. */
struct fs_names {
	uint64_t at;	 /* the first place to list */
	uint64_t caller; /* who lists */
	struct fs_walks *walks;
	fs_control_add add;
	void *arg;
};

/* Any thread may call these.  All but top and is_dir can fail, with the errors
 * of the vault. */
struct fs_tree {
	unsigned first, last; /* its kinds */
	bool final;	      /* its files never change */
	bool hides; /* a file without content does not exist for the asker */
	/* The id of the topmost directory in the .trailfs of dir. */
	uint64_t (*top)(uint64_t dir);
	bool (*is_dir)(uint64_t ino);
	/* The id of name in directory parent.  TF_NOTFOUND: there can be no
	 * such name; otherwise stat decides whether there is such a node. */
	enum tf_code (*lookup)(struct tf_vault *v, uint64_t parent,
	    const char *name, uint64_t *ino, struct tf_error *err);
	/* Instead of lookup: each user has his own nodes. */
	enum tf_code (*lookup_for)(struct tf_vault *v, uint64_t parent,
	    const char *name, uint32_t uid, uint64_t *ino,
	    struct tf_error *err);
	enum tf_code (*parent)(struct tf_vault *v, uint64_t ino,
	    uint64_t *parent, struct tf_error *err);
	/* *st as stat(2) shows it; a size of -1 means that render must make
	 * the content to know it.  TF_NOTFOUND. */
	enum tf_code (*stat)(struct tf_vault *v, uint64_t ino, struct stat *st,
	    struct tf_error *err);
	/* Append the content of a file to out. */
	enum tf_code (*render)(struct tf_vault *v, uint64_t ino,
	    struct tf_buf *out, struct tf_error *err);
	/* Instead of render: each asker sees his own, and it may take long. */
	enum tf_code (*render_for)(struct tf_vault *v, uint64_t ino,
	    const struct tf_asker *asker, struct tf_buf *out,
	    struct tf_error *err);
	/* Instead of render: the same, written to a sink piece by piece. */
	enum tf_code (*write_for)(struct tf_view *w, uint64_t ino,
	    const struct tf_sink *out, struct tf_error *err);
	/* Instead of tf_view_open, for write_for; NULL: the present state. */
	enum tf_code (*view)(struct tf_vault *v, uint64_t ino,
	    const struct tf_asker *asker, struct tf_view **out,
	    struct tf_error *err);
	/* Set parts to the evidence that the file shows; *n is their number.
	 * NULL: opening a file does not count as reading evidence. */
	enum tf_code (*evidence)(struct tf_vault *v, uint64_t ino,
	    const struct tf_asker *asker, uint64_t parts[TF_REPLAY_PARTS],
	    size_t *n, struct tf_error *err);
	enum tf_code (*list)(struct tf_vault *v, uint64_t ino,
	    const struct fs_names *names, struct tf_error *err);
	/* These two only in trees that have settable files.  TF_DENIED. */
	enum tf_code (*target)(struct tf_vault *v, uint64_t ino,
	    struct fs_target *out, struct tf_error *err);
	/* The new file name in directory parent; *ino is a node that exists
	 * only while the file is written. */
	enum tf_code (*create)(struct tf_vault *v, uint64_t parent,
	    const char *name, uint64_t *ino, struct fs_target *out,
	    struct tf_error *err);
};

static inline bool
fs_tree_is_for_asker(const struct fs_tree *t)
{
	return t->render_for != NULL || t->write_for != NULL;
}

/* *st of node ino, a directory or a file, which stands for the node with the
 * attributes *a.  The size of a file is -1. */
void fs_tree_stat(const struct tf_attr *a, uint64_t ino, bool dir,
    struct stat *st);
/* The directory above node ino, in a tree whose directories are of kind dirs and stand
 * for those below an attestation, and whose files stand for evidence. */
TF_MUST_USE enum tf_code fs_tree_parent(struct tf_vault *v, uint64_t ino,
    enum fs_control_kind dirs, uint64_t *out, struct tf_error *err);
/* Copy to out what name is without the suffix.  False: it does not end so, or
 * nothing is left. */
bool fs_tree_cut(const char *name, const char *suffix,
    char out[TF_CONTROL_NAME_MAX + 1]);
/* Call add for each node in directory dir of the vault, in the order of their
 * ids; the place of a name is the id of its node.  add returns false when the
 * listing is full. */
typedef bool (*fs_tree_add)(struct tf_vault *v, uint64_t dir,
    const struct tf_dirent *e, const struct fs_names *names);
TF_MUST_USE enum tf_code fs_tree_list(struct tf_vault *v, uint64_t dir,
    const struct fs_names *names, fs_tree_add add, struct tf_error *err);

extern const struct fs_tree fs_tile_tree;
extern const struct fs_tree fs_proof_tree;
extern const struct fs_tree fs_replay_tree;
extern const struct fs_tree fs_definition_tree;
extern const struct fs_tree fs_missing_tree;
void fs_missing_forget(void); /* another vault is served from now on */
extern const struct fs_tree fs_find_tree;
extern const struct fs_tree fs_by_sha256_tree;
extern const struct fs_tree fs_past_tree;
extern const struct fs_tree fs_cosigned_tree;
extern const struct fs_tree fs_stamps_tree;

/*
 * Nodes with a text that does not fit into an id; control_find.c says how many
 * are remembered.  *ino becomes the node of that kind for the text of the user.
 * TF_NOMEM.  fs_recall copies the text of node ino; TF_NOTFOUND: it is forgotten.
 */
#define FS_TEXT_MAX 255
TF_MUST_USE enum tf_code fs_remember(const char *text, uint32_t uid,
    unsigned kind, uint64_t *ino, struct tf_error *err);
TF_MUST_USE enum tf_code fs_recall(uint64_t ino, char out[FS_TEXT_MAX + 1],
    struct tf_error *err);

/*
 * Walks through the tiles.
 *
 * A program that copies the log reads the checkpoint first and then, perhaps
 * for minutes, one directory after another, while the log grows.  A partial
 * tile that it needs can be full by the time it lists the directory.  So a
 * listing shows the tiles of the present log and those of the log as it was
 * when the caller's walk began: when the caller opened the checkpoint, else
 * when it began to list the topmost directory.  The newest 256 walks are
 * remembered.  Any thread may call these functions.
 */
struct fs_walks;

/* NULL: no memory. */
struct fs_walks *fs_walks_new(void);
void fs_walks_free(struct fs_walks *w);
/* The caller has opened this checkpoint, a signed note: its walk begins. */
void fs_walks_begin(struct fs_walks *w, uint64_t caller,
    const struct tf_buf *note);

#endif
