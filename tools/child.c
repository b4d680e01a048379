/* A command that is run and watched: see child.h. */
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

static bool
has_ended(int *status)
{
	return waitpid(child, status, WNOHANG) != 0;
}

/* Read until both streams end, or the command has ended and they are silent. */
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

/* In the child. */
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
