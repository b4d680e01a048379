/*
 * The other side of a mirror as a child process: the receiver itself for a
 * directory, or a command of the caller, such as ssh(1).
 */
#ifndef TRAILCTL_MIRROR_PEER_H
#define TRAILCTL_MIRROR_PEER_H

#include <sys/types.h>

#include "core/mirror.h"

struct mirror_peer {
	pid_t pid;	  /* 0: none */
	bool group;	  /* it leads a process group of its own */
	int in, out;	  /* from and to it */
	const char *what; /* for messages */
};

/* Run the receiver o in a child; in and out of o are not used.  Call this before
 * the program has threads.  The caller calls mirror_peer_end in any case. */
TF_MUST_USE enum tf_code mirror_peer_receiver(struct mirror_peer *p,
    const struct tf_mirror_receive *o, struct tf_error *err);
/* Run `sh -c command`, whose standard error, environment and limits are those of
 * the caller.  Without a terminal it has a process group of its own. */
TF_MUST_USE enum tf_code mirror_peer_command(struct mirror_peer *p,
    const char *command, struct tf_error *err);
/*
 * Close the pipes and wait for the child.  A command that goes on for ten seconds
 * is ended, with what it started unless there is a terminal.  Returns rc; but if that is TF_IO,
 * because the connection ended, err names the command and how it ended.
 */
TF_MUST_USE enum tf_code mirror_peer_end(struct mirror_peer *p, enum tf_code rc,
    struct tf_error *err);

/* Receive in this process and return an exit status.  An error that the source
 * was told is not printed: the source prints it. */
int mirror_receive(const struct tf_mirror_receive *o);

#endif
