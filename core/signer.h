/*
 * The signer as a process of its own: it alone reads the secret keys, and is
 * reached over descriptors.  See core/sign/sign.h for what it signs.
 */
#ifndef TF_SIGNER_H
#define TF_SIGNER_H

#include <stdbool.h>

#include "error.h"

struct tf_buf;
struct tf_signer;

/*
 * Fork a process that starts signers for the store at path, one after another, as
 * a vault asks for them, and set *fd to the descriptor for tf_vault_options.
 * command is for /bin/sh -c; NULL: what the config says, or a signer of ours, a
 * fork that uses the keys of the store.  quiet: these processes have no stderr.
 * Call it before there are threads and before the process gives up its rights.
 *
 * Started by root, a signer of ours runs as the owner of the key directory, and
 * a command as the owner of the store, both without capabilities.  All but the
 * command ignore the signals that end a daemon.  All end when *fd is closed, also
 * because this process was killed.
 * Errors: TF_IO, TF_TOOMANY; TF_USAGE the config; TF_NOTFOUND, TF_ACCESS.
 */
TF_MUST_USE enum tf_code tf_signer_start(const char *path, const char *command,
    bool quiet, int *fd, struct tf_error *err);

/* What the process of a signer has given up, in one number; 0: unknown. */
#define TF_FENCE_LANDLOCK 0xffu /* the version of Landlock in force; 0: none */
#define TF_FENCE_KNOWN 0x100u	/* it has no capability and gains none */
#define TF_FENCE_SECCOMP 0x200u /* its system calls are filtered */
#define TF_FENCE_MEMORY 0x400u	/* the memory of its keys is locked */

/*
 * Serve the keys in the directory keys at the descriptors in and out until in
 * ends.  This process can do nothing else any more, and fenced hears how far that
 * is in force, or is NULL; started by root, it becomes the owner of that directory.
 * The keys are in locked memory, and wiped at the end.
 *
 * tokens is NULL, or an OpenSSL configuration: keys may then be in tokens (RFC 7512),
 * whose providers it names.  Their code is part of this process, which is limited
 * less: no Landlock, no filter of system calls.
 * Errors: those of tf_signer_local; TF_IO: the kernel has a means, and it cannot
 * be used; of the configuration.  They are also answered to each request.
 */
TF_MUST_USE enum tf_code tf_signer_run(const char *keys, const char *tokens,
    int in, int out, void (*fenced)(unsigned state), struct tf_error *err);

/* Make the keys of a signer in the directory keys, which is made if it is absent.
 * Errors: TF_EXISTS, TF_ACCESS, TF_IO, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_signer_make(const char *keys, struct tf_error *err);

#endif
