/*
 * Reading and writing whole files: see files.h.
 *
 * A new file is made without a name (O_TMPFILE), so a killed program leaves
 * nothing. It gets its name with linkat(2), which never replaces. If the name
 * exists, the file first gets a temporary name beside it, and rename(2)
 * replaces the old file in one step. Where O_TMPFILE does not work the
 * temporary name is there from the start; a signal handler removes it, since
 * the caller could not.
 *
 * The file is not synced: what trailctl writes here can be made again, and the
 * disk of the user is not the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "files.h"
#include "refusals.h"
#include "report.h"

/* Read in parts and not by size: a pipe and a control file have none. */
enum tf_code
files_read_fd(int fd, const char *path, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	size_t start = out->n;
	char part[16384];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return report_system(err, "%s", path);
		if ((size_t)n > max - (out->n - start))
			return tf_fail(err, TF_TOOBIG,
			    "%s is longer than %zu bytes", path, max);
		tf_buf_add(out, part, (size_t)n);
		if (out->failed)
			return tf_nomem(err);
	}
	return TF_OK;
}

enum tf_code
files_read(const char *path, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return report_system(err, "%s", path);
	rc = files_read_fd(fd, path, max, out, err);
	close(fd); /* read-only: close cannot lose data */
	/* The user named a wrong file. */
	return rc == TF_TOOBIG ?
	    tf_fail(err, TF_INVALID, "%s is longer than %zu bytes", path, max) :
	    rc;
}

/* --- where a file cannot be without a name -------------------------------- */

#define TMP_NAME "/.trailctl.XXXXXX.part" /* in a mount this is a draft */
#define TMP_SUFFIX 5

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
#define FATAL (sizeof(fatal) / sizeof(*fatal))

static const char
    *volatile to_remove; /* by the signal handler; one file at a time */

/* Only functions that are safe in a signal handler. The signal is raised again,
 * so that the caller's shell sees its real cause. */
static void
remove_and_die(int sig)
{
	if (to_remove != NULL)
		(void)unlink(to_remove);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

/* From now on remove path when a signal ends the program; NULL: nothing.
 * Ignored signals stay ignored. */
static void
remove_on_signals(const char *path)
{
	struct sigaction new = { .sa_handler = remove_and_die }, old;

	to_remove = path;
	for (size_t i = 0; path != NULL && i < FATAL; i++)
		if (sigaction(fatal[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			(void)sigaction(fatal[i], &new, NULL);
}

/* For the moments in which a file has a temporary name that the handler does
 * not know yet, or no longer. */
static void
block_signals(sigset_t *before)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < FATAL; i++)
		(void)sigaddset(&set, fatal[i]);
	(void)sigprocmask(SIG_BLOCK, &set, before);
}

/* --- making a file ----------------------------------------------------------- */

/* The directory of path, allocated; NULL: no memory. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") :
			       strndup(path, (size_t)(slash - path));
}

static char *
name_in(const char *dir)
{
	char *s;

	return asprintf(&s, "%s" TMP_NAME, dir) < 0 ? NULL : s;
}

/* Give the file the mode that open(2) would have given it. */
static void
set_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	(void)!fchmod(fd, 0666 & ~mask);
}

static enum tf_code
open_named(struct files_new *f, struct tf_error *err)
{
	sigset_t before;
	enum tf_code rc = TF_OK;

	if ((f->tmp = name_in(f->dir)) == NULL)
		return tf_nomem(err);
	block_signals(&before);
	f->fd = mkostemps(f->tmp, TMP_SUFFIX, O_CLOEXEC);
	if (f->fd >= 0) {
		remove_on_signals(f->tmp);
		set_mode(f->fd);
	} else {
		rc = report_system(err, "%s", f->path);
		free(f->tmp);
		f->tmp = NULL;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* Make a file in f->dir without a name, or else with a temporary one. */
static enum tf_code
open_new(struct files_new *f, struct tf_error *err)
{
	f->fd = open(f->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (f->fd >= 0)
		return TF_OK;
	/* EISDIR: the kernel does not know O_TMPFILE. */
	return errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ?
	    open_named(f, err) :
	    report_system(err, "%s", f->path);
}

/*
 * The user named something that must not be replaced by a file, such as
 * /dev/stdout or a link to a report. Make the file elsewhere and copy it when
 * it is whole.
 */
static enum tf_code
open_into(struct files_new *f, struct tf_error *err)
{
	f->into = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (f->into < 0)
		return report_system(err, "%s", f->path);
	/* Do not make the file in the directory of a device. */
	f->dir = strdup("/var/tmp");
	return f->dir == NULL ? tf_nomem(err) : open_new(f, err);
}

/* Remove what has a temporary name, and free the rest. Also after success: then
 * f->tmp is NULL. */
static void
let_go(struct files_new *f)
{
	if (f->tmp != NULL) {
		(void)unlink(f->tmp);
		remove_on_signals(NULL);
	}
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->into >= 0)
		(void)close(f->into);
	free(f->tmp);
	free(f->dir);
	*f = (struct files_new){ .fd = -1, .into = -1 };
}

enum tf_code
files_begin(struct files_new *f, const char *path, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	*f = (struct files_new){ .fd = -1, .into = -1, .path = path };
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		rc = open_into(f, err);
	else if ((f->dir = directory_of(path)) == NULL)
		rc = tf_nomem(err);
	else
		rc = open_new(f, err);
	if (rc != TF_OK) {
		let_go(f);
		rc = refusals_explain_path(path, err);
	}
	return rc;
}

/* --- ending it ------------------------------------------------------------------ */

/* Give the open file a name; false with errno. EEXIST: it is taken. */
static bool
link_fd(int fd, const char *name)
{
	char self[40];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0)
		return true;
	/* This works without /proc, but needs a capability. */
	return errno == ENOENT &&
	    linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH) == 0;
}

/* Give the file a free name, in f->tmp; false with errno. */
static bool
link_beside(struct files_new *f)
{
	char *name = name_in(f->dir);
	int fd, tries = 0;
	bool ok = false;

	/* mkostemps() finds a free name; its file makes room for ours. */
	while (name != NULL && !ok && tries++ < 100) {
		(void)strcpy(name + strlen(f->dir), TMP_NAME);
		if ((fd = mkostemps(name, TMP_SUFFIX, O_CLOEXEC)) < 0)
			break;
		(void)close(fd);
		(void)unlink(name);
		ok = link_fd(f->fd, name);
		if (!ok && errno != EEXIST)
			break;
	}
	if (!ok) {
		free(name);
		return false;
	}
	f->tmp = name;
	return true;
}

/*
 * linkat() never replaces, and rename() needs a name.  So an existing file is
 * replaced in two steps; of all signals only SIGKILL can end us between them.
 */
static enum tf_code
give_name(struct files_new *f, struct tf_error *err)
{
	sigset_t before;
	enum tf_code rc = TF_OK;
	bool named;

	if (f->tmp == NULL && link_fd(f->fd, f->path))
		return TF_OK;
	if (f->tmp == NULL && errno != EEXIST)
		return report_system(err, "%s", f->path);
	block_signals(&before);
	named = (f->tmp != NULL || link_beside(f)) &&
	    rename(f->tmp, f->path) == 0;
	if (!named) {
		(void)report_system(err, "%s", f->path);
		rc = refusals_explain_path(f->path, err);
	}
	if (f->tmp != NULL && named) {
		remove_on_signals(NULL);
		free(f->tmp);
		f->tmp = NULL;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* A pipe takes what it has room for, so one write(2) may not be all. */
enum tf_code
files_put(int fd, const char *path, const void *bytes, size_t size,
    struct tf_error *err)
{
	const char *p = bytes;
	ssize_t n;

	while (size > 0) {
		n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return report_system(err, "%s", path);
		p += n;
		size -= (size_t)n;
	}
	return TF_OK;
}

/* Copy the whole file to the existing pipe, device or link. */
static enum tf_code
copy_into(struct files_new *f, struct tf_error *err)
{
	char part[65536];
	enum tf_code rc;
	struct stat st;
	uint64_t off = 0;
	size_t n;
	int closed;

	/* If it leads to an ordinary file, its old bytes must go. */
	if (fstat(f->into, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(f->into, 0) < 0)
		return report_system(err, "%s", f->path);
	do {
		rc = tf_file_pread(f->fd, part, sizeof(part), off, &n, err);
		if (rc == TF_OK)
			rc = files_put(f->into, f->path, part, n, err);
		off += n;
	} while (rc == TF_OK && n > 0);
	if (rc != TF_OK)
		return rc;
	closed = close(f->into);
	f->into = -1;
	return closed < 0 ? report_system(err, "%s", f->path) : TF_OK;
}

enum tf_code
files_end(struct files_new *f, enum tf_code rc, struct tf_error *err)
{
	if (rc == TF_OK && f->into < 0 && f->tmp != NULL) {
		/* Some file systems report a failed write only here. */
		if (close(f->fd) < 0)
			rc = report_system(err, "%s", f->path);
		f->fd = -1;
	}
	if (rc == TF_OK)
		rc = f->into >= 0 ? copy_into(f, err) : give_name(f, err);
	if (rc != TF_OK && err != NULL)
		tf_error_at(err, f->path);
	let_go(f);
	return rc;
}

enum tf_code
files_write(const char *path, const struct tf_buf *b, struct tf_error *err)
{
	struct files_new f;
	enum tf_code rc = files_begin(&f, path, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_file_pwrite(f.fd, b->p, b->n, 0, err);
	return files_end(&f, rc, err);
}
