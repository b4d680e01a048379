/*
 * The process that has the store open for writing.  It holds flock(2) on
 * STORE/lock and has written its pid and mount point into that file.
 */
#ifndef TF_NODE_HOLDER_H
#define TF_NODE_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_holder {
	char text[256]; /* the text of the lock file as one line, for people */
	int32_t pid;
	char mount[200]; /* "" if the holder has not mounted the store */
	bool closing;	 /* it takes no more requests and will give the lock */
};

/* Read the lock file lockfd.  A malformed text gives pid 0.  The text may be
 * that of a process that has ended. */
void tf_holder_read(int lockfd, struct tf_holder *out);

/*
 * True if a running process holds the lock of the store at dirfd, according to
 * /proc/locks; *out then describes it.  This takes no lock, so it cannot make a
 * writer fail that starts at the same time.
 */
bool tf_holder_find(int dirfd, struct tf_holder *out);

/*
 * Take the lock file with flock(2), how: LOCK_EX or LOCK_SH.  Whoever mounts a
 * store again right after umount(8) finds a holder that is closing it: this
 * waits for such a holder, at most a minute, a few seconds for one that may be.  False with EWOULDBLOCK: a holder
 * has it.  False with another errno: flock failed.
 */
bool tf_holder_lock(int lockfd, int how);

/*
 * A mirror that is mounted takes new entries, so its readers do not take the lock of
 * its writer.  They lock its mark (LOCK_SH), and who deletes bytes of redacted
 * evidence locks it too (LOCK_EX): one of both waits.  On TF_OK close *fd to unlock.
 * TF_LOCKED (err unchanged): the other side has it.  TF_NOTFOUND: no mirror.
 */
TF_MUST_USE enum tf_code tf_holder_lock_mark(int dirfd, int how, int *fd,
    struct tf_error *err);

/* True if the holder's mount is visible in the mount namespace of this process.
 * True also if the holder has no mount or the mount table cannot be read. */
bool tf_holder_is_seen(const struct tf_holder *h);

#endif
