/*
 * Only the calls of import.h mark entries as imported, and only what may be
 * imported: a trail, a workflow, a draft that is published.
 */
#include <check.h>
#include <string.h>

#include "../../core/import.h"
#include "../../core/vault.h"
#include "own_store.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define FAILS(code, call) ck_assert_int_eq(code, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static const struct tf_actor other = { .uid = 4711,
	.gid = 4711,
	.loginuid = -1,
	.session = -1 };
static const struct tf_imported from = { "2025-03-01T10:00:00.000000000Z",
	"bob@example.org", "run \"1\"" };
static struct tf_vault *v;
static struct tf_attr trail, wf, att;

static void
make_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };

	own_store_make("import", &root);
	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_import_mkdir(v, TF_ROOT_ID, "t", 0755, &from, &root, &trail,
	    NULL));
	OK(tf_vault_import_mkdir(v, trail.id, "w", 0755, &from, &root, &wf,
	    NULL));
	OK(tf_vault_mkdir(v, wf.id, "own", 0755, &root, &att, NULL));
}

static void
remove_vault(void)
{
	OK(tf_vault_close(v, "done", NULL));
	own_store_remove();
}

/* A draft attestation of the workflow with one file. */
static void
make_draft(const char *name)
{
	struct tf_attr a;
	struct tf_file *f;

	OK(tf_vault_mkdir(v, wf.id, name, 0755, &root, &a, NULL));
	OK(tf_vault_create(v, a.id, "file", 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, "x", 1, 0, false, NULL));
	OK(tf_file_close(v, f, NULL));
}

/* The number of entries with this text. */
static unsigned
entries_with(const char *text)
{
	struct tf_buf b = { 0 };
	uint64_t n, bytes;
	unsigned found = 0;

	OK(tf_vault_size(v, &n, &bytes, NULL));
	for (uint64_t i = 0; i < n; i++) {
		b.n = 0;
		OK(tf_vault_entry(v, i, &b, NULL));
		found += strstr(b.p, text) != NULL;
	}
	tf_buf_free(&b);
	return found;
}

START_TEST(a_published_draft_is_marked_in_all_of_its_entries)
{
	static const char field[] =
	    "{\"at\":\"2025-03-01T10:00:00.000000000Z\","
	    "\"by\":\"bob@example.org\",\"id\":\"run \\\"1\\\"\"}";
	struct tf_buf b = { 0 };
	struct tf_attr a;

	ck_assert_uint_eq(2, entries_with("\"imported\":"));
	make_draft(".d");
	OK(tf_vault_import_publish(v, wf.id, ".d", "a", &from, &root, NULL));
	ck_assert_uint_eq(5, entries_with("\"imported\":"));
	OK(tf_vault_lookup(v, wf.id, "a", &a, NULL));
	OK(tf_vault_imported(v, a.id, &b, NULL));
	ck_assert_uint_eq(sizeof(field) - 1, b.n);
	ck_assert_int_eq(0, memcmp(field, b.p, b.n));
	tf_buf_free(&b);
}
END_TEST

START_TEST(what_is_not_imported_is_not_marked)
{
	struct tf_buf b = { 0 };

	make_draft(".d");
	OK(tf_vault_rename(v, wf.id, ".d", wf.id, "a", true, &root, NULL));
	ck_assert_uint_eq(2, entries_with("\"imported\":"));
	FAILS(TF_NODATA, tf_vault_imported(v, att.id, &b, NULL));
	FAILS(TF_NODATA, tf_vault_imported(v, TF_ROOT_ID, &b, NULL));
	FAILS(TF_NODATA, tf_vault_imported(v, 123456, &b, NULL));
	ck_assert_uint_eq(0, b.n);
	tf_buf_free(&b);
}
END_TEST

/* Another rename would move the draft and lose the mark. */
START_TEST(only_a_draft_is_published_and_never_over_a_name)
{
	make_draft(".d");
	FAILS(TF_UNSUPPORTED,
	    tf_vault_import_publish(v, wf.id, "own", "b", &from, &root, NULL));
	FAILS(TF_UNSUPPORTED,
	    tf_vault_import_publish(v, wf.id, ".d", ".e", &from, &root, NULL));
	FAILS(TF_UNSUPPORTED,
	    tf_vault_import_publish(v, att.id, ".d", "b", &from, &root, NULL));
	FAILS(TF_EXISTS,
	    tf_vault_import_publish(v, wf.id, ".d", "own", &from, &root, NULL));
	FAILS(TF_DENIED,
	    tf_vault_import_publish(v, wf.id, ".d", "b", &from, &other, NULL));
	FAILS(TF_UNSUPPORTED,
	    tf_vault_import_mkdir(v, wf.id, "b", 0755, &from, &root, &att,
		NULL));
	ck_assert_uint_eq(2, entries_with("\"imported\":"));
}
END_TEST

START_TEST(claims_that_no_entry_can_hold_are_refused)
{
	char text[514];
	const struct tf_imported bad[] = {
		{ NULL, NULL, NULL },
		{ "yesterday", NULL, "1" },
		{ "2025-03-01T10:00:00Z", NULL, "1" },
		{ NULL, "", "1" },
		{ NULL, NULL, "a\a" },
		{ NULL, "\xff", NULL },
	};
	struct tf_attr a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FAILS(TF_INVALID, tf_imported_check(&bad[i], NULL));
		FAILS(TF_INVALID,
		    tf_vault_import_mkdir(v, TF_ROOT_ID, "u", 0755, &bad[i],
			&root, &a, NULL));
	}
	memset(text, 'i', sizeof(text));
	text[512] = '\0';
	OK(tf_imported_check(&(struct tf_imported){ NULL, NULL, text }, NULL));
	text[512] = 'i';
	text[513] = '\0';
	FAILS(TF_TOOBIG,
	    tf_imported_check(&(struct tf_imported){ NULL, NULL, text }, NULL));
	FAILS(TF_TOOBIG,
	    tf_imported_check(&(struct tf_imported){ NULL, "me", text }, NULL));
	text[512] = '\0';
	OK(tf_imported_check(&(struct tf_imported){ NULL, text, text }, NULL));
	text[511] = '"'; /* two bytes in JSON */
	FAILS(TF_TOOBIG,
	    tf_imported_check(&(struct tf_imported){ NULL, "me", text }, NULL));
	FAILS(TF_NOTFOUND, tf_vault_lookup(v, TF_ROOT_ID, "u", &a, NULL));
}
END_TEST

START_TEST(a_file_is_recorded_once_per_trail)
{
	struct tf_import_source x = { "kosli", { { 1 } }, 7 };
	struct tf_attr second;
	bool already;

	OK(tf_vault_mkdir(v, TF_ROOT_ID, "u", 0755, &root, &second, NULL));
	OK(tf_vault_import_done(v, trail.id, &x, 3, &root, &already, NULL));
	ck_assert(!already);
	OK(tf_vault_import_done(v, trail.id, &x, 3, &root, &already, NULL));
	ck_assert(already);
	OK(tf_vault_import_done(v, second.id, &x, 3, &root, &already, NULL));
	ck_assert(!already);
	x.sha256.b[0] = 2;
	OK(tf_vault_import_done(v, trail.id, &x, 3, &root, &already, NULL));
	ck_assert(!already);
	ck_assert_uint_eq(3, entries_with("\"type\":\"import.done\""));
	FAILS(TF_DENIED,
	    tf_vault_import_done(v, trail.id, &x, 3, &other, &already, NULL));
	FAILS(TF_UNSUPPORTED,
	    tf_vault_import_done(v, wf.id, &x, 3, &root, &already, NULL));
}
END_TEST

START_TEST(names_are_those_of_the_vault)
{
	static const char *const bad[] = { "", "/", "a//b", "/a", "a/", ".",
		"..", "a/../b", "a/./b", ".trailfs", "a/.trailfs/b", "a\nb" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_ne(TF_OK,
		    tf_import_name(TF_KIND_EVIDENCE, bad[i], NULL));
	OK(tf_import_name(TF_KIND_EVIDENCE, "a/.env/b c", NULL));
	OK(tf_import_name(TF_KIND_TRAIL, "a.b", NULL));
	FAILS(TF_BADNAME, tf_import_name(TF_KIND_TRAIL, "a/b", NULL));
}
END_TEST

Suite *
suite_import(void)
{
	Suite *s = suite_create("import");
	TCase *t = tcase_create("import");

	tcase_add_checked_fixture(t, make_vault, remove_vault);
	tcase_add_test(t, a_published_draft_is_marked_in_all_of_its_entries);
	tcase_add_test(t, what_is_not_imported_is_not_marked);
	tcase_add_test(t, only_a_draft_is_published_and_never_over_a_name);
	tcase_add_test(t, claims_that_no_entry_can_hold_are_refused);
	tcase_add_test(t, a_file_is_recorded_once_per_trail);
	tcase_add_test(t, names_are_those_of_the_vault);
	suite_add_tcase(s, t);
	return s;
}
