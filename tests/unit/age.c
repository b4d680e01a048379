/* Helpers of the tests of encryption: see age.h. */
#include "age.h"

#include <check.h>
#include <fcntl.h>
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

/* --- long texts ------------------------------------------------------------- */

/* age_byte() repeats itself after so many bytes. */
#define PERIOD ((size_t)1 << 24)

/* The part of a text from byte number `at` on, of at most one period. */
static size_t
part_of(uint64_t at, uint64_t n)
{
	size_t most = PERIOD - (size_t)(at % PERIOD);

	return n - at < most ? (size_t)(n - at) : most;
}

static enum tf_code
put_fd(void *arg, const void *p, size_t n, struct tf_error *err)
{
	const char *s = p;
	ssize_t some;

	for (; n > 0; s += some, n -= (size_t)some)
		if ((some = write(*(int *)arg, s, n)) < 0)
			return tf_fail(err, TF_IO, "write");
	return TF_OK;
}

/* A process that writes the n bytes of text to fd, and one of age(1) that reads
 * and writes these descriptors. */
static pid_t
start_text(int fd, uint64_t n)
{
	uint8_t *block;
	pid_t pid;

	ck_assert_int_ge(pid = fork(), 0);
	if (pid > 0)
		return pid;
	block = make_text(PERIOD);
	for (uint64_t at = 0; at < n; at += part_of(at, n))
		if (put_fd(&fd, block + at % PERIOD, part_of(at, n), NULL) !=
		    TF_OK)
			_exit(1);
	_exit(0);
}

static pid_t
start_age(const char *how, const char *key, int from, int to)
{
	pid_t pid;

	ck_assert_int_ge(pid = fork(), 0);
	if (pid > 0)
		return pid;
	if (chdir(dir) < 0 || dup2(from, 0) < 0 || dup2(to, 1) < 0)
		_exit(127);
	execlp("age", "age", how, key, how[1] == 'i' ? "-d" : NULL, NULL);
	_exit(127);
}

static void
wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert_int_eq(0, status);
}

/* A pipe whose ends other processes do not inherit. */
static void
make_pipe(int fd[2])
{
	ck_assert_int_eq(0, pipe2(fd, O_CLOEXEC));
}

/* A child encrypts; age decrypts; this process compares. */
void
age_decrypts_stream(const struct tf_recipients *r, uint64_t n)
{
	uint8_t *block = make_text(PERIOD), *got = malloc(PERIOD);
	int to[2], back[2];
	pid_t writer, age;
	size_t some;

	ck_assert_ptr_nonnull(got);
	make_dir();
	write_file("key", AGE_IDENTITY "\n", strlen(AGE_IDENTITY) + 1);
	make_pipe(to);
	make_pipe(back);
	age = start_age("-i", "key", to[0], back[1]);
	ck_assert_int_ge(writer = fork(), 0);
	if (writer == 0) {
		struct tf_age_writer *w;

		close(to[0]);
		close(back[0]);
		if (tf_age_writer_new(r, put_fd, &to[1], &w, NULL) != TF_OK)
			_exit(1);
		for (uint64_t at = 0; at < n; at += part_of(at, n))
			if (tf_age_writer_add(w, block + at % PERIOD,
				part_of(at, n), NULL) != TF_OK)
				_exit(1);
		_exit(tf_age_writer_end(w, NULL) != TF_OK);
	}
	close(to[0]);
	close(to[1]);
	close(back[1]);
	for (uint64_t at = 0; at < n; at += some) {
		ck_assert_int_eq(TF_OK,
		    tf_age_get_fd(&back[0], got, part_of(at, n), &some, NULL));
		ck_assert_uint_eq(part_of(at, n), some);
		ck_assert_int_eq(0, memcmp(got, block + at % PERIOD, some));
	}
	ck_assert_int_eq(0, read(back[0], got, 1));
	close(back[0]);
	wait_for(writer);
	wait_for(age);
	run("rm -rf \"$PWD\"");
	free(block);
	free(got);
}

void
age_encrypts_stream(const struct tf_identities *ids, uint64_t n)
{
	uint8_t *block = make_text(PERIOD);
	struct tf_age_reader *r;
	int to[2], back[2];
	pid_t text, age;
	const uint8_t *p;
	uint64_t at = 0;
	size_t some = 1;

	make_dir();
	make_pipe(to);
	make_pipe(back);
	age = start_age("-r", AGE_RECIPIENT, to[0], back[1]);
	close(to[0]);
	close(back[1]);
	text = start_text(to[1], n);
	close(to[1]);
	ck_assert_int_eq(TF_OK,
	    tf_age_reader_new(ids, tf_age_get_fd, &back[0], &r, NULL));
	while (some > 0) {
		ck_assert_int_eq(TF_OK, tf_age_reader_next(r, &p, &some, NULL));
		ck_assert_int_eq(0, memcmp(p, block + at % PERIOD, some));
		at += some;
	}
	ck_assert_uint_eq(n, at);
	tf_age_reader_free(r);
	close(back[0]);
	wait_for(text);
	wait_for(age);
	run("rm -rf \"$PWD\"");
	free(block);
}
