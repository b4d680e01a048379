/*
 * trailfs-signer: the signer of a vault on stdin and stdout, for ssh, socat or a
 * socket of systemd.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/environment.h"
#include "core/signer.h"
#include "core/types.h"

#define EXIT_USAGE 2

static void
usage(FILE *to)
{
	fputs("usage: trailfs-signer KEYS\n"
	      "       trailfs-signer --make KEYS\n"
	      "       trailfs-signer -h | --help | -V | --version\n"
	      "  KEYS    the directory of the secret keys: answer a trailfs on "
	      "stdin and\n"
	      "          stdout with them\n"
	      "  --make  make such keys\n",
	    to);
}

static void
harden(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	tf_environment_clean();
	tf_environment_hide_memory();
}

/* What the kernel lacks is printed as what is missing. */
static void
say_fence(unsigned state)
{
	fprintf(stderr,
	    "trailfs-signer: no capabilities; landlock %u%s; %s; %s\n",
	    state & TF_FENCE_LANDLOCK,
	    (state & TF_FENCE_LANDLOCK) == 0 ? " (files are not limited)" : "",
	    (state & TF_FENCE_SECCOMP) != 0 ?
		"seccomp" :
		"no seccomp: calls are not limited",
	    (state & TF_FENCE_MEMORY) != 0 ?
		"memory locked" :
		"memory not locked: raise the limit (ulimit -l)");
}

static int
complain(const struct tf_error *e)
{
	fprintf(stderr, "trailfs-signer: %s%s%s\n", e->text,
	    e->sys != 0 ? ": " : "", e->sys != 0 ? strerror(e->sys) : "");
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc;

	harden();
	if (argc == 2 &&
	    (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 &&
	    (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)) {
		printf("trailfs-signer %s\n", TF_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 3 && strcmp(argv[1], "--make") == 0) {
		rc = tf_signer_make(argv[2], &err);
	} else if (argc == 2 && argv[1][0] != '-') {
		rc = tf_signer_run(argv[1], STDIN_FILENO, STDOUT_FILENO,
		    say_fence, &err);
	} else {
		usage(stderr);
		return EXIT_USAGE;
	}
	return rc == TF_OK ? EXIT_SUCCESS : complain(&err);
}
