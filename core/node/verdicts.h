/*
 * The results of workflows that were judged, in the memory of a process: see
 * view/verdicts.h.  The number of places is fixed.
 */
#ifndef TF_NODE_VERDICTS_H
#define TF_NODE_VERDICTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../ledger/status.h"
#include "../types.h"

#define TF_VERDICTS 16384

/* The result of one workflow, and what it holds for. */
struct tf_verdict {
	uint64_t workflow; /* 0: none */
	enum tf_compliance word;
	struct tf_tally tally;
	size_t names;	   /* of attestations, and of slots of the template */
	uint64_t template; /* its version; 0: none */
	size_t warnings;   /* of the template */
	uint64_t entries;  /* of the ledger that was judged */
	uint64_t lost;	   /* see view/unindexed.h */
	uint64_t read_ns;  /* when its records were read; boot clock */
	uint64_t took_ns;  /* the judging */
	/* It holds at times after `after` and not after `until`; an s of 0: at
	 * all. */
	struct tf_time after, until;
	/* The ids of the open attestations that count are in this range, and its
	 * claims have this digest.  low > high: there are none. */
	uint64_t low, high;
	struct tf_hash claims;
};

struct tf_verdicts {
	pthread_mutex_t mu;
	struct tf_verdict of[TF_VERDICTS]; /* by id modulo; guarded by mu */
};

struct tf_verdicts *tf_verdicts_new(void);
void tf_verdicts_free(struct tf_verdicts *k); /* NULL: does nothing */

#endif
