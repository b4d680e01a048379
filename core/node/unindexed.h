/*
 * What walks over the ledger have found: entries that no row of table node
 * refers to, such as access.changed, entries that were altered, and the newest
 * entry about each workflow.  Without it, each question about a directory would
 * read the whole ledger.  view/unindexed.c fills and searches it.
 */
#ifndef TF_NODE_UNINDEXED_H
#define TF_NODE_UNINDEXED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TF_UNINDEXED_CHAINS 65536

/* An entry that no row names.  Hashes of 1, 2 and 3 components of its path. */
struct tf_unindexed_entry {
	uint64_t seq;
	uint32_t trail, workflow, attestation;
	/* The entry before this one, as a place in the list plus 1, in the chain of
	 * its workflow, and in that of its attestation. */
	uint32_t in_workflow, in_attestation;
};

/* An entry that is not what was committed under its number. */
struct tf_altered_entry {
	uint64_t seq;
	bool missing;
	bool named;	       /* by a row of node or definition; if not: */
	uint64_t seals_before; /* it may be about a seal before this entry */
	uint64_t workflow, attestation; /* of that node, or 0 */
};

/* What one walk, or all walks, have found. */
struct tf_scanned {
	struct tf_unindexed_entry *p; /* by seq */
	size_t n, cap;
	struct tf_altered_entry *altered; /* in any order */
	size_t n_altered, cap_altered;
	bool
	    has_unknown; /* an entry has a type that this version does not know */
};

struct tf_unindexed {
	pthread_mutex_t mu;
	pthread_cond_t changed; /* a walk has ended */
	/* One more than the newest entry about a workflow whose path has this
	 * hash, modulo TF_UNINDEXED_CHAINS; only the thread that walks raises
	 * it. */
	_Atomic uint64_t newest[TF_UNINDEXED_CHAINS];
	/* All below: guarded by mu. */
	bool walking;	   /* a thread walks, without mu */
	uint64_t from, to; /* the range of entries that were walked over */
	struct tf_scanned all;
	/* Heads of the chains: a place in all.p plus 1, or 0. */
	uint32_t workflow[TF_UNINDEXED_CHAINS],
	    attestation[TF_UNINDEXED_CHAINS];
	uint64_t
	    lost; /* how often the range began anew or had altered entries */
};

struct tf_unindexed *tf_unindexed_new(void);

void tf_unindexed_free(struct tf_unindexed *r); /* NULL: does nothing */
void tf_scanned_free(struct tf_scanned *s);

#endif
