/* Helpers of the tests of encryption: see age.h. */
#include "age.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct tf_recipients
age_recipients(const char *text)
{
	struct tf_error err = { 0 };
	struct tf_recipients r;

	ck_assert_msg(tf_recipients_parse(text, strlen(text), &r, &err) ==
		TF_OK,
	    "%s", err.text);
	return r;
}

uint8_t
age_byte(uint64_t i)
{
	return (uint8_t)(i * 7 ^ i >> 8 ^ i >> 16);
}

bool
age_same(const uint8_t *p, size_t n, uint64_t from)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != age_byte(from + i))
			return false;
	return true;
}

static enum tf_code
append(void *arg, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(arg, p, n);
	return tf_buf_end(arg, err);
}

void
age_encrypt(const struct tf_recipients *r, uint64_t n, size_t piece,
    struct tf_buf *out)
{
	struct tf_age_writer *w;
	uint8_t *text = malloc(n + 1);

	ck_assert_ptr_nonnull(text);
	for (uint64_t i = 0; i < n; i++)
		text[i] = age_byte(i);
	ck_assert_int_eq(TF_OK, tf_age_writer_new(r, append, out, &w, NULL));
	for (uint64_t at = 0; at < n; at += piece)
		ck_assert_int_eq(TF_OK,
		    tf_age_writer_add(w, text + at,
			n - at < piece ? n - at : piece, NULL));
	ck_assert_int_eq(TF_OK, tf_age_writer_end(w, NULL));
	tf_age_writer_free(w);
	free(text);
}

size_t
age_payload(const struct tf_buf *file)
{
	const char *mac = memmem(file->p, file->n, "\n--- ", 5);

	ck_assert_ptr_nonnull(mac);
	return file->n - (size_t)(mac - file->p) - 5 - 44;
}

/* --- age(1) ----------------------------------------------------------------- */

bool
age_there(const char *test)
{
	if (system("age --version >/dev/null 2>&1") == 0)
		return true;
	printf("SKIP %s: age is not installed\n", test);
	fflush(stdout);
	return false;
}

static void
write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(n, fwrite(p, 1, n, f));
	ck_assert_int_eq(0, fclose(f));
}

void
age_decrypts(const struct tf_buf *file, uint64_t n)
{
	const char *tmp = getenv("TMPDIR");
	char dir[4000], path[4096], command[9000];
	uint8_t *text = malloc(n + 1);
	FILE *f;

	ck_assert_ptr_nonnull(text);
	(void)snprintf(dir, sizeof(dir), "%s/age.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	write_file(path, AGE_IDENTITY "\n", strlen(AGE_IDENTITY) + 1);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	write_file(path, file->p, file->n);
	(void)snprintf(command, sizeof(command),
	    "cd '%s' && age -d -i key <file >text; s=$?; rm -f key file; "
	    "exit $s",
	    dir);
	ck_assert_int_eq(0, system(command));
	(void)snprintf(path, sizeof(path), "%s/text", dir);
	ck_assert_ptr_nonnull(f = fopen(path, "rb"));
	ck_assert_uint_eq(n, fread(text, 1, n + 1, f));
	fclose(f);
	ck_assert(age_same(text, n, 0));
	free(text);
	(void)unlink(path);
	(void)rmdir(dir);
}
