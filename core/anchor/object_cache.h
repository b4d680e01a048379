/*
 * A cache of objects by digest: files DIR/.cache/ab/HEX with a limit to their bytes.
 * The file that was not used for the longest time goes first; who has it open goes on
 * reading it.  Nothing in it is trusted: an object is hashed whenever it is given.
 * Safe from many threads at once.
 */
#ifndef TF_ANCHOR_OBJECT_CACHE_H
#define TF_ANCHOR_OBJECT_CACHE_H

#include <pthread.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_object_cache {
	int dirfd;
	uint64_t max;	    /* bytes */
	pthread_mutex_t mu; /* guards used */
	uint64_t used;	    /* bytes */
};

/* Open the cache in the directory dirfd, which is made if it is absent, and lock it.
 * On failure, too, it may be closed.  TF_LOCKED: another process has it. */
TF_MUST_USE enum tf_code tf_object_cache_open(struct tf_object_cache *c,
    int dirfd, uint64_t max, struct tf_error *err);
void tf_object_cache_close(struct tf_object_cache *c);

/* Open an object for reading.  TF_NOTFOUND (err unchanged): it is not there, or was
 * damaged and is not there any more. */
TF_MUST_USE enum tf_code tf_object_cache_get(struct tf_object_cache *c,
    const struct tf_hash *h, int *fd, uint64_t *size, struct tf_error *err);
/* Open an empty file without a name, to be filled and put. */
TF_MUST_USE enum tf_code tf_object_cache_new(struct tf_object_cache *c, int *fd,
    struct tf_error *err);
/*
 * Keep the file fd, whose bytes have the digest h, if there is room for it,
 * and set *read to a descriptor for reading only.  That it cannot be kept is no error.
 * fd stays the caller's.
 */
TF_MUST_USE enum tf_code tf_object_cache_put(struct tf_object_cache *c,
    const struct tf_hash *h, int fd, int *read, struct tf_error *err);
uint64_t tf_object_cache_used(struct tf_object_cache *c); /* bytes */
/* Remove files until at most max bytes are left. */
void tf_object_cache_shrink(struct tf_object_cache *c, uint64_t max);

#endif
