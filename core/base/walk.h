/* All that is below a directory, which may be anybody's. */
#ifndef TF_BASE_WALK_H
#define TF_BASE_WALK_H

#include "../json.h"

enum tf_walk_kind {
	TF_WALK_FILE,  /* a plain file */
	TF_WALK_OTHER, /* a symlink, a device, a FIFO ... */
	TF_WALK_DEEP,  /* a directory deeper than max: not entered */
};

/* path: below the directory, as bytes with '/'; lives until fn returns. */
typedef enum tf_code (*tf_walked)(void *arg, const char *path,
    enum tf_walk_kind kind, uint64_t size, struct tf_error *err);

/*
 * Call fn for everything below dirfd but directories, in no order, until it
 * fails; directories up to max levels are entered, symlinks are not followed.
 * One descriptor per level is open meanwhile.  Errors: TF_ACCESS, TF_IO (what
 * could not be read is named), TF_NOMEM, and fn's.
 */
TF_MUST_USE enum tf_code tf_walk(int dirfd, unsigned max, tf_walked fn,
    void *arg, struct tf_error *err);

#endif
