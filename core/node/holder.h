/*
 * Who has the store open for writing.  The lock is flock(2) on STORE/lock; the
 * file's text, written by the holder, says who that is.
 */
#ifndef TF_NODE_HOLDER_H
#define TF_NODE_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

struct tf_holder {
	char text[256]; /* the whole text on one line, for people */
	int32_t pid;
	char mount[200]; /* "" when it did not mount the store */
};

/* Read the text of the lock file lockfd.  A text that is not one leaves pid 0;
 * the text may be of a holder that has gone. */
void tf_holder_read(int lockfd, struct tf_holder *out);

/*
 * Does a living process hold the lock of the store at dirfd, as the kernel's
 * list of locks says?  Then *out tells which.  Takes no lock itself: a writer
 * that starts meanwhile is not disturbed.
 */
bool tf_holder_find(int dirfd, struct tf_holder *out);

/* Is what the holder mounted seen in this process's mount namespace?  True when
 * it mounted nothing, or that cannot be told. */
bool tf_holder_is_seen(const struct tf_holder *h);

#endif
