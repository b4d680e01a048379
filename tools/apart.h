/* The store that a copy is made of, and the directory of the copy. */
#ifndef TRAILCTL_APART_H
#define TRAILCTL_APART_H

#include "core/error.h"

/*
 * *store: the directory of the store that arg names, also if it is mounted; the
 * caller frees it, also after a failure.  TF_USAGE: dir (NULL: none) is in that
 * store, around it, or the store itself; what names the copy ("mirror").
 */
TF_MUST_USE enum tf_code apart_find(const char *arg, const char *dir,
    const char *what, char **store, struct tf_error *err);

/*
 * TF_USAGE: dir, which need not exist, is in a mount of trailfs, where each
 * directory that is made stays for ever.  what is made there ("store").
 * apart_find() checks this too.
 */
TF_MUST_USE enum tf_code apart_ordinary(const char *dir, const char *what,
    struct tf_error *err);

/* TF_USAGE: dir, which need not exist, is in a mount, and a directory with files
 * that is made in it would be a trail or a workflow, where no file can be. */
TF_MUST_USE enum tf_code apart_takes_files(const char *dir,
    struct tf_error *err);

#endif
