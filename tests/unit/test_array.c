/* Arrays that grow, and places in sorted arrays. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../core/base/array.h"

START_TEST(items_keep_their_values_while_an_array_grows)
{
	uint32_t *v = NULL;
	size_t n = 0, cap = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert(tf_array_room(&v, n, &cap, sizeof(*v)));
		ck_assert_uint_lt(n, cap);
		v[n++] = i * 7;
	}
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(i * 7, v[i]);
	free(v);
}
END_TEST

/* An array that cannot grow stays as it was. */
START_TEST(sizes_beyond_the_address_space_are_refused)
{
	uint64_t *v = malloc(sizeof(*v)), *was = v;
	size_t cap = SIZE_MAX / 2 + 1;

	ck_assert(!tf_array_room(&v, cap, &cap, 1));
	ck_assert_uint_eq(SIZE_MAX / 2 + 1, cap);
	cap = SIZE_MAX / sizeof(*v);
	ck_assert(!tf_array_room(&v, cap, &cap, sizeof(*v)));
	ck_assert_uint_eq(SIZE_MAX / sizeof(*v), cap);
	cap = SIZE_MAX / 4;
	ck_assert(!tf_array_room(&v, cap, &cap, sizeof(*v)));
	ck_assert_uint_eq(SIZE_MAX / 4, cap);
	ck_assert_ptr_eq(was, v);
	free(v);
}
END_TEST

static int
by_value(const void *key, const void *item)
{
	int a = *(const int *)key, b = *(const int *)item;

	return (a > b) - (a < b);
}

START_TEST(a_place_is_behind_all_smaller_items)
{
	const int v[] = { 1, 3, 3, 7 };

	for (int key = 0; key <= 8; key++) {
		size_t want = 0;

		while (want < 4 && v[want] < key)
			want++;
		ck_assert_uint_eq(want,
		    tf_array_place(v, 4, sizeof(v[0]), &key, by_value));
	}
	ck_assert_uint_eq(0,
	    tf_array_place(NULL, 0, sizeof(v[0]), &v[0], by_value));
}
END_TEST

Suite *
suite_array(void)
{
	Suite *s = suite_create("array");
	TCase *tc = tcase_create("array");

	tcase_add_test(tc, items_keep_their_values_while_an_array_grows);
	tcase_add_test(tc, sizes_beyond_the_address_space_are_refused);
	tcase_add_test(tc, a_place_is_behind_all_smaller_items);
	suite_add_tcase(s, tc);
	return s;
}
