/*
 * Walk over everything below a directory, which may be hostile: it may change
 * during the walk, be deeper than descriptors allow, or have any names.
 */
#ifndef TF_BASE_WALK_H
#define TF_BASE_WALK_H

#include "../json.h"

enum tf_walk_kind {
	TF_WALK_FILE,  /* a regular file */
	TF_WALK_OTHER, /* a symlink, device, FIFO or socket */
	TF_WALK_DEEP,  /* a directory below level max: not entered */
};

/* path is relative to the directory, with '/' between raw names; it is valid
 * until fn returns. */
typedef enum tf_code (*tf_walked)(void *arg, const char *path,
    enum tf_walk_kind kind, uint64_t size, struct tf_error *err);

/*
 * Call fn for every node below dirfd except directories, in no particular
 * order, until fn fails.  Directories down to level max are entered; symlinks
 * are not followed.  The walk holds one descriptor per level; dirfd stays the
 * caller's.  size is in bytes and has a meaning for regular files only.
 * Errors: TF_ACCESS and TF_IO, with the path in err; TF_NOMEM; those of fn.
 */
TF_MUST_USE enum tf_code tf_walk(int dirfd, unsigned max, tf_walked fn,
    void *arg, struct tf_error *err);

#endif
