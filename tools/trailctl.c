/* trailctl: the table of verbs. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "core/environment.h"
#include "core/types.h"
#include "report.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *what;
} verbs[] = {
	{ "init", cmd_init, "[--json] [--recover] [--origin NAME] STORE",
	    "make a store, or go on with one that was put back;\n"
	    "             prints the key to check it by" },
	{ "status", cmd_status, "[--json] [STORE|PATH]",
	    "how a vault is: entries, root, files in each state;\n"
	    "             or how the trail or workflow PATH is" },
	{ "log", cmd_log,
	    "[--json] [--follow] [--since TIME] [--type TYPE]\n"
	    "                    [--uid N] [--trail NAME] [STORE|PATH]",
	    "the entries of the ledger" },
	{ "show", cmd_show, "[--json] PATH",
	    "what the vault knows of a file or directory" },
	{ "assert", cmd_assert, "[--json] [--sealed] WORKFLOW",
	    "exit with 0 when it is compliant, 1 when not, 5 when incomplete" },
	{ "seal", cmd_seal, "[--json] PATH",
	    "close an attestation, a workflow or a trail for ever" },
	{ "sync", cmd_sync, "[--json] [PATH]",
	    "wait until your finished files there are in the ledger" },
	{ "prove", cmd_prove, "[-o FILE] PATH",
	    "a proof that others can check that it is in the ledger" },
	{ "export-log", cmd_export_log, "[--json] STORE|PATH DIRECTORY",
	    "copy the log as files that any web server can serve" },
	{ "package", cmd_package,
	    "[--json] [--no-entry] [--since TIME] [--until TIME] -o FILE\n"
	    "                        PATH",
	    "evidence and proofs for somebody else, as one file" },
	{ "unpack", cmd_unpack, "[--json] PACKAGE DIRECTORY",
	    "take a package apart, safely" },
	{ "verify", cmd_verify,
	    "[--json] [--junit FILE] [--vkey KEY|FILE]\n"
	    "                       [--checkpoint FILE] [--rebuild] "
	    "STORE|PATH\n"
	    "       trailctl verify [--json] [--junit FILE] --vkey KEY|FILE\n"
	    "                       [--checkpoint FILE] [--evidence DIRECTORY] "
	    "LOG|PATH\n"
	    "       trailctl verify [--json] [--junit FILE] --vkey KEY|FILE\n"
	    "                       [--checkpoint FILE] PROOF [FILE]\n"
	    "       trailctl verify [--json] [--junit FILE] --vkey KEY|FILE\n"
	    "                       [--checkpoint FILE] PACKAGE\n"
	    "       trailctl verify [--json] [--junit FILE] "
	    "--against DIRECTORY STORE|PATH",
	    "read everything again and check it" },
	{ "why", cmd_why, "[--json] PATH",
	    "what state a path is in, and which rule refused what" },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *at_work;

static void
usage_of(FILE *f, const struct verb *v)
{
	fprintf(f, "usage: trailctl %s %s\n", v->name, v->args);
}

static void
usage(FILE *f)
{
	fprintf(f, "usage: trailctl VERB [ARGUMENT...]\n\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(f, "  %-10s %s\n", verbs[i].name, verbs[i].what);
	fprintf(f,
	    "\nSTORE is the directory of a store, PATH a file or "
	    "directory in a mount, or\nSTORE/TRAIL/WORKFLOW/... without one.  "
	    "`trailctl VERB --help` tells more,\ntrailctl(1) all.\n");
}

int
cmd_usage(void)
{
	usage_of(stderr, at_work);
	return REPORT_USAGE;
}

bool
cmd_parse(int argc, char **argv, bool *json, const char **arg)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*json = false;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j') {
			cmd_usage();
			return false;
		}
		*json = true;
	}
	if (argc - optind > 1) {
		cmd_usage();
		return false;
	}
	*arg = optind < argc ? argv[optind] : NULL;
	return true;
}

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

int
main(int argc, char **argv)
{
	static char name[] = "trailctl";
	const char *verb = argc > 1 ? argv[1] : "";

	tf_environment_clean();
	tf_environment_raise_limit();
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 ||
	    strcmp(verb, "help") == 0) {
		usage(stdout);
		return report_end(REPORT_OK);
	}
	if (strcmp(verb, "--version") == 0 || strcmp(verb, "-V") == 0) {
		printf("trailctl %s\n", TF_VERSION);
		return report_end(REPORT_OK);
	}
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		at_work = &verbs[i];
		argv[1] = name;
		if (asks_for_help(argc - 1, argv + 1)) {
			usage_of(stdout, at_work);
			printf("\n%s\n", at_work->what);
			return report_end(REPORT_OK);
		}
		return report_end(at_work->run(argc - 1, argv + 1));
	}
	if (*verb != '\0')
		report_note("no such verb: %s", verb);
	usage(stderr);
	return REPORT_USAGE;
}
