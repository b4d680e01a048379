/* All suites of the mount in one runner.  CK_RUN_SUITE picks one; --suites prints
 * their names. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* clang-format off */
#define SUITES(X) \
	X(tree) \
	X(refusals) \
	X(tamper) \
	X(states) \
	X(barrier) \
	X(others) \
	X(tools) \
	X(empty) \
	X(writers) \
	X(instead) \
	X(cures) \
	X(posix) \
	X(existing) \
	X(drafts) \
	X(sealing) \
	X(xattrs) \
	X(claim) \
	X(judge) \
	X(control) \
	X(identity) \
	X(remembered) \
	X(crash) \
	X(badstore) \
	X(full) \
	X(disk) \
	X(limits) X(headroom) X(memory) \
	X(compliance) \
	X(idle) \
	X(batch) \
	X(readonly) \
	X(signer) \
	X(verify) \
	X(races) \
	X(user) \
	X(backup) \
	X(auditor) X(readable) \
	X(pages) \
	X(package) \
	X(passed) \
	X(private) \
	X(hostile) \
	X(names) \
	X(actor) \
	X(descriptors) \
	X(copies) \
	X(closing) \
	X(dirmode) \
	X(shared) \
	X(access) \
	X(space) \
	X(settable) \
	X(protect) \
	X(secret) \
	X(sandbox) \
	X(redact) X(login) X(process) \
	X(anchor) \
	X(streams) X(grown) \
	X(metrics) \
	X(at) \
	/* a line for each */
/* clang-format on */

#define DECLARE(name) Suite *suite_##name(void);
SUITES(DECLARE)

static int
run_suites(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

#define ADD(name) srunner_add_suite(runner, suite_##name());
	SUITES(ADD)
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
#define PRINT(name) puts(#name);
	if (argc == 2 && strcmp(argv[1], "--suites") == 0) {
		SUITES(PRINT)
		return EXIT_SUCCESS;
	}
	return run_guarded(run_suites);
}
