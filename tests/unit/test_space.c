/*
 * What max_store and max_staged count: after random work, and after a restart,
 * the numbers are those that entries, rows and pending files give.
 */
#include <check.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "../../core/definition.h"
#include "../../core/ledger/claim_content.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/node/pending.h"
#include "../../core/node/pending_table.h"
#include "../../core/node/user.h"
#include "../../core/node/vault_i.h"
#include "../../core/vault.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define USERS 3
#define PATHS 64 /* directories whose user data are remembered */

static struct tf_vault *v;
static uint64_t trail, wf;
static struct tf_actor who[USERS];

static void
open_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &who[0] };

	ck_assert(tf_settings_take(&o.settings, "settle", "60"));
	OK(tf_vault_open("store", &o, &v, NULL));
}

static uint64_t
make_dir(uint64_t up, const char *name, const struct tf_actor *by)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, up, name, 0777, by, &a, NULL));
	return a.id;
}

static void
make_vault(void)
{
	struct tf_attr open = { .mode = 0777 }, a;

	for (uint32_t i = 0; i < USERS; i++)
		who[i] = (struct tf_actor){ .uid = i == 0 ? 0 : 1000 + i,
			.gid = i == 0 ? 0 : 1000 + i,
			.loginuid = -1,
			.session = -1 };
	own_store_make("space", &who[0]);
	open_vault();
	trail = make_dir(TF_ROOT_ID, "t", &who[0]);
	wf = make_dir(trail, "w", &who[0]);
	OK(tf_vault_setattr(v, trail, NULL, TF_SET_MODE, &open, &who[0], &a,
	    NULL));
	OK(tf_vault_setattr(v, wf, NULL, TF_SET_MODE, &open, &who[0], &a,
	    NULL));
}

static void
remove_vault(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* --- the numbers, made anew ------------------------------------------------- */

struct sums {
	uint64_t content, said, staged;
	uint64_t of[USERS]; /* not sealed, per user */
};

static size_t
index_of(uint32_t uid)
{
	return uid == 0 ? 0 : uid - 1000;
}

/* The user data that a directory had in its last claims.set. */
struct last {
	char path[64];
	struct tf_content content;
};

static void
add_claims(struct sums *s, const struct tf_entry *e, struct last *last)
{
	struct tf_content c = { .size = 0 };
	bool has = false;
	size_t i = 0;

	if (e->claims.n > 0)
		OK(tf_claims_user_data(e->claims, &c, &has, NULL));
	if (e->type == TF_ATTESTATION_SEALED) {
		s->said += has ? c.size : 0;
		return;
	}
	while (last[i].path[0] != '\0' &&
	    (strlen(last[i].path) != e->path.n ||
		memcmp(last[i].path, e->path.p, e->path.n) != 0))
		i++;
	memcpy(last[i].path, e->path.p, e->path.n);
	if (has && memcmp(&last[i].content, &c, sizeof(c)) != 0)
		s->said += c.size;
	last[i].content = c;
}

static void
add_entries(struct sums *s)
{
	static struct last last[PATHS];
	struct tf_entry_decoded d;
	struct tf_buf body = { 0 };
	uint64_t n, bytes;

	memset(last, 0, sizeof(last));
	OK(tf_vault_size(v, &n, &bytes, NULL));
	for (uint64_t i = 0; i < n; i++) {
		body.n = 0;
		OK(tf_vault_entry(v, i, &body, NULL));
		OK(tf_entry_decode(&d, body.p, body.n, NULL));
		if (d.e.type == TF_EVIDENCE_SEALED)
			s->content += d.e.content.size;
		else if (d.e.type == TF_TEMPLATE_SET)
			s->said += d.e.template_content.size;
		else if (d.e.type == TF_TYPE_SET)
			s->said += d.e.definition_content.size;
		else if (d.e.type == TF_CLAIMS_SET ||
		    d.e.type == TF_ATTESTATION_SEALED)
			add_claims(s, &d.e, last);
		tf_entry_decoded_free(&d);
	}
	tf_buf_free(&body);
	ck_assert_uint_eq(bytes, v->head.bytes);
}

/* User data of attestations that are not sealed: rows of the database. */
static void
add_rows(struct sums *s)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	struct tf_attr a;
	uint64_t n;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_prepare_v2(db,
		"SELECT claim.id, object.size FROM claim JOIN object "
		"ON object.id = claim.object",
		-1, &st, NULL));
	while (sqlite3_step(st) == SQLITE_ROW) {
		OK(tf_vault_getattr(v, (uint64_t)sqlite3_column_int64(st, 0),
		    &a, NULL));
		n = (uint64_t)sqlite3_column_int64(st, 1);
		s->said += n;
		s->of[index_of(a.uid)] += n;
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
}

static void
add_pending(void *arg, struct tf_pending *l)
{
	struct sums *s = arg;

	if (!tf_pending_is_file(l))
		return;
	s->staged += l->size;
	s->of[index_of(l->attr.uid)] += l->size;
}

static void
numbers_are_right(void)
{
	struct sums s = { .content = 0 };

	add_entries(&s);
	add_rows(&s);
	pthread_mutex_lock(&v->mu);
	tf_pending_each(&v->pending, add_pending, &s);
	ck_assert_uint_eq(s.content, v->head.content_bytes);
	ck_assert_uint_eq(s.said, v->said);
	ck_assert_uint_eq(s.staged, v->staged);
	for (size_t i = 0; i < USERS; i++)
		ck_assert_uint_eq(s.of[i], tf_user_of(v, who[i].uid)->bytes);
	ck_assert_uint_eq(s.content + s.said + s.staged + v->head.bytes +
		v->pending.owed,
	    tf_store_used(v));
	pthread_mutex_unlock(&v->mu);
}

/* --- the work ---------------------------------------------------------------- */

#define ATTS 12

struct world {
	unsigned seed, made;
	uint64_t att[ATTS];
	bool draft[ATTS];
	char name[ATTS][16];
};

static unsigned
draw(struct world *w, unsigned n)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 16) % n;
}

static void
make_attestation(struct world *w, unsigned i)
{
	w->draft[i] = draw(w, 3) == 0;
	snprintf(w->name[i], sizeof(w->name[i]), "%sa%u",
	    w->draft[i] ? "." : "", w->made++);
	w->att[i] = make_dir(wf, w->name[i], &who[draw(w, USERS)]);
}

static void
set_user_data(struct world *w, uint64_t id, const struct tf_actor *by)
{
	static char bytes[3000];
	size_t n = draw(w, 4) == 0 ? 0 : 1 + draw(w, sizeof(bytes));

	memset(bytes, (int)('a' + draw(w, 2)), n);
	OK(tf_vault_user_data(v, id, bytes, n, by, NULL));
}

static void
put(struct world *w, uint64_t id, const struct tf_actor *by)
{
	static char bytes[200000];
	char name[16];
	struct tf_attr a;
	struct tf_file *f;

	memset(bytes, (int)('a' + draw(w, 2)), sizeof(bytes));
	snprintf(name, sizeof(name), "f%u%s", w->made++,
	    draw(w, 2) == 0 ? ".tmp" : "");
	OK(tf_vault_create(v, id, name, 0644, by, &a, &f, NULL));
	OK(tf_file_write_at(f, bytes, draw(w, sizeof(bytes)), 0, true, NULL));
	OK(tf_file_close(v, f, NULL));
	if (draw(w, 4) == 0 && strstr(name, ".tmp") != NULL)
		OK(tf_vault_unlink(v, id, name, by, NULL));
}

/* Seal or publish attestation i. */
static void
end_attestation(struct world *w, unsigned i)
{
	enum tf_code rc;
	char name[20];

	if (!w->draft[i]) {
		rc = tf_vault_seal(v, w->att[i], &who[0], NULL);
	} else {
		snprintf(name, sizeof(name), "p%s", w->name[i] + 1);
		rc = tf_vault_rename(v, wf, w->name[i], wf, name, 0, &who[0],
		    NULL);
	}
	OK(rc);
}

static void
define(struct world *w)
{
	char text[80];
	uint64_t version;

	snprintf(text, sizeof(text),
	    "version: 1\ntrail:\n  attestations:\n  - {name: n%u, type: "
	    "generic}\n",
	    draw(w, 3) * 1000);
	OK(tf_vault_define(v, trail, TF_DEFINITION_TEMPLATE, NULL, text,
	    strlen(text), &who[0], &version, NULL));
}

static void
step(struct world *w)
{
	unsigned i = draw(w, ATTS);
	struct tf_attr a = { .uid = who[draw(w, USERS)].uid };

	switch (draw(w, 8)) {
	case 0:
		end_attestation(w, i);
		make_attestation(w, i);
		break;
	case 1:
		define(w);
		break;
	case 2:
		set_user_data(w, draw(w, 2) == 0 ? wf : trail, &who[0]);
		break;
	case 3:
		OK(tf_vault_setattr(v, w->att[i], NULL, TF_SET_UID, &a, &who[0],
		    &a, NULL));
		break;
	case 4:
		put(w, w->att[i], &who[0]);
		break;
	case 5:
		if (w->draft[i] &&
		    tf_vault_rmdir(v, wf, w->name[i], &who[0], NULL) == TF_OK)
			make_attestation(w, i); /* it was empty */
		break;
	default:
		set_user_data(w, w->att[i], &who[0]);
	}
}

/* Loop test: a seed each. */
START_TEST(the_numbers_are_those_of_the_store)
{
	struct world w = { .seed = (unsigned)_i + 1 };

	for (unsigned i = 0; i < ATTS; i++)
		make_attestation(&w, i);
	for (unsigned i = 0; i < 240; i++) {
		step(&w);
		if (i % 20 == 19)
			numbers_are_right();
		if (i % 80 == 79) {
			OK(tf_vault_close(v, "done", NULL));
			open_vault();
			numbers_are_right();
		}
	}
	/* At its seal, nothing of a workflow is left to be sealed. */
	for (unsigned i = 0; i < ATTS; i++)
		if (w.draft[i])
			end_attestation(&w, i);
	OK(tf_vault_seal(v, wf, &who[0], NULL));
	numbers_are_right();
	for (size_t i = 0; i < USERS; i++)
		ck_assert_uint_eq(0, tf_user_of(v, who[i].uid)->bytes);
	ck_assert_uint_eq(0, v->n_user_data);
}
END_TEST

/* User data count for the owner; what replaces them counts once, and what is
 * refused changes nothing. */
START_TEST(user_data_count_for_max_staged)
{
	uint64_t a = make_dir(wf, "a", &who[1]), b = make_dir(wf, "b", &who[1]);
	static char bytes[1000];

	v->settings.value[TF_MAX_STAGED] = 2 * sizeof(bytes);
	memset(bytes, 'x', sizeof(bytes));
	OK(tf_vault_user_data(v, a, bytes, 1000, &who[1], NULL));
	OK(tf_vault_user_data(v, b, bytes, 900, &who[0], NULL));
	OK(tf_vault_user_data(v, a, bytes, 999, &who[1], NULL));
	OK(tf_vault_user_data(v, b, bytes, 1000, &who[1], NULL));
	ck_assert_int_eq(TF_QUOTA,
	    tf_vault_user_data(v, make_dir(wf, "c", &who[1]), bytes, 2, &who[1],
		NULL));
	numbers_are_right();
	OK(tf_vault_user_data(v, make_dir(wf, "d", &who[2]), bytes, 1000,
	    &who[2], NULL));
	OK(tf_vault_user_data(v, a, NULL, 0, &who[1], NULL));
	OK(tf_vault_user_data(v, make_dir(wf, "e", &who[1]), bytes, 1000,
	    &who[1], NULL));
	OK(tf_vault_seal(v, b, &who[1], NULL));
	OK(tf_vault_user_data(v, make_dir(wf, "f", &who[1]), bytes, 1000,
	    &who[1], NULL));
	numbers_are_right();
}
END_TEST

Suite *
suite_space(void)
{
	Suite *s = suite_create("space");
	TCase *t = tcase_create("space");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, make_vault, remove_vault);
	tcase_add_loop_test(t, the_numbers_are_those_of_the_store, 0, 4);
	tcase_add_test(t, user_data_count_for_max_staged);
	suite_add_tcase(s, t);
	return s;
}
