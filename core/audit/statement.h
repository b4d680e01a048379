/* The check of a signed statement. */
#ifndef TF_AUDIT_STATEMENT_H
#define TF_AUDIT_STATEMENT_H

struct tf_audit;
struct tf_entry;
struct tf_replay_effect;

/* Check that the statement of the attestation that e sealed agrees with the
 * entries, and that its signature is valid.  Faults become findings. */
void tf_audit_check_statement(struct tf_audit *a, const struct tf_entry *e,
    struct tf_replay_effect *x);

#endif
