/*
 * Notifications to the kernel that what it remembers of a node has changed.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <fuse_lowlevel.h>
#include <stdint.h>

struct fs;
struct fs_notify;
struct fs_pages;

/* NULL: no memory. */
struct fs_notify *fs_notify_new(void);
void fs_notify_free(struct fs_notify *n);

/* se is mounted: send notifications to it until fs_notify_stop returns.  pages, or
 * NULL, stays in place. */
void fs_notify_start(struct fs_notify *n, struct fuse_session *se,
    struct fs_pages *pages);
void fs_notify_stop(struct fs_notify *n);

/* Before fs_notify_start: the nodes of fs have other numbers for the kernel once
 * they are final (stream.h). */
void fs_notify_of_streams(struct fs_notify *n, const struct fs *fs);

/* tf_vault_options.changed: the attributes of node id changed.  arg is a struct
 * fs_notify.  Locks of the vault may be held. */
void fs_notify_changed(void *arg, uint64_t id);
/* Call it before the workers end: fs_notify_altered does nothing afterwards,
 * and no call of it is under way. */
void fs_notify_finish(struct fs_notify *n);
/* tf_vault_options.altered: the content of file id changed.  It waits for reads
 * of the file, so no lock may be held. */
void fs_notify_altered(void *arg, uint64_t id);

#endif
