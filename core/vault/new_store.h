/*
 * The parts of a new store, in the order in which they are made: directories,
 * keys, config, database.  A directory with a database is a store, so that comes
 * last.  Nothing is durable but the files that say so: the caller syncs the
 * directory and the one above it.
 */
#ifndef TF_VAULT_NEW_STORE_H
#define TF_VAULT_NEW_STORE_H

#include <stdbool.h>

#include "../error.h"

struct tf_buf;
struct tf_owner;
struct tf_pubkey;

/* May a store be made at path?  It is absent or an empty directory.
 * TF_EXISTS, TF_ACCESS. */
TF_MUST_USE enum tf_code tf_new_store_check(const char *path,
    struct tf_error *err);
/* Make path, if it is absent (*made), and objects/, stage/ and keys/ in it; all
 * of it belongs to owner (NULL: to the caller).  *dirfd may be open on failure
 * too.  TF_FOREIGN: path belongs to another user. */
TF_MUST_USE enum tf_code tf_new_store_dirs(const char *path,
    const struct tf_owner *owner, int *dirfd, bool *made, struct tf_error *err);
/* Make the keys of the log and of the attester, durable: the secret halves below
 * keysfd, the key directory.  Appends the verifier's key to vkey, for a person to
 * keep outside of the store. */
TF_MUST_USE enum tf_code tf_new_store_keys(int dirfd, int keysfd,
    const char *origin, struct tf_buf *vkey, struct tf_error *err);
/* The same without the secret halves, which a signer elsewhere has. */
TF_MUST_USE enum tf_code tf_new_store_public(int dirfd,
    const struct tf_pubkey *log, const struct tf_pubkey *attester,
    const char *origin, struct tf_buf *vkey, struct tf_error *err);
/* Write a config that sets nothing but the key directory and the signer, unless
 * they are NULL; durable. */
TF_MUST_USE enum tf_code tf_new_store_config(int dirfd, const char *keys,
    const char *signer, struct tf_error *err);
/* Make the database, without entries.  id: 32 hex digits, or NULL: a random
 * one. */
TF_MUST_USE enum tf_code tf_new_store_database(const char *path,
    const char *origin, const char *id, struct tf_error *err);
/* Remove what these functions made and nobody has used; path only if made. */
void tf_new_store_unmake(int dirfd, const char *path, bool made);

#endif
