/*
 * Commands that carry requests: see transport.h.
 *
 * The request is written to the pipe before fork(2), so that no process has to
 * feed the command and a command that does not read it does no harm.  The
 * answer of a command that failed is not used: half an answer may look like a
 * whole one.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "report.h"

#define SHELL "/bin/sh"

/* Make the pipe in, which holds the request.  Its other end is closed. */
static enum tf_code
make_input(struct tf_str request, int *in, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	ssize_t did;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return report_system(err, "pipe");
	did = write(fd[1], request.p, request.n);
	if (did != (ssize_t)request.n)
		rc = tf_fail(err, TF_TOOBIG,
		    "a request of %zu bytes does not fit into a pipe",
		    request.n);
	(void)close(fd[1]);
	/* The command gets an ordinary pipe. */
	if (rc == TF_OK && fcntl(fd[0], F_SETFL, 0) < 0)
		rc = report_system(err, "pipe");
	if (rc != TF_OK) {
		(void)close(fd[0]);
		return rc;
	}
	*in = fd[0];
	return TF_OK;
}

/* In the child. */
static void
become(const char *command, int in, int out)
{
	char *argv[] = { "sh", "-c", (char *)command, NULL };

	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		program_exec(SHELL, argv);
	dprintf(STDERR_FILENO, "trailctl: " SHELL ": %s\n", strerror(errno));
	_exit(127);
}

/* Read until the end.  A longer answer is not read to its end: the command then
 * ends by SIGPIPE. */
static enum tf_code
read_answer(int fd, size_t max, struct tf_buf *answer, struct tf_error *err)
{
	const size_t before = answer->n;
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return report_system(err, "pipe");
		if ((size_t)n > max - (answer->n - before))
			return tf_fail(err, TF_TOOBIG,
			    "the answer is longer than %zu bytes", max);
		tf_buf_add(answer, part, (size_t)n);
		if (answer->failed)
			return tf_nomem(err);
	}
	return TF_OK;
}

static enum tf_code
await(pid_t child, const char *command, struct tf_error *err)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return report_system(err, "%.80s", command);
	errno = 0;
	if (WIFSIGNALED(status))
		return tf_fail(err, TF_IO, "signal %d ended %.80s",
		    WTERMSIG(status), command);
	if (WEXITSTATUS(status) != 0)
		return tf_fail(err, TF_IO, "%.80s: exit status %d", command,
		    WEXITSTATUS(status));
	return TF_OK;
}

enum tf_code
transport_run(const char *command, struct tf_str request, size_t max,
    struct tf_buf *answer, struct tf_error *err)
{
	int in = -1, out[2] = { -1, -1 };
	struct tf_error other = { 0 };
	enum tf_code rc = make_input(request, &in, err), ended;
	pid_t child = -1;

	if (rc != TF_OK)
		return rc;
	if (pipe2(out, O_CLOEXEC) < 0)
		rc = report_system(err, "pipe");
	else if ((child = fork()) == 0)
		become(command, in, out[1]);
	else if (child < 0)
		rc = report_system(err, "fork");
	(void)close(in);
	if (out[1] >= 0)
		(void)close(out[1]);
	if (rc == TF_OK)
		rc = read_answer(out[0], max, answer, err);
	if (out[0] >= 0)
		(void)close(out[0]);
	if (child > 0) {
		ended = await(child, command, &other);
		if (rc == TF_OK && ended != TF_OK)
			rc = tf_fail_as(err, &other);
	}
	return rc;
}
