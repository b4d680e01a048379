/* The judgement of one attestation without the others of its workflow. */
#ifndef TF_VIEW_JUDGED_SLOT_H
#define TF_VIEW_JUDGED_SLOT_H

#include <stdbool.h>

#include "../error.h"

struct tf_judgement;
struct tf_node_row;
struct tf_view;

/*
 * Read and judge the attestation of that row and all that its result depends on.
 * The result for it is that of tf_judgement_read, if *whole is set; else
 * something is damaged that may be about the workflow, and only tf_judgement_read
 * has the result.  *out is {0} before the call; the caller frees it, also on
 * failure.  Errors: as tf_judgement_read.
 */
TF_MUST_USE enum tf_code tf_judged_slot(struct tf_view *w,
    const struct tf_node_row *row, struct tf_judgement *out, bool *whole,
    struct tf_error *err);

#endif
