/*
 * A replica: opening, and the batch.  Promises R1 to R4: replica.h.
 *
 *  R1  tf_replica_commit() compares the root of the tree that append_entry()
 *      built with the signed note; the triggers of the schema refuse changes.
 *  R2  check() gives each entry to the replay of core/ledger before a row is
 *      written; a report of the replay ends the batch.
 *  R3  replica_objects.c.
 *  R4  Entries, rows, tiles, sums and checkpoint are one transaction of SQLite.
 *      STORE/checkpoint and keys/log.vkey are written after it; behind the
 *      database they do no harm.  The first STORE/checkpoint is written before
 *      it, because entries without that file look like those of a store that
 *      lost it.
 *
 * The state of the replay is not stored: it follows from the entries, and
 * tf_replica_open() makes it anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../commit/append.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../node/holder.h"
#include "../node/host.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/scrub.h"
#include "../store/store_files.h"
#include "../store/temp_table.h"
#include "../store/transaction.h"
#include "replica_i.h"

#define SMALL_FILE 4096 /* bytes */

/* --- the replay ----------------------------------------------------------------- */

static const struct tf_temp_table_ops table_ops = {
	.add = tf_temp_table_add,
	.put = tf_temp_table_put,
	.get = tf_temp_table_get,
	.each = tf_temp_table_each,
	.cut = tf_temp_table_cut,
};

/* Keep the first rule that is broken. */
static void
rule_broken(void *arg, const struct tf_entry *e, const char *text)
{
	struct tf_replica *r = arg;

	(void)e;
	if (r->broken.code == TF_OK)
		(void)tf_fail(&r->broken, TF_TAMPER, "entry %llu %s",
		    (unsigned long long)r->size, text);
}

/* An opening that continues another origin states the root of what it
 * continues. */
static enum tf_code
check_previous(const struct tf_replica *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_hash root;
	bool yes;
	enum tf_code rc;

	if (e->previous.p == NULL || e->seq == 0)
		return TF_OK;
	tf_tree_root(r->tree, &root);
	rc = tf_previous_continues(e, &root, &yes, err);
	return rc == TF_OK && !yes ?
	    tf_fail(err, TF_TAMPER,
		"entry %llu continues another tree than that of the "
		"entries before it",
		(unsigned long long)e->seq) :
	    rc;
}

/* Decode and replay the next entry (R2). */
static enum tf_code
check(struct tf_replica *r, const void *bytes, size_t n,
    struct tf_entry_decoded *d, struct tf_replay_effect *x,
    struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_error why = { .code = TF_OK };
	const unsigned long long seq = r->size;
	enum tf_code rc = tf_entry_decode(d, bytes, n, &why);

	if (rc == TF_INVALID)
		return tf_fail(err, TF_TAMPER, "entry %llu is malformed: %s",
		    seq, why.text);
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	tf_entry_leaf(bytes, n, leaf);
	if ((rc = tf_replay_entry(r->replay, &d->e, leaf, x, err)) != TF_OK)
		return rc;
	if (r->broken.code != TF_OK)
		return tf_fail_as(err, &r->broken);
	if (d->e.type == TF_TYPE_UNKNOWN)
		return tf_fail(err, TF_NEWER,
		    "entry %llu is of a later version: use a newer trailfs",
		    seq);
	if (strcmp(tf_replay_store(r->replay), r->store) != 0)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu is of another store than this mirror's", seq);
	return check_previous(r, &d->e, err);
}

/* --- opening -------------------------------------------------------------------- */

static enum tf_code
lock(struct tf_replica *r, struct tf_error *err)
{
	struct tf_holder who;
	char text[128], boot[64];
	enum tf_code rc = tf_file_open(r->dirfd, "lock", O_RDWR | O_CREAT,
	    &r->lockfd, err);

	if (rc != TF_OK)
		return rc;
	if (flock(r->lockfd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return tf_fail(err, TF_IO, "lock the mirror");
		if (flock(r->lockfd, LOCK_SH | LOCK_NB) == 0)
			return tf_fail(err, TF_LOCKED,
			    "the mirror is mounted: unmount it first");
		tf_holder_read(r->lockfd, &who);
		return tf_fail(err, TF_LOCKED, "the mirror is in use by %.100s",
		    who.text[0] == '\0' ? "another process" : who.text);
	}
	tf_boot_id(boot);
	(void)snprintf(text, sizeof(text),
	    "trailctl pid %d\nmount -\nboot %s\n", (int)getpid(), boot);
	if (ftruncate(r->lockfd, 0) < 0)
		return tf_fail(err, TF_IO, "write lock");
	rc = tf_file_pwrite(r->lockfd, text, strlen(text), 0, NULL);
	return rc == TF_OK ? TF_OK : tf_fail(err, TF_IO, "write lock");
}

static enum tf_code
open_dirs(struct tf_replica *r, const char *path, struct tf_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	if ((r->dirfd = open(path, flags)) < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	if (faccessat(r->dirfd, TF_MIRROR_MARK, F_OK, 0) < 0)
		return errno == ENOENT ?
		    tf_fail(err, TF_FOREIGN, "%s is not empty, and no mirror",
			path) :
		    tf_fail(err, tf_code_of_open(errno), "%s/%s: %s", path,
			TF_MIRROR_MARK, strerror(errno));
	r->objectsfd = openat(r->dirfd, "objects", flags);
	r->incomingfd = openat(r->dirfd, TF_INCOMING, flags);
	if (r->objectsfd < 0 || r->incomingfd < 0)
		return tf_fail(err, TF_FOREIGN,
		    "%.100s lacks objects/ or " TF_INCOMING "/", path);
	return TF_OK;
}

/* The key is that of the file, the origin that of the database: see R4. */
static enum tf_code
read_facts(struct tf_replica *r, struct tf_error *err)
{
	char origin[TF_ORIGIN_MAX + 1];
	struct tf_buf b = { 0 };
	struct tf_vkey k;
	enum tf_code rc = tf_meta_get_text(r->db, "origin", origin,
	    sizeof(origin), err);

	if (rc == TF_OK)
		rc = tf_meta_get_text(r->db, "store", r->store,
		    sizeof(r->store), err);
	if (rc == TF_OK)
		rc = tf_file_read(r->dirfd, TF_LOG_VKEY, SMALL_FILE, &b, err);
	tf_buf_add(&b, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&b, err);
	if (rc == TF_OK)
		rc = tf_vkey_parse(b.p, strcspn(b.p, "\n"), &k, err);
	tf_buf_free(&b);
	if (rc == TF_OK)
		tf_vkey_make(&r->vkey, origin, &k.pub);
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_FOREIGN, "the mirror lacks its key or origin") :
	    rc;
}

static enum tf_code
load_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_replica *r = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_replay_effect x;
	struct tf_hash leaf;
	enum tf_code rc;

	if (idx != r->size || off != r->bytes)
		return tf_fail(err, TF_TAMPER, "entry %llu is out of place",
		    (unsigned long long)idx);
	rc = check(r, body, n, &d, &x, &leaf, err);
	if (rc == TF_OK)
		rc = tf_log_keys_learn(&r->keys, body, n, err);
	if (rc == TF_OK)
		rc = tf_tree_append(r->tree, &leaf, NULL, NULL, err);
	tf_entry_decoded_free(&d);
	r->size++;
	r->bytes += n + 1;
	return rc;
}

static enum tf_code
load_sums(struct tf_replica *r, struct tf_error *err)
{
	uint64_t id = 0;
	enum tf_code rc = tf_meta_get_int(r->db, "files", &r->files, err);

	if (rc == TF_OK)
		rc = tf_meta_get_int(r->db, "content_bytes", &r->content_bytes,
		    err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(r->db, TF_META_SAID, &r->said, err);
	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_nodes_max_id(r->db, &id, err);
	r->next_object = id + 1;
	return rc;
}

/* A rotation that was interrupted leaves the old key in the file. */
static enum tf_code
keep_public(struct tf_replica *r, struct tf_error *err)
{
	const struct tf_vkey *now = tf_log_keys_at(&r->keys, &r->vkey, r->size);

	if (memcmp(&now->pub, &r->vkey.pub, sizeof(now->pub)) == 0)
		return TF_OK;
	r->vkey = *now;
	return tf_replica_write_public(r->dirfd, &r->vkey, err);
}

/* Make the state of the replay and compare the tree with the head. */
static enum tf_code
load(struct tf_replica *r, struct tf_error *err)
{
	struct tf_hash root, computed;
	uint64_t size;
	enum tf_code rc = load_sums(r, err);

	memcpy(r->head.origin, r->vkey.name, sizeof(r->head.origin));
	if (rc == TF_OK)
		rc = tf_entries_each(r->db, 0, load_entry, r, err);
	tf_tree_root(r->tree, &computed);
	r->head.root = computed;
	if (rc != TF_OK || r->size == 0)
		return rc;
	rc = tf_checkpoints_newest(r->db, &size, &root, &r->note, err);
	if (rc == TF_OK)
		rc = tf_log_keys_check(&r->keys, &r->vkey, r->note.p, r->note.n,
		    &r->head, NULL, err);
	if (rc == TF_OK &&
	    (r->head.size != r->size || size != r->size ||
		memcmp(&r->head.root, &computed, sizeof(computed)) != 0))
		rc = TF_NOTFOUND;
	if (rc == TF_OK)
		rc = keep_public(r, err);
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER,
		"the mirror's entries and its newest checkpoint do not agree: "
		"run trailctl verify") :
	    rc;
}

/* Check that nobody else can have exchanged what is in keys/. */
static enum tf_code
check_keys(const struct tf_replica *r, struct tf_error *err)
{
	int fd;
	enum tf_code rc = tf_key_dir_open(r->dirfd, &fd, err);

	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* Mounts read beside this writer, and cannot make the files of the log. */
static enum tf_code
open_db(struct tf_replica *r, const char *name, struct tf_error *err)
{
	enum tf_code rc = tf_db_open(name, TF_DB_WRITE, &r->db, err);

	if (rc == TF_OK)
		tf_db_keep_files(r->db);
	return rc;
}

enum tf_code
tf_replica_open(const char *path, struct tf_replica **out, struct tf_error *err)
{
	struct tf_replica *r = calloc(1, sizeof(*r));
	char name[PATH_MAX];
	enum tf_code rc;

	if (r == NULL)
		return tf_nomem(err);
	r->dirfd = r->objectsfd = r->incomingfd = r->lockfd = -1;
	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	r->path = strdup(name);
	r->tree = calloc(1, sizeof(*r->tree));
	if (r->path == NULL || r->tree == NULL)
		rc = tf_nomem(err);
	else
		rc = tf_temp_table_open(&r->table, err);
	if (rc == TF_OK &&
	    (r->replay = tf_replay_new(&table_ops, r->table, rule_broken, r)) ==
		NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK && (rc = open_dirs(r, path, err)) == TF_OK &&
	    (rc = check_keys(r, err)) == TF_OK &&
	    (rc = lock(r, err)) == TF_OK &&
	    (rc = open_db(r, name, err)) == TF_OK &&
	    (rc = read_facts(r, err)) == TF_OK &&
	    (rc = load(r, err)) == TF_OK &&
	    (rc = tf_replica_load_held(r, err)) == TF_OK)
		rc = tf_replica_tidy(r, err);
	if (rc != TF_OK) {
		tf_replica_close(r);
		return rc;
	}
	*out = r;
	return TF_OK;
}

void
tf_replica_close(struct tf_replica *r)
{
	if (r == NULL)
		return;
	if (r->in_batch)
		tf_db_rollback(r->db);
	tf_replay_free(r->replay);
	tf_log_keys_free(&r->keys);
	tf_temp_table_close(r->table);
	free(r->tree);
	tf_bits_free(&r->owed);
	tf_buf_free(&r->owed_path);
	free(r->owed_ids);
	free(r->owed_texts);
	tf_buf_free(&r->note);
	tf_buf_free(&r->stamped);
	tf_bits_free(&r->held);
	free(r->moved);
	free(r->path);
	if (r->db != NULL && ftruncate(r->lockfd, 0) < 0)
		errno = 0; /* the text is only for messages */
	tf_db_close(r->db);
	for (int i = 0; i < 4; i++) {
		int fd = i == 0 ? r->incomingfd :
		    i == 1	? r->objectsfd :
		    i == 2	? r->dirfd :
				  r->lockfd;

		if (fd >= 0)
			(void)close(fd);
	}
	free(r);
}

/* --- questions ------------------------------------------------------------------ */

const struct tf_checkpoint *
tf_replica_head(const struct tf_replica *r)
{
	return &r->head;
}

struct tf_str
tf_replica_note(const struct tf_replica *r)
{
	return (struct tf_str){ r->note.p, r->note.n };
}

const struct tf_vkey *
tf_replica_vkey(const struct tf_replica *r)
{
	return &r->vkey;
}

enum tf_code
tf_replica_learn(struct tf_replica *r, const struct tf_log_keys *keys,
    struct tf_error *err)
{
	struct tf_str rest = tf_buf_bytes(&keys->text), line;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && tf_note_take(&rest, &line))
		rc = tf_log_keys_learn(&r->keys, line.p, line.n, err);
	return rc;
}

const char *
tf_replica_store(const struct tf_replica *r)
{
	return r->store;
}

int
tf_replica_dirfd(const struct tf_replica *r)
{
	return r->dirfd;
}

uint64_t
tf_replica_size(const struct tf_replica *r)
{
	return r->size;
}

/* --- a batch -------------------------------------------------------------------- */

enum tf_code
tf_replica_begin(struct tf_replica *r, struct tf_error *err)
{
	enum tf_code rc;

	if (r->in_batch || r->failed)
		return tf_fail(err, TF_USAGE,
		    r->failed ? "the batch before it failed" :
				"a batch was begun before");
	rc = tf_db_begin(r->db, err);
	r->in_batch = rc == TF_OK;
	return rc;
}

/* Nothing of the batch stays, and the replay is of no use any more. */
static enum tf_code
fail_batch(struct tf_replica *r, enum tf_code rc)
{
	tf_db_rollback(r->db);
	r->in_batch = false;
	r->failed = true;
	return rc;
}

/* The row of the entry, and its leaf. */
static enum tf_code
append_entry(struct tf_replica *r, const void *bytes, size_t n,
    const struct tf_hash *leaf, struct tf_error *err)
{
	enum tf_code rc = tf_entries_put(r->db, r->size, r->bytes, bytes, n,
	    err);

	if (rc == TF_OK)
		rc = tf_tree_append(r->tree, leaf, tf_commit_put_tile, r->db,
		    err);
	return rc;
}

enum tf_code
tf_replica_stamped(struct tf_replica *r, const void *note, size_t n,
    struct tf_error *err)
{
	if (!r->in_batch)
		return tf_fail(err, TF_USAGE, "no batch was begun");
	r->stamped.n = 0;
	tf_buf_add(&r->stamped, note, n);
	return tf_buf_end(&r->stamped, err);
}

enum tf_code
tf_replica_entry(struct tf_replica *r, const void *bytes, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_error why = { .code = TF_OK };
	struct tf_replay_effect x;
	struct tf_hash leaf;
	enum tf_code rc;

	if (!r->in_batch)
		return tf_fail(err, TF_USAGE, "no batch was begun");
	rc = check(r, bytes, n, &d, &x, &leaf, err);
	if (rc == TF_OK)
		rc = tf_log_keys_learn(&r->keys, bytes, n, err);
	if (rc == TF_OK &&
	    (rc = append_entry(r, bytes, n, &leaf, err)) == TF_OK)
		rc = tf_replica_apply(r, &d.e, &x, &why);
	if (rc == TF_OK && r->stamped.n > 0)
		rc = tf_fail(&why, TF_TAMPER,
		    "a stamped checkpoint came with it, and it is no time "
		    "stamp");
	if (why.code == TF_TAMPER)
		(void)tf_fail(err, why.code, "entry %llu: %s",
		    (unsigned long long)r->size, why.text);
	else if (why.code != TF_OK)
		(void)tf_fail_as(err, &why);
	tf_entry_decoded_free(&d);
	if (rc != TF_OK)
		return fail_batch(r, rc);
	r->size++;
	r->bytes += n + 1;
	return TF_OK;
}

/*
 * The key that the entries say is in force.  It must be that of the replica, but
 * for the name, or one that took its place; *known is false while a log that went on under this key, after
 * a restoration, is still at its beginning.
 */
static enum tf_code
key_in_force(struct tf_replica *r, struct tf_vkey *k, bool *known,
    struct tf_error *err)
{
	const char *text = tf_replay_vkey(r->replay);
	enum tf_code rc = tf_vkey_parse(text, strlen(text), k, err);

	*known = rc == TF_OK &&
	    (memcmp(&k->pub, &r->vkey.pub, sizeof(k->pub)) == 0 ||
		tf_log_keys_has(&r->keys, &r->vkey, k));
	if (rc == TF_OK && !*known && r->head.size > 0)
		rc = tf_fail(err, TF_FOREIGN,
		    "the log goes on under another key, which this mirror does "
		    "not know: make a new mirror with it");
	return rc;
}

/* Compare the note with the entries up to here. */
static enum tf_code
compare_note(struct tf_replica *r, const void *note, size_t n,
    const struct tf_vkey *k, struct tf_checkpoint *cp, struct tf_error *err)
{
	struct tf_hash root;
	enum tf_code rc = tf_log_keys_check(&r->keys, k, note, n, cp, NULL,
	    err);

	if (rc != TF_OK)
		return rc;
	tf_tree_root(r->tree, &root);
	if (cp->size != r->size || memcmp(&root, &cp->root, sizeof(root)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the checkpoint of %llu entries is not of the %llu entries "
		    "that came: another root or size",
		    (unsigned long long)cp->size, (unsigned long long)r->size);
	return TF_OK;
}

static enum tf_code
check_note(struct tf_replica *r, const void *note, size_t n,
    const struct tf_vkey *k, struct tf_checkpoint *cp, struct tf_error *err)
{
	enum tf_code rc = compare_note(r, note, n, k, cp, err);

	if (rc != TF_OK)
		return rc;
	tf_replay_end(r->replay);
	return r->broken.code == TF_OK ? TF_OK : tf_fail_as(err, &r->broken);
}

enum tf_code
tf_replica_compare(struct tf_replica *r, const void *note, size_t n,
    struct tf_error *err)
{
	struct tf_checkpoint cp;
	struct tf_vkey k;
	bool known;
	enum tf_code rc = key_in_force(r, &k, &known, err);

	return rc == TF_OK && known ? compare_note(r, note, n, &k, &cp, err) :
				      rc;
}

/* Write what a commit has beside its entries, and commit. */
static enum tf_code
finish(struct tf_replica *r, const struct tf_checkpoint *cp, const void *note,
    size_t n, struct tf_error *err)
{
	uint64_t id;
	enum tf_code rc = tf_replica_touch(r, err);

	if (rc == TF_OK)
		rc = tf_replica_note_erasing(r, err);
	if (rc == TF_OK)
		rc = tf_nodes_max_id(r->db, &id, err);
	if (rc == TF_OK &&
	    (rc = tf_meta_set_int(r->db, "next_id", id + 1, err)) == TF_OK &&
	    (rc = tf_meta_set_int(r->db, "files", r->files, err)) == TF_OK &&
	    (rc = tf_meta_set_int(r->db, "content_bytes", r->content_bytes,
		 err)) == TF_OK &&
	    (rc = tf_meta_set_int(r->db, TF_META_SAID, r->said, err)) ==
		TF_OK &&
	    (rc = tf_meta_set_text(r->db, "origin", cp->origin, err)) ==
		TF_OK &&
	    (rc = tf_tree_edge(r->tree, r->head.size, tf_commit_put_tile, r->db,
		 err)) == TF_OK &&
	    (rc = tf_checkpoints_put(r->db, cp->size, &cp->root, note, n,
		 err)) == TF_OK)
		rc = tf_db_commit(r->db, err);
	return rc;
}

/* The log of the database stays long while a reader needs it. */
static enum tf_code
shorten_log(struct tf_replica *r, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_db_shorten_log(r->db, &why);

	return rc == TF_OK || rc == TF_LOCKED ? TF_OK : tf_fail_as(err, &why);
}

static enum tf_code
write_checkpoint(struct tf_replica *r, const struct tf_buf *note,
    struct tf_error *err)
{
	return tf_file_write(r->dirfd, "checkpoint", note->p, note->n, 0600,
	    false, err);
}

/* What is written after the commit. */
static enum tf_code
publish(struct tf_replica *r, const struct tf_vkey *k, struct tf_error *err)
{
	bool renamed = strcmp(k->name, r->vkey.name) != 0 ||
	    memcmp(&k->pub, &r->vkey.pub, sizeof(k->pub)) != 0;
	enum tf_code rc = write_checkpoint(r, &r->note, err);

	r->vkey = *k;
	if (rc == TF_OK && renamed)
		rc = tf_replica_write_public(r->dirfd, k, err);
	if (rc == TF_OK)
		rc = tf_replica_erase(r, err);
	return rc == TF_OK ? shorten_log(r, err) : rc;
}

enum tf_code
tf_replica_commit(struct tf_replica *r, const void *note, size_t n, bool *done,
    struct tf_error *err)
{
	struct tf_checkpoint cp;
	struct tf_buf copy = { 0 };
	struct tf_vkey k;
	bool known;
	enum tf_code rc;

	*done = false;
	if (!r->in_batch || r->size == 0)
		return tf_fail(err, TF_USAGE, "there is nothing to commit");
	if ((rc = key_in_force(r, &k, &known, err)) == TF_OK && known)
		rc = check_note(r, note, n, &k, &cp, err);
	if (rc == TF_OK && (!known || r->n_owed > 0))
		return TF_OK;
	tf_buf_add(&copy, note, n);
	if (rc == TF_OK)
		rc = tf_buf_end(&copy, err);
	if (rc == TF_OK && r->head.size == 0)
		rc = write_checkpoint(r, &copy, err);
	if (rc == TF_OK && r->size == r->head.size)
		tf_db_rollback(r->db); /* there was no entry */
	else if (rc == TF_OK)
		rc = finish(r, &cp, note, n, err);
	if (rc != TF_OK) {
		tf_buf_free(&copy);
		return fail_batch(r, rc);
	}
	r->in_batch = false;
	r->n_owed_ids = 0;
	*done = true;
	if (r->size == r->head.size) {
		tf_buf_free(&copy);
		return TF_OK;
	}
	r->head = cp;
	tf_buf_free(&r->note);
	r->note = copy;
	return publish(r, &k, err);
}
