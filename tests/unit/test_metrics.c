/* The text of metrics, and that making it reads no more of a larger ledger. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "../../core/base/clock.h"
#include "../../core/base/metric.h"
#include "../../core/node/vault_i.h"
#include "../../core/store/sql.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

/* --- text -------------------------------------------------------------- */

START_TEST(values_of_labels_are_escaped)
{
	static const char *const labels[] = { "a", "x\\y\"z", "b", "\n\x1b",
		NULL };
	struct tf_buf out = { 0 };
	struct tf_metrics m = { &out, "o" };

	tf_sample(&m, "n", labels, 7);
	tf_buf_add(&out, "", 1);
	ck_assert_ptr_nonnull(out.p);
	ck_assert_str_eq("n{origin=\"o\",a=\"x\\\\y\\\"z\",b=\"??\"} 7\n",
	    out.p);
	tf_buf_free(&out);
}
END_TEST

/* Each bucket counts itself and those below it. */
START_TEST(a_histogram_counts_upwards)
{
	struct tf_histogram h = { .sum_ns = 0 };
	struct tf_buf out = { 0 };
	struct tf_metrics m = { &out, "o" };
	const uint64_t now = tf_clock_boot_ns();

	ck_assert_uint_gt(now, TF_SECOND);
	tf_histogram_add(&h, now);
	tf_histogram_add(&h, 0); /* since boot: more than a second */
	tf_metric_histogram(&m, "n", "What is counted.", &h);
	tf_buf_add(&out, "", 1);
	ck_assert_ptr_nonnull(out.p);
	ck_assert_ptr_nonnull(strstr(out.p,
	    "n_bucket{origin=\"o\",le=\"1\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(out.p,
	    "n_bucket{origin=\"o\",le=\"+Inf\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(out.p, "n_count{origin=\"o\"} 2\n"));
	tf_buf_free(&out);
}
END_TEST

/* --- work -------------------------------------------------------------- */

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static struct tf_vault *v;

static void
make_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_attr a;

	own_store_make("metrics", &root);
	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "t", 0755, &root, &a, NULL));
}

static void
remove_store(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* Steps of SQLite's machine in all idle connections since the last call. */
static int
steps(void)
{
	int n = 0;

	pthread_mutex_lock(&v->mu);
	for (size_t c = 0; c < v->n_free_dbs; c++)
		for (size_t i = 0; i < TF_DB_STATEMENTS; i++)
			if (v->free_dbs[c]->cache[i].st != NULL)
				n += sqlite3_stmt_status(
				    v->free_dbs[c]->cache[i].st,
				    SQLITE_STMTSTATUS_VM_STEP, 1);
	pthread_mutex_unlock(&v->mu);
	return n;
}

static int
steps_of_metrics(void)
{
	struct tf_buf out = { 0 };

	(void)steps();
	OK(tf_vault_metrics(v, NULL, &out, NULL));
	ck_assert_uint_gt(out.n, 0);
	tf_buf_free(&out);
	return steps();
}

START_TEST(a_larger_ledger_costs_no_more)
{
	struct tf_attr t, a;
	char name[16];
	int few;

	OK(tf_vault_walk(v, "t", &t, NULL));
	(void)steps_of_metrics(); /* statements are prepared once */
	few = steps_of_metrics();
	ck_assert_int_gt(few, 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		OK(tf_vault_mkdir(v, t.id, name, 0755, &root, &a, NULL));
	}
	ck_assert_int_le(steps_of_metrics(), few);
}
END_TEST

Suite *suite_metrics(void);
Suite *
suite_metrics(void)
{
	Suite *s = suite_create("metrics");
	TCase *t = tcase_create("text");

	tcase_add_test(t, values_of_labels_are_escaped);
	tcase_add_test(t, a_histogram_counts_upwards);
	suite_add_tcase(s, t);
	t = tcase_create("work");
	tcase_add_checked_fixture(t, make_vault, remove_store);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_larger_ledger_costs_no_more);
	suite_add_tcase(s, t);
	return s;
}
