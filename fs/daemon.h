/*
 * The process as a daemon.
 *
 * The fork comes before the vault is opened, because opening it starts threads.
 * The parent waits until the mount serves requests, so that its caller can use
 * the mount at once.  All functions are for the main thread.
 */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include <stdbool.h>

#include "core/error.h"

/* Undo what the parent process left: descriptors but connection (-1: all), umask,
 * limits, signals, environment.  Call it first. */
void fs_daemon_harden(int connection);

/*
 * Go into the background.  Only the child returns with TF_OK; the parent waits
 * and exits with the status byte that the child writes to *to, or with failure
 * if the child ends without writing one.  Until fs_daemon_ready, the child's
 * stderr is still that of the parent; until it calls setsid(2), it is of the
 * parent's process group.
 * On failure there is no child and *to is unchanged.  TF_IO.
 */
TF_MUST_USE enum tf_code fs_daemon_fork(int *to, struct tf_error *err);

/* Report success to the parent, close *to and let go of the terminal.  *to is
 * -1 afterwards; -1 before: nothing happens. */
void fs_daemon_ready(int *to);

/* Connect to systemd if it started this process and asked for messages; in the
 * sandbox that may be impossible. */
void fs_daemon_connect_systemd(void);

/* Send systemd one line about what the daemon does, for `systemctl status`, and
 * READY=1 with it.  Without a connection nothing happens. */
void fs_daemon_tell_systemd(bool ready, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
