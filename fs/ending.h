/*
 * The end of a mount: it is waited for, and what has files open gets time to close
 * them.  One thread per mount calls these functions.
 */
#ifndef FS_ENDING_H
#define FS_ENDING_H

#include <stdbool.h>

#include "broker.h"
#include "mount.h"

struct fs_ending {
	struct fs_broker *broker; /* NULL: the mount is another process's */
	int end_fd;		  /* readable when no request comes any more */
	int signals;		  /* of fs_ending_signals() */
	struct fs_mount_watch watch;
	bool (*any_open)(void *arg); /* has a program a file open? */
	void *arg;
};

enum fs_end {
	FS_END_CONNECTION, /* no request comes any more */
	FS_END_SIGNAL,
	FS_END_UNSEEN, /* unmounted here; mounts in other namespaces are left */
};

/* A descriptor of the signals that end the program, which no thread handles from
 * now on; or -1. */
int fs_ending_signals(void);
/* Take one from it, and report it. */
void fs_ending_take_signal(int signals);

/* Wait for the end.  After FS_END_SIGNAL the signal is taken. */
enum fs_end fs_ending_await(const struct fs_ending *e);

/*
 * Unmount as soon as no file is open, within some seconds; a signal ends the
 * waiting.  patience is called once if nothing closes for two seconds; or NULL.
 * True: it is unmounted.  False, after a report: files are open.
 */
bool fs_ending_unmount(const struct fs_ending *e, void (*patience)(void *arg));

/*
 * Is the mount still here, although its daemon does not serve it?  Where nothing is
 * mounted, nobody asks: autofs may be mounting the next daemon there, which waits
 * for this one to close the store, and lets nobody else pass until it is mounted.
 */
bool fs_ending_is_dead_here(const struct fs_ending *e);

#endif
