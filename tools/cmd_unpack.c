/* trailctl unpack: unpack a package; no file leaves the directory. */
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "core/package.h"
#include "report.h"

int
cmd_unpack(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct tf_error err = { 0 };
	uint64_t files;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return cmd_usage();
		json = true;
	}
	if (argc - optind != 2)
		return cmd_usage();
	if (tf_package_unpack(argv[optind], argv[optind + 1], &files, &err) !=
	    TF_OK)
		return report(&err);
	printf(json ? "{\"files\":%llu}\n" : "%llu files\n",
	    (unsigned long long)files);
	return REPORT_OK;
}
