/*
 * A file that failed: its interruption is recorded once, whoever sees it, and
 * every later answer about it has the error of that failure.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/node/claim.h"
#include "../../core/node/vault_i.h"
#include "../../core/seal/interrupt.h"
#include "../../core/vault/file_write.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static struct tf_vault *v;
static uint64_t att;
static struct tf_file *file;
static struct tf_pending *l;

/* A file that is open for writing, and its node. */
static void
make_file(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_attr a;

	own_store_make("failed", &root);
	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "t", 0755, &root, &a, NULL));
	OK(tf_vault_mkdir(v, a.id, "w", 0755, &root, &a, NULL));
	OK(tf_vault_mkdir(v, a.id, "a", 0755, &root, &a, NULL));
	att = a.id;
	OK(tf_vault_create(v, att, "f", 0644, &root, &a, &file, NULL));
	OK(tf_file_write_at(file, "some text", 9, 0, false, NULL));
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, a.id);
	tf_pending_ref(l);
	pthread_mutex_unlock(&v->mu);
}

static void
remove_store(void)
{
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* Its flush fails with that errno. */
static void
flush_fails(int sys)
{
	struct tf_error e;

	errno = sys;
	(void)tf_fail(&e, TF_IO, "sync a staged file");
	pthread_mutex_lock(&v->mu);
	tf_pending_set_failed(l, e.code, &e);
	pthread_mutex_unlock(&v->mu);
}

/* --- recorded once ------------------------------------------------------------ */

/* How many entries of events.jsonl are of that type. */
static unsigned
entries_of(const char *type)
{
	uint64_t count, size;
	size_t got = 0;
	unsigned n = 0;
	char *p;

	OK(tf_vault_size(v, &count, &size, NULL));
	ck_assert_ptr_nonnull(p = calloc(1, size + 1));
	OK(tf_vault_events(v, count, 0, p, size, &got, NULL));
	for (const char *at = p; (at = strstr(at, type)) != NULL; at++)
		n++;
	free(p);
	return n;
}

static void
interrupt_completely(void)
{
	tf_pending_interrupt(l);
}

static void
step_aside(void)
{
	tf_pending_step_aside(l);
}

/* A second thread that saw the failure too comes when the first one is done,
 * or while the first one reads what survived. */
static void (*const seconds[])(void) = { interrupt_completely, step_aside };

START_TEST(a_late_thread_records_nothing)
{
	char name[256];

	flush_fails(EIO);
	tf_pending_interrupt(l);
	ck_assert_uint_eq(1, entries_of("evidence.interrupted"));
	ck_assert_int_eq(TF_STATE_DRAFT, l->attr.state);
	ck_assert_ptr_null(l->meant);
	(void)snprintf(name, sizeof(name), "%s", l->name);
	seconds[_i]();
	ck_assert_uint_eq(1, entries_of("evidence.interrupted"));
	ck_assert_str_eq(name, l->name);
	ck_assert_ptr_null(l->meant);
	ck_assert_ptr_null(l->interruption);
	tf_file_release(file);
	ck_assert_uint_eq(1, entries_of("evidence.interrupted"));
}
END_TEST

/* The draft is written again and fails again: that is another interruption. */
START_TEST(a_second_failure_is_recorded_again)
{
	flush_fails(EIO);
	tf_pending_interrupt(l);
	OK(tf_file_write_at(file, "more", 4, 0, false, NULL));
	flush_fails(EIO);
	tf_pending_interrupt(l);
	ck_assert_uint_eq(2, entries_of("evidence.interrupted"));
	tf_file_release(file);
}
END_TEST

/* --- one error ---------------------------------------------------------------- */

static void
flushed(void *arg, enum tf_code rc, const struct tf_error *err)
{
	if (rc != TF_OK)
		*(struct tf_error *)arg = *err;
}

static struct tf_error
of_flush(void)
{
	struct tf_error e = { .code = TF_OK };

	tf_file_flush(file, false, flushed, &e);
	return e;
}

static struct tf_error
of_write(void)
{
	struct tf_error e = { .code = TF_OK };

	ck_assert_int_ne(TF_OK, tf_file_write_at(file, "x", 1, 0, false, &e));
	return e;
}

static struct tf_error
of_open(void)
{
	struct tf_error e = { .code = TF_OK };
	struct tf_file *other;

	ck_assert_int_ne(TF_OK,
	    tf_vault_open_write(v, l->attr.id, false, &root, &other, &e));
	return e;
}

static struct tf_error (*const answers[])(void) = { of_flush, of_write,
	of_open };

/* The thread that answers may have an errno of something else. */
START_TEST(every_answer_has_the_error_of_the_failure)
{
	struct tf_error e;

	flush_fails(EIO);
	errno = ENOSPC;
	e = answers[_i]();
	ck_assert_int_eq(TF_IO, e.code);
	ck_assert_int_eq(EIO, e.sys);
	ck_assert_str_eq("sync a staged file", e.text);
	tf_file_release(file);
}
END_TEST

START_TEST(want_of_space_stays_want_of_space)
{
	struct tf_error e;

	flush_fails(ENOSPC);
	errno = EIO;
	e = answers[_i]();
	ck_assert_int_eq(TF_NOSPACE, e.code);
	ck_assert_int_eq(ENOSPC, e.sys);
	tf_file_release(file);
}
END_TEST

/* There was no memory to keep the error: its code is left. */
START_TEST(a_failure_without_text_keeps_its_code)
{
	struct tf_error e;

	flush_fails(EIO);
	pthread_mutex_lock(&v->mu);
	free(l->failure);
	l->failure = NULL;
	pthread_mutex_unlock(&v->mu);
	errno = ENOSPC;
	e = answers[_i]();
	ck_assert_int_eq(TF_IO, e.code);
	ck_assert_int_eq(0, e.sys);
	tf_file_release(file);
}
END_TEST

Suite *
suite_failed(void)
{
	const int n = sizeof(answers) / sizeof(answers[0]);
	Suite *s = suite_create("failed");
	TCase *tc = tcase_create("failed");

	tcase_set_timeout(tc, 120); /* a guard against waiting for ever */
	tcase_add_checked_fixture(tc, make_file, remove_store);
	tcase_add_loop_test(tc, a_late_thread_records_nothing, 0, 2);
	tcase_add_test(tc, a_second_failure_is_recorded_again);
	tcase_add_loop_test(tc, every_answer_has_the_error_of_the_failure, 0,
	    n);
	tcase_add_loop_test(tc, want_of_space_stays_want_of_space, 0, n);
	tcase_add_loop_test(tc, a_failure_without_text_keeps_its_code, 0, n);
	suite_add_tcase(s, tc);
	return s;
}
