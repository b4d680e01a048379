/* Claims about attestations that are not sealed; core/vault.h has the calls that
 * make them. */
#ifndef TF_VAULT_CLAIM_H
#define TF_VAULT_CLAIM_H

#include "../error.h"

struct tf_vault;

/* At the start: charge the user data in the database to their owners, as far as
 * no seal has them.  Errors: TF_NOMEM, those of the database. */
TF_MUST_USE enum tf_code tf_claims_load(struct tf_vault *v,
    struct tf_error *err);

#endif
