/* What the daemon and its two helpers say to each other. */
#ifndef FS_BROKER_I_H
#define FS_BROKER_I_H

#include <stdint.h>

#include "core/types.h"

enum fs_broker_verb {
	/* To the mounter. */
	FS_BROKER_MOUNT, /* the answer has the connection to the kernel */
	FS_BROKER_UNMOUNT,
	FS_BROKER_UNMOUNT_LAZY,
	FS_BROKER_ABORT,
	FS_BROKER_IS_DEAD,
	/* To the broker. */
	FS_BROKER_EXE,		 /* number: a pid */
	FS_BROKER_BACKING_OPEN,	 /* with the connection and the object */
	FS_BROKER_BACKING_CLOSE, /* number: an id; with the connection */
};

struct fs_broker_request {
	uint32_t verb, number;
};
struct fs_broker_answer {
	int32_t result; /* what the verb gives; 0: nothing, or no */
	char exe[sizeof((struct tf_actor *)0)->exe];
};

/* As in <linux/fuse.h> since 6.9. */
struct fs_backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define FS_BACKING_OPEN _IOW(229, 1, struct fs_backing_map)
#define FS_BACKING_CLOSE _IOW(229, 2, uint32_t)

/* The lives of both: until the other end of fd is closed.  arg: the options. */
void fs_broker_run_mounter(int fd, const void *arg);
void fs_broker_run_broker(int fd, const void *arg);

#endif
