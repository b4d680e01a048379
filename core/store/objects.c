/*
 * Objects in rows and in files: see objects.h.
 *
 * A file becomes an object by linkat(2) from the staged file: the name appears
 * at once with all its bytes, and never replaces another.  Then the directory
 * is synced (I2).  A crash before that leaves perhaps a name that no entry
 * knows, and the next try finds it in place.  struct tf_object_dirs remembers
 * which of the 256 directories are durable, so that each costs one sync of
 * objects/ per process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "objects.h"
#include "sql.h"

enum tf_code
tf_object_put(struct tf_db *db, uint64_t id, const struct tf_hash *h,
    const void *body, size_t n, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT INTO object VALUES(?1, ?2, ?3, ?4) ON CONFLICT(id)"
		" DO UPDATE SET size = ?2, sha256 = ?3, body = ?4",
		"uubb", id, (uint64_t)n, h, sizeof(*h), n == 0 ? "" : body, n),
	    "write object", err);
}

enum tf_code
tf_object_put_file(struct tf_db *db, uint64_t id, const struct tf_hash *h,
    uint64_t size, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT INTO object VALUES(?1, ?2, ?3, NULL) ON CONFLICT(id)"
		" DO UPDATE SET size = ?2, sha256 = ?3, body = NULL",
		"uub", id, size, h, sizeof(*h)),
	    "write object", err);
}

enum tf_code
tf_object_drop(struct tf_db *db, uint64_t id, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "DELETE FROM object WHERE id = ?1", "u", id),
	    "drop object", err);
}

enum tf_code
tf_object_get(struct tf_db *db, uint64_t id, struct tf_object_row *out,
    struct tf_buf *body, struct tf_error *err)
{
	sqlite3_stmt *st;
	enum tf_code rc;
	const void *p;

	/* Two statements, so that reading the size does not read the body. */
	if (body == NULL)
		st = tf_sql(db, err,
		    "SELECT size, sha256, body IS NOT NULL"
		    " FROM object WHERE id = ?1",
		    "u", id);
	else
		st = tf_sql(db, err,
		    "SELECT size, sha256, body IS NOT NULL,"
		    " body FROM object WHERE id = ?1",
		    "u", id);
	if ((rc = tf_sql_row(db, st, "read object", err)) != TF_OK)
		return rc;
	out->size = (uint64_t)sqlite3_column_int64(st, 0);
	out->is_inline = sqlite3_column_int64(st, 2) != 0;
	p = sqlite3_column_blob(st, 1);
	if (sqlite3_column_bytes(st, 1) != (int)sizeof(out->sha256))
		rc = tf_fail(err, TF_TAMPER, "object row is malformed");
	else
		memcpy(out->sha256.b, p, sizeof(out->sha256));
	if (rc == TF_OK && body != NULL && out->is_inline) {
		p = sqlite3_column_blob(st, 3);
		tf_buf_add(body, p, (size_t)sqlite3_column_bytes(st, 3));
		if (body->failed)
			rc = tf_nomem(err);
	}
	(void)sqlite3_reset(st);
	return rc;
}

/*
 * Only sealed objects have a row of digest, so bytes that may still change are
 * never shared.
 */
enum tf_code
tf_object_find(struct tf_db *db, const struct tf_hash *h, uint64_t *id,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT object FROM digest WHERE sha256 = ?1", "b", h, sizeof(*h));
	enum tf_code rc = tf_sql_row(db, st, "find object", err);

	if (rc != TF_OK)
		return rc;
	*id = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_object_misnamed(struct tf_db *db, tf_digest_fn fn, void *arg,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT d.object FROM digest d"
	    " LEFT JOIN object o ON o.id = d.object"
	    " WHERE o.sha256 IS NOT d.sha256",
	    "");
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read digests", err)) == TF_OK) {
		rc = fn(arg, (uint64_t)sqlite3_column_int64(st, 0), err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_object_files(struct tf_db *db, tf_object_fn fn, void *arg,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT d.sha256, o.size FROM digest d"
	    " JOIN object o ON o.id = d.object WHERE o.body IS NULL",
	    "");
	struct tf_hash h;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read objects", err)) == TF_OK) {
		if (sqlite3_column_bytes(st, 0) != (int)sizeof(h))
			rc = tf_fail(err, TF_TAMPER, "digest is malformed");
		else
			memcpy(&h, sqlite3_column_blob(st, 0), sizeof(h));
		if (rc == TF_OK)
			rc = fn(arg, &h, (uint64_t)sqlite3_column_int64(st, 1),
			    err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/*
 * The key is the digest: a second row with it fails instead of replacing the
 * first.
 */
enum tf_code
tf_object_seal(struct tf_db *db, const struct tf_hash *h, uint64_t id,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "INSERT INTO digest VALUES(?1, ?2)", "bu", h,
		sizeof(*h), id),
	    "seal object", err);
}

/* Write the object's name "ab/<62 hex>" and its directory's name "ab". */
static void
object_name(const struct tf_hash *h, char dir[3], char name[67])
{
	char hex[65];

	tf_hex(h->b, sizeof(h->b), hex);
	memcpy(dir, hex, 2);
	dir[2] = '\0';
	(void)snprintf(name, 67, "%s/%s", dir, hex + 2);
}

/*
 * Create the directory if it is absent and sync objects/, so that the
 * directory's own name survives power loss.  A directory that exists may still
 * be unsynced: another thread may just have created it, an earlier sync may
 * have failed, or the host may have crashed.
 */
static enum tf_code
object_dir(int objectsfd, struct tf_object_dirs *dirs, const struct tf_hash *h,
    const char *dir, struct tf_error *err)
{
	_Atomic uint64_t *word = &dirs->durable[h->b[0] / 64];
	uint64_t bit = UINT64_C(1) << h->b[0] % 64;
	enum tf_code rc;

	rc = tf_file_mkdir(objectsfd, dir, err);
	if (rc != TF_OK && rc != TF_EXISTS)
		return rc;
	if (rc == TF_EXISTS && (atomic_load(word) & bit) != 0)
		return TF_OK;
	if ((rc = tf_file_sync_dir(objectsfd, ".", err)) == TF_OK)
		atomic_fetch_or(word, bit);
	return rc;
}

enum tf_code
tf_object_link(int objectsfd, struct tf_object_dirs *dirs, int tmpfd,
    const char *tmp, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	char dir[3], name[67];
	struct stat st;
	enum tf_code rc;

	object_name(h, dir, name);
	if ((rc = object_dir(objectsfd, dirs, h, dir, err)) != TF_OK)
		return rc;
	if (fchmodat(tmpfd, tmp, 0400, 0) < 0)
		return tf_fail(err, TF_IO, "chmod staged file %s", tmp);
	/* linkat never replaces: a sealed object cannot be overwritten. */
	if (linkat(tmpfd, tmp, objectsfd, name, 0) < 0) {
		if (errno != EEXIST)
			return tf_fail(err, TF_IO, "link object %s", name);
		if (fstatat(objectsfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return tf_fail(err, TF_IO, "stat object %s", name);
		if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
			return tf_fail(err, TF_TAMPER,
			    "object %s exists with another size", name);
	}
	/* I2: the name must be durable before an entry may point at it. */
	return tf_file_sync_dir(objectsfd, dir, err);
}

enum tf_code
tf_object_unlink(int objectsfd, const struct tf_hash *h, struct tf_error *err)
{
	char dir[3], name[67];

	object_name(h, dir, name);
	return unlinkat(objectsfd, name, 0) == 0 || errno == ENOENT ?
	    TF_OK :
	    tf_fail(err, TF_IO, "remove object %s", name);
}

enum tf_code
tf_object_inode(int objectsfd, const struct tf_hash *h, uint64_t *ino,
    struct tf_error *err)
{
	char dir[3], name[67];
	struct stat st;

	object_name(h, dir, name);
	*ino = 0;
	if (fstatat(objectsfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*ino = st.st_ino;
	else if (errno != ENOENT)
		return tf_fail(err, TF_IO, "stat object %s", name);
	return TF_OK;
}

enum tf_code
tf_object_present(int objectsfd, const struct tf_hash *h, uint64_t size,
    bool *yes, struct tf_error *err)
{
	char dir[3], name[67];
	struct stat st;

	object_name(h, dir, name);
	*yes = false;
	if (fstatat(objectsfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*yes = S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
	else if (errno != ENOENT)
		return tf_fail(err, TF_IO, "stat object %s", name);
	return TF_OK;
}

/*
 * The inode is compared, because another thread may have put a good file in
 * place meanwhile.  RENAME_NOREPLACE keeps earlier damaged files.
 */
enum tf_code
tf_object_put_aside(int objectsfd, const struct tf_hash *h, uint64_t ino,
    char name[TF_OBJECT_ASIDE], struct tf_error *err)
{
	char dir[3], object[67];
	uint64_t now;
	unsigned n = 1;
	enum tf_code rc;

	object_name(h, dir, object);
	if ((rc = tf_object_inode(objectsfd, h, &now, err)) != TF_OK)
		return rc;
	if (now != ino)
		return tf_fail(err, TF_NOTFOUND, "object %s changed", object);
	(void)snprintf(name, TF_OBJECT_ASIDE, "%s.damaged", object);
	while (renameat2(objectsfd, object, objectsfd, name, RENAME_NOREPLACE) <
	    0) {
		if (errno != EEXIST || ++n > 9999)
			return tf_fail(err, TF_IO, "put aside object %s",
			    object);
		(void)snprintf(name, TF_OBJECT_ASIDE, "%s.damaged.%u", object,
		    n);
	}
	return tf_file_sync_dir(objectsfd, dir, err);
}

enum tf_code
tf_object_open(int objectsfd, const struct tf_hash *h, int *fd,
    struct tf_error *err)
{
	char dir[3], name[67];
	enum tf_code rc;

	object_name(h, dir, name);
	rc = tf_file_open(objectsfd, name, O_RDONLY, fd, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "object %s is missing", name);
	if (rc == TF_INVALID || rc == TF_ISDIR)
		return tf_fail(err, TF_TAMPER, "object %s is not a plain file",
		    name);
	return rc;
}
