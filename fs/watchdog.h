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

/* End that process, if there is one, and wait for it: systemd kills, and reports,
 * what is left of a service.  After unmounting, so that no request is under way. */
void fs_watchdog_end(void);

#endif
