/*
 * Copies of the newest checkpoint beside the database (STORE/checkpoint) and,
 * where a guard is set, on another disk.  The database alone cannot prove that
 * it is the newest.  If it is behind a copy of its head, it was rolled back:
 * signing more entries would make two histories of one log (I3).
 *
 * Each copy is written after the COMMIT of its checkpoint, so after a crash a
 * copy may be behind the database, which is no harm, and never ahead of it.  A
 * copy that is missing proves nothing and is accepted; one that is damaged, or
 * signed but not of our tree, is refused.  tf_head_renew() is the only way on
 * from there: the new entry keeps what was lost, so that the break stays
 * visible.
 */
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../ledger/name.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "head_copies.h"

/* Open the directory of the guard; name is the guard's name in it. */
static enum tf_code
open_guard(const char *path, int *dirfd, char name[256], struct tf_error *err)
{
	char *copy = strdup(path), *other = strdup(path);
	enum tf_code rc = TF_OK;

	*dirfd = -1;
	if (copy == NULL || other == NULL) {
		rc = tf_nomem(err);
	} else {
		(void)snprintf(name, 256, "%s", basename(copy));
		*dirfd = open(dirname(other),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*dirfd < 0)
			rc = tf_fail(err, TF_IO,
			    "guard %.100s cannot be "
			    "reached",
			    path);
	}
	free(copy);
	free(other);
	return rc;
}

/* Does nothing where no guard is set. */
static enum tf_code
write_guard(const struct tf_vault *v, const struct tf_buf *note,
    struct tf_error *err)
{
	char name[256];
	int dirfd;
	enum tf_code rc;

	if (v->guard == NULL)
		return TF_OK;
	if ((rc = open_guard(v->guard, &dirfd, name, err)) != TF_OK)
		return rc;
	rc = tf_file_write(dirfd, name, note->p, note->n, 0444, false, err);
	(void)close(dirfd);
	return rc;
}

enum tf_code
tf_vault_keep_head(struct tf_vault *v, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	tf_buf_add(&note, v->head.note.p, v->head.note.n);
	v->kept_size = v->head.size; /* also after a failure: no busy loop */
	pthread_mutex_unlock(&v->mu);
	rc = note.failed ? tf_nomem(err) :
			   tf_file_write(v->dirfd, "checkpoint", note.p, note.n,
			       0600, false, err);
	if (rc == TF_OK)
		rc = write_guard(v, &note, err);
	tf_buf_free(&note);
	return rc;
}

/*
 * Is the tree of c a prefix of our tree?  The root is computed anew from the
 * tiles, since a stored one could have been put back with the database.
 */
static enum tf_code
is_prefix(struct tf_vault *v, const struct tf_checkpoint *c, bool *yes,
    struct tf_error *err)
{
	struct tf_hash root;
	struct tf_db *db;
	enum tf_code rc;

	*yes = c->size <= v->head.size;
	if (!*yes)
		return TF_OK;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_merkle_root(c->size, tf_tiles_read, db, &root, err);
	tf_reader_done(v, db);
	*yes = rc == TF_OK && memcmp(&root, &c->root, sizeof(root)) == 0;
	return rc;
}

/* Compare the copy b with our tree; if the copy is ahead, append it to lost. */
static enum tf_code
compare_note(struct tf_vault *v, const char *where, const struct tf_buf *b,
    struct tf_buf *lost, struct tf_error *err)
{
	struct tf_checkpoint c;
	bool prefix;
	enum tf_code rc = tf_checkpoint_check(b->p == NULL ? "" : b->p, b->n,
	    &v->vkey, &c, NULL);

	/* A copy from before the new origin began: nothing to compare. */
	if (rc == TF_FOREIGN)
		return TF_OK;
	if (rc == TF_NOMEM)
		return tf_fail(err, rc, "no memory to check %s", where);
	if (rc != TF_OK)
		return tf_fail(err, TF_TAMPER,
		    "%s is damaged.  Is the database the newest one?  Remove "
		    "that file.  Put the newest back, or: trailctl init STORE "
		    "--recover",
		    where);
	if ((rc = is_prefix(v, &c, &prefix, err)) != TF_OK || prefix)
		return rc;
	if (lost != NULL)
		tf_buf_add(lost, b->p, b->n);
	if (c.size > v->head.size)
		return tf_fail(err, TF_TAMPER,
		    "the database has %llu entries, "
		    "%.40s %llu: an older copy was put back.  Put the newer "
		    "back, or: trailctl init STORE --recover",
		    (unsigned long long)v->head.size, where,
		    (unsigned long long)c.size);
	return tf_fail(err, TF_TAMPER,
	    "the database is not the ledger of "
	    "%.40s: history differs.  Put the right one back, or: trailctl "
	    "init STORE --recover",
	    where);
}

/*
 * Read a copy and compare it.  A copy that is not there yet is no finding; one
 * that could not be read is an error.
 */
static enum tf_code
compare_copy(struct tf_vault *v, int dirfd, const char *name, const char *where,
    struct tf_buf *lost, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_file_read(dirfd, name, TF_NOTE_MAX, &b, err);

	if (rc == TF_NOTFOUND) /* not written yet */
		rc = TF_OK;
	else if (rc == TF_OK || rc == TF_TOOBIG || rc == TF_INVALID)
		rc = compare_note(v, where, &b, lost, err);
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_head_compare(struct tf_vault *v, struct tf_buf *lost, struct tf_error *err)
{
	char name[256];
	int dirfd;
	enum tf_code rc = compare_copy(v, v->dirfd, "checkpoint",
	    "STORE/checkpoint", lost, err);

	if (rc != TF_OK || v->guard == NULL)
		return rc;
	if ((rc = open_guard(v->guard, &dirfd, name, err)) != TF_OK)
		return rc;
	rc = compare_copy(v, dirfd, name, "the guard", lost, err);
	(void)close(dirfd);
	return rc;
}

/* --- going on under another origin ------------------------------------------- */

/* "x" -> "x/2", "x/2" -> "x/3". */
static enum tf_code
next_origin(const char *old, char out[TF_ORIGIN_MAX + 1], struct tf_error *err)
{
	const char *slash = strrchr(old, '/');
	uint64_t n = 1;
	size_t base = strlen(old);
	int len;

	if (slash != NULL &&
	    tf_decimal(slash + 1, strlen(slash + 1), 1000000, &n) && n >= 2)
		base = (size_t)(slash - old);
	else
		n = 1;
	len = snprintf(out, TF_ORIGIN_MAX + 1, "%.*s/%llu", (int)base, old,
	    (unsigned long long)n + 1);
	if ((size_t)len > TF_ORIGIN_MAX)
		return tf_fail(err, TF_USAGE, "give a new --origin");
	return TF_OK;
}

/* Write a note into the entry; one that is too long for it is left out. */
static void
put_note(struct tf_json *j, const char *key, const struct tf_buf *note)
{
	if (note->n == 0 || note->n > 4096)
		return;
	tf_json_key(j, key);
	tf_json_str(j, note->p, note->n);
}

/*
 * What ledger.opened says about the break: our head, and the copy that was
 * ahead.
 */
static enum tf_code
previous_field(struct tf_vault *v, const struct tf_buf *lost,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_note(&j, "head", &v->head.note);
	put_note(&j, "lost", lost);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

enum tf_code
tf_head_renew(struct tf_vault *v, bool copied, struct tf_recovery *r,
    struct tf_error *err)
{
	char next[TF_ORIGIN_MAX + 1];
	const char *origin = r->origin;
	struct tf_buf lost = { 0 };
	struct tf_pubkey pub;
	enum tf_code rc = tf_head_compare(v, &lost, err);

	if (rc == TF_OK && !copied) {
		tf_buf_free(&lost);
		return tf_fail(err, TF_USAGE,
		    "nothing is wrong with this "
		    "store: it goes on as it is");
	}
	if (rc != TF_OK && rc != TF_TAMPER)
		goto out;
	if (origin == NULL) {
		if ((rc = next_origin(v->origin, next, err)) != TF_OK)
			goto out;
		origin = next;
	}
	if (!tf_origin_ok(origin, strlen(origin)) ||
	    strcmp(origin, v->origin) == 0) {
		rc = tf_fail(err, TF_USAGE,
		    "the new origin must be another "
		    "one, of A-Za-z0-9._~:/-");
		goto out;
	}
	if ((rc = previous_field(v, &lost, &r->previous, err)) != TF_OK)
		goto out;
	(void)snprintf(v->origin, sizeof(v->origin), "%s", origin);
	tf_key_public(v->log_key, &pub);
	tf_vkey_make(&v->vkey, v->origin, &pub);
out:
	tf_buf_free(&lost);
	return rc;
}
