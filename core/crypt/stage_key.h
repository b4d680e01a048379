/*
 * Encryption of staged files: the bytes of a file that is being written, before
 * they become an age file.
 *
 *    stage key    a file of 32 bytes in the store; wraps the keys of files
 *    staged key   32 random bytes per file; seals its chunks
 *    chunk key    derived for one write of one chunk, with a new salt
 *
 * A chunk is written many times, each time with another text.  So each write
 * takes a new random salt of 32 bytes, derives a key from the staged key and
 * the salt with HKDF-SHA-256, and seals with ChaCha20-Poly1305, that key and
 * the nonce zero, as the payload of an age file does.  No key and nonce are used
 * for two texts: two equal salts in 2^64 writes have a chance below 2^-128, so
 * no count of writes has to be kept.  ChaCha20-Poly1305 takes the same time for
 * all keys and texts on every processor.
 *
 * The number of the file and the index of the chunk are authenticated: a chunk
 * opens only as that chunk of that file.  An earlier text of the same chunk
 * opens too, so this does not detect that the stage was replaced by an older
 * copy.  A chunk that a crash cut in the middle of a write does not open: who
 * overwrites a durable chunk keeps it until the new one is durable.
 *
 * All functions are safe from many threads at once.
 */
#ifndef TF_CRYPT_STAGE_KEY_H
#define TF_CRYPT_STAGE_KEY_H

#include "format.h"

#define TF_STAGE_KEY_LEN 32
#define TF_STAGE_SALT_LEN 32
/* What sealing adds: the salt before, the tag behind. */
#define TF_STAGE_ADDED (TF_STAGE_SALT_LEN + TF_AEAD_TAG_LEN)
#define TF_STAGED_CHUNK_MAX (TF_CHUNK_LEN + TF_STAGE_ADDED)
#define TF_WRAPPED_KEY_LEN (TF_STAGE_KEY_LEN + TF_STAGE_ADDED)

/* The key of the stage. */
struct tf_stage_key;
/* Wipe and free k; does nothing for NULL. */
void tf_stage_key_free(struct tf_stage_key *k);
/*
 * Make a new key in the file name below dirfd, of mode 0400, in place of an
 * earlier one.  What the earlier key wrapped is then lost.  On TF_OK the file
 * survives power loss, and the caller frees *out with tf_stage_key_free.  After
 * a failure or a crash the file has the earlier key or a new one.
 * Errors: those of tf_file_write; TF_NOMEM; TF_IO no random bytes.
 */
TF_MUST_USE enum tf_code tf_stage_key_create(int dirfd, const char *name,
    struct tf_stage_key **out, struct tf_error *err);
/*
 * Read the key file name below dirfd.  On TF_OK free *out with
 * tf_stage_key_free.
 * Errors: those of tf_secret_read; TF_INVALID it has not 32 bytes.
 */
TF_MUST_USE enum tf_code tf_stage_key_load(int dirfd, const char *name,
    struct tf_stage_key **out, struct tf_error *err);

/* The key of one staged file. */
struct tf_staged_key;
/* Wipe and free k; does nothing for NULL. */
void tf_staged_key_free(struct tf_staged_key *k);
/* Make a random key for the file with this number, which is never reused.  On
 * TF_OK free *out with tf_staged_key_free.  TF_NOMEM; TF_IO no random bytes. */
TF_MUST_USE enum tf_code tf_staged_key_new(uint64_t file,
    struct tf_staged_key **out, struct tf_error *err);
/* Wrap k, for storing it.  The same k gives other bytes each time.  TF_NOMEM;
 * TF_IO no random bytes. */
TF_MUST_USE enum tf_code tf_staged_key_wrap(const struct tf_staged_key *k,
    const struct tf_stage_key *stage, uint8_t out[TF_WRAPPED_KEY_LEN],
    struct tf_error *err);
/*
 * The reverse.  On TF_OK free *out with tf_staged_key_free.
 * Errors: TF_TAMPER the bytes are not a key of this file that this stage key
 * has wrapped; TF_NOMEM.
 */
TF_MUST_USE enum tf_code
tf_staged_key_unwrap(const uint8_t wrapped[TF_WRAPPED_KEY_LEN], uint64_t file,
    const struct tf_stage_key *stage, struct tf_staged_key **out,
    struct tf_error *err);

/*
 * Seal n bytes, at most TF_CHUNK_LEN, as chunk number index of the file of k,
 * to n + TF_STAGE_ADDED bytes at out: salt, text, tag.  p and out do not
 * overlap.  TF_NOMEM; TF_IO no random bytes.
 */
TF_MUST_USE enum tf_code tf_staged_seal(const struct tf_staged_key *k,
    uint64_t index, const void *p, size_t n, uint8_t *out,
    struct tf_error *err);
/*
 * Open the n bytes of a sealed chunk to n - TF_STAGE_ADDED bytes at out.  On
 * failure out holds nothing of the text.
 * Errors: TF_TAMPER it is not that chunk of that file; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_staged_open(const struct tf_staged_key *k,
    uint64_t index, const uint8_t *sealed, size_t n, void *out,
    struct tf_error *err);

#endif
