/* Bundles of small objects. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/org/bundle.h"
#include "pair.h"

static struct pair p;
static char bytes[TF_BUNDLED_MAX];

/* Object i: of 0 bytes, 1 byte, ..., and some of the largest size. */
static size_t
object(size_t i, struct tf_hash *h)
{
	size_t n = i % 7 == 6 ? TF_BUNDLED_MAX : i * 97 % 3000;

	memset(bytes, (int)(i % 251), n);
	if (n > 8)
		memcpy(bytes, &i, sizeof(i));
	tf_sha256(bytes, n, h);
	return n;
}

static void
check_object(size_t i, enum tf_code code)
{
	char *got = malloc(TF_BUNDLED_MAX + 1);
	int fd = file_of("", 0);
	struct tf_hash h;
	uint64_t size;
	size_t n = object(i, &h);

	fails(code, tf_org_object(p.l, p.b, "a", &h, fd, &size, err));
	if (code == TF_OK) {
		ck_assert_uint_eq(n, size);
		ck_assert_int_eq((ssize_t)n,
		    pread(fd, got, TF_BUNDLED_MAX + 1, 0));
		ck_assert_mem_eq(bytes, got, n);
	}
	(void)close(fd);
	free(got);
}

/* Bundle n objects, each twice, and append a batch that locates them. */
static void
bundle_and_append(size_t n, struct tf_bundler *all)
{
	struct some_batch *b = batch_of("a", 0, 1, 0);
	struct tf_appended a;
	struct tf_hash h;

	for (size_t i = 0; i < 2 * n; i++) {
		size_t len = object(i / 2, &h);

		ok(tf_bundler_add(all, p.b, &h, bytes, len, err));
	}
	ok(tf_bundler_end(all, p.b, err));
	b->b.located = all->located;
	b->b.nlocated = all->n;
	ck_assert_int_eq(TF_OK, append(p.l, &b->b, &a));
	batch_free(b);
}

START_TEST(objects_come_out_of_bundles)
{
	struct tf_bundler all = { 0 };
	size_t bundles = 1;

	pair_make(&p, _i);
	enrol(&p, "a");
	bundle_and_append(150, &all);
	ck_assert_uint_le(all.n, 150);
	for (size_t i = 1; i < all.n; i++)
		bundles += memcmp(&all.located[i].bundle,
			       &all.located[i - 1].bundle,
			       sizeof(all.located[i].bundle)) != 0;
	/* 21 of the largest size, 129 of 1.5 KiB. */
	ck_assert_uint_ge(3, bundles);
	ck_assert_uint_le(2, bundles);
	for (size_t i = 0; i < 150; i++)
		check_object(i, TF_OK);
	tf_bundler_free(&all);
	pair_end(&p);
}
END_TEST

/* A blob of its own is found where no bundle is. */
START_TEST(large_objects_are_blobs)
{
	struct tf_hash h;
	size_t n;
	int fd;

	pair_make(&p, _i);
	enrol(&p, "a");
	n = object(5, &h);
	fd = file_of(bytes, n);
	ok(p.b->ops->put(p.b, &h, n, fd, 0, err));
	check_object(5, TF_OK);
	check_object(8, TF_NOTFOUND);
	(void)close(fd);
	pair_end(&p);
}
END_TEST

/* A flipped bit in a bundle spoils one object, and is found. */
START_TEST(a_flipped_bit_in_a_bundle_is_found)
{
	struct tf_bundler all = { 0 };
	char path[512], hex[65];
	int fd;

	pair_make(&p, 0);
	enrol(&p, "a");
	bundle_and_append(5, &all);
	tf_hex(all.located[0].bundle.b, 32, hex);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", p.dir, hex,
	    hex + 2);
	ck_assert_int_eq(0, chmod(path, 0600));
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(1,
	    pwrite(fd, "\xff", 1, (off_t)all.located[3].off + 20));
	(void)close(fd);
	check_object(2, TF_OK);
	check_object(3, TF_TAMPER);
	check_object(4, TF_OK);
	tf_bundler_free(&all);
	pair_end(&p);
}
END_TEST

Suite *
suite_bundle(void)
{
	Suite *s = suite_create("bundle");
	TCase *t = tcase_create("bundle");
	int n = pair_count();

	tcase_add_loop_test(t, objects_come_out_of_bundles, 0, n);
	tcase_add_loop_test(t, large_objects_are_blobs, 0, n);
	tcase_add_test(t, a_flipped_bit_in_a_bundle_is_found);
	suite_add_tcase(s, t);
	return s;
}
