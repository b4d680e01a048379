/*
 * Programs that trailctl runs: see program.h.
 *
 * trailctl clears dangerous variables and raises the limit of open files for
 * itself (core/environment.h). A program of the user shall see neither, so both
 * are remembered before and given back in the child. There is no shell:
 * arguments reach the program as they were given.
 *
 * A judge (program_judge) gets the evidence as its working directory and no
 * standard input, and its output is bounded. If trailctl dies, the judge dies
 * too, because its verdict would be recorded nowhere. It is hashed before it
 * runs, so that the record names the judge by its bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/crypto.h"
#include "interrupt.h"
#include "program.h"
#include "report.h"

#define OUTPUT_MAX ((size_t)16 << 20)
#define PROGRAM_MAX ((size_t)1 << 30)
#define POLL_MS 200 /* between two looks for an interruption */

static char **environment;
static struct rlimit files_limit;
static bool has_limit;

void
program_keep(void)
{
	size_t n = 0;

	while (environ != NULL && environ[n] != NULL)
		n++;
	environment = calloc(n + 1, sizeof(*environment));
	for (size_t i = 0; environment != NULL && i < n; i++)
		environment[i] = environ[i];
	has_limit = getrlimit(RLIMIT_NOFILE, &files_limit) == 0;
}

char **
program_environment(void)
{
	static char *none[] = { NULL };

	return environment != NULL ? environment : none;
}

const char *
program_variable(const char *name)
{
	const size_t n = strlen(name);

	for (char **e = program_environment(); *e != NULL; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

bool
program_set_variable(char *text)
{
	const size_t n = strcspn(text, "=") + 1;
	size_t i = 0;
	char **more;

	for (; environment != NULL && environment[i] != NULL; i++)
		if (strncmp(environment[i], text, n) == 0) {
			environment[i] = text;
			return true;
		}
	more = reallocarray(environment, i + 2, sizeof(*more));
	if (more == NULL)
		return false;
	environment = more;
	environment[i] = text;
	environment[i + 1] = NULL;
	return true;
}

/* A directory is executable too, so the type is checked first. */
static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

/* As execvp(3), but with the caller's PATH, and before the fork: so the error
 * can be reported like any other, and the path recorded. */
enum tf_code
program_find(const char *name, char **path, struct tf_error *err)
{
	const char *dirs = program_variable("PATH");
	size_t n;

	*path = NULL;
	if (*name == '\0')
		return tf_fail(err, TF_USAGE,
		    "the name of the program is empty");
	if (strchr(name, '/') != NULL) {
		if (access(name, F_OK) < 0)
			return report_system(err, "%s", name);
		if (!is_program(name))
			return tf_fail(err, TF_ACCESS, "%s is no program",
			    name);
		*path = realpath(name, NULL);
		return *path != NULL ? TF_OK : report_system(err, "%s", name);
	}
	if (dirs == NULL)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	for (;; dirs += n + 1) {
		char *full = NULL;

		n = strcspn(dirs, ":");
		if (asprintf(&full, "%.*s%s%s", (int)n, dirs, n > 0 ? "/" : "",
			name) < 0)
			return tf_nomem(err);
		if (is_program(full))
			*path = realpath(full, NULL);
		free(full);
		if (*path != NULL)
			return TF_OK;
		if (dirs[n] == '\0')
			break;
	}
	errno = ENOENT;
	return tf_fail(err, TF_NOTFOUND, "there is no program %s", name);
}

void
program_exec(const char *path, char **argv)
{
	interrupt_release();
	if (has_limit)
		(void)setrlimit(RLIMIT_NOFILE, &files_limit);
	(void)execve(path, argv, program_environment());
}

/* --- programs that judge --------------------------------------------------------- */

void
program_verdict_free(struct program_verdict *v)
{
	free(v->path);
	tf_buf_free(&v->output);
	*v = (struct program_verdict){ 0 };
}

/* Digest of the whole program file. */
static enum tf_code
hash_file(const char *path, struct tf_hash *out, struct tf_error *err)
{
	static char part[1 << 16];
	struct tf_sha256 *h = tf_sha256_new();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc = TF_OK;
	ssize_t n = 0;

	if (h == NULL)
		rc = tf_nomem(err);
	else if (fd < 0)
		rc = report_system(err, "%s", path);
	while (rc == TF_OK && (n = read(fd, part, sizeof(part))) > 0)
		tf_sha256_add(h, part, (size_t)n);
	if (rc == TF_OK && n < 0)
		rc = report_system(err, "%s", path);
	if (rc == TF_OK)
		tf_sha256_peek(h, out);
	if (fd >= 0)
		(void)close(fd); /* read-only */
	tf_sha256_free(h);
	return rc;
}

/* In the child. */
static void
become(const char *path, char **argv, const char *dir, int out)
{
	int null = open("/dev/null", O_RDONLY);

	/* Nobody would read what it says. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 &&
	    chdir(dir) == 0)
		program_exec(path, argv);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(126);
}

/* Until every writer has closed the pipe. An interruption is looked for even
 * while the program is silent. */
static enum tf_code
read_output(int fd, struct tf_buf *out, struct tf_error *err)
{
	static char part[1 << 16];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	enum tf_code rc;
	ssize_t n;

	for (;;) {
		if ((rc = interrupt_check(err)) != TF_OK)
			return rc;
		if (poll(&p, 1, POLL_MS) == 0)
			continue;
		if ((n = read(fd, part, sizeof(part))) == 0)
			return TF_OK;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return report_system(err, "output of the program");
		if ((size_t)n > OUTPUT_MAX - out->n)
			return tf_fail(err, TF_TOOBIG,
			    "the program printed more than %zu bytes",
			    OUTPUT_MAX);
		tf_buf_add(out, part, (size_t)n);
		if ((rc = tf_buf_end(out, err)) != TF_OK)
			return rc;
	}
}

/* Only an exit status is a verdict; a signal is a failure. */
static enum tf_code
wait_for(pid_t child, const char *name, int *status, struct tf_error *err)
{
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return report_system(err, "%s", name);
	if (WIFEXITED(*status))
		return TF_OK;
	return tf_fail(err, TF_IO, "%s ended by signal %d", name,
	    WTERMSIG(*status));
}

/* On any failure the program is killed and waited for: no process is left
 * behind. */
enum tf_code
program_judge(char **argv, const char *dir, struct program_verdict *out,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	int fd[2], status = 0;
	pid_t child;
	enum tf_code rc, ended;

	*out = (struct program_verdict){ 0 };
	if ((rc = program_find(argv[0], &out->path, err)) != TF_OK ||
	    (rc = hash_file(out->path, &out->sha256, err)) != TF_OK)
		return rc;
	if (pipe2(fd, O_CLOEXEC) < 0)
		return report_system(err, "pipe");
	child = fork();
	if (child == 0)
		become(out->path, argv, dir, fd[1]);
	(void)close(fd[1]);
	rc = child < 0 ? report_system(err, "fork") :
			 read_output(fd[0], &out->output, err);
	(void)close(fd[0]);
	if (child < 0)
		return rc;
	if (rc != TF_OK)
		(void)kill(child, SIGKILL);
	ended = wait_for(child, argv[0], &status, &why);
	if (rc == TF_OK && ended != TF_OK) {
		errno = 0;
		return tf_fail(err, ended, "%s", why.text);
	}
	out->exit = WEXITSTATUS(status);
	return rc;
}
