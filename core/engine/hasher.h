/*
 * Hashing beside the writing: one thread follows files that are written in
 * order, reading from the page cache what was put there a moment ago, so that
 * neither a write nor a close waits for SHA-256.
 */
#ifndef TF_ENGINE_HASHER_H
#define TF_ENGINE_HASHER_H

#include "live.h"

#define TF_HASH_AHEAD ((uint64_t)1 << 20) /* bytes worth waking it */

struct tf_hasher;

TF_MUST_USE enum tf_code tf_hasher_start(struct tf_hasher **out,
    struct tf_error *err);
/* Finishes what it has.  NULL is nothing. */
void tf_hasher_stop(struct tf_hasher *h);

/* Hash the first size bytes of l->fd; io is held, l->in_order. */
void tf_hash_ahead(struct tf_hasher *h, struct tf_live *l, uint64_t size);
/* Wait until it is through: then l->sha and l->hashed are the caller's, who
 * holds io.  A read that failed leaves hashed short. */
void tf_hash_wait(struct tf_hasher *h, struct tf_live *l);

#endif
