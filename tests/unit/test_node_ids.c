/*
 * Numbers of nodes: each is of a block that is reserved durably, and none is given
 * twice, also when a reservation failed or was rolled back.
 */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/commit/commit.h"
#include "../../core/commit/node_ids.h"
#include "../../core/commit/queue.h"
#include "../../core/node/vault_i.h"
#include "../../core/store/meta.h"
#include "../../core/store/sql.h"
#include "../../core/vault.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define MANY (2 * TF_ID_BLOCK + 1) /* ids: at least two reservations */

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static struct tf_vault *v;

/* The part of a reservation that fails. */
static const struct fault {
	int action; /* of SQLite's authorizer */
	const char *table;
} faults[] = { { SQLITE_READ, "stage" }, { SQLITE_UPDATE, "meta" } };

static int
deny(void *arg, int action, const char *table, const char *a, const char *b,
    const char *c)
{
	const struct fault *f = arg;

	(void)a;
	(void)b;
	(void)c;
	return action == f->action && strcmp(table, f->table) == 0 ?
	    SQLITE_DENY :
	    SQLITE_OK;
}

/* --- jobs of the committer -------------------------------------------------------- */

static enum tf_code
set_fault(struct tf_txn *t, void *arg, struct tf_error *err)
{
	(void)err;
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_set_authorizer(t->db->sq, arg != NULL ? deny : NULL, arg));
	return TF_OK;
}

/* The first id that is in no block: ids below it are reserved. */
static enum tf_code
get_limit(struct tf_txn *t, void *arg, struct tf_error *err)
{
	return tf_meta_get_int(t->db, "next_id", arg, err);
}

/* Take MANY ids. */
static enum tf_code
take(struct tf_txn *t, void *arg, struct tf_error *err)
{
	uint64_t *taken = arg;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; i < MANY && rc == TF_OK; i++)
		rc = tf_txn_new_id(t, &taken[i], err);
	return rc;
}

static enum tf_code
take_and_fail(struct tf_txn *t, void *arg, struct tf_error *err)
{
	OK(take(t, arg, err));
	return tf_fail(err, TF_INVALID, "the job fails after that");
}

/* --- one vault -------------------------------------------------------------------- */

static enum tf_code
run(enum tf_code (*job)(struct tf_txn *, void *, struct tf_error *), void *arg)
{
	return tf_commit_wait(v->commit, job, arg, NULL);
}

/* Take MANY ids outside of jobs. */
static enum tf_code
take_outside(uint64_t *taken)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; i < MANY && rc == TF_OK; i++)
		rc = tf_vault_new_id(v, &taken[i], NULL);
	return rc;
}

static void
assert_reserved(const uint64_t *taken)
{
	uint64_t limit;

	OK(run(get_limit, &limit));
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_lt(taken[i], limit);
}

static int
compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of a job and then of others, so that the last block is not of a job. */
static void
take_both(uint64_t *both)
{
	OK(run(take, both));
	assert_reserved(both);
	OK(take_outside(both + MANY));
	assert_reserved(both + MANY);
}

static uint64_t ids[4 * MANY]; /* the first half: from before the failure */

static void
assert_goes_on(void)
{
	const size_t n = sizeof(ids) / sizeof(ids[0]);

	take_both(ids + n / 2);
	qsort(ids, n, sizeof(ids[0]), compare);
	for (size_t i = 1; i < n; i++)
		ck_assert_uint_ne(ids[i - 1], ids[i]);
}

static void
make_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };

	own_store_make("ids", &root);
	OK(tf_vault_open("store", &o, &v, NULL));
	take_both(ids);
}

static void
remove_vault(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* --- tests ------------------------------------------------------------------------ */

START_TEST(no_job_gets_an_id_of_a_block_that_was_not_reserved)
{
	uint64_t none[MANY];

	OK(run(set_fault, (void *)&faults[_i]));
	ck_assert_int_ne(TF_OK, run(take, none));
	OK(run(set_fault, NULL));
	assert_goes_on();
}
END_TEST

START_TEST(nobody_else_gets_one)
{
	uint64_t none[MANY];

	OK(run(set_fault, (void *)&faults[_i]));
	ck_assert_int_ne(TF_OK, take_outside(none));
	OK(run(set_fault, NULL));
	assert_goes_on();
}
END_TEST

/* The reservation is rolled back with the job. */
START_TEST(a_job_that_fails_leaves_no_block)
{
	uint64_t none[MANY];

	ck_assert_int_eq(TF_INVALID, run(take_and_fail, none));
	assert_goes_on();
}
END_TEST

Suite *
suite_node_ids(void)
{
	const int n = sizeof(faults) / sizeof(faults[0]);
	Suite *s = suite_create("node_ids");
	TCase *tc = tcase_create("node_ids");

	tcase_add_checked_fixture(tc, make_vault, remove_vault);
	tcase_add_loop_test(tc,
	    no_job_gets_an_id_of_a_block_that_was_not_reserved, 0, n);
	tcase_add_loop_test(tc, nobody_else_gets_one, 0, n);
	tcase_add_test(tc, a_job_that_fails_leaves_no_block);
	suite_add_tcase(s, tc);
	return s;
}
