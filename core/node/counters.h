/*
 * What a vault counts from its opening on, for its metrics.  Counting takes no
 * lock and no memory, because closes and seals count.
 */
#ifndef TF_NODE_COUNTERS_H
#define TF_NODE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#define TF_BUCKETS 14 /* with an upper bound; one more has none */

/* The upper bounds of the buckets, in nanoseconds, in rising order. */
extern const uint64_t tf_bucket_ns[TF_BUCKETS];

struct tf_histogram {
	_Atomic uint64_t bucket[TF_BUCKETS + 1]; /* each value is in one */
	_Atomic uint64_t sum_ns;
};

struct tf_counters {
	struct tf_histogram closes; /* successful flushes for close and fsync */
	struct tf_histogram seals;  /* successful seals, of files or of one
				     * directory */
	_Atomic uint64_t close_failures, seal_failures;
	_Atomic uint64_t interrupted;	 /* files */
	_Atomic uint64_t reads_recorded; /* openings, in evidence.read */
	_Atomic uint64_t damaged_reads;
	/* These go down, too: open handles, and jobs for the committer that it
	 * has not begun. */
	_Atomic uint64_t writers, readers, queued;
};

/* Count something that began at begun_ns on the boot clock and ends now. */
void tf_histogram_add(struct tf_histogram *h, uint64_t begun_ns);

#endif
