/*
 * Encrypts to the age v1 format (https://age-encryption.org/v1, C2SP age), so
 * that `age -d` opens the file.
 *
 * Every file gets a new file key and a new nonce from tf_random: no key and
 * nonce are ever used for two texts.  So a file whose writing failed is written
 * again from its first byte, with a new writer; a part of it is never
 * continued.  Memory does not depend on the size.
 */
#ifndef TF_CRYPT_AGE_WRITE_H
#define TF_CRYPT_AGE_WRITE_H

#include "recipient.h"

/* The work factor of passphrases is 2^18, as that of age's command line. */
#define TF_AGE_SCRYPT_LOG_N 18

/*
 * Take the next n bytes of the encrypted file, all of them, in their order.
 * Any code but TF_OK ends the writing; err is filled.
 */
typedef enum tf_code tf_age_put(void *arg, const void *p, size_t n,
    struct tf_error *err);

/* One file that is being encrypted, for one thread at a time. */
struct tf_age_writer;

/*
 * Begin a file to all recipients: put the header.  On TF_OK free *out with
 * tf_age_writer_free.  The pointers stay the caller's; r may be freed at once,
 * arg must live until the writer is freed.
 * Errors: TF_INVALID there is no recipient; TF_NOMEM; TF_IO no random bytes;
 * those of put.
 */
TF_MUST_USE enum tf_code tf_age_writer_new(const struct tf_recipients *r,
    tf_age_put *put, void *arg, struct tf_age_writer **out,
    struct tf_error *err);
/*
 * The same to a passphrase of n bytes, with a work factor of 2^log_n (1 to 30).
 * This takes seconds and 2^(log_n + 10) bytes of memory.  TF_INVALID: the
 * passphrase is empty.
 */
TF_MUST_USE enum tf_code tf_age_writer_new_passphrase(const char *passphrase,
    size_t n, unsigned log_n, tf_age_put *put, void *arg,
    struct tf_age_writer **out, struct tf_error *err);
/* Wipe and free w, also before its end; does nothing for NULL. */
void tf_age_writer_free(struct tf_age_writer *w);

/* Encrypt the next n bytes of the text, any number.  After a failure only
 * tf_age_writer_free may follow.  Errors: TF_NOMEM; those of put. */
TF_MUST_USE enum tf_code tf_age_writer_add(struct tf_age_writer *w,
    const void *p, size_t n, struct tf_error *err);
/* End the text: put the last chunk.  On TF_OK put has had the whole file. */
TF_MUST_USE enum tf_code tf_age_writer_end(struct tf_age_writer *w,
    struct tf_error *err);

/* The largest text whose encrypted size is computed: 2^62 bytes. */
#define TF_AGE_PLAIN_MAX (UINT64_C(1) << 62)
/* The exact bytes of a file of plain bytes, at most TF_AGE_PLAIN_MAX, that is
 * encrypted to r. */
uint64_t tf_age_size(const struct tf_recipients *r, uint64_t plain);
/*
 * The reverse: *plain becomes the bytes of the text of a file of size bytes
 * whose header has header bytes.  False if no file has that size.
 */
bool tf_age_plain_size(uint64_t size, uint64_t header, uint64_t *plain);

#endif
