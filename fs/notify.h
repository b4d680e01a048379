/*
 * Telling the kernel that what it remembers of a directory is no longer so.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <fuse_lowlevel.h>
#include <stdint.h>

struct fs_notify;

/* NULL: no memory. */
struct fs_notify *fs_notify_new(void);
void fs_notify_free(struct fs_notify *n);

/* se is mounted.  Until fs_notify_stop has returned, what changes is told. */
void fs_notify_start(struct fs_notify *n, struct fuse_session *se);
void fs_notify_stop(struct fs_notify *n);

/* tf_vault_options.changed: arg is a struct fs_notify. */
void fs_notify_changed(void *arg, uint64_t id);
/* Workers are about to leave: report no more altered files. */
void fs_notify_finish(struct fs_notify *n);
/* tf_vault_options.altered, likewise. */
void fs_notify_altered(void *arg, uint64_t id);

#endif
