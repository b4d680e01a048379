/* The template by which a workflow is judged. */
#ifndef TF_NODE_WORKFLOW_TEMPLATE_H
#define TF_NODE_WORKFLOW_TEMPLATE_H

#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_definition_row;

/* Find the template in force when the workflow began.  out->version is 0 if
 * there was none, and out->node is the trail in any case. */
TF_MUST_USE enum tf_code tf_workflow_template(struct tf_db *db,
    uint64_t workflow, struct tf_definition_row *out, struct tf_error *err);

#endif
