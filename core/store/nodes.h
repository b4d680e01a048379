/*
 * Names: the committed tree (node) and what is not in the ledger yet (stage).
 * An id is used once for ever, in whichever table.
 */
#ifndef TF_STORE_NODES_H
#define TF_STORE_NODES_H

#include "../json.h"
#include "schema.h"

#define TF_NO_SEQ UINT64_MAX /* no entry */

/* One row of node.  attr.state is SEALED or OPEN. */
struct tf_node_row {
	struct tf_attr attr;
	char name[256];
	size_t name_len;
	uint64_t entry;	      /* seq of its birth; evidence: of its seal */
	uint64_t seal;	      /* directories: seq of the seal, or NO_SEQ */
	uint64_t object;      /* evidence: number of its bytes; else 0 */
	struct tf_str xattrs; /* only for put: canonical JSON or absent */
};

TF_MUST_USE enum tf_code tf_nodes_put(struct tf_db *db,
    const struct tf_node_row *r, struct tf_error *err);
/* TF_NOTFOUND when there is none (err untouched). */
TF_MUST_USE enum tf_code tf_nodes_get(struct tf_db *db, uint64_t id,
    struct tf_node_row *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_nodes_find(struct tf_db *db, uint64_t parent,
    const char *name, size_t n, struct tf_node_row *out, struct tf_error *err);
/* Up to max children whose id is greater than after, by id. */
TF_MUST_USE enum tf_code tf_nodes_list(struct tf_db *db, uint64_t parent,
    uint64_t after, struct tf_node_row *out, size_t max, size_t *n,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_nodes_xattrs(struct tf_db *db, uint64_t id,
    struct tf_buf *out, struct tf_error *err);
/* A directory: new access and ctime. */
TF_MUST_USE enum tf_code tf_nodes_set_access(struct tf_db *db, uint64_t id,
    uint32_t mode, uint32_t uid, uint32_t gid, struct tf_time ctime,
    struct tf_error *err);
/* A directory: sealed by entry seq. */
TF_MUST_USE enum tf_code tf_nodes_set_seal(struct tf_db *db, uint64_t id,
    uint64_t seq, struct tf_time ctime, struct tf_error *err);
/* A directory in which a name was born: mtime; ctime unless it is later. */
TF_MUST_USE enum tf_code tf_nodes_touch(struct tf_db *db, uint64_t id,
    struct tf_time at, struct tf_error *err);

/* The greatest id of any table: no smaller one may be given again. */
TF_MUST_USE enum tf_code tf_nodes_max_id(struct tf_db *db, uint64_t *id,
    struct tf_error *err);

/* One row of stage. */
struct tf_stage_row {
	struct tf_attr attr; /* state is not kept */
	char name[256];
	size_t name_len;
	bool malformed; /* only id and parent can be relied on */
	bool dirty;	/* changed again after this row was */
	bool unwritten; /* through no handle so far */
	bool aside;	/* it gave its name up, and no entry says so yet */
	bool has_digest;
	struct tf_hash sha256;
	struct tf_str actor, writers, xattrs; /* canonical JSON, or absent */
};

/* Insert or replace the row of r->attr.id. */
TF_MUST_USE enum tf_code tf_stage_put(struct tf_db *db,
    const struct tf_stage_row *r, struct tf_error *err);
/* The file was changed; and written, where it was. */
TF_MUST_USE enum tf_code tf_stage_set_dirty(struct tf_db *db, uint64_t id,
    bool written, struct tf_error *err);
TF_MUST_USE enum tf_code tf_stage_delete(struct tf_db *db, uint64_t id,
    struct tf_error *err);
/* Every row by id; the row's strings live until fn returns. */
typedef enum tf_code (*tf_stage_fn)(void *arg, const struct tf_stage_row *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_stage_each(struct tf_db *db, tf_stage_fn fn,
    void *arg, struct tf_error *err);

/* The directories (TF_KIND_DIRECTORY) below node top, at any depth. */
TF_MUST_USE enum tf_code tf_nodes_dirs(struct tf_db *db, uint64_t top,
    void (*fn)(void *arg, uint64_t id), void *arg, struct tf_error *err);

/* Every node by id. */
typedef enum tf_code (*tf_node_fn)(void *arg, const struct tf_node_row *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_nodes_each(struct tf_db *db, tf_node_fn fn,
    void *arg, struct tf_error *err);

#endif
