/* Programs and children of a test, and the user that it runs as. */
#include <grp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "harness.h"
#include "harness_i.h"

#define COMMAND_MS (90000 * slowness()) /* one command */

/* as() changes the effective ids only; a program gets all ids of the user. */
static void
be_in_full(void)
{
	uid_t uid = geteuid();

	if (uid == 0)
		return;
	if (seteuid(0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(126);
}

const char *
run(int status, const char *fmt, ...)
{
	int out = memfd_create("said", MFD_CLOEXEC), got = 0;
	char *command = NULL, *said;
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&command, fmt, ap), 0);
	va_end(ap);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setpgid(0, 0);
		be_in_full();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (!ended_within(pid, COMMAND_MS, &got)) {
		kill(-pid, SIGKILL);
		ck_abort_msg("%s: does not end", command);
	}
	said = read_fd(out, NULL, false);
	close(out);
	ck_assert_msg(plain_status(got) == status,
	    "%s: ended with %d, not %d, and said:\n%s", command,
	    plain_status(got), status, said);
	free(command);
	return said;
}

const char *
run_any(const char *command)
{
	char *said = strdup(run(0, "(%s) >/dev/null 2>&1; printf %%s $?",
	    command));
	const char *status = keep_text("%s", said);

	free(said);
	return status;
}

const char *
errno_name(int sys)
{
	const char *name = sys == 0 ? "success" : strerrorname_np(sys);

	return name != NULL ? name : "?";
}

void
as(uid_t uid)
{
	ck_assert_int_eq(0, seteuid(0));
	ck_assert_int_eq(0, setgroups(0, NULL));
	ck_assert_int_eq(0, setegid(uid));
	ck_assert_int_eq(0, seteuid(uid));
	/* The kernel clears both when ids change. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

pid_t
in_child(int (*what)(void))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(what());
	}
	return pid;
}

int
child_ended(pid_t pid)
{
	int status = 0;

	ck_assert_msg(ended_within(pid, COMMAND_MS, &status),
	    "a child does not end");
	return plain_status(status);
}
