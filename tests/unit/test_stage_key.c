/* The keys of staged files, and their chunks. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/crypt/stage_key.h"

static char dir[256];
static int dirfd_;
static struct tf_stage_key *stage;
static struct tf_staged_key *key;

static void
set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/stage.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_ge(dirfd_ = open(dir, O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(TF_OK,
	    tf_stage_key_create(dirfd_, "stage.key", &stage, NULL));
	ck_assert_int_eq(TF_OK, tf_staged_key_new(7, &key, NULL));
}

static void
tear_down(void)
{
	tf_stage_key_free(stage);
	tf_staged_key_free(key);
	(void)unlinkat(dirfd_, "stage.key", 0);
	(void)unlinkat(dirfd_, "other.key", 0);
	(void)close(dirfd_);
	(void)rmdir(dir);
}

static const size_t lengths[] = { 0, 1, 4096, 65535, 65536 };

static const uint8_t zeros[TF_CHUNK_LEN];
static uint8_t text[TF_CHUNK_LEN], sealed[TF_STAGED_CHUNK_MAX],
    again[TF_STAGED_CHUNK_MAX], out[TF_CHUNK_LEN];

START_TEST(a_chunk_is_opened_as_what_was_sealed)
{
	size_t n = lengths[_i];

	memset(text, 'x', n);
	ck_assert_int_eq(TF_OK, tf_staged_seal(key, 3, text, n, sealed, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_open(key, 3, sealed, n + TF_STAGE_ADDED, out, NULL));
	ck_assert_mem_eq(text, out, n);
}
END_TEST

/* A second write of a chunk shares nothing with the first. */
START_TEST(no_key_is_used_for_two_writes)
{
	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(TF_OK,
	    tf_staged_seal(key, 0, text, sizeof(text), sealed, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_seal(key, 0, text, sizeof(text), again, NULL));
	for (size_t i = 0; i + 16 <= sizeof(sealed); i += 16)
		ck_assert_mem_ne(sealed + i, again + i, 16);
	ck_assert_ptr_null(memmem(sealed, sizeof(sealed), text, 16));
}
END_TEST

/* Nothing of the text may be in out. */
static void
refused(const struct tf_staged_key *k, uint64_t index, size_t n)
{
	memset(out, 0, sizeof(out));
	ck_assert_int_eq(TF_TAMPER,
	    tf_staged_open(k, index, sealed, n, out, NULL));
	ck_assert_mem_eq(zeros, out, sizeof(out));
}

START_TEST(a_chunk_opens_in_no_other_place)
{
	uint8_t wrapped[TF_WRAPPED_KEY_LEN];
	struct tf_staged_key *other;

	memset(text, 'x', 100);
	ck_assert_int_eq(TF_OK,
	    tf_staged_seal(key, 3, text, 100, sealed, NULL));
	refused(key, 2, 100 + TF_STAGE_ADDED);
	refused(key, UINT64_C(3) << 32, 100 + TF_STAGE_ADDED);
	ck_assert_int_eq(TF_OK, tf_staged_key_new(7, &other, NULL));
	refused(other, 3, 100 + TF_STAGE_ADDED);
	tf_staged_key_free(other);

	/* A key is bound to its file. */
	ck_assert_int_eq(TF_OK, tf_staged_key_wrap(key, stage, wrapped, NULL));
	other = NULL;
	ck_assert_int_eq(TF_TAMPER,
	    tf_staged_key_unwrap(wrapped, 8, stage, &other, NULL));
	ck_assert_ptr_null(other);
	ck_assert_int_eq(TF_OK,
	    tf_staged_key_unwrap(wrapped, 7, stage, &other, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_open(other, 3, sealed, 100 + TF_STAGE_ADDED, out, NULL));
	ck_assert_mem_eq(text, out, 100);
	tf_staged_key_free(other);
}
END_TEST

START_TEST(no_altered_bit_and_no_shorter_chunk_opens)
{
	size_t n = 40 + TF_STAGE_ADDED;

	memset(text, 'x', 40);
	ck_assert_int_eq(TF_OK, tf_staged_seal(key, 3, text, 40, sealed, NULL));
	for (size_t i = 0; i < n * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		refused(key, 3, n);
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		refused(key, 3, i);
}
END_TEST

START_TEST(no_altered_bit_of_a_wrapped_key_opens)
{
	uint8_t wrapped[TF_WRAPPED_KEY_LEN], second[TF_WRAPPED_KEY_LEN];
	struct tf_staged_key *other = NULL;

	ck_assert_int_eq(TF_OK, tf_staged_key_wrap(key, stage, wrapped, NULL));
	ck_assert_int_eq(TF_OK, tf_staged_key_wrap(key, stage, second, NULL));
	for (size_t i = 0; i + 16 <= sizeof(wrapped); i += 16)
		ck_assert_mem_ne(wrapped + i, second + i, 16);
	for (size_t i = 0; i < sizeof(wrapped) * 8; i++) {
		wrapped[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_eq(TF_TAMPER,
		    tf_staged_key_unwrap(wrapped, 7, stage, &other, NULL));
		wrapped[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ck_assert_ptr_null(other);
}
END_TEST

/* A key that was read again opens what it wrapped; a new key does not. */
START_TEST(the_key_of_the_stage_is_kept_in_its_file)
{
	uint8_t wrapped[TF_WRAPPED_KEY_LEN];
	struct tf_stage_key *read = NULL, *replaced = NULL;
	struct tf_staged_key *other = NULL;
	struct stat st;

	ck_assert_int_eq(0, fstatat(dirfd_, "stage.key", &st, 0));
	ck_assert_uint_eq(0100400, st.st_mode);
	ck_assert_int_eq(TF_STAGE_KEY_LEN, st.st_size);
	ck_assert_int_eq(TF_OK, tf_staged_key_wrap(key, stage, wrapped, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_stage_key_load(dirfd_, "stage.key", &read, NULL));
	ck_assert_int_eq(TF_OK,
	    tf_staged_key_unwrap(wrapped, 7, read, &other, NULL));
	tf_staged_key_free(other);
	other = NULL;
	ck_assert_int_eq(TF_OK,
	    tf_stage_key_create(dirfd_, "stage.key", &replaced, NULL));
	ck_assert_int_eq(TF_TAMPER,
	    tf_staged_key_unwrap(wrapped, 7, replaced, &other, NULL));
	ck_assert_ptr_null(other);
	tf_stage_key_free(read);
	tf_stage_key_free(replaced);
}
END_TEST

/* The permissions of key files are checked by the function that reads all of
 * them; the length is checked here. */
START_TEST(a_file_that_is_no_key_is_refused)
{
	struct tf_stage_key *k = NULL;
	struct tf_error err = { 0 };

	ck_assert_int_eq(TF_NOTFOUND,
	    tf_stage_key_load(dirfd_, "other.key", &k, &err));
	for (int n = 31; n <= 33; n += 2) {
		int fd = openat(dirfd_, "other.key",
		    O_CREAT | O_TRUNC | O_WRONLY, 0600);

		ck_assert_int_eq(0, fchmod(fd, 0600));
		ck_assert_int_eq(n, write(fd, text, (size_t)n));
		ck_assert_int_eq(TF_INVALID,
		    tf_stage_key_load(dirfd_, "other.key", &k, &err));
		ck_assert_str_eq("key other.key has not 32 bytes", err.text);
		ck_assert_int_eq(0, fchmod(fd, 0640));
		ck_assert_int_eq(TF_FOREIGN,
		    tf_stage_key_load(dirfd_, "other.key", &k, &err));
		close(fd);
	}
	ck_assert_ptr_null(k);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *
suite_stage_key(void)
{
	Suite *s = suite_create("stage_key");
	TCase *t = tcase_create("stage_key");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, a_chunk_is_opened_as_what_was_sealed, 0,
	    COUNT(lengths));
	tcase_add_test(t, no_key_is_used_for_two_writes);
	tcase_add_test(t, a_chunk_opens_in_no_other_place);
	tcase_add_test(t, no_altered_bit_and_no_shorter_chunk_opens);
	tcase_add_test(t, no_altered_bit_of_a_wrapped_key_opens);
	tcase_add_test(t, the_key_of_the_stage_is_kept_in_its_file);
	tcase_add_test(t, a_file_that_is_no_key_is_refused);
	suite_add_tcase(s, t);
	return s;
}
