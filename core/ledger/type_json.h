/* The checks of a definition of a type, as reports repeat them. */
#ifndef TF_LEDGER_TYPE_JSON_H
#define TF_LEDGER_TYPE_JSON_H

#include "type.h"

/* Append member key: a list of checks.  A lack of memory sets b->failed. */
void tf_type_checks_put(struct tf_buf *b, const char *key,
    const struct tf_type_checks *l);

#endif
