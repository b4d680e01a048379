/*
 * trailctl assert: is a workflow compliant? The exit status is the answer, for
 * gates in a pipeline: 0 compliant, 1 not compliant, 4 damaged, 5 incomplete or
 * not decidable, 3 not readable. A gate that tests for 0 is safe, because
 * everything unclear has another status.
 *
 * --wait looks once per second while the answer is incomplete or the workflow
 * is missing, since a later job may still report. A workflow that is not
 * compliant is answered at once: waiting does not make it so.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "compliance.h"
#include "core/base/clock.h"
#include "core/base/member.h"
#include "files.h"
#include "report.h"
#include "text.h"

#define PERIOD_S 1 /* between two looks */

static struct {
	bool json, sealed;
	uint64_t wait_s;
	const char *junit;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "sealed",
	    .help = "count sealed attestations only",
	    .flag = &ask.sealed },
	{ .name = "wait",
	    .value = "SECONDS",
	    .help = "wait so long while it is incomplete or missing",
	    .number = &ask.wait_s },
	{ .name = "junit",
	    .value = "FILE",
	    .help = "also write JUnit XML; - is standard output",
	    .text = &ask.junit },
	{ 0 },
};

/* The status of a workflow at one time. */
struct answer {
	struct where w;
	struct tf_buf text;
	struct tf_json_doc d;
	struct tf_str word;
};

static void
answer_free(struct answer *a)
{
	tf_json_doc_free(&a->d);
	tf_buf_free(&a->text);
	where_free(&a->w);
	*a = (struct answer){ 0 };
}

/* One look. On failure the caller frees what a has. */
static enum tf_code
look(const char *arg, struct answer *a, struct tf_error *err)
{
	enum tf_code rc = where_find(arg, &a->w, err);

	if (rc == TF_OK && !compliance_of_workflow(&a->w))
		rc = tf_fail(err, TF_USAGE,
		    "%s is not a workflow: name TRAIL/WORKFLOW in a mount or "
		    "a store",
		    arg);
	if (rc == TF_OK)
		rc = compliance_read(&a->w, &a->text, err);
	if (rc == TF_OK && a->text.n > 0)
		rc = tf_json_parse_status(&a->d, a->text.p, a->text.n - 1, err);
	if (rc == TF_OK)
		a->word = compliance_word(&a->d,
		    tf_json_get(&a->d, 0, "compliance_status"),
		    ask.sealed ? "status_of_sealed" : "status");
	if (rc == TF_OK && a->word.p == NULL)
		rc = tf_fail(err, TF_INDOUBT, "%s has no such status",
		    a->w.path);
	return rc;
}

/* The boot clock: a clock that is set must not end the waiting. */
static uint64_t
seconds(void)
{
	return tf_clock_boot_ns() / TF_SECOND;
}

/* Look until the answer is not "incomplete", or the time is over. */
static enum tf_code
wait_for(const char *arg, struct answer *a, struct tf_error *err)
{
	const uint64_t start = seconds();
	enum tf_code rc;

	for (;;) {
		rc = look(arg, a, err);
		if (rc != TF_NOTFOUND &&
		    (rc != TF_OK || compliance_exit(a->word) != REPORT_DOUBT))
			return rc;
		if (seconds() - start >= ask.wait_s)
			return rc;
		answer_free(a);
		(void)sleep(PERIOD_S);
	}
}

static enum tf_code
print_json(const struct answer *a, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_bool(&j, "is_compliant", compliance_exit(a->word) == REPORT_OK);
	tf_put_cstr(&j, "path", a->w.path);
	tf_json_key(&j, "status");
	tf_json_str(&j, a->word.p, a->word.n);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/*
 * The table, JSON or JUnit. With --junit - only the XML is on standard output.
 */
static enum tf_code
print(const struct answer *a, struct tf_error *err)
{
	const bool only_junit = ask.junit != NULL &&
	    strcmp(ask.junit, "-") == 0;
	struct tf_buf xml = { 0 };
	enum tf_code rc = TF_OK;

	if (ask.junit != NULL) {
		rc = compliance_junit(a->w.path, a->word, &a->d, ask.sealed,
		    &xml, err);
		if (rc == TF_OK && only_junit)
			fputs(text_of(&xml), stdout);
		else if (rc == TF_OK)
			rc = files_write(ask.junit, &xml, err);
		tf_buf_free(&xml);
	}
	if (rc != TF_OK || only_junit)
		return rc;
	if (ask.json)
		return print_json(a, err);
	compliance_print(a->w.path, a->word, &a->d, ask.sealed);
	return TF_OK;
}

static int
run(int n, char **arg)
{
	struct answer a = { 0 };
	struct damage damage = { 0 };
	struct tf_error err = { 0 };
	int status = REPORT_DOUBT;
	enum tf_code rc = wait_for(arg[0], &a, &err);

	(void)n;
	if (rc == TF_OK) {
		status = compliance_exit(a.word);
		rc = print(&a, &err);
		damage_read(&damage, &a.d, 0);
		status = damage_exit(&damage, status);
	}
	answer_free(&a);
	return rc == TF_OK ? status : report(&err);
}

const struct verb cmd_assert = {
	.name = "assert",
	.summary = "exit with 0 if a workflow is compliant, 1 if not, 5 if "
		   "incomplete",
	.usage = "[OPTION...] WORKFLOW",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
