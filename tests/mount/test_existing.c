/* An object that is there already is looked at before new bytes are dropped. */
#include "harness.h"

#define N 100000
#define LONG_N 5000000

/* The object file of a digest, below objects/. */
static const char *
object_of(const char *path)
{
	static char out[100];
	const char *hex = fact(path, "sha256");

	snprintf(out, sizeof out, "%.2s/%s", hex, hex + 2);
	return out;
}

/* Ways to damage object %1$s of store/objects; its directory is %2$s. */
static const char *const ways[] = {
	"chmod 600 $O && printf X | dd of=$O bs=1 seek=5000 conv=notrunc",
	"truncate -s 5000 $O",
	": >$O",
	"echo >>$O",
	"rm $O && mkdir $O",
	"rm $O && mkfifo $O",
	"rm $O && ln -s /dev/zero $O",
	"rm $O && ln -s . $O",
	"rm $O",
};

enum { BY_SYNC, BY_RENAME, BY_SEAL, HOWS };

static void
put_again(int how, const char *bytes, size_t n)
{
	if (how == BY_RENAME) {
		put_bytes(A "/g.tmp", bytes, n);
		allowed(rename(A "/g.tmp", A "/g"));
		return;
	}
	put_bytes(A "/g", bytes, n);
	if (how == BY_SEAL)
		run(0, "trailctl seal " A);
	else
		sync_dir("mnt");
}

/* The new bytes are good: the store uses them, also for the earlier file. */
START_TEST(a_damaged_object_file_is_replaced_by_good_bytes)
{
	const char *bytes, *object, *way = ways[_i % (int)LEN(ways)];
	bool long_one = _i >= (int)LEN(ways);
	size_t n = long_one ? LONG_N : N, got;

	expect_no_verify();
	bytes = noise(n, 1);
	make_attestation();
	put_bytes(A "/f", bytes, n);
	sync_dir("mnt");
	object = object_of(A "/f");
	run(0, "O=store/objects/%s; %s 2>/dev/null", object, way);
	put_again(_i % HOWS, bytes, n);
	has_state(A "/g", "sealed");
	remount_vault();
	ck_assert_mem_eq(bytes, content(A "/f", &got), n);
	ck_assert_mem_eq(bytes, content(A "/g", &got), n);
	ck_assert_uint_eq(n, got);
	/* What was there is there still, and was said. */
	if (strcmp(way, "rm $O") != 0) {
		run(0,
		    "test -e store/objects/%s.damaged -o"
		    " -L store/objects/%s.damaged",
		    object, object);
		says(content("log", NULL),
		    "an object was damaged or unreadable: it is kept");
		says(content("log", NULL), object);
	}
	unmount_vault();
	if (strcmp(way, "rm $O") != 0)
		says(run(1, "trailctl verify store"), ".damaged");
	says(run(0,
		 "rm -rf store/objects/*/*.damaged;"
		 " trailctl verify store"),
	    "OK");
}
END_TEST

/* Who found it damaged reads the good bytes once they are there: those of new
 * evidence (0), or of a copy that the operator put in its place (1). */
START_TEST(an_object_damaged_before_a_read_is_read_repaired)
{
	const char *bytes = noise(N, 1), *object;
	size_t got;

	expect_no_verify();
	make_attestation();
	put_bytes(A "/f", bytes, N);
	sync_dir("mnt");
	object = object_of(A "/f");
	remount_vault();
	run(0, "cp store/objects/%s good && chmod 600 store/objects/%s", object,
	    object);
	run(0, "printf X | dd of=store/objects/%s bs=1 seek=5000 conv=notrunc",
	    object);
	refused(EIO, open(A "/f", O_RDONLY));
	if (_i == 0)
		put_again(BY_SYNC, bytes, N);
	else
		run(0, "mv good store/objects/%s", object);
	ck_assert_mem_eq(bytes, content(A "/f", &got), N);
	ck_assert_uint_eq(N, got);
}
END_TEST

/* It was right when it was opened, and is open still. */
START_TEST(an_object_damaged_during_a_read_is_read_repaired)
{
	const char *bytes = noise(N, 1), *object;
	char *got;
	int fd;

	expect_no_verify();
	ck_assert_int_eq(0, posix_memalign((void **)&got, 4096, 8192));
	make_attestation();
	put_bytes(A "/f", bytes, N);
	sync_dir("mnt");
	object = object_of(A "/f");
	remount_vault();
	/* Past the page cache: each read is a request. */
	fd = open(A "/f", O_RDONLY | O_DIRECT);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(4096, pread(fd, got, 4096, 4096));
	ck_assert_mem_eq(bytes + 4096, got, 4096);
	run(0,
	    "cd store/objects && chmod 600 %s && "
	    "printf XXXX | dd of=%s bs=1 seek=5000 conv=notrunc",
	    object, object);
	put_again(BY_SYNC, bytes, N);
	has_state(A "/g", "sealed");
	ck_assert_int_eq(4096, pread(fd, got, 4096, 4096));
	ck_assert_mem_eq(bytes + 4096, got, 4096);
	close(fd);
	free(got);
}
END_TEST

/* Nobody waits for one that is that long, until it was found altered. */
START_TEST(a_large_object_is_read_repaired_without_a_remount)
{
	const off_t n = (off_t)65 << 20;
	const char *object;
	char last = '.';
	int fd;

	expect_no_verify();
	make_attestation();
	fd = begin(A "/f");
	allowed(ftruncate(fd, n));
	ck_assert_int_eq(1, pwrite(fd, "x", 1, n - 1));
	allowed(close(fd));
	sync_dir("mnt");
	object = object_of(A "/f");
	remount_vault();
	run(0,
	    "O=store/objects/%s; cp --sparse=always $O good && chmod 600 $O &&"
	    " printf X | dd of=$O bs=1 seek=5000 conv=notrunc",
	    object);
	fd = open(A "/f", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	while (pread(fd, &last, 1, n - 1) == 1)
		usleep(50000); /* until that is found */
	ck_assert_int_eq(EIO, errno);
	allowed(close(fd));
	refused(EIO, open(A "/f", O_RDONLY));
	run(0, "mv good store/objects/%s", object);
	fd = open(A "/f", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(1, pread(fd, &last, 1, n - 1));
	ck_assert_int_eq('x', last);
	allowed(close(fd));
}
END_TEST

START_TEST(an_equal_object_is_stored_once)
{
	struct stat st;
	char path[128];

	make_attestation();
	put_bytes(A "/f", noise(_i == 0 ? N : LONG_N, 1), _i == 0 ? N : LONG_N);
	sync_dir("mnt");
	snprintf(path, sizeof path, "store/objects/%s", object_of(A "/f"));
	st = stat_of(path);
	put_bytes(A "/g", noise(_i == 0 ? N : LONG_N, 1), _i == 0 ? N : LONG_N);
	sync_dir("mnt");
	ck_assert_uint_eq(st.st_ino, stat_of(path).st_ino);
	ck_assert_str_eq("1\n", run(0, "find store/objects -type f | wc -l"));
	ck_assert_str_eq("1\n",
	    run(0,
		"sqlite3 store/ledger.db 'SELECT count(*) FROM object"
		" WHERE size > 1000'"));
	ck_assert_ptr_null(strstr(content("log", NULL), "damaged"));
}
END_TEST

/* Each time that it is damaged it is put aside, under another name. */
START_TEST(a_repaired_object_may_be_damaged_again)
{
	const char *bytes = noise(N, 1), *object;
	char path[64];

	expect_no_verify();
	make_attestation();
	put_bytes(A "/f", bytes, N);
	sync_dir("mnt");
	object = object_of(A "/f");
	for (int i = 1; i <= 3; i++) {
		run(0, "echo %d >>store/objects/%s", i, object);
		snprintf(path, sizeof path, A "/%d", i);
		put_bytes(path, bytes, N);
		sync_dir("mnt");
		has_state(path, "sealed");
	}
	run(0,
	    "cd store/objects && tail -qn1 %s.damaged %s.damaged.2"
	    " %s.damaged.3 | tail -c 2 | grep 3",
	    object, object, object);
	remount_vault();
	ck_assert_mem_eq(bytes, content(A "/f", NULL), N);
	ck_assert_mem_eq(bytes, content(A "/3", NULL), N);
}
END_TEST

/* Sealed bytes in the database never change: the new ones stand beside them. */
START_TEST(damaged_bytes_in_the_database_do_not_stand_for_good_ones)
{
	expect_no_verify();
	make_attestation();
	allowed(mkdir(W "/b", 0755));
	put_sealed(A "/f", "the same bytes");
	tamper("UPDATE object SET body = CAST('the sAme bytes' AS BLOB)"
	       " WHERE body = CAST('the same bytes' AS BLOB)");
	if (_i == 0) {
		put_sealed(W "/b/g", "the same bytes");
		put_sealed(W "/b/h", "the same bytes");
	} else {
		put(W "/b/g.tmp", "the same bytes");
		allowed(rename(W "/b/g.tmp", W "/b/g"));
		put(W "/b/h", "the same bytes");
	}
	run(0, "trailctl seal " W "/b");
	says(content("log", NULL), "was damaged: the same bytes of new");
	remount_vault();
	holds(W "/b/g", "the same bytes");
	holds(W "/b/h", "the same bytes");
	refused(EIO, try_open(A "/f", O_RDONLY));
	run(0,
	    "trailctl package -o p.zip " W "/b && unzip -q p.zip -d p &&"
	    " find p -name g | xargs cat | grep -x 'the same bytes'");
	unmount_vault();
	says(verify(4), "t/w/a/f");
	ck_assert_ptr_null(strstr(verify(4), "t/w/b"));
}
END_TEST

Suite *
suite_existing(void)
{
	Suite *s = suite_create("existing");
	TCase *t = mounted_case(s, "existing");

	tcase_add_loop_test(t, a_damaged_object_file_is_replaced_by_good_bytes,
	    0, 2 * LEN(ways));
	tcase_add_test(t, a_large_object_is_read_repaired_without_a_remount);
	tcase_add_loop_test(t, an_object_damaged_before_a_read_is_read_repaired,
	    0, 2);
	tcase_add_test(t, an_object_damaged_during_a_read_is_read_repaired);
	tcase_add_loop_test(t, an_equal_object_is_stored_once, 0, 2);
	tcase_add_test(t, a_repaired_object_may_be_damaged_again);
	tcase_add_loop_test(t,
	    damaged_bytes_in_the_database_do_not_stand_for_good_ones, 0, 2);
	return s;
}
