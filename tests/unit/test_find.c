/*
 * Searches (core/find.h): queries, and answers while the ledger grows.
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/find.h"
#include "../../core/find/query.h"
#include "../../core/vault.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define GROWS 100 /* names that are made while others search */
#define LOSSES 30 /* of the index */

static const struct tf_actor who = { .loginuid = -1, .session = -1 };
static char dir[256];
static struct tf_vault *v;
static uint64_t trail;

/* --- queries --------------------------------------------------------------------- */

static const char *const good[] = { "name=x", "name=*.log&uid=1000",
	"annotation=a=b&annotation=c=d=e", "status=NON-COMPLIANT",
	"status=open",
	"sha256=00112233445566778899AABBCCDDEEFF"
	"00112233445566778899aabbccddeeff",
	"on_behalf_of=alice&user=bob", "name=%2F%26%25",
	"since=2026-11-23T07:50:00.000000000Z&uid=0",
	"limit=1000&uid=4294967295", "before=0&user=x", "below=t%2Fw&type=a",
	"prefix=0aF01&name=x",
	"prefix=00112233445566778899AABBCCDDEEFF"
	"00112233445566778899aabbccddeeff" };

static const char *const bad[] = { "", "&", "name", "name=", "=x", "x=y",
	"name=x&", "name=x&&uid=1", "uid=-1", "uid=4294967296", "uid=01",
	"uid=x", "sha256=00", "sha256=zz", "status=green", "status=", "limit=0",
	"limit=1001", "before=-1", "since=2026-11-23", "until=now",
	"annotation=a", "annotation==b", "annotation=a=", "name=%", "name=%4",
	"name=%zz", "name=%00", "uid=1&uid=2", "name=a&name=b", "NAME=x",
	"name =x", "prefix=0123", "prefix=0123g", "prefix=01234&prefix=01234",
	"prefix=00112233445566778899AABBCCDDEEFF"
	"00112233445566778899aabbccddeeff0" };

/* Every well-formed query is accepted, also in pieces joined by '&'. */
START_TEST(well_formed_queries_are_accepted)
{
	ck_assert_int_eq(TF_OK, tf_find_check(good[_i], NULL));
}
END_TEST

/* Every malformed query is refused, and with a filter before it, too. */
START_TEST(malformed_queries_are_refused)
{
	struct tf_error err;
	char joined[600];

	ck_assert_int_eq(TF_INVALID, tf_find_check(bad[_i], &err));
	ck_assert_int_ne(0, err.text[0]);
	(void)snprintf(joined, sizeof(joined), "control=c&%s", bad[_i]);
	ck_assert_int_eq(TF_INVALID, tf_find_check(joined, NULL));
}
END_TEST

/* 255 bytes are accepted, 256 are not; nine annotations are too many. */
START_TEST(long_queries_are_refused)
{
	char text[300] = "name=";

	memset(text + 5, 'x', 250);
	OK(tf_find_check(text, NULL));
	strcat(text, "x");
	ck_assert_int_eq(TF_INVALID, tf_find_check(text, NULL));
	text[0] = '\0';
	for (int i = 0; i < 9; i++)
		strcat(text, i == 0 ? "annotation=a=b" : "&annotation=a=b");
	ck_assert_int_eq(TF_INVALID, tf_find_check(text, NULL));
}
END_TEST

/* What is quoted is read back as it was. */
START_TEST(quoting_keeps_every_byte)
{
	struct tf_find_query q;
	struct tf_buf b = { 0 };
	char all[256];

	for (int i = 0; i < 2; i++) {
		b.n = 0;
		for (int c = 0; c < 120; c++)
			all[c] = (char)(1 + c + i * 120);
		all[120] = '\0';
		tf_buf_str(&b, "user=");
		tf_find_quote(&b, all);
		tf_buf_add(&b, "", 1);
		OK(tf_find_query_parse(b.p, &q, NULL));
		ck_assert_uint_eq(1, q.n_facts);
		ck_assert_uint_eq(120, q.fact[0].value.n);
		ck_assert_mem_eq(all, q.fact[0].value.p, 120);
		tf_find_query_free(&q);
	}
	tf_buf_free(&b);
}
END_TEST

/* A digest begins so, or an annotation that holds one. */
START_TEST(a_prefix_is_of_digests_only)
{
	static const struct {
		enum tf_find_kind kind;
		const char *value;
		bool begins;
	} facts[] = {
		{ TF_FIND_ANNOTATION, "git_commit=abcde", true },
		{ TF_FIND_ANNOTATION, "git_commit=abcdeffff", true },
		{ TF_FIND_ANNOTATION, "git_commit=abcd", false },
		{ TF_FIND_ANNOTATION, "git_commit=abcdf", false },
		{ TF_FIND_ANNOTATION, "artifact_fingerprint=abcde0", true },
		{ TF_FIND_ANNOTATION, "commit=abcde", false },
		{ TF_FIND_USER, "git_commit=abcde", false },
		{ TF_FIND_SHA256, "\xab\xcd\xe0...-...-...-...-...-...-...--",
		    true },
		{ TF_FIND_SHA256, "\xab\xcd\xef...-...-...-...-...-...-...--",
		    true },
		{ TF_FIND_SHA256, "\xab\xcd\xf0...-...-...-...-...-...-...--",
		    false },
		{ TF_FIND_SHA256, "\xab\xcd\xdf...-...-...-...-...-...-...--",
		    false },
	};
	struct tf_find_query q;

	OK(tf_find_query_parse("prefix=abCDe", &q, NULL));
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		ck_assert_msg(tf_find_begins(&q, facts[i].kind,
				  (struct tf_str){ facts[i].value,
				      strlen(facts[i].value) }) ==
			facts[i].begins,
		    "fact %zu", i);
	tf_find_query_free(&q);
}
END_TEST

static const struct {
	const char *query, *path;
	bool matches;
	const char *parts; /* joined by '|' */
} globs[] = {
	{ "name=*.log", "t/w/a/x.log", true, ".log/" },
	{ "name=*.log", "t/w/a.log/x", false, ".log/" },
	{ "name=x", "t/x", true, "" },
	{ "name=x", "x/t", false, "" },
	{ "name=a?c*", "t/abcd", true, "" },
	{ "name=app*log", "app-1.log", true, "/app|log/" },
	{ "name=a[bc]def", "t/acdef", true, "def/" },
	{ "name=a[]]def", "t/a]def", true, "def/" },
	{ "name=a[!b]def", "t/abdef", false, "def/" },
	{ "name=a\\*bc", "t/a*bc", true, "/a*bc/" },
	{ "name=t%2F*%2Fx", "t/w/x", true, "/t/|/x/" },
	{ "name=t%2F*%2Fx", "t/w/a/x", false, "/t/|/x/" },
	{ "name=trail%2F*", "trail/w", true, "/trail/" },
	{ "name=a[def", "t/a[def", true, "" },
};

/* A glob matches as fnmatch says, and its parts are in every path it matches. */
START_TEST(globs_match_and_have_parts)
{
	struct tf_buf parts = { 0 };
	struct tf_find_query q;

	OK(tf_find_query_parse(globs[_i].query, &q, NULL));
	ck_assert_int_eq(globs[_i].matches,
	    tf_find_glob_matches(&q, globs[_i].path));
	for (size_t i = 0; i < q.n_parts; i++) {
		if (i > 0)
			tf_buf_str(&parts, "|");
		tf_buf_add(&parts, q.part[i].p, q.part[i].n);
	}
	tf_buf_add(&parts, "", 1);
	ck_assert_str_eq(globs[_i].parts, parts.p);
	tf_buf_free(&parts);
	tf_find_query_free(&q);
}
END_TEST

/* --- answers ---------------------------------------------------------------------- */

static uint64_t
make_dir(uint64_t up, const char *name)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, up, name, 0755, &who, &a, NULL));
	return a.id;
}

static void
open_vault(void)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = &who };

	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_find_start(v, NULL));
}

static void
set_up(void)
{
	struct tf_buf vkey = { 0 };
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof(dir), "%s/test-find.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_vault_init("store", NULL, &who, &vkey, NULL));
	tf_buf_free(&vkey);
	open_vault();
	trail = make_dir(TF_ROOT_ID, "t");
}

static void
tear_down(void)
{
	char command[300];

	tf_find_stop(v);
	OK(tf_vault_close(v, "done", NULL));
	ck_assert_int_eq(0, chdir("/"));
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(0, system(command));
}

/* The number of answers. */
static unsigned
ask(const char *query)
{
	struct tf_buf out = { 0 };
	unsigned n = 0;

	OK(tf_find(v, query, NULL, &out, NULL));
	for (size_t i = 0; i < out.n; i++)
		n += out.p[i] == '\n';
	tf_buf_free(&out);
	return n;
}

/* Each name is found as soon as it is in the ledger. */
START_TEST(a_new_name_is_found_at_once)
{
	char name[32], query[64];

	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "workflow%d", i);
		(void)snprintf(query, sizeof(query), "name=%s", name);
		ck_assert_uint_eq(0, ask(query));
		make_dir(trail, name);
		ck_assert_uint_eq(1, ask(query));
		ck_assert_uint_eq((unsigned)i + 1, ask("status=INCOMPLETE"));
	}
}
END_TEST

struct searcher {
	pthread_t thread;
	atomic_bool *stop;
	unsigned asked;
	bool fell; /* an answer had fewer names than one before */
};

static void *
search_again(void *arg)
{
	struct searcher *s = arg;
	unsigned last = 0, n;

	/* At least once after the end of the growing. */
	for (bool stop = false; !stop; s->asked++) {
		stop = atomic_load(s->stop);
		n = ask("name=grows*&limit=1000");
		s->fell = s->fell || n < last;
		last = n;
	}
	return last == GROWS ? s : NULL;
}

/* Searches beside each other and beside a writer lose no name. */
START_TEST(searches_run_beside_a_writer)
{
	atomic_bool stop = false;
	struct searcher s[3] = { { .stop = &stop }, { .stop = &stop },
		{ .stop = &stop } };
	char name[32];
	void *whole;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(0,
		    pthread_create(&s[i].thread, NULL, search_again, &s[i]));
	for (int i = 0; i < GROWS; i++) {
		(void)snprintf(name, sizeof(name), "grows%d", i);
		make_dir(trail, name);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(0, pthread_join(s[i].thread, &whole));
		ck_assert_ptr_nonnull(whole);
		ck_assert(!s[i].fell);
	}
}
END_TEST

/* A search goes on with no other index than the one it began with: one that is
 * being made does not have all names yet. */
START_TEST(a_lost_index_loses_no_name)
{
	atomic_bool stop = false;
	struct searcher s[2] = { { .stop = &stop }, { .stop = &stop } };
	char name[32];
	void *whole;

	for (int i = 0; i < GROWS; i++) {
		(void)snprintf(name, sizeof(name), "grows%d", i);
		make_dir(trail, name);
	}
	ck_assert_uint_eq(GROWS, ask("name=grows*&limit=1000"));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(0,
		    pthread_create(&s[i].thread, NULL, search_again, &s[i]));
	for (int i = 0; i < LOSSES; i++) {
		(void)unlink("store/index.db"); /* it may be being made */
		(void)snprintf(name, sizeof(name), "lost%d", i);
		make_dir(trail, name);
		ck_assert_uint_eq(1,
		    ask(strcat(strcpy((char[40]){ 0 }, "name="), name)));
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(0, pthread_join(s[i].thread, &whole));
		ck_assert_ptr_nonnull(whole);
		ck_assert(!s[i].fell);
	}
}
END_TEST

/* An index stays in the store and is followed from its cursor. */
START_TEST(a_later_process_goes_on)
{
	make_dir(trail, "before");
	ck_assert_uint_eq(1, ask("name=before"));
	tf_find_stop(v);
	make_dir(trail, "between");
	OK(tf_vault_close(v, "done", NULL));
	ck_assert_int_eq(0, access("store/index.db", F_OK));
	open_vault();
	make_dir(trail, "after");
	ck_assert_uint_eq(1, ask("name=before"));
	ck_assert_uint_eq(1, ask("name=between"));
	ck_assert_uint_eq(1, ask("name=after"));
	ck_assert_uint_eq(4, ask("uid=0"));
}
END_TEST

/* An index that becomes damaged while it is used is made anew. */
START_TEST(a_damaged_index_is_made_anew)
{
	FILE *f;

	make_dir(trail, "name");
	ck_assert_uint_eq(1, ask("name=name"));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(0, unlink("store/index.db"));
		f = fopen("store/index.db", "w");
		ck_assert_ptr_nonnull(f);
		for (int k = 0; k < 20000; k++)
			putc(k * 7 % 251, f);
		ck_assert_int_eq(0, fclose(f));
		ck_assert_uint_eq(1, ask("name=name"));
	}
}
END_TEST

Suite *
suite_find(void)
{
	Suite *s = suite_create("find");
	TCase *queries = tcase_create("queries");
	TCase *answers = tcase_create("answers");

	tcase_add_loop_test(queries, well_formed_queries_are_accepted, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(queries, malformed_queries_are_refused, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(queries, long_queries_are_refused);
	tcase_add_test(queries, quoting_keeps_every_byte);
	tcase_add_test(queries, a_prefix_is_of_digests_only);
	tcase_add_loop_test(queries, globs_match_and_have_parts, 0,
	    sizeof(globs) / sizeof(globs[0]));
	suite_add_tcase(s, queries);
	tcase_add_checked_fixture(answers, set_up, tear_down);
	tcase_set_timeout(answers, 120);
	tcase_add_test(answers, a_new_name_is_found_at_once);
	tcase_add_test(answers, searches_run_beside_a_writer);
	tcase_add_test(answers, a_lost_index_loses_no_name);
	tcase_add_test(answers, a_later_process_goes_on);
	tcase_add_test(answers, a_damaged_index_is_made_anew);
	suite_add_tcase(s, answers);
	return s;
}
