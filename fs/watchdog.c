/*
 * The watchdog: see watchdog.h.
 *
 * statfs(2) of the mount is never answered from a cache of the kernel, so its
 * answer shows that the workers of the daemon run and that the vault's lock is
 * free.  It is a process of its own, because the kernel asks the daemon only for
 * the user who has mounted, whom the daemon may no longer be; and because a
 * process that waits for an answer must not be a part of the one that owes it.
 *
 * Before the mount is there, and after it was unmounted, there is nothing to ask:
 * then starting and closing take the time that they need.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "helper.h"
#include "report.h"
#include "sandbox.h"
#include "watchdog.h"

/* What the process needs. */
struct watch {
	const char *mnt, *socket;
	int interval_ms;
};

/* The interval that systemd asks of this process; 0: none. */
static int
interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");
	unsigned long long n;

	if (usec == NULL || (pid != NULL && atoll(pid) != getpid()))
		return 0;
	n = strtoull(usec, NULL, 10) / 2000;
	return n > 3600000 ? 3600000 : (int)n;
}

static int
connect_systemd(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const size_t n = strlen(path);
	int fd;

	if (n >= sizeof sa.sun_path)
		return -1;
	memcpy(sa.sun_path, path, n);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Was the mount asked, and did it answer; or is there none? */
static bool
is_well(const char *mnt)
{
	struct statfs s;

	return statfs(mnt, &s) == 0;
}

/* end is readable when the daemon has ended. */
static void
run(int end, const void *arg)
{
	static const char alive[] = "WATCHDOG=1";
	const struct watch *w = arg;
	struct pollfd p = { .fd = end, .events = POLLIN };
	int fd = connect_systemd(w->socket);

	fs_helper_be_silent();
	if (!fs_sandbox_watchdog())
		return;
	while (fd >= 0 && poll(&p, 1, w->interval_ms) <= 0)
		if (is_well(w->mnt))
			(void)send(fd, alive, sizeof alive - 1,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Its end stays open as long as this process lives. */
static struct fs_helper helper = FS_HELPER_NONE;

void
fs_watchdog_start(const char *mnt)
{
	const struct watch w = { .mnt = mnt,
		.socket = getenv("NOTIFY_SOCKET"),
		.interval_ms = interval() };
	struct tf_error err;

	if (w.socket == NULL || w.interval_ms <= 0)
		return;
	if (fs_helper_start(&helper, "trailfs-watch", run, &w, &err) != TF_OK)
		fs_report_line(LOG_WARNING,
		    "no watchdog: systemd will end this service: %s", err.text);
}

void
fs_watchdog_end(void)
{
	fs_helper_end(&helper);
}
