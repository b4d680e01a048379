/* The style of pages to print. */
#ifndef TF_BASE_PRINT_H
#define TF_BASE_PRINT_H

#include <stdint.h>

#include "../json.h"
#include "../types.h"

/* The element <style> of a page for every paper size: at the foot of each sheet are
 * the origin, size and root of the checkpoint, the words `verdict`, and the number
 * of the sheet.  verdict: letters, digits and commas only, nothing that CSS would
 * obey. */
void tf_print_style(struct tf_buf *out, const char *origin, uint64_t size,
    const struct tf_hash *root, const char *verdict);

#endif
