/*
 * The hasher: threads that compute SHA-256.  They hash a file that is written
 * in order just behind its writer, so that neither a write nor a close waits
 * for the hash.  They also hash whole files for callers that wait.
 *
 * The threads serve the users in turn, one slice of a file at a time, so that a
 * huge file of one user does not delay the files of another.  They are gentle
 * (setpriority(2)), so where other programs use all cores they get little time.  One
 * thread is not, and does only what a program waits for, in close(2) or fsync(2):
 * that waits neither for such programs nor for what is hashed in the background.
 */
#ifndef TF_COMMIT_HASHER_H
#define TF_COMMIT_HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_chunk_list;
struct tf_hash;
struct tf_hasher;
struct tf_patience;
struct tf_pending;

#define TF_HASH_AHEAD ((uint64_t)1 << 20) /* bytes; fewer wake no thread */
/* Bytes.  Fewer are hashed in the caller's thread, even with locks held. */
#define TF_HASH_LONG ((uint64_t)4 << 20)

TF_MUST_USE enum tf_code tf_hasher_start(struct tf_hasher **out,
    struct tf_error *err);
/* Complete all tasks, end the threads and free h.  NULL: does nothing. */
void tf_hasher_stop(struct tf_hasher *h);

/* Make l->hash, unless it is there; io is held.  Error: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_hash_need(struct tf_pending *l,
    struct tf_error *err);
/* The staged file of l has these n bytes now, and what follows may come in
 * order.  io is held, and l->hash is there. */
void tf_hash_restart(struct tf_pending *l, const void *p, size_t n);

/* Let the threads hash the first size bytes of l->fd.  io is held, and
 * tf_pending_in_order(l) is true. */
void tf_hash_ahead(struct tf_hasher *h, struct tf_pending *l, uint64_t size);
/* Wait until the threads have finished with l.  The caller holds io, and owns
 * l->hash afterwards, if there is one.  After a failed read `hashed` is less
 * than the size that was asked for. */
void tf_hash_wait(struct tf_hasher *h, struct tf_pending *l);
/* The number of the first size bytes that are not hashed yet. */
uint64_t tf_hash_left(struct tf_hasher *h, struct tf_pending *l, uint64_t size);
/* Wait as tf_hash_wait does, without io; l->hash is there.  False: p has ended
 * the wait. */
bool tf_hash_await(struct tf_hasher *h, struct tf_pending *l,
    const struct tf_patience *p);
/*
 * Hash the whole file fd of user uid and wait for the result; *size becomes its
 * bytes.  Holes are not read.  The file offset of fd changes.
 * Errors: TF_IO; TF_INTERRUPTED p has ended the wait.
 */
TF_MUST_USE enum tf_code tf_hash_whole(struct tf_hasher *h, uint32_t uid,
    int fd, const struct tf_patience *p, struct tf_hash *out, uint64_t *size,
    struct tf_error *err);

/*
 * The same for the chunks of the bytes [from, to) of the file (ledger/chunks.h),
 * of which from is where a chunk begins.  The caller frees *out, also after a
 * failure.  Errors: also TF_IO if the file is shorter.
 */
TF_MUST_USE enum tf_code tf_hash_chunks(struct tf_hasher *h, uint32_t uid,
    int fd, uint64_t from, uint64_t to, const struct tf_patience *p,
    struct tf_chunk_list *out, struct tf_error *err);

/* Let the threads hash the bytes of l that are not hashed yet;
 * tf_content_digest waits for them. */
void tf_content_hash(struct tf_pending *l);

#endif
