/*
 * Signals that end the program wait until it has tidied up: a draft must not
 * stay behind.  For programs with one thread.
 */
#ifndef TRAILCTL_INTERRUPT_H
#define TRAILCTL_INTERRUPT_H

#include "core/error.h"

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT wait. */
void interrupt_hold(void);
/* TF_INTERRUPTED: one of them is waiting. */
TF_MUST_USE enum tf_code interrupt_check(struct tf_error *err);
/* Let them come: one that waits ends the program now. */
void interrupt_release(void);

#endif
