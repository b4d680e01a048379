/* Copies of an organisation: see copies.h above. */
#include "../copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/file.h"
#include "../buffer.h"
#include "../control.h"
#include "../ledger/note.h"
#include "../store/connection.h"
#include "../store/store_files.h"
#include "fetch_i.h"

#define VKEY_MAX 4096 /* bytes */

struct copies {
	struct found {
		struct tf_copy copy;
		struct tf_buf buf;
	} * v;
	size_t n, cap;
};

static bool
has(int dirfd, const char *dir, const char *name)
{
	struct tf_buf path = { 0 };
	bool yes;

	tf_buf_printf(&path, "%s/%s", dir, name);
	tf_buf_add(&path, "", 1);
	yes = !path.failed && faccessat(dirfd, path.p, F_OK, 0) == 0;
	tf_buf_free(&path);
	return yes;
}

static bool
is_dir(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
}

/*
 * A directory of copies has nothing else: an unpacked package may have evidence with
 * the names of a store, or a whole one, and must not be judged as that.  Nor is it a
 * directory of a mount, which may have a million names.
 */
bool
tf_copies_are(const char *dir)
{
	const struct dirent *e;
	bool any = false, other = false;
	DIR *d = opendir(dir);

	if (d == NULL)
		return false;
	if (faccessat(dirfd(d), TF_CONTROL_DIR, F_OK, 0) == 0) {
		(void)closedir(d);
		return false;
	}
	any = faccessat(dirfd(d), TF_FETCH_STATE, F_OK, 0) == 0;
	while (!other && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		other = !is_dir(dirfd(d), e->d_name);
		any = any || has(dirfd(d), e->d_name, TF_MIRROR_MARK);
	}
	(void)closedir(d);
	return any && !other;
}

/* The key's name is the origin.  What is behind the key is of no interest here. */
static enum tf_code
add_key(const char *path, struct tf_buf *buf, size_t *origin, size_t *vkey,
    struct tf_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tf_buf text = { 0 };
	struct tf_vkey key;

	*origin = *vkey = 0;
	if (fd >= 0 &&
	    tf_file_read(fd, TF_LOG_VKEY, VKEY_MAX, &text, NULL) == TF_OK &&
	    tf_vkey_parse(text.p, strcspn(text.p, "\n"), &key, NULL) == TF_OK) {
		*origin = buf->n;
		tf_buf_add(buf, key.name, strlen(key.name) + 1);
		*vkey = buf->n;
		tf_vkey_text(&key, buf);
		tf_buf_add(buf, "", 1);
	}
	if (fd >= 0)
		(void)close(fd); /* only read */
	tf_buf_free(&text);
	return tf_buf_end(buf, err);
}

static enum tf_code
describe(const char *path, struct tf_copy *out, struct tf_buf *buf,
    struct tf_error *err)
{
	size_t n = strlen(path), origin, vkey;
	const char *slash;
	enum tf_code rc;

	tf_buf_add(buf, path, n + 1);
	if ((rc = add_key(path, buf, &origin, &vkey, err)) != TF_OK)
		return rc;
	slash = strrchr(buf->p, '/');
	*out = (struct tf_copy){ .path = buf->p,
		.name = slash != NULL ? slash + 1 : buf->p,
		.vkey = vkey > 0 ? buf->p + vkey : "" };
	out->origin = origin > 0 ? buf->p + origin : out->name;
	return TF_OK;
}

enum tf_code
tf_copy_of(const char *path, struct tf_copy *out, struct tf_buf *buf,
    struct tf_error *err)
{
	return has(AT_FDCWD, path, TF_DB_NAME) ?
	    describe(path, out, buf, err) :
	    tf_fail(err, TF_NOTFOUND, "%.100s is no store", path);
}

static int
by_origin(const void *x, const void *y)
{
	const struct found *a = x, *b = y;
	int way = strcmp(a->copy.origin, b->copy.origin);

	return way != 0 ? way : strcmp(a->copy.name, b->copy.name);
}

static enum tf_code
read_dir(struct copies *c, const char *dir, struct tf_error *err)
{
	const struct dirent *e;
	struct tf_buf path = { 0 };
	enum tf_code rc = TF_OK;
	DIR *d = opendir(dir);

	if (d == NULL)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", dir,
		    strerror(errno));
	while (rc == TF_OK && (errno = 0, e = readdir(d)) != NULL) {
		struct found *f;

		/* One that lost its files is a copy still, and is judged. */
		if (e->d_name[0] == '.' || !is_dir(dirfd(d), e->d_name))
			continue;
		if (!tf_array_room(&c->v, c->n, &c->cap, sizeof(*c->v))) {
			rc = tf_nomem(err);
			break;
		}
		f = &c->v[c->n++];
		*f = (struct found){ 0 };
		path.n = 0;
		tf_buf_printf(&path, "%s/%s", dir, e->d_name);
		tf_buf_add(&path, "", 1);
		if ((rc = tf_buf_end(&path, err)) == TF_OK)
			rc = describe(path.p, &f->copy, &f->buf, err);
	}
	if (rc == TF_OK && errno != 0)
		rc = tf_fail(err, TF_IO, "list %.100s: %s", dir,
		    strerror(errno));
	(void)closedir(d);
	tf_buf_free(&path);
	return rc;
}

enum tf_code
tf_copies_each(const char *dir, tf_copy_fn fn, void *arg, struct tf_error *err)
{
	struct copies c = { 0 };
	enum tf_code rc = read_dir(&c, dir, err);

	if (rc == TF_OK && c.n > 0)
		qsort(c.v, c.n, sizeof(*c.v), by_origin);
	for (size_t i = 0; rc == TF_OK && i < c.n; i++)
		rc = fn(arg, &c.v[i].copy, err);
	for (size_t i = 0; i < c.n; i++)
		tf_buf_free(&c.v[i].buf);
	free(c.v);
	return rc;
}
