/*
 * The staged form of the content of a secret file: what lies in stage/ and in
 * the database until the file is sealed.  secret.c has the layout.  Sizes are
 * those of the content as its writer sees it, unless a comment says that they
 * are stored bytes.
 *
 * A struct tf_secret belongs to one pending file and is used with its io held.
 * Errors: TF_NOMEM; TF_TAMPER bytes that this key did not write; those of
 * base/file.h.
 */
#ifndef TF_NODE_SECRET_H
#define TF_NODE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_pending;
struct tf_secret;
struct tf_vault;

#define TF_SECRET_HEAD 96 /* stored bytes before the first chunk */

/* The stored bytes of content of that size in a file, and how many of them no
 * longer change when bytes are appended; the stored bytes in the database. */
uint64_t tf_secret_file_size(uint64_t size);
uint64_t tf_secret_final_size(uint64_t size);
uint64_t tf_secret_short_size(uint64_t size);

/* The stored bytes of the content of l, in its staged file or in the database,
 * and how many of them the hasher may read while its writer writes in order.
 * Content that is not secret is stored as it is. */
uint64_t tf_pending_stored(const struct tf_pending *l);
uint64_t tf_pending_ordered(const struct tf_pending *l);

/* The secret of node id, which is new: with a key of its own. */
TF_MUST_USE enum tf_code tf_secret_new(struct tf_vault *v, uint64_t id,
    struct tf_secret **out, struct tf_error *err);
/* The secret of node id, with content of that size, whose stored bytes begin
 * with head.  TF_TAMPER: they were written with another key of the stage;
 * TF_NOTFOUND: that key is missing. */
TF_MUST_USE enum tf_code tf_secret_open(struct tf_vault *v, uint64_t id,
    const void *head, uint64_t size, struct tf_secret **out,
    struct tf_error *err);
/* NULL: does nothing. */
void tf_secret_free(struct tf_secret *s);

/* Content in the database: append the stored bytes of n bytes to out, and the
 * content of n stored bytes. */
TF_MUST_USE enum tf_code tf_secret_pack(const struct tf_secret *s,
    const void *p, size_t n, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_secret_unpack(const struct tf_secret *s,
    const void *p, size_t n, struct tf_buf *out, struct tf_error *err);

/*
 * Content in the staged file fd, which has `size` bytes of it.  The chunk that
 * was written last is in memory until tf_secret_settle(), or until another
 * chunk is written.
 */
/* Write the head, at the beginning of a new staged file. */
TF_MUST_USE enum tf_code tf_secret_begin(struct tf_secret *s, int fd,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_secret_write_at(struct tf_secret *s, int fd,
    uint64_t size, const void *p, size_t n, uint64_t off, struct tf_error *err);
/* Read n bytes, all of which are before the end of the content. */
TF_MUST_USE enum tf_code tf_secret_read_at(struct tf_secret *s, int fd,
    uint64_t size, void *p, size_t n, uint64_t off, struct tf_error *err);
/* Change the size of the content to `to`. */
TF_MUST_USE enum tf_code tf_secret_resize(struct tf_secret *s, int fd,
    uint64_t size, uint64_t to, struct tf_error *err);
/* Write the chunk in memory to fd. */
TF_MUST_USE enum tf_code tf_secret_settle(struct tf_secret *s, int fd,
    struct tf_error *err);
/* All that was settled was synced and must not be torn by a crash from now on. */
void tf_secret_synced(struct tf_secret *s);
/* Forget the chunk in memory, which is settled or not needed. */
void tf_secret_forget(struct tf_secret *s);
/*
 * After a crash: put back chunks that were torn, or make them zeros.  *size
 * becomes the content that is left, *torn the number of chunks that are lost.
 */
TF_MUST_USE enum tf_code tf_secret_salvage(struct tf_secret *s, int fd,
    uint64_t *size, uint64_t *torn, struct tf_error *err);
/* Has node id a staged file that its own key opens?  No flush has said so yet in
 * its row. */
TF_MUST_USE enum tf_code tf_secret_found(struct tf_vault *v, uint64_t id,
    bool *yes, struct tf_error *err);
#endif
