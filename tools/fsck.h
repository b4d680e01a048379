/*
 * fsck.trailfs: `trailctl verify` as fsck(8) calls the checker of a file system.
 */
#ifndef TRAILCTL_FSCK_H
#define TRAILCTL_FSCK_H

#include <stdbool.h>

/* Is argv0 the name of fsck.trailfs, with any directory before it? */
bool fsck_is(const char *argv0);

/* Verify the store that the arguments name. Returns an exit status of report.h. */
int fsck_run(int argc, char **argv);

/* The exit status of fsck(8) for one of report.h. */
int fsck_status(int status);

#endif
