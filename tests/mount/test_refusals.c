/* Nobody can change frozen or sealed evidence.  test_tamper.c tries the ways
 * that take one call.  Here are the ways that take several calls, the calls
 * that stay allowed, and the errors of other callers. */
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>

#include "harness.h"

#define F A "/report"
#define TEXT "what happened\n"

/* Loop tests: who tries, and on what. */
static const struct {
	uid_t who;
	const char *state;
} cases[] = {
	{ 0, "frozen" },
	{ 0, "sealed" },
	{ ALICE, "frozen" },
	{ ALICE, "sealed" },
};
#define CASES ((int)LEN(cases))

static struct stat before;

/* F in that state, written by him who tries; and he tries from now on. */
static void
stand_in(int i)
{
	make_attestation();
	allowed(chown("mnt/t", cases[i].who, cases[i].who));
	allowed(chown(W, cases[i].who, cases[i].who));
	allowed(chown(A, cases[i].who, cases[i].who));
	as(cases[i].who);
	put(F, TEXT);
	if (strcmp(cases[i].state, "sealed") == 0)
		sync_dir("mnt");
	has_state(F, cases[i].state);
	before = stat_of(F);
}

/* F is what it was. */
static void
nothing_changed(int i)
{
	struct stat now = stat_of(F);

	holds(F, TEXT);
	has_state(F, cases[i].state);
	ck_assert_uint_eq(before.st_ino, now.st_ino);
	ck_assert_uint_eq(before.st_mode, now.st_mode);
	ck_assert_uint_eq(before.st_uid, now.st_uid);
	ck_assert_uint_eq(before.st_gid, now.st_gid);
	ck_assert_int_eq(before.st_size, now.st_size);
	ck_assert_uint_eq(1, now.st_nlink);
	ck_assert_int_eq(before.st_mtim.tv_sec, now.st_mtim.tv_sec);
	ck_assert_int_eq(before.st_mtim.tv_nsec, now.st_mtim.tv_nsec);
	sync_dir("mnt");
	has_state(F, "sealed");
	holds(F, TEXT);
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/report"));
}

/* A private one may be written, and nobody else sees it. */
START_TEST(evidence_is_not_changed_through_a_mapping)
{
	int fd;
	char *p;

	stand_in(_i);
	fd = open(F, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(MAP_FAILED, p);
	p[0] = 'W';
	munmap(p, 4096);
	close(fd);
	nothing_changed(_i);
}
END_TEST

/* Frozen, it may still take another ordinary name; a draft's, never. */
START_TEST(evidence_is_never_renamed_to_a_draft)
{
	static const char *const drafts[] = { "report.tmp", ".report.a1B2c3",
		"report~", ".#report", "report.part", ".report.swp" };
	char to[64];

	stand_in(_i);
	allowed(mkdir(A "/.~tmp~", 0755));
	allowed(mkdir(W "/.draft", 0755));
	for (size_t i = 0; i < LEN(drafts); i++) {
		snprintf(to, sizeof to, A "/%s", drafts[i]);
		refused(EPERM, rename(F, to));
		refused(EPERM, rename_flags(F, to, RENAME_NOREPLACE));
	}
	refused(EPERM, rename(F, A "/.~tmp~/report"));
	refused(EPERM, rename(F, W "/.draft/report"));
	refused(EPERM, rename(F, W "/report"));
	refused(EPERM, rename(F, "mnt/t/report"));
	refused(EINVAL, rename_flags(F, A "/b", RENAME_WHITEOUT));
	allowed(rename(F, F)); /* the kernel: the same name */
	allowed(rmdir(A "/.~tmp~"));
	allowed(rmdir(W "/.draft"));
	nothing_changed(_i);
}
END_TEST

START_TEST(nothing_is_renamed_onto_evidence)
{
	stand_in(_i);
	put(A "/new.tmp", "another story\n");
	refused(EPERM, rename(A "/new.tmp", F));
	refused(EEXIST, rename_flags(A "/new.tmp", F, RENAME_NOREPLACE));
	refused(EINVAL, rename_flags(A "/new.tmp", F, RENAME_EXCHANGE));
	holds(A "/new.tmp", "another story\n");
	put(A "/touched", "");
	refused(EPERM, rename(A "/touched", F));
	allowed(mkdir(A "/d", 0755));
	refused(ENOTDIR, rename(A "/d", F));
	refused(EISDIR, rename(A "/new.tmp", A "/d"));
	allowed(unlink(A "/new.tmp"));
	allowed(unlink(A "/touched"));
	nothing_changed(_i);
}
END_TEST

START_TEST(no_device_or_pipe_replaces_evidence)
{
	stand_in(_i);
	refused(EEXIST, mkfifo(F, 0644));
	refused(EPERM, mkfifo(A "/fifo", 0644));
	refused(EPERM, mknod(A "/socket", S_IFSOCK | 0644, 0));
	refused(EPERM, mknod(A "/null", S_IFCHR | 0644, makedev(1, 3)));
	refused(EPERM, mknod(A "/disk", S_IFBLK | 0644, makedev(7, 0)));
	refused(EOPNOTSUPP, try_open(A, O_WRONLY | O_TMPFILE));
	nothing_changed(_i);
}
END_TEST

static int
set_times(const char *path, time_t atime, time_t mtime)
{
	struct timespec t[2] = { { atime, 0 }, { mtime, 0 } };

	return utimensat(AT_FDCWD, path, t, 0);
}

/* rsync and touch -a repeat what is there already. */
START_TEST(a_request_that_changes_nothing_succeeds_in_any_state)
{
	struct timespec t[2], now = { 0, UTIME_NOW }, omit = { 0, UTIME_OMIT };
	int fd;

	stand_in(_i);
	t[0] = t[1] = before.st_mtim;
	allowed(try_open(F, O_RDONLY));
	allowed(try_open(F, O_RDONLY | O_CREAT));
	allowed(truncate(F, (off_t)strlen(TEXT)));
	allowed(chmod(F, before.st_mode & 07777));
	allowed(chown(F, before.st_uid, before.st_gid));
	allowed(chown(F, (uid_t)-1, (gid_t)-1));
	allowed(utimensat(AT_FDCWD, F, t, 0));
	t[0] = now; /* the access time, which nobody keeps */
	t[1] = omit;
	allowed(utimensat(AT_FDCWD, F, t, 0));
	fd = open(F, O_RDONLY);
	allowed(fchmod(fd, before.st_mode & 07777));
	allowed(fchown(fd, before.st_uid, before.st_gid));
	t[0] = t[1] = before.st_mtim;
	allowed(futimens(fd, t));
	allowed(fsync(fd));
	allowed(fdatasync(fd));
	close(fd);
	nothing_changed(_i);
}
END_TEST

START_TEST(trailfs_attributes_are_not_set_by_hand)
{
	static const char *const names[] = { "user.trailfs.state",
		"user.trailfs.sha256", "user.trailfs.index",
		"user.trailfs.sealed-at", "user.trailfs.actor",
		"user.trailfs.whatever" };
	char list[256];

	stand_in(_i);
	for (size_t i = 0; i < LEN(names); i++) {
		refused(EPERM, setxattr(F, names[i], "open", 4, 0));
		refused(EPERM, removexattr(F, names[i]));
	}
	/* Readable by name, never listed, or copies would carry them. */
	ck_assert_int_eq(0, listxattr(F, list, sizeof list));
	ck_assert_int_eq(0, llistxattr(A, list, sizeof list));
	nothing_changed(_i);
}
END_TEST

START_TEST(attributes_of_other_namespaces_are_not_supported)
{
	static const char *const names[] = { "security.selinux",
		"system.posix_acl_access", "system.posix_acl_default",
		"system.nfs4_acl" };
	char value[64];

	stand_in(_i);
	for (size_t i = 0; i < LEN(names); i++) {
		/* LSMs and others may say more; none may say yes. */
		ck_assert_int_eq(-1, setxattr(F, names[i], "x", 1, 0));
		ck_assert_msg(errno == EOPNOTSUPP || errno == EPERM ||
			errno == EINVAL,
		    "%s: %s", names[i], errno_name(errno));
		ck_assert_int_eq(-1,
		    getxattr(F, names[i], value, sizeof value));
		ck_assert_msg(errno == EOPNOTSUPP || errno == ENODATA, "%s: %s",
		    names[i], errno_name(errno));
	}
	as(0);
	refused(EOPNOTSUPP, setxattr(F, "trusted.x", "x", 1, 0));
	refused(EOPNOTSUPP, setxattr(F, "security.x", "x", 1, 0));
	refused(EOPNOTSUPP, removexattr(F, "trusted.x"));
	refused(EOPNOTSUPP, getxattr(F, "trusted.x", value, sizeof value));
	as(cases[_i].who);
	refused(EOPNOTSUPP, setxattr(A, "user.note", "x", 1, 0));
	nothing_changed(_i);
}
END_TEST

START_TEST(no_flag_or_ioctl_opens_evidence_for_writing)
{
	int fd, flags = 0;

	stand_in(_i);
	fd = open(F, O_RDONLY);
	ck_assert_int_eq(-1, ioctl(fd, FIONREAD + 0x1234, &flags));
	ck_assert_int_eq(ENOTTY, errno);
	/* lsattr, chattr: refused, whatever the kernel calls it. */
	ck_assert_int_eq(-1, ioctl(fd, _IOW('f', 2, long), &flags));
	refused(EBADF, write(fd, "x", 1));
	refused(EBADF, pwrite(fd, "x", 1, 0));
	close(fd);
	nothing_changed(_i);
}
END_TEST

/* A descriptor that was opened for writing before is not a way in later: it
 * cannot outlive the freezing, for the last one is what freezes. */
START_TEST(a_descriptor_shared_with_a_child_keeps_the_file_open)
{
	int fd, dup_fd;

	make_attestation();
	fd = begin(F);
	add(fd, "one\n");
	dup_fd = dup(fd);
	allowed(close(fd));
	has_state(F, "open");
	add(dup_fd, "two\n");
	allowed(close(dup_fd));
	has_state(F, "frozen");
	refused(EPERM, try_open(F, O_WRONLY | O_APPEND));
	holds(F, "one\ntwo\n");
}
END_TEST

/* --- other users ------------------------------------------------------ */

/* Directories that both may write in. */
static void
make_shared(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	allowed(chmod(A, 0777));
}

START_TEST(a_stranger_meets_the_kernel_first)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	put_sealed(F, TEXT);
	as(BOB);
	holds(F, TEXT);
	refused(EACCES, try_open(F, O_WRONLY));
	refused(EACCES, try_open(F, O_WRONLY | O_TRUNC));
	refused(EACCES, truncate(F, 0));
	refused(EACCES, unlink(F));
	refused(EACCES, rename(F, A "/g"));
	refused(EACCES, try_open(A "/new", O_WRONLY | O_CREAT));
	refused(EACCES, mkdir(A "/new", 0755));
	refused(EACCES, mkdir(W "/new", 0755));
	refused(EACCES, mkdir("mnt/t/new", 0755));
	refused(EACCES, mkdir("mnt/new", 0755));
	refused(EPERM, chmod(F, 0666));
	refused(EPERM, chown(F, BOB, BOB));
	refused(EPERM, chmod(A, 0777));
	refused(EPERM, chmod(A, 0555));
	refused(EPERM, set_times(F, 1, 1));
	has_state(A, "open");
}
END_TEST

START_TEST(a_private_trail_is_read_by_its_owner_only)
{
	make_attestation();
	put_sealed(F, TEXT);
	as(BOB); /* the trail is 0750 */
	refused(EACCES, try_open(F, O_RDONLY));
	refused(EACCES, try_open("mnt/t", O_RDONLY | O_DIRECTORY));
	refused(EACCES, try_open("mnt/.trailfs/events.jsonl", O_RDONLY));
	allowed(try_open("mnt/.trailfs/checkpoint", O_RDONLY));
}
END_TEST

START_TEST(two_users_never_write_one_file_at_once)
{
	int fd, second;

	make_shared();
	umask(0);
	as(ALICE);
	fd = open(F, O_WRONLY | O_CREAT | O_EXCL, 0666);
	ck_assert_int_ge(fd, 0);
	add(fd, "alice\n");
	allowed(fsync(fd)); /* with streams=on, too, the daemon has it */
	as(BOB);
	refused(EBUSY, try_open(F, O_WRONLY | O_APPEND));
	refused(EBUSY, try_open(F, O_RDWR));
	refused(EPERM, try_open(F, O_WRONLY | O_TRUNC));
	as(0);
	refused(EBUSY, try_open(F, O_WRONLY | O_APPEND));
	as(ALICE);
	second = open(F, O_WRONLY | O_APPEND);
	ck_assert_msg(second >= 0, "second open: %s", errno_name(errno));
	add(second, "alice again\n");
	allowed(close(second));
	has_state(F, "open");
	add(fd, ""); /* still hers */
	allowed(close(fd));
	has_state(F, "frozen");
	as(BOB);
	refused(EPERM, try_open(F, O_WRONLY | O_APPEND));
	as(0);
	sync_dir("mnt");
	says(entry("evidence.sealed", "t/w/a/report"), "\"uid\":1001");
	ck_assert_ptr_null(strstr(entry("evidence.sealed", "t/w/a/report"),
	    "\"writers\""));
}
END_TEST

START_TEST(only_the_owner_renames_or_changes_a_frozen_file)
{
	make_shared();
	umask(0);
	as(ALICE);
	put(F, TEXT);
	as(BOB);
	refused(EPERM, rename(F, A "/mine"));
	refused(EPERM, chmod(F, 0666));
	refused(EPERM, unlink(F));
	refused(EACCES, setxattr(F, "user.note", "x", 1, 0));
	as(ALICE);
	allowed(chmod(F, 0600));
	allowed(setxattr(F, "user.note", "x", 1, 0));
	allowed(rename(F, A "/final"));
	as(0);
	allowed(chown(A "/final", BOB, BOB));
	sync_dir("mnt");
	says(entry("evidence.sealed", "t/w/a/final"),
	    "\"access\":{\"gid\":1002,");
	says(entry("evidence.sealed", "t/w/a/final"),
	    "\"mode\":\"0600\",\"uid\":1002");
	says(entry("evidence.sealed", "t/w/a/final"),
	    "\"xattrs\":{\"note\":\"eA==\"}");
	/* Who wrote it is still Alice. */
	ck_assert_ptr_nonnull(strstr(entry("evidence.sealed", "t/w/a/final"),
	    "\"uid\":1001"));
}
END_TEST

/* A sticky or shared directory is no reason to delete what others began. */
START_TEST(only_the_owner_changes_a_draft)
{
	make_shared();
	umask(0);
	as(ALICE);
	put(A "/x.tmp", "draft");
	put(A "/touched", "");
	as(BOB);
	refused(EPERM, unlink(A "/x.tmp"));
	refused(EPERM, unlink(A "/touched"));
	put(A "/y.tmp", "mine");
	refused(EPERM, rename(A "/y.tmp", A "/x.tmp"));
	refused(EPERM, rename(A "/y.tmp", A "/touched"));
	as(ALICE);
	holds(A "/x.tmp", "draft");
	allowed(unlink(A "/x.tmp"));
	allowed(unlink(A "/touched"));
}
END_TEST

/* --- while it is written ---------------------------------------------- */

START_TEST(an_open_file_is_not_removed)
{
	int fd;

	make_attestation();
	fd = begin(F);
	add(fd, "first words\n");
	has_state(F, "open");
	refused(EPERM, unlink(F));
	refused(EPERM, try_open(F, O_WRONLY | O_TRUNC));
	refused(EPERM, truncate(F, 0));
	refused(EPERM, rename(F, A "/report.tmp"));
	put(A "/x.tmp", "x");
	refused(EPERM, rename(A "/x.tmp", F));
	/* Its own handle may do what it likes. */
	allowed(ftruncate(fd, 5));
	allowed(lseek(fd, 0, SEEK_SET));
	add(fd, "FIRST");
	allowed(fallocate(fd, 0, 0, 8));
	allowed(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096));
	refused(EOPNOTSUPP,
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4));
	refused(EOPNOTSUPP, fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4));
	refused(EOPNOTSUPP, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
	refused(EOPNOTSUPP, fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096));
	allowed(close(fd));
	ck_assert_int_eq(8, stat_of(F).st_size);
	ck_assert_int_eq(0, memcmp(content(F, NULL), "FIRST\0\0\0", 8));
	has_state(F, "frozen");
}
END_TEST

START_TEST(a_name_may_change_while_the_file_is_written)
{
	int fd;

	make_attestation();
	fd = begin(F);
	add(fd, "one\n");
	allowed(rename(F, A "/other"));
	add(fd, "two\n");
	allowed(close(fd));
	ck_assert(!exists(F));
	holds(A "/other", "one\ntwo\n");
	put(F, "the name is free");
	sync_dir("mnt");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/other"));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/report"));
}
END_TEST

/* The ledger counts refusals; ledger.closed has the sum. */
START_TEST(attempts_are_counted)
{
	make_attestation();
	put_sealed(F, TEXT);
	for (int i = 0; i < 5; i++)
		refused(EPERM, unlink(F));
	refused(EPERM, truncate(F, 0));
	refused(EPERM, try_open(F, O_WRONLY));
	says(content("mnt/.trailfs/status.json", NULL), "\"denied\":7,");
	unmount_vault();
	says(entry("ledger.closed", NULL), "\"denied\":7,");
	says(content("log", NULL), "refused: unlink by uid 0 pid");
}
END_TEST

Suite *
suite_refusals(void)
{
	Suite *s = suite_create("refusals");
	TCase *t = mounted_case(s, "refusals");

	tcase_add_loop_test(t, evidence_is_not_changed_through_a_mapping, 0,
	    CASES);
	tcase_add_loop_test(t, evidence_is_never_renamed_to_a_draft, 0, CASES);
	tcase_add_loop_test(t, nothing_is_renamed_onto_evidence, 0, CASES);
	tcase_add_loop_test(t, no_device_or_pipe_replaces_evidence, 0, CASES);
	tcase_add_loop_test(t,
	    a_request_that_changes_nothing_succeeds_in_any_state, 0, CASES);
	tcase_add_loop_test(t, trailfs_attributes_are_not_set_by_hand, 0,
	    CASES);
	tcase_add_loop_test(t, attributes_of_other_namespaces_are_not_supported,
	    0, CASES);
	tcase_add_loop_test(t, no_flag_or_ioctl_opens_evidence_for_writing, 0,
	    CASES);
	tcase_add_test(t, a_descriptor_shared_with_a_child_keeps_the_file_open);
	tcase_add_test(t, a_stranger_meets_the_kernel_first);
	tcase_add_test(t, a_private_trail_is_read_by_its_owner_only);
	tcase_add_test(t, two_users_never_write_one_file_at_once);
	tcase_add_test(t, only_the_owner_renames_or_changes_a_frozen_file);
	tcase_add_test(t, only_the_owner_changes_a_draft);
	tcase_add_test(t, an_open_file_is_not_removed);
	tcase_add_test(t, a_name_may_change_while_the_file_is_written);
	tcase_add_test(t, attempts_are_counted);
	return s;
}
