/*
 * The payload of an age file (C2SP age, "Payload"): chunks of 64 KiB, each
 * sealed with ChaCha20-Poly1305.  The nonce of a chunk is its index, and
 * whether it is the last one.
 */
#ifndef TF_CRYPT_STREAM_H
#define TF_CRYPT_STREAM_H

#include "format.h"

/* The key of one payload, for one thread at a time. */
struct tf_stream;

/*
 * The payload key of a file key and the nonce before the first chunk.  On TF_OK
 * free *out with tf_stream_free, which wipes the key and does nothing for NULL.
 * TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_stream_new(const uint8_t file_key[TF_FILE_KEY_LEN],
    const uint8_t nonce[TF_AGE_NONCE_LEN], struct tf_stream **out,
    struct tf_error *err);
void tf_stream_free(struct tf_stream *s);

/*
 * Seal chunk number index of n bytes to n + TF_AEAD_TAG_LEN bytes at out.  The
 * caller seals each index once.  n is TF_CHUNK_LEN; the last chunk may be
 * shorter, and is empty only if it is the only one.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_stream_seal(struct tf_stream *s, uint64_t index,
    bool last, const void *plain, size_t n, uint8_t *out, struct tf_error *err);
/*
 * Open the n bytes of a sealed chunk to n - TF_AEAD_TAG_LEN bytes at out.  On
 * failure out holds nothing of the text.
 * Errors: TF_TAMPER it is not that chunk of this payload; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_stream_open(struct tf_stream *s, uint64_t index,
    bool last, const uint8_t *sealed, size_t n, void *out,
    struct tf_error *err);

#endif
