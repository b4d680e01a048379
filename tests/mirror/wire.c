/*
 * mirror-wire FAULT DIRECTION BYTES COMMAND [ARGUMENT...]: run the command and
 * carry bytes between it and standard input and output, as ssh(1) would.  When so
 * many bytes went in a direction ("to" the command or "from" it), the fault
 * happens:
 *
 *   none      nothing
 *   flip      the next byte arrives with one bit changed
 *   cut       the connection ends: both sides see the end
 *   receiver  SIGKILL for the command
 *   source    SIGKILL for the process that started this one
 *   hook      nothing, but the shell command WIRE_HOOK is run before that byte
 *
 * Two faults concern the calls of the command that change a disk (shim.so of
 * tests/faults, which WIRE_SHIM names), and BYTES counts those; with a sanitizer
 * nothing happens:
 *
 *   call      SIGKILL instead of that call
 *   full      that call and all after it fail with ENOSPC
 *
 * At the end the numbers of bytes in both directions are appended to the file
 * that WIRE_LOG names, so that a rig knows the range of BYTES.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../faults/fault.h"

struct way {
	int in, out;
	unsigned long long bytes;
	bool strikes; /* the fault is in this direction */
};

static const char *fault;
static unsigned long long at;
static pid_t command, parent;
static const char *file; /* of the fault for the shim, or NULL */

/* End as a connection does that breaks.  The command is left to itself. */
static void
strike(struct way *w, char *p)
{
	if (strcmp(fault, "flip") == 0)
		*p = (char)(*p ^ 1 << w->bytes % 8);
	else if (strcmp(fault, "receiver") == 0)
		(void)kill(command, SIGKILL);
	else if (strcmp(fault, "source") == 0)
		(void)kill(parent, SIGKILL);
	else if (strcmp(fault, "hook") == 0 && system(getenv("WIRE_HOOK")) != 0)
		fprintf(stderr, "mirror-wire: the hook failed\n");
}

static bool
put(int fd, const char *p, size_t n)
{
	ssize_t did;

	while (n > 0) {
		did = write(fd, p, n);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return false;
		p += did;
		n -= (size_t)did;
	}
	return true;
}

/* Carry what is there.  False: the connection is cut. */
static bool
carry(struct way *w)
{
	char part[65536];
	ssize_t n = read(w->in, part, sizeof(part));
	size_t take = n > 0 ? (size_t)n : 0;
	bool now = w->strikes && w->bytes <= at && at < w->bytes + take;
	bool goes_on = strcmp(fault, "flip") == 0 || strcmp(fault, "hook") == 0;

	if (n <= 0) {
		(void)close(w->out);
		w->in = -1;
		return true;
	}
	if (now && !goes_on)
		take = (size_t)(at - w->bytes);
	if (now && goes_on)
		strike(w, part + (at - w->bytes));
	if (!put(w->out, part, take)) {
		(void)close(w->out);
		w->in = -1;
	}
	w->bytes += take;
	if (!now || goes_on)
		return true;
	strike(w, part);
	return false;
}

/* The fault that the shim injects into the command, in a file of its own. */
static void
load_shim(void)
{
	static char name[] = "/tmp/mirror-wire.XXXXXX";
	const char *shim = getenv("WIRE_SHIM");
	int fd = mkstemp(name);
	struct fault *f;

	if (shim == NULL || fd < 0 || ftruncate(fd, sizeof(*f)) < 0) {
		fprintf(stderr, "mirror-wire: no shim\n");
		exit(127);
	}
	f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f == MAP_FAILED) {
		perror("mirror-wire");
		exit(127);
	}
	f->calls = CALL_DISK;
	f->at = (unsigned long)at;
	f->last = strcmp(fault, "full") == 0 ? ~0ul : f->at;
	f->kind = strcmp(fault, "full") == 0 ? FAULT_ERROR : FAULT_KILL;
	f->sys = ENOSPC;
	(void)setenv(FAULT_ENV, name, 1);
	file = name;
}

static void
begin(char **argv, struct way *to, struct way *from)
{
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0 || (command = fork()) < 0) {
		perror("mirror-wire");
		exit(127);
	}
	if (command == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		for (int i = 0; i < 2; i++) {
			(void)close(in[i]);
			(void)close(out[i]);
		}
		(void)signal(SIGPIPE, SIG_DFL);
		if (file != NULL)
			(void)setenv("LD_PRELOAD", getenv("WIRE_SHIM"), 1);
		(void)execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	to->in = STDIN_FILENO;
	to->out = in[1];
	from->in = out[0];
	from->out = STDOUT_FILENO;
}

static void
note(const struct way *to, const struct way *from)
{
	const char *path = getenv("WIRE_LOG");
	FILE *f = path == NULL ? NULL : fopen(path, "a");

	if (f == NULL)
		return;
	fprintf(f, "%llu %llu\n", to->bytes, from->bytes);
	(void)fclose(f);
}

int
main(int argc, char **argv)
{
	struct way to = { 0 }, from = { 0 };
	struct pollfd p[2];
	bool on = true, calls;
	int status = 0;

	if (argc < 5)
		return 2;
	fault = argv[1];
	at = strtoull(argv[3], NULL, 10);
	parent = getppid();
	(void)signal(SIGPIPE, SIG_IGN);
	calls = strcmp(fault, "call") == 0 || strcmp(fault, "full") == 0;
	if (calls && FAULTS_WORK)
		load_shim();
	begin(argv + 4, &to, &from);
	if (!calls && strcmp(fault, "none") != 0) {
		to.strikes = strcmp(argv[2], "to") == 0;
		from.strikes = !to.strikes;
	}
	/* The command ends its output last. */
	while (on && from.in >= 0) {
		p[0] = (struct pollfd){ to.in, POLLIN, 0 };
		p[1] = (struct pollfd){ from.in, POLLIN, 0 };
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents != 0)
			on = carry(&from);
		if (on && to.in >= 0 && p[0].revents != 0)
			on = carry(&to);
	}
	(void)close(to.out);
	(void)close(from.out);
	(void)close(from.in);
	(void)close(STDIN_FILENO);
	note(&to, &from);
	while (waitpid(command, &status, 0) < 0 && errno == EINTR)
		;
	if (file != NULL)
		(void)unlink(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
