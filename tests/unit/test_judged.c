/*
 * Attestations that are judged at their seal, by JUnit reports or by a type of
 * their trail; and what a template lets nobody begin.
 */
#include <check.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/definition.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define PASSES "<testsuite><testcase name=\"a\"/></testsuite>"
#define FAILS \
	"<testsuite><testcase name=\"a\"><failure/></testcase></testsuite>"
#define TYPE(value)                                                         \
	"version: 1\nevidence: r.json\nrequirements:\n- id: x\n  checks:\n" \
	"  - {id: c, operator: equals, path: state, value: " value "}\n"

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static const struct tf_actor alice = { .uid = 1000,
	.gid = 1000,
	.loginuid = -1,
	.session = -1 };
static struct tf_vault *v;
static uint64_t trail;

static void
make_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_attr a;

	own_store_make("judged", &root);
	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "t", 0755, &root, &a, NULL));
	trail = a.id;
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	ck_abort_msg("%s: %s", f->path, f->text);
}

static void
remove_vault(void)
{
	struct tf_verify how = { .found = found, .threads = 1 };
	struct tf_report r = { .entries = 0 };

	OK(tf_vault_close(v, "done", NULL));
	OK(tf_verify_store("store", &how, &r, NULL));
	ck_assert_uint_eq(0, r.findings);
	own_store_remove();
}

static uint64_t
define(enum tf_definition_kind kind, const char *name, const char *text)
{
	struct tf_error err;
	uint64_t version = 0;

	ck_assert_msg(tf_vault_define(v, trail, kind, name, text, strlen(text),
			  &root, &version, &err) == TF_OK,
	    "%s", err.text);
	return version;
}

static uint64_t
make_dir(uint64_t parent, const char *name)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, parent, name, 0755, &root, &a, NULL));
	return a.id;
}

static void
put(uint64_t att, const char *name, const char *text, size_t lines)
{
	static char blank[70000];
	struct tf_attr a;
	struct tf_file *f;

	OK(tf_vault_create(v, att, name, 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, text, strlen(text), 0, true, NULL));
	if (lines > 0) {
		memset(blank, '\n', sizeof(blank));
		OK(tf_file_write_at(f, blank, lines, 0, true, NULL));
	}
	OK(tf_file_close(v, f, NULL));
}

static void
claim_type(uint64_t att, const char *type)
{
	OK(tf_vault_claim(v, att, "type", type, strlen(type), 0, &root, NULL));
}

/* `evaluated` of the newest seal has this part; NULL: there is none. */
static void
evaluated(const char *part)
{
	struct tf_entry_decoded d;
	struct tf_buf body = { 0 };
	uint64_t n, bytes;
	bool seal = false;

	OK(tf_vault_size(v, &n, &bytes, NULL));
	while (!seal) {
		body.n = 0;
		OK(tf_vault_entry(v, --n, &body, NULL));
		OK(tf_entry_decode(&d, body.p, body.n, NULL));
		seal = d.e.type == TF_ATTESTATION_SEALED;
		if (seal && part == NULL)
			ck_assert_ptr_null(d.e.evaluated.p);
		else if (seal)
			ck_assert_msg(d.e.evaluated.p != NULL &&
				memmem(d.e.evaluated.p, d.e.evaluated.n, part,
				    strlen(part)) != NULL,
			    "no %s in %s", part, body.p);
		tf_entry_decoded_free(&d);
	}
	tf_buf_free(&body);
}

static void
report_has(uint64_t att, const char *part)
{
	struct tf_buf b = { 0 };

	OK(tf_vault_evaluation(v, att, &b, NULL));
	ck_assert_msg(strstr(b.p, part) != NULL, "no %s in %s", part, b.p);
	tf_buf_free(&b);
}

START_TEST(junit_reports_are_counted_in_the_entry)
{
	uint64_t w = make_dir(trail, "w"), a = make_dir(w, "a");
	struct tf_buf b = { 0 };

	put(a, "b.xml", PASSES, 0);
	put(a, "a.xml", FAILS, 0);
	put(a, "notes", "x", 0);
	claim_type(a, "junit");
	ck_assert_int_eq(TF_NODATA, tf_vault_evaluation(v, a, &b, NULL));
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":false,\"counts\":{\"errors\":0,\"failures\":1,"
		  "\"skipped\":0,\"tests\":2},\"report\":{\"sha256\":");
	evaluated("\"rule\":\"junit\"");
	report_has(a, "\"a.xml\"");
	a = make_dir(w, "a@2");
	put(a, "a.xml", PASSES, 0);
	claim_type(a, "junit");
	OK(tf_vault_sync(v, a, &root,
	    NULL)); /* its evidence is sealed before */
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":true");
	a = make_dir(w, "other");
	put(a, "a.xml", FAILS, 0);
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated(NULL);
	ck_assert_int_eq(TF_NODATA, tf_vault_evaluation(v, a, &b, NULL));
}
END_TEST

/* In a row, in a file, and the same bytes as evidence that is there. */
START_TEST(a_draft_attestation_is_judged_when_it_is_published)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	uint64_t w = make_dir(trail, "w"), a;
	char hidden[8];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(hidden, sizeof(hidden), ".%s", names[i]);
		a = make_dir(w, hidden);
		put(a, "z.xml", FAILS, i % 2 == 0 ? 0 : 70000);
		put(a, "empty.xml", "", 0);
		claim_type(a, "junit");
		OK(tf_vault_rename(v, w, hidden, w, names[i], false, &root,
		    NULL));
		evaluated("\"compliant\":false");
		report_has(a, "z.xml");
	}
}
END_TEST

START_TEST(a_seal_of_a_workflow_judges_what_is_in_it)
{
	uint64_t w = make_dir(trail, "w"), a = make_dir(w, "a"),
		 b = make_dir(w, "b");

	put(a, "a.xml", PASSES, 0);
	claim_type(a, "junit");
	put(b, "a.xml", FAILS, 70000);
	claim_type(b, "junit");
	OK(tf_vault_seal(v, w, &root, NULL));
	report_has(a, "\"compliant\":true");
	report_has(b, "\"compliant\":false");
}
END_TEST

/* The longest batch of entries in the ledger. */
static uint64_t
longest_batch(void)
{
	struct tf_entry_decoded d;
	struct tf_buf body = { 0 };
	uint64_t n, bytes, longest = 0;

	OK(tf_vault_size(v, &n, &bytes, NULL));
	while (n > 0) {
		body.n = 0;
		OK(tf_vault_entry(v, --n, &body, NULL));
		OK(tf_entry_decode(&d, body.p, body.n, NULL));
		if (d.e.has_batch &&
		    d.e.batch_last - d.e.batch_first >= longest)
			longest = d.e.batch_last - d.e.batch_first + 1;
		tf_entry_decoded_free(&d);
	}
	tf_buf_free(&body);
	return longest;
}

/* Statements of 256 attestations are in memory at a time, and so are those of
 * one transaction.  Some of the names have another order as bytes than by
 * age. */
START_TEST(a_workflow_of_many_attestations_is_sealed_in_groups)
{
	uint64_t w = make_dir(trail, "w"), last = 0;
	struct tf_attr a;
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%c%d", "ba"[i % 2], 300 - i);
		last = make_dir(w, name);
	}
	put(last, "r.xml", PASSES, 0);
	OK(tf_vault_claim(v, last, "type", "junit", 5, 0, &root, NULL));
	OK(tf_vault_seal(v, w, &root, NULL));
	evaluated("\"compliant\":true");
	ck_assert_uint_eq(300 - 256 + 1, longest_batch());
	OK(tf_vault_getattr(v, last, &a, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, a.state);
}
END_TEST

START_TEST(a_type_of_the_trail_judges_by_its_newest_version)
{
	uint64_t w = make_dir(trail, "w"), a = make_dir(w, "a");

	ck_assert_uint_eq(1, define(TF_DEFINITION_TYPE, "ready", TYPE("old")));
	put(a, "r.json", "{\"state\":\"new\"}", 0);
	claim_type(a, "custom:ready");
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":false");
	evaluated("\"definition\":{\"name\":\"ready\",\"version\":1},");
	ck_assert_uint_eq(2, define(TF_DEFINITION_TYPE, "ready", TYPE("new")));
	a = make_dir(w, "a@2");
	put(a, "r.json", "{\"state\":\"new\"}", 0);
	claim_type(a, "ready");
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":true");
	evaluated("\"definition\":{\"name\":\"ready\",\"version\":2},");
	evaluated("\"rule\":\"checks\"");
	report_has(a, "\"compliant\":true");
}
END_TEST

START_TEST(what_cannot_be_judged_is_not_compliant)
{
	uint64_t w = make_dir(trail, "w"), a = make_dir(w, "a");

	claim_type(a, "custom:nothing");
	put(a, "r.json", "{", 0);
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":false");
	report_has(a, "does not define");
	a = make_dir(w, "misspelt");
	claim_type(a, "JUnit");
	put(a, "r.xml", "<testsuite/>", 0);
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":false");
	report_has(a, "does not define");
	(void)define(TF_DEFINITION_TYPE, "ready", TYPE("new"));
	a = make_dir(w, "b");
	claim_type(a, "ready");
	put(a, "r.json", "{", 0);
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":false");
	a = make_dir(w, "c");
	claim_type(a, "junit");
	OK(tf_vault_seal(v, a, &root, NULL)); /* no report at all */
	evaluated("\"compliant\":false");
}
END_TEST

START_TEST(the_slot_says_by_what_it_is_judged)
{
	uint64_t w, a;

	(void)define(TF_DEFINITION_TYPE, "ready", TYPE("new"));
	(void)define(TF_DEFINITION_TEMPLATE, NULL,
	    "version: 1\ntrail:\n  attestations:\n"
	    "  - {name: tests, type: junit}\n"
	    "  - {name: ready, type: 'custom:ready'}\n");
	w = make_dir(trail, "w");
	a = make_dir(w, "tests");
	put(a, "a.xml", PASSES, 0);
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"rule\":\"junit\"");
	a = make_dir(w, "ready");
	put(a, "r.json", "{\"state\":\"new\"}", 0);
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated("\"compliant\":true");
	a = make_dir(w, "ready@2"); /* a claim comes before the slot */
	claim_type(a, "generic");
	OK(tf_vault_seal(v, a, &root, NULL));
	evaluated(NULL);
}
END_TEST

#define REFUSED(parent, name, who)                                         \
	do {                                                               \
		struct tf_attr a_;                                         \
		struct tf_error e_;                                        \
		ck_assert_int_eq(TF_DENIED,                                \
		    tf_vault_mkdir(v, parent, name, 0755, who, &a_, &e_)); \
		ck_assert_ptr_nonnull(strstr(e_.text, "template"));        \
	} while (0)

START_TEST(a_strict_template_lets_nobody_begin_another_name)
{
	uint64_t before = make_dir(trail, "w0"), w, a;

	(void)define(TF_DEFINITION_TEMPLATE, NULL,
	    "version: 1\ntrail:\n  x-trailfs: {strict: true}\n"
	    "  attestations:\n  - {name: one, type: generic}\n");
	w = make_dir(trail, "w");
	(void)make_dir(before, "another");
	REFUSED(w, "another", &root);
	a = make_dir(w, "one");
	OK(tf_vault_seal(v, a, &root, NULL));
	(void)make_dir(w, "one@2");
	(void)make_dir(w, ".another");
	ck_assert_int_eq(TF_DENIED,
	    tf_vault_rename(v, w, ".another", w, "another", false, &root,
		NULL));
	/* A later template is for later workflows. */
	(void)define(TF_DEFINITION_TEMPLATE, NULL,
	    "version: 1\ntrail:\n  attestations: []\n");
	REFUSED(w, "another", &root);
	(void)make_dir(make_dir(trail, "w2"), "another");
}
END_TEST

START_TEST(a_template_names_who_may_report)
{
	struct tf_attr b;
	uint64_t w;

	(void)define(TF_DEFINITION_TEMPLATE, NULL,
	    "version: 1\ntrail:\n  attestations:\n"
	    "  - {name: users, type: generic, x-trailfs: {users: [1000]}}\n"
	    "  - {name: groups, type: generic, x-trailfs: {groups: [1000]}}\n");
	w = make_dir(trail, "w");
	REFUSED(w, "users", &root);
	REFUSED(w, "groups", &root);
	OK(tf_vault_mkdir(v, w, "users", 0755, &alice, &b, NULL));
	OK(tf_vault_mkdir(v, w, "groups", 0755, &alice, &b, NULL));
	OK(tf_vault_mkdir(v, w, ".groups2", 0755, &alice, &b, NULL));
	(void)make_dir(w, "free");
}
END_TEST

/* More templates in use than are kept parsed. */
START_TEST(each_workflow_has_its_own_of_many_templates)
{
	uint64_t w[20];
	char text[200], name[16];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text),
		    "version: 1\ntrail:\n  x-trailfs: {strict: true}\n"
		    "  attestations:\n  - {name: n%u, type: generic}\n",
		    i);
		(void)define(TF_DEFINITION_TEMPLATE, NULL, text);
		snprintf(name, sizeof(name), "w%u", i);
		w[i] = make_dir(trail, name);
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%u", (i + 1) % 20);
		REFUSED(w[i], name, &root);
		snprintf(name, sizeof(name), "n%u", i);
		(void)make_dir(w[i], name);
	}
}
END_TEST

/* --- claims beside a seal ---------------------------------------------------- */

#define RACES 20

struct claimer {
	uint64_t att;
	unsigned last; /* the claim that succeeded last */
};

static void *
claim_on(void *arg)
{
	struct claimer *c = arg;
	char text[16];
	enum tf_code rc = TF_OK;

	for (unsigned i = 1; rc == TF_OK; i++) {
		snprintf(text, sizeof(text), "%u", i);
		rc = tf_vault_claim(v, c->att, "description", text,
		    strlen(text), 0, &root, NULL);
		if (rc == TF_OK)
			c->last = i;
	}
	return rc == TF_SEALED ? NULL : c;
}

/* A claim that succeeded is in the seal, and none succeeds after it. */
START_TEST(no_claim_is_lost_between_itself_and_the_seal)
{
	uint64_t w = make_dir(trail, "w");
	struct claimer c;
	struct tf_buf b = { 0 };
	pthread_t thread;
	char name[16];
	void *failed;

	for (unsigned i = 0; i < RACES; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		c = (struct claimer){ .att = make_dir(w, name) };
		ck_assert_int_eq(0,
		    pthread_create(&thread, NULL, claim_on, &c));
		(void)usleep(i * 500);
		OK(tf_vault_seal(v, c.att, &root, NULL));
		ck_assert_int_eq(0, pthread_join(thread, &failed));
		ck_assert_ptr_null(failed);
		b.n = 0;
		if (c.last == 0) {
			ck_assert_int_eq(TF_NODATA,
			    tf_vault_claimed(v, c.att, "description", &b,
				NULL));
			continue;
		}
		OK(tf_vault_claimed(v, c.att, "description", &b, NULL));
		ck_assert_uint_eq(c.last, strtoul(b.p, NULL, 10));
	}
	tf_buf_free(&b);
}
END_TEST

/* --- what verify finds ------------------------------------------------------ */

#define BODY(where)                                                       \
	"UPDATE object SET body = CAST(replace(CAST(body AS TEXT), 'e', " \
	"'f') AS BLOB) WHERE " where
#define DEFINED(kind) \
	"id = (SELECT object FROM definition WHERE kind = " kind ")"

/* Loop test: one change of the store each, and what is found. */
static const struct {
	const char *sql, *finding;
} changes[] = {
	{ BODY(DEFINED("1")), "altered" },
	{ BODY(DEFINED("2")), "altered" },
	{ BODY("CAST(body AS TEXT) LIKE '%junit_results%'"), "altered" },
	{ BODY("body = CAST('mine: e' AS BLOB)"), "altered" },
	{ BODY("body = CAST('ours: e' AS BLOB)"), "altered" },
	{ "DELETE FROM definition WHERE kind = 1", "missing" },
	{ "UPDATE definition SET entry = entry + 1 WHERE kind = 2",
	    "another entry" },
	{ "UPDATE definition SET object = (SELECT object FROM definition "
	  "WHERE kind = 2) WHERE kind = 1",
	    "other bytes" },
	{ "INSERT INTO definition SELECT node, 2, CAST('x' AS BLOB), 1, entry, "
	  "object FROM definition WHERE kind = 1",
	    "without an entry" },
	{ "UPDATE claim SET claims = CAST(replace(CAST(claims AS TEXT), "
	  "'shells', 'shell') AS BLOB)",
	    "other claims" },
	{ "UPDATE claim SET entry = entry + 1", "other claims" },
	{ "DELETE FROM claim", "other claims" },
	{ "DELETE FROM digest WHERE object = (SELECT id FROM object WHERE "
	  "CAST(body AS TEXT) LIKE '%junit_results%')",
	    "evaluation report" },
	{ "DELETE FROM digest WHERE object = (SELECT id FROM object WHERE "
	  "body = CAST('mine: e' AS BLOB))",
	    "user data" },
};

static void
make_sample(void)
{
	uint64_t w, a;

	(void)define(TF_DEFINITION_TEMPLATE, NULL,
	    "version: 1\ntrail:\n  attestations:\n"
	    "  - {name: tests, type: junit}\n");
	(void)define(TF_DEFINITION_TYPE, "ready", TYPE("new"));
	w = make_dir(trail, "w");
	a = make_dir(w, "tests");
	put(a, "a.xml", FAILS, 0);
	OK(tf_vault_user_data(v, a, "mine: e", 7, &root, NULL));
	OK(tf_vault_user_data(v, trail, "ours: e", 7, &root, NULL));
	OK(tf_vault_claim(v, trail, "description", "shells", 6, 0, &root,
	    NULL));
	OK(tf_vault_seal(v, w, &root, NULL));
	OK(tf_vault_close(v, "done", NULL));
}

struct findings {
	const char *wanted;
	bool there;
};

static void
look_for(void *arg, const struct tf_finding *f)
{
	struct findings *x = arg;

	x->there = x->there || strstr(f->text, x->wanted) != NULL;
}

START_TEST(a_change_of_what_people_said_is_found)
{
	struct findings x = { .wanted = changes[_i].finding };
	struct tf_verify how = { .found = look_for, .arg = &x, .threads = 1 };
	struct tf_report r = { .entries = 0 };
	sqlite3 *db;

	make_sample();
	OK(tf_verify_store("store", &how, &r, NULL));
	ck_assert_uint_eq(0, r.findings);
	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_exec(db, changes[_i].sql, NULL, NULL, NULL));
	ck_assert_int_eq(1, sqlite3_total_changes(db));
	sqlite3_close(db);
	OK(tf_verify_store("store", &how, &r, NULL));
	ck_assert_uint_ge(r.findings, 1);
	ck_assert_msg(x.there, "nothing says '%s'", x.wanted);
	own_store_remove();
}
END_TEST

START_TEST(an_altered_template_is_not_shown)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_definition found;
	struct tf_buf out = { 0 };
	sqlite3 *db;

	make_sample();
	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_exec(db, changes[0].sql, NULL, NULL, NULL));
	ck_assert_int_eq(1, sqlite3_total_changes(db));
	sqlite3_close(db);
	OK(tf_vault_open("store", &o, &v, NULL));
	ck_assert_int_eq(TF_TAMPER,
	    tf_vault_definition(v, trail, TF_DEFINITION_TEMPLATE, NULL, 0, &out,
		&found, NULL));
	tf_buf_free(&out);
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}
END_TEST

Suite *
suite_judged(void)
{
	Suite *s = suite_create("judged");
	TCase *tc = tcase_create("judged");

	tcase_set_timeout(tc, 120); /* a guard against waiting for ever */
	tcase_add_checked_fixture(tc, make_vault, remove_vault);
	tcase_add_test(tc, junit_reports_are_counted_in_the_entry);
	tcase_add_test(tc, a_draft_attestation_is_judged_when_it_is_published);
	tcase_add_test(tc, a_seal_of_a_workflow_judges_what_is_in_it);
	tcase_add_test(tc, a_workflow_of_many_attestations_is_sealed_in_groups);
	tcase_add_test(tc, a_type_of_the_trail_judges_by_its_newest_version);
	tcase_add_test(tc, what_cannot_be_judged_is_not_compliant);
	tcase_add_test(tc, the_slot_says_by_what_it_is_judged);
	tcase_add_test(tc, a_strict_template_lets_nobody_begin_another_name);
	tcase_add_test(tc, a_template_names_who_may_report);
	tcase_add_test(tc, each_workflow_has_its_own_of_many_templates);
	tcase_add_test(tc, no_claim_is_lost_between_itself_and_the_seal);
	suite_add_tcase(s, tc);
	tc = tcase_create("changed");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, make_vault, NULL);
	tcase_add_loop_test(tc, a_change_of_what_people_said_is_found, 0,
	    (int)(sizeof(changes) / sizeof(changes[0])));
	tcase_add_test(tc, an_altered_template_is_not_shown);
	suite_add_tcase(s, tc);
	return s;
}
