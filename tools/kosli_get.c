/*
 * kosli get trail, get attestation, log trail and search.
 *
 * Where a verb of trailctl gives the answer, its command line is called. get
 * attestation has no such verb: it reads attestation.json of the name and of
 * its versions, which are the repeats of one attestation at Kosli, and prints
 * the newest first.
 *
 * search asks three times: for a commit, for a fingerprint in an annotation,
 * and for a file with that digest. It found something if one of them did; an
 * error of one ends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compliance.h"
#include "core/base/bytes.h"
#include "kosli.h"
#include "kosli_read.h"
#include "report.h"
#include "text.h"

/* The exit status of err; a wrong option also prints the usage. */
static int
failed(const struct kosli_word *w, const struct tf_error *err)
{
	return err->code == TF_USAGE ? kosli_usage(w, "%s", err->text) :
				       report(err);
}

/* Is --output this form?  The first of forms is the default. */
static bool
is_form(const char *form, bool is_default)
{
	return kosli_ask.output == NULL ? is_default :
					  strcmp(kosli_ask.output, form) == 0;
}

static int
wrong_form(const struct kosli_word *w, const char *forms)
{
	return kosli_usage(w, "--output is %s, not \"%.60s\"", forms,
	    kosli_ask.output);
}

/* trailctl VERB PATH [--json] */
static int
call(const struct verb *v, const char *path, bool json)
{
	struct kosli_call c;

	kosli_call(&c, v->name);
	if (json)
		kosli_call_add(&c, NULL, "--json");
	kosli_call_add(&c, NULL, "--");
	kosli_call_add(&c, NULL, path);
	return kosli_call_do(&c, v);
}

/* --- get trail --------------------------------------------------------------------- */

/* Returns the exit status; an error is printed. */
static int
print_markdown(const char *path)
{
	struct tf_buf text = { 0 };
	struct tf_error err = { 0 };
	int status = REPORT_OK;

	if (kosli_read_markdown(path, &text, &err) == TF_OK)
		fwrite(text.p, 1, text.n, stdout);
	else
		status = report(&err);
	tf_buf_free(&text);
	return status;
}

static int
run_trail(int n, char **arg)
{
	const bool json = is_form("json", false);
	const bool markdown = is_form("markdown", false);
	struct tf_error err = { 0 };
	char *path = NULL;
	int status;

	(void)n;
	if (!json && !markdown && !is_form("table", true))
		return wrong_form(&kosli_get_trail, "table, json or markdown");
	if (kosli_ask.flow == NULL)
		return kosli_usage(&kosli_get_trail, "--flow is missing");
	if (kosli_path(&path, &err, kosli_ask.flow, arg[0], NULL) != TF_OK)
		status = failed(&kosli_get_trail, &err);
	else
		status = markdown ? print_markdown(path) :
				    call(&cmd_status, path, json);
	free(path);
	return status;
}

static const struct args_option trail_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_OUTPUT("table|json|markdown"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_get_trail = {
	.verb = "get",
	.object = "trail",
	.operand = "TRAIL",
	.is = "status",
	.options = trail_options,
	.min = 1,
	.max = 1,
	.run = run_trail,
};

/* --- log trail ----------------------------------------------------------------------- */

static int
run_log(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *path = NULL;
	int status;

	(void)n;
	if (!is_form("json", false) && !is_form("table", true))
		return wrong_form(&kosli_log_trail, "table or json");
	if (kosli_ask.flow == NULL)
		return kosli_usage(&kosli_log_trail, "--flow is missing");
	status = kosli_path(&path, &err, kosli_ask.flow, arg[0], NULL) ==
		TF_OK ?
	    call(&cmd_log, path, is_form("json", false)) :
	    failed(&kosli_log_trail, &err);
	free(path);
	return status;
}

static const struct args_option log_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_OUTPUT("table|json"),
	KOSLI_NO("interval", 'i', "use trailctl log"),
	KOSLI_NO("start", 0, "use trailctl log"),
	KOSLI_NO("end", 0, "use trailctl log"),
	KOSLI_NO("start-ts", 0, "use trailctl log"),
	KOSLI_NO("end-ts", 0, "use trailctl log"),
	KOSLI_NO("reverse", 0, "use trailctl log"),
	KOSLI_NO("repo", 0, "use trailctl find --annotation"),
	KOSLI_NO("page", 0, "use trailctl log"),
	KOSLI_NO("page-limit", 'n', "use trailctl log"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_log_trail = {
	.verb = "log",
	.object = "trail",
	.operand = "TRAIL",
	.is = "log; Kosli has no such word",
	.options = log_options,
	.min = 1,
	.max = 1,
	.run = run_log,
};

/* --- get attestation -------------------------------------------------------------------- */

/* The reports of a name, each the text of attestation.json. */
struct reports {
	struct tf_buf *v;
	size_t n;
};

static enum tf_code
add_report(void *arg, const char *path, const struct tf_buf *json,
    struct tf_error *err)
{
	struct reports *r = arg;
	struct tf_buf *v = realloc(r->v, (r->n + 1) * sizeof(*v));

	(void)path;
	if (v == NULL)
		return tf_nomem(err);
	r->v = v;
	v[r->n] = (struct tf_buf){ 0 };
	/* Without the line end. */
	tf_buf_add(&v[r->n], json->p, json->n > 0 ? json->n - 1 : 0);
	return tf_buf_end(&v[r->n++], err);
}

/* One list, the newest report first. */
static void
print_json(const struct reports *r)
{
	putchar('[');
	for (size_t i = r->n; i-- > 0;) {
		fwrite(r->v[i].p, 1, r->v[i].n, stdout);
		if (i > 0)
			putchar(',');
	}
	puts("]");
}

/* A member that is not there has no line. */
static void
print_member(const struct tf_json_doc *d, int of, const char *key,
    const char *label)
{
	struct tf_buf text = { 0 };
	int t = of < 0 ? -1 : tf_json_get(d, of, key);

	if (t >= 0)
		text_add_token(&text, d, t);
	if (t >= 0)
		printf("%-22s%s\n", label, text_of(&text));
	tf_buf_free(&text);
}

/* The newest report first, with an empty line between two. */
static enum tf_code
print_table(const struct reports *r, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = r->n; rc == TF_OK && i-- > 0;) {
		struct tf_json_doc d = { 0 };
		int begun, notes;

		rc = tf_json_parse_status(&d, r->v[i].p, r->v[i].n, err);
		if (rc != TF_OK)
			return rc;
		begun = tf_json_get(&d, 0, "begun");
		notes = tf_json_get(&d, 0, "annotations");
		print_member(&d, 0, "attestation_name", "Name:");
		print_member(&d, 0, "attestation_type", "Type:");
		print_member(&d, 0, "is_compliant", "Compliance:");
		print_member(&d, begun, "at", "Created at:");
		print_member(&d, notes, "artifact_fingerprint",
		    "Artifact fingerprint:");
		print_member(&d, notes, "git_commit", "Git commit:");
		tf_json_doc_free(&d);
		if (i > 0)
			putchar('\n');
	}
	return rc;
}

static int
run_attestation(int n, char **arg)
{
	const bool json = is_form("json", false);
	struct reports r = { 0 };
	struct tf_error err = { 0 };
	char *path = NULL;
	enum tf_code rc;

	(void)n;
	if (!json && !is_form("table", true))
		return wrong_form(&kosli_get_attestation, "table or json");
	if (kosli_ask.flow == NULL || kosli_ask.trail == NULL)
		return kosli_usage(&kosli_get_attestation, "%s is missing",
		    kosli_ask.flow == NULL ? "--flow" : "--trail");
	if (strpbrk(arg[0], "/@") != NULL || arg[0][0] == '.')
		return kosli_usage(&kosli_get_attestation,
		    "\"%.60s\" is no name of an attestation", arg[0]);
	rc = kosli_path(&path, &err, kosli_ask.flow, kosli_ask.trail, arg[0]);
	if (rc == TF_OK)
		rc = kosli_read_versions(path, add_report, &r, &err);
	if (rc == TF_OK && json)
		print_json(&r);
	else if (rc == TF_OK)
		rc = print_table(&r, &err);
	for (size_t i = 0; i < r.n; i++)
		tf_buf_free(&r.v[i]);
	free(r.v);
	free(path);
	return rc == TF_OK ? REPORT_OK : failed(&kosli_get_attestation, &err);
}

static const struct args_option attestation_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_TEXT("trail", 't', "TRAIL", "its workflow", &kosli_ask.trail),
	KOSLI_NO("fingerprint", 'F', "give --trail, or use search"),
	KOSLI_NO("attestation-id", 0, "give --trail and the name"),
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_get_attestation = {
	.verb = "get",
	.object = "attestation",
	.operand = "NAME",
	.is = "attestation.json of NAME and of its repeats, newest first",
	.options = attestation_options,
	.min = 1,
	.max = 1,
	.run = run_attestation,
};

/* --- search -------------------------------------------------------------------------------- */

/* trailctl find --annotation KEY=VALUE PLACE, or with key NULL for a digest. */
static int
find(const char *vault, const char *key, const char *value)
{
	struct kosli_call c;
	char *pair = NULL;
	int status;

	kosli_call(&c, "find");
	if (is_form("json", false))
		kosli_call_add(&c, NULL, "--json");
	if (key != NULL && asprintf(&pair, "%s=%s", key, value) < 0)
		pair = NULL;
	if (key != NULL)
		kosli_call_add(&c, "annotation", pair != NULL ? pair : "");
	kosli_call_add(&c, NULL, "--");
	if (key == NULL)
		kosli_call_add(&c, NULL, value);
	kosli_call_add(&c, NULL, vault);
	status = kosli_call_do(&c, &cmd_find);
	free(pair);
	return status;
}

static int
run_search(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *vault = NULL;
	const size_t len = strlen(arg[0]);
	int status, found = REPORT_FINDING;

	(void)n;
	if (!is_form("json", false) && !is_form("table", true))
		return wrong_form(&kosli_search, "table or json");
	if (len < 7 || len > 64 || strspn(arg[0], "0123456789abcdef") != len)
		return kosli_usage(&kosli_search,
		    "\"%.60s\" is neither 64 hex digits of a fingerprint nor "
		    "those of a commit as they were given",
		    arg[0]);
	if (kosli_path(&vault, &err, NULL, NULL, NULL) != TF_OK)
		return failed(&kosli_search, &err);
	status = find(vault, "git_commit", arg[0]);
	if (status == REPORT_OK)
		found = REPORT_OK;
	if (status <= REPORT_FINDING && len == 64) {
		status = find(vault, "artifact_fingerprint", arg[0]);
		if (status == REPORT_OK)
			found = REPORT_OK;
	}
	if (status <= REPORT_FINDING && len == 64) {
		status = find(vault, NULL, arg[0]);
		if (status == REPORT_OK)
			found = REPORT_OK;
	}
	free(vault);
	return status <= REPORT_FINDING ? found : status;
}

static const struct args_option search_options[] = {
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_search = {
	.verb = "search",
	.operand = "FINGERPRINT-OR-COMMIT",
	.is = "find",
	.options = search_options,
	.min = 1,
	.max = 1,
	.run = run_search,
};
