/* status.json of a workflow. */
#ifndef TF_VIEW_WORKFLOW_JSON_H
#define TF_VIEW_WORKFLOW_JSON_H

#include <stdint.h>

#include "../error.h"

struct tf_sink;
struct tf_view;

TF_MUST_USE enum tf_code tf_workflow_json(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

#endif
