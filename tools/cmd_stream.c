/*
 * trailctl stream: standard input becomes evidence that is entered in the ledger
 * while it grows (core/node/growth.h).
 *
 * The file has its final name from the first byte on, so that others can follow it,
 * and so there is no draft to tidy up: a signal ends the program as it ends cat(1),
 * and what was read until then is sealed.  Each read becomes a write at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cmd.h"
#include "core/base/file.h"
#include "core/control.h"
#include "files.h"
#include "refusals.h"
#include "report.h"
#include "where.h"

#define PIECE 65536 /* bytes; more than a pipe gives at once */

/* path is in a mount, and is no control file. */
static enum tf_code
check_place(const char *path, struct tf_error *err)
{
	struct where w = { 0 };
	bool exists;
	enum tf_code rc = where_find_name(path, &w, &exists, err);

	if (rc == TF_OK && w.mount == NULL)
		rc = tf_fail(err, TF_USAGE,
		    "%s is not in a mount: without its daemon nothing is "
		    "entered while it grows",
		    path);
	else if (rc == TF_OK && where_is_control(w.path))
		rc = tf_fail(err, TF_USAGE, "%s is a control file", path);
	where_free(&w);
	return rc;
}

/* The name can only be made in a directory that exists. */
static enum tf_code
explain(const char *path, int sys, struct tf_error *err)
{
	const char *slash = strrchr(path, '/');

	if (sys == ENOENT && slash != NULL && slash != path) {
		errno = 0; /* the text says it */
		return tf_fail(err, TF_NOTFOUND,
		    "%.*s does not exist: mkdir -p makes the attestation",
		    (int)(slash - path), path);
	}
	return refusals_explain_path(path, err);
}

/* A file that cannot be marked, and that this call made, goes again: then the name
 * is free for cat(1). */
static enum tf_code
open_marked(const char *path, int *fd, struct tf_error *err)
{
	bool made = true;
	enum tf_code rc = TF_OK;

	*fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
	    0666);
	if (*fd < 0 && errno == EEXIST) {
		made = false;
		*fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	}
	if (*fd < 0) {
		const int sys = errno;

		(void)report_name(err, path);
		return explain(path, sys, err);
	}
	if (fsetxattr(*fd, TF_XATTR_STREAM, "1", 1, 0) < 0 &&
	    errno == EOPNOTSUPP) {
		rc = tf_fail(err, TF_DENIED,
		    "%s is encrypted for recipients, and not entered while it "
		    "grows: use cat",
		    path);
	} else if (fsetxattr(*fd, TF_XATTR_STREAM, "1", 1, 0) < 0) {
		(void)report_system(err, "%s", path);
		rc = refusals_explain_path(path, err);
	}
	if (rc != TF_OK) {
		if (made) /* before the close, which would keep it */
			(void)unlink(path);
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

static enum tf_code
copy(int fd, const char *path, struct tf_error *err)
{
	static char piece[PIECE];
	enum tf_code rc = TF_OK;
	ssize_t n;

	while (rc == TF_OK && (n = read(STDIN_FILENO, piece, PIECE)) != 0) {
		if (n < 0 && errno != EINTR)
			return report_system(err, "standard input");
		if (n > 0 &&
		    files_put(fd, path, piece, (size_t)n, err) != TF_OK)
			rc = refusals_explain_path(path, err);
	}
	return rc;
}

static int
run(int n, char **arg)
{
	const char *path = arg[0];
	struct tf_error err = { 0 };
	enum tf_code rc;
	int fd = -1;

	(void)n;
	rc = check_place(path, &err);
	/* Nothing to read from: then no empty file is left either. */
	if (rc == TF_OK && read(STDIN_FILENO, NULL, 0) < 0)
		rc = report_system(&err, "standard input");
	if (rc == TF_OK)
		rc = open_marked(path, &fd, &err);
	if (rc == TF_OK)
		rc = copy(fd, path, &err);
	/* With durability=batch a close alone promises nothing. */
	if (rc == TF_OK && (rc = tf_file_sync(fd, &err)) != TF_OK)
		report_about(&err, path);
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK)
		rc = report_system(&err, "%s", path);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_stream = {
	.name = "stream",
	.summary =
	    "record standard input, entered in the ledger while it grows",
	.usage = "PATH",
	.min = 1,
	.max = 1,
	.run = run,
};
