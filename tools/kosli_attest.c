/*
 * kosli attest: generic, junit, custom and decision.
 *
 * Each word becomes `trailctl attest --repeat --seal`: a pipeline that runs
 * twice records the same report once, and another report becomes the next
 * version. --seal: Kosli allows an attestation without a file. What differs
 * between the words is the type and which file is judged.
 *
 * custom: the type names the file that it judges, so the data is copied to a
 * temporary directory under that name, and the directory is recorded. It must
 * be JSON, which is checked before anything is recorded. The copy is removed in
 * any case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/json_any.h"
#include "core/definition.h"
#include "core/evaluation.h"
#include "define.h"
#include "files.h"
#include "kosli.h"
#include "kosli_attest.h"
#include "report.h"

#define ATTEST                                                                 \
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",              \
	    &kosli_ask.flow),                                                  \
	    KOSLI_TEXT("trail", 'T', "TRAIL", "its workflow",                  \
		&kosli_ask.trail),                                             \
	    KOSLI_TEXT("name", 'n', "NAME", "the attestation",                 \
		&kosli_ask.name),                                              \
	    KOSLI_LIST("annotate", 0, "KEY=VALUE",                             \
		"an annotation; may be repeated", &kosli_ask.claims.annotate), \
	    KOSLI_TEXT("artifact-type", 't', "file|dir",                       \
		"what the artifact is whose fingerprint is recorded",          \
		&kosli_ask.artifact_type),                                     \
	    KOSLI_TEXT("fingerprint", 'F', "SHA256",                           \
		"becomes the annotation artifact_fingerprint",                 \
		&kosli_ask.fingerprint),                                       \
	    KOSLI_LIST("exclude", 'x', "GLOB,...",                             \
		"leave these paths of the artifact out", &kosli_ask.exclude),  \
	    KOSLI_NO("registry-username", 0, KOSLI_NO_REGISTRY),               \
	    KOSLI_NO("registry-password", 0, KOSLI_NO_REGISTRY),               \
	    KOSLI_NO("registry-provider", 0, KOSLI_NO_REGISTRY),               \
	    KOSLI_DESCRIPTION(0), KOSLI_CONTEXT, KOSLI_GLOBAL
#define ATTACHMENTS                                              \
	KOSLI_LIST("attachments", 0, "FILE,...", "the evidence", \
	    &kosli_ask.attachments)
#define COMPLIANT(text) \
	KOSLI_TRUTH("compliant", 'C', text, &kosli_ask.compliant)

const char *
kosli_attest_word(enum args_truth t)
{
	return t == ARGS_NOT_GIVEN ? NULL : t == ARGS_TRUE ? "true" : "false";
}

/* --- what all of them have -------------------------------------------------------- */

/* "NAME" or "ARTIFACT.NAME". */
static bool
is_attestation_name(const char *s)
{
	const char *dot = strchr(s, '.');

	return *s != '\0' && s[strlen(s) - 1] != '.' && dot != s &&
	    (dot == NULL || strchr(dot + 1, '.') == NULL) &&
	    strpbrk(s, "/@") == NULL;
}

/* NULL: nothing is missing. A table of options cannot require an option. */
static const char *
missing_option(void)
{
	return kosli_ask.flow == NULL ?
	    "--flow is missing" :
	    kosli_ask.trail == NULL ?
	    "--trail is missing" :
	    kosli_ask.name == NULL ?
	    "--name is missing" :
	    !is_attestation_name(kosli_ask.name) ?
	    "--name has at most one dot, not at an end, "
	    "and no / and @" :
	    NULL;
}

/* The artifact that the operand names becomes a fingerprint. */
static enum tf_code
take_artifact(int n, char **arg, struct tf_error *err)
{
	static char hex[65];
	const char *type = kosli_ask.artifact_type;
	enum tf_code rc;

	if (n > 0 && type == NULL)
		return tf_fail(err, TF_USAGE,
		    "\"%.60s\": --artifact-type is missing", arg[0]);
	if (type != NULL && kosli_ask.fingerprint != NULL)
		return tf_fail(err, TF_USAGE,
		    "--artifact-type and --fingerprint exclude each other");
	if (type != NULL && n == 0)
		return tf_fail(err, TF_USAGE,
		    "--artifact-type: the artifact is missing");
	if (type == NULL && kosli_ask.exclude.n > 0)
		return tf_fail(err, TF_USAGE, "--exclude is for an artifact");
	if (type != NULL) {
		rc = kosli_digest(type, arg[0], &kosli_ask.exclude, hex, err);
		kosli_ask.fingerprint = hex;
		return rc;
	}
	if (kosli_ask.fingerprint != NULL &&
	    !kosli_is_fingerprint(kosli_ask.fingerprint))
		return tf_fail(err, TF_USAGE,
		    "--fingerprint is 64 lower-case hex digits");
	return TF_OK;
}

enum tf_code
kosli_attest_prepare(int n, char **arg, char **path, struct tf_error *err)
{
	const char *wrong = missing_option();
	enum tf_code rc;

	*path = NULL;
	if (wrong != NULL)
		return tf_fail(err, TF_USAGE, "%s", wrong);
	rc = kosli_lists(err);
	if (rc == TF_OK)
		rc = take_artifact(n, arg, err);
	if (rc == TF_OK)
		rc = kosli_context(err);
	if (rc == TF_OK)
		rc = kosli_user_data(err);
	return rc == TF_OK ? kosli_path(path, err, kosli_ask.flow,
				 kosli_ask.trail, kosli_ask.name) :
			     rc;
}

/* trailctl attest PATH FILE...; file NULL: only the attachments. */
static int
attest(const char *path, const char *type, const char *file)
{
	const struct claims_options *o = &kosli_ask.claims;
	struct kosli_call c;

	kosli_call(&c, "attest");
	kosli_call_add(&c, "type", type);
	kosli_call_add(&c, "compliant", kosli_attest_word(kosli_ask.compliant));
	kosli_call_add(&c, "description", o->description);
	kosli_call_add(&c, "origin-url", o->origin_url);
	kosli_call_add(&c, "control", o->control);
	kosli_call_add(&c, "user-data", o->user_data);
	kosli_call_list(&c, "annotate", &o->annotate);
	kosli_call_list(&c, "external-url", &o->url);
	kosli_call_list(&c, "external-fingerprint", &o->fingerprint);
	kosli_call_add(&c, NULL, "--repeat");
	kosli_call_add(&c, NULL, "--seal");
	if (kosli_ask.dry_run == ARGS_TRUE)
		kosli_call_add(&c, NULL, "--dry-run");
	kosli_call_add(&c, NULL, "--");
	kosli_call_add(&c, NULL, path);
	kosli_call_add(&c, NULL, file);
	kosli_call_list(&c, NULL, &kosli_ask.attachments);
	return kosli_call_do(&c, &cmd_attest);
}

int
kosli_attest_failed(const struct kosli_word *w, const struct tf_error *err)
{
	return err->code == TF_USAGE ? kosli_usage(w, "%s", err->text) :
				       report(err);
}

/* --- generic and decision ------------------------------------------------------------ */

/* At Kosli a generic attestation is compliant unless it says otherwise. */
static int
run_generic(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *path = NULL;
	int status;

	if (kosli_ask.compliant == ARGS_NOT_GIVEN)
		kosli_ask.compliant = ARGS_TRUE;
	status = kosli_attest_prepare(n, arg, &path, &err) == TF_OK ?
	    attest(path, "generic", NULL) :
	    kosli_attest_failed(&kosli_attest_generic, &err);
	free(path);
	return status;
}

/* A decision without a verdict would decide nothing. */
static int
run_decision(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *path = NULL;
	int status;

	if (kosli_ask.claims.control == NULL ||
	    kosli_ask.compliant == ARGS_NOT_GIVEN)
		return kosli_usage(&kosli_attest_decision, "%s is missing",
		    kosli_ask.claims.control == NULL ? "--control" :
						       "--compliant");
	status = kosli_attest_prepare(n, arg, &path, &err) == TF_OK ?
	    attest(path, "decision", NULL) :
	    kosli_attest_failed(&kosli_attest_decision, &err);
	free(path);
	return status;
}

/* --- junit ----------------------------------------------------------------------------- */

/* The directory is evidence and is judged when the attestation is sealed. */
static int
run_junit(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *path = NULL;
	int status;

	if (kosli_ask.results_dir == NULL)
		kosli_ask.results_dir = ".";
	status = kosli_attest_prepare(n, arg, &path, &err) == TF_OK ?
	    attest(path, "junit", kosli_ask.results_dir) :
	    kosli_attest_failed(&kosli_attest_junit, &err);
	free(path);
	return status;
}

/* --- custom ----------------------------------------------------------------------------- */

/* Write the path of the file that the type judges to out. */
static enum tf_code
judged_file(const char *type, char out[1024], struct tf_error *err)
{
	char *path = NULL;
	struct where w = { 0 };
	struct define d = { &w, TF_DEFINITION_TYPE, type };
	struct tf_buf text = { 0 };
	struct tf_type *t = NULL;
	struct tf_str name;
	uint64_t version = 0;
	enum tf_code rc = kosli_path(&path, err, kosli_ask.flow, NULL, NULL);

	if (rc == TF_OK)
		rc = where_find(path, &w, err);
	if (rc == TF_OK)
		rc = define_get(&d, &text, &version, err);
	if (rc == TF_NODATA || rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_USAGE,
		    "flow %.80s has no type %.64s: see create attestation-type",
		    kosli_ask.flow, type);
	if (rc == TF_OK)
		rc = tf_type_parse(text.p, text.n, &t, err);
	if (rc == TF_OK) {
		name = tf_type_evidence(t);
		(void)snprintf(out, 1024, "%.*s", (int)name.n, name.p);
	}
	tf_type_free(t);
	tf_buf_free(&text);
	where_free(&w);
	free(path);
	return rc;
}

/* Copy the file to DIR/NAME, where name may have directories. */
static enum tf_code
copy_data(const char *dir, const char *name, struct tf_error *err)
{
	struct tf_buf data = { 0 };
	char *path = NULL;
	enum tf_code rc = kosli_read_json("attestation-data",
	    kosli_ask.attestation_data, TF_ANY_BYTES, &data, err);

	if (rc == TF_OK && asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		rc = tf_nomem(err);
	}
	for (char *p = path != NULL ? path + strlen(dir) + 1 : NULL;
	     rc == TF_OK && (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(path, 0700) < 0)
			rc = report_system(err, "%s", path);
		*p = '/';
	}
	if (rc == TF_OK)
		rc = files_write(path, &data, err);
	free(path);
	tf_buf_free(&data);
	return rc;
}

/* Remove what copy_data made. */
static void
remove_data(const char *dir, const char *name)
{
	char *path = NULL;
	const size_t n = strlen(dir);

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return;
	(void)unlink(path);
	for (char *slash; (slash = strrchr(path + n, '/')) != NULL;) {
		*slash = '\0';
		(void)rmdir(path);
	}
	free(path);
}

/* Returns the exit status; errors are printed. */
static int
record_custom(const char *path, const char *name, struct tf_error *err)
{
	char *dir = kosli_temporary(), *type = NULL;
	int status = REPORT_UNREACHABLE;

	if (asprintf(&type, "custom:%s", kosli_ask.claims.type) < 0)
		type = NULL;
	if (dir == NULL || type == NULL) {
		(void)tf_nomem(err);
		status = report(err);
	} else if (mkdtemp(dir) == NULL) {
		(void)report_system(err, "%s", dir);
		status = report(err);
	} else {
		status = copy_data(dir, name, err) == TF_OK ?
		    attest(path, type, dir) :
		    kosli_attest_failed(&kosli_attest_custom, err);
		remove_data(dir, name);
	}
	free(dir);
	free(type);
	return status;
}

/* The type is read before anything is made: a missing one is a wrong option. */
static int
run_custom(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *path = NULL, name[1024];
	int status;
	enum tf_code rc;

	if (kosli_ask.claims.type == NULL || kosli_ask.attestation_data == NULL)
		return kosli_usage(&kosli_attest_custom, "%s is missing",
		    kosli_ask.claims.type == NULL ? "--type" :
						    "--attestation-data");
	rc = kosli_attest_prepare(n, arg, &path, &err);
	if (rc == TF_OK)
		rc = judged_file(kosli_ask.claims.type, name, &err);
	status = rc == TF_OK ? record_custom(path, name, &err) :
			       kosli_attest_failed(&kosli_attest_custom, &err);
	free(path);
	return status;
}

/* --- the words ------------------------------------------------------------------------------ */

static const struct args_option generic_options[] = {
	COMPLIANT("true unless it is =false"),
	ATTACHMENTS,
	ATTEST,
};
static const struct args_option decision_options[] = {
	KOSLI_TEXT("control", 0, "ID", "the control that was decided on",
	    &kosli_ask.claims.control),
	COMPLIANT("the decision"),
	ATTACHMENTS,
	ATTEST,
};
static const struct args_option junit_options[] = {
	KOSLI_TEXT("results-dir", 'R', "DIR",
	    "JUnit reports (.); all files of it are recorded",
	    &kosli_ask.results_dir),
	KOSLI_NO("upload-results", 0, "what is judged is always recorded"),
	ATTACHMENTS,
	ATTEST,
};
static const struct args_option custom_options[] = {
	KOSLI_TEXT("type", 0, "NAME", "a type of the flow",
	    &kosli_ask.claims.type),
	KOSLI_TEXT("attestation-data", 0, "FILE", "the JSON that is judged",
	    &kosli_ask.attestation_data),
	ATTACHMENTS,
	ATTEST,
};

const struct kosli_word kosli_attest_generic = {
	.verb = "attest",
	.object = "generic",
	.operand = "[FILE-OR-DIR]",
	.is = "attest --type generic --repeat",
	.options = generic_options,
	.max = 1,
	.run = run_generic,
};
const struct kosli_word kosli_attest_decision = {
	.verb = "attest",
	.object = "decision",
	.operand = "[FILE-OR-DIR]",
	.is = "attest --type decision --control ID --repeat",
	.options = decision_options,
	.max = 1,
	.run = run_decision,
};
const struct kosli_word kosli_attest_junit = {
	.verb = "attest",
	.object = "junit",
	.operand = "[FILE-OR-DIR]",
	.is = "attest --type junit --repeat",
	.options = junit_options,
	.max = 1,
	.run = run_junit,
};
const struct kosli_word kosli_attest_custom = {
	.verb = "attest",
	.object = "custom",
	.operand = "[FILE-OR-DIR]",
	.is = "attest --type custom:NAME --repeat",
	.options = custom_options,
	.max = 1,
	.run = run_custom,
};
