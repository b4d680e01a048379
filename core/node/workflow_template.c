/* The template of a workflow: see workflow_template.h. */
#include "../definition.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "workflow_template.h"

enum tf_code
tf_workflow_template(struct tf_db *db, uint64_t workflow,
    struct tf_definition_row *out, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(db, workflow, &row, err);

	if (rc != TF_OK)
		return rc;
	*out = (struct tf_definition_row){ .node = row.attr.parent,
		.kind = TF_DEFINITION_TEMPLATE,
		.name = { "", 0 } };
	rc = tf_definitions_before(db, out, row.entry, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
