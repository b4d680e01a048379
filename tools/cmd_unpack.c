/* trailctl unpack: unpack a package; no file leaves the directory. */
#include <stdio.h>

#include "cmd.h"
#include "core/package.h"
#include "report.h"

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

static int
run(int n, char **arg)
{
	struct tf_error err = { 0 };
	uint64_t files;

	(void)n;
	if (tf_package_unpack(arg[0], arg[1], &files, &err) != TF_OK)
		return report(&err);
	printf(as_json ? "{\"files\":%llu}\n" : "%llu files\n",
	    (unsigned long long)files);
	return REPORT_OK;
}

const struct verb cmd_unpack = {
	.name = "unpack",
	.summary = "unpack a package; no file is written outside of DIRECTORY",
	.usage = "[OPTION...] PACKAGE DIRECTORY",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
