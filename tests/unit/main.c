/* All unit suites in one runner.  CK_RUN_SUITE picks one. */
#include <check.h>
#include <stdlib.h>

/* clang-format off */
#define SUITES(X) \
	X(bytes) X(bits) X(json) X(json_any) X(name) X(policy) X(asker) X(entry) X(merkle) X(checkpoint) \
	X(statement) X(yaml) X(checks) X(junit) X(status) X(html) X(replay) X(proof) X(store) X(temp_table) \
	X(head) X(recover) X(crowd) X(claims) X(failed) X(users) X(audit) X(altered) X(package) X(vectors)
/* clang-format on */

#define DECLARE(name) Suite *suite_##name(void);
SUITES(DECLARE)

int
main(void)
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
