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

#endif
