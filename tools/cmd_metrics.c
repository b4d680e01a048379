/*
 * trailctl metrics: print the metrics of a vault, or write them to a file that
 * a node exporter of Prometheus reads.
 *
 * The file is replaced only by metrics that were read whole.  A mount that does
 * not answer leaves the old file, whose trailfs_metrics_timestamp_seconds shows
 * how old it is.
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "core/control.h"
#include "many.h"
#include "report.h"
#include "textfile.h"
#include "where.h"

static const char *textfile; /* or NULL */

static const struct args_option options[] = {
	{ .name = "textfile",
	    .value = "FILE",
	    .help = "write them to FILE, in one step, for a node exporter",
	    .text = &textfile },
	{ 0 },
};

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_buf b = { 0 };
	struct tf_error err = { 0 };
	const char *at = n > 0 ? arg[0] : ".";
	enum tf_code rc = many_metrics(at, &b, &err);
	bool many = rc != TF_NOTFOUND;

	if (!many)
		rc = where_find(at, &w, &err);
	if (rc == TF_OK && !many)
		rc = where_text(&w, TF_CONTROL_METRICS, tf_vault_metrics, &b,
		    &err);
	if (rc == TF_OK && textfile != NULL)
		rc = textfile_write(textfile, &b, &err);
	else if (rc == TF_OK)
		fwrite(b.p, 1, b.n, stdout);
	tf_buf_free(&b);
	where_free(&w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_metrics = {
	.name = "metrics",
	.summary = "print metrics of a vault for Prometheus",
	.usage = "[OPTION...] [STORE|PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
