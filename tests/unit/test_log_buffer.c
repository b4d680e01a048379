/*
 * The buffer of frames of the write-ahead log: what is in the log is what SQLite
 * wrote, a commit is in the log before others can see it, and a write that fails
 * is reported to the transaction whose frames it has lost.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/base/file.h"
#include "core/store/connection.h"
#include "core/store/log_buffer.h"
#include "core/store/objects.h"
#include "core/store/transaction.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define PAGE 4096
#define FRAME (24 + PAGE)
#define PLACES 80 /* frames of a log in memory */

/* --- a log in memory ------------------------------------------------------- */

static uint8_t in_file[32 + PLACES * FRAME];
static uint8_t as_written[sizeof(in_file)];
static unsigned writes;
static int result; /* of the next write */

static int
memory_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	(void)f;
	ck_assert_int_gt(n, 0);
	ck_assert_uint_le((size_t)off + (size_t)n, sizeof(in_file));
	writes++;
	if (result != SQLITE_OK)
		return result;
	memcpy(in_file + off, p, (size_t)n);
	return SQLITE_OK;
}

static const sqlite3_io_methods memory = { .xWrite = memory_write };
static struct tf_log_buffer buffer;

static void
begin(void)
{
	memset(in_file, 0, sizeof(in_file));
	memset(as_written, 0, sizeof(as_written));
	writes = 0;
	result = SQLITE_OK;
}

static void
end(void)
{
	tf_log_buffer_free(&buffer);
}

static int
write_bytes(const void *p, size_t n, size_t off)
{
	memcpy(as_written + off, p, n);
	return tf_log_buffer_write(&buffer, NULL, &memory, p, (int)n,
	    (sqlite3_int64)off);
}

static int
write_header(size_t place, bool is_last)
{
	uint8_t header[24];

	for (size_t i = 0; i < sizeof(header); i++)
		header[i] = (uint8_t)rand();
	memset(header + 4, is_last, 4);
	return write_bytes(header, sizeof(header), 32 + place * FRAME);
}

static int
write_page(size_t place)
{
	uint8_t page[PAGE];

	for (size_t i = 0; i < PAGE; i++)
		page[i] = (uint8_t)rand();
	return write_bytes(page, PAGE, 32 + place * FRAME + 24);
}

static int
write_frame(size_t place, bool is_last)
{
	int rc = write_header(place, is_last);

	return rc == SQLITE_OK ? write_page(place) : rc;
}

static int
write_log_header(void)
{
	char header[32];

	memset(header, 'h', sizeof(header));
	return write_bytes(header, sizeof(header), 0);
}

/* --- tests ------------------------------------------------------------------ */

START_TEST(a_transaction_is_one_write)
{
	ck_assert_int_eq(SQLITE_OK, write_log_header());
	for (size_t n = 1, place = 0; n < 9; place += n++) {
		writes = 0;
		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq(SQLITE_OK,
			    write_frame(place + i, i + 1 == n));
		ck_assert_uint_eq(1, writes);
		ck_assert_mem_eq(as_written, in_file, sizeof(in_file));
	}
}
END_TEST

/* Frames anywhere, headers alone, pages alone, as after rollbacks and while
 * checksums are written again; after a commit and after a flush nothing is missing. */
START_TEST(any_writes_give_the_same_bytes)
{
	size_t place = 0;
	bool is_last;

	srand((unsigned)_i + 1);
	ck_assert_int_eq(SQLITE_OK, write_log_header());
	for (int i = 0; i < 300; i++) {
		is_last = rand() % 4 == 0;
		switch (rand() % 12) {
		case 0:
			ck_assert_int_eq(SQLITE_OK, write_log_header());
			place = 0;
			break;
		case 1:
			place = (size_t)rand() % PLACES;
			break;
		case 2:
			ck_assert_int_eq(SQLITE_OK,
			    write_header((size_t)rand() % PLACES, is_last));
			break;
		case 3:
			ck_assert_int_eq(SQLITE_OK,
			    write_page((size_t)rand() % PLACES));
			break;
		case 4:
			ck_assert_int_eq(SQLITE_OK,
			    tf_log_buffer_flush(&buffer, NULL, &memory));
			ck_assert_mem_eq(as_written, in_file, sizeof(in_file));
			break;
		default:
			ck_assert_int_eq(SQLITE_OK,
			    write_frame(place, is_last));
			place = (place + 1) % PLACES;
			if (is_last)
				ck_assert_mem_eq(as_written, in_file,
				    sizeof(in_file));
		}
	}
}
END_TEST

/* The frame that ends the transaction reports the failure of all; nothing of them
 * is written later, and the next transaction is whole. */
START_TEST(a_commit_reports_that_its_frames_are_lost)
{
	ck_assert_int_eq(SQLITE_OK, write_log_header());
	ck_assert_int_eq(SQLITE_OK, write_frame(0, true));
	ck_assert_int_eq(SQLITE_OK, write_frame(1, false));
	result = SQLITE_FULL;
	ck_assert_int_eq(SQLITE_FULL, write_frame(2, true));
	result = SQLITE_OK;
	writes = 0;
	ck_assert_int_eq(SQLITE_OK,
	    tf_log_buffer_flush(&buffer, NULL, &memory));
	ck_assert_uint_eq(0, writes);
	ck_assert_int_eq(SQLITE_OK, write_frame(1, false));
	ck_assert_int_eq(SQLITE_OK, write_frame(2, true));
	ck_assert_mem_eq(as_written, in_file, sizeof(in_file));
}
END_TEST

/* More frames than the buffer has room for. */
START_TEST(a_long_transaction_is_few_writes)
{
	ck_assert_int_eq(SQLITE_OK, write_log_header());
	writes = 0;
	for (size_t i = 0; i < PLACES; i++)
		ck_assert_int_eq(SQLITE_OK, write_frame(i, i + 1 == PLACES));
	ck_assert_uint_eq(3, writes);
	ck_assert_mem_eq(as_written, in_file, sizeof(in_file));
}
END_TEST

/* A commit without a sync, too: readers see it, so its bytes are in the log.  The
 * word begins anew in each round: old frames must not be taken for new ones. */
START_TEST(a_commit_is_in_the_log_before_others_see_it)
{
	char dir[256], word[32];
	const char *tmp = getenv("TMPDIR");
	struct tf_db *db, *reader;
	struct tf_buf log = { 0 }, body = { 0 };
	struct tf_object_row row;
	struct tf_hash h;

	snprintf(dir, sizeof(dir), "%.200s/log.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_db_open(TF_DB_NAME, TF_DB_CREATE, &db, NULL));
	OK(tf_db_open(TF_DB_NAME, TF_DB_READ, &reader, NULL));
	for (uint64_t id = 1; id < 20; id++) {
		snprintf(word, sizeof(word), "word-%06u-word", (unsigned)id);
		tf_sha256(word, sizeof(word), &h);
		OK(id % 2 == 0 ? tf_db_begin(db, NULL) :
				 tf_db_begin_unsynced(db, NULL));
		OK(tf_object_put(db, id, &h, word, sizeof(word), NULL));
		OK(tf_db_commit(db, NULL));
		tf_db_synced_again(db);
		tf_buf_free(&log);
		OK(tf_file_read(AT_FDCWD, TF_DB_NAME "-wal", SIZE_MAX, &log,
		    NULL));
		ck_assert_ptr_nonnull(memmem(log.p, log.n, word, strlen(word)));
		tf_buf_free(&body);
		OK(tf_object_get(reader, id, &row, &body, NULL));
		ck_assert_str_eq(word, body.p);
	}
	tf_buf_free(&log);
	tf_buf_free(&body);
	tf_db_close(reader);
	tf_db_close(db);
	(void)unlink(TF_DB_NAME);
	ck_assert_int_eq(0, chdir("/"));
	ck_assert_int_eq(0, rmdir(dir));
}
END_TEST

Suite *
suite_log_buffer(void)
{
	Suite *s = suite_create("log_buffer");
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_transaction_is_one_write);
	tcase_add_loop_test(t, any_writes_give_the_same_bytes, 0, 50);
	tcase_add_test(t, a_commit_reports_that_its_frames_are_lost);
	tcase_add_test(t, a_long_transaction_is_few_writes);
	suite_add_tcase(s, t);
	t = tcase_create("database");
	tcase_add_test(t, a_commit_is_in_the_log_before_others_see_it);
	suite_add_tcase(s, t);
	return s;
}
