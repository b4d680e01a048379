/* What control.c and control_set.c share. */
#ifndef FS_CONTROL_I_H
#define FS_CONTROL_I_H

#include "control.h"
#include "control_rows.h"
#include "control_save.h"
#include "control_snapshot.h"

struct fs_control {
	struct tf_vault *vault;
	struct fs_walks *walks;
	struct fs_saves *saves;
	struct fs_snapshots *snapshots;
	bool tells_sizes; /* LOOKUP knows the size of what it finds */
};

/*
 * Set mode and owner of *st, which is stat(2) of dir, to those of a settable
 * file about dir: the mode of set without the bits that the directory's mode
 * lacks; or, of a file that only one owner may set, that owner.
 */
TF_MUST_USE enum tf_code fs_settable_stat(struct tf_vault *v,
    const struct fs_settable *set, const struct tf_attr *dir, struct stat *st,
    struct tf_error *err);

#endif
