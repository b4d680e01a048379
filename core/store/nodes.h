/*
 * The tables of names: node holds the tree that follows from the ledger (I5),
 * stage holds the pending nodes.  An id is never used twice, in either table.
 */
#ifndef TF_STORE_NODES_H
#define TF_STORE_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_db;

#define TF_NO_SEQ UINT64_MAX /* no entry */

/* One row of node.  attr.state is SEALED or OPEN. */
struct tf_node_row {
	struct tf_attr attr;
	char name[256];
	size_t name_len;
	uint64_t entry; /* seq of the entry that created or sealed it */
	uint64_t seal;	/* directory: seq of its seal, or TF_NO_SEQ */
	/* Row id of its object: of evidence; of an attestation whose report was
	 * redacted, that of the report (node/redacted.h); else 0. */
	uint64_t object;
	struct tf_str xattrs; /* only for put: canonical JSON or absent */
};

/* Insert the row. */
TF_MUST_USE enum tf_code tf_nodes_put(struct tf_db *db,
    const struct tf_node_row *r, struct tf_error *err);
/* Read the row of id, or of the child `name` of parent.  TF_NOTFOUND (err
 * unchanged) if there is none. */
TF_MUST_USE enum tf_code tf_nodes_get(struct tf_db *db, uint64_t id,
    struct tf_node_row *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_nodes_find(struct tf_db *db, uint64_t parent,
    const char *name, size_t n, struct tf_node_row *out, struct tf_error *err);
/* Set *id to the attestation at the path of an entry, or above it.  TF_NOTFOUND
 * (err unchanged) if there is none. */
TF_MUST_USE enum tf_code tf_nodes_attestation(struct tf_db *db,
    struct tf_str path, uint64_t *id, struct tf_error *err);
/* Read the row of a node that entry seq created or sealed, by a search of the
 * whole table.  TF_NOTFOUND (err unchanged) if there is none. */
TF_MUST_USE enum tf_code tf_nodes_by_entry(struct tf_db *db, uint64_t seq,
    struct tf_node_row *out, struct tf_error *err);
/* Read up to max children of parent with an id greater than after, in order of
 * id; *n becomes their number. */
TF_MUST_USE enum tf_code tf_nodes_list(struct tf_db *db, uint64_t parent,
    uint64_t after, struct tf_node_row *out, size_t max, size_t *n,
    struct tf_error *err);
/* The same in the order of names as bytes: those with a name greater than
 * after[0..n_after), which may be in out. */
TF_MUST_USE enum tf_code tf_nodes_by_name(struct tf_db *db, uint64_t parent,
    const char *after, size_t n_after, struct tf_node_row *out, size_t max,
    size_t *n, struct tf_error *err);
/* Append the attributes of node id, canonical JSON, to out; nothing if there are
 * none.  TF_NOTFOUND (err unchanged) without such a row. */
TF_MUST_USE enum tf_code tf_nodes_xattrs(struct tf_db *db, uint64_t id,
    struct tf_buf *out, struct tf_error *err);
/* Set mode, owner, group and ctime of node id. */
TF_MUST_USE enum tf_code tf_nodes_set_access(struct tf_db *db, uint64_t id,
    uint32_t mode, uint32_t uid, uint32_t gid, struct tf_time ctime,
    struct tf_error *err);
/* Record that entry seq sealed directory id. */
TF_MUST_USE enum tf_code tf_nodes_set_seal(struct tf_db *db, uint64_t id,
    uint64_t seq, struct tf_time ctime, struct tf_error *err);
/* Set the object of attestation id. */
TF_MUST_USE enum tf_code tf_nodes_set_object(struct tf_db *db, uint64_t id,
    uint64_t object, struct tf_error *err);
/* A name was created in directory id: set mtime, and ctime unless it is
 * later. */
TF_MUST_USE enum tf_code tf_nodes_touch(struct tf_db *db, uint64_t id,
    struct tf_time at, struct tf_error *err);

/* The greatest id in any table.  New ids must be greater. */
TF_MUST_USE enum tf_code tf_nodes_max_id(struct tf_db *db, uint64_t *id,
    struct tf_error *err);

/* One row of stage. */
struct tf_stage_row {
	struct tf_attr attr; /* without state, which is not stored */
	char name[256];
	size_t name_len;
	bool malformed; /* only id and parent are valid */
	bool dirty;	/* the file was changed after this row was written */
	bool unwritten; /* no handle has written the file */
	bool secret;	/* its staged bytes are encrypted */
	bool aside;	/* interrupted: renamed, its entry not appended yet */
	bool has_digest;
	struct tf_hash sha256;
	struct tf_str actor, writers, xattrs; /* canonical JSON, or absent */
};

/* Insert or replace the row of r->attr.id. */
TF_MUST_USE enum tf_code tf_stage_put(struct tf_db *db,
    const struct tf_stage_row *r, struct tf_error *err);
/* Mark the row of id as dirty; with written also as written. */
TF_MUST_USE enum tf_code tf_stage_set_dirty(struct tf_db *db, uint64_t id,
    bool written, struct tf_error *err);
/* Delete the row of id; TF_OK also when there is none. */
TF_MUST_USE enum tf_code tf_stage_delete(struct tf_db *db, uint64_t id,
    struct tf_error *err);
/* Call fn for every row, in order of id, until it fails; the row's strings are
 * valid until fn returns. */
typedef enum tf_code (*tf_stage_fn)(void *arg, const struct tf_stage_row *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_stage_each(struct tf_db *db, tf_stage_fn fn,
    void *arg, struct tf_error *err);

/* Call fn for every TF_KIND_DIRECTORY below node top, at any depth. */
TF_MUST_USE enum tf_code tf_nodes_dirs(struct tf_db *db, uint64_t top,
    void (*fn)(void *arg, uint64_t id), void *arg, struct tf_error *err);

/* Call fn for every row of node, in order of id, until it fails. */
typedef enum tf_code (*tf_node_fn)(void *arg, const struct tf_node_row *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_nodes_each(struct tf_db *db, tf_node_fn fn,
    void *arg, struct tf_error *err);

#endif
