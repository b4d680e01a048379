/*
 * kosli attest override.
 *
 * Kosli overrides an attestation by its name, and here a name may have several
 * versions. The verdict of the newest one counts, so that version is
 * overridden, and it must be sealed: an open report can still change by itself.
 * Options for which an override has no place in its entry are refused and not
 * dropped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kosli.h"
#include "kosli_attest.h"
#include "kosli_read.h"
#include "report.h"

/* The newest report, whose verdict decides. */
struct newest {
	char *path;
	char type[128];
	bool sealed;
};

/* Called for each version, the oldest first: the last call is what stays. */
static enum tf_code
take_newest(void *arg, const char *path, const struct tf_buf *json,
    struct tf_error *err)
{
	struct newest *x = arg;
	struct tf_json_doc d = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_json_parse_status(&d, json->p,
	    json->n > 0 ? json->n - 1 : 0, err);

	free(x->path);
	if ((x->path = strdup(path)) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_json_string(&d, tf_json_get(&d, 0, "attestation_type"),
		    &text, err);
	if (rc == TF_OK) {
		(void)snprintf(x->type, sizeof(x->type), "%.*s", (int)text.n,
		    text.p);
		x->sealed = tf_json_get(&d, 0, "sealed") >= 0;
	}
	tf_buf_free(&text);
	tf_json_doc_free(&d);
	return rc;
}

/* Kosli names the kind of a type, as "custom". */
static bool
is_type(const char *type, const char *given)
{
	const size_t n = strcspn(type, ":");

	return strcmp(type, given) == 0 ||
	    (strlen(given) == n && memcmp(type, given, n) == 0);
}

/* --original-attestation-type guards against the wrong name. */
static enum tf_code
check_override(const struct newest *x, struct tf_error *err)
{
	if (kosli_ask.original_type != NULL &&
	    !is_type(x->type, kosli_ask.original_type))
		return tf_fail(err, TF_USAGE,
		    "--original-attestation-type: the type is %s", x->type);
	return x->sealed ?
	    TF_OK :
	    tf_fail(err, TF_BUSY, "%s is not sealed yet", kosli_ask.name);
}

/* A dry run has made all checks by now, and only prints. */
static int
override(const struct newest *x)
{
	struct kosli_call c;

	if (kosli_ask.dry_run == ARGS_TRUE) {
		printf("%s  would be overridden: %s\n", kosli_ask.name,
		    kosli_ask.new_status == ARGS_TRUE ? "compliant" :
							"NOT compliant");
		return REPORT_OK;
	}
	kosli_call(&c, "override");
	kosli_call_add(&c, "compliant",
	    kosli_attest_word(kosli_ask.new_status));
	kosli_call_add(&c, "reason", kosli_ask.reason);
	kosli_call_add(&c, NULL, "--");
	kosli_call_add(&c, NULL, x->path);
	return kosli_call_do(&c, &cmd_override);
}

/* Read, check, and then call the verb. */
static int
run_override(int n, char **arg)
{
	struct tf_error err = { 0 };
	struct newest x = { 0 };
	char *path = NULL;
	int status;
	enum tf_code rc;

	if (kosli_ask.reason == NULL || kosli_ask.new_status == ARGS_NOT_GIVEN)
		return kosli_usage(&kosli_attest_override, "%s is missing",
		    kosli_ask.reason == NULL ? "--reason" :
					       "--new-compliance-status");
	rc = kosli_attest_prepare(n, arg, &path, &err);
	if (rc == TF_OK)
		rc = kosli_read_versions(path, take_newest, &x, &err);
	if (rc == TF_OK)
		rc = check_override(&x, &err);
	status = rc == TF_OK ?
	    override(&x) :
	    kosli_attest_failed(&kosli_attest_override, &err);
	free(x.path);
	free(path);
	return status;
}

#define NO_PLACE "the entry of an override has no place for it"
static const struct args_option override_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_TEXT("trail", 'T', "TRAIL", "its workflow", &kosli_ask.trail),
	KOSLI_TEXT("name", 'n', "NAME", "the attestation", &kosli_ask.name),
	KOSLI_TEXT("reason", 0, "TEXT", "why", &kosli_ask.reason),
	KOSLI_TRUTH("new-compliance-status", 0, "the new verdict",
	    &kosli_ask.new_status),
	KOSLI_TEXT("original-attestation-type", 0, "TYPE",
	    "must be the type of the attestation", &kosli_ask.original_type),
	KOSLI_NO("annotate", 0, NO_PLACE),
	KOSLI_NO("attachments", 0, NO_PLACE),
	KOSLI_NO("artifact-type", 't', NO_PLACE),
	KOSLI_NO("fingerprint", 'F', NO_PLACE),
	KOSLI_NO("exclude", 'x', NO_PLACE),
	KOSLI_NO("commit", 'g', NO_PLACE),
	KOSLI_NO("description", 0, NO_PLACE),
	KOSLI_NO("external-url", 0, NO_PLACE),
	KOSLI_NO("external-fingerprint", 0, NO_PLACE),
	KOSLI_NO("origin-url", 'o', NO_PLACE),
	KOSLI_NO("user-data", 'u', NO_PLACE),
	KOSLI_NO("redact-commit-info", 0, NO_PLACE),
	KOSLI_NO("repo-id", 0, NO_PLACE),
	KOSLI_NO("repo-provider", 0, NO_PLACE),
	KOSLI_NO("repo-root", 0, NO_PLACE),
	KOSLI_NO("repo-url", 0, NO_PLACE),
	KOSLI_NO("repository", 0, NO_PLACE),
	KOSLI_NO("registry-username", 0, KOSLI_NO_REGISTRY),
	KOSLI_NO("registry-password", 0, KOSLI_NO_REGISTRY),
	KOSLI_NO("registry-provider", 0, KOSLI_NO_REGISTRY),
	KOSLI_DRY_RUN,
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_attest_override = {
	.verb = "attest",
	.object = "override",
	.operand = "",
	.is = "override",
	.options = override_options,
	.run = run_override,
};
