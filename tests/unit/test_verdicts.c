/*
 * Results of workflows that are kept between views, and judgements of one
 * attestation without the others: always what a judgement of the whole workflow
 * says at that time.
 */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../core/base/clock.h"
#include "../../core/definition.h"
#include "../../core/find/terms.h"
#include "../../core/ledger/status_words.h"
#include "../../core/node/vault_i.h"
#include "../../core/node/verdicts.h"
#include "../../core/page.h"
#include "../../core/protection.h"
#include "../../core/store/nodes.h"
#include "../../core/vault.h"
#include "../../core/view/compliance.h"
#include "../../core/view/verdicts.h"
#include "../../core/view/view.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define WORKFLOWS 200
#define CHANGES 1200
#define NAMES 5
#define VERSIONS 3

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static const struct tf_actor alice = { .uid = 1000,
	.gid = 1000,
	.loginuid = -1,
	.session = -1 };
static char dir[256];
static struct tf_vault *v;
static uint64_t trail;
/* The attestations that were made: by workflow, name and version. */
static struct {
	uint64_t id;
	uint64_t att[NAMES][VERSIONS];
	bool sealed[NAMES][VERSIONS];
} of[WORKFLOWS];

static void
open_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };

	OK(tf_vault_open("store", &o, &v, NULL));
}

static uint64_t
make_dir(uint64_t up, const char *name, const struct tf_actor *who)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, up, name, 0777, who, &a, NULL));
	return a.id;
}

static void
set_template(const char *text)
{
	struct tf_error err = { .text = "" };
	uint64_t version;

	ck_assert_msg(tf_vault_define(v, trail, TF_DEFINITION_TEMPLATE, NULL,
			  text, strlen(text), &root, &version, &err) == TF_OK,
	    "%s", err.text);
}

static void
set_up(void)
{
	const char *tmp = getenv("TMPDIR");
	struct tf_buf vkey = { 0 };

	(void)snprintf(dir, sizeof(dir), "%.200s/verdicts.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_vault_init("store", NULL, &root, &vkey, NULL));
	tf_buf_free(&vkey);
	open_vault();
	trail = make_dir(TF_ROOT_ID, "t", &root);
	memset(of, 0, sizeof(of));
}

static void
tear_down(void)
{
	char command[300];

	OK(tf_vault_close(v, "done", NULL));
	ck_assert_int_eq(0, chdir("/"));
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(0, system(command));
}

static void
put_file(uint64_t att, const struct tf_actor *who)
{
	struct tf_attr a;
	struct tf_file *f;

	OK(tf_vault_create(v, att, "file", 0644, who, &a, &f, NULL));
	OK(tf_file_write_at(f, "x", 1, 0, true, NULL));
	OK(tf_file_close(v, f, NULL));
	OK(tf_vault_sync(v, att, &root, NULL));
}

/* --- the comparison ----------------------------------------------------------- */

static void
check_attestation(struct tf_view *w, const struct tf_judgement *fresh, size_t i)
{
	const struct tf_judgement *f;
	struct tf_node_row row;
	size_t at;

	OK(tf_nodes_get(w->db, fresh->a[i].id, &row, NULL));
	OK(tf_judgement_of_attestation(w, &row, &f, &at, NULL));
	ck_assert_uint_eq(row.attr.id, f->a[at].id);
	ck_assert_uint_eq(fresh->a[i].override, f->a[at].override);
	ck_assert_str_eq(tf_find_attestation_word(fresh, i),
	    tf_find_attestation_word(f, at));
	if (fresh->damaged || fresh->r[i].damaged)
		return;
	ck_assert_int_eq(fresh->status.verdicts[i].cause,
	    f->status.verdicts[at].cause);
	ck_assert_int_eq(fresh->status.verdicts[i].counts,
	    f->status.verdicts[at].counts);
}

/* Judge workflow k so many seconds in the future, anew and from memory. */
static enum tf_compliance
check_at(unsigned k, int64_t seconds)
{
	struct tf_judgement fresh = { 0 };
	struct tf_verdict kept;
	struct tf_node_row row;
	struct tf_tally tally;
	struct tf_view *w;

	OK(tf_view_open(v, NULL, &w, NULL));
	w->now.s += seconds;
	OK(tf_view_row(w, of[k].id, TF_KIND_WORKFLOW, &row, NULL));
	OK(tf_verdict_of(w, &row, &kept, NULL));
	OK(tf_judgement_read(w, &row, &fresh, NULL));
	ck_assert_str_eq(tf_compliance_word(fresh.status.word),
	    tf_compliance_word(kept.word));
	tally = tf_status_tally(&fresh.status);
	ck_assert_mem_eq(&tally, &kept.tally, sizeof(tally));
	ck_assert_uint_eq(fresh.status.n, kept.names);
	for (size_t i = 0; i < fresh.n; i++)
		check_attestation(w, &fresh, i);
	tf_judgement_free(&fresh);
	tf_view_close(w);
	return kept.word;
}

static enum tf_compliance
check_now(unsigned k)
{
	return check_at(k, 0);
}

/* --- random changes ------------------------------------------------------------- */

static const char *const templates[] = {
	"version: 1\ntrail:\n attestations:\n"
	" - {name: n0, type: generic, x-trailfs: {deadline: 1h}}\n"
	" - {name: n1, type: generic, x-trailfs: {after: [n0, n2]}}\n"
	" - {name: n2, type: '*', x-trailfs: {optional: true, count: 2}}\n",
	"version: 1\ntrail:\n attestations:\n"
	" - {name: n0, type: '*', x-trailfs: {deadline: 2h, after: [n3]}}\n"
	" - {name: n1, type: '*', x-trailfs: {users: [1000]}}\n"
	" - {name: n3, type: '*', x-trailfs: {count: 2, different_users: "
	"true, deadline: 3h}}\n",
};

static unsigned
draw(unsigned n)
{
	return (unsigned)random() % n;
}

static void
begin_workflow(unsigned k)
{
	char name[16];

	/* The first ones have no template. */
	if (k == WORKFLOWS / 3 || k == 2 * WORKFLOWS / 3)
		set_template(templates[k > WORKFLOWS / 2]);
	(void)snprintf(name, sizeof(name), "w%u", k);
	of[k].id = make_dir(trail, name, &root);
}

/* Go on with the version of a name that is the newest: begin, fill, seal. */
static void
go_on(unsigned k, unsigned n, const struct tf_actor *who)
{
	unsigned version = 0;
	char name[16];

	while (version < VERSIONS && of[k].sealed[n][version])
		version++;
	if (version == VERSIONS)
		return;
	if (of[k].att[n][version] != 0) {
		OK(tf_vault_seal(v, of[k].att[n][version], &root, NULL));
		of[k].sealed[n][version] = true;
		return;
	}
	(void)snprintf(name, sizeof(name), version == 0 ? "n%u" : "n%u@%u", n,
	    version + 1);
	/* The template of some allows only alice to begin n1. */
	of[k].att[n][version] = make_dir(of[k].id, name, n == 1 ? &alice : who);
	if (draw(4) > 0)
		put_file(of[k].att[n][version], &root);
}

/* Claim, or override, whether an attestation is compliant. */
static void
say_compliant(uint64_t att, bool sealed, bool compliant)
{
	const char *text = compliant ? "true" : "false";
	enum tf_code rc;

	if (sealed) {
		OK(tf_vault_override(v, att, compliant, "why", 3, &root, NULL));
		return;
	}
	rc = tf_vault_claim(v, att, "compliant", text, strlen(text), 0, &root,
	    NULL);
	/* A draft may be sealed by now, or may say so already. */
	ck_assert_int_eq(TF_OK, rc);
}

static void
change(unsigned k)
{
	const unsigned n = draw(NAMES), version = draw(VERSIONS);
	const struct tf_actor *who = draw(3) == 0 ? &alice : &root;
	char hold[32];

	switch (draw(8)) {
	case 0:
		(void)snprintf(hold, sizeof(hold), "h%ld", random());
		OK(tf_vault_hold(v, draw(2) == 0 ? of[k].id : trail, true, hold,
		    "why", 3, &root, NULL));
		break;
	case 1:
		OK(tf_vault_claim(v, of[k].id, "description", "x", 1, 0, &root,
		    NULL));
		break;
	case 2:
	case 3:
		if (of[k].att[n][version] != 0)
			say_compliant(of[k].att[n][version],
			    of[k].sealed[n][version], draw(2) == 0);
		break;
	default:
		go_on(k, n, who);
		break;
	}
}

/* After each change, the workflow and others are as judged anew, at the present
 * and after each deadline. */
START_TEST(kept_results_are_those_of_a_new_judgement)
{
	unsigned words[TF_COMPLIANCES] = { 0 };

	srandom(20);
	for (unsigned k = 0; k < WORKFLOWS; k++)
		begin_workflow(k);
	for (unsigned i = 0; i < CHANGES; i++) {
		/* Mostly the same workflows: others stay empty. */
		const unsigned k = draw(4) * WORKFLOWS / 4 + draw(6);

		change(k);
		(void)check_now(k);
		(void)check_at(k, (int64_t)draw(4 * 3600));
		(void)check_now(draw(WORKFLOWS));
	}
	for (unsigned k = 0; k < WORKFLOWS; k++)
		words[check_now(k)]++;
	/* The changes were worth judging. */
	ck_assert_uint_gt(words[TF_COMPLIANT], 0);
	ck_assert_uint_gt(words[TF_NON_COMPLIANT], 0);
	ck_assert_uint_gt(words[TF_INCOMPLETE], 0);
}
END_TEST

/* --- each kind of change, by itself ---------------------------------------------- */

/* Is the result of workflow 0 in memory?  One that is wrong is put there, and
 * comes back if it is used. */
static bool
is_kept(int64_t seconds)
{
	struct tf_verdict was, got;
	struct tf_node_row row;
	struct tf_view *w;

	OK(tf_view_open(v, NULL, &w, NULL));
	w->now.s += seconds;
	OK(tf_view_row(w, of[0].id, TF_KIND_WORKFLOW, &row, NULL));
	was = w->v->verdicts->of[of[0].id % TF_VERDICTS];
	w->v->verdicts->of[of[0].id % TF_VERDICTS].names = 12345;
	OK(tf_verdict_of(w, &row, &got, NULL));
	if (got.names == 12345)
		w->v->verdicts->of[of[0].id % TF_VERDICTS] = was;
	tf_view_close(w);
	return got.names == 12345;
}

START_TEST(a_result_is_kept_until_something_changes_it)
{
	uint64_t a, other;

	set_template(
	    "version: 1\ntrail:\n attestations:\n"
	    " - {name: a, type: generic, x-trailfs: {deadline: 1h}}\n");
	of[0].id = make_dir(trail, "w", &root);
	other = make_dir(trail, "other", &root);
	ck_assert_int_eq(TF_INCOMPLETE, check_now(0));
	ck_assert(is_kept(0));
	/* Another workflow, and the trail. */
	(void)make_dir(other, "a", &root);
	OK(tf_vault_hold(v, trail, true, "h", "why", 3, &root, NULL));
	ck_assert(is_kept(0));
	ck_assert_int_eq(TF_INCOMPLETE, check_now(0));
	/* The deadline passes, and a clock that goes back. */
	ck_assert(!is_kept(3700));
	ck_assert(is_kept(3800));
	ck_assert(!is_kept(0));
	/* Evidence. */
	a = make_dir(of[0].id, "a", &root);
	put_file(a, &root);
	ck_assert(!is_kept(0));
	ck_assert(is_kept(0));
	ck_assert_int_eq(TF_COMPLIANT, check_now(0));
	/* A claim about an open attestation, which is no entry. */
	say_compliant(a, false, false);
	ck_assert(!is_kept(0));
	ck_assert(is_kept(0));
	ck_assert_int_eq(TF_NON_COMPLIANT, check_now(0));
	/* The seal, an override, a repeat. */
	OK(tf_vault_seal(v, a, &root, NULL));
	ck_assert(!is_kept(0));
	say_compliant(a, true, true);
	ck_assert(!is_kept(0));
	ck_assert(is_kept(0));
	ck_assert_int_eq(TF_COMPLIANT, check_now(0));
	put_file(make_dir(of[0].id, "a@2", &root), &root);
	ck_assert(!is_kept(0));
	/* A hold on the workflow: an entry about it. */
	OK(tf_vault_hold(v, of[0].id, true, "h", "why", 3, &root, NULL));
	ck_assert(!is_kept(0));
	ck_assert_int_eq(TF_COMPLIANT, check_now(0));
}
END_TEST

/* Reports after the deadline are not late if one was in time: the result of one
 * depends on the others. */
START_TEST(a_repeat_after_the_deadline_is_judged_as_its_workflow_is)
{
	uint64_t a;
	time_t begun = time(NULL);

	set_template(
	    "version: 1\ntrail:\n attestations:\n"
	    " - {name: a, type: generic, x-trailfs: {deadline: 1s}}\n");
	of[0].id = make_dir(trail, "w", &root);
	a = make_dir(of[0].id, "a", &root);
	put_file(a, &root);
	OK(tf_vault_seal(v, a, &root, NULL));
	(void)check_now(0);
	while (time(NULL) < begun + 3)
		(void)usleep(20000);
	a = make_dir(of[0].id, "a@2", &root);
	put_file(a, &root);
	OK(tf_vault_seal(v, a, &root, NULL));
	(void)check_now(0);
}
END_TEST

/* --- damage ----------------------------------------------------------------------- */

static const struct {
	const char *what;
	const char *sql;
} damages[] = {
	{ "a seal is malformed",
	    "UPDATE entry SET body = CAST('{}' AS BLOB) WHERE"
	    " CAST(body AS TEXT) LIKE '%\"attestation.sealed\"%'" },
	{ "an override is gone",
	    "DELETE FROM entry WHERE CAST(body AS TEXT) LIKE"
	    " '%attestation.overridden%'" },
	{ "an override says something else",
	    "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),"
	    " 'false', 'true') AS BLOB) WHERE CAST(body AS TEXT) LIKE"
	    " '%attestation.overridden%'" },
	{ "the workflow is malformed",
	    "UPDATE entry SET body = CAST('{}' AS BLOB) WHERE"
	    " CAST(body AS TEXT) LIKE '%\"workflow.begun\"%'" },
};

/* An altered entry is never COMPLIANT, nor is what was kept before it. */
START_TEST(damage_is_seen)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.read_only = true };
	uint64_t a;
	sqlite3 *db;

	of[0].id = make_dir(trail, "w", &root);
	a = make_dir(of[0].id, "a", &root);
	put_file(a, &root);
	OK(tf_vault_seal(v, a, &root, NULL));
	ck_assert_int_eq(TF_COMPLIANT, check_now(0));
	say_compliant(a, true, false);
	OK(tf_vault_close(v, "done", NULL));
	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_exec(db, damages[_i].sql, NULL, NULL, NULL));
	ck_assert_int_eq(1, sqlite3_total_changes(db));
	sqlite3_close(db);
	OK(tf_vault_open("store", &o, &v, NULL));
	ck_assert_msg(check_now(0) == TF_DAMAGED, "%s", damages[_i].what);
	ck_assert(!is_kept(0)); /* damage never is */
	ck_assert_int_eq(TF_DAMAGED, check_now(0));
}
END_TEST

/* Spoil the seal of attestation a, while the vault is open. */
static void
spoil_seal(void)
{
	sqlite3 *db;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	sqlite3_busy_timeout(db, 60000);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_exec(db, damages[0].sql, NULL, NULL, NULL));
	ck_assert_int_eq(1, sqlite3_total_changes(db));
	sqlite3_close(db);
}

static enum tf_compliance
word(void)
{
	struct tf_verdict x;
	struct tf_node_row row;
	struct tf_view *w;

	OK(tf_view_open(v, NULL, &w, NULL));
	OK(tf_view_row(w, of[0].id, TF_KIND_WORKFLOW, &row, NULL));
	OK(tf_verdict_of(w, &row, &x, NULL));
	tf_view_close(w);
	return x.word;
}

/* A record that is spoilt beside a kept result is seen once the result is old: at
 * once, or after the background has judged what takes long. */
START_TEST(an_old_result_is_judged_again)
{
	struct tf_verdict *kept;
	uint64_t a;

	of[0].id = make_dir(trail, "w", &root);
	kept = &v->verdicts->of[of[0].id % TF_VERDICTS];
	a = make_dir(of[0].id, "a", &root);
	OK(tf_vault_seal(v, a, &root, NULL));
	ck_assert_int_eq(TF_COMPLIANT, word());
	spoil_seal();
	ck_assert_uint_eq(of[0].id, kept->workflow);
	kept->read_ns = 0;
	kept->took_ns = _i == 0 ? 1 : TF_SECOND / 50;
	if (_i == 1)
		ck_assert_int_eq(TF_COMPLIANT, word());
	while (_i == 1 && word() != TF_DAMAGED)
		(void)usleep(1000);
	ck_assert_int_eq(TF_DAMAGED, word());
}
END_TEST

Suite *
suite_verdicts(void)
{
	Suite *s = suite_create("verdicts");
	TCase *t = tcase_create("verdicts");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, kept_results_are_those_of_a_new_judgement);
	tcase_add_test(t, a_result_is_kept_until_something_changes_it);
	tcase_add_test(t,
	    a_repeat_after_the_deadline_is_judged_as_its_workflow_is);
	tcase_add_loop_test(t, damage_is_seen, 0,
	    (int)(sizeof(damages) / sizeof(damages[0])));
	tcase_add_loop_test(t, an_old_result_is_judged_again, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
