/* Signals while the daemon starts. */
#ifndef FS_START_H
#define FS_START_H

#include <pthread.h>
#include <stdbool.h>

struct fs_start {
	int signals; /* a signalfd */
	int parent;  /* who waits for the mount, or -1 */
	int end;     /* eventfd */
	pthread_t thread;
	bool runs;
};

/*
 * From now on a signal ends the process at once, as kill -9 would: recovery
 * may take long, and every step of it is a transaction that the next start
 * goes on with.  Nothing may be mounted yet.  Without memory for the thread,
 * signals wait until the mount serves.
 */
void fs_start_watch(struct fs_start *s, int signals, int parent);
/* Signals are the caller's again; one that is pending stays pending. */
void fs_start_end(struct fs_start *s);

#endif
