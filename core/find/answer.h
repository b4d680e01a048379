/* One name of the ledger: whether a query is about it, and its line. */
#ifndef TF_FIND_ANSWER_H
#define TF_FIND_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "query.h"

struct tf_view;

/*
 * If entry seq created a name that all filters of q match and that the asker of
 * the view may read, append its line to out and set *is.  Everything is read
 * from the ledger and the tree of names.
 */
TF_MUST_USE enum tf_code tf_find_consider(struct tf_view *w,
    const struct tf_find_query *q, uint64_t seq, struct tf_buf *out, bool *is,
    struct tf_error *err);
/* No entry below *first, and none from *end on, is in the time of the query.
 * last_moved: the newest entry that TF_FIND_MOVED is a fact of, or
 * UINT64_MAX. */
TF_MUST_USE enum tf_code tf_find_range(struct tf_view *w,
    const struct tf_find_query *q, uint64_t last_moved, uint64_t *first,
    uint64_t *end, struct tf_error *err);

#endif
