/* Passphrases, asked for on the terminal. */
#ifndef TRAILCTL_PASSPHRASE_H
#define TRAILCTL_PASSPHRASE_H

#include <stddef.h>

#include "core/error.h"

#define PASSPHRASE_MAX 1024 /* bytes, with the NUL behind it */

/*
 * Ask for a passphrase on the terminal of the process, whatever stdin is, and
 * do not show what is typed.  With confirm, ask twice.  *n becomes its bytes,
 * at least one.  The caller wipes out in any case.
 * Errors: TF_USAGE there is no terminal, the passphrase is empty or too long, or
 * the two differ; TF_INTERRUPTED a signal waits; TF_IO.  In any case the caller
 * calls interrupt_release().
 */
TF_MUST_USE enum tf_code passphrase_ask(const char *question, bool confirm,
    char out[PASSPHRASE_MAX], size_t *n, struct tf_error *err);

#endif
