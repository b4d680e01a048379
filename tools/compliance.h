/* The status of a trail or workflow: its status.json, from mount or store. */
#ifndef TRAILCTL_COMPLIANCE_H
#define TRAILCTL_COMPLIANCE_H

#include "core/json.h"
#include "damage.h"
#include "where.h"

/* Is w a trail, or a workflow, by the depth of its path? Nothing is read: the
 * path may not exist. A path of a control file is neither. */
bool compliance_of_trail(const struct where *w);
bool compliance_of_workflow(const struct where *w);

/*
 * Append status.json of the trail or workflow w to out.  TF_NOTFOUND: it is not
 * in the ledger.  Other errors: TF_ACCESS, TF_TOOBIG, those of the vault.
 */
TF_MUST_USE enum tf_code compliance_read(const struct where *w,
    struct tf_buf *out, struct tf_error *err);

/*
 * The exit status for COMPLIANT (REPORT_OK), NON-COMPLIANT (REPORT_FINDING) and
 * DAMAGED (REPORT_TAMPERED).  INCOMPLETE and any other word give REPORT_DOUBT,
 * so a word that this version does not know never opens a gate.
 */
int compliance_exit(struct tf_str word);

/* Print status.json of a workflow (parsed by tf_json_parse_status) for people:
 * path and word, and a line for each attestation, with the reason if it is
 * missing or not compliant.  sealed_only: only sealed ones count. */
void compliance_print(const char *path, struct tf_str word,
    const struct tf_json_doc *d, bool sealed_only);
/* Print the retention and the holds in status.json of a workflow, or nothing. */
void compliance_print_protection(const struct tf_json_doc *d);
/*
 * Append the same as JUnit XML, one test case per attestation, to out: not
 * compliant is a failure, missing an error, optional skipped. If no case is at
 * fault but the word is not COMPLIANT, one more case has an error. Errors:
 * TF_NOMEM.
 */
TF_MUST_USE enum tf_code compliance_junit(const char *path, struct tf_str word,
    const struct tf_json_doc *d, bool sealed_only, struct tf_buf *out,
    struct tf_error *err);
/*
 * Print status.json of a trail for people: text has one line of JSON per
 * workflow, and each becomes a row. Damage is said and added to damage.
 * TF_INVALID: a line is not JSON; the rows before it are printed.
 */
TF_MUST_USE enum tf_code compliance_print_trail(const struct tf_buf *text,
    struct damage *damage, struct tf_error *err);

/* The same without printing rows: only the damage is said. */
TF_MUST_USE enum tf_code compliance_read_damage(const struct tf_buf *text,
    struct damage *damage, struct tf_error *err);

/* What row t of attestations_statuses says about the deciding report. The slot
 * has no is_compliant while it is MISSING, and its report may still be bad. */
enum compliance_verdict { COMPLIANCE_NONE, COMPLIANCE_GOOD, COMPLIANCE_BAD };
enum compliance_verdict compliance_verdict(const struct tf_json_doc *d, int t);

/* The value of the string member key, without quotes; p is NULL if there is
 * none.  It points into d. */
struct tf_str compliance_word(const struct tf_json_doc *d, int of,
    const char *key);

#endif
