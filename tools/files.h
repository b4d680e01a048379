/*
 * Files by their path: read whole, written whole.  This is the only place that
 * makes the files that users name with -o and --junit.
 */
#ifndef TRAILCTL_FILES_H
#define TRAILCTL_FILES_H

#include "core/json.h"

/* Append what is in path to out; TF_INVALID when it is longer than max. */
TF_MUST_USE enum tf_code files_read(const char *path, size_t max,
    struct tf_buf *out, struct tf_error *err);

/*
 * A file that is being made.  It has no name until it is whole, so that a
 * program that is killed leaves nothing.  Where the file system cannot do that
 * (NFS, a trailfs mount) it is .trailctl.XXXXXX.part beside the path, and SIGINT,
 * SIGTERM, SIGHUP, SIGQUIT and SIGPIPE remove it; SIGKILL does not.
 */
struct files_new {
	int fd;		  /* for reading and writing, with room to seek */
	const char *path; /* the name it gets */
	char *dir;	  /* where it is, for other files of the same size */
	int into;	  /* what is there and is no ordinary file, or -1 */
	char *tmp;	  /* NULL: it has no name */
};

/*
 * Begin the file path; path must live until files_end.
 *
 * What is there and is not an ordinary file (a pipe, a device, a link to either
 * or to an ordinary file) stays what it is: files_end writes the whole file to
 * it, as cp(1) would.  A link to nothing and a directory are errors.
 */
TF_MUST_USE enum tf_code files_begin(struct files_new *f, const char *path,
    struct tf_error *err);

/*
 * End it: with rc TF_OK the file gets its name, replacing an ordinary file of
 * that name at once; otherwise nothing is left of it, and path is what it was.
 * Returns rc, or what went wrong now.  Frees what is in f.
 */
TF_MUST_USE enum tf_code files_end(struct files_new *f, enum tf_code rc,
    struct tf_error *err);

/* Begin, write b and end. */
TF_MUST_USE enum tf_code files_write(const char *path, const struct tf_buf *b,
    struct tf_error *err);

#endif
