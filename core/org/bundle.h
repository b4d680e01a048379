/*
 * Bundles: many small objects in one blob, which is named by its own digest.  A
 * blob costs a round trip, whatever its size.
 */
#ifndef TF_ORG_BUNDLE_H
#define TF_ORG_BUNDLE_H

#include "engine.h"

/* The small objects of one batch.  {0} is empty. */
struct tf_bundler {
	struct tf_buf bytes; /* of the bundle that is being filled */
	struct tf_located *located;
	size_t n, cap;
	size_t open; /* located[open..n) are in that bundle */
};

/*
 * Take an object of up to TF_BUNDLED_MAX bytes.  A full bundle is put first.  One
 * that the bundler has already is TF_OK.  The caller has hashed the bytes.
 * TF_USAGE: more than TF_LOCATED_MAX objects.
 */
TF_MUST_USE enum tf_code tf_bundler_add(struct tf_bundler *b,
    struct tf_blobs *blobs, const struct tf_hash *sha256, const void *p,
    size_t n, struct tf_error *err);
/* Put what is left.  On TF_OK located[0..n) are the parts of durable blobs. */
TF_MUST_USE enum tf_code tf_bundler_end(struct tf_bundler *b,
    struct tf_blobs *blobs, struct tf_error *err);
void tf_bundler_free(struct tf_bundler *b);

/* Where the object is that origin has said is in a bundle.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_org_locate(struct tf_ledger *l, const char *origin,
    const struct tf_hash *object, struct tf_located *out, struct tf_error *err);

/*
 * Write the bytes of an object that an entry of origin names to fd, an empty file:
 * from its bundle, or as a blob.  TF_OK only if they have this digest.
 * TF_NOTFOUND; TF_TAMPER.
 */
TF_MUST_USE enum tf_code tf_org_object(struct tf_ledger *l, struct tf_blobs *b,
    const char *origin, const struct tf_hash *sha256, int fd, uint64_t *size,
    struct tf_error *err);

#endif
