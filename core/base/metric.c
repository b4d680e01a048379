/* Metrics in the text format of Prometheus: see metric.h. */
#include <stddef.h>
#include <stdio.h>

#include "clock.h"
#include "metric.h"

/* --- counting ---------------------------------------------------------- */

#define MS (TF_SECOND / 1000)

/* The upper bounds of the buckets. */
static const uint64_t bound_ns[TF_BUCKETS] = { MS / 2, MS, 5 * MS / 2, 5 * MS,
	10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, TF_SECOND,
	5 * TF_SECOND, 30 * TF_SECOND, 120 * TF_SECOND };

void
tf_histogram_add(struct tf_histogram *h, uint64_t begun_ns)
{
	const uint64_t ns = tf_clock_boot_ns() - begun_ns;
	unsigned i = 0;

	while (i < TF_BUCKETS && ns > bound_ns[i])
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_ns, ns, memory_order_relaxed);
}

/* --- text -------------------------------------------------------------- */

void
tf_metric(const struct tf_metrics *m, const char *name, const char *type,
    const char *help)
{
	tf_buf_printf(m->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void
add_label(struct tf_buf *out, const char *name, const char *value)
{
	tf_buf_printf(out, "%s=\"", name);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			tf_buf_add(out, "\\", 1);
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			tf_buf_add(out, "?", 1);
		else
			tf_buf_add(out, p, 1);
	}
	tf_buf_str(out, "\"");
}

/* Write all of a sample before its value. */
static void
begin_sample(const struct tf_metrics *m, const char *name, const char *suffix,
    const char *const *labels)
{
	tf_buf_printf(m->out, "%s%s{", name, suffix);
	add_label(m->out, "origin", m->origin);
	for (size_t i = 0; labels != NULL && labels[i] != NULL; i += 2) {
		tf_buf_str(m->out, ",");
		add_label(m->out, labels[i], labels[i + 1]);
	}
	tf_buf_str(m->out, "} ");
}

static void
end_number(const struct tf_metrics *m, uint64_t value)
{
	tf_buf_printf(m->out, "%llu\n", (unsigned long long)value);
}

static void
end_seconds(const struct tf_metrics *m, struct tf_time value)
{
	tf_buf_printf(m->out, "%lld.%09u\n", (long long)value.s, value.ns);
}

void
tf_sample(const struct tf_metrics *m, const char *name,
    const char *const *labels, uint64_t value)
{
	begin_sample(m, name, "", labels);
	end_number(m, value);
}

void
tf_sample_seconds(const struct tf_metrics *m, const char *name,
    const char *const *labels, struct tf_time value)
{
	begin_sample(m, name, "", labels);
	end_seconds(m, value);
}

void
tf_gauge(const struct tf_metrics *m, const char *name, const char *help,
    uint64_t value)
{
	tf_metric(m, name, "gauge", help);
	tf_sample(m, name, NULL, value);
}

void
tf_gauge_seconds(const struct tf_metrics *m, const char *name, const char *help,
    struct tf_time value)
{
	tf_metric(m, name, "gauge", help);
	tf_sample_seconds(m, name, NULL, value);
}

void
tf_counter(const struct tf_metrics *m, const char *name, const char *help,
    uint64_t value)
{
	tf_metric(m, name, "counter", help);
	tf_sample(m, name, NULL, value);
}

struct tf_time
tf_metric_time(uint64_t ns)
{
	return (struct tf_time){ (int64_t)(ns / TF_SECOND),
		(uint32_t)(ns % TF_SECOND) };
}

/* The count is the sum of the buckets that were read, not a value of its own:
 * other threads may count meanwhile, and the two must agree. */
void
tf_metric_histogram(const struct tf_metrics *m, const char *name,
    const char *help, const struct tf_histogram *h)
{
	const uint64_t sum_ns = atomic_load(&h->sum_ns);
	char bound[32] = "+Inf";
	const char *const labels[] = { "le", bound, NULL };
	uint64_t count = 0;

	tf_metric(m, name, "histogram", help);
	for (unsigned i = 0; i <= TF_BUCKETS; i++) {
		if (i < TF_BUCKETS)
			(void)snprintf(bound, sizeof(bound), "%g",
			    (double)bound_ns[i] / (double)TF_SECOND);
		else
			(void)snprintf(bound, sizeof(bound), "+Inf");
		count += atomic_load(&h->bucket[i]);
		begin_sample(m, name, "_bucket", labels);
		end_number(m, count);
	}
	begin_sample(m, name, "_sum", NULL);
	end_seconds(m, tf_metric_time(sum_ns));
	begin_sample(m, name, "_count", NULL);
	end_number(m, count);
}
