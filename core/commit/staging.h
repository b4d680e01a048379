/*
 * The content of pending files: see staging.c.  The caller holds pending.io
 * unless a function says otherwise.
 */
#ifndef TF_COMMIT_STAGING_H
#define TF_COMMIT_STAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_hash;
struct tf_pending;
struct tf_vault;

/* Write n bytes at off.  The caller updates l->size afterwards. */
TF_MUST_USE enum tf_code tf_content_put(struct tf_pending *l, const void *p,
    size_t n, uint64_t off, struct tf_error *err);
TF_MUST_USE enum tf_code tf_content_resize(struct tf_pending *l, uint64_t size,
    struct tf_error *err);
/* Move the content from memory to its staged file, where it outlives the
 * daemon. */
TF_MUST_USE enum tf_code tf_content_to_file(struct tf_pending *l,
    struct tf_error *err);
/* The bytes to be stored in the database; the caller frees out. */
TF_MUST_USE enum tf_code tf_content_pack(struct tf_pending *l,
    struct tf_buf *out, struct tf_error *err);
/* After a failure or a crash: put the staged file of secret content in order.
 * *size becomes the content that is left, *torn the chunks that are lost.  io is
 * not held. */
TF_MUST_USE enum tf_code tf_content_salvage(struct tf_pending *l,
    uint64_t *size, uint64_t *torn, struct tf_error *err);
/* SHA-256 of the stored bytes of the staged file.  Waits for the hasher. */
TF_MUST_USE enum tf_code tf_content_digest(struct tf_pending *l,
    struct tf_hash *out, struct tf_error *err);
/* Bring the content into memory or a file, if it is only in the database. */
TF_MUST_USE enum tf_code tf_content_load(struct tf_pending *l,
    struct tf_error *err);
/* Open the staged file of l for reading; the caller closes *fd. */
TF_MUST_USE enum tf_code tf_content_open(struct tf_pending *l, int *fd,
    struct tf_error *err);
/* Free the memory of the content, which is stored elsewhere or not needed. */
void tf_content_forget(struct tf_pending *l);
/* True if the present content is in the database. */
bool tf_content_in_db(struct tf_pending *l);

/* TF_QUOTA if att is a draft attestation and one more name in it would exceed
 * max_draft.  mu is held, io need not be. */
TF_MUST_USE enum tf_code tf_quota_draft(struct tf_vault *v, uint64_t att,
    struct tf_error *err);

/* Read up to n bytes of the content at off, as its writers see it; *got is less
 * than n only at its end. */
TF_MUST_USE enum tf_code tf_content_read(struct tf_pending *l, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

/* Make the content independent of the database, before its row is deleted while
 * a descriptor may be open.  mu is not held. */
TF_MUST_USE enum tf_code tf_pending_detach(struct tf_pending *l,
    struct tf_error *err);

#endif
