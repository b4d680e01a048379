/* Helpers of the tests of encryption: see age.h. */
#include "age.h"

#include <check.h>
#include <pty.h>
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

/* n bytes of text, which the caller frees with free_text(). */
static uint8_t *
make_text(uint64_t n)
{
	uint8_t *text = malloc(n + 1);

	ck_assert_ptr_nonnull(text);
	for (uint64_t i = 0; i < n; i++)
		text[i] = age_byte(i);
	return text;
}

/* Without leaving the text in freed memory, where tests look for it. */
static void
free_text(uint8_t *text, uint64_t n)
{
	tf_wipe(text, n);
	free(text);
}

static void
write_text(struct tf_age_writer *w, uint64_t n, size_t piece)
{
	uint8_t *text = make_text(n);

	for (uint64_t at = 0; at < n; at += piece)
		ck_assert_int_eq(TF_OK,
		    tf_age_writer_add(w, text + at,
			n - at < piece ? n - at : piece, NULL));
	ck_assert_int_eq(TF_OK, tf_age_writer_end(w, NULL));
	tf_age_writer_free(w);
	free_text(text, n);
}

void
age_encrypt(const struct tf_recipients *r, uint64_t n, size_t piece,
    struct tf_buf *out)
{
	struct tf_age_writer *w;

	ck_assert_int_eq(TF_OK, tf_age_writer_new(r, append, out, &w, NULL));
	write_text(w, n, piece);
}

void
age_encrypt_passphrase(const char *phrase, uint64_t n, unsigned log_n,
    struct tf_buf *out)
{
	struct tf_age_writer *w;

	ck_assert_int_eq(TF_OK,
	    tf_age_writer_new_passphrase(phrase, strlen(phrase), log_n, append,
		out, &w, NULL));
	write_text(w, n, 4096);
}

size_t
age_payload(const struct tf_buf *file)
{
	const char *mac = memmem(file->p, file->n, "\n--- ", 5);

	ck_assert_ptr_nonnull(mac);
	return file->n - (size_t)(mac - file->p) - 5 - 44;
}

/* --- opening ---------------------------------------------------------------- */

enum tf_code
age_add(struct tf_identities *ids, const char *text, struct tf_error *err)
{
	int fd[2];
	enum tf_code rc;
	size_t n = strlen(text);
	pid_t pid;

	ck_assert_int_eq(0, pipe(fd));
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) { /* a pipe may hold less than the text */
		close(fd[0]);
		_exit(write(fd[1], text, n) != (ssize_t)n);
	}
	close(fd[1]);
	rc = tf_identities_add(ids, fd[0], err);
	close(fd[0]);
	ck_assert_int_eq(pid, waitpid(pid, NULL, 0));
	return rc;
}

struct tf_identities *
age_identities(const char *text)
{
	struct tf_error err = { 0 };
	struct tf_identities *ids;

	ck_assert_int_eq(TF_OK, tf_identities_new(&ids, NULL));
	ck_assert_msg(age_add(ids, text, &err) == TF_OK, "%s", err.text);
	return ids;
}

static enum tf_code
take(void *arg, void *p, size_t n, size_t *got, struct tf_error *err)
{
	struct tf_str *rest = arg;

	(void)err;
	*got = n < rest->n ? n : rest->n;
	memcpy(p, rest->p, *got);
	rest->p += *got;
	rest->n -= *got;
	return TF_OK;
}

enum tf_code
age_open(const struct tf_identities *ids, const void *p, size_t n,
    uint64_t *released, struct tf_error *err)
{
	struct tf_str rest = { p, n };
	struct tf_age_reader *r;
	const uint8_t *text;
	enum tf_code rc;
	size_t some;

	*released = 0;
	if ((rc = tf_age_reader_new(ids, take, &rest, &r, err)) != TF_OK)
		return rc;
	while ((rc = tf_age_reader_next(r, &text, &some, err)) == TF_OK &&
	    some > 0) {
		ck_assert(age_same(text, some, *released));
		*released += some;
	}
	ck_assert_uint_eq(0, some);
	if (rc != TF_OK) /* a failure is final */
		ck_assert_int_eq(rc, tf_age_reader_next(r, &text, &some, NULL));
	tf_age_reader_free(r);
	return rc;
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

static char dir[4000];

/* A new empty directory, in which the commands run. */
static void
make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof(dir), "%s/age.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
write_file(const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "wb"));
	ck_assert_uint_eq(n, fwrite(p, 1, n, f));
	ck_assert_int_eq(0, fclose(f));
}

/* Append the bytes of the file to out. */
static void
read_file(const char *name, struct tf_buf *out)
{
	char path[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "rb"));
	do {
		ck_assert(tf_buf_room(out, 65536));
		n = fread(out->p + out->n, 1, 65536, f);
		out->n += n;
	} while (n > 0);
	fclose(f);
}

static void
run(const char *command)
{
	char line[9000];

	(void)snprintf(line, sizeof(line), "cd '%s' && %s", dir, command);
	ck_assert_int_eq(0, system(line));
}

/* The file "text" has n bytes of text.  Remove the directory. */
static void
end_with_text(uint64_t n)
{
	struct tf_buf text = { 0 };

	read_file("text", &text);
	ck_assert_uint_eq(n, text.n);
	ck_assert(age_same((uint8_t *)text.p, n, 0));
	tf_buf_free(&text);
	run("rm -rf \"$PWD\"");
}

void
age_decrypts(const struct tf_buf *file, uint64_t n)
{
	make_dir();
	write_file("key", AGE_IDENTITY "\n", strlen(AGE_IDENTITY) + 1);
	write_file("file", file->p, file->n);
	run("age -d -i key file >text");
	end_with_text(n);
}

/* age reads a passphrase from its terminal, and only from there. */
void
age_decrypts_passphrase(const struct tf_buf *file, const char *phrase,
    uint64_t n)
{
	char said[4096];
	int fd, status;
	pid_t pid;

	make_dir();
	write_file("file", file->p, file->n);
	ck_assert_int_ge(pid = forkpty(&fd, NULL, NULL, NULL), 0);
	if (pid == 0) {
		if (chdir(dir) == 0)
			execlp("age", "age", "-d", "-o", "text", "file", NULL);
		_exit(127);
	}
	/* Its question first: it throws away what was typed before. */
	ck_assert_int_gt(read(fd, said, sizeof(said)), 0);
	dprintf(fd, "%s\n", phrase);
	while (read(fd, said, sizeof(said)) > 0)
		;
	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert_int_eq(0, status);
	close(fd);
	end_with_text(n);
}

void
age_encrypts(uint64_t n, struct tf_buf *out)
{
	uint8_t *text = make_text(n);

	make_dir();
	write_file("text", text, n);
	free_text(text, n);
	run("age -r " AGE_RECIPIENT " -o file text");
	read_file("file", out);
	run("rm -rf \"$PWD\"");
}
