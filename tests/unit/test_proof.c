/* Tile paths and proof files (C2SP tlog-tiles, tlog-proof). */
#include <check.h>
#include <string.h>

#include "../../core/ledger/proof.h"
#include "../../core/ledger/tilepath.h"
#include "vectors.h"

START_TEST(tile_paths_are_those_of_the_specification)
{
	static const struct {
		unsigned level;
		uint64_t n;
		unsigned width;
		const char *path;
	} t[] = {
		{ 0, 0, 256, "tile/0/000" },
		{ 0, 999, 256, "tile/0/999" },
		{ 1, 1000, 256, "tile/1/x001/000" },
		{ 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ 0, 3, 232, "tile/0/003.p/232" },
		{ TF_TILE_ENTRIES, 273, 112, "tile/entries/273.p/112" },
	};
	char path[TF_TILE_PATH_MAX];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		tf_tile_path(t[i].level, t[i].n, t[i].width, path);
		ck_assert_str_eq(t[i].path, path);
	}
}
END_TEST

START_TEST(a_proof_file_is_read_as_it_was_written)
{
	struct tf_proof path = { .n = 2, .h = { { { 1 } }, { { 2 } } } };
	struct tf_buf b = { 0 };
	struct tf_tlog_proof p;

	tf_tlog_proof_write(&b, 7, &path, str_of("{}"), str_of("note\n"));
	ck_assert_int_eq(TF_OK, tf_tlog_proof_parse(b.p, b.n, &p, NULL));
	ck_assert_uint_eq(7, p.index);
	ck_assert_uint_eq(2, p.path.n);
	assert_same("note\n", 5, p.note.p, p.note.n);
	assert_same("{}", 2, p.extra.p, p.extra.n);
	tf_tlog_proof_free(&p);
	tf_buf_free(&b);
}
END_TEST

/* Whoever has the entry already needs no extra line. */
START_TEST(a_proof_may_come_without_its_entry)
{
	struct tf_proof path = { .n = TF_PROOF_MAX };
	struct tf_buf b = { 0 };
	struct tf_tlog_proof p;

	tf_tlog_proof_write(&b, 0, &path, (struct tf_str){ NULL, 0 },
	    str_of("note\n"));
	ck_assert_int_eq(TF_OK, tf_tlog_proof_parse(b.p, b.n, &p, NULL));
	ck_assert_ptr_null(p.extra.p);
	ck_assert_uint_eq(TF_PROOF_MAX, p.path.n);
	tf_tlog_proof_free(&p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_path_has_its_bound)
{
	struct tf_buf b = { 0 };
	struct tf_tlog_proof p;

	tf_buf_str(&b, "c2sp.org/tlog-proof@v1\nindex 0\n");
	for (int i = 0; i <= TF_PROOF_MAX; i++)
		tf_buf_str(&b,
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	tf_buf_str(&b, "\nnote\n");
	ck_assert_int_eq(TF_INVALID, tf_tlog_proof_parse(b.p, b.n, &p, NULL));
	tf_tlog_proof_free(&p);
	tf_buf_free(&b);
}
END_TEST

static const char *const bad_proofs[] = {
	"",
	"\n",
	"c2sp.org/tlog-proof@v1\n",
	"c2sp.org/tlog-proof@v1\nindex 0",
	"c2sp.org/tlog-proof@v1\nindex 0\n",
	"c2sp.org/tlog-proof@v1\nextra AA==\n",
	"c2sp.org/tlog-proof@v1",
	"c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n",
	"c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex 00\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex -1\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex 0\n"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex 0\n"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nextra ?\nindex 0\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nextra AA==\n\nnote\n",
	"c2sp.org/tlog-proof@v1\nindex 0\nnote\n",
};

START_TEST(a_malformed_proof_file_is_refused)
{
	struct tf_tlog_proof p;

	ck_assert_int_eq(TF_INVALID,
	    tf_tlog_proof_parse(bad_proofs[_i], strlen(bad_proofs[_i]), &p,
		NULL));
	tf_tlog_proof_free(&p);
}
END_TEST

Suite *suite_proof(void);

Suite *
suite_proof(void)
{
	Suite *s = suite_create("proof");
	TCase *t = tcase_create("files");

	tcase_add_test(t, tile_paths_are_those_of_the_specification);
	tcase_add_test(t, a_proof_file_is_read_as_it_was_written);
	tcase_add_test(t, a_proof_may_come_without_its_entry);
	tcase_add_test(t, a_path_has_its_bound);
	tcase_add_loop_test(t, a_malformed_proof_file_is_refused, 0,
	    (int)(sizeof(bad_proofs) / sizeof(bad_proofs[0])));
	suite_add_tcase(s, t);
	return s;
}
