/*
 * Metrics in the text format of Prometheus, version 0.0.4.  Names are also what
 * OpenMetrics allows: counters end in _total, units are seconds and bytes.
 *
 * Every sample has the label origin, because a node exporter puts the files of
 * several vaults together.
 */
#ifndef TF_BASE_METRIC_H
#define TF_BASE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

#include "../buffer.h"
#include "../types.h"

/* --- counting ---------------------------------------------------------- */

#define TF_BUCKETS 14 /* with an upper bound; one more has none */

struct tf_histogram {
	_Atomic uint64_t bucket[TF_BUCKETS + 1]; /* each value is in one */
	_Atomic uint64_t sum_ns;
};

/* Count something that began at begun_ns on the boot clock and ends now.  Takes
 * no lock and no memory. */
void tf_histogram_add(struct tf_histogram *h, uint64_t begun_ns);

/* --- text -------------------------------------------------------------- */

struct tf_metrics {
	struct tf_buf *out; /* fails without memory */
	const char *origin; /* of the vault */
};

/* The lines before the samples of a metric.  type: "gauge", "counter" or
 * "histogram". */
void tf_metric(const struct tf_metrics *m, const char *name, const char *type,
    const char *help);
/*
 * One sample.  labels: names and values in turn, and NULL at the end; or NULL.
 * Values are escaped; what is not printable in them becomes '?'.
 */
void tf_sample(const struct tf_metrics *m, const char *name,
    const char *const *labels, uint64_t value);
void tf_sample_seconds(const struct tf_metrics *m, const char *name,
    const char *const *labels, struct tf_time value);

/* A metric with all its samples. */
void tf_gauge(const struct tf_metrics *m, const char *name, const char *help,
    uint64_t value);
void tf_gauge_seconds(const struct tf_metrics *m, const char *name,
    const char *help, struct tf_time value);
void tf_counter(const struct tf_metrics *m, const char *name, const char *help,
    uint64_t value);
void tf_metric_histogram(const struct tf_metrics *m, const char *name,
    const char *help, const struct tf_histogram *h);

/* So many nanoseconds. */
struct tf_time tf_metric_time(uint64_t ns);

#endif
