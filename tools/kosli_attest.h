/* What the words of kosli attest have in common. */
#ifndef TRAILCTL_KOSLI_ATTEST_H
#define TRAILCTL_KOSLI_ATTEST_H

#include "kosli.h"

/*
 * Do what all words begin with: check --flow, --trail and --name, split the
 * lists, take the artifact that the operand names, and fill the annotations.
 * Nothing is written to the vault.
 *
 * *path becomes the path of the attestation, for the caller to free in any
 * case, or NULL. TF_USAGE: err names the option. Other errors if the artifact
 * cannot be read.
 */
TF_MUST_USE enum tf_code kosli_attest_prepare(int n, char **arg, char **path,
    struct tf_error *err);
/* Print the error, with the usage of the word if that is to blame.  Returns the
 * exit status. */
int kosli_attest_failed(const struct kosli_word *w, const struct tf_error *err);
/* "true" or "false", or NULL: not given. */
const char *kosli_attest_word(enum args_truth t);

#endif
