/*
 * Export of the log as C2SP tlog-tiles, for any web server.  Full tiles never
 * change (I1), so existing ones are left, and a repeated export writes only
 * what is new.  The checkpoint is written last, so a client that reads it finds
 * all its tiles.
 *
 * The target may hold the files of another log, or of another history of this
 * one, as after the restore of a backup.  Tiles of two histories in one
 * directory would be a log that nobody can verify, so an old checkpoint there
 * must belong to this log before a tile is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../progress.h"
#include "../base/bytes.h"
#include "../anchor.h"
#include "../base/file.h"
#include "../control.h"
#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../ledger/tilepath.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../vault.h"
#include "../verify.h"

/* Create the directories of a path below fd. */
static enum tf_code
make_parents(int fd, const char *path, struct tf_error *err)
{
	char dir[TF_TILE_PATH_MAX];
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		memcpy(dir, path, (size_t)(slash - path));
		dir[slash - path] = '\0';
		if (mkdirat(fd, dir, 0755) < 0 && errno != EEXIST)
			return tf_fail(err, TF_IO, "make %s: %s", dir,
			    strerror(errno));
		slash++;
	}
	return TF_OK;
}

/* Write a file by way of a temporary name: for a file system without O_TMPFILE,
 * or to replace a file. */
static enum tf_code
put_named(int fd, const char *path, const struct tf_buf *b,
    struct tf_error *err)
{
	static const char tmp[] = ".tile.tmp";
	enum tf_code rc;
	int out;

	out = openat(fd, tmp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (out < 0)
		return tf_fail(err, TF_IO, "create a tile: %s",
		    strerror(errno));
	rc = tf_file_pwrite(out, b->p, b->n, 0, err);
	if (close(out) < 0 && rc == TF_OK)
		rc = tf_fail(err, TF_IO, "close a tile");
	if (rc == TF_OK && renameat(fd, tmp, fd, path) < 0)
		rc = tf_fail(err, TF_IO, "rename to %s", path);
	if (rc != TF_OK)
		(void)unlinkat(fd, tmp, 0);
	return rc;
}

/* Write a complete file: a reader never sees a part of it.  The file is not
 * synced, because a lost tile can be exported again; the checkpoint is. */
static enum tf_code
put_file(int fd, const char *path, const struct tf_buf *b, struct tf_error *err)
{
	char self[40];
	enum tf_code rc;
	int out;

	if ((rc = make_parents(fd, path, err)) != TF_OK)
		return rc;
	/* A file without a name vanishes if the process is killed. */
	out = openat(fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	if (out < 0)
		return put_named(fd, path, b, err);
	rc = tf_file_pwrite(out, b->p, b->n, 0, err);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", out);
	if (rc == TF_OK &&
	    linkat(AT_FDCWD, self, fd, path, AT_SYMLINK_FOLLOW) < 0)
		rc = put_named(fd, path, b, err);
	(void)close(out); /* the file has its name, or is discarded */
	return rc;
}

/* Only a plain file counts: anything else under the name of a tile is not left
 * as if it were one. */
static bool
is_there(int fd, const char *path)
{
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

/* Write a tile or a bundle unless it is there; *count counts those that were
 * written. */
static enum tf_code
put_tile(struct tf_vault *v, int fd, unsigned level, uint64_t n, unsigned width,
    uint64_t *count, struct tf_error *err)
{
	char path[TF_TILE_PATH_MAX];
	struct tf_buf b = { 0 };
	enum tf_code rc;

	tf_tile_path(level, n, width, path);
	if (is_there(fd, path))
		return TF_OK;
	rc = level == TF_TILE_ENTRIES ?
	    tf_vault_bundle(v, n, width, &b, err) :
	    tf_vault_tile(v, level, n, width, &b, err);
	if (rc == TF_OK)
		rc = put_file(fd, path, &b, err);
	*count += rc == TF_OK;
	tf_buf_free(&b);
	return rc;
}

/* Write all tiles of one level.  The width of a tile follows from the size of
 * the tree alone, so the loop needs no list. */
static enum tf_code
put_level(struct tf_vault *v, int fd, unsigned level, uint64_t size,
    uint64_t *count, struct tf_error *err)
{
	unsigned of = level == TF_TILE_ENTRIES ? 0 : level, width;
	enum tf_code rc = TF_OK;

	for (uint64_t n = 0; rc == TF_OK; n++) {
		if ((width = tf_tile_width(size, of, n)) == 0)
			break;
		rc = put_tile(v, fd, level, n, width, count, err);
		/* Tiles of hashes are few and small. */
		if (level == TF_TILE_ENTRIES)
			tf_progress(n * TF_TILE_WIDTH + width, size);
	}
	return rc;
}

/* The tiles of the vault, as tf_merkle_root() wants to read them. */
static enum tf_code
get_tile(void *vault, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_vault_tile(vault, level, n, width, &b, err);

	if (rc == TF_OK)
		memcpy(out, b.p, b.n);
	tf_buf_free(&b);
	return rc;
}

/* Existing tiles are left, so check that they belong to this history of this
 * log. */
static enum tf_code
check_target(struct tf_vault *v, int fd, const struct tf_checkpoint *now,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_buf old = { 0 };
	struct tf_hash root;
	enum tf_code rc = tf_file_read(fd, "checkpoint", TF_NOTE_MAX, &old,
	    err);

	if (rc == TF_NOTFOUND) {
		tf_buf_free(&old);
		return faccessat(fd, "tile", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ?
		    tf_fail(err, TF_FOREIGN,
			"the directory has tiles but no checkpoint: use another one") :
		    TF_OK;
	}
	if (rc == TF_OK)
		rc = tf_vault_check_note(v, tf_buf_bytes(&old), &c, err);
	if (rc == TF_OK && c.size > 0 && c.size <= now->size)
		rc = tf_merkle_root(c.size, get_tile, v, &root, err);
	if (!tf_code_undecided(rc) &&
	    (rc != TF_OK || c.size > now->size ||
		(c.size > 0 && memcmp(&root, &c.root, sizeof(root)) != 0)))
		rc = tf_fail(err, TF_FOREIGN,
		    "the directory holds another log, or "
		    "another history of this one: use another directory");
	tf_buf_free(&old);
	return rc;
}

/* The cosignatures are read before the checkpoint and written after it: whoever
 * reads them in that order too never finds them ahead of it. */
static enum tf_code
put_cosigned(int fd, const struct tf_buf *note, struct tf_error *err)
{
	return note->n == 0 ? TF_OK :
			      tf_file_write(fd, TF_CONTROL_COSIGNED, note->p,
				  note->n, 0644, false, err);
}

/* The checkpoint comes first and bounds all that follows; it is written only
 * after everything else was. */
static enum tf_code
put_log(struct tf_vault *v, int fd, uint64_t *count, struct tf_error *err)
{
	struct tf_checkpoint c = { .size = 0 };
	struct tf_buf note = { 0 }, cosigned = { 0 };
	enum tf_code rc = tf_vault_cosigned(v, &cosigned, err);

	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_vault_checkpoint(v, &note, err);
	if (rc == TF_OK)
		rc = tf_vault_check_note(v, tf_buf_bytes(&note), &c, err);
	if (rc == TF_OK)
		rc = check_target(v, fd, &c, err);
	for (unsigned l = 0; rc == TF_OK && l < TF_TILE_LEVELS; l++)
		rc = put_level(v, fd, l, c.size, count, err);
	if (rc == TF_OK)
		rc = put_level(v, fd, TF_TILE_ENTRIES, c.size, count, err);
	if (rc == TF_OK)
		rc = tf_file_write(fd, "checkpoint", note.p, note.n, 0644,
		    false, err);
	if (rc == TF_OK)
		rc = put_cosigned(fd, &cosigned, err);
	tf_buf_free(&note);
	tf_buf_free(&cosigned);
	return rc;
}

enum tf_code
tf_export_log(struct tf_vault *v, const char *dir, uint64_t *tiles,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	int fd;

	*tiles = 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		rc = tf_fail(err, TF_IO, "make %.100s: %s", dir,
		    strerror(errno));
	fd = rc == TF_OK ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (rc == TF_OK && fd < 0)
		rc = tf_fail(err, TF_IO, "%.100s: %s", dir, strerror(errno));
	if (rc == TF_OK)
		rc = put_log(v, fd, tiles, err);
	if (fd >= 0)
		(void)close(fd);
	if (rc != TF_OK && err != NULL)
		tf_error_at(err, dir);
	return rc;
}
