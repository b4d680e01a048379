/* What the words of kosli evaluate judge. */
#ifndef TRAILCTL_KOSLI_INPUT_H
#define TRAILCTL_KOSLI_INPUT_H

#include "kosli.h"

/*
 * Append what is judged to out, one JSON object: {"trail":...} of the one trail
 * of --flow in name, or with many {"trails":[...]} of all of them; names NULL:
 * the file of --input-file, or standard input.  --attestations chooses
 * attestations, and --params becomes the member params.
 *
 * *params: the JSON of --params, without white space; empty without the option.
 * The caller frees both in any case.  TF_USAGE: a name or an option is wrong, or
 * the file is not JSON.  Other errors: those of reading the vault or the file.
 */
TF_MUST_USE enum tf_code kosli_input(char **names, int n, bool many,
    struct tf_buf *out, struct tf_buf *params, struct tf_error *err);

#endif
