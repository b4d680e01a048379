/*
 * Recovery of stage/ and its rows at the next open: a flushed file whose bytes
 * are intact is sealed; any other file never becomes evidence.
 */
#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/vault.h"
#include "own_store.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define LARGE 70000 /* bytes: more than the database takes */

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static char said[512], large[LARGE];
static struct tf_vault *v;
static uint64_t wf, att;

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
say(void *arg, enum tf_code code, const char *line)
{
	(void)arg;
	(void)code;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n",
	    line);
}

static void
start(void)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.say = say };

	ck_assert(tf_settings_take(&o.settings, "settle", "60"));
	said[0] = '\0';
	OK(tf_vault_open("store", &o, &v, NULL));
}

/* Files that were abandoned are now as a crash leaves them. */
static void
stop(void)
{
	OK(tf_vault_close(v, "done", NULL));
}

static uint64_t
make_dir(uint64_t up, const char *name)
{
	struct tf_attr a;

	OK(tf_vault_mkdir(v, up, name, 0755, &root, &a, NULL));
	return a.id;
}

static void
make_store(void)
{
	own_store_make("recover", &root);
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)('a' + i % 23);
	start();
	wf = make_dir(make_dir(TF_ROOT_ID, "t"), "w");
	att = make_dir(wf, "a");
}

static void
remove_store(void)
{
	own_store_remove();
}

static void
flushed(void *arg, enum tf_code code, const struct tf_error *err)
{
	(void)err;
	ck_assert(write(*(int *)arg, code == TF_OK ? "y" : "n", 1) == 1);
}

static void
flush(struct tf_file *f)
{
	int fds[2];
	char c;

	ck_assert_int_eq(0, pipe(fds));
	tf_file_flush(f, true, flushed, &fds[1]);
	ck_assert(read(fds[0], &c, 1) == 1 && c == 'y');
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* Written, flushed, never released; its id. */
static uint64_t
promise(uint64_t up, const char *name, size_t n)
{
	struct tf_file *f;
	struct tf_attr a;

	OK(tf_vault_create(v, up, name, 0644, &root, &a, &f, NULL));
	OK(tf_file_write_at(f, large, n, 0, false, NULL));
	flush(f);
	tf_file_abandon(f);
	return a.id;
}

static struct tf_attr
attr_of(uint64_t up, const char *name)
{
	struct tf_attr a;

	ck_assert_msg(tf_vault_lookup(v, up, name, &a, NULL) == TF_OK, "no %s",
	    name);
	return a;
}

static bool
is_there(uint64_t up, const char *name)
{
	struct tf_attr a;

	return tf_vault_lookup(v, up, name, &a, NULL) == TF_OK;
}

static void
holds(uint64_t id, size_t n)
{
	static char have[LARGE + 1];
	struct tf_reader *r;
	size_t got = 1, all = 0;
	bool fresh;

	OK(tf_vault_open_read(v, id, 0, &r, &fresh, NULL));
	while (got > 0 && all < sizeof(have)) {
		OK(tf_reader_read(r, have + all, sizeof(have) - all, all, &got,
		    NULL));
		all += got;
	}
	tf_reader_close(r);
	assert_same(large, n, have, all);
}

/* Drafts of what was interrupted there; *size of one of them. */
static unsigned
interrupted(uint64_t up, uint64_t *size)
{
	struct tf_dirent e[16];
	unsigned count = 0;
	size_t n;

	OK(tf_vault_list(v, up, 0, e, 16, &n, NULL));
	for (size_t i = 0; i < n; i++)
		if (strstr(e[i].name, ".interrupted.part") != NULL) {
			ck_assert_int_eq(TF_STATE_DRAFT, e[i].attr.state);
			*size = e[i].attr.size;
			count++;
		}
	return count;
}

static char *
staged(uint64_t id)
{
	static char path[64];

	snprintf(path, sizeof(path), "store/stage/%llu",
	    (unsigned long long)id);
	return path;
}

static void
put_file(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq((ssize_t)n, write(fd, bytes, n));
	(void)close(fd);
}

/* --- what is as it was promised ---------------------------------------------- */

/* More than the list of them holds at first. */
START_TEST(what_was_flushed_is_sealed)
{
	char name[16];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%d", i);
		(void)promise(att, name, i % 10 == 0 ? LARGE : 100);
	}
	stop();
	start();
	ck_assert_ptr_nonnull(strstr(said, "100 files"));
	for (int i = 0; i < 100; i++) {
		struct tf_attr a;

		snprintf(name, sizeof(name), "%d", i);
		a = attr_of(att, name);
		ck_assert_int_eq(TF_STATE_SEALED, a.state);
		holds(a.id, i % 10 == 0 ? LARGE : 100);
	}
	stop();
}
END_TEST

/* By its name, its directory, or its attestation; with attributes. */
START_TEST(a_draft_stays_one_and_can_be_written)
{
	static const size_t sizes[] = { 0, 100, LARGE };
	size_t n = sizes[_i];
	uint64_t draft = make_dir(wf, ".login"), sub = make_dir(draft, "sub");
	uint64_t id[3] = { promise(att, "x.tmp", n), promise(draft, "x", n),
		promise(sub, "x", n) };

	OK(tf_vault_xattr_set(v, id[0], "user.note", "kept", 4, 0, &root,
	    NULL));
	stop();
	start();
	for (int i = 0; i < 3; i++) {
		struct tf_buf b = { 0 };
		struct tf_attr a;
		struct tf_file *f;

		OK(tf_vault_getattr(v, id[i], &a, NULL));
		ck_assert_int_eq(TF_STATE_DRAFT, a.state);
		holds(id[i], n);
		OK(tf_vault_open_write(v, id[i], false, &root, &f, NULL));
		OK(tf_file_write_at(f, "x", 1, n, true, NULL));
		flush(f);
		tf_file_release(f);
		OK(tf_vault_getattr(v, id[i], &a, NULL));
		ck_assert_uint_eq(n + 1, a.size);
		if (i == 0)
			OK(tf_vault_xattr_get(v, id[i], "user.note", &b, NULL));
		ck_assert_uint_eq(i == 0 ? 4 : 0, b.n);
		tf_buf_free(&b);
	}
	stop();
}
END_TEST

/* Whatever was made first, the file or what makes it a draft. */
START_TEST(a_file_moved_among_drafts_is_one)
{
	uint64_t id[2] = { promise(att, "x.tmp", 100),
		promise(att, "y.tmp", LARGE) };
	uint64_t to[2] = { make_dir(wf, ".login"), make_dir(att, ".~tmp~") };

	for (int i = 0; i < 2; i++)
		OK(tf_vault_rename(v, att, i == 0 ? "x.tmp" : "y.tmp", to[i],
		    "f", true, &root, NULL));
	stop();
	start();
	for (int i = 0; i < 2; i++) {
		struct tf_attr a = attr_of(to[i], "f");

		ck_assert_uint_eq(id[i], a.id);
		ck_assert_int_eq(TF_STATE_DRAFT, a.state);
	}
	stop();
}
END_TEST

/* The crash came after the link and before the entry: the object stays. */
START_TEST(a_draft_that_is_an_object_already_is_written_in_a_copy)
{
	uint64_t id = promise(att, "x.tmp", LARGE);
	struct tf_file *f;

	stop();
	ck_assert_int_eq(0, link(staged(id), "store/object"));
	sh("cp store/object store/before");
	start();
	holds(id, LARGE);
	OK(tf_vault_open_write(v, id, false, &root, &f, NULL));
	OK(tf_file_write_at(f, "?", 1, 1234, false, NULL));
	flush(f);
	tf_file_release(f);
	sh("cmp store/object store/before");
	stop();
	sh("cmp store/object store/before");
}
END_TEST

/* It grew into a file after the flush, which nobody was promised. */
START_TEST(short_content_is_read_from_the_database)
{
	uint64_t id = promise(att, "f", 100);

	stop();
	put_file(staged(id), large, 1000);
	start();
	ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "f").state);
	holds(id, 100);
	ck_assert_int_ne(0, access(staged(id), F_OK));
	stop();
}
END_TEST

/* --- what is not -------------------------------------------------------------- */

static void
lose(const char *path)
{
	ck_assert_int_eq(0, unlink(path));
}

static void
cut(const char *path)
{
	ck_assert_int_eq(0, truncate(path, 5000));
}

static void
flip(const char *path)
{
	int fd = open(path, O_WRONLY);

	ck_assert_int_eq(1, pwrite(fd, "?", 1, 1234));
	(void)close(fd);
}

static void
make_longer(const char *path)
{
	ck_assert_int_eq(0, truncate(path, LARGE + 1));
}

static const struct {
	void (*damage)(const char *path);
	uint64_t left;
} damages[] = {
	{ lose, 0 },
	{ cut, 5000 },
	{ flip, LARGE },
	{ make_longer, LARGE + 1 },
};

START_TEST(damaged_content_is_a_draft_and_no_evidence)
{
	uint64_t size = 1, file = promise(att, "f", LARGE);
	uint64_t draft = make_dir(att, "sub");

	draft = promise(draft, "x.tmp", LARGE);
	stop();
	damages[_i].damage(staged(file));
	damages[_i].damage(staged(draft));
	start();
	ck_assert_ptr_nonnull(strstr(said, "was interrupted"));
	ck_assert(!is_there(att, "f"));
	ck_assert_uint_eq(1, interrupted(att, &size));
	ck_assert_uint_eq(damages[_i].left, size);
	ck_assert_uint_eq(1, interrupted(attr_of(att, "sub").id, &size));
	ck_assert_uint_eq(damages[_i].left, size);
	/* The name is free; the same again gets another name. */
	file = promise(att, "f", LARGE);
	stop();
	damages[_i].damage(staged(file));
	start();
	ck_assert_uint_eq(2, interrupted(att, &size));
	stop();
	start();
	ck_assert_uint_eq(2, interrupted(att, &size));
	stop();
}
END_TEST

static void
sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK,
	    "%s: %s", text, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

/* The bytes are there, and the row of stage says so. */
static const char *const mendable[] = {
	"UPDATE object SET sha256 = zeroblob(32)",
	"UPDATE object SET size = size + 1",
	"UPDATE object SET size = -1",
};

START_TEST(bytes_as_promised_are_sealed_whatever_stands_beside_them)
{
	uint64_t f = promise(att, "f", 100), x = promise(att, "x.tmp", 100);

	stop();
	sql(mendable[_i]);
	start();
	ck_assert_ptr_nonnull(strstr(said,
	    "f: size or digest beside its bytes was damaged; the bytes are "
	    "those that were accepted, and are kept"));
	ck_assert_ptr_nonnull(strstr(said, "x.tmp: size or digest"));
	ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "f").state);
	holds(f, 100);
	OK(tf_vault_rename(v, att, "x.tmp", att, "x", true, &root, NULL));
	OK(tf_vault_sync(v, TF_ROOT_ID, &root, NULL));
	ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "x").state);
	holds(x, 100);
	stop();
}
END_TEST

/* Nothing is there to be read where it is said to lie. */
START_TEST(an_empty_file_is_sealed_wherever_its_bytes_are_said_to_be)
{
	uint64_t f = promise(att, "f", 0);

	stop();
	sql("UPDATE object SET body = NULL");
	start();
	ck_assert_ptr_nonnull(strstr(said, "f: size or digest"));
	ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "f").state);
	holds(f, 0);
	stop();
}
END_TEST

/* Neither the file that it grew into nor what was flushed is as it was. */
START_TEST(of_two_damaged_copies_the_longer_one_is_the_draft)
{
	uint64_t size = 1, id = promise(att, "f", 100);

	stop();
	put_file(staged(id), large, 1000);
	sql("UPDATE object SET body = zeroblob(100)");
	start();
	ck_assert(!is_there(att, "f"));
	ck_assert_uint_eq(1, interrupted(att, &size));
	ck_assert_uint_eq(1000, size);
	stop();
}
END_TEST

/* Nothing was ever written to it, as its row tells. */
START_TEST(a_placeholder_survives_a_restart)
{
	(void)promise(att, "f", 0);
	stop();
	sql("UPDATE stage SET dirty = 2");
	start();
	ck_assert_int_eq(TF_STATE_PLACEHOLDER, attr_of(att, "f").state);
	ck_assert_str_eq("", said);
	stop();
}
END_TEST

/* All that the next quarter of an hour would choose are sealed names. */
START_TEST(a_draft_takes_a_name_that_is_free)
{
	char name[256];

	(void)promise(att, "f", 100);
	stop();
	sql("UPDATE object SET body = zeroblob(100);"
	    "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s"
	    " WHERE i < 900) INSERT INTO node SELECT 500000 + i, parent,"
	    " CAST(strftime('f.%Y%m%dT%H%M%SZ.interrupted.part', 'now',"
	    " i || ' seconds') AS BLOB), 5, mode, uid, gid, 0, mtime, mtime_ns,"
	    " ctime, ctime_ns, btime, btime_ns, 0, NULL, NULL, NULL"
	    " FROM s, stage");
	start();
	ck_assert_ptr_nonnull(strstr(said, "the draft f."));
	snprintf(name, sizeof(name), "%s", strstr(said, "the draft f.") + 10);
	name[strcspn(name, ";")] = '\0';
	ck_assert_int_eq(TF_STATE_DRAFT, attr_of(att, name).state);
	stop();
	sql("CREATE TEMP TABLE t(x INTEGER NOT NULL); INSERT INTO t"
	    " SELECT NULL FROM stage JOIN node USING(parent, name)");
}
END_TEST

/* What stands beside a promise may be damaged, too. */
static const struct {
	const char *sql;
	bool sealed;
} facts[] = {
	{ "UPDATE stage SET actor = NULL, writers = NULL", true },
	{ "UPDATE stage SET writers = x'5b31'", true },
	{ "UPDATE stage SET writers = CAST((WITH RECURSIVE u(i) AS (SELECT 1"
	  " UNION ALL SELECT i + 1 FROM u WHERE i < 33)"
	  " SELECT '[' || group_concat(i) || ']' FROM u) AS BLOB)",
	    true },
	{ "UPDATE stage SET sha256 = NULL", false },
	{ "UPDATE stage SET sha256 = NULL, actor = NULL", false },
	{ "UPDATE stage SET sha256 = x'00'", false },
};

START_TEST(a_flushed_file_survives_without_its_digest_and_actor)
{
	uint64_t size = 1, id = promise(att, "f", 100);

	stop();
	sql(facts[_i].sql);
	start();
	if (facts[_i].sealed) {
		ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "f").state);
		holds(id, 100);
	} else {
		ck_assert(!is_there(att, "f"));
		ck_assert_uint_eq(1, interrupted(att, &size));
		ck_assert_uint_eq(100, size);
	}
	stop();
}
END_TEST

static const struct {
	const char *sql;
	uint64_t left;
} rows[] = {
	{ "UPDATE object SET body = zeroblob(100)", 100 },
	{ "UPDATE object SET body = zeroblob(99)", 99 },
	{ "UPDATE object SET body = NULL, size = 1000000", 0 },
	{ "UPDATE object SET body = zeroblob(7), size = 1000000", 7 },
	{ "DELETE FROM object", 0 },
};

START_TEST(damaged_bytes_of_the_database_are_a_draft_and_no_evidence)
{
	uint64_t size = 1;
	struct tf_dirent e[2];
	struct tf_reader *r;
	char have[200];
	size_t n, got;
	bool fresh;

	(void)promise(att, "f", 100);
	stop();
	sql(rows[_i].sql);
	start();
	ck_assert_ptr_nonnull(strstr(said,
	    "f was interrupted: what survived is the draft f."));
	ck_assert(!is_there(att, "f"));
	ck_assert_uint_eq(1, interrupted(att, &size));
	ck_assert_uint_eq(rows[_i].left, size);
	OK(tf_vault_list(v, att, 0, e, 2, &n, NULL));
	ck_assert_uint_eq(1, n);
	OK(tf_vault_open_read(v, e[0].attr.id, 0, &r, &fresh, NULL));
	OK(tf_reader_read(r, have, sizeof(have), 0, &got, NULL));
	ck_assert_uint_eq(rows[_i].left, got);
	for (size_t i = 0; i < got; i++)
		ck_assert_int_eq(0, have[i]);
	tf_reader_close(r);
	stop();
}
END_TEST

/* Shorter than it was when it was flushed: no memory is shown for the rest. */
START_TEST(bytes_that_go_missing_while_mounted_cannot_be_read)
{
	struct tf_error err = { .code = TF_OK };
	struct tf_reader *r;
	char have[200];
	size_t got;
	bool fresh;
	uint64_t id = promise(att, "x.tmp", 100);

	stop();
	start();
	sql("UPDATE object SET body = zeroblob(7)");
	OK(tf_vault_open_read(v, id, 0, &r, &fresh, NULL));
	ck_assert_int_eq(TF_TAMPER,
	    tf_reader_read(r, have, sizeof(have), 0, &got, &err));
	ck_assert_str_eq("staged bytes changed their size", err.text);
	tf_reader_close(r);
	stop();
}
END_TEST

/* One that cannot be read keeps no other one away, and is tried again. */
START_TEST(what_cannot_be_read_is_tried_again)
{
	uint64_t id = promise(att, "f", LARGE);

	(void)promise(att, "g", LARGE);
	stop();
	ck_assert_int_eq(0, rename(staged(id), "store/aside"));
	ck_assert_int_eq(0, mkdir(staged(id), 0700));
	start();
	ck_assert_ptr_nonnull(strstr(said, "f could not be recovered"));
	ck_assert_ptr_nonnull(strstr(said, "1 files"));
	ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "g").state);
	ck_assert_int_ne(TF_STATE_SEALED, attr_of(att, "f").state);
	stop();
	ck_assert_int_eq(0, rmdir(staged(id)));
	ck_assert_int_eq(0, rename("store/aside", staged(id)));
	start();
	ck_assert_int_eq(TF_STATE_SEALED, attr_of(att, "f").state);
	holds(id, LARGE);
	stop();
}
END_TEST

START_TEST(staged_files_that_no_row_knows_are_swept)
{
	uint64_t id = promise(att, "x.tmp", LARGE);

	stop();
	put_file("store/stage/999999", "x", 1);
	put_file("store/stage/7.new", "x", 1);
	put_file("store/stage/notes", "x", 1);
	put_file("store/stage/x", "x", 1);
	start();
	ck_assert_int_ne(0, access("store/stage/999999", F_OK));
	ck_assert_int_ne(0, access("store/stage/7.new", F_OK));
	/* Whose these are it does not know. */
	ck_assert_int_eq(0, access("store/stage/notes", F_OK));
	ck_assert_int_eq(0, access("store/stage/x", F_OK));
	holds(id, LARGE);
	stop();
}
END_TEST

Suite *suite_recover(void);

Suite *
suite_recover(void)
{
	Suite *s = suite_create("recover");
	TCase *t = tcase_create("stage");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_store, remove_store);
	tcase_add_test(t, what_was_flushed_is_sealed);
	tcase_add_loop_test(t, a_draft_stays_one_and_can_be_written, 0, 3);
	tcase_add_test(t, a_file_moved_among_drafts_is_one);
	tcase_add_test(t,
	    a_draft_that_is_an_object_already_is_written_in_a_copy);
	tcase_add_test(t, short_content_is_read_from_the_database);
	tcase_add_loop_test(t, damaged_content_is_a_draft_and_no_evidence, 0,
	    (int)(sizeof(damages) / sizeof(damages[0])));
	tcase_add_loop_test(t,
	    bytes_as_promised_are_sealed_whatever_stands_beside_them, 0,
	    (int)(sizeof(mendable) / sizeof(mendable[0])));
	tcase_add_loop_test(t,
	    damaged_bytes_of_the_database_are_a_draft_and_no_evidence, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t,
	    an_empty_file_is_sealed_wherever_its_bytes_are_said_to_be);
	tcase_add_test(t, of_two_damaged_copies_the_longer_one_is_the_draft);
	tcase_add_test(t, a_placeholder_survives_a_restart);
	tcase_add_test(t, a_draft_takes_a_name_that_is_free);
	tcase_add_loop_test(t,
	    a_flushed_file_survives_without_its_digest_and_actor, 0,
	    (int)(sizeof(facts) / sizeof(facts[0])));
	tcase_add_test(t, bytes_that_go_missing_while_mounted_cannot_be_read);
	tcase_add_test(t, what_cannot_be_read_is_tried_again);
	tcase_add_test(t, staged_files_that_no_row_knows_are_swept);
	suite_add_tcase(s, t);
	return s;
}
