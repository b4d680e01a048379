/* Rotations of the log's key: which key is good at which size, for whoever trusts
 * any of them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/rotation.h"
#include "rotations.h"
#include "vectors.h"

/* The keys of rotations.jsonl: entry 23 names the second, 40 the third. */
static const char *const seed[] = { SEED_LOG, SEED_SECOND, SEED_ATTESTER };
#define KEYS 3
#define FIRST_END 24 /* the first key is good up to this size */
#define SECOND_END 41

static struct tf_vkey vkey[KEYS];
static struct tf_key *secret[KEYS];
static struct tf_log_keys known;
static struct tf_buf lines;

static void
setup(void)
{
	struct tf_str rest, line;

	for (int i = 0; i < KEYS; i++) {
		struct tf_pubkey pub;

		secret[i] = key_of(seed[i]);
		tf_key_public(secret[i], &pub);
		tf_vkey_make(&vkey[i], "example.org/vault", &pub);
	}
	lines = read_vector("rotations.jsonl");
	rest = (struct tf_str){ lines.p, lines.n };
	while (take_line(&rest, &line))
		ck_assert_int_eq(TF_OK,
		    tf_log_keys_learn(&known, line.p, line.n, NULL));
	ck_assert_uint_eq(2, known.n);
}

static void
teardown(void)
{
	for (int i = 0; i < KEYS; i++)
		tf_key_free(secret[i]);
	tf_log_keys_free(&known);
	tf_buf_free(&lines);
}

/* A checkpoint of that size by the keys in the set. */
static void
sign(uint64_t size, unsigned set, struct tf_buf *note)
{
	struct tf_checkpoint c = { .origin = "example.org/vault",
		.size = size };
	struct tf_buf one = { 0 };

	note->n = 0;
	for (int i = 0; i < KEYS; i++) {
		const char *line;

		if ((set >> i & 1) == 0)
			continue;
		one.n = 0;
		ck_assert_int_eq(TF_OK,
		    tf_checkpoint_sign(&c, secret[i], &one, NULL));
		tf_buf_add(&one, "", 1);
		line = strstr(one.p, "\n\n") + 2;
		tf_buf_str(note, note->n == 0 ? one.p : line);
	}
	ck_assert(!note->failed);
	tf_buf_free(&one);
}

static enum tf_code
check(int trusted, const struct tf_buf *note, int *by)
{
	struct tf_checkpoint c;
	struct tf_vkey k;
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc = tf_log_keys_check(&known, &vkey[trusted], note->p,
	    note->n, &c, &k, &err);

	for (*by = 0; rc == TF_OK && *by < KEYS; ++*by)
		if (memcmp(&k.pub, &vkey[*by].pub, sizeof(k.pub)) == 0)
			break;
	return rc;
}

/* Loop test: whoever trusts any of the keys. */
START_TEST(each_key_is_good_up_to_the_size_of_its_rotation)
{
	static const uint64_t end[KEYS] = { FIRST_END, SECOND_END, UINT64_MAX };
	static const uint64_t sizes[] = { 1, 23, 24, 25, 40, 41, 42, 1000000 };
	struct tf_buf note = { 0 };
	int by;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (int k = 0; k < KEYS; k++) {
			sign(sizes[i], 1u << k, &note);
			ck_assert_int_eq(sizes[i] <= end[k] ? TF_OK : TF_TAMPER,
			    check(_i, &note, &by));
			if (sizes[i] <= end[k])
				ck_assert_int_eq(k, by);
		}
	tf_buf_free(&note);
}
END_TEST

/* Loop test.  While both keys sign, the new one makes the note good. */
START_TEST(a_note_of_both_keys_is_good)
{
	struct tf_buf note = { 0 };
	int by;

	sign(25, 3, &note);
	ck_assert_int_eq(TF_OK, check(_i, &note, &by));
	ck_assert_int_eq(1, by);
	sign(42, 6, &note);
	ck_assert_int_eq(TF_OK, check(_i, &note, &by));
	ck_assert_int_eq(2, by);
	sign(42, 3, &note); /* neither is good any more */
	ck_assert_int_eq(TF_TAMPER, check(_i, &note, &by));
	tf_buf_free(&note);
}
END_TEST

/* Loop test. */
START_TEST(the_key_in_force_follows_from_the_size)
{
	static const struct {
		uint64_t size;
		int key;
	} rows[] = { { 0, 0 }, { 23, 0 }, { 24, 1 }, { 40, 1 }, { 41, 2 },
		{ UINT64_MAX, 2 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_mem_eq(&vkey[rows[i].key].pub,
		    &tf_log_keys_at(&known, &vkey[_i], rows[i].size)->pub,
		    sizeof(struct tf_pubkey));
	for (int k = 0; k < KEYS; k++)
		ck_assert(tf_log_keys_has(&known, &vkey[_i], &vkey[k]));
}
END_TEST

/* Loop test: one character of the entry of a rotation is another one. */
START_TEST(a_changed_rotation_is_not_learned)
{
	struct tf_log_keys k = { .n = 0 };
	struct tf_str rest = { lines.p, lines.n }, line;
	char *copy;

	ck_assert(take_line(&rest, &line));
	copy = strndup(line.p, line.n);
	if ((size_t)_i < line.n) {
		copy[_i] = copy[_i] == '7' ? '8' : '7';
		ck_assert_int_eq(TF_OK,
		    tf_log_keys_learn(&k, copy, line.n, NULL));
		/* What is not signed may differ; number and keys may not. */
		if (k.n > 0) {
			ck_assert_uint_eq(23, k.rotation[0].seq);
			ck_assert(memcmp(&k.rotation[0].old_key, &vkey[0],
				      sizeof(vkey[0])) == 0 &&
			    memcmp(&k.rotation[0].new_key, &vkey[1],
				sizeof(vkey[1])) == 0);
		}
	}
	tf_log_keys_free(&k);
	free(copy);
}
END_TEST

/* Nobody names himself the successor of a key that he has not, nor, with a stolen
 * old key, a later end for it. */
START_TEST(both_keys_must_sign_a_rotation)
{
	struct tf_buf old_key = { 0 }, new_key = { 0 };
	struct rotation_sigs s;
	struct tf_entry e = { .seq = 90 };

	tf_vkey_text(&vkey[0], &old_key);
	tf_vkey_text(&vkey[1], &new_key);
	e.key_old = (struct tf_str){ old_key.p, old_key.n };
	e.key_new = (struct tf_str){ new_key.p, new_key.n };
	sign_rotation(&e, seed[0], seed[1], &s);
	ck_assert_int_eq(TF_OK, tf_rotation_check(&e));
	e.seq++;
	ck_assert_int_eq(TF_TAMPER, tf_rotation_check(&e));
	sign_rotation(&e, seed[0], seed[0], &s);
	ck_assert_int_eq(TF_TAMPER, tf_rotation_check(&e));
	sign_rotation(&e, seed[1], seed[1], &s);
	ck_assert_int_eq(TF_TAMPER, tf_rotation_check(&e));
	e.old_sig.p = NULL;
	ck_assert_int_eq(TF_TAMPER, tf_rotation_check(&e));
	tf_buf_free(&old_key);
	tf_buf_free(&new_key);
}
END_TEST

START_TEST(a_trusted_key_may_bring_its_rotations)
{
	struct tf_log_keys k = { .n = 0 };
	struct tf_buf text = { 0 };
	struct tf_vkey key;
	struct tf_error err;

	tf_vkey_text(&vkey[0], &text);
	ck_assert_int_eq(TF_OK,
	    tf_log_keys_parse(&k, tf_buf_bytes(&text), &key, &err));
	ck_assert_uint_eq(0, k.n);
	tf_buf_str(&text, "\n");
	tf_buf_add(&text, lines.p, lines.n);
	ck_assert_int_eq(TF_OK,
	    tf_log_keys_parse(&k, tf_buf_bytes(&text), &key, &err));
	ck_assert_int_eq(TF_OK,
	    tf_log_keys_parse(&k, tf_buf_bytes(&text), &key, &err));
	ck_assert_uint_eq(2, k.n); /* each once */
	ck_assert_mem_eq(&key.pub, &vkey[0].pub, sizeof(key.pub));
	tf_buf_str(&text, "{}");
	ck_assert_int_eq(TF_INVALID,
	    tf_log_keys_parse(&k, tf_buf_bytes(&text), &key, &err));
	ck_assert_int_eq(TF_INVALID,
	    tf_log_keys_parse(&k, (struct tf_str){ "", 0 }, &key, &err));
	tf_log_keys_free(&k);
	tf_buf_free(&text);
}
END_TEST

/* The rotation of an organisation's key: its number says nothing, its size all. */
START_TEST(a_rotation_of_an_organisation_ends_at_its_size)
{
	struct tf_buf file = read_vector("organisation.jsonl");
	struct tf_str rest = { file.p, file.n }, line, last = { 0 };
	struct tf_log_keys keys = { 0 };
	struct tf_vkey old_key, new_key;
	struct tf_pubkey pub;
	struct tf_buf changed = { 0 };

	tf_key_public(secret[0], &pub);
	tf_vkey_make(&old_key, "example.org/organisation", &pub);
	tf_key_public(secret[1], &pub);
	tf_vkey_make(&new_key, "example.org/organisation", &pub);
	while (take_line(&rest, &line)) {
		last = line;
		ck_assert_int_eq(TF_OK,
		    tf_log_keys_learn(&keys, line.p, line.n, NULL));
	}
	ck_assert_uint_eq(1, keys.n);
	for (int i = 0; i < 2; i++) {
		const struct tf_vkey *from = i == 0 ? &old_key : &new_key;

		ck_assert_mem_eq(&old_key.pub,
		    &tf_log_keys_at(&keys, from, 499)->pub, sizeof(pub));
		ck_assert_mem_eq(&new_key.pub,
		    &tf_log_keys_at(&keys, from, 500)->pub, sizeof(pub));
	}
	/* Each changed byte but those of actor, at, seq: not learned. */
	tf_log_keys_free(&keys);
	for (size_t i = 0; i < last.n; i++) {
		const char *p = memmem(last.p, last.n, "\"new\"", 5);
		const char *origin = memmem(last.p, last.n, "\"origin\"", 8);
		const char *size = memmem(last.p, last.n, "\"size\"", 6);

		if (last.p + i < p ||
		    (last.p + i >= origin && last.p + i < size))
			continue;
		changed.n = 0;
		tf_buf_add(&changed, last.p, last.n);
		changed.p[i] ^= 1;
		ck_assert_int_eq(TF_OK,
		    tf_log_keys_learn(&keys, changed.p, changed.n, NULL));
		ck_assert_uint_eq(0, keys.n);
	}
	tf_buf_free(&changed);
	tf_buf_free(&file);
}
END_TEST

Suite *
suite_rotation(void)
{
	Suite *s = suite_create("rotation");
	TCase *t = tcase_create("keys");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, each_key_is_good_up_to_the_size_of_its_rotation,
	    0, KEYS);
	tcase_add_loop_test(t, a_note_of_both_keys_is_good, 0, KEYS);
	tcase_add_loop_test(t, the_key_in_force_follows_from_the_size, 0, KEYS);
	tcase_add_loop_test(t, a_changed_rotation_is_not_learned, 0, 640);
	tcase_add_test(t, both_keys_must_sign_a_rotation);
	tcase_add_test(t, a_rotation_of_an_organisation_ends_at_its_size);
	tcase_add_test(t, a_trusted_key_may_bring_its_rotations);
	suite_add_tcase(s, t);
	return s;
}
