/* A file's life: open, frozen, sealed; and placeholders. */
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>

#include "core/control.h"
#include "harness.h"

#define F A "/f"

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(a_file_is_open_until_the_last_close)
{
	int fd, other, again;

	make_attestation();
	fd = begin(F);
	has_state(F, "placeholder");
	add(fd, "one ");
	has_state(F, "open");
	other = dup(fd);
	again = open(F, O_WRONLY | O_APPEND);
	ck_assert_int_ge(again, 0);
	allowed(close(fd));
	has_state(F, "open");
	add(other, "two ");
	allowed(close(other));
	has_state(F, "open");
	add(again, "three");
	allowed(fsync(again));
	has_state(F, "open"); /* what is durable may still be written */
	allowed(close(again));
	has_state(F, "frozen");
	holds(F, "one two three");
}
END_TEST

static int held = -1, gate[2];

static int
hold_it_open(void)
{
	char go;

	close(gate[1]);
	if (read(gate[0], &go, 1) != 1 || write(held, " the child", 10) != 10)
		return 1;
	return 0; /* without close(2) */
}

START_TEST(an_inherited_descriptor_keeps_the_file_open)
{
	pid_t pid;

	make_attestation();
	allowed(pipe2(gate, O_CLOEXEC));
	held = begin(F);
	add(held, "the parent and");
	pid = in_child(hold_it_open);
	allowed(close(held));
	has_state(F, "open");
	refused(EPERM, unlink(F));
	ck_assert_int_eq(1, write(gate[1], "g", 1));
	ck_assert_int_eq(0, child_ended(pid));
	has_state(F, "frozen");
	holds(F, "the parent and the child");
}
END_TEST

/* A store to a mapping comes after the last close(2) has answered. */
START_TEST(bytes_stored_in_a_mapping_after_close_persist)
{
	const size_t size = 200000;
	char *text = noise(size, 1), *p;
	int fd;

	make_attestation();
	fd = begin_both(F);
	allowed(ftruncate(fd, (off_t)size));
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(MAP_FAILED, p);
	memcpy(p, text, size / 2);
	allowed(close(fd));
	has_state(F, "open");
	memcpy(p + size / 2, text + size / 2, size - size / 2);
	allowed(munmap(p, size));
	has_state(F, "frozen");
	ck_assert_int_eq(0, memcmp(text, content(F, NULL), size));
	sync_dir("mnt");
	has_state(F, "sealed");
	ck_assert_int_eq(0, memcmp(text, content(F, NULL), size));
	run(0, "[ $(sha256sum <" F " | cut -c 1-64) = %s ]", fact(F, "sha256"));
}
END_TEST

START_TEST(a_reader_sees_written_bytes)
{
	char text[32];
	int fd, reader;

	make_attestation();
	fd = begin(F);
	add(fd, "one\n");
	reader = open(F, O_RDONLY);
	ck_assert_int_ge(reader, 0);
	ck_assert_int_eq(4, read(reader, text, sizeof text));
	ck_assert_int_eq(0, read(reader, text, sizeof text));
	add(fd, "two\n");
	ck_assert_int_eq(8, stat_of(F).st_size);
	ck_assert_int_eq(4, read(reader, text, sizeof text));
	ck_assert_int_eq(0, memcmp(text, "two\n", 4));
	allowed(close(fd));
	sync_dir("mnt");
	has_state(F, "sealed");
	/* Its descriptor goes on over the sealing. */
	ck_assert_int_eq(8, pread(reader, text, sizeof text, 0));
	ck_assert_int_eq(0, memcmp(text, "one\ntwo\n", 8));
	close(reader);
}
END_TEST

START_TEST(content_equals_the_writes_at_all_offsets)
{
	char *big = noise(300000, 7);
	int fd;

	make_attestation();
	/* Backwards, with holes, and larger than an inline object. */
	fd = begin(F);
	for (int i = 29; i >= 0; i--)
		ck_assert_int_eq(10000,
		    pwrite(fd, big + i * 10000, 10000, i * 10000));
	allowed(close(fd));
	fd = begin(A "/holes");
	ck_assert_int_eq(3, pwrite(fd, "end", 3, 1000000));
	ck_assert_int_eq(5, pwrite(fd, "begin", 5, 0));
	allowed(close(fd));
	/* Grown, cut and written over in one handle. */
	fd = begin(A "/cut");
	add(fd, "0123456789");
	allowed(ftruncate(fd, 4));
	allowed(ftruncate(fd, 8));
	ck_assert_int_eq(1, pwrite(fd, "x", 1, 0));
	allowed(close(fd));
	fd = begin(A "/empty");
	add(fd, "all of this");
	allowed(ftruncate(fd, 0));
	allowed(close(fd));
	for (int sealed = 0; sealed < 2; sealed++) {
		ck_assert_int_eq(300000, stat_of(F).st_size);
		ck_assert_int_eq(0, memcmp(big, content(F, NULL), 300000));
		ck_assert_int_eq(1000003, stat_of(A "/holes").st_size);
		ck_assert_str_eq("begin", content(A "/holes", NULL));
		ck_assert_str_eq("end", content(A "/holes", NULL) + 1000000);
		ck_assert_int_eq(0,
		    memcmp(content(A "/cut", NULL), "x123\0\0\0\0", 8));
		ck_assert_int_eq(8, stat_of(A "/cut").st_size);
		ck_assert_int_eq(0, stat_of(A "/empty").st_size);
		sync_dir("mnt");
		has_state(A "/empty", "sealed"); /* it was written */
	}
}
END_TEST

/* Sizes near the limits of inline objects, pages and requests. */
START_TEST(content_of_every_size_persists)
{
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 65535, 65536,
		65537, 131072, 131073, 1048575, 1048577, 5000000 };
	char path[64];

	make_attestation();
	for (size_t i = 0; i < LEN(sizes); i++) {
		snprintf(path, sizeof path, A "/%zu", sizes[i]);
		put_bytes(path, noise(sizes[i], (unsigned)i), sizes[i]);
	}
	sync_dir("mnt");
	remount_vault();
	for (size_t i = 0; i < LEN(sizes); i++) {
		size_t n;
		char *text;

		snprintf(path, sizeof path, A "/%zu", sizes[i]);
		text = content(path, &n);
		ck_assert_uint_eq(sizes[i], n);
		ck_assert_int_eq(0,
		    memcmp(text, noise(sizes[i], (unsigned)i), n));
		ck_assert_int_eq((long)(n + 511) / 512,
		    stat_of(path).st_blocks);
	}
}
END_TEST

/* What the kernel does by itself where we do not, or not at all. */
START_TEST(other_ways_to_copy_and_look_work)
{
	char *text = noise(100000, 6);
	off_t at = 0;
	int from, to, through[2];
	ssize_t n;

	make_attestation();
	put_bytes(F, text, 100000);
	from = open(F, O_RDONLY);
	to = begin(A "/range");
	ck_assert_int_eq(100000,
	    copy_file_range(from, NULL, to, NULL, 100000, 0));
	allowed(close(to));
	to = begin(A "/sendfile");
	ck_assert_int_eq(100000, sendfile(to, from, &at, 100000));
	allowed(close(to));
	to = begin(A "/splice");
	allowed(pipe(through));
	at = 0;
	while ((n = splice(from, &at, through[1], NULL, 65536, 0)) > 0)
		ck_assert_int_eq(n,
		    splice(through[0], NULL, to, NULL, (size_t)n, 0));
	ck_assert_int_eq(0, n);
	allowed(close(to));
	to = begin(A "/clone.tmp");
	refused(EOPNOTSUPP, ioctl(to, FICLONE, from));
	allowed(close(to));
	ck_assert_int_eq(0, lseek(from, 0, SEEK_DATA));
	ck_assert_int_eq(100000, lseek(from, 0, SEEK_HOLE));
	allowed(flock(from, LOCK_SH | LOCK_NB));
	allowed(posix_fadvise(from, 0, 0, POSIX_FADV_DONTNEED));
	close(from);
	sync_dir("mnt");
	ck_assert_int_eq(0, memcmp(text, content(A "/range", NULL), 100000));
	ck_assert_int_eq(0, memcmp(text, content(A "/sendfile", NULL), 100000));
	ck_assert_int_eq(0, memcmp(text, content(A "/splice", NULL), 100000));
	ck_assert_str_eq(fact(F, "sha256"), fact(A "/range", "sha256"));
}
END_TEST

/* Of 3 GiB of zeros. */
#define BIG_DIGEST \
	"305b66a59d15b252092fbda9d09711230c429f351897cbd430e7b55a35fd3b97"

/* The last MiB, or all of them: that takes a while. */
START_TEST(no_size_is_too_big_for_32_bits)
{
	static const char *const commands[] = {
		"dd if=/dev/zero of=" F " bs=1M seek=3071 count=1 2>&1",
		"dd if=/dev/zero of=" F " bs=1M count=3072 2>&1",
	};

	make_attestation();
	run(0, "%s", commands[_i]);
	has_state(F, "frozen");
	ck_assert_int_eq((off_t)3 << 30, stat_of(F).st_size);
	sync_dir("mnt");
	ck_assert_str_eq(BIG_DIGEST, fact(F, "sha256"));
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
}
END_TEST

START_TEST(no_file_is_larger_than_the_disk_or_a_number_in_an_entry)
{
	int fd;

	make_attestation();
	fd = begin(F);
	add(fd, "small");
	refused(EFBIG, ftruncate(fd, (off_t)1 << 60));
	refused(ENOSPC, ftruncate(fd, (off_t)1 << 52));
	refused(ENOSPC, fallocate(fd, 0, 0, (off_t)1 << 52));
	refused(ENOSPC, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)1 << 52));
	allowed(close(fd));
	holds(F, "small");
	has_state(F, "frozen");
}
END_TEST

START_TEST(evidence_is_never_executed)
{
	make_attestation();
	run(0, "install -m 755 /bin/true " F);
	run(126, F);
	says(run(0, "grep -F \" $PWD/mnt \" /proc/self/mountinfo"),
	    "nosuid,nodev,noexec");
	sync_dir("mnt");
	run(126, F);
}
END_TEST

/* --- placeholders ----------------------------------------------------- */

START_TEST(a_placeholder_can_still_be_written)
{
	int fd;

	make_attestation();
	put(F, "");
	has_state(F, "placeholder");
	run(0, "touch " F); /* times, not bytes */
	has_state(F, "placeholder");
	fd = open(F, O_WRONLY | O_TRUNC);
	ck_assert_int_ge(fd, 0);
	add(fd, "later");
	allowed(close(fd));
	has_state(F, "frozen");
	sync_dir("mnt");
	holds(F, "later");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
}
END_TEST

START_TEST(a_placeholder_can_be_removed)
{
	make_attestation();
	put(F, "");
	refused(EPERM, truncate(F, 10)); /* nothing would freeze it */
	allowed(truncate(F, 0));
	allowed(unlink(F));
	put(F, "");
	put(A "/.f.a1B2c3", "by rsync");
	allowed(rename(A "/.f.a1B2c3", F));
	has_state(F, "sealed");
	holds(F, "by rsync");
	put(A "/g", "");
	allowed(rename(A "/g", A "/h"));
	has_state(A "/h", "placeholder");
	allowed(rename(A "/h", A "/h.tmp"));
	allowed(unlink(A "/h.tmp"));
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
}
END_TEST

START_TEST(a_placeholder_is_sealed_empty_with_its_attestation)
{
	make_attestation();
	put(F, "");
	put(A "/g", "text");
	seal(A, 0555);
	has_state(F, "sealed");
	holds(F, "");
	refused(EPERM, try_open(F, O_WRONLY));
	says(entry("evidence.sealed", "t/w/a/f"), "\"size\":0}");
	says(entry("attestation.sealed", "t/w/a"), "\"count\":2,");
}
END_TEST

START_TEST(a_size_set_through_a_handle_is_writing)
{
	int fd;

	make_attestation();
	fd = begin(F);
	allowed(ftruncate(fd, 10));
	allowed(close(fd));
	has_state(F, "frozen");
	fd = begin(A "/g");
	allowed(fallocate(fd, 0, 0, 10));
	allowed(close(fd));
	has_state(A "/g", "frozen");
	ck_assert_int_eq(10, stat_of(A "/g").st_size);
	/* Space alone is not content. */
	fd = begin(A "/h");
	allowed(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10));
	allowed(close(fd));
	has_state(A "/h", "placeholder");
	fd = begin(A "/i");
	allowed(ftruncate(fd, 0));
	ck_assert_int_eq(0, write(fd, "", 0));
	allowed(close(fd));
	has_state(A "/i", "placeholder");
}
END_TEST

/* --- what seals ------------------------------------------------------- */

START_TEST(the_end_of_settling_seals)
{
	mount_vault("settle=1");
	make_attestation();
	put(F, "x");
	ck_assert(strcmp(state_of(F), "frozen") == 0 ||
	    strcmp(state_of(F), "sealed") == 0);
	becomes(F, "sealed");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	ck_assert_str_ne("(ENODATA)", fact(F, "sealed-at"));
}
END_TEST

START_TEST(with_settle_0_a_file_is_sealed_at_once)
{
	char path[64];

	mount_vault("settle=0");
	make_attestation();
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		put(path, path);
	}
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		becomes(path, "sealed");
		holds(path, path);
	}
	ck_assert_uint_eq(200, entries("evidence.sealed", NULL));
}
END_TEST

/* As long as its owner changes something, it settles anew. */
START_TEST(each_change_restarts_the_settle_time)
{
	double begin_s, last, now;
	unsigned n = 0;

	mount_vault("settle=2");
	make_attestation();
	put(F, "x");
	begin_s = last = seconds();
	while ((now = seconds()) - begin_s < 3) {
		if (now - last > 1)
			return; /* this machine had us wait too long */
		last = now;
		allowed(chmod(F, n++ % 2 == 0 ? 0600 : 0644));
		has_state(F, "frozen");
	}
	allowed(chmod(F, 0640));
	becomes(F, "sealed");
	says(entry("evidence.sealed", "t/w/a/f"), "\"mode\":\"0640\"");
}
END_TEST

START_TEST(fsync_of_its_directory_seals)
{
	make_attestation();
	put(F, "x");
	allowed(mkdir(A "/d", 0755));
	put(A "/d/f", "y");
	put(A "/x.tmp", "draft");
	sync_dir(A "/d");
	has_state(A "/d/f", "sealed");
	has_state(F, "frozen");
	sync_dir(A);
	has_state(F, "sealed");
	has_state(A "/x.tmp", "draft");
}
END_TEST

START_TEST(fsync_of_a_directory_seals_the_callers_own_files)
{
	make_attestation();
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(A, 0777));
	as(ALICE);
	put(A "/alice", "x");
	as(BOB);
	put(A "/bob", "x");
	sync_dir(A);
	has_state(A "/bob", "sealed");
	has_state(A "/alice", "frozen");
	as(0);
	sync_dir(A);
	has_state(A "/alice", "sealed");
}
END_TEST

START_TEST(fsync_of_a_file_does_not_seal)
{
	int fd;

	make_attestation();
	put(F, "x");
	fd = open(F, O_RDONLY);
	allowed(fsync(fd));
	close(fd);
	has_state(F, "frozen");
}
END_TEST

START_TEST(trailctl_sync_seals)
{
	make_attestation();
	put(F, "x");
	put(A "/g", "y");
	run(0, "trailctl sync " F);
	has_state(F, "sealed");
	put(A "/h", "z");
	run(0, "trailctl sync mnt");
	has_state(A "/g", "sealed");
	has_state(A "/h", "sealed");
}
END_TEST

START_TEST(sealing_its_attestation_seals)
{
	make_attestation();
	put(F, "x");
	seal(A, 0555);
	has_state(F, "sealed");
	has_state(A, "sealed");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	ck_assert_uint_eq(1, entries("attestation.sealed", "t/w/a"));
}
END_TEST

START_TEST(unmounting_seals)
{
	make_attestation();
	put(F, "x");
	has_state(F, "frozen");
	unmount_vault();
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	ck_assert_ptr_null(strstr(entry("evidence.sealed", "t/w/a/f"),
	    "\"cause\""));
}
END_TEST

/* Mode, owner, times and name of the entry are those at the end. */
START_TEST(the_entry_records_the_state_after_settling)
{
	struct timespec t[2] = { { 1000000000, 5 }, { 1000000000, 5 } };
	const char *e;

	make_attestation();
	put(F, "twelve bytes");
	allowed(chmod(F, 0604));
	allowed(chown(F, ALICE, BOB));
	allowed(utimensat(AT_FDCWD, F, t, 0));
	allowed(rename(F, A "/final"));
	sync_dir("mnt");
	e = entry("evidence.sealed", "t/w/a/final");
	says(e, "\"access\":{\"gid\":1002,");
	says(e, "\"mode\":\"0604\",\"uid\":1001");
	says(e, "\"mtime\":\"2001-09-09T01:46:40.000000005Z\"");
	says(e, "\"size\":12}");
	says(e, "\"actor\":{\"gid\":0,\"group\":\"root\",");
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
	ck_assert_str_eq("sealed", state_of(A "/final"));
	ck_assert_uint_eq(entry_seq(e),
	    strtoul(fact(A "/final", "index"), NULL, 10));
	says(e, fact(A "/final", "sha256"));
	says(e, fact(A "/final", "actor"));
	says(e, fact(A "/final", "sealed-at"));
	ck_assert_int_eq(1000000000, stat_of(A "/final").st_mtim.tv_sec);
	ck_assert_int_eq(5, stat_of(A "/final").st_mtim.tv_nsec);
}
END_TEST

START_TEST(equal_bytes_are_stored_once)
{
	char *big = noise(1000000, 3);
	const char *before, *after;

	make_attestation();
	put_bytes(F, big, 1000000);
	sync_dir("mnt");
	before = run(0, "find store/objects -type f | wc -l");
	ck_assert_str_eq("1\n", before);
	for (int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/copy%d", i);
		put_bytes(path, big, 1000000);
	}
	sync_dir("mnt");
	after = run(0, "find store/objects -type f | wc -l");
	ck_assert_str_eq(before, after);
	ck_assert_str_eq("", run(0, "ls store/stage"));
	for (int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/copy%d", i);
		ck_assert_int_eq(0, memcmp(big, content(path, NULL), 1000000));
		ck_assert_str_eq(fact(F, "sha256"), fact(path, "sha256"));
	}
	ck_assert_uint_eq(4, entries("evidence.sealed", NULL));
}
END_TEST

/* `a >> f & b >> f` of a shell script: nothing of either is lost. */
START_TEST(two_writers_of_one_user_append_to_one_file)
{
	const char *text;
	unsigned a = 0, b = 0;

	make_attestation();
	/* A third holds it, so that the first to end does not freeze it. */
	run(0,
	    "exec 3>" F "; "
	    "(for i in $(seq 500); do echo aaaaaaa; done) >>" F " & one=$!; "
	    "(for i in $(seq 500); do echo bbbbbbb; done) >>" F " & two=$!; "
	    "wait $one && wait $two");
	has_state(F, "frozen");
	text = content(F, NULL);
	ck_assert_uint_eq(8000, strlen(text));
	for (const char *p = text; *p != '\0'; p += 8) {
		a += memcmp(p, "aaaaaaa\n", 8) == 0;
		b += memcmp(p, "bbbbbbb\n", 8) == 0;
	}
	ck_assert_uint_eq(500, a);
	ck_assert_uint_eq(500, b);
}
END_TEST

static unsigned writer_number;

static int
write_many(void)
{
	char path[80], to[64];
	int fd;

	snprintf(path, sizeof path, A "/d%u", writer_number);
	if (mkdir(path, 0755) < 0)
		return 1;
	for (unsigned i = 0; i < 120; i++) {
		snprintf(to, sizeof to, A "/d%u/%u", writer_number, i);
		snprintf(path, sizeof path, "%s%s", to,
		    i % 3 == 0 ? ".tmp" : "");
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, to, strlen(to)) < 0 || close(fd) < 0)
			return 2;
		if (i % 3 == 0 && rename(path, to) < 0)
			return 3;
		if (i % 3 == 1 && chmod(to, 0600) < 0 && errno != EPERM)
			return 4;
	}
	return 0;
}

START_TEST(many_write_at_once)
{
	char path[64];
	pid_t pid[6];

	mount_vault("settle=0,threads=8");
	make_attestation();
	for (writer_number = 0; writer_number < LEN(pid); writer_number++)
		pid[writer_number] = in_child(write_many);
	for (int i = 0; i < 20; i++) {
		sync_dir("mnt");
		content("mnt/.trailfs/events.jsonl", NULL);
		content("mnt/.trailfs/status.json", NULL);
		run(0, "ls -lR mnt >/dev/null 2>&1; :"); /* names go */
	}
	for (size_t i = 0; i < LEN(pid); i++)
		ck_assert_int_eq(0, child_ended(pid[i]));
	sync_dir("mnt");
	for (unsigned w = 0; w < LEN(pid); w++)
		for (unsigned i = 0; i < 120; i++) {
			snprintf(path, sizeof path, A "/d%u/%u", w, i);
			has_state(path, "sealed");
			holds(path, path);
		}
	ck_assert_uint_eq(LEN(pid) * 120, entries("evidence.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* As on any file system; no program can be run from here anyway. */
START_TEST(set_id_bits_go_with_a_write_and_a_new_owner)
{
	int fd;

	make_attestation();
	fd = begin(A "/f");
	add(fd, "x");
	allowed(fchmod(fd, 06777));
	ck_assert_uint_eq(06777, stat_of(A "/f").st_mode & 07777);
	add(fd, "y");
	ck_assert_uint_eq(0777, stat_of(A "/f").st_mode & 07777);
	/* Set-gid without execution is no set-gid. */
	allowed(fchmod(fd, 02666));
	add(fd, "z");
	ck_assert_uint_eq(02666, stat_of(A "/f").st_mode & 07777);
	allowed(fchmod(fd, 06777));
	allowed(fchown(fd, ALICE, (gid_t)-1));
	ck_assert_uint_eq(0777, stat_of(A "/f").st_mode & 07777);
	allowed(fchmod(fd, 04755));
	allowed(close(fd));
	ck_assert_uint_eq(04755, stat_of(A "/f").st_mode & 07777);
}
END_TEST

Suite *
suite_states(void)
{
	Suite *s = suite_create("states");
	TCase *t = mounted_case(s, "states");

	tcase_add_test(t, set_id_bits_go_with_a_write_and_a_new_owner);
	tcase_add_test(t, a_file_is_open_until_the_last_close);
	tcase_add_test(t, an_inherited_descriptor_keeps_the_file_open);
	tcase_add_test(t, bytes_stored_in_a_mapping_after_close_persist);
	tcase_add_test(t, a_reader_sees_written_bytes);
	tcase_add_test(t, content_equals_the_writes_at_all_offsets);
	tcase_add_test(t, content_of_every_size_persists);
	tcase_add_test(t, other_ways_to_copy_and_look_work);
	tcase_add_loop_test(t, no_size_is_too_big_for_32_bits, 0,
	    long_run() ? 2 : 1);
	tcase_add_test(t,
	    no_file_is_larger_than_the_disk_or_a_number_in_an_entry);
	tcase_add_test(t, evidence_is_never_executed);
	tcase_add_test(t, a_placeholder_can_still_be_written);
	tcase_add_test(t, a_placeholder_can_be_removed);
	tcase_add_test(t, a_placeholder_is_sealed_empty_with_its_attestation);
	tcase_add_test(t, a_size_set_through_a_handle_is_writing);
	tcase_add_test(t, fsync_of_its_directory_seals);
	tcase_add_test(t, fsync_of_a_directory_seals_the_callers_own_files);
	tcase_add_test(t, fsync_of_a_file_does_not_seal);
	tcase_add_test(t, trailctl_sync_seals);
	tcase_add_test(t, sealing_its_attestation_seals);
	tcase_add_test(t, unmounting_seals);
	tcase_add_test(t, the_entry_records_the_state_after_settling);
	tcase_add_test(t, equal_bytes_are_stored_once);
	tcase_add_test(t, two_writers_of_one_user_append_to_one_file);
	t = stored_case(s, "settling");
	tcase_add_test(t, the_end_of_settling_seals);
	tcase_add_test(t, with_settle_0_a_file_is_sealed_at_once);
	tcase_add_test(t, each_change_restarts_the_settle_time);
	tcase_add_test(t, many_write_at_once);
	return s;
}
