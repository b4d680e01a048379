/* Logs that were altered by hand, and proofs and packages of their entries. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/proof.h"
#include "../../core/node/vault_i.h"
#include "../../core/vault.h"
#include "../bitflip/bitflip.h"
#include "altered.h"
#include "vectors.h"

static const struct {
	const char *command, *says;
} logs[] = {
	{ "rm log/tile/entries/000.p/*", "tiles||tile/entries/000.p/" },
	{ "truncate -s 1 log/tile/entries/000.p/*",
	    "tiles||bundle 0 is cut or has bytes after its entries\n" },
	{ "truncate -s -1 log/tile/entries/000.p/*",
	    "tiles||bundle 0 is cut or has bytes after its entries\n" },
	{ "rm log/tile/0/000.p/*", "tiles||tile/0/000.p/" },
	{ "truncate -s 64 log/tile/0/000.p/*",
	    "tiles||tile 0/0 has a wrong size\n" },
	{ "rm -f log/checkpoint; : >log/checkpoint",
	    "signature||newest checkpoint: checkpoint: malformed\n" },
	{ "rm -f log/checkpoint; echo x >log/checkpoint",
	    "signature||newest checkpoint: checkpoint: malformed\n" },
};

START_TEST(altered_logs_are_named)
{
	sh(logs[_i].command);
	OK(a_log());
	says(logs[_i].says);
}
END_TEST

/* As a log that grew since has them. */
START_TEST(full_tiles_stand_for_the_partial_ones)
{
	sh("cd log/tile && for l in 0 entries; do cp $l/000.p/* $l/000 &&"
	   " rm -r $l/000.p; done && truncate -s 8192 0/000 &&"
	   " echo more >>entries/000");
	OK(a_log());
	is_whole();
}
END_TEST

/* The store, opened and closed so many times more, and its log. */
static void
extend_log(int times)
{
	struct tf_actor root = { .loginuid = -1, .session = -1 };
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	uint64_t n;

	for (int i = 0; i < times; i++) {
		OK(tf_vault_open("store", &o, &v, NULL));
		OK(tf_vault_close(v, "done", NULL));
	}
	sh("cp log/checkpoint held && rm -rf old && cp -r log old && rm -rf log");
	OK(export_log("store", "log", &n, NULL));
}

/* Loop test: some entries more, and more than a tile of them. */
START_TEST(a_log_that_grew_while_it_was_copied_is_whole)
{
	extend_log(_i == 0 ? 1 : 150);
	sh("cp held log/checkpoint");
	OK(a_log());
	is_whole();
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TILES]);
	sh("rm -r old held");
}
END_TEST

/* Tiles first, checkpoint last: or somebody took the newest entries away. */
START_TEST(a_copy_that_ends_before_its_checkpoint_is_in_doubt)
{
	extend_log(_i == 0 ? 1 : 150);
	sh("cp log/checkpoint old/checkpoint && rm -r log && mv old log");
	OK(a_log());
	ck_assert_msg(r.findings == 0, "%s", said);
	says("entries||the copy ends before this entry");
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_ENTRIES]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_TILES]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_CONTENTS]);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_SIGNATURE]);
	/* What is there must be right all the same. */
	sh("f=$(echo log/tile/entries/000.p/*) && sed -i 's/example.org/exbmple."
	   "org/' $f && rm -f held");
	OK(a_log());
	ck_assert_uint_gt(r.findings, 0);
}
END_TEST

/* The call returns the first failure. */
START_TEST(a_log_that_cannot_be_read_is_not_accused)
{
	struct tf_verify v = with_key();

	sh("for f in log/tile/*/000.p/*; do rm $f; mkdir $f; done");
	ck_assert_int_eq(TF_IO, a_log());
	ck_assert_uint_eq(0, r.findings);
	ck_assert_ptr_nonnull(strstr(err.text, "tile/entries/000.p/"));
	ck_assert_int_eq(TF_IO, tf_verify_log("log", "copy", &v, &r, NULL));
}
END_TEST

/* What the log's own key signs, in the place of its checkpoint. */
static void
sign_head(uint64_t size, const struct tf_hash *tree, const char *path)
{
	struct tf_checkpoint c = { .origin = "example.org/bits",
		.size = size,
		.root = *tree };
	int fd = open("store/keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tf_buf note = { 0 };
	struct tf_key *key;
	FILE *f;

	OK(tf_key_load(fd, "log.pem", &key, NULL));
	OK(tf_checkpoint_sign(&c, key, &note, NULL));
	tf_key_free(key);
	(void)close(fd);
	(void)unlink(path);
	f = fopen(path, "w");
	ck_assert(f != NULL && fwrite(note.p, note.n, 1, f) == 1 &&
	    fclose(f) == 0);
	tf_buf_free(&note);
}

START_TEST(a_log_of_nothing_is_of_no_ledger)
{
	struct tf_hash none;

	tf_sha256("", 0, &none);
	sign_head(0, &none, "log/checkpoint");
	OK(a_log());
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_SIGNATURE]);
	says("entries||the entries end as another ledger than the key's\n");
}
END_TEST

/* Beside a store it is of its past, like any other that is right. */
START_TEST(a_checkpoint_of_nothing_is_no_other_history)
{
	struct tf_actor root = { .loginuid = -1, .session = -1 };
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	struct tf_hash none;

	tf_sha256("", 0, &none);
	sign_head(0, &none, "store/checkpoint");
	OK(store());
	is_whole();
	if (_i == 0) {
		OK(tf_vault_open("store", &o, &v, NULL));
		OK(tf_vault_close(v, "done", NULL));
		return;
	}
	none.b[0] ^= 1;
	sign_head(0, &none, "store/checkpoint");
	ck_assert_int_eq(TF_TAMPER, tf_vault_open("store", &o, &v, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "history differs"));
}
END_TEST

/* Two bundles cannot be read, and a third is not there. */
START_TEST(the_first_unreadable_file_is_reported)
{
	struct tf_hash any = { { 0 } };

	sh("rm -r log/tile/entries/* && cd log/tile/entries && mkdir 000 001");
	sign_head(600, &any, "log/checkpoint");
	ck_assert_int_eq(TF_IO, a_log());
	ck_assert_ptr_nonnull(strstr(err.text, "tile/entries/000"));
	says("tiles||tile/entries/002.p/88 is missing\n");
}
END_TEST

START_TEST(a_proof_is_of_those_bytes_only)
{
	static const char file[] = "copy/" DONE "/short.txt";
	struct tf_verify v = with_key();
	struct tf_buf p = { 0 };

	prove(&p);
	OK(tf_verify_proof(p.p, p.n, file, &v, &r, &err));
	is_whole();
	ck_assert_uint_eq(1, r.files);
	sh(_i == 0 ? "echo ALICE >copy/" DONE "/short.txt" :
		     "echo >>copy/" DONE "/short.txt");
	OK(tf_verify_proof(p.p, p.n, file, &v, &r, &err));
	says("contents|t/w/a/short.txt|altered: the file is not the one that "
	     "was sealed\n");
	tf_buf_free(&p);
}
END_TEST

/* Of a type or version that is not known yet; here nobody signed it. */
START_TEST(an_entry_of_later_days_is_counted)
{
	static const char *const from[] = { "evidence.sealed", "\"v\":1" };
	static const char *const to[] = { "evidence.sealex", "\"v\":2" };
	struct tf_verify v = with_key();
	struct tf_buf text = { 0 }, b = { 0 };
	struct tf_tlog_proof p;
	char *at;

	prove(&text);
	OK(tf_tlog_proof_parse(text.p, text.n, &p, NULL));
	at = memmem(p.extra.p, p.extra.n, from[_i], strlen(from[_i]));
	ck_assert_ptr_nonnull(at);
	memcpy(at, to[_i], strlen(to[_i]));
	tf_tlog_proof_write(&b, p.index, &p.path,
	    (struct tf_str){ p.extra.p, p.extra.n }, p.note);
	OK(tf_verify_proof(b.p, b.n, NULL, &v, &r, &err));
	ck_assert_uint_eq(_i == 0, r.unknown);
	ck_assert_uint_eq(_i == 1, r.newer);
	says("tree||the entry is not in the tree of the checkpoint\n");
	tf_tlog_proof_free(&p);
	tf_buf_free(&text);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_package_is_judged_by_a_key_from_elsewhere)
{
	struct tf_verify v = with_key();

	OK(tf_verify_package("a.zip", &v, &r, &err));
	is_whole();
	v.vkey = NULL;
	ck_assert_int_eq(TF_USAGE, tf_verify_package("a.zip", &v, &r, &err));
	v.vkey = "x";
	ck_assert_int_eq(TF_INVALID, tf_verify_package("a.zip", &v, &r, &err));
	v = with_key();
	v.found = NULL;
	OK(tf_verify_package("store/ledger.db", &v, &r, &err));
	ck_assert_uint_eq(1, r.findings);
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_PACKAGE]);
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_verify_package("gone.zip", &v, &r, &err));
}
END_TEST

Suite *suite_altered_log(void);

Suite *
suite_altered_log(void)
{
	Suite *s = suite_create("altered_log");
	TCase *t = tcase_create("log");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, set_up, tear_down);
	EACH(t, altered_logs_are_named, logs);
	tcase_add_test(t, full_tiles_stand_for_the_partial_ones);
	tcase_add_loop_test(t, a_log_that_grew_while_it_was_copied_is_whole, 0,
	    2);
	tcase_add_loop_test(t,
	    a_copy_that_ends_before_its_checkpoint_is_in_doubt, 0, 2);
	tcase_add_test(t, a_log_that_cannot_be_read_is_not_accused);
	tcase_add_test(t, a_log_of_nothing_is_of_no_ledger);
	tcase_add_loop_test(t, a_checkpoint_of_nothing_is_no_other_history, 0,
	    2);
	tcase_add_test(t, the_first_unreadable_file_is_reported);
	tcase_add_loop_test(t, a_proof_is_of_those_bytes_only, 0, 2);
	tcase_add_loop_test(t, an_entry_of_later_days_is_counted, 0, 2);
	tcase_add_test(t, a_package_is_judged_by_a_key_from_elsewhere);
	suite_add_tcase(s, t);
	return s;
}
