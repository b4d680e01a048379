/* What the daemon may use by Landlock: see landlock.h. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	tf_landlock_begin(&r, err);
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
fs_landlock_router(const char *path, struct tf_error *err)
{
	struct tf_landlock r;
	int version;

	tf_landlock_begin(&r, err);
	tf_landlock_allow(&r, path, TF_LL_READ_DIR);
	tf_landlock_allow(&r, "/proc/self/mountinfo", TF_LL_READ_FILE);
	tf_landlock_allow(&r, "/dev/null", TF_LL_READ_FILE | TF_LL_WRITE_FILE);
	return tf_landlock_enforce(&r, &version);
}
