/* Results of workflows that are kept between views. */
#ifndef TF_VIEW_VERDICTS_H
#define TF_VIEW_VERDICTS_H

#include "../error.h"
#include "../node/verdicts.h"

struct tf_judgement;
struct tf_node_row;
struct tf_view;

/*
 * The result of a workflow in the view: what tf_judgement_read would say now.  It
 * is kept while no entry about the workflow, no claim about an open attestation
 * that counts, no deadline and no altered entry can have changed it, and is judged
 * again after some time.  A result with damage is never kept.  Errors: as tf_judgement_read.
 */
TF_MUST_USE enum tf_code tf_verdict_of(struct tf_view *w,
    const struct tf_node_row *workflow, struct tf_verdict *out,
    struct tf_error *err);
/* The same, and *damage gets what could not be read: free it with
 * tf_damage_free. */
struct tf_damage;
TF_MUST_USE enum tf_code tf_verdict_with_damage(struct tf_view *w,
    const struct tf_node_row *workflow, struct tf_verdict *out,
    struct tf_damage *damage, struct tf_error *err);

/* Judge a workflow as tf_judgement_read does, and keep its result. */
TF_MUST_USE enum tf_code tf_verdict_judge(struct tf_view *w,
    const struct tf_node_row *workflow, struct tf_judgement *f,
    struct tf_error *err);

#endif
