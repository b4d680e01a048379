/*
 * The signer: it never signs two trees of one origin that do not fit together,
 * whatever it is asked, and a run that ended before a signature is completed.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../core/base/file.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/sign/sign.h"
#include "../../core/sign/signer_i.h"
#include "../../core/vault.h"
#include "altered.h"
#include "vectors.h"

#define LEAVES 600 /* more than two tiles */

static char dir[256];
static struct tf_signer *s;
static struct tf_hash tile[3][256], top[3]; /* levels 0 and 1 of the log */

static void
open_signer(void)
{
	OK(tf_signer_local(AT_FDCWD, &s, NULL));
}

static void
make_keys(void)
{
	static const char *const names[] = { "log.pem", "attester.pem" };
	const char *tmp = getenv("TMPDIR");
	struct tf_key *k;

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/signer.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	for (int i = 0; i < 2; i++) {
		OK(tf_key_generate(&k, NULL));
		OK(tf_key_save(k, AT_FDCWD, names[i], NULL));
		tf_key_free(k);
	}
	open_signer();
}

static void
remove_keys(void)
{
	tf_signer_close(s);
	sh("rm -f log.pem attester.pem " TF_SIGNER_STATE);
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static enum tf_code
keep_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *h,
    unsigned width, struct tf_error *e)
{
	(void)arg;
	(void)e;
	memcpy(level == 0 ? tile[n] : top, h, width * sizeof(*h));
	return TF_OK;
}

static enum tf_code
get_tile(void *arg, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *e)
{
	(void)arg;
	(void)e;
	memcpy(out, level == 0 ? tile[n] : top, width * sizeof(*out));
	return TF_OK;
}

/* The log of LEAVES entries.  Entry `other` is another one, if it is any. */
static void
fill_log(uint64_t other)
{
	struct tf_tree *t = calloc(1, sizeof(*t));

	ck_assert_ptr_nonnull(t);
	for (uint64_t i = 0; i < LEAVES; i++) {
		uint64_t text[2] = { i, i == other };
		struct tf_hash h;

		tf_merkle_leaf(text, sizeof(text), &h);
		OK(tf_tree_append(t, &h, keep_tile, NULL, NULL));
	}
	OK(tf_tree_edge(t, 0, keep_tile, NULL, NULL));
	free(t);
}

static struct tf_checkpoint
tree_of(const char *origin, uint64_t size)
{
	struct tf_checkpoint c = { .size = size };

	snprintf(c.origin, sizeof(c.origin), "%s", origin);
	OK(tf_merkle_root(size, get_tile, NULL, &c.root, NULL));
	return c;
}

static enum tf_code
sign_checkpoint(const struct tf_checkpoint *c, struct tf_buf *note)
{
	struct tf_ticket ticket;
	enum tf_code rc;

	err = (struct tf_error){ .code = TF_OK };
	note->n = 0;
	if ((rc = tf_signer_prepare(s, c, &ticket, &err)) != TF_OK)
		return rc;
	return tf_signer_checkpoint(s, c, &ticket, get_tile, NULL, note, &err);
}

static enum tf_code
sign_tree(const char *origin, uint64_t size)
{
	struct tf_checkpoint c = tree_of(origin, size);
	struct tf_buf note = { 0 };
	enum tf_code rc = sign_checkpoint(&c, &note);

	tf_buf_free(&note);
	return rc;
}

static void
is_refused(enum tf_code rc, const char *why)
{
	ck_assert_int_eq(TF_TAMPER, rc);
	ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

/* Sizes at tiles and between them. */
static const uint64_t sizes[] = { 1, 2, 3, 255, 256, 257, 300, 511, 512, 513,
	600 };

START_TEST(a_growing_log_is_signed_with_its_proofs)
{
	struct tf_checkpoint c, read;
	struct tf_buf note = { 0 };
	struct tf_vkey k;

	fill_log(UINT64_MAX);
	tf_vkey_make(&k, "example.org/a", &tf_signer_keys(s)->log);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		c = tree_of("example.org/a", sizes[i]);
		OK(sign_checkpoint(&c, &note));
		OK(tf_checkpoint_check(note.p, note.n, &k, &read, NULL));
		ck_assert_uint_eq(sizes[i], read.size);
		ck_assert_mem_eq(&c.root, &read.root, sizeof(c.root));
	}
	tf_buf_free(&note);
}
END_TEST

START_TEST(the_same_tree_again_gives_the_same_note)
{
	struct tf_buf note = { 0 }, again = { 0 };
	struct tf_checkpoint c;

	fill_log(UINT64_MAX);
	c = tree_of("example.org/a", 300);
	OK(sign_checkpoint(&c, &note));
	tf_signer_close(s);
	open_signer();
	OK(sign_checkpoint(&c, &again));
	assert_same(note.p, note.n, again.p, again.n);
	again.n = 0;
	OK(tf_signer_newest(s, "example.org/a", &again, NULL));
	assert_same(note.p, note.n, again.p, again.n);
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_signer_newest(s, "example.org/b", &again, NULL));
	tf_buf_free(&note);
	tf_buf_free(&again);
}
END_TEST

START_TEST(it_does_not_go_back)
{
	fill_log(UINT64_MAX);
	OK(sign_tree("example.org/a", 300));
	is_refused(sign_tree("example.org/a", 299), "refuses to go back");
	/* It remembers that, as another process. */
	tf_signer_close(s);
	open_signer();
	is_refused(sign_tree("example.org/a", 1), "refuses to go back");
	OK(sign_tree("example.org/a", 301));
}
END_TEST

START_TEST(it_signs_one_root_for_one_size)
{
	fill_log(UINT64_MAX);
	OK(sign_tree("example.org/a", 300));
	fill_log(299);
	is_refused(sign_tree("example.org/a", 300), "two trees of 300");
	fill_log(UINT64_MAX);
	OK(sign_tree("example.org/a", 300));
}
END_TEST

/* The other tree has proofs of its own, which prove it to nobody else. */
START_TEST(it_wants_a_proof_of_consistency)
{
	struct tf_sign_request r = { .from = 300 };
	struct tf_buf note = { 0 };
	struct tf_checkpoint c;

	fill_log(UINT64_MAX);
	OK(sign_tree("example.org/a", 300));
	fill_log(7);
	is_refused(sign_tree("example.org/a", 301), "not proven to continue");
	fill_log(UINT64_MAX);
	c = tree_of("example.org/a", 400);
	r.c = &c;
	OK(tf_signer_prepare(s, &c, &r.ticket, NULL));
	is_refused(s->ops->checkpoint(s, &r, &note, &err), "not proven");
	OK(tf_merkle_consistency(300, 400, get_tile, NULL, &r.proof, NULL));
	for (unsigned i = 0; i < r.proof.n; i++) {
		r.proof.h[i].b[i % 32] ^= 1;
		is_refused(s->ops->checkpoint(s, &r, &note, &err),
		    "not proven");
		r.proof.h[i].b[i % 32] ^= 1;
	}
	r.from = 299; /* the proof is of the tree that it signed last */
	ck_assert_int_eq(TF_BUSY, s->ops->checkpoint(s, &r, &note, &err));
	r.from = 300;
	OK(s->ops->checkpoint(s, &r, &note, &err));
	tf_buf_free(&note);
}
END_TEST

START_TEST(it_signs_nothing_without_its_ticket)
{
	struct tf_ticket ticket, other;
	struct tf_checkpoint c, d;
	struct tf_buf note = { 0 };

	fill_log(UINT64_MAX);
	c = tree_of("example.org/a", 300);
	d = tree_of("example.org/a", 299);
	OK(tf_signer_prepare(s, &c, &ticket, NULL));
	OK(tf_signer_prepare(s, &d, &other, NULL));
	is_refused(tf_signer_checkpoint(s, &c, &other, get_tile, NULL, &note,
		       &err),
	    "ticket");
	for (unsigned i = 0; i < TF_TICKET_LEN; i++) {
		other = ticket;
		other.b[i] ^= 0x80;
		is_refused(tf_signer_checkpoint(s, &c, &other, get_tile, NULL,
			       &note, &err),
		    "ticket");
	}
	OK(tf_signer_checkpoint(s, &c, &ticket, get_tile, NULL, &note, NULL));
	tf_buf_free(&note);
}
END_TEST

START_TEST(a_later_origin_closes_the_earlier_one)
{
	fill_log(UINT64_MAX);
	OK(sign_tree("example.org/a", 300));
	OK(sign_tree("example.org/a/2", 250));
	is_refused(sign_tree("example.org/a", 301), "a later origin");
	OK(sign_tree("example.org/a/2", 251));
	is_refused(sign_tree("example.org/a/2", 250), "refuses to go back");
}
END_TEST

/* Only a statement is signed with the attester's key: nothing that could be
 * taken for something else. */
START_TEST(the_attester_signs_statements_only)
{
	static const char pae[] = "DSSEv1 1 a 1 b";
	uint8_t sig[TF_SIG_LEN];

	OK(tf_signer_statement(s, pae, strlen(pae), sig, NULL));
	OK(tf_key_verify(&tf_signer_keys(s)->attester, pae, strlen(pae), sig));
	ck_assert_int_eq(TF_INVALID,
	    tf_signer_statement(s, pae + 1, strlen(pae) - 1, sig, NULL));
	ck_assert_int_eq(TF_INVALID, tf_signer_statement(s, "", 0, sig, NULL));
}
END_TEST

/* Change one byte of the file at off. */
static void
spoil(off_t off)
{
	char b;
	int fd = open(TF_SIGNER_STATE, O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(1, pread(fd, &b, 1, off));
	b ^= 1;
	ck_assert_int_eq(1, pwrite(fd, &b, 1, off));
	(void)close(fd);
}

/* Of two slots that are written in turn one may be torn, and not both. */
START_TEST(a_torn_memory_is_the_one_before)
{
	fill_log(UINT64_MAX);
	OK(sign_tree("example.org/a", 300)); /* slot 0 */
	OK(sign_tree("example.org/a", 301)); /* slot 1 */
	spoil(1024 + 20);
	OK(sign_tree("example.org/a", 300));
	is_refused(sign_tree("example.org/a", 299), "refuses to go back");
	spoil(512 + 20);
	is_refused(sign_tree("example.org/a", 302), "is damaged");
	tf_signer_close(s);
	s = NULL;
	spoil(3);
	is_refused(tf_signer_local(AT_FDCWD, &s, &err), "is no state");
}
END_TEST

/* --- a run that ended between commit and signature -------------------------- */

static const char cut[] =
    "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)";

static enum tf_code
open_store(void)
{
	struct tf_vault_options o = { .program = "trailctl", .moved = true };
	struct tf_vault *v;
	enum tf_code rc = tf_vault_open("store", &o, &v, &err);

	return rc == TF_OK ? tf_vault_close(v, "done", &err) : rc;
}

static void
copy_note(const char *to)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "ATTACH '%s' AS k; CREATE TABLE IF NOT EXISTS k.note AS"
	    " SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1",
	    to);
	sql(text);
}

START_TEST(the_next_start_signs_what_was_not)
{
	copy_note("kept.db");
	sql(cut);
	OK(store());
	says("signature||");
	/* It was signed: the copy of the head has the signature. */
	says("the checkpoint beside the database is signed for ");
	says("the database lacks that signature: a power cut lost it, or "
	     "somebody deleted it\n");
	says("entries at the end are not signed yet: the next start signs "
	     "them\n");
	ck_assert_uint_eq(0, r.findings);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_SIGNATURE]);
	OK(open_store());
	OK(store());
	is_whole();
	/* The same note as before. */
	sql("ATTACH 'kept.db' AS k; CREATE TEMP TABLE t(n INTEGER CHECK(n = 1));"
	    "INSERT INTO t SELECT count(*) FROM checkpoint c JOIN k.note n ON"
	    " c.size = n.size AND c.note = n.note");
	sh("rm kept.db");
}
END_TEST

static const struct {
	const char *sql, *says;
} forged[] = {
	{ "UPDATE meta SET value = substr(value, 1, length(value) - 1) ||"
	  " CASE substr(value, -1) WHEN 'a' THEN 'b' ELSE 'a' END"
	  " WHERE key = 'ticket'",
	    "ticket of" },
	{ "DELETE FROM meta WHERE key = 'ticket'", "does not cover" },
	{ "UPDATE meta SET value = '7' WHERE key = 'ticket'", "malformed" },
	{ "UPDATE meta SET value = '9' || value WHERE key = 'ticket'",
	    "does not cover" },
};

START_TEST(a_store_that_was_changed_at_rest_is_not_signed)
{
	sql(cut);
	sql(forged[_i].sql);
	ck_assert_int_eq(TF_TAMPER, open_store());
	ck_assert_msg(strstr(err.text, forged[_i].says) != NULL, "%s",
	    err.text);
}
END_TEST

/* Entries that somebody appended, with all tiles, and the old ticket. */
START_TEST(appended_entries_have_no_ticket)
{
	sql("INSERT INTO entry(idx, off, body) SELECT idx + 1,"
	    " off + length(body) + 1, body FROM entry ORDER BY idx DESC LIMIT 1");
	ck_assert_int_eq(TF_TAMPER, open_store());
	OK(store());
	says("entries||there are entries after the newest checkpoint\n");
}
END_TEST

/* What the signer remembers is one more copy of the head. */
START_TEST(a_database_that_was_put_back_is_refused)
{
	sh("cp -a store/ledger.db old.db");
	OK(open_store());
	sh("cp old.db store/ledger.db && rm -f old.db store/ledger.db-* "
	   "store/checkpoint");
	ck_assert_int_eq(TF_TAMPER, open_store());
	ck_assert_msg(strstr(err.text, "the signer") != NULL, "%s", err.text);
}
END_TEST

Suite *suite_signer(void);

Suite *
suite_signer(void)
{
	Suite *suite = suite_create("signer");
	TCase *t = tcase_create("rules"), *v = tcase_create("store");

	tcase_add_checked_fixture(t, make_keys, remove_keys);
	tcase_add_test(t, a_growing_log_is_signed_with_its_proofs);
	tcase_add_test(t, the_same_tree_again_gives_the_same_note);
	tcase_add_test(t, it_does_not_go_back);
	tcase_add_test(t, it_signs_one_root_for_one_size);
	tcase_add_test(t, it_wants_a_proof_of_consistency);
	tcase_add_test(t, it_signs_nothing_without_its_ticket);
	tcase_add_test(t, a_later_origin_closes_the_earlier_one);
	tcase_add_test(t, the_attester_signs_statements_only);
	tcase_add_test(t, a_torn_memory_is_the_one_before);
	suite_add_tcase(suite, t);
	tcase_set_timeout(v, 120);
	tcase_add_checked_fixture(v, set_up, tear_down);
	tcase_add_test(v, the_next_start_signs_what_was_not);
	EACH(v, a_store_that_was_changed_at_rest_is_not_signed, forged);
	tcase_add_test(v, appended_entries_have_no_ticket);
	tcase_add_test(v, a_database_that_was_put_back_is_refused);
	suite_add_tcase(suite, v);
	return suite;
}
