/*
 * The staged form of secret content after a crash: a chunk that was durable
 * survives a later write of it that was torn at any place.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/file.h"
#include "../../core/crypt/stage_key.h"
#include "../../core/node/secret.h"
#include "../../core/node/secrets.h"
#include "../../core/node/vault_i.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define CHUNK ((uint64_t)TF_CHUNK_LEN)
#define SLOT ((uint64_t)TF_STAGED_CHUNK_MAX)
#define PAGE 4096
#define SIZE 300000 /* bytes that are durable: five chunks */
#define ROOM 700000
#define ID 7

static char dir[256];
static struct tf_vault v;
static struct tf_secret *s;
static int fd;
static unsigned char old[ROOM], new[ROOM]; /* what the writer sees */

struct bytes {
	unsigned char p[ROOM];
	size_t n;
};
static struct bytes was, now, spare, mixed; /* what is stored */

static void
read_all(const char *name, struct bytes *b)
{
	int f = openat(v.stagefd, name, O_RDONLY);
	ssize_t n = f < 0 ? 0 : pread(f, b->p, ROOM, 0);

	ck_assert_int_ge(n, 0);
	memset(b->p + n, 0, ROOM - (size_t)n);
	b->n = (size_t)n;
	if (f >= 0)
		(void)close(f);
}

static void
write_all(const char *name, const unsigned char *p, size_t n)
{
	int f = openat(v.stagefd, name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(f, 0);
	ck_assert_int_eq((ssize_t)n, pwrite(f, p, n, 0));
	(void)close(f);
}

/* A file of SIZE bytes, all of them durable. */
static void
set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/secret.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	v.dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(v.dirfd, 0);
	ck_assert_int_eq(0, mkdirat(v.dirfd, "keys", 0700));
	ck_assert_int_eq(0, mkdirat(v.dirfd, "stage", 0700));
	v.stagefd = openat(v.dirfd, "stage", O_RDONLY | O_DIRECTORY);
	OK(tf_secrets_start(&v, NULL));
	OK(tf_secret_new(&v, ID, &s, NULL));
	fd = openat(v.stagefd, "7", O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < SIZE; i++)
		old[i] = (unsigned char)(i * 7 + i / 251);
	memset(old + SIZE, 0, ROOM - SIZE);
	OK(tf_secret_begin(s, fd, NULL));
	OK(tf_secret_write_at(s, fd, 0, old, SIZE, 0, NULL));
	OK(tf_secret_settle(s, fd, NULL));
	OK(tf_file_sync(fd, NULL));
	tf_secret_synced(s);
	read_all("7", &was);
	ck_assert_uint_eq(tf_secret_file_size(SIZE), was.n);
}

static void
tear_down(void)
{
	tf_secret_free(s);
	(void)close(fd);
	tf_secrets_end(&v);
	(void)unlinkat(v.stagefd, "7", 0);
	(void)unlinkat(v.stagefd, "7.spare", 0);
	(void)unlinkat(v.dirfd, "stage", AT_REMOVEDIR);
	(void)unlinkat(v.dirfd, "stage.key", 0);
	(void)unlinkat(v.dirfd, "keys", AT_REMOVEDIR);
	(void)close(v.stagefd);
	(void)close(v.dirfd);
	(void)rmdir(dir);
	v = (struct tf_vault){ 0 };
}

/* A later change: n bytes at off, or with n 0 a new size. */
static const struct change {
	uint64_t off;
	size_t n;
} changes[] = {
	{ 70000, 5000 },	   /* in the middle */
	{ 65536, 65536 },	   /* a whole chunk */
	{ 263000, 20 },		   /* in the last chunk, which is short */
	{ SIZE, 1000 },		   /* behind the end */
	{ SIZE, 200000 },	   /* and through more chunks */
	{ 500000, 1000 },	   /* leaving a hole */
	{ 280000, 0 },		   /* cut in the last chunk */
	{ 100000, 0 },		   /* cut in another one */
	{ 262144, 0 },		   /* cut at the end of one */
	{ 290000 + 2 * 65536, 0 }, /* grown */
};

static uint64_t
size_after(const struct change *c)
{
	if (c->n == 0)
		return c->off;
	return c->off + c->n > SIZE ? c->off + c->n : SIZE;
}

/* The first chunk that the change writes. */
static uint64_t
chunk_of(const struct change *c)
{
	return (c->off < SIZE ? c->off : SIZE) / CHUNK;
}

/* Do c as the writer does. */
static void
change(const struct change *c)
{
	memcpy(new, old, ROOM);
	if (c->n == 0) {
		if (c->off < SIZE)
			memset(new + c->off, 0, SIZE - c->off);
		OK(tf_secret_resize(s, fd, SIZE, c->off, NULL));
		return;
	}
	for (size_t i = 0; i < c->n; i++)
		new[c->off + i] = (unsigned char)(i * 13 + 5);
	OK(tf_secret_write_at(s, fd, SIZE, new + c->off, c->n, c->off, NULL));
	OK(tf_secret_settle(s, fd, NULL));
}

/* Start again with what lies on the disk.  Returns the chunks that are lost. */
static uint64_t
start_again(uint64_t *size, unsigned char *got)
{
	struct tf_secret *again;
	unsigned char head[TF_SECRET_HEAD];
	uint64_t torn;
	int f = openat(v.stagefd, "7", O_RDWR);

	ck_assert_int_ge(f, 0);
	ck_assert_int_eq(sizeof(head), pread(f, head, sizeof(head), 0));
	OK(tf_secret_open(&v, ID, head, SIZE, &again, NULL));
	OK(tf_secret_salvage(again, f, size, &torn, NULL));
	ck_assert_uint_le(*size, ROOM);
	memset(got, 0, ROOM);
	OK(tf_secret_read_at(again, f, *size, got, *size, 0, NULL));
	tf_secret_free(again);
	(void)close(f);
	return torn;
}

/* All that was durable and is not changed is there, and what is changed is old
 * or new. */
static void
is_whole(const struct change *c, uint64_t size, const unsigned char *got)
{
	uint64_t common = size_after(c) < SIZE ? size_after(c) : SIZE;
	uint64_t in = c->n == 0 ? common : c->off, after = in + c->n;

	in = in < common ? in : common;
	after = after < common ? after : common;
	ck_assert_uint_ge(size, common);
	ck_assert_mem_eq(old, got, in);
	ck_assert_mem_eq(old + after, got + after, common - after);
	if (memcmp(old + in, got + in, after - in) != 0)
		ck_assert_mem_eq(new + in, got + in, after - in);
}

/* The slot of the first chunk is new before byte `cut`, and old behind it, or
 * the reverse; the rest of the file is old or new. */
static void
mix(const struct change *c, uint64_t cut, bool reverse, bool long_now)
{
	uint64_t from = TF_SECRET_HEAD + chunk_of(c) * SLOT, to = from + SLOT;
	const struct bytes *rest = long_now ? &now : &was;

	mixed = *rest;
	for (uint64_t i = from; i < to && i < mixed.n && i < now.n; i++)
		mixed.p[i] = (i < cut) != reverse ? now.p[i] : was.p[i];
}

static unsigned char got[ROOM];

/* Loop test: over the changes. */
START_TEST(a_torn_write_loses_nothing_that_was_durable)
{
	const struct change *c = &changes[_i];
	uint64_t from = TF_SECRET_HEAD + chunk_of(c) * SLOT, size;

	change(c);
	read_all("7", &now);
	read_all("7.spare", &spare);
	for (unsigned how = 0; how < 4; how++)
		for (uint64_t cut = from; cut < from + SLOT + PAGE;
		     cut = (cut / PAGE + 1) * PAGE) {
			mix(c, cut, (how & 1) != 0, (how & 2) != 0);
			write_all("7", mixed.p, mixed.n);
			write_all("7.spare", spare.p, spare.n);
			ck_assert_uint_eq(0, start_again(&size, got));
			is_whole(c, size, got);
			/* And the next start finds what this one left. */
			ck_assert_uint_eq(0, start_again(&size, got));
			is_whole(c, size, got);
		}
}
END_TEST

/* Loop test: the spare is torn, and the slot was not touched yet. */
START_TEST(a_torn_spare_changes_nothing)
{
	const struct change *c = &changes[_i];
	uint64_t size;

	change(c);
	read_all("7.spare", &spare);
	for (size_t cut = 0; cut <= spare.n; cut += 1000) {
		write_all("7", was.p, was.n);
		write_all("7.spare", spare.p, cut);
		ck_assert_uint_eq(0, start_again(&size, got));
		ck_assert_uint_eq(SIZE, size);
		ck_assert_mem_eq(old, got, SIZE);
	}
}
END_TEST

/* What no flush has promised may be torn; it is counted, and zeros. */
START_TEST(a_torn_chunk_without_a_spare_is_counted)
{
	uint64_t size;

	was.p[TF_SECRET_HEAD + 2 * SLOT + 40000] ^= 1;
	write_all("7", was.p, was.n);
	ck_assert_uint_eq(1, start_again(&size, got));
	ck_assert_uint_eq(SIZE, size);
	memset(old + 2 * CHUNK, 0, CHUNK);
	ck_assert_mem_eq(old, got, SIZE);
	/* Even if the beginning of its slot never reached the disk. */
	memset(was.p + TF_SECRET_HEAD + 3 * SLOT, 0, PAGE);
	write_all("7", was.p, was.n);
	ck_assert_uint_eq(2, start_again(&size, got));
	memset(old + 3 * CHUNK, 0, CHUNK);
	ck_assert_mem_eq(old, got, SIZE);
}
END_TEST

/* Two slots with the same text share no bytes, and none shows the text. */
START_TEST(each_write_of_a_chunk_has_other_bytes)
{
	size_t same = 0;

	OK(tf_secret_write_at(s, fd, SIZE, old, 1, 0, NULL));
	OK(tf_secret_settle(s, fd, NULL));
	read_all("7", &now);
	for (size_t i = TF_SECRET_HEAD; i < TF_SECRET_HEAD + SLOT; i++)
		same += was.p[i] == now.p[i];
	ck_assert_uint_lt(same, 1000); /* 256 are expected */
	ck_assert_ptr_null(memmem(now.p, now.n, old + 100, 16));
}
END_TEST

/* Without a crash, the key of the stage that is gone opens nothing. */
START_TEST(without_the_key_of_the_stage_nothing_opens)
{
	struct tf_secret *again = NULL;

	tf_secrets_renew(&v, true);
	ck_assert_int_eq(-1, faccessat(v.dirfd, "stage.key", F_OK, 0));
	ck_assert_int_eq(-1, faccessat(v.dirfd, "stage.key.old", F_OK, 0));
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_secret_open(&v, ID, was.p, SIZE, &again, NULL));
}
END_TEST

/* Earlier versions had the key among those of the signer. */
START_TEST(a_key_of_an_earlier_version_is_used_and_destroyed)
{
	struct tf_secret *again = NULL;
	unsigned char b[32], zeros[32] = "";
	int f;

	tf_secrets_end(&v);
	ck_assert_int_eq(0,
	    renameat(v.dirfd, "stage.key", v.dirfd, "keys/stage.key"));
	OK(tf_secrets_start(&v, NULL));
	OK(tf_secret_open(&v, ID, was.p, SIZE, &again, NULL));
	tf_secret_free(again);
	/* What comes next needs no second key. */
	ck_assert_int_eq(-1, faccessat(v.dirfd, "stage.key", F_OK, 0));
	f = openat(v.dirfd, "keys/stage.key", O_RDONLY);
	ck_assert_int_ge(f, 0);
	tf_secrets_renew(&v, true);
	ck_assert_int_eq(32, pread(f, b, 32, 0));
	ck_assert_mem_eq(zeros, b, 32);
	ck_assert_int_eq(-1, faccessat(v.dirfd, "keys/stage.key", F_OK, 0));
	ck_assert_int_eq(-1, faccessat(v.dirfd, "keys/stage.key.old", F_OK, 0));
	(void)close(f);
}
END_TEST

/* A key that an earlier try could not destroy is overwritten, not unlinked. */
START_TEST(a_key_that_was_left_is_overwritten_too)
{
	int left = openat(v.dirfd, "stage.key.old", O_RDWR | O_CREAT, 0400);
	char b[32], zeros[32] = "";

	ck_assert_int_eq(32,
	    pwrite(left, "0123456789abcdef0123456789abcdef", 32, 0));
	tf_secrets_renew(&v, true);
	ck_assert_int_eq(32, pread(left, b, 32, 0));
	ck_assert_mem_eq(zeros, b, 32);
	ck_assert_int_eq(-1, faccessat(v.dirfd, "stage.key", F_OK, 0));
	ck_assert_int_eq(-1, faccessat(v.dirfd, "stage.key.old", F_OK, 0));
	(void)close(left);
}
END_TEST

Suite *
suite_secret(void)
{
	Suite *suite = suite_create("secret");
	TCase *t = tcase_create("crash");
	int n = sizeof(changes) / sizeof(changes[0]);

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_torn_write_loses_nothing_that_was_durable, 0,
	    n);
	tcase_add_loop_test(t, a_torn_spare_changes_nothing, 0, n);
	tcase_add_test(t, a_torn_chunk_without_a_spare_is_counted);
	tcase_add_test(t, each_write_of_a_chunk_has_other_bytes);
	tcase_add_test(t, without_the_key_of_the_stage_nothing_opens);
	tcase_add_test(t, a_key_of_an_earlier_version_is_used_and_destroyed);
	tcase_add_test(t, a_key_that_was_left_is_overwritten_too);
	suite_add_tcase(suite, t);
	return suite;
}
