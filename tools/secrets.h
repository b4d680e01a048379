/*
 * Secrets in what trailctl run records about a command: a recorded file can
 * never be removed, so they are replaced by "***". What only looks secret is
 * replaced too, which is the smaller damage.
 */
#ifndef TRAILCTL_SECRETS_H
#define TRAILCTL_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

#define SECRETS_MASK "***"

/* Does the name of a variable or an option (n bytes) look as if its value were
 * secret? "MONKEY" does: better too much than too little. */
bool secrets_name(const char *name, size_t n);

/*
 * Append text to out without the secrets in it: passwords of URLs; values after
 * names that look secret, in NAME=VALUE, "NAME: VALUE" and "--NAME VALUE";
 * tokens and private keys that have a known beginning. Errors: out->failed.
 */
void secrets_text(struct tf_buf *out, const char *text);

/*
 * Append argument i of a command to out without the secrets in it: as
 * secrets_text(), and the argument after an option whose name looks secret, and
 * the options of well-known programs that take a password (sshpass -p).
 * Argument 0, the name of the command, is never masked by its name.
 */
void secrets_argument(struct tf_buf *out, char **argv, size_t i);

#endif
