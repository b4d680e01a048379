/*
 * Directories in which nothing was made.
 *
 * A trail, a workflow and an attestation are in the ledger as soon as they are
 * made, so they are no pending nodes.  A user who makes very many of them and
 * puts nothing in fills the ledger and the listings of others.  So each counts
 * for max_unsealed of its maker, until something is made in it, it is sealed,
 * or TF_EMPTY_NS have passed.  A start begins with none.
 */
#ifndef TF_NODE_EMPTIES_H
#define TF_NODE_EMPTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_vault;

#define TF_EMPTY_NS ((uint64_t)86400 * 1000000000) /* a day */

struct tf_empty {
	uint64_t id;
	uint64_t until_ns; /* boot clock */
	uint32_t uid;
	bool counts;
};

/* Sorted by id.  Guarded by vault.mu. */
struct tf_empties {
	struct tf_empty *items;
	size_t n, cap;
	size_t first; /* those before it count no more */
};

/* uid has made directory id.  Without memory it does not count.  mu is held. */
void tf_empties_add(struct tf_vault *v, uint64_t id, uint32_t uid);
/* Something is in directory id, or will never be.  mu is held. */
void tf_empties_fill(struct tf_vault *v, uint64_t id);
/* Let those go whose time has come.  mu is held. */
void tf_empties_expire(struct tf_vault *v);

#endif
