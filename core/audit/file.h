/* Hashing files that are under audit. */
#ifndef TF_AUDIT_FILE_H
#define TF_AUDIT_FILE_H

#include <stdint.h>

#include "../error.h"

struct tf_content;
struct tf_hash;
struct tf_differ;

/*
 * Set digest and size of the plain file fd, for the comparison with want.  A
 * plain file of another size is not hashed: *h is zero and *size differs from
 * want->size.  At most want->size + 1 bytes are read, as a file may grow
 * without end.  where, unless NULL, gets the bytes, also of a plain file of
 * another size.  Errors: TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_audit_hash(int fd, const struct tf_content *want,
    struct tf_differ *where, struct tf_hash *h, uint64_t *size,
    struct tf_error *err);

/* The same for the file at path below dirfd; no part of path may be a symlink.
 * Errors: also TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_audit_hash_beneath(int dirfd, const char *path,
    const struct tf_content *want, struct tf_differ *where, struct tf_hash *h,
    uint64_t *size, struct tf_error *err);

#endif
