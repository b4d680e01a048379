/* Read-only mounts: of a store that is not mounted, and of a running mount. */
#include <sys/mount.h>
#include <sys/xattr.h>

#include "harness.h"

#define PROOF A "/.trailfs/proof/f.tlog-proof"

/* Everything that can be seen of the store's files but when they were read.
 * (As root SQLite gives a write-ahead log to the owner of the database, also
 * when it is his already: that moves its ctime.) */
static const char *
all_of(const char *dir)
{
	return run(0,
	    "cd %s && find . -printf '%%p %%y %%m %%U %%s %%T@ %%C@\\n' | "
	    "sed '/ledger.db-/s/ [^ ]*$//' | sort "
	    "&& find . -type f -print0 | sort -z | xargs -0 sha256sum",
	    dir);
}

static void
unchanged(const char *dir, const char *before)
{
	const char *now = all_of(dir);

	if (strcmp(before, now) != 0)
		ck_abort_msg("it was changed:\n%.1500s\nnow:\n%.1500s", before,
		    now);
}

/* A store with evidence short and long, and something that is not sealed. */
static void
make_some(void)
{
	mount_vault("settle=60");
	make_attestation();
	put(A "/f", "short");
	put_bytes(A "/long", noise(200000, 1), 200000);
	allowed(setxattr(A "/f", "user.x", "y", 1, 0));
	sync_dir("mnt");
	put(A "/x.tmp", "draft");
}

/* All of that is there, and nothing of it can be changed. */
static void
only_shows(void)
{
	struct timespec t[2] = { { 1, 0 }, { 1, 0 } };
	int fd;

	holds(A "/f", "short");
	ck_assert_int_eq(0,
	    memcmp(noise(200000, 1), content(A "/long", NULL), 200000));
	has_state(A "/f", "sealed");
	has_state(A, "open");
	ck_assert_str_eq("f\nlong\n", run(0, "ls -A " A));
	refused(EROFS, try_open(A "/new", O_WRONLY | O_CREAT));
	refused(EROFS, try_open(A "/f", O_WRONLY));
	refused(EROFS, truncate(A "/f", 0));
	refused(EROFS, unlink(A "/f"));
	refused(EROFS, rename(A "/f", A "/g"));
	refused(EROFS, mkdir("mnt/new", 0755));
	refused(EROFS, rmdir(A));
	refused(EROFS, chmod(A, 0555));
	refused(EROFS, chown(A "/f", ALICE, ALICE));
	refused(EROFS, utimensat(AT_FDCWD, A "/f", t, 0));
	refused(EROFS, setxattr(A "/f", "user.x", "z", 1, 0));
	refused(EROFS, removexattr(A "/f", "user.x"));
	refused(EROFS, try_open("mnt/.trailfs/checkpoint", O_WRONLY));
	fd = open(A, O_RDONLY | O_DIRECTORY);
	allowed(fsync(fd)); /* there is nothing to wait for */
	close(fd);
	says(run(0, "grep \" $PWD/mnt \" /proc/self/mountinfo"), " ro,");
}

/* So do control files, and the tools that look. */
static void
can_be_checked(void)
{
	const char *vkey = "store/keys/log.vkey";

	says(content("mnt/.trailfs/status.json", NULL), "\"sealed\":2");
	says(content("mnt/.trailfs/checkpoint", NULL), "example.org/test\n");
	says(events(), "\"path\":\"t/w/a/long\"");
	ck_assert_str_eq("", content("mnt/.trailfs/denied.jsonl", NULL));
	run(0, "cp " PROOF " proof && trailctl verify proof " A "/f --vkey %s",
	    vkey);
	run(0, "trailctl prove " A "/f >proof2 && cmp proof proof2");
	run(0,
	    "mkdir log.d && cp -r mnt/.trailfs/checkpoint mnt/.trailfs/tile "
	    "log.d && trailctl verify log.d --vkey %s",
	    vkey);
	says(run(0, "trailctl show " A "/f"), "sealed");
	says(run(0, "trailctl log mnt"), "t/w/a/f");
	says(run(0, "trailctl status mnt"), "example.org/test");
	run(0, "trailctl verify mnt --vkey %s", vkey);
	ck_assert_str_ne("0", run_any("trailctl seal " A));
	run(0, "rm -rf proof proof2 log.d");
}

/* A second mount, which ends by itself. */
static void
also_mount(int status, const char *options)
{
	if (!exists("mnt2"))
		allowed(mkdir("mnt2", 0755));
	run(status, "trailfs store mnt2 -o %s", options);
}

START_TEST(a_store_at_rest_is_shown_and_not_changed)
{
	const char *before;

	make_some();
	unmount_vault();
	before = all_of("store");
	mount_vault("ro");
	only_shows();
	unchanged("store", before);
	says(content("log", NULL), "1 files are not sealed and not shown");
	can_be_checked();
	unmount_vault();
	run(0,
	    "rm -f store/ledger.db-wal store/ledger.db-shm"); /* trailctl's */
	mount_vault("settle=0");
	holds(A "/x.tmp", "draft");
	put_sealed(A "/g", "after");
	unmount_vault();
	verify(0);
}
END_TEST

/* What was committed is shown, though it stands in the write-ahead log only;
 * recovery is left to a mount that writes. */
START_TEST(after_a_crash_committed_files_are_shown)
{
	const char *before;

	make_some();
	put(A "/closed", "frozen");
	crash_vault();
	ck_assert_int_gt(stat_of("store/ledger.db-wal").st_size, 0);
	run(0, "umount mnt");
	before = all_of("store");
	mount_vault("ro");
	only_shows();
	says(content("log", NULL), "2 files are not sealed and not shown");
	unmount_vault();
	unchanged("store", before);
	/* A copy that lacks the index of the log cannot be read so. */
	run(0, "cp -a store copy && rm copy/ledger.db-shm && mkdir mnt2");
	before = all_of("copy");
	says(run(1, "trailfs copy mnt2 -o ro"), "writable once");
	unchanged("copy", before);
	mount_vault("settle=0");
	holds(A "/closed", "frozen");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(a_store_that_is_written_is_not_mounted_so)
{
	make_some();
	allowed(mkdir("mnt2", 0755));
	for (int f = 0; f < 2; f++) {
		const char *said = run(3, "trailfs store mnt2 -o ro %s",
		    f == 0 ? "" : "-f");

		says(said, "mount -o bind,ro");
		says(said, "in use by trailfs pid");
	}
	also_mount(3, "settle=2");
	put_sealed(A "/g", "still alive");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(several_mounts_show_and_keep_writers_out)
{
	make_some();
	unmount_vault();
	mount_vault("ro");
	also_mount(0, "ro");
	ck_assert_str_eq("short", content("mnt2/t/w/a/f", NULL));
	holds(A "/f", "short");
	allowed(mkdir("mnt3", 0755));
	says(run(3, "trailfs store mnt3"), "mounted read-only");
	says(run(3, "trailctl seal store/t/w/a"), "mounted read-only");
	unmount_vault();
	says(run(3, "trailfs store mnt3"), "mounted read-only");
	run(0, "umount mnt2 && timeout 20 flock store/lock true");
	mount_vault("settle=0");
	put_sealed(A "/g", "x");
	unmount_vault();
	verify(0);
}
END_TEST

/* --- a medium that cannot be written ----------------------------------- */

/* Put the store on one; false: not on this machine. */
static bool
burn(void)
{
	run(0, "mv store plain && mkdir store medium");
	if (strcmp(run_any("truncate -s 64M image && mkfs.ext4 -q image && "
			   "mount -o loop image medium"),
		"0") != 0)
		return false;
	run(0, "cp -a plain/. medium && umount medium");
	run(0, "mount -o loop,ro image store");
	return true;
}

/* Loop test: unmounted in order, or not. */
START_TEST(a_read_only_medium_is_shown)
{
	const char *before;

	skip_unless(have("mkfs.ext4"), "no mkfs.ext4");
	make_some();
	if (_i == 0)
		unmount_vault();
	else
		crash_vault();
	if (_i == 1)
		run(0, "umount mnt");
	skip_unless(burn(), "no loop devices");
	before = all_of("store");
	says(run(1, "trailfs store mnt"), "ead-only");
	mount_vault("ro");
	also_mount(0, "ro");
	only_shows();
	can_be_checked();
	verify(0);
	says(run(0, "trailctl log store"), "t/w/a/f");
	unmount_vault();
	run(0, "umount mnt2");
	/* The daemon holds nothing of the medium any more. */
	run(0, "timeout 20 flock store/lock true");
	unchanged("store", before);
	unmount("store");
}
END_TEST

START_TEST(a_copy_without_its_lock_or_index)
{
	skip_unless(have("mkfs.ext4"), "no mkfs.ext4");
	make_some();
	crash_vault();
	run(0, "umount mnt && rm store/lock store/ledger.db-shm");
	skip_unless(burn(), "no loop devices");
	says(run(1, "trailfs store mnt -o ro"), "writable once");
	says(run(3, "trailctl verify store"), "writable once");
	unmount("store");
	run(0, "mount -o loop image store");
	mount_vault("settle=60,moved");
	unmount_vault();
	run(0, "rm store/lock && mount -o remount,ro store");
	mount_vault("ro");
	only_shows();
	unmount_vault();
	unmount("store");
}
END_TEST

/* --- a running mount --------------------------------------------------- */

START_TEST(a_bind_mount_shows_a_mount_that_is_written)
{
	make_some();
	allowed(mkdir("audit", 0755));
	run(0, "mount -o bind,ro mnt audit");
	ck_assert_str_eq("short", content("audit/t/w/a/f", NULL));
	refused(EROFS, try_open("audit/t/w/a/new", O_WRONLY | O_CREAT));
	refused(EROFS, try_open("audit/t/w/a/f", O_WRONLY));
	refused(EROFS, unlink("audit/t/w/a/f"));
	refused(EROFS, mkdir("audit/new", 0755));
	refused(EROFS, chmod("audit/t/w/a", 0555));
	refused(EROFS, setxattr("audit/t/w/a/x.tmp", "user.x", "z", 1, 0));
	/* What is sealed through the other is there at once. */
	for (int i = 0; i < 20; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/n%d", i);
		put_sealed(path, "new");
		snprintf(path, sizeof path, "audit/t/w/a/n%d", i);
		has_state(path, "sealed");
		ck_assert_str_eq("new", content(path, NULL));
		says(content("audit/.trailfs/events.jsonl", NULL), path + 6);
	}
	run(0, "trailctl verify audit --vkey store/keys/log.vkey");
	run(0, "umount audit");
	unmount_vault();
	verify(0);
}
END_TEST

Suite *
suite_readonly(void)
{
	Suite *s = suite_create("readonly");
	TCase *t = stored_case(s, "readonly");

	tcase_add_test(t, a_store_at_rest_is_shown_and_not_changed);
	tcase_add_test(t, after_a_crash_committed_files_are_shown);
	tcase_add_test(t, a_store_that_is_written_is_not_mounted_so);
	tcase_add_test(t, several_mounts_show_and_keep_writers_out);
	tcase_add_loop_test(t, a_read_only_medium_is_shown, 0, 2);
	tcase_add_test(t, a_copy_without_its_lock_or_index);
	tcase_add_test(t, a_bind_mount_shows_a_mount_that_is_written);
	return s;
}
