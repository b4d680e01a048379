/*
 * Time stamps of RFC 3161: which checkpoint of a vault one is about.  The
 * functions of base/timestamp.h make requests and check answers; anchor.h
 * records a stamp.
 */
#ifndef TF_STAMP_H
#define TF_STAMP_H

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_vault;

/*
 * Find the newest checkpoint whose note has this SHA-256: append the note to
 * note, and set *size to the number of its entries and *clock to what the clock
 * said at the last of them (s 0: that entry cannot be read).  Reads all
 * checkpoints from the newest one back to it.
 * Errors: TF_NOTFOUND this log has no such checkpoint; those of vault.h.
 */
TF_MUST_USE enum tf_code tf_vault_stamped(struct tf_vault *v,
    const struct tf_hash *sha256, uint64_t *size, struct tf_time *clock,
    struct tf_buf *note, struct tf_error *err);

#endif
