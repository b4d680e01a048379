/* Whether a store that wants time stamps has got one lately. */
#ifndef TF_VIEW_STAMPED_H
#define TF_VIEW_STAMPED_H

#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_vault;

/*
 * *word becomes what status shows of the time stamps of a ledger of size entries
 * in db, or NULL: STORE/config wants none.  Errors: those of the database.
 */
TF_MUST_USE enum tf_code tf_stamps_word(const struct tf_vault *v,
    struct tf_db *db, uint64_t size, const char **word, struct tf_error *err);

#endif
