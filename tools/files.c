/* Whole files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "report.h"

enum tf_code
files_read(const char *path, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	size_t start = out->n;
	char part[16384];
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return report_system(err, "%s", path);
	while (rc == TF_OK && (n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = report_system(err, "%s", path);
		else if ((size_t)n > max - (out->n - start))
			rc = tf_fail(err, TF_INVALID,
			    "%s is longer than %zu bytes", path, max);
		else
			tf_buf_add(out, part, (size_t)n);
		if (rc == TF_OK && out->failed)
			rc = tf_fail(err, TF_NOMEM, "no memory");
	}
	close(fd); /* read-only: close cannot lose data */
	return rc;
}

/* All of b. */
static bool
put_all(int fd, const struct tf_buf *b)
{
	size_t done = 0;
	ssize_t n;
	int sys = 0;

	while (sys == 0 && done < b->n) {
		n = write(fd, b->p + done, b->n - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			sys = errno;
	}
	errno = sys;
	return sys == 0;
}

/* A name beside path that nobody has; in a mount it is that of a draft. */
static char *
name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir = slash == NULL ? 0 : (int)(slash + 1 - path);
	char *s = NULL;

	if (asprintf(&s, "%.*s.%s.XXXXXX", dir, path, path + dir) < 0)
		return NULL;
	return s;
}

enum tf_code
files_begin(const char *path, char **tmp, int *fd, struct tf_error *err)
{
	mode_t mask = umask(0);
	enum tf_code rc;

	umask(mask);
	if ((*tmp = name_beside(path)) == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	if ((*fd = mkostemp(*tmp, O_CLOEXEC)) < 0) {
		rc = report_system(err, "%s", path);
		free(*tmp);
		return rc;
	}
	/* As open(2) would have made it. */
	(void)!fchmod(*fd, 0666 & ~mask);
	return TF_OK;
}

enum tf_code
files_end(const char *path, char *tmp, int fd, enum tf_code rc,
    struct tf_error *err)
{
	if (close(fd) < 0 && rc == TF_OK)
		rc = report_system(err, "%s", path);
	if (rc == TF_OK && rename(tmp, path) < 0)
		rc = report_system(err, "%s", path);
	if (rc != TF_OK)
		(void)unlink(tmp);
	free(tmp);
	return rc;
}

char *
files_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") :
			       strndup(path, (size_t)(slash - path));
}

static enum tf_code
replace(const char *path, const struct tf_buf *b, struct tf_error *err)
{
	char *tmp;
	int fd;
	enum tf_code rc = files_begin(path, &tmp, &fd, err);

	if (rc != TF_OK)
		return rc;
	if (!put_all(fd, b))
		rc = report_system(err, "%s", path);
	return files_end(path, tmp, fd, rc, err);
}

enum tf_code
files_write(const char *path, const struct tf_buf *b, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc = TF_OK;
	int fd;

	/* Root must not rename a file over /dev/null. */
	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return replace(path, b, err);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return report_system(err, "%s", path);
	if (!put_all(fd, b))
		rc = report_system(err, "%s", path);
	if (close(fd) < 0 && rc == TF_OK)
		rc = report_system(err, "%s", path);
	return rc;
}
