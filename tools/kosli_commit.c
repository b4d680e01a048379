/*
 * kosli --commit and --repo-root.
 *
 * A digest is recorded as it is given. Another name of a commit, such as HEAD,
 * is only known to a repository, so git(1) is asked. With --repo-root it is
 * asked about a digest, too: the option would have no meaning otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kosli.h"
#include "program.h"

#define SHORTEST 7 /* hex digits of a digest that is recorded as it is given */

/* Digits of a whole or a shortened digest. */
static bool
is_digest(const char *s, size_t n)
{
	return n >= SHORTEST && n <= 64 && strspn(s, "0123456789abcdef") == n;
}

/* What git printed, without its line ends, for a message. */
static void
first_line(const struct tf_buf *b, char out[100])
{
	const char *end = b->n > 0 ? memchr(b->p, '\n', b->n) : NULL;

	(void)snprintf(out, 100, "%.*s",
	    (int)(end != NULL ? (size_t)(end - b->p) : b->n),
	    b->n > 0 ? b->p : "");
}

/* The whole digest is all that git prints. */
static enum tf_code
take_digest(const struct program_verdict *v, char hex[65], struct tf_error *err)
{
	const struct tf_buf *b = &v->output;
	const size_t n = b->n > 0 ? b->n - 1 : 0;
	char line[100];

	if (v->exit == 0 && (n == 40 || n == 64) && b->p[n] == '\n' &&
	    strspn(b->p, "0123456789abcdef") == n) {
		memcpy(hex, b->p, n);
		hex[n] = '\0';
		return TF_OK;
	}
	first_line(b, line);
	return tf_fail(err, TF_USAGE, "--commit: git knows no commit %.30s: %s",
	    kosli_ask.commit, line);
}

enum tf_code
kosli_commit(struct tf_error *err)
{
	static char hex[65];
	const char *s = kosli_ask.commit, *root = kosli_ask.repo_root;
	char *name = NULL;
	char *argv[] = { "git", "rev-parse", "--quiet", "--verify",
		"--end-of-options", NULL, NULL };
	struct program_verdict v = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc;

	if (s == NULL && root != NULL)
		return tf_fail(err, TF_USAGE,
		    "--repo-root: there is no --commit to look for in it");
	if (s == NULL || (root == NULL && is_digest(s, strlen(s))))
		return TF_OK;
	if (asprintf(&name, "%s^{commit}", s) < 0)
		return tf_nomem(err);
	argv[5] = name;
	rc = program_judge(argv, root != NULL ? root : ".", &v, &why);
	if (rc == TF_OK)
		rc = take_digest(&v, hex, err);
	else
		rc = tf_fail(err, TF_USAGE,
		    "--commit: \"%.30s\" is no digest, and git cannot be "
		    "asked: %.70s",
		    s, why.text);
	if (rc == TF_OK)
		kosli_ask.commit = hex;
	program_verdict_free(&v);
	free(name);
	return rc;
}
