/*
 * What one user asks for takes long; the others do not wait.
 *
 * The mount has two workers.  While the long work of one user is provably
 * still under way, another user looks at things, lists and writes; how fast
 * that is does not matter here.
 */
#include <dirent.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "harness.h"

#define TWO "threads=2,settle=60"
#define BOBS "mnt/t/bob"
#define ROUNDS 12
/* Seconds of hashing for any machine, and no bytes on its disk. */
#define HOLE ((off_t)6 << 30)

static void
make_vault(void)
{
	as(0);
	mount_vault(TWO);
	make_attestation();
	ck_assert_int_eq(0, mkdir(BOBS, 0755));
	ck_assert_int_eq(0, mkdir(BOBS "/a", 0755));
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(W, 0755));
	allowed(chown(A, ALICE, ALICE));
	allowed(chown(BOBS "/a", BOB, BOB));
}

/* --- somebody else -------------------------------------------------------- */

static bool
is_under_way(pid_t pid)
{
	siginfo_t si = { .si_pid = 0 };

	ck_assert_int_eq(0,
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT));
	return si.si_pid == 0;
}

/* What an ordinary user does all day. */
static void
do_a_round(unsigned n)
{
	static char text[4096];
	char path[64];
	struct stat st;
	DIR *d;

	allowed(stat(W, &st));
	allowed(stat(A, &st));
	ck_assert_ptr_nonnull(d = opendir(BOBS "/a"));
	while (readdir(d) != NULL)
		;
	closedir(d);
	snprintf(path, sizeof path, BOBS "/a/%u", n);
	put_bytes(path, text, sizeof text);
}

/* Bob's rounds come to their end while both of them are still at work. */
static void
bob_works_while(pid_t a, pid_t b)
{
	static unsigned n;

	as(BOB);
	for (unsigned i = 0; i < ROUNDS; i++) {
		do_a_round(n++);
		ck_assert_msg(is_under_way(a) && is_under_way(b),
		    "the long work ended before round %u of Bob", i);
	}
	as(0);
}

/* --- hashing -------------------------------------------------------------- */

static const char *path_in_child;

static int
close_a_hole(void)
{
	int fd;

	as(ALICE);
	fd = open(path_in_child, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || ftruncate(fd, HOLE) < 0)
		return 1;
	return close(fd) == 0 ? 0 : 2;
}

/* Long compared with all else that a test lets the daemon read. */
#define SMALL_HOLE ((off_t)128 << 20)

static int
close_a_small_hole(void)
{
	int fd;

	as(ALICE);
	fd = open(path_in_child, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || ftruncate(fd, SMALL_HOLE) < 0)
		return 1;
	return close(fd) == 0 ? 0 : 2;
}

static pid_t
child_with(int (*what)(void), const char *path)
{
	path_in_child = path;
	return in_child(what);
}

static void
await_size(const char *path, off_t size)
{
	struct stat st;

	do
		usleep(1000);
	while (stat(path, &st) < 0 || st.st_size != size);
}

START_TEST(the_close_of_a_hole_keeps_nobody_waiting)
{
	pid_t a, b;

	make_vault();
	a = child_with(close_a_hole, A "/one.tmp");
	b = child_with(close_a_hole, A "/two.tmp");
	await_size(A "/one.tmp", HOLE);
	await_size(A "/two.tmp", HOLE);
	bob_works_while(a, b);
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	(void)unlink(A "/one.tmp");
	(void)unlink(A "/two.tmp");
	(void)child_ended(a);
	(void)child_ended(b);
}
END_TEST

/* The bytes that the daemon has read since its start. */
static unsigned long long
bytes_read(void)
{
	return strtoull(run(0, "sed -n 's/^rchar: //p' /proc/%d/io",
			    (int)vault_pid()),
	    NULL, 10);
}

/* Does the file system of the store tell where holes are? */
static bool
tells_of_holes(void)
{
	int fd = open("hole", O_RDWR | O_CREAT, 0600);
	bool tells = ftruncate(fd, SMALL_HOLE) == 0 &&
	    lseek(fd, 0, SEEK_DATA) < 0 && errno == ENXIO;

	close(fd);
	return tells;
}

START_TEST(a_hole_is_not_read)
{
	unsigned long long before;

	skip_unless(tells_of_holes(), "the file system does not report holes");
	make_vault();
	before = bytes_read();
	path_in_child = A "/one";
	ck_assert_int_eq(0, child_ended(in_child(close_a_small_hole)));
	sync_dir(A);
	has_state(A "/one", "sealed");
	ck_assert_uint_lt(bytes_read() - before, SMALL_HOLE / 4);
}
END_TEST

/* head(1) of what another process is closing.  stat(2) tells the new size while
 * ftruncate(2) has not yet returned in the writer; until it has, the kernel reads
 * nothing there. */
START_TEST(a_file_being_closed_can_be_read)
{
	char byte = 1;
	ssize_t n;
	pid_t a;
	int fd;

	make_vault();
	a = child_with(close_a_hole, A "/one.tmp");
	await_size(A "/one.tmp", HOLE);
	fd = open(A "/one.tmp", O_RDONLY);
	while ((n = pread(fd, &byte, 1, HOLE - 1)) == 0 && is_under_way(a))
		usleep(1000);
	ck_assert_int_eq(1, n);
	ck_assert_int_eq(0, byte);
	ck_assert(is_under_way(a));
	close(fd);
	/* Without its name nobody needs its digest any more. */
	allowed(unlink(A "/one.tmp"));
	ck_assert_int_eq(0, child_ended(a));
}
END_TEST

/* So long that nobody waits for its end; the disk must have room for it. */
#define ENDLESS ((off_t)24 << 30)

static bool
has_room(void)
{
	struct statvfs s;

	return statvfs(".", &s) == 0 &&
	    (off_t)(s.f_bavail * s.f_frsize) >
	    ENDLESS + HOLE + ((off_t)1 << 30);
}

static int
close_an_endless_hole(void)
{
	int fd;

	as(ALICE);
	fd = open(path_in_child, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || ftruncate(fd, ENDLESS) < 0)
		return 1;
	return close(fd) == 0 ? 0 : 2;
}

START_TEST(a_process_killed_during_close_ends)
{
	pid_t a, b;

	skip_unless(has_room(), "the disk is too small");
	make_vault();
	a = child_with(close_an_endless_hole, A "/one.tmp");
	await_size(A "/one.tmp", ENDLESS);
	b = child_with(close_a_hole, A "/two.tmp");
	await_size(A "/two.tmp", HOLE);
	kill(a, SIGKILL);
	ck_assert_int_eq(-SIGKILL, child_ended(a));
	ck_assert(is_under_way(b));
	allowed(unlink(A "/one.tmp"));
	allowed(unlink(A "/two.tmp"));
	(void)child_ended(b);
}
END_TEST

/* Its bytes are all there afterwards, though nobody was promised that. */
START_TEST(the_end_of_the_daemon_does_not_wait_for_hashing)
{
	pid_t a;

	skip_unless(has_room(), "the disk is too small");
	make_vault();
	a = child_with(close_an_endless_hole, A "/one");
	await_size(A "/one", ENDLESS);
	usleep(10000);
	kill(vault_pid(), SIGTERM);
	ck_assert_int_eq(0, vault_ended());
	ck_assert_int_eq(2, child_ended(a));
	/* Nor does the start, nor the next end. */
	mount_vault(TWO);
	says(run(0, "find " A " -type f -size %lldk",
		 (long long)ENDLESS / 1024),
	    A "/one");
	kill(vault_pid(), SIGTERM);
	ck_assert_int_eq(0, vault_ended());
}
END_TEST

/* Too long to be hashed before the mount serves. */
#define LONG ((off_t)128 << 20)

static void
make_a_long_file(const char *path)
{
	int fd = begin(path);

	allowed(ftruncate(fd, LONG));
	ck_assert_int_eq(1, pwrite(fd, "x", 1, LONG / 2));
	allowed(close(fd));
}

/* --- first opens ------------------------------------------------------------ */

/* As long as an open waits for. */
#define WAITED ((off_t)60 << 20)
#define OBJECTS 14

static int
open_each(void)
{
	char path[64];
	int fd;

	for (int i = 0; i < OBJECTS; i++) {
		snprintf(path, sizeof path, A "/%s%d", path_in_child, i);
		if ((fd = open(path, O_RDONLY)) < 0)
			return 1;
		close(fd);
	}
	return 0;
}

START_TEST(first_opens_keep_nobody_waiting)
{
	char path[64];
	pid_t a, b;
	int fd;

	make_vault();
	for (int i = 0; i < 2 * OBJECTS; i++) {
		snprintf(path, sizeof path, A "/%c%d", "ab"[i % 2], i / 2);
		fd = begin(path);
		allowed(ftruncate(fd, WAITED));
		ck_assert_int_eq((ssize_t)strlen(path),
		    pwrite(fd, path, strlen(path), 4096));
		allowed(close(fd));
	}
	sync_dir("mnt");
	unmount_vault();
	mount_vault(TWO);
	a = child_with(open_each, "a");
	b = child_with(open_each, "b");
	bob_works_while(a, b);
	ck_assert_int_eq(0, child_ended(a));
	ck_assert_int_eq(0, child_ended(b));
}
END_TEST

/* Not waited for: the last byte is another, and is read before that is seen. */
START_TEST(a_long_altered_object_is_not_read_for_long)
{
	char byte;
	int fd, again, n;

	make_vault();
	fd = begin(A "/one");
	allowed(ftruncate(fd, (off_t)1 << 30));
	allowed(close(fd));
	sync_dir("mnt");
	unmount_vault();
	run(0,
	    "o=$(find store/objects -type f) && chmod u+w $o && "
	    "printf x | dd of=$o bs=1 seek=1073741823 conv=notrunc");
	expect_no_verify();
	mount_vault(TWO);
	fd = open(A "/one", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(1, pread(fd, &byte, 1, 0));
	for (n = 0; n < 6000; n++) {
		if ((again = open(A "/one", O_RDONLY)) < 0)
			break;
		close(again);
		usleep(10000);
	}
	ck_assert_int_eq(EIO, errno);
	/* Nor is what was read before. */
	for (n = 0; n < 6000 && pread(fd, &byte, 1, 0) == 1; n++)
		usleep(10000);
	ck_assert_int_eq(EIO, errno);
	ck_assert_int_eq(-1, pread(fd, &byte, 1, 1 << 20));
	close(fd);
}
END_TEST

START_TEST(a_long_object_that_is_right_is_read_on)
{
	char byte = 1;
	int fd;

	make_vault();
	make_a_long_file(A "/one");
	sync_dir("mnt");
	unmount_vault();
	mount_vault(TWO);
	fd = open(A "/one", O_RDONLY);
	for (off_t at = 0; at < LONG; at += LONG / 16) {
		ck_assert_int_eq(1, pread(fd, &byte, 1, at));
		ck_assert_int_eq(at == LONG / 2 ? 'x' : 0, byte);
	}
	close(fd);
	run(0, "cmp mnt/t/w/a/one $(find store/objects -type f)");
	run(0, "cmp mnt/t/w/a/one $(find store/objects -type f)");
}
END_TEST

/* --- after a crash ---------------------------------------------------------- */

START_TEST(a_long_file_that_was_accepted_is_sealed_after_the_start)
{
	make_vault();
	make_a_long_file(A "/one");
	crash_vault();
	mount_vault(TWO);
	becomes(A "/one", "sealed");
	says(entry("evidence.sealed", "t/w/a/one"), "\"cause\":\"recovery\"");
}
END_TEST

START_TEST(a_long_file_whose_bytes_are_others_is_a_draft_after_the_start)
{
	const char *said;

	make_vault();
	make_a_long_file(A "/one");
	crash_vault();
	run(0,
	    "for f in store/stage/*; do "
	    "chmod u+w $f; printf y | dd of=$f bs=1 seek=4096 "
	    "conv=notrunc status=none; done");
	mount_vault(TWO);
	for (int i = 0; i < 3000 && exists(A "/one"); i++)
		usleep(10000);
	ck_assert(!exists(A "/one"));
	said = run(0, "ls " A);
	says(said, ".interrupted.part");
	/* The name is free at once; the entry waits for the hash. */
	for (int i = 0;
	     i < 1500 && entries("evidence.interrupted", "t/w/a/one") == 0; i++)
		usleep(10000);
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/one"));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

/* The name of what survived of one, whose hash takes seconds still. */
static const char *
interrupted_one(void)
{
	static char path[512];
	const char *name;

	make_vault();
	make_a_long_file(A "/one");
	crash_vault();
	run(0, "chmod u+w store/stage/* && truncate -s %lld store/stage/*",
	    (long long)HOLE / 2);
	mount_vault(TWO);
	for (int i = 0; i < 6000 && exists(A "/one"); i++)
		usleep(10000);
	ck_assert(!exists(A "/one"));
	name = run(0, "ls " A);
	snprintf(path, sizeof path, A "/%.*s", (int)strcspn(name, "\n"), name);
	says(path, ".interrupted.part");
	return path;
}

/* Its entry is there, once, under the name it was meant to have. */
static void
has_entry(const char *draft)
{
	for (int i = 0; i < 6000 && entries("evidence.interrupted", NULL) == 0;
	     i++)
		usleep(10000);
	ck_assert_uint_eq(1, entries("evidence.interrupted", NULL));
	says(entry("evidence.interrupted", "t/w/a/one"),
	    strrchr(draft, '/') + 1);
}

START_TEST(a_second_crash_keeps_the_entry_of_an_interrupted_draft)
{
	const char *draft = interrupted_one();
	char *again;

	put(A "/one", "by another");
	crash_vault();
	run(0, "truncate -s %lld store/stage/*", (long long)LONG);
	mount_vault(TWO);
	ck_assert_uint_eq(0, entries("evidence.interrupted", draft + 4));
	has_state(A "/one", "sealed");
	holds(A "/one", "by another");
	again = strdup(run(0, "ls -d " A "/one.*"));
	again[strcspn(again, "\n")] = '\0';
	has_entry(again);
	has_state(again, "draft");
	free(again);
	sync_dir("mnt");
	unmount_vault();
	verify(0);
}
END_TEST

/* Loop test: replaced, removed, renamed. */
START_TEST(an_interrupted_draft_stays_until_its_entry_is_committed)
{
	const char *draft = interrupted_one();
	char other[600];

	put(A "/x.tmp", "x");
	snprintf(other, sizeof other, "%s.part", draft);
	if (_i == 0)
		allowed(rename(A "/x.tmp", draft));
	else if (_i == 1)
		allowed(unlink(draft));
	else
		allowed(rename(draft, other));
	has_entry(draft);
	if (_i == 0)
		holds(draft, "x");
	else
		ck_assert(!exists(draft));
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(a_long_draft_is_compared_at_its_seal)
{
	make_vault();
	make_a_long_file(A "/one.tmp");
	ck_assert_int_eq(0, mkdir(W "/.login", 0755));
	make_a_long_file(W "/.login/two");
	crash_vault();
	mount_vault(TWO);
	has_state(A "/one.tmp", "draft");
	allowed(rename(A "/one.tmp", A "/one"));
	has_state(A "/one", "sealed");
	allowed(rename(W "/.login", W "/login"));
	has_state(W "/login/two", "sealed");
}
END_TEST

START_TEST(a_long_draft_that_was_altered_is_not_sealed)
{
	make_vault();
	make_a_long_file(A "/one.tmp");
	crash_vault();
	run(0,
	    "for f in store/stage/*; do "
	    "chmod u+w $f; printf y | dd of=$f bs=1 seek=4096 "
	    "conv=notrunc status=none; done");
	mount_vault(TWO);
	has_state(A "/one.tmp", "draft");
	refused(EIO, rename(A "/one.tmp", A "/one"));
	allowed(unlink(A "/one.tmp"));
}
END_TEST

/* --- control files ------------------------------------------------------------- */

#define WORKFLOWS 1500
#define READINGS 40

static int
list_a_large_trail(void)
{
	char path[64];
	struct stat st;

	as(ALICE);
	for (int i = 0; i < READINGS; i++) {
		/* What was made before does not count. */
		snprintf(path, sizeof path, "mnt/t/alice/%s%d", path_in_child,
		    i);
		if (mkdir(path, 0755) < 0 ||
		    stat("mnt/t/.trailfs/status.json", &st) < 0 ||
		    stat("mnt/t/.trailfs/index.html", &st) < 0)
			return errno;
	}
	return 0;
}

START_TEST(the_control_files_of_a_large_trail_keep_nobody_waiting)
{
	char path[64];
	pid_t a, b;

	make_vault();
	for (int i = 0; i < WORKFLOWS; i++) {
		snprintf(path, sizeof path, "mnt/t/%d", i);
		ck_assert_int_eq(0, mkdir(path, 0755));
	}
	ck_assert_int_eq(0, mkdir("mnt/t/alice", 0755));
	allowed(chown("mnt/t/alice", ALICE, ALICE));
	a = child_with(list_a_large_trail, "a");
	b = child_with(list_a_large_trail, "b");
	bob_works_while(a, b);
	ck_assert_int_eq(0, child_ended(a));
	ck_assert_int_eq(0, child_ended(b));
}
END_TEST

static int
stat_package(void)
{
	struct stat st;

	return stat("mnt/t/w/.trailfs/package.zip", &st) == 0 ? 0 : errno;
}

/* Of one user one file is made at a time; of others meanwhile. */
START_TEST(a_process_killed_during_a_snapshot_ends)
{
	pid_t pid[8];

	make_vault();
	make_a_long_file(A "/one");
	make_a_long_file(A "/two");
	run(0, "trailctl sync mnt");
	for (size_t i = 0; i < LEN(pid); i++)
		pid[i] = in_child(stat_package);
	usleep(50000);
	for (size_t i = 1; i < LEN(pid); i++) {
		kill(pid[i], SIGKILL);
		(void)child_ended(pid[i]);
	}
	ck_assert_int_eq(0, child_ended(pid[0]));
}
END_TEST

/* --- sealing ---------------------------------------------------------------- */

#define NAMES 3000

static int
seal_the_attestation(void)
{
	return system("trailctl seal " A) == 0 ? 0 : 1;
}

static unsigned long
seq_of(const char *type, const char *path)
{
	return entry_seq(entry(type, path));
}

static void
make_names(bool directories)
{
	char path[64];

	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, A "/%u", i);
		if (directories)
			allowed(mkdir(path, 0755));
		else
			put(path, "x");
	}
}

/* Each mkdir of another is a commit; they come between those of the seal.  Loop
 * test: files, directories. */
START_TEST(the_seal_of_many_names_lets_others_commit)
{
	static const char *const named_by[] = { "evidence.sealed",
		"directory.created" };
	unsigned long first, last, seq;
	unsigned n = 0, between = 0;
	char path[64];
	pid_t a;

	make_vault();
	make_names(_i == 1);
	a = in_child(seal_the_attestation);
	for (; is_under_way(a); n++) {
		snprintf(path, sizeof path, "mnt/t/bob/%u", n);
		ck_assert_int_eq(0, mkdir(path, 0755));
	}
	ck_assert_int_eq(0, child_ended(a));
	ck_assert_uint_eq(NAMES, entries(named_by[_i], NULL));
	first = seq_of(named_by[_i], "t/w/a/0");
	last = seq_of("attestation.sealed", "t/w/a");
	ck_assert_uint_gt(last, first + NAMES - 1);
	for (unsigned i = 0; i < n && between == 0; i++) {
		snprintf(path, sizeof path, "t/bob/%u", i);
		seq = seq_of("attestation.begun", path);
		between += first < seq && seq < last;
	}
	ck_assert_uint_gt(between, 0);
}
END_TEST

/* A crash in between leaves an open attestation, which is sealed later.  Empty
 * directories without an entry are gone, so they are made again. */
START_TEST(a_crash_between_directories_leaves_no_half_seal)
{
	pid_t a;

	make_vault();
	make_names(true);
	a = in_child(seal_the_attestation);
	while (is_under_way(a) && entries("directory.created", NULL) == 0)
		;
	crash_vault();
	(void)child_ended(a);
	run(0, "fusermount3 -uz mnt");
	mount_vault(TWO);
	ck_assert_uint_eq(entries("directory.created", NULL),
	    strtoul(run(0, "ls " A " | wc -l"), NULL, 10));
	if (entries("attestation.sealed", "t/w/a") == 0)
		run(0,
		    "cd " A " && seq 0 %d | xargs mkdir -p && "
		    "trailctl seal .",
		    NAMES - 1);
	ck_assert_uint_eq(NAMES, entries("directory.created", NULL));
	ck_assert_uint_eq(1, entries("attestation.sealed", "t/w/a"));
	unmount_vault();
	verify(0);
}
END_TEST

/* With its open attestations a workflow is sealed as before. */
START_TEST(a_workflow_with_many_names_is_sealed_whole)
{
	char path[64];

	make_vault();
	ck_assert_int_eq(0, mkdir(W "/b", 0755));
	ck_assert_int_eq(0, mkdir(A "/empty", 0755));
	ck_assert_int_eq(0, mkdir(A "/full", 0755));
	for (unsigned i = 0; i < 600; i++) {
		snprintf(path, sizeof path, "%s/%u", i % 2 ? A "/full" : W "/b",
		    i);
		put(path, "x");
	}
	run(0, "trailctl seal " W);
	ck_assert_uint_eq(600, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(2, entries("attestation.sealed", NULL));
	ck_assert_uint_eq(1, entries("directory.created", "t/w/a/empty"));
	ck_assert_uint_eq(1, entries("workflow.sealed", "t/w"));
	says(entry("attestation.sealed", "t/w/a"), "\"batch\"");
	unmount_vault();
	verify(0);
}
END_TEST

/* --- publishing ------------------------------------------------------------- */

#define DRAFT W "/.login"
#define DRAFT_NAMES 300
#define LIMITED TWO ",max_draft=300"

/* It is one transaction: it must not be a long one. */
START_TEST(a_draft_attestation_holds_at_most_max_draft_names)
{
	char path[64];

	make_vault();
	unmount_vault();
	mount_vault(LIMITED);
	ck_assert_int_eq(0, mkdir(DRAFT, 0755));
	put(A "/evidence.tmp", "x");
	for (unsigned i = 0; i < DRAFT_NAMES; i++) {
		snprintf(path, sizeof path, DRAFT "/%u", i);
		ck_assert_int_eq(0, mkdir(path, 0755));
	}
	refused(EDQUOT, mkdir(DRAFT "/more", 0755));
	refused(EDQUOT, open(DRAFT "/0/more", O_WRONLY | O_CREAT, 0644));
	refused(EDQUOT, rename(A "/evidence.tmp", DRAFT "/0/evidence"));
	allowed(rmdir(DRAFT "/1"));
	allowed(rename(A "/evidence.tmp", DRAFT "/0/evidence"));
	refused(EDQUOT, mkdir(DRAFT "/1", 0755));
	/* Also after a start. */
	unmount_vault();
	mount_vault(LIMITED);
	refused(EDQUOT, mkdir(DRAFT "/1", 0755));
	/* And what is elsewhere does not count. */
	put(A "/evidence", "x");
	allowed(rename(DRAFT, W "/login"));
	ck_assert_uint_eq(DRAFT_NAMES - 1, entries("directory.created", NULL));
	ck_assert_uint_eq(1, entries("attestation.sealed", NULL));
}
END_TEST

/* The same bytes many times: one object, and all of it proves. */
START_TEST(a_draft_attestation_of_equal_files_is_published)
{
	char path[64];

	make_vault();
	ck_assert_int_eq(0, mkdir(DRAFT, 0755));
	put(A "/earlier", "earlier");
	sync_dir(A);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof path, DRAFT "/%u", i);
		ck_assert_int_eq(0, mkdir(path, 0755));
	}
	for (unsigned i = 0; i < 300; i++) {
		snprintf(path, sizeof path, DRAFT "/%u/%u", i % 3, i);
		put(path, i % 5 == 0 ? "earlier" : i % 5 == 1 ? "new" : path);
	}
	allowed(rename(DRAFT, W "/login"));
	run(0, "cmp mnt/t/w/login/0/0 mnt/t/w/a/earlier");
	run(0, "cmp mnt/t/w/login/0/6 mnt/t/w/login/1/1");
	ck_assert_uint_eq(301, entries("evidence.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* --- many long reads ------------------------------------------------------ */

#define READS 40	/* each of its own process */
#define SHORTS 100	/* requests that are quick */
#define READ_SIZE 65536 /* bytes */
#define PASS 16		/* quick requests that go before one read; fs/loop.c */

/* The daemon has one worker and is stopped; requests queue in the kernel. */
static int queued_fd, queued_ready[2];
static uid_t queued_uid;

static void
stop_daemon(void)
{
	siginfo_t stopped;

	daemon_prints_requests();
	mount_vault("threads=1,settle=60");
	make_attestation();
	/* Each read(2) of a control file is one request, of any length. */
	queued_fd = open("mnt/.trailfs/events.jsonl", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(queued_fd, 0);
	allowed(pipe(queued_ready));
	allowed(kill(vault_pid(), SIGSTOP));
	allowed(waitid(P_PID, (id_t)vault_pid(), &stopped, WSTOPPED));
}

static int
read_long(void)
{
	static char buf[READ_SIZE];

	as(queued_uid);
	return write(queued_ready[1], "x", 1) != 1 ||
	    pread(queued_fd, buf, READ_SIZE, 0) <= 0;
}

static int
ask_shortly(void)
{
	struct stat st;

	as(queued_uid);
	return write(queued_ready[1], "x", 1) != 1 || fstat(queued_fd, &st) < 0;
}

/* Is that process waiting? */
static bool
sleeps(pid_t pid)
{
	char path[64], text[512] = "", *state;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
	(void)fclose(f);
	state = strrchr(text, ')');
	ck_assert_msg(state != NULL && state[2] != 'Z', "it did not wait");
	return state[2] == 'S' || state[2] == 'D';
}

/* Start a child whose request is the last one in the queue. */
static pid_t
queue(uid_t uid, int (*request)(void))
{
	char x;
	pid_t pid;

	queued_uid = uid;
	pid = in_child(request);
	ck_assert_int_eq(1, read(queued_ready[0], &x, 1));
	while (!sleeps(pid)) /* behind the write, only its request waits */
		usleep(1000);
	return pid;
}

/* The place, among the requests that the daemon took, of the last one of pid;
 * *before becomes the number of such requests before it. */
static void
served(pid_t pid, const char *opcode, unsigned *before)
{
	char who[32], *log = content("log", NULL), *line, *next = log;
	bool found = false;

	*before = 0;
	snprintf(who, sizeof who, ", pid: %d", (int)pid);
	while ((line = next) != NULL && *line != '\0' && !found) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		found = strstr(line, who) != NULL &&
		    strcmp(strstr(line, who), who) == 0;
		if (!found && strstr(line, opcode) != NULL)
			(*before)++;
	}
	ck_assert_msg(found, "the daemon did not serve %d", (int)pid);
}

/* What all children asked for is answered. */
static void
go_on(const pid_t *pid, size_t n)
{
	allowed(kill(vault_pid(), SIGCONT));
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(0, child_ended(pid[i]));
	allowed(close(queued_fd));
	unmount_vault();
}

/* A quick request does not wait for the long reads that came before it. */
START_TEST(a_quick_request_passes_long_reads)
{
	pid_t pid[READS + 1];
	unsigned reads;

	stop_daemon();
	for (int i = 0; i < READS; i++)
		pid[i] = queue(ALICE, read_long);
	pid[READS] = queue(BOB, ask_shortly);
	go_on(pid, READS + 1);
	served(pid[READS], "opcode: READ (", &reads);
	ck_assert_uint_eq(0, reads);
}
END_TEST

/* But there may be any number of those: a read is next after some of them. */
START_TEST(long_reads_are_not_passed_for_ever)
{
	pid_t pid[READS + SHORTS];
	unsigned first, shorts;

	stop_daemon();
	for (int i = 0; i < 2; i++)
		pid[i] = queue(ALICE, read_long);
	for (int i = 0; i < SHORTS; i++)
		pid[2 + i] = queue(BOB, ask_shortly);
	go_on(pid, 2 + SHORTS);
	served(pid[2], "opcode: GETATTR", &first);
	served(pid[0], "opcode: GETATTR", &shorts);
	ck_assert_uint_le(shorts - first, PASS + 1);
	served(pid[1], "opcode: GETATTR", &shorts);
	ck_assert_uint_le(shorts - first, 2 * (PASS + 1));
}
END_TEST

/* Who reads once does not wait for all reads of somebody who reads a lot. */
START_TEST(long_reads_of_users_take_turns)
{
	pid_t pid[READS + 1];
	unsigned reads;

	stop_daemon();
	for (int i = 0; i < READS; i++)
		pid[i] = queue(ALICE, read_long);
	pid[READS] = queue(BOB, read_long);
	go_on(pid, READS + 1);
	served(pid[READS], "opcode: READ (", &reads);
	ck_assert_uint_le(reads, 1);
	served(pid[READS - 1], "opcode: READ (", &reads);
	ck_assert_uint_eq(READS, reads);
}
END_TEST

Suite *
suite_others(void)
{
	Suite *s = suite_create("others");
	TCase *t = stored_case(s, "hashing");

	tcase_add_test(t, the_close_of_a_hole_keeps_nobody_waiting);
	tcase_add_test(t, a_hole_is_not_read);
	tcase_add_test(t, a_file_being_closed_can_be_read);
	tcase_add_test(t, a_process_killed_during_close_ends);
	tcase_add_test(t, the_end_of_the_daemon_does_not_wait_for_hashing);
	t = stored_case(s, "first_opens");
	tcase_add_test(t, first_opens_keep_nobody_waiting);
	tcase_add_test(t, a_long_altered_object_is_not_read_for_long);
	tcase_add_test(t, a_long_object_that_is_right_is_read_on);
	t = stored_case(s, "after_a_crash");
	tcase_add_test(t,
	    a_long_file_that_was_accepted_is_sealed_after_the_start);
	tcase_add_test(t,
	    a_long_file_whose_bytes_are_others_is_a_draft_after_the_start);
	tcase_add_test(t,
	    a_second_crash_keeps_the_entry_of_an_interrupted_draft);
	tcase_add_loop_test(t,
	    an_interrupted_draft_stays_until_its_entry_is_committed, 0, 3);
	tcase_add_test(t, a_long_draft_is_compared_at_its_seal);
	tcase_add_test(t, a_long_draft_that_was_altered_is_not_sealed);
	t = stored_case(s, "sealing");
	tcase_add_loop_test(t, the_seal_of_many_names_lets_others_commit, 0, 2);
	tcase_add_test(t, a_crash_between_directories_leaves_no_half_seal);
	tcase_add_test(t, a_workflow_with_many_names_is_sealed_whole);
	t = stored_case(s, "publishing");
	tcase_add_test(t, a_draft_attestation_holds_at_most_max_draft_names);
	tcase_add_test(t, a_draft_attestation_of_equal_files_is_published);
	t = stored_case(s, "long_reads");
	tcase_add_test(t, a_quick_request_passes_long_reads);
	tcase_add_test(t, long_reads_are_not_passed_for_ever);
	tcase_add_test(t, long_reads_of_users_take_turns);
	t = stored_case(s, "control_files");
	tcase_add_test(t,
	    the_control_files_of_a_large_trail_keep_nobody_waiting);
	tcase_add_test(t, a_process_killed_during_a_snapshot_ends);
	return s;
}
