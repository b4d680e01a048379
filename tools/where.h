/*
 * Which vault an argument names, and what in it: a path in a mount, or
 * STORE/TRAIL/WORKFLOW/..., or STORE alone.
 */
#ifndef TRAILCTL_WHERE_H
#define TRAILCTL_WHERE_H

#include "core/vault.h"

/* Either mount and file are set, or store. */
struct where {
	char *mount; /* the root directory of the mount */
	char *file;  /* in a mount: what was named, as a real path */
	char *store; /* the store's directory */
	char *path;  /* from the root of the vault; "." is the root */
};

/*
 * Find out.  In a mount the file must exist; beside one the rest after the
 * longest beginning that is a store is not looked at.  TF_NOTFOUND: neither.
 * where_free in either case.
 */
TF_MUST_USE enum tf_code where_find(const char *arg, struct where *out,
    struct tf_error *err);
void where_free(struct where *w);
/*
 * The same, but in a mount the end of arg need not exist: *exists tells.  What
 * is missing stands in file and path as it was given.
 */
TF_MUST_USE enum tf_code where_find_name(const char *arg, struct where *out,
    bool *exists, struct tf_error *err);

/* The directory of the store that is mounted at w; TF_UNSUPPORTED when the
 * system does not tell.  The caller frees *store. */
TF_MUST_USE enum tf_code where_store(const struct where *w, char **store,
    struct tf_error *err);

/* Open a file below the control directory of the mount's root; *fd. */
TF_MUST_USE enum tf_code where_control(const struct where *w, const char *name,
    int *fd, struct tf_error *err);

/* Open the store at w for reading, or as the one writer that it may have. */
TF_MUST_USE enum tf_code where_open(const struct where *w, bool write,
    struct tf_vault **out, struct tf_error *err);
/* Close one that was opened for reading.  NULL is nothing. */
void where_close(struct tf_vault *v);

#endif
