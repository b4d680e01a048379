/* The end of a mount: see ending.h. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon.h"
#include "ending.h"
#include "report.h"

#define STOP_TRIES 50 /* attempts to unmount while files are open */
#define STOP_WAIT_MS 100
#define STOP_PATIENT 20	    /* attempts before patience is called */
#define UNSEEN_IDLE_MS 2000 /* without open files, see outlive_mount */

int
fs_ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void
fs_ending_take_signal(int signals)
{
	struct signalfd_siginfo si;

	if (read(signals, &si, sizeof si) == sizeof si)
		fs_report_line(LOG_NOTICE, "stopping: %s",
		    strsignal((int)si.ssi_signo));
}

/*
 * The last mount in this namespace was unmounted.  Usually the connection ends
 * now, but a copy of the mount in another namespace keeps it open, and the
 * store locked.  So serve the open files, and end when no file was open for
 * UNSEEN_IDLE_MS.  False: the file system is mounted here again.
 */
static bool
outlive_mount(const struct fs_ending *e, struct pollfd p[2])
{
	int idle = 0;

	while (idle < UNSEEN_IDLE_MS) {
		if (poll(p, 2, STOP_WAIT_MS) > 0)
			return true;
		idle = e->any_open(e->arg) ? 0 : idle + STOP_WAIT_MS;
		if (fs_mount_is_here(&e->watch))
			return false;
	}
	return true;
}

enum fs_end
fs_ending_await(const struct fs_ending *e)
{
	struct pollfd p[3] = {
		{ .fd = e->end_fd, .events = POLLIN },
		{ .fd = e->signals, .events = POLLIN },
		{ .fd = e->watch.fd, .events = POLLPRI },
	};

	for (;;) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (((p[0].revents | p[1].revents) & POLLIN) != 0)
			break;
		if (!fs_mount_is_here(&e->watch) && outlive_mount(e, p))
			break;
	}
	if ((p[0].revents & POLLIN) != 0)
		return FS_END_CONNECTION;
	if ((p[1].revents & POLLIN) == 0)
		return FS_END_UNSEEN;
	fs_ending_take_signal(e->signals);
	return FS_END_SIGNAL;
}

bool
fs_ending_unmount(const struct fs_ending *e, void (*patience)(void *arg))
{
	struct pollfd p[2] = {
		{ .fd = e->end_fd, .events = POLLIN },
		{ .fd = e->signals, .events = POLLIN },
	};

	fs_daemon_tell_systemd(false, "stopping: waiting for open files");
	for (int i = 0; i < STOP_TRIES; i++) {
		if (fs_broker_unmount(e->broker, false))
			return true;
		if (i == STOP_PATIENT && patience != NULL)
			patience(e->arg);
		if (poll(p, 2, STOP_WAIT_MS) <= 0)
			continue;
		if ((p[0].revents & POLLIN) != 0)
			return true;
		fs_ending_take_signal(e->signals);
		break;
	}
	fs_report_line(LOG_WARNING, "files are still open: detached");
	return false;
}

bool
fs_ending_is_dead_here(const struct fs_ending *e)
{
	return (e->watch.fd < 0 || fs_mount_is_here(&e->watch)) &&
	    fs_broker_is_dead(e->broker);
}
