#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/template.h"
#include "../../core/ledger/template_make.h"
#include "../../core/ledger/template_parse.h"
#include "vectors.h"

static void
tell_list(const struct tf_strs *l, const char *key, struct tf_buf *out)
{
	if (l->p == NULL)
		return;
	tf_buf_printf(out, " %s=", key);
	for (size_t i = 0; i < l->n; i++)
		tf_buf_printf(out, "%s%.*s", i > 0 ? "," : "", (int)l->p[i].n,
		    l->p[i].p);
}

static void
tell_slot(const struct tf_slot *s, struct tf_buf *out)
{
	tf_buf_printf(out, "  slot %u %.*s %.*s", s->line, (int)s->name.n,
	    s->name.p, (int)s->type.n, s->type.p);
	if (s->optional)
		tf_buf_str(out, " optional");
	if (s->count != 1)
		tf_buf_printf(out, " count=%u", (unsigned)s->count);
	if (s->different_users)
		tf_buf_str(out, " different_users");
	if (s->deadline_s > 0)
		tf_buf_printf(out, " deadline=%llu",
		    (unsigned long long)s->deadline_s);
	tell_list(&s->users, "users", out);
	tell_list(&s->groups, "groups", out);
	tell_list(&s->after, "after", out);
	if (s->control.p != NULL)
		tf_buf_printf(out, " control=%.*s", (int)s->control.n,
		    s->control.p);
	if (s->artifact.p != NULL)
		tf_buf_printf(out, " artifact=%.*s", (int)s->artifact.n,
		    s->artifact.p);
	tf_buf_str(out, "\n");
}

/* What a text means, as RESULTS has it: indented lines. */
static void
tell(const char *text, size_t n, struct tf_buf *out)
{
	struct tf_error err = { 0 };
	struct tf_template t;

	if (tf_template_parse(&t, text, n, &err) != TF_OK) {
		ck_assert_int_eq(TF_INVALID, err.code);
		ck_assert_ptr_null(t.memory);
		tf_buf_printf(out, "  %s\n", err.text);
		return;
	}
	tf_buf_printf(out, "  template%s\n", t.strict ? " strict" : "");
	if (t.retain.p != NULL || t.retain_never)
		tf_buf_printf(out, "  retain %.*s%s %.*s\n", (int)t.retain.n,
		    t.retain.p == NULL ? "" : t.retain.p,
		    t.retain_never ? " never" : "", (int)t.retain_rule.n,
		    t.retain_rule.p == NULL ? "" : t.retain_rule.p);
	for (size_t i = 0; i < t.artifacts.n; i++)
		tf_buf_printf(out, "  artifact %.*s\n", (int)t.artifacts.p[i].n,
		    t.artifacts.p[i].p);
	for (size_t i = 0; i < t.n; i++)
		tell_slot(&t.slots[i], out);
	for (size_t i = 0; i < t.n_warnings; i++)
		tf_buf_printf(out, "  warning %u %s\n", t.warnings[i].line,
		    t.warnings[i].text);
	tf_template_free(&t);
}

static int
is_template(const struct dirent *e)
{
	return strstr(e->d_name, ".yml") != NULL;
}

/* templates/RESULTS has the name of each file and what it means. */
START_TEST(each_template_of_the_vectors_means_what_is_published)
{
	struct tf_buf all = read_vector("templates/RESULTS");
	struct tf_str wanted = tf_buf_bytes(&all);
	struct dirent **e;
	int n = scandir(TF_VECTORS "/templates", &e, is_template, alphasort);

	ck_assert_int_gt(n, 80);
	for (int i = 0; i < n; i++) {
		struct tf_buf text, said = { 0 };
		char path[512];

		(void)snprintf(path, sizeof(path), "templates/%s",
		    e[i]->d_name);
		text = read_vector(path);
		tf_buf_printf(&said, "%s\n", e[i]->d_name);
		tell(text.p, text.n, &said);
		ck_assert_msg(said.n <= wanted.n &&
			memcmp(said.p, wanted.p, said.n) == 0,
		    "not what RESULTS has:\n%.*s", (int)said.n, said.p);
		wanted.p += said.n;
		wanted.n -= said.n;
		tf_buf_free(&text);
		tf_buf_free(&said);
		free(e[i]);
	}
	ck_assert_uint_eq(0, wanted.n);
	free(e);
	tf_buf_free(&all);
}
END_TEST

static struct tf_template
parsed(const char *text, size_t n)
{
	struct tf_error err = { 0 };
	struct tf_template t;

	ck_assert_msg(tf_template_parse(&t, text, n, &err) == TF_OK, "%s",
	    err.text);
	return t;
}

#define PARSED(text) parsed((text), sizeof(text) - 1)

/* The examples of the manual page are templates, as they are printed. */
START_TEST(each_template_of_the_manual_is_accepted)
{
	struct tf_buf page = read_vector("../../man/trailfs-template.5");
	struct tf_str rest = tf_buf_bytes(&page), line;
	struct tf_buf text = { 0 };
	bool inside = false;
	int found = 0;

	while (take_line(&rest, &line)) {
		if (tf_str_same(line, tf_str_of(".Ed"))) {
			struct tf_template t = parsed(text.p, text.n);

			ck_assert_uint_gt(t.n, 0);
			ck_assert_uint_eq(0, t.n_warnings);
			tf_template_free(&t);
			tf_buf_free(&text);
			inside = false;
			found++;
		}
		if (inside)
			tf_buf_printf(&text, "%.*s\n", (int)line.n, line.p);
		if (line.n > 3 && memcmp(line.p, ".Bd", 3) == 0)
			inside = true;
	}
	ck_assert_int_eq(2, found);
	tf_buf_free(&page);
}
END_TEST

/* The text may be freed; the template keeps what it needs. */
START_TEST(a_template_outlives_its_text)
{
	struct tf_buf text = read_vector("templates/extensions.yml");
	struct tf_template t = parsed(text.p, text.n);

	memset(text.p, 'x', text.n);
	tf_buf_free(&text);
	ck_assert_uint_eq(4, t.n);
	assert_same("tests", 5, t.slots[0].name.p, t.slots[0].name.n);
	assert_same("backend.scan", 12, t.slots[3].name.p, t.slots[3].name.n);
	tf_template_free(&t);
	ck_assert_ptr_null(t.slots);
	tf_template_free(&t);
}
END_TEST

START_TEST(an_attestation_finds_its_slot_in_any_version)
{
	struct tf_template t = PARSED(
	    "version: 1\ntrail:\n  attestations:\n"
	    "    - {name: a, type: generic}\n    - {name: ab, type: junit}\n");

	ck_assert_ptr_eq(&t.slots[0], tf_template_slot(&t, "a", 1));
	ck_assert_ptr_eq(&t.slots[1], tf_template_slot(&t, "ab", 2));
	ck_assert_ptr_eq(&t.slots[1], tf_template_slot(&t, "ab@17", 5));
	ck_assert_ptr_null(tf_template_slot(&t, "abc", 3));
	ck_assert_ptr_null(tf_template_slot(&t, "a@1", 3));
	ck_assert_ptr_null(tf_template_slot(&t, "", 0));
	tf_template_free(&t);
}
END_TEST

/* --- types ---------------------------------------------------------------- */

static const struct {
	const char *slot, *claimed;
	bool fits;
} types[] = {
	{ "generic", NULL, true },
	{ "generic", "generic", true },
	{ "generic", "junit", false },
	{ "junit", NULL, false },
	{ "junit", "junit", true },
	{ "junit", "custom:junit", false },
	{ "*", NULL, true },
	{ "*", "junit", true },
	{ "*", "custom:x", true },
	{ "custom:x", "custom:x", true },
	{ "custom:x", "x", true },
	{ "custom:x", "y", false },
	{ "custom:x", "custom:y", false },
	{ "custom:x", "xx", false },
	{ "custom:x", NULL, false },
	/* A built-in type is never taken for a custom one of that name. */
	{ "custom:junit", "junit", false },
	{ "custom:junit", "custom:junit", true },
	{ "custom:generic", NULL, false },
	{ "custom:generic", "generic", false },
};

START_TEST(a_claimed_type_fits_as_the_table_says)
{
	ck_assert_int_eq(types[_i].fits,
	    tf_slot_type_fits(tf_str_of(types[_i].slot),
		tf_str_of(types[_i].claimed)));
}
END_TEST

/* --- users ---------------------------------------------------------------- */

/* users and groups: "-" is absent, else words with spaces. */
static const struct {
	const char *users, *groups;
	uint32_t uid, gid;
	const char *user, *group;
	bool allowed;
} who[] = {
	{ "-", "-", 1000, 1000, "alice", "alice", true },
	{ "-", "-", 1000, 1000, NULL, NULL, true },
	{ "alice", "-", 1000, 1000, "alice", "alice", true },
	{ "alice", "-", 1000, 1000, NULL, NULL, false },
	{ "alice", "-", 1001, 1001, "bob", "alice", false },
	{ "bob alice", "-", 1000, 1000, "alice", NULL, true },
	{ "1000", "-", 1000, 1000, NULL, NULL, true },
	{ "1000", "-", 10000, 1000, NULL, NULL, false },
	{ "1000", "-", 100, 1000, NULL, NULL, false },
	{ "0", "-", 0, 0, NULL, NULL, true },
	{ "alice", "-", 0, 0, "root", "root", false },
	/* A user whose name is the number of another one. */
	{ "1000", "-", 1001, 1001, "1000", NULL, false },
	{ "-", "release", 1000, 50, "alice", "release", true },
	{ "-", "release", 1000, 50, "release", "users", false },
	{ "-", "50", 1000, 50, NULL, NULL, true },
	{ "-", "50", 50, 1000, NULL, NULL, false },
	/* One of both is enough. */
	{ "alice", "release", 1000, 1, "alice", "users", true },
	{ "alice", "release", 1001, 50, "bob", "release", true },
	{ "alice", "release", 1001, 1, "bob", "users", false },
	/* An empty list allows nobody. */
	{ "", "-", 0, 0, "root", "root", false },
	{ "-", "", 0, 0, "root", "root", false },
	{ "", "release", 1, 50, NULL, "release", true },
	{ "alice", "-", 4294967295U, 1, "", "", false },
};

static struct tf_strs
words(char *text, struct tf_str *room)
{
	struct tf_strs l = { .p = room };

	if (strcmp(text, "-") == 0)
		return (struct tf_strs){ 0 };
	for (char *w; (w = strsep(&text, " ")) != NULL;)
		if (*w != '\0')
			room[l.n++] = tf_str_of(w);
	return l;
}

START_TEST(a_slot_allows_the_users_of_the_table)
{
	struct tf_str room[8];
	char users[64], groups[64];
	struct tf_slot slot = { 0 };
	const struct tf_reporter r = { who[_i].uid, who[_i].gid,
		tf_str_of(who[_i].user), tf_str_of(who[_i].group) };

	strcpy(users, who[_i].users);
	strcpy(groups, who[_i].groups);
	slot.users = words(users, room);
	slot.groups = words(groups, room + 4);
	ck_assert_int_eq(who[_i].allowed, tf_slot_allows(&slot, &r));
}
END_TEST

START_TEST(ids_of_controls_have_their_characters)
{
	static const char *const good[] = { "CC8.1", "1", "a-b_c.D" };
	static const char *const bad[] = { "", "-a", ".a", "a b", "a~", "a@2",
		"\xc3\xa9", "a:b" };
	char id[66];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert(tf_control_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(!tf_control_ok(bad[i], strlen(bad[i])));
	ck_assert(!tf_control_ok("a\0b", 3));
	memset(id, 'a', sizeof(id));
	ck_assert(tf_control_ok(id, 64));
	ck_assert(!tf_control_ok(id, 65));
}
END_TEST

/* --- the short form ------------------------------------------------------- */

START_TEST(the_short_form_is_a_template_of_these_names)
{
	static const struct tf_str names[] = { { "build", 5 }, { "NO", 2 },
		{ "1.0", 3 }, { "a~b", 3 }, { "null", 4 } };
	struct tf_buf b = { 0 };
	struct tf_template t;

	tf_buf_str(&b, "# kept\n");
	ck_assert_int_eq(TF_OK, tf_template_make(names, 5, &b, NULL));
	tf_buf_add(&b, "", 1);
	ck_assert_str_eq("# kept\nversion: 1\ntrail:\n  attestations:\n"
			 "    - name: build\n      type: generic\n"
			 "    - name: \"NO\"\n      type: generic\n"
			 "    - name: \"1.0\"\n      type: generic\n"
			 "    - name: a~b\n      type: generic\n"
			 "    - name: \"null\"\n      type: generic\n",
	    b.p);
	t = parsed(b.p, b.n - 1);
	ck_assert_uint_eq(5, t.n);
	for (size_t i = 0; i < t.n; i++) {
		ck_assert(tf_str_same(names[i], t.slots[i].name));
		ck_assert(tf_str_same(tf_str_of("generic"), t.slots[i].type));
	}
	tf_template_free(&t);
	tf_buf_free(&b);
	ck_assert_int_eq(TF_OK, tf_template_make(NULL, 0, &b, NULL));
	assert_same("version: 1\ntrail: null\n", 23, b.p, b.n);
	tf_buf_free(&b);
}
END_TEST

static enum tf_code
made(struct tf_str a, struct tf_str b)
{
	const struct tf_str names[] = { a, b };
	struct tf_buf out = { 0 };
	enum tf_code rc = tf_template_make(names, 2, &out, NULL);

	ck_assert(rc == TF_OK || out.n == 0);
	tf_buf_free(&out);
	return rc;
}

START_TEST(the_short_form_refuses_what_no_attestation_is_called)
{
	const struct tf_str a = { "a", 1 };
	char name[256];

	memset(name, 'a', sizeof(name));
	ck_assert_int_eq(TF_OK, made(a, (struct tf_str){ "b", 1 }));
	ck_assert_int_eq(TF_EXISTS, made(a, a));
	ck_assert_int_eq(TF_BADNAME, made(a, (struct tf_str){ "", 0 }));
	ck_assert_int_eq(TF_BADNAME, made(a, (struct tf_str){ "a@2", 3 }));
	ck_assert_int_eq(TF_BADNAME, made(a, (struct tf_str){ "a b", 3 }));
	ck_assert_int_eq(TF_BADNAME, made(a, (struct tf_str){ "a\nb", 3 }));
	ck_assert_int_eq(TF_OK, made(a, (struct tf_str){ name, 255 }));
	ck_assert_int_eq(TF_NAMETOOLONG, made(a, (struct tf_str){ name, 256 }));
}
END_TEST

/* --- big and hostile ------------------------------------------------------ */

START_TEST(the_short_form_ends_at_the_limit_of_templates)
{
	static char text[5000][8];
	static struct tf_str names[5000];
	struct tf_buf b = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < 5000; i++)
		names[i] = (struct tf_str){ text[i],
			(size_t)snprintf(text[i], sizeof(text[i]), "s%zu", i) };
	while (n < 5000 && tf_template_make(names, n, &b, NULL) == TF_OK) {
		tf_buf_free(&b);
		n += 100;
	}
	ck_assert_uint_gt(n, 1000);
	ck_assert_uint_lt(n, 2000);
	ck_assert_int_eq(TF_TOOBIG, tf_template_make(names, n, &b, NULL));
	ck_assert_int_eq(TF_TOOBIG, tf_template_make(names, 5000, &b, NULL));
	ck_assert_uint_eq(0, b.n);
}
END_TEST

/* As many slots as there can be, each after the next: all are in the circle,
 * and the list of warnings ends somewhere. */
START_TEST(a_circle_of_all_slots_is_found)
{
	struct tf_buf text = { 0 };
	struct tf_template t;

	tf_buf_str(&text, "version: 1\ntrail:\n attestations:\n");
	for (int i = 0; i < 800; i++)
		tf_buf_printf(&text,
		    " - {name: s%d, type: generic, x-trailfs: {after: [s%d]}}"
		    "\n",
		    i, (i + 1) % 800);
	t = parsed(text.p, text.n);
	ck_assert_uint_eq(800, t.n);
	ck_assert_uint_eq(64, t.n_warnings);
	ck_assert_str_eq("s63: its `after` leads back to it",
	    t.warnings[63].text);
	tf_template_free(&t);
	tf_buf_free(&text);
}
END_TEST

/* Cut anywhere, a template is refused or another template; nothing is read
 * behind it and nothing is leaked. */
START_TEST(a_cut_template_is_no_danger)
{
	struct tf_buf text = read_vector("templates/extensions.yml");
	struct tf_template t;

	for (size_t n = 0; n < text.n; n++) {
		char *copy = malloc(n + (n == 0));
		enum tf_code rc;

		memcpy(copy, text.p, n);
		rc = tf_template_parse(&t, copy, n, NULL);
		must(rc == TF_OK || rc == TF_INVALID);
		must(rc == TF_OK || t.memory == NULL);
		tf_template_free(&t);
		free(copy);
	}
	tf_buf_free(&text);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

Suite *
suite_template(void)
{
	Suite *s = suite_create("template");
	TCase *t = tcase_create("template");

	tcase_add_test(t, each_template_of_the_vectors_means_what_is_published);
	tcase_add_test(t, each_template_of_the_manual_is_accepted);
	tcase_add_test(t, a_template_outlives_its_text);
	tcase_add_test(t, an_attestation_finds_its_slot_in_any_version);
	tcase_add_loop_test(t, a_claimed_type_fits_as_the_table_says, 0,
	    COUNT(types));
	tcase_add_loop_test(t, a_slot_allows_the_users_of_the_table, 0,
	    COUNT(who));
	tcase_add_test(t, ids_of_controls_have_their_characters);
	tcase_add_test(t, the_short_form_is_a_template_of_these_names);
	tcase_add_test(t, the_short_form_refuses_what_no_attestation_is_called);
	tcase_add_test(t, the_short_form_ends_at_the_limit_of_templates);
	tcase_add_test(t, a_circle_of_all_slots_is_found);
	tcase_add_test(t, a_cut_template_is_no_danger);
	suite_add_tcase(s, t);
	return s;
}
