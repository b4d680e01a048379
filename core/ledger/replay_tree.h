/*
 * The tree of names during a replay.  It is in a temporary table (sorted keys
 * and values of bytes) that the caller provides, so memory does not grow with
 * the log.  A key is a letter for the level and a path.  One thread at a time
 * may use a tree.  The functions return the errors of the table.
 */
#ifndef TF_LEDGER_REPLAY_TREE_H
#define TF_LEDGER_REPLAY_TREE_H

#include "../error.h"
#include "../json.h"
#include "../types.h"
#include "name.h"
#include "redaction.h"
#include "retention.h"

struct tf_temp_table;

/* The functions of a temporary table; core/store/temp_table.h has the contract.
 */
struct tf_temp_table_ops {
	enum tf_code (*add)(struct tf_temp_table *t, struct tf_str key,
	    struct tf_str value, struct tf_error *err);
	enum tf_code (*put)(struct tf_temp_table *t, struct tf_str key,
	    struct tf_str value, struct tf_error *err);
	enum tf_code (*get)(struct tf_temp_table *t, struct tf_str key,
	    void *out, size_t n, struct tf_error *err);
	enum tf_code (*each)(struct tf_temp_table *t, struct tf_str low,
	    struct tf_str high,
	    enum tf_code (*fn)(void *arg, struct tf_str key,
		struct tf_str value, struct tf_error *err),
	    void *arg, struct tf_error *err);
	enum tf_code (*cut)(struct tf_temp_table *t, struct tf_str low,
	    struct tf_str high, struct tf_error *err);
};

/* A directory. */
struct tf_replay_tree_dir {
	struct tf_attr attr;
	uint64_t entry, seal; /* seq; seal UINT64_MAX: open */
	/* leaf hashes of the entries that created and sealed it */
	struct tf_hash created_leaf, seal_leaf;
	/* an attestation */
	bool imported;
	uint64_t files;
	struct tf_time first, last; /* created, ctime of its evidence */
	struct tf_hash payload;	    /* of its statement */
	/* trail: newest template; workflow: the one in force */
	bool has_template;
	uint64_t template_version;
	uint64_t recipients; /* trail: version in force; 0: none */
	/* trail, workflow: seq of the newest claims.set; 0: none */
	uint64_t claims;
};

/* Evidence. */
struct tf_replay_tree_file {
	struct tf_hash sha256;
	uint64_t size, node, entry;
	uint32_t mode, uid, gid;
	bool redacted;
};

struct tf_replay_tree {
	const struct tf_temp_table_ops *ops;
	struct tf_temp_table *table;
	/* cache: the directory put last, usually needed next */
	struct tf_replay_tree_dir last;
	char last_path[TF_PATH_MAX];
	size_t last_len; /* 0: none */
	bool last_changed;
	/* cache: one run of node numbers, a bit per number that was seen */
	uint8_t bits[512];
	uint64_t run;
	bool changed;
};

/*
 * Add the root and its node number.  This must be the first call; it only fills
 * the caches and cannot fail.
 */
void tf_replay_tree_root(struct tf_replay_tree *t,
    const struct tf_replay_tree_dir *d);

/*
 * Read or write the directory at path.  The number of names in the path gives
 * the level: "." is the root, one name is a trail, and so on.  get returns
 * TF_NOTFOUND and leaves err unchanged when there is no such directory.
 */
TF_MUST_USE enum tf_code tf_replay_tree_get(struct tf_replay_tree *t,
    struct tf_str path, struct tf_replay_tree_dir *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_put(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_replay_tree_dir *d,
    struct tf_error *err);
/* Add a new name; TF_EXISTS (err unchanged) when the name exists. */
TF_MUST_USE enum tf_code tf_replay_tree_add(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_replay_tree_dir *d,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_add_file(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_replay_tree_file *f,
    struct tf_error *err);

/* The newest version of a type of the trail at path; 0: none. */
TF_MUST_USE enum tf_code tf_replay_tree_type(struct tf_replay_tree *t,
    struct tf_str trail, struct tf_str name, uint64_t *version,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_type(struct tf_replay_tree *t,
    struct tf_str trail, struct tf_str name, uint64_t version,
    struct tf_error *err);

/*
 * The number of entries about a hold at path: odd while the hold stands.  set
 * counts the holds that stand there, which tf_replay_tree_holds returns.
 */
TF_MUST_USE enum tf_code tf_replay_tree_hold(struct tf_replay_tree *t,
    struct tf_str path, struct tf_str hold, uint64_t *changes,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_hold(struct tf_replay_tree *t,
    struct tf_str path, struct tf_str hold, uint64_t changes,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_holds(struct tf_replay_tree *t,
    struct tf_str path, uint64_t *standing, struct tf_error *err);

/* What all retentions of the directory at path ask for, and their number; {0}
 * if there is none. */
struct tf_replay_tree_kept {
	struct tf_retention retention;
	uint64_t entries;
};
TF_MUST_USE enum tf_code tf_replay_tree_kept(struct tf_replay_tree *t,
    struct tf_str path, struct tf_replay_tree_kept *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_kept(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_replay_tree_kept *kept,
    struct tf_error *err);

/* The newest proposal to redact the evidence at path.  TF_NOTFOUND (err
 * unchanged) without one. */
TF_MUST_USE enum tf_code tf_replay_tree_proposal(struct tf_replay_tree *t,
    struct tf_str path, struct tf_proposal *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_proposal(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_proposal *p, struct tf_error *err);

/* The report that the seal of the attestation at path names.  TF_NOTFOUND (err
 * unchanged) without one. */
struct tf_replay_tree_report {
	struct tf_content content;
	bool hidden; /* evidence of the attestation was redacted */
	bool gone;   /* a redaction removed the report */
};
TF_MUST_USE enum tf_code tf_replay_tree_report(struct tf_replay_tree *t,
    struct tf_str path, struct tf_replay_tree_report *out,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_report(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_replay_tree_report *report,
    struct tf_error *err);

/*
 * What evidence.grown entries say of the file with a node number; and the number
 * of the newest file at a path that has such entries.  TF_NOTFOUND (err
 * unchanged) if there are none.
 */
struct tf_replay_tree_grown {
	struct tf_hash path; /* SHA-256 */
	uint64_t seq;	     /* of the last one */
	uint64_t to;	     /* bytes of the file that they are about */
	bool over;	     /* the file became a draft */
};
TF_MUST_USE enum tf_code tf_replay_tree_grown(struct tf_replay_tree *t,
    uint64_t node, struct tf_replay_tree_grown *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_grown(struct tf_replay_tree *t,
    uint64_t node, const struct tf_replay_tree_grown *g, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_growing(struct tf_replay_tree *t,
    struct tf_str path, uint64_t *node, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_growing(struct tf_replay_tree *t,
    struct tf_str path, uint64_t node, struct tf_error *err);

/*
 * Texts that stand apart from their entries, by digest: that entry seq names it
 * in a field, about a path; whether it was redacted; the newest proposal to
 * redact it.  get and proposal return TF_NOTFOUND (err unchanged) without one.
 */
struct tf_replay_tree_text {
	char field[16];
	struct tf_hash path; /* SHA-256 */
};
TF_MUST_USE enum tf_code tf_replay_tree_put_text(struct tf_replay_tree *t,
    const struct tf_hash *text, uint64_t seq,
    const struct tf_replay_tree_text *in, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_get_text(struct tf_replay_tree *t,
    const struct tf_hash *text, uint64_t seq, struct tf_replay_tree_text *out,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_text_gone(struct tf_replay_tree *t,
    const struct tf_hash *text, bool *gone, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_set_text_gone(struct tf_replay_tree *t,
    const struct tf_hash *text, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_text_proposal(struct tf_replay_tree *t,
    const struct tf_hash *text, struct tf_proposal *out, struct tf_error *err);
TF_MUST_USE enum tf_code
tf_replay_tree_set_text_proposal(struct tf_replay_tree *t,
    const struct tf_hash *text, const struct tf_proposal *p,
    struct tf_error *err);

/* Record a node number; TF_EXISTS when it was recorded before. */
TF_MUST_USE enum tf_code tf_replay_tree_node(struct tf_replay_tree *t,
    uint64_t node, struct tf_error *err);
/* Set *yes if the node number was recorded. */
TF_MUST_USE enum tf_code tf_replay_tree_knows(struct tf_replay_tree *t,
    uint64_t node, bool *yes, struct tf_error *err);

/*
 * Call fn for each directory directly in the trail or workflow at path, ordered
 * by name.  Stops at the first code other than TF_OK and returns it; so do the
 * other walks.
 */
typedef enum tf_code (*tf_replay_tree_dir_fn)(void *arg, struct tf_str path,
    const struct tf_replay_tree_dir *d, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_children(struct tf_replay_tree *t,
    struct tf_str path, tf_replay_tree_dir_fn fn, void *arg,
    struct tf_error *err);
/* Call fn for each directory, the root first, then by level and path. */
TF_MUST_USE enum tf_code tf_replay_tree_each(struct tf_replay_tree *t,
    tf_replay_tree_dir_fn fn, void *arg, struct tf_error *err);
/*
 * Call fn for each evidence file of the attestation at path, ordered by name;
 * name is relative to the attestation.
 */
typedef enum tf_code (*tf_replay_tree_file_fn)(void *arg, struct tf_str name,
    const struct tf_replay_tree_file *f, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_files(struct tf_replay_tree *t,
    struct tf_str path, tf_replay_tree_file_fn fn, void *arg,
    struct tf_error *err);
/* Read or write the evidence at path, which is the whole path.  get returns
 * TF_NOTFOUND and leaves err unchanged when there is none; put replaces it. */
TF_MUST_USE enum tf_code tf_replay_tree_get_file(struct tf_replay_tree *t,
    struct tf_str path, struct tf_replay_tree_file *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_replay_tree_put_file(struct tf_replay_tree *t,
    struct tf_str path, const struct tf_replay_tree_file *f,
    struct tf_error *err);

#endif
