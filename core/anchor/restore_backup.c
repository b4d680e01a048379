/*
 * A vault from a backup: see restore.h.
 *
 * The copy is that of backup.c in the other direction: the new store is marked as
 * being restored, so no writer opens it, until the entry that continues the ledger
 * is there.  A restoration that was cut is begun anew, but for the objects.
 *
 * What was written after the backup is lost.  A guard knows how much that is, and
 * its head goes into the new entry.
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
#include "../ledger/checkpoint.h"
#include "../ledger/name.h"
#include "../restore.h"
#include "../seal/head_copies.h"
#include "../sign/state.h"
#include "../store/config_file.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/guard_file.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/store_files.h"
#include "../upgrade.h"
#include "../vault/new_store.h"
#include "backup_i.h"
#include "restore_i.h"

#define SMALL_FILE 4096 /* bytes */

struct restoration {
	const char *origin;
	struct tf_vkey old; /* of the log in the backup */
	struct tf_buf lost; /* the note of its guard, if that is newer */
	uint64_t size;	    /* of the ledger in the backup */
	struct tf_hash root;
	struct tf_restored *out;
};

/* --- what the backup says ------------------------------------------------------ */

static enum tf_code
one_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	const struct restoration *x = arg;

	(void)idx;
	(void)off;
	return tf_restore_check_origin(x->origin, body, n, err);
}

static enum tf_code
take_guard(void *arg, const char *key, const char *value, struct tf_error *err)
{
	struct restoration *x = arg;

	(void)err;
	if (tf_config_is_guard(key, value))
		(void)snprintf(x->out->guard, sizeof(x->out->guard), "%s",
		    value);
	return TF_OK;
}

/* A guard that cannot be read, or is of another log, says nothing. */
static enum tf_code
read_guard(struct restoration *x, int dirfd, uint64_t size,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	enum tf_code rc = tf_config_each(dirfd, take_guard, x, err);

	if (rc != TF_OK || x->out->guard[0] == '\0')
		return rc;
	if (tf_guard_read(x->out->guard, TF_NOTE_MAX, &x->lost, NULL) ==
		TF_OK &&
	    tf_checkpoint_check(x->lost.p, x->lost.n, &x->old, &c, NULL) ==
		TF_OK &&
	    c.size > size)
		x->out->guard_entries = c.size;
	else
		tf_buf_free(&x->lost);
	return TF_OK;
}

static enum tf_code
read_backup(struct restoration *x, const char *from, struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_db *db;
	enum tf_code rc;
	int dirfd;

	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME, from);
	if ((rc = tf_db_open(name, TF_DB_READ, &db, err)) != TF_OK)
		return rc;
	dirfd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		rc = tf_fail(err, TF_IO, "open %.100s", from);
	if (rc == TF_OK &&
	    (rc = tf_restore_vkey(dirfd, db, &x->old, err)) == TF_OK &&
	    (rc = tf_entries_each(db, 0, one_entry, x, err)) == TF_OK &&
	    (rc = tf_checkpoints_newest(db, &x->size, &x->root, NULL, err)) ==
		TF_OK)
		rc = read_guard(x, dirfd, x->size, err);
	if (dirfd >= 0)
		(void)close(dirfd);
	tf_db_close(db);
	return rc;
}

/* --- the vault ------------------------------------------------------------------ */

/* New keys, in place of all that are there. */
static enum tf_code
give_keys(int dirfd, const char *origin, struct tf_error *err)
{
	static const char *const files[] = { "keys/" TF_LOG_SECRET, TF_LOG_VKEY,
		TF_LOG_PUB, "keys/" TF_ATTESTER_SECRET, TF_ATTESTER_PUB,
		TF_SIGNER_MEMORY };
	struct tf_buf vkey = { 0 };
	enum tf_code rc;
	int keysfd;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (unlinkat(dirfd, files[i], 0) < 0 && errno != ENOENT)
			return tf_fail(err, TF_IO, "remove %s", files[i]);
	if ((rc = tf_key_dir_open(dirfd, &keysfd, err)) != TF_OK)
		return rc;
	rc = tf_new_store_keys(dirfd, keysfd, origin, &vkey, err);
	(void)close(keysfd);
	tf_buf_free(&vkey);
	return rc;
}

/* The old keys: they must never sign another history of what they signed.  An
 * earlier version made no copy of that memory, and a crash may leave an older one. */
static enum tf_code
keep_keys(const struct restoration *x, int dirfd, struct tf_error *err)
{
	struct tf_signer_state s = { .fd = -1 };
	enum tf_code rc = tf_signer_state_open(&s, dirfd, TF_SIGNER_MEMORY,
	    err);

	if (rc == TF_OK)
		rc = tf_signer_state_raise(&s, x->old.name, x->size, &x->root,
		    err);
	tf_signer_state_close(&s); /* synced */
	return rc;
}

/* A backup has the format that its store had. */
static enum tf_code
upgrade(struct restoration *x, const char *path, struct tf_error *err)
{
	struct tf_upgraded u;
	enum tf_code rc = tf_upgrade(path, false, &u, err);

	if (rc == TF_OK && strcmp(u.from, u.to) != 0)
		(void)snprintf(x->out->format, sizeof(x->out->format), "%s",
		    u.from);
	return rc;
}

/* The copy of the head is that of the backup: it would be compared with a head
 * under the new key. */
static enum tf_code
go_on(struct restoration *x, int dirfd, const struct tf_backup *ask,
    const struct tf_actor *actor, struct tf_error *err)
{
	struct tf_recovery recovery = { .origin = x->origin,
		.restored = &x->old,
		.lost = &x->lost };
	enum tf_code rc = ask->keys ? keep_keys(x, dirfd, err) :
				      give_keys(dirfd, x->origin, err);

	if (rc == TF_OK && unlinkat(dirfd, "checkpoint", 0) < 0 &&
	    errno != ENOENT)
		rc = tf_fail(err, TF_IO, "remove the old checkpoint");
	if (rc == TF_OK)
		rc = upgrade(x, ask->dir, err);
	return rc == TF_OK ? tf_restore_go_on(ask->dir, &recovery, actor, err) :
			     rc;
}

/* True if an earlier call has come as far as the new entry. */
static bool
has_origin(const char *path, const char *origin)
{
	char name[PATH_MAX], have[TF_ORIGIN_MAX + 1];
	struct tf_db *db;
	bool yes;

	(void)snprintf(name, sizeof(name), "%s/" TF_DB_NAME, path);
	if (!tf_backup_is(path) ||
	    tf_db_open(name, TF_DB_READ, &db, NULL) != TF_OK)
		return false;
	yes = tf_meta_get_text(db, "origin", have, sizeof(have), NULL) ==
		TF_OK &&
	    strcmp(have, origin) == 0;
	tf_db_close(db);
	return yes;
}

/* The mark goes last. */
static enum tf_code
unmark(int dirfd, struct tf_error *err)
{
	static const char *const dirs[] = { TF_BACKUP_INCOMING "/keys",
		TF_BACKUP_INCOMING "/stage", TF_BACKUP_PARTIAL,
		TF_BACKUP_INCOMING };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (unlinkat(dirfd, dirs[i], AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			return tf_fail(err, TF_IO, "remove %s", dirs[i]);
	if (unlinkat(dirfd, TF_BACKUP_MARK, 0) < 0)
		return tf_fail(err, TF_IO, "remove the mark of a backup");
	return tf_file_sync_dir(dirfd, ".", err);
}

/* From here on no backup is needed any more. */
static enum tf_code
finish(struct restoration *x, int dirfd, struct tf_error *err)
{
	struct tf_buf *k = &x->out->vkey;
	enum tf_code rc = tf_file_read(dirfd, TF_LOG_VKEY, SMALL_FILE, k, err);

	if (rc == TF_OK && k->n > 0 && k->p[k->n - 1] == '\n')
		k->n--;
	return rc == TF_OK ? unmark(dirfd, err) : rc;
}

/* The copy is there: make a vault of it.  begun: an earlier call has appended the
 * entry. */
static enum tf_code
make_vault(struct restoration *x, bool begun, const struct tf_backup *ask,
    const struct tf_actor *actor, struct tf_error *err)
{
	int dirfd = open(ask->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = TF_OK;

	if (dirfd < 0)
		return tf_fail(err, TF_IO, "open %.100s", ask->dir);
	if (!begun)
		rc = go_on(x, dirfd, ask, actor, err);
	if (rc == TF_OK)
		rc = finish(x, dirfd, err);
	(void)close(dirfd);
	return rc;
}

enum tf_code
tf_restore_backup(const struct tf_backup *ask, const char *origin,
    const struct tf_actor *actor, struct tf_restored *out, struct tf_error *err)
{
	struct restoration x = { .origin = origin, .out = out };
	struct tf_backup_run b = { .ask = ask,
		.out = &out->copy,
		.restores = true };
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	if (!tf_origin_ok(origin, strlen(origin)))
		return tf_fail(err, TF_USAGE,
		    "an origin is 1 to 128 of A-Za-z0-9._~:/-");
	if (has_origin(ask->dir, origin))
		return make_vault(&x, true, ask, actor, err);
	if ((rc = read_backup(&x, ask->store, err)) == TF_OK) {
		rc = tf_backup_run(&b, err);
		tf_backup_close(&b); /* gives up the lock */
	}
	if (rc == TF_OK)
		rc = make_vault(&x, false, ask, actor, err);
	tf_buf_free(&x.lost);
	return rc;
}
