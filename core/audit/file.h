/* Files of others, hashed for comparison. */
#ifndef TF_AUDIT_FILE_H
#define TF_AUDIT_FILE_H

#include <stdint.h>

#include "../error.h"

struct tf_content;
struct tf_hash;

/*
 * Digest and size of the plain file fd, for the comparison with want.  A file
 * of another size is not read, and no byte after the first one too many: it may
 * be endless.  h is void then.  Errors: TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_audit_hash(int fd, const struct tf_content *want,
    struct tf_hash *h, uint64_t *size, struct tf_error *err);

#endif
