/*
 * The directory with the secret keys of a store: STORE/keys, or another one that
 * "keys = /DIR" in STORE/config names.  The public halves are in STORE/keys in
 * either case, so that a reader needs no secret, and so is the key of staged files,
 * which the process that writes the store needs.
 */
#ifndef TF_STORE_KEY_DIR_H
#define TF_STORE_KEY_DIR_H

#include <stdbool.h>

#include "../error.h"

/* Names in the key directory. */
#define TF_LOG_SECRET "log.pem"
#define TF_ATTESTER_SECRET "attester.pem"

/* True if the setting names the key directory. */
bool tf_config_is_keys(const char *key, const char *value);

/*
 * Open the key directory of the store dirfd, if no other user can have exchanged
 * what is in it.  The caller closes *fd.
 * Errors, which say what to do: TF_FOREIGN it is a symbolic link or no directory,
 * belongs to neither root nor the owner of the store nor the process, or others
 * may write there; or it is outside the store and others may read it (the rights
 * of STORE/keys are repaired at the start); TF_NOTFOUND; TF_ACCESS; TF_USAGE the
 * config; TF_NOMEM; TF_IO.
 */
TF_MUST_USE enum tf_code tf_key_dir_open(int dirfd, int *fd,
    struct tf_error *err);

/*
 * Make the directory path, if it is absent (*made), for the keys of the store
 * dirfd, and open it.  The directory above it must exist.  Success is durable.
 * Errors: TF_USAGE path is not absolute, has a line feed or a space at its end, or
 * is in the store; TF_EXISTS it holds a key already; those of tf_key_dir_open.
 */
TF_MUST_USE enum tf_code tf_key_dir_make(int dirfd, const char *path, int *fd,
    bool *made, struct tf_error *err);

#endif
