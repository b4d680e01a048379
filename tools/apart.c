/* The store that a copy is made of, and a directory outside of it: see apart.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apart.h"
#include "node.h"
#include "where.h"

/* The real path of dir, or of the nearest directory above it that is there.
 * The caller frees it; NULL: there is none. */
static char *
nearest(const char *dir)
{
	char *name = strdup(dir), *found = NULL, *slash;

	while (name != NULL && (found = realpath(name, NULL)) == NULL &&
	    errno == ENOENT && strcmp(name, ".") != 0) {
		slash = strrchr(name, '/');
		if (slash == NULL)
			(void)strcpy(name, ".");
		else
			slash[slash == name ? 1 : 0] = '\0';
	}
	free(name);
	return found;
}

/* Is dir, which need not exist, the directory top or below it?  Directories are
 * compared and not names, of which a directory has many. */
static bool
is_within(const char *dir, const char *top)
{
	char *at = nearest(dir), *slash;
	struct stat st, want;
	bool yes = false, more = at != NULL && stat(top, &want) == 0;

	while (more && stat(at, &st) == 0) {
		yes = st.st_dev == want.st_dev && st.st_ino == want.st_ino;
		more = !yes && at[1] != '\0' &&
		    (slash = strrchr(at, '/')) != NULL;
		if (more)
			slash[slash == at ? 1 : 0] = '\0';
	}
	free(at);
	return yes;
}

/* A copy in its source, or around it, would be a part of what it copies. */
static enum tf_code
check_apart(const char *store, const char *mount, const char *dir,
    const char *what, struct tf_error *err)
{
	if (is_within(dir, store) || (mount != NULL && is_within(dir, mount)))
		return tf_fail(err, TF_USAGE,
		    "%.100s is in the store itself: a %s needs a directory "
		    "outside",
		    dir, what);
	if (is_within(store, dir) || (mount != NULL && is_within(mount, dir)))
		return tf_fail(err, TF_USAGE,
		    "the store is in %.100s: a %s needs a directory outside",
		    dir, what);
	return TF_OK;
}

enum tf_code
apart_ordinary(const char *dir, const char *what, struct tf_error *err)
{
	struct where w = { 0 };
	struct tf_error other; /* it is no vault */
	char *at = nearest(dir);
	bool mounted = at != NULL && where_find(at, &w, &other) == TF_OK &&
	    w.mount != NULL;

	free(at);
	where_free(&w);
	return !mounted ?
	    TF_OK :
	    tf_fail(err, TF_USAGE,
		"%s is in a trailfs mount: a %s needs an ordinary directory",
		dir, what);
}

enum tf_code
apart_takes_files(const char *dir, struct tf_error *err)
{
	struct where w = { 0 };
	struct tf_error other; /* it is no vault */
	bool exists,
	    no = where_find_name(dir, &w, &exists, &other) == TF_OK &&
	    w.mount != NULL &&
	    node_kind_of_directory(w.path) < TF_KIND_WORKFLOW;

	where_free(&w);
	return !no ? TF_OK :
		     tf_fail(err, TF_USAGE,
			 "%s is in a trailfs mount, where files can be in "
			 "attestations only: name a workflow, or an ordinary "
			 "directory",
			 dir);
}

enum tf_code
apart_find(const char *arg, const char *dir, const char *what, char **store,
    struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK && w.mount != NULL) {
		rc = where_store(&w, store, err);
	} else if (rc == TF_OK) {
		*store = w.store;
		w.store = NULL;
	}
	if (rc == TF_OK && dir != NULL)
		rc = check_apart(*store, w.mount, dir, what, err);
	if (rc == TF_OK && dir != NULL)
		rc = apart_ordinary(dir, what, err);
	where_free(&w);
	return rc;
}
