/* Counters and histograms: see counters.h. */
#include "../base/clock.h"
#include "counters.h"

#define MS (TF_SECOND / 1000)

const uint64_t tf_bucket_ns[TF_BUCKETS] = { MS / 2, MS, 5 * MS / 2, 5 * MS,
	10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, TF_SECOND,
	5 * TF_SECOND, 30 * TF_SECOND, 120 * TF_SECOND };

void
tf_histogram_add(struct tf_histogram *h, uint64_t begun_ns)
{
	const uint64_t ns = tf_clock_boot_ns() - begun_ns;
	unsigned i = 0;

	while (i < TF_BUCKETS && ns > tf_bucket_ns[i])
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_ns, ns, memory_order_relaxed);
}
