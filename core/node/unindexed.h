/*
 * The index of entries that no row of table node refers to, such as
 * access.changed.  Without it, listing the entries about a directory would read
 * the whole ledger.  view/events.c fills and searches it.  The walk that fills
 * it also finds the entries that were altered, see view/altered.c.
 */
#ifndef TF_NODE_UNINDEXED_H
#define TF_NODE_UNINDEXED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_unindexed {
	pthread_mutex_t mu;
	struct tf_unindexed_entry *p; /* by seq; guarded by mu, as all below */
	size_t n, cap;
	uint64_t from, to; /* the range of entries that the index covers */
	struct tf_altered_entry *altered; /* in that range, in any order */
	size_t n_altered, cap_altered;
};

/* An entry that is not what was committed under its number. */
struct tf_altered_entry {
	uint64_t seq;
	bool missing;
	bool named;	       /* by a row of node or definition; if not: */
	uint64_t seals_before; /* it may be about a seal before this entry */
	uint64_t workflow, attestation; /* of that node, or 0 */
};

struct tf_unindexed_entry {
	uint64_t seq;
	uint32_t trail, workflow; /* hashes of 1 and 2 components of the path */
};

struct tf_unindexed *tf_unindexed_new(void);

void tf_unindexed_free(struct tf_unindexed *r); /* NULL: does nothing */

#endif
