/* The other side of the messages (message.h). */
#ifndef TF_SIGN_SERVE_H
#define TF_SIGN_SERVE_H

#include "../error.h"

struct tf_signer;

/* Answer what comes in at the descriptor in until its end: with s, or with the
 * error unable if s is NULL. */
void tf_signer_serve(struct tf_signer *s, const struct tf_error *unable, int in,
    int out);

/*
 * Serve the keys below keysfd so, which the process of the caller is for: it is
 * fenced for ever (fence.h), and its memory is wiped at the end.  tokens: keys may
 * be in tokens, with the providers of this OpenSSL configuration; or NULL.  fenced
 * hears what is in force; or NULL.  Errors: those of tf_signer_fence,
 * tf_token_open and tf_signer_local, which are answered, too.
 */
TF_MUST_USE enum tf_code tf_signer_serve_keys(int keysfd, const char *tokens,
    int in, int out, void (*fenced)(unsigned state), struct tf_error *err);

#endif
