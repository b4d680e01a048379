/* Texts of a package that is being made, in a file without a name. */
#ifndef TF_PACKAGE_SCRATCH_H
#define TF_PACKAGE_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_vault;

struct tf_scratch {
	struct tf_vault *v; /* its disk holds the file; NULL: another disk */
	int fd;
	uint64_t end;
	struct tf_buf buf; /* the last bytes before end, not written yet */
};

/* Open a file in dir; NULL: on the disk of the store of v.  The caller closes
 * it with tf_scratch_close, also after a failure. */
TF_MUST_USE enum tf_code tf_scratch_open(struct tf_scratch *s,
    struct tf_vault *v, const char *dir, struct tf_error *err);

/* Append n bytes.  They may stay in the buffer: call tf_scratch_flush before
 * reading.  Errors: TF_NOMEM; TF_IO; those of tf_scratch_space. */
TF_MUST_USE enum tf_code tf_scratch_add(struct tf_scratch *s, const void *p,
    size_t n, struct tf_error *err);

/* Write what is in the buffer, so that reads of fd find it. */
TF_MUST_USE enum tf_code tf_scratch_flush(struct tf_scratch *s,
    struct tf_error *err);

/* s->fd may be -1. */
void tf_scratch_close(struct tf_scratch *s);

/* Check that n more bytes fit on the disk of the store.  A package may not use
 * the space that is reserved for sealing. */
TF_MUST_USE enum tf_code tf_scratch_space(struct tf_vault *v, uint64_t n,
    struct tf_error *err);

#endif
