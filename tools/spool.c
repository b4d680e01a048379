/*
 * Copies of output that survive a failing vault: see spool.h.
 *
 * A log begins in the draft and may move once, to a directory of our own; it
 * never moves back. The move (rescue) needs all bytes that the log ever got.
 * The first `synced` bytes are read back from the draft, because fsync(2) has
 * succeeded for them. The rest is in memory, because a mount that dies may lose
 * bytes that write(2) has accepted. So memory holds about SPOOL_BYTES at most,
 * and a crash of the mount costs nothing.
 *
 * Nothing here returns an error. The command must not fail because its output
 * cannot be kept; a line on stderr says what is lost, and where the kept files
 * are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "files.h"
#include "program.h"
#include "report.h"
#include "spool.h"

/* A file of the spool. O_NOFOLLOW: TMPDIR may be writable for others. */
static int
open_in(const char *dir, const char *name, int flags)
{
	char *path = NULL;
	int fd;

	if (dir == NULL || asprintf(&path, "%s/%s", dir, name) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags,
	    0666);
	free(path);
	return fd;
}

/* A new directory that only its owner can read; NULL, after a note. */
static char *
make_own(void)
{
	const char *tmp = program_variable("TMPDIR");
	char *dir = NULL;

	if (tmp == NULL || tmp[0] != '/')
		tmp = "/tmp";
	if (asprintf(&dir, "%s/trailctl-run.XXXXXX", tmp) < 0)
		return NULL;
	if (mkdtemp(dir) == NULL) {
		report_note("the output cannot be kept: %s: %s", dir,
		    strerror(errno));
		free(dir);
		return NULL;
	}
	return dir;
}

/* From now on use a directory of our own. */
static void
leave(struct spool *s)
{
	if (s->own)
		return;
	free(s->dir);
	s->dir = make_own();
	s->own = s->rescued = true;
	if (s->dir != NULL)
		report_note("recording failed; the output is kept in %s",
		    s->dir);
}

/* Copy the first n bytes from one file to another. */
static bool
copy(int from, int to, uint64_t n)
{
	static char part[1 << 16];
	uint64_t at = 0;
	ssize_t got = 1;

	while (at < n && got > 0) {
		size_t want = n - at < sizeof(part) ? n - at : sizeof(part);

		got = pread(from, part, want, (off_t)at);
		if (got > 0 &&
		    files_put(to, "output", part, (size_t)got, NULL) != TF_OK)
			return false;
		at += got > 0 ? (uint64_t)got : 0;
	}
	return at == n;
}

/* False for a log that is closed, so that callers have one error path. */
static bool
write_all(int fd, const void *p, size_t n)
{
	return fd >= 0 && files_put(fd, "output", p, n, NULL) == TF_OK;
}

/* The last resort: the output goes on to the terminal only. */
static void
give_up(struct spool_log *l)
{
	report_note("%s: the output is no longer kept: %s", l->name,
	    strerror(errno));
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}

/*
 * Continue the log in a directory of our own. If the first bytes cannot be read
 * back, they are in the draft, and the new file has only the rest; `partly`
 * keeps the caller from removing the draft.
 */
static void
rescue(struct spool_log *l)
{
	int old = l->fd;

	leave(l->spool);
	l->own = true;
	l->fd = open_in(l->spool->dir, l->name, O_TRUNC);
	if (l->fd >= 0 && !copy(old, l->fd, l->synced)) {
		l->spool->partly = true;
		report_note("the beginning of %s is in the draft only",
		    l->name);
		(void)!ftruncate(l->fd, 0);
		(void)lseek(l->fd, 0, SEEK_SET);
	}
	if (l->after.failed || !write_all(l->fd, l->after.p, l->after.n)) {
		l->spool->partly = true;
		give_up(l);
	}
	tf_buf_free(&l->after);
	(void)close(old);
}

/* The boot clock also counts while the machine sleeps, and never jumps back. */
static uint64_t
seconds(void)
{
	return tf_clock_boot_ns() / TF_SECOND;
}

/* Store what a draft has. Only after fsync(2) succeeded may the copy in memory
 * be forgotten. */
static void
sync_log(struct spool_log *l)
{
	if (tf_file_sync(l->fd, NULL) != TF_OK) {
		rescue(l);
		return;
	}
	l->synced += l->after.n;
	l->synced_at = seconds();
	l->after.n = 0;
}

/* Take a part of the output. To `after` first: if the write fails half way,
 * rescue() still has the whole part. */
static void
put(void *arg, const void *p, size_t n)
{
	struct spool_log *l = arg;

	if (l->fd < 0)
		return;
	if (l->own) {
		if (!write_all(l->fd, p, n))
			give_up(l);
		return;
	}
	tf_buf_add(&l->after, p, n);
	if (!write_all(l->fd, p, n))
		rescue(l);
	else if (l->after.n >= SPOOL_BYTES ||
	    seconds() - l->synced_at >= SPOOL_SECONDS)
		sync_log(l);
}

void
spool_open(struct spool *s, const char *dir)
{
	static const char *const names[SPOOL_LOGS] = { "stdout.log",
		"stderr.log" };

	*s = (struct spool){ .own = dir == NULL };
	s->dir = dir != NULL ? strdup(dir) : make_own();
	for (int i = 0; i < SPOOL_LOGS; i++) {
		struct spool_log *l = &s->log[i];

		*l = (struct spool_log){ .spool = s, .name = names[i] };
		l->synced_at = seconds();
		l->own = s->own;
		l->fd = open_in(s->dir, l->name, O_EXCL);
		if (l->fd < 0 && !s->own) {
			leave(s);
			l->own = true;
			l->fd = open_in(s->dir, l->name, O_EXCL);
		}
		s->copy[i] = (struct child_copy){ put, l };
	}
}

void
spool_put(struct spool *s, const char *name, const struct tf_buf *text)
{
	int fd = open_in(s->dir, name, O_TRUNC);
	bool ok = write_all(fd, text->p, text->n);

	if (fd >= 0 && close(fd) < 0)
		ok = false;
	if (ok || s->own)
		return;
	leave(s);
	if (s->dir != NULL)
		spool_put(s, name, text);
}

void
spool_close(struct spool *s)
{
	/* fsync reports what the mount could not store.  A failure of one log
	 * moves both, so that all files of a run are in one directory. */
	for (int i = 0; i < SPOOL_LOGS; i++)
		if (s->log[i].fd >= 0 && !s->log[i].own)
			sync_log(&s->log[i]);
	for (int i = 0; i < SPOOL_LOGS; i++) {
		if (s->log[i].fd >= 0 && s->own && !s->log[i].own)
			rescue(&s->log[i]);
		if (s->log[i].fd >= 0)
			(void)close(s->log[i].fd); /* fsync reported */
		s->log[i].fd = -1;
	}
}

void
spool_remove(struct spool *s)
{
	static const char *const names[] = { "stdout.log", "stderr.log",
		"run.json" };
	char *path = NULL;

	if (!s->own || s->dir == NULL)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (asprintf(&path, "%s/%s", s->dir, names[i]) < 0)
			return;
		(void)unlink(path);
		free(path);
	}
	(void)rmdir(s->dir);
}

void
spool_free(struct spool *s)
{
	for (int i = 0; i < SPOOL_LOGS; i++) {
		if (s->log[i].fd >= 0)
			(void)close(s->log[i].fd);
		tf_buf_free(&s->log[i].after);
	}
	free(s->dir);
	s->dir = NULL;
}
