/*
 * Contents that claims and judgements name, and the users who set claims.  The
 * functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_CLAIM_CONTENT_H
#define TF_LEDGER_CLAIM_CONTENT_H

#include "../json.h"
#include "entry.h"

/* Find the content of the user data.  *has is false if there is none. */
TF_MUST_USE enum tf_code tf_claims_user_data(struct tf_str claims,
    struct tf_content *out, bool *has, struct tf_error *err);

/* Find the content of the report of `evaluated`. */
TF_MUST_USE enum tf_code tf_evaluated_report(struct tf_str evaluated,
    struct tf_content *out, bool *has, struct tf_error *err);

/* Append to out the uids of the JSON array old (n 0: none) and uid, in rising
 * order, each once.  TF_DENIED: there would be more than 32. */
TF_MUST_USE enum tf_code tf_claimants_add(struct tf_str old, uint32_t uid,
    struct tf_buf *out, struct tf_error *err);

#endif
