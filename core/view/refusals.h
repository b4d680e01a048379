/* Mirrors and witnesses that do not accept this log, in status and page. */
#ifndef TF_VIEW_REFUSALS_H
#define TF_VIEW_REFUSALS_H

#include <stddef.h>

#include "../error.h"

struct tf_json;
struct tf_page;
struct tf_vault;

/* Write the words about the newest refusal to out, as much as fits; "" if there
 * is none. */
TF_MUST_USE enum tf_code tf_refusal_newest(struct tf_vault *v, char *out,
    size_t n, struct tf_error *err);
/* Write the member `refusals`, unless there is none. */
TF_MUST_USE enum tf_code tf_put_refusals(struct tf_vault *v, struct tf_json *j,
    struct tf_error *err);
/* Write the refusals into the list of facts of a page. */
TF_MUST_USE enum tf_code tf_page_refusals(struct tf_page *p,
    struct tf_error *err);

#endif
