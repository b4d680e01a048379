/* The table of anchors of a page. */
#ifndef TF_VIEW_PAGE_ANCHORS_H
#define TF_VIEW_PAGE_ANCHORS_H

#include <stdint.h>

#include "../error.h"

struct tf_page;

/* Write a section with the newest anchor of each kind and name: how many entries
 * it covers, when it was recorded, and on a page of the present how long ago.
 * last: the last entry that the page is about, for the column that says whether
 * the anchor covers it; TF_NO_SEQ: without that column.  Errors: TF_NOMEM; those
 * of the database and of the sink. */
TF_MUST_USE enum tf_code tf_page_anchors(struct tf_page *p, uint64_t last,
    struct tf_error *err);

#endif
