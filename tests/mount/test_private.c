/* The store is its owner's alone: whatever directory and umask it was made
 * with, nobody else can read or write a file of it. */
#include "harness.h"

#define OPEN_TO_OTHERS "find store -ignore_readdir_race -perm /077 ! -type l"
#define BIG 200000 /* bytes: a file of objects/ */

static void
nothing_is_open(void)
{
	ck_assert_str_eq("", run(0, OPEN_TO_OTHERS));
}

/* Write small and big evidence and a draft; look while all files are there. */
static void
use_it(void)
{
	mount_vault("settle=0");
	make_attestation();
	put(A "/small", "x");
	put_bytes(A "/big", noise(BIG, 1), BIG);
	put_bytes(A "/big.tmp", noise(BIG, 2), BIG);
	becomes(A "/big", "sealed");
	ck_assert(exists("store/ledger.db-wal"));
	nothing_is_open();
	remount_vault();
	nothing_is_open();
	unmount_vault();
	nothing_is_open();
	verify(0);
}

/* Loop test: umasks that give too much, and too little. */
START_TEST(a_new_store_is_private)
{
	static const char *const masks[] = { "0000", "0022", "0077", "0277" };

	run(0,
	    "rm -rf store && umask %s && "
	    "trailctl init --origin example.org/test store",
	    masks[_i]);
	nothing_is_open();
	ck_assert_uint_eq(0700, stat_of("store").st_mode & 07777);
	ck_assert_uint_eq(0700, stat_of("store/keys").st_mode & 07777);
	ck_assert_uint_eq(0600, stat_of("store/ledger.db").st_mode & 07777);
	use_it();
}
END_TEST

/* Loop test: modes of a directory that was there before. */
START_TEST(a_store_in_a_directory_that_was_there_is_private)
{
	static const char *const modes[] = { "0755", "0777", "2775", "1777" };

	run(0,
	    "rm -rf store && mkdir store && chmod %s store && "
	    "trailctl init --origin example.org/test store",
	    modes[_i]);
	nothing_is_open();
	as(ALICE);
	refused(EACCES, try_open("store/ledger.db", O_RDONLY));
	as(0);
	use_it();
}
END_TEST

START_TEST(init_in_a_directory_of_another_user_is_refused)
{
	run(0, "mkdir theirs && chown %d theirs", ALICE);
	says(run(3, "trailctl init theirs"), "belongs to uid 1001");
	ck_assert_str_eq("", run(0, "ls -A theirs"));
}
END_TEST

/* As earlier versions made it in a directory with mode 0755. */
START_TEST(a_store_that_is_open_to_others_is_closed_at_start)
{
	use_it();
	run(0, "chmod 0755 store store/objects store/stage");
	run(0, "chmod 0755 store/keys && chmod 0444 store/keys/log.vkey");
	run(0, "chmod 0644 store/ledger.db store/config");
	mount_vault("ro,settle=0"); /* changes nothing, but says it */
	says(content("log", NULL), "ledger.db is open to others: mode 0644");
	unmount_vault();
	ck_assert_uint_eq(0644, stat_of("store/ledger.db").st_mode & 07777);
	mount_vault("settle=0");
	says(content("log", NULL),
	    "ledger.db was open to others, mode 0644: it has mode 0600 now");
	says(content("log", NULL), "the store's directory was open to others");
	says(content("log", NULL), "keys/log.vkey was open to others");
	put(A "/more", "x");
	nothing_is_open();
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(links_and_types_are_named)
{
	static const struct {
		const char *make, *says;
	} rows[] = {
		{ "ln store/config other", "config has 2 names" },
		{ "mv store/objects o && ln -s $PWD/o store/objects",
		    "objects is a symbolic link" },
	};

	use_it();
	run(0, "cp -a store good");
	for (size_t i = 0; i < LEN(rows); i++) {
		run(0, "%s", rows[i].make);
		mount_vault("settle=0,moved");
		says(content("log", NULL), rows[i].says);
		unmount_vault();
		run(0, "rm -rf store o other && cp -a good store");
	}
}
END_TEST

/* Loop test.  The daemon runs as the owner of the store, and could not use what
 * belongs to others. */
START_TEST(a_store_of_several_owners_is_refused)
{
	static const struct {
		const char *make, *says;
	} rows[] = {
		{ "chown 1001 store/config",
		    "config belongs to uid 1001, the store to uid 0: "
		    "chown -R 0 STORE" },
		{ "chown 1001 store/stage",
		    "stage belongs to uid 1001, the store to uid 0" },
		{ "chown 1001 store",
		    "objects belongs to uid 0, the store to uid 1001: "
		    "chown -R 1001 STORE" },
	};

	use_it();
	run(0, "%s", rows[_i].make);
	start_vault("settle=0");
	ck_assert_int_eq(1, vault_ended());
	says(content("log", NULL), rows[_i].says);
	run(0, "chown -R 0 store");
	mount_vault("settle=0");
	unmount_vault();
}
END_TEST

static const char *const strays[] = { "report.pdf", "t", "t/w", "objects/x",
	"objects/ab/report", "stage/report", "keys/other.pem", ".hidden",
	"stage/12x", "checkpoint.old", "objects/ab/ABCD",
	"objects/ab/x.damaged" };

/* Loop test.  Evidence that is copied into the store instead of the mount is
 * not recorded; nothing else is wrong. */
START_TEST(verify_names_foreign_files_in_a_store)
{
	const char *name = strays[_i];
	bool deep = strncmp(name, "objects/ab/", 11) == 0;

	use_it();
	run(0, "mkdir -p store/$(dirname %s) && echo x >store/%s", name, name);
	says(verify(1), "does not belong in a store");
	says(verify(1), "the evidence itself is not touched");
	for (int i = 0; i < 2; i++) {
		run(0, ": >log");
		mount_vault(i == 0 ? "ro" : "settle=0");
		if (!deep)
			says(content("log", NULL),
			    "does not belong in a store and is not recorded");
		unmount_vault();
	}
	ck_assert(exists("store/ledger.db"));
	run(0, "rm -r store/%s", name);
	run(0, "rmdir store/t 2>/dev/null || :");
	verify(0);
	expect_no_verify();
}
END_TEST

/* The log is not filled, and names are made safe. */
START_TEST(strays_are_named_in_few_lines)
{
	use_it();
	run(0,
	    "cd store && mkdir many && for i in $(seq 300); do "
	    "echo >$i.txt; done && echo >\"$(printf 'a\\033[31m\\nb')\"");
	run(0, ": >log");
	mount_vault("settle=0");
	run(0, "[ $(wc -l <log) -lt 40 ]");
	run(0, "! grep -q \"$(printf '\\033')\" log");
	says(content("log", NULL), "more that do not belong in a store");
	unmount_vault();
	says(verify(1), "300.txt");
	run(0, "! trailctl verify store | grep -q \"$(printf '\\033')\"");
	run(0, "cd store && rm -r many *.txt a*");
	verify(0);
}
END_TEST

/* Leftovers of a crash are ours. */
START_TEST(files_that_a_crash_leaves_are_not_foreign)
{
	use_it();
	run(0,
	    "touch store/checkpoint.123.4.tmp store/stage/99.new "
	    "store/keys/log.vkey.1.2.tmp && mkdir store/lost+found");
	verify(0);
	run(0, ": >log");
	mount_vault("settle=0");
	ck_assert_ptr_null(strstr(content("log", NULL), "belong"));
	unmount_vault();
	verify(0);
}
END_TEST

/* Who may write in keys/ may exchange the keys. */
START_TEST(keys_that_others_may_exchange_are_refused)
{
	static const char *const rows[] = { "chmod 0777 store/keys",
		"chmod 0730 store/keys", "chmod 1777 store/keys",
		"chown 1001 store/keys",
		"mv store/keys k && ln -s $PWD/k store/keys" };

	for (size_t i = 0; i < LEN(rows); i++) {
		run(0, "mv store good && cp -a good store && %s", rows[i]);
		says(run(1, "timeout 20 trailfs store mnt"), "keys");
		says(run(3, "timeout 20 trailctl seal store"), "keys");
		run(0, "rm -rf store k && mv good store");
	}
	use_it();
}
END_TEST

/* Loop test.  Whoever opens the FIFO for reading waits for ever.  A module
 * named in such a file would run in a process that holds the keys. */
static const char *const programs[] = { "trailctl init new",
	"trailctl init --recover store; [ $? = 2 ]", "trailctl status store",
	"trailctl log store", "trailctl show store/t/w/a/big",
	"trailctl seal store/t/w/a", "trailctl sync store",
	"trailctl prove -o proof store/t/w/a/big",
	"trailctl verify --vkey $(cat store/keys/log.vkey) proof",
	"trailctl package -o p.zip store/t/w",
	"trailctl verify --vkey $(cat store/keys/log.vkey) p.zip",
	"trailctl unpack p.zip dir", "trailctl export-log store tiles",
	"trailctl verify store", "trailfs store mnt && umount mnt" };

START_TEST(no_program_reads_files_that_the_environment_names)
{
	use_it();
	allowed(mkfifo("conf", 0600));
	run(0,
	    "trailctl prove -o proof store/t/w/a/big && "
	    "trailctl package -o p.zip store/t/w");
	run(0,
	    "export OPENSSL_CONF=$PWD/conf OPENSSL_MODULES=$PWD "
	    "OPENSSL_ENGINES=$PWD SQLITE_TMPDIR=$PWD/no TMPDIR=$PWD/no "
	    "TZ=:$PWD/conf TZDIR=$PWD LOCPATH=$PWD LC_ALL=xx_XX.UTF-8 "
	    "HOSTALIASES=$PWD/conf; "
	    "timeout -k 1 30 sh -c '%s'",
	    programs[_i]);
}
END_TEST

Suite *
suite_private(void)
{
	Suite *s = suite_create("private");
	TCase *t = stored_case(s, "private");

	tcase_add_loop_test(t, a_new_store_is_private, 0, 4);
	tcase_add_loop_test(t, a_store_in_a_directory_that_was_there_is_private,
	    0, 4);
	tcase_add_test(t, init_in_a_directory_of_another_user_is_refused);
	tcase_add_test(t, a_store_that_is_open_to_others_is_closed_at_start);
	tcase_add_test(t, links_and_types_are_named);
	tcase_add_loop_test(t, a_store_of_several_owners_is_refused, 0, 3);
	tcase_add_loop_test(t, verify_names_foreign_files_in_a_store, 0,
	    LEN(strays));
	tcase_add_test(t, strays_are_named_in_few_lines);
	tcase_add_test(t, files_that_a_crash_leaves_are_not_foreign);
	tcase_add_test(t, keys_that_others_may_exchange_are_refused);
	tcase_add_loop_test(t,
	    no_program_reads_files_that_the_environment_names, 0,
	    LEN(programs));
	return s;
}
