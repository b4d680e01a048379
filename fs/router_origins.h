/*
 * The origins of a directory of copies, as the root of a router's mount (router.h)
 * shows them: each copy is a directory, with the name that it has there.
 *
 * An origin keeps its number for the life of the mount, also while its copy is not
 * there.  The number follows from the name, so that files usually have the same inode
 * numbers after the next mount.
 *
 * One thread uses it.
 */
#ifndef FS_ROUTER_ORIGINS_H
#define FS_ROUTER_ORIGINS_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct fs_child;

struct fs_origin {
	struct fs_origin *next; /* in its bucket */
	unsigned number;
	bool present;		/* its copy is there */
	bool replaced;		/* another copy has its name now */
	uint64_t dev, ino;	/* of its copy */
	bool restricted;	/* attr is that of the child: see router.h */
	struct fuse_attr attr;	/* of its directory */
	struct fs_child *child; /* the one for new requests, or NULL */
	unsigned leaving;	/* processes that are ending */
	unsigned generation;	/* 1 + how often it grew */
	int watch;		/* of inotify, or -1 */
	uint64_t failed_ms;	/* when its daemon could not start, or 0 */
	struct {
		uint64_t ino, size, mtime_s, mtime_ns;
	} checkpoint; /* the file of its copy */
	char name[];
};

struct fs_origins;

/* The copies in path, which is a directory of them (fs_origins_are).  TF_IO,
 * TF_NOMEM. */
TF_MUST_USE enum tf_code fs_origins_open(const char *path,
    struct fs_origins **out, struct tf_error *err);
void fs_origins_free(struct fs_origins *t);

/* Is path no store, but a directory with a copy in it? */
bool fs_origins_are(const char *path);

/*
 * Look which copies are there now.  Calls report for a directory that is no copy, if
 * it was not there before; so once for each.  TF_IO, TF_NOMEM: some were not seen.
 */
TF_MUST_USE enum tf_code fs_origins_scan(struct fs_origins *t,
    void (*report)(const char *name), struct tf_error *err);
/* What inotify says of the directory itself. */
int fs_origins_inotify(const struct fs_origins *t);

/* Each is valid until fs_origins_free.  NULL: there is none, or it is not present;
 * for fs_origins_number, there never was one. */
struct fs_origin *fs_origins_name(struct fs_origins *t, const char *name,
    size_t n);
struct fs_origin *fs_origins_number(struct fs_origins *t, unsigned number);
/* Those that are present by their numbers: the first whose number is above that. */
struct fs_origin *fs_origins_after(struct fs_origins *t, unsigned number);
size_t fs_origins_present(const struct fs_origins *t);

/* Watch the checkpoint of a copy: afterwards fs_origins_changed can name it. */
void fs_origins_watch(struct fs_origins *t, struct fs_origin *o);
/* Read what inotify reports.  Sets *scan if the directory changed, and calls grown for
 * each watched copy that has another checkpoint now. */
void fs_origins_changed(struct fs_origins *t, bool *scan,
    void (*grown)(void *arg, struct fs_origin *o), void *arg);
/* Has the copy another checkpoint than when this was asked before? */
bool fs_origins_is_other(struct fs_origins *t, struct fs_origin *o);
/* The open directory. */
int fs_origins_fd(const struct fs_origins *t);

#endif
