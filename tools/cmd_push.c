/*
 * trailctl push: record a copy of a record from another system, with the
 * identifier that it has there. An attestation like any other, by trailctl
 * attest; trailctl compare --records finds it by its identifier.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "compare_records.h"
#include "core/json.h"
#include "report.h"
#include "text.h"

#define ARGS 12

static struct {
	bool begin, json;
	const char *id, *from; /* or NULL */
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "begin",
	    .help = "make the workflow if it is missing",
	    .flag = &ask.begin },
	{ .name = "from",
	    .value = "SYSTEM",
	    .help = "the other system",
	    .text = &ask.from },
	{ .name = "id",
	    .value = "ID",
	    .help = "the identifier there; else the name of the file",
	    .text = &ask.id },
	{ 0 },
};

/* The last name of a path, without slashes at its end. */
static struct tf_str
last_name(const char *path)
{
	size_t n = strlen(path), from;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (from = n; from > 0 && path[from - 1] != '/';)
		from--;
	return (struct tf_str){ path + from, n - from };
}

static int
run(int n, char **arg)
{
	bool input = strcmp(arg[1], "-") == 0;
	struct tf_str name = last_name(arg[1]);
	struct tf_buf id = { 0 }, from = { 0 };
	char *argv[ARGS + 1] = { "attest" };
	int argc = 1, status;

	(void)n;
	if (input && ask.id == NULL)
		return cmd_usage(&cmd_push,
		    "- is standard input: --id says which record it is");
	tf_buf_str(&id, RECORD_ID "=");
	if (ask.id != NULL)
		tf_buf_str(&id, ask.id);
	else
		tf_buf_add(&id, name.p, name.n);
	argv[argc++] = "--annotate";
	argv[argc++] = (char *)(uintptr_t)text_of(&id);
	if (ask.from != NULL) {
		tf_buf_str(&from, RECORD_SYSTEM "=");
		tf_buf_str(&from, ask.from);
		argv[argc++] = "--annotate";
		argv[argc++] = (char *)(uintptr_t)text_of(&from);
	}
	if (ask.begin)
		argv[argc++] = "--begin";
	if (ask.json)
		argv[argc++] = "--json";
	if (input) { /* it can be read only once */
		argv[argc++] = "--name";
		argv[argc++] = "record";
	} else {
		argv[argc++] = "--repeat";
	}
	argv[argc++] = arg[0];
	argv[argc++] = arg[1];
	if (id.failed || from.failed) {
		struct tf_error err;

		(void)tf_nomem(&err);
		status = report(&err);
	} else {
		status = cmd_do(&cmd_attest, argc, argv);
	}
	tf_buf_free(&id);
	tf_buf_free(&from);
	return status;
}

const struct verb cmd_push = {
	.name = "push",
	.summary = "record a copy of a record from another system",
	.usage = "[OPTION...] PATH FILE|DIRECTORY\n"
		 "[OPTION...] --id ID PATH -",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
