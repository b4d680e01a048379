/* The digests of the pieces of a file, and the field that has them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/ledger/chunks.h"

#define KIB64 ((uint64_t)64 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* Every entry of a list has chunks of one size, begins where the one before
 * ends, and has room for its digests. */
START_TEST(a_list_of_any_length_is_cut_into_entries)
{
	static const struct {
		uint64_t from, to, entries;
	} lists[] = { { 0, 1, 1 }, { 0, 128 * KIB64, 1 },
		{ 0, 128 * KIB64 + 1, 2 }, { 0, GIB, 128 }, { 0, GIB + 1, 129 },
		{ GIB - KIB64, GIB + MIB, 2 }, { 0, 64 * GIB, 632 },
		{ 0, 1024 * GIB, 1112 }, { 64 * GIB - MIB, 64 * GIB + 1, 2 },
		{ 7 * KIB64, 7 * KIB64, 0 } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		uint64_t at = lists[i].from, n = 0, to = lists[i].to;

		for (; at < to; n++) {
			struct tf_chunks c = { .from = at,
				.to = tf_chunks_entry_end(at, to),
				.bytes = tf_chunk_bytes(at) };

			ck_assert_uint_gt(c.to, c.from);
			ck_assert_uint_eq(0, c.from % c.bytes);
			ck_assert_uint_le(tf_chunks_count(&c), TF_CHUNKS_MAX);
			ck_assert_uint_eq(c.bytes, tf_chunk_bytes(c.to - 1));
			ck_assert(c.to == to || c.to % c.bytes == 0);
			at = c.to;
		}
		ck_assert_uint_eq(to, at);
		ck_assert_uint_eq(lists[i].entries, n);
		ck_assert_uint_eq(n, tf_chunks_entries(lists[i].from, to));
	}
}
END_TEST

START_TEST(a_chunk_is_whole_at_its_last_byte)
{
	ck_assert_uint_eq(0, tf_chunks_whole(0));
	ck_assert_uint_eq(0, tf_chunks_whole(KIB64 - 1));
	ck_assert_uint_eq(KIB64, tf_chunks_whole(KIB64));
	ck_assert_uint_eq(KIB64, tf_chunks_whole(2 * KIB64 - 1));
	ck_assert_uint_eq(GIB - KIB64, tf_chunks_whole(GIB - 1));
	ck_assert_uint_eq(GIB, tf_chunks_whole(GIB));
	ck_assert_uint_eq(GIB, tf_chunks_whole(GIB + MIB - 1));
	ck_assert_uint_eq(64 * GIB, tf_chunks_whole(64 * GIB + 15 * MIB));
}
END_TEST

/* The same list, in whatever pieces the bytes come. */
START_TEST(the_digests_are_those_of_the_pieces)
{
	static const size_t steps[] = { 1000, KIB64, KIB64 - 1, KIB64 + 1,
		10 * KIB64 };
	const size_t n = 5 * KIB64 + 77;
	char *file = malloc(n);
	struct tf_chunk_list l = { 0 };
	struct tf_chunker c = { 0 };
	struct tf_hash want;

	for (size_t i = 0; i < n; i++)
		file[i] = (char)(i * 7 + i / 251);
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		ck_assert_int_eq(TF_OK, tf_chunker_begin(&c, &l, 0, NULL));
		for (size_t at = 0; at < n; at += steps[s])
			ck_assert_int_eq(TF_OK,
			    tf_chunker_add(&c, file + at,
				n - at < steps[s] ? n - at : steps[s], NULL));
		ck_assert_uint_eq(5, l.n);
		ck_assert_uint_eq(5 * KIB64, l.to);
		ck_assert_int_eq(TF_OK, tf_chunker_end(&c, NULL));
		tf_chunker_free(&c);
		ck_assert_uint_eq(6, l.n);
		ck_assert_uint_eq(0, l.from);
		ck_assert_uint_eq(n, l.to);
		for (size_t i = 0; i < 6; i++) {
			tf_sha256(file + i * KIB64,
			    i < 5 ? (size_t)KIB64 : (size_t)77, &want);
			ck_assert_mem_eq(&want, &l.digest[i], sizeof(want));
		}
	}
	tf_chunk_list_free(&l);
	ck_assert_uint_eq(0, l.n);
	free(file);
}
END_TEST

/* A file may end with a chunk, or the list begin in the middle. */
START_TEST(a_list_may_begin_and_end_at_a_chunk)
{
	struct tf_chunk_list l = { 0 };
	struct tf_chunker c = { 0 };
	char *zeros = calloc(1, KIB64);
	struct tf_hash want;

	tf_sha256(zeros, KIB64, &want);
	ck_assert_int_eq(TF_OK, tf_chunker_begin(&c, &l, 3 * KIB64, NULL));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(TF_OK, tf_chunker_add(&c, zeros, KIB64, NULL));
	ck_assert_int_eq(TF_OK, tf_chunker_end(&c, NULL));
	tf_chunker_free(&c);
	tf_chunker_free(&c);
	ck_assert_uint_eq(3 * KIB64, l.from);
	ck_assert_uint_eq(5 * KIB64, l.to);
	ck_assert_uint_eq(2, l.n);
	ck_assert_mem_eq(&want, &l.digest[1], sizeof(want));
	tf_chunk_list_free(&l);
	free(zeros);
}
END_TEST

START_TEST(the_field_says_what_was_written)
{
	struct tf_hash digests[3], h;
	struct tf_chunks c = { .from = 2 * KIB64,
		.to = 4 * KIB64 + 9,
		.bytes = KIB64,
		.has_before = true,
		.before = 41 },
			 got;
	struct tf_buf b = { 0 };

	for (size_t i = 0; i < 3; i++)
		tf_sha256(&i, sizeof(i), &digests[i]);
	ck_assert_int_eq(TF_OK, tf_chunks_write(&c, digests, &b, NULL));
	ck_assert(tf_chunks_read((struct tf_str){ b.p, b.n }, &got));
	ck_assert_uint_eq(c.from, got.from);
	ck_assert_uint_eq(c.to, got.to);
	ck_assert_uint_eq(c.bytes, got.bytes);
	ck_assert(got.has_before);
	ck_assert_uint_eq(41, got.before);
	ck_assert_uint_eq(3, tf_chunks_count(&got));
	for (size_t i = 0; i < 3; i++) {
		tf_chunks_digest(&got, i, &h);
		ck_assert_mem_eq(&digests[i], &h, sizeof(h));
	}
	tf_buf_free(&b);
}
END_TEST

/* What a member lacks, or what does not fit, is no list. */
START_TEST(a_value_that_does_not_fit_is_refused)
{
#define D "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char *const bad[] = { "{}", "[]", "7", "{\"bytes\":65536}",
		"{\"bytes\":65536,\"from\":0,\"sha256\":7,\"to\":9}",
		"{\"bytes\":65536,\"from\":0,\"sha256\":\"" D "\"}",
		"{\"bytes\":65536,\"from\":0,\"to\":9}",
		"{\"bytes\":65536,\"from\":0,\"sha256\":\"" D
		"\",\"to\":65537}",
		"{\"bytes\":65536,\"from\":65536,\"sha256\":\"" D
		"\",\"to\":65537}",
		"{\"bytes\":0,\"from\":0,\"sha256\":\"" D "\",\"to\":9}",
		"{\"bytes\":65537,\"from\":0,\"sha256\":\"" D "\",\"to\":9}",
		"{\"before\":1,\"bytes\":65536,\"from\":9,\"sha256\":\"" D
		"\",\"to\":19}",
		"{\"before\":1,\"bytes\":65536,\"from\":65536,\"sha256\":\"" D
		"\",\"to\":65536}",
		"{\"before\":1,\"bytes\":65536,\"from\":65536,\"sha256\":\"" D
		"\",\"to\":9}" };
	static const char good[] = "{\"bytes\":65536,\"from\":0,\"sha256\":\"" D
				   "\",\"to\":9}";
	struct tf_chunks c;

	ck_assert(tf_chunks_read(tf_str_of(good), &c));
	ck_assert(!tf_chunks_read((struct tf_str){ NULL, 0 }, &c));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!tf_chunks_read(tf_str_of(bad[i]), &c),
		    "taken: %s", bad[i]);
}
END_TEST

Suite *suite_chunks(void);

Suite *
suite_chunks(void)
{
	Suite *s = suite_create("chunks");
	TCase *t = tcase_create("chunks");

	tcase_add_test(t, a_list_of_any_length_is_cut_into_entries);
	tcase_add_test(t, a_chunk_is_whole_at_its_last_byte);
	tcase_add_test(t, the_digests_are_those_of_the_pieces);
	tcase_add_test(t, a_list_may_begin_and_end_at_a_chunk);
	tcase_add_test(t, the_field_says_what_was_written);
	tcase_add_test(t, a_value_that_does_not_fit_is_refused);
	suite_add_tcase(s, t);
	return s;
}
