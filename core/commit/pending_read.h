/* Reading a pending file: see pending_read.c. */
#ifndef TF_COMMIT_PENDING_READ_H
#define TF_COMMIT_PENDING_READ_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_pending;

/* Read up to n bytes of l at off; *got is less than n only at its end.  No lock
 * is held.  Errors: those of tf_encrypt and of the disk. */
TF_MUST_USE enum tf_code tf_pending_read(struct tf_pending *l, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

#endif
