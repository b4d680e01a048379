/*
 * Private keys in tokens: smart cards, hardware modules and what else PKCS#11
 * reaches.  The file of such a key has, instead of the key, one line with its URI
 * (RFC 7512), and a provider of OpenSSL signs.
 */
#ifndef TF_BASE_TOKEN_H
#define TF_BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "../error.h"

struct evp_pkey_st;
struct ossl_lib_ctx_st;

/*
 * From now on tf_key_load() also loads keys in tokens, with the providers that the
 * OpenSSL configuration file config activates.  Their code becomes part of this
 * process.  Other cryptography of this process does not use them.  Call it at most
 * once, while there is one thread.
 * Errors: TF_FOREIGN config belongs to neither the process nor root, or others may
 * write it; TF_NOTFOUND, TF_ACCESS; TF_INVALID it is no configuration; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_token_open(const char *config,
    struct tf_error *err);
/* Unload the providers.  No key is left.  Without tf_token_open() nothing. */
void tf_token_close(void);

/* For tf_key_load(): are these the bytes of such a file? */
bool tf_token_names_key(const char *text, size_t n);
/*
 * Load the key that the n bytes of file name refer to.  On TF_OK *out is the
 * caller's, and *ctx is where it signs.  Nobody is asked for a PIN.
 * TF_ACCESS: tf_token_open() was not called, or nothing gives the key.
 */
TF_MUST_USE enum tf_code tf_token_load(const char *text, size_t n,
    const char *name, struct evp_pkey_st **out, struct ossl_lib_ctx_st **ctx,
    struct tf_error *err);

#endif
