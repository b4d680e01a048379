/*
 * The budget of descriptors for staged files.  The daemon has a limited number
 * (RLIMIT_NOFILE), but users decide how many files they write at once.  A
 * staged file holds a descriptor from its first write until its last close.
 * When one user holds `share` of them, or all users together hold `max`, the
 * descriptor that was taken first is reclaimed: its file is synced and closed,
 * and opened again at the next write.  So no writer fails for lack of
 * descriptors.  A part of the limit is reserved for the ledger, for sealing and
 * for reading.
 */
#ifndef TF_NODE_DESCRIPTORS_H
#define TF_NODE_DESCRIPTORS_H

#include <stdint.h>

struct tf_pending;

/* Guarded by vault.mu. */
struct tf_descriptors {
	unsigned lent;	/* held by staged files now */
	unsigned max;	/* limit of lent; never changes */
	unsigned share; /* limit per user; never changes */
};

/* Set the limits from RLIMIT_NOFILE.  Call this before threads start. */
void tf_descriptors_start(struct tf_descriptors *d);
/* Return l's descriptor to the budget, after it was closed or could not be
 * opened.  Does nothing if l holds none. */
void tf_descriptor_give(struct tf_pending *l);
/* The same with mu held. */
void tf_descriptor_give_locked(struct tf_pending *l);

#endif
