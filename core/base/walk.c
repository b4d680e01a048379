/*
 * Walking through directories: see walk.h.  Each directory is opened below its
 * parent's descriptor and without following links, so a tree that somebody
 * renames meanwhile cannot lead the walk elsewhere.  One descriptor is open
 * per level, and w->max limits the levels.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "walk.h"

struct walk {
	unsigned max, depth;
	tf_walked fn;
	void *arg;
	struct tf_buf path; /* n includes the final NUL */
};

static enum tf_code enter(struct walk *w, int fd, struct tf_error *err);

static enum tf_code
cannot_read(const char *path, struct tf_error *err)
{
	return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_IO, "%.100s: %s",
	    path, strerror(errno));
}

/* Handle the node at w->path: its last component is name, in directory fd. */
static enum tf_code
handle_node(struct walk *w, int fd, const char *name, struct tf_error *err)
{
	struct stat st;
	int dir;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_read(w->path.p, err);
	if (!S_ISDIR(st.st_mode) || w->depth == w->max)
		return w->fn(w->arg, w->path.p,
		    S_ISREG(st.st_mode)	    ? TF_WALK_FILE :
			S_ISDIR(st.st_mode) ? TF_WALK_DEEP :
					      TF_WALK_OTHER,
		    (uint64_t)st.st_size, err);
	dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? cannot_read(w->path.p, err) : enter(w, dir, err);
}

/* Walk the directory fd, whose path is w->path.  Takes ownership of fd. */
static enum tf_code
enter(struct walk *w, int fd, struct tf_error *err)
{
	size_t start = w->path.n - 1; /* without the NUL */
	DIR *d = fdopendir(fd);
	struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL) {
		(void)close(fd);
		return tf_fail(err, TF_IO, "%s", strerror(errno));
	}
	w->depth++;
	while (rc == TF_OK && (errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		w->path.n = start;
		if (start > 0)
			tf_buf_str(&w->path, "/");
		tf_buf_str(&w->path, e->d_name);
		tf_buf_add(&w->path, "", 1);
		rc = w->path.failed ? tf_nomem(err) :
				      handle_node(w, fd, e->d_name, err);
	}
	if (rc == TF_OK && errno != 0)
		rc = tf_fail(err, TF_IO, "%s", strerror(errno));
	w->depth--;
	(void)closedir(d);
	return rc;
}

enum tf_code
tf_walk(int dirfd, unsigned max, tf_walked fn, void *arg, struct tf_error *err)
{
	struct walk w = { .max = max, .fn = fn, .arg = arg };
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return cannot_read(".", err);
	tf_buf_add(&w.path, "", 1);
	if (w.path.failed) {
		(void)close(fd);
		return tf_nomem(err);
	}
	rc = enter(&w, fd, err);
	tf_buf_free(&w.path);
	return rc;
}
