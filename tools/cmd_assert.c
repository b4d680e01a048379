/* trailctl assert: is a workflow compliant?  The exit status is the answer, for
 * gates in a pipeline. */
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "compliance.h"
#include "report.h"
#include "text.h"

static enum tf_code
print_json(const char *path, struct tf_str word, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_json_key(&j, "is_compliant");
	tf_json_bool(&j, compliance_exit(word) == REPORT_OK);
	tf_json_key(&j, "path");
	tf_json_cstr(&j, path);
	tf_json_key(&j, "status");
	tf_json_str(&j, word.p, word.n);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
ask(const struct where *w, bool sealed, bool json, int *status,
    struct tf_error *err)
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
		    sealed ? "status_of_sealed" : "status");
	if (rc == TF_OK && word.p == NULL)
		rc = tf_fail(err, TF_INDOUBT, "%s has no such status", w->path);
	if (rc == TF_OK && json)
		rc = print_json(w->path, word, err);
	else if (rc == TF_OK)
		compliance_print(w->path, word, &d);
	*status = rc == TF_OK ? compliance_exit(word) : REPORT_DOUBT;
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	return rc;
}

int
cmd_assert(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "sealed", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, sealed = false;
	struct where w = { 0 };
	struct tf_error err = { 0 };
	int c, status = REPORT_DOUBT;
	enum tf_code rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 's')
			sealed = true;
		else
			return cmd_usage();
	}
	if (argc - optind != 1)
		return cmd_usage();
	rc = where_find(argv[optind], &w, &err);
	if (rc == TF_OK && !compliance_of_workflow(&w))
		rc = tf_fail(&err, TF_USAGE, "%s is not a workflow", w.path);
	if (rc == TF_OK)
		rc = ask(&w, sealed, json, &status, &err);
	where_free(&w);
	return rc == TF_OK ? status : report(&err);
}
