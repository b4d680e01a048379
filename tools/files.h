/*
 * Files that users name, read whole and written whole.
 *
 * core/base/file.h has the files of a store: regular files that core made, and
 * no links.  A user may name a link, a pipe (as `--vkey <(command)`) or a
 * device instead, and a written file must not appear before it is whole, so
 * these files are opened and named here.  This is the only place that makes
 * the files of -o and --junit.
 */
#ifndef TRAILCTL_FILES_H
#define TRAILCTL_FILES_H

#include "core/json.h"

/*
 * Append the bytes of the file to out, at most max of them. The file may be a
 * link, a pipe or a device, and is read to its end. On failure out may have a
 * part; it stays the caller's to free. TF_INVALID: more than max bytes. Errors:
 * those of report_system() for open(2) and read(2).
 */
TF_MUST_USE enum tf_code files_read(const char *path, size_t max,
    struct tf_buf *out, struct tf_error *err);

/* The same for an open file, which stays open; path is for messages only.
 * TF_TOOBIG: more than max bytes; the bytes before that are in out. */
TF_MUST_USE enum tf_code files_read_fd(int fd, const char *path, size_t max,
    struct tf_buf *out, struct tf_error *err);

/*
 * Write all n bytes to an open file, which may be a pipe; path is for messages
 * only. On failure some of the bytes may be written. Does not sync and does not
 * close.
 */
TF_MUST_USE enum tf_code files_put(int fd, const char *path, const void *bytes,
    size_t n, struct tf_error *err);

/*
 * A file that is being made.  It has no name until it is whole, so that
 * nothing is left when the program is killed.  Where the file system cannot do
 * that (NFS, a trailfs mount), it has the name .trailctl.XXXXXX.part in the
 * directory of the path; SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE remove
 * it, SIGKILL does not.
 */
struct files_new {
	int fd;		  /* for reading, writing and seeking */
	const char *path; /* the name it gets */
	char *dir;	  /* its directory, for other temporary files */
	int into;	  /* an existing pipe, device or link; or -1 */
	char *tmp;	  /* NULL: it has no name */
};

/*
 * Begin the file path; path must live until files_end.
 *
 * If path is a pipe, a device or a link, it stays that: files_end() writes the
 * whole file to it, as cp(1) would.  A dangling link and a directory are
 * errors.
 */
TF_MUST_USE enum tf_code files_begin(struct files_new *f, const char *path,
    struct tf_error *err);

/*
 * End it.  With rc TF_OK the file gets its name and replaces an ordinary file
 * of that name in one step.  With another rc nothing is left of it, and path
 * is unchanged.  Returns rc, or the error of giving the name.  Frees the
 * fields of f.
 */
TF_MUST_USE enum tf_code files_end(struct files_new *f, enum tf_code rc,
    struct tf_error *err);

/* Begin, write b and end: path has exactly the bytes of b, or is unchanged. */
TF_MUST_USE enum tf_code files_write(const char *path, const struct tf_buf *b,
    struct tf_error *err);

#endif
