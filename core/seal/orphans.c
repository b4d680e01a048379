/*
 * Files that a crash has left and that nothing names: see orphans.h.
 *
 * An age file is made anew after each crash, because nothing of an earlier one
 * is continued.  A crash between the link of an age file as an object and the
 * commit of its entry so leaves an object with a digest that no later try makes
 * again.  The staged name of the age file is still there, it has the digest, and
 * it is the same file as the object.  (Both names come into the journal of one
 * file system in this order, so a power cut keeps the first if it keeps the
 * second.)
 *
 * Other evidence may have the same bytes: somebody may have read a frozen file,
 * and recorded what he read.  Such evidence took the object for its own if it
 * came later, so the object stays if the ledger or a pending file has its digest.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../node/encrypted.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/stage_files.h"
#include "../node/stage_remove.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "orphans.h"
#include "recover_rows.h"

static bool
ends(const char *name, size_t n, const char *with)
{
	size_t m = strlen(with);

	return n > m && strcmp(name + n - m, with) == 0;
}

struct wanted {
	const struct tf_hash *h;
	bool found;
};

static bool
has_digest(void *arg, struct tf_pending *l)
{
	struct wanted *w = arg;
	const struct tf_hash *h = l->encrypted != NULL ?
	    &l->encrypted->content.sha256 :
	    &l->digest;

	w->found = memcmp(h, w->h, sizeof(*h)) == 0;
	return !w->found;
}

/* Is any evidence, sealed or not, of digest h? */
static enum tf_code
is_named(struct tf_vault *v, struct tf_db *db, const struct tf_hash *h,
    bool *yes, struct tf_error *err)
{
	struct wanted w = { h, false };
	uint64_t object;
	enum tf_code rc = tf_object_find(db, h, &object, err);

	if (rc != TF_NOTFOUND) {
		*yes = true;
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	tf_pending_range(&v->pending, TF_PENDING_BY_PLACE, NULL, 0, has_digest,
	    &w);
	pthread_mutex_unlock(&v->mu);
	*yes = w.found;
	return TF_OK;
}

/* Remove the object that was linked from the age file `name` of digest h. */
static enum tf_code
remove_object(struct tf_vault *v, struct tf_db *db, const char *name,
    const struct tf_hash *h, struct tf_error *err)
{
	struct stat st;
	uint64_t ino;
	bool named;
	enum tf_code rc;

	if (fstatat(v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_nlink < 2)
		return TF_OK;
	if ((rc = tf_object_inode(v->objectsfd, h, &ino, err)) != TF_OK ||
	    ino != st.st_ino)
		return rc;
	if ((rc = is_named(v, db, h, &named, err)) != TF_OK || named)
		return rc;
	return tf_object_unlink(v->objectsfd, h, err);
}

/* Was the age file of node l, or NULL, made in this run?  mu is held. */
static bool
is_made_now(const struct tf_pending *l, const struct tf_hash *h)
{
	return l != NULL && l->encrypted != NULL &&
	    tf_encrypted_has_file(l->encrypted) &&
	    memcmp(&l->encrypted->content.sha256, h, sizeof(*h)) == 0;
}

/* An age file of the last run is never continued. */
static enum tf_code
remove_age(struct tf_vault *v, struct tf_db *db, const char *name, uint64_t id,
    const struct tf_hash *h, struct tf_error *err)
{
	bool stays;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	stays = (h != NULL &&
		    is_made_now(tf_pending_get(&v->pending, id), h)) ||
	    tf_recover_is_unplaced(v, id);
	pthread_mutex_unlock(&v->mu);
	if (stays)
		return TF_OK;
	if (h != NULL)
		rc = remove_object(v, db, name, h, err);
	if (rc == TF_OK)
		(void)unlinkat(v->stagefd, name, 0);
	return rc;
}

/* A staged file without a row was linked as an object, too: perhaps for a seal
 * that failed. */
static enum tf_code
remove_unneeded(struct tf_vault *v, const char *name, uint64_t id,
    struct tf_error *err)
{
	struct tf_hash h;
	struct stat st;
	uint64_t size;
	int fd;
	enum tf_code rc;

	if (fstatat(v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_nlink < 2)
		return TF_OK;
	rc = tf_file_open(v->stagefd, name, O_RDONLY, &fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_hash_fd(fd, &h, &size, err);
	(void)close(fd); /* read-only */
	return rc == TF_OK ?
	    tf_object_unneeded(v, id, &h, (uint64_t)st.st_ino, err) :
	    rc;
}

/* A staged file, or the spare of one.  A file whose name is not a number stays,
 * and so do files of rows that were set aside. */
static enum tf_code
remove_staged(struct tf_vault *v, const char *name, size_t n,
    struct tf_error *err)
{
	bool spare = ends(name, n, ".spare"), known;
	const struct tf_pending *l;
	uint64_t id;
	enum tf_code rc;

	if (!tf_decimal(name, spare ? strcspn(name, ".") : n, INT64_MAX, &id))
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	known = (l != NULL && (!spare || l->in_file)) ||
	    tf_recover_is_unplaced(v, id);
	pthread_mutex_unlock(&v->mu);
	if (known)
		return TF_OK;
	rc = spare ? TF_OK : remove_unneeded(v, name, id, err);
	if (rc == TF_OK)
		(void)unlinkat(v->stagefd, name, 0);
	return rc;
}

static enum tf_code
look_at(struct tf_vault *v, struct tf_db *db, const char *name,
    struct tf_error *err)
{
	size_t n = strlen(name);
	struct tf_hash h;
	uint64_t id;
	bool whole;

	if (tf_stage_is_age(name, n, &id, &whole, &h))
		return remove_age(v, db, name, id, whole ? &h : NULL, err);
	if (ends(name, n, ".new")) /* a copy that was not finished */
		(void)unlinkat(v->stagefd, name, 0);
	else
		return remove_staged(v, name, n, err);
	return TF_OK;
}

enum tf_code
tf_orphans_remove(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	int fd = openat(v->stagefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum tf_code rc = TF_OK;
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return tf_fail(err, TF_IO, "read stage/");
	}
	while (rc == TF_OK && (e = readdir(d)) != NULL)
		rc = look_at(v, db, e->d_name, err);
	(void)closedir(d);
	return rc;
}
