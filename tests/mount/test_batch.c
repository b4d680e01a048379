/* durability=batch: what it still promises; and digests of files that were
 * hashed while they were being written. */
#include "harness.h"

#define MIB ((size_t)1 << 20)
#define BATCH "settle=60,durability=batch"
#define TMP A "/.f.Xa7bQ2"

START_TEST(a_batched_close_freezes_and_fsynced_bytes_survive)
{
	char *big = noise(3 * MIB, 3);
	int fd, big_fd;

	mount_vault("settle=60,durability=batch");
	make_attestation();
	says(entry("ledger.opened", NULL), "\"durability\":\"batch\"");
	put(A "/small", "closed");
	refused(EPERM, try_open(A "/small", O_WRONLY));
	has_state(A "/small", "frozen");
	fd = begin(A "/synced");
	add(fd, "synced");
	allowed(fsync(fd));
	big_fd = begin(A "/big");
	ck_assert_int_eq(3 * MIB, write(big_fd, big, 3 * MIB));
	allowed(fsync(big_fd));
	put(A "/asked", "by trailctl");
	run(0, "trailctl sync " A "/asked");
	has_state(A "/asked", "sealed");
	/* Both still open: no close can have done what fsync has to. */
	crash_vault();
	close(fd);
	close(big_fd);
	mount_vault("settle=60,durability=batch");
	holds(A "/synced", "synced");
	has_state(A "/synced", "sealed");
	ck_assert_int_eq(0, memcmp(big, content(A "/big", NULL), 3 * MIB));
	holds(A "/asked", "by trailctl");
	/* What was only closed is whole, or a draft, or gone. */
	if (exists(A "/small"))
		holds(A "/small", "closed");
}
END_TEST

/* rsync(1) writes a draft and renames it.  No disk is waited for. */
START_TEST(a_renamed_draft_is_frozen_and_sealed_later)
{
	mount_vault(BATCH);
	make_attestation();
	put(TMP, "one");
	has_state(TMP, "draft");
	allowed(rename(TMP, A "/f"));
	has_state(A "/f", "frozen");
	holds(A "/f", "one");
	refused(EPERM, try_open(A "/f", O_WRONLY));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	/* A second one may not take its name. */
	put(TMP, "two");
	refused(EPERM, rename(TMP, A "/f"));
	holds(A "/f", "one");
	allowed(rename(TMP, A "/g"));
	run(0, "trailctl sync mnt");
	has_state(A "/f", "sealed");
	has_state(A "/g", "sealed");
	ck_assert_uint_eq(2, entries("evidence.sealed", NULL));
	crash_vault();
	mount_vault(BATCH);
	holds(A "/f", "one");
	holds(A "/g", "two");
	run(0, "trailctl verify store");
}
END_TEST

/* Loop test: a draft that nobody renames; a file; both when the daemon ends. */
START_TEST(what_was_closed_is_durable_a_moment_later)
{
	skip_unless(have("sqlite3"), "no sqlite3");
	mount_vault(BATCH);
	make_attestation();
	put(TMP, "draft");
	put(A "/f", "file");
	if (_i == 0) {
		run(0,
		    "for i in $(seq 600); do test $(sqlite3 store/ledger.db "
		    "'SELECT count(*) FROM stage WHERE size > 3 AND dirty = 0') "
		    "= 2 && exit 0; sleep 0.1; done; exit 1");
		crash_vault();
	} else {
		unmount_vault();
	}
	mount_vault(BATCH);
	holds(TMP, "draft");
	has_state(TMP, "draft");
	holds(A "/f", "file");
	has_state(A "/f", "sealed");
	allowed(rename(TMP, A "/g"));
	has_state(A "/g", "sealed");
	run(0, "trailctl verify store");
}
END_TEST

/* Who seals or publishes does not wait until a flush would come by itself. */
START_TEST(a_seal_flushes_what_waits)
{
	mount_vault(BATCH);
	make_attestation();
	for (int i = 0; i < 50; i++)
		run(0, "echo %d >" A "/%d", i, i);
	run(0, "trailctl seal " A);
	ck_assert_uint_eq(50, entries("evidence.sealed", NULL));
	run(0,
	    "mkdir mnt/t/w/.d && cp /etc/passwd /etc/group mnt/t/w/.d && "
	    "mv mnt/t/w/.d mnt/t/w/d");
	ck_assert_uint_eq(52, entries("evidence.sealed", NULL));
	run(0, "cmp /etc/passwd mnt/t/w/d/passwd");
	run(0, "trailctl verify store");
}
END_TEST

START_TEST(closed_files_are_sealed_without_being_asked_for)
{
	char path[64];

	mount_vault("settle=0,durability=batch");
	make_attestation();
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		put(path, path);
	}
	run(0, "trailctl sync mnt");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		has_state(path, "sealed");
		holds(path, path);
	}
	ck_assert_uint_eq(300, entries("evidence.sealed", NULL));
}
END_TEST

/* Ways to write the same bytes: some are hashed as they come, some after. */
static void
in_order(int fd, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 70000)
		ck_assert_int_gt(write(fd, p + i,
				     n - i < 70000 ? n - i : 70000),
		    0);
}

static void
backwards(int fd, const char *p, size_t n)
{
	for (size_t i = n; i > 0; i -= i < MIB ? i : MIB) {
		size_t chunk = i < MIB ? i : MIB;

		ck_assert_int_eq(chunk,
		    pwrite(fd, p + i - chunk, chunk, (off_t)(i - chunk)));
	}
}

/* The first bytes once more, while the thread may be at them. */
static void
begun_wrong(int fd, const char *p, size_t n)
{
	in_order(fd, p + 1, n - 1);
	ck_assert_int_eq(n, pwrite(fd, p, n, 0));
}

static void
cut_and_begun_again(int fd, const char *p, size_t n)
{
	in_order(fd, p + 4096, n - 4096);
	allowed(ftruncate(fd, 0));
	ck_assert_int_eq(0, lseek(fd, 0, SEEK_SET));
	in_order(fd, p, n);
}

static void
too_long_at_first(int fd, const char *p, size_t n)
{
	in_order(fd, p, n);
	in_order(fd, p, 3 * MIB);
	allowed(ftruncate(fd, (off_t)n));
}

static void
synced_between(int fd, const char *p, size_t n)
{
	size_t half = n / 2;

	in_order(fd, p, half);
	allowed(fsync(fd));
	in_order(fd, p + half, n - half);
}

static void (*const writers[])(int fd, const char *p, size_t n) = { in_order,
	backwards, begun_wrong, cut_and_begun_again, too_long_at_first,
	synced_between };

START_TEST(a_digest_is_of_the_bytes_however_they_came)
{
	static const size_t sizes[] = { 70000, 2 * MIB - 1, 9 * MIB + 5 };
	char path[64], want[80];
	char *p = noise(9 * MIB + 5, (unsigned)_i);
	FILE *f;
	int fd;

	mount_vault("settle=60");
	make_attestation();
	for (size_t i = 0; i < LEN(sizes); i++) {
		snprintf(path, sizeof path, A "/%zu", i);
		fd = begin(path);
		writers[_i](fd, p + i, sizes[i] - i);
		allowed(close(fd));
		f = fopen("copy", "w");
		ck_assert_int_eq(1, fwrite(p + i, sizes[i] - i, 1, f));
		fclose(f);
		sync_dir("mnt");
		snprintf(want, sizeof want, "%.64s", run(0, "sha256sum copy"));
		ck_assert_str_eq(want, fact(path, "sha256"));
		run(0, "cmp copy %s", path);
	}
}
END_TEST

Suite *
suite_batch(void)
{
	Suite *s = suite_create("batch");
	TCase *t = stored_case(s, "batch");

	tcase_add_test(t, a_batched_close_freezes_and_fsynced_bytes_survive);
	tcase_add_test(t, a_renamed_draft_is_frozen_and_sealed_later);
	tcase_add_loop_test(t, what_was_closed_is_durable_a_moment_later, 0, 2);
	tcase_add_test(t, a_seal_flushes_what_waits);
	tcase_add_test(t, closed_files_are_sealed_without_being_asked_for);
	tcase_add_loop_test(t, a_digest_is_of_the_bytes_however_they_came, 0,
	    (int)LEN(writers));
	return s;
}
