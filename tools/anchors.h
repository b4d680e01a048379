/* Anchors that trailctl received: recorded in a mount or a store. */
#ifndef TRAILCTL_ANCHORS_H
#define TRAILCTL_ANCHORS_H

#include "core/anchor.h"
#include "where.h"

/*
 * Record the anchor in the vault that target names: a mount, or a store that is
 * not mounted, which is then opened as by any other program that writes.  On
 * TF_OK it is in the ledger, or an anchor of the same kind, name and size was
 * before.
 * Errors: those of tf_vault_anchor_add(), and those of where_find() and
 * where_open(): TF_LOCKED the store is mounted, name the mount.
 */
TF_MUST_USE enum tf_code tf_anchor_record(const char *target,
    const struct tf_anchor *a, struct tf_error *err);

/*
 * Record in the vault that target names that a mirror or a witness does not
 * accept its log (r->text), or that all is well again (NULL): see core/anchor.h.
 * In a mount as any program could write it; else in the file of the store, which
 * is not opened, since a store that was refused may be one that must not go on.
 * A success whose anchor is recorded needs no call.
 * Errors: as above.
 */
TF_MUST_USE enum tf_code tf_anchor_refused(const char *target,
    const struct tf_refusal *r, struct tf_error *err);

/* Append anchors.json of the mount or the store w; v is the open store or NULL. */
TF_MUST_USE enum tf_code tf_anchors_read(const struct where *w,
    struct tf_vault *v, struct tf_buf *out, struct tf_error *err);

/*
 * Find the largest size of an anchor in anchors.json that is current: another one
 * would say nothing new (trailfs(8)).  name NULL: of any mirror or witness; else
 * of the authority with this name.  0: there is none.
 */
TF_MUST_USE enum tf_code tf_anchors_current(struct tf_str json,
    const char *name, uint64_t *size, struct tf_error *err);

#endif
