/*
 * A pager between stdout and the terminal: see pager.h.
 *
 * Descriptor 1 itself is replaced by a pipe, so that all code prints as always.
 * The terminal is kept on another descriptor and put back at the end. Whatever
 * is missing (a terminal, a pager, a descriptor) means only that there is no
 * pager: the answer matters, and not its comfort.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pager.h"
#include "program.h"

static pid_t pager = -1;
static int terminal = -1;

/* In the child: $PAGER is a command line for the shell, as for other programs
 * that page. */
static void
become_pager(const char *command, int in)
{
	char *argv[] = { "sh", "-c", (char *)(uintptr_t)command, NULL };

	/* Quit if it fits the screen, keep the screen. */
	if (program_variable("LESS") == NULL)
		(void)putenv("LESS=FRX");
	if (dup2(in, STDIN_FILENO) >= 0)
		(void)execv("/bin/sh", argv);
	_exit(127);
}

void
pager_begin(void)
{
	const char *command = program_variable("PAGER");
	char *path = NULL;
	int fd[2];

	if (!isatty(STDOUT_FILENO))
		return;
	if (command == NULL) {
		if (program_find("less", &path, NULL) != TF_OK)
			return;
		free(path);
		command = "less";
	}
	if (*command == '\0' || strcmp(command, "cat") == 0 ||
	    (terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) < 0)
		return;
	if (pipe2(fd, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	if ((pager = fork()) == 0)
		become_pager(command, fd[0]);
	(void)close(fd[0]);
	if (pager > 0)
		(void)dup2(fd[1], STDOUT_FILENO);
	(void)close(fd[1]);
}

/* Restoring stdout closes the last writing end of the pipe; the pager then sees
 * the end and may quit, which is waited for. */
void
pager_end(void)
{
	int status;

	if (pager <= 0)
		return;
	fflush(stdout);
	(void)dup2(terminal, STDOUT_FILENO);
	(void)close(terminal);
	while (waitpid(pager, &status, 0) < 0 && errno == EINTR)
		;
	pager = -1;
}
