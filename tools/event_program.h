/* A program that is run for an event: the event is its standard input. */
#ifndef TRAILCTL_EVENT_PROGRAM_H
#define TRAILCTL_EVENT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct event_program {
	char *path;	     /* from program_find */
	char **argv;	     /* ends in NULL */
	const char *user;    /* run it as this user; NULL: as the caller */
	uint64_t limit_s;    /* it is ended after so many seconds */
	bool stdout_is_ours; /* its stdout goes to stderr */
};

struct event_result {
	bool ok;	/* it exited with 0 */
	bool timed_out; /* it was ended */
	int exit;	/* its exit status, or -1 */
	int signal;	/* that ended it, or 0 */
};

/*
 * Run it once, in a process group of its own, with "seq" and "try" in the
 * environment as TRAILFS_SEQ and TRAILFS_TRY, and with the event and a line end
 * as its standard input. Waits for it. A program that the time limit ends gets
 * SIGTERM and two seconds later SIGKILL; both go to its whole group.
 *
 * TF_OK: it was started, and *out has its end; a program that could not be
 * executed has exited with 127, and its reason is on stderr. Errors: there is
 * no such user, or no process could be made; *out is then not an answer about
 * the event. At most as many bytes as a pipe takes (64 KiB) may be given as the
 * event.
 */
TF_MUST_USE enum tf_code event_program_run(const struct event_program *p,
    const char *event, size_t n, uint64_t seq, uint64_t try,
    struct event_result *out, struct tf_error *err);

#endif
