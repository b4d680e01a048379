/*
 * A command whose output is passed on and copied while it runs.
 */
#ifndef TRAILCTL_CHILD_H
#define TRAILCTL_CHILD_H

#include <sys/types.h>

#include "core/types.h"

/* The copy of one stream.  It must not fail: it keeps what it cannot write. */
struct child_copy {
	void (*put)(void *arg, const void *p, size_t n);
	void *arg;
};

struct child_end {
	int exit;   /* exit status, if signal is 0 */
	int signal; /* or the signal that ended it */
	struct tf_time began, ended;
};

/*
 * Run argv (NULL at the end) with the caller's standard input, pass its
 * standard output and error on and copy both. Each part reaches the copy before
 * it reaches the caller's stream. A caller's stream that cannot be written any
 * more (EPIPE) is dropped without an error.
 *
 * Signals that other processes send to this one are sent to the command:
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2. A signal that the
 * caller ignores stays ignored in both. From now on these signals no longer end
 * this process, and the old handlers are not restored.
 *
 * Returns when the command has ended and its output is read; processes that it
 * left behind and that are silent for two seconds are not waited for.
 *
 * There is no error: a command that cannot be run ends with 127 (not found) or
 * 126, and its standard error, which is copied too, says why. *end is always
 * filled; the times are UTC.
 */
void child_run(char **argv, const struct child_copy *out,
    const struct child_copy *err, struct child_end *end);

#endif
