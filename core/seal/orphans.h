/* Files that a crash has left and that nothing names: see orphans.c. */
#ifndef TF_SEAL_ORPHANS_H
#define TF_SEAL_ORPHANS_H

#include "../error.h"

struct tf_db;
struct tf_vault;

/*
 * At the start, when all rows are loaded: delete staged files without a row, and
 * objects that were made of age files and that no entry names.
 * Errors: TF_IO stage/ cannot be read; those of the database.
 */
TF_MUST_USE enum tf_code tf_orphans_remove(struct tf_vault *v, struct tf_db *db,
    struct tf_error *err);

#endif
