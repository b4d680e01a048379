/* The reasons that people give: for overrides, holds and the like. */
#ifndef TF_VAULT_REASON_H
#define TF_VAULT_REASON_H

#include "../json.h"

#define TF_REASON_MAX 2048 /* bytes of JSON between the quotes */

/* Check that an entry can hold the reason.  what names the act, for messages:
 * "an override".  TF_INVALID it is empty or has other characters; TF_TOOBIG. */
TF_MUST_USE enum tf_code tf_reason_check(const char *what, struct tf_str reason,
    struct tf_error *err);

/* The same of who gets a package. */
#define TF_TO_MAX 512 /* bytes of JSON between the quotes */
TF_MUST_USE enum tf_code tf_to_check(struct tf_str to, struct tf_error *err);

#endif
