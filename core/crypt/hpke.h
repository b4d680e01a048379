/*
 * HPKE as post-quantum stanzas of age files use it (RFC 9180, base mode, one
 * message without associated data): MLKEM768-X25519, HKDF-SHA256,
 * ChaCha20-Poly1305.  Pure, safe from many threads at once.
 */
#ifndef TF_CRYPT_HPKE_H
#define TF_CRYPT_HPKE_H

#include "format.h"

/* The key and the nonce of the one message. */
struct tf_hpke {
	uint8_t key[TF_AEAD_KEY_LEN], nonce[TF_AEAD_NONCE_LEN];
};

/* Derive both from a shared secret of 32 bytes (RFC 9180 5.1, KeyScheduleR).
 * The caller wipes *out.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_hpke_schedule(const uint8_t secret[32],
    const char *info, struct tf_hpke *out, struct tf_error *err);

#endif
