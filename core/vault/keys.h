/* The keys of a store: the key of the log, and the attester's key for
 * statements.  Called while the vault opens, before there are other callers. */
#ifndef TF_VAULT_KEYS_H
#define TF_VAULT_KEYS_H

#include "../error.h"

struct tf_db;
struct tf_vault;
struct tf_vkey;

/* Read both secret keys from the key directory and set v->vkey, which needs v->origin.
 * restored: the log's key until now, of a store that has new keys; or NULL.
 * TF_TAMPER: the attester's key is not the one in force.  Others: those of
 * tf_key_dir_open() and of reading a key.  vault_free() frees the keys, also
 * after a failure. */
enum tf_code tf_vault_load_keys(struct tf_vault *v, struct tf_db *db,
    const struct tf_vkey *restored, struct tf_error *err);

/* Without the private key, for a vault that only reads: set v->vkey from
 * keys/log.vkey and v->origin. */
enum tf_code tf_vault_load_vkey(struct tf_vault *v, struct tf_error *err);

/* Write keys/log.vkey if it is not that of key and origin: a crash after the
 * commit of a new origin leaves the old one.  Durable on TF_OK, and reported to
 * the operator when it was written. */
enum tf_code tf_vault_keep_vkey(struct tf_vault *v, struct tf_error *err);

#endif
