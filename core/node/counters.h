/*
 * What a vault counts from its opening on, for its metrics.  Counting takes no
 * lock and no memory, because closes and seals count.
 */
#ifndef TF_NODE_COUNTERS_H
#define TF_NODE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "../base/metric.h"

struct tf_counters {
	struct tf_histogram closes; /* successful flushes for close and fsync */
	struct tf_histogram seals;  /* successful seals, of files or of one
				     * directory */
	_Atomic uint64_t close_failures, seal_failures;
	_Atomic uint64_t interrupted;	 /* files */
	_Atomic uint64_t reads_recorded; /* openings, in evidence.read */
	_Atomic uint64_t damaged_reads;
	_Atomic uint64_t grown_bytes; /* entered of files that grow */
	_Atomic uint64_t grow_failures;
	/* These go down, too: open handles, jobs for the committer that it
	 * has not begun, and files that are entered while they grow. */
	_Atomic uint64_t writers, readers, queued, growing;
};

#endif
