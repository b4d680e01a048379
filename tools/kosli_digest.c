/*
 * Kosli's fingerprints of files and directories, which are digests.
 *
 * A file: its SHA-256. A directory: the SHA-256 over one text, to which each
 * entry, in the order of the names as bytes, adds the hex digest of its name
 * and then the hex digest of its bytes; a directory adds its name and then its
 * entries. A link to a file counts as that file, and a link to a directory adds
 * the digest of its target's name and is not entered. What --exclude or
 * .kosli_ignore matches is left out. This must stay exactly as Kosli has it, or
 * fingerprints from before a move to trailfs would name other artifacts.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "files.h"
#include "kosli.h"
#include "report.h"

#define IGNORE ".kosli_ignore"
#define IGNORE_MAX ((size_t)1 << 20) /* bytes */
#define DEPTH_MAX 200

/* O_NONBLOCK: opening a pipe must not wait for a writer. */
static enum tf_code
hash_file(const char *path, char hex[65], struct tf_error *err)
{
	struct tf_sha256 *h = NULL;
	struct tf_hash digest;
	char part[65536];
	struct stat st;
	ssize_t n = 0;
	enum tf_code rc = TF_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = report_system(err, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = tf_fail(err, TF_USAGE, "%s is not a file", path);
	else if ((h = tf_sha256_new()) == NULL)
		rc = tf_nomem(err);
	while (rc == TF_OK && (n = read(fd, part, sizeof(part))) > 0)
		tf_sha256_add(h, part, (size_t)n);
	if (rc == TF_OK && n < 0)
		rc = report_system(err, "%s", path);
	if (rc == TF_OK) {
		tf_sha256_peek(h, &digest);
		tf_hex(digest.b, sizeof(digest.b), hex);
	}
	tf_sha256_free(h);
	if (fd >= 0)
		(void)close(fd); /* read-only */
	return rc;
}

/* --- what is left out ------------------------------------------------------------- */

/* Match path against pattern, both without a slash at the ends.  "**" stands
 * for any number of directories, "*" and "?" for no slash. */
static bool
matches(const char *pattern, const char *path)
{
	const size_t pn = strcspn(pattern, "/"), n = strcspn(path, "/");
	const char *rest = pattern + pn + (pattern[pn] == '/');
	const char *below = path + n + (path[n] == '/');
	char p[256], s[256];

	if (pn == 2 && memcmp(pattern, "**", 2) == 0) {
		if (pattern[pn] == '\0')
			return true;
		for (; *path != '\0'; path += strcspn(path, "/")) {
			path += *path == '/';
			if (matches(rest, path))
				return true;
		}
		return false;
	}
	if (n == 0 || pn >= sizeof(p) || n >= sizeof(s))
		return false;
	(void)snprintf(p, sizeof(p), "%.*s", (int)pn, pattern);
	(void)snprintf(s, sizeof(s), "%.*s", (int)n, path);
	if (fnmatch(p, s, 0) != 0)
		return false;
	if (pattern[pn] == '\0' || path[n] == '\0')
		return pattern[pn] == path[n];
	return matches(rest, below);
}

struct walk {
	struct tf_sha256 *h;
	const struct args_list *exclude;
	struct tf_buf ignore; /* the lines of .kosli_ignore */
};

/* Kosli's patterns may begin with "./"; paths here never do. */
static const char *
tidy(const char *s)
{
	while (strncmp(s, "./", 2) == 0)
		s += 2;
	return s;
}

/* `path` is relative to the top, without a slash first. */
static bool
is_excluded(const struct walk *w, const char *path)
{
	const char *p = w->ignore.p, *end = p + w->ignore.n;

	for (size_t i = 0; w->exclude != NULL && i < w->exclude->n; i++)
		if (matches(tidy(w->exclude->v[i]), path))
			return true;
	while (p != NULL && p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf != NULL ? lf : end) - p);
		const char *comment = memchr(p, '#', n);
		char line[512];

		if (comment != NULL)
			n = (size_t)(comment - p);
		while (n > 0 && strchr(" \t\r/", p[n - 1]) != NULL)
			n--;
		while (n > 0 && (*p == ' ' || *p == '\t'))
			p++, n--;
		(void)snprintf(line, sizeof(line), "%.*s", (int)n, p);
		if (n > 0 && n < sizeof(line) && matches(tidy(line), path))
			return true;
		p = lf != NULL ? lf + 1 : end;
	}
	return false;
}

/* --- the walk ------------------------------------------------------------------------ */

/* Add the digest of a text, as hex digits. */
static void
add_text(struct walk *w, const char *text)
{
	struct tf_hash digest;
	char hex[65];

	tf_sha256(text, strlen(text), &digest);
	tf_hex(digest.b, sizeof(digest.b), hex);
	tf_sha256_add(w->h, hex, 64);
}

static enum tf_code walk(struct walk *w, const char *top, const char *below,
    unsigned depth, struct tf_error *err);

/* path: of the entry; below: the same from the top. */
static enum tf_code
add_entry(struct walk *w, const char *top, const char *path, const char *below,
    unsigned depth, struct tf_error *err)
{
	const char *slash = strrchr(below, '/');
	struct stat st, target;
	char hex[65], link[4096];
	enum tf_code rc;
	ssize_t n;

	if (lstat(path, &st) < 0 || stat(path, &target) < 0)
		return report_system(err, "%s", path);
	add_text(w, slash != NULL ? slash + 1 : below);
	if (S_ISDIR(st.st_mode))
		return walk(w, top, below, depth + 1, err);
	if (S_ISDIR(target.st_mode)) {
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			return report_system(err, "%s", path);
		link[n] = '\0';
		add_text(w, link);
		return TF_OK;
	}
	rc = hash_file(path, hex, err);
	if (rc == TF_OK)
		tf_sha256_add(w->h, hex, 64);
	return rc;
}

/* The order must not depend on the locale. */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Add all entries of the directory. DEPTH_MAX bounds the recursion. */
static enum tf_code
walk(struct walk *w, const char *top, const char *below, unsigned depth,
    struct tf_error *err)
{
	struct dirent **e = NULL;
	char *path = NULL, *name = NULL;
	enum tf_code rc = TF_OK;
	int n;

	if (depth > DEPTH_MAX)
		return tf_fail(err, TF_USAGE, "%s is too deep", top);
	if (asprintf(&path, "%s/%s", top, below) < 0)
		return tf_nomem(err);
	n = scandir(path, &e, NULL, by_bytes);
	if (n < 0)
		rc = report_system(err, "%s", path);
	free(path);
	for (int i = 0; i < n; i++) {
		const char *own = e[i]->d_name;

		path = name = NULL;
		if (rc == TF_OK && strcmp(own, ".") != 0 &&
		    strcmp(own, "..") != 0) {
			if (asprintf(&name, "%s%s%s", below,
				*below != '\0' ? "/" : "", own) < 0)
				name = NULL;
			if (name == NULL ||
			    asprintf(&path, "%s/%s", top, name) < 0) {
				path = NULL;
				rc = tf_nomem(err);
			} else if (!is_excluded(w, name)) {
				rc = add_entry(w, top, path, name, depth, err);
			}
		}
		free(path);
		free(name);
		free(e[i]);
	}
	free(e);
	return rc;
}

static enum tf_code
hash_dir(const char *path, const struct args_list *exclude, char hex[65],
    struct tf_error *err)
{
	struct walk w = { .exclude = exclude };
	struct tf_hash digest;
	char *ignore = NULL;
	enum tf_code rc = TF_OK;

	if (asprintf(&ignore, "%s/" IGNORE, path) < 0)
		return tf_nomem(err);
	if ((w.h = tf_sha256_new()) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK && access(ignore, F_OK) == 0)
		rc = files_read(ignore, IGNORE_MAX, &w.ignore, err);
	if (rc == TF_OK)
		rc = walk(&w, path, "", 0, err);
	if (rc == TF_OK) {
		tf_sha256_peek(w.h, &digest);
		tf_hex(digest.b, sizeof(digest.b), hex);
	}
	tf_sha256_free(w.h);
	tf_buf_free(&w.ignore);
	free(ignore);
	return rc;
}

enum tf_code
kosli_digest(const char *type, const char *path,
    const struct args_list *exclude, char hex[65], struct tf_error *err)
{
	if (strcmp(type, "file") == 0)
		return exclude->n > 0 ?
		    tf_fail(err, TF_USAGE, "--exclude is for directories") :
		    hash_file(path, hex, err);
	if (strcmp(type, "dir") == 0)
		return hash_dir(path, exclude, hex, err);
	if (strcmp(type, "oci") == 0 || strcmp(type, "docker") == 0)
		return tf_fail(err, TF_USAGE,
		    "--artifact-type %s: " KOSLI_NO_REGISTRY, type);
	return tf_fail(err, TF_USAGE,
	    "--artifact-type is file or dir, not \"%.60s\"", type);
}

/* --- kosli fingerprint ------------------------------------------------------------------ */

static int
run(int n, char **arg)
{
	struct tf_error err = { 0 };
	char hex[65];
	enum tf_code rc;

	(void)n;
	if (kosli_ask.artifact_type == NULL)
		return kosli_usage(&kosli_fingerprint,
		    "--artifact-type is missing");
	rc = kosli_lists(&err);
	if (rc == TF_OK)
		rc = kosli_digest(kosli_ask.artifact_type, arg[0],
		    &kosli_ask.exclude, hex, &err);
	if (rc != TF_OK)
		return report(&err);
	puts(hex);
	return REPORT_OK;
}

static const struct args_option options[] = {
	KOSLI_TEXT("artifact-type", 't', "file|dir", "what it is",
	    &kosli_ask.artifact_type),
	KOSLI_LIST("exclude", 'x', "GLOB,...", "leave these paths out",
	    &kosli_ask.exclude),
	KOSLI_NO("registry-username", 0, KOSLI_NO_REGISTRY),
	KOSLI_NO("registry-password", 0, KOSLI_NO_REGISTRY),
	KOSLI_NO("registry-provider", 0, KOSLI_NO_REGISTRY),
	KOSLI_GLOBAL,
};

const struct kosli_word kosli_fingerprint = {
	.verb = "fingerprint",
	.operand = "FILE-OR-DIR",
	.is = "sha256sum of a file; Kosli's own digest of a directory",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
