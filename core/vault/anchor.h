/* Parts that anchors and refusals of them share. */
#ifndef TF_VAULT_ANCHOR_H
#define TF_VAULT_ANCHOR_H

#include "../error.h"

struct tf_actor;
struct tf_anchor;
struct tf_vault;

/* TF_DENIED: who is neither the owner of the root directory nor root; TF_READONLY
 * and the other errors of a vault that cannot be written. */
TF_MUST_USE enum tf_code tf_anchor_may(struct tf_vault *v,
    const struct tf_actor *who, struct tf_error *err);
/* Forget the refusal of the kind and name of a, if there is one. */
TF_MUST_USE enum tf_code tf_anchor_accepted(struct tf_vault *v,
    const struct tf_anchor *a, struct tf_error *err);

#endif
