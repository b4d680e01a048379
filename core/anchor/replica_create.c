/* Makes an empty replica: see replica.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../store/key_dir.h"
#include "../store/store_files.h"
#include "../vault/new_store.h"
#include "replica_i.h"

enum tf_code
tf_replica_write_public(int dirfd, const struct tf_vkey *k,
    struct tf_error *err)
{
	struct tf_buf text = { 0 }, pem = { 0 };
	enum tf_code rc;

	tf_vkey_text(k, &text);
	tf_buf_add(&text, "\n", 1);
	tf_pubkey_pem(&k->pub, &pem);
	rc = text.failed ? tf_nomem(err) : tf_buf_end(&pem, err);
	if (rc == TF_OK)
		rc = tf_file_write(dirfd, TF_LOG_VKEY, text.p, text.n, 0400,
		    false, err);
	if (rc == TF_OK)
		rc = tf_file_write(dirfd, TF_LOG_PUB, pem.p, pem.n, 0400, false,
		    err);
	tf_buf_free(&text);
	tf_buf_free(&pem);
	return rc;
}

/* The text of the mark, which is there before anything else: as MAKING while the
 * replica is being made, and under its own name at the end. */
#define MAKING TF_MIRROR_MARK ".new"

/* A process was killed while it made a replica there. */
static bool
is_unfinished(const char *path)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s/" MAKING, path);
	return access(name, F_OK) == 0;
}

bool
tf_replica_is_free(const char *path)
{
	const struct dirent *e;
	DIR *d = opendir(path);
	bool empty = d != NULL || errno == ENOENT;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			empty = false;
	if (d != NULL)
		(void)closedir(d);
	return empty || is_unfinished(path);
}

void
tf_replica_remove_directory(int dirfd, const char *name)
{
	int fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		(void)unlinkat(fd, e->d_name, 0);
	(void)closedir(d);
	(void)unlinkat(dirfd, name, AT_REMOVEDIR);
}

/* Remove what was made, but for the mark. */
static void
clear(int dirfd, const char *path)
{
	static const char *const dirs[] = { TF_INCOMING, "keys", "objects",
		"stage" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		tf_replica_remove_directory(dirfd, dirs[i]);
	tf_new_store_unmake(dirfd, path, false);
}

/* The mark goes last: until then the next attempt removes the rest. */
static void
unmake(int dirfd, const char *path, bool made)
{
	clear(dirfd, path);
	(void)unlinkat(dirfd, MAKING, 0);
	if (made)
		(void)rmdir(path);
}

/*
 * Make the directory path with the mark MAKING in it, and lock the mark: *fd.
 * A directory in which an earlier attempt was killed has the mark already; it
 * was empty before, so all that is in it may go.
 */
static enum tf_code
begin_making(const char *path, bool *made, int *dirfd, int *fd,
    struct tf_error *err)
{
	int create = O_CREAT;
	enum tf_code rc = TF_OK;

	*made = mkdir(path, 0700) == 0;
	if (!*made && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %s: %s", path,
		    strerror(errno));
	*dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd < 0)
		return tf_fail(err, TF_IO, "make %s: %s", path,
		    strerror(errno));
	if (is_unfinished(path))
		create = 0;
	else
		rc = tf_new_store_check(path, err);
	if (rc == TF_OK)
		rc = tf_file_open(*dirfd, MAKING, O_RDWR | create, fd, err);
	if (rc != TF_OK)
		return rc;
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return tf_fail(err, TF_LOCKED,
		    "another process makes the mirror %.100s", path);
	if (faccessat(*dirfd, TF_MIRROR_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return tf_fail(err, TF_EXISTS, "%.100s is a mirror already",
		    path);
	clear(*dirfd, path);
	return tf_file_sync_dir(*dirfd, ".", err);
}

static enum tf_code
make_files(int dirfd, int markfd, const struct tf_vkey *k, struct tf_error *err)
{
	char text[256];
	enum tf_code rc;

	(void)snprintf(text, sizeof(text),
	    "This store is a mirror of %s.  trailctl mirror or org fetch "
	    "writes it, and nothing else.\n",
	    k->name);
	if (mkdirat(dirfd, TF_INCOMING, 0700) < 0 ||
	    fchmodat(dirfd, TF_INCOMING, 0700, 0) < 0)
		return tf_fail(err, TF_IO, "make " TF_INCOMING);
	rc = tf_file_pwrite(markfd, text, strlen(text), 0, NULL);
	if (rc != TF_OK)
		return tf_fail(err, TF_IO, "write " TF_MIRROR_MARK);
	return tf_file_sync(markfd, err);
}

/* From here on it is a replica. */
static enum tf_code
end_making(int dirfd, struct tf_error *err)
{
	enum tf_code rc = tf_file_sync_dir(dirfd, ".", err);

	if (rc == TF_OK && renameat(dirfd, MAKING, dirfd, TF_MIRROR_MARK) < 0)
		rc = tf_fail(err, TF_IO, "make " TF_MIRROR_MARK);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, ".", err);
	return rc == TF_OK ? tf_file_sync_dir(dirfd, "..", err) : rc;
}

enum tf_code
tf_replica_create(const char *path, const char *vkey, const char *store,
    struct tf_error *err)
{
	struct tf_vkey k;
	bool made = false, ignored;
	int dirfd = -1, again = -1, markfd = -1;
	enum tf_code rc;

	if ((rc = tf_vkey_parse(vkey, strcspn(vkey, "\n"), &k, err)) != TF_OK)
		return rc;
	if (strlen(store) != 32 || strspn(store, "0123456789abcdef") != 32)
		return tf_fail(err, TF_INVALID,
		    "the id of a store is 32 hex digits");
	rc = begin_making(path, &made, &dirfd, &markfd, err);
	if (rc == TF_OK) {
		if ((rc = tf_new_store_dirs(path, NULL, &again, &ignored,
			 err)) == TF_OK &&
		    (rc = tf_replica_write_public(dirfd, &k, err)) == TF_OK &&
		    (rc = make_files(dirfd, markfd, &k, err)) == TF_OK &&
		    (rc = tf_new_store_database(path, k.name, store, err)) ==
			TF_OK)
			rc = end_making(dirfd, err);
		if (rc != TF_OK)
			unmake(dirfd, path, made);
	} else if (made) {
		(void)rmdir(path);
	}
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 ? markfd : i == 1 ? again : dirfd;

		if (fd >= 0)
			(void)close(fd);
	}
	return rc;
}
