/* A temporary table keeps what it was given in order, and not in memory. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "../../core/base/bytes.h"
#include "../../core/store/temp_table.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static struct tf_temp_table *table;

static void
open_table(void)
{
	OK(tf_temp_table_open(&table, NULL));
}

static void
close_table(void)
{
	tf_temp_table_close(table);
}

static struct tf_str
s(const char *text)
{
	return (struct tf_str){ text, strlen(text) };
}

static enum tf_code
collect(void *arg, struct tf_str key, struct tf_str value, struct tf_error *err)
{
	struct tf_buf *out = arg;

	(void)err;
	tf_buf_add(out, key.p, key.n);
	tf_buf_str(out, "=");
	tf_buf_add(out, value.p, value.n);
	tf_buf_str(out, " ");
	return key.n == 4 ? TF_NODATA : TF_OK;
}

START_TEST(keys_are_in_order_and_each_is_there_once)
{
	struct tf_buf all = { 0 };
	char two[2];

	OK(tf_temp_table_add(table, s("b"), s("2"), NULL));
	OK(tf_temp_table_add(table, s("a/z"), s("11"), NULL));
	OK(tf_temp_table_add(table, s("a"), s("1"), NULL));
	ck_assert_int_eq(TF_EXISTS,
	    tf_temp_table_add(table, s("b"), s("3"), NULL));
	OK(tf_temp_table_put(table, s("b"), s("4"), NULL));
	OK(tf_temp_table_put(table, s("c"), s("5"), NULL));
	OK(tf_temp_table_each(table, s("a"), s("c"), collect, &all, NULL));
	tf_buf_add(&all, "", 1);
	ck_assert_str_eq("a=1 a/z=11 b=4 ", all.p);
	tf_buf_free(&all);

	OK(tf_temp_table_get(table, s("a/z"), two, 2, NULL));
	ck_assert_mem_eq("11", two, 2);
	ck_assert_int_eq(TF_IO, tf_temp_table_get(table, s("a"), two, 2, NULL));
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_temp_table_get(table, s("z"), two, 2, NULL));

	OK(tf_temp_table_cut(table, s("a/"), s("a0"), NULL));
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_temp_table_get(table, s("a/z"), two, 2, NULL));
	OK(tf_temp_table_get(table, s("b"), two, 1, NULL));
}
END_TEST

START_TEST(a_walk_ends_with_what_its_reader_says)
{
	struct tf_buf all = { 0 };

	OK(tf_temp_table_put(table, s("long"), s("x"), NULL));
	OK(tf_temp_table_put(table, s("z"), s("y"), NULL));
	ck_assert_int_eq(TF_NODATA,
	    tf_temp_table_each(table, s("a"), s("zz"), collect, &all, NULL));
	tf_buf_free(&all);
	/* And the next one can begin. */
	OK(tf_temp_table_each(table, s("m"), s("zz"), collect, &all, NULL));
	tf_buf_free(&all);
}
END_TEST

START_TEST(what_does_not_fit_into_memory_goes_to_disk)
{
	enum { ROWS = 150000 };
	char key[9], value[300] = { 0 }, have[300];

	for (uint32_t i = 0; i < ROWS; i++) {
		/* all over the place */
		tf_put_be64((uint8_t *)key, i * UINT64_C(0x9e3779b97f4a7c15));
		memcpy(value + 100, &i, sizeof(i));
		OK(tf_temp_table_add(table, (struct tf_str){ key, 8 },
		    (struct tf_str){ value, sizeof(value) }, NULL));
	}
	ck_assert_int_lt(sqlite3_memory_used(), 40 << 20); /* of 50 */
	for (uint32_t i = 0; i < ROWS; i++) {
		tf_put_be64((uint8_t *)key, i * UINT64_C(0x9e3779b97f4a7c15));
		memcpy(value + 100, &i, sizeof(i));
		OK(tf_temp_table_get(table, (struct tf_str){ key, 8 }, have,
		    sizeof(have), NULL));
		ck_assert_mem_eq(value, have, sizeof(have));
	}
}
END_TEST

Suite *
suite_temp_table(void)
{
	Suite *suite = suite_create("temp_table");
	TCase *t = tcase_create("temp_table");

	tcase_add_checked_fixture(t, open_table, close_table);
	tcase_add_test(t, keys_are_in_order_and_each_is_there_once);
	tcase_add_test(t, a_walk_ends_with_what_its_reader_says);
	tcase_add_test(t, what_does_not_fit_into_memory_goes_to_disk);
	tcase_set_timeout(t, 120); /* a busy machine */
	suite_add_tcase(suite, t);
	return suite;
}
