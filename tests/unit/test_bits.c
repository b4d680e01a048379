/* Sets of numbers. */
#include <check.h>

#include "../../core/base/bits.h"

/* Numbers of every size are members when added, and no others are. */
START_TEST(a_number_is_in_the_set_once_it_was_added)
{
	static const uint64_t numbers[] = { 0, 1, 7, 8, 4095, 4096, 4097, 70000,
		UINT64_C(1) << 32, (UINT64_C(1) << 63) + 5, UINT64_MAX };
	const size_t n = sizeof(numbers) / sizeof(numbers[0]);
	struct tf_bits b = { 0 };

	for (size_t i = 0; i < n; i++) {
		ck_assert(!tf_bits_has(&b, numbers[i]));
		tf_bits_add(&b, numbers[i]);
		tf_bits_add(&b, numbers[i]);
		for (size_t k = 0; k < n; k++)
			ck_assert(tf_bits_has(&b, numbers[k]) == (k <= i));
	}
	ck_assert(!tf_bits_has(&b, 2));
	tf_bits_remove(&b, 2);
	tf_bits_remove(&b, numbers[0]);
	ck_assert(!tf_bits_has(&b, numbers[0]));
	ck_assert(tf_bits_has(&b, numbers[1]));
	tf_bits_free(&b);
	tf_bits_remove(&b, numbers[1]);
	ck_assert(!tf_bits_has(&b, 1));
}
END_TEST

/* Numbers far from each other: memory for each of them, not for the gaps. */
START_TEST(many_numbers_far_apart)
{
	struct tf_bits b = { 0 };

	for (uint64_t i = 0; i < 1000; i++)
		tf_bits_add(&b, i << 50);
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert(tf_bits_has(&b, i << 50));
		ck_assert(!tf_bits_has(&b, (i << 50) + 1));
	}
	ck_assert_uint_le(b.slots, 4096);
	tf_bits_free(&b);
}
END_TEST

Suite *
suite_bits(void)
{
	Suite *s = suite_create("bits");
	TCase *t = tcase_create("bits");

	tcase_add_test(t, a_number_is_in_the_set_once_it_was_added);
	tcase_add_test(t, many_numbers_far_apart);
	suite_add_tcase(s, t);
	return s;
}
