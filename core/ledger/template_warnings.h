/* Warnings: why no workflow of a template can become COMPLIANT. */
#ifndef TF_LEDGER_TEMPLATE_WARNINGS_H
#define TF_LEDGER_TEMPLATE_WARNINGS_H

#include "template.h"

/* Fill t->warnings, at most 64, in the order of the slots of t, which is parsed
 * otherwise.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_template_find_warnings(struct tf_template *t,
    struct tf_error *err);

#endif
