/* Definitions of a trail as control files: what control.c and control_rows.c
 * need besides the tree. */
#ifndef FS_CONTROL_DEFINITION_H
#define FS_CONTROL_DEFINITION_H

#include "control_save.h"
#include "control_tree.h"

/* template.yml, as a row. */
extern const struct fs_settable fs_definition_settable;
enum tf_code fs_definition_template(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err);
enum tf_code fs_definition_has_template(struct tf_vault *v,
    const struct tf_attr *dir, struct tf_error *err);

/* recipients, as a row. */
extern const struct fs_settable fs_recipients_settable;
enum tf_code fs_definition_recipients(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err);
enum tf_code fs_definition_has_recipients(struct tf_vault *v,
    const struct tf_attr *dir, struct tf_error *err);

/* template@N.yml or recipients@N in the .trailfs of a trail.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code fs_definition_find(struct tf_vault *v, uint64_t trail,
    const char *file, uint64_t *ino, struct tf_error *err);
/* List them; their places begin at base. */
TF_MUST_USE enum tf_code fs_definition_list(struct tf_vault *v, uint64_t trail,
    uint64_t base, const struct fs_names *names, struct tf_error *err);

#endif
