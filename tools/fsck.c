/*
 * fsck.trailfs: trailctl under that name verifies a store, for fsck(8) and for
 * scripts that know only its options and exit statuses. The options say what to
 * repair and how to show progress. They change nothing here: verification reads
 * only, and what is damaged comes back from a mirror or a backup, never from a
 * guess.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "core/types.h"
#include "fsck.h"
#include "report.h"

enum {
	FSCK_OK = 0,
	FSCK_UNCORRECTED = 4,
	FSCK_FAILED = 8, /* the check could not be made */
	FSCK_USAGE = 16,
};

bool
fsck_is(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash != NULL ? slash + 1 : argv0;

	/* fsck(8) takes the type from fstab(5), which is fuse.trailfs. */
	return strcmp(name, "fsck.trailfs") == 0 ||
	    strcmp(name, "fsck.fuse.trailfs") == 0;
}

/* -a and so on, alone or together; -C alone or with a descriptor. */
static bool
is_ignored(const char *option)
{
	return option[0] == '-' && option[1] != '\0' &&
	    (option[1] == 'C' ||
		option[1 + strspn(option + 1, "afnprvyV")] == '\0');
}

static const char usage[] = "usage: fsck.trailfs [-afnprvyV] [-C[FD]] STORE";

static bool
is_option(const char *word, const char *letter, const char *name)
{
	return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

static int
help(void)
{
	printf("%s\n\nVerify the store as trailctl verify does.  The letters "
	       "change nothing: fsck(8)\ngives them to every program.\n\n"
	       "  -h, --help     print this text\n"
	       "      --version  print the version\n",
	    usage);
	return REPORT_OK;
}

int
fsck_run(int argc, char **argv)
{
	char verb[] = "verify", end[] = "--",
	     *arg[] = { verb, end, NULL, NULL };
	int i = 1;

	if (argc == 2 && is_option(argv[1], "-h", "--help"))
		return help();
	if (argc == 2 && is_option(argv[1], "--version", "--version")) {
		printf("fsck.trailfs %s\n", TF_VERSION);
		return REPORT_OK;
	}
	while (i < argc && is_ignored(argv[i]))
		i++;
	if (i + 1 != argc || argv[i][0] == '-') {
		report_note("%s", usage);
		return REPORT_USAGE;
	}
	arg[2] = argv[i];
	return cmd_do(&cmd_verify, 3, arg);
}

/* Not decided, or another log: nobody can say that this store is whole. */
int
fsck_status(int status)
{
	switch (status) {
	case REPORT_OK:
		return FSCK_OK;
	case REPORT_USAGE:
		return FSCK_USAGE;
	case REPORT_UNREACHABLE:
		return FSCK_FAILED;
	default:
		return FSCK_UNCORRECTED;
	}
}
