/* Stores and mount points that are not fit: a refusal in one clear line, and
 * nothing is changed. */
#include <sys/mount.h>
#include <sys/timex.h>

#include "harness.h"

#define MOUNT "timeout -k 1 10 trailfs "

#define CLOCK "trailfs: the kernel reports that the clock is not"
#define HEAD "trailfs: the head of "

/* Mounting must fail, in the foreground and as a daemon, and say why. */
static void
not_mounted(const char *store, const char *mnt, const char *why)
{
	for (int f = 0; f < 2; f++) {
		const char *said = run(1, MOUNT "%s %s %s", store, mnt,
		    f == 0 ? "-f" : "");

		/* What the kernel says of the clock is no reason, and heads
		 * that do not agree are named before it. */
		while (strncmp(said, CLOCK, strlen(CLOCK)) == 0 ||
		    strncmp(said, HEAD, strlen(HEAD)) == 0)
			said = strchr(said, '\n') + 1;
		says(said, why);
		ck_assert_int_eq(0, strncmp(said, "trailfs: ", 9));
		ck_assert_msg(strchr(said, 10) == strrchr(said, 10), "%s",
		    said);
		ck_assert_str_eq("",
		    run(0, "grep -F \" $PWD/mnt \" /proc/self/mountinfo || :"));
	}
}

/* That reason gone, the store is as good as before. */
static void
mounts_again(void)
{
	mount_vault("settle=0");
	make_attestation();
	put(A "/f", "x");
	unmount_vault();
	verify(0);
}

static const char *
sums_of(const char *dir)
{
	return run(0,
	    "find %s -type f -print0 | sort -z | "
	    "xargs -0 sha256sum",
	    dir);
}

/* Does the kernel say that nobody keeps its clock right? */
static bool
adrift(void)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);

	return state >= 0 &&
	    (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0);
}

START_TEST(a_clock_that_nobody_keeps_right_is_named)
{
	bool before, said;

	/* Again if it changed meanwhile. */
	do {
		run(0, "rm -f log");
		before = adrift();
		mount_vault("settle=0");
		unmount_vault();
		said = strstr(content("log", NULL),
			   "clock is not synchronised") != NULL;
	} while (before != adrift());
	ck_assert_int_eq(before, said);
}
END_TEST

START_TEST(a_store_that_is_not_there)
{
	not_mounted("nowhere", "mnt", "No such file or directory");
	ck_assert(!exists("nowhere"));
	not_mounted("no/where", "mnt", "No such file or directory");
}
END_TEST

START_TEST(a_directory_that_is_no_store)
{
	run(0, "mkdir -p dir/keys dir/stage dir/objects");
	not_mounted("dir", "mnt", "no store");
	ck_assert_str_eq("keys\nobjects\nstage\n", run(0, "ls -A dir"));
	run(0, "echo hello >file");
	not_mounted("file", "mnt", "ot a directory");
}
END_TEST

START_TEST(a_database_that_is_not_ours)
{
	static const char *const make[] = { ": >foreign/ledger.db",
		"echo hello >foreign/ledger.db",
		"head -c 100000 /dev/zero >foreign/ledger.db" };
	const char *before;

	run(0, "cp -r store foreign");
	for (size_t i = 0; i < LEN(make); i++) {
		run(0, "%s", make[i]);
		before = sums_of("foreign/ledger.db");
		not_mounted("foreign", "mnt", "");
		ck_assert_str_eq(before, sums_of("foreign/ledger.db"));
	}
	run(0, "rm -rf foreign/ledger.db && mkdir foreign/ledger.db");
	not_mounted("foreign", "mnt", "");
}
END_TEST

START_TEST(another_programs_database)
{
	tamper("PRAGMA application_id=1");
	not_mounted("store", "mnt", "not a trailfs database");
	tamper("PRAGMA application_id=0x54726673");
	mounts_again();
}
END_TEST

START_TEST(a_store_of_a_later_version)
{
	const char *before;

	tamper("PRAGMA user_version=99");
	before = sums_of("store/ledger.db store/keys store/checkpoint");
	not_mounted("store", "mnt", "use a newer trailfs");
	says(run(0, MOUNT "store mnt; :"), "99");
	ck_assert_str_eq(before,
	    sums_of("store/ledger.db store/keys store/checkpoint"));
	/* A feature of a later version that readers may ignore. */
	tamper("PRAGMA user_version=262");
	not_mounted("store", "mnt", "this one may only read it");
	mount_vault("ro");
	unmount_vault();
	tamper("PRAGMA user_version=6");
	mounts_again();
}
END_TEST

/* No mount that writes takes a store of an earlier format, but the verb that
 * upgrades it, which leaves its root. */
static void
upgrade(int from)
{
	const char *before, *root;

	before = sums_of("store/ledger.db store/keys store/checkpoint");
	not_mounted("store", "mnt", "trailctl upgrade converts it");
	run(3, "trailctl trail create store/other");
	run(1, "trailctl upgrade --check store");
	ck_assert_str_eq(before,
	    sums_of("store/ledger.db store/keys store/checkpoint"));
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x %d",
	    from);
	root = run(0, "trailctl verify store | grep root");
	says(run(0, "trailctl upgrade store"), "as before");
	ck_assert_str_eq(root, run(0, "trailctl verify store | grep root"));
	run(0, "trailctl upgrade --check store");
}

/* A store of 0.1.0: its directories below attestations had no mode of their
 * own, and its chmods sealed at once. */
START_TEST(a_store_of_the_first_version_is_taken_over)
{
	expect_no_verify();
	run(0, "mv store other && tar xzf " TF_VECTORS "/store-1.tar.gz");
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 1");
	run(0, "trailctl verify store");
	mount_vault("ro");
	ck_assert_uint_eq(0550, stat_of("mnt/t/w/a/d").st_mode & 07777);
	ck_assert_uint_eq(0755, stat_of("mnt/t/w/b/sub").st_mode & 07777);
	unmount_vault();
	upgrade(1);
	mount_vault("settle=60");
	has_state("mnt/t/w/a", "sealed");
	ck_assert_uint_eq(0550, stat_of("mnt/t/w/a/d").st_mode & 07777);
	ck_assert_uint_eq(0755, stat_of("mnt/t/w/b/sub").st_mode & 07777);
	holds("mnt/t/w/b/h.tmp", "three\n");
	put("mnt/t/w/b/new", "x");
	seal("mnt/t/w/b", 0555);
	remount_vault();
	has_state("mnt/t/w/b", "sealed");
	unmount_vault();
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 6");
	run(0, "trailctl verify store");
}
END_TEST

/* A store of version 2 had no definitions and no claims. */
START_TEST(a_store_of_the_second_version_is_taken_over)
{
	expect_no_verify();
	run(0, "mv store other && tar xzf " TF_VECTORS "/store-2.tar.gz");
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 2");
	run(0, "trailctl verify store");
	mount_vault("ro");
	holds("mnt/t/w/a/d/e", "one\n");
	ck_assert_uint_eq(0550, stat_of("mnt/t/w/a/d").st_mode & 07777);
	unmount_vault();
	upgrade(2);
	mount_vault("settle=60");
	has_state("mnt/t/w/a", "sealed");
	ck_assert_uint_eq(0550, stat_of("mnt/t/w/a/d").st_mode & 07777);
	holds("mnt/t/w/b/h.tmp", "three\n");
	holds("mnt/t/w/.c/g", "four\n");
	put("mnt/t/w/b/new", "x");
	run(0, "mkdir mnt/t/w2");
	remount_vault();
	run(0, "trailctl seal mnt/t/w/b && mv mnt/t/w/.c mnt/t/w/c");
	has_state("mnt/t/w/c", "sealed");
	unmount_vault();
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 6");
	run(0, "trailctl verify store");
}
END_TEST

/* A store of version 3 had no redactions, one of version 4 no anchors. */
START_TEST(a_store_of_the_third_version_is_taken_over)
{
	char approval[64];
	int fd;

	expect_no_verify();
	run(0, "mv store other && tar xzf " TF_VECTORS "/store-3.tar.gz");
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 3");
	run(0, "trailctl verify store");
	mount_vault("ro");
	holds("mnt/t/w/a/d/e", "one\n");
	says(content("mnt/t/.trailfs/template.yml", NULL), "version: 1");
	holds("mnt/.trailfs/anchors.json", "{\"count\":0}\n");
	unmount_vault();
	upgrade(3);
	mount_vault("settle=60");
	has_state("mnt/t/w/a", "sealed");
	holds("mnt/t/w/b/h.tmp", "three\n");
	holds("mnt/t/w/.c/g", "four\n");
	put("mnt/t/w/b/new", "x");
	says(content("mnt/.trailfs/status.json", NULL), "\"anchored\":false");
	run(0, "trailctl redact --reason 'not for us' mnt/t/w/a/f");
	run(0, "chown %d mnt/t", ALICE);
	(void)snprintf(approval, sizeof(approval), "{\"approve\":%lu}",
	    entry_seq(entry("redaction.proposed", NULL)));
	as(ALICE);
	fd = open("mnt/t/w/a/.trailfs/redactions", O_WRONLY | O_TRUNC);
	ck_assert_int_ge(fd, 0);
	add(fd, approval);
	allowed(close(fd));
	as(0);
	unmount_vault();
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 6");
	says(run(0, "trailctl verify store"), "1 redacted");
}
END_TEST

START_TEST(a_store_of_the_fourth_version_is_taken_over)
{
	expect_no_verify();
	run(0, "mv store other && tar xzf " TF_VECTORS "/store-4.tar.gz");
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 4");
	says(run(0, "trailctl verify store"), "1 redacted");
	mount_vault("ro");
	holds("mnt/t/w/a/d/e", "one\n");
	has_state("mnt/t/w/a/f", "redacted");
	holds("mnt/.trailfs/anchors.json", "{\"count\":0}\n");
	unmount_vault();
	upgrade(4);
	mount_vault("settle=60");
	has_state("mnt/t/w/a", "sealed");
	has_state("mnt/t/w/a/f", "redacted");
	holds("mnt/t/w/b/h.tmp", "three\n");
	put("mnt/t/w/b/new", "x");
	unmount_vault();
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 6");
	says(run(0, "trailctl verify store"), "1 redacted");
}
END_TEST

/* A store of version 5 had no texts apart from their entries. */
START_TEST(a_store_of_the_fifth_version_is_taken_over)
{
	char approval[128];
	int fd;

	expect_no_verify();
	run(0, "mv store other && tar xzf " TF_VECTORS "/store-5.tar.gz");
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 5");
	says(run(0, "trailctl verify store"), "1 redacted");
	mount_vault("ro");
	has_state("mnt/t/w/a/f", "redacted");
	unmount_vault();
	upgrade(5);
	mount_vault("texts=redactable,moved");
	run(0, "trailctl override mnt/t/w/a --compliant=true --reason secret");
	run(0, "trailctl redact --text reason --reason no mnt/t/w/a");
	run(0, "chown %d mnt/t", ALICE);
	(void)snprintf(approval, sizeof(approval),
	    "{\"approve\":%lu,\"text\":\"reason\"}",
	    entry_seq(entry("redaction.proposed", NULL)));
	as(ALICE);
	fd = open("mnt/t/w/a/.trailfs/redactions", O_WRONLY | O_TRUNC);
	ck_assert_int_ge(fd, 0);
	add(fd, approval);
	allowed(close(fd));
	as(0);
	says(content("mnt/t/w/a/.trailfs/attestation.json", NULL),
	    "\"reason\":\"redacted\"");
	unmount_vault();
	run(0, "sqlite3 store/ledger.db 'PRAGMA user_version' | grep -x 6");
	says(run(0, "trailctl verify store"), "1 redacted text");
}
END_TEST

/* Triggers are what keeps our own mistakes from the entries. */
START_TEST(a_store_whose_triggers_are_gone)
{
	run(0, "cp -r store copy");
	run(0, "cp copy/ledger.db store/");
	tamper("PRAGMA user_version=3; DROP TRIGGER entry_update");
	not_mounted("store", "mnt", "tables or triggers");
	run(0, "cp copy/ledger.db store/");
	mounts_again();
}
END_TEST

/* --- keys ------------------------------------------------------------- */

START_TEST(a_key_that_others_can_read)
{
	static const char *const modes[] = { "0444", "0440", "0404", "0644",
		"0640", "0606" };

	for (size_t i = 0; i < LEN(modes); i++) {
		run(0, "chmod %s store/keys/log.pem", modes[i]);
		not_mounted("store", "mnt", "log.pem");
	}
	run(0, "chmod 0400 store/keys/log.pem");
	run(0, "chmod 0444 store/keys/attester.pem");
	not_mounted("store", "mnt", "attester.pem");
	run(0, "chmod 0400 store/keys/attester.pem");
	mounts_again();
}
END_TEST

/* Loop test: both keys. */
START_TEST(a_key_that_is_no_key)
{
	static const char *const keys[] = { "log.pem", "attester.pem" };
	const char *key = keys[_i];

	run(0, "cp -p store/keys/%s good", key);
	run(0, "rm store/keys/%s", key);
	not_mounted("store", "mnt", key);
	run(0, "cp -p good elsewhere && ln -s $PWD/elsewhere store/keys/%s",
	    key);
	not_mounted("store", "mnt", key);
	run(0, "rm store/keys/%s && mkdir store/keys/%s", key, key);
	not_mounted("store", "mnt", key);
	run(0, "rmdir store/keys/%s && mkfifo -m 400 store/keys/%s", key, key);
	not_mounted("store", "mnt", key);
	run(0,
	    "rm store/keys/%s && : >store/keys/%s && "
	    "chmod 400 store/keys/%s",
	    key, key, key);
	not_mounted("store", "mnt", key);
	run(0, "echo hello >store/keys/%s", key);
	not_mounted("store", "mnt", key);
	run(0,
	    "cp good store/keys/%s && chmod 400 store/keys/%s && "
	    "sed -i 2d store/keys/%s",
	    key, key, key);
	not_mounted("store", "mnt", key);
	if (have("openssl")) { /* a key, but of another kind */
		run(0, "openssl genrsa -out store/keys/%s 2048 2>/dev/null",
		    key);
		run(0, "chmod 400 store/keys/%s", key);
		not_mounted("store", "mnt", key);
	}
	run(0, "cp -p good store/keys/%s", key);
	mounts_again();
}
END_TEST

/* The ledger says which keys are in force; another's would go on forging. */
START_TEST(a_key_of_another_store)
{
	static const char *const keys[] = { "log", "attester" };
	const char *key = keys[_i % 2];

	mounts_again();
	run(0, "trailctl init --origin example.org/test other");
	run(0, "mv store good && cp -rp good store");
	run(0, "rm -f store/keys/%s.* && cp -p other/keys/%s.* store/keys/",
	    key, key);
	if (_i >= 2) /* nor when the second copy of the head is gone */
		run(0, "rm -f store/checkpoint");
	not_mounted("store", "mnt", "");
	run(0, "rm -rf store && mv good store");
	mount_vault("settle=0");
	unmount_vault();
	verify(0);
}
END_TEST

/* --- the rest of a store ---------------------------------------------- */

START_TEST(a_store_that_was_rolled_back)
{
	mounts_again();
	run(0, "cp -p store/ledger.db old");
	mount_vault("settle=0");
	put(A "/g", "y");
	unmount_vault();
	run(0, "cp -p store/ledger.db new && cp -p old store/ledger.db");
	not_mounted("store", "mnt", "older copy");
	ck_assert_str_eq(run(0, "sha256sum <old"),
	    run(0, "sha256sum <store/ledger.db"));
	run(0, "cp -p new store/ledger.db");
	mount_vault("settle=0");
	holds(A "/g", "y");
	unmount_vault();
	verify(0);
}
END_TEST

/* What a crash leaves between the commit of a new origin and the file with its
 * key: the old file.  The next start writes it anew. */
START_TEST(the_key_of_an_old_origin_is_replaced)
{
	mounts_again();
	run(0, "cp -p store/ledger.db old && cp -p store/keys/log.vkey vkey");
	mount_vault("settle=0");
	put(A "/g", "y");
	unmount_vault();
	run(0, "cp -p old store/ledger.db");
	run(0, "trailctl init --recover store");
	run(0,
	    "! cmp -s vkey store/keys/log.vkey && cp store/keys/log.vkey "
	    "new && cp --remove-destination -p vkey store/keys/log.vkey");
	/* Until then the store is whole, and is shown under its new origin. */
	says(run(0, "trailctl verify store"), " by the store's own key");
	run(0, "trailctl verify --vkey new store");
	run(4, "trailctl verify --vkey vkey store");
	run(0,
	    "trailfs store mnt -o ro && cmp new mnt/.trailfs/log.vkey &&"
	    " umount mnt && flock -w 30 store/lock true");
	mount_vault("settle=0");
	says(content("log", NULL), "is written anew");
	run(0,
	    "cmp new store/keys/log.vkey && "
	    "cmp new mnt/.trailfs/log.vkey");
	ck_assert_uint_eq(0400, stat_of("store/keys/log.vkey").st_mode & 07777);
	unmount_vault();
	verify(0);
	/* Nor does a missing one matter. */
	run(0, "rm store/keys/log.vkey");
	mount_vault("settle=0");
	unmount_vault();
	run(0, "cmp new store/keys/log.vkey");
	verify(0);
}
END_TEST

START_TEST(a_store_with_parts_missing)
{
	run(0, "mv store good && cp -rp good store && rmdir store/objects");
	not_mounted("store", "mnt", "objects");
	run(0, "mkdir store/objects && rmdir store/stage");
	not_mounted("store", "mnt", "stage");
	run(0, "mkdir store/stage && rm store/ledger.db");
	not_mounted("store", "mnt", "no store");
	ck_assert(!exists("store/ledger.db"));
	run(0, "rm -rf store && mv good store");
	mounts_again();
}
END_TEST

/* What every start writes anew may be missing. */
START_TEST(lock_and_config_may_be_missing)
{
	run(0, "rm -f store/lock store/config");
	mounts_again();
	ck_assert(exists("store/lock"));
}
END_TEST

START_TEST(a_damaged_database)
{
	mounts_again();
	run(0,
	    "dd if=/dev/zero of=store/ledger.db bs=4096 seek=1 "
	    "conv=notrunc count=$(($(stat -c %%s store/ledger.db) / 4096 "
	    "- 1)) 2>&1");
	not_mounted("store", "mnt", "");
}
END_TEST

START_TEST(init_does_not_make_a_store_over_one)
{
	const char *before = sums_of("store");

	says(run(1, "trailctl init store"), "store");
	ck_assert_str_eq(before, sums_of("store"));
	run(0, "mkdir full && echo x >full/file");
	says(run(1, "trailctl init full"), "not empty");
	ck_assert_str_eq("file\n", run(0, "ls -A full"));
	run(0, "echo x >file");
	run(1, "trailctl init file");
	ck_assert_str_eq("x\n", run(0, "cat file"));
	mounts_again();
}
END_TEST

/* --- mount points ----------------------------------------------------- */

START_TEST(a_mount_point_that_is_not_there)
{
	not_mounted("store", "nowhere", "No such file or directory");
	ck_assert(!exists("nowhere"));
	mounts_again();
}
END_TEST

START_TEST(a_mount_point_that_is_not_an_empty_directory)
{
	put("mnt/x", "keep me");
	not_mounted("store", "mnt", "not empty");
	holds("mnt/x", "keep me");
	allowed(unlink("mnt/x"));
	put("mnt/.hidden", "keep me");
	not_mounted("store", "mnt", "not empty");
	allowed(unlink("mnt/.hidden"));
	put("file", "keep me");
	not_mounted("store", "file", "ot a directory");
	not_mounted("store", "file/x", "");
	mounts_again();
}
END_TEST

START_TEST(a_mount_point_above_or_inside_the_store_is_refused)
{
	run(0, "mkdir -p store/in outer");
	not_mounted("store", "store/in", "inside the store");
	not_mounted("store", "store", "inside");
	not_mounted("store", ".", "inside the mount point");
	run(0, "rmdir store/in");
	mounts_again();
}
END_TEST

/* The same by other paths: bind mounts of the store, of what is in it and of
 * what it is in. */
START_TEST(a_mount_point_in_the_store_by_another_path)
{
	static const struct {
		const char *bound, *mnt, *says;
	} rows[] = {
		{ "store", "alias/in", "inside the store" },
		{ "store/stage", "alias", "inside the store" },
		{ "store/stage", "alias/x", "inside the store" },
		{ "store/objects", "alias/ab", "inside the store" },
		{ "store/objects/ab", "alias", "inside the store" },
		{ "store/keys", "alias/x", "inside the store" },
		{ "up", "alias/s/stage", "inside the store" },
		{ "up", "alias", "inside the mount point" },
	};

	run(0,
	    "mkdir -p alias store/in store/stage/x store/objects/ab "
	    "store/keys/x up && mv store up/s && ln -s up/s store");
	for (size_t i = 0; i < LEN(rows); i++) {
		allowed(mount(rows[i].bound, "alias", NULL, MS_BIND, NULL));
		not_mounted("store", rows[i].mnt, rows[i].says);
		allowed(umount2("alias", 0));
	}
	run(0,
	    "rm store && mv up/s store && rmdir store/in store/stage/x "
	    "store/objects/ab store/keys/x");
	mounts_again();
}
END_TEST

/* Another store's mount is not covered, though it be empty. */
START_TEST(a_mount_point_that_is_taken)
{
	run(0, "trailctl init --origin example.org/other other");
	mount_vault("settle=0");
	says(run(1, MOUNT "other mnt"), "a store is mounted");
	make_attestation();
	says(run(1, MOUNT "other mnt -f"), "a store is mounted");
	says(run(1, MOUNT "other mnt/t"), "mnt/t");
	unmount_vault();
}
END_TEST

/* --- the command line ------------------------------------------------- */

START_TEST(options_that_are_not_understood_mount_nothing)
{
	static const char *const bad[] = { "", "store", "store mnt extra",
		"store mnt -o frobnicate", "store mnt -o settle=61",
		"store mnt -o settle=-1",
		"store mnt -o settle=", "store mnt -o settle=2x",
		"store mnt -o threads=0", "store mnt -o verify=maybe",
		"store /dev/fd/9", "store mnt -z" };

	for (size_t i = 0; i < LEN(bad); i++)
		run(2, MOUNT "%s", bad[i]);
	/* Words of mount(8) and fstab(5) are accepted. */
	mount_vault("rw,nosuid,nodev,noauto,x-systemd.automount,_netdev,"
		    "allow_other,default_permissions,settle=0,threads=2,"
		    "verify=none");
	make_attestation();
	unmount_vault();
	says(run(0, "trailfs -V"), "libfuse");
	says(run(0, "trailfs -h"), "usage");
}
END_TEST

/* Each option that the help lists has a value that it refuses. */
START_TEST(each_option_refuses_a_wrong_value)
{
	static const char *const bad[] = { "settle=61", "quiet=never",
		"placeholder=-1", "max_file=1P", "max_staged=1.5G",
		"max_unsealed=1K", "max_open=many", "max_draft=0x10",
		"max_store=9223372036854775808", "mode_floor=0660",
		"trail_group=", "auditors=", "admins=", "reads=on",
		"texts=apart", "signer=", "threads=65", "verify=maybe",
		"durability=open", "org_timeout=1m", "streams=yes",
		"objects=", "cache=", "cache_size=0", "blobs=./here", "ro=1",
		"moved=yes", "user=", "allow_other=no" };
	char *names = strdup(run(0,
	    "trailfs -h | sed -n 's/^  \\([a-z_][a-z_]*\\).*/\\1/p'"));
	char *rest = names, *name;
	size_t listed = 0;

	while ((name = strsep(&rest, "\n")) != NULL && *name != '\0') {
		size_t i = 0, n = strlen(name);

		while (i < LEN(bad) &&
		    (strncmp(bad[i], name, n) != 0 || bad[i][n] != '='))
			i++;
		ck_assert_msg(i < LEN(bad), "no wrong value of %s", name);
		listed++;
	}
	ck_assert_uint_eq(LEN(bad), listed);
	for (size_t i = 0; i < LEN(bad); i++) {
		name = strndup(bad[i], strcspn(bad[i], "="));
		says(run(2, MOUNT "store mnt -o ro,%s", bad[i]), name);
		free(name);
	}
	free(names);
}
END_TEST

START_TEST(the_config_sets_defaults)
{
	run(0, "echo 'settle = 0' >store/config");
	mount_vault("threads=2");
	make_attestation();
	put(A "/f", "x");
	becomes(A "/f", "sealed");
	unmount_vault();
	mount_vault("settle=60"); /* comes first */
	put(A "/g", "x");
	has_state(A "/g", "frozen");
	unmount_vault();
	run(0, "echo 'settle = often' >store/config");
	not_mounted("store", "mnt", "config");
}
END_TEST

Suite *
suite_badstore(void)
{
	Suite *s = suite_create("badstore");
	TCase *t = stored_case(s, "stores");

	tcase_add_test(t, a_clock_that_nobody_keeps_right_is_named);
	tcase_add_test(t, a_store_that_is_not_there);
	tcase_add_test(t, a_directory_that_is_no_store);
	tcase_add_test(t, a_database_that_is_not_ours);
	tcase_add_test(t, another_programs_database);
	tcase_add_test(t, a_store_of_a_later_version);
	tcase_add_test(t, a_store_of_the_first_version_is_taken_over);
	tcase_add_test(t, a_store_of_the_second_version_is_taken_over);
	tcase_add_test(t, a_store_of_the_third_version_is_taken_over);
	tcase_add_test(t, a_store_of_the_fourth_version_is_taken_over);
	tcase_add_test(t, a_store_of_the_fifth_version_is_taken_over);
	tcase_add_test(t, a_store_whose_triggers_are_gone);
	tcase_add_test(t, a_key_that_others_can_read);
	tcase_add_loop_test(t, a_key_that_is_no_key, 0, 2);
	tcase_add_loop_test(t, a_key_of_another_store, 0, 4);
	tcase_add_test(t, a_store_that_was_rolled_back);
	tcase_add_test(t, the_key_of_an_old_origin_is_replaced);
	tcase_add_test(t, a_store_with_parts_missing);
	tcase_add_test(t, lock_and_config_may_be_missing);
	tcase_add_test(t, a_damaged_database);
	tcase_add_test(t, init_does_not_make_a_store_over_one);
	t = stored_case(s, "mount points");
	tcase_add_test(t, a_mount_point_that_is_not_there);
	tcase_add_test(t, a_mount_point_that_is_not_an_empty_directory);
	tcase_add_test(t, a_mount_point_above_or_inside_the_store_is_refused);
	tcase_add_test(t, a_mount_point_in_the_store_by_another_path);
	tcase_add_test(t, a_mount_point_that_is_taken);
	t = stored_case(s, "options");
	tcase_add_test(t, options_that_are_not_understood_mount_nothing);
	tcase_add_test(t, each_option_refuses_a_wrong_value);
	tcase_add_test(t, the_config_sets_defaults);
	return s;
}
