/* The result of trailctl verify for Prometheus: of one that recorded nothing, too,
 * such as one by a user who may not record it. */
#include "core/base/clock.h"
#include "core/base/metric.h"
#include "verdict.h"

void
verdict_metrics(const struct tf_report *r, int status, uint64_t begun_ns,
    struct tf_buf *out)
{
	const struct tf_metrics m = { out, r->origin };

	tf_gauge(&m, "trailfs_verify_run_status",
	    "Exit status of the last trailctl verify: 0 if all is whole, 4 if "
	    "it found damage.",
	    (uint64_t)status);
	tf_gauge_seconds(&m, "trailfs_verify_run_timestamp_seconds",
	    "When the last trailctl verify ended.", tf_clock_now());
	tf_gauge_seconds(&m, "trailfs_verify_run_duration_seconds",
	    "How long the last trailctl verify took.",
	    tf_metric_time(tf_clock_boot_ns() - begun_ns));
	tf_gauge(&m, "trailfs_verify_run_entries",
	    "Entries that the last trailctl verify examined.", r->entries);
	tf_gauge(&m, "trailfs_verify_run_unread_files",
	    "Older files that the last trailctl verify did not read, because "
	    "it was incremental.",
	    r->unread);
	tf_gauge(&m, "trailfs_verify_run_bytes",
	    "Bytes of evidence that the last trailctl verify examined.",
	    r->bytes);
}
