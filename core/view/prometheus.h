/*
 * The text format of Prometheus, version 0.0.4.  Names are also what OpenMetrics
 * allows: counters end in _total, units are seconds and bytes.  Appends to a
 * buffer, which fails without memory.
 */
#ifndef TF_VIEW_PROMETHEUS_H
#define TF_VIEW_PROMETHEUS_H

#include <stdint.h>

#include "../types.h"

struct tf_buf;
struct tf_histogram;

/* The lines before the samples of a metric.  type: "gauge", "counter" or
 * "histogram". */
void tf_metric(struct tf_buf *out, const char *name, const char *type,
    const char *help);
/*
 * One sample.  labels: names and values in turn, and NULL at the end; or NULL.
 * Values are escaped; what is not printable in them becomes '?'.
 */
void tf_sample(struct tf_buf *out, const char *name, const char *const *labels,
    uint64_t value);
void tf_sample_seconds(struct tf_buf *out, const char *name,
    const char *const *labels, struct tf_time value);
/* All samples of a histogram, which has no labels. */
void tf_samples_histogram(struct tf_buf *out, const char *name,
    const struct tf_histogram *h);

/* A metric with one sample and no label. */
void tf_gauge(struct tf_buf *out, const char *name, const char *help,
    uint64_t value);
void tf_gauge_seconds(struct tf_buf *out, const char *name, const char *help,
    struct tf_time value);
void tf_counter(struct tf_buf *out, const char *name, const char *help,
    uint64_t value);

#endif
