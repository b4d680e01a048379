/* The checks of a type of attestations, parsed. */
#ifndef TF_LEDGER_TYPE_CHECKS_H
#define TF_LEDGER_TYPE_CHECKS_H

#include "type.h"

/* Parse the list of checks that is member key of map i: 1 to TF_TYPE_CHECKS, with
 * different ids.  Errors: TF_INVALID, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_type_checks_parse(struct tf_defining *d, int i,
    const char *key, struct tf_type_checks *out, struct tf_error *err);

#endif
