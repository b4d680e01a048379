/*
 * The other side of a mirror as a child process: see mirror_peer.h.
 *
 * Pipes and not a socket: when one side ends, what it wrote last can still be
 * read from a pipe, and this is how a refusal reaches the source.
 */
#include "mirror_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "program.h"
#include "report.h"

#define SHELL "/bin/sh"
#define END_MS 10000 /* for the child to end by itself */
#define TERM_MS 2000 /* and after SIGTERM */
#define POLL_MS 20

/* beside: the source is this program too, and says itself why it ended. */
static int
receive(const struct tf_mirror_receive *o, bool beside)
{
	struct tf_error err = { 0 };
	bool told;

	(void)signal(SIGPIPE, SIG_IGN);
	if (!beside && apart_ordinary(o->dir, "mirror", &err) != TF_OK)
		return report(&err);
	if (tf_mirror_receive(o, &told, &err) == TF_OK)
		return REPORT_OK;
	if (beside && err.code == TF_IO && err.sys == 0)
		told = true;
	return told ? report_status(err.code) : report(&err);
}

int
mirror_receive(const struct tf_mirror_receive *o)
{
	return receive(o, false);
}

/* On a terminal the command stays in the group of the caller: a background group
 * could not ask for a password there, and Ctrl-C must reach it. */
static bool
has_terminal(void)
{
	const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd); /* nothing was read */
	return fd >= 0;
}

/* In the child. */
static void
become(const char *command, int in, int out)
{
	char *argv[] = { "sh", "-c", (char *)command, NULL };

	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		program_exec(SHELL, argv);
	dprintf(STDERR_FILENO, "trailctl: " SHELL ": %s\n", strerror(errno));
	_exit(127);
}

/* One of receiver and command is given. */
static enum tf_code
start(struct mirror_peer *p, const struct tf_mirror_receive *receiver,
    const char *command, struct tf_error *err)
{
	struct tf_mirror_receive o;
	int to[2], from[2];

	*p = (struct mirror_peer){ .in = -1,
		.out = -1,
		.what = command,
		.group = command != NULL && !has_terminal() };
	(void)signal(SIGPIPE, SIG_IGN);
	if (pipe2(to, O_CLOEXEC) < 0)
		return report_system(err, "pipe");
	if (pipe2(from, O_CLOEXEC) < 0) {
		(void)close(to[0]);
		(void)close(to[1]);
		return report_system(err, "pipe");
	}
	p->in = from[0];
	p->out = to[1];
	p->pid = fork();
	/* Both sides do this, as either may come first. */
	if (p->group && p->pid >= 0)
		(void)setpgid(p->pid, 0);
	if (p->pid == 0 && receiver != NULL) {
		/* The end of the source must end the receiver. */
		(void)close(to[1]);
		(void)close(from[0]);
		o = *receiver;
		o.in = to[0];
		o.out = from[1];
		_exit(receive(&o, true));
	}
	if (p->pid == 0)
		become(command, to[0], from[1]);
	(void)close(to[0]);
	(void)close(from[1]);
	if (p->pid < 0) {
		p->pid = 0;
		return report_system(err, "fork");
	}
	return TF_OK;
}

enum tf_code
mirror_peer_receiver(struct mirror_peer *p, const struct tf_mirror_receive *o,
    struct tf_error *err)
{
	return start(p, o, NULL, err);
}

enum tf_code
mirror_peer_command(struct mirror_peer *p, const char *command,
    struct tf_error *err)
{
	return start(p, NULL, command, err);
}

/* True if the child has ended within so many milliseconds. */
static bool
has_ended(const struct mirror_peer *p, int ms, int *status)
{
	pid_t got;

	for (;;) {
		got = waitpid(p->pid, status, WNOHANG);
		if (got == p->pid || (got < 0 && errno != EINTR))
			return true;
		if (ms <= 0)
			return false;
		(void)poll(NULL, 0, POLL_MS);
		ms -= POLL_MS;
	}
}

/* Its pipes are closed: a command has nothing left to do.  The receiver itself
 * ends by itself, but its disk may be slow. */
static void
end(const struct mirror_peer *p, int *status)
{
	const pid_t to = p->group ? -p->pid : p->pid;

	if (p->what != NULL) {
		if (has_ended(p, END_MS, status))
			return;
		report_note("%.80s did not end by itself", p->what);
		(void)kill(to, SIGTERM);
		if (has_ended(p, TERM_MS, status))
			return;
		(void)kill(to, SIGKILL);
	}
	while (waitpid(p->pid, status, 0) < 0 && errno == EINTR)
		;
}

enum tf_code
mirror_peer_end(struct mirror_peer *p, enum tf_code rc, struct tf_error *err)
{
	int status = 0;

	if (p->in >= 0)
		(void)close(p->in); /* only read */
	if (p->out >= 0)
		(void)close(p->out); /* the receipt says what arrived */
	if (p->pid == 0)
		return rc;
	end(p, &status);
	if (rc != TF_IO || p->what == NULL || status == 0)
		return rc;
	errno = 0;
	if (WIFSIGNALED(status))
		return tf_fail(err, TF_IO, "signal %d ended %.80s",
		    WTERMSIG(status), p->what);
	return tf_fail(err, TF_IO, "%.80s: exit status %d", p->what,
	    WEXITSTATUS(status));
}
