/* All unit suites in one runner.  CK_RUN_SUITE picks one. */
#include <check.h>
#include <stdlib.h>

/* clang-format off */
#define SUITES(X) \
	X(definitions) X(judged) X(verdicts) X(retention) \
	X(array) X(guess) X(bytes) X(bits) X(chunks) X(json) X(json_any) X(name) X(policy) X(asker) X(entry) \
	X(entry_fields) X(withheld) X(entry_write) X(actor_json) X(merkle) X(checkpoint) X(rotation) X(organisation) X(cosign) X(witness) \
	X(statement) X(yaml) X(template) X(checks) X(junit) X(status) X(html) X(terminal) X(replay) \
	X(proof) X(crypt) X(age) X(age_vectors) X(stage_key) X(secret) X(timestamp) X(store) X(scrub) X(log_buffer) X(lock_cache) X(temp_table) X(head) X(home) X(recover) X(crowd) X(metrics) \
	X(order) X(node_ids) X(hasher) X(turns) X(space) X(replica) X(signer) \
	X(find) X(claims) X(import) X(failed) X(users) X(audit) X(pieces) X(altered_store) \
	X(mirror_frames) X(mirror) X(forward) \
	X(altered_log) X(altered_copy) X(zip) X(package) X(vectors)
/* clang-format on */

#define DECLARE(name) Suite *suite_##name(void);
SUITES(DECLARE)

int
main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	/* A guard against waiting for ever; the four seconds of Check are a
	 * limit that a busy machine misses. */
	(void)setenv("CK_DEFAULT_TIMEOUT", "300", 0);
#define ADD(name) srunner_add_suite(runner, suite_##name());
	SUITES(ADD)
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
