/*
 * kosli get trail, get attestation, log trail and search.
 *
 * Where a verb of trailctl gives the answer, its command line is called. get
 * attestation has no such verb: it reads attestation.json of the name and of
 * its versions, which are the repeats of one attestation at Kosli, and prints
 * the newest first.
 *
 * An artifact has no directory here: attestations name it in an annotation, and
 * a search finds them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compliance.h"
#include "core/base/bytes.h"
#include "core/find.h"
#include "kosli.h"
#include "kosli_find.h"
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

static void
print_when(const struct tf_json_doc *d, int begun)
{
	struct tf_buf when = { 0 };

	if (begun < 0)
		return;
	text_add_when(&when, d, begun);
	printf("%-22s%s\n", "Created at:", text_of(&when));
	tf_buf_free(&when);
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
		print_when(&d, begun);
		print_member(&d, notes, "artifact_fingerprint",
		    "Artifact fingerprint:");
		print_member(&d, notes, "git_commit", "Git commit:");
		tf_json_doc_free(&d);
		if (i > 0)
			putchar('\n');
	}
	return rc;
}

/* The name at path, without its version. */
static struct tf_str
name_of(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return (struct tf_str){ name, strcspn(name, "@") };
}

/* Read the report at path, which is from the root of the vault. */
static enum tf_code
read_report(struct reports *r, const char *vault, const char *path,
    struct tf_error *err)
{
	struct tf_buf full = { 0 }, json = { 0 };
	enum tf_code rc;

	tf_buf_printf(&full, "%s/%s", vault, path);
	rc = tf_buf_end(&full, err);
	if (rc == TF_OK)
		rc = kosli_read_attestation(full.p, &json, err);
	if (rc == TF_OK)
		rc = add_report(r, full.p, &json, err);
	tf_buf_free(&full);
	tf_buf_free(&json);
	return rc;
}

/* Reports of a name about an artifact. */
struct about {
	struct reports *r;
	const char *vault, *name;
};

/* Does the newest of r name an artifact whose fingerprint begins as asked? */
static bool
is_about(const struct reports *r, struct tf_error *err)
{
	const struct tf_buf *b = &r->v[r->n - 1];
	const char *want = kosli_ask.fingerprint;
	struct tf_json_doc d = { 0 };
	struct tf_str s = { NULL, 0 };
	bool is;

	if (tf_json_parse_status(&d, b->p, b->n, err) == TF_OK)
		s = compliance_word(&d, 0, "artifact_fingerprint");
	is = s.p != NULL && s.n >= strlen(want) &&
	    memcmp(s.p, want, strlen(want)) == 0;
	tf_json_doc_free(&d);
	return is;
}

static enum tf_code
take_about(void *arg, const char *path, struct tf_error *err)
{
	const struct about *x = arg;
	const char *flow = kosli_ask.flow;
	const char *first = strchr(path, '/');
	const char *second = first != NULL ? strchr(first + 1, '/') : NULL;
	enum tf_code rc;

	if (second == NULL || strchr(second + 1, '/') != NULL ||
	    !tf_str_same((struct tf_str){ path, (size_t)(first - path) },
		tf_str_of(flow)) ||
	    !tf_str_same(name_of(path), tf_str_of(x->name)))
		return TF_OK;
	rc = read_report(x->r, x->vault, path, err);
	if (rc == TF_OK && !is_about(x->r, err))
		tf_buf_free(&x->r->v[--x->r->n]);
	return rc;
}

/* The answers of a search come with the newest first. */
static void
turn(struct reports *r)
{
	for (size_t i = 0; i < r->n / 2; i++) {
		struct tf_buf b = r->v[i];

		r->v[i] = r->v[r->n - 1 - i];
		r->v[r->n - 1 - i] = b;
	}
}

static enum tf_code
read_about(struct reports *r, const char *name, struct tf_error *err)
{
	struct about x = { .r = r, .name = name };
	char *vault = NULL;
	enum tf_code rc = kosli_path(&vault, err, NULL, NULL, NULL);

	x.vault = vault;
	if (rc == TF_OK)
		rc = kosli_find(vault, "prefix", kosli_ask.fingerprint,
		    take_about, &x, err);
	if (rc == TF_OK && r->n == 0)
		rc = tf_fail(err, TF_NOTFOUND,
		    "flow %.80s has no sealed attestation %.80s about this "
		    "artifact",
		    kosli_ask.flow, name);
	turn(r);
	free(vault);
	return rc;
}

static enum tf_code
read_id(struct reports *r, struct tf_error *err)
{
	struct tf_buf path = { 0 };
	char *vault = NULL;
	enum tf_code rc = kosli_path(&vault, err, NULL, NULL, NULL);

	if (rc == TF_OK)
		rc = kosli_find_id(vault, kosli_ask.attestation_id, &path, err);
	if (rc == TF_OK)
		rc = read_report(r, vault, path.p, err);
	tf_buf_free(&path);
	free(vault);
	return rc;
}

static enum tf_code
read_name(struct reports *r, const char *name, struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc = kosli_path(&path, err, kosli_ask.flow,
	    kosli_ask.trail, name);

	if (rc == TF_OK)
		rc = kosli_read_versions(path, add_report, r, err);
	free(path);
	return rc;
}

static bool
is_hex(const char *s, size_t least)
{
	const size_t n = strlen(s);

	return n >= least && n <= 64 && strspn(s, "0123456789abcdef") == n;
}

/* NULL, or what is wrong with the options: an id stands alone, and a name needs
 * a flow, and a trail or an artifact. */
static const char *
wrong_options(int n, char **arg)
{
	const char *id = kosli_ask.attestation_id;
	const char *print = kosli_ask.fingerprint;

	if (id != NULL)
		return n > 0 || kosli_ask.flow != NULL ||
			kosli_ask.trail != NULL || print != NULL ?
		    "--attestation-id stands alone" :
		    is_hex(id, 64) ? NULL :
				     "--attestation-id is 64 hex digits";
	return n == 0 ? "NAME is missing" :
	    kosli_ask.flow == NULL ?
			"--flow is missing" :
	    kosli_ask.trail == NULL && print == NULL ?
			"--trail is missing" :
	    kosli_ask.trail != NULL && print != NULL ?
			"--trail and --fingerprint exclude each other" :
	    print != NULL && !is_hex(print, TF_FIND_PREFIX_MIN) ?
			"--fingerprint is 5 to 64 hex digits" :
	    strpbrk(arg[0], "/@") != NULL || arg[0][0] == '.' ?
			"this is no name of an attestation" :
			NULL;
}

static int
run_attestation(int n, char **arg)
{
	const bool json = is_form("json", false);
	const char *wrong;
	struct reports r = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (!json && !is_form("table", true))
		return wrong_form(&kosli_get_attestation, "table or json");
	if ((wrong = wrong_options(n, arg)) != NULL)
		return kosli_usage(&kosli_get_attestation, "%s", wrong);
	rc = kosli_ask.attestation_id != NULL ? read_id(&r, &err) :
	    kosli_ask.fingerprint != NULL     ? read_about(&r, arg[0], &err) :
						read_name(&r, arg[0], &err);
	if (rc == TF_OK && json)
		print_json(&r);
	else if (rc == TF_OK)
		rc = print_table(&r, &err);
	for (size_t i = 0; i < r.n; i++)
		tf_buf_free(&r.v[i]);
	free(r.v);
	return rc == TF_OK ? REPORT_OK : failed(&kosli_get_attestation, &err);
}

static const struct args_option attestation_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_TEXT("trail", 't', "TRAIL", "its workflow", &kosli_ask.trail),
	KOSLI_TEXT("fingerprint", 'F', "SHA256",
	    "the artifact that it is about; 5 digits or more",
	    &kosli_ask.fingerprint),
	KOSLI_TEXT("attestation-id", 0, "ID",
	    "the attestation, without NAME, --flow and --trail",
	    &kosli_ask.attestation_id),
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_get_attestation = {
	.verb = "get",
	.object = "attestation",
	.operand = "[NAME]",
	.is = "attestation.json of NAME and of its repeats, newest first",
	.options = attestation_options,
	.max = 1,
	.run = run_attestation,
};

/* --- search -------------------------------------------------------------------------------- */

static int
run_search(int n, char **arg)
{
	struct tf_error err = { 0 };
	struct kosli_call c;
	char *vault = NULL;
	int status;

	(void)n;
	if (!is_form("json", false) && !is_form("table", true))
		return wrong_form(&kosli_search, "table or json");
	if (!is_hex(arg[0], TF_FIND_PREFIX_MIN))
		return kosli_usage(&kosli_search,
		    "\"%.60s\" is no beginning of a fingerprint or commit: 5 "
		    "to 64 hex digits",
		    arg[0]);
	if (kosli_path(&vault, &err, NULL, NULL, NULL) != TF_OK)
		return failed(&kosli_search, &err);
	kosli_call(&c, "find");
	kosli_call_add(&c, "prefix", arg[0]);
	kosli_call_add(&c, "limit", "0");
	if (is_form("json", false))
		kosli_call_add(&c, NULL, "--json");
	kosli_call_add(&c, NULL, "--");
	kosli_call_add(&c, NULL, vault);
	status = kosli_call_do(&c, &cmd_find);
	free(vault);
	return status;
}

static const struct args_option search_options[] = {
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_search = {
	.verb = "search",
	.operand = "FINGERPRINT-OR-COMMIT",
	.is = "find --prefix",
	.options = search_options,
	.min = 1,
	.max = 1,
	.run = run_search,
};
