/*
 * MLKEM768-X25519, also called X-Wing: the key encapsulation of post-quantum
 * recipients (draft-ietf-hpke-pq-03, filippo.io/hpke-pq).  A secret stays secret
 * unless both ML-KEM-768 (FIPS 203) and X25519 are broken.
 *
 * libcrypto has ML-KEM from version 3.5 on.  With an older one every function
 * gives TF_UNSUPPORTED.  Safe from many threads at once.  TF_NOMEM is never
 * given for a wrong key.
 */
#ifndef TF_BASE_HYBRID_H
#define TF_BASE_HYBRID_H

#include <stdint.h>

#include "../error.h"

#define TF_HYBRID_SEED_LEN 32
#define TF_HYBRID_KEY_LEN 1216 /* of ML-KEM 1184, of X25519 32 */
#define TF_HYBRID_ENC_LEN 1120 /* of ML-KEM 1088, of X25519 32 */
#define TF_HYBRID_SECRET_LEN 32

/* Whether the loaded libcrypto has ML-KEM-768. */
bool tf_hybrid_there(void);

/* The public key of a secret key, which is 32 random bytes. */
TF_MUST_USE enum tf_code
tf_hybrid_public(const uint8_t seed[TF_HYBRID_SEED_LEN],
    uint8_t out[TF_HYBRID_KEY_LEN], struct tf_error *err);

/*
 * A new shared secret for the holder of key, and enc, from which only the holder
 * derives it.  The caller wipes secret.
 * Errors: TF_INVALID key is no public key.
 */
TF_MUST_USE enum tf_code tf_hybrid_encaps(const uint8_t key[TF_HYBRID_KEY_LEN],
    uint8_t enc[TF_HYBRID_ENC_LEN], uint8_t secret[TF_HYBRID_SECRET_LEN],
    struct tf_error *err);

/*
 * The shared secret of enc.  If enc was altered or made for another key, the
 * secret is another one.  The caller wipes it.
 * Errors: TF_INVALID the X25519 part of enc has a low order.
 */
TF_MUST_USE enum tf_code
tf_hybrid_decaps(const uint8_t seed[TF_HYBRID_SEED_LEN],
    const uint8_t enc[TF_HYBRID_ENC_LEN], uint8_t secret[TF_HYBRID_SECRET_LEN],
    struct tf_error *err);

#endif
