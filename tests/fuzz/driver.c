/*
 * Call fuzz_one once for each file of the corpus of this target, or of the
 * given files and directories.  The last line has the form of Check.  If a file
 * ends the process, the driver prints its name.
 */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)
#define SECONDS 20 /* limit for one file; each takes less than one */

static char now[4096]; /* the current file */
static unsigned done;

static void
name_it(int sig)
{
	(void)!write(STDERR_FILENO, now, strlen(now));
	(void)!write(STDERR_FILENO, ": ended the process\n", 20);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
replay_file(const char *path)
{
	/* As long as the file, so that a sanitizer sees one read too many. */
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *p;

	MUST(f != NULL && fstat(fileno(f), &st) == 0);
	MUST((size_t)st.st_size <= INPUT_MAX);
	p = malloc((size_t)st.st_size + (st.st_size == 0));
	MUST(p != NULL);
	MUST(fread(p, 1, (size_t)st.st_size, f) == (size_t)st.st_size);
	fclose(f);
	(void)snprintf(now, sizeof(now), "%s", path);
	alarm(SECONDS);
	(void)fuzz_one(p, (size_t)st.st_size);
	alarm(0);
	free(p);
	done++;
}

static void
replay(const char *path)
{
	char below[4096];
	struct dirent *e;
	struct stat st;
	DIR *d;

	MUST(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	MUST((d = opendir(path)) != NULL);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		replay_file(below);
	}
	closedir(d);
}

/* build/fuzz-note replays tests/fuzz/corpus/note. */
static void
replay_corpus(const char *self)
{
	const char *name = strrchr(self, '/');
	char path[4096];

	name = name != NULL ? name + 1 : self;
	MUST(strncmp(name, "fuzz-", 5) == 0);
	(void)snprintf(path, sizeof(path), "%s/%s", TF_CORPUS, name + 5);
	replay(path);
}

int
main(int argc, char **argv)
{
	signal(SIGABRT, name_it);
	signal(SIGALRM, name_it);
	if (argc == 1)
		replay_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%s:\n100%%: Checks: %u, Failures: 0, Errors: 0\n", argv[0],
	    done);
	return done > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
