/* The origins of a router: see router_origins.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/array.h"
#include "core/vault.h"
#include "router_ids.h"
#include "router_origins.h"

#define BUCKETS 4096
#define CHECKPOINT "checkpoint"
#define BLOCK_SIZE (128 * 1024)

struct fs_origins {
	int fd, inotify;
	struct fs_origin *bucket[BUCKETS]; /* by number */
	struct fs_origin **list;	   /* those present, by number */
	size_t n, cap;
	char **other; /* names that are no copies */
	size_t n_other, cap_other;
};

static struct fs_origin **
bucket_of(struct fs_origins *t, unsigned number)
{
	return &t->bucket[number % BUCKETS];
}

struct fs_origin *
fs_origins_number(struct fs_origins *t, unsigned number)
{
	struct fs_origin *o = *bucket_of(t, number);

	while (o != NULL && o->number != number)
		o = o->next;
	return o;
}

/* FNV-1a. */
static unsigned
number_of(const char *name, size_t n)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * UINT32_C(16777619);
	return 1 + (h ^ h >> 23) % (FS_IDS_ORIGINS - 1);
}

static unsigned
next_number(unsigned number)
{
	return number + 1 < FS_IDS_ORIGINS ? number + 1 : 1;
}

/* The origin of that name, present or not.  Otherwise NULL, and *number is free. */
static struct fs_origin *
find(struct fs_origins *t, const char *name, size_t n, unsigned *number)
{
	struct fs_origin *o;

	*number = number_of(name, n);
	while ((o = fs_origins_number(t, *number)) != NULL &&
	    (o->replaced || strlen(o->name) != n ||
		memcmp(o->name, name, n) != 0))
		*number = next_number(*number);
	return o;
}

struct fs_origin *
fs_origins_name(struct fs_origins *t, const char *name, size_t n)
{
	unsigned number;
	struct fs_origin *o = find(t, name, n, &number);

	return o != NULL && o->present ? o : NULL;
}

struct fs_origin *
fs_origins_after(struct fs_origins *t, unsigned number)
{
	size_t low = 0, high = t->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t->list[mid]->number <= number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n ? t->list[low] : NULL;
}

size_t
fs_origins_present(const struct fs_origins *t)
{
	return t->n;
}

int
fs_origins_inotify(const struct fs_origins *t)
{
	return t->inotify;
}

int
fs_origins_fd(const struct fs_origins *t)
{
	return t->fd;
}

/* --- scanning ---------------------------------------------------------------- */

static void
set_time(uint64_t *s, uint32_t *ns, const struct timespec *t)
{
	*s = (uint64_t)t->tv_sec;
	*ns = (uint32_t)t->tv_nsec;
}

/* The directory of an origin looks as its copy does, but everybody may read it, as
 * the root of a mount of the copy: what is below has modes of its own. */
static void
set_attr(const struct fs_origins *t, struct fs_origin *o, const struct stat *st)
{
	char path[NAME_MAX + sizeof "/" CHECKPOINT];
	struct stat head;
	struct fuse_attr *a = &o->attr;

	(void)snprintf(path, sizeof path, "%s/" CHECKPOINT, o->name);
	if (fstatat(t->fd, path, &head, AT_SYMLINK_NOFOLLOW) < 0)
		head = *st;
	*a = (struct fuse_attr){ .ino = fs_ids_root(o->number),
		.mode = S_IFDIR | 0755,
		.nlink = 2,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.blksize = BLOCK_SIZE };
	set_time(&a->mtime, &a->mtimensec, &head.st_mtim);
	set_time(&a->atime, &a->atimensec, &head.st_mtim);
	set_time(&a->ctime, &a->ctimensec, &head.st_mtim);
}

static struct fs_origin *
add(struct fs_origins *t, const char *name)
{
	const size_t n = strlen(name);
	unsigned number;
	struct fs_origin *o = find(t, name, n, &number), **at;

	if (o != NULL)
		return o;
	if ((o = calloc(1, sizeof *o + n + 1)) == NULL)
		return NULL;
	o->number = number;
	o->watch = -1;
	o->generation = 1;
	memcpy(o->name, name, n + 1);
	at = bucket_of(t, number);
	o->next = *at;
	*at = o;
	return o;
}

static bool
is_known_other(const struct fs_origins *t, const char *name)
{
	for (size_t i = 0; i < t->n_other; i++)
		if (strcmp(t->other[i], name) == 0)
			return true;
	return false;
}

static enum tf_code
take_other(struct fs_origins *t, const char *name,
    void (*report)(const char *name), struct tf_error *err)
{
	if (is_known_other(t, name))
		return TF_OK;
	if (!tf_array_room(&t->other, t->n_other, &t->cap_other,
		sizeof *t->other) ||
	    (t->other[t->n_other] = strdup(name)) == NULL)
		return tf_nomem(err);
	t->n_other++;
	report(name);
	return TF_OK;
}

static enum tf_code
take(struct fs_origins *t, const char *name, void (*report)(const char *name),
    struct tf_error *err)
{
	struct fs_origin *o;
	struct stat st;

	if (name[0] == '.')
		return TF_OK;
	if (!tf_vault_is_copy(t->fd, name) ||
	    fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return take_other(t, name, report, err);
	if (!tf_array_room(&t->list, t->n, &t->cap, sizeof *t->list) ||
	    (o = add(t, name)) == NULL)
		return tf_nomem(err);
	/* Other names and contents need other ids: the kernel remembers these. */
	if (o->ino != 0 && (o->ino != st.st_ino || o->dev != st.st_dev)) {
		o->replaced = true;
		if ((o = add(t, name)) == NULL)
			return tf_nomem(err);
	}
	o->ino = st.st_ino;
	o->dev = st.st_dev;
	if (!o->restricted)
		set_attr(t, o, &st);
	o->present = true;
	t->list[t->n++] = o;
	return TF_OK;
}

static int
by_number(const void *a, const void *b)
{
	const struct fs_origin *const *x = a, *const *y = b;

	return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

enum tf_code
fs_origins_scan(struct fs_origins *t, void (*report)(const char *name),
    struct tf_error *err)
{
	int fd = openat(t->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return tf_fail(err, TF_IO, "list the copies");
	}
	for (size_t i = 0; i < t->n; i++)
		t->list[i]->present = false;
	t->n = 0;
	while (rc == TF_OK && (e = readdir(d)) != NULL)
		rc = take(t, e->d_name, report, err);
	(void)closedir(d);
	if (t->n > 0)
		qsort(t->list, t->n, sizeof(struct fs_origin *), by_number);
	return rc;
}

bool
fs_origins_are(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool found = false;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	if (!tf_vault_is_store(fd))
		while (!found && (e = readdir(d)) != NULL)
			found = e->d_name[0] != '.' &&
			    tf_vault_is_copy(fd, e->d_name);
	(void)closedir(d);
	return found;
}

enum tf_code
fs_origins_open(const char *path, struct fs_origins **out, struct tf_error *err)
{
	struct fs_origins *t = calloc(1, sizeof *t);
	enum tf_code rc = TF_OK;

	if (t == NULL)
		return tf_nomem(err);
	t->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	t->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->fd < 0 || t->inotify < 0 ||
	    inotify_add_watch(t->inotify, path,
		IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
		    IN_ONLYDIR) < 0)
		rc = tf_fail(err, TF_IO, "watch %s", path);
	if (rc == TF_OK)
		*out = t;
	else
		fs_origins_free(t);
	return rc;
}

void
fs_origins_free(struct fs_origins *t)
{
	struct fs_origin *o, *next;

	if (t == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (o = t->bucket[i]; o != NULL; o = next) {
			next = o->next;
			free(o);
		}
	for (size_t i = 0; i < t->n_other; i++)
		free(t->other[i]);
	free(t->other);
	free(t->list);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->inotify >= 0)
		(void)close(t->inotify);
	free(t);
}

/* --- growth ------------------------------------------------------------------ */

void
fs_origins_watch(struct fs_origins *t, struct fs_origin *o)
{
	char path[64 + NAME_MAX];

	if (o->watch >= 0)
		return;
	/* Relative to the open directory, which may have been moved. */
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d/%s", t->fd,
	    o->name);
	o->watch = inotify_add_watch(t->inotify, path,
	    IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
}

bool
fs_origins_is_other(struct fs_origins *t, struct fs_origin *o)
{
	char path[NAME_MAX + sizeof "/" CHECKPOINT];
	struct stat st = { 0 };
	bool first = o->checkpoint.ino == 0, other;

	(void)snprintf(path, sizeof path, "%s/" CHECKPOINT, o->name);
	if (fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	other = o->checkpoint.ino != st.st_ino ||
	    o->checkpoint.size != (uint64_t)st.st_size ||
	    o->checkpoint.mtime_s != (uint64_t)st.st_mtim.tv_sec ||
	    o->checkpoint.mtime_ns != (uint64_t)st.st_mtim.tv_nsec;
	o->checkpoint.ino = st.st_ino;
	o->checkpoint.size = (uint64_t)st.st_size;
	o->checkpoint.mtime_s = (uint64_t)st.st_mtim.tv_sec;
	o->checkpoint.mtime_ns = (uint64_t)st.st_mtim.tv_nsec;
	if (other && !o->restricted) {
		set_time(&o->attr.mtime, &o->attr.mtimensec, &st.st_mtim);
		set_time(&o->attr.atime, &o->attr.atimensec, &st.st_mtim);
		set_time(&o->attr.ctime, &o->attr.ctimensec, &st.st_mtim);
	}
	return other && !first;
}

static struct fs_origin *
watched(struct fs_origins *t, int watch)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i]->watch == watch)
			return t->list[i];
	return NULL;
}

void
fs_origins_changed(struct fs_origins *t, bool *scan,
    void (*grown)(void *arg, struct fs_origin *o), void *arg)
{
	_Alignas(struct inotify_event) char text[16384];
	const struct inotify_event *e;
	struct fs_origin *o;
	ssize_t n;

	while ((n = read(t->inotify, text, sizeof text)) > 0)
		for (ssize_t at = 0; at < n;
		     at += (ssize_t)(sizeof *e + e->len)) {
			e = (const void *)(text + at);
			o = watched(t, e->wd);
			if (o == NULL)
				*scan = true; /* also if events were lost */
			else if ((e->mask & IN_IGNORED) != 0)
				o->watch = -1;
			else if (e->len > 0 &&
			    strcmp(e->name, CHECKPOINT) == 0 &&
			    fs_origins_is_other(t, o))
				grown(arg, o);
		}
}
