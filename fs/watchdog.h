/* The watchdog of systemd: a process that asks the mount. */
#ifndef FS_WATCHDOG_H
#define FS_WATCHDOG_H

/*
 * If systemd wants to hear from this service (WATCHDOG_USEC), start a process
 * that sends a request through the mount at mnt twice per that time, and tells
 * systemd each time that it was answered.  A daemon that answers no requests is
 * so ended and started again.  The process ends with the daemon.  Before there are
 * threads, and while the daemon has the user id that mounts.
 */
void fs_watchdog_start(const char *mnt);

#endif
