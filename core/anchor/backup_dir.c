/*
 * The directory of a backup: made, marked, locked, and its small files.
 *
 * The mark is the first file and says `unfinished` until there is a state that
 * was verified.  A restoration marks its new store in the same way, until the
 * store is a vault.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cipher.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/time_text.h"
#include "../sign/state.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/page_copy.h"
#include "../store/store_files.h"
#include "backup_i.h"

/* In a backup the secret keys are in keys/, wherever the store has them. */
#define LOG_KEY "keys/" TF_LOG_SECRET
#define ATTESTER_KEY "keys/" TF_ATTESTER_SECRET

#define SMALL_FILE 524288 /* bytes: a signer.state that is full has half */
#define PIECE 1048576	  /* bytes that are copied at once */

static const char unfinished[] = "unfinished\n";
static const char restoring[] = "restoring\n";

bool
tf_backup_is(const char *dir)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s/" TF_BACKUP_MARK, dir);
	return access(name, F_OK) == 0;
}

/* --- the mark --------------------------------------------------------------- */

enum tf_code
tf_backup_mark(const struct tf_backup_run *b, bool finished,
    struct tf_error *err)
{
	char time[TF_TIME_LEN + 1];
	struct tf_buf text = { 0 };
	enum tf_code rc;

	tf_time_text(tf_clock_now(), time);
	if (!finished || b->restores)
		tf_buf_str(&text, b->restores ? restoring : unfinished);
	else
		tf_buf_printf(&text, "backup of %s\nentries %llu\ntime %s\n",
		    b->origin, (unsigned long long)b->out->entries, time);
	tf_buf_printf(&text, "store %s\n", b->store);
	rc = tf_buf_end(&text, err);
	if (rc == TF_OK)
		rc = tf_file_write(b->dirfd, TF_BACKUP_MARK, text.p, text.n,
		    0600, false, err);
	tf_buf_free(&text);
	return rc;
}

/* Does the mark fit this run?  *absent: there is none. */
static enum tf_code
check_mark(const struct tf_backup_run *b, bool *absent, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	char want[48];
	enum tf_code rc = tf_file_read(b->dirfd, TF_BACKUP_MARK, SMALL_FILE,
	    &text, err);

	*absent = rc == TF_NOTFOUND;
	if (rc != TF_OK)
		return *absent ? TF_OK : rc;
	tf_buf_add(&text, "", 1);
	(void)snprintf(want, sizeof(want), "store %s\n", b->store);
	if ((rc = tf_buf_end(&text, err)) != TF_OK)
		goto out;
	if (strstr(text.p, want) == NULL)
		rc = tf_fail(err, TF_FOREIGN,
		    "%.100s is the backup of another store", b->ask->dir);
	else if (b->restores !=
	    (strncmp(text.p, restoring, strlen(restoring)) == 0))
		rc = tf_fail(err, TF_EXISTS,
		    b->restores ?
			"%.100s is a backup: a restored store needs another "
			"directory" :
			"%.100s is a store that is being restored",
		    b->ask->dir);
out:
	tf_buf_free(&text);
	return rc;
}

/* --- making and locking ------------------------------------------------------ */

/* May the name be in the directory of a new backup?  A mark that was being written
 * in a crash counts as nothing. */
static bool
counts_as_nothing(const char *name)
{
	static const char mark[] = TF_BACKUP_MARK ".";

	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcmp(name, "lost+found") == 0 ||
	    strncmp(name, mark, strlen(mark)) == 0;
}

static enum tf_code
check_empty(const struct tf_backup_run *b, struct tf_error *err)
{
	int fd = openat(b->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return tf_fail(err, TF_IO, "read %.100s", b->ask->dir);
	}
	while (rc == TF_OK && (e = readdir(d)) != NULL)
		if (!counts_as_nothing(e->d_name))
			rc = tf_fail(err, TF_EXISTS,
			    b->restores ? "%.100s is not empty" :
					  "%.100s is not empty, and no backup",
			    b->ask->dir);
	(void)closedir(d);
	return rc;
}

/* May somebody who owns the directory, and so can change all in it, have this?  A
 * restored store is given to the owner of its directory. */
static bool
may_own(const struct tf_backup_run *b, uid_t uid)
{
	struct stat store;

	if (uid == geteuid())
		return true;
	return geteuid() == 0 &&
	    (b->restores ||
		(fstat(b->storefd, &store) == 0 && uid == store.st_uid));
}

static enum tf_code
check_owner(const struct tf_backup_run *b, struct tf_error *err)
{
	struct stat st;

	if (fstat(b->dirfd, &st) < 0)
		return tf_fail(err, TF_IO, "stat %.100s", b->ask->dir);
	errno = 0;
	if (!may_own(b, st.st_uid))
		return tf_fail(err, TF_FOREIGN,
		    "%.100s belongs to uid %u, who could change all in it",
		    b->ask->dir, (unsigned)st.st_uid);
	return TF_OK;
}

/* *absent: it has no mark, so it must be empty. */
static enum tf_code
check_dir(const struct tf_backup_run *b, bool *absent, struct tf_error *err)
{
	enum tf_code rc = check_owner(b, err);

	if (rc == TF_OK)
		rc = check_mark(b, absent, err);
	return rc == TF_OK && *absent ? check_empty(b, err) : rc;
}

/*
 * Close the directory to others.  One that is refused must keep its mode: it may
 * be /home.  The second check is of what others have done before it was closed.
 */
static enum tf_code
take_dir(const struct tf_backup_run *b, bool *absent, struct tf_error *err)
{
	enum tf_code rc = check_dir(b, absent, err);

	if (rc == TF_OK && fchmod(b->dirfd, 0700) < 0)
		rc = tf_fail(err, TF_IO, "chmod %.100s", b->ask->dir);
	return rc == TF_OK ? check_dir(b, absent, err) : rc;
}

/* What root makes belongs to the owner of the directory: tf_file_mkdir(). */
static enum tf_code
make_dirs(const struct tf_backup_run *b, struct tf_error *err)
{
	static const char *const names[] = { "objects", "stage", "keys",
		TF_BACKUP_INCOMING, TF_BACKUP_INCOMING "/keys",
		TF_BACKUP_INCOMING "/stage", TF_BACKUP_PARTIAL };
	enum tf_code rc;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		rc = tf_file_mkdir(b->dirfd, names[i], err);
		if (rc != TF_OK && rc != TF_EXISTS)
			return rc;
	}
	return tf_file_sync_dir(b->dirfd, ".", err);
}

static enum tf_code
lock(struct tf_backup_run *b, struct tf_error *err)
{
	enum tf_code rc = tf_file_open(b->dirfd, "lock", O_RDWR | O_CREAT,
	    &b->lockfd, err);

	if (rc != TF_OK || flock(b->lockfd, LOCK_EX | LOCK_NB) == 0)
		return rc;
	return errno == EWOULDBLOCK ?
	    tf_fail(err, TF_LOCKED,
		"%.100s is in use: by another backup, or it is mounted",
		b->ask->dir) :
	    tf_fail(err, TF_IO, "lock %.100s", b->ask->dir);
}

static enum tf_code
open_dir(struct tf_backup_run *b, struct tf_error *err)
{
	const char *dir = b->ask->dir;
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	bool absent;
	enum tf_code rc;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %.100s: %s", dir,
		    strerror(errno));
	if ((b->dirfd = open(dir, flags)) < 0)
		return tf_fail(err,
		    errno == ENOTDIR ? TF_EXISTS : tf_code_of_open(errno),
		    "%.100s: %s", dir, strerror(errno));
	if ((rc = take_dir(b, &absent, err)) != TF_OK ||
	    (absent && (rc = tf_backup_mark(b, false, err)) != TF_OK) ||
	    (rc = lock(b, err)) != TF_OK || (rc = make_dirs(b, err)) != TF_OK)
		return rc;
	b->to_objects = openat(b->dirfd, "objects", flags);
	b->incomingfd = openat(b->dirfd, TF_BACKUP_INCOMING, flags);
	b->partialfd = openat(b->dirfd, TF_BACKUP_PARTIAL, flags);
	return b->to_objects < 0 || b->incomingfd < 0 || b->partialfd < 0 ?
	    tf_fail(err, TF_IO, "%.100s lacks objects/ or incoming/: %s", dir,
		strerror(errno)) :
	    TF_OK;
}

/* --- the source -------------------------------------------------------------- */

static enum tf_code
open_source(struct tf_backup_run *b, struct tf_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char name[PATH_MAX];
	enum tf_code rc;

	if ((b->storefd = open(b->ask->store, flags)) < 0 ||
	    (b->from_objects = openat(b->storefd, "objects", flags)) < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s",
		    b->ask->store, strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/%s", b->ask->store, TF_DB_NAME);
	if ((rc = tf_db_open(name, TF_DB_READ, &b->source, err)) != TF_OK ||
	    (rc = tf_db_refuse_sparse(b->source, err)) != TF_OK ||
	    (rc = tf_meta_get_text(b->source, "store", b->store,
		 sizeof(b->store), err)) != TF_OK)
		return rc;
	return tf_meta_get_text(b->source, "origin", b->origin,
	    sizeof(b->origin), err);
}

/* The state that the backup has. */
static enum tf_code
read_state(struct tf_backup_run *b, struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_db *db;
	enum tf_code rc;

	b->out->had_keys = faccessat(b->dirfd, LOG_KEY, F_OK, 0) == 0;
	if (b->restores)
		return TF_OK; /* it is made anew */
	(void)snprintf(name, sizeof(name), "%s/%s", b->ask->dir, TF_DB_NAME);
	if (access(name, F_OK) != 0)
		return errno == ENOENT ?
		    TF_OK :
		    tf_fail(err, TF_IO, "read %.100s", name);
	if ((rc = tf_db_open(name, TF_DB_READ, &db, err)) != TF_OK)
		return rc;
	rc = tf_checkpoints_newest(db, &b->size, &b->root, NULL, err);
	b->out->before = b->size;
	tf_db_close(db);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_backup_open(struct tf_backup_run *b, struct tf_error *err)
{
	enum tf_code rc;

	b->storefd = b->dirfd = b->incomingfd = b->partialfd = b->lockfd = -1;
	b->from_objects = b->to_objects = -1;
	if ((b->piece = malloc(PIECE)) == NULL)
		return tf_nomem(err);
	if ((rc = open_source(b, err)) != TF_OK ||
	    (rc = open_dir(b, err)) != TF_OK ||
	    (rc = tf_pages_apply(b->dirfd, TF_DB_NAME, NULL, err)) != TF_OK ||
	    (rc = tf_backup_empty(b, false, err)) != TF_OK ||
	    (rc = make_dirs(b, err)) != TF_OK)
		return rc;
	return read_state(b, err);
}

void
tf_backup_close(struct tf_backup_run *b)
{
	const int fds[] = { b->from_objects, b->to_objects, b->partialfd,
		b->incomingfd, b->dirfd, b->storefd, b->lockfd };

	tf_db_close(b->source);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	free(b->piece);
}

/* --- small files --------------------------------------------------------------- */

static const struct small {
	const char *name;
	unsigned mode;
	bool secret, required;
} files[] = {
	{ TF_LOG_VKEY, 0400, false, true },
	{ TF_LOG_PUB, 0400, false, false },
	{ TF_ATTESTER_PUB, 0400, false, false },
	{ LOG_KEY, 0400, true, true },
	{ ATTESTER_KEY, 0400, true, true },
	/* After the ledger, so that it knows each tree of it: without it the
	 * key could sign another history. */
	{ TF_SIGNER_MEMORY, 0600, true, false },
	{ "config", 0600, false, false },
};

#define FILES (sizeof(files) / sizeof(files[0]))

/* A restored store has another guard and other places than the lost one: their
 * lines become comments. */
static void
set_aside(const char *line, size_t n, struct tf_buf *out)
{
	static const char *const keys[] = { "guard", "keys", "signer" };
	const size_t space = strspn(line, " \t");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strncmp(line + space, keys[i], strlen(keys[i])) == 0 &&
		    strchr(" \t=", line[space + strlen(keys[i])]) != NULL)
			tf_buf_str(out, "# before the restoration: ");
	tf_buf_add(out, line, n);
}

static enum tf_code
restored_config(struct tf_buf *text, struct tf_error *err)
{
	struct tf_buf out = { 0 };
	enum tf_code rc;

	tf_buf_add(text, "", 1);
	if ((rc = tf_buf_end(text, err)) != TF_OK)
		return rc;
	for (const char *p = text->p, *end; *p != '\0'; p = end) {
		end = p + strcspn(p, "\n");
		end += *end == '\n';
		set_aside(p, (size_t)(end - p), &out);
	}
	tf_buf_free(text);
	*text = out;
	return tf_buf_end(text, err);
}

static enum tf_code
take_file(struct tf_backup_run *b, const struct small *f, int keysfd,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = strcmp(f->name, TF_SIGNER_MEMORY) == 0 ?
	    tf_signer_state_copy(keysfd, &text, err) :
	    f->secret ?
	    tf_file_read(keysfd, strchr(f->name, '/') + 1, SMALL_FILE, &text,
		err) :
	    tf_file_read(b->storefd, f->name, SMALL_FILE, &text, err);

	if (rc == TF_OK && b->restores && strcmp(f->name, "config") == 0)
		rc = restored_config(&text, err);
	if (rc == TF_OK)
		rc = tf_file_write(b->incomingfd, f->name, text.p, text.n,
		    f->mode, false, err);
	else if (rc == TF_NOTFOUND)
		rc = !f->required ? TF_OK :
				    tf_fail(err, TF_NOTFOUND, "%.60s has no %s",
					b->ask->store, f->name);
	if (f->secret && text.p != NULL)
		tf_wipe(text.p, text.n);
	tf_buf_free(&text);
	return rc;
}

/* A backup that is restored has its keys in keys/, whatever its config says. */
static enum tf_code
open_keys(struct tf_backup_run *b, int *fd, struct tf_error *err)
{
	*fd = -1;
	if (!b->ask->keys)
		return TF_OK;
	if (!b->restores)
		return tf_key_dir_open(b->storefd, fd, err);
	*fd = openat(b->storefd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? TF_OK : tf_fail(err, TF_IO, "open keys/");
}

enum tf_code
tf_backup_take_files(struct tf_backup_run *b, struct tf_error *err)
{
	int fd;
	enum tf_code rc = open_keys(b, &fd, err);

	for (size_t i = 0; rc == TF_OK && i < FILES; i++)
		if (!files[i].secret || b->ask->keys)
			rc = take_file(b, &files[i], fd, err);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

enum tf_code
tf_backup_put_files(struct tf_backup_run *b, struct tf_error *err)
{
	enum tf_code rc;

	for (size_t i = 0; i < FILES; i++)
		if (renameat(b->incomingfd, files[i].name, b->dirfd,
			files[i].name) < 0 &&
		    errno != ENOENT)
			return tf_fail(err, TF_IO, "put %s in place",
			    files[i].name);
	b->out->keys = faccessat(b->dirfd, LOG_KEY, F_OK, 0) == 0;
	rc = tf_file_sync_dir(b->dirfd, "keys", err);
	return rc == TF_OK ? tf_file_sync_dir(b->dirfd, ".", err) : rc;
}

/* --- what is on its way ------------------------------------------------------ */

/* A symbolic link has no bytes. */
static enum tf_code
remove_one(int fd, const char *name, struct tf_error *err)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return TF_OK;
	if (!S_ISREG(st.st_mode))
		return unlinkat(fd, name, 0) == 0 ?
		    TF_OK :
		    tf_fail(err, TF_IO, "remove incoming/%s", name);
	if ((st.st_mode & 0200) == 0 && fchmodat(fd, name, 0600, 0) < 0)
		return tf_fail(err, TF_IO, "chmod incoming/%s", name);
	return tf_file_wipe(fd, name, err);
}

static enum tf_code
empty(int dirfd, const char *name, struct tf_error *err)
{
	int fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	enum tf_code rc = TF_OK;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return errno == ENOENT ? TF_OK :
					 tf_fail(err, TF_IO, "read %s", name);
	}
	while (rc == TF_OK && (e = readdir(d)) != NULL)
		rc = remove_one(fd, e->d_name, err);
	(void)closedir(d);
	return rc;
}

enum tf_code
tf_backup_empty(struct tf_backup_run *b, bool partial, struct tf_error *err)
{
	static const char *const dirs[] = { "keys", "stage", ".", "incoming" };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < (partial ? 4 : 3); i++)
		rc = empty(b->incomingfd, dirs[i], err);
	return rc;
}

enum tf_code
tf_backup_empty_stage(struct tf_backup_run *b, struct tf_error *err)
{
	return empty(b->dirfd, "stage", err);
}
