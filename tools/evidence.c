/*
 * Files that become evidence: see evidence.h.
 *
 * The list of files is made first and read later, so that two files with one
 * name, or something that cannot be evidence, are found before anything is
 * recorded. A file may change in between: what counts is what is read, and the
 * digest is made from the bytes that go to the vault.
 *
 * Links are never followed below a directory. Someone who can write there could
 * otherwise get any file that the caller may read into the record, where it
 * stays for ever.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/array.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "evidence.h"
#include "interrupt.h"
#include "report.h"

/* --- finding files ----------------------------------------------------------- */

void
sources_free(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].path);
	}
	free(s->v);
	*s = (struct sources){ 0 };
}

/*
 * On failure the list has a row without strings, which sources_free() can take.
 */
static enum tf_code
add(struct sources *s, const char *name, const char *path, bool nested,
    mode_t mode, struct tf_error *err)
{
	struct source *v;

	if (!tf_array_room(&s->v, s->n, &s->cap, sizeof(*v)))
		return tf_nomem(err);
	v = &s->v[s->n++];
	*v = (struct source){ .name = strdup(name),
		.path = strdup(path),
		.nested = nested,
		.mode = mode };
	return v->name != NULL && v->path != NULL ? TF_OK : tf_nomem(err);
}

/* A link gets a message of its own, as it has a way out. */
static enum tf_code
not_evidence(const char *path, mode_t mode, struct tf_error *err)
{
	if (S_ISLNK(mode))
		return tf_fail(err, TF_USAGE,
		    "%s is a symbolic link; name it as an argument, or record "
		    "the file it points to",
		    path);
	return tf_fail(err, TF_USAGE,
	    "%s is neither a regular file nor a directory", path);
}

static int
is_child(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Add the files below the directory path; name is its path below the argument,
 * "" for the argument itself. */
static enum tf_code
walk(struct sources *s, const char *path, const char *name,
    struct tf_error *err)
{
	struct dirent **list = NULL;
	enum tf_code rc = TF_OK;
	int n = scandir(path, &list, is_child, NULL);

	if (n < 0)
		return report_system(err, "%s", path);
	for (int i = 0; i < n; i++) {
		char *below = NULL, *inner = NULL;
		struct stat st;

		if (rc == TF_OK &&
		    (asprintf(&below, "%s/%s", path, list[i]->d_name) < 0 ||
			asprintf(&inner, "%s%s%s", name,
			    *name != '\0' ? "/" : "", list[i]->d_name) < 0))
			rc = tf_nomem(err);
		if (rc == TF_OK && lstat(below, &st) < 0)
			rc = report_system(err, "%s", below);
		if (rc == TF_OK && S_ISDIR(st.st_mode))
			rc = walk(s, below, inner, err);
		else if (rc == TF_OK && S_ISREG(st.st_mode))
			rc = add(s, inner, below, true, st.st_mode, err);
		else if (rc == TF_OK)
			rc = not_evidence(below, st.st_mode, err);
		free(below);
		free(inner);
		free(list[i]);
	}
	free(list);
	return rc;
}

/* One argument. stat(2) follows a link: the user has named it. */
static enum tf_code
take(struct sources *s, const char *arg, struct tf_error *err)
{
	const char *base = strrchr(arg, '/');
	struct stat st;

	base = base == NULL ? arg : base + 1;
	if (*arg == '\0')
		return tf_fail(err, TF_USAGE, "the name of a file is empty");
	if (stat(arg, &st) < 0)
		return report_system(err, "%s", arg);
	if (S_ISDIR(st.st_mode))
		return walk(s, arg, "", err);
	if (!S_ISREG(st.st_mode))
		return not_evidence(arg, st.st_mode, err);
	return add(s, base, arg, false, st.st_mode, err);
}

/* As bytes: the order of SHA256SUMS. */
static int
by_name(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static enum tf_code
sort(struct sources *s, struct tf_error *err)
{
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_name);
	for (size_t i = 1; i < s->n; i++)
		if (strcmp(s->v[i].name, s->v[i - 1].name) == 0)
			return tf_fail(err, TF_USAGE,
			    "%s and %s would both be %s", s->v[i - 1].path,
			    s->v[i].path, s->v[i].name);
	return TF_OK;
}

enum tf_code
sources_find(int n, char **arg, struct sources *out, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	*out = (struct sources){ 0 };
	for (int i = 0; rc == TF_OK && i < n; i++)
		rc = take(out, arg[i], err);
	return rc == TF_OK ? sort(out, err) : rc;
}

/* Each part of the path is a name: ".." would lead out of the draft. */
static bool
is_below(const char *name)
{
	size_t n;

	for (;; name += n + 1) {
		n = strcspn(name, "/");
		if (n == 0 || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (name[n] == '\0')
			return true;
	}
}

enum tf_code
sources_add_input(struct sources *out, const char *name, struct tf_error *err)
{
	enum tf_code rc;

	if (!is_below(name))
		return tf_fail(err, TF_USAGE, "%.100s is no name of a file",
		    name);
	rc = add(out, name, "standard input", false, 0666, err);
	if (rc == TF_OK)
		out->v[out->n - 1].input = true;
	return rc == TF_OK ? sort(out, err) : rc;
}

/* --- reading them ------------------------------------------------------------- */

void
evidence_free(struct evidence *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].name);
	free(e->v);
	*e = (struct evidence){ 0 };
}

/* The digest is copied. */
static enum tf_code
append(struct evidence *e, const char *name, uint64_t size,
    const struct tf_hash *h, struct tf_error *err)
{
	if (!tf_array_room(&e->v, e->n, &e->cap, sizeof(*e->v)))
		return tf_nomem(err);
	e->v[e->n] = (struct evidence_file){ strdup(name), size, *h };
	return e->v[e->n++].name != NULL ? TF_OK : tf_nomem(err);
}

enum tf_code
evidence_add(struct evidence *e, const char *name, const void *p, size_t n,
    struct tf_error *err)
{
	struct tf_hash h;

	tf_sha256(p, n, &h);
	return append(e, name, n, &h, err);
}

/* Open standard input, or a regular file.  It may have become something else
 * since it was found, and opening that must neither block nor follow. */
static enum tf_code
open_source(const struct source *s, int *fd, struct tf_error *err)
{
	struct stat st;

	if (s->input) {
		*fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
		return *fd < 0 ? report_system(err, "%s", s->path) : TF_OK;
	}
	*fd = open(s->path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
		(s->nested ? O_NOFOLLOW : 0));
	if (*fd < 0)
		return report_system(err, "%s", s->path);
	if (fstat(*fd, &st) < 0)
		return report_system(err, "%s", s->path);
	return S_ISREG(st.st_mode) ? TF_OK :
				     not_evidence(s->path, st.st_mode, err);
}

/* One pass: sink and digest get the same bytes. */
enum tf_code
evidence_read(const struct source *s, const struct tf_sink *sink,
    struct evidence *out, struct tf_error *err)
{
	static char part[1 << 18];
	struct tf_sha256 *hash = tf_sha256_new();
	struct tf_hash h;
	uint64_t size = 0;
	ssize_t n;
	int fd = -1;
	enum tf_code rc = hash == NULL ? tf_nomem(err) :
					 open_source(s, &fd, err);

	while (rc == TF_OK) {
		/* A pipe may stay empty for ever. */
		if (s->input && (rc = interrupt_wait(fd, err)) != TF_OK)
			break;
		if ((n = read(fd, part, sizeof(part))) == 0)
			break;
		if (n < 0 && (errno == EINTR || (s->input && errno == EAGAIN)))
			continue;
		if (n < 0) {
			rc = report_system(err, "%s", s->path);
			break;
		}
		tf_sha256_add(hash, part, (size_t)n);
		size += (uint64_t)n;
		if (sink != NULL)
			rc = sink->put(sink->arg, part, (size_t)n, err);
		if (rc == TF_OK)
			rc = interrupt_check(err);
	}
	if (rc == TF_OK) {
		tf_sha256_peek(hash, &h);
		rc = append(out, s->name, size, &h, err);
	}
	if (fd >= 0)
		(void)close(fd); /* read-only */
	tf_sha256_free(hash);
	return rc;
}

/* --- SHA256SUMS ----------------------------------------------------------------- */

static int
by_file(const void *a, const void *b)
{
	const struct evidence_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

enum tf_code
evidence_sums(struct evidence *e, struct tf_buf *out, struct tf_error *err)
{
	char hex[65];

	if (e->n > 0)
		qsort(e->v, e->n, sizeof(*e->v), by_file);
	for (size_t i = 0; i < e->n; i++) {
		const char *name = e->v[i].name;

		tf_hex(e->v[i].sha256.b, 32, hex);
		/* As sha256sum(1): a backslash is doubled and marked. */
		tf_buf_printf(out, "%s%s  ",
		    strchr(name, '\\') != NULL ? "\\" : "", hex);
		for (; *name != '\0'; name++)
			tf_buf_add(out, *name == '\\' ? "\\\\" : name,
			    *name == '\\' ? 2 : 1);
		tf_buf_add(out, "\n", 1);
	}
	return tf_buf_end(out, err);
}
