/* How a trail or workflow is: status.json of it, from its mount or its store. */
#ifndef TRAILCTL_COMPLIANCE_H
#define TRAILCTL_COMPLIANCE_H

#include "core/json.h"
#include "where.h"

/* By the depth of its path: is w a trail, or a workflow? */
bool compliance_of_trail(const struct where *w);
bool compliance_of_workflow(const struct where *w);

/*
 * status.json of the trail or workflow w, onto out.  Errors: TF_NOTFOUND it is
 * not in the ledger, TF_ACCESS, TF_TOOBIG, those of the vault.
 */
TF_MUST_USE enum tf_code compliance_read(const struct where *w,
    struct tf_buf *out, struct tf_error *err);

/* One of COMPLIANT, NON-COMPLIANT, INCOMPLETE as an exit status; REPORT_DOUBT
 * for any other word. */
int compliance_exit(struct tf_str word);

/* Print status.json of a workflow (parsed by tf_json_parse_status) for people:
 * path and word, and a line for each attestation. */
void compliance_print(const char *path, struct tf_str word,
    const struct tf_json_doc *d);
/* The same of a trail, whose lines are in text.  TF_INVALID. */
TF_MUST_USE enum tf_code compliance_print_trail(const struct tf_buf *text,
    struct tf_error *err);

/* The value of a string member, without its quotes; p NULL: there is none. */
struct tf_str compliance_word(const struct tf_json_doc *d, int of,
    const char *key);

#endif
