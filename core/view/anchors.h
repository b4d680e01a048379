/* What status.json and the page of the vault show of anchors. */
#ifndef TF_VIEW_ANCHORS_H
#define TF_VIEW_ANCHORS_H

#include "../error.h"

struct tf_buf;
struct tf_db;
struct tf_json;

/* Write the members `anchored` and `anchors`: the newest anchor of each kind and
 * name. */
TF_MUST_USE enum tf_code tf_put_anchored(struct tf_db *db, struct tf_json *j,
    struct tf_error *err);
/* Append the same as words to out, with a NUL after each anchor; "never
 * anchored" if there is none. */
TF_MUST_USE enum tf_code tf_anchored_words(struct tf_db *db, struct tf_buf *out,
    struct tf_error *err);

#endif
