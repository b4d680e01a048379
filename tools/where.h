/*
 * Which vault an argument names, and which path in it.  The argument is a path
 * in a mount, or STORE/TRAIL/WORKFLOW/..., or STORE alone.
 */
#ifndef TRAILCTL_WHERE_H
#define TRAILCTL_WHERE_H

#include "core/json.h"
#include "core/vault.h"

struct tf_view;

/* Either mount and file are set, or store.  Freed by where_free(). */
struct where {
	char *mount; /* the root directory of the mount */
	char *file;  /* in a mount: the real path of the argument */
	char *store; /* the store's directory */
	char *path;  /* from the root of the vault; "." is the root */
};

/*
 * Find the vault of arg.  In a mount the file must exist.  Otherwise the
 * longest prefix of arg that is a store counts, and the rest need not exist.
 * TF_NOTFOUND: neither.  The caller calls where_free() in any case.
 */
TF_MUST_USE enum tf_code where_find(const char *arg, struct where *out,
    struct tf_error *err);
void where_free(struct where *w);
/*
 * The same, but in a mount the end of arg need not exist (*exists).  Missing
 * parts are in file and path as they are in arg.
 */
TF_MUST_USE enum tf_code where_find_name(const char *arg, struct where *out,
    bool *exists, struct tf_error *err);

/* For what is done with a whole store, and not with a part: TF_USAGE if arg, which
 * where_find() has found, goes on behind the store. */
TF_MUST_USE enum tf_code where_ends(const struct where *w, const char *arg,
    struct tf_error *err);

/* *store: the directory of the store that is mounted at w; the caller frees it.
 * TF_UNSUPPORTED: the system does not show it. */
TF_MUST_USE enum tf_code where_store(const struct where *w, char **store,
    struct tf_error *err);

/* Is .trailfs in this path, as that in struct where? */
bool where_is_control(const char *path);

/* Open file name below .trailfs of the root of the mount, for reading. The
 * caller closes *fd; while it is open the mount is busy.  TF_ACCESS: err says
 * who may read it. */
TF_MUST_USE enum tf_code where_control(const struct where *w, const char *name,
    int *fd, struct tf_error *err);
/* The same below .trailfs of a directory of the mount; path as in w->path. */
TF_MUST_USE enum tf_code where_control_of(const struct where *w,
    const char *path, const char *name, int *fd, struct tf_error *err);

/*
 * Read a text about the whole vault at w: from its control file name in the
 * mount, at most 1 MiB, or as make writes it for the opened store.
 */
TF_MUST_USE enum tf_code where_text(const struct where *w, const char *name,
    enum tf_code (*make)(struct tf_vault *v, const struct tf_asker *who,
	struct tf_buf *out, struct tf_error *err),
    struct tf_buf *out, struct tf_error *err);

/* Is nothing mounted at dir, which looks like a mount point?  A daemon of root
 * makes its mount point immutable, and every mount point is empty. */
bool where_is_bare(const char *dir);

/* Is the mount of an organisation, or of many copies, mounted at dir itself? */
bool where_is_of_many(const char *dir);

/*
 * Is the directory path, or the nearest one above it that is there, a mount point
 * of root at which nothing is mounted?  Then err says so: nothing can be made in
 * it (EPERM).
 */
bool where_not_mounted(const char *path, struct tf_error *err);

/* The caller may not reach or open path (EACCES): TF_ACCESS, and err says which
 * directory refuses, and who may. */
enum tf_code where_denied(const char *path, struct tf_error *err);

/* The same where dir may not be changed: who may write there.  shown is what err
 * names. */
enum tf_code where_denied_write(const char *dir, const char *shown,
    struct tf_error *err);

/* Is the directory of a mount sealed, by user.trailfs.state? errno is lost. */
bool where_is_sealed(const char *dir);

/*
 * Open the store at w for reading, or as its only writer with the caller as
 * actor. *out is for tf_vault_close(), or where_close() after reading. Warnings
 * go to stderr. TF_LOCKED: a mount or another program has the store; the note
 * on stderr says who, and err what to name instead. Other errors: those of
 * tf_vault_open().
 */
TF_MUST_USE enum tf_code where_open(const struct where *w, bool write,
    struct tf_vault **out, struct tf_error *err);
/* Close a vault that was opened for writing, after work whose result is rc with err.
 * Closing appends, too: the first failure is the result. */
TF_MUST_USE enum tf_code where_done(struct tf_vault *v, enum tf_code rc,
    struct tf_error *err);
/* Close a vault that was opened for reading. NULL is nothing. A failure is
 * printed to stderr and changes nothing. */
void where_close(struct tf_vault *v);

/* A control file of directory id, rendered: see core/page.h. */
typedef enum tf_code where_render_fn(struct tf_view *view, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/*
 * Append to out what fn renders of the directory at w, which is in a store: the
 * same bytes as its control file in a mount.  Errors: those of where_open(),
 * tf_vault_walk(), tf_view_open() and fn.
 */
TF_MUST_USE enum tf_code where_render(const struct where *w,
    where_render_fn *fn, struct tf_buf *out, struct tf_error *err);

#endif
