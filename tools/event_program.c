/*
 * Programs for events: see event_program.h.
 *
 * The event is written to a pipe before fork(2), which cannot block: an entry
 * is at most as long as a pipe is by default. So no process has to feed the
 * program, and one that reads nothing harms nobody. The program has a process
 * group of its own, so that the time limit reaches what it has started, and
 * Ctrl-C at the terminal reaches only trailctl, which lets it finish.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "event_program.h"
#include "program.h"
#include "report.h"

#define GRACE_NS (2 * TF_SECOND) /* between SIGTERM and SIGKILL */
#define LOOK_MS 200

/* Become the user.  False: errno says why. */
static bool
become_user(const struct passwd *pw)
{
	return pw == NULL ||
	    (initgroups(pw->pw_name, pw->pw_gid) == 0 &&
		setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0);
}

/* In the child. */
static void
become(const struct event_program *p, const struct passwd *pw, int in)
{
	if (setpgid(0, 0) == 0 && dup2(in, STDIN_FILENO) >= 0 &&
	    (!p->stdout_is_ours || dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) &&
	    become_user(pw))
		program_exec(p->path, p->argv);
	dprintf(STDERR_FILENO, "trailctl: %s: %s\n", p->path, strerror(errno));
	_exit(127);
}

/* Wait until the child has ended or until the time.  True: it has ended. */
static bool
ends_until(int pidfd, uint64_t until_ns)
{
	struct pollfd f = { .fd = pidfd, .events = POLLIN };

	while (tf_clock_boot_ns() < until_ns)
		if (poll(&f, 1, LOOK_MS) > 0)
			return true;
	return poll(&f, 1, 0) > 0;
}

/* Without a pidfd (an old kernel) the program has no time limit. */
static enum tf_code
await(const struct event_program *p, pid_t child, struct event_result *out,
    struct tf_error *err)
{
	const uint64_t begun = tf_clock_boot_ns();
	int pidfd = pidfd_open(child, 0), status = 0;

	if (pidfd >= 0 && !ends_until(pidfd, begun + p->limit_s * TF_SECOND)) {
		out->timed_out = true;
		(void)kill(-child, SIGTERM);
		if (!ends_until(pidfd, tf_clock_boot_ns() + GRACE_NS))
			(void)kill(-child, SIGKILL);
	}
	if (pidfd >= 0)
		(void)close(pidfd);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return report_system(err, "%s", p->path);
	out->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	out->ok = out->exit == 0 && !out->timed_out;
	return TF_OK;
}

/* The event fits into the pipe, so nobody has to feed the program. */
static enum tf_code
fill(int fd, const char *event, size_t n, struct tf_error *err)
{
	if (write(fd, event, n) != (ssize_t)n || write(fd, "\n", 1) != 1)
		return report_system(err, "pipe");
	return TF_OK;
}

/* The user is looked up for each run: a long watch sees changed groups. */
enum tf_code
event_program_run(const struct event_program *p, const char *event, size_t n,
    uint64_t seq, uint64_t try, struct event_result *out, struct tf_error *err)
{
	static char seq_text[48], try_text[48];
	struct passwd *pw = NULL;
	enum tf_code rc;
	pid_t child;
	int fd[2];

	*out = (struct event_result){ .exit = -1 };
	(void)snprintf(seq_text, sizeof(seq_text), "TRAILFS_SEQ=%llu",
	    (unsigned long long)seq);
	(void)snprintf(try_text, sizeof(try_text), "TRAILFS_TRY=%llu",
	    (unsigned long long)try);
	if (!program_set_variable(seq_text) || !program_set_variable(try_text))
		return tf_nomem(err);
	if (p->user != NULL && (pw = getpwnam(p->user)) == NULL)
		return tf_fail(err, TF_USAGE, "there is no user %.60s",
		    p->user);
	if (pipe2(fd, O_CLOEXEC) < 0)
		return report_system(err, "pipe");
	if ((rc = fill(fd[1], event, n, err)) == TF_OK) {
		child = fork();
		if (child == 0)
			become(p, pw, fd[0]);
		if (child < 0)
			rc = report_system(err, "fork");
	}
	(void)close(fd[0]);
	(void)close(fd[1]);
	return rc == TF_OK ? await(p, child, out, err) : rc;
}
