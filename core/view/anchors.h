/* What status.json and the page of the vault show of anchors. */
#ifndef TF_VIEW_ANCHORS_H
#define TF_VIEW_ANCHORS_H

#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_db;
struct tf_guard_state;
struct tf_json;

/* Write the members `anchored` and `anchors`: the newest anchor of each kind and
 * name.  A guard g that has a head (size not 0) counts as an anchor; it has a
 * member of its own. */
TF_MUST_USE enum tf_code tf_put_anchored(struct tf_db *db,
    const struct tf_guard_state *g, struct tf_json *j, struct tf_error *err);
/* Append the same, and the guard, as words to out, with a NUL after each anchor;
 * "never anchored" if there is none. */
TF_MUST_USE enum tf_code tf_anchored_words(struct tf_db *db,
    const struct tf_guard_state *g, struct tf_buf *out, struct tf_error *err);
/* Seconds since the guard was written; -1: it was not. */
int64_t tf_guard_age(const struct tf_guard_state *g);

#endif
