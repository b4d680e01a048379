/* The text format of Prometheus: see prometheus.h. */
#include <stddef.h>

#include "../base/clock.h"
#include "../buffer.h"
#include "../node/counters.h"
#include "prometheus.h"

void
tf_metric(struct tf_buf *out, const char *name, const char *type,
    const char *help)
{
	tf_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void
add_value(struct tf_buf *out, const char *p)
{
	for (; *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			tf_buf_add(out, "\\", 1);
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			tf_buf_add(out, "?", 1);
		else
			tf_buf_add(out, p, 1);
	}
}

static void
begin_sample(struct tf_buf *out, const char *name, const char *const *labels)
{
	tf_buf_str(out, name);
	for (size_t i = 0; labels != NULL && labels[i] != NULL; i += 2) {
		tf_buf_printf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
		add_value(out, labels[i + 1]);
		tf_buf_str(out, "\"");
	}
	tf_buf_str(out, labels != NULL && labels[0] != NULL ? "} " : " ");
}

void
tf_sample(struct tf_buf *out, const char *name, const char *const *labels,
    uint64_t value)
{
	begin_sample(out, name, labels);
	tf_buf_printf(out, "%llu\n", (unsigned long long)value);
}

void
tf_sample_seconds(struct tf_buf *out, const char *name,
    const char *const *labels, struct tf_time value)
{
	begin_sample(out, name, labels);
	tf_buf_printf(out, "%lld.%09u\n", (long long)value.s, value.ns);
}

static struct tf_time
seconds(uint64_t ns)
{
	return (struct tf_time){ (int64_t)(ns / TF_SECOND),
		(uint32_t)(ns % TF_SECOND) };
}

/* The count is the sum of the buckets that were read, not a value of its own:
 * others may count meanwhile, and the two must agree. */
void
tf_samples_histogram(struct tf_buf *out, const char *name,
    const struct tf_histogram *h)
{
	const uint64_t sum_ns = atomic_load(&h->sum_ns);
	uint64_t count = 0;

	for (unsigned i = 0; i <= TF_BUCKETS; i++) {
		count += atomic_load(&h->bucket[i]);
		if (i < TF_BUCKETS)
			tf_buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name,
			    (double)tf_bucket_ns[i] / (double)TF_SECOND,
			    (unsigned long long)count);
	}
	tf_buf_printf(out,
	    "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %lld.%09u\n"
	    "%s_count %llu\n",
	    name, (unsigned long long)count, name, (long long)seconds(sum_ns).s,
	    seconds(sum_ns).ns, name, (unsigned long long)count);
}

void
tf_gauge(struct tf_buf *out, const char *name, const char *help, uint64_t value)
{
	tf_metric(out, name, "gauge", help);
	tf_sample(out, name, NULL, value);
}

void
tf_gauge_seconds(struct tf_buf *out, const char *name, const char *help,
    struct tf_time value)
{
	tf_metric(out, name, "gauge", help);
	tf_sample_seconds(out, name, NULL, value);
}

void
tf_counter(struct tf_buf *out, const char *name, const char *help,
    uint64_t value)
{
	tf_metric(out, name, "counter", help);
	tf_sample(out, name, NULL, value);
}
