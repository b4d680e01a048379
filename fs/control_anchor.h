/* The control files about anchors: what rows and trees need of them. */
#ifndef FS_CONTROL_ANCHOR_H
#define FS_CONTROL_ANCHOR_H

#include "control_save.h"

/* The settable file anchor; it shows nothing. */
extern const struct fs_settable fs_anchor_settable;
TF_MUST_USE enum tf_code fs_anchor_empty(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err);

/* anchors.json, checkpoint.cosigned. */
TF_MUST_USE enum tf_code fs_anchors(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code fs_cosigned(struct tf_vault *v, uint64_t dir,
    const struct tf_asker *asker, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code fs_has_cosigned(struct tf_vault *v,
    const struct tf_attr *dir, struct tf_error *err);

#endif
