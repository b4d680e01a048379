/* The pages of the vault and of a trail. */
#ifndef TF_VIEW_PAGE_DIRS_H
#define TF_VIEW_PAGE_DIRS_H

#include "../error.h"

struct tf_page;

/* Write the page after its head. */
TF_MUST_USE enum tf_code tf_page_root(struct tf_page *p, struct tf_error *err);

TF_MUST_USE enum tf_code tf_page_trail(struct tf_page *p, struct tf_error *err);

#endif
