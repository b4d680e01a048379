/*
 * stage.key: the key that wraps the keys of secret files until they are
 * sealed.  It is made when the first one is written, and destroyed when none is
 * left: what remains of their staged form on the disk can then be read by
 * nobody.  Safe from many threads at once.
 */
#ifndef TF_NODE_SECRETS_H
#define TF_NODE_SECRETS_H

#include <stdint.h>

#include "../crypt/stage_key.h"
#include "../error.h"

struct tf_secrets;
struct tf_vault;

/* Before and after all other calls.  start: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_secrets_start(struct tf_vault *v,
    struct tf_error *err);
void tf_secrets_end(struct tf_vault *v);

/* Wrap the key of a file, with a new key of the stage if there is none.  On
 * TF_OK that one survives power loss. */
TF_MUST_USE enum tf_code tf_secrets_wrap(struct tf_vault *v,
    const struct tf_staged_key *key, uint8_t out[TF_WRAPPED_KEY_LEN],
    struct tf_error *err);
/* TF_TAMPER: another key has wrapped it.  TF_NOTFOUND: stage.key is
 * missing. */
TF_MUST_USE enum tf_code tf_secrets_unwrap(struct tf_vault *v,
    const uint8_t wrapped[TF_WRAPPED_KEY_LEN], uint64_t file,
    struct tf_staged_key **out, struct tf_error *err);

/* Count a file that is about to need the key, and one that does no longer: it
 * is sealed or removed.  Any lock may be held. */
void tf_secrets_take(struct tf_vault *v);
void tf_secrets_give(struct tf_vault *v);
/*
 * Overwrite and remove stage.key, if it was used and no file needs it; but
 * not twice in a minute, unless now is true.  Waits for the disk; no lock is
 * held.  A failure is reported to the operator.
 */
void tf_secrets_renew(struct tf_vault *v, bool now);

#endif
