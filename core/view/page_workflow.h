/* The page of a workflow. */
#ifndef TF_VIEW_PAGE_WORKFLOW_H
#define TF_VIEW_PAGE_WORKFLOW_H

#include <stddef.h>

#include "../error.h"

struct tf_page;

/* Write the page up to its foot; p->row is the workflow.  On failure the text
 * that the sink got is void. */
TF_MUST_USE enum tf_code tf_page_workflow(struct tf_page *p,
    struct tf_error *err);

/* The word of the badge of attestation i. */
struct tf_judgement;
const char *tf_page_attestation_word(const struct tf_judgement *f, size_t i);

#endif
