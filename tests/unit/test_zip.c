/* The profiles of zip archives: the strict one takes what zip_write.c writes, and
 * nothing else, also where a reader looks at no field. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/archive/zip_scan.h"
#include "../../core/archive/zip_write.h"
#include "../../core/buffer.h"

#define NAME "top/a"
#define NAME_LEN 5
#define MODE (0100644u << 16)

/* One member, as libzip writes it. */
static struct zip {
	unsigned made, needed, local_needed, flags, method, internal;
	size_t packed;
	uint64_t size;
	bool extra; /* in the local header: both sizes */
} zip;

static void
put(struct tf_buf *b, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++, v >>= 8)
		tf_buf_add(b, (char[]){ (char)v }, 1);
}

static void
put_head(struct tf_buf *b, unsigned extra)
{
	put(b, 2, zip.flags);
	put(b, 2, zip.method);
	put(b, 4, 0x210000); /* 1980-01-01 */
	put(b, 4, 0);	     /* the checksum: nothing is unpacked here */
	put(b, 4, zip.packed);
	put(b, 4, zip.size);
	put(b, 2, NAME_LEN);
	put(b, 2, extra);
}

static enum tf_code
found(void *arg, const struct tf_zip_entry *e, struct tf_error *err)
{
	(void)e;
	(void)err;
	++*(uint64_t *)arg;
	return TF_OK;
}

static int
new_file(void)
{
	char path[] = "/tmp/test-zip.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)unlink(path);
	return fd;
}

static enum tf_code
scan(enum tf_zip_profile profile)
{
	struct tf_buf b = { 0 };
	uint64_t n = 0;
	size_t from;
	enum tf_code rc;
	int fd = new_file();

	put(&b, 4, 0x04034b50);
	put(&b, 2, zip.local_needed);
	put_head(&b, zip.extra ? 20 : 0);
	tf_buf_add(&b, NAME, NAME_LEN);
	if (zip.extra) {
		put(&b, 4, 16 << 16 | 1);
		put(&b, 8, zip.size);
		put(&b, 8, zip.packed);
	}
	for (size_t i = 0; i < zip.packed; i++)
		tf_buf_add(&b, "x", 1);
	from = b.n;
	put(&b, 4, 0x02014b50);
	put(&b, 2, zip.made);
	put(&b, 2, zip.needed);
	put_head(&b, 0);
	put(&b, 4, 0); /* no comment; the first part */
	put(&b, 2, zip.internal);
	put(&b, 4, MODE);
	put(&b, 4, 0);
	tf_buf_add(&b, NAME, NAME_LEN);
	put(&b, 4, 0);
	memcpy(b.p + b.n - 4, "PK\5\6", 4);
	put(&b, 4, 0);
	put(&b, 4, 1 << 16 | 1);
	put(&b, 4, b.n - 12 - from);
	put(&b, 4, from);
	put(&b, 2, 0);
	ck_assert(!b.failed);
	ck_assert_int_eq((ssize_t)b.n, write(fd, b.p, b.n));
	rc = tf_zip_scan(fd, profile, found, &n, NULL);
	ck_assert(rc != TF_OK || n == 1);
	tf_buf_free(&b);
	(void)close(fd);
	return rc;
}

static void
begin(void)
{
	zip = (struct zip){ .made = 3 << 8 | 63,
		.needed = 10,
		.local_needed = 10,
		.packed = 3,
		.size = 3 };
	ck_assert_int_eq(TF_OK, scan(TF_ZIP_STRICT));
	ck_assert_int_eq(TF_OK, scan(TF_ZIP_ANY));
}

/* Other programs write other values: then it is packed again, and no more. */
START_TEST(each_field_has_the_value_of_our_writer)
{
	unsigned *const fields[] = { &zip.made, &zip.needed, &zip.local_needed,
		&zip.flags, &zip.internal };
	const unsigned known = 0x0800 | 0x0008 | 0x0006; /* any: with flags */

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		for (unsigned bit = 0; bit < 16; bit++) {
			begin();
			*fields[i] ^= 1u << bit;
			ck_assert_msg(scan(TF_ZIP_STRICT) == TF_TAMPER,
			    "field %zu, bit %u", i, bit);
			if (fields[i] != &zip.made &&
			    (fields[i] != &zip.flags ||
				(1u << bit & known) == 0x0800))
				ck_assert_int_eq(TF_OK, scan(TF_ZIP_ANY));
		}
	for (unsigned method = 0; method <= 8; method += 8)
		for (unsigned version = 0; version < 70; version++) {
			begin();
			zip.method = method;
			zip.needed = zip.local_needed = version;
			ck_assert_int_eq(version == (method == 0 ? 10 : 20) ?
				TF_OK :
				TF_TAMPER,
			    scan(TF_ZIP_STRICT));
			ck_assert_int_eq(TF_OK, scan(TF_ZIP_ANY));
		}
}
END_TEST

/* Of a text just below 4 GiB libzip cannot know before whether it gets longer than
 * that, and writes the extra field of longer ones. */
START_TEST(a_text_just_below_4_gib_is_one_of_ours)
{
	begin();
	zip.method = 8;
	zip.size = 4294900000;
	zip.packed = 4167069;
	zip.needed = zip.local_needed = 45;
	zip.extra = true;
	ck_assert_int_eq(TF_OK, scan(TF_ZIP_STRICT));
	zip.size = 4293000000;
	ck_assert_int_eq(TF_TAMPER, scan(TF_ZIP_STRICT));
	zip.extra = false;
	ck_assert_int_eq(TF_TAMPER, scan(TF_ZIP_STRICT));
	zip.needed = zip.local_needed = 20;
	ck_assert_int_eq(TF_OK, scan(TF_ZIP_STRICT));
}
END_TEST

/* --- many files --------------------------------------------------------------- */

static const struct tf_zip_member *
member(void *arg, size_t i)
{
	struct tf_zip_member *m = (struct tf_zip_member *)arg + i;
	char name[16];

	(void)snprintf(name, sizeof(name), "top/%06zu", i);
	ck_assert_ptr_nonnull(m->name = strdup(name));
	return m;
}

static enum tf_code
nothing(void *arg, size_t i, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	(void)arg, (void)i, (void)p, (void)n, (void)off, (void)err;
	*got = 0;
	return TF_OK;
}

/* 65,535 is the last number with 16 bits, and also the mark for a longer one. */
START_TEST(any_number_of_files_is_read)
{
	const size_t n = 65534 + (size_t)_i;
	struct tf_zip_member *m = calloc(n, sizeof(*m));
	uint64_t seen = 0;
	int fd = new_file();

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(TF_OK, tf_zip_write(fd, member, n, nothing, m, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_zip_scan(fd, TF_ZIP_STRICT, found, &seen, NULL));
	ck_assert_uint_eq(n, seen);
	for (size_t i = 0; i < n; i++)
		free(m[i].name);
	free(m);
	(void)close(fd);
}
END_TEST

/* Of the end records, too, each bit has one value. */
START_TEST(each_bit_of_the_end_records_is_checked)
{
	const size_t n = 65536;
	struct tf_zip_member *m = calloc(n, sizeof(*m));
	uint8_t end[56 + 20 + 22];
	int fd = new_file();
	uint64_t seen;
	off_t at;

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(TF_OK, tf_zip_write(fd, member, n, nothing, m, NULL));
	at = lseek(fd, -(off_t)sizeof(end), SEEK_END);
	ck_assert_int_eq((ssize_t)sizeof(end), pread(fd, end, sizeof(end), at));
	for (size_t i = 0; i < 8 * sizeof(end); i++) {
		uint8_t byte = end[i / 8] ^ (uint8_t)(1u << i % 8);

		ck_assert_int_eq(1, pwrite(fd, &byte, 1, at + (off_t)i / 8));
		ck_assert_msg(tf_zip_scan(fd, TF_ZIP_STRICT, found, &seen,
				  NULL) == TF_TAMPER,
		    "bit %zu", i);
		ck_assert_int_eq(1,
		    pwrite(fd, &end[i / 8], 1, at + (off_t)i / 8));
	}
	seen = 0;
	ck_assert_int_eq(TF_OK,
	    tf_zip_scan(fd, TF_ZIP_STRICT, found, &seen, NULL));
	ck_assert_uint_eq(n, seen);
	for (size_t i = 0; i < n; i++)
		free(m[i].name);
	free(m);
	(void)close(fd);
}
END_TEST

Suite *
suite_zip(void)
{
	Suite *s = suite_create("zip");
	TCase *t = tcase_create("zip");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, each_field_has_the_value_of_our_writer);
	tcase_add_test(t, a_text_just_below_4_gib_is_one_of_ours);
	tcase_add_loop_test(t, any_number_of_files_is_read, 0, 3);
	tcase_add_test(t, each_bit_of_the_end_records_is_checked);
	suite_add_tcase(s, t);
	return s;
}
