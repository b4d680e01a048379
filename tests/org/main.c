/* What every engine of an organisation has to do: see pair.h. */
#include <stdio.h>

#include "pair.h"

#define SUITES(X) X(ledger) X(many) X(blobs) X(bundle)

#define DECLARE(name) Suite *suite_##name(void);
SUITES(DECLARE)

int
main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	(void)setenv("CK_DEFAULT_TIMEOUT", "600", 0);
	if (pair_count() == 1)
		puts("SKIP org: only the engine dir: is asked for, by "
		     "TRAILFS_ORG_PAIRS");
#define ADD(name) srunner_add_suite(runner, suite_##name());
	SUITES(ADD)
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
