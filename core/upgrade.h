/*
 * Upgrading a store of an earlier format to the one that this version writes.  No
 * program does this by itself: an earlier version could not open the store any more.
 */
#ifndef TF_UPGRADE_H
#define TF_UPGRADE_H

#include "error.h"
#include "types.h"

struct tf_upgraded {
	char from[16], to[16]; /* formats; equal: nothing was to be done */
	uint64_t entries;      /* of the ledger, and its root: as before */
	struct tf_hash root;
};

/*
 * Upgrade the store or mirror at path, which nothing else may have open, in one
 * transaction.  The root that the entries give is computed before and after; only
 * if both are that of the newest checkpoint the transaction is committed.
 * With look nothing is changed, and only the formats are found.
 * Errors: TF_LOCKED; TF_NOTFOUND, TF_FOREIGN, TF_NEWER; TF_TAMPER the entries do
 * not give the root of the checkpoint.
 */
TF_MUST_USE enum tf_code tf_upgrade(const char *path, bool look,
    struct tf_upgraded *out, struct tf_error *err);

#endif
