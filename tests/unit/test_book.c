/* A book keeps what it was given in order, and not in memory. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "../../core/base/bytes.h"
#include "../../core/store/temp_table.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static struct tf_book *book;

static void
open_book(void)
{
	OK(tf_book_open(&book, NULL));
}

static void
close_book(void)
{
	tf_book_close(book);
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

	OK(tf_book_add(book, s("b"), s("2"), NULL));
	OK(tf_book_add(book, s("a/z"), s("11"), NULL));
	OK(tf_book_add(book, s("a"), s("1"), NULL));
	ck_assert_int_eq(TF_EXISTS, tf_book_add(book, s("b"), s("3"), NULL));
	OK(tf_book_put(book, s("b"), s("4"), NULL));
	OK(tf_book_put(book, s("c"), s("5"), NULL));
	OK(tf_book_each(book, s("a"), s("c"), collect, &all, NULL));
	tf_buf_add(&all, "", 1);
	ck_assert_str_eq("a=1 a/z=11 b=4 ", all.p);
	tf_buf_free(&all);

	OK(tf_book_get(book, s("a/z"), two, 2, NULL));
	ck_assert_mem_eq("11", two, 2);
	ck_assert_int_eq(TF_IO, tf_book_get(book, s("a"), two, 2, NULL));
	ck_assert_int_eq(TF_NOTFOUND, tf_book_get(book, s("z"), two, 2, NULL));

	OK(tf_book_cut(book, s("a/"), s("a0"), NULL));
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_book_get(book, s("a/z"), two, 2, NULL));
	OK(tf_book_get(book, s("b"), two, 1, NULL));
}
END_TEST

START_TEST(a_walk_ends_with_what_its_reader_says)
{
	struct tf_buf all = { 0 };

	OK(tf_book_put(book, s("long"), s("x"), NULL));
	OK(tf_book_put(book, s("z"), s("y"), NULL));
	ck_assert_int_eq(TF_NODATA,
	    tf_book_each(book, s("a"), s("zz"), collect, &all, NULL));
	tf_buf_free(&all);
	/* And the next one can begin. */
	OK(tf_book_each(book, s("m"), s("zz"), collect, &all, NULL));
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
		OK(tf_book_add(book, (struct tf_str){ key, 8 },
		    (struct tf_str){ value, sizeof(value) }, NULL));
	}
	ck_assert_int_lt(sqlite3_memory_used(), 40 << 20); /* of 50 */
	for (uint32_t i = 0; i < ROWS; i++) {
		tf_put_be64((uint8_t *)key, i * UINT64_C(0x9e3779b97f4a7c15));
		memcpy(value + 100, &i, sizeof(i));
		OK(tf_book_get(book, (struct tf_str){ key, 8 }, have,
		    sizeof(have), NULL));
		ck_assert_mem_eq(value, have, sizeof(have));
	}
}
END_TEST

Suite *
suite_book(void)
{
	Suite *suite = suite_create("book");
	TCase *t = tcase_create("book");

	tcase_add_checked_fixture(t, open_book, close_book);
	tcase_add_test(t, keys_are_in_order_and_each_is_there_once);
	tcase_add_test(t, a_walk_ends_with_what_its_reader_says);
	tcase_add_test(t, what_does_not_fit_into_memory_goes_to_disk);
	tcase_set_timeout(t, 120); /* a busy machine */
	suite_add_tcase(suite, t);
	return suite;
}
