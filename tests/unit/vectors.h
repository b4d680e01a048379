/* What several suites need: published vectors, chance that repeats. */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include "../../core/json.h"

#ifndef TF_VECTORS
#define TF_VECTORS "tests/vectors"
#endif

/* The whole file of the vectors, NUL behind it; fails the test without. */
struct tf_buf read_vector(const char *name);
/* The next line of rest without its LF; false at the end. */
bool take_line(struct tf_str *rest, struct tf_str *line);
struct tf_str str_of(const char *s);
struct tf_hash hash_of(const char *hex);
struct tf_key *key_of(const char *seed_hex);

/* Log and attester of the worked examples: RFC 8032 7.1, tests 1 and 3. */
#define SEED_LOG \
	"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define SEED_ATTESTER \
	"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"

/* The same numbers in each run. */
uint64_t chance(uint64_t *state);

/* For hot loops: each ck_assert is a message to the runner. */
#define must(cond)                                         \
	do {                                               \
		if (!(cond))                               \
			ck_abort_msg("not so: %s", #cond); \
	} while (0)

#define assert_same(want, want_n, got, got_n)              \
	do {                                               \
		ck_assert_uint_eq((want_n), (got_n));      \
		ck_assert_mem_eq((want), (got), (want_n)); \
	} while (0)

#endif
