/*
 * The home of a store: a copy is not written, a store that was moved is, once
 * somebody has said so.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/clock.h"
#include "../../core/ledger/entry.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/home.h"
#include "../../core/node/home.h"
#include "../../core/node/vault_i.h"
#include "../../core/vault.h"
#include "../../core/verify.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)

static const struct tf_actor root = { .loginuid = -1, .session = -1 };
static char dir[256];
static struct tf_buf vkey;

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
make_store(void)
{
	const char *tmp = getenv("TMPDIR");

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/home.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	OK(tf_vault_init("store", "example.org/home", &root, &vkey, NULL));
}

static void
remove_store(void)
{
	tf_buf_free(&vkey);
	sh("rm -rf store copy above other run");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static enum tf_code
open_at(const char *path, bool moved, struct tf_vault **v, struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = &root,
		.moved = moved };

	return tf_vault_open(path, &o, v, err);
}

/* Opened and closed, which appends two entries. */
static void
go_on(const char *path, bool moved)
{
	struct tf_vault *v;

	OK(open_at(path, moved, &v, NULL));
	OK(tf_vault_close(v, "done", NULL));
}

static void
refused(const char *path, const char *says)
{
	struct tf_error err = { .code = TF_OK };
	struct tf_vault *v;

	ck_assert_int_eq(TF_FOREIGN, open_at(path, false, &v, &err));
	ck_assert_msg(strstr(err.text, says) != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, "-o moved") != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, "trailctl restore") != NULL, "%s",
	    err.text);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text) - 1);
}

static uint64_t
size_of(const char *path)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	uint64_t entries, bytes;
	struct tf_vault *v;

	OK(tf_vault_open(path, &o, &v, NULL));
	OK(tf_vault_size(v, &entries, &bytes, NULL));
	OK(tf_vault_close(v, "done", NULL));
	return entries;
}

/* The field home of that entry. */
static struct tf_home
home_of(const char *path, uint64_t seq)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_entry_decoded d;
	struct tf_json_doc doc;
	struct tf_buf text = { 0 };
	struct tf_home h;
	struct tf_vault *v;

	OK(tf_vault_open(path, &o, &v, NULL));
	OK(tf_vault_entry(v, seq, &text, NULL));
	OK(tf_entry_decode(&d, text.p, text.n, NULL));
	ck_assert_ptr_nonnull(d.e.home.p);
	OK(tf_json_parse(&doc, d.e.home.p, d.e.home.n, NULL));
	tf_home_read(&doc, &h);
	h.path = h.device = (struct tf_str){ NULL, 0 };
	tf_json_doc_free(&doc);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	OK(tf_vault_close(v, "done", NULL));
	return h;
}

static enum tf_verdict
verdict_of(const char *path)
{
	struct tf_verify how = { .threads = 1 };
	struct tf_report r;

	OK(tf_verify_store(path, &how, &r, NULL));
	ck_assert_uint_eq(0, r.findings);
	return r.check[TF_CHECK_ENTRIES];
}

/* --- starts ----------------------------------------------------------------- */

START_TEST(the_first_entry_has_the_home)
{
	struct tf_home h = home_of("store", 0);
	struct stat st;

	ck_assert_int_eq(0, stat("store", &st));
	ck_assert(h.directory.has_inode && h.directory.inode == st.st_ino);
	ck_assert_int_eq(0, stat("store/ledger.db", &st));
	ck_assert(h.database.has_inode && h.database.inode == st.st_ino);
	ck_assert(!h.moved);
	go_on("store", false);
	go_on("store", false);
}
END_TEST

/* Each copies what store has; the names of directories differ or not. */
static const char *const copies[] = {
	"cp -a store copy",
	"cp -r store copy",
	"mkdir copy && tar -C store -c . | tar -C copy -xp",
	"mv store other && cp -a other copy && cp -a other store",
	/* The backup is put back where the store was. */
	"cp -a store other && rm -rf store && cp -a other copy",
};

START_TEST(a_copy_is_not_written)
{
	sh(copies[_i]);
	refused("copy", "in another directory");
	ck_assert_uint_eq(2, size_of("copy"));
	ck_assert_int_eq(TF_VERDICT_OK, verdict_of("copy"));
	refused("copy", "in another directory");
}
END_TEST

/* Each puts all files of a backup back into the directory of the store. */
static const char *const put_back[] = {
	"cp -a store other && rm store/ledger.db* && cp -af other/. store",
	"cp -a store other && rsync -a --delete --ignore-times other/ store",
	"cp -a store other && tar -C other -c . | tar -C store -xp",
};

START_TEST(a_backup_in_the_same_directory_is_not_written)
{
	sh(put_back[_i]);
	refused("store", "to another ledger.db");
	ck_assert_int_eq(TF_VERDICT_OK, verdict_of("store"));
	go_on("store", true);
	ck_assert(home_of("store", 2).moved);
	go_on("store", false);
}
END_TEST

/* What this program does to the database leaves the file as it is. */
START_TEST(maintenance_is_at_home)
{
	sh("sqlite3 store/ledger.db 'PRAGMA wal_checkpoint(TRUNCATE)'");
	go_on("store", false);
}
END_TEST

START_TEST(a_renamed_store_is_at_home)
{
	sh("mkdir above && mv store above/copy");
	go_on("above/copy", false);
	sh("mv above other");
	go_on("other/copy", false);
	ck_assert(!home_of("other/copy", 4).moved);
}
END_TEST

START_TEST(a_moved_store_goes_on_when_somebody_says_so)
{
	sh("cp -a store copy && rm -rf store");
	go_on("copy", true);
	ck_assert(home_of("copy", 2).moved);
	/* Once is enough, and is not said of later starts. */
	go_on("copy", false);
	go_on("copy", true);
	ck_assert(!home_of("copy", 4).moved);
	ck_assert(!home_of("copy", 6).moved);
	ck_assert_int_eq(TF_VERDICT_OK, verdict_of("copy"));
}
END_TEST

/* A copy may go on as a vault of its own. */
START_TEST(a_copy_goes_on_under_a_new_origin)
{
	struct tf_buf key = { 0 };

	sh("cp -a store copy");
	OK(tf_vault_recover("copy", NULL, &root, &key, NULL));
	tf_buf_add(&key, "", 1);
	ck_assert_int_eq(0, strncmp(key.p, "example.org/home/2+", 19));
	ck_assert(!home_of("copy", 2).moved);
	go_on("copy", false);
	go_on("store", false);
	tf_buf_free(&key);
}
END_TEST

/* As a version did that knew no home. */
START_TEST(a_store_without_a_home_records_one)
{
	sh("sqlite3 store/ledger.db \"DELETE FROM meta WHERE key = 'opened'\" &&"
	   " cp -a store copy");
	go_on("copy", false);
	ck_assert(home_of("copy", 2).database.has_inode);
	sh("cp -a copy other");
	refused("other", "in another directory");
}
END_TEST

/* --- rules ------------------------------------------------------------------ */

#define MACHINE .has_machine = true, .machine = { { 1 } }
#define OTHER .has_machine = true, .machine = { { 2 } }
#define FILE_OF(n, t)            \
	{                        \
		true, (n), true, \
		{                \
			5, (t)   \
		}                \
	}
#define INODE .directory.has_inode = true, .directory.inode = 7
#define BORN .directory.has_born = true, .directory.born = { 5, 6 }

static const struct {
	struct tf_home a, b;
	enum tf_home_answer want;
} pairs[] = {
	{ { MACHINE, INODE, BORN }, { MACHINE, INODE, BORN }, TF_HOME_SAME },
	{ { MACHINE, INODE, BORN }, { OTHER, INODE, BORN },
	    TF_HOME_OTHER_MACHINE },
	{ { MACHINE, INODE }, { OTHER, INODE }, TF_HOME_OTHER_MACHINE },
	{ { MACHINE, INODE, BORN }, { MACHINE, .directory = FILE_OF(8, 6) },
	    TF_HOME_OTHER_DIRECTORY },
	/* The root directories of two disks have one number. */
	{ { MACHINE, INODE, BORN }, { MACHINE, .directory = FILE_OF(7, 7) },
	    TF_HOME_OTHER_DIRECTORY },
	/* A backup was put back into the directory. */
	{ { MACHINE, INODE, BORN, .database = FILE_OF(9, 9) },
	    { MACHINE, INODE, BORN, .database = FILE_OF(9, 9) }, TF_HOME_SAME },
	{ { MACHINE, INODE, BORN, .database = FILE_OF(9, 9) },
	    { MACHINE, INODE, BORN, .database = FILE_OF(8, 9) },
	    TF_HOME_OTHER_FILE },
	{ { MACHINE, INODE, BORN, .database = FILE_OF(9, 9) },
	    { MACHINE, INODE, BORN, .database = FILE_OF(9, 8) },
	    TF_HOME_OTHER_FILE },
	{ { MACHINE, INODE, BORN, .database = FILE_OF(9, 9) },
	    { MACHINE, INODE, BORN,
		.database = { .has_inode = true, .inode = 9 } },
	    TF_HOME_SAME },
	/* The entry of an earlier version. */
	{ { MACHINE, INODE, BORN, .database = FILE_OF(9, 9) },
	    { MACHINE, INODE, BORN }, TF_HOME_SAME },
	/* A container without a machine id; a file system without born. */
	{ { MACHINE, INODE, BORN }, { INODE, BORN }, TF_HOME_SAME },
	{ { INODE, BORN }, { MACHINE, INODE }, TF_HOME_SAME },
	{ { .directory.inode = 1 }, { MACHINE, INODE, BORN }, TF_HOME_SAME },
	/* After a restart the disk may have another number. */
	{ { INODE, .device = { "8:1", 3 }, .path = { "/a", 2 } },
	    { INODE, .device = { "8:2", 3 }, .path = { "/b", 2 } },
	    TF_HOME_SAME },
};

START_TEST(only_what_both_know_is_compared)
{
	ck_assert_int_eq(pairs[_i].want,
	    tf_home_compare(&pairs[_i].a, &pairs[_i].b));
	ck_assert_int_eq(pairs[_i].want,
	    tf_home_compare(&pairs[_i].b, &pairs[_i].a));
}
END_TEST

START_TEST(a_home_is_read_as_it_was_written)
{
	struct tf_home h = { MACHINE,
		.directory = { .has_inode = true,
		    .inode = UINT64_MAX,
		    .has_born = true,
		    .born = { 5, 6 } },
		.database = FILE_OF(UINT64_MAX - 1, 7), .device = { "8:1", 3 },
		.path = { "/srv/a b", 8 }, .moved = true },
		       back;
	struct tf_buf text = { 0 };
	struct tf_json_doc d;

	OK(tf_home_text(&h, &text, NULL));
	OK(tf_json_parse(&d, text.p, text.n, NULL));
	tf_home_read(&d, &back);
	ck_assert_int_eq(TF_HOME_SAME, tf_home_compare(&h, &back));
	ck_assert(back.has_machine);
	ck_assert(back.directory.has_inode && back.directory.has_born);
	ck_assert_uint_eq(UINT64_MAX, back.directory.inode);
	ck_assert(back.database.has_inode && back.database.has_born);
	ck_assert_uint_eq(UINT64_MAX - 1, back.database.inode);
	ck_assert_int_eq(7, back.database.born.ns);
	ck_assert(back.moved);
	ck_assert_mem_eq("/srv/a b", back.path.p, 8);
	ck_assert_mem_eq("8:1", back.device.p, 3);
	tf_json_doc_free(&d);
	tf_buf_free(&text);
}
END_TEST

/* Two stores of one machine have nothing in common; what is no id is none. */
START_TEST(a_machine_has_an_id_of_its_own_for_each_store)
{
	static const char id[] = "3d1219c7c4c5404aaa1f6d2a48adfda4\n";
	static const char *const none[] = { "", "\n", "uninitialized\n",
		"3d1219c7c4c5404aaa1f6d2a48adfda\n",
		"3D1219C7C4C5404AAA1F6D2A48ADFDA4\n" };
	struct tf_hash a, b, c;

	ck_assert(tf_home_machine(id, "00", &a));
	ck_assert(tf_home_machine(id, "01", &b));
	ck_assert(tf_home_machine("3d1219c7c4c5404aaa1f6d2a48adfda5", "00",
	    &c));
	ck_assert_mem_ne(&a, &b, sizeof(a));
	ck_assert_mem_ne(&a, &c, sizeof(a));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(!tf_home_machine(none[i], "00", &a), "%s",
		    none[i]);
}
END_TEST

START_TEST(a_clock_service_is_known_by_its_files)
{
	static const char *const files[][2] = {
		{ "run/chrony/chronyd.pid", "chrony" },
		{ "run/chronyd.pid", "chrony" },
		{ "run/ntpd.pid", "ntpd" },
		{ "run/systemd/timesync/synchronized", "systemd-timesyncd" },
	};

	sh("mkdir -p run/chrony run/systemd/timesync");
	ck_assert_str_eq("", tf_clock_source("run"));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char line[128];

		snprintf(line, sizeof(line), ": >%s", files[i][0]);
		sh(line);
		ck_assert_str_eq(files[i][1], tf_clock_source("run"));
		ck_assert_int_eq(0, unlink(files[i][0]));
	}
}
END_TEST

Suite *suite_home(void);

Suite *
suite_home(void)
{
	Suite *s = suite_create("home");
	TCase *t = tcase_create("starts"), *r = tcase_create("rules");

	tcase_add_checked_fixture(t, make_store, remove_store);
	tcase_add_test(t, the_first_entry_has_the_home);
	tcase_add_loop_test(t, a_backup_in_the_same_directory_is_not_written, 0,
	    sizeof(put_back) / sizeof(put_back[0]));
	tcase_add_test(t, maintenance_is_at_home);
	tcase_add_loop_test(t, a_copy_is_not_written, 0,
	    (int)(sizeof(copies) / sizeof(copies[0])));
	tcase_add_test(t, a_renamed_store_is_at_home);
	tcase_add_test(t, a_moved_store_goes_on_when_somebody_says_so);
	tcase_add_test(t, a_copy_goes_on_under_a_new_origin);
	tcase_add_test(t, a_store_without_a_home_records_one);
	tcase_add_test(t, a_clock_service_is_known_by_its_files);
	suite_add_tcase(s, t);
	tcase_add_loop_test(r, only_what_both_know_is_compared, 0,
	    (int)(sizeof(pairs) / sizeof(pairs[0])));
	tcase_add_test(r, a_home_is_read_as_it_was_written);
	tcase_add_test(r, a_machine_has_an_id_of_its_own_for_each_store);
	suite_add_tcase(s, r);
	return s;
}
