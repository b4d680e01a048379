/* The parts of an examination that read the database: see core/doctor.h. */
#ifndef TF_VAULT_DOCTOR_LEDGER_H
#define TF_VAULT_DOCTOR_LEDGER_H

#include "../doctor.h"

struct tf_db;
struct tf_vault;

/*
 * Compare the clock, the place of the store, the copies of the head and the ages
 * of anchors and verifications with the ledger.  v is not open: it has only path,
 * dirfd and guard, and gets its origin and id.  word: the path of the store for a
 * shell.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_doctor_ledger(struct tf_vault *v, struct tf_db *db,
    const char *word, const struct tf_doctor *d, struct tf_error *err);

#endif
