/* The pages of the vault and of a trail. */
#ifndef TF_VIEW_PAGE_DIRS_H
#define TF_VIEW_PAGE_DIRS_H

#include "../error.h"

struct tf_page;

/* Write the page up to its foot; p->row is the root.  Errors: TF_NOTFOUND the
 * vault has no checkpoint yet; TF_TAMPER; those of the sink. */
TF_MUST_USE enum tf_code tf_page_root(struct tf_page *p, struct tf_error *err);

/* The same for a trail.  It judges every workflow and may take long. */
TF_MUST_USE enum tf_code tf_page_trail(struct tf_page *p, struct tf_error *err);

#endif
