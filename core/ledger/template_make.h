/* The text of a template, made from names. */
#ifndef TF_LEDGER_TEMPLATE_MAKE_H
#define TF_LEDGER_TEMPLATE_MAKE_H

#include "../json.h"

/*
 * Append the text of a template to out that asks for one generic attestation
 * per name, in this order.  Errors: TF_BADNAME or TF_NAMETOOLONG (not the name
 * of an attestation, or with "@N"), TF_EXISTS (a name twice), TF_TOOBIG,
 * TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_template_make(const struct tf_str *names, size_t n,
    struct tf_buf *out, struct tf_error *err);

#endif
