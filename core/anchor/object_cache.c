/* A cache of objects: see object_cache.h. */
#include "object_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"

#define NAME ".cache"
#define HEX 64
#define FILE_NAME (3 + HEX + 1) /* "ab/HEX" and NUL */

struct cached {
	char name[FILE_NAME];
	struct timespec used;
	uint64_t size;
};

struct list {
	struct cached *file;
	size_t n, cap;
};

static void
name_of(const struct tf_hash *h, char out[FILE_NAME])
{
	char hex[HEX + 1];

	tf_hex(h->b, sizeof(h->b), hex);
	(void)snprintf(out, FILE_NAME, "%.2s/%s", hex, hex);
}

/* Add the files of one directory.  What is no file of ours is left alone. */
static bool
list_one(struct list *l, int dirfd, const char *name)
{
	int fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	struct stat st;
	bool ok = true;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return true;
	}
	while (ok && (e = readdir(d)) != NULL) {
		if (strlen(e->d_name) != HEX ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		ok = tf_array_room(&l->file, l->n, &l->cap, sizeof(*l->file));
		if (!ok)
			break;
		(void)snprintf(l->file[l->n].name, FILE_NAME, "%.2s/%.64s",
		    name, e->d_name);
		l->file[l->n].used = st.st_mtim;
		l->file[l->n++].size = (uint64_t)st.st_blocks * 512;
	}
	(void)closedir(d);
	return ok;
}

static bool
list_all(struct list *l, int dirfd)
{
	char name[4];
	bool ok = true;

	for (unsigned i = 0; ok && i < 256; i++) {
		(void)snprintf(name, sizeof(name), "%02x", i);
		ok = list_one(l, dirfd, name);
	}
	return ok;
}

static int
by_use(const void *x, const void *y)
{
	const struct timespec *a = &((const struct cached *)x)->used,
			      *b = &((const struct cached *)y)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

/* mu is held.  The sum is made anew, so that no error of it stays. */
static void
shrink(struct tf_object_cache *c, uint64_t max)
{
	struct list l = { 0 };
	uint64_t sum = 0;

	if (list_all(&l, c->dirfd)) {
		for (size_t i = 0; i < l.n; i++)
			sum += l.file[i].size;
		if (l.n > 0)
			qsort(l.file, l.n, sizeof(*l.file), by_use);
		for (size_t i = 0; i < l.n && sum > max; i++)
			if (unlinkat(c->dirfd, l.file[i].name, 0) == 0)
				sum -= l.file[i].size;
		c->used = sum;
	}
	free(l.file);
}

void
tf_object_cache_shrink(struct tf_object_cache *c, uint64_t max)
{
	pthread_mutex_lock(&c->mu);
	shrink(c, max);
	pthread_mutex_unlock(&c->mu);
}

enum tf_code
tf_object_cache_open(struct tf_object_cache *c, int dirfd, uint64_t max,
    struct tf_error *err)
{
	enum tf_code rc = tf_file_mkdir(dirfd, NAME, err);

	*c = (struct tf_object_cache){ .dirfd = -1, .max = max };
	(void)pthread_mutex_init(&c->mu, NULL);
	if (rc != TF_OK && rc != TF_EXISTS)
		return rc;
	c->dirfd = openat(dirfd, NAME,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dirfd < 0)
		return tf_fail(err, TF_IO, "open " NAME ": %s",
		    strerror(errno));
	if (flock(c->dirfd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ?
		    tf_fail(err, TF_LOCKED,
			"another process follows into this directory") :
		    tf_fail(err, TF_IO, "lock " NAME ": %s", strerror(errno));
	tf_object_cache_shrink(c, max);
	return TF_OK;
}

void
tf_object_cache_close(struct tf_object_cache *c)
{
	if (c->dirfd >= 0)
		(void)close(c->dirfd);
	(void)pthread_mutex_destroy(&c->mu);
}

enum tf_code
tf_object_cache_get(struct tf_object_cache *c, const struct tf_hash *h, int *fd,
    uint64_t *size, struct tf_error *err)
{
	const struct timespec now[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_nsec = UTIME_NOW } };
	char name[FILE_NAME];
	struct tf_hash have;
	enum tf_code rc;

	name_of(h, name);
	*size = 0;
	*fd = openat(c->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return TF_NOTFOUND;
	rc = tf_hash_fd(*fd, &have, size, err);
	if (rc == TF_OK && memcmp(&have, h, sizeof(have)) != 0) {
		(void)unlinkat(c->dirfd, name, 0);
		rc = TF_NOTFOUND;
	}
	if (rc == TF_OK)
		(void)futimens(*fd, now);
	if (rc != TF_OK) {
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

enum tf_code
tf_object_cache_new(struct tf_object_cache *c, int *fd, struct tf_error *err)
{
	*fd = openat(c->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
	return *fd >= 0 ?
	    TF_OK :
	    errno == ENOSPC ?
	    tf_fail(err, TF_NOSPACE, "the disk of the cache is full") :
	    tf_fail(err, TF_IO, "make a file in " NAME ": %s", strerror(errno));
}

/* It appears with all its bytes.  Another thread may have put it just before. */
static void
link_it(struct tf_object_cache *c, const struct tf_hash *h, const char *proc,
    uint64_t size)
{
	char name[FILE_NAME], dir[3];

	name_of(h, name);
	memcpy(dir, name, 2);
	dir[2] = '\0';
	(void)mkdirat(c->dirfd, dir, 0700);
	if (linkat(AT_FDCWD, proc, c->dirfd, name, AT_SYMLINK_FOLLOW) == 0)
		c->used += size;
}

enum tf_code
tf_object_cache_put(struct tf_object_cache *c, const struct tf_hash *h, int fd,
    int *read, struct tf_error *err)
{
	char proc[40];
	uint64_t size; /* on the disk */
	struct stat st;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	*read = open(proc, O_RDONLY | O_CLOEXEC);
	if (*read < 0)
		return tf_fail(err, TF_IO, "open an object: %s",
		    strerror(errno));
	if (fstat(fd, &st) < 0)
		return TF_OK; /* it can be read, and is not kept */
	size = (uint64_t)st.st_blocks * 512;
	pthread_mutex_lock(&c->mu);
	if (size <= c->max && c->used + size > c->max)
		shrink(c, c->max - size);
	if (size <= c->max)
		link_it(c, h, proc, size);
	pthread_mutex_unlock(&c->mu);
	return TF_OK;
}

uint64_t
tf_object_cache_used(struct tf_object_cache *c)
{
	uint64_t used;

	pthread_mutex_lock(&c->mu);
	used = c->used;
	pthread_mutex_unlock(&c->mu);
	return used;
}
