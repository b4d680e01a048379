/* A store in which somebody put what makes a program wait: FIFOs, directories
 * that are a circle, numbers beyond all sense, locks.  Nothing hangs. */
#include <sqlite3.h>

#include "harness.h"

#define BIG 200000 /* bytes: a file of stage/ or objects/ */
#define IN_TIME "timeout -k 1 30 "
#define VKEY "--vkey $(cat good/keys/log.vkey)"

/* A store with small and big evidence and a big draft; also as "good". */
static void
fill(void)
{
	mount_vault("settle=0");
	make_attestation();
	allowed(mkdir(A "/sub", 0755));
	put(A "/sub/small", "x");
	put_bytes(A "/big", noise(BIG, 1), BIG);
	becomes(A "/big", "sealed");
	becomes(A "/sub/small", "sealed");
	put_bytes(A "/sub/big.tmp", noise(BIG, 2), BIG);
	unmount_vault();
	run(0, "cp -a store good");
}

static void
restore(void)
{
	run(0, "rm -rf store && cp -a good store");
}

/* Run it; it may answer what it likes, but it must answer. */
static void
answers_in_time(const char *command)
{
	const char *said = run(0,
	    IN_TIME "%s; s=$?; [ $s != 124 ] && [ $s != 137 ] || echo "
		    "HANGS; fusermount3 -u mnt 2>/dev/null; "
		    "[ ! -f store/lock ] || flock store/lock true",
	    command);

	ck_assert_msg(strstr(said, "HANGS") == NULL, "%s: %s", command, said);
}

/* --- files that are none ---------------------------------------------- */

static const char *const files[] = { "config", "checkpoint", "lock",
	"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal",
	"keys/log.vkey", "keys/log.pem", "keys/log.pub.pem", "objects/*/*",
	"objects", "stage", "keys" };

/* Loop test. */
START_TEST(a_fifo_in_the_place_of_a_file)
{
	static const char *const commands[] = { "trailfs store mnt",
		"trailfs store mnt -o ro", "trailctl verify store",
		"trailctl status store", "trailctl log store",
		"trailctl seal store/t/w/a",
		"trailctl package -o p.zip store/t/w",
		"trailctl export-log store tiles",
		"trailctl verify --against good store",
		"trailctl init --recover store" };

	fill();
	for (size_t i = 0; i < LEN(commands); i++) {
		run(0, "f=$(echo store/%s); rm -rf $f && mkfifo -m 600 $f",
		    files[_i]);
		answers_in_time(commands[i]);
		restore();
	}
	expect_no_verify();
}
END_TEST

/* Its bytes are gone, but the vault serves all others. */
START_TEST(a_fifo_in_the_place_of_a_staged_file)
{
	char buf[8];
	int fd;

	fill();
	run(0, "f=$(echo store/stage/*); rm $f && mkfifo -m 600 $f");
	mount_vault("settle=0");
	says(content("log", NULL), "is not a plain file");
	if ((fd = open(A "/sub/big.tmp", O_RDONLY)) >= 0) {
		ck_assert_int_lt(read(fd, buf, sizeof buf), 0);
		close(fd);
	}
	(void)try_open(A "/sub/big.tmp", O_WRONLY);
	holds(A "/sub/small", "x");
	put(A "/other", "y");
	becomes(A "/other", "sealed");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(a_fifo_in_a_log_or_a_package)
{
	static const char *const rows[][2] = {
		{ "tiles/checkpoint", "trailctl verify " VKEY " tiles" },
		{ "$(find tiles/tile -type f | head -1)",
		    "trailctl verify " VKEY " tiles" },
		{ "$(find tiles/tile/entries -type f | head -1)",
		    "trailctl verify " VKEY " tiles" },
		{ "tiles/checkpoint", "trailctl export-log store tiles" },
		{ "dir/w/package.json",
		    "trailctl verify --against dir/w store" },
		{ "$(find dir/w/data -type f | head -1)",
		    "trailctl verify --against dir/w store" },
		{ "dir/w/package.json", "trailctl verify " VKEY " dir/w" },
		{ "$(find dir -name '*.tlog-proof' | head -1)",
		    "trailctl verify " VKEY " dir/w" },
	};

	fill();
	for (size_t i = 0; i < LEN(rows); i++) {
		run(0,
		    "rm -rf tiles dir p.zip && trailctl export-log store tiles "
		    "&& trailctl package --no-entry -o p.zip store/t/w && "
		    "trailctl unpack p.zip dir && f=%s && rm \"$f\" && "
		    "mkfifo \"$f\"",
		    rows[i][0]);
		answers_in_time(rows[i][1]);
	}
}
END_TEST

/* --- circles ----------------------------------------------------------- */

static void
log_says(const char *text)
{
	run(0,
	    "for i in $(seq 600); do grep -q '%s' log && exit 0; sleep 0.1; "
	    "done; cat log; exit 1",
	    text);
}

/* Status, log and verify name a row without a place; its bytes stay, and all
 * else works.  The store is not mounted. */
static void
is_set_aside(const char *why)
{
	run(0, ": >log");
	answers_in_time("trailctl status store");
	says(run(0, "trailctl status --json store"), why);
	mount_vault("settle=0");
	log_says(why);
	says(content("mnt/.trailfs/status.json", NULL), why);
	ck_assert(!exists(A "/sub/big.tmp"));
	says_not(run(0, "ls -a " A " " A "/sub || true"), "big.tmp");
	put(A "/other", "y");
	becomes(A "/other", "sealed");
	run(0, "trailctl seal " A);
	unmount_vault();
	says(run(1, "trailctl verify store"), why);
	run(0, "test $(stat -c %%s store/stage/*) = %d", BIG);
}

/* Loop test: a row of stage, as directory, as attestation and as file, that
 * is its own parent, and others that have no place. */
static const struct {
	const char *sql, *why;
} unplaced[] = {
	{ "UPDATE stage SET parent = id", "nothing of its kind can stand" },
	{ "UPDATE stage SET parent = id, kind = 4", "a circle" },
	{ "UPDATE stage SET parent = id, kind = 3",
	    "no node of this kind and name can be pending" },
	{ "INSERT INTO stage SELECT id + 1, id + 2, name, 4, 0, mode, uid, gid,"
	  " 0, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL FROM stage;"
	  "INSERT INTO stage SELECT id + 1, id, name, 4, 0, mode, uid, gid, 0,"
	  " NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL FROM stage WHERE kind = 4;"
	  "UPDATE stage SET parent = id + 1 WHERE kind = 5",
	    "a circle" },
	{ "UPDATE stage SET parent = 1000000", "is missing" },
	{ "UPDATE stage SET parent = 1", "nothing of its kind can stand" },
	{ "UPDATE stage SET kind = 2",
	    "no node of this kind and name can be pending" },
	{ "UPDATE stage SET name = x'2e2e'",
	    "no node of this kind and name can be pending" },
	{ "UPDATE stage SET name = x'612f62'",
	    "no node of this kind and name can be pending" },
	{ "UPDATE stage SET mode = -1", "malformed" },
	{ "UPDATE stage SET name = zeroblob(300)", "malformed" },
};

START_TEST(a_row_of_stage_without_a_place_is_set_aside)
{
	fill();
	tamper("%s", unplaced[_i].sql);
	is_set_aside(unplaced[_i].why);
}
END_TEST

START_TEST(a_repaired_row_of_stage_is_a_draft_again)
{
	fill();
	tamper("UPDATE stage SET parent = parent + 1000000");
	mount_vault("settle=0");
	put(A "/new.tmp", "a new one gets another number");
	unmount_vault();
	tamper("UPDATE stage SET parent = parent - 1000000"
	       " WHERE parent > 1000000");
	mount_vault("settle=0");
	allowed(rename(A "/sub/big.tmp", A "/sub/big"));
	becomes(A "/sub/big", "sealed");
	run(0, "test $(stat -c %%s " A "/sub/big) = %d", BIG);
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(a_directory_that_is_its_own_parent)
{
	int dir;

	fill();
	tamper("UPDATE node SET parent = id WHERE CAST(name AS TEXT) = 'sub'");
	mount_vault("settle=0");
	log_says("a circle"); /* of the draft in it */
	put(A "/other", "y");
	becomes(A "/other", "sealed");
	unmount_vault();
	answers_in_time("trailctl verify store");
	answers_in_time("trailctl log store");
	answers_in_time("trailctl package -o p.zip store/t/w");
	restore();
	/* While somebody is in it. */
	mount_vault("settle=0,moved");
	dir = open(A "/sub", O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir, 0);
	tamper("UPDATE node SET parent = id WHERE CAST(name AS TEXT) = 'sub'");
	ck_assert_int_lt(openat(dir, "new", O_WRONLY | O_CREAT, 0644), 0);
	ck_assert_int_lt(renameat(dir, "big.tmp", dir, "big"), 0);
	(void)fsync(dir);
	close(dir);
	put(A "/other", "y");
	becomes(A "/other", "sealed");
	tamper("UPDATE node SET parent = (SELECT id FROM node WHERE"
	       " CAST(name AS TEXT) = 'a') WHERE CAST(name AS TEXT) = 'sub'");
	unmount_vault();
	verify(0);
}
END_TEST

/* --- numbers ------------------------------------------------------------ */

static unsigned long
peak_kib(void)
{
	const char *said = run(0, "grep VmHWM /proc/%d/status",
	    (int)vault_pid());
	unsigned long kib;

	ck_assert_int_eq(1, sscanf(said, "VmHWM: %lu", &kib));
	return kib;
}

/* A bit for each number up to this one would be 256 MiB. */
START_TEST(an_object_with_a_huge_number_costs_no_memory)
{
	fill();
	tamper("UPDATE object SET id = 2147483648 WHERE id = (SELECT object "
	       "FROM node WHERE CAST(name AS TEXT) = 'small');"
	       "UPDATE digest SET object = 2147483648 WHERE object = (SELECT "
	       "object FROM node WHERE CAST(name AS TEXT) = 'small');"
	       "UPDATE node SET object = 2147483648 WHERE "
	       "CAST(name AS TEXT) = 'small'");
	mount_vault("settle=0");
	holds(A "/sub/small", "x");
	ck_assert_uint_lt(peak_kib(), 200000);
	unmount_vault();
	verify(0);
}
END_TEST

/* --- locks and signals ---------------------------------------------------- */

static sqlite3 *
lock_database(void)
{
	sqlite3 *db;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	return db;
}

static void
unlock_database(sqlite3 *db)
{
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL));
	ck_assert_int_eq(SQLITE_OK, sqlite3_close(db));
}

static int
write_one(void)
{
	int fd = open(A "/waits", O_WRONLY | O_CREAT, 0644);

	return fd < 0 || write(fd, "x", 1) != 1 || close(fd) < 0;
}

/* Longer than SQLite waits by itself; then everything goes on. */
START_TEST(a_foreign_lock_makes_writers_wait)
{
	sqlite3 *db;
	pid_t child;

	mount_vault("settle=0");
	make_attestation();
	db = lock_database();
	child = in_child(write_one);
	log_says("holds a lock");
	ck_assert(exists(A)); /* readers do not wait */
	unlock_database(db);
	ck_assert_int_eq(0, child_ended(child));
	log_says("lock on the database is gone");
	becomes(A "/waits", "sealed");
	put_sealed(A "/next", "y");
	unmount_vault();
	verify(0);
}
END_TEST

/* Too long: who waited gets an error, and the next one succeeds. */
START_TEST(a_foreign_lock_does_not_end_the_writing)
{
	sqlite3 *db;
	pid_t child;

	skip_unless(long_run(), "half a minute: TRAILFS_LONG");
	mount_vault("settle=0");
	make_attestation();
	db = lock_database();
	child = in_child(write_one);
	log_says("what waited for it failed");
	unlock_database(db);
	ck_assert_int_eq(1, child_ended(child));
	put_sealed(A "/next", "y");
	unmount_vault();
	verify(0);
}
END_TEST

/* It cannot go on from there while the database is locked. */
static void
await_open_database(void)
{
	run(0,
	    "for i in $(seq 600); do ls -l /proc/%d/fd 2>/dev/null | "
	    "grep -q ledger.db && exit 0; sleep 0.1; done; exit 1",
	    (int)vault_pid());
}

/* The start waits for a lock, as it may for a disk; a signal ends it, however
 * long it has waited. */
START_TEST(a_signal_ends_a_start)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	sqlite3 *db;

	fill();
	for (size_t i = 0; i < LEN(signals); i++) {
		run(0, ": >log");
		db = lock_database();
		start_vault("settle=0");
		if (i == 0)
			log_says("holds a lock");
		else
			await_open_database();
		kill(vault_pid(), signals[i]);
		ck_assert_int_eq(1, vault_ended());
		says(content("log", NULL), "stopped by a signal");
		unlock_database(db);
	}
	mount_vault("settle=0");
	unmount_vault();
	verify(0);
}
END_TEST

Suite *
suite_hostile(void)
{
	Suite *s = suite_create("hostile");
	TCase *t = stored_case(s, "hostile");

	tcase_add_loop_test(t, a_fifo_in_the_place_of_a_file, 0, LEN(files));
	tcase_add_test(t, a_fifo_in_the_place_of_a_staged_file);
	tcase_add_test(t, a_fifo_in_a_log_or_a_package);
	tcase_add_loop_test(t, a_row_of_stage_without_a_place_is_set_aside, 0,
	    LEN(unplaced));
	tcase_add_test(t, a_repaired_row_of_stage_is_a_draft_again);
	tcase_add_test(t, a_directory_that_is_its_own_parent);
	tcase_add_test(t, an_object_with_a_huge_number_costs_no_memory);
	tcase_add_test(t, a_foreign_lock_makes_writers_wait);
	tcase_add_test(t, a_foreign_lock_does_not_end_the_writing);
	tcase_add_test(t, a_signal_ends_a_start);
	return s;
}
