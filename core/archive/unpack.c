/*
 * Unpack a package.  Only archives that pass the strict profile are unpacked,
 * and each file must have the digest in the manifest.  openat2(2) keeps every
 * file inside the directory.
 *
 * The topmost directory must be new, so nothing that exists is ever replaced.
 * After a failure the files that were written stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../progress.h"
#include "../package.h"
#include "format.h"
#include "members.h"
#include "open.h"
#include "reader.h"

struct target {
	int fd;
	uint64_t off;
	uint64_t done, of; /* bytes of all files */
};

/* Write the next bytes of the file; nothing is seeked or read back. */
static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct target *t = arg;
	enum tf_code rc = tf_file_pwrite(t->fd, p, n, t->off, err);

	t->off += n;
	t->done += n;
	tf_progress(t->done, t->of);
	return rc;
}

/* Make the directories of name below dirfd. */
static enum tf_code
make_parents(int dirfd, const char *name, struct tf_error *err)
{
	char path[8192 + 256];
	const char *slash = name;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && (slash = strchr(slash, '/')) != NULL) {
		memcpy(path, name, (size_t)(slash - name));
		path[slash - name] = '\0';
		rc = tf_file_mkdir_beneath(dirfd, path, err);
		slash++;
	}
	return rc;
}

/* Unpack one file.  The name passed the profile, and openat2(2) refuses to
 * leave the directory even if a name or a symlink tried. */
static enum tf_code
unpack_one(struct tf_archive_reader *r, size_t i,
    const struct tf_archive_member *m, int dirfd, uint64_t *done, uint64_t of,
    struct tf_error *err)
{
	struct target t = { .fd = -1, .done = *done, .of = of };
	struct tf_hash h;
	enum tf_code rc = make_parents(dirfd, m->name, err);

	if (rc == TF_OK)
		rc = tf_file_create_beneath(dirfd, m->name,
		    m->executable ? 0777 : 0666, &t.fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_archive_read(r, i, put, &t, &h, err);
	*done = t.done;
	if (close(t.fd) < 0 && rc == TF_OK)
		rc = tf_fail(err, TF_IO, "close %.80s", m->name);
	/* No manifest lists the tagmanifest, so it has no digest to check. */
	if (rc == TF_OK && strcmp(m->name, TF_PACKAGE_TAGMANIFEST) != 0 &&
	    memcmp(&h, &m->sha256, sizeof(h)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "%.80s: its bytes are not those of the manifest", m->name);
	return rc;
}

/* Make the directory name in dirfd, which dir names; it must not exist. */
static enum tf_code
make_top(int dirfd, const char *dir, const char *name, int *fd,
    struct tf_error *err)
{
	if (mkdirat(dirfd, name, 0777) < 0)
		return errno == EEXIST ?
		    tf_fail(err, TF_EXISTS,
			"%s/%s is there already: unpack elsewhere", dir, name) :
		    tf_fail(err, TF_IO, "%s/%s: %s", dir, name,
			strerror(errno));
	*fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 ?
	    TF_OK :
	    tf_fail(err, TF_IO, "%.100s: %s", name, strerror(errno));
}

static enum tf_code
unpack_all(const struct tf_archive *a, int dirfd, const char *dir,
    uint64_t *files, struct tf_error *err)
{
	struct tf_archive_reader *r = NULL;
	struct tf_archive_member m;
	uint64_t done = 0, of = 0;
	int top = -1;
	enum tf_code rc = tf_archive_reader_new(a, &r, err);

	for (size_t i = 0; i < tf_archive_count(a); i++) {
		tf_archive_member(a, i, &m);
		of += m.size;
	}

	if (rc == TF_OK)
		rc = make_top(dirfd, dir, tf_archive_top(a), &top, err);
	for (size_t i = 0; rc == TF_OK && i < tf_archive_count(a); i++) {
		tf_archive_member(a, i, &m);
		rc = unpack_one(r, i, &m, top, &done, of, err);
		*files += rc == TF_OK;
	}
	if (top >= 0)
		(void)close(top);
	tf_archive_reader_free(r);
	return rc;
}

enum tf_code
tf_package_unpack(const char *file, const char *dir, uint64_t *files,
    struct tf_error *err)
{
	struct tf_archive *a;
	int fd = -1;
	enum tf_code rc = tf_archive_open(file, &a, err);

	*files = 0;
	if (rc != TF_OK)
		return rc;
	if ((mkdir(dir, 0777) < 0 && errno != EEXIST) ||
	    (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = tf_fail(err, TF_IO, "%.100s: %s", dir, strerror(errno));
	if (rc == TF_OK)
		rc = unpack_all(a, fd, dir, files, err);
	if (fd >= 0)
		(void)close(fd);
	if (rc != TF_OK && err != NULL)
		tf_error_at(err, dir);
	tf_archive_close(a);
	return rc;
}
