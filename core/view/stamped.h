/* Whether a store that wants time stamps has got one lately. */
#ifndef TF_VIEW_STAMPED_H
#define TF_VIEW_STAMPED_H

#include <stdint.h>

#include "../error.h"

struct tf_view;

/*
 * *word becomes what status shows of the time stamps of a ledger of size entries,
 * or NULL: STORE/config wants none.  Of each name the newest stamp is judged, by
 * the certificates that the config names; see tf_stamps_time().  Errors: TF_NOMEM; those of the
 * database.
 */
TF_MUST_USE enum tf_code tf_stamps_word(struct tf_view *w, uint64_t size,
    const char **word, struct tf_error *err);

#endif
