/*
 * Hashing in threads of its own: what is being written in order, just behind
 * the writer, so that neither a write nor a close waits for SHA-256; and whole
 * files, for callers who wait.
 *
 * The threads hash a slice of one user's first file, then a slice of the next
 * user's: what one user has to be hashed, a hole of a terabyte perhaps, does
 * not hold up what another has.
 */
#ifndef TF_COMMIT_HASHER_H
#define TF_COMMIT_HASHER_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_hash;
struct tf_hasher;
struct tf_pending;
struct tf_patience;

#define TF_HASH_AHEAD ((uint64_t)1 << 20) /* bytes worth waking it */
/* Fewer bytes are hashed by who needs the digest, whatever he holds. */
#define TF_HASH_LONG ((uint64_t)4 << 20)

TF_MUST_USE enum tf_code tf_hasher_start(struct tf_hasher **out,
    struct tf_error *err);
/* Finishes what it has.  NULL is nothing. */
void tf_hasher_stop(struct tf_hasher *h);

/* Hash the first size bytes of l->fd; io is held, l->in_order. */
void tf_hash_ahead(struct tf_hasher *h, struct tf_pending *l, uint64_t size);
/* Wait until it is through: then l->sha and l->hashed are the caller's, who
 * holds io.  A read that failed leaves hashed short. */
void tf_hash_wait(struct tf_hasher *h, struct tf_pending *l);
/* How many of the first size bytes are not hashed yet? */
uint64_t tf_hash_left(struct tf_hasher *h, struct tf_pending *l, uint64_t size);
/* Wait as tf_hash_wait does, io not held, as long as patience lasts.  False: it
 * was over. */
bool tf_hash_await(struct tf_hasher *h, struct tf_pending *l,
    const struct tf_patience *p);
/*
 * Hash all of fd, a user's file, and tell its size in bytes; the caller waits.
 * Holes are not read.  The file's offset moves.
 * TF_INTERRUPTED: patience was over.
 */
TF_MUST_USE enum tf_code tf_hash_whole(struct tf_hasher *h, uint32_t uid,
    int fd, const struct tf_patience *p, struct tf_hash *out, uint64_t *size,
    struct tf_error *err);

/* Begin to hash what is not hashed yet; tf_content_digest waits for it. */
void tf_content_hash(struct tf_pending *l);

#endif
