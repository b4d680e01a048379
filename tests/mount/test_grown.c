/* Evidence that is entered while it grows: user.trailfs.stream. */
#include <sys/mman.h>
#include <sys/xattr.h>

#include "harness.h"

#define LOG A "/log"
#define PATH "t/w/a/log"
#define MARK "user.trailfs.stream"
#define SETTLE "settle=60"
#define CHUNK ((size_t)65536)
/* What these tests write has this many bytes: two whole chunks and a part. */
#define SOME (2 * CHUNK + 1000)
#define ENTERED "131072"

static void
begin_with(const char *options)
{
	mount_vault(options);
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(W, 0755));
}

/* A file that is open for writing only, as a log is. */
static int
begin_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
mark(int fd)
{
	allowed(fsetxattr(fd, MARK, "1", 1, 0));
}

static void
add_bytes(int fd, const char *p, size_t n)
{
	ck_assert_int_eq((ssize_t)n, write(fd, p, n));
}

/* A marked file with SOME bytes of which two chunks are entered. */
static int
begin_grown(const char *path)
{
	int fd = begin_log(path);

	mark(fd);
	add_bytes(fd, noise(SOME, 1), SOME);
	allowed(fsync(fd));
	fact_becomes(path, "proven", ENTERED);
	return fd;
}

/* The file at path has n bytes of the noise. */
static void
is_whole(const char *path, size_t n)
{
	size_t got;
	const char *p = content(path, &got);

	ck_assert_uint_eq(n, got);
	ck_assert_int_eq(0, memcmp(noise(n, 1), p, n));
}

/* --- what is entered ----------------------------------------------------------- */

/* Whole chunks are entered while the file is open, the rest at its seal. */
START_TEST(whole_chunks_are_entered_while_the_file_grows)
{
	char *bytes = noise(8 * CHUNK, 1);
	int fd;

	begin_with("settle=0");
	fd = begin_log(LOG);
	mark(fd);
	ck_assert_str_eq("1", fact(LOG, "stream"));
	ck_assert_str_eq("0", fact(LOG, "proven"));
	add_bytes(fd, bytes, SOME);
	allowed(fsync(fd));
	fact_becomes(LOG, "proven", ENTERED);
	ck_assert_uint_eq(1, entries("evidence.grown", PATH));
	says(entry("evidence.grown", PATH), "\"from\":0,");
	says(entry("evidence.grown", PATH), "\"to\":131072");
	add_bytes(fd, bytes + SOME, 8 * CHUNK - SOME);
	allowed(fsync(fd));
	fact_becomes(LOG, "proven", "524288");
	says(run(0, "trailctl show " LOG),
	    "proven      to byte 524288, while it grows");
	says(run(0, "cat mnt/.trailfs/status.json"), "\"proven\":524288");
	says(run(0, "cat " A "/.trailfs/attestation.json"),
	    "\"proven\":524288");
	ck_assert_uint_eq(2, entries("evidence.grown", PATH));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	add_bytes(fd, bytes, 5);
	allowed(close(fd));
	becomes(LOG, "sealed");
	ck_assert_uint_eq(3, entries("evidence.grown", PATH));
	says(entry("evidence.grown", PATH), "\"to\":524293");
	says_not(entry("evidence.sealed", PATH), "proven");
	ck_assert_str_eq("(ENODATA)", fact(LOG, "proven"));
	says_not(entry("evidence.sealed", PATH), "stream");
}
END_TEST

/* Without fsync, too: some seconds later, or when they are many. */
START_TEST(chunks_are_entered_without_fsync)
{
	char *bytes = noise(9 << 20, 1);
	size_t n = _i == 0 ? SOME : 9 << 20;
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	mark(fd);
	add_bytes(fd, bytes, n);
	fact_becomes(LOG, "proven", _i == 0 ? ENTERED : "9437184");
	allowed(close(fd));
	sync_dir(A);
	is_whole(LOG, n);
}
END_TEST

/* A file may be marked when it has bytes, as long as it is open. */
START_TEST(a_file_may_be_marked_late)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	add_bytes(fd, noise(SOME, 1), SOME);
	allowed(fsync(fd));
	ck_assert_str_eq("(ENODATA)", fact(LOG, "proven"));
	mark(fd);
	mark(fd);
	refused(EEXIST, fsetxattr(fd, MARK, "1", 1, XATTR_CREATE));
	allowed(fsync(fd));
	fact_becomes(LOG, "proven", ENTERED);
	allowed(close(fd));
	sync_dir(A);
	is_whole(LOG, SOME);
}
END_TEST

/* The content is that of the staged file, from the first whole chunk on.  Loop test:
 * the last inline size, and one byte more or less. */
START_TEST(a_file_of_one_chunk_is_entered)
{
	size_t n = CHUNK - 1 + (size_t)_i;
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	mark(fd);
	add_bytes(fd, noise(n, 1), n);
	allowed(fsync(fd));
	if (_i > 0)
		fact_becomes(LOG, "proven", "65536");
	allowed(close(fd));
	sync_dir(A);
	is_whole(LOG, n);
	ck_assert_uint_eq(_i == 0 ? 0 : (unsigned)_i,
	    entries("evidence.grown", PATH));
}
END_TEST

/* With durability=batch closes do not sync, but entries do. */
START_TEST(batch_enters_chunks_as_well)
{
	int fd;

	begin_with(SETTLE ",durability=batch");
	fd = begin_grown(LOG);
	allowed(close(fd));
	sync_dir(A);
	is_whole(LOG, SOME);
}
END_TEST

/* A file below directories that have no entry yet. */
START_TEST(a_file_in_new_directories_is_entered)
{
	int fd;

	begin_with(SETTLE);
	allowed(mkdir(A "/d", 0755));
	allowed(mkdir(A "/d/e", 0755));
	fd = begin_grown(A "/d/e/log");
	refused(EPERM, rename(A "/d", A "/f"));
	refused(EPERM, rename(A "/d/e", A "/f"));
	says(run(0, "tail -n 1 mnt/.trailfs/denied.jsonl"),
	    "entered in the ledger");
	allowed(close(fd));
	sync_dir(A);
	is_whole(A "/d/e/log", SOME);
}
END_TEST

/* --- who may mark what ----------------------------------------------------------- */

static int
alice_marks(void)
{
	as(ALICE);
	return setxattr(LOG, MARK, "1", 1, 0) == 0 ? 0 : errno;
}

START_TEST(only_the_writer_of_an_open_file_marks_it)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	allowed(fchmod(fd, 0666));
	ck_assert_int_eq(EPERM, child_ended(in_child(alice_marks)));
	refused(EINVAL, fsetxattr(fd, MARK, "2", 1, 0));
	refused(EINVAL, fsetxattr(fd, MARK, "", 0, 0));
	refused(ENODATA, fsetxattr(fd, MARK, "1", 1, XATTR_REPLACE));
	refused(EPERM, setxattr(A, MARK, "1", 1, 0));
	refused(EPERM, fsetxattr(fd, "user.trailfs.proven", "9", 1, 0));
	add(fd, "x");
	mark(fd);
	refused(EPERM, fremovexattr(fd, MARK));
	ck_assert_int_eq(0, flistxattr(fd, NULL, 0));
	allowed(close(fd));
	has_state(LOG, "frozen");
	refused(EPERM, setxattr(LOG, MARK, "1", 1, 0));
	sync_dir(A);
	refused(EPERM, setxattr(LOG, MARK, "1", 1, 0));
	ck_assert_str_eq("(ENODATA)", fact(LOG, "stream"));
}
END_TEST

/* Drafts may be written again, and no entry could have their name. */
START_TEST(a_draft_is_not_marked)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(A "/.log.part");
	refused(EPERM, fsetxattr(fd, MARK, "1", 1, 0));
	allowed(close(fd));
	allowed(mkdir(W "/.b.part", 0755));
	fd = begin_log(W "/.b.part/log");
	refused(EPERM, fsetxattr(fd, MARK, "1", 1, 0));
	allowed(close(fd));
}
END_TEST

START_TEST(encrypted_evidence_is_not_marked)
{
	int fd;

	skip_unless(have("age-keygen"), "age is not installed");
	begin_with(SETTLE);
	run(0,
	    "age-keygen -o key 2>/dev/null; age-keygen -y key > pub; "
	    "cp pub mnt/t/.trailfs/recipients");
	fd = begin_log(LOG);
	refused(EOPNOTSUPP, fsetxattr(fd, MARK, "1", 1, 0));
	add(fd, "x");
	refused(EOPNOTSUPP, fsetxattr(fd, MARK, "1", 1, 0));
	allowed(close(fd));
}
END_TEST

/* Recipients that are set meanwhile: not while clear text is entered; and before
 * that, nothing is entered, and the file is sealed encrypted. */
START_TEST(a_trail_gets_recipients_before_or_after_a_stream)
{
	const char *set = "cp pub mnt/t/.trailfs/recipients";
	int fd, late;

	skip_unless(have("age-keygen"), "age is not installed");
	begin_with(SETTLE);
	run(0, "age-keygen -o key 2>/dev/null; age-keygen -y key > pub");
	allowed(mkdir("mnt/u", 0755));
	fd = begin_grown(LOG);
	late = begin_log(A "/late");
	add_bytes(late, noise(1000, 1), 1000);
	mark(late);
	says(run(1, "%s", set), "busy");
	run(0, "cp pub mnt/u/.trailfs/recipients");
	allowed(close(fd));
	says(run(1, "%s", set), "busy");
	sync_dir(A);
	is_whole(LOG, SOME);
	run(0, "%s", set);
	add_bytes(late, noise(SOME, 1) + 1000, SOME - 1000);
	allowed(fsync(late));
	allowed(close(late));
	sync_dir(A);
	has_state(A "/late", "sealed");
	ck_assert_uint_eq(0, entries("evidence.grown", "t/w/a/late"));
	says(entry("evidence.sealed", "t/w/a/late"), "\"encryption\"");
}
END_TEST

/* --- what is refused ------------------------------------------------------------- */

/* Entered bytes do not change, and the file goes on as if nobody had tried. */
START_TEST(entered_bytes_do_not_change)
{
	int fd, again;

	begin_with(SETTLE);
	fd = begin_grown(LOG);
	refused(EPERM, pwrite(fd, "x", 1, 0));
	refused(EPERM, pwrite(fd, "x", 1, 131071));
	refused(EPERM, pwrite(fd, noise(CHUNK, 2), CHUNK, CHUNK));
	says(run(0, "tail -n 1 mnt/.trailfs/denied.jsonl"),
	    "its first 131072 bytes are entered in the ledger");
	says(run(0, "trailctl why " LOG), "entered in the ledger");
	refused(EPERM, ftruncate(fd, 0));
	refused(EPERM, ftruncate(fd, 131071));
	refused(EPERM, truncate(LOG, 10));
	says(run(0, "tail -n 1 mnt/.trailfs/denied.jsonl"), "\"reason\"");
	refused(EPERM, try_open(LOG, O_WRONLY | O_TRUNC));
	again = open(LOG, O_WRONLY);
	ck_assert_int_ge(again, 0);
	refused(EPERM, pwrite(again, "x", 1, 7));
	allowed(close(again));
	/* What is not entered may still change. */
	ck_assert_int_eq(1, pwrite(fd, "x", 1, 131072));
	allowed(ftruncate(fd, 131072));
	add_bytes(fd, "", 0);
	allowed(close(fd));
	sync_dir(A);
	is_whole(LOG, 131072);
}
END_TEST

/* A marked file of SOME bytes, ENTERED of them entered; *p is a mapping of its first
 * n bytes. */
static int
begin_mapped(size_t n, char **p)
{
	int fd;

	begin_with(SETTLE);
	fd = open(LOG, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	mark(fd);
	add_bytes(fd, noise(SOME, 1), SOME);
	allowed(fsync(fd));
	fact_becomes(LOG, "proven", ENTERED);
	*p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(MAP_FAILED, *p);
	return fd;
}

/* Stores to a mapping reach the daemon later, and are refused there. */
START_TEST(a_mapping_does_not_change_entered_bytes)
{
	char *p;
	int fd;

	fd = begin_mapped(CHUNK, &p);
	p[5] ^= 1;
	ck_assert_int_eq(-1, msync(p, CHUNK, MS_SYNC));
	allowed(munmap(p, CHUNK));
	refused(EPERM, close(fd)); /* other bytes of the page may be lost */
	becomes(LOG, "sealed");
	says(entry("evidence.sealed", PATH), "\"proven\":131072");
	remount_vault();
	is_whole(LOG, SOME);
}
END_TEST

/* Pages that nobody changed are no change, and what follows in the same request
 * counts. */
START_TEST(a_mapping_may_touch_entered_pages)
{
	char *p;
	int fd;

	fd = begin_mapped(SOME, &p);
	*(volatile char *)(p + 131071) = p[131071];
	p[131072] = 'x';
	allowed(msync(p, SOME, MS_SYNC));
	allowed(munmap(p, SOME));
	allowed(close(fd));
	sync_dir(A);
	ck_assert_int_eq('x', content(LOG, NULL)[131072]);
	ck_assert_int_eq(noise(SOME, 1)[131071], content(LOG, NULL)[131071]);
}
END_TEST

/* With streams=on the kernel may take a write first; then fsync says that it was
 * refused. */
START_TEST(collected_writes_do_not_change_entered_bytes)
{
	int fd;

	begin_with(SETTLE ",streams=on");
	fd = begin_grown(LOG);
	if (pwrite(fd, "x", 1, 7) == 1) {
		refused(EPERM, fsync(fd));
		refused(EPERM, close(fd));
	} else {
		ck_assert_int_eq(EPERM, errno);
		allowed(close(fd));
		sync_dir(A);
	}
	says(run(0, "cat mnt/.trailfs/denied.jsonl"), "entered in the ledger");
	becomes(LOG, "sealed");
	is_whole(LOG, SOME);
	remount_vault();
	is_whole(LOG, SOME);
}
END_TEST

START_TEST(the_name_of_entered_bytes_stays)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(A "/first");
	mark(fd);
	allowed(rename(A "/first", LOG)); /* nothing is entered yet */
	add_bytes(fd, noise(SOME, 1), SOME);
	allowed(fsync(fd));
	fact_becomes(LOG, "proven", ENTERED);
	refused(EPERM, rename(LOG, A "/other"));
	says(run(0, "tail -n 1 mnt/.trailfs/denied.jsonl"), "its name stays");
	refused(EPERM, rename(LOG, A "/.log.part"));
	refused(EPERM, unlink(LOG));
	put(A "/x.part", "x");
	refused(EPERM, rename(A "/x.part", LOG));
	allowed(close(fd));
	refused(EPERM, rename(LOG, A "/other"));
	has_state(LOG, "frozen");
	sync_dir(A);
	is_whole(LOG, SOME);
}
END_TEST

/* --- limits ---------------------------------------------------------------------- */

/* The write that exceeds a limit fails the file.  What was entered is not lost: the
 * file is sealed whole, and says where the doubt begins. */
START_TEST(a_failed_file_is_sealed_whole)
{
	static const struct {
		const char *options;
		int sys;
	} limits[] = { { SETTLE ",max_file=1M", EFBIG },
		{ SETTLE ",max_staged=1M", EDQUOT },
		{ SETTLE ",max_store=8M", ENOSPC } };
	char *bytes = noise(10 << 20, 1);
	size_t sum = SOME;
	ssize_t n;
	const char *line;
	int fd;

	begin_with(limits[_i].options);
	fd = begin_grown(LOG);
	while ((n = write(fd, bytes + sum, 10000)) > 0)
		sum += (size_t)n;
	ck_assert_int_eq(limits[_i].sys, errno);
	ck_assert_int_eq(-1, close(fd));
	becomes(LOG, "sealed");
	is_whole(LOG, sum);
	line = entry("evidence.sealed", PATH);
	says(line, "\"proven\":");
	says_not(line, "\"cause\"");
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	refused(EPERM, try_open(LOG, O_WRONLY));
}
END_TEST

/* A file that fails while its bytes wait to be entered, behind those of other files,
 * becomes a draft, and the daemon goes on. */
START_TEST(a_file_fails_before_its_turn)
{
	enum { OTHERS = 15 };
	int fd[OTHERS], failing;
	char path[64];

	begin_with("settle=0,max_file=80M");
	for (int i = 0; i < OTHERS; i++) {
		(void)snprintf(path, sizeof(path), A "/other%d", i);
		fd[i] = begin_log(path);
		mark(fd[i]);
		allowed(ftruncate(fd[i], 64 << 20));
	}
	failing = begin_log(LOG);
	mark(failing);
	add_bytes(failing, noise(SOME, 1), SOME);
	allowed(fsync(failing));
	ck_assert_int_eq(-1, pwrite(failing, "x", 1, 80 << 20));
	ck_assert_int_eq(EFBIG, errno);
	ck_assert_int_eq(-1, close(failing));
	for (int i = 0; i < OTHERS; i++) {
		(void)snprintf(path, sizeof(path), A "/other%d", i);
		fact_becomes(path, "proven", "67108864");
		allowed(close(fd[i]));
	}
	/* It waits behind the one that failed. */
	allowed(close(begin_grown(A "/last")));
	ck_assert_uint_eq(1, entries("evidence.interrupted", PATH));
}
END_TEST

/* --- crashes --------------------------------------------------------------------- */

/* After a crash the file is sealed whole, under its own name. */
START_TEST(a_crash_leaves_a_proven_prefix)
{
	const char *line;
	size_t n;
	int fd;

	begin_with(SETTLE);
	fd = begin_grown(LOG);
	if (_i == 1) /* more than is compared before the mount serves */
		add_bytes(fd, noise(8 << 20, 1) + SOME, (8 << 20) - SOME);
	n = _i == 1 ? 8 << 20 : SOME;
	if (_i == 2) { /* the last write was flushed, the last chunks not */
		add_bytes(fd, noise(SOME + 10, 1) + SOME, 10);
		n += 10;
	}
	crash_vault();
	(void)close(fd);
	mount_vault(SETTLE);
	becomes(LOG, "sealed");
	is_whole(LOG, n);
	line = entry("evidence.sealed", PATH);
	says(line, "\"cause\":\"recovery\"");
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	/* Flushed whole: nothing is in doubt. */
	if (_i == 0)
		says_not(line, "proven");
	else
		says(line, "\"proven\":131072");
	if (_i > 0) {
		ck_assert_str_eq(ENTERED, fact(LOG, "proven"));
		says(run(0, "trailctl show " LOG),
		    "proven      to byte 131072; the tail is in doubt");
		says(run(0, "trailctl show --json " LOG), "\"proven\":131072,");
		says(run(0, "cat " A "/.trailfs/attestation.json"),
		    "\"proven\":131072");
	}
	refused(EPERM, try_open(LOG, O_WRONLY));
}
END_TEST

/* Without an entered chunk, a crash leaves a draft, as of any file. */
START_TEST(a_crash_before_the_first_chunk_leaves_a_draft)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	mark(fd);
	add_bytes(fd, noise(SOME, 1), 1000);
	allowed(fsync(fd));
	add_bytes(fd, noise(SOME, 1), 1000);
	crash_vault();
	(void)close(fd);
	mount_vault(SETTLE);
	ck_assert(!exists(LOG));
	ck_assert_uint_eq(1, entries("evidence.interrupted", PATH));
	ck_assert_uint_eq(0, entries("evidence.grown", PATH));
}
END_TEST

/* If entered bytes are gone, that is said, and nothing is sealed as if they were
 * there.  Loop test: changed, cut, removed. */
START_TEST(entered_bytes_that_are_gone_are_missed)
{
	static const char *const ways[] = {
		"printf X | dd of=$f bs=1 seek=70000 conv=notrunc 2>&1",
		"truncate -s 100000 $f", "rm $f"
	};
	int fd;

	begin_with(SETTLE);
	fd = begin_grown(LOG);
	add_bytes(fd, "tail", 4);
	crash_vault();
	(void)close(fd);
	run(0, "f=$(find store/stage -type f -size +60k); test -n \"$f\"; %s",
	    ways[_i]);
	mount_vault(SETTLE);
	says(run(0, "cat log"), "entered bytes are gone");
	ck_assert(!exists(LOG));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	if (_i == 2) {
		expect_no_verify();
		return;
	}
	ck_assert_uint_eq(1, entries("evidence.interrupted", PATH));
	/* The draft is one like any other. */
	run(0, "mv " A "/*.interrupted.part " A "/rest");
	has_state(A "/rest", "sealed");
	/* Whoever did it cannot pass another file off as the one that was entered. */
	run(0, "echo again | trailctl stream " LOG);
	run(0, "trailctl sync mnt");
	run(0, "trailctl package -o gone.zip mnt/t/w");
	says(run(4, "trailctl verify --vkey store/keys/log.vkey gone.zip"),
	    PATH ": the first 131072 bytes were entered and are gone");
	expect_no_verify();
	unmount_vault();
	says(run(4, "trailctl verify store"),
	    PATH ": the first 131072 bytes were entered and are gone");
}
END_TEST

/* Attributes of the writer survive, and the number of the entry is none of them. */
START_TEST(attributes_survive_beside_the_mark)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_grown(LOG);
	allowed(fsetxattr(fd, "user.a", "1", 1, 0));
	allowed(fsetxattr(fd, "user.z", "2", 1, 0));
	add_bytes(fd, "x", 1);
	allowed(fsync(fd));
	add_bytes(fd, "y", 1);
	crash_vault();
	(void)close(fd);
	mount_vault(SETTLE);
	becomes(LOG, "sealed");
	says(entry("evidence.sealed", PATH),
	    "\"xattrs\":{\"a\":\"MQ==\",\"z\":\"Mg==\"}");
	ck_assert_int_eq(14, listxattr(LOG, NULL, 0));
}
END_TEST

/* --- readers --------------------------------------------------------------------- */

/* Another user follows the log while it grows. */
START_TEST(another_user_follows_the_log)
{
	int fd;

	skip_unless(have("tail"), "there is no tail");
	begin_with(SETTLE);
	fd = begin_grown(LOG);
	run(0,
	    "setpriv --reuid=1002 --regid=1002 --clear-groups "
	    "tail -c +1 -f --pid=$$ " LOG " > followed & echo $! > tail.pid");
	add(fd, "one more line\n");
	run(0,
	    "for i in $(seq 600); do grep -aq 'one more line' followed && "
	    "exit 0; sleep 0.05; done; exit 1");
	run(0, "kill $(cat tail.pid)");
	run(0, "cmp followed " LOG);
	allowed(close(fd));
}
END_TEST
Suite *suite_grown(void);

Suite *
suite_grown(void)
{
	Suite *s = suite_create("grown");
	TCase *t = verified_case(s, "entering");

	tcase_add_test(t, whole_chunks_are_entered_while_the_file_grows);
	tcase_add_loop_test(t, chunks_are_entered_without_fsync, 0, 2);
	tcase_add_test(t, a_file_may_be_marked_late);
	tcase_add_loop_test(t, a_file_of_one_chunk_is_entered, 0, 3);
	tcase_add_test(t, batch_enters_chunks_as_well);
	tcase_add_test(t, a_file_in_new_directories_is_entered);
	t = verified_case(s, "marking");
	tcase_add_test(t, only_the_writer_of_an_open_file_marks_it);
	tcase_add_test(t, a_draft_is_not_marked);
	tcase_add_test(t, encrypted_evidence_is_not_marked);
	tcase_add_test(t, a_trail_gets_recipients_before_or_after_a_stream);
	t = verified_case(s, "refusing");
	tcase_add_test(t, entered_bytes_do_not_change);
	tcase_add_test(t, a_mapping_does_not_change_entered_bytes);
	tcase_add_test(t, a_mapping_may_touch_entered_pages);
	tcase_add_test(t, collected_writes_do_not_change_entered_bytes);
	tcase_add_test(t, the_name_of_entered_bytes_stays);
	t = verified_case(s, "limits of growth");
	tcase_add_loop_test(t, a_failed_file_is_sealed_whole, 0, 3);
	tcase_add_test(t, a_file_fails_before_its_turn);
	t = verified_case(s, "crashes of growth");
	tcase_add_loop_test(t, a_crash_leaves_a_proven_prefix, 0, 3);
	tcase_add_test(t, a_crash_before_the_first_chunk_leaves_a_draft);
	tcase_add_loop_test(t, entered_bytes_that_are_gone_are_missed, 0, 3);
	tcase_add_test(t, attributes_survive_beside_the_mark);
	t = verified_case(s, "following");
	tcase_add_test(t, another_user_follows_the_log);
	return s;
}
