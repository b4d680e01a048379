/*
 * The release barrier: which RELEASEs were read and are not done.
 *
 * The kernel queues RELEASE before close(2) returns.  With several workers a
 * later request could be answered first, and the program that closed the file
 * would find it still open.  So the worker that reads requests notes each
 * RELEASE before another worker may read, and a request that looks at a node
 * waits for the releases of that node that were read before.
 */
#ifndef FS_BARRIER_H
#define FS_BARRIER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One release.  A worker ends it before it reads again, so each worker has
 * one.  Zero: none. */
struct fs_release {
	struct fs_release *next; /* guarded by fs_barrier.mu, as all here */
	uint64_t ino;
	uint64_t turn; /* its number; 0: not noted */
};

struct fs_barrier {
	pthread_mutex_t mu;
	pthread_cond_t done;
	struct fs_release *first; /* guarded by mu, as turns is */
	uint64_t turns;		  /* releases noted so far */
	atomic_uint releasing;	  /* noted and not ended; changed under mu */
};

void fs_barrier_init(struct fs_barrier *b);
void fs_barrier_destroy(struct fs_barrier *b);

/* Note that r releases node ino.  r stays the caller's, in place, until
 * fs_barrier_end.  Only one thread at a time: the one that reads. */
void fs_barrier_note(struct fs_barrier *b, struct fs_release *r, uint64_t ino);
/* The release is done; wakes all that wait.  Does nothing when r was not
 * noted.  Only the thread that noted r. */
void fs_barrier_end(struct fs_barrier *b, struct fs_release *r);

/* Is any release noted and not done? */
bool fs_barrier_any(struct fs_barrier *b);
/* Is a release of node ino (0: of any node) noted and not done?  If so, *upto
 * is for fs_barrier_wait. */
bool fs_barrier_pending(struct fs_barrier *b, uint64_t ino, uint64_t *upto);
/* Wait until the releases that fs_barrier_pending saw are done. */
void fs_barrier_wait(struct fs_barrier *b, uint64_t ino, uint64_t upto);

#endif
