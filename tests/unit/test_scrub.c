/*
 * What the files of the database keep of bytes that were deleted: nothing, once
 * the write-ahead log is scrubbed.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/base/file.h"
#include "core/store/clean_pages.h"
#include "core/store/connection.h"
#include "core/store/objects.h"
#include "core/store/scrub.h"
#include "core/store/transaction.h"
#include "spoil.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define WORD "deleted-word-"

static char dir[256];
static struct tf_db *db;

static void
make_db(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/scrub.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_db_open(TF_DB_NAME, TF_DB_CREATE, &db, NULL));
}

static void
remove_db(void)
{
	tf_db_close(db);
	(void)unlink(TF_DB_NAME);
	ck_assert_int_eq(0, chdir("/"));
	ck_assert_int_eq(0, rmdir(dir)); /* nothing else is there */
}

/* Write n bytes that repeat the word of object id. */
static void
put(uint64_t id, size_t n)
{
	char *p = malloc(n + 32);
	struct tf_hash h;

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < n;)
		i += (size_t)snprintf(p + i, 32, WORD "%06u-", (unsigned)id);
	tf_sha256(p, n, &h);
	OK(tf_object_put(db, id, &h, p, n, NULL));
	free(p);
}

static bool
file_has(const char *name, const char *word)
{
	struct tf_buf b = { 0 };
	bool is;

	OK(tf_file_read(AT_FDCWD, name, SIZE_MAX, &b, NULL));
	is = memmem(b.p, b.n, word, strlen(word)) != NULL;
	tf_buf_free(&b);
	return is;
}

/* Each time, not only the first time. */
START_TEST(a_scrubbed_log_has_no_page_of_earlier_transactions)
{
	for (uint64_t id = 1; id < 5; id++) {
		char word[32];

		snprintf(word, sizeof(word), WORD "%06u", (unsigned)id);
		put(id, 20000);
		ck_assert(file_has(TF_DB_NAME "-wal", word));
		OK(tf_object_drop(db, id, NULL));
		OK(tf_db_scrub(db, NULL));
		ck_assert(!file_has(TF_DB_NAME "-wal", WORD));
		ck_assert(!file_has(TF_DB_NAME, WORD));
	}
}
END_TEST

START_TEST(a_reader_keeps_the_pages_that_it_needs)
{
	struct tf_buf body = { 0 };
	struct tf_object_row row;
	struct tf_db *r;

	put(1, 2000);
	OK(tf_db_open(TF_DB_NAME, TF_DB_READ, &r, NULL));
	OK(tf_db_snapshot(r, NULL));
	OK(tf_object_drop(db, 1, NULL));
	tf_db_close(db);
	OK(tf_object_get(r, 1, &row, &body, NULL));
	ck_assert_uint_eq(2000, body.n);
	tf_db_rollback(r);
	tf_db_close(r);
	tf_buf_free(&body);
	/* What was left then, the next close overwrites and deletes. */
	ck_assert(file_has(TF_DB_NAME "-wal", WORD));
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &db, NULL));
	OK(tf_db_scrub(db, NULL));
	ck_assert(!file_has(TF_DB_NAME "-wal", WORD));
}
END_TEST

START_TEST(a_long_log_is_shortened_once_no_reader_needs_it)
{
	struct stat st;
	struct tf_db *r;

	OK(tf_db_open(TF_DB_NAME, TF_DB_READ, &r, NULL));
	OK(tf_db_snapshot(r, NULL));
	for (unsigned i = 1; i <= 70; i++)
		put(i, 1 << 20);
	OK(tf_db_shorten_log(db, NULL));
	ck_assert_int_eq(0, stat(TF_DB_NAME "-wal", &st));
	ck_assert_int_gt(st.st_size, TF_LOG_MAX);
	tf_db_close(r);
	OK(tf_object_drop(db, 1, NULL)); /* moves all into the database */
	put(100, 100);			 /* begins at the beginning */
	OK(tf_db_shorten_log(db, NULL));
	ck_assert_int_eq(0, stat(TF_DB_NAME "-wal", &st));
	ck_assert_int_eq(st.st_size, TF_LOG_MAX);
	ck_assert(!file_has(TF_DB_NAME "-wal", WORD "000001"));
}
END_TEST

/*
 * Rows are moved between pages when others come and go.  Numbers that only look
 * random: SQLite alone leaves copies of some of these rows.
 */
START_TEST(no_page_keeps_a_copy_of_a_row_that_was_moved)
{
	static const size_t sizes[] = { 20, 60, 200, 500, 900, 3000, 9000 };
	static bool is[2100];
	uint32_t r = 12345 + (uint32_t)_i;

	OK(tf_db_begin(db, NULL));
	for (unsigned n = 1; n < 4000; n++) {
		unsigned id;

		r = r * 1103515245 + 12345;
		id = n / 2 + (r >> 16) % 50;
		r = r * 1103515245 + 12345;
		if (is[id] && (r >> 16) % 3 == 0)
			OK(tf_object_drop(db, id, NULL));
		else
			put(id, sizes[(r >> 16) % LEN(sizes)]);
		is[id] = !is[id] || (r >> 16) % 3 != 0;
		if (n % 16 == 0) {
			OK(tf_db_commit(db, NULL));
			OK(tf_db_begin(db, NULL));
		}
	}
	for (unsigned id = 0; id < LEN(is); id++)
		if (is[id])
			OK(tf_object_erase(db, id, NULL));
	OK(tf_db_commit(db, NULL));
	OK(tf_db_scrub(db, NULL));
	ck_assert(!file_has(TF_DB_NAME, WORD));
	OK(tf_db_check(db, NULL));
}
END_TEST

START_TEST(pages_of_earlier_versions_are_cleaned)
{
	static const char secret[] = "x" WORD;
	struct tf_hash h = { { 0 } };

	OK(tf_object_put(db, 1, &h, secret, sizeof(secret), NULL));
	tf_db_close(db);
	ck_assert_uint_gt(spoil_pages(TF_DB_NAME, WORD), 5);
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &db, NULL));
	OK(tf_db_begin(db, NULL));
	OK(tf_db_clean_pages(db, NULL));
	tf_db_rollback(db);
	ck_assert(file_has(TF_DB_NAME, secret)); /* a row that is there */
	OK(tf_object_drop(db, 1, NULL));
	OK(tf_db_scrub(db, NULL));
	ck_assert(!file_has(TF_DB_NAME, WORD));
	OK(tf_db_check(db, NULL));
}
END_TEST

/* A page that continues a row looks like a page with rows in a huge file. */
START_TEST(only_pages_with_rows_are_changed)
{
	uint8_t p[4096], full[4096];

	memset(full, 'x', sizeof(full));
	for (unsigned first = 0; first < 256; first++) {
		memcpy(p, full, sizeof(p));
		p[0] = (uint8_t)first;
		p[3] = p[4] = 0; /* no rows */
		p[5] = 15;	 /* they would begin at 15 * 256 */
		p[6] = 0;
		ck_assert(!tf_page_clean(p, 4095, 0));
		ck_assert(!tf_page_clean(p, 4096, 1));
		ck_assert_int_eq(first == 2 || first == 5 || first == 10 ||
			first == 13,
		    tf_page_clean(p, 4096, 4096));
		ck_assert_mem_eq(p + 15 * 256, full, 256);
	}
	/* Rows that would begin behind the page. */
	p[0] = 13;
	p[5] = 17;
	ck_assert(!tf_page_clean(p, 4096, 4096));
}
END_TEST

Suite *
suite_scrub(void)
{
	Suite *s = suite_create("scrub");
	TCase *t = tcase_create("log");

	tcase_add_checked_fixture(t, make_db, remove_db);
	tcase_add_test(t, a_scrubbed_log_has_no_page_of_earlier_transactions);
	tcase_add_test(t, a_reader_keeps_the_pages_that_it_needs);
	tcase_add_test(t, a_long_log_is_shortened_once_no_reader_needs_it);
	suite_add_tcase(s, t);
	t = tcase_create("pages");
	tcase_add_checked_fixture(t, make_db, remove_db);
	tcase_add_loop_test(t, no_page_keeps_a_copy_of_a_row_that_was_moved, 0,
	    3);
	tcase_add_test(t, pages_of_earlier_versions_are_cleaned);
	tcase_add_test(t, only_pages_with_rows_are_changed);
	suite_add_tcase(s, t);
	return s;
}
