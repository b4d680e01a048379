/*
 * Writes the header of an age file (C2SP age, "Header"): the file key, wrapped
 * for each recipient, and a MAC.  Safe from many threads at once.
 */
#ifndef TF_CRYPT_HEADER_WRITE_H
#define TF_CRYPT_HEADER_WRITE_H

#include "recipient.h"

/*
 * Append the header for all recipients to out.  Each has a stanza with an
 * ephemeral key of its own.
 * Errors: TF_INVALID there is no recipient; TF_UNSUPPORTED libcrypto has no
 * ML-KEM; TF_NOMEM; TF_IO no random bytes.
 */
TF_MUST_USE enum tf_code tf_header_write(const struct tf_recipients *r,
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_buf *out,
    struct tf_error *err);
/* The bytes of that header. */
uint64_t tf_header_length(const struct tf_recipients *r);

/*
 * Append the header for a passphrase of n bytes (C2SP age, "The scrypt
 * recipient type") with the work factor 2^log_n, log_n 1 to 30.
 * Errors: TF_INVALID the passphrase is empty; TF_NOMEM scrypt needs 2^(log_n +
 * 10) bytes; TF_IO no random bytes.
 */
TF_MUST_USE enum tf_code tf_header_write_passphrase(const char *passphrase,
    size_t n, unsigned log_n, const uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_buf *out, struct tf_error *err);

#endif
