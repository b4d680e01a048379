/* A full disk: said at write, nothing promised is lost, the daemon lives. */
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "harness.h"

#define MIB ((size_t)1 << 20)
#define DISK "48m"

/* The store on a small disk of its own, with some evidence in it. */
static void
begin_on_small_disk(const char *options)
{
	run(0, "rm -rf store && mkdir store");
	allowed(mount("tmpfs", "store", "tmpfs", 0, "size=" DISK));
	run(0, "trailctl init --origin example.org/small store");
	mount_vault(options);
	make_attestation();
	put_sealed(A "/early", "sealed early");
	put(A "/frozen", "closed in time");
	put_bytes("big", noise(60 * MIB, 1), 60 * MIB);
}

static size_t
free_bytes(void)
{
	struct statvfs s;

	allowed(statvfs("store", &s));
	return (size_t)s.f_bavail * s.f_frsize;
}

/* Fill what is left of it, behind the daemon's back, but for this much. */
static void
fill_disk(size_t but)
{
	static char zeros[65536];
	int fd = open("store/filler", O_WRONLY | O_CREAT | O_APPEND, 0600);
	size_t n;

	while ((n = free_bytes()) > but) {
		n = n - but < sizeof zeros ? n - but : sizeof zeros;
		if (write(fd, zeros, n) < 0)
			break;
	}
	close(fd);
}

static void
nothing_is_lost(void)
{
	holds(A "/early", "sealed early");
	holds(A "/frozen", "closed in time");
	has_state(A "/early", "sealed");
	has_state(A "/frozen", "sealed");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/early"));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/frozen"));
}

static void
verify_and_end(void)
{
	unmount_vault();
	verify(0);
}

/* The kernel tells of the last close after close(2) has returned. */
static void
wait_until_gone(const char *path)
{
	for (int i = 0; exists(path); i++) {
		ck_assert_msg(i < 1500, "%s is there still", path);
		usleep(10000);
	}
}

START_TEST(a_file_too_big_for_the_disk_is_never_evidence)
{
	const char *said;

	begin_on_small_disk("settle=60");
	said = run(1, "cp big " A "/big");
	says(said, "No space left on device");
	wait_until_gone(A "/big");
	says(run(0, "ls -A " A), "big.");
	says(run(0, "ls -A " A), ".interrupted.part");
	run(0, "trailctl sync mnt");
	ck_assert_uint_eq(0, entries("evidence.sealed", "t/w/a/big"));
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/big"));
	nothing_is_lost();
	run(0, "trailctl verify store");
	/* The draft may go, and then there is room again. */
	run(0, "rm " A "/big.*.part");
	put_sealed(A "/big", "smaller");
	holds(A "/big", "smaller");
	ck_assert_uint_eq(3, entries("evidence.sealed", NULL));
	verify_and_end();
}
END_TEST

/* The writer hears of it, at write or at close, and from then on always. */
START_TEST(a_failed_file_says_so_each_time)
{
	char *text = noise(MIB, 2);
	int fd, other;
	size_t n = 0;

	begin_on_small_disk("settle=60");
	fd = begin(A "/big");
	while (n < 60 && write(fd, text, MIB) == (ssize_t)MIB)
		n++;
	ck_assert_int_eq(ENOSPC, errno);
	ck_assert_uint_gt(n, 8);
	ck_assert_uint_lt(n, 48);
	refused(ENOSPC, write(fd, "x", 1));
	refused(ENOSPC, fsync(fd));
	other = dup(fd);
	refused(ENOSPC, close(other));
	refused(ENOSPC, close(fd));
	wait_until_gone(A "/big");
	sync_dir("mnt");
	nothing_is_lost();
	verify_and_end();
}
END_TEST

/* A shell closes a copy of its descriptor first: a placeholder is on disk. */
START_TEST(a_placeholder_whose_write_failed_is_not_sealed_empty)
{
	begin_on_small_disk("settle=60");
	run(1, "cat big >" A "/big");
	wait_until_gone(A "/big");
	sync_dir("mnt");
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/big"));
	remount_vault();
	ck_assert(!exists(A "/big"));
	run(0, "trailctl seal " A);
	ck_assert_uint_eq(0, entries("evidence.sealed", "t/w/a/big"));
	ck_assert_uint_eq(3, entries("evidence.sealed", NULL));
	nothing_is_lost();
	verify_and_end();
}
END_TEST

/* So with a copy that replaces nothing: a draft that failed gets no name. */
START_TEST(a_failed_draft_does_not_become_evidence)
{
	begin_on_small_disk("settle=60");
	run(1, "cp big " A "/big.tmp");
	refused(ENOSPC, rename(A "/big.tmp", A "/big"));
	ck_assert(!exists(A "/big"));
	sync_dir("mnt");
	ck_assert_uint_eq(0, entries("evidence.sealed", "t/w/a/big"));
	if (exists(A "/big.tmp"))
		allowed(unlink(A "/big.tmp"));
	nothing_is_lost();
	put_sealed(A "/big", "smaller");
	verify_and_end();
}
END_TEST

/* Create small files until the disk is full: each file whose close(2) succeeded
 * gets sealed. */
START_TEST(small_files_fill_the_disk_and_closed_ones_persist)
{
	char path[64], *text = noise(60000, 3);
	unsigned n, closed = 0;
	size_t size = _i == 0 ? 4000 : 60000;

	begin_on_small_disk("settle=60");
	fill_disk(20 * MIB);
	for (n = 0; n < 20000; n++) {
		int fd;

		snprintf(path, sizeof path, A "/%u", n);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			break;
		memcpy(text, &n, sizeof n);
		if (write(fd, text, size) != (ssize_t)size) {
			ck_assert_int_eq(ENOSPC, errno);
			(void)close(fd);
			break;
		}
		if (close(fd) < 0)
			break;
		closed++;
	}
	ck_assert_int_eq(ENOSPC, errno);
	ck_assert_uint_gt(closed, 10);
	/* The reserved space is enough to seal them all. */
	sync_dir("mnt");
	nothing_is_lost();
	ck_assert_uint_eq(closed + 2, entries("evidence.sealed", NULL));
	for (n = 0; n < closed; n++) {
		snprintf(path, sizeof path, A "/%u", n);
		memcpy(text, &n, sizeof n);
		ck_assert(memcmp(text, content(path, NULL), size) == 0);
	}
	allowed(unlink("store/filler"));
	remount_vault();
	ck_assert_uint_eq(closed + 2, entries("evidence.sealed", NULL));
	put_sealed(A "/after", "there is room");
	verify_and_end();
}
END_TEST

/* A small file, or what the disk has to say against it. */
static int
try_put(unsigned i)
{
	char path[64];
	int fd, sys;

	snprintf(path, sizeof path, A "/new%u", i);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return -1;
	if (write(fd, path, strlen(path)) == (ssize_t)strlen(path))
		return close(fd);
	sys = errno;
	(void)close(fd);
	errno = sys;
	return -1;
}

/* Somebody else takes the last byte, and even sealing fails.  Loop test: how
 * many KiB are left. */
START_TEST(a_disk_filled_by_others_loses_nothing_promised)
{
	static const size_t left[] = { 0, 8, 64, 300 };
	unsigned n;
	int fd;

	begin_on_small_disk("settle=60");
	fd = begin(A "/open");
	add(fd, "not closed yet");
	fill_disk(left[_i] * 1024);
	/* It looks at the disk now and then: until it does, it may promise,
	 * and keep it, or say no at close. */
	for (n = 0; try_put(n) == 0; n++)
		ck_assert_uint_lt(n, 20000);
	ck_assert_int_eq(ENOSPC, errno);
	(void)close(fd);
	(void)run_any("trailctl sync mnt");
	holds(A "/early", "sealed early");
	holds(A "/frozen", "closed in time");
	/* Alive, and telling. */
	says(run(0, "trailctl status mnt"), "example.org/small");
	allowed(unlink("store/filler"));
	if (strcmp(run_any("trailctl sync mnt"), "0") != 0 ||
	    try_open(A "/new", O_WRONLY | O_CREAT | O_EXCL) < 0) {
		/* A ledger whose disk failed is opened anew. */
		allowed(kill(vault_pid(), SIGTERM));
		(void)vault_ended();
		mount_vault("settle=60");
	}
	sync_dir("mnt");
	nothing_is_lost();
	for (unsigned i = 0; i < n; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/new%u", i);
		has_state(path, "sealed");
		holds(path, path);
	}
	put_sealed(A "/after", "there is room");
	verify_and_end();
}
END_TEST

/* The same of what is in memory until a flush: names without an entry, and
 * attributes.  Loop test: directories, attributes of drafts. */
START_TEST(unflushed_names_and_attributes_leave_the_reserved_space)
{
	char *value = noise(2000, 3), path[64], name[16];
	unsigned n;
	int r = 0;

	begin_on_small_disk("settle=60");
	for (n = 0; _i == 1 && n < 400; n++) {
		snprintf(path, sizeof path, A "/n%u.tmp", n);
		put(path, "x");
	}
	for (n = 0; n < 3000 && r == 0; n++) {
		if (n % 50 == 0) /* the database may have given some back */
			fill_disk(18 * MIB);
		snprintf(path, sizeof path, A "/n%u%s", _i ? n % 400 : n,
		    _i ? ".tmp" : "");
		snprintf(name, sizeof name, "user.x%u", n / 400);
		r = _i == 0 ? mkdir(path, 0755) :
			      setxattr(path, name, value, 2000, 0);
	}
	ck_assert_int_eq(-1, r);
	ck_assert_int_eq(ENOSPC, errno);
	sync_dir("mnt");
	nothing_is_lost();
	remount_vault(); /* saves them */
	ck_assert_uint_gt(free_bytes(), 15 * MIB);
	ck_assert(exists(A "/n0") || _i == 1);
	allowed(unlink("store/filler"));
	put_sealed(A "/after", "there is room");
	verify_and_end();
}
END_TEST

/* The names and modes of one user do not use the space reserved for sealing.
 * Loop test: trails, workflows, changes of access to a directory and to sealed
 * evidence. */
START_TEST(requests_of_users_leave_the_space_for_sealing)
{
	char path[64];
	unsigned n;
	int r = 0;

	begin_on_small_disk("settle=60");
	put_sealed(A "/sealed", "text");
	fill_disk(17 * MIB);
	for (n = 0; n < 20000 && r == 0; n++) {
		snprintf(path, sizeof path, "%s/n%u", _i == 0 ? "mnt" : "mnt/t",
		    n);
		r = _i < 2 ?
		    mkdir(path, 0755) :
		    chmod(_i == 2 ? "mnt/t/w" : A "/sealed",
			(_i == 2 ? 0711 : 0600) | (n % 2 == 0 ? 0040 : 0044));
	}
	ck_assert_int_eq(-1, r);
	ck_assert_int_eq(ENOSPC, errno);
	ck_assert_uint_gt(free_bytes(), 12 * MIB);
	sync_dir("mnt");
	nothing_is_lost();
	remount_vault();
	allowed(unlink("store/filler"));
	put_sealed(A "/after", "there is room");
	verify_and_end();
}
END_TEST

/* The same, and then the power goes. */
START_TEST(a_crash_on_a_full_disk_loses_nothing_promised)
{
	begin_on_small_disk("settle=60");
	fill_disk(0);
	(void)run_any("trailctl sync mnt");
	crash_vault();
	allowed(unlink("store/filler"));
	mount_vault("settle=60");
	nothing_is_lost();
	put_sealed(A "/after", "there is room");
	verify_and_end();
}
END_TEST

/* Started on it, it serves what it has, or says why not; never harm. */
START_TEST(a_full_disk_at_the_start_does_no_harm)
{
	begin_on_small_disk("settle=60");
	crash_vault();
	fill_disk(0);
	(void)run_any("timeout -k 1 20 trailfs store mnt -o settle=60");
	(void)run_any("umount mnt");
	run(0, "timeout 20 flock store/lock true");
	allowed(unlink("store/filler"));
	mount_vault("settle=60");
	nothing_is_lost();
	verify_and_end();
}
END_TEST

/* A rename that cannot be recorded leaves what was there.  Loop test: a draft
 * whose bytes are in the database, one with a file, an attestation of many. */
START_TEST(a_publication_on_a_full_disk_is_whole_or_not_at_all)
{
	static const char *const from[] = { A "/x.tmp", A "/y.tmp", W "/.m" };
	static const char *const to[] = { A "/x", A "/y", W "/m" };
	char path[64], *big = noise(100000, 8);
	unsigned before;
	int fd;

	begin_on_small_disk("settle=60");
	put(A "/x.tmp", "short");
	put_bytes(A "/y.tmp", big, 100000);
	allowed(mkdir(W "/.m", 0755));
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, W "/.m/%d", i);
		put(path, path);
	}
	before = entries("evidence.sealed", NULL);
	fill_disk(0);
	if (rename(from[_i], to[_i]) == 0) {
		ck_assert(exists(to[_i]) && !exists(from[_i]));
	} else {
		ck_assert_int_eq(ENOSPC, errno);
		ck_assert(exists(from[_i]) && !exists(to[_i]));
		ck_assert_uint_eq(before, entries("evidence.sealed", NULL));
	}
	allowed(unlink("store/filler"));
	/* A draft still may be written, whatever became of its bytes. */
	if (_i == 1 && exists(from[1])) {
		fd = open(from[1], O_WRONLY);
		ck_assert_int_ge(fd, 0);
		add(fd, "edited");
		allowed(close(fd));
		put_bytes(A "/same", big, 100000);
		memcpy(big, "edited", 6);
	}
	if (exists(from[_i]))
		allowed(rename(from[_i], to[_i]));
	sync_dir("mnt");
	if (_i == 1) {
		ck_assert_int_eq(0, memcmp(big, content(to[1], NULL), 100000));
		if (exists(A "/same"))
			ck_assert_int_eq(0,
			    memcmp(noise(100000, 8), content(A "/same", NULL),
				100000));
	}
	has_state(_i == 2 ? W "/m/299" : to[_i], "sealed");
	nothing_is_lost();
	verify_and_end();
}
END_TEST

START_TEST(an_init_on_a_full_disk_leaves_nothing)
{
	run(0, "rm -rf store && mkdir store");
	allowed(mount("tmpfs", "store", "tmpfs", 0, "size=16k"));
	says(run(3, "trailctl init store"), "o space left");
	ck_assert_str_eq("", run(0, "ls -A store"));
}
END_TEST

/* A control file that people write is refused at close, and nothing of it is
 * left. */
START_TEST(a_template_that_finds_no_room_is_refused_at_close)
{
	const char *const first = "version: 1\ntrail:\n  attestations:\n"
				  "  - {name: a, type: generic}\n";
	const char *const second = "version: 1\ntrail:\n  attestations:\n"
				   "  - {name: b, type: generic}\n";

	begin_on_small_disk("settle=60");
	put("mnt/t/.trailfs/template.yml", first);
	put("second.yml", second);
	fill_disk(0);
	says(run(1, "cp second.yml mnt/t/.trailfs/template.yml"),
	    "No space left on device");
	holds("mnt/t/.trailfs/template.yml", first);
	says(content("mnt/t/.trailfs/last-error", NULL), "template.yml: ");
	allowed(unlink("store/filler"));
	run(0, "cp second.yml mnt/t/.trailfs/template.yml");
	holds("mnt/t/.trailfs/template.yml", second);
	holds("mnt/t/.trailfs/last-error", "");
	ck_assert_uint_eq(2, entries("template.set", "t"));
	run(0, "trailctl sync mnt");
	nothing_is_lost();
	verify_and_end();
}
END_TEST

Suite *
suite_full(void)
{
	Suite *s = suite_create("full");
	TCase *t = stored_case(s, "full");

	tcase_add_test(t, a_file_too_big_for_the_disk_is_never_evidence);
	tcase_add_test(t, a_failed_file_says_so_each_time);
	tcase_add_test(t, a_placeholder_whose_write_failed_is_not_sealed_empty);
	tcase_add_test(t, a_failed_draft_does_not_become_evidence);
	tcase_add_loop_test(t,
	    small_files_fill_the_disk_and_closed_ones_persist, 0, 2);
	tcase_add_loop_test(t, a_disk_filled_by_others_loses_nothing_promised,
	    0, 4);
	tcase_add_loop_test(t,
	    a_publication_on_a_full_disk_is_whole_or_not_at_all, 0, 3);
	tcase_add_loop_test(t, requests_of_users_leave_the_space_for_sealing, 0,
	    4);
	tcase_add_loop_test(t,
	    unflushed_names_and_attributes_leave_the_reserved_space, 0, 2);
	tcase_add_test(t, a_crash_on_a_full_disk_loses_nothing_promised);
	tcase_add_test(t, a_full_disk_at_the_start_does_no_harm);
	tcase_add_test(t, an_init_on_a_full_disk_leaves_nothing);
	tcase_add_test(t, a_template_that_finds_no_room_is_refused_at_close);
	return s;
}
