/* Signals while the daemon opens the vault. */
#ifndef FS_START_H
#define FS_START_H

#include <pthread.h>
#include <stdbool.h>

struct fs_start {
	int signals; /* a signalfd */
	int parent;  /* a pipe to the parent process, or -1 */
	int end;     /* eventfd: end the thread */
	pthread_t thread;
	bool runs;
};

/*
 * From now on a signal ends the process at once, as kill -9 would.  That is
 * safe: recovery can take long, but each of its steps is a transaction, and the
 * next start continues after the last one.  Nothing may be mounted yet.
 * If the thread cannot be started, signals wait until the mount serves
 * requests.  *s stays in place until fs_start_end.
 */
void fs_start_watch(struct fs_start *s, int signals, int parent);
/* The caller handles signals again; a pending signal stays pending. */
void fs_start_end(struct fs_start *s);

#endif
