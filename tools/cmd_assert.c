/* trailctl assert: is a workflow compliant?  The exit status is the answer, for
 * gates in a pipeline. */
#include <stdio.h>

#include "cmd.h"
#include "compliance.h"
#include "core/base/member.h"
#include "report.h"
#include "text.h"

static struct {
	bool json, sealed;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "sealed",
	    .help = "count sealed attestations only",
	    .flag = &ask.sealed },
	{ 0 },
};

static enum tf_code
print_json(const char *path, struct tf_str word, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_bool(&j, "is_compliant", compliance_exit(word) == REPORT_OK);
	tf_put_cstr(&j, "path", path);
	tf_json_key(&j, "status");
	tf_json_str(&j, word.p, word.n);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
judge(const struct where *w, int *status, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf b = { 0 };
	struct tf_str word = { NULL, 0 };
	enum tf_code rc = compliance_read(w, &b, err);

	if (rc == TF_OK && b.n > 0)
		rc = tf_json_parse_status(&d, b.p, b.n - 1, err);
	if (rc == TF_OK)
		word = compliance_word(&d,
		    tf_json_get(&d, 0, "compliance_status"),
		    ask.sealed ? "status_of_sealed" : "status");
	if (rc == TF_OK && word.p == NULL)
		rc = tf_fail(err, TF_INDOUBT, "%s has no such status", w->path);
	if (rc == TF_OK && ask.json)
		rc = print_json(w->path, word, err);
	else if (rc == TF_OK)
		compliance_print(w->path, word, &d);
	*status = rc == TF_OK ? compliance_exit(word) : REPORT_DOUBT;
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	return rc;
}

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_error err = { 0 };
	int status = REPORT_DOUBT;
	enum tf_code rc = where_find(arg[0], &w, &err);

	(void)n;
	if (rc == TF_OK && !compliance_of_workflow(&w))
		rc = tf_fail(&err, TF_USAGE, "%s is not a workflow", w.path);
	if (rc == TF_OK)
		rc = judge(&w, &status, &err);
	where_free(&w);
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
