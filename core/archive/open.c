/*
 * Opens a package.  Its members come from zip_scan.c or are files in a
 * directory.
 *
 * An archive is first read under the strict profile, which only trailfs writes.
 * If that fails, and the caller allows it, the archive is read once more as one
 * that another program has packed again: mail gateways and file managers do
 * that, and the evidence in it is still provable.  The form is kept, as a
 * verifier must say that such an archive is not the original.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/walk.h"
#include "archive_i.h"
#include "format.h"
#include "manifest.h"
#include "members.h"
#include "open.h"
#include "zip_scan.h"

#define DEPTH_MAX 600 /* directories; no package is deeper */
/* The directory where macOS puts its metadata of files. */
#define MACOS "__MACOSX/"

/* --- members -------------------------------------------------------------- */

/* Add a member of an archive, with its whole name. */
static enum tf_code
found(void *arg, const struct tf_zip_entry *e, struct tf_error *err)
{
	const struct tf_member m = { .m = { .size = e->size,
					 .executable = e->executable,
					 .plain = true },
		.at = e->at,
		.packed = e->packed,
		.crc = e->crc,
		.deflate = e->deflate };

	/* Only the profile of other programs has such names. */
	return tf_members_add(arg,
	    strncmp(e->name, "./", 2) == 0 ? e->name + 2 : e->name, &m, err);
}

/* Add a file in a directory. */
static enum tf_code
walked(void *arg, const char *path, enum tf_walk_kind kind, uint64_t size,
    struct tf_error *err)
{
	const struct tf_member m = {
		.m = { .size = kind == TF_WALK_FILE ? size : 0,
		    .plain = kind == TF_WALK_FILE }
	};

	return tf_members_add(arg, path, &m, err);
}

/* --- the topmost directory ------------------------------------------------ */

/* Remove the topmost directory from all names; their order stays the same. */
static enum tf_code
cut_top(struct tf_archive *a, struct tf_error *err)
{
	size_t n = strlen(a->top);
	char *name;

	for (size_t i = 0; i < a->n; i++) {
		name = (char *)a->m[i].m.name;
		if (a->form != TF_ARCHIVE_OURS &&
		    strncmp(name, MACOS, strlen(MACOS)) == 0)
			continue;
		if (strncmp(name, a->top, n) != 0 || name[n] != '/')
			return tf_fail(err, TF_TAMPER,
			    "the archive is malformed: more than one topmost "
			    "directory");
		memmove(name, name + n + 1, strlen(name + n + 1) + 1);
	}
	return TF_OK;
}

/* Find the topmost directory; an archive packed again may have none. */
static enum tf_code
find_top(struct tf_archive *a, struct tf_error *err)
{
	const char *name = NULL, *slash;
	size_t i;

	for (i = 0; i < a->n && name == NULL; i++)
		if (strncmp(a->m[i].m.name, MACOS, strlen(MACOS)) != 0)
			name = a->m[i].m.name;
	tf_members_sort(a);
	slash = name == NULL ? NULL : strchr(name, '/');
	if (slash == NULL || tf_members_find(a, TF_PACKAGE_BAGIT, a->n, &i))
		a->top = strdup("");
	else
		a->top = strndup(name, (size_t)(slash - name));
	if (a->top == NULL)
		return tf_nomem(err);
	return *a->top == '\0' ? TF_OK : cut_top(a, err);
}

/* --- opening -------------------------------------------------------------- */

static enum tf_code
scan(struct tf_archive *a, struct tf_error *err)
{
	enum tf_code rc = tf_zip_scan(a->fd,
	    a->form == TF_ARCHIVE_OURS ? TF_ZIP_STRICT : TF_ZIP_ANY, found, a,
	    err);

	if (rc == TF_OK)
		rc = find_top(a, err);
	return rc == TF_OK ? tf_members_check_names(a, err) : rc;
}

static enum tf_code
list_files(struct tf_archive *a, struct tf_error *err)
{
	enum tf_code rc;

	a->form = TF_ARCHIVE_FILES;
	if ((a->top = strdup("")) == NULL)
		return tf_nomem(err);
	rc = tf_walk(a->fd, DEPTH_MAX, walked, a, err);
	return rc == TF_OK ? tf_members_check_names(a, err) : rc;
}

/* List the members in the form that fits. */
static enum tf_code
list(struct tf_archive *a, bool any, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	if (any && fstat(a->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return list_files(a, err);
	rc = scan(a, any ? &a->why : err);
	if (rc == TF_OK || !any)
		return rc;
	if (rc != TF_TAMPER)
		return tf_fail_as(err, &a->why);
	/* If the other profile does not take it either, its reason is the one that
	 * matters: the first one may only be that another program packed it. */
	tf_members_forget(a);
	a->form = TF_ARCHIVE_REPACKED;
	return scan(a, err);
}

static enum tf_code
open_archive(const char *file, bool any, struct tf_archive **out,
    struct tf_error *err)
{
	struct tf_archive *a = calloc(1, sizeof(*a));
	enum tf_code rc;

	if (a == NULL)
		return tf_nomem(err);
	a->fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (a->fd < 0)
		rc = tf_fail(err, tf_code_of_open(errno), "%.100s: %s", file,
		    strerror(errno));
	else
		rc = list(a, any, err);
	if (rc == TF_OK)
		rc = tf_manifests_take(a, err);
	if (rc == TF_OK)
		*out = a;
	else
		tf_archive_close(a);
	return rc;
}

enum tf_code
tf_archive_open(const char *file, struct tf_archive **out, struct tf_error *err)
{
	return open_archive(file, false, out, err);
}

enum tf_code
tf_archive_open_any(const char *path, struct tf_archive **out,
    struct tf_error *err)
{
	return open_archive(path, true, out, err);
}

void
tf_archive_close(struct tf_archive *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		(void)close(a->fd);
	tf_members_forget(a);
	free(a->m);
	free(a);
}
