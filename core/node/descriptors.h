/*
 * Descriptors.  The daemon has only so many (RLIMIT_NOFILE), and users decide
 * how many files they write at once.  So a descriptor of a staged file is lent:
 * a file holds one from its first write until its last close.  When a user
 * holds his share, or all users hold all that may be lent, the one that was
 * lent first is taken back: what its file holds is synced, and the file is
 * opened again when it is written.  Nobody is refused for want of descriptors.
 * A part is never lent: it is for the ledger, for sealing and for reading.
 */
#ifndef TF_NODE_DESCRIPTORS_H
#define TF_NODE_DESCRIPTORS_H

#include <stdint.h>

struct tf_pending;

/* Guarded by vault.mu. */
struct tf_descriptors {
	unsigned lent;
	unsigned max;	/* of lent; never changes */
	unsigned share; /* of one user; never changes */
};

/* Look how many there are; before threads start. */
void tf_descriptors_start(struct tf_descriptors *d);
/* It was closed, or not opened.  Nothing if l has none. */
void tf_descriptor_give(struct tf_pending *l);
/* The same with mu held. */
void tf_descriptor_give_locked(struct tf_pending *l);

#endif
