/*
 * Finding the vault that an argument names. A mount is recognised by .trailfs
 * at the root of its file system, or one directory below, where the mount of an
 * organisation has its origins; a store by its database and keys.
 *
 * A mount is tried first. Its root is found by going up until the device number
 * changes, so it works for any path in it and needs no list of mounts. Then the
 * argument is cut at its slashes, from the right, until the rest is a store.
 * Nothing is opened, so a locked store is found as well.
 *
 * A dead mount (ENOTCONN) and a bare mount point have messages of their own:
 * both look like a missing path, and the user needs to know that the vault is
 * not there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "actor.h"
#include "core/control.h"
#include "core/page.h"
#include "files.h"
#include "modes.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define TEXT_MAX \
	((size_t)1 << 20) /* bytes; a mount that sends more is refused */

static char *
join(const char *dir, const char *name)
{
	char *s = NULL;

	if (asprintf(&s, "%s/%s", dir, name) < 0)
		return NULL;
	return s;
}

/* --- mounts ----------------------------------------------------------- */

/*
 * The topmost directory above the real path file on the same file system, or
 * file.  NULL: it cannot be determined.  The caller frees it.
 */
static char *
top_of(const char *file)
{
	char *top = strdup(file), *slash, kept;
	struct stat st, up;

	if (top == NULL || stat(top, &st) < 0)
		goto fail;
	while ((slash = strrchr(top, '/')) != NULL && top[1] != '\0') {
		/* The parent of "/a" is "/". */
		char *cut = slash == top ? slash + 1 : slash;

		kept = *cut;
		*cut = '\0';
		if (stat(top, &up) < 0)
			goto fail;
		if (up.st_dev != st.st_dev) {
			*cut = kept;
			break;
		}
	}
	return top;
fail:
	free(top);
	return NULL;
}

/*
 * Any file system may have a directory .trailfs; its status file makes it ours.
 */
static bool
is_mount(const char *top)
{
	char *path = NULL;
	bool yes;

	if (asprintf(&path, "%s/%s/%s", top, TF_CONTROL_DIR,
		TF_CONTROL_STATUS) < 0)
		return false;
	yes = access(path, F_OK) == 0;
	free(path);
	return yes;
}

/*
 * top_of(file), if that is the root of a vault; or the directory below it on the way
 * to file, if that is: a mount of many origins has them there.  NULL: neither, or it
 * cannot be determined.  The caller frees it.
 */
static char *
vault_of(const char *file)
{
	char *top = top_of(file), *below;
	size_t n;

	if (top == NULL || is_mount(top))
		return top;
	n = strlen(top);
	n += file[n] == '/';
	n += strcspn(file + n, "/");
	below = n > strlen(top) ? strndup(file, n) : NULL;
	free(top);
	if (below != NULL && is_mount(below))
		return below;
	free(below);
	return NULL;
}

/* Fill w if arg is in a mount. */
static enum tf_code
find_mount(const char *arg, struct where *w, struct tf_error *err)
{
	char *file = realpath(arg, NULL), *top;
	const char *rest;

	if (file == NULL && errno == ENOTCONN)
		return tf_fail(err, TF_IO,
		    "%s: its trailfs has ended and the mount is dead; mount "
		    "the store there again",
		    arg);
	if (file == NULL && errno == EACCES)
		return where_denied(arg, err);
	if (file == NULL)
		return errno == ENOENT || errno == ENOTDIR ?
		    TF_OK :
		    report_system(err, "%s", arg);
	if ((top = vault_of(file)) == NULL) {
		free(file);
		return TF_OK;
	}
	rest = file + strlen(top);
	rest += *rest == '/';
	w->mount = top;
	w->file = file;
	w->path = strdup(*rest != '\0' ? rest : ".");
	return w->path != NULL ? TF_OK : tf_nomem(err);
}

/* --- stores ----------------------------------------------------------- */

/* The names are enough: opening the store checks the rest. */
static bool
is_store(const char *dir)
{
	char *db = join(dir, "ledger.db"), *keys = join(dir, "keys");
	struct stat st;
	bool yes = db != NULL && keys != NULL && stat(db, &st) == 0 &&
	    S_ISREG(st.st_mode) && stat(keys, &st) == 0 && S_ISDIR(st.st_mode);

	free(db);
	free(keys);
	return yes;
}

/* "a//b/./c/" becomes "a/b/c"; "" becomes ".". */
static char *
tidy(const char *path)
{
	char *out = malloc(strlen(path) + 2), *o = out;

	if (out == NULL)
		return NULL;
	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		if (n > 0 && !(n == 1 && path[0] == '.')) {
			if (o > out)
				*o++ = '/';
			memcpy(o, path, n);
			o += n;
		}
		path += n + (path[n] == '/');
	}
	if (o == out)
		*o++ = '.';
	*o = '\0';
	return out;
}

/* Fill w with the longest prefix of arg that is a store, if there is one. */
static enum tf_code
find_store(const char *arg, struct where *w, struct tf_error *err)
{
	char *dir = strdup(arg), *slash;
	size_t n;

	if (dir == NULL)
		return tf_nomem(err);
	for (n = strlen(dir);; n = (size_t)(slash - dir)) {
		while (n > 1 && dir[n - 1] == '/')
			n--;
		dir[n] = '\0';
		if (is_store(dir)) {
			w->store = dir;
			w->path = tidy(arg + n);
			break;
		}
		slash = strrchr(dir, '/');
		if (slash == NULL || slash == dir)
			break;
	}
	/* A relative path may start inside the store. */
	if (w->store == NULL && arg[0] != '/' && is_store(".")) {
		strcpy(dir, ".");
		w->store = dir;
		w->path = tidy(arg);
	}
	if (w->store == NULL)
		free(dir);
	else if (w->path == NULL)
		return tf_nomem(err);
	return TF_OK;
}

static bool
is_immutable(int fd)
{
	int flags = 0;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_IMMUTABLE_FL) != 0;
}

/* An empty directory of a vault is no mount point. */
static bool
is_in_mount(const char *dir)
{
	char *path = realpath(dir, NULL);
	char *top = path != NULL ? vault_of(path) : NULL;
	const bool yes = top != NULL;

	free(path);
	free(top);
	return yes;
}

bool
where_is_bare(const char *dir)
{
	const struct dirent *d;
	bool bare = true, immutable;
	DIR *names = opendir(dir);

	if (names == NULL)
		return false;
	immutable = is_immutable(dirfd(names));
	while (!immutable && bare && (d = readdir(names)) != NULL)
		bare = strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0;
	closedir(names);
	return bare && !is_in_mount(dir);
}

/* Does fstab(5) say what is to be mounted there? */
static bool
is_in_fstab(const char *dir)
{
	char *path = realpath(dir, NULL);
	const struct mntent *m;
	bool yes = false;
	FILE *f = path != NULL ? setmntent("/etc/fstab", "re") : NULL;

	while (f != NULL && !yes && (m = getmntent(f)) != NULL)
		yes = strcmp(m->mnt_dir, path) == 0 &&
		    strstr(m->mnt_type, "trailfs") != NULL;
	if (f != NULL)
		endmntent(f);
	free(path);
	return yes;
}

/* arg is in dir, which is bare, or is dir itself. */
static enum tf_code
not_mounted(const char *arg, const char *dir, struct tf_error *err)
{
	const bool same = strcmp(arg, dir) == 0, listed = is_in_fstab(dir);

	errno = 0; /* it would say that no such file exists */
	return tf_fail(err, TF_NOTFOUND,
	    "%s%snothing is mounted at %s: mount the vault with \"%s%s\"",
	    same ? "" : arg, same ? "" : ": ", dir,
	    listed ? "mount " : "trailfs STORE ", dir);
}

/* The nearest directory or file above path that is there, for the caller to free;
 * NULL: the working directory, or no memory. */
static char *
nearest_above(const char *path)
{
	char *dir = strdup(path), *slash;

	while (dir != NULL && (slash = strrchr(dir, '/')) != NULL &&
	    slash > dir) {
		*slash = '\0';
		if (access(dir, F_OK) == 0)
			return dir;
	}
	free(dir);
	return NULL;
}

/* arg does not exist: a bare mount point above it, or a file, is the cause. */
static enum tf_code
no_such(const char *arg, struct tf_error *err)
{
	int sys = errno;
	char *above = nearest_above(arg);
	enum tf_code rc = TF_OK;
	struct stat st;

	if (above != NULL && where_is_bare(above)) {
		rc = not_mounted(arg, above, err);
	} else if (sys == ENOTDIR && above != NULL && stat(above, &st) == 0 &&
	    !S_ISDIR(st.st_mode)) {
		errno = 0;
		rc = tf_fail(err, TF_NOTDIR, "%s: %s is not a directory", arg,
		    above);
	}
	free(above);
	errno = sys;
	return rc != TF_OK ? rc : report_system(err, "%s", arg);
}

bool
where_not_mounted(const char *path, struct tf_error *err)
{
	char *above = access(path, F_OK) == 0 ? strdup(path) :
						nearest_above(path);
	const int fd = above != NULL ?
	    open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
	    -1;
	const bool yes = fd >= 0 && is_immutable(fd) && where_is_bare(above);

	if (yes)
		(void)not_mounted(path, above, err);
	if (fd >= 0)
		close(fd);
	free(above);
	return yes;
}

bool
where_is_of_many(const char *dir)
{
	char *path = realpath(dir, NULL);
	const struct mntent *m;
	bool yes = false;
	FILE *f = path != NULL ? setmntent("/proc/self/mounts", "re") : NULL;

	while (f != NULL && (m = getmntent(f)) != NULL)
		if (strcmp(m->mnt_dir, path) == 0)
			yes = strcmp(m->mnt_type, "fuse.trailfs") == 0;
	if (f != NULL)
		endmntent(f);
	free(path);
	return yes;
}

/* Is it a directory that the caller may not enter? */
static bool
is_hidden(const char *dir)
{
	char *db = join(dir, "ledger.db");
	bool yes = db != NULL && access(db, F_OK) < 0 && errno == EACCES;

	free(db);
	return yes;
}

enum tf_code
where_find(const char *arg, struct where *out, struct tf_error *err)
{
	enum tf_code rc;

	*out = (struct where){ 0 };
	if (arg[0] == '\0')
		return tf_fail(err, TF_USAGE, "an empty path names nothing");
	if ((rc = find_mount(arg, out, err)) != TF_OK || out->mount != NULL)
		return rc;
	if ((rc = find_store(arg, out, err)) != TF_OK || out->store != NULL)
		return rc;
	if (access(arg, F_OK) < 0)
		return no_such(arg, err);
	if (is_hidden(arg))
		return where_denied(arg, err);
	if (where_is_bare(arg))
		return not_mounted(arg, arg, err);
	if (where_is_of_many(arg)) {
		errno = 0;
		return tf_fail(err, TF_NOTFOUND,
		    "this is the mount of all origins, give one of them: "
		    "%s/ORIGIN",
		    arg);
	}
	errno = 0;
	return tf_fail(err, TF_NOTFOUND,
	    "%s is neither in a trailfs mount nor a store: name a store, or a "
	    "path in a mount",
	    arg);
}

/* Join "a" and "b" to "a/b", "." and "b" to "b".  Frees a. */
static char *
append(char *a, const char *b)
{
	char *both = strcmp(a, ".") == 0 ? strdup(b) : join(a, b);

	free(a);
	return both;
}

/* Append the missing rest of the path to the part that exists. */
static enum tf_code
add_rest(struct where *w, const char *rest, struct tf_error *err)
{
	char *tail = tidy(rest);

	if (tail == NULL)
		return tf_nomem(err);
	w->file = append(w->file, tail);
	w->path = append(w->path, tail);
	free(tail);
	return w->file != NULL && w->path != NULL ? TF_OK : tf_nomem(err);
}

/* Cut parts from the right until something exists. The first error is kept,
 * because it names what the user has typed. */
enum tf_code
where_find_name(const char *arg, struct where *out, bool *exists,
    struct tf_error *err)
{
	char *dir = strdup(arg), *slash;
	struct tf_error first;
	enum tf_code rc;

	*exists = true;
	if ((rc = where_find(arg, out, err)) != TF_NOTFOUND || dir == NULL) {
		free(dir);
		return rc;
	}
	first = *err;
	*exists = false;
	while (rc == TF_NOTFOUND) {
		where_free(out);
		slash = strrchr(dir, '/');
		if (slash != NULL && slash > dir)
			*slash = '\0';
		else if (slash == NULL && strcmp(dir, ".") != 0)
			strcpy(dir, ".");
		else
			break;
		rc = where_find(dir, out, err);
	}
	if (rc == TF_OK && out->mount != NULL)
		rc = add_rest(out,
		    arg + (strcmp(dir, ".") == 0 ? 0 : strlen(dir)), err);
	else if (rc == TF_NOTFOUND && first.sys == ENOENT)
		rc = tf_fail(err, TF_NOTFOUND,
		    "%s, and it is in no mount and no store", first.text);
	else if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_fail_as(err, &first);
	free(dir);
	return rc;
}

enum tf_code
where_ends(const struct where *w, const char *arg, struct tf_error *err)
{
	if (w->store == NULL || strcmp(w->path, ".") == 0)
		return TF_OK;
	return tf_fail(err, TF_USAGE,
	    "%.200s is in a store: name the store, %.200s", arg, w->store);
}

void
where_free(struct where *w)
{
	free(w->mount);
	free(w->file);
	free(w->store);
	free(w->path);
	*w = (struct where){ 0 };
}

/* --- from one to the other -------------------------------------------- */

/* Decode the \ooo of mountinfo in place. */
static void
unescape(char *s)
{
	char *o = s;

	while (*s != '\0') {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*o++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 4;
		} else {
			*o++ = *s++;
		}
	}
	*o = '\0';
}

/* The source of the mount in mountinfo is the store's directory. It is checked,
 * since another mount namespace may have another directory of that name. */
enum tf_code
where_store(const struct where *w, char **store, struct tf_error *err)
{
	char *line = NULL, *source = NULL, *fields;
	enum tf_code rc;
	unsigned major, minor;
	size_t cap = 0;
	struct stat st;
	FILE *f;

	*store = NULL;
	if (stat(w->mount, &st) < 0)
		return report_system(err, "%s", w->mount);
	if ((f = fopen("/proc/self/mountinfo", "re")) == NULL)
		return report_system(err, "/proc/self/mountinfo");
	while (source == NULL && getline(&line, &cap, f) > 0) {
		if (sscanf(line, "%*d %*d %u:%u", &major, &minor) != 2 ||
		    makedev(major, minor) != st.st_dev ||
		    (fields = strstr(line, " - ")) == NULL)
			continue;
		/* After " - ": type, source, options. */
		if (sscanf(fields, " - %*s %ms", &source) == 1)
			unescape(source);
	}
	fclose(f);
	free(line);
	if (source == NULL || source[0] != '/' || !is_store(source)) {
		rc = source != NULL && is_hidden(source) ?
		    tf_fail(err, TF_UNSUPPORTED,
			"this needs the store of the mount, which you may not "
			"read") :
		    tf_fail(err, TF_UNSUPPORTED,
			"the store of this mount is unknown here: name its "
			"directory");
		free(source);
		return rc;
	}
	*store = source;
	return TF_OK;
}

/* "user alice and group staff": who has the right of this bit of the group, or of
 * the roles of a mount, at path. */
static void
who_may(const char *path, const struct stat *st, struct tf_buf *who)
{
	struct modes_role role[MODES_ROLES];
	char name[MODES_NAME_SIZE];
	size_t n = modes_roles(path, role);

	modes_user(st->st_uid, name);
	tf_buf_printf(who, "user %s", name);
	if ((st->st_mode & S_IRGRP) != 0) {
		modes_group(st->st_gid, name);
		tf_buf_printf(who, "%s group %s", n > 0 ? "," : " and", name);
	}
	for (size_t i = 0; i < n; i++) {
		modes_group(role[i].gid, name);
		tf_buf_printf(who, "%s group %s", i + 1 < n ? "," : " and",
		    name);
	}
}

/* Say who may read a file that the caller may not. Where not even its mode can
 * be seen, a directory above refuses. */
static enum tf_code
refused(const char *path, const char *shown, struct tf_error *err)
{
	struct tf_buf who = { 0 };
	struct stat st;

	errno = 0; /* the text has the cause */
	if (lstat(path, &st) < 0)
		return where_denied(path, err);
	if ((st.st_mode & S_IROTH) != 0)
		return tf_fail(err, TF_ACCESS,
		    "%s: it is about something that you may not read", shown);
	who_may(path, &st, &who);
	errno = 0;
	(void)tf_fail(err, TF_ACCESS, "%s: only %s may read it", shown,
	    text_of(&who));
	tf_buf_free(&who);
	return TF_ACCESS;
}

enum tf_code
where_denied(const char *path, struct tf_error *err)
{
	char *dir = strdup(path), *slash;
	struct tf_buf who = { 0 };
	struct stat st;

	/* The nearest one above that can be seen refuses; or it is path itself. */
	while (dir != NULL && stat(dir, &st) < 0 &&
	    (slash = strrchr(dir, '/')) != NULL && slash > dir)
		*slash = '\0';
	errno = 0;
	if (dir == NULL || stat(dir, &st) < 0)
		(void)tf_fail(err, TF_ACCESS, "%s: you may not enter it", path);
	else {
		who_may(dir, &st, &who);
		errno = 0;
		slash = strrchr(dir, '/');
		(void)tf_fail(err, TF_ACCESS, "%s: only %s may %s%s%s", path,
		    text_of(&who), S_ISDIR(st.st_mode) ? "enter " : "read ",
		    strcmp(dir, path) == 0 ? "it" : "directory ",
		    strcmp(dir, path) == 0 ? "" :
			slash != NULL	   ? slash + 1 :
					     dir);
	}
	tf_buf_free(&who);
	free(dir);
	return TF_ACCESS;
}

enum tf_code
where_denied_write(const char *dir, const char *shown, struct tf_error *err)
{
	char user[MODES_NAME_SIZE], group[MODES_NAME_SIZE];
	struct stat st;

	if (stat(dir, &st) < 0)
		return where_denied(dir, err);
	modes_user(st.st_uid, user);
	modes_group(st.st_gid, group);
	errno = 0;
	return tf_fail(err, TF_ACCESS, "%s: only user %s%s%s may change it",
	    shown, user, (st.st_mode & S_IWGRP) != 0 ? " and group " : "",
	    (st.st_mode & S_IWGRP) != 0 ? group : "");
}

bool
where_is_control(const char *path)
{
	static const char name[] = TF_CONTROL_DIR;
	const size_t n = sizeof(name) - 1;
	const char *p = path;

	while (p != NULL &&
	    (strncmp(p, name, n) != 0 || (p[n] != '\0' && p[n] != '/')))
		p = (p = strchr(p, '/')) != NULL ? p + 1 : NULL;
	return p != NULL;
}

/* O_NOFOLLOW: a control file is never a link. */
enum tf_code
where_control_of(const struct where *w, const char *path, const char *name,
    int *fd, struct tf_error *err)
{
	const bool root = strcmp(path, ".") == 0;
	char *file = NULL;
	enum tf_code rc = TF_OK;

	if (where_is_control(path))
		return tf_fail(err, TF_USAGE,
		    "%s is a control file or has some: name what they are "
		    "about",
		    path);
	if (asprintf(&file, "%s/%s%s" TF_CONTROL_DIR "/%s", w->mount,
		root ? "" : path, root ? "" : "/", name) < 0)
		return tf_nomem(err);
	*fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno == EACCES)
		rc = refused(file, file + strlen(w->mount) + 1, err);
	else if (*fd < 0)
		rc = report_system(err, "%s", file);
	free(file);
	return rc;
}

enum tf_code
where_control(const struct where *w, const char *name, int *fd,
    struct tf_error *err)
{
	return where_control_of(w, ".", name, fd, err);
}

bool
where_is_sealed(const char *dir)
{
	char state[16];
	ssize_t n = getxattr(dir, TF_XATTR_STATE, state, sizeof(state));

	return n == 6 && memcmp(state, "sealed", 6) == 0;
}

/* Warnings of the vault go to stderr, as all that is no answer. */
static void
say(void *arg, enum tf_code code, const char *line)
{
	(void)arg;
	(void)code;
	report_note("%s", line);
}

enum tf_code
where_open(const struct where *w, bool write, struct tf_vault **out,
    struct tf_error *err)
{
	struct tf_actor self;
	struct tf_vault_options o = {
		.read_only = !write,
		.program = "trailctl",
		.say = say,
	};
	enum tf_code rc;

	if (write) {
		actor_self(&self);
		o.actor = &self;
	}
	rc = tf_vault_open(w->store, &o, out, err);
	if (rc != TF_LOCKED || err == NULL)
		return rc;
	report_note("%s", err->text);
	return tf_fail(err, rc, "name a path in its mount instead");
}

enum tf_code
where_done(struct tf_vault *v, enum tf_code rc, struct tf_error *err)
{
	const enum tf_code closed = tf_vault_close(v, "done",
	    rc == TF_OK ? err : NULL);

	return rc == TF_OK ? closed : rc;
}

void
where_close(struct tf_vault *v)
{
	struct tf_error err = { 0 };

	/* Nothing was written, so a failure changes nothing. */
	if (tf_vault_close(v, "done", &err) != TF_OK)
		report_note("%s", err.text);
}

enum tf_code
where_render(const struct where *w, where_render_fn *fn, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_sink sink = tf_buf_sink(out);
	struct tf_vault *v = NULL;
	struct tf_view *view = NULL;
	struct tf_attr a;
	enum tf_code rc = where_open(w, false, &v, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_vault_walk(v, w->path, &a, err);
	if (rc == TF_OK)
		rc = tf_view_open(v, NULL, &view, err);
	if (rc == TF_OK)
		rc = fn(view, a.id, &sink, err);
	tf_view_close(view);
	where_close(v);
	return rc;
}

enum tf_code
where_text(const struct where *w, const char *name,
    enum tf_code (*make)(struct tf_vault *v, const struct tf_asker *who,
	struct tf_buf *out, struct tf_error *err),
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_attr a;
	enum tf_code rc;
	int fd;

	if (w->mount != NULL) {
		if ((rc = where_control(w, name, &fd, err)) != TF_OK)
			return rc;
		rc = files_read_fd(fd, name, TEXT_MAX, out, err);
		close(fd);
		return rc;
	}
	if ((rc = where_open(w, false, &v, err)) != TF_OK)
		return rc;
	/* In a mount where_find() has seen that the path is there. */
	if (strcmp(w->path, ".") != 0)
		rc = tf_vault_walk(v, w->path, &a, err);
	if (rc == TF_OK)
		rc = make(v, NULL, out, err);
	where_close(v);
	return rc;
}
