/*
 * Lengths of the age v1 format (https://age-encryption.org/v1, C2SP age).  All
 * are bytes.
 */
#ifndef TF_CRYPT_FORMAT_H
#define TF_CRYPT_FORMAT_H

#include "../base/cipher.h"
#include "../base/hybrid.h"
#include "../types.h"

#define TF_AGE_VERSION_LINE "age-encryption.org/v1\n"
#define TF_AGE_X25519_INFO "age-encryption.org/v1/X25519"
#define TF_AGE_HYBRID "mlkem768x25519" /* the type of its stanzas */
#define TF_AGE_HYBRID_INFO "age-encryption.org/mlkem768x25519"
#define TF_AGE_SCRYPT_LABEL "age-encryption.org/v1/scrypt"

#define TF_FILE_KEY_LEN 16
#define TF_AGE_BODY_LEN (TF_FILE_KEY_LEN + TF_AEAD_TAG_LEN)
#define TF_AGE_NONCE_LEN 16 /* before the first chunk */
#define TF_AGE_SALT_LEN 16  /* of a scrypt stanza */
#define TF_AGE_MAC_LEN 32
#define TF_AGE_BODY_COLUMNS 64

#define TF_CHUNK_LEN ((size_t)64 * 1024)
#define TF_SEALED_LEN (TF_CHUNK_LEN + TF_AEAD_TAG_LEN)

#endif
