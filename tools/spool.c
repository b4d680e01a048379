/* Copies of output that survive a failing vault: see spool.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "program.h"
#include "report.h"
#include "spool.h"

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

/* Copy what the log has, as far as it can be read, to one in s->dir. */
static void
rescue(struct spool_log *l)
{
	static char part[1 << 16];
	int old = l->fd;
	off_t at = 0;
	ssize_t n = -1;

	l->rescued = true;
	l->fd = open_in(l->spool->dir, l->name, O_TRUNC);
	while (l->fd >= 0 && (n = pread(old, part, sizeof(part), at)) > 0) {
		if (files_put(l->fd, l->name, part, (size_t)n, NULL) != TF_OK)
			break;
		at += n;
	}
	if (n != 0)
		l->spool->partly = true;
	(void)close(old);
}

static bool
write_all(int fd, const char *p, size_t n)
{
	return fd >= 0 && files_put(fd, "output", p, n, NULL) == TF_OK;
}

static void
put(void *arg, const void *p, size_t n)
{
	struct spool_log *l = arg;
	struct spool *s = l->spool;
	off_t before;

	if (l->fd < 0)
		return;
	before = lseek(l->fd, 0, SEEK_CUR);
	if (write_all(l->fd, p, n))
		return;
	/* A part of p may be in the file: write it at the same place. */
	if (!s->own)
		leave(s);
	if (!l->rescued && s->rescued)
		rescue(l);
	if (l->fd >= 0 && before >= 0 && ftruncate(l->fd, before) == 0 &&
	    lseek(l->fd, before, SEEK_SET) == before && write_all(l->fd, p, n))
		return;
	report_note("%s: the output is no longer kept: %s", l->name,
	    strerror(errno));
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}

void
spool_open(struct spool *s, const char *dir)
{
	static const char *const names[SPOOL_LOGS] = { "stdout.log",
		"stderr.log" };

	*s = (struct spool){ .own = dir == NULL };
	s->dir = dir != NULL ? strdup(dir) : make_own();
	for (int i = 0; i < SPOOL_LOGS; i++) {
		s->log[i] = (struct spool_log){ .spool = s, .name = names[i] };
		s->log[i].fd = open_in(s->dir, names[i], O_EXCL);
		if (s->log[i].fd < 0 && !s->own) {
			leave(s);
			s->log[i].rescued = true;
			s->log[i].fd = open_in(s->dir, names[i], O_EXCL);
		}
		s->copy[i] = (struct child_copy){ put, &s->log[i] };
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
	/* The mount reports here what it could not store. */
	for (int i = 0; i < SPOOL_LOGS; i++)
		if (s->log[i].fd >= 0 && fsync(s->log[i].fd) < 0)
			leave(s);
	for (int i = 0; i < SPOOL_LOGS; i++) {
		if (s->log[i].fd < 0)
			continue;
		if (s->rescued && !s->log[i].rescued)
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
	for (int i = 0; i < SPOOL_LOGS; i++)
		if (s->log[i].fd >= 0)
			(void)close(s->log[i].fd);
	free(s->dir);
	s->dir = NULL;
}
