/*
 * Many pending nodes of one user do not slow down other users: an operation
 * visits only the nodes that it concerns.  The tests count visits, not time.
 */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/node/base.h"
#include "../../core/node/pending.h"
#include "../../core/node/pending_table.h"
#include "../../core/node/vault_i.h"
#include "../../core/vault/file_write.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define CROWD 300  /* nodes of each kind */
#define FEW 60	   /* visits for a handful of nodes */
#define LISTED 100 /* files that status names */

static const struct tf_actor holder = { .uid = 1001,
	.gid = 1001,
	.loginuid = -1,
	.session = -1 };
static const struct tf_actor other = { .uid = 1002,
	.gid = 1002,
	.loginuid = -1,
	.session = -1 };
static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static struct tf_vault *v;
static uint64_t wf, att;

static uint64_t
make_dir(uint64_t up, const char *name, const struct tf_actor *who)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, up, name, 0777, who, &a, NULL));
	return a.id;
}

/* A file, written when there is text; its id. */
static uint64_t
make_file(uint64_t up, const char *name, const char *text,
    const struct tf_actor *who)
{
	struct tf_file *f;
	struct tf_attr a;

	OK(tf_vault_create(v, up, name, 0644, who, &a, &f, NULL));
	if (text != NULL)
		OK(tf_file_write_at(f, text, strlen(text), 0, false, NULL));
	OK(tf_file_close(v, f, NULL));
	return a.id;
}

static void
open_vault(const char *settle)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.durability = TF_DURABLE_BATCH };

	ck_assert(tf_settings_take(&o.settings, "settle", settle));
	OK(tf_vault_open("store", &o, &v, NULL));
}

static void
is_at_work(void *at_work, struct tf_pending *l)
{
	if (l->job || l->on_duty ||
	    (tf_pending_is_file(l) && !tf_pending_clean(l)))
		*(bool *)at_work = true;
}

/* Wait until no node of the crowd is claimed or flushed in the background: the
 * sealer visits each of these once more. */
static void
wait_for_rest(void)
{
	bool at_work = true;

	pthread_mutex_lock(&v->mu);
	while (at_work) {
		at_work = false;
		tf_pending_each(&v->pending, is_at_work, &at_work);
		if (at_work)
			tf_vault_wait(v);
	}
	pthread_mutex_unlock(&v->mu);
}

/* The holder has placeholders, drafts and directories, all in attestation a,
 * where others may write as well. */
static void
make_crowd(void)
{
	struct tf_attr open = { .mode = 0755 }, trail;
	char name[32];

	own_store_make("crowd", &root);
	open_vault("1");
	trail.id = make_dir(TF_ROOT_ID, "t", &root);
	OK(tf_vault_setattr(v, trail.id, NULL, TF_SET_MODE, &open, &root,
	    &trail, NULL));
	wf = make_dir(trail.id, "w", &root);
	att = make_dir(wf, "a", &root);
	for (int i = 0; i < CROWD; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		(void)make_file(att, name, NULL, &holder);
		snprintf(name, sizeof(name), "%d.tmp", i);
		(void)make_file(att, name, NULL, &holder);
		snprintf(name, sizeof(name), "e%d", i);
		(void)make_dir(att, name, &holder);
	}
	wait_for_rest();
}

static void
remove_store(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* Visits since the last time it was asked. */
static uint64_t
visits(void)
{
	static uint64_t before;
	uint64_t now, n;

	pthread_mutex_lock(&v->mu);
	now = v->pending.visited;
	pthread_mutex_unlock(&v->mu);
	n = now - before;
	before = now;
	return n;
}

static enum tf_state
state_of(uint64_t id)
{
	struct tf_attr a;

	OK(tf_vault_getattr(v, id, &a, NULL));
	return a.state;
}

START_TEST(a_sync_visits_what_it_seals)
{
	uint64_t file = make_file(att, "his", "text", &other);
	uint64_t sub = make_dir(att, "sub", &other), below;

	(void)visits();
	OK(tf_vault_sync(v, att, &other, NULL));
	ck_assert_uint_le(visits(), FEW);
	ck_assert_int_eq(TF_STATE_SEALED, state_of(file));
	below = make_file(sub, "below", "text", &other);
	OK(tf_vault_sync(v, sub, &other, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(below));
	file = make_file(att, "again", NULL, &other);
	OK(tf_vault_sync_file(v, file, &other, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(file));
	file = make_file(att, "third", NULL, &other);
	OK(tf_vault_sync(v, TF_ROOT_ID, &other, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(file));
	ck_assert_uint_le(visits(), FEW);
}
END_TEST

/* The sealer looks at the new file meanwhile. */
START_TEST(metrics_visit_few_pending_nodes)
{
	struct tf_buf out = { 0 };

	(void)make_file(att, "his", "text", &other);
	(void)visits();
	OK(tf_vault_metrics(v, NULL, &out, NULL));
	ck_assert_uint_le(visits(), FEW);
	tf_buf_free(&out);
}
END_TEST

START_TEST(the_sealer_visits_what_is_due)
{
	uint64_t file;

	(void)visits();
	file = make_file(att, "his", "text", &other);
	for (int i = 0; i < 600 && state_of(file) != TF_STATE_SEALED; i++)
		usleep(100000); /* a guard against hanging, no more */
	ck_assert_int_eq(TF_STATE_SEALED, state_of(file));
	ck_assert_uint_le(visits(), FEW);
}
END_TEST

START_TEST(a_seal_visits_what_is_below)
{
	uint64_t his = make_dir(wf, "b", &other), draft, file;
	struct tf_attr a;

	file = make_file(his, "one", "text", &other);
	(void)make_dir(his, "empty", &other);
	(void)visits();
	OK(tf_vault_seal(v, his, &other, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(file));
	/* A draft attestation, by its name. */
	draft = make_dir(wf, ".c", &other);
	file = make_file(draft, "two", "text", &other);
	OK(tf_vault_rename(v, wf, ".c", wf, "c", false, &other, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(draft));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(file));
	/* And another attestation's mode. */
	his = make_dir(wf, "d", &other);
	(void)make_file(his, "three", "text", &other);
	a = (struct tf_attr){ .mode = 0555 };
	OK(tf_vault_setattr(v, his, NULL, TF_SET_MODE, &a, &other, &a, NULL));
	OK(tf_vault_finish(v, his, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, state_of(his));
	ck_assert_uint_le(visits(), 2 * FEW);
}
END_TEST

START_TEST(a_rename_visits_what_it_moves)
{
	uint64_t his = make_dir(wf, "b", &other), d;

	d = make_dir(his, "d", &other);
	(void)make_file(d, "one", NULL, &other);
	(void)make_file(make_dir(d, "deep", &other), "two", NULL, &other);
	(void)visits();
	OK(tf_vault_rename(v, his, "d", his, "e", false, &other, NULL));
	ck_assert_uint_le(visits(), FEW);
}
END_TEST

START_TEST(status_lists_a_limited_number_the_askers_files_first)
{
	struct tf_asker who = { .uid = other.uid, .gid = other.gid };
	struct tf_buf out = { 0 };

	(void)make_file(att, "mine", "text", &other);
	(void)make_file(att, "draft.tmp", "text", &other);
	(void)visits();
	OK(tf_vault_status(v, &who, &out, NULL));
	ck_assert_uint_le(visits(), LISTED + FEW);
	tf_buf_add(&out, "", 1);
	ck_assert_ptr_nonnull(strstr(out.p, "\"path\":\"t/w/a/mine\""));
	ck_assert_ptr_nonnull(strstr(out.p, "\"path\":\"t/w/a/draft.tmp\""));
	ck_assert_ptr_nonnull(strstr(out.p, "\"placeholder\":300"));
	ck_assert_ptr_nonnull(strstr(out.p, "\"draft\":301"));
	tf_buf_free(&out);
}
END_TEST

/* Where nothing is set, one user cannot use up what all need: trailfs(8). */
START_TEST(a_user_is_limited_by_default)
{
	ck_assert_uint_eq(100000, v->settings.value[TF_MAX_UNSEALED]);
	ck_assert_uint_eq(10000, v->settings.value[TF_MAX_OPEN]);
	ck_assert_uint_eq(10000, v->settings.value[TF_MAX_DRAFT]);
	ck_assert_uint_eq(600, v->settings.value[TF_PLACEHOLDER]);
}
END_TEST

/* A user may have a hundred thousand names: they fit in 128 MiB. */
START_TEST(a_name_needs_little_memory)
{
	size_t before, after, each;
	char name[32];

	before = mallinfo2().uordblks;
	for (int i = 0; i < 10 * CROWD; i++) {
		snprintf(name, sizeof(name), "directory-%d", i);
		(void)make_dir(att, name, &holder);
	}
	after = mallinfo2().uordblks;
	if (after == 0) { /* a sanitizer's allocator does not count */
		printf("SKIP a_name_needs_little_memory: not counted\n");
		return;
	}
	each = (after - before) / (10 * CROWD);
	ck_assert_uint_gt(each, 100);
	ck_assert_uint_le(each, 1000);
}
END_TEST

Suite *
suite_crowd(void)
{
	Suite *s = suite_create("crowd");
	TCase *tc = tcase_create("crowd");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, make_crowd, remove_store);
	tcase_add_test(tc, a_sync_visits_what_it_seals);
	tcase_add_test(tc, the_sealer_visits_what_is_due);
	tcase_add_test(tc, a_seal_visits_what_is_below);
	tcase_add_test(tc, a_rename_visits_what_it_moves);
	tcase_add_test(tc,
	    status_lists_a_limited_number_the_askers_files_first);
	tcase_add_test(tc, a_user_is_limited_by_default);
	tcase_add_test(tc, metrics_visit_few_pending_nodes);
	tcase_add_test(tc, a_name_needs_little_memory);
	suite_add_tcase(s, tc);
	return s;
}
