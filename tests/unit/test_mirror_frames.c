/* The messages of a mirror: what is written is read again, and nothing else. */
#include <check.h>
#include <string.h>

#include "../../core/anchor/mirror_frames.h"
#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"

static struct tf_buf entries, wants;

static void
fill(void)
{
	struct tf_mirror_want w = { .have = UINT64_MAX };

	entries = wants = (struct tf_buf){ 0 };
	tf_mirror_add_entry(&entries, tf_str_of("{\"seq\":0}"));
	tf_mirror_add_entry(&entries, tf_str_of("{}"));
	memset(w.sha256.b, 7, sizeof(w.sha256.b));
	tf_mirror_add_want(&wants, &w);
	w.have = 0;
	tf_mirror_add_want(&wants, &w);
}

static void
drop(void)
{
	tf_buf_free(&entries);
	tf_buf_free(&wants);
}

/* A message of this type in which every field is set. */
static struct tf_mirror_msg
message(enum tf_mirror_type type)
{
	struct tf_mirror_msg m = { .type = type,
		.version = TF_MIRROR_VERSION,
		.origin = tf_str_of("example.org/vault"),
		.store = tf_str_of("0123"),
		.key = tf_str_of("example.org/vault+00+key"),
		.note = tf_str_of("note\n"),
		.proof = { .n = 3 },
		.size = UINT64_MAX - 1,
		.first = 7,
		.present = true,
		.list = tf_str_of("bytes"),
		.code = TF_TAMPER,
		.text = tf_str_of("refused") };

	memset(m.hash.b, 5, sizeof(m.hash.b));
	memset(m.signature, 6, sizeof(m.signature));
	memset(m.proof.h, 9, sizeof(m.proof.h[0]) * 3);
	if (type == TF_MIRROR_ENTRIES)
		m.list = tf_buf_bytes(&entries);
	if (type == TF_MIRROR_WANT)
		m.list = tf_buf_bytes(&wants);
	return m;
}

START_TEST(each_message_is_read_as_it_was_written)
{
	struct tf_mirror_msg m = message((enum tf_mirror_type)_i), got;
	struct tf_buf b = { 0 }, again = { 0 };
	size_t length;

	tf_mirror_put(&b, &m);
	ck_assert_int_eq(TF_OK,
	    tf_mirror_length((const uint8_t *)b.p, &length, NULL));
	ck_assert_uint_eq(b.n, length + TF_MIRROR_HEADER + TF_MIRROR_SUM);
	ck_assert_int_eq(TF_OK, tf_mirror_parse(b.p, b.n, &got, NULL));
	ck_assert_int_eq(m.type, got.type);
	tf_mirror_put(&again, &got);
	ck_assert_uint_eq(b.n, again.n);
	ck_assert_mem_eq(b.p, again.p, b.n);
	tf_buf_free(&b);
	tf_buf_free(&again);
}
END_TEST

/* One changed bit anywhere, or one byte less or more: refused. */
START_TEST(a_damaged_message_is_refused)
{
	struct tf_mirror_msg m = message((enum tf_mirror_type)_i), got;
	struct tf_buf b = { 0 };

	tf_mirror_put(&b, &m);
	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
		ck_assert_int_eq(TF_INVALID,
		    tf_mirror_parse(b.p, b.n, &got, NULL));
		b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(TF_INVALID,
		    tf_mirror_parse(b.p, n, &got, NULL));
	tf_buf_add(&b, "", 1);
	ck_assert_int_eq(TF_INVALID, tf_mirror_parse(b.p, b.n, &got, NULL));
	tf_buf_free(&b);
}
END_TEST

START_TEST(lists_come_out_in_their_order)
{
	struct tf_str rest = tf_buf_bytes(&entries), e;
	struct tf_mirror_want w;

	ck_assert(tf_mirror_next_entry(&rest, &e));
	ck_assert(tf_str_same(e, tf_str_of("{\"seq\":0}")));
	ck_assert(tf_mirror_next_entry(&rest, &e));
	ck_assert(tf_str_same(e, tf_str_of("{}")));
	ck_assert(!tf_mirror_next_entry(&rest, &e));
	rest = tf_buf_bytes(&wants);
	ck_assert(tf_mirror_next_want(&rest, &w));
	ck_assert_uint_eq(UINT64_MAX, w.have);
	ck_assert(tf_mirror_next_want(&rest, &w));
	ck_assert_uint_eq(0, w.have);
	ck_assert(!tf_mirror_next_want(&rest, &w));
}
END_TEST

/* Give the frame the right sum again. */
static void
sum(struct tf_buf *b)
{
	struct tf_hash h;

	b->n -= TF_MIRROR_SUM;
	tf_sha256(b->p, b->n, &h);
	tf_buf_add(b, h.b, TF_MIRROR_SUM);
}

/* Another version greets with other fields, which is no damage. */
START_TEST(another_version_is_recognised)
{
	struct tf_mirror_msg m = message(TF_MIRROR_HELLO), got;
	struct tf_buf b = { 0 };

	m.version = TF_MIRROR_VERSION + 1;
	tf_mirror_put(&b, &m);
	b.p[TF_MIRROR_HEADER + 4] = (char)0xff; /* a length in its fields */
	sum(&b);
	ck_assert_int_eq(TF_OK, tf_mirror_parse(b.p, b.n, &got, NULL));
	ck_assert_uint_eq(TF_MIRROR_VERSION + 1, got.version);
	b.p[TF_MIRROR_HEADER + 3] = 1;
	sum(&b);
	ck_assert_int_eq(TF_OK, tf_mirror_parse(b.p, b.n, &got, NULL));
	ck_assert_uint_eq(1, got.version);
	b.p[TF_MIRROR_HEADER + 3] = 0;
	sum(&b);
	ck_assert_int_eq(TF_INVALID, tf_mirror_parse(b.p, b.n, &got, NULL));
	b.p[TF_MIRROR_HEADER + 3] = TF_MIRROR_VERSION;
	sum(&b);
	ck_assert_int_eq(TF_INVALID, tf_mirror_parse(b.p, b.n, &got, NULL));
	tf_buf_free(&b);
}
END_TEST

/* No length makes the reader wait for more than a message may have, or for bytes
 * that nobody sends. */
START_TEST(the_length_is_limited_and_checked)
{
	uint8_t header[TF_MIRROR_HEADER];
	size_t length;

	tf_mirror_header(header, TF_MIRROR_PAYLOAD_MAX + 1, TF_MIRROR_DATA);
	ck_assert_int_eq(TF_INVALID, tf_mirror_length(header, &length, NULL));
	tf_mirror_header(header, TF_MIRROR_PAYLOAD_MAX, TF_MIRROR_DATA);
	ck_assert_int_eq(TF_OK, tf_mirror_length(header, &length, NULL));
	ck_assert_uint_eq(TF_MIRROR_PAYLOAD_MAX, length);
	for (unsigned bit = 0; bit < 8 * sizeof(header); bit++) {
		header[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(TF_INVALID,
		    tf_mirror_length(header, &length, NULL));
		header[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	tf_mirror_header(header, 0, TF_MIRROR_TYPES);
	ck_assert_int_eq(TF_INVALID, tf_mirror_length(header, &length, NULL));
	tf_mirror_header(header, 0, 0);
	ck_assert_int_eq(TF_INVALID, tf_mirror_length(header, &length, NULL));
}
END_TEST

Suite *suite_mirror_frames(void);
Suite *
suite_mirror_frames(void)
{
	Suite *s = suite_create("mirror_frames");
	TCase *t = tcase_create("mirror_frames");

	tcase_add_checked_fixture(t, fill, drop);
	tcase_add_loop_test(t, each_message_is_read_as_it_was_written,
	    TF_MIRROR_HELLO, TF_MIRROR_TYPES);
	tcase_add_loop_test(t, a_damaged_message_is_refused, TF_MIRROR_HELLO,
	    TF_MIRROR_TYPES);
	tcase_add_test(t, lists_come_out_in_their_order);
	tcase_add_test(t, another_version_is_recognised);
	tcase_add_test(t, the_length_is_limited_and_checked);
	suite_add_tcase(s, t);
	return s;
}
