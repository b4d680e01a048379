/* What the rows of control_rows.c need for claims and reports. */
#ifndef FS_CONTROL_CLAIMS_H
#define FS_CONTROL_CLAIMS_H

#include "control_save.h"

extern const struct fs_settable fs_user_data;
extern const struct fs_settable fs_override_settable;
/* Requests about what protects a directory: core/protection.h has their form. */
extern const struct fs_settable fs_retention_settable;
extern const struct fs_settable fs_redactions_settable;
extern const struct fs_settable fs_holds_settable;

/* TF_NOTFOUND if there are no user data of dir, no report of the checks. */
enum tf_code fs_has_user_data(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err);
enum tf_code fs_has_report(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err);
/* The last override of a sealed attestation as it was written; empty if there
 * is none. */
enum tf_code fs_override(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err);

#endif
