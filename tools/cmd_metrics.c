/*
 * trailctl metrics: print the metrics of a vault, or write them to a file that
 * a node exporter of Prometheus reads.
 *
 * The file is replaced only by metrics that were read whole.  A mount that does
 * not answer leaves the old file, whose trailfs_metrics_timestamp_seconds shows
 * how old it is.
 */
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "core/control.h"
#include "files.h"
#include "report.h"
#include "textfile.h"
#include "where.h"

#define METRICS_MAX (1 << 20) /* bytes; a mount that sends more is refused */

static const char *textfile; /* or NULL */

static const struct args_option options[] = {
	{ .name = "textfile",
	    .value = "FILE",
	    .help = "write them to FILE, in one step, for a node exporter",
	    .text = &textfile },
	{ 0 },
};

/* Read the metrics of the vault at w, from its mount or its store. */
static enum tf_code
get(const struct where *w, struct tf_buf *out, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	enum tf_code rc;
	int fd;

	if (w->mount != NULL) {
		rc = where_control(w, TF_CONTROL_METRICS, &fd, err);
		if (rc != TF_OK)
			return rc;
		rc = files_read_fd(fd, "the metrics", METRICS_MAX, out, err);
		close(fd);
		return rc;
	}
	if ((rc = where_open(w, false, &v, err)) != TF_OK)
		return rc;
	rc = tf_vault_metrics(v, NULL, out, err);
	where_close(v);
	return rc;
}

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_buf b = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find(n > 0 ? arg[0] : ".", &w, &err);

	if (rc == TF_OK)
		rc = get(&w, &b, &err);
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
