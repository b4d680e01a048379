/*
 * Locks that readers keep between transactions: they hold up no checkpoint of their
 * own process, they show readers no old state, and locks that are needed by readers
 * of this process and of others still protect what these read.
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/connection.h"
#include "core/store/meta.h"
#include "core/store/scrub.h"
#include "core/store/sql.h"
#include "core/store/transaction.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define READERS 6

static char dir[256];
static struct tf_db *db, *reader[READERS];
static uint64_t now;

static struct tf_db *
open_reader(void)
{
	struct tf_db *r;

	OK(tf_db_open(TF_DB_NAME, TF_DB_READ, &r, NULL));
	return r;
}

static uint64_t
read_now(struct tf_db *r)
{
	uint64_t n = 0;

	OK(tf_meta_get_int(r, "now", &n, NULL));
	return n;
}

/* --- another process ------------------------------------------------------ */

static int question, answer; /* pipes */
static pid_t other;

/* b: begin to read; r: read; e: end and read; s: write, and scrub the log. */
static uint64_t
answer_to(char what, struct tf_db **r)
{
	struct tf_db *w;

	if (what == 's') {
		OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &w, NULL));
		return tf_db_scrub(w, NULL);
	}
	if (*r == NULL)
		*r = open_reader();
	if (what == 'b')
		OK(tf_db_snapshot(*r, NULL));
	else if (what == 'e')
		tf_db_rollback(*r);
	return read_now(*r);
}

/* SQLite cannot be used on both sides of a fork, so this comes first. */
static void
start_other(void)
{
	struct tf_db *r = NULL;
	int in[2], out[2];
	uint64_t n;
	char what;

	ck_assert_int_eq(0, pipe(in));
	ck_assert_int_eq(0, pipe(out));
	if ((other = fork()) == 0) {
		(void)close(in[1]);
		while (read(in[0], &what, 1) == 1) {
			n = answer_to(what, &r);
			ck_assert_int_eq(sizeof(n),
			    write(out[1], &n, sizeof(n)));
		}
		_exit(0);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	question = in[1];
	answer = out[0];
}

static uint64_t
ask_other(char what)
{
	uint64_t n;

	ck_assert_int_eq(1, write(question, &what, 1));
	ck_assert_int_eq(sizeof(n), read(answer, &n, sizeof(n)));
	return n;
}

static void
end_other(void)
{
	int status;

	(void)close(question);
	ck_assert_int_eq(other, waitpid(other, &status, 0));
	ck_assert_int_eq(0, status);
	(void)close(answer);
}

/* --- the process with kept locks ------------------------------------------- */

static void
make_db(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/locks.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	start_other();
	OK(tf_db_open(TF_DB_NAME, TF_DB_CREATE, &db, NULL));
	(void)sqlite3_busy_timeout(db->sq, 0); /* tests expect refusals */
	tf_db_keep_locks(db);
	now = 0;
	for (size_t i = 0; i < READERS; i++) {
		reader[i] = open_reader();
		if (i < READERS - 1) /* the last one keeps none */
			tf_db_keep_locks(reader[i]);
	}
}

static void
remove_db(void)
{
	end_other();
	for (size_t i = 0; i < READERS; i++)
		tf_db_close(reader[i]);
	tf_db_close(db);
	(void)unlink(TF_DB_NAME);
	ck_assert_int_eq(0, chdir("/"));
	ck_assert_int_eq(0, rmdir(dir)); /* nothing else is there */
}

static void
write_now(void)
{
	OK(tf_db_begin(db, NULL));
	OK(tf_meta_set_int(db, "now", ++now, NULL));
	OK(tf_db_commit(db, NULL));
}

/* Scrubbing begins a new round of the log, which needs each lock of a reader. */
START_TEST(kept_locks_hold_up_no_checkpoint)
{
	for (int i = 0; i < 30; i++) {
		write_now();
		for (size_t k = 0; k < READERS; k++)
			ck_assert_uint_eq(now, read_now(reader[k]));
		if (i % 3 == 0)
			OK(tf_db_scrub(db, NULL));
	}
}
END_TEST

/* Commits, reads, snapshots and checkpoints in any order. */
START_TEST(readers_see_what_they_would_see_without_kept_locks)
{
	uint64_t seen[READERS] = { 0 }; /* by a snapshot */

	srand((unsigned)_i + 1);
	write_now();
	for (int i = 0; i < 2000; i++) {
		size_t k = (size_t)rand() % READERS;

		switch (rand() % 8) {
		case 0:
		case 1:
		case 2:
			write_now();
			break;
		case 3:
			if (seen[k] == 0) {
				OK(tf_db_snapshot(reader[k], NULL));
				seen[k] = now;
			}
			break;
		case 4:
			tf_db_rollback(reader[k]);
			seen[k] = 0;
			break;
		case 5:
			if (rand() % 4 == 0)
				OK(tf_sql_exec(db, "PRAGMA wal_checkpoint",
				    "checkpoint", NULL));
			else if (rand() % 4 == 0)
				(void)!tf_db_scrub(db, NULL);
			break;
		default:
			ck_assert_uint_eq(seen[k] != 0 ? seen[k] : now,
			    read_now(reader[k]));
		}
	}
	for (size_t k = 0; k < READERS; k++)
		tf_db_rollback(reader[k]);
	OK(tf_db_scrub(db, NULL));
}
END_TEST

START_TEST(another_process_reads_beside_kept_locks)
{
	uint64_t before;

	for (int i = 0; i < 3; i++) {
		write_now();
		for (size_t k = 0; k < READERS; k++)
			ck_assert_uint_eq(now, read_now(reader[k]));
		before = now;
		ck_assert_uint_eq(before, ask_other('b'));
		for (int n = 0; n < 20; n++) {
			write_now();
			ck_assert_uint_eq(now, read_now(reader[n % READERS]));
		}
		ck_assert_int_eq(TF_LOCKED, tf_db_scrub(db, NULL));
		ck_assert_uint_eq(before, ask_other('r'));
		ck_assert_uint_eq(now, ask_other('e'));
		OK(tf_db_scrub(db, NULL));
	}
}
END_TEST

/* What a closed connection has kept is free, also for other processes. */
START_TEST(a_closed_connection_keeps_no_lock)
{
	for (size_t k = 0; k < READERS; k++) {
		write_now();
		ck_assert_uint_eq(now, read_now(reader[k]));
	}
	for (size_t k = 0; k < READERS; k++) {
		tf_db_close(reader[k]);
		reader[k] = open_reader();
	}
	tf_db_leave(db);
	ck_assert_uint_eq(TF_OK, ask_other('s'));
	OK(tf_db_open(TF_DB_NAME, TF_DB_WRITE, &db, NULL));
}
END_TEST

static atomic_bool ends;
static _Atomic uint64_t shown; /* what a commit has made durable */

/* Never see less than was shown before, nor go back. */
static void *
read_on(void *arg)
{
	struct tf_db *r = arg;
	uint64_t least, n, seen = 0;

	while (!atomic_load(&ends)) {
		least = atomic_load(&shown);
		n = read_now(r);
		if (n < least || n < seen)
			return arg;
		seen = n;
	}
	return NULL;
}

START_TEST(threads_read_while_another_commits)
{
	pthread_t thread[READERS];
	void *bad;

	/* A reader that meets a half-written header of the index reads it again
	 * with the lock of writers. */
	(void)sqlite3_busy_timeout(db->sq, 60000);
	write_now();
	atomic_store(&shown, now);
	atomic_store(&ends, false);
	for (size_t k = 0; k < READERS; k++)
		ck_assert_int_eq(0,
		    pthread_create(&thread[k], NULL, read_on, reader[k]));
	for (int i = 0; i < 500; i++) {
		write_now();
		atomic_store(&shown, now);
		if (i % 20 == 0)
			OK(tf_sql_exec(db, "PRAGMA wal_checkpoint",
			    "checkpoint", NULL));
		if (i % 100 == 0)
			(void)!tf_db_scrub(db, NULL);
	}
	atomic_store(&ends, true);
	for (size_t k = 0; k < READERS; k++) {
		ck_assert_int_eq(0, pthread_join(thread[k], &bad));
		ck_assert_ptr_null(bad);
	}
	OK(tf_db_scrub(db, NULL));
}
END_TEST

Suite *
suite_lock_cache(void)
{
	Suite *s = suite_create("lock_cache");
	TCase *t = tcase_create("readers");

	tcase_add_checked_fixture(t, make_db, remove_db);
	tcase_add_test(t, kept_locks_hold_up_no_checkpoint);
	tcase_add_loop_test(t,
	    readers_see_what_they_would_see_without_kept_locks, 0, 10);
	tcase_add_test(t, another_process_reads_beside_kept_locks);
	tcase_add_test(t, a_closed_connection_keeps_no_lock);
	tcase_add_test(t, threads_read_while_another_commits);
	suite_add_tcase(s, t);
	return s;
}
