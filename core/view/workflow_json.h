/* status.json of a workflow. */
#ifndef TF_VIEW_WORKFLOW_JSON_H
#define TF_VIEW_WORKFLOW_JSON_H

#include <stdint.h>

#include "../error.h"

struct tf_sink;
struct tf_view;

/*
 * Write status.json of workflow id to out, in pieces, so that a long text needs
 * little memory.  On failure the text that out got is void.  An open workflow is
 * judged at the time of the call, so two texts may differ.  A view belongs to
 * one thread.
 */
TF_MUST_USE enum tf_code tf_workflow_json(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

#endif
