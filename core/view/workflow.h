/* A workflow in the ledger with its judgement, for its status files. */
#ifndef TF_VIEW_WORKFLOW_H
#define TF_VIEW_WORKFLOW_H

#include "../buffer.h"
#include "../store/nodes.h"
#include "claimed.h"
#include "compliance.h"
#include "view.h"

#define TF_STATUS_PIECE 65536 /* bytes that a writer gathers for its sink */

struct tf_sink;
struct tf_view;

/* {0} is empty; free with tf_workflow_free. */
struct tf_workflow {
	struct tf_node_row row;
	struct tf_buf path;
	struct tf_judgement facts;
	struct tf_loaded_entry sealed;
	struct tf_claimed claimed; /* about the workflow */
};
void tf_workflow_free(struct tf_workflow *x);

/* Read workflow id and judge it.  *x is {0} before the call; the caller frees
 * it with tf_workflow_free, also on failure.  Errors: TF_NOTFOUND id is no
 * workflow in the ledger; TF_TAMPER an entry or the template is missing or
 * altered; those of vault.h. */
TF_MUST_USE enum tf_code tf_workflow_read(struct tf_view *w, uint64_t id,
    struct tf_workflow *x, struct tf_error *err);

/* Find the report that decides an item, or NULL, and read its seal if it has
 * one.  *a belongs to f; *seal is replaced, and the caller frees it.  Errors:
 * as tf_loaded_entry_read. */
TF_MUST_USE enum tf_code tf_workflow_deciding(struct tf_view *w,
    const struct tf_judgement *f, const struct tf_status_item *m,
    const struct tf_att **a, struct tf_loaded_entry *seal,
    struct tf_error *err);

/* Append the reason of the override of report a to out; nothing if it was not
 * overridden, or if the asker may not read the attestation.  a may be NULL. */
TF_MUST_USE enum tf_code tf_workflow_reason(struct tf_view *w,
    const struct tf_att *a, struct tf_buf *out, struct tf_error *err);

#endif
