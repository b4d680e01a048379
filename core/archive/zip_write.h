/* Writing a ZIP archive. */
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

/* --- writing an archive --------------------------------------------------------- */
/* Up to n bytes of member i at off; called in order, one member at a time. */
typedef enum tf_code (*tf_zip_read)(void *arg, size_t i, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);

/* Members in the order given, to fd.  member(arg, i) lives until the end. */
TF_MUST_USE enum tf_code tf_zip_write(int fd,
    const struct tf_zip_member *(*member)(void *arg, size_t i), size_t n,
    tf_zip_read read, void *arg, struct tf_error *err);

#endif
