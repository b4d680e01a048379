/*
 * The process that starts signers.
 *
 * The vault asks over a socket, one byte for each signer that it wants, and gets
 * a connection to a new one as a descriptor (SCM_RIGHTS).  It asks again when that
 * connection has ended; what is left of the earlier signer is then killed.  The
 * end of the socket is the end of the vault, in whatever way it ended: the signer
 * reads the end of its connection, and what has not ended a while later is killed.
 *
 * The code after the fork allocates no memory, since trailctl may have threads.
 */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fence.h"
#include "serve.h"

#define CONTROL_FD 3   /* of the supervisor */
#define KEYS_FD 4      /* likewise */
#define GRACE_TRIES 20 /* until a signer whose connection ended is killed */
#define GRACE_MS 100
#define END_MS 3000 /* until a supervisor that does not end is left alone */

/* --- a signer --------------------------------------------------------------- */

/* The signer itself, whose connection is fd. */
static _Noreturn void
be_signer(const struct tf_signer_start *how, int fd)
{
	struct tf_error err;

	(void)prctl(PR_SET_NAME, "trailfs-signer", 0, 0, 0);
	(void)close(CONTROL_FD);
	if (!tf_signer_drop_rights(how->uid, how->gid))
		_exit(1);
	_exit(tf_signer_serve_keys(KEYS_FD, NULL, fd, fd, NULL, &err) == TF_OK ?
		0 :
		1);
}

static _Noreturn void
be_command(const struct tf_signer_start *how, int fd)
{
	if (!tf_signer_drop_rights(how->uid, how->gid) ||
	    dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(1);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	closefrom(STDERR_FILENO + 1);
	(void)setpgid(0, 0);
	execl("/bin/sh", "sh", "-c", how->command, (char *)NULL);
	_exit(127);
}

/* Send one byte with the descriptor fd. */
static bool
send_fd(int to, int fd)
{
	char byte = 's', space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(to, &m, MSG_NOSIGNAL) == 1;
}

/* Start a signer and send its connection.  Returns its process, or -1. */
static pid_t
start_signer(const struct tf_signer_start *how)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		if (how->command != NULL)
			be_command(how, pair[1]);
		be_signer(how, pair[1]);
	}
	(void)close(pair[1]);
	/* Without a process the vault reads the end of the connection. */
	(void)send_fd(CONTROL_FD, pair[0]);
	(void)close(pair[0]);
	return pid;
}

/* Wait for a signer whose connection has ended, and kill it after a while. */
static void
end_signer(const struct tf_signer_start *how, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = GRACE_MS * 1000000 };

	if (pid <= 0)
		return;
	for (int i = 0; i < GRACE_TRIES; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		(void)nanosleep(&pause, NULL);
	}
	(void)kill(how->command != NULL ? -pid : pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* --- the supervisor --------------------------------------------------------- */

/* Keep descriptors 0 to 2, the control and the keys, and nothing else. */
static bool
keep_descriptors(const struct tf_signer_start *how, int control)
{
	/* Out of the way of each other first. */
	int c = fcntl(control, F_DUPFD_CLOEXEC, 16), k = -1, null;

	if (how->keysfd >= 0)
		k = fcntl(how->keysfd, F_DUPFD_CLOEXEC, 16);
	if (c < 0 || dup3(c, CONTROL_FD, O_CLOEXEC) < 0 ||
	    (how->keysfd >= 0 && (k < 0 || dup3(k, KEYS_FD, O_CLOEXEC) < 0)))
		return false;
	closefrom(how->keysfd >= 0 ? KEYS_FD + 1 : CONTROL_FD + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return false;
	/* Not even a reader of this process's output waits for a signer. */
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (how->quiet)
		(void)dup2(null, STDERR_FILENO);
	(void)close(null);
	return true;
}

static _Noreturn void
be_supervisor(const struct tf_signer_start *how, int control)
{
	sigset_t none;
	pid_t pid = -1;
	char byte;

	(void)setsid();
	(void)prctl(PR_SET_NAME, "trailfs-sigsup", 0, 0, 0);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (!keep_descriptors(how, control) || chdir("/") < 0 ||
	    !tf_signer_supervisor_keep())
		_exit(1);
	for (;;) {
		ssize_t n = read(CONTROL_FD, &byte, 1);

		if (n < 0 && errno == EINTR)
			continue;
		end_signer(how, pid);
		if (n <= 0)
			_exit(0);
		pid = start_signer(how);
	}
}

enum tf_code
tf_signer_supervise(const struct tf_signer_start *how, int *fd,
    struct tf_error *err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return tf_fail(err, TF_IO, "make a socket for the signer");
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		be_supervisor(how, pair[1]);
	}
	(void)close(pair[1]);
	if (pid < 0) {
		enum tf_code rc = tf_fail(err, TF_IO, "fork the signer");

		(void)close(pair[0]);
		return rc;
	}
	*fd = pair[0];
	return TF_OK;
}

/* --- asking it -------------------------------------------------------------- */

static int
receive_fd(int from)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1 ||
	    (c = CMSG_FIRSTHDR(&m)) == NULL || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

void
tf_signer_end(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	/* It closes its end when the signer has ended. */
	if (shutdown(fd, SHUT_WR) == 0)
		while (poll(&p, 1, END_MS) > 0 && (p.revents & POLLHUP) == 0) {
			int late = receive_fd(fd);

			if (late < 0)
				break;
			(void)close(late);
		}
	(void)close(fd);
}

int
tf_signer_ask(int fd, bool *asked, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int got;

	if (!*asked)
		*asked = send(fd, "s", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
	if (!*asked) {
		(void)poll(NULL, 0, wait_ms); /* the supervisor is gone */
		return -1;
	}
	if (poll(&p, 1, wait_ms) <= 0)
		return -1;
	if ((got = receive_fd(fd)) < 0) {
		if ((p.revents & POLLHUP) != 0)
			(void)poll(NULL, 0, wait_ms);
		return -1;
	}
	*asked = false;
	return got;
}
