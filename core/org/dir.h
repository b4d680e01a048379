/*
 * The engine `dir:PATH`: a directory for one machine, whose processes append side
 * by side.
 *   PATH/org.db                the order of the entries, in SQLite
 *   PATH/objects/ab/<62 hex>   blobs
 *   PATH/log/NAME              named texts
 * Nothing here is locked against root.  Whoever may write the files may append for
 * any member: there are no roles.
 */
#ifndef TF_ORG_DIR_H
#define TF_ORG_DIR_H

#include "engine.h"

#define TF_DIR_SCHEME "dir:"

/* The path in a URI of this kind. */
static inline const char *
tf_dir_path(const char *uri)
{
	return uri + sizeof(TF_DIR_SCHEME) - 1;
}

extern const struct tf_ledger_ops tf_dir_ledger_ops;
extern const struct tf_blob_ops tf_dir_blob_ops;

#endif
