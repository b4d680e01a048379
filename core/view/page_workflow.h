/* The page of a workflow. */
#ifndef TF_VIEW_PAGE_WORKFLOW_H
#define TF_VIEW_PAGE_WORKFLOW_H

#include "../error.h"

struct tf_page;

/* Write the page up to its foot; p->row is the workflow.  On failure the text
 * that the sink got is void. */
TF_MUST_USE enum tf_code tf_page_workflow(struct tf_page *p,
    struct tf_error *err);

#endif
