/*
 * kosli create attestation-type.
 *
 * A type belongs to a trail here, so the flow must be given. The schema becomes
 * the text of a type, which is checked and set like any other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "define.h"
#include "kosli.h"
#include "kosli_schema.h"
#include "report.h"

/*
 * A schema becomes the text of a type, which is checked and set like any other.
 */
static enum tf_code
create_type(const char *path, const char *name, struct tf_error *err)
{
	struct where w = { 0 };
	struct define d = { &w, TF_DEFINITION_TYPE, name };
	struct tf_buf text = { 0 };
	uint64_t version = 0;
	bool changed = false;
	enum tf_code rc = where_find(path, &w, err);

	if (rc == TF_OK)
		rc = kosli_schema(kosli_ask.schema,
		    kosli_ask.claims.description, &text, err);
	if (rc == TF_OK)
		rc = define_check(d.kind, name, kosli_ask.schema, &text, err);
	if (rc == TF_OK && kosli_ask.dry_run == ARGS_TRUE) {
		rc = kosli_check_writable(path, err);
		if (rc == TF_OK)
			fwrite(text.p, 1, text.n, stdout);
	} else if (rc == TF_OK) {
		rc = define_set(&d, &text, &changed, &version, err);
		if (rc == TF_OK)
			printf("%s  type %s%s\n", w.path, name,
			    changed ? "" : ", unchanged");
	}
	tf_buf_free(&text);
	where_free(&w);
	return rc;
}

static int
run_type(int n, char **arg)
{
	struct tf_error err = { 0 };
	char *path = NULL;
	enum tf_code rc;

	(void)n;
	if (kosli_ask.flow == NULL)
		return kosli_usage(&kosli_create_type,
		    "a type belongs to a trail of the vault: give --flow or "
		    "KOSLI_FLOW");
	if (kosli_ask.schema == NULL)
		return kosli_usage(&kosli_create_type,
		    "--schema is missing: a type judges, or it is generic");
	if (!kosli_is_name(arg[0]))
		return kosli_usage(&kosli_create_type,
		    "\"%.60s\" is no name of a type", arg[0]);
	rc = kosli_path(&path, &err, kosli_ask.flow, NULL, NULL);
	if (rc == TF_OK)
		rc = create_type(path, arg[0], &err);
	free(path);
	return rc == TF_OK ? REPORT_OK : kosli_failed(&kosli_create_type, &err);
}

#define NO_JQ "jq is not run here: write checks, see trailfs-type(5)"
static const struct args_option type_options[] = {
	KOSLI_TEXT("flow", 0, "FLOW", "the trail that gets the type",
	    &kosli_ask.flow),
	KOSLI_TEXT("schema", 's', "FILE", "a JSON Schema", &kosli_ask.schema),
	KOSLI_DESCRIPTION('d'),
	KOSLI_NO("jq", 0, NO_JQ),
	KOSLI_NO("summary", 0, NO_JQ),
	KOSLI_NO("summary-json", 0, NO_JQ),
	KOSLI_DRY_RUN,
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_create_type = {
	.verb = "create",
	.object = "attestation-type",
	.operand = "TYPE",
	.is = "type set",
	.options = type_options,
	.min = 1,
	.max = 1,
	.run = run_type,
};
