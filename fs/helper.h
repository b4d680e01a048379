/*
 * Processes that do for the daemon what it may not do itself.  They are forked
 * before anything else runs in the daemon: no threads, no store.  Daemon and
 * helper are connected by a pair of sockets that keep messages apart
 * (SOCK_SEQPACKET); a helper ends when the daemon's end is closed, so also when
 * the daemon is killed.
 */
#ifndef FS_HELPER_H
#define FS_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/error.h"

struct fs_helper {
	int fd;	   /* the daemon's end, or -1 */
	pid_t pid; /* 0: none */
};
#define FS_HELPER_NONE   \
	{                \
		.fd = -1 \
	}

/*
 * Fork a process called name, which runs run(its end, arg) and then ends.  It
 * has no descriptors but its end and the first three, / is its directory, and
 * the signals that the caller has blocked stay blocked.
 * TF_IO: there is no such process.
 */
TF_MUST_USE enum tf_code fs_helper_start(struct fs_helper *h, const char *name,
    void (*run)(int fd, const void *arg), const void *arg,
    struct tf_error *err);
/* Close the daemon's end, and wait until the process has ended.  Does nothing
 * for a helper that was never started, or twice. */
void fs_helper_end(struct fs_helper *h);
/* In a helper: let go of the terminal. */
void fs_helper_be_silent(void);

/*
 * Send and receive one message of n bytes, with up to FS_HELPER_FDS descriptors.
 * A received descriptor is closed by exec and belongs to the caller; missing
 * ones are -1.  Returns false if the other end is closed, if it did not answer
 * within the time limit of fd, or if the message has another length.
 */
#define FS_HELPER_FDS 2
bool fs_helper_send(int fd, const void *p, size_t n, const int *fds, int nfds);
bool fs_helper_receive(int fd, void *p, size_t n, int fds[FS_HELPER_FDS]);

#endif
