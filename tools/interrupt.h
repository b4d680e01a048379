/*
 * Signals that end the program wait until it has tidied up: a draft must not
 * stay behind.  For programs with one thread.
 */
#ifndef TRAILCTL_INTERRUPT_H
#define TRAILCTL_INTERRUPT_H

#include "core/error.h"

/*
 * From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT wait: they are blocked, so a
 * system call is not interrupted. A second call does nothing. A child inherits
 * the mask; program_exec() undoes it.
 */
void interrupt_hold(void);
/*
 * TF_INTERRUPTED: one of them is waiting. The signal goes on waiting, so each
 * later call answers the same until interrupt_release(). TF_OK before
 * interrupt_hold().
 */
TF_MUST_USE enum tf_code interrupt_check(struct tf_error *err);
/* Wait until fd can be read, or one of them is waiting: TF_INTERRUPTED. Before
 * interrupt_hold() this does not wait, because read(2) is interrupted then. */
TF_MUST_USE enum tf_code interrupt_wait(int fd, struct tf_error *err);
/*
 * Restore the mask of before: a signal that waits ends the program now, with
 * the status that its sender expects. Call this when everything is tidied up
 * and the answer is printed.
 */
void interrupt_release(void);

#endif
