/* What the daemon may use by Landlock: see landlock.h. */
#include <ctype.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/landlock.h"
#include "landlock.h"

/* A damaged object is renamed, whatever it is now, and Landlock takes that for
 * making one; seccomp leaves no call that makes one. */
#define WRITE_ALL                                                        \
	(TF_LL_WRITE | TF_LL_REMOVE_DIR | TF_LL_MAKE_DIR | TF_LL_REFER | \
	    TF_LL_MAKE_OTHERS)

static void
allow_directory_of(struct tf_landlock *r, const char *path, uint64_t rights)
{
	char *copy = path == NULL ? NULL : strdup(path);

	if (copy != NULL)
		tf_landlock_allow(r, dirname(copy), rights);
	free(copy);
}

/* What the C library reads to find users and groups, and the machine's id. */
static void
allow_names(struct tf_landlock *r)
{
	static const char *const paths[] = { "/etc", "/usr", "/lib", "/lib64",
		"/lib32", "/run/systemd", "/var/lib/sss", "/var/lib/extrausers",
		"/var/db", "/var/cache/nscd" };

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		tf_landlock_allow(r, paths[i], TF_LL_READ);
}

/* Parts of a store may be symbolic links to other disks. */
static void
allow_store(struct tf_landlock *r, const char *store, uint64_t rights)
{
	static const char *const parts[] = { "", "/objects", "/stage",
		"/keys" };
	char path[4200];

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", store, parts[i]);
		tf_landlock_allow(r, path, rights);
	}
}

enum tf_code
fs_landlock_daemon(const char *store, bool read_only,
    const struct tf_outside *outside, int *version, struct tf_error *err)
{
	struct tf_landlock r;

	tf_landlock_begin(&r, false, err);
	allow_store(&r, store, read_only ? TF_LL_READ : WRITE_ALL);
	allow_directory_of(&r, outside->guard, TF_LL_WRITE);
	allow_directory_of(&r, outside->last_guard, TF_LL_READ);
	if (outside->index != NULL)
		/* Its first reader truncates it. */
		tf_landlock_allow(&r, outside->index,
		    TF_LL_READ_FILE | TF_LL_WRITE_FILE | TF_LL_TRUNCATE);
	if (outside->stamp_ca != NULL)
		tf_landlock_allow(&r, outside->stamp_ca, TF_LL_READ_FILE);
	if (read_only) /* which cannot have temporary files in the store */
		tf_landlock_allow(&r, "/tmp", TF_LL_WRITE);
	tf_landlock_allow(&r, "/proc", TF_LL_READ);
	tf_landlock_allow(&r, "/dev/null", TF_LL_READ_FILE | TF_LL_WRITE_FILE);
	tf_landlock_allow(&r, "/dev/urandom", TF_LL_READ_FILE);
	allow_names(&r);
	return tf_landlock_enforce(&r, version);
}

enum tf_code
fs_landlock_router(const char *path, int *version, struct tf_error *err)
{
	struct tf_landlock r;

	tf_landlock_begin(&r, false, err);
	tf_landlock_allow(&r, path, TF_LL_READ_DIR);
	tf_landlock_allow(&r, "/proc/self/mountinfo", TF_LL_READ_FILE);
	tf_landlock_allow(&r, "/dev/null", TF_LL_READ_FILE | TF_LL_WRITE_FILE);
	return tf_landlock_enforce(&r, version);
}

/* --- the follower ---------------------------------------------------------------- */

/* A file that a URI gives an engine to read, and the names beside it. */
static void
allow_file(struct tf_landlock *r, const char *path)
{
	if (path == NULL || path[0] != '/')
		return;
	tf_landlock_allow(r, path, TF_LL_READ_FILE);
	allow_directory_of(r, path, TF_LL_READ_DIR);
}

/* The hexadecimal digits behind a percent sign, or -1. */
static int
octet(const char *s)
{
	unsigned v;

	return isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]) &&
		sscanf(s, "%2x", &v) == 1 ?
	    (int)v :
	    -1;
}

/* The values of parameters that are paths. */
static void
allow_parameters(struct tf_landlock *r, const char *uri)
{
	const char *s = strchr(uri, '?');
	char path[PATH_MAX];
	size_t n;
	int c;

	if (s == NULL)
		return;
	while ((s = strchr(s, '=')) != NULL) {
		n = 0;
		for (s++; *s != '\0' && *s != '&' && n < sizeof path - 1; s++) {
			c = *s == '%' ? octet(s + 1) : -1;
			path[n++] = (char)(c < 0 ? *s : c);
			s += c < 0 ? 0 : 2;
		}
		path[n] = '\0';
		allow_file(r, path);
	}
}

/* What libpq reads without being told, and what systemd gives. */
static void
allow_secrets(struct tf_landlock *r)
{
	static const char *const variables[] = { "PGPASSFILE", "PGSERVICEFILE",
		"PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT", "PGSSLCRL" };
	static const char *const of_home[] = { ".pgpass", ".postgresql",
		".pg_service.conf" };
	const char *home = getenv("HOME");
	const char *given = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		allow_file(r, getenv(variables[i]));
	for (size_t i = 0;
	     home != NULL && i < sizeof of_home / sizeof of_home[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", home, of_home[i]);
		tf_landlock_allow(r, path, TF_LL_READ);
	}
	if (given != NULL)
		tf_landlock_allow(r, given, TF_LL_READ);
}

/* Plug-ins stand beside the program, or in ../lib/trailfs. */
static void
allow_plugins(struct tf_landlock *r)
{
	char exe[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n <= 0)
		return;
	exe[n] = '\0';
	allow_directory_of(r, exe, TF_LL_READ);
	(void)snprintf(path, sizeof path, "%s/../lib/trailfs", dirname(exe));
	tf_landlock_allow(r, path, TF_LL_READ);
}

enum tf_code
fs_landlock_follower(const char *path, const char *const uri[2], int *version,
    struct tf_error *err)
{
	struct tf_landlock r;

	tf_landlock_begin(&r, true, err);
	tf_landlock_allow(&r, path, WRITE_ALL);
	for (size_t i = 0; i < 2; i++) {
		if (strncmp(uri[i], "dir:", 4) == 0)
			tf_landlock_allow(&r, uri[i] + 4, TF_LL_WRITE);
		else
			allow_parameters(&r, uri[i]);
	}
	allow_secrets(&r);
	allow_plugins(&r);
	tf_landlock_allow(&r, "/proc", TF_LL_READ);
	tf_landlock_allow(&r, "/dev/null", TF_LL_READ_FILE | TF_LL_WRITE_FILE);
	tf_landlock_allow(&r, "/dev/urandom", TF_LL_READ_FILE);
	tf_landlock_allow(&r, "/run/systemd", TF_LL_READ);
	tf_landlock_allow(&r, "/run/resolvconf", TF_LL_READ);
	tf_landlock_allow(&r, "/run/NetworkManager", TF_LL_READ);
	allow_names(&r);
	return tf_landlock_enforce(&r, version);
}
