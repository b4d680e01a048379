/*
 * A command that is run and watched: see child.h.
 *
 * The command writes to two pipes, and this process reads them. Each part goes
 * first to the copy and then to the caller's own stream, so that a slow or
 * closed terminal never costs a byte of the recording. Pipes are used instead
 * of files because the user shall see the output at once.
 *
 * Signals: this process must outlive the command, or nothing would be recorded.
 * It therefore catches every signal that would end it and sends to the command
 * only those that another process sent with kill(2). The terminal sends its own
 * signals to the whole process group, so the command has them already.
 *
 * End: a background process of the command may keep the pipes open for ever.
 * After the command has ended, reading stops when both pipes were silent for
 * SILENCE_MS.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "core/base/clock.h"
#include "program.h"
#include "report.h"

#define POLL_MS 200
#define SILENCE_MS 2000 /* of processes that the command left behind */

static volatile pid_t child; /* 0: none that a signal could be sent to */

/* --- signals ------------------------------------------------------------------ */

/* A terminal sends its signals to the command too, as it is of the same process
 * group. */
static void
pass_on(int sig, siginfo_t *info, void *context)
{
	const pid_t to = child;
	const int saved = errno;

	(void)context;
	if (to > 0 && info->si_code <= 0)
		(void)kill(to, sig);
	errno = saved;
}

/* A handler and not SIG_IGN: execve(2) resets handlers, but keeps ignored
 * signals ignored. */
static void
drop(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
}

static void catch (int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction new = { .sa_sigaction = handler,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction old;

	/* What the caller ignores, the command ignores too. */
	if (sigaction(sig, NULL, &old) == 0 &&
	    ((old.sa_flags & SA_SIGINFO) != 0 || old.sa_handler != SIG_IGN))
		(void)sigaction(sig, &new, NULL);
}

/* Install the handlers. On return the passed signals are blocked, and *before
 * is the mask to restore once the pid of the command is known. */
static void
catch_all(sigset_t *before)
{
	static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
		SIGUSR2 };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		(void)sigaddset(&set, passed[i]);
	/* A signal waits until there is a process to send it to. */
	(void)sigprocmask(SIG_BLOCK, &set, before);
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		catch (passed[i], pass_on);
	/* A reader who went away must not end the recording. */
	catch (SIGPIPE, drop);
}

/* --- the streams --------------------------------------------------------------- */

struct stream {
	int from, to; /* from -1: it has ended; to -1: nobody reads it */
	const struct child_copy *copy;
};

/* Write to the caller's stream, which may be non-blocking. After an error the
 * stream is given up, and the copy continues. */
static void
write_all(struct stream *s, const char *p, size_t n)
{
	struct pollfd full = { .fd = s->to, .events = POLLOUT };
	ssize_t did;

	while (s->to >= 0 && n > 0) {
		did = write(s->to, p, n);
		if (did < 0 && errno == EAGAIN) {
			(void)poll(&full, 1, POLL_MS);
		} else if (did < 0 && errno != EINTR) {
			s->to = -1;
		} else if (did > 0) {
			p += did;
			n -= (size_t)did;
		}
	}
}

/* Copy first: it must not wait for a slow terminal. */
static bool
take(struct stream *s)
{
	static char part[1 << 16];
	ssize_t n = read(s->from, part, sizeof(part));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		(void)close(s->from);
		s->from = -1;
		return true;
	}
	s->copy->put(s->copy->arg, part, (size_t)n);
	write_all(s, part, (size_t)n);
	return true;
}

/* True also when waitpid(2) fails: then there is no command to wait for. */
static bool
has_ended(int *status)
{
	return waitpid(child, status, WNOHANG) != 0;
}

/*
 * Read until both streams end, or the command has ended and they are silent.
 * Commands may close their output and go on, so the loop is followed by a wait
 * for the command itself. *status is that of waitpid(2).
 */
static void
watch(struct stream s[2], int *status, struct child_end *end)
{
	int silent = 0;
	bool ended = false;

	while ((s[0].from >= 0 || s[1].from >= 0) && silent < SILENCE_MS) {
		struct pollfd p[2] = { { .fd = s[0].from, .events = POLLIN },
			{ .fd = s[1].from, .events = POLLIN } };
		bool any = false;

		(void)poll(p, 2, POLL_MS);
		for (int i = 0; i < 2; i++)
			if (s[i].from >= 0 && p[i].revents != 0)
				any |= take(&s[i]);
		if (!ended && (ended = has_ended(status))) {
			child = 0;
			end->ended = tf_clock_now();
		}
		silent = ended && !any ? silent + POLL_MS : 0;
	}
	if (ended)
		return;
	while (waitpid(child, status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	end->ended = tf_clock_now();
}

/* --- the command ------------------------------------------------------------------ */

/* In the child: become the command. 127 (not found) and 126 (cannot be run) are
 * the exit statuses that a shell gives, so scripts see no difference. */
static void
become(char **argv, int out, int err, const sigset_t *mask)
{
	struct tf_error why = { 0 };
	char *path = NULL;
	int status = 127;

	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	if (program_find(argv[0], &path, &why) == TF_OK) {
		program_exec(path, argv);
		(void)tf_fail(&why, TF_IO, "%s: %s", path, strerror(errno));
		status = 126;
	} else if (why.code == TF_ACCESS) {
		status = 126;
	}
	report_note("%s", why.text);
	_exit(status);
}

void
child_run(char **argv, const struct child_copy *out,
    const struct child_copy *err, struct child_end *end)
{
	int o[2] = { -1, -1 }, e[2] = { -1, -1 }, status = 127 << 8;
	sigset_t before;
	pid_t pid = -1;

	*end = (struct child_end){ .began = tf_clock_now() };
	catch_all(&before);
	if (pipe2(o, O_CLOEXEC) == 0 && pipe2(e, O_CLOEXEC) == 0) {
		(void)fflush(NULL);
		pid = fork();
	}
	if (pid == 0)
		become(argv, o[1], e[1], &before);
	child = pid > 0 ? pid : 0;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		report_note("cannot run %s: %s", argv[0], strerror(errno));
	(void)close(o[1]);
	(void)close(e[1]);
	if (pid > 0) {
		struct stream s[2] = { { o[0], STDOUT_FILENO, out },
			{ e[0], STDERR_FILENO, err } };

		watch(s, &status, end);
		for (int i = 0; i < 2; i++)
			if (s[i].from >= 0)
				(void)close(s[i].from);
	} else {
		end->ended = tf_clock_now();
	}
	if (WIFSIGNALED(status))
		end->signal = WTERMSIG(status);
	else
		end->exit = WEXITSTATUS(status);
}
