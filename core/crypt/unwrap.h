/* Finds the file key in the header of an age file.  Safe from many threads at
 * once. */
#ifndef TF_CRYPT_UNWRAP_H
#define TF_CRYPT_UNWRAP_H

#include "header_read.h"
#include "identity.h"

/*
 * Unwrap the file key with one of the identities, and check the MAC of the
 * header at text.  The caller wipes file_key in any case.
 * Errors: TF_ACCESS none of the identities opens the file; TF_TAMPER the header
 * was altered; TF_INVALID a key in it is no key, or its passphrase has too high
 * a work factor; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_header_unwrap(const struct tf_header *h,
    const char *text, const struct tf_identities *ids,
    uint8_t file_key[TF_FILE_KEY_LEN], struct tf_error *err);

#endif
