/* Refusals of the policy, with the name and the advice. */
#ifndef TF_NODE_REFUSAL_H
#define TF_NODE_REFUSAL_H

#include "../ledger/policy.h"

/* The policy's refusal with the name and the advice in err. */
enum tf_code tf_refusal(enum tf_code rc, const struct tf_subject *s,
    enum tf_request req, const char *name, struct tf_error *err);

/* The same for sealed evidence, whose name nobody looked up. */
enum tf_code tf_sealed_refusal(enum tf_request req, struct tf_error *err);

#endif
