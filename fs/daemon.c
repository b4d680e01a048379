/*
 * The process as a daemon: a clean start, the background, and its readiness.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/environment.h"
#include "daemon.h"
#include "report.h"

void
fs_daemon_harden(int connection)
{
	struct rlimit none = { 0, 0 };
	int fd, first = STDERR_FILENO + 1;

	/* Also when mount(8) has run it by another name. */
	(void)prctl(PR_SET_NAME, "trailfs", 0, 0, 0);
	/* Inherited descriptors would keep pipes and locks of the parent
	 * process open as long as this process lives. */
	if (connection >= first) {
		if (connection > first)
			(void)close_range((unsigned)first,
			    (unsigned)connection - 1, 0);
		(void)fcntl(connection, F_SETFD, FD_CLOEXEC);
		first = connection + 1;
	}
	closefrom(first);
	/* A file of the store must never get descriptor 0, 1 or 2. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
	if (fd >= 0)
		close(fd);
	/* Only the owner may read what is created in the store. */
	umask(077);
	tf_environment_raise_limit();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	tf_environment_clean();
	setrlimit(RLIMIT_CORE, &none);
	tf_environment_hide_memory();
	/* An ordinary user needs fusermount3, which is setuid. */
	if (geteuid() == 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* In the parent: the exit status that the child reports. */
static int
await_child(int from)
{
	unsigned char status;
	ssize_t n;

	do
		n = read(from, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return status;
	fputs("trailfs: the daemon ended before it had mounted\n", stderr);
	return EXIT_FAILURE;
}

enum tf_code
fs_daemon_fork(int *to, struct tf_error *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return tf_fail(err, TF_IO, "make a pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return tf_fail(err, TF_IO, "fork");
	if (pid > 0) {
		close(fds[1]);
		_exit(await_child(fds[0]));
	}
	close(fds[0]);
	*to = fds[1];
	return TF_OK;
}

void
fs_daemon_ready(int *to)
{
	unsigned char ok = 0;
	int null;

	if (*to < 0)
		return;
	if (chdir("/") < 0)
		fs_report_line(LOG_WARNING, "chdir: %s", strerror(errno));
	fs_report_started();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	(void)!write(*to, &ok, 1);
	close(*to);
	*to = -1;
}

static int systemd = -1; /* a socket, or none */

void
fs_daemon_connect_systemd(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n;

	if (path == NULL || (n = strlen(path)) >= sizeof sa.sun_path)
		return;
	memcpy(sa.sun_path, path, n);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	systemd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (systemd < 0)
		return;
	if (connect(systemd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0)
		return;
	close(systemd);
	systemd = -1;
}

void
fs_daemon_tell_systemd(bool ready, const char *format, ...)
{
	char text[4096 + 64];
	va_list ap;
	int n, m;

	if (systemd < 0)
		return;
	n = snprintf(text, sizeof text, "%sSTATUS=", ready ? "READY=1\n" : "");
	va_start(ap, format);
	m = vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	va_end(ap);
	if (m < 0)
		return;
	/* A line feed in a path would begin another message. */
	for (char *c = text + n; *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
	(void)send(systemd, text, strlen(text),
	    MSG_NOSIGNAL | (ready ? 0 : MSG_DONTWAIT));
}
