/*
 * kosli evaluate input: the policy is a type of trailfs-type(5), not Rego.
 *
 * The word becomes `trailctl evaluate`. Rego would need a program that trailfs
 * does not have, so a .rego file is refused with two ways out. --no-assert
 * turns only the answer "not compliant" into exit status 0: what could not be
 * judged keeps its status, or a broken policy would pass.
 */
#include <string.h>

#include "kosli.h"
#include "report.h"

#define NO_PARAMS "a type has no parameters"

/* By name: the text of a policy is not looked at. */
static bool
is_rego(const char *name)
{
	const size_t n = strlen(name);

	return n >= 5 && strcmp(name + n - 5, ".rego") == 0;
}

static int
run(int n, char **arg)
{
	struct kosli_call c;
	int status;

	(void)n;
	(void)arg;
	if (kosli_ask.input_file == NULL || kosli_ask.policy == NULL)
		return kosli_usage(&kosli_evaluate_input, "%s is missing",
		    kosli_ask.policy == NULL ? "--policy" : "--input-file");
	if (is_rego(kosli_ask.policy))
		return kosli_usage(&kosli_evaluate_input,
		    "--policy: Rego is not run here: write the checks as a "
		    "type, see trailfs-type(5), or record the answer of opa "
		    "with trailctl attest --evaluate");
	if (kosli_ask.must_allow == ARGS_TRUE &&
	    kosli_ask.may_deny == ARGS_TRUE)
		return kosli_usage(&kosli_evaluate_input,
		    "--assert and --no-assert exclude each other");
	kosli_call(&c, "evaluate");
	kosli_call_add(&c, "type", kosli_ask.policy);
	kosli_call_add(&c, "output", kosli_ask.output);
	kosli_call_add(&c, NULL, "--");
	kosli_call_add(&c, NULL, kosli_ask.input_file);
	status = kosli_call_do(&c, &cmd_evaluate);
	/* What could not be judged is never allowed. */
	return status == REPORT_FINDING &&
		(kosli_ask.may_deny == ARGS_TRUE ||
		    kosli_ask.must_allow == ARGS_FALSE) ?
	    REPORT_OK :
	    status;
}

static const struct args_option options[] = {
	KOSLI_TEXT("input-file", 'i', "FILE", "the JSON that is judged",
	    &kosli_ask.input_file),
	KOSLI_TEXT("policy", 'p', "TYPE.yml", "the checks", &kosli_ask.policy),
	KOSLI_TRUTH("assert", 0, "exit 1 if it is not compliant; the default",
	    &kosli_ask.must_allow),
	KOSLI_TRUTH("no-assert", 0, "exit 0 also if it is not compliant",
	    &kosli_ask.may_deny),
	KOSLI_NO("params", 0, NO_PARAMS),
	KOSLI_NO("show-input", 0, "print the file"),
	KOSLI_OUTPUT("table|json"),
	KOSLI_GLOBAL,
};

const struct kosli_word kosli_evaluate_input = {
	.verb = "evaluate",
	.object = "input",
	.operand = "",
	.is = "evaluate",
	.options = options,
	.run = run,
};
