/* Where the bytes of a file differ from its pieces, which its entries name. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/audit/pieces.h"
#include "../../core/audit/pool.h"
#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/ledger/chunks.h"
#include "../../core/ledger/entry.h"

#define KIB64 ((size_t)65536)
#define SIZE (20 * KIB64 + 500)

/* A file of 21 pieces, and copies of it. */
static char file[SIZE], copy[SIZE + 10];

static void
fill(void)
{
	for (size_t i = 0; i < SIZE; i++)
		file[i] = copy[i] = (char)(i * 31 + i / 65536);
	memset(copy + SIZE, 'x', 10);
}

/* Add an entry about [from, to) of the file; digests of the wrong bytes if
 * wrong. */
static void
enter_part(struct tf_growing *g, uint64_t node, uint64_t seq, size_t from,
    size_t to, uint64_t before, bool wrong)
{
	struct tf_chunk_list l = { 0 };
	struct tf_chunker k = { 0 };
	struct tf_chunks c = { .from = from,
		.to = to,
		.bytes = KIB64,
		.has_before = from > 0,
		.before = before };
	struct tf_buf raw = { 0 };
	char path[16];
	struct tf_entry e = { .type = TF_EVIDENCE_GROWN,
		.seq = seq,
		.node = node,
		.path = { path,
		    (size_t)snprintf(path, sizeof(path), "t/w/a/%u",
			(unsigned)node) } };

	ck_assert_int_eq(TF_OK, tf_chunker_begin(&k, &l, from, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_chunker_add(&k, (wrong ? copy : file) + from, to - from, NULL));
	ck_assert_int_eq(TF_OK, tf_chunker_end(&k, NULL));
	tf_chunker_free(&k);
	ck_assert_int_eq(TF_OK, tf_chunks_write(&c, l.digest, &raw, NULL));
	e.chunks = (struct tf_str){ raw.p, raw.n };
	ck_assert_int_eq(TF_OK, tf_growing_add(g, &e, NULL));
	tf_buf_free(&raw);
	tf_chunk_list_free(&l);
}

static struct tf_pieces *
seal(struct tf_growing *g, uint64_t node, uint64_t grown, uint64_t size)
{
	const struct tf_entry e = { .type = TF_EVIDENCE_SEALED,
		.node = node,
		.has_grown = true,
		.grown = grown,
		.content.size = size };

	return tf_growing_take(g, &e);
}

/* So many entered bytes an entry of this type and path shows to be gone. */
static uint64_t
gone(struct tf_growing *g, enum tf_entry_kind type, const char *about,
    const char *expected)
{
	const struct tf_entry e = { .type = type,
		.path = { about, strlen(about) } };
	char *path = NULL;
	uint64_t bytes = 0;

	if (!tf_growing_gone(g, &e, &path, &bytes))
		return 0;
	ck_assert_str_eq(expected, path);
	free(path);
	return bytes;
}

/* What was entered and is in no evidence is missed once, by the first entry that
 * shows it, and by no other one. */
START_TEST(entered_bytes_that_are_gone_are_missed)
{
	struct tf_growing g = { 0 };

	fill();
	enter_part(&g, 1, 1, 0, KIB64, 0, false);
	enter_part(&g, 2, 2, 0, 2 * KIB64, 0, false);
	enter_part(&g, 3, 3, 0, 3 * KIB64, 0, false);
	enter_part(&g, 4, 4, 0, 7, 0, false);
	ck_assert_uint_eq(0, gone(&g, TF_EVIDENCE_INTERRUPTED, "t/w/a", ""));
	ck_assert_uint_eq(0, gone(&g, TF_EVIDENCE_INTERRUPTED, "t/w/a/10", ""));
	ck_assert_uint_eq(0, gone(&g, TF_EVIDENCE_SEALED, "t/w/b/1", ""));
	ck_assert_uint_eq(0, gone(&g, TF_EVIDENCE_READ, "t/w/a/1", ""));
	ck_assert_uint_eq(0, gone(&g, TF_ATTESTATION_SEALED, "t/w/a/1", ""));
	ck_assert_uint_eq(0, gone(&g, TF_ATTESTATION_SEALED, "t/w/", ""));
	ck_assert_uint_eq(KIB64,
	    gone(&g, TF_EVIDENCE_INTERRUPTED, "t/w/a/1", "t/w/a/1"));
	ck_assert_uint_eq(2 * KIB64,
	    gone(&g, TF_EVIDENCE_SEALED, "t/w/a/2", "t/w/a/2"));
	tf_pieces_free(seal(&g, 4, 4, 7));
	ck_assert_uint_eq(3 * KIB64,
	    gone(&g, TF_ATTESTATION_SEALED, "t/w/a", "t/w/a/3"));
	ck_assert_uint_eq(0, gone(&g, TF_ATTESTATION_SEALED, "t/w/a", ""));
	ck_assert_uint_eq(0, g.n);
	tf_growing_free(&g);
}
END_TEST

/* Several files grow at once; each gets its own pieces, once. */
START_TEST(the_pieces_of_a_file_are_those_of_its_entries)
{
	struct tf_growing g = { 0 };
	struct tf_pieces *p;
	struct tf_hash h;

	fill();
	enter_part(&g, 9, 1, 0, 2 * KIB64, 0, false);
	enter_part(&g, 3, 2, 0, 7, 0, false);
	enter_part(&g, 12, 3, 0, KIB64, 0, false);
	enter_part(&g, 9, 4, 2 * KIB64, SIZE, 1, false);
	p = seal(&g, 9, 4, SIZE);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(21, p->n);
	ck_assert_uint_eq(SIZE, p->p[20].to);
	tf_sha256(file + 20 * KIB64, 500, &h);
	ck_assert_mem_eq(&h, &p->p[20].sha256, sizeof(h));
	tf_pieces_free(p);
	ck_assert_ptr_null(seal(&g, 9, 4, SIZE));
	p = seal(&g, 3, 2, 7);
	ck_assert_ptr_nonnull(p);
	tf_pieces_free(p);
	ck_assert_uint_eq(1, g.n);
	tf_growing_free(&g);
}
END_TEST

/* A part that is missing, another last entry, another size. */
START_TEST(a_list_with_a_gap_is_none)
{
	struct tf_growing g = { 0 };

	fill();
	enter_part(&g, 9, 1, 0, KIB64, 0, false);
	ck_assert_ptr_null(seal(&g, 9, 1, KIB64 + 1));
	enter_part(&g, 9, 1, 0, KIB64, 0, false);
	ck_assert_ptr_null(seal(&g, 9, 2, KIB64));
	enter_part(&g, 9, 1, 0, KIB64, 0, false);
	enter_part(&g, 9, 2, 2 * KIB64, 3 * KIB64, 1, false);
	ck_assert_ptr_null(seal(&g, 9, 2, 3 * KIB64));
	enter_part(&g, 9, 1, 0, KIB64, 0, false);
	enter_part(&g, 9, 3, KIB64, 2 * KIB64, 2, false);
	ck_assert_ptr_null(seal(&g, 9, 3, 2 * KIB64));
	enter_part(&g, 9, 3, KIB64, 2 * KIB64, 2, false);
	ck_assert_ptr_null(seal(&g, 9, 3, 2 * KIB64));
	ck_assert_uint_eq(0, g.n);
	tf_growing_free(&g);
}
END_TEST

/* The text about the first n bytes of copy, of which only `read` can be read. */
static void
says(const char *want, size_t n, size_t read)
{
	struct tf_growing g = { 0 };
	struct tf_pieces *p;
	struct tf_differ w;
	struct tf_buf b = { 0 };

	enter_part(&g, 2, 1, 0, SIZE, 0, false);
	p = seal(&g, 2, 1, SIZE);
	ck_assert_int_eq(TF_OK, tf_differ_begin(&w, p, NULL));
	for (size_t at = 0; at < read; at += 1000)
		tf_differ_add(&w, copy + at,
		    read - at < 1000 ? read - at : 1000);
	ck_assert(tf_differ_is_full(&w) == (read >= SIZE));
	tf_differ_text(&w, n, &b);
	tf_buf_add(&b, "", 1);
	ck_assert_str_eq(want, b.p);
	tf_buf_free(&b);
	tf_differ_free(&w);
	tf_pieces_free(p);
	tf_growing_free(&g);
}

START_TEST(ranges_are_named_and_the_rest_is_as_entered)
{
	fill();
	says("", SIZE, SIZE);
	says("", SIZE, 0);
	copy[KIB64] ^= 1;
	says(
	    "bytes 65536-131071 differ; the other 1245684 bytes are as entered",
	    SIZE, SIZE);
	copy[3 * KIB64 - 1] ^= 0x40; /* neighbours are one range */
	says(
	    "bytes 65536-196607 differ; the other 1180148 bytes are as entered",
	    SIZE, SIZE);
	copy[SIZE - 1] ^= 1;
	says("bytes 65536-196607, 1310720-1311219 differ; the other 1179648 "
	     "bytes are as entered",
	    SIZE, SIZE);
	says(
	    "10 bytes follow the 1311220 that were entered; bytes 65536-196607, "
	    "1310720-1311219 differ; the other 1179648 bytes are as entered",
	    SIZE + 10, SIZE + 10);
	says("only the first 196609 of 1311220 bytes are there; bytes "
	     "65536-196607 differ; bytes 196608-196608 cannot be compared; the "
	     "other 65536 bytes are as entered",
	    3 * KIB64 + 1, 3 * KIB64 + 1);
	says("only the first 65536 of 1311220 bytes are there; the other 65536 "
	     "bytes are as entered",
	    KIB64, KIB64);
	/* The rest of a member could not be unpacked. */
	says(
	    "bytes 65536-1311219 cannot be compared; the other 65536 bytes are "
	    "as entered",
	    SIZE, KIB64 + 5);
}
END_TEST

START_TEST(eight_ranges_are_named_and_the_others_counted)
{
	fill();
	for (size_t i = 0; i < 16; i += 2)
		copy[i * KIB64] ^= 1;
	says(
	    "bytes 0-65535, 131072-196607, 262144-327679, 393216-458751, "
	    "524288-589823, 655360-720895, 786432-851967, 917504-983039 differ; "
	    "the other 786932 bytes are as entered",
	    SIZE, SIZE);
	copy[16 * KIB64] ^= 1;
	says("bytes 0-65535, 131072-196607, 262144-327679, 393216-458751, "
	     "524288-589823, 655360-720895, 786432-851967, 917504-983039 and 1 "
	     "more range differ; the other 721396 bytes are as entered",
	    SIZE, SIZE);
	for (size_t i = 0; i < SIZE; i += KIB64)
		copy[i] = (char)(file[i] + 1);
	says("bytes 0-1311219 differ; no piece is as entered", SIZE, SIZE);
}
END_TEST

static enum tf_code
hash_file(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	(void)arg;
	(void)self;
	(void)err;
	tf_differ_add(t->where, file, SIZE);
	tf_sha256(file, SIZE, h);
	*size = SIZE;
	return TF_OK;
}

static void
keep_text(void *arg, const struct tf_task *t, const struct tf_content *have,
    bool read, const char *text)
{
	(void)t;
	ck_assert_ptr_nonnull(have);
	ck_assert(read);
	snprintf(arg, 200, "%s", text);
}

/* Bytes that were replaced after they were entered and before the seal: the digest
 * of the seal is theirs. */
START_TEST(a_right_digest_does_not_excuse_other_pieces)
{
	const struct tf_pool_work w = { .hash = hash_file };

	fill();
	copy[KIB64] ^= 1;
	for (int wrong = 0; wrong <= 1; wrong++) {
		struct tf_task t = { .path = strdup("t/w/a/log"),
			.want.size = SIZE };
		struct tf_growing g = { 0 };
		char text[200] = "";
		struct tf_pool *p;
		uint64_t bytes;

		enter_part(&g, 2, 1, 0, SIZE, 0, wrong);
		t.pieces = seal(&g, 2, 1, SIZE);
		tf_sha256(file, SIZE, &t.want.sha256);
		ck_assert_int_eq(TF_OK, tf_pool_new(&w, 1, &p, NULL));
		ck_assert_int_eq(TF_OK, tf_pool_add(p, &t, NULL));
		ck_assert_int_eq(TF_OK,
		    tf_pool_results(p, true, keep_text, text, &bytes, NULL));
		ck_assert_str_eq(!wrong ?
			"" :
			"entered otherwise, while its digest is right: bytes "
			"65536-131071 differ; the other 1245684 bytes are as "
			"entered",
		    text);
		tf_pool_free(p);
		tf_growing_free(&g);
	}
}
END_TEST

Suite *suite_pieces(void);

Suite *
suite_pieces(void)
{
	Suite *s = suite_create("pieces");
	TCase *t = tcase_create("pieces");

	tcase_add_test(t, the_pieces_of_a_file_are_those_of_its_entries);
	tcase_add_test(t, entered_bytes_that_are_gone_are_missed);
	tcase_add_test(t, a_list_with_a_gap_is_none);
	tcase_add_test(t, ranges_are_named_and_the_rest_is_as_entered);
	tcase_add_test(t, eight_ranges_are_named_and_the_others_counted);
	tcase_add_test(t, a_right_digest_does_not_excuse_other_pieces);
	suite_add_tcase(s, t);
	return s;
}
