/*
 * Reading the bytes of members. Many threads may read one package at once, each
 * with its own tf_archive_reader.
 */
#ifndef TF_ARCHIVE_READER_H
#define TF_ARCHIVE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_archive;
struct tf_buf;

/*
 * Receive the next n bytes of a member.  A code other than TF_OK stops the read
 * and is returned.
 */
typedef enum tf_code (*tf_archive_part)(void *arg, const void *p, size_t n,
    struct tf_error *err);

/* The buffers with which one thread reads members. */
struct tf_archive_reader;

/* Make a reader for one thread; a must outlive it.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_archive_reader_new(const struct tf_archive *a,
    struct tf_archive_reader **out, struct tf_error *err);

void tf_archive_reader_free(struct tf_archive_reader *r);

/*
 * Read member i, call fn (unless NULL) for each part, and set *sha256 to the
 * digest of the bytes.  The caller compares it with the manifest.  TF_TAMPER:
 * the member cannot be unpacked or does not have its size; the read stops at
 * the first byte beyond the size.
 */
TF_MUST_USE enum tf_code tf_archive_read(struct tf_archive_reader *r, size_t i,
    tf_archive_part fn, void *arg, struct tf_hash *sha256,
    struct tf_error *err);

/*
 * Append the bytes of member i to out and set *h to their digest, without a
 * check against the manifest. TF_TAMPER: as tf_archive_read, or it has more
 * than max bytes.
 */
TF_MUST_USE enum tf_code tf_archive_load_any(struct tf_archive_reader *r,
    size_t i, size_t max, struct tf_buf *out, struct tf_hash *h,
    struct tf_error *err);

/*
 * Append the bytes of member i to out.  TF_TAMPER: as tf_archive_read, or the
 * digest is not that of the manifest, or no manifest lists the member, or it
 * has more than max bytes.  On failure the bytes in out must not be used.
 */
TF_MUST_USE enum tf_code tf_archive_load(struct tf_archive_reader *r, size_t i,
    size_t max, struct tf_buf *out, struct tf_error *err);

#endif
