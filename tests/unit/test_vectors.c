/*
 * Files of our own, named by what is wrong with them: good-* must pass, bad-*
 * must be refused.  Each is signed as far as it can be, so that its own fault
 * is the only one.  tests/shell/second-verifier.sh puts them to another
 * verifier too.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/merkle.h"
#include "../../core/ledger/proof.h"
#include "vectors.h"

typedef enum tf_code (*check_fn)(const char *text, size_t n,
    const struct tf_vkey *k);

static struct tf_vkey
log_key(void)
{
	struct tf_buf b = read_vector("log.vkey");
	struct tf_vkey k;

	ck_assert_int_eq(TF_OK, tf_vkey_parse(b.p, b.n - 1, &k, NULL));
	tf_buf_free(&b);
	return k;
}

static bool
begins(const char *name, const char *word)
{
	return strncmp(name, word, strlen(word)) == 0;
}

/* One file, in exactly as many bytes: a sanitizer sees one read too many. */
static enum tf_code
check_file(const char *dir, const char *name, check_fn check,
    const struct tf_vkey *k)
{
	char path[512];
	struct tf_buf b;
	enum tf_code rc;
	char *exact;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	b = read_vector(path);
	exact = malloc(b.n);
	memcpy(exact, b.p, b.n);
	rc = check(exact, b.n, k);
	free(exact);
	tf_buf_free(&b);
	return rc;
}

/* All files of the directory; at least so many of each kind are there. */
static void
walk(const char *dir, check_fn check, unsigned want_good, unsigned want_bad)
{
	struct tf_vkey k = log_key();
	unsigned good = 0, bad = 0;
	char path[4096];
	struct dirent *e;
	enum tf_code rc;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", TF_VECTORS, dir);
	d = opendir(path);
	ck_assert_msg(d != NULL, "no %s", path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		rc = check_file(dir, e->d_name, check, &k);
		if (begins(e->d_name, "good-")) {
			good++;
			ck_assert_msg(rc == TF_OK, "%s/%s was refused", dir,
			    e->d_name);
		} else {
			bad++;
			ck_assert_msg(begins(e->d_name, "bad-"),
			    "%s/%s is neither good nor bad", dir, e->d_name);
			ck_assert_msg(rc == TF_INVALID || rc == TF_TAMPER ||
				rc == TF_FOREIGN,
			    "%s/%s was taken, or not judged: %d", dir,
			    e->d_name, (int)rc);
		}
	}
	(void)closedir(d);
	ck_assert_uint_ge(good, want_good);
	ck_assert_uint_ge(bad, want_bad);
}

static enum tf_code
check_note(const char *text, size_t n, const struct tf_vkey *k)
{
	struct tf_checkpoint c;

	return tf_checkpoint_check(text, n, k, &c, NULL);
}

START_TEST(a_checkpoint_is_taken_only_when_nothing_is_wrong_with_it)
{
	walk("notes", check_note, 9, 50);
}
END_TEST

/* The file, its checkpoint, its entry in that tree. */
static enum tf_code
check_proof(const char *text, size_t n, const struct tf_vkey *k)
{
	struct tf_tlog_proof p;
	struct tf_checkpoint c;
	struct tf_hash leaf;
	enum tf_code rc = tf_tlog_proof_parse(text, n, &p, NULL);

	if (rc == TF_OK)
		rc = tf_checkpoint_check(p.note.p, p.note.n, k, &c, NULL);
	if (rc == TF_OK) {
		tf_merkle_leaf(p.extra.p, p.extra.n, &leaf);
		rc = tf_merkle_check_inclusion(p.index, c.size, &leaf, p.path.h,
		    p.path.n, &c.root);
	}
	tf_tlog_proof_free(&p);
	return rc;
}

START_TEST(a_proof_is_taken_only_when_nothing_is_wrong_with_it)
{
	walk("proofs", check_proof, 9, 50);
}
END_TEST

/* What we write for those entries is what stands there. */
START_TEST(a_good_proof_is_written_byte_for_byte)
{
	struct tf_buf want = read_vector("proofs/good-entry-4-of-9.tlog-proof");
	struct tf_tlog_proof p;
	struct tf_buf got = { 0 };

	ck_assert_int_eq(TF_OK, tf_tlog_proof_parse(want.p, want.n, &p, NULL));
	ck_assert_uint_eq(4, p.index);
	tf_tlog_proof_write(&got, p.index, &p.path,
	    (struct tf_str){ p.extra.p, p.extra.n }, p.note);
	assert_same(want.p, want.n, got.p, got.n);
	tf_tlog_proof_free(&p);
	tf_buf_free(&want);
	tf_buf_free(&got);
}
END_TEST

Suite *
suite_vectors(void)
{
	Suite *s = suite_create("vectors");
	TCase *t = tcase_create("vectors");

	tcase_add_test(t,
	    a_checkpoint_is_taken_only_when_nothing_is_wrong_with_it);
	tcase_add_test(t, a_proof_is_taken_only_when_nothing_is_wrong_with_it);
	tcase_add_test(t, a_good_proof_is_written_byte_for_byte);
	suite_add_tcase(s, t);
	return s;
}
