/* Reads what the ledger says of the attestations of a workflow. */
#ifndef TF_VIEW_REPORTS_H
#define TF_VIEW_REPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "view.h"

struct tf_judgement;
struct tf_node_row;
struct tf_update;

/* The reading of a judgement.  What cannot be read is in f->damage.  Errors of all
 * functions: as tf_judgement_read. */
struct tf_reading {
	struct tf_view *w;
	struct tf_judgement *f;
	struct tf_loaded_entry t;
	struct tf_update *by_target; /* f->updates, sorted */
};
void tf_reading_free(struct tf_reading *x);

/* Read the entry of the workflow and its template: before all others. */
TF_MUST_USE enum tf_code tf_reading_workflow(struct tf_reading *x,
    const struct tf_node_row *row, struct tf_error *err);
/* Read one attestation of the workflow: f->a gets its entries and f->r what the
 * judgement needs, under the same index. */
TF_MUST_USE enum tf_code tf_reading_report(struct tf_reading *x,
    const struct tf_node_row *row, struct tf_error *err);
/* After the last one: the strings of f are valid.  Frees *x. */
TF_MUST_USE enum tf_code tf_reading_end(struct tf_reading *x,
    struct tf_error *err);

/* Note what could not be read, and set *damaged. */
TF_MUST_USE enum tf_code tf_reading_damage(struct tf_reading *x, uint64_t seq,
    bool *damaged, const struct tf_error *why, struct tf_error *err);
/* Read entry seq, which a row says is of that type, to *t.  It is empty if it
 * cannot be read. */
TF_MUST_USE enum tf_code tf_reading_entry(struct tf_reading *x, uint64_t seq,
    enum tf_entry_kind type, struct tf_loaded_entry *t, bool *damaged,
    struct tf_error *err);
/* Raise the time of the newest change, which status.json shows. */
void tf_reading_change(struct tf_reading *x, const struct tf_attr *a);
void tf_raise_time(struct tf_time *to, struct tf_time t);

#endif
