#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/ledger/checkpoint.h"
#include "vectors.h"

/* The worked example of a checkpoint. */
#define VKEY                                \
	"trailfs.example/ledger1+2f731159+" \
	"AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define TEXT                           \
	"trailfs.example/ledger1\n2\n" \
	"DUZlytocdXytsRHHJeLp/+7qTUayfpqFlkq438Pft0c=\n"
#define DASH "\xe2\x80\x94 "
#define SIGNATURE                                                   \
	"L3MRWS52KDZlYt0Yx4IC4fXkIUHld/5lfOTb6rJq3AhptY/B2BZcb2TTd" \
	"5rQZI3Cr4NYCQ9oE/IMdwlVGi2FUQnLIAk="
#define LINE DASH "trailfs.example/ledger1 " SIGNATURE "\n"
#define NOTE TEXT "\n" LINE
/* A cosignature, of a witness. */
#define WITNESS                                                                   \
	DASH                                                                      \
	    "witness.example/w1 BNLYMwAAAABrA/KAFALW6Kbvwhc2xhBz4Gx"              \
	    "QmLFgYvWgUmsd751Fw91m5xfDDK9ZGs64xOZX7l63yzDWqRyENz3MsUR6PaLlQh+eAA" \
	    "==\n"

static struct tf_vkey
vkey_of(const char *text)
{
	struct tf_vkey k;

	ck_assert_int_eq(TF_OK, tf_vkey_parse(text, strlen(text), &k, NULL));
	return k;
}

static enum tf_code
check_note(const char *note, size_t n)
{
	struct tf_vkey k = vkey_of(VKEY);
	struct tf_checkpoint c;
	/* Exactly n bytes: a sanitizer sees one read too many. */
	char *exact = calloc(1, n ? n : 1);
	enum tf_code rc;

	memcpy(exact, note, n);
	rc = tf_checkpoint_check(exact, n, &k, &c, NULL);
	free(exact);
	return rc;
}

static enum tf_code
check(const char *note)
{
	return check_note(note, strlen(note));
}

START_TEST(the_key_of_the_worked_example_is_written_and_read)
{
	struct tf_key *key = key_of(SEED_LOG);
	struct tf_buf b = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey k;

	tf_key_public(key, &pub);
	tf_vkey_make(&k, "trailfs.example/ledger1", &pub);
	tf_vkey_text(&k, &b);
	ck_assert_str_eq(VKEY, b.p);
	k = vkey_of(VKEY);
	ck_assert_str_eq("trailfs.example/ledger1", k.name);
	ck_assert_mem_eq("\x2f\x73\x11\x59", k.id, 4);
	ck_assert_mem_eq(pub.b, k.pub.b, TF_PUBKEY_LEN);
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

START_TEST(keys_of_another_form_are_refused)
{
	static const char key[] =
	    "AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
	static const char *const bad[] = { "", "+", "++", "a", "a+", "a+b+c",
		"trailfs.example/ledger1", "trailfs.example/ledger1+2f731159",
		"trailfs.example/ledger1+2f731159+",
		"trailfs.example/ledger1+2f73115+%", "+2f731159+%",
		"trailfs.example/ledger1+2F731159+%",
		"trailfs.example/ledger1+2f73115a+%",
		"trailfs.example/ledger2+2f731159+%",
		"trailfs.example/ledger 1+2f731159+%",
		"trailfs.example/ledger1+2f731159-%",
		"trailfs.example/ledger1+2f731159+% ",
		"trailfs.example/ledger1+2f731159+%\n",
		"trailfs.example/ledger1+2f731159+%AAAA",
		/* a cosigner's key, and one of 32 bytes */
		"witness.example/w1+04d2d833+"
		"BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
		"trailfs.example/ledger1+2f731159+"
		"AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1E=" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *mark = strchr(bad[i], '%');
		struct tf_buf b = { 0 };
		struct tf_vkey k;

		tf_buf_add(&b, bad[i],
		    mark ? (size_t)(mark - bad[i]) : strlen(bad[i]));
		if (mark)
			tf_buf_printf(&b, "%s%s", key, mark + 1);
		ck_assert_msg(tf_vkey_parse(b.p, b.n, &k, NULL) == TF_INVALID,
		    "%s was taken", b.p);
		tf_buf_free(&b);
	}
}
END_TEST

START_TEST(the_worked_example_is_signed_byte_for_byte)
{
	struct tf_key *key = key_of(SEED_LOG);
	struct tf_checkpoint c = { .origin = "trailfs.example/ledger1",
		.size = 2 },
			     got;
	struct tf_vkey k = vkey_of(VKEY);
	struct tf_buf b = { 0 };

	tf_buf_str(&b, "before");
	c.root = hash_of("0d4665cada1c757cadb111c725e2e9ffeeea4d46b27e9a85"
			 "964ab8dfc3dfb747");
	ck_assert_int_eq(TF_OK, tf_checkpoint_sign(&c, key, &b, NULL));
	ck_assert_str_eq("before" NOTE, b.p);
	ck_assert_int_eq(TF_OK,
	    tf_checkpoint_check(b.p + 6, b.n - 6, &k, &got, NULL));
	ck_assert_str_eq(c.origin, got.origin);
	ck_assert_uint_eq(2, got.size);
	ck_assert_mem_eq(&c.root, &got.root, sizeof(c.root));
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

START_TEST(the_vector_is_signed_byte_for_byte)
{
	struct tf_buf want = read_vector("entries-example.checkpoint");
	struct tf_key *key = key_of(SEED_LOG);
	struct tf_checkpoint c = { .origin = "example.org/vault", .size = 9 };
	struct tf_buf b = { 0 };

	c.root = hash_of("749428a7bd1a38335a01c115b1a6b59838953665fcebf183a5"
			 "ae3f63c8062863");
	ck_assert_int_eq(TF_OK, tf_checkpoint_sign(&c, key, &b, NULL));
	assert_same(want.p, want.n, b.p, b.n);
	tf_buf_free(&b);
	tf_buf_free(&want);
	tf_key_free(key);
}
END_TEST

START_TEST(what_no_checkpoint_can_say_is_not_signed)
{
	struct tf_key *key = key_of(SEED_LOG);
	struct tf_checkpoint c = { .origin = "a", .size = (uint64_t)1 << 63 };
	struct tf_buf b = { 0 };

	ck_assert_int_eq(TF_INVALID, tf_checkpoint_sign(&c, key, &b, NULL));
	c.size--;
	ck_assert_int_eq(TF_OK, tf_checkpoint_sign(&c, key, &b, NULL));
	strcpy(c.origin, "cosignature/v1");
	ck_assert_int_eq(TF_INVALID, tf_checkpoint_sign(&c, key, &b, NULL));
	c.origin[0] = '\0';
	ck_assert_int_eq(TF_INVALID, tf_checkpoint_sign(&c, key, &b, NULL));
	memset(c.origin, 'a', sizeof(c.origin));
	ck_assert_int_eq(TF_INVALID, tf_checkpoint_sign(&c, key, &b, NULL));
	tf_buf_free(&b);
	tf_key_free(key);
}
END_TEST

/* 2^63-1 entries can be said, 2^63 not; and 0. */
START_TEST(sizes_have_their_bounds)
{
	struct tf_key *key = key_of(SEED_LOG);
	struct tf_vkey k = vkey_of(VKEY);
	static const uint64_t sizes[] = { 0, 1, 10, INT64_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tf_checkpoint c = { .origin = "trailfs.example/ledger1",
			.size = sizes[i] },
				     got;
		struct tf_buf b = { 0 };

		ck_assert_int_eq(TF_OK, tf_checkpoint_sign(&c, key, &b, NULL));
		ck_assert_int_eq(TF_OK,
		    tf_checkpoint_check(b.p, b.n, &k, &got, NULL));
		ck_assert_uint_eq(sizes[i], got.size);
		tf_buf_free(&b);
	}
	tf_key_free(key);
}
END_TEST

#define ROOT "DUZlytocdXytsRHHJeLp/+7qTUayfpqFlkq438Pft0c="
#define HEAD "trailfs.example/ledger1\n"

static const char *const malformed[] = {
	"",
	"\n",
	"\n\n",
	TEXT,
	TEXT "\n",
	LINE,
	"\n" LINE,
	/* text */
	HEAD "02\n" ROOT "\n\n" LINE,
	HEAD "+2\n" ROOT "\n\n" LINE,
	HEAD "-2\n" ROOT "\n\n" LINE,
	HEAD "0x2\n" ROOT "\n\n" LINE,
	HEAD "2 \n" ROOT "\n\n" LINE,
	HEAD " 2\n" ROOT "\n\n" LINE,
	HEAD "\n" ROOT "\n\n" LINE,
	HEAD "2a\n" ROOT "\n\n" LINE,
	HEAD "9223372036854775808\n" ROOT "\n\n" LINE,
	HEAD "18446744073709551618\n" ROOT "\n\n" LINE,
	HEAD "2\n\n" LINE,
	HEAD "2\n\n\n" LINE,
	HEAD "2\n" ROOT "\nextension\n\n" LINE,
	HEAD "2\n" ROOT "\n\n\n" LINE,
	HEAD "2\n" ROOT "\n" LINE,
	HEAD "2\nDUZlytocdXytsRHHJeLp/+7qTUayfpqFlkq438Pft0c\n\n" LINE,
	HEAD "2\nDUZlytocdXytsRHHJeLp/+7qTUayfpqFlkq438Pft0d=\n\n" LINE,
	HEAD "2\nDUZlytocdXytsRHHJeLp_-7qTUayfpqFlkq438Pft0c=\n\n" LINE,
	HEAD "2\n" ROOT " \n\n" LINE,
	HEAD "2\nAAAA\n\n" LINE,
	HEAD "2\n" ROOT "AAAA\n\n" LINE,
	HEAD "2\n" ROOT "====\n\n" LINE,
	"\n2\n" ROOT "\n\n" LINE,
	"trailfs.example ledger1\n2\n" ROOT "\n\n" LINE,
	"trailfs.example+ledger1\n2\n" ROOT "\n\n" LINE,
	"trailfs.example/ledger1 \n2\n" ROOT "\n\n" LINE,
	"cosignature/v1\n2\n" ROOT "\n\n" LINE,
	/* line ends */
	"trailfs.example/ledger1\r\n2\r\n" ROOT "\r\n\r\n" LINE,
	HEAD "2\n" ROOT "\n\n" DASH "trailfs.example/ledger1 " SIGNATURE "\r\n",
	HEAD "2\r\n" ROOT "\n\n" LINE,
	HEAD "2\n" ROOT "\n\r\n" LINE,
	/* signature lines */
	TEXT "\n- trailfs.example/ledger1 " SIGNATURE "\n",
	TEXT "\n\xe2\x80\x93 trailfs.example/ledger1 " SIGNATURE "\n",
	TEXT "\n\xe2\x80\x94trailfs.example/ledger1 " SIGNATURE "\n",
	TEXT "\n " LINE,
	TEXT "\n" DASH " trailfs.example/ledger1 " SIGNATURE "\n",
	TEXT "\n" DASH "trailfs.example/ledger1  " SIGNATURE "\n",
	TEXT "\n" DASH "trailfs.example/ledger1 " SIGNATURE,
	TEXT "\n" DASH "trailfs.example/ledger1 " SIGNATURE " \n",
	TEXT "\n" DASH "trailfs.example/ledger1 " SIGNATURE " x\n",
	TEXT "\n" DASH "trailfs.example/ledger1\n",
	TEXT "\n" DASH "\n",
	TEXT "\n" DASH "trailfs.example/ledger1 \n",
	TEXT "\n" DASH "trailfs.example/ledger1 L3MRWQ==\n",
	TEXT "\n" DASH "trailfs.example+ledger1 " SIGNATURE "\n",
	TEXT "\n" DASH "trailfs.example\xc2\xa0ledger1 " SIGNATURE "\n",
	TEXT "\n" DASH "trailfs.example\xe3\x80\x80ledger1 " SIGNATURE "\n",
	NOTE "\n",
	NOTE "x",
	NOTE "x\n",
	NOTE "\n" LINE,
	NOTE " \n",
	NOTE DASH "other A\n",
	NOTE DASH "other AAAAAAAA",
	/* bytes */
	"trailfs.example/ledger1\n2\n" ROOT "\n\n" LINE "\x01",
	"\xef\xbb\xbf" NOTE,
	NOTE DASH "\xff AAAAAAAA\n",
};

#define MALFORMED (int)(sizeof(malformed) / sizeof(malformed[0]))

START_TEST(a_malformed_note_is_invalid)
{
	ck_assert_msg(check(malformed[_i]) == TF_INVALID, "taken: %s",
	    malformed[_i]);
}
END_TEST

/* The spaces of Unicode; beside each a letter that is none. */
START_TEST(no_space_stands_in_the_name_of_a_key)
{
	static const struct {
		const char *space, *other;
	} c[] = {
		{ "\xc2\x85", "\xc2\x84" },
		{ "\xc2\xa0", "\xc2\xa1" },
		{ "\xe1\x9a\x80", "\xe1\x9a\x81" },
		{ "\xe2\x80\x80", "\xe1\xbf\xbf" },
		{ "\xe2\x80\x8a", "\xe2\x80\x8b" },
		{ "\xe2\x80\xa8", "\xe2\x80\xa7" },
		{ "\xe2\x80\xa9", "\xe2\x80\xaa" },
		{ "\xe2\x80\xaf", "\xe2\x80\xb0" },
		{ "\xe2\x81\x9f", "\xe2\x81\xa0" },
		{ "\xe3\x80\x80", "\xe3\x80\x81" },
	};
	struct tf_buf b = { 0 };

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		b.n = 0;
		tf_buf_printf(&b, NOTE DASH "a%sb AAAAAAAA\n", c[i].space);
		ck_assert_msg(check(b.p) == TF_INVALID, "taken: %s", b.p);
		b.n = 0;
		tf_buf_printf(&b, NOTE DASH "a%sb AAAAAAAA\n", c[i].other);
		ck_assert_msg(check(b.p) == TF_OK, "refused: %s", b.p);
	}
	tf_buf_free(&b);
}
END_TEST

#define X16 "xxxxxxxxxxxxxxxx"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16

START_TEST(an_origin_has_its_bound)
{
	static const char rest[] = "+2f731159+AAAA";
	struct tf_vkey k;

	/* Of 128 bytes: it is the key's that is not the note's. */
	ck_assert_int_eq(TF_FOREIGN, check(X128 "\n2\n" ROOT "\n\n" LINE));
	ck_assert_int_eq(TF_INVALID, check(X128 "x\n2\n" ROOT "\n\n" LINE));
	ck_assert_int_eq(TF_INVALID, tf_vkey_parse(X128, 128, &k, NULL));
	ck_assert_int_eq(TF_INVALID, tf_vkey_parse("", 0, &k, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_vkey_parse(X128 "x+2f731159+AAAA", 129 + sizeof(rest) - 1, &k,
		NULL));
}
END_TEST

START_TEST(lines_of_unknown_keys_are_ignored)
{
	ck_assert_int_eq(TF_OK, check(NOTE));
	ck_assert_int_eq(TF_OK, check(NOTE WITNESS));
	ck_assert_int_eq(TF_OK, check(TEXT "\n" WITNESS LINE WITNESS));
	/* The same name with another ID, the same ID with another name. */
	ck_assert_int_eq(TF_OK,
	    check(NOTE DASH "trailfs.example/ledger1 AAAAAAAAAAAA\n"));
	ck_assert_int_eq(TF_OK, check(NOTE DASH "\xc3\xbc L3MRWQAA\n"));
	ck_assert_int_eq(TF_OK, check(NOTE LINE));
}
END_TEST

START_TEST(a_wrong_or_absent_signature_is_tampering)
{
	ck_assert_int_eq(TF_TAMPER, check(TEXT "\n" WITNESS));
	/* With another ID it is the line of an unknown key. */
	ck_assert_int_eq(TF_TAMPER,
	    check(TEXT
		"\n" DASH
		"trailfs.example/ledger1 M3MRWS52KDZlYt0Yx4IC4fXkIUHld/5lfOTb6r"
		"Jq3AhptY/B2BZcb2TTd5rQZI3Cr4NYCQ9oE/IMdwlVGi2FUQnLIAk=\n"));
	ck_assert_int_eq(TF_TAMPER,
	    check(TEXT "\n" DASH "other/ledger1 " SIGNATURE "\n"));
}
END_TEST

START_TEST(a_wrong_signature_beside_a_good_one_is_tampering)
{
	ck_assert_int_eq(TF_TAMPER,
	    check(NOTE DASH "trailfs.example/ledger1 L3MRWQAA\n"));
	ck_assert_int_eq(TF_TAMPER,
	    check(TEXT "\n" DASH "trailfs.example/ledger1 L3MRWQAA\n" LINE));
	ck_assert_int_eq(TF_TAMPER, check(HEAD "3\n" ROOT "\n\n" LINE));
}
END_TEST

START_TEST(another_origin_is_foreign)
{
	ck_assert_int_eq(TF_FOREIGN,
	    check("trailfs.example/ledger2\n2\n" ROOT "\n\n" LINE));
}
END_TEST

START_TEST(a_note_has_a_hundred_lines_at_most)
{
	struct tf_buf b = { 0 };

	tf_buf_str(&b, NOTE);
	for (int i = 1; i < TF_NOTE_LINES_MAX; i++)
		tf_buf_str(&b, DASH "other AAAAAAAA\n");
	ck_assert_int_eq(TF_OK, check_note(b.p, b.n));
	tf_buf_str(&b, DASH "other AAAAAAAA\n");
	ck_assert_int_eq(TF_INVALID, check_note(b.p, b.n));
	b.n = 0;
	tf_buf_str(&b, NOTE DASH "other ");
	while (b.n < TF_NOTE_MAX)
		tf_buf_str(&b, "AAAA");
	tf_buf_str(&b, "\n");
	ck_assert_int_eq(TF_INVALID, check_note(b.p, b.n));
	tf_buf_free(&b);
}
END_TEST

/* No bit of it can change, no byte be missing or more. */
START_TEST(every_bit_of_a_note_counts)
{
	char note[sizeof(NOTE)];
	size_t n = sizeof(NOTE) - 1;

	memcpy(note, NOTE, sizeof(note));
	for (size_t bit = 0; bit < n * 8; bit++) {
		note[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_int_ne(TF_OK, check_note(note, n));
		note[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t k = 0; k < n; k++)
		ck_assert_int_ne(TF_OK, check_note(note, k));
	ck_assert_int_ne(TF_OK, check_note(note, n + 1));
	ck_assert_int_eq(TF_OK, check_note(note, n));
}
END_TEST

Suite *
suite_checkpoint(void)
{
	Suite *s = suite_create("checkpoint");
	TCase *t = tcase_create("checkpoint");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_key_of_the_worked_example_is_written_and_read);
	tcase_add_test(t, keys_of_another_form_are_refused);
	tcase_add_test(t, the_worked_example_is_signed_byte_for_byte);
	tcase_add_test(t, the_vector_is_signed_byte_for_byte);
	tcase_add_test(t, what_no_checkpoint_can_say_is_not_signed);
	tcase_add_test(t, sizes_have_their_bounds);
	tcase_add_loop_test(t, a_malformed_note_is_invalid, 0, MALFORMED);
	tcase_add_test(t, no_space_stands_in_the_name_of_a_key);
	tcase_add_test(t, an_origin_has_its_bound);
	tcase_add_test(t, lines_of_unknown_keys_are_ignored);
	tcase_add_test(t, a_wrong_or_absent_signature_is_tampering);
	tcase_add_test(t, a_wrong_signature_beside_a_good_one_is_tampering);
	tcase_add_test(t, another_origin_is_foreign);
	tcase_add_test(t, a_note_has_a_hundred_lines_at_most);
	tcase_add_test(t, every_bit_of_a_note_counts);
	suite_add_tcase(s, t);
	return s;
}
