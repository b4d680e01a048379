/*
 * The tree of names as it was when the ledger had a number of entries.
 *
 * A moment is that number, the size of the ledger.  A node is there if an earlier
 * entry created it, and is sealed if an earlier entry sealed it.  Names and bytes
 * never change; owner, group and mode are those of today, so that nobody reads
 * what may not be read today.  Write bits are not shown.  The times of a
 * directory that has changed since are the time of the moment's last entry.
 *
 * A size inside a batch, whose entries stand or fall together, is no moment:
 * the ledger never was in that state.  Every function may be called from any
 * thread.  Errors: TF_NOTFOUND also if there is no such moment; those of vault.h.
 */
#ifndef TF_PAST_H
#define TF_PAST_H

#include "vault.h"

/*
 * Set *size to the moment that text means: a decimal number of entries from 1 on,
 * without leading zeros; or a time (tf_time_complete in time_text.h), which means
 * all entries up to that time of the ledger.  That time never goes back, even if
 * the clock did.  TF_NOTFOUND: it is neither, it is later than the newest entry
 * (a time: later than the clock and that entry) or before the first.
 */
TF_MUST_USE enum tf_code tf_past_size(struct tf_vault *v, const char *text,
    uint64_t *size, struct tf_error *err);
/* Has text the form of a moment? */
bool tf_past_is_moment(const char *text);
/* The node called name in directory parent, and the node id, at that moment. */
TF_MUST_USE enum tf_code tf_past_lookup(struct tf_vault *v, uint64_t size,
    uint64_t parent, const char *name, struct tf_attr *out,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_past_getattr(struct tf_vault *v, uint64_t size,
    uint64_t id, struct tf_attr *out, struct tf_error *err);
/* The node at path, from the root, at that moment. */
TF_MUST_USE enum tf_code tf_past_walk(struct tf_vault *v, uint64_t size,
    const char *path, struct tf_attr *out, struct tf_error *err);
/* An extended attribute of node id at that moment, as tf_vault_xattr_get: state,
 * digest, entry, time and actor, and what the writer of evidence set.  Claims are
 * in attestation.json and status.json of the moment.  TF_NODATA. */
TF_MUST_USE enum tf_code tf_past_xattr(struct tf_vault *v, uint64_t size,
    uint64_t id, const char *name, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_past_xattr_list(struct tf_vault *v, uint64_t size,
    uint64_t id, struct tf_buf *out, struct tf_error *err);
/* As tf_vault_list.  TF_NOTDIR. */
TF_MUST_USE enum tf_code tf_past_list(struct tf_vault *v, uint64_t size,
    uint64_t dir, uint64_t after, struct tf_dirent *out, size_t max, size_t *n,
    struct tf_error *err);

#endif
