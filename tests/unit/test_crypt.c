/* Recipients and what is encrypted to them; Debian's age decrypts it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/crypt/age_write.h"
#include "../../core/crypt/bech32.h"
#include "age.h"

/* --- bech32 ----------------------------------------------------------------- */

/* BIP 173, "Test vectors", without those that are longer than 90 characters. */
static const char *const valid[] = {
	"A12UEL5L",
	"a12uel5l",
	"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
	"?1ezyfcl",
};

START_TEST(published_bech32_is_read_and_written_again)
{
	struct tf_str prefix, text = tf_str_of(valid[_i]);
	uint8_t out[64];
	char low[128], again[128];
	size_t n;

	ck_assert(tf_bech32_decode(text, &prefix, out, sizeof(out), &n));
	for (size_t i = 0; i <= text.n; i++)
		low[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ?
			text.p[i] + 32 :
			text.p[i]);
	low[prefix.n] = '\0';
	tf_bech32_encode(low, out, n, again);
	low[prefix.n] = '1';
	ck_assert_str_eq(low, again);
	ck_assert_uint_eq(text.n, tf_bech32_length(prefix.n, n));
}
END_TEST

static const char *const invalid[] = {
	"\x20"
	"1nwldj5",
	"\x7f"
	"1axkwrx",
	"pzry9x0s0muk",
	"1pzry9x0s0muk",
	"x1b4n0q5v",
	"li1dgmt3",
	"de1lg7wt\xff",
	"A1G7SGD8",
	"10a06t8",
	"1qzzfhee",
	"A12uEL5L",
	"a12uel5m",
	"",
	"1",
	"a1",
};

START_TEST(malformed_bech32_is_refused)
{
	struct tf_str prefix;
	uint8_t out[64];
	size_t n;

	ck_assert(!tf_bech32_decode(tf_str_of(invalid[_i]), &prefix, out,
	    sizeof(out), &n));
}
END_TEST

/* --- recipients ------------------------------------------------------------- */

#define OTHER "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"

START_TEST(a_recipient_is_read_and_written_again)
{
	struct tf_recipient r;
	struct tf_buf b = { 0 };
	uint8_t pub[TF_X25519_LEN], secret[TF_X25519_LEN];
	struct tf_str prefix;
	size_t n;

	ck_assert_int_eq(TF_OK,
	    tf_recipient_parse(tf_str_of(AGE_RECIPIENT), &r, NULL));
	tf_recipient_text(&r, &b);
	ck_assert_str_eq(AGE_RECIPIENT, b.p);
	tf_buf_free(&b);

	/* The specification gives the identity of this recipient too. */
	ck_assert(tf_bech32_decode(tf_str_of(AGE_IDENTITY), &prefix, secret,
	    sizeof(secret), &n));
	ck_assert_int_eq(TF_OK, tf_x25519_public(secret, pub, NULL));
	ck_assert_mem_eq(pub, r.key, sizeof(pub));
}
END_TEST

/* Each text that differs from a recipient in one character, or lacks one. */
START_TEST(a_recipient_with_one_wrong_character_is_refused)
{
	char text[] = AGE_RECIPIENT;
	size_t len = strlen(text);
	struct tf_recipient r;

	for (size_t i = 0; i < len; i++) {
		for (int c = 1; c < 256; c++) {
			if ((char)c == AGE_RECIPIENT[i])
				continue;
			text[i] = (char)c;
			ck_assert_int_ne(TF_OK,
			    tf_recipient_parse((struct tf_str){ text, len }, &r,
				NULL));
		}
		text[i] = AGE_RECIPIENT[i];
		ck_assert_int_ne(TF_OK,
		    tf_recipient_parse((struct tf_str){ text, i }, &r, NULL));
	}
}
END_TEST

#define R AGE_RECIPIENT
static const struct {
	const char *text;
	enum tf_code code;
	const char *error;
} bad[] = {
	{ "", TF_INVALID, "no recipient" },
	{ "\n# only a comment\n\r\n", TF_INVALID, "no recipient" },
	{ R "\n\nage2abc\n", TF_INVALID,
	    "line 3: not an age recipient (age1...)" },
	{ "# x\r\n" R "\r\n" R "\r\n", TF_INVALID,
	    "line 3: this recipient is listed twice" },
	{ AGE_IDENTITY "\n", TF_INVALID,
	    "line 1: this is an identity, a secret key; age-keygen -y prints "
	    "its recipient" },
	{ R "\n# age-secret-key-1xyz\n", TF_INVALID,
	    "line 2: this is an identity, a secret key; age-keygen -y prints "
	    "its recipient" },
	{ R " \n", TF_INVALID, "line 1: white space at an end" },
	{ "\t" R "\n", TF_INVALID, "line 1: white space at an end" },
	{ R "\r", TF_INVALID,
	    "line 1: a recipient with a missing or wrong character" },
	{ R R "\n", TF_UNSUPPORTED,
	    "line 1: a recipient of a plugin, which is not supported" },
	{ "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ\n",
	    TF_INVALID, "line 1: a recipient is written in lower case" },
	{ "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7c\n", TF_INVALID,
	    "line 1: a recipient with a missing or wrong character" },
	{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGhhbGxv me\n", TF_UNSUPPORTED,
	    "line 1: an SSH key: only age1... recipients are supported" },
	{ "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3"
	  "rhl3t\n",
	    TF_UNSUPPORTED,
	    "line 1: a recipient of a plugin, which is not supported" },
};
#undef R

START_TEST(a_wrong_recipients_file_is_refused_with_its_line)
{
	struct tf_error err = { 0 };
	struct tf_recipients r;

	ck_assert_int_eq(bad[_i].code,
	    tf_recipients_parse(bad[_i].text, strlen(bad[_i].text), &r, &err));
	ck_assert_str_eq(bad[_i].error, err.text);
	ck_assert_uint_eq(0, r.n);
	ck_assert_ptr_null(r.v);
}
END_TEST

/* With such a recipient, everybody could derive the key. */
START_TEST(a_recipient_of_low_order_is_refused)
{
	/* The points of order 1, 2, 4 and 8 whose coordinate is small, and
	 * others with a set high bit or above the prime (RFC 7748, 7). */
	static const uint8_t first[] = { 0, 1, 0xec, 0xed, 0xee };
	uint8_t key[TF_X25519_LEN];
	struct tf_error err = { 0 };
	struct tf_recipient r;
	char text[128];

	memset(key, _i < 2 ? 0 : 0xff, sizeof(key));
	key[0] = first[_i];
	key[31] = _i < 2 ? 0 : 0x7f;
	tf_bech32_encode("age", key, sizeof(key), text);
	ck_assert_int_eq(TF_INVALID,
	    tf_recipient_parse(tf_str_of(text), &r, &err));
	ck_assert_str_eq("a recipient that protects nothing", err.text);
}
END_TEST

/* With an older libcrypto the reason is said. */
START_TEST(a_post_quantum_recipient_needs_a_new_libcrypto)
{
	struct tf_recipient r = { .hybrid = true };
	struct tf_error err = { 0 };
	struct tf_buf b = { 0 };

	tf_recipient_text(&r, &b);
	if (!tf_hybrid_there()) {
		ck_assert_int_eq(TF_UNSUPPORTED,
		    tf_recipient_parse(tf_buf_bytes(&b), &r, &err));
		ck_assert_str_eq("a post-quantum recipient needs libcrypto 3.5",
		    err.text);
	}
	tf_buf_free(&b);
}
END_TEST

/* The i-th of many recipients. */
static void
put_recipient(unsigned i, struct tf_buf *b)
{
	uint8_t secret[TF_X25519_LEN] = { 0, (uint8_t)i, (uint8_t)(i >> 8) };
	struct tf_recipient r = { 0 };

	ck_assert_int_eq(TF_OK, tf_x25519_public(secret, r.key, NULL));
	tf_recipient_text(&r, b);
	tf_buf_str(b, "\n");
}

START_TEST(a_recipients_file_has_limits)
{
	struct tf_error err = { 0 };
	struct tf_buf b = { 0 };
	struct tf_recipients r;

	for (unsigned i = 0; i < TF_RECIPIENTS_MAX; i++)
		put_recipient(i, &b);
	ck_assert_int_eq(TF_OK, tf_recipients_parse(b.p, b.n, &r, &err));
	ck_assert_uint_eq(TF_RECIPIENTS_MAX, r.n);
	tf_recipients_free(&r);
	for (unsigned i = TF_RECIPIENTS_MAX; i < 1000; i++)
		put_recipient(i, &b);
	ck_assert_uint_lt(b.n, TF_RECIPIENTS_BYTES_MAX);
	ck_assert_int_eq(TF_TOOBIG, tf_recipients_parse(b.p, b.n, &r, &err));
	ck_assert_str_eq("line 257: more than 256 recipients", err.text);
	while (b.n <= TF_RECIPIENTS_BYTES_MAX)
		tf_buf_str(&b, "#\n");
	ck_assert_int_eq(TF_TOOBIG, tf_recipients_parse(b.p, b.n, &r, &err));
	ck_assert_str_eq("more than 65536 bytes", err.text);
	tf_buf_free(&b);
}
END_TEST

/* Order, comments and line ends do not matter. */
START_TEST(a_list_has_one_canonical_text)
{
	static const char *const same[] = {
		AGE_RECIPIENT "\n" OTHER "\n",
		OTHER "\n" AGE_RECIPIENT,
		"# two\r\n\r\n" OTHER "\r\n" AGE_RECIPIENT "\r\n",
	};

	for (size_t i = 0; i < 3; i++) {
		struct tf_buf b = { 0 };
		struct tf_recipients r;

		ck_assert_int_eq(TF_OK,
		    tf_recipients_parse(same[i], strlen(same[i]), &r, NULL));
		tf_recipients_text(&r, &b);
		ck_assert_str_eq(OTHER "\n" AGE_RECIPIENT "\n", b.p);
		tf_buf_free(&b);
		tf_recipients_free(&r);
	}
}
END_TEST

/* --- sizes ------------------------------------------------------------------ */

static const uint64_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072, 200000,
	1048576 };
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

/* Every way to cut the text into pieces gives a file of the promised size. */
START_TEST(a_file_has_the_size_that_was_computed)
{
	static const size_t pieces[] = { 1 << 30, 65536, 65537, 4096, 70000 };
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n" OTHER "\n");
	uint64_t plain;

	for (size_t i = 0; i < 5; i++) {
		struct tf_buf b = { 0 };
		uint64_t n = lengths[_i];

		age_encrypt(&r, n, pieces[i], &b);
		ck_assert_uint_eq(tf_age_size(&r, n), b.n);
		ck_assert(tf_age_plain_size(b.n, b.n - age_payload(&b),
		    &plain));
		ck_assert_uint_eq(n, plain);
		tf_buf_free(&b);
	}
	tf_recipients_free(&r);
}
END_TEST

START_TEST(sizes_of_files_and_texts_agree)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	uint64_t header = tf_age_size(&r, 0) - 32, plain, before = 0;

	for (uint64_t n = 0; n < 140000; n++) {
		uint64_t size = tf_age_size(&r, n);

		ck_assert(tf_age_plain_size(size, header, &plain));
		ck_assert_uint_eq(n, plain);
		/* Sizes between two texts belong to no text. */
		for (uint64_t s = before + 1; n > 0 && s < size; s++)
			ck_assert(!tf_age_plain_size(s, header, &plain));
		before = size;
	}
	ck_assert(tf_age_plain_size(tf_age_size(&r, TF_AGE_PLAIN_MAX), header,
	    &plain));
	ck_assert_uint_eq(TF_AGE_PLAIN_MAX, plain);
	for (uint64_t s = 0; s < header + 32; s++)
		ck_assert(!tf_age_plain_size(s, header, &plain));
	tf_recipients_free(&r);
}
END_TEST

/* --- age(1) ----------------------------------------------------------------- */

START_TEST(age_decrypts_what_we_encrypt)
{
	struct tf_recipients r = age_recipients(OTHER "\n" AGE_RECIPIENT "\n");
	struct tf_buf b = { 0 };

	if (!age_there("age_decrypts_what_we_encrypt"))
		return;
	age_encrypt(&r, lengths[_i], 5000, &b);
	age_decrypts(&b, lengths[_i]);
	tf_buf_free(&b);
	tf_recipients_free(&r);
}
END_TEST

/* --- failures --------------------------------------------------------------- */

static enum tf_code
put_some(void *arg, const void *p, size_t n, struct tf_error *err)
{
	size_t *left = arg;

	(void)p;
	if (n > *left)
		return tf_fail(err, TF_QUOTA, "no room for %zu bytes", n);
	*left -= n;
	return TF_OK;
}

/* Wherever the receiver fails, its error comes out. */
START_TEST(a_failed_put_ends_the_writing)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	static const size_t room[] = { 0, 300, 300 + TF_SEALED_LEN };
	struct tf_age_writer *w = NULL;
	struct tf_error err = { 0 };
	static uint8_t text[100000];
	size_t left = room[_i];
	enum tf_code rc;

	if ((rc = tf_age_writer_new(&r, put_some, &left, &w, &err)) == TF_OK &&
	    (rc = tf_age_writer_add(w, text, sizeof(text), &err)) == TF_OK)
		rc = tf_age_writer_end(w, &err);
	ck_assert_int_eq(TF_QUOTA, rc);
	ck_assert_int_eq(TF_QUOTA, err.code);
	tf_age_writer_free(w);
	tf_recipients_free(&r);
}
END_TEST

/* Two files of one text have nothing in common but their form. */
START_TEST(no_key_is_used_for_two_files)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_buf a = { 0 }, b = { 0 };
	size_t at;

	age_encrypt(&r, 1000, 1000, &a);
	age_encrypt(&r, 1000, 1000, &b);
	ck_assert_uint_eq(a.n, b.n);
	at = a.n - age_payload(&a);
	ck_assert_mem_ne(a.p + 32, b.p + 32, 43); /* ephemeral share */
	ck_assert_mem_ne(a.p + 76, b.p + 76, 43); /* wrapped file key */
	ck_assert_mem_ne(a.p + at, b.p + at, 16); /* nonce */
	ck_assert_mem_ne(a.p + at + 16, b.p + at + 16, 16);
	tf_buf_free(&a);
	tf_buf_free(&b);
	tf_recipients_free(&r);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *
suite_crypt(void)
{
	Suite *s = suite_create("crypt");
	TCase *t = tcase_create("crypt");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, published_bech32_is_read_and_written_again, 0,
	    COUNT(valid));
	tcase_add_loop_test(t, malformed_bech32_is_refused, 0, COUNT(invalid));
	tcase_add_test(t, a_recipient_is_read_and_written_again);
	tcase_add_test(t, a_recipient_with_one_wrong_character_is_refused);
	tcase_add_loop_test(t, a_wrong_recipients_file_is_refused_with_its_line,
	    0, COUNT(bad));
	tcase_add_loop_test(t, a_recipient_of_low_order_is_refused, 0, 5);
	tcase_add_test(t, a_post_quantum_recipient_needs_a_new_libcrypto);
	tcase_add_test(t, a_recipients_file_has_limits);
	tcase_add_test(t, a_list_has_one_canonical_text);
	tcase_add_loop_test(t, a_file_has_the_size_that_was_computed, 0,
	    LENGTHS);
	tcase_add_test(t, sizes_of_files_and_texts_agree);
	tcase_add_loop_test(t, age_decrypts_what_we_encrypt, 0, LENGTHS);
	tcase_add_loop_test(t, a_failed_put_ends_the_writing, 0, 3);
	tcase_add_test(t, no_key_is_used_for_two_files);
	suite_add_tcase(s, t);
	return s;
}
