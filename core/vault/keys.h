/* The keys of a store: the key of the log, and the attester's key for
 * statements.  Called while the vault opens, before there are other callers. */
#ifndef TF_VAULT_KEYS_H
#define TF_VAULT_KEYS_H

#include <stdbool.h>

#include "../error.h"

struct tf_db;
struct tf_vault;
struct tf_vkey;

/* Open the signer (control: see tf_vault_open_signer) and set v->vkey to its key,
 * which needs v->origin.
 * restored: the log's key until now, of a store that has new keys; or NULL.
 * renews: the store is about to get a new origin, and its signer may have other keys
 * than the ledger names, as after a rotation that a rolled back ledger knows nothing
 * of.  v->vkey is then the log's key until now, and *other becomes true.
 * TF_TAMPER: the attester's key is not the one in force.  Others: those of
 * tf_vault_open_signer(). */
enum tf_code tf_vault_load_keys(struct tf_vault *v, int control,
    struct tf_db *db, const struct tf_vkey *restored, bool renews, bool *other,
    struct tf_error *err);

/* Without the private key, for a vault that only reads: set v->vkey from
 * keys/log.vkey and v->origin. */
enum tf_code tf_vault_load_vkey(struct tf_vault *v, struct tf_error *err);

/* Write keys/log.vkey and the public keys beside it if they are not those of keys
 * and origin: a crash after the commit of a new origin, or of a rotation, leaves the
 * old ones.  keys/ of another user stays as it is.  Durable on TF_OK, and unless rotated reported to the operator when the
 * first one was written. */
enum tf_code tf_vault_keep_vkey(struct tf_vault *v, bool rotated,
    struct tf_error *err);

#endif
