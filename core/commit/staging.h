/* Content of pending files.  pending.io is held for all but tf_space_take. */
#ifndef TF_COMMIT_STAGING_H
#define TF_COMMIT_STAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_hash;
struct tf_pending;
struct tf_vault;

/* Put bytes where they belong; l->size is the caller's to move. */
TF_MUST_USE enum tf_code tf_content_put(struct tf_pending *l, const void *p,
    size_t n, uint64_t off, struct tf_error *err);
TF_MUST_USE enum tf_code tf_content_resize(struct tf_pending *l, uint64_t size,
    struct tf_error *err);
/* SHA-256 of the content as it is now. */
TF_MUST_USE enum tf_code tf_content_digest(struct tf_pending *l,
    struct tf_hash *out, struct tf_error *err);
/* The content is in memory or in a file, not only in the database. */
TF_MUST_USE enum tf_code tf_content_load(struct tf_pending *l,
    struct tf_error *err);
/* The staged file of l, for reading; the descriptor is the caller's. */
TF_MUST_USE enum tf_code tf_content_open(struct tf_pending *l, int *fd,
    struct tf_error *err);
/* Give its memory back: the content is elsewhere, or not needed. */
void tf_content_forget(struct tf_pending *l);
bool tf_content_in_db(struct tf_pending *l);

/* May the draft attestation att have one more name in it (max_draft)? 
 * TF_QUOTA. TF_OK when att is no draft attestation.  mu is held. */
TF_MUST_USE enum tf_code tf_quota_draft(struct tf_vault *v, uint64_t att,
    struct tf_error *err);

/* Read the content of l, wherever it is. */
TF_MUST_USE enum tf_code tf_pending_read(struct tf_pending *l, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

/* The content no longer needs the database: its row is about to go, and
 * somebody may have it open.  mu is not held. */
TF_MUST_USE enum tf_code tf_pending_detach(struct tf_pending *l,
    struct tf_error *err);

#endif
