/* Retention, holds and redactions of a place: asked for and shown, in a mount or
 * a store. */
#ifndef TRAILCTL_PROTECT_H
#define TRAILCTL_PROTECT_H

#include "where.h"

enum protect_what { PROTECT_RETENTION, PROTECT_HOLDS, PROTECT_REDACTIONS };

/*
 * Send a request, JSON as core/protection.h defines it, about the place w.  On
 * TF_OK it is in the ledger.  For redactions the place is an attestation.
 * Errors: TF_USAGE the place has no such thing; those of tf_vault_retain(),
 * tf_vault_hold() and tf_vault_redact_json(), TF_DENIED also for other users;
 * those of where_open().
 */
TF_MUST_USE enum tf_code protect_set(const struct where *w,
    enum protect_what what, const struct tf_buf *request, struct tf_error *err);
/* Append what protects w, or its redactions, to out: the JSON of the control
 * file. */
TF_MUST_USE enum tf_code protect_get(const struct where *w,
    enum protect_what what, struct tf_buf *out, struct tf_error *err);

/* Print one element of the list "redactions" of a control file as a line: path,
 * state, who proposed and approved it when, and why. */
void protect_print_redaction(const struct tf_json_doc *d, int r);

#endif
