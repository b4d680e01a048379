/* Blobs: what is put is got, and nothing else is ever got. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "pair.h"

static struct pair p;

static struct tf_hash
put_bytes(struct tf_blobs *b, const void *bytes, size_t n)
{
	int fd = file_of(bytes, n);
	struct tf_hash h;

	tf_sha256(bytes, n, &h);
	ok(b->ops->put(b, &h, n, fd, 0, err));
	(void)close(fd);
	return h;
}

static void
check_bytes(struct tf_blobs *b, const struct tf_hash *h, const void *bytes,
    size_t n)
{
	struct tf_blob_info info;
	char *got = malloc(n + 1);
	uint64_t size;
	int fd = file_of("", 0);

	ok(b->ops->get(b, h, fd, &size, err));
	ck_assert_uint_eq(n, size);
	ck_assert_int_eq((ssize_t)n, pread(fd, got, n + 1, 0));
	ck_assert_mem_eq(bytes, got, n);
	ok(b->ops->stat(b, h, &info, err));
	ck_assert_uint_eq(n, info.size);
	(void)close(fd);
	free(got);
}

START_TEST(what_is_put_is_got)
{
	static char big[5 << 20];
	struct tf_buf part = { 0 };
	struct tf_hash h, none;
	struct tf_blob_info info;
	uint64_t size;
	int fd = file_of("", 0);

	pair_make(&p, _i);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * i >> 7);
	h = put_bytes(p.b, "", 0);
	check_bytes(p.b, &h, "", 0);
	h = put_bytes(p.b, "\0x", 2);
	h = put_bytes(p.b, "\0x", 2);
	check_bytes(p.b, &h, "\0x", 2);
	h = put_bytes(p.b, big, sizeof(big));
	check_bytes(p.b, &h, big, sizeof(big));
	ok(p.b->ops->get_range(p.b, &h, 1000, 5000, &part, err));
	ok(p.b->ops->get_range(p.b, &h, 0, 1, &part, err));
	ck_assert_uint_eq(5001, part.n);
	ck_assert_mem_eq(big + 1000, part.p, 5000);
	fails(TF_TAMPER,
	    p.b->ops->get_range(p.b, &h, sizeof(big) - 4, 5, &part, err));
	tf_buf_free(&part);
	memset(&none, 9, sizeof(none));
	fails(TF_NOTFOUND, p.b->ops->get(p.b, &none, fd, &size, err));
	fails(TF_NOTFOUND, p.b->ops->get_range(p.b, &none, 0, 1, &part, err));
	fails(TF_NOTFOUND, p.b->ops->stat(p.b, &none, &info, err));
	(void)close(fd);
	pair_end(&p);
}
END_TEST

/* The caller said a digest that the bytes do not have, or another size. */
START_TEST(a_wrong_digest_is_not_put)
{
	struct tf_blob_info info;
	struct tf_hash h;
	int fd = file_of("bytes", 5);

	pair_make(&p, _i);
	tf_sha256("other", 5, &h);
	fails(TF_TAMPER, p.b->ops->put(p.b, &h, 5, fd, 0, err));
	fails(TF_NOTFOUND, p.b->ops->stat(p.b, &h, &info, err));
	tf_sha256("bytes", 5, &h);
	fails(TF_TAMPER, p.b->ops->put(p.b, &h, 6, fd, 0, err));
	fails(TF_NOTFOUND, p.b->ops->stat(p.b, &h, &info, err));
	ok(p.b->ops->put(p.b, &h, 5, fd, 0, err));
	check_bytes(p.b, &h, "bytes", 5);
	(void)close(fd);
	pair_end(&p);
}
END_TEST

START_TEST(a_reader_puts_nothing)
{
	struct tf_blobs *b;
	struct tf_hash h = { 0 };
	int fd = file_of("", 0);

	pair_make(&p, _i);
	ok(tf_blobs_open(p.blobs_uri, TF_ORG_READER, &b, err));
	fails(TF_DENIED, b->ops->put(b, &h, 0, fd, 0, err));
	fails(TF_DENIED, b->ops->publish(b, "a", "b", 1, false, err));
	tf_blobs_close(b);
	ok(tf_blobs_open(p.blobs_uri, TF_ORG_MEMBER, &b, err));
	fails(TF_DENIED, b->ops->publish(b, "a", "b", 1, false, err));
	h = put_bytes(b, "m", 1);
	tf_blobs_close(b);
	check_bytes(p.b, &h, "m", 1);
	(void)close(fd);
	pair_end(&p);
}
END_TEST

/* Many put the same bytes at once. */
START_TEST(racers_put_one_blob)
{
	static char bytes[300000];
	struct tf_hash h;
	pid_t pid[6];
	int status;

	pair_make(&p, _i);
	memset(bytes, 'r', sizeof(bytes));
	tf_blobs_close(p.b);
	for (int i = 0; i < 6; i++)
		if ((pid[i] = check_fork()) == 0) {
			ok(tf_blobs_open(p.blobs_uri, TF_ORG_MEMBER, &p.b,
			    err));
			(void)put_bytes(p.b, bytes, sizeof(bytes));
			_exit(0);
		}
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(pid[i], waitpid(pid[i], &status, 0));
		ck_assert_int_eq(0, status);
	}
	ok(tf_blobs_open(p.blobs_uri, TF_ORG_ORGANISER, &p.b, err));
	tf_sha256(bytes, sizeof(bytes), &h);
	check_bytes(p.b, &h, bytes, sizeof(bytes));
	pair_end(&p);
}
END_TEST

START_TEST(named_texts_are_kept_or_replaced)
{
	struct tf_buf text = { 0 };

	pair_make(&p, _i);
	fails(TF_NOTFOUND, p.b->ops->fetch(p.b, "checkpoint", 9, &text, err));
	ok(p.b->ops->publish(p.b, "checkpoint", "one", 3, false, err));
	ok(p.b->ops->publish(p.b, "checkpoint", "two", 3, false, err));
	ok(p.b->ops->fetch(p.b, "checkpoint", 3, &text, err));
	ck_assert_mem_eq("two", text.p, 3);
	fails(TF_TOOBIG, p.b->ops->fetch(p.b, "checkpoint", 2, &text, err));
	text.n = 0;
	ok(p.b->ops->publish(p.b, "tile/0/x001/067", "\0tile", 5, true, err));
	ok(p.b->ops->publish(p.b, "tile/0/x001/067", "\0tile", 5, true, err));
	fails(TF_EXISTS,
	    p.b->ops->publish(p.b, "tile/0/x001/067", "\0tilf", 5, true, err));
	fails(TF_EXISTS,
	    p.b->ops->publish(p.b, "tile/0/x001/067", "\0til", 4, true, err));
	ok(p.b->ops->fetch(p.b, "tile/0/x001/067", 100, &text, err));
	ck_assert_uint_eq(5, text.n);
	ck_assert_mem_eq("\0tile", text.p, 5);
	fails(TF_INVALID, p.b->ops->publish(p.b, "../x", "a", 1, false, err));
	fails(TF_INVALID, p.b->ops->publish(p.b, "a//x", "a", 1, false, err));
	fails(TF_INVALID, p.b->ops->fetch(p.b, "/x", 1, &text, err));
	tf_buf_free(&text);
	pair_end(&p);
}
END_TEST

/* What a store says of its locks has to be true: one that asks for locks and does
 * not hold them must not be used. */
START_TEST(locks_are_held_or_not_asked_for)
{
	enum tf_worm verdict = TF_WORM_NOT_HELD;

	pair_make(&p, _i);
	ok(p.b->ops->probe_worm(p.b, &verdict, err));
	ck_assert_int_eq(strstr(p.blobs_uri, "retention=") != NULL ?
		TF_WORM_HELD :
		TF_WORM_UNLOCKED,
	    verdict);
	pair_end(&p);
}
END_TEST

/* --- bytes changed underneath, where the test can: dir: --------------------------- */

static void
object_path(const struct tf_hash *h, char out[512])
{
	char hex[65];

	tf_hex(h->b, sizeof(h->b), hex);
	(void)snprintf(out, 512, "%s/objects/%.2s/%s", p.dir, hex, hex + 2);
}

START_TEST(a_flipped_bit_is_found_and_put_right)
{
	char path[512];
	struct tf_hash h;
	uint64_t size;
	int fd, out = file_of("", 0);

	pair_make(&p, 0);
	h = put_bytes(p.b, "some bytes", 10);
	object_path(&h, path);
	ck_assert_int_eq(0, chmod(path, 0600));
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(1, pwrite(fd, "S", 1, 0));
	(void)close(fd);
	fails(TF_TAMPER, p.b->ops->get(p.b, &h, out, &size, err));
	(void)put_bytes(p.b, "some bytes", 10);
	check_bytes(p.b, &h, "some bytes", 10);
	ck_assert_int_eq(0, truncate(path, 3));
	fails(TF_TAMPER, p.b->ops->get(p.b, &h, out, &size, err));
	(void)close(out);
	pair_end(&p);
}
END_TEST

Suite *
suite_blobs(void)
{
	Suite *s = suite_create("blobs");
	TCase *t = tcase_create("blobs");
	int n = pair_count();

	tcase_add_loop_test(t, what_is_put_is_got, 0, n);
	tcase_add_loop_test(t, a_wrong_digest_is_not_put, 0, n);
	tcase_add_loop_test(t, a_reader_puts_nothing, 0, n);
	tcase_add_loop_test(t, racers_put_one_blob, 0, n);
	tcase_add_loop_test(t, named_texts_are_kept_or_replaced, 0, n);
	tcase_add_loop_test(t, locks_are_held_or_not_asked_for, 0, n);
	tcase_add_test(t, a_flipped_bit_is_found_and_put_right);
	suite_add_tcase(s, t);
	return s;
}
