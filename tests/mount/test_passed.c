/*
 * What is passed through: the kernel reads long sealed files from their
 * objects.  It fails an open with EIO when we answer for it otherwise than for
 * those that are open already.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "harness.h"

#define LONG A "/long"
#define SIZE (9u << 20)
#define OVERLAY 0x794c7630
#define ROUNDS 300
#define SEED 7

static void
make_long(void)
{
	make_attestation();
	put_bytes(LONG, noise(SIZE, SEED), SIZE);
	sync_dir("mnt");
}

/* Can the kernel pass what is in the store? */
static bool
can_pass(void)
{
	struct statfs s;

	allowed(statfs("store", &s));
	/* The kernel either collects writes or passes reads through. */
	return s.f_type != OVERLAY && !tests_streams() &&
	    strcmp("0",
		run_any("zcat /proc/config.gz | "
			"grep -qx CONFIG_FUSE_PASSTHROUGH=y")) == 0;
}

static bool
has_all(int fd)
{
	char *p = malloc(SIZE + 1);
	ssize_t n, got = 0;
	bool same;

	while ((n = pread(fd, p + got, SIZE + 1 - (size_t)got, got)) > 0)
		got += n;
	same = n == 0 && got == SIZE && memcmp(p, noise(SIZE, SEED), SIZE) == 0;
	free(p);
	return same;
}

static int
open_long(int flags)
{
	int fd = open(LONG, flags | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "open: %s", errno_name(errno));
	return fd;
}

/* Nobody reads for it but the kernel: with no daemon and no pages of the file
 * itself there is all of it. */
static bool
is_read_without_us(int fd)
{
	allowed(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	crash_vault();
	return has_all(fd);
}

START_TEST(a_long_sealed_file_is_read_without_us)
{
	int fd;

	skip_unless(can_pass(), "the kernel does not pass reads through");
	make_long();
	fd = open_long(O_RDONLY);
	ck_assert(is_read_without_us(fd));
	close(fd);
}
END_TEST

/* Also the second time, when the object need not be looked at. */
START_TEST(a_file_open_before_is_passed_through_again)
{
	int fd, other;

	skip_unless(can_pass(), "the kernel does not pass reads through");
	make_long();
	for (int i = 0; i < 3; i++) {
		fd = open_long(O_RDONLY);
		other = open_long(O_RDONLY);
		close(fd);
		ck_assert(has_all(other));
		close(other);
	}
	fd = open_long(O_RDONLY);
	other = open_long(O_RDONLY);
	ck_assert(is_read_without_us(other));
	ck_assert(has_all(fd));
	close(fd);
	close(other);
}
END_TEST

START_TEST(a_passed_file_is_read_in_every_way)
{
	const char *want = noise(SIZE, SEED);
	void *block = NULL;
	char part[100];
	char *map;
	int fd;

	make_long();
	fd = open_long(O_RDONLY);
	ck_assert(has_all(fd));
	ck_assert_int_eq(sizeof part, pread(fd, part, sizeof part, 4090));
	ck_assert_int_eq(0, memcmp(want + 4090, part, sizeof part));
	ck_assert_int_eq(0, pread(fd, part, sizeof part, SIZE));
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert(map != MAP_FAILED);
	refused(EACCES, mprotect(map, SIZE, PROT_READ | PROT_WRITE));
	close(fd);
	ck_assert_int_eq(0, memcmp(want, map, SIZE));
	fd = open_long(O_RDONLY); /* beside a mapping */
	ck_assert(has_all(fd));
	allowed(posix_fadvise(fd, 0, SIZE, POSIX_FADV_WILLNEED));
	close(fd);
	munmap(map, SIZE);
	fd = open_long(O_RDONLY | O_DIRECT);
	allowed(posix_memalign(&block, 4096, 4096));
	ck_assert_int_eq(4096, pread(fd, block, 4096, 8192));
	ck_assert_int_eq(0, memcmp(want + 8192, block, 4096));
	free(block);
	close(fd);
	run(0, "cp " LONG " copy && cmp copy " LONG);
}
END_TEST

/* A private mapping is the reader's own: the object keeps its bytes. */
START_TEST(a_mapping_that_is_written_changes_nobodys_bytes)
{
	char *map;
	int fd;

	make_long();
	fd = open_long(O_RDONLY);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ck_assert(map != MAP_FAILED);
	memset(map, 0, SIZE);
	ck_assert(has_all(fd));
	munmap(map, SIZE);
	close(fd);
}
END_TEST

/* Who had it open, or mapped, before it was sealed keeps others from it being
 * passed, and nobody from opening it. */
START_TEST(a_descriptor_open_across_the_seal_blocks_nobody)
{
	int draft, first, second;
	char *map;

	make_attestation();
	draft = begin(LONG);
	first = open_long(O_RDONLY);
	ck_assert_int_eq(SIZE, write(draft, noise(SIZE, SEED), SIZE));
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, first, 0);
	ck_assert(map != MAP_FAILED);
	close(draft);
	sync_dir("mnt");
	has_state(LONG, "sealed");
	second = open_long(O_RDONLY);
	ck_assert(has_all(first));
	ck_assert(has_all(second));
	close(first); /* its mapping keeps it open */
	first = open_long(O_RDONLY);
	ck_assert(has_all(first));
	close(first);
	close(second);
	ck_assert_int_eq(0, memcmp(map, noise(SIZE, SEED), SIZE));
	munmap(map, SIZE);
	first = open_long(O_RDONLY);
	ck_assert(has_all(first));
	if (can_pass())
		ck_assert(is_read_without_us(first));
	close(first);
}
END_TEST

static int
open_and_close(void)
{
	char c, want = noise(SIZE, SEED)[SIZE - 1];
	int fd;

	for (int i = 0; i < ROUNDS; i++) {
		if ((fd = open(LONG, O_RDONLY)) < 0)
			return 1;
		if (pread(fd, &c, 1, SIZE - 1) != 1 || c != want)
			return 2;
		close(fd);
	}
	return 0;
}

/* Loop test: with nobody else; with one who had it open before the seal and
 * lets go of it while the others are at it. */
START_TEST(many_processes_open_and_close_a_passed_file_at_once)
{
	pid_t pids[8];
	int draft, old = -1;

	make_attestation();
	draft = begin(LONG);
	ck_assert_int_eq(SIZE, write(draft, noise(SIZE, SEED), SIZE));
	if (_i == 1)
		old = open_long(O_RDONLY);
	close(draft);
	sync_dir("mnt");
	for (size_t i = 0; i < LEN(pids); i++)
		pids[i] = in_child(open_and_close);
	if (old >= 0)
		close(old);
	for (size_t i = 0; i < LEN(pids); i++)
		ck_assert_int_eq(0, child_ended(pids[i]));
}
END_TEST

START_TEST(a_changed_object_is_not_passed)
{
	make_long();
	unmount_vault();
	expect_no_verify();
	run(0,
	    "f=$(find store/objects -type f) && chmod u+w $f && "
	    "printf X | dd of=$f bs=1 seek=5000000 conv=notrunc 2>&1");
	mount_vault("settle=0");
	refused(EIO, try_open(LONG, O_RDONLY));
	refused(EIO, try_open(LONG, O_RDONLY));
}
END_TEST

/* As a store in a container: the kernel does not read through two of these. */
START_TEST(objects_on_an_overlay_are_read_by_the_daemon)
{
	int fd;

	unmount_vault();
	run(0, "mkdir upper work");
	skip_unless(mount("overlay", "store", "overlay", 0,
			"lowerdir=store,upperdir=upper,workdir=work") == 0,
	    "no overlay file system can be mounted here");
	mount_vault("settle=60,moved");
	make_long();
	for (int i = 0; i < 2; i++) {
		fd = open_long(O_RDONLY);
		ck_assert(has_all(fd));
		close(fd);
	}
}
END_TEST

Suite *
suite_passed(void)
{
	Suite *s = suite_create("passed");
	TCase *t = mounted_case(s, "passed");

	tcase_add_test(t, a_long_sealed_file_is_read_without_us);
	tcase_add_test(t, a_file_open_before_is_passed_through_again);
	tcase_add_test(t, a_passed_file_is_read_in_every_way);
	tcase_add_test(t, a_mapping_that_is_written_changes_nobodys_bytes);
	tcase_add_test(t, a_descriptor_open_across_the_seal_blocks_nobody);
	tcase_add_loop_test(t,
	    many_processes_open_and_close_a_passed_file_at_once, 0, 2);
	tcase_add_test(t, a_changed_object_is_not_passed);
	tcase_add_test(t, objects_on_an_overlay_are_read_by_the_daemon);
	return s;
}
