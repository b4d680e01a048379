/*
 * Loading the rows of stage at the start of a vault.  There are no other
 * callers yet; functions that take a node into the table lock vault.mu where a
 * background thread could see it.  Errors: TF_NOMEM, TF_IO and its sharper
 * forms.
 */
#ifndef TF_SEAL_RECOVER_ROWS_H
#define TF_SEAL_RECOVER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_pending;
struct tf_stage_row;
struct tf_vault;

/* The nodes that were loaded.  The caller drops the references in l, and frees
 * l and dirty. */
struct tf_found {
	struct tf_vault *v;
	struct tf_pending **l;
	bool *dirty;
	size_t n, cap;
	uint64_t budget; /* bytes that may still be hashed at once */
};

/* Fill v->unplaced with the rows that have no place in the tree, and report
 * them to the operator.  They are not loaded, so that all other files are
 * there. */
TF_MUST_USE enum tf_code tf_recover_set_aside(struct tf_vault *v,
    struct tf_db *db, struct tf_error *err);
/* Has node id a row that was set aside? */
bool tf_recover_is_unplaced(const struct tf_vault *v, uint64_t id);

/* Make a pending node of row r and add it to found, a struct tf_found.  Its
 * state is draft; tf_recover_place() completes it when all rows are loaded. */
TF_MUST_USE enum tf_code tf_recover_load(void *found,
    const struct tf_stage_row *r, struct tf_error *err);
/* If the last process ended before the entry about l, which failed, rename l
 * again: another file may have its name. */
TF_MUST_USE enum tf_code tf_recover_step_aside(struct tf_pending *l,
    struct tf_db *db, struct tf_error *err);
/* Find attestation and workflow of l, and whether it is below a draft. */
TF_MUST_USE enum tf_code tf_recover_place(struct tf_vault *v, struct tf_db *db,
    struct tf_pending *l, struct tf_error *err);

#endif
