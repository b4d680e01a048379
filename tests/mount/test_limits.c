/* Limits that are set: of a file, and of what a user has not sealed yet.  What
 * they cut short is never evidence. */
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "harness.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

/* A vault in which everybody may write. */
static void
begin_with(const char *options)
{
	mount_vault(options);
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(A, 01777));
}

/* Create it and write n bytes, which is too much: the errno of that. */
static void
put_refused(const char *path, size_t n, int sys)
{
	char *text = noise(n, 1);
	int fd = begin(path);

	ck_assert_int_ne((ssize_t)n,
	    write(fd, text, n));	  /* some of it, perhaps */
	refused(sys, write(fd, text, n)); /* and from then on always */
	refused(sys, fsync(fd));
	refused(sys, close(fd));
}

static void
was_interrupted(const char *path)
{
	ck_assert(!exists(path)); /* the name is free */
	sync_dir("mnt");
	ck_assert_uint_eq(0, entries("evidence.sealed", path + 4));
	ck_assert_uint_eq(1, entries("evidence.interrupted", path + 4));
}

static void
end(void)
{
	unmount_vault();
	verify(0);
}

/* --- max_file ---------------------------------------------------------- */

START_TEST(a_file_that_grows_too_long_is_never_evidence)
{
	char *text = noise(MIB, 2);
	int fd;

	begin_with("settle=60,max_file=1M");
	fd = begin(A "/fits");
	ck_assert_int_eq(MIB, write(fd, text, MIB));
	ck_assert_int_eq(1, pwrite(fd, "x", 1, MIB - 1));
	allowed(close(fd));
	fd = begin(A "/far");
	refused(EFBIG, pwrite(fd, "x", 1, MIB));
	refused(EFBIG, close(fd));
	was_interrupted(A "/far");
	run(0, "head -c 1048577 /dev/zero >big");
	says(run(1, "cp big " A "/big"), "File too large");
	was_interrupted(A "/big");
	has_state(A "/fits", "sealed");
	ck_assert_int_eq(MIB, stat_of(A "/fits").st_size);
	run(0, "rm " A "/*.part");
	put_sealed(A "/big", "smaller");
	end();
}
END_TEST

/* Its very first write was refused: recovery finds the draft as it left it. */
START_TEST(a_crash_interrupts_nothing_twice)
{
	int fd;

	begin_with("settle=60,max_file=1M");
	fd = begin(A "/f");
	refused(EFBIG, pwrite(fd, "x", 1, MIB));
	refused(EFBIG, close(fd));
	was_interrupted(A "/f");
	crash_vault();
	mount_vault("settle=60,max_file=1M");
	was_interrupted(A "/f");
	ck_assert_uint_eq(1, entries("evidence.interrupted", NULL));
	end();
}
END_TEST

/* It was a placeholder until then; its writer is still there. */
START_TEST(a_crash_after_a_refused_write_leaves_no_placeholder)
{
	int fd;

	skip_unless(have("sqlite3"), "no sqlite3");
	begin_with("settle=60,max_file=1M");
	put(A "/f", "");
	has_state(A "/f", "placeholder");
	fd = open(A "/f", O_WRONLY);
	refused(EFBIG, pwrite(fd, "x", 1, MIB));
	run(0,
	    "for i in $(seq 600); do sqlite3 store/ledger.db "
	    "'SELECT id FROM stage WHERE dirty & 1' | grep -q . && exit 0; "
	    "sleep 0.1; done; exit 1");
	crash_vault();
	close(fd);
	mount_vault("settle=60,max_file=1M");
	was_interrupted(A "/f");
	end();
}
END_TEST

/* What was not begun is not cut short: a size that is refused changes
 * nothing. */
START_TEST(a_size_beyond_the_limit_changes_nothing)
{
	int fd;

	begin_with("settle=60,max_file=1M");
	fd = begin(A "/f");
	add(fd, "before");
	refused(EFBIG, ftruncate(fd, MIB + 1));
	refused(EFBIG, fallocate(fd, 0, 0, MIB + 1));
	refused(EFBIG, fallocate(fd, 0, MIB, 1));
	refused(EFBIG, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MIB + 1));
	allowed(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MIB));
	add(fd, " after");
	allowed(close(fd));
	put(A "/d.tmp", "draft");
	refused(EFBIG, truncate(A "/d.tmp", MIB + 1));
	sync_dir("mnt");
	has_state(A "/f", "sealed");
	holds(A "/f", "before after");
	holds(A "/d.tmp", "draft");
	end();
}
END_TEST

START_TEST(a_draft_that_was_cut_short_gets_no_name)
{
	begin_with("settle=60,max_file=1M");
	put_refused(A "/f.tmp", MIB + 1, EFBIG);
	refused(EFBIG, rename(A "/f.tmp", A "/f"));
	ck_assert(!exists(A "/f"));
	sync_dir("mnt");
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	allowed(unlink(A "/f.tmp"));
	end();
}
END_TEST

/* A lower limit is no reason to lose what is there. */
START_TEST(a_draft_from_before_the_limit_stays)
{
	char *text = noise(MIB, 3);
	int fd;

	begin_with("settle=60");
	put_bytes(A "/f.tmp", text, MIB);
	unmount_vault();
	mount_vault("settle=60,max_file=1000,max_staged=1000");
	fd = open(A "/f.tmp", O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(5, pwrite(fd, "other", 5, 5000));
	allowed(close(fd));
	allowed(rename(A "/f.tmp", A "/f"));
	memcpy(text + 5000, "other", 5);
	ck_assert_int_eq(0, memcmp(text, content(A "/f", NULL), MIB));
	has_state(A "/f", "sealed");
	end();
}
END_TEST

START_TEST(a_limit_may_be_said_in_many_ways)
{
	static const struct {
		const char *text;
		off_t bytes;
	} limits[] = { { "1000", 1000 }, { "3K", 3 << 10 }, { "5M", 5 << 20 },
		{ "2G", (off_t)2 << 30 } };
	static const char *const bad[] = { "", "K", "-1", "1X", "1k", "K1",
		"1MM", "1.5M", "0x10", "9007199254740992", "8192T",
		"18446744073709551617K" };
	char options[64];
	int fd;

	for (size_t i = 0; i < LEN(limits); i++) {
		/* As an option, or as a line of the store. */
		run(0, "echo 'max_file = %s' >store/config",
		    i % 2 == 0 ? limits[i].text : "1");
		snprintf(options, sizeof options, "max_file=%s",
		    limits[i].text);
		mount_vault(i % 2 == 0 ? "settle=60" : options);
		if (i == 0)
			make_attestation();
		fd = begin(A "/f.tmp");
		allowed(ftruncate(fd, limits[i].bytes));
		refused(EFBIG, ftruncate(fd, limits[i].bytes + 1));
		allowed(ftruncate(fd, 0));
		allowed(close(fd));
		allowed(unlink(A "/f.tmp"));
		unmount_vault();
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		run(2, "trailfs store mnt -o max_file=%s", bad[i]);
		run(2, "trailfs store mnt -o max_staged=%s", bad[i]);
		run(0, "echo 'max_file = %s' >store/config", bad[i]);
		says(run(1, "trailfs store mnt"), "config");
	}
	run(2, "trailfs store mnt -o settle=1K");
}
END_TEST

/* Entries cannot say more than 2^53-1. */
START_TEST(no_file_is_longer_than_its_entry_can_say)
{
	const off_t most = (off_t)1 << 53;
	int fd;

	begin_with("settle=60");
	fd = begin(A "/f");
	add(fd, "x");
	refused(EFBIG, ftruncate(fd, most));
	refused(EFBIG, ftruncate(fd, INT64_MAX));
	refused(EFBIG, fallocate(fd, 0, most - 1, 1));
	refused(EFBIG, fallocate(fd, 0, INT64_MAX - 1, 1));
	allowed(close(fd));
	fd = begin_both(A "/g");
	refused(EFBIG, pwrite(fd, "x", 1, most - 1));
	refused(EFBIG, close(fd));
	was_interrupted(A "/g");
	holds(A "/f", "x");
	end();
}
END_TEST

/* --- max_unsealed ------------------------------------------------------ */

START_TEST(the_number_of_unsealed_names_per_user_is_limited)
{
	char path[64];

	begin_with("settle=60,max_unsealed=20");
	as(ALICE);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof path, A "/d%d", i);
		allowed(mkdir(path, 0755));
		snprintf(path, sizeof path, A "/f%d", i);
		put(path, "text");
	}
	refused(EDQUOT, mkdir(A "/more", 0755));
	refused(EDQUOT, open(A "/file", O_WRONLY | O_CREAT, 0644));
	/* Others have their own. */
	as(BOB);
	put(A "/his", "text");
	as(ALICE);
	/* Sealed or deleted: then there is room again. */
	sync_dir(A);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof path, A "/g%d", i);
		put(path, "text");
	}
	refused(EDQUOT, mkdir(A "/more", 0755));
	as(0);
	allowed(rmdir(A "/d0"));
	as(ALICE);
	allowed(mkdir(A "/more", 0755));
	as(0);
	end();
}
END_TEST

/* Attributes use memory: each KiB of them counts as a name. */
START_TEST(attributes_count_as_names)
{
	char *value = noise(1500, 7);

	begin_with("settle=60,max_unsealed=3");
	as(ALICE);
	put(A "/a.tmp", "text");
	put(A "/b.tmp", "text");
	allowed(setxattr(A "/a.tmp", "user.x", value, 1500, 0));
	refused(EDQUOT, setxattr(A "/b.tmp", "user.x", value, 1500, 0));
	refused(EDQUOT, mkdir(A "/more", 0755));
	allowed(removexattr(A "/a.tmp", "user.x"));
	allowed(setxattr(A "/b.tmp", "user.x", value, 1500, 0));
	allowed(unlink(A "/b.tmp"));
	allowed(mkdir(A "/more", 0755));
	as(0);
	end();
}
END_TEST

/* --- max_store --------------------------------------------------------- */

/* Users share it; what was accepted is sealed, and equal bytes count twice. */
START_TEST(the_size_of_a_store_is_limited)
{
	struct statvfs s;
	int fd;

	begin_with("settle=60,max_store=4M");
	allowed(statvfs("mnt", &s));
	ck_assert_uint_eq(4 * MIB, s.f_blocks * s.f_frsize);
	as(ALICE);
	fd = begin(A "/one"); /* at once, and more than half of what is left */
	allowed(ftruncate(fd, 3 * MIB));
	allowed(close(fd));
	as(BOB);
	put_refused(A "/two", 2 * MIB, ENOSPC);
	put_bytes(A "/three", noise(512 * KIB, 4), 512 * KIB);
	allowed(statvfs("mnt", &s));
	ck_assert_uint_le(s.f_bavail * s.f_frsize, 512 * KIB);
	as(0);
	sync_dir("mnt");
	has_state(A "/one", "sealed");
	has_state(A "/three", "sealed");
	put_refused(A "/four", MIB, ENOSPC);
	/* Sealed bytes stay: another mount has no more room, but may be given
	 * some. */
	unmount_vault();
	mount_vault("settle=60,max_store=3M");
	refused(ENOSPC, mkdir("mnt/other", 0755));
	refused(ENOSPC, open(A "/five", O_WRONLY | O_CREAT, 0644));
	unmount_vault();
	mount_vault("settle=60,max_store=8M");
	put_sealed(A "/five", "text");
	end();
}
END_TEST

/* Write n bytes of user data, which differ for each seed: the errno of close. */
static int
say(const char *path, size_t n, unsigned seed)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((ssize_t)n, write(fd, noise(n, seed), n));
	return close(fd) == 0 ? 0 : errno;
}

#define SAID "/.trailfs/user-data"

START_TEST(user_data_count_for_the_size_of_a_store)
{
	begin_with("settle=60,max_store=4M");
	/* What is removed or replaced does not count. */
	for (unsigned i = 0; i < 6; i++) {
		allowed(mkdir(W "/.d", 0755));
		ck_assert_int_eq(0, say(W "/.d" SAID, MIB, i));
		allowed(rmdir(W "/.d"));
		ck_assert_int_eq(0, say(A SAID, MIB, i));
	}
	/* That about a workflow is in the ledger for ever. */
	ck_assert_int_eq(0, say(W SAID, MIB, 7));
	ck_assert_int_eq(0, say(W SAID, MIB, 8));
	ck_assert_int_eq(ENOSPC, say(W SAID, MIB, 9));
	ck_assert_int_eq(0, setxattr(A, "user.trailfs.type", "x", 1, 0));
	unmount_vault();
	mount_vault("settle=60,max_store=1M");
	refused(ENOSPC, mkdir("mnt/other", 0755));
	end();
}
END_TEST

/* --- max_open ---------------------------------------------------------- */

START_TEST(the_number_of_open_files_per_user_is_limited)
{
	int fd[5];

	begin_with("settle=60,max_open=5");
	as(ALICE);
	put(A "/draft.tmp", "text");
	for (int i = 0; i < 4; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/f%d", i);
		fd[i] = begin(path);
	}
	fd[4] = open(A "/draft.tmp", O_WRONLY);
	ck_assert_int_ge(fd[4], 0);
	refused(EDQUOT, open(A "/more", O_WRONLY | O_CREAT, 0644));
	refused(EDQUOT, open(A "/draft.tmp", O_WRONLY));
	ck_assert(!exists(A "/more"));
	holds(A "/draft.tmp", "text"); /* reading is not limited */
	/* Others have their own. */
	as(BOB);
	put(A "/his", "text");
	as(ALICE);
	allowed(close(fd[4]));
	put(A "/more", "text");
	for (int i = 0; i < 4; i++)
		allowed(close(fd[i]));
	as(0);
	end();
}
END_TEST

/* --- max_staged -------------------------------------------------------- */

static void
fits(const char *path, size_t n)
{
	put_bytes(path, noise(n, 4), n);
}

START_TEST(the_staged_bytes_per_user_are_limited)
{
	int fd;

	begin_with("settle=60,max_staged=1M");
	as(ALICE);
	fits(A "/one", 600 * KIB);
	put_refused(A "/two", 600 * KIB, EDQUOT);
	ck_assert(!exists(A "/two"));
	/* Others have their own, root too. */
	as(BOB);
	fits(A "/three", MIB);
	put_refused(A "/four", 1, EDQUOT);
	as(0);
	fits(A "/five", MIB);
	fd = begin(A "/six");
	refused(EDQUOT, ftruncate(fd, 1));
	refused(EDQUOT, fallocate(fd, 0, 0, 1));
	refused(EDQUOT, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1));
	allowed(close(fd));
	was_interrupted(A "/two");
	was_interrupted(A "/four");
	has_state(A "/one", "sealed");
	end();
}
END_TEST

/* Sealed, deleted, cut or given away: then there is room again. */
START_TEST(sealed_removed_and_cut_files_do_not_count)
{
	int fd, other;

	begin_with("settle=60,max_staged=1M");
	as(ALICE);
	fits(A "/a", MIB);
	fd = open(A "/a", O_RDONLY); /* who reads it has no part in it */
	sync_dir(A);
	fits(A "/b", MIB);
	sync_dir(A);
	allowed(close(fd));
	/* Space that was asked for is not taken yet. */
	fd = begin(A "/c");
	allowed(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MIB));
	fits(A "/d", MIB);
	sync_dir(A);
	allowed(close(fd));
	for (int i = 0; i < 3; i++) {
		fits(A "/x.tmp", MIB);
		allowed(unlink(A "/x.tmp"));
	}
	fd = begin(A "/x.tmp");
	for (int i = 0; i < 3; i++) {
		allowed(ftruncate(fd, MIB));
		refused(EDQUOT, ftruncate(fd, MIB + 1));
		allowed(ftruncate(fd, 0));
		fits(A "/z.tmp", MIB);
		allowed(unlink(A "/z.tmp"));
	}
	allowed(ftruncate(fd, MIB));
	/* Without its name it still takes its place. */
	allowed(unlink(A "/x.tmp"));
	other = begin(A "/y.tmp");
	refused(EDQUOT, ftruncate(other, 1));
	allowed(close(fd));
	/* RELEASE comes behind close(2); whoever asks next waits for it. */
	(void)exists(A);
	allowed(ftruncate(other, MIB));
	allowed(close(other));
	as(0);
	allowed(chown(A "/y.tmp", BOB, BOB));
	as(ALICE);
	fits(A "/z.tmp", MIB);
	as(BOB);
	put_refused(A "/w.tmp", 1, EDQUOT);
	as(0);
	end();
}
END_TEST

/* Drafts that the last run left count, and those of a crash. */
START_TEST(files_present_at_the_start_count)
{
	begin_with("settle=60,max_staged=1M");
	as(ALICE);
	fits(A "/x.tmp", MIB);
	as(0);
	if (_i == 0) {
		remount_vault();
	} else {
		crash_vault();
		mount_vault("settle=60,max_staged=1M");
	}
	as(ALICE);
	put_refused(A "/f", 1, EDQUOT);
	allowed(unlink(A "/x.tmp"));
	fits(A "/g", MIB - 1);
	as(0);
	was_interrupted(A "/f");
	end();
}
END_TEST

/* What the disk refused was not staged either. */
START_TEST(bytes_that_the_disk_refused_do_not_count)
{
	const off_t huge = (off_t)8000 << 40;
	int fd, other;

	begin_with("settle=60,max_staged=8191T");
	fd = begin(A "/f");
	refused(ENOSPC, ftruncate(fd, huge));
	other = begin_both(A "/g");
	refused(ENOSPC, ftruncate(other, huge));
	refused(ENOSPC, pwrite(other, "x", 1, huge));
	refused(ENOSPC, ftruncate(fd, huge));
	allowed(close(fd));
	refused(ENOSPC, close(other));
	was_interrupted(A "/g");
	end();
}
END_TEST

Suite *
suite_limits(void)
{
	Suite *s = suite_create("limits");
	TCase *t = stored_case(s, "limits");

	tcase_add_test(t, a_file_that_grows_too_long_is_never_evidence);
	tcase_add_test(t, a_crash_interrupts_nothing_twice);
	tcase_add_test(t, a_crash_after_a_refused_write_leaves_no_placeholder);
	tcase_add_test(t, a_size_beyond_the_limit_changes_nothing);
	tcase_add_test(t, a_draft_that_was_cut_short_gets_no_name);
	tcase_add_test(t, a_draft_from_before_the_limit_stays);
	tcase_add_test(t, a_limit_may_be_said_in_many_ways);
	tcase_add_test(t, no_file_is_longer_than_its_entry_can_say);
	tcase_add_test(t, the_number_of_unsealed_names_per_user_is_limited);
	tcase_add_test(t, attributes_count_as_names);
	tcase_add_test(t, the_size_of_a_store_is_limited);
	tcase_add_test(t, user_data_count_for_the_size_of_a_store);
	tcase_add_test(t, the_number_of_open_files_per_user_is_limited);
	tcase_add_test(t, the_staged_bytes_per_user_are_limited);
	tcase_add_test(t, sealed_removed_and_cut_files_do_not_count);
	tcase_add_test(t, bytes_that_the_disk_refused_do_not_count);
	tcase_add_loop_test(t, files_present_at_the_start_count, 0, 2);
	return s;
}
