/*
 * Who opened which sealed evidence: counts in memory, until the next
 * evidence.read entry.
 *
 * An opening costs a look-up in a hash table.  The key is the actor without its
 * process id, so a program that is started for each file counts as one, and the
 * node: evidence, or a directory whose package was opened.  The table holds at
 * most TF_READS_MAX pairs and TF_READS_ACTORS actors; an opening for which it
 * has no room is counted as lost.
 */
#ifndef TF_NODE_READS_H
#define TF_NODE_READS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

#define TF_READS_MAX 100000  /* pairs */
#define TF_READS_ACTORS 1000 /* actors */

/* The openings of one node by one actor. */
struct tf_read {
	uint64_t node;
	uint64_t count;
	struct tf_time first, last;
	uint32_t actor; /* place in tf_read_counts.actors */
};

struct tf_read_counts {
	struct tf_read *reads;
	size_t n, cap;
	uint32_t *slots;	 /* places in reads and 1; 0: free */
	size_t n_slots;		 /* a power of two */
	struct tf_actor *actors; /* without process ids */
	uint64_t *hashes;	 /* of the actors */
	size_t n_actors, cap_actors, cap_hashes;
	uint64_t lost; /* openings */
};

struct tf_reads {
	pthread_mutex_t mu;
	pthread_cond_t wake;
	pthread_t thread; /* of seal/seal_reads.h */
	bool runs;  /* the thread; set by the thread that opens the vault */
	bool ends;  /* guarded by mu, as all below */
	bool early; /* the table is half full: record it now */
	struct tf_read_counts counts;
	/* Held while entries are made; taken before all other locks. */
	pthread_mutex_t recording;
};

void tf_reads_init(struct tf_reads *r);
void tf_reads_free(struct tf_reads *r);

/* Move all counts to *out, which the caller frees. */
void tf_reads_take(struct tf_reads *r, struct tf_read_counts *out);
/* Add one of the counts to those in memory again: it could not be recorded. */
void tf_reads_put_back(struct tf_reads *r, const struct tf_read_counts *from,
    const struct tf_read *one);
void tf_reads_lose(struct tf_reads *r, uint64_t openings);
void tf_read_counts_free(struct tf_read_counts *c);

#endif
