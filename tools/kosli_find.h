/* Finding names and attestations for the words of Kosli. */
#ifndef TRAILCTL_KOSLI_FIND_H
#define TRAILCTL_KOSLI_FIND_H

#include "core/json.h"

/* Takes the path of a name, from the root of the vault; it is valid during the
 * call only. Any other code than TF_OK ends the list and is returned. */
typedef enum tf_code (*kosli_find_fn)(void *arg, const char *path,
    struct tf_error *err);
/* Call fn for each name that has this fact (core/find.h), the newest first.
 * Errors: those of find_each(). */
TF_MUST_USE enum tf_code kosli_find(const char *vault, const char *key,
    const char *value, kosli_find_fn fn, void *arg, struct tf_error *err);

/*
 * Append the path of the attestation to out, as a string: that one of whose
 * entries has the leaf hash id, 64 hex digits. TF_NOTFOUND: there is none. Other
 * errors: those of reading the ledger.
 */
TF_MUST_USE enum tf_code kosli_find_id(const char *vault, const char *id,
    struct tf_buf *out, struct tf_error *err);

#endif
