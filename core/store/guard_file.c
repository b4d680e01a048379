/* The file of the guard: see guard_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "guard_file.h"

/* Open the directory of the guard; name is the guard's name in it. */
static enum tf_code
open_dir(const char *path, int *dirfd, char name[256], struct tf_error *err)
{
	char *copy = strdup(path), *other = strdup(path);
	enum tf_code rc = TF_OK;

	*dirfd = -1;
	if (copy == NULL || other == NULL) {
		rc = tf_nomem(err);
	} else {
		(void)snprintf(name, 256, "%s", basename(copy));
		*dirfd = open(dirname(other),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*dirfd < 0)
			rc = tf_fail(err, TF_IO,
			    "guard %.100s cannot be reached: %s", path,
			    strerror(errno));
	}
	free(copy);
	free(other);
	return rc;
}

enum tf_code
tf_guard_read(const char *path, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	char name[256];
	int dirfd;
	enum tf_code rc = open_dir(path, &dirfd, name, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_file_read(dirfd, name, max, out, err);
	(void)close(dirfd);
	return rc;
}

enum tf_code
tf_guard_place(const char *path, int storefd, bool *inside, bool *same_disk,
    struct tf_error *err)
{
	struct stat store, dir;
	char name[256];
	int dirfd;
	enum tf_code rc = open_dir(path, &dirfd, name, err);

	if (rc != TF_OK)
		return rc;
	*inside = *same_disk = false;
	if (fstat(storefd, &store) < 0 || fstat(dirfd, &dir) < 0) {
		(void)close(dirfd);
		return tf_fail(err, TF_IO, "stat the guard: %s",
		    strerror(errno));
	}
	*same_disk = store.st_dev == dir.st_dev;
	*inside = tf_dir_is_below(dirfd, &store);
	return TF_OK;
}

enum tf_code
tf_guard_write(const char *path, struct tf_str note, struct tf_error *err)
{
	char name[256];
	int dirfd;
	enum tf_code rc = open_dir(path, &dirfd, name, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_file_write(dirfd, name, note.p, note.n, 0444, false, err);
	(void)close(dirfd);
	return rc;
}
