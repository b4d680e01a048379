/*
 * trailfs-signer: the signer of a vault on stdin and stdout, for ssh, socat or a
 * socket of systemd.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/environment.h"
#include "core/guess.h"
#include "core/signer.h"
#include "core/types.h"

#define EXIT_USAGE 2

enum { MAKE, OPENSSL, HELP, VERSION, OPTIONS };
static const struct {
	const char *letter, *name, *help;
} options[OPTIONS] = {
	[MAKE] = { "-m", "make", "make such keys" },
	[OPENSSL] = { "-o", "openssl",
	    "keys may be in tokens, whose providers FILE names" },
	[HELP] = { "-h", "help", "print this text" },
	[VERSION] = { "-V", "version", "print the version" },
};

static void
usage(FILE *to)
{
	fputs("usage: trailfs-signer [-m | -o FILE] KEYS\n"
	      "       trailfs-signer -h | --help | -V | --version\n"
	      "KEYS is the directory of the secret keys: answer a trailfs on "
	      "stdin and\nstdout with them.\n",
	    to);
	for (size_t i = 0; i < OPTIONS; i++)
		fprintf(to, "  %s, --%-9s  %s\n", options[i].letter,
		    options[i].name, options[i].help);
}

static bool
is(const char *word, size_t option)
{
	return strcmp(word, options[option].letter) == 0 ||
	    (strncmp(word, "--", 2) == 0 &&
		strcmp(word + 2, options[option].name) == 0);
}

static int
wrong_usage(const char *word)
{
	struct tf_guess g = { .typed = word + strspn(word, "-") };
	char text[TF_GUESS_TEXT];

	for (size_t i = 0; i < OPTIONS; i++)
		tf_guess_add(&g, options[i].name);
	if (*word == '-')
		fprintf(stderr, "trailfs-signer: there is no option %s%s\n",
		    word, tf_guess_text(&g, "--", text));
	else
		fputs("trailfs-signer: one directory of keys is needed\n",
		    stderr);
	fputs("trailfs-signer: trailfs-signer --help lists the options\n",
	    stderr);
	return EXIT_USAGE;
}

/* --complete ... BEFORE WORD: how it can go on, as trailctl prints that. */
static int
complete(const char *before, const char *word)
{
	const char *begun = strncmp(word, "--", 2) == 0 ? word + 2 : "";
	const size_t n = strlen(begun);

	for (size_t i = 0; *word == '-' && i < OPTIONS; i++) {
		if ((n > 0 || word[1] == '\0' || word[1] == '-') &&
		    strncmp(options[i].name, begun, n) == 0)
			printf("--%s\t%s\n", options[i].name, options[i].help);
		if (strcmp(word, "-") == 0)
			printf("%s\t%s\n", options[i].letter, options[i].help);
	}
	if (*word != '-')
		puts(is(before, OPENSSL) ? ":files" : ":directories");
	return EXIT_SUCCESS;
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
	if (argc > 2 && strcmp(argv[1], "--complete") == 0)
		return complete(argv[argc - 2], argv[argc - 1]);
	if (argc == 2 && is(argv[1], HELP)) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && is(argv[1], VERSION)) {
		printf("trailfs-signer %s\n", TF_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 3 && is(argv[1], MAKE))
		rc = tf_signer_make(argv[2], &err);
	else if (argc == 2 && argv[1][0] != '-')
		rc = tf_signer_run(argv[1], NULL, STDIN_FILENO, STDOUT_FILENO,
		    say_fence, &err);
	else if (argc == 4 && is(argv[1], OPENSSL))
		rc = tf_signer_run(argv[3], argv[2], STDIN_FILENO,
		    STDOUT_FILENO, say_fence, &err);
	else
		return wrong_usage(argc > 1 && !is(argv[1], MAKE) &&
			    !is(argv[1], OPENSSL) ?
			argv[1] :
			"");
	return rc == TF_OK ? EXIT_SUCCESS : complain(&err);
}
