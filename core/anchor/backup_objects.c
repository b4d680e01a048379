/*
 * Object files and staged files of a backup.
 *
 * An object is copied to incoming/incoming/HEX, hashed on the way, made durable and only
 * then linked under its name, so that an object of a backup is always whole.  A
 * copy that was cut goes on where it ended.  A reflink is made where the file
 * system can, but never a hard link: a damage of one file must not be that of both.
 *
 * A staged file may change while it is copied.  Its row in the ledger's database has
 * the digest that was promised: the recovery of a restored vault compares, as after
 * a power cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../node/stage_files.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/scrub.h"
#include "backup_i.h"
#include "replica_i.h"

#define PIECE 1048576 /* bytes that are copied at once: b->piece */

/* --- one object -------------------------------------------------------------- */

static void
tell(struct tf_backup_run *b, uint64_t bytes)
{
	b->done += bytes;
	if (b->ask->progress != NULL)
		b->ask->progress(b->ask->arg, b->done, b->of);
}

/* Add the bytes of fd up to end to the digest, and write them to `to` unless that
 * is -1. */
static enum tf_code
pass(struct tf_backup_run *b, int fd, int to, uint64_t *off, uint64_t end,
    struct tf_sha256 *sum, struct tf_error *err)
{
	size_t got = 1;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && *off < end && got > 0) {
		rc = tf_file_pread(fd, b->piece,
		    end - *off < PIECE ? (size_t)(end - *off) : PIECE, *off,
		    &got, err);
		if (rc == TF_OK && to >= 0 && got > 0) {
			rc = tf_file_pwrite(to, b->piece, got, *off, err);
			tf_file_start_writing(to, *off, got);
		}
		if (rc == TF_OK)
			tf_sha256_add(sum, b->piece, got);
		*off += got;
		tell(b, got);
	}
	return rc;
}

/* Copy from to `to`, which may have the beginning already. */
static enum tf_code
copy_bytes(struct tf_backup_run *b, int from, int to, uint64_t size,
    struct tf_hash *h, struct tf_error *err)
{
	struct tf_sha256 *sum = tf_sha256_new();
	struct stat st;
	uint64_t off = 0, have;
	enum tf_code rc = TF_OK;

	if (sum == NULL)
		return tf_nomem(err);
	if (fstat(to, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat incoming/");
	have = (uint64_t)st.st_size;
	if (rc == TF_OK && (have == 0 || have > size) && ftruncate(to, 0) == 0)
		have = ioctl(to, FICLONE, from) == 0 ? size : 0;
	if (rc == TF_OK)
		rc = pass(b, to, -1, &off, have, sum, err);
	if (rc == TF_OK)
		rc = pass(b, from, to, &off, size, sum, err);
	if (rc == TF_OK)
		rc = tf_file_sync(to, err);
	tf_sha256_peek(sum, h);
	tf_sha256_free(sum);
	return rc;
}

/* Copy the source's open object.  *good: it has the digest. */
static enum tf_code
bring(struct tf_backup_run *b, int from, const char *hex,
    const struct tf_hash *h, uint64_t size, bool *good, struct tf_error *err)
{
	struct tf_hash have;
	uint64_t before = b->done;
	struct stat st;
	int to;
	enum tf_code rc = TF_OK;

	*good = false;
	if (fstat(from, &st) < 0 || (uint64_t)st.st_size != size)
		return TF_OK;
	rc = tf_file_open(b->partialfd, hex, O_RDWR | O_CREAT, &to, err);
	if (rc != TF_OK)
		return rc;
	for (int i = 0; rc == TF_OK && !*good && i < 2; i++) {
		b->done = before;
		rc = copy_bytes(b, from, to, size, &have, err);
		*good = rc == TF_OK && memcmp(&have, h, sizeof(have)) == 0;
		/* What an earlier run has left may be wrong. */
		if (rc == TF_OK && !*good && ftruncate(to, 0) < 0)
			rc = tf_fail(err, TF_IO, "truncate object %s", hex);
	}
	(void)close(to); /* synced */
	return rc;
}

/* The directories are those of objects/ of the backup. */
static enum tf_code
put_object(struct tf_backup_run *b, const char *hex, const struct tf_hash *h,
    uint64_t size, struct tf_error *err)
{
	struct tf_object_dirs dirs = { 0 };
	enum tf_code rc;

	/* One of another size is damage of the disk. */
	if ((rc = tf_object_unlink(b->to_objects, h, err)) != TF_OK ||
	    (rc = tf_object_link(b->to_objects, &dirs, b->partialfd, hex, h,
		 size, err)) != TF_OK)
		return rc;
	if (unlinkat(b->partialfd, hex, 0) < 0)
		return tf_fail(err, TF_IO, "remove object %s", hex);
	b->out->objects++;
	b->out->bytes += size;
	return TF_OK;
}

static enum tf_code
copy_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct tf_backup_run *b = arg;
	struct tf_error why;
	char hex[65];
	bool good;
	int from;
	enum tf_code rc = tf_object_present(b->to_objects, h, size, &good, err);

	if (rc != TF_OK || good)
		return rc;
	rc = tf_object_open(b->from_objects, h, &from, &why);
	if (rc == TF_TAMPER) {
		b->missing++;
		return TF_OK; /* the verification names it */
	}
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	tf_hex(h->b, sizeof(h->b), hex);
	rc = bring(b, from, hex, h, size, &good, err);
	(void)close(from); /* it was read */
	if (rc != TF_OK)
		return rc;
	if (good)
		return put_object(b, hex, h, size, err);
	b->missing++;
	return tf_file_wipe(b->partialfd, hex, err);
}

static enum tf_code
count_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct tf_backup_run *b = arg;
	bool yes;
	enum tf_code rc = tf_object_present(b->to_objects, h, size, &yes, err);

	if (rc == TF_OK && yes)
		b->out->present++;
	else if (rc == TF_OK)
		b->of += size;
	return rc;
}

enum tf_code
tf_backup_objects(struct tf_backup_run *b, struct tf_db *db,
    struct tf_error *err)
{
	enum tf_code rc;

	b->missing = b->done = b->of = b->out->present = 0;
	rc = tf_object_files(db, count_object, b, err);
	return rc == TF_OK ? tf_object_files(db, copy_object, b, err) : rc;
}

/* --- staged files ------------------------------------------------------------- */

struct staged {
	struct tf_backup_run *b;
	struct tf_db *db;
};

/* The name of its file in a store and in incoming/. */
static void
name_staged(const struct tf_stage_row *r, char out[TF_STAGE_NAME + 8])
{
	char name[TF_STAGE_NAME];

	tf_stage_name(r->attr.id, name);
	(void)snprintf(out, TF_STAGE_NAME + 8, "stage/%s", name);
}

/* The staged file, or the object that it became since.  *fd -1: neither, as the
 * bytes are in the database, or the file is gone. */
static enum tf_code
open_staged(struct staged *s, const struct tf_stage_row *r, const char *name,
    int *fd, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc = tf_file_open(s->b->storefd, name, O_RDONLY, fd, err);

	if (rc != TF_NOTFOUND)
		return rc;
	rc = tf_object_get(s->db, r->attr.id, &o, NULL, err);
	if ((rc == TF_OK && o.is_inline) || !r->has_digest)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_object_open(s->b->from_objects, &r->sha256, fd, err);
	return rc == TF_TAMPER ? TF_OK : rc;
}

static enum tf_code
copy_staged(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct staged *s = arg;
	struct tf_hash unused;
	char name[TF_STAGE_NAME + 8];
	struct stat st;
	int from = -1, to;
	enum tf_code rc;

	if (r->malformed || r->attr.kind != TF_KIND_EVIDENCE)
		return TF_OK;
	if (r->secret) {
		s->b->out->secret++;
		return TF_OK;
	}
	name_staged(r, name);
	s->b->out->pending++;
	if ((rc = open_staged(s, r, name, &from, err)) != TF_OK || from < 0)
		return rc;
	if (fstat(from, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat %s", name);
	if (rc == TF_OK)
		rc = tf_file_open(s->b->incomingfd, name, O_RDWR | O_CREAT, &to,
		    err);
	if (rc == TF_OK) {
		/* An earlier snapshot of this run may have left another. */
		rc = ftruncate(to, 0) == 0 ?
		    copy_bytes(s->b, from, to, (uint64_t)st.st_size, &unused,
			err) :
		    tf_fail(err, TF_IO, "truncate %s", name);
		(void)close(to); /* synced */
	}
	(void)close(from); /* it was read */
	return rc;
}

enum tf_code
tf_backup_take_staged(struct tf_backup_run *b, struct tf_db *db,
    struct tf_error *err)
{
	struct staged s = { b, db };

	b->out->pending = b->out->secret = 0;
	return tf_stage_each(db, copy_staged, &s, err);
}

static enum tf_code
put_staged(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct tf_backup_run *b = arg;
	char name[TF_STAGE_NAME + 8];

	name_staged(r, name);
	if (renameat(b->incomingfd, name, b->dirfd, name) < 0 &&
	    errno != ENOENT)
		return tf_fail(err, TF_IO, "put %s in place", name);
	return TF_OK;
}

/* Those of an earlier state go first. */
enum tf_code
tf_backup_put_staged(struct tf_backup_run *b, struct tf_db *db,
    struct tf_error *err)
{
	enum tf_code rc = tf_backup_empty_stage(b, err);

	if (rc == TF_OK)
		rc = tf_stage_each(db, put_staged, b, err);
	return rc == TF_OK ? tf_file_sync_dir(b->dirfd, "stage", err) : rc;
}

/* --- redacted evidence ---------------------------------------------------------- */

struct erasing {
	struct tf_backup_run *b;
	struct tf_db *db;
	struct tf_buf path;
};

static enum tf_code
erase_object(struct erasing *e, const struct tf_definition_row *row,
    const struct tf_object_row *o, struct tf_error *err)
{
	bool is;
	enum tf_code rc = tf_object_hide(e->b->to_objects, &o->sha256, &is,
	    err);

	if (rc != TF_OK || !is)
		return rc;
	rc = tf_object_erase_file(e->b->to_objects, &o->sha256, err);
	if (rc == TF_OK)
		rc = tf_replica_path(e->db, row->node, &e->path, err);
	if (rc != TF_OK)
		return rc;
	e->b->out->erased++;
	if (e->b->ask->erased != NULL)
		e->b->ask->erased(e->b->ask->arg, e->path.p, o->size,
		    row->entry);
	return TF_OK;
}

/* Texts that were redacted have no file. */
static enum tf_code
erase_one(void *arg, const struct tf_definition_row *row, struct tf_error *err)
{
	struct erasing *e = arg;
	struct tf_object_row o;
	struct tf_node_row node;
	uint64_t id;
	enum tf_code rc;

	if (row->object == 0)
		return TF_OK; /* other evidence has the same bytes */
	rc = tf_nodes_get(e->db, row->node, &node, err);
	if (rc == TF_OK)
		rc = tf_object_get(e->db, node.object, &o, NULL, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	/* Was the same recorded again since? */
	rc = tf_object_find(e->db, &o.sha256, &id, err);
	return rc == TF_NOTFOUND ? erase_object(e, row, &o, err) : rc;
}

enum tf_code
tf_backup_erase(struct tf_backup_run *b, struct tf_db *db, struct tf_error *err)
{
	struct erasing e = { .b = b, .db = db };
	enum tf_code rc = tf_definitions_of_kind(db, TF_ROW_REDACTED, erase_one,
	    &e, err);

	tf_buf_free(&e.path);
	return rc;
}
