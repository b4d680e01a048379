/* trail-page.html: the page of a trail or a workflow to print and to file. */
#ifndef TF_VIEW_PAGE_TRAIL_H
#define TF_VIEW_PAGE_TRAIL_H

#include <stdint.h>

#include "../json.h"
#include "../types.h"

/* The style of printed pages: every paper size, and at the foot of each sheet the
 * origin, size and root of the checkpoint, the verdict, and the number of the
 * sheet.  verdict: words and numbers only, nothing that CSS would obey. */
void tf_print_style(struct tf_buf *out, const char *origin, uint64_t size,
    const struct tf_hash *root, const char *verdict);

#endif
