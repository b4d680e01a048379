/*
 * The table of all pending nodes of a vault, found by number and by name.  It
 * has one reference to each of its nodes.
 *
 * Callers of all functions hold vault.mu, except at the start and the end of a
 * vault.
 */
#ifndef TF_NODE_PENDING_TABLE_H
#define TF_NODE_PENDING_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "pending.h"

struct tf_vault;

struct tf_pending_table {
	struct tf_pending **by_id, **by_name;
	size_t slots, count;
	struct tf_pending *root[TF_PENDING_ORDERS];
	uint64_t files[TF_STATES]; /* with a name, per state */
	uint64_t failed;	   /* files that failed */
	uint64_t owed;	  /* bytes that sealing all adds to the database */
	uint64_t visited; /* nodes that walks visited, for tests */
};

/* An empty table.  TF_NOMEM: call tf_pending_destroy() all the same. */
TF_MUST_USE enum tf_code tf_pending_init(struct tf_pending_table *t);
/* Give up the references to all nodes, and the memory of the table. */
void tf_pending_destroy(struct tf_pending_table *t);

/* Put l, which is in no table, into t, and count its name for its owner.  Takes
 * the caller's reference.  A table that cannot grow gets
 * slower. */
void tf_pending_insert(struct tf_pending_table *t, struct tf_pending *l);
/* Take l out of all indexes; the caller gets the reference of the table.
 * False: it was not in the table. */
bool tf_pending_remove(struct tf_pending_table *t, struct tf_pending *l);
/* If l has no name and nobody has it open, take it out of all indexes and
 * delete its staged file. */
void tf_pending_forget(struct tf_pending_table *t, struct tf_pending *l);
/* Take l out of the indexes by name and place; it is still found by id. */
void tf_pending_unname(struct tf_pending_table *t, struct tf_pending *l);
/* Give l another parent and name.  Takes name, which is allocated, and returns
 * the old one, which the caller frees. */
char *tf_pending_rename(struct tf_pending_table *t, struct tf_pending *l,
    uint64_t parent, char *name);
/* Put l, which is in the table, below this attestation and workflow. */
void tf_pending_place(struct tf_pending_table *t, struct tf_pending *l,
    uint64_t att, uint64_t wf);
/* The node with this number, or with this name below parent; NULL: there is
 * none.  The table keeps its reference: the caller takes one to keep the node
 * beyond mu. */
struct tf_pending *tf_pending_get(const struct tf_pending_table *t,
    uint64_t id);
struct tf_pending *tf_pending_find(const struct tf_pending_table *t,
    uint64_t parent, const char *name, size_t n);

/* Call fn for every node that has a name; fn must not change the table.  Only
 * for the start and the end of a vault, and for what people do seldom. */
void tf_pending_each(struct tf_pending_table *t,
    void (*fn)(void *arg, struct tf_pending *l), void *arg);

#endif
