/* A disk that says no: final for the file, and for the ledger until the next
 * start; everything else goes on.  The shim of tests/faults makes it say so. */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "harness.h"
#include "tests/faults/fault.h"

#define BIG ((size_t)100000)

/* A daemon whose calls can be struck. */
static struct fault *
mount_with(const char *options)
{
	int fd = open("fault", O_RDWR | O_CREAT, 0600);
	struct fault *f;

	ck_assert_int_ge(fd, 0);
	allowed(ftruncate(fd, sizeof *f));
	f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(MAP_FAILED, f);
	close(fd);
	setenv(FAULT_ENV, "fault", 1);
	setenv("LD_PRELOAD", FAULTS_SHIM, 1);
	mount_vault(options);
	unsetenv("LD_PRELOAD");
	make_attestation();
	put_sealed(A "/early", "sealed early");
	return f;
}

static struct fault *
mount_with_fault(void)
{
	return mount_with("settle=60");
}

/* From now on these calls on that file fail. */
static void
strike(struct fault *f, unsigned calls, const char *only, int sys)
{
	f->kind = FAULT_ERROR;
	f->sys = sys;
	f->at = 1;
	f->last = (unsigned long)-1;
	f->count = f->hits = 0;
	strcpy(f->only, only);
	f->calls = calls;
}

/* The kernel may have dropped the pages: a second fsync would lie. */
START_TEST(an_fsync_that_failed_is_final_for_the_file)
{
	struct fault *f;
	int fd, other;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_fault();
	fd = begin(A "/big");
	ck_assert_int_eq(BIG, write(fd, noise(BIG, 1), BIG));
	strike(f, CALL_SYNC, "/stage/", EIO);
	refused(EIO, fsync(fd));
	f->calls = 0; /* the disk is well again; that changes nothing */
	other = dup(fd);
	refused(EIO, close(other));
	refused(EIO, fsync(fd));
	refused(EIO, write(fd, "x", 1));
	refused(EIO, close(fd));
	ck_assert_uint_eq(1, f->hits); /* nobody asked twice */
	ck_assert(!exists(A "/big"));
	ck_assert_uint_eq(0, entries("evidence.sealed", "t/w/a/big"));
	/* The others are well. */
	put_sealed(A "/big", "another one");
	holds(A "/early", "sealed early");
}
END_TEST

/* A directory of objects/ that is there may not be on disk yet: the object in it
 * is sealed only when the name of the directory is. */
START_TEST(a_directory_of_objects_is_durable_before_its_objects)
{
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_fault();
	put_bytes(A "/big", noise(BIG, 1), BIG);
	strike(f, CALL_SYNC, "/store/objects", EIO);
	run_any("sync mnt/t/w/a");
	ck_assert_uint_gt(f->hits, 0);
	has_state(A "/big", "frozen");
	run(0, "[ -d store/objects/* ]"); /* it was made */
	f->calls = 0;
	f->at = 0; /* now count only */
	f->count = 0;
	f->calls = CALL_SYNC;
	sync_dir("mnt");
	becomes(A "/big", "sealed");
	f->calls = 0;
	ck_assert_uint_ge(f->count, 2); /* objects/ and objects/ab/ */
}
END_TEST

START_TEST(a_ledger_whose_disk_failed_takes_nothing_until_the_next_start)
{
	struct fault *f;
	int fd;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_fault();
	fd = begin(A "/late");
	put(A "/frozen", "closed in time");
	add(fd, "lost");
	strike(f, CALL_SYNC, "ledger.db-wal", EIO);
	refused(EIO, close(fd));
	f->calls = 0;
	refused(EROFS, try_open(A "/later", O_WRONLY | O_CREAT | O_EXCL));
	refused(EROFS, mkdir(W "/b", 0755));
	ck_assert_uint_eq(1, f->hits);
	holds(A "/early", "sealed early");
	holds(A "/frozen", "closed in time");
	/* It does not hide it. */
	says(run(0, "trailctl status mnt"), "trouble");
	says(run(0, "cat log"), "read-only until the store is mounted again");
	allowed(umount("mnt"));
	(void)vault_ended();
	mount_vault("settle=60");
	has_state(A "/frozen", "sealed");
	ck_assert(!exists(A "/late"));
	put_sealed(A "/late", "again");
}
END_TEST

/* A clock that is set gets an entry, also if the first group that has it is
 * undone. */
START_TEST(a_clock_that_was_set_gets_an_entry)
{
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_fault();
	ck_assert_uint_eq(0, entries("clock.jumped", NULL));
	f->ahead_s = 100;
	allowed(mkdir(W "/b", 0755));
	ck_assert_uint_eq(1, entries("clock.jumped", NULL));
	allowed(mkdir(W "/c", 0755));
	ck_assert_uint_eq(1, entries("clock.jumped", NULL));
	f->ahead_s = 200;
	/* The next entry but one fails. */
	tamper("CREATE TRIGGER never BEFORE INSERT ON entry"
	       " WHEN NEW.idx > (SELECT max(size) FROM checkpoint)"
	       " BEGIN SELECT RAISE(ABORT, 'never'); END;"
	       "UPDATE meta SET value = value");
	refused(EIO, mkdir(W "/d", 0755));
	tamper("DROP TRIGGER never");
	ck_assert_uint_eq(1, entries("clock.jumped", NULL));
	allowed(mkdir(W "/d", 0755));
	ck_assert_uint_eq(2, entries("clock.jumped", NULL));
	f->ahead_s = 0;
	allowed(mkdir(W "/e", 0755));
	ck_assert_uint_eq(3, entries("clock.jumped", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* The state of the clock: at the start, then once a day, also when nobody writes
 * anything but what wakes the daemon. */
START_TEST(the_state_of_the_clock_is_recorded_once_a_day)
{
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_fault();
	says(entry("ledger.opened", NULL),
	    "\"hostClock\":{\"estimatedErrorUs\":");
	f->passed_s = 86400 - 600;
	put_sealed(A "/one", "almost a day later");
	ck_assert_uint_eq(0, entries("clock.observed", NULL));
	for (unsigned day = 1; day <= 3; day++) {
		char name[32];

		(void)snprintf(name, sizeof(name), A "/day-%u", day);
		f->passed_s = 86400 * (long)day;
		put_sealed(name, "wakes the sealer");
		for (int i = 0;
		     i < 1200 && entries("clock.observed", NULL) < day; i++)
			(void)usleep(50000); /* a guard against hanging */
		ck_assert_uint_eq(day, entries("clock.observed", NULL));
	}
	says(entry("clock.observed", NULL), "\"synchronised\":");
	/* Both clocks went on: nobody set one. */
	ck_assert_uint_eq(0, entries("clock.jumped", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* Bytes are free, inodes are not: what close(2) accepted is sealed, and that
 * takes directories. */
START_TEST(closed_files_are_sealed_without_free_inodes)
{
	char path[64];
	unsigned n;
	int fd;

	skip_unless(have("mkfs.ext4") && access("/dev/loop-control", F_OK) == 0,
	    "no loop devices or mkfs.ext4");
	run(0,
	    "rm -rf store && truncate -s 64M disk && "
	    "mkfs.ext4 -q -F -N 400 disk && mkdir store && "
	    "mount -o loop disk store && rmdir store/lost+found");
	run(0, "trailctl init --origin example.org/small store");
	mount_vault("settle=60");
	make_attestation();
	for (n = 0; n < 400; n++) {
		char *text = noise(70000, n);

		snprintf(path, sizeof path, A "/%u", n);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, text, 70000) != 70000)
			break;
		allowed(close(fd));
	}
	ck_assert_int_eq(ENOSPC, errno);
	ck_assert_uint_gt(n, 10);
	sync_dir("mnt");
	ck_assert_uint_eq(n, entries("evidence.sealed", NULL));
	ck_assert_mem_eq(noise(70000, 0), content(A "/0", NULL), 70000);
	unmount_vault();
	verify(0);
	allowed(umount("store"));
}
END_TEST

/* --- a disk that takes its time ------------------------------------------- */

static int
close_one(void)
{
	int fd = open(A "/held", O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0 || write(fd, "slow", 4) != 4)
		return 1;
	return close(fd) == 0 ? 0 : 2;
}

static int
rename_one(void)
{
	return rename(A "/x.tmp", A "/held") == 0 ? 0 : 1;
}

static int (*const waits[])(void) = { close_one, rename_one };

/* A worker that commits lets another one read when the disk takes long, even if
 * no other request was there at the beginning. */
START_TEST(a_commit_that_waits_for_the_disk_keeps_nobody_waiting)
{
	struct fault *f;
	struct stat st;
	pid_t pid;
	int status;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_fault();
	put(A "/x.tmp", "draft");
	/* The daemon sees that there is one program only. */
	allowed(mkdir(W "/b", 0755));
	for (char name[] = W "/b/a"; name[sizeof name - 2] <= 'z';
	     name[sizeof name - 2]++)
		put(name, "quick");
	strike(f, 0, "ledger.db-wal", 0);
	f->kind = FAULT_HOLD;
	f->held = 1;
	f->calls = CALL_SYNC;
	pid = in_child(waits[_i]);
	while (f->hits == 0)
		usleep(1000);
	/* The kernel itself locks the directory of a file that it renames. */
	holds(W "/b/z", "quick");
	refused(ENOENT, stat(W "/b/nothing", &st));
	run(0, "ls -l mnt/t/w/b >list");
	ck_assert_int_eq(0, waitpid(pid, &status, WNOHANG));
	f->calls = 0;
	f->held = 0;
	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert_int_eq(0, status);
	ck_assert(exists(A "/held"));
}
END_TEST

#define WRITERS 4 /* twice as many as there are workers */

/* Append to a file that is too long for memory, and report. */
static pid_t
append_later(int fd, size_t n)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(write(fd, noise(n, 2), n) == (ssize_t)n ? 0 : 1);
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Too many dirty pages: each write waits.  Long writes say that they take long;
 * short ones do not, because they seldom do. */
START_TEST(writes_that_wait_for_the_disk_delay_nobody_else)
{
	struct fault *f;
	char path[64];
	int fd[WRITERS], other, status;
	pid_t pid[WRITERS];
	struct stat st;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with("settle=60,threads=2");
	other = begin(A "/other");
	for (int i = 0; i < WRITERS; i++) {
		snprintf(path, sizeof path, A "/w%d", i);
		fd[i] = begin(path);
		ck_assert_int_eq(BIG, write(fd[i], noise(BIG, 1), BIG));
	}
	strike(f, 0, "/stage/", 0);
	f->kind = FAULT_HOLD;
	f->held = 1;
	f->calls = CALL_WRITE;
	for (int i = 0; i < WRITERS; i++)
		pid[i] = append_later(fd[i], _i == 0 ? BIG : 200);
	while (f->hits < WRITERS)
		usleep(1000);
	allowed(stat(A "/other", &st));
	ck_assert_int_eq(5, write(other, "other", 5));
	allowed(close(other));
	put(A "/more", "more");
	allowed(mkdir("mnt/t/w/b", 0755));
	ck_assert(exists("mnt/t/w/b"));
	f->calls = 0;
	f->held = 0;
	for (int i = 0; i < WRITERS; i++) {
		allowed(waitpid(pid[i], &status, 0));
		ck_assert_int_eq(0, status);
		allowed(close(fd[i]));
	}
	holds(A "/other", "other");
}
END_TEST

Suite *
suite_disk(void)
{
	Suite *s = suite_create("disk");
	TCase *t = stored_case(s, "disk");

	tcase_add_test(t, a_directory_of_objects_is_durable_before_its_objects);
	tcase_add_test(t, an_fsync_that_failed_is_final_for_the_file);
	tcase_add_test(t,
	    a_ledger_whose_disk_failed_takes_nothing_until_the_next_start);
	tcase_add_test(t, a_clock_that_was_set_gets_an_entry);
	tcase_add_test(t, the_state_of_the_clock_is_recorded_once_a_day);
	tcase_add_test(t, closed_files_are_sealed_without_free_inodes);
	tcase_add_loop_test(t,
	    a_commit_that_waits_for_the_disk_keeps_nobody_waiting, 0,
	    sizeof waits / sizeof *waits);
	tcase_add_loop_test(t, writes_that_wait_for_the_disk_delay_nobody_else,
	    0, 2);
	return s;
}
