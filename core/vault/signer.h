/* The signer of a vault: opened with the vault, and given up when it ends. */
#ifndef TF_VAULT_SIGNER_H
#define TF_VAULT_SIGNER_H

#include <stdbool.h>

#include "../error.h"

struct tf_pubkey;
struct tf_vault;

/* True if the setting names the command that is the signer. */
bool tf_config_is_signer(const char *key, const char *value);

/*
 * Set v->signer: the one behind the descriptor control of tf_signer_start(), which
 * v then owns, if control is more than 0; else the command of the config; else the
 * keys of the store, used by this process.  vault_free() closes it.
 * Errors: TF_BUSY it does not answer; those of the signer; TF_IO; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_vault_open_signer(struct tf_vault *v, int control,
    struct tf_error *err);

/* Ask the command, run as the owner of the directory dirfd, for the public keys of a
 * store that is being made.  TF_USAGE it is no command; others as above. */
TF_MUST_USE enum tf_code tf_signer_first_keys(int dirfd, const char *command,
    struct tf_pubkey *log, struct tf_pubkey *attester, struct tf_error *err);

/* The vault is open: from now on what is to be signed waits for the signer. */
void tf_vault_signer_started(struct tf_vault *v);
/* The vault ends: a signer that is away is given up after a few seconds. */
void tf_vault_signer_ends(struct tf_vault *v);

#endif
