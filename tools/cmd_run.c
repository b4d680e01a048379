/*
 * trailctl run: run a command and record its output, its end and its facts.
 *
 * The command comes first: once it could be started, its exit status is ours,
 * and its output is on the terminal and in files that stderr names if they
 * cannot be recorded. In a mount these files are in a draft attestation from
 * the first byte on, so that they outlive us: there is no guard, and a killed
 * trailctl leaves the draft with the output so far and a run.json without an
 * end.
 *
 * Order: check that the name can be recorded and begin the draft with its
 * claims; run the command, with copies (spool.h); write run.json; set the claim
 * "compliant" from the exit status unless it is given; publish by one rename.
 * In a store the lock would be held for as long as the command runs, so the
 * copies go to a directory of our own, and the store is opened again at the
 * end.
 *
 * Exit status: that of the command, or 128 plus the signal that ended it, as a
 * shell does. A failed recording does not change it, because trailctl run
 * stands in front of commands whose status a build relies on. Only what is
 * wrong before the command begins has a status of trailctl, and with --require
 * also a vault that cannot be opened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "cmd.h"
#include "core/base/clock.h"
#include "publish.h"
#include "report.h"
#include "run_facts.h"
#include "spool.h"

#define FACTS "run.json"

static struct {
	bool begin, again, require;
	struct claims_options claims;
	struct args_list env;
} ask;

static const struct args_option options[] = {
	CLAIMS_OPTIONS(&ask.claims),
	PUBLISH_OPTIONS(&ask.begin, &ask.again),
	{ .name = "require",
	    .help = "do not run the command if it cannot be recorded",
	    .flag = &ask.require },
	{ .name = "env",
	    .value = "NAME",
	    .help = "record this variable; may be repeated",
	    .list = &ask.env },
	{ 0 },
};

struct run {
	const char *path;
	char **argv;
	struct claims claims;
	struct recorder r; /* open while the command runs: in a mount */
	struct spool spool;
};

/* --- before ---------------------------------------------------------------------- */

/* Open the vault and check that the name can be recorded. */
static enum tf_code
open_vault(struct run *x, struct tf_error *err)
{
	char state[16], *name = NULL;
	enum tf_code rc = recorder_open(x->path, &x->r, err);

	if (rc == TF_OK && ask.again)
		rc = publish_unversioned(&x->r, "--again", err);
	if (rc == TF_OK)
		rc = recorder_workflow(&x->r, ask.begin, err);
	if (rc == TF_OK && !ask.again) {
		rc = recorder_state(&x->r, x->r.name, state, err);
		if (rc == TF_OK && state[0] != '\0')
			rc = tf_fail(err, TF_EXISTS,
			    "%s/%s exists already; --again records the next "
			    "version",
			    x->r.wf, x->r.name);
	}
	if (rc == TF_OK)
		rc = ask.again ? publish_next(&x->r, &name, err) : TF_OK;
	if (rc == TF_OK) {
		rc = publish_check(&x->r, name != NULL ? name : x->r.name, err);
		/* Who may not read the template may still report. */
		rc = rc == TF_ACCESS ? TF_OK : rc;
	}
	free(name);
	return rc;
}

/* Begin the draft with its claims.  In a store nothing stays open: others may
 * need its lock while the command runs. */
static enum tf_code
prepare(struct run *x, struct tf_error *err)
{
	enum tf_code rc = open_vault(x, err);

	if (rc == TF_OK)
		rc = recorder_begin(&x->r, RECORDER_RUN, false, err);
	if (rc == TF_OK)
		rc = publish_claims(&x->r, &x->claims, err);
	if (rc != TF_OK || x->r.v != NULL)
		rc = recorder_close(&x->r, rc, err);
	return rc;
}

/* Write run.json. It is written before the command too (end NULL), so that the
 * draft of a killed run shows what ran and when. */
static void
put_facts(struct run *x, struct tf_time began, const struct child_end *end)
{
	struct tf_buf text = { 0 };

	if (run_facts(x->argv, &ask.env, began, end, &text, NULL) == TF_OK)
		spool_put(&x->spool, FACTS, &text);
	tf_buf_free(&text);
}

/* --- after ----------------------------------------------------------------------- */

/* Publish under the name, or with --again under the first free version. */
static enum tf_code
publish_run(struct run *x, struct tf_error *err)
{
	char *name = NULL;
	enum tf_code rc = ask.again ? publish_as_next(&x->r, &name, err) :
				      recorder_publish(&x->r, x->r.name, err);

	free(name);
	return rc;
}

/* The files are in the draft. */
static enum tf_code
record_draft(struct run *x, bool compliant, struct tf_error *err)
{
	const char *word = compliant ? "true" : "false";
	enum tf_code rc = TF_OK;

	if (claims_get(&x->claims, "compliant") == NULL)
		rc = recorder_claim(&x->r, "compliant", word, strlen(word),
		    err);
	return rc == TF_OK ? publish_run(x, err) : rc;
}

/* The files are in a directory of our own. */
static enum tf_code
record_spool(struct run *x, bool compliant, struct tf_error *err)
{
	struct sources files = { 0 };
	struct evidence recorded = { 0 };
	enum tf_code rc = TF_OK;

	if (x->spool.dir == NULL)
		return tf_fail(err, TF_IO, "the output was not kept");
	rc = sources_find(1, &x->spool.dir, &files, err);
	if (rc == TF_OK)
		rc = open_vault(x, err);
	if (rc == TF_OK)
		rc = recorder_begin(&x->r, RECORDER_RUN, false, err);
	/* The modes are those that files in a draft have. */
	for (size_t i = 0; i < files.n; i++)
		files.v[i].mode = 0666;
	if (rc == TF_OK)
		rc = publish_copy(&x->r, &files, &recorded, err);
	if (rc == TF_OK)
		rc = publish_claims(&x->r, &x->claims, err);
	if (rc == TF_OK)
		rc = record_draft(x, compliant, err);
	rc = recorder_close(&x->r, rc, err);
	if (rc == TF_OK)
		spool_remove(&x->spool);
	sources_free(&files);
	evidence_free(&recorded);
	return rc;
}

/*
 * Record what the spool has. Up to two attempts: publish the draft that has the
 * files, or else copy the files from a directory of our own into a new draft.
 * Failures are printed and are not the exit status.
 */
static void
record(struct run *x, bool compliant)
{
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (x->r.ops != NULL && !x->spool.own)
		rc = record_draft(x, compliant, &err);
	else
		rc = TF_OK;
	/* What cannot be published stays where it is, unless we have a copy. */
	if (x->r.ops != NULL) {
		if (!x->spool.rescued || x->spool.partly)
			recorder_keep(&x->r);
		rc = recorder_close(&x->r, rc, &err);
	}
	if (x->spool.own)
		rc = record_spool(x, compliant, &err);
	if (rc == TF_OK)
		return;
	report_note("%s is not recorded: %s", x->path, err.text);
	if (x->spool.dir != NULL)
		report_note("its output is kept in %s", x->spool.dir);
}

/* --- the verb --------------------------------------------------------------------- */

/* Run the command and record it. Returns the exit status of the command.
 * run.json is written once more if the logs moved after its last version. */
static int
run_and_record(struct run *x)
{
	struct child_end end = { 0 };
	struct tf_error err = { 0 };
	char *dir = NULL;

	if (x->r.ops != NULL && recorder_directory(&x->r, &dir, &err) != TF_OK)
		report_note("%s", err.text);
	spool_open(&x->spool, dir);
	free(dir);
	put_facts(x, tf_clock_now(), NULL);
	child_run(x->argv, &x->spool.copy[0], &x->spool.copy[1], &end);
	put_facts(x, end.began, &end);
	spool_close(&x->spool);
	if (x->spool.rescued)
		put_facts(x, end.began, &end);
	record(x, end.signal == 0 && end.exit == 0);
	spool_free(&x->spool);
	return end.signal != 0 ? 128 + end.signal : end.exit;
}

static int
run(int n, char **arg)
{
	struct run x = { .path = arg[0], .argv = arg + 1, .r.fd = -1 };
	struct tf_error err = { 0 };
	enum tf_code rc = claims_take(&ask.claims, &x.claims, &err);
	int status;

	(void)n;
	for (size_t i = 0; rc == TF_OK && i < ask.env.n; i++)
		if (strchr(ask.env.v[i], '=') != NULL)
			rc = tf_fail(&err, TF_USAGE,
			    "--env takes the name of a variable, not \"%.60s\"",
			    ask.env.v[i]);
	if (rc == TF_OK)
		rc = prepare(&x, &err);
	/* Wrong arguments; or it shall not run without a record. */
	if (rc != TF_OK &&
	    (ask.require || rc == TF_USAGE || rc == TF_INVALID ||
		rc == TF_BADNAME || rc == TF_NAMETOOLONG)) {
		claims_free(&x.claims);
		return report(&err);
	}
	if (rc != TF_OK)
		report_note("%s cannot be recorded yet: %s", x.path, err.text);
	status = run_and_record(&x);
	claims_free(&x.claims);
	return status;
}

const struct verb cmd_run = {
	.name = "run",
	.summary = "run a command and record its output and its end",
	.usage = "[OPTION...] PATH -- COMMAND [ARG...]",
	.options = options,
	.min = 2,
	.max = VERB_ANY_NUMBER,
	.run = run,
};
