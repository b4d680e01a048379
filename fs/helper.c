/* Processes beside the daemon: see helper.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"
#include "report.h"

#define END_FD (STDERR_FILENO + 1) /* the helper's end, in the helper */

void
fs_helper_be_silent(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

/* The whole life of a helper. */
static void __attribute__((noreturn)) run_helper(int end, const char *name,
    void (*run)(int, const void *), const void *arg)
{
	(void)prctl(PR_SET_NAME, name);
	/* A copy of the daemon's end of another helper would keep that one. */
	fs_report_keep_only(end, END_FD);
	(void)fcntl(END_FD, F_SETFD, FD_CLOEXEC);
	if (chdir("/") == 0)
		run(END_FD, arg);
	_exit(0);
}

enum tf_code
fs_helper_start(struct fs_helper *h, const char *name,
    void (*run)(int fd, const void *arg), const void *arg, struct tf_error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return tf_fail(err, TF_IO, "make a socket");
	h->pid = fork();
	if (h->pid == 0)
		run_helper(pair[1], name, run, arg);
	(void)close(pair[1]);
	if (h->pid < 0) {
		h->pid = 0;
		(void)close(pair[0]);
		return tf_fail(err, TF_IO, "fork");
	}
	h->fd = pair[0];
	return TF_OK;
}

void
fs_helper_end(struct fs_helper *h)
{
	if (h->fd >= 0)
		(void)close(h->fd);
	h->fd = -1;
	while (h->pid > 0 && waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
}

union control {
	char room[CMSG_SPACE(FS_HELPER_FDS * sizeof(int))];
	struct cmsghdr align;
};

bool
fs_helper_send(int fd, const void *p, size_t n, const int *fds, int nfds)
{
	struct iovec v = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	union control c;
	struct cmsghdr *h;
	ssize_t sent;

	if (nfds > 0) {
		memset(&c, 0, sizeof c);
		m.msg_control = c.room;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(h), fds, (size_t)nfds * sizeof(int));
	}
	do
		sent = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n;
}

bool
fs_helper_receive(int fd, void *p, size_t n, int fds[FS_HELPER_FDS])
{
	struct iovec v = { .iov_base = p, .iov_len = n };
	union control c;
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = c.room,
		.msg_controllen = sizeof c.room };
	struct cmsghdr *h;
	ssize_t got;

	for (int i = 0; i < FS_HELPER_FDS; i++)
		fds[i] = -1;
	do
		got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(h), h->cmsg_len - CMSG_LEN(0));
	if (got == (ssize_t)n)
		return true;
	for (int i = 0; i < FS_HELPER_FDS; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return false;
}
