/* Opening age files: what is given out, and when it is refused. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../core/age.h"
#include "../../core/base/bytes.h"
#include "../../core/crypt/bech32.h"
#include "../../core/crypt/stage_key.h"
#include "../../core/crypt/unwrap.h"
#include "age.h"
#include "freed.h"

/* An identity that no test encrypts to (a vector of the format has it). */
#define STRANGER                                                                 \
	"AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P" \
	"2LM0"

/* From the specification, "The MLKEM768-X25519 ... recipient type". */
#define AGE_HYBRID_IDENTITY                                                      \
	"AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3" \
	"SK3ZQFR"

static const uint64_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072, 200000,
	1048576 };

/* --- what we encrypt -------------------------------------------------------- */

START_TEST(a_file_is_opened_as_what_was_encrypted)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_identities *ids = age_identities(STRANGER "\n" AGE_IDENTITY);
	struct tf_buf file = { 0 };
	uint64_t released;

	age_encrypt(&r, lengths[_i], 5000, &file);
	ck_assert_int_eq(TF_OK, age_open(ids, file.p, file.n, &released, NULL));
	ck_assert_uint_eq(lengths[_i], released);
	tf_buf_free(&file);
	tf_identities_free(ids);
	tf_recipients_free(&r);
}
END_TEST

START_TEST(a_passphrase_opens_a_file)
{
	struct tf_identities *ids = age_identities(STRANGER "\n");
	struct tf_error err = { 0 };
	struct tf_buf file = { 0 };
	uint64_t released;

	age_encrypt_passphrase("horse staple", 70000, 5, &file);
	ck_assert_int_eq(TF_ACCESS,
	    age_open(ids, file.p, file.n, &released, &err));
	ck_assert_str_eq("the file is encrypted with a passphrase", err.text);
	ck_assert_int_eq(TF_OK,
	    tf_identities_add_passphrase(ids, "horse stapl", 11, NULL));
	ck_assert_int_eq(TF_ACCESS,
	    age_open(ids, file.p, file.n, &released, &err));
	ck_assert_str_eq("the passphrase is wrong", err.text);
	ck_assert_int_eq(TF_OK,
	    tf_identities_add_passphrase(ids, "horse staple", 12, NULL));
	ck_assert_int_eq(TF_OK, age_open(ids, file.p, file.n, &released, NULL));
	ck_assert_uint_eq(70000, released);
	ck_assert_int_eq(TF_INVALID,
	    tf_identities_add_passphrase(ids, "", 0, NULL));
	tf_buf_free(&file);
	tf_identities_free(ids);
}
END_TEST

START_TEST(another_identity_opens_nothing)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_identities *ids = age_identities("# a stranger\n" STRANGER);
	struct tf_error err = { 0 };
	struct tf_buf file = { 0 };
	uint64_t released;

	age_encrypt(&r, 100, 100, &file);
	ck_assert_int_eq(TF_ACCESS,
	    age_open(ids, file.p, file.n, &released, &err));
	ck_assert_str_eq("none of the identities opens the file", err.text);
	tf_buf_free(&file);
	tf_identities_free(ids);
	tf_recipients_free(&r);
}
END_TEST

/* --- what others alter ------------------------------------------------------ */

/* Text is released only before the chunk that was altered. */
static void
refused_after(const struct tf_identities *ids, const struct tf_buf *file,
    size_t n, uint64_t most)
{
	struct tf_error err = { 0 };
	uint64_t released = 0;

	ck_assert_int_ne(TF_OK, age_open(ids, file->p, n, &released, &err));
	ck_assert_uint_le(released, most);
	ck_assert_str_ne("", err.text);
}

START_TEST(no_altered_bit_of_a_short_file_is_accepted)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_identities *ids = age_identities(AGE_IDENTITY);
	struct tf_buf file = { 0 };

	age_encrypt(&r, 100, 100, &file);
	for (size_t i = 0; i < file.n * 8; i++) {
		file.p[i / 8] ^= (char)(1 << i % 8);
		refused_after(ids, &file, file.n, 0);
		file.p[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t n = 0; n < file.n; n++)
		refused_after(ids, &file, n, 0);
	tf_buf_free(&file);
	tf_identities_free(ids);
	tf_recipients_free(&r);
}
END_TEST

/* At the ends of chunks, and some bytes before and after them. */
START_TEST(a_long_file_is_refused_from_the_place_of_the_change_on)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_identities *ids = age_identities(AGE_IDENTITY);
	const uint64_t text = 3 * TF_CHUNK_LEN + (_i == 0 ? 0 : 5);
	struct tf_buf file = { 0 };
	size_t from;

	age_encrypt(&r, text, 70000, &file);
	from = file.n - age_payload(&file) + 16;
	for (size_t chunk = 0; chunk <= 3; chunk++)
		for (size_t k = 0; k < 40; k++) {
			size_t at = from + chunk * TF_SEALED_LEN - 20 + k;

			if (at >= file.n)
				break;
			/* A chunk that is full is released before the file is
			 * seen to end behind it. */
			refused_after(ids, &file, at,
			    at < from + chunk * TF_SEALED_LEN ?
				(chunk == 0 ? 0 : chunk - 1) * TF_CHUNK_LEN :
				chunk * TF_CHUNK_LEN);
			file.p[at] ^= 1;
			refused_after(ids, &file, file.n,
			    at < from + chunk * TF_SEALED_LEN ?
				(chunk == 0 ? 0 : chunk - 1) * TF_CHUNK_LEN :
				chunk * TF_CHUNK_LEN);
			file.p[at] ^= 1;
		}
	tf_buf_add(&file, "x", 1);
	refused_after(ids, &file, file.n, text);
	tf_buf_free(&file);
	tf_identities_free(ids);
	tf_recipients_free(&r);
}
END_TEST

/* Chunks in another order, twice, or left out. */
START_TEST(no_chunk_opens_in_another_place)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_identities *ids = age_identities(AGE_IDENTITY);
	struct tf_buf file = { 0 };
	uint8_t *chunk, *first = malloc(TF_SEALED_LEN);
	size_t from;

	ck_assert_ptr_nonnull(first);
	age_encrypt(&r, 3 * TF_CHUNK_LEN, 70000, &file);
	from = file.n - age_payload(&file) + 16;
	chunk = (uint8_t *)file.p + from;
	memcpy(first, chunk, TF_SEALED_LEN);
	memcpy(chunk, chunk + TF_SEALED_LEN, TF_SEALED_LEN);
	refused_after(ids, &file, file.n, 0);
	memcpy(chunk + TF_SEALED_LEN, first, TF_SEALED_LEN);
	refused_after(ids, &file, file.n, 0);
	memcpy(chunk, first, TF_SEALED_LEN); /* first, first, last */
	refused_after(ids, &file, file.n, TF_CHUNK_LEN);
	memcpy(chunk + TF_SEALED_LEN, chunk + 2 * TF_SEALED_LEN, TF_SEALED_LEN);
	refused_after(ids, &file, file.n - TF_SEALED_LEN, TF_CHUNK_LEN);
	free(first);
	tf_buf_free(&file);
	tf_identities_free(ids);
	tf_recipients_free(&r);
}
END_TEST

START_TEST(a_header_of_any_length_ends_the_reading)
{
	struct tf_identities *ids = age_identities(AGE_IDENTITY);
	struct tf_error err = { 0 };
	struct tf_buf file = { 0 };
	uint64_t released;

	tf_buf_str(&file, "age-encryption.org/v1\n");
	while (file.n < 2 * TF_AGE_HEADER_MAX)
		tf_buf_str(&file, "-> x\n\n");
	ck_assert_int_eq(TF_INVALID,
	    age_open(ids, file.p, file.n, &released, &err));
	ck_assert_str_eq("the header has more than 262144 bytes", err.text);
	memcpy(file.p, "-----BEGIN AGE ENCRYPTED FILE-----\n", 35);
	ck_assert_int_eq(TF_UNSUPPORTED,
	    age_open(ids, file.p, file.n, &released, &err));
	ck_assert_str_eq("an armored file; age -d opens it", err.text);
	ck_assert_int_eq(TF_INVALID, age_open(ids, "", 0, &released, &err));
	ck_assert_str_eq("not an age v1 file", err.text);
	tf_buf_free(&file);
	tf_identities_free(ids);
}
END_TEST

/* --- identities ------------------------------------------------------------- */

static const struct {
	const char *text;
	enum tf_code code;
	const char *error;
} bad[] = {
	{ "", TF_INVALID, "no identity" },
	{ "# created: now\n\n", TF_INVALID, "no identity" },
	{ "\n" AGE_RECIPIENT "\n", TF_INVALID,
	    "line 2: this is a recipient; an identity begins with "
	    "AGE-SECRET-KEY-1" },
	{ AGE_IDENTITY "x\n", TF_INVALID,
	    "line 1: an identity with a missing or wrong character" },
	{ "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfp"
	  "q4egaex\n",
	    TF_INVALID, "line 1: not an identity (AGE-SECRET-KEY-1...)" },
	{ "hello\n", TF_INVALID,
	    "line 1: not an identity (AGE-SECRET-KEY-1...)" },
	{ AGE_IDENTITY "\n" AGE_HYBRID_IDENTITY "0\n", TF_INVALID,
	    "line 2: an identity with a missing or wrong character" },
	{ "AGE-PLUGIN-YUBIKEY-1Q\n", TF_UNSUPPORTED,
	    "line 1: an identity of a plugin, which is not supported" },
	{ "age-encryption.org/v1\n-> scrypt", TF_UNSUPPORTED,
	    "line 1: an encrypted file of identities; decrypt it with age -d" },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\n", TF_UNSUPPORTED,
	    "line 1: an SSH key, which is not supported" },
};

START_TEST(a_wrong_identities_file_is_refused_with_its_line)
{
	struct tf_error err = { 0 };
	struct tf_identities *ids;

	ck_assert_int_eq(TF_OK, tf_identities_new(&ids, NULL));
	ck_assert_int_eq(bad[_i].code, age_add(ids, bad[_i].text, &err));
	ck_assert_str_eq(bad[_i].error, err.text);
	tf_identities_free(ids);
}
END_TEST

/* With an older libcrypto the reason is said. */
START_TEST(a_post_quantum_identity_needs_a_new_libcrypto)
{
	struct tf_error err = { 0 };
	struct tf_identities *ids;

	ck_assert_int_eq(TF_OK, tf_identities_new(&ids, NULL));
	ck_assert_int_eq(tf_hybrid_there() ? TF_OK : TF_UNSUPPORTED,
	    age_add(ids, AGE_HYBRID_IDENTITY "\n", &err));
	ck_assert_str_eq(tf_hybrid_there() ?
		"" :
		"line 1: a post-quantum identity needs libcrypto 3.5",
	    err.text);
	tf_identities_free(ids);
}
END_TEST

/* A recipients file with one post-quantum recipient, from its identity. */
static void
put_hybrid_recipient(struct tf_buf *out)
{
	uint8_t seed[TF_HYBRID_SEED_LEN];
	struct tf_recipient r = { .hybrid = true };
	struct tf_str prefix;
	size_t n;

	ck_assert(tf_bech32_decode(tf_str_of(AGE_HYBRID_IDENTITY), &prefix,
	    seed, sizeof(seed), &n));
	ck_assert_int_eq(TF_OK, tf_hybrid_public(seed, r.key, NULL));
	tf_recipient_text(&r, out);
	tf_buf_str(out, "\n");
}

/* The recipient in the specification begins and ends so. */
START_TEST(a_post_quantum_file_is_opened)
{
	struct tf_buf list = { 0 }, file = { 0 };
	struct tf_error err = { 0 };
	struct tf_recipients r;
	struct tf_identities *ids;
	uint64_t released;

	if (!tf_hybrid_there()) {
		printf("SKIP a_post_quantum_file_is_opened: libcrypto is older "
		       "than 3.5\n");
		return;
	}
	put_hybrid_recipient(&list);
	ck_assert_uint_eq(1960, list.n);
	ck_assert_int_eq(0,
	    strncmp(list.p, "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9r", 40));
	ck_assert_str_eq("qheyty7saeq0d3fzv49zc0k\n", list.p + list.n - 24);
	r = age_recipients(list.p);
	ids = age_identities(STRANGER "\n" AGE_HYBRID_IDENTITY);
	age_encrypt(&r, 70000, 4096, &file);
	ck_assert_uint_eq(tf_age_size(&r, 70000), file.n);
	ck_assert_int_eq(TF_OK, age_open(ids, file.p, file.n, &released, NULL));
	ck_assert_uint_eq(70000, released);
	for (size_t at = 0; at < file.n - 70000; at++) {
		file.p[at] ^= 1;
		ck_assert_int_ne(TF_OK,
		    age_open(ids, file.p, file.n, &released, NULL));
		ck_assert_uint_eq(0, released);
		file.p[at] ^= 1;
	}
	tf_recipients_free(&r);

	/* A classical recipient beside it would undo what it is for. */
	tf_buf_str(&list, AGE_RECIPIENT "\n");
	ck_assert_int_eq(TF_INVALID,
	    tf_recipients_parse(list.p, list.n, &r, &err));
	ck_assert_str_eq(
	    "line 2: post-quantum and other recipients in one file", err.text);
	/* No ML-KEM key has such numbers. */
	list.n = 0;
	{
		struct tf_recipient bad_key = { .hybrid = true };

		memset(bad_key.key, 0xff, sizeof(bad_key.key));
		tf_recipient_text(&bad_key, &list);
	}
	ck_assert_int_eq(TF_INVALID,
	    tf_recipients_parse(list.p, list.n, &r, &err));
	ck_assert_str_eq("line 1: a recipient that protects nothing", err.text);
	tf_identities_free(ids);
	tf_buf_free(&file);
	tf_buf_free(&list);
}
END_TEST

START_TEST(a_file_of_identities_has_a_limit)
{
	struct tf_error err = { 0 };
	struct tf_identities *ids;
	struct tf_buf b = { 0 };

	while (b.n <= TF_IDENTITIES_BYTES_MAX)
		tf_buf_str(&b, AGE_IDENTITY "\n");
	ck_assert_int_eq(TF_OK, tf_identities_new(&ids, NULL));
	ck_assert_int_eq(TF_TOOBIG, age_add(ids, b.p, &err));
	ck_assert_str_eq("more than 65536 bytes", err.text);
	tf_identities_free(ids);
	tf_buf_free(&b);
}
END_TEST

/* --- age(1) ----------------------------------------------------------------- */

START_TEST(we_decrypt_what_age_encrypts)
{
	struct tf_identities *ids = age_identities(AGE_IDENTITY);
	struct tf_buf file = { 0 };
	uint64_t released;

	if (age_there("we_decrypt_what_age_encrypts")) {
		age_encrypts(lengths[_i], &file);
		ck_assert_int_eq(TF_OK,
		    age_open(ids, file.p, file.n, &released, NULL));
		ck_assert_uint_eq(lengths[_i], released);
	}
	tf_buf_free(&file);
	tf_identities_free(ids);
}
END_TEST

/* age asks for it on the terminal. */
START_TEST(age_decrypts_with_our_passphrase)
{
	struct tf_buf file = { 0 };

	if (!age_there("age_decrypts_with_our_passphrase"))
		return;
	age_encrypt_passphrase("horse staple", 70000, TF_AGE_SCRYPT_LOG_N,
	    &file);
	age_decrypts_passphrase(&file, "horse staple", 70000);
	tf_buf_free(&file);
}
END_TEST

/* AGE_LONG=1 takes 5 GiB.  Memory does not grow with the text. */
START_TEST(a_long_text_goes_through_age_in_both_directions)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	struct tf_identities *ids = age_identities(AGE_IDENTITY);
	const uint64_t n = (getenv("AGE_LONG") != NULL ? UINT64_C(5) << 30 :
							 UINT64_C(80) << 20) +
	    12345;
	struct rusage used;

	if (age_there("a_long_text_goes_through_age_in_both_directions")) {
		age_decrypts_stream(&r, n);
		age_encrypts_stream(ids, n);
		ck_assert_int_eq(0, getrusage(RUSAGE_SELF, &used));
		printf("age: %llu bytes in both directions, %ld KiB used\n",
		    (unsigned long long)n, used.ru_maxrss);
	}
	tf_identities_free(ids);
	tf_recipients_free(&r);
}
END_TEST

/* --- secrets ---------------------------------------------------------------- */

static void
assert_wiped(const char *what, const void *p, size_t n)
{
	ck_assert_msg(!freed_has(p, n), "%s is in freed memory", what);
}

/* The keys of the file that was made, found with the identity. */
static void
assert_keys_wiped(const struct tf_buf *file, const struct tf_identities *ids)
{
	uint8_t file_key[TF_FILE_KEY_LEN], key[TF_HKDF_LEN];
	size_t end = tf_header_end(file->p, file->n);
	struct tf_header h;

	ck_assert_int_eq(TF_OK, tf_header_parse(file->p, end, &h, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_header_unwrap(&h, file->p, ids, file_key, NULL));
	assert_wiped("the file key", file_key, sizeof(file_key));
	ck_assert_int_eq(TF_OK,
	    tf_hkdf(file_key, sizeof(file_key), file->p + end, TF_AGE_NONCE_LEN,
		"payload", key, NULL));
	assert_wiped("the payload key", key, sizeof(key));
	ck_assert_int_eq(TF_OK,
	    tf_hkdf(file_key, sizeof(file_key), NULL, 0, "header", key, NULL));
	assert_wiped("the key of the MAC", key, sizeof(key));
	tf_header_free(&h);
}

START_TEST(no_secret_stays_in_freed_memory)
{
	struct tf_recipients r = age_recipients(AGE_RECIPIENT "\n");
	uint8_t secret[TF_X25519_LEN], text[32];
	struct tf_identities *ids;
	struct tf_buf file = { 0 };
	struct tf_str prefix;
	uint64_t released;
	size_t n;

	if (!freed_works()) {
		printf("SKIP no_secret_stays_in_freed_memory: memcheck\n");
		return;
	}
	/* The test itself keeps no copy in memory that it frees. */
	ck_assert(tf_bech32_decode(tf_str_of(AGE_IDENTITY), &prefix, secret,
	    sizeof(secret), &n));
	tf_buf_room(&file, 300000); /* does not move */
	freed_begin();
	ids = age_identities(STRANGER "\n" AGE_IDENTITY "\n" STRANGER "\n");
	age_encrypt(&r, 200000, 5000, &file);
	ck_assert_int_eq(TF_OK, age_open(ids, file.p, file.n, &released, NULL));
	/* Failures, and a reader that is not used to its end. */
	file.p[file.n - 1] ^= 1;
	ck_assert_int_eq(TF_TAMPER,
	    age_open(ids, file.p, file.n, &released, NULL));
	file.p[file.n - 1] ^= 1;
	tf_identities_free(ids);
	freed_end();
	assert_wiped("an identity", secret, sizeof(secret));
	assert_wiped("the text of an identity", AGE_IDENTITY,
	    strlen(AGE_IDENTITY));
	for (uint64_t at = 0; at < 200000; at += 1000) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = age_byte(at + i);
		assert_wiped("the text", text, sizeof(text));
	}
	ids = age_identities(AGE_IDENTITY);
	assert_keys_wiped(&file, ids);
	tf_identities_free(ids);
	tf_buf_free(&file);
	tf_recipients_free(&r);
}
END_TEST

START_TEST(no_passphrase_stays_in_freed_memory)
{
	static const char phrase[] = "correct horse battery staple";
	struct tf_identities *ids;
	struct tf_buf file = { 0 };
	uint64_t released;

	if (!freed_works()) {
		printf("SKIP no_passphrase_stays_in_freed_memory: memcheck\n");
		return;
	}
	tf_buf_room(&file, 300000);
	freed_begin();
	age_encrypt_passphrase(phrase, 100, 5, &file);
	ck_assert_int_eq(TF_OK, tf_identities_new(&ids, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_identities_add_passphrase(ids, "another passphrase", 18, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_identities_add_passphrase(ids, phrase, strlen(phrase), NULL));
	ck_assert_int_eq(TF_OK, age_open(ids, file.p, file.n, &released, NULL));
	tf_identities_free(ids);
	freed_end();
	assert_wiped("the passphrase", phrase, strlen(phrase));
	assert_wiped("the other passphrase", "another passphrase", 18);
	ck_assert_int_eq(TF_OK, tf_identities_new(&ids, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_identities_add_passphrase(ids, phrase, strlen(phrase), NULL));
	assert_keys_wiped(&file, ids);
	tf_identities_free(ids);
	tf_buf_free(&file);
}
END_TEST

/* The salt of each write gives its key, which the test derives again. */
START_TEST(no_key_of_the_stage_stays_in_freed_memory)
{
	uint8_t sealed[100 + TF_STAGE_ADDED], wrapped[TF_WRAPPED_KEY_LEN];
	uint8_t stage_key[TF_STAGE_KEY_LEN + 1], key[TF_HKDF_LEN], out[100];
	const char *tmp = getenv("TMPDIR");
	struct tf_staged_key *k, *again;
	struct tf_stage_key *stage;
	struct tf_aead *aead;
	uint8_t aad[8] = { 0 };
	char dir[256];
	int fd, file;

	if (!freed_works()) {
		printf("SKIP no_key_of_the_stage_stays_in_freed_memory: "
		       "memcheck\n");
		return;
	}
	snprintf(dir, sizeof(dir), "%.200s/stage.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_ge(fd = open(dir, O_RDONLY | O_DIRECTORY), 0);
	freed_begin();
	ck_assert_int_eq(TF_OK, tf_stage_key_create(fd, "k", &stage, NULL));
	tf_stage_key_free(stage);
	ck_assert_int_eq(TF_OK, tf_stage_key_load(fd, "k", &stage, NULL));
	ck_assert_int_eq(TF_OK, tf_staged_key_new(0, &k, NULL));
	ck_assert_int_eq(TF_OK, tf_staged_key_wrap(k, stage, wrapped, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_key_unwrap(wrapped, 0, stage, &again, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_seal(k, 0, (uint8_t[100]){ 'x' }, 100, sealed, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_open(again, 0, sealed, sizeof(sealed), out, NULL));
	tf_staged_key_free(k);
	tf_staged_key_free(again);
	tf_stage_key_free(stage);
	freed_end();

	ck_assert_int_ge(file = openat(fd, "k", O_RDONLY), 0);
	ck_assert_int_eq(TF_STAGE_KEY_LEN, read(file, stage_key, 33));
	close(file);
	ck_assert_int_eq(0, unlinkat(fd, "k", 0));
	ck_assert_int_eq(0, rmdir(dir));
	assert_wiped("the stage key", stage_key, TF_STAGE_KEY_LEN);
	ck_assert_int_eq(TF_OK,
	    tf_hkdf(stage_key, TF_STAGE_KEY_LEN, wrapped, TF_STAGE_SALT_LEN,
		"trailfs stage v1 key", key, NULL));
	assert_wiped("a wrapping key", key, sizeof(key));
	ck_assert_int_eq(TF_OK, tf_aead_new(key, &aead, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_aead_open(aead, (uint8_t[TF_AEAD_NONCE_LEN]){ 0 }, aad,
		sizeof(aad), wrapped + TF_STAGE_SALT_LEN,
		sizeof(wrapped) - TF_STAGE_SALT_LEN, stage_key, NULL));
	tf_aead_free(aead);
	assert_wiped("the key of a file", stage_key, TF_STAGE_KEY_LEN);
	ck_assert_int_eq(TF_OK,
	    tf_hkdf(stage_key, TF_STAGE_KEY_LEN, sealed, TF_STAGE_SALT_LEN,
		"trailfs stage v1 chunk", key, NULL));
	assert_wiped("the key of a chunk", key, sizeof(key));
	close(fd);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *
suite_age(void)
{
	Suite *s = suite_create("age");
	TCase *t = tcase_create("age");

	tcase_set_timeout(t, getenv("AGE_LONG") != NULL ? 7200 : 600);
	tcase_add_loop_test(t, a_file_is_opened_as_what_was_encrypted, 0,
	    COUNT(lengths));
	tcase_add_test(t, a_passphrase_opens_a_file);
	tcase_add_test(t, another_identity_opens_nothing);
	tcase_add_test(t, no_altered_bit_of_a_short_file_is_accepted);
	tcase_add_loop_test(t,
	    a_long_file_is_refused_from_the_place_of_the_change_on, 0, 2);
	tcase_add_test(t, no_chunk_opens_in_another_place);
	tcase_add_test(t, a_header_of_any_length_ends_the_reading);
	tcase_add_loop_test(t, a_wrong_identities_file_is_refused_with_its_line,
	    0, COUNT(bad));
	tcase_add_test(t, a_post_quantum_identity_needs_a_new_libcrypto);
	tcase_add_test(t, a_post_quantum_file_is_opened);
	tcase_add_test(t, a_file_of_identities_has_a_limit);
	tcase_add_loop_test(t, we_decrypt_what_age_encrypts, 0, COUNT(lengths));
	tcase_add_test(t, age_decrypts_with_our_passphrase);
	tcase_add_test(t, a_long_text_goes_through_age_in_both_directions);
	tcase_add_test(t, no_secret_stays_in_freed_memory);
	tcase_add_test(t, no_passphrase_stays_in_freed_memory);
	tcase_add_test(t, no_key_of_the_stage_stays_in_freed_memory);
	suite_add_tcase(s, t);
	return s;
}
