/*
 * model [--seed S] [--steps N] [--each N] [--save FILE] [FILE...]
 *
 * Replay the traces in the files (by default, those beside this source).  Then
 * run N random steps, with a new vault after every --each steps, and compare
 * with the model after each step.  A trace that differs is shrunk, printed, and
 * written to the file of --save.  The seed of each vault is printed first;
 * --seed S --steps 1 runs that vault again.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "vault.h"

#define SHRINK_MS 240000
#define MANY 60 /* longer traces are only saved */

static struct {
	uint64_t seed;
	size_t steps, each;
	const char *save;
} option = { 1, 15000, 1000, NULL };

static unsigned checks, failures;
static size_t refused;

/* --- shrinking -------------------------------------------------------- */

/* True if both differ in the same way, as far as can be seen. */
static bool
still_differs(const struct trace *t, enum verb verb, struct result *result)
{
	run_trace(t, verb == OP_REMOUNT, result);
	return result->differs && result->verb == verb;
}

/* Drop the operations from..from+n if the trace still differs without them. */
static bool
drop(struct trace *t, size_t from, size_t n, enum verb verb)
{
	struct trace less = { .settles = t->settles };
	struct result result;

	for (size_t i = 0; i < t->n; i++)
		if (i < from || i >= from + n)
			trace_add(&less, t->ops[i]);
	if (!still_differs(&less, verb, &result)) {
		free(less.ops);
		return false;
	}
	free(t->ops);
	*t = less;
	return true;
}

/* Dropped operations are not freed: the original trace has them too. */
static void
shrink(struct trace *t, enum verb verb)
{
	long long end = now_ms() + SHRINK_MS;
	size_t chunk = t->n / 2, i;
	bool any = true;

	while (chunk > 0 && now_ms() < end) {
		any = false;
		for (i = t->n; i > 0 && now_ms() < end;) {
			i = i > chunk ? i - chunk : 0;
			if (i < t->n)
				any |= drop(t, i, chunk, verb);
		}
		if (chunk > 1 || !any)
			chunk /= 2;
	}
}

static void
report(const struct trace *t, const struct result *result)
{
	struct trace less = { .settles = t->settles };
	struct result again;
	FILE *f;

	for (size_t i = 0; i < t->n; i++)
		trace_add(&less, t->ops[i]);
	printf("step %zu of %zu: %s\n", result->steps, t->n, result->text);
	op_print(stdout, &t->ops[t->n - 1]);
	fflush(stdout);
	if (!still_differs(&less, result->verb, &again)) {
		printf("it does not differ when it is made again\n");
	} else {
		shrink(&less, result->verb);
		(void)still_differs(&less, result->verb, &again);
		printf("shrunk to %zu operations: %s\n", less.n, again.text);
	}
	if (less.n <= MANY)
		trace_print(stdout, &less);
	if (option.save != NULL && (f = fopen(option.save, "we")) != NULL) {
		fprintf(f, "# %s\n", again.text);
		trace_print(f, &less);
		fclose(f);
	}
	fflush(stdout);
	free(less.ops);
}

/* --- traces and random runs ------------------------------------------- */

static void
replay(const char *path)
{
	struct result result;
	struct trace t;
	FILE *f = fopen(path, "re");
	bool good = f != NULL && trace_read(f, &t);

	if (f != NULL)
		fclose(f);
	checks++;
	if (!good) {
		printf("%s: not a trace\n", path);
		failures++;
		return;
	}
	run_trace(&t, true, &result);
	if (result.differs) {
		printf("%s: at step %zu: %s\n", path, result.steps,
		    result.text);
		failures++;
	}
	fflush(stdout);
	trace_free(&t);
}

static size_t
one_vault(uint64_t seed)
{
	struct trace t = { 0 };
	struct result result;
	size_t n;

	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	run_chance(&t, seed, option.each, &result);
	checks++;
	n = result.steps;
	refused += result.refused;
	if (result.differs) {
		failures++;
		report(&t, &result);
	}
	trace_free(&t);
	return n;
}

static int
run_all(int n, char *files[])
{
	long long began = now_ms();
	size_t steps = 0;

	for (int i = 0; i < n; i++)
		replay(files[i]);
	for (uint64_t s = option.seed; steps < option.steps && failures == 0;
	     s++)
		steps += one_vault(s);
	printf("%zu steps, %zu of them refused, in %lld s\n", steps, refused,
	    (now_ms() - began) / 1000);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n",
	    checks > 0 ? 100 * (checks - failures) / checks : 100, checks,
	    failures);
	fflush(stdout);
	return failures > 0;
}

/* A parent process removes the vault, however this process ends. */
static int
guarded(int n, char *files[])
{
	const char *tmp = getenv("TMPDIR");
	char top[4096];
	int status = 1;
	pid_t pid;

	snprintf(top, sizeof top, "%s/model.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(top) == NULL || chmod(top, 0755) < 0 || chdir(top) < 0) {
		perror(top);
		return 1;
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if ((pid = fork()) == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		(void)setgroups(0, NULL);
		_exit(run_all(n, files));
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		printf("the model was killed by signal %d\n", WTERMSIG(status));
	run_clean();
	if (chdir("/") < 0 || rmdir(top) < 0)
		perror(top);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool
read_options(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "steps", required_argument, NULL, 'n' },
		{ "each", required_argument, NULL, 'e' },
		{ "save", required_argument, NULL, 'o' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			option.seed = strtoull(optarg, NULL, 10);
		else if (c == 'n')
			option.steps = strtoull(optarg, NULL, 10);
		else if (c == 'e')
			option.each = strtoull(optarg, NULL, 10);
		else if (c == 'o')
			option.save = optarg;
		else
			return false;
	}
	return true;
}

int
main(int argc, char *argv[])
{
	char *save, here[4096];
	glob_t traces;
	int status;

	if (!read_options(argc, argv))
		return 2;
	if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0) {
		printf("SKIP model: needs root and /dev/fuse\n"
		       "100%%: Checks: 1, Failures: 0, Errors: 0\n");
		return 0;
	}
	/* The working directory will change. */
	if (option.save != NULL && option.save[0] != '/' &&
	    getcwd(here, sizeof here) != NULL &&
	    asprintf(&save, "%s/%s", here, option.save) > 0)
		option.save = save;
	if (glob(TF_TRACES "/*.ops", 0, NULL, &traces) != 0)
		memset(&traces, 0, sizeof traces);
	if (optind == argc) {
		status = guarded((int)traces.gl_pathc, traces.gl_pathv);
		globfree(&traces);
		return status;
	}
	for (int i = optind; i < argc; i++)
		argv[i] = realpath(argv[i], NULL) ?: argv[i];
	return guarded(argc - optind, argv + optind);
}
