/*
 * Definitions of a trail: their versions, their entries, and which of them a
 * workflow is judged by.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../core/definition.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/page.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define ONE \
	"version: 1\ntrail:\n  attestations:\n  - name: one\n    type: generic\n"
#define TWO \
	"version: 1\ntrail:\n  attestations:\n  - name: two\n    type: generic\n"

#define BAD "version: 1\nworkflow: {}\n"

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static const struct tf_actor alice = { .uid = 1000,
	.gid = 1000,
	.loginuid = -1,
	.session = -1 };
static const struct tf_actor bob = { .uid = 1001,
	.gid = 1001,
	.loginuid = -1,
	.session = -1 };
static struct tf_vault *v;
static uint64_t trail;

static void
open_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };

	OK(tf_vault_open("store", &o, &v, NULL));
}

static void
make_vault(void)
{
	struct tf_attr a;

	own_store_make("defined", &root);
	open_vault();
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "t", 0755, &root, &a, NULL));
	trail = a.id;
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	ck_abort_msg("%s: %s", f->path, f->text);
}

/* Rows and objects are as the entries say. */
static void
verify(void)
{
	struct tf_verify how = { .found = found, .threads = 1 };
	struct tf_report r = { .entries = 0 };

	OK(tf_verify_store("store", &how, &r, NULL));
	ck_assert_uint_eq(0, r.findings);
	ck_assert_uint_eq(0, r.unknown);
}

static void
remove_vault(void)
{
	OK(tf_vault_close(v, "done", NULL));
	verify();
	own_store_remove();
}

static uint64_t
entries(void)
{
	uint64_t n, bytes;

	OK(tf_vault_size(v, &n, &bytes, NULL));
	return n;
}

static uint64_t
define(const char *text)
{
	uint64_t version = 0;

	OK(tf_vault_define(v, trail, TF_DEFINITION_TEMPLATE, NULL, text,
	    strlen(text), &root, &version, NULL));
	return version;
}

static struct tf_entry_decoded
entry(uint64_t seq, struct tf_buf *body)
{
	struct tf_entry_decoded d;

	body->n = 0;
	OK(tf_vault_entry(v, seq, body, NULL));
	OK(tf_entry_decode(&d, body->p, body->n, NULL));
	return d;
}

/* The text of a version is what was given. */
static void
has(uint64_t version, const char *text, uint64_t is_version)
{
	struct tf_definition d;
	struct tf_buf b = { 0 };

	OK(tf_vault_definition(v, trail, TF_DEFINITION_TEMPLATE, NULL, version,
	    &b, &d, NULL));
	ck_assert_uint_eq(is_version, d.version);
	ck_assert_uint_eq(strlen(text), d.size);
	ck_assert_uint_eq(strlen(text), b.n);
	ck_assert_mem_eq(text, b.p, b.n);
	tf_buf_free(&b);
}

START_TEST(each_other_text_is_a_version_and_an_entry)
{
	struct tf_definition d;
	struct tf_entry_decoded e;
	struct tf_buf body = { 0 };
	uint64_t before = entries();

	ck_assert_int_eq(TF_NOTFOUND,
	    tf_vault_definition(v, trail, TF_DEFINITION_TEMPLATE, NULL, 0, NULL,
		&d, NULL));
	ck_assert_uint_eq(1, define(ONE));
	ck_assert_uint_eq(1, define(ONE));
	ck_assert_uint_eq(before + 1, entries());
	ck_assert_uint_eq(2, define(TWO));
	/* The bytes of an earlier version are a new version again. */
	ck_assert_uint_eq(3, define(ONE));
	ck_assert_uint_eq(before + 3, entries());
	has(0, ONE, 3);
	has(1, ONE, 1);
	has(2, TWO, 2);
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_vault_definition(v, trail, TF_DEFINITION_TEMPLATE, NULL, 4, NULL,
		&d, NULL));
	e = entry(before + 1, &body);
	ck_assert_int_eq(TF_TEMPLATE_SET, e.e.type);
	ck_assert_uint_eq(2, e.e.template_version);
	ck_assert_uint_eq(strlen(TWO), e.e.template_content.size);
	tf_entry_decoded_free(&e);
	tf_buf_free(&body);
	OK(tf_vault_close(v, "done", NULL));
	open_vault();
	has(0, ONE, 3);
	ck_assert_uint_eq(3, define(ONE));
}
END_TEST

/* The template that a workflow's first entry and a statement name. */
static uint64_t
begin(const char *name, struct tf_attr *a)
{
	struct tf_entry_decoded d;
	struct tf_buf body = { 0 };
	uint64_t version;

	OK(tf_vault_mkdir(v, trail, name, 0755, &root, a, NULL));
	d = entry(entries() - 1, &body);
	ck_assert_int_eq(TF_WORKFLOW_BEGUN, d.e.type);
	version = d.e.has_template ? d.e.template_version : 0;
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return version;
}

/* remove_vault() verifies the statement, which names the template, too. */
START_TEST(a_workflow_names_the_template_that_is_in_force_when_it_begins)
{
	struct tf_attr w0, w1, w2, a;

	ck_assert_uint_eq(0, begin("w0", &w0));
	(void)define(ONE);
	ck_assert_uint_eq(1, begin("w1", &w1));
	(void)define(TWO);
	ck_assert_uint_eq(2, begin("w2", &w2));
	OK(tf_vault_mkdir(v, w0.id, "one", 0755, &root, &a, NULL));
	OK(tf_vault_seal(v, a.id, &root, NULL));
	OK(tf_vault_mkdir(v, w1.id, "one", 0755, &root, &a, NULL));
	OK(tf_vault_seal(v, a.id, &root, NULL));
	OK(tf_vault_seal(v, trail, &root, NULL));
}
END_TEST

START_TEST(a_definition_is_refused_where_it_cannot_be)
{
	uint64_t version = 0, before;
	struct tf_error err;
	static char big[TF_DEFINITION_MAX + 1];
	struct tf_attr w;

	OK(tf_vault_mkdir(v, trail, "w", 0755, &root, &w, NULL));
	before = entries();
	memset(big, '#', sizeof(big));
#define REFUSED(code, id, kind, name, text, n, who) \
	ck_assert_int_eq(code,                      \
	    tf_vault_define(v, id, kind, name, text, n, who, &version, &err))
	REFUSED(TF_UNSUPPORTED, w.id, TF_DEFINITION_TEMPLATE, NULL, ONE,
	    strlen(ONE), &root);
	REFUSED(TF_UNSUPPORTED, TF_ROOT_ID, TF_DEFINITION_TEMPLATE, NULL, ONE,
	    strlen(ONE), &root);
	REFUSED(TF_DENIED, trail, TF_DEFINITION_TEMPLATE, NULL, ONE,
	    strlen(ONE), &alice);
	REFUSED(TF_TOOBIG, trail, TF_DEFINITION_TEMPLATE, NULL, big,
	    sizeof(big), &root);
	REFUSED(TF_INVALID, trail, TF_DEFINITION_TEMPLATE, NULL, "", 0, &root);
	REFUSED(TF_BADNAME, trail, TF_DEFINITION_TEMPLATE, "x", ONE,
	    strlen(ONE), &root);
	REFUSED(TF_BADNAME, trail, TF_DEFINITION_TYPE, "", ONE, strlen(ONE),
	    &root);
	REFUSED(TF_BADNAME, trail, TF_DEFINITION_TYPE, "a/b", ONE, strlen(ONE),
	    &root);
	REFUSED(TF_BADNAME, trail, TF_DEFINITION_TYPE, ".a", ONE, strlen(ONE),
	    &root);
	REFUSED(TF_BADNAME, trail, TF_DEFINITION_TYPE, "generic", ONE,
	    strlen(ONE), &root);
	REFUSED(TF_INVALID, trail, TF_DEFINITION_TEMPLATE, NULL, BAD,
	    strlen(BAD), &root);
	ck_assert_ptr_nonnull(strstr(err.text, "line 2, column "));
	ck_assert_uint_eq(before, entries());
	OK(tf_vault_seal(v, trail, &root, NULL));
	REFUSED(TF_SEALED, trail, TF_DEFINITION_TEMPLATE, NULL, ONE,
	    strlen(ONE), &root);
#undef REFUSED
}
END_TEST

START_TEST(user_data_have_any_bytes_up_to_a_limit)
{
	static char big[TF_USER_DATA_MAX + 1];
	struct tf_buf b = { 0 };
	struct tf_attr w, a;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	OK(tf_vault_mkdir(v, trail, "w", 0755, &root, &w, NULL));
	OK(tf_vault_mkdir(v, w.id, "a", 0755, &root, &a, NULL));
	OK(tf_vault_user_data(v, a.id, "", 0, &root, NULL)); /* none yet */
	ck_assert_int_eq(TF_TOOBIG,
	    tf_vault_user_data(v, a.id, big, sizeof(big), &root, NULL));
	ck_assert_int_eq(TF_DENIED,
	    tf_vault_user_data(v, a.id, big, 1, &alice, NULL));
	OK(tf_vault_user_data(v, a.id, big, TF_USER_DATA_MAX, &root, NULL));
	for (int sealed = 0; sealed < 2; sealed++) {
		b.n = 0;
		OK(tf_vault_claimed(v, a.id, "user-data", &b, NULL));
		ck_assert_uint_eq(TF_USER_DATA_MAX, b.n);
		ck_assert(memcmp(big, b.p, b.n) == 0);
		OK(tf_vault_seal(v, a.id, &root, NULL));
	}
	ck_assert_int_eq(TF_SEALED,
	    tf_vault_user_data(v, a.id, "x", 1, &root, NULL));
	OK(tf_vault_mkdir(v, w.id, "b", 0755, &root, &a, NULL));
	OK(tf_vault_user_data(v, a.id, big, 10, &root, NULL));
	OK(tf_vault_user_data(v, a.id, "", 0, &root, NULL));
	ck_assert_int_eq(TF_NODATA,
	    tf_vault_claimed(v, a.id, "user-data", &b, NULL));
	tf_buf_free(&b);
}
END_TEST

#define DEFINERS 8
#define EACH 10

struct definer {
	pthread_t thread;
	unsigned n;
	uint64_t versions[EACH];
};

static void *
define_many(void *arg)
{
	struct definer *d = arg;
	char text[200];

	for (unsigned i = 0; i < EACH; i++) {
		snprintf(text, sizeof(text), "%s# %u %u\n", ONE, d->n, i);
		if (tf_vault_define(v, trail, TF_DEFINITION_TEMPLATE, NULL,
			text, strlen(text), &root, &d->versions[i],
			NULL) != TF_OK)
			d->versions[i] = 0;
	}
	return NULL;
}

START_TEST(definers_at_once_get_a_version_each)
{
	struct definer d[DEFINERS] = { { .n = 0 } };
	bool given[DEFINERS * EACH + 1] = { false };
	struct tf_definition f;

	for (unsigned i = 0; i < DEFINERS; i++) {
		d[i].n = i;
		ck_assert_int_eq(0,
		    pthread_create(&d[i].thread, NULL, define_many, &d[i]));
	}
	for (unsigned i = 0; i < DEFINERS; i++)
		ck_assert_int_eq(0, pthread_join(d[i].thread, NULL));
	for (unsigned i = 0; i < DEFINERS * EACH; i++) {
		uint64_t n = d[i / EACH].versions[i % EACH];

		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, DEFINERS * EACH);
		ck_assert(!given[n]);
		given[n] = true;
	}
	OK(tf_vault_definition(v, trail, TF_DEFINITION_TEMPLATE, NULL, 0, NULL,
	    &f, NULL));
	ck_assert_uint_eq(DEFINERS * EACH, f.version);
}
END_TEST

static enum tf_code
append(void *arg, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(arg, p, n);
	return tf_buf_end(arg, err);
}

/* What a control file that a view writes says, or why it does not. */
static enum tf_code
shown(enum tf_code (*write)(struct tf_view *, uint64_t, const struct tf_sink *,
	  struct tf_error *),
    uint64_t id, const struct tf_asker *who, struct tf_buf *out)
{
	const struct tf_sink sink = { append, out };
	struct tf_view *w;
	enum tf_code rc;

	out->n = 0;
	OK(tf_view_open(v, who, &w, NULL));
	rc = write(w, id, &sink, NULL);
	tf_view_close(w);
	return rc;
}

/* A node that nobody else may read keeps its user data, too. */
START_TEST(user_data_are_shown_as_they_were_given)
{
	static const struct tf_asker other = { .uid = 1001, .gid = 1001 };
	static char long_[70000]; /* not in the database */
	struct tf_buf b = { 0 };
	struct tf_attr w, a, draft;

	memset(long_, 'x', sizeof(long_));
	OK(tf_vault_mkdir(v, trail, "w", 0755, &root, &w, NULL));
	OK(tf_vault_mkdir(v, w.id, "a", 0700, &root, &a, NULL));
	OK(tf_vault_mkdir(v, w.id, ".d", 0755, &root, &draft, NULL));
	ck_assert_int_eq(TF_NOTFOUND, shown(tf_view_user_data, a.id, NULL, &b));
	OK(tf_vault_user_data(v, w.id, "\0w", 2, &root, NULL));
	OK(tf_vault_user_data(v, a.id, "{}", 2, &root, NULL));
	OK(tf_vault_user_data(v, draft.id, long_, sizeof(long_), &root, NULL));
	OK(shown(tf_view_user_data, w.id, NULL, &b));
	ck_assert_uint_eq(2, b.n);
	ck_assert_mem_eq("\0w", b.p, 2);
	OK(shown(tf_view_user_data, draft.id, NULL, &b));
	ck_assert_uint_eq(sizeof(long_), b.n);
	ck_assert_mem_eq(long_, b.p, b.n);
	ck_assert_int_eq(TF_ACCESS, shown(tf_view_user_data, a.id, &other, &b));
	for (int sealed = 0; sealed < 2; sealed++) {
		OK(shown(tf_view_user_data, a.id, NULL, &b));
		ck_assert_uint_eq(2, b.n);
		ck_assert_mem_eq("{}", b.p, 2);
		if (sealed == 0)
			OK(tf_vault_seal(v, a.id, &root, NULL));
	}
	tf_buf_free(&b);
}
END_TEST

/* Before the seal there is no verdict to replace. */
START_TEST(only_the_verdict_of_a_seal_can_be_overridden)
{
	static char big[3000];
	struct tf_entry_decoded d;
	struct tf_buf body = { 0 };
	struct tf_attr w, a;
	uint64_t seal;

	memset(big, 'x', sizeof(big));
	OK(tf_vault_mkdir(v, trail, "w", 0777, &alice, &w, NULL));
	OK(tf_vault_mkdir(v, w.id, "a", 0777, &root, &a, NULL));
#define OVERRIDE(code, id, text, n, who) \
	ck_assert_int_eq(code,           \
	    tf_vault_override(v, id, true, text, n, who, NULL))
	OVERRIDE(TF_BUSY, a.id, "x", 1, &root);
	OK(tf_vault_seal(v, a.id, &root, NULL));
	seal = entries() - 1;
	OVERRIDE(TF_INVALID, a.id, "", 0, &root);
	OVERRIDE(TF_INVALID, a.id, "\x01", 1, &root);
	OVERRIDE(TF_TOOBIG, a.id, big, sizeof(big), &root);
	OVERRIDE(TF_UNSUPPORTED, w.id, "x", 1, &root);
	OVERRIDE(TF_DENIED, a.id, "x", 1, &bob);
	ck_assert_uint_eq(seal + 1, entries());
	OVERRIDE(TF_OK, a.id, "waived", 6, &alice);
	OVERRIDE(TF_OK, a.id, "again", 5, &root);
#undef OVERRIDE
	d = entry(seal + 1, &body);
	ck_assert_int_eq(TF_ATTESTATION_OVERRIDDEN, d.e.type);
	ck_assert_uint_eq(seal, d.e.target);
	ck_assert(d.e.compliant);
	ck_assert_str_eq("waived", d.e.reason.p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
}
END_TEST

Suite *
suite_definitions(void)
{
	Suite *s = suite_create("definitions");
	TCase *tc = tcase_create("definitions");

	tcase_set_timeout(tc, 120); /* a guard against waiting for ever */
	tcase_add_checked_fixture(tc, make_vault, remove_vault);
	tcase_add_test(tc, each_other_text_is_a_version_and_an_entry);
	tcase_add_test(tc,
	    a_workflow_names_the_template_that_is_in_force_when_it_begins);
	tcase_add_test(tc, a_definition_is_refused_where_it_cannot_be);
	tcase_add_test(tc, user_data_have_any_bytes_up_to_a_limit);
	tcase_add_test(tc, definers_at_once_get_a_version_each);
	tcase_add_test(tc, user_data_are_shown_as_they_were_given);
	tcase_add_test(tc, only_the_verdict_of_a_seal_can_be_overridden);
	suite_add_tcase(s, tc);
	return s;
}
