/* See run.h.  setfsuid(2) changes the user: the kernel checks the permissions
 * of that user and names that user to the daemon. */
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "vault.h"

#define SEALED_MS 20000	  /* for a file that does not settle */
#define LOOK_AT_ALL 200	  /* steps between full comparisons */
#define SETTLE_MS 60000	  /* as vault.c mounts it */
#define SEAL_ALL_MS 30000 /* less than that */

static struct vault vault;

struct run {
	struct model model;
	int fd[SLOTS];
	bool kept;
	long long settled_ms; /* at this time nothing waited for its seal */
	struct result *result;
};

static bool
differs(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->result->text, sizeof r->result->text, fmt, ap);
	va_end(ap);
	r->result->differs = true;
	return false;
}

static void
become(uid_t who)
{
	setfsgid(0);
	setfsuid(0);
	setfsgid(who);
	setfsuid(who);
}

static char *
below_mount(const char *path)
{
	char *out = NULL;

	if (path == NULL)
		return strdup("");
	if (asprintf(&out, "mnt/%s", path) < 0)
		abort();
	return out;
}

/* --- comparison with the vault ---------------------------------------- */

static const char *
state_at(const char *path, char state[64])
{
	ssize_t n = getxattr(path, "user.trailfs.state", state, 63);

	state[n < 0 ? 0 : n] = '\0';
	return state;
}

static bool
read_all(const char *path, struct bytes *b)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;

	b->p = NULL;
	b->n = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd >= 0 && close(fd) == 0;
	b->p = malloc((size_t)st.st_size + 2);
	do {
		b->n += (size_t)got;
		got = read(fd, b->p + b->n, (size_t)st.st_size + 1 - b->n);
	} while (got > 0);
	close(fd);
	return got == 0;
}

static bool
compare_bytes(struct run *r, const struct node *f, const char *path)
{
	struct bytes b;
	bool good = read_all(path, &b);
	size_t i = 0;

	if (!good) {
		differs(r, "%s: cannot be read: %s", path, strerror(errno));
	} else {
		while (i < b.n && i < f->now.n && b.p[i] == f->now.p[i])
			i++;
		if (i < b.n || i < f->now.n)
			good = differs(r,
			    "%s: %zu bytes, not %zu; they differ at %zu", path,
			    b.n, f->now.n, i);
	}
	free(b.p);
	return good;
}

static bool
compare_xattrs(struct run *r, const struct node *f, const char *path)
{
	char value[64];
	ssize_t n;

	for (int x = 0; x < XATTRS; x++) {
		n = getxattr(path, xattr_names()[x], value, sizeof value - 1);
		value[n < 0 ? 0 : n] = '\0';
		if ((n >= 0) != (f->xattr[x] != NULL) ||
		    (n >= 0 && strcmp(value, f->xattr[x]) != 0))
			return differs(r, "%s: %s is '%s', not '%s'", path,
			    xattr_names()[x], n < 0 ? strerror(errno) : value,
			    f->xattr[x] != NULL ? f->xattr[x] : "(none)");
	}
	return true;
}

/* On a busy machine so much time may pass between two steps that the vault
 * seals what the model still expects to wait. */
static void
let_settle(struct run *r, struct node *d, const char *path)
{
	char state[64];

	if ((r->model.settles || settles_always(d)) &&
	    now_ms() - r->settled_ms > SETTLE_MS &&
	    strcmp(state_at(path, state), "sealed") == 0)
		model_settle(&r->model, d);
}

static bool
compare_state(struct run *r, const struct node *d, const char *path)
{
	long long end = now_ms() + SEALED_MS;
	char state[64];

	while (strcmp(state_at(path, state), node_state(d)) != 0) {
		if (r->model.settles ||
		    (strcmp(state, "frozen") != 0 &&
			strcmp(state, "closing") != 0) ||
		    now_ms() > end)
			return differs(r, "%s is %s, not %s", path, state,
			    node_state(d));
		breathe();
	}
	return true;
}

static bool
compare_stat(struct run *r, struct node *d, const char *path,
    const struct stat *st)
{
	int64_t ns = (int64_t)st->st_mtim.tv_sec * 1000000000 +
	    st->st_mtim.tv_nsec;
	unsigned mode;
	uid_t uid;
	gid_t gid;

	node_access(d, &mode, &uid, &gid);
	if (!S_ISDIR(st->st_mode) != !d->dir)
		return differs(r, "%s is of another kind", path);
	if ((st->st_mode & 07777) != mode || st->st_uid != uid ||
	    st->st_gid != gid)
		return differs(r, "%s is of %u:%u with %o, not %u:%u with %o",
		    path, st->st_uid, st->st_gid, st->st_mode & 07777, uid, gid,
		    mode);
	if (d->dir)
		return true;
	if (st->st_size != (off_t)d->now.n || st->st_nlink != 1)
		return differs(r, "%s has %lld bytes, not %zu", path,
		    (long long)st->st_size, d->now.n);
	if (d->mtime_known && d->mtime_ns != ns)
		return differs(r, "%s: changed at %lld, not %lld", path,
		    (long long)ns, (long long)d->mtime_ns);
	/* Without writers the time stays the same. */
	if (d->writers == 0) {
		d->mtime_known = true;
		d->mtime_ns = ns;
	}
	return true;
}

static bool
compare_node(struct run *r, struct node *d, int fd, bool whole)
{
	char path[64], name[4096];
	struct stat st;
	bool good;

	if (fstat(fd, &st) < 0)
		return differs(r, "fstat: %s", strerror(errno));
	/* Walk the path only once. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	let_settle(r, d, path);
	good = compare_stat(r, d, path, &st);
	if (good && d->level > 0 && (!d->dir || d->level <= 3))
		good = compare_state(r, d, path);
	if (good && whole && !d->dir)
		good = compare_bytes(r, d, path);
	if (good && whole && (!d->dir || (d->level >= 1 && d->level <= 3)))
		good = compare_xattrs(r, d, path);
	if (!good)
		differs(r, "%s: %s", node_path(d, name),
		    strdupa(r->result->text));
	return good;
}

/* Compare the vault with the model at this name. */
static bool
compare(struct run *r, const char *name, bool whole)
{
	struct node *d = model_find(&r->model, name);
	char *path;
	bool good = true;
	int fd;

	if (strstr(name, ".trailfs") != NULL)
		return true;
	path = below_mount(name);
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 &&
	    (d != NULL ||
		(errno != ENOENT && errno != ENAMETOOLONG && errno != ENOTDIR)))
		good = differs(r, "%s: %s", path, strerror(errno));
	else if (fd >= 0 && d == NULL)
		good = differs(r, "%s is there", path);
	else if (fd >= 0)
		good = compare_node(r, d, fd, whole);
	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

/* Compare the names in a directory with those of the model. */
static bool
compare_list(struct run *r, const struct node *dir, DIR *list)
{
	struct dirent *e;
	size_t got = 0, want = 0, i;

	while ((e = readdir(list)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		for (i = 1; i < r->model.n; i++)
			if (r->model.nodes[i]->parent == dir &&
			    !r->model.nodes[i]->unlinked &&
			    strcmp(r->model.nodes[i]->name, e->d_name) == 0)
				break;
		if (i == r->model.n)
			return differs(r, "list: %s is there", e->d_name);
		got++;
	}
	for (i = 1; i < r->model.n; i++)
		want += r->model.nodes[i]->parent == dir &&
		    !r->model.nodes[i]->unlinked;
	return got == want || differs(r, "list: %zu names, not %zu", got, want);
}

static bool
list_at(struct run *r, const struct node *dir, const char *path)
{
	DIR *list = opendir(path);
	bool good;

	if (list == NULL)
		return differs(r, "%s: %s", path, strerror(errno));
	good = compare_list(r, dir, list);
	closedir(list);
	return good;
}

static bool
compare_status(struct run *r, struct node *workflow)
{
	const char *want = model_status(&r->model, workflow);
	char name[4096], path[4096 + 32];
	struct bytes b;
	bool good;

	snprintf(path, sizeof path, "mnt/%s/.trailfs/status",
	    node_path(workflow, name));
	if (!read_all(path, &b))
		return differs(r, "%s: %s", path, strerror(errno));
	good = b.n == strlen(want) + 1 && memcmp(b.p, want, b.n - 1) == 0;
	if (!good)
		differs(r, "%s: %.*s, not %s", path, (int)b.n, (char *)b.p,
		    want);
	free(b.p);
	return good;
}

static bool
compare_all(struct run *r)
{
	char path[4096], *at;
	bool good = true;

	for (size_t i = 0; good && i < r->model.n; i++) {
		struct node *d = r->model.nodes[i];

		if (d->unlinked)
			continue;
		node_path(d, path);
		good = compare(r, path, true);
		at = below_mount(path);
		if (good && d->dir)
			good = list_at(r, d, at);
		free(at);
	}
	/* By now all is sealed that should be. */
	for (size_t i = 0; good && i < r->model.n; i++)
		if (r->model.nodes[i]->level == 2)
			good = compare_status(r, r->model.nodes[i]);
	return good;
}

/* --- operations ------------------------------------------------------- */

static int
open_flags(unsigned f)
{
	int flags = O_CLOEXEC | O_NOFOLLOW;

	flags |= (f & F_WRITE) == 0 ? O_RDONLY :
	    (f & F_READ) != 0	    ? O_RDWR :
				      O_WRONLY;
	flags |= (f & F_APPEND) != 0 ? O_APPEND : 0;
	flags |= (f & F_TRUNC) != 0 ? O_TRUNC : 0;
	flags |= (f & F_CREATE) != 0 ? O_CREAT : 0;
	return flags | ((f & F_EXCL) != 0 ? O_EXCL : 0);
}

static int
do_open(struct run *r, const struct op *o, const char *p)
{
	struct stat st;
	int fd = open(p, open_flags(o->flags), o->mode);

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		close(fd);
	else
		r->fd[o->h] = fd;
	return 0;
}

static int
do_reopen(struct run *r, const struct op *o)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", r->fd[o->h]);
	r->fd[o->h2] = open(path, open_flags(o->flags) & ~O_NOFOLLOW);
	return r->fd[o->h2] < 0 ? errno : 0;
}

static int
do_write(struct run *r, const struct op *o)
{
	unsigned char *p = malloc((size_t)o->n + 1);
	ssize_t n;

	fill(p, (size_t)o->n, o->seed);
	n = pwrite(r->fd[o->h], p, (size_t)o->n, o->at);
	if (n >= 0 && n != o->n)
		differs(r, "wrote %zd of %ld bytes", n, o->n);
	free(p);
	return n < 0 ? errno : 0;
}

static int
do_read_fd(struct run *r, const struct op *o)
{
	const struct node *f = r->model.slot[o->h]->node;
	unsigned char *p = malloc(f->now.n + 2);
	ssize_t n = pread(r->fd[o->h], p, f->now.n + 1, 0);

	if (n >= 0 &&
	    ((size_t)n != f->now.n ||
		(n > 0 && memcmp(p, f->now.p, (size_t)n) != 0)))
		differs(r, "read %zd bytes, not these %zu", n, f->now.n);
	free(p);
	return n < 0 ? errno : 0;
}

/* A mapping outlives its descriptor. */
static int
do_mmap(struct run *r, const struct op *o)
{
	size_t n = (size_t)(o->at + o->n);
	unsigned char *p;

	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd[o->h], 0);
	if (p == MAP_FAILED)
		return errno;
	close(r->fd[o->h]);
	r->fd[o->h] = -1;
	fill(p + o->at, (size_t)o->n, o->seed);
	munmap(p, n);
	return 0;
}

static int
do_read(struct run *r, const struct op *o, const char *p)
{
	struct node *f = model_find(&r->model, o->p);
	struct bytes b;
	int sys = read_all(p, &b) ? 0 : errno;

	free(b.p);
	return sys != 0 || f == NULL ? sys : compare_bytes(r, f, p) ? 0 : EIO;
}

static int
do_list(struct run *r, const struct op *o, const char *p)
{
	struct node *d = model_find(&r->model, o->p);
	DIR *list = opendir(p);

	if (list == NULL)
		return errno;
	if (d != NULL)
		compare_list(r, d, list);
	closedir(list);
	return 0;
}

static int
do_sync(const char *p)
{
	int fd = open(p, O_RDONLY | O_DIRECTORY | O_CLOEXEC), sys;

	if (fd < 0)
		return errno;
	sys = fsync(fd) < 0 ? errno : 0;
	close(fd);
	return sys;
}

static int
do_rename(const struct op *o, const char *p, const char *q)
{
	unsigned flags = (o->flags & F_NOREPLACE) != 0 ? RENAME_NOREPLACE : 0;

	flags |= (o->flags & F_EXCHANGE) != 0 ? RENAME_EXCHANGE : 0;
	flags |= (o->flags & F_WHITEOUT) != 0 ? RENAME_WHITEOUT : 0;
	return renameat2(AT_FDCWD, p, AT_FDCWD, q, flags);
}

static int
do_utimens(const struct op *o, const char *p)
{
	struct timespec t[2] = { { o->n, 0 }, { o->n, 0 } };

	return utimensat(AT_FDCWD, p, (o->flags & F_NOW) != 0 ? NULL : t, 0);
}

static int
do_setxattr(const struct op *o, const char *p)
{
	const char *value;
	char text[16];
	int x = 0;

	while (x < XATTRS - 1 && strcmp(o->q, xattr_names()[x]) != 0)
		x++;
	value = xattr_value(x, o->seed, text);
	return setxattr(p, o->q, value, strlen(value),
	    (o->flags & F_EXCL) != 0	    ? XATTR_CREATE :
		(o->flags & F_REPLACE) != 0 ? XATTR_REPLACE :
					      0);
}

static int
do_getxattr(struct run *r, const struct op *o, const char *p)
{
	struct node *f = model_find(&r->model, o->p);
	char value[64];
	ssize_t n = getxattr(p, o->q, value, sizeof value);

	if (n < 0)
		return errno;
	return f == NULL || f->dir || compare_xattrs(r, f, p) ? 0 : EIO;
}

static int
do_mknod(const struct op *o, const char *p)
{
	mode_t kind = (o->flags & F_FIFO) != 0 ? S_IFIFO :
	    (o->flags & F_DEVICE) != 0	       ? S_IFCHR :
						 S_IFREG;

	return mknod(p, kind | o->mode, makedev(1, 3));
}

#define SYS(call) ((call) < 0 ? errno : 0)

static int
on_slot(struct run *r, const struct op *o)
{
	int fd = r->fd[o->h];

	switch (o->verb) {
	case OP_WRITE:
		return do_write(r, o);
	case OP_READ_FD:
		return do_read_fd(r, o);
	case OP_FTRUNCATE:
		return SYS(ftruncate(fd, o->n));
	case OP_FALLOCATE:
		return SYS(fallocate(fd,
		    (o->flags & F_KEEPSIZE) != 0 ? FALLOC_FL_KEEP_SIZE : 0,
		    o->at, o->n));
	case OP_FSYNC:
		return SYS(fsync(fd));
	case OP_DUP:
		r->fd[o->h2] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		return SYS(r->fd[o->h2]);
	case OP_REOPEN:
		return do_reopen(r, o);
	case OP_MMAP:
		return do_mmap(r, o);
	default:
		r->fd[o->h] = -1;
		return SYS(close(fd));
	}
}

static int
on_path(struct run *r, const struct op *o, const char *p, const char *q)
{
	switch (o->verb) {
	case OP_MKDIR:
		return SYS(mkdir(p, o->mode));
	case OP_OPEN:
		return do_open(r, o, p);
	case OP_READ:
		return do_read(r, o, p);
	case OP_LIST:
		return do_list(r, o, p);
	case OP_SYNCDIR:
		return do_sync(p);
	case OP_TRUNCATE:
		return SYS(truncate(p, o->n));
	case OP_RENAME:
		return SYS(do_rename(o, p, q));
	case OP_UNLINK:
		return SYS(unlink(p));
	case OP_RMDIR:
		return SYS(rmdir(p));
	case OP_LINK:
		return SYS(link(p, q));
	case OP_SYMLINK:
		return SYS(symlink("f", p));
	case OP_MKNOD:
		return SYS(do_mknod(o, p));
	case OP_CHMOD:
		return SYS(chmod(p, o->mode));
	case OP_CHOWN:
		return SYS(chown(p, (uid_t)o->n, (gid_t)o->at));
	case OP_UTIMENS:
		return SYS(do_utimens(o, p));
	case OP_SETXATTR:
		return SYS(do_setxattr(o, p));
	case OP_REMOVEXATTR:
		return SYS(removexattr(p, o->q));
	default:
		return do_getxattr(r, o, p);
	}
}

/* --- restarts --------------------------------------------------------- */

struct found {
	struct seen *seen;
	size_t n, cap;
};

static void
see(struct found *all, const char *name, const char *path)
{
	char value[64];
	struct seen s = { 0 };
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0)
		return;
	s.path = strdup(name);
	s.dir = S_ISDIR(st.st_mode);
	s.state = strdup(state_at(path, value));
	s.mode = st.st_mode & 07777;
	s.uid = st.st_uid;
	s.gid = st.st_gid;
	for (int x = 0; x < XATTRS && !s.dir; x++) {
		n = getxattr(path, xattr_names()[x], value, sizeof value - 1);
		value[n < 0 ? 0 : n] = '\0';
		s.xattr[x] = n < 0 ? NULL : strdup(value);
	}
	if (!s.dir)
		(void)read_all(path, &s.bytes);
	if (all->n == all->cap) {
		all->cap = all->cap * 2 + 64;
		all->seen = realloc(all->seen, all->cap * sizeof s);
	}
	all->seen[all->n++] = s;
}

static void
see_below(struct found *all, const char *name)
{
	char *path = below_mount(name), *in, *in_path;
	DIR *list = opendir(path);
	struct dirent *e;
	size_t from = all->n;

	while (list != NULL && (e = readdir(list)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&in, "%s%s%s", strcmp(name, ".") ? name : "",
			strcmp(name, ".") ? "/" : "", e->d_name) < 0)
			abort();
		in_path = below_mount(in);
		see(all, in, in_path);
		free(in_path);
		free(in);
	}
	if (list != NULL)
		closedir(list);
	free(path);
	for (size_t i = from, end = all->n; i < end; i++)
		if (all->seen[i].dir)
			see_below(all, all->seen[i].path);
}

static void
forget_found(struct found *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->seen[i].path);
		free((char *)all->seen[i].state);
		free(all->seen[i].bytes.p);
		for (int x = 0; x < XATTRS; x++)
			free(all->seen[i].xattr[x]);
	}
	free(all->seen);
}

/* Names of interrupted drafts hold the time; rename them, for the trace. */
static bool
name_interrupted(struct run *r)
{
	struct model *m = &r->model;
	char path[4096], name[32], *from, *to;
	unsigned number = 0;
	bool good = true;

	for (size_t i = 1; good && i < m->n; i++) {
		struct op o = { .verb = OP_RENAME };

		if (strstr(m->nodes[i]->name, ".interrupted.part") == NULL)
			continue;
		o.p = strdup(node_path(m->nodes[i], path));
		do {
			snprintf(name, sizeof name, "i%u.part", number++);
			snprintf(strrchr(path, '/') + 1, 32, "%s", name);
		} while (model_find(m, path) != NULL);
		o.q = strdup(path);
		from = below_mount(o.p);
		to = below_mount(o.q);
		if (rename(from, to) < 0)
			good = differs(r, "rename %s: %s", from,
			    strerror(errno));
		else
			model_apply(m, &o);
		free(from);
		free(to);
		free(o.p);
		free(o.q);
	}
	return good;
}

static void
close_slots(struct run *r, bool model)
{
	for (int h = 0; h < SLOTS; h++) {
		struct op o = { .verb = OP_CLOSE, .h = h };

		if (r->fd[h] >= 0)
			close(r->fd[h]);
		r->fd[h] = -1;
		if (model && r->model.slot[h] != NULL)
			model_apply(&r->model, &o);
	}
}

/* Verify, against the checkpoint that was kept before, if any. */
static bool
verify(struct run *r)
{
	return vault_verify(r->kept ? "kept" : NULL, r->result->text) ||
	    differs(r, "%s", strdupa(r->result->text));
}

static bool
restart(struct run *r, bool crash)
{
	char text[512] = "";
	struct found all = { 0 };
	bool good;

	if (crash) {
		good = vault_crash(&vault, text);
		close_slots(r, false);
	} else {
		close_slots(r, true);
		good = vault_is_lean(&vault, text) &&
		    vault_unmount(&vault, text);
	}
	good = good && vault_mount(&vault, text);
	if (!good)
		return differs(r, "%s", text);
	r->settled_ms = now_ms();
	see_below(&all, ".");
	good = model_restart(&r->model, crash, all.seen, all.n, text);
	forget_found(&all);
	if (!good)
		return differs(r, "after the restart: %s", text);
	return name_interrupted(r) && compare_all(r) && verify(r);
}

static bool
keep_checkpoint(struct run *r)
{
	struct bytes b;
	bool good = read_all("mnt/.trailfs/checkpoint", &b);
	FILE *f = good ? fopen("kept", "we") : NULL;

	good = f != NULL && fwrite(b.p, 1, b.n, f) == b.n;
	if (f != NULL && fclose(f) != 0)
		good = false;
	free(b.p);
	r->kept = good;
	return good || differs(r, "cannot keep the checkpoint");
}

/* --- a step ----------------------------------------------------------- */

static bool
compare_touched(struct run *r, const struct op *o, const char *slot)
{
	if (o->p != NULL && !compare(r, o->p, false))
		return false;
	if (o->q != NULL && (o->verb == OP_RENAME || o->verb == OP_LINK) &&
	    !compare(r, o->q, false))
		return false;
	return slot == NULL || compare(r, slot, false);
}

static bool
step(struct run *r, const struct op *o)
{
	char *p = below_mount(o->p), *q = below_mount(o->q), text[256];
	char slot[4096];
	bool on = o->p == NULL, named = false;
	long long began = now_ms();
	answers want;
	int got;

	r->result->verb = o->verb;
	r->result->steps++;
	if (o->verb == OP_CRASH || o->verb == OP_REMOUNT ||
	    o->verb == OP_KEEP) {
		free(p);
		free(q);
		return o->verb == OP_KEEP ? keep_checkpoint(r) :
					    restart(r, o->verb == OP_CRASH);
	}
	want = model_expect(&r->model, o);
	if (on && !r->model.slot[o->h]->node->unlinked) {
		node_path(r->model.slot[o->h]->node, slot);
		named = true;
	}
	become(o->who);
	got = on ? on_slot(r, o) : on_path(r, o, p, q);
	become(0);
	free(p);
	free(q);
	if (r->result->differs)
		return false;
	if ((answer_of(got) & want) == 0)
		return differs(r, "%s, not %s",
		    got == 0 ? "success" : strerrorname_np(got),
		    answer_names(want, text));
	if (got == 0)
		model_apply(&r->model, o);
	if (got == 0 && o->verb == OP_SYNCDIR && o->who == 0 &&
	    strcmp(o->p, ".") == 0)
		r->settled_ms = began;
	if (got != 0)
		r->result->refused++;
	return compare_touched(r, o, named ? slot : NULL);
}

static bool
begin(struct run *r, struct result *result, bool settles)
{
	struct stat st;

	memset(r, 0, sizeof *r);
	memset(result, 0, sizeof *result);
	r->result = result;
	for (int h = 0; h < SLOTS; h++)
		r->fd[h] = -1;
	umask(0);
	vault.settles = settles;
	if (!vault_make(&vault, result->text) ||
	    !vault_mount(&vault, result->text) || stat("mnt", &st) < 0) {
		result->differs = true;
		return false;
	}
	r->settled_ms = now_ms();
	model_init(&r->model, settles, st.st_mode & 07777);
	return true;
}

/* Compare everything at the end. */
static void
end(struct run *r, bool whole)
{
	struct result *result = r->result;

	if (!result->differs && whole) {
		result->verb = OP_REMOUNT;
		(void)(compare_all(r) && restart(r, false));
	}
	close_slots(r, false);
	model_free(&r->model);
	vault_remove(&vault);
}

void
run_chance(struct trace *t, uint64_t seed, size_t steps, struct result *result)
{
	struct chance c = { seed * 0x9e3779b97f4a7c15ULL + 1 };
	long long sealed = now_ms();
	struct run r;
	bool good;

	for (int i = 0; i < 8; i++)
		(void)draw(&c, 2);
	t->settles = draw(&c, 4) > 0;
	good = begin(&r, result, t->settles);
	for (size_t i = 0; good && i < steps; i++) {
		struct op o = draw_op(&c, &r.model, i);

		if (now_ms() - sealed > SEAL_ALL_MS) {
			free(o.p);
			free(o.q);
			o = (struct op){ .verb = OP_SYNCDIR };
			o.p = strdup(".");
			sealed = now_ms();
		}
		if (model_skips(&r.model, &o)) {
			free(o.p);
			free(o.q);
			continue;
		}
		trace_add(t, o);
		good = step(&r, &t->ops[t->n - 1]);
		if (good && i % LOOK_AT_ALL == 0)
			good = compare_all(&r);
	}
	end(&r, true);
}

void
run_trace(const struct trace *t, bool whole, struct result *result)
{
	struct run r;
	bool good = begin(&r, result, t->settles);

	for (size_t i = 0; good && i < t->n; i++) {
		if (model_skips(&r.model, &t->ops[i]))
			continue;
		good = step(&r, &t->ops[i]);
	}
	end(&r, whole);
}

void
run_clean(void)
{
	vault_remove(&vault);
}
