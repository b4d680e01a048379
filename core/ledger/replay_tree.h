/*
 * The tree of names that entries made, as replay keeps it: in a temporary
 * table, a sorted table of bytes that whoever replays provides, so that memory
 * does not grow with the log.  A letter for the level and a path are a key.
 */
#ifndef TF_LEDGER_REPLAY_TREE_H
#define TF_LEDGER_REPLAY_TREE_H

#include "../error.h"
#include "../json.h"
#include "../types.h"
#include "name.h"

struct tf_temp_table;

/* What a temporary table does; core/store/temp_table.h states it. */
struct tf_temp_table_ops {
	enum tf_code (*add)(struct tf_temp_table *b, struct tf_str key,
	    struct tf_str value, struct tf_error *err);
	enum tf_code (*put)(struct tf_temp_table *b, struct tf_str key,
	    struct tf_str value, struct tf_error *err);
	enum tf_code (*get)(struct tf_temp_table *b, struct tf_str key,
	    void *out, size_t n, struct tf_error *err);
	enum tf_code (*each)(struct tf_temp_table *b, struct tf_str low,
	    struct tf_str high,
	    enum tf_code (*fn)(void *arg, struct tf_str key,
		struct tf_str value, struct tf_error *err),
	    void *arg, struct tf_error *err);
	enum tf_code (*cut)(struct tf_temp_table *b, struct tf_str low,
	    struct tf_str high, struct tf_error *err);
};

/* A directory. */
struct tf_replay_tree_dir {
	struct tf_attr attr;
	uint64_t entry, seal; /* seq; seal UINT64_MAX: open */
	struct tf_hash birth_leaf, seal_leaf;
	/* an attestation */
	uint64_t files;
	struct tf_time first, last; /* created, ctime of its evidence */
	struct tf_hash payload;	    /* of its statement */
	/* trail: newest template; workflow: the one in force */
	bool has_template;
	uint64_t template_version;
};

/* Evidence. */
struct tf_replay_tree_file {
	struct tf_hash sha256;
	uint64_t size, node;
	uint32_t mode, uid, gid;
};

struct tf_replay_tree {
	const struct tf_temp_table_ops *ops;
	struct tf_temp_table *table;
	/* the directory put last: mostly the next one's, too */
	struct tf_replay_tree_dir last;
	char last_path[TF_PATH_MAX];
	size_t last_len; /* 0: none */
	bool last_changed;
	/* node numbers seen: the bits of one run of them, and which run */
	uint8_t bits[512];
	uint64_t run;
	bool changed;
};

/* Before all others: the root, and its node number.  Nothing can fail. */
void tf_replay_tree_root(struct tf_replay_tree *k,
    const struct tf_replay_tree_dir *d);

/* The level is by the path: "." for the root, one part a trail, and so on.
 * TF_NOTFOUND (err untouched). */
TF_MUST_USE enum tf_code tf_replay_tree_get(struct tf_replay_tree *k,
    struct tf_str path, struct tf_replay_tree_dir *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_put(struct tf_replay_tree *k,
    struct tf_str path, const struct tf_replay_tree_dir *d,
    struct tf_error *err);
/* A new name: TF_EXISTS (err untouched) when there was one. */
TF_MUST_USE enum tf_code tf_replay_tree_add(struct tf_replay_tree *k,
    struct tf_str path, const struct tf_replay_tree_dir *d,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_add_file(struct tf_replay_tree *k,
    struct tf_str path, const struct tf_replay_tree_file *f,
    struct tf_error *err);

/* A node number: TF_EXISTS when it was seen before. */
TF_MUST_USE enum tf_code tf_replay_tree_node(struct tf_replay_tree *k,
    uint64_t node, struct tf_error *err);
/* Was it seen? */
TF_MUST_USE enum tf_code tf_replay_tree_knows(struct tf_replay_tree *k,
    uint64_t node, bool *yes, struct tf_error *err);

/* Directories right in a trail or workflow, by name; name is the last part. */
typedef enum tf_code (*tf_replay_tree_dir_fn)(void *arg, struct tf_str path,
    const struct tf_replay_tree_dir *d, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_children(struct tf_replay_tree *k,
    struct tf_str path, tf_replay_tree_dir_fn fn, void *arg,
    struct tf_error *err);
/* Every directory, the root first. */
TF_MUST_USE enum tf_code tf_replay_tree_each(struct tf_replay_tree *k,
    tf_replay_tree_dir_fn fn, void *arg, struct tf_error *err);
/* Evidence of an attestation by name, which is relative to it. */
typedef enum tf_code (*tf_replay_tree_file_fn)(void *arg, struct tf_str name,
    const struct tf_replay_tree_file *f, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_files(struct tf_replay_tree *k,
    struct tf_str path, tf_replay_tree_file_fn fn, void *arg,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_get_file(struct tf_replay_tree *k,
    struct tf_str path, struct tf_replay_tree_file *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_put_file(struct tf_replay_tree *k,
    struct tf_str path, const struct tf_replay_tree_file *f,
    struct tf_error *err);

#endif
