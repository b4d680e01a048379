/* Retention and holds in the files of a view. */
#ifndef TF_VIEW_PROTECTION_H
#define TF_VIEW_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "../protection.h"

/* Write the member "holds", a list of all holds that protect directory id, or
 * the member "retention", the retention that keeps it longest.  Nothing if there
 * is none, for a draft, and in a package: they are about this vault. */
TF_MUST_USE enum tf_code tf_put_holds(struct tf_view *w, struct tf_json *j,
    uint64_t id, bool with_reasons, struct tf_error *err);
TF_MUST_USE enum tf_code tf_put_retention(struct tf_view *w, struct tf_json *j,
    uint64_t id, struct tf_error *err);

/* Write the members "kept", a word, and "kept_until", if a retention is set. */
TF_MUST_USE enum tf_code tf_put_kept_word(struct tf_view *w, struct tf_json *j,
    uint64_t id, struct tf_error *err);

/* Append "held: NAME; kept until DATE" or the like to out; nothing if nothing
 * protects directory id. */
TF_MUST_USE enum tf_code tf_protection_words(struct tf_view *w, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

#endif
