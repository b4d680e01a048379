/*
 * What the files of the harness share, and tests do not use.
 *
 * Every wait looks at its condition again and again and has a limit.
 */
#ifndef TESTS_MOUNT_HARNESS_I_H
#define TESTS_MOUNT_HARNESS_I_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* --- harness_text.c: valid until the test ends ------------------------- */

/* n bytes and a NUL. */
char *keep_bytes(size_t n);
/* A text of at most PATH_MAX - 1 bytes. */
char *keep_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The content of fd from its beginning, and a NUL.  *n becomes its length; n may
 * be NULL.  whole: fail if fd holds more bytes than its st_size says. */
char *read_fd(int fd, size_t *n, bool whole);

/* --- harness_wait.c ---------------------------------------------------- */

/* The factor for all time limits: more in long runs, and if Check has a
 * multiplier. */
unsigned patience(void);
int64_t now_ms(void); /* CLOCK_MONOTONIC */
void pause_between_looks(void);
/* Wait for the child pid, at most ms milliseconds.  False: it still runs. */
bool ended_within(pid_t pid, int ms, int *status);
/* The exit status, or -signal. */
int plain_status(int status);

/* --- harness_daemon.c -------------------------------------------------- */

#define WORK_S (900 * patience()) /* a daemon after daemon_works() */
/* The factor for limits of whatever waits for the daemon. */
int slowness(void);

/* --- harness_clean.c --------------------------------------------------- */

/* Unmount all mounts at or below path, then remove path. */
void remove_tree(const char *path);
/* Remove the directories of earlier tests of this run, after printing the ends
 * of their logs.  Tests run one after the other, so no test uses them. */
void remove_leftovers(void);

#endif
