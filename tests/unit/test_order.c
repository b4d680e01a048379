/* Pieces of a staged file that come nearly in order. */
#include <check.h>
#include <stdlib.h>

#include "../../core/commit/order.h"
#include "../../core/node/hash_task.h"

/* What is there from the beginning on grows when the piece at its end comes, and
 * then by all that came too early. */
START_TEST(pieces_that_came_too_early_are_found_again)
{
	struct tf_staged_hash s = { .in_order = true };

	ck_assert(tf_order_add(&s, 0, 10));
	ck_assert(tf_order_add(&s, 30, 40));
	ck_assert(tf_order_add(&s, 20, 30));
	ck_assert(tf_order_add(&s, 50, 60));
	ck_assert_uint_eq(10, s.end);
	ck_assert(tf_order_add(&s, 10, 20));
	ck_assert_uint_eq(40, s.end);
	ck_assert_uint_eq(1, s.n_ahead);
	ck_assert(tf_order_add(&s, 40, 50));
	ck_assert_uint_eq(60, s.end);
	ck_assert_uint_eq(0, s.n_ahead);
}
END_TEST

/* A byte that is written a second time is no order. */
START_TEST(no_byte_comes_twice)
{
	static const uint64_t twice[][2] = { { 0, 1 }, { 9, 11 }, { 15, 21 },
		{ 20, 21 }, { 29, 31 }, { 12, 40 }, { 10, 21 } };
	struct tf_staged_hash s = { .in_order = true }, before;

	ck_assert(tf_order_add(&s, 0, 10));
	ck_assert(tf_order_add(&s, 20, 30));
	before = s;
	for (size_t i = 0; i < sizeof twice / sizeof twice[0]; i++) {
		ck_assert(!tf_order_add(&s, twice[i][0], twice[i][1]));
		ck_assert_uint_eq(before.end, s.end);
		ck_assert_uint_eq(before.n_ahead, s.n_ahead);
	}
	ck_assert(tf_order_add(&s, 10, 20));
	ck_assert_uint_eq(30, s.end);
}
END_TEST

START_TEST(only_so_many_pieces_are_remembered)
{
	struct tf_staged_hash s = { .in_order = true };

	for (uint64_t i = 1; i <= TF_PIECES; i++)
		ck_assert(tf_order_add(&s, 10 * i, 10 * i + 5));
	ck_assert(!tf_order_add(&s, 1000, 1001));
	ck_assert(tf_order_add(&s, 0, 10));
	ck_assert_uint_eq(15, s.end);
	ck_assert(tf_order_add(&s, 1000, 1001));
}
END_TEST

/* Any order of the pieces of a file makes the whole file, if only few are missing
 * at a time. */
START_TEST(any_near_order_makes_the_whole)
{
	struct tf_staged_hash s = { .in_order = true };
	uint64_t from[400], t;
	unsigned k;

	srand((unsigned)_i);
	for (unsigned i = 0; i < 400; i++)
		from[i] = i;
	for (unsigned i = 0; i < 400; i += 8) /* shuffled within eight */
		for (unsigned n = 7; n > 0; n--) {
			k = (unsigned)rand() % (n + 1);
			t = from[i + n];
			from[i + n] = from[i + k];
			from[i + k] = t;
		}
	for (unsigned i = 0; i < 400; i++)
		ck_assert(tf_order_add(&s, from[i] * 7, from[i] * 7 + 7));
	ck_assert_uint_eq(2800, s.end);
	ck_assert_uint_eq(0, s.n_ahead);
}
END_TEST

Suite *suite_order(void);

Suite *
suite_order(void)
{
	Suite *s = suite_create("order");
	TCase *t = tcase_create("pieces");

	tcase_add_test(t, pieces_that_came_too_early_are_found_again);
	tcase_add_test(t, no_byte_comes_twice);
	tcase_add_test(t, only_so_many_pieces_are_remembered);
	tcase_add_loop_test(t, any_near_order_makes_the_whole, 0, 50);
	suite_add_tcase(s, t);
	return s;
}
