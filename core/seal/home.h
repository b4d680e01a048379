/* Whether a store may be continued where it is: see ledger/home.h. */
#ifndef TF_SEAL_HOME_H
#define TF_SEAL_HOME_H

#include "../error.h"

struct tf_home_now;
struct tf_vault;

/*
 * Compare where the vault is now, *now, with the home that the last
 * ledger.opened recorded.  *away becomes false if they agree, or if no home was
 * recorded yet.  Else v->say gets both, and err says what to do, with TF_FOREIGN
 * as its code; the result is TF_OK all the same, as the caller decides.  Before
 * the first entry of this process.
 */
TF_MUST_USE enum tf_code tf_home_check(struct tf_vault *v,
    const struct tf_home_now *now, bool *away, struct tf_error *err);

#endif
