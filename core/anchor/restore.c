/*
 * A vault from a mirror: see restore.h.
 *
 * The entries and objects go through a replica, so the copy is checked by the
 * same rules as a mirror, and has nothing of the mirror that the ledger does not
 * name.  Then it gets keys of its own and the entry that continues the ledger.
 * Until that is done, the copy is marked as a mirror: a crash leaves a store
 * that no writer opens, and the operator removes it and begins anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../ledger/entry.h"
#include "../ledger/entry_scan.h"
#include "../ledger/name.h"
#include "../restore.h"
#include "../seal/head_copies.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/objects.h"
#include "../store/store_files.h"
#include "../store/transaction.h"
#include "../vault.h"
#include "../vault/new_store.h"
#include "../vault/vault.h"
#include "replica_i.h"
#include "restore_i.h"

#define PIECE 1048576 /* bytes that are copied at once */
#define SMALL_FILE 4096

struct restore {
	const char *from, *origin;
	int objectsfd; /* of the mirror */
	struct tf_db *db;
	struct tf_vkey vkey; /* of the old log */
	char store[33];
	struct tf_buf note;
	struct tf_replica *r; /* the new store */
	char *piece;
};

/* --- the mirror ----------------------------------------------------------------- */

enum tf_code
tf_restore_vkey(int dirfd, struct tf_db *db, struct tf_vkey *out,
    struct tf_error *err)
{
	char origin[TF_ORIGIN_MAX + 1];
	struct tf_buf b = { 0 };
	struct tf_vkey k;
	enum tf_code rc = tf_file_read(dirfd, TF_LOG_VKEY, SMALL_FILE, &b, err);

	tf_buf_add(&b, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&b, err);
	if (rc == TF_OK)
		rc = tf_vkey_parse(b.p, strcspn(b.p, "\n"), &k, err);
	if (rc == TF_OK)
		rc = tf_meta_get_text(db, "origin", origin, sizeof(origin),
		    err);
	/* After a crash the file may have the old origin. */
	if (rc == TF_OK)
		tf_vkey_make(out, origin, &k.pub);
	tf_buf_free(&b);
	return rc;
}

/* Open the mirror, and read from one state of it. */
static enum tf_code
open_mirror(struct restore *x, struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_hash root;
	uint64_t size, entries, bytes;
	enum tf_code rc;
	int dirfd = open(x->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dirfd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s",
		    x->from, strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/%s", x->from, TF_DB_NAME);
	if ((rc = tf_db_open(name, TF_DB_READ, &x->db, err)) == TF_NOTFOUND) {
		errno = 0;
		rc = tf_fail(err, rc, "%s is neither a mirror nor a backup",
		    x->from);
	}
	if (rc != TF_OK || (rc = tf_db_refuse_sparse(x->db, err)) != TF_OK ||
	    (rc = tf_db_snapshot(x->db, err)) != TF_OK ||
	    (rc = tf_restore_vkey(dirfd, x->db, &x->vkey, err)) != TF_OK ||
	    (rc = tf_meta_get_text(x->db, "store", x->store, sizeof(x->store),
		 err)) != TF_OK)
		goto out;
	x->objectsfd = openat(dirfd, "objects",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->objectsfd < 0) {
		rc = tf_fail(err, tf_code_of_open(errno), "%.100s/objects: %s",
		    x->from, strerror(errno));
		goto out;
	}
	rc = tf_checkpoints_newest(x->db, &size, &root, &x->note, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_NODATA, "%.100s has no entries yet",
		    x->from);
	if (rc == TF_OK &&
	    (rc = tf_entries_size(x->db, &entries, &bytes, err)) == TF_OK &&
	    entries > size)
		rc = tf_fail(err, TF_NODATA,
		    "%llu entries at the end are not signed yet, so nothing "
		    "proves them: copy the store again",
		    (unsigned long long)(entries - size));
out:
	(void)close(dirfd);
	return rc;
}

/* --- the copy ------------------------------------------------------------------- */

static enum tf_code
copy_bytes(struct restore *x, int from, int to, uint64_t off,
    struct tf_error *err)
{
	size_t got = 1;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && got > 0) {
		rc = tf_file_pread(from, x->piece, PIECE, off, &got, err);
		if (rc == TF_OK && got > 0)
			rc = tf_file_pwrite(to, x->piece, got, off, err);
		off += got;
	}
	return rc;
}

/* The object is a file of the mirror, or body, which is too long for
 * tf_replica_object_put(). */
static enum tf_code
copy_long(struct restore *x, const struct tf_hash *h, uint64_t size,
    const struct tf_buf *body, struct tf_error *err)
{
	uint64_t have;
	int in = -1, fd = -1;
	enum tf_code rc = TF_OK;

	if (body == NULL)
		rc = tf_object_open(x->objectsfd, h, &in, err);
	if (rc == TF_OK)
		rc = tf_replica_object_open(x->r, h, &fd, &have, err);
	if (rc == TF_OK)
		rc = body == NULL ?
		    copy_bytes(x, in, fd, 0, err) :
		    tf_file_pwrite(fd, body->p, body->n, 0, err);
	if (in >= 0)
		(void)close(in);
	if (fd >= 0)
		(void)close(fd); /* synced by tf_replica_object_keep() */
	return rc == TF_OK ? tf_replica_object_keep(x->r, h, size, err) : rc;
}

/* Absent bytes may be redacted: the replica knows at the commit. */
static enum tf_code
copy_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct restore *x = arg;
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	uint64_t id;
	bool yes;
	enum tf_code rc = tf_replica_has(x->r, h, &yes, err);

	if (rc != TF_OK || yes)
		return rc;
	if ((rc = tf_object_find(x->db, h, &id, err)) != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = tf_object_get(x->db, id, &o, &body, err);
	if (rc == TF_OK && !o.is_inline)
		rc = copy_long(x, h, size, NULL, err);
	else if (rc == TF_OK && body.n > TF_REPLICA_OBJECT_MAX)
		rc = copy_long(x, h, size, &body, err);
	else if (rc == TF_OK)
		rc = tf_replica_object_put(x->r, h, tf_buf_bytes(&body).p,
		    body.n, err);
	tf_buf_free(&body);
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "the mirror's database is damaged") :
	    rc;
}

enum tf_code
tf_restore_check_origin(const char *origin, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_str type, path;
	enum tf_code rc = TF_OK;

	tf_entry_scan(body, n, &type, &path);
	if (!tf_str_same(type, tf_str_of(tf_type_name(TF_LEDGER_OPENED))))
		return TF_OK;
	if (tf_entry_decode(&d, body, n, NULL) == TF_OK &&
	    tf_str_same(d.e.origin, tf_str_of(origin)))
		rc = tf_fail(err, TF_USAGE,
		    "%.60s is an origin of this log already: choose another",
		    origin);
	tf_entry_decoded_free(&d);
	return rc;
}

/* The checkpoint that was stamped, if the entry records a time stamp and the
 * mirror has it. */
static enum tf_code
copy_stamped(struct restore *x, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_hash root;
	uint64_t size;
	enum tf_code rc = tf_replica_stamp(body, n, &size, err);

	if (rc != TF_OK || size == 0)
		return rc;
	rc = tf_checkpoints_get(x->db, size, &root, &note, err);
	if (rc == TF_OK)
		rc = tf_replica_stamped(x->r, note.p, note.n, err);
	tf_buf_free(&note);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
copy_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct restore *x = arg;
	struct tf_error why = { .code = TF_OK };
	enum tf_code rc = tf_restore_check_origin(x->origin, body, n, err);

	(void)off;
	if (rc != TF_OK)
		return rc;
	rc = tf_replica_named(body, n, copy_object, x, &why);
	if (rc == TF_OK)
		rc = copy_stamped(x, body, n, &why);
	if (rc == TF_INVALID || rc == TF_TAMPER)
		return tf_fail(err, TF_TAMPER, "entry %llu: %s",
		    (unsigned long long)idx, why.text);
	return rc == TF_OK ? tf_replica_entry(x->r, body, n, err) :
			     tf_fail_as(err, &why);
}

static enum tf_code
copy(struct restore *x, const char *path, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	bool done = false;
	enum tf_code rc;

	tf_vkey_text(&x->vkey, &text);
	tf_buf_add(&text, "", 1);
	rc = tf_buf_end(&text, err);
	if (rc == TF_OK)
		rc = tf_replica_create(path, text.p, x->store, err);
	tf_buf_free(&text);
	if (rc != TF_OK)
		return rc;
	if ((rc = tf_replica_open(path, &x->r, err)) == TF_OK &&
	    (rc = tf_replica_begin(x->r, err)) == TF_OK &&
	    (rc = tf_entries_each(x->db, 0, copy_entry, x, err)) == TF_OK)
		rc = tf_replica_commit(x->r, x->note.p, x->note.n, &done, err);
	/* A vault has no bytes of what its ledger says was redacted. */
	if (rc == TF_OK && done)
		rc = tf_replica_erase_held(x->r, err);
	if (rc == TF_OK && !done)
		rc = tf_fail(err, TF_TAMPER,
		    "the mirror lacks the bytes of %.100s, which nobody redacted",
		    tf_replica_owed(x->r));
	return rc;
}

/* --- the vault ------------------------------------------------------------------ */

/* Exchange the key of the old log for new keys. */
static enum tf_code
give_keys(int dirfd, const char *origin, struct tf_buf *vkey,
    struct tf_error *err)
{
	enum tf_code rc;
	int keysfd;

	if (unlinkat(dirfd, TF_LOG_VKEY, 0) < 0 ||
	    unlinkat(dirfd, TF_LOG_PUB, 0) < 0)
		return tf_fail(err, TF_IO, "remove the key of the old log");
	if ((rc = tf_key_dir_open(dirfd, &keysfd, err)) != TF_OK)
		return rc;
	rc = tf_new_store_keys(dirfd, keysfd, origin, vkey, err);
	(void)close(keysfd);
	return rc == TF_OK ? tf_new_store_config(dirfd, NULL, NULL, err) : rc;
}

enum tf_code
tf_restore_go_on(const char *path, struct tf_recovery *recovery,
    const struct tf_actor *actor, struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl", .actor = actor };
	struct tf_vault *v;
	enum tf_code rc = tf_vault_open_for(path, &o, recovery, &v, err);

	tf_buf_free(&recovery->previous);
	return rc == TF_OK ? tf_vault_close(v, "done", err) : rc;
}

/* Append the entry that continues the ledger, and take away the mark. */
static enum tf_code
go_on(const struct restore *x, int dirfd, const char *path,
    const struct tf_actor *actor, struct tf_error *err)
{
	struct tf_recovery recovery = { .origin = x->origin,
		.restored = &x->vkey };
	enum tf_code rc = tf_restore_go_on(path, &recovery, actor, err);

	if (rc != TF_OK)
		return rc;
	if (unlinkat(dirfd, TF_INCOMING, AT_REMOVEDIR) < 0 ||
	    unlinkat(dirfd, TF_MIRROR_MARK, 0) < 0)
		return tf_fail(err, TF_IO, "remove the mark of a mirror");
	return tf_file_sync_dir(dirfd, ".", err);
}

/* Remove a copy that did not become a vault. */
static void
unmake(int dirfd, const char *path, bool made)
{
	char name[16];

	for (unsigned i = 0; i < 256; i++) {
		(void)snprintf(name, sizeof(name), "objects/%02x", i);
		tf_replica_remove_directory(dirfd, name);
	}
	tf_replica_remove_directory(dirfd, TF_INCOMING);
	(void)unlinkat(dirfd, TF_MIRROR_MARK, 0);
	tf_new_store_unmake(dirfd, path, made);
}

enum tf_code
tf_restore(const char *from, const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err)
{
	struct restore x = { .from = from, .origin = origin, .objectsfd = -1 };
	bool made = access(path, F_OK) != 0, copying = false;
	int dirfd = -1;
	enum tf_code rc = TF_OK;

	if (!tf_origin_ok(origin, strlen(origin)))
		return tf_fail(err, TF_USAGE,
		    "an origin is 1 to 128 of A-Za-z0-9._~:/-");
	if ((rc = tf_new_store_check(path, err)) != TF_OK)
		return rc;
	if ((x.piece = malloc(PIECE)) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK && (rc = open_mirror(&x, err)) == TF_OK) {
		copying = true;
		rc = copy(&x, path, err);
	}
	tf_replica_close(x.r);
	if (copying)
		dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == TF_OK && dirfd < 0)
		rc = tf_fail(err, TF_IO, "open %.100s", path);
	if (rc == TF_OK && (rc = give_keys(dirfd, origin, vkey, err)) == TF_OK)
		rc = go_on(&x, dirfd, path, actor, err);
	if (rc != TF_OK && dirfd >= 0)
		unmake(dirfd, path, made);
	if (dirfd >= 0)
		(void)close(dirfd);
	if (x.db != NULL)
		tf_db_rollback(x.db);
	tf_db_close(x.db);
	if (x.objectsfd >= 0)
		(void)close(x.objectsfd);
	tf_buf_free(&x.note);
	free(x.piece);
	if (rc != TF_OK && err != NULL)
		tf_error_at(err, path);
	return rc;
}
