/*
 * Write a ZIP archive in the form of trailfs-package(5).  The same members give
 * the same bytes.
 */
#ifndef TF_ARCHIVE_ZIP_WRITE_H
#define TF_ARCHIVE_ZIP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_zip_member {
	char *name;
	uint64_t size;
	bool deflate, executable;
};

/*
 * Read up to n bytes of member i at off into p and set *got.  Called with
 * rising off, one member after the other.
 */
typedef enum tf_code (*tf_zip_read)(void *arg, size_t i, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);

/*
 * Write members 0..n-1 in this order to fd, which stays the caller's.  The
 * result of member(arg, i) must be valid until the function returns.  On
 * failure the contents of fd are undefined.  Errors: TF_IO, TF_NOMEM, those of
 * read.
 */
TF_MUST_USE enum tf_code tf_zip_write(int fd,
    const struct tf_zip_member *(*member)(void *arg, size_t i), size_t n,
    tf_zip_read read, void *arg, struct tf_error *err);

#endif
