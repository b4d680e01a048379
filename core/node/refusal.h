/* The texts of refusals by the policy. */
#ifndef TF_NODE_REFUSAL_H
#define TF_NODE_REFUSAL_H

#include "../ledger/policy.h"

/* Fill err with the policy's refusal rc of req on `name`, and with advice on
 * what to do instead; returns rc. */
enum tf_code tf_refusal(enum tf_code rc, const struct tf_subject *s,
    enum tf_request req, const char *name, struct tf_error *err);

/* The same for sealed evidence whose name is not known here. */
enum tf_code tf_sealed_refusal(enum tf_request req, struct tf_error *err);

#endif
