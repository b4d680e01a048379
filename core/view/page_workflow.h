/* The page of a workflow. */
#ifndef TF_VIEW_PAGE_WORKFLOW_H
#define TF_VIEW_PAGE_WORKFLOW_H

#include "../error.h"

struct tf_judgement;
struct tf_page;
struct tf_status_item;

/* Write the page up to its foot; p->row is the workflow.  On failure the text
 * that the sink got is void. */
TF_MUST_USE enum tf_code tf_page_workflow(struct tf_page *p,
    struct tf_error *err);

/* Write why the item counts as it does; nothing if no reason is known.  Errors: those
 * of the database. */
TF_MUST_USE enum tf_code tf_page_why(struct tf_page *p,
    const struct tf_judgement *f, const struct tf_status_item *m,
    struct tf_error *err);

#endif
