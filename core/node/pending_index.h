/*
 * The orders in which pending nodes are found: one treap for each.  A node has
 * the same place in an order until tf_pending_index() is called, whatever its
 * fields say.  Insertion, removal and each step of a walk take O(log n).
 *
 * Callers of all functions hold vault.mu.  No function fails or allocates: the
 * links are in the nodes.
 */
#ifndef TF_NODE_PENDING_INDEX_H
#define TF_NODE_PENDING_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct tf_pending;
struct tf_pending_table;

/* The orders, with the parts of their keys; the last part is always the id. */
enum tf_pending_order {
	TF_PENDING_BY_PLACE,	   /* parent */
	TF_PENDING_BY_ATTESTATION, /* workflow, attestation, class, owner */
	TF_PENDING_BY_OWNER,	   /* files: class, owner */
	TF_PENDING_BY_DUE,	   /* when the sealer has to look at it */
	TF_PENDING_BY_AGE,	   /* frozen files: since when */
	TF_PENDING_ORDERS
};
#define TF_PENDING_KEY_PARTS 5
struct tf_pending_key {
	uint64_t part[TF_PENDING_KEY_PARTS];
};
enum tf_pending_class {
	TF_PENDING_TO_SEAL, /* a file that a sync may seal */
	TF_PENDING_FILE,    /* another file */
	TF_PENDING_DIRECTORY,
};
/* Where the indexes have a node: its fields at the last tf_pending_index(). */
struct tf_pending_place {
	uint64_t parent, wf, att;
	uint64_t due_ns;    /* boot clock; UINT64_MAX: never */
	uint64_t frozen_ns; /* boot clock; UINT64_MAX: it is not frozen */
	uint64_t owes;	    /* bytes that sealing it adds to the database */
	uint32_t uid;
	uint8_t class; /* enum tf_pending_class */
	uint8_t state; /* enum tf_state */
	bool failed;
};

#define TF_ROW_COST 2048 /* bytes that one row or one entry adds */

/*
 * Update the indexes.  To be called after each change of the place, the owner,
 * the state, the failure or the writers of l, or of the time when the sealer
 * has to look at it.  The end of a claim calls it.
 */
void tf_pending_index(struct tf_pending *l);

/* Would a sync seal l, or wait for its entry? */
bool tf_pending_awaits_seal(const struct tf_pending *l);

/* Call fn for the nodes whose key in order o begins with these n parts, in that
 * order, until it returns false; fn must not change the table. */
void tf_pending_range(struct tf_pending_table *t, enum tf_pending_order o,
    const uint64_t *part, unsigned n,
    bool (*fn)(void *arg, struct tf_pending *l), void *arg);
/* The first node in an order, or NULL. */
struct tf_pending *tf_pending_first(struct tf_pending_table *t,
    enum tf_pending_order o);

/* The child of parent with the least id greater than after, or NULL. */
struct tf_pending *tf_pending_next(struct tf_pending_table *t, uint64_t parent,
    uint64_t after);

/* For the table: take l into all orders that it belongs to, and out of them.  l
 * is in none before, and tf_pending_index() does nothing for it afterwards. */
void tf_pending_index_insert(struct tf_pending_table *t, struct tf_pending *l);
void tf_pending_index_remove(struct tf_pending_table *t, struct tf_pending *l);

#endif
