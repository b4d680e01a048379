/* Saving what recovery needs when a vault is closed. */
#ifndef TF_VAULT_SAVE_ROWS_H
#define TF_VAULT_SAVE_ROWS_H

#include "../error.h"

struct tf_vault;

/*
 * Save the rows of pending nodes that are missing or old: directories without
 * flushed files, nodes with new metadata, and closed files whose flush failed.
 * Durable on TF_OK.  The sealer and the background threads have ended; no lock
 * is held.  After a failure the rows that are not saved stay as they were.
 * Errors: TF_NOMEM and those of a commit.
 */
TF_MUST_USE enum tf_code tf_vault_save_rows(struct tf_vault *v,
    struct tf_error *err);

#endif
