/*
 * A whole store as the source of an audit: entries and tiles from the database,
 * contents from the database and objects/.  The node table must agree with the
 * entries (I5).  The audit reads one snapshot of the database, so a mount of
 * the store may write during the audit.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/policy.h"
#include "../ledger/replay.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/schema.h"
#include "../store/store_files.h"
#include "../store/unplaced.h"
#include "../verify.h"
#include "audit.h"
#include "file.h"
#include "pool.h"

struct store {
	char *db_path;
	struct tf_db *db;
	int dirfd, objectsfd;
	struct tf_buf vkey, beside; /* keys/log.vkey, STORE/checkpoint */
	char origin[TF_ORIGIN_MAX + 1], id[33];
	uint64_t off;		       /* of events.jsonl */
	struct tf_bits queued;	       /* objects given to the pool */
	uint64_t names;		       /* rows of the node table */
	uint64_t files, content_bytes; /* of evidence, as in status */
	/* Paths of evidence, a NUL after each.  Their access is compared at
	 * the end, because an entry after the seal changed it. */
	struct tf_buf changed;
};

/* --- contents -------------------------------------------------------------------- */

static enum tf_code
begin(void *arg, void **self, struct tf_error *err)
{
	struct store *s = arg;
	struct tf_db *db;
	enum tf_code rc = tf_db_open(s->db_path, TF_DB_READ, &db, err);

	*self = db;
	return rc;
}

static void
end(void *self)
{
	tf_db_close(self);
}

static enum tf_code
hash(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct store *s = arg;
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	enum tf_code rc;
	int fd;

	/* contents() found this row before, in the same database. */
	rc = tf_object_get(self, t->object, &o, &body, err);
	if (rc == TF_OK && o.is_inline) {
		tf_sha256(body.p, body.n, h);
		*size = body.n;
	} else if (rc == TF_OK &&
	    (rc = tf_object_open(s->objectsfd, &t->want.sha256, &fd, err)) ==
		TF_OK) {
		rc = tf_audit_hash(fd, &t->want, h, size, err);
		(void)close(fd);
	}
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
contents(struct tf_audit *a, const struct tf_entry *e, uint64_t object,
    struct tf_error *err)
{
	struct store *s = a->self;
	struct tf_object_row o;
	enum tf_code rc = tf_object_get(s->db, object, &o, NULL, err);

	if (rc == TF_NOTFOUND) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "missing: the database has no object for it");
		return TF_OK;
	}
	if (rc != TF_OK)
		return rc;
	if (o.size != e->content.size ||
	    memcmp(&o.sha256, &e->content.sha256, sizeof(o.sha256)) != 0) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "altered: the name points at other bytes");
		return TF_OK;
	}
	/* Equal bytes are one object, hashed once.  If tf_bits_add has no
	 * memory, the object is hashed again: slower, but correct. */
	if (tf_bits_has(&s->queued, object))
		return TF_OK;
	tf_bits_add(&s->queued, object);
	return tf_audit_content(a, e->seq, e->path, object, &e->content, err);
}

/* --- names ------------------------------------------------------------------------- */

static const char *
difference(const struct tf_attr *x, const struct tf_attr *y)
{
	if (x->parent != y->parent)
		return "place";
	if (x->kind != y->kind)
		return "kind";
	/* Directories below an attestation have the owner and group of the
	 * attestation. */
	if (x->kind == TF_KIND_DIRECTORY ?
		((x->mode ^ y->mode) & 0777) != 0 :
		(x->mode != y->mode || x->uid != y->uid || x->gid != y->gid))
		return "owner or mode";
	if (x->size != y->size)
		return "size";
	if (tf_time_cmp(x->mtime, y->mtime) != 0 ||
	    tf_time_cmp(x->ctime, y->ctime) != 0 ||
	    tf_time_cmp(x->btime, y->btime) != 0)
		return "time";
	return NULL;
}

static enum tf_code
compare(struct tf_audit *a, const struct tf_attr *want, struct tf_str name,
    struct tf_str path, uint64_t entry, uint64_t seal, struct tf_node_row *have,
    bool *there, struct tf_error *err)
{
	struct store *s = a->self;
	enum tf_code rc = tf_nodes_get(s->db, want->id, have, err);
	const char *what;

	*there = rc == TF_OK;
	if (rc == TF_NOTFOUND) {
		tf_audit_finding(a, TF_CHECK_NAMES, entry, path,
		    "the name is missing from the database");
		return TF_OK;
	}
	if (rc != TF_OK)
		return rc;
	what = difference(want, &have->attr);
	if (what == NULL &&
	    !tf_str_same((struct tf_str){ have->name, have->name_len }, name))
		what = "name";
	if (what == NULL && (have->entry != entry || have->seal != seal))
		what = "entry number";
	if (what != NULL)
		tf_audit_finding(a, TF_CHECK_NAMES, entry, path,
		    "the database shows another %s than the entry", what);
	return TF_OK;
}

static enum tf_code
compare_xattrs(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct store *s = a->self;
	struct tf_buf have = { 0 };
	enum tf_code rc = tf_nodes_xattrs(s->db, e->node, &have, err);

	if (rc == TF_OK && !tf_str_same(tf_buf_bytes(&have), e->xattrs))
		tf_audit_finding(a, TF_CHECK_NAMES, e->seq, e->path,
		    "the database shows other attributes than the entry");
	tf_buf_free(&have);
	return rc;
}

static void
compare_later(struct store *s, struct tf_str path)
{
	tf_buf_add(&s->changed, path.p, path.n);
	tf_buf_add(&s->changed, "", 1);
}

static void
access_changed(struct tf_audit *a, const struct tf_entry *e)
{
	compare_later(a->self, e->path);
}

/* Compare the access of the evidence in s->changed, after the last entry. */
static enum tf_code
compare_changed(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	struct tf_node_row have;
	struct tf_attr want = { 0 };
	enum tf_code rc = TF_OK;

	if (s->changed.failed)
		return tf_nomem(err);
	for (size_t at = 0; rc == TF_OK && at < s->changed.n;) {
		struct tf_str path = { s->changed.p + at,
			strlen(s->changed.p + at) };

		at += path.n + 1;
		rc = tf_replay_access(a->replay, path, &want, err);
		if (rc == TF_OK)
			rc = tf_nodes_get(s->db, want.id, &have, err);
		if (rc == TF_OK &&
		    (have.attr.mode != want.mode || have.attr.uid != want.uid ||
			have.attr.gid != want.gid))
			tf_audit_finding(a, TF_CHECK_NAMES, have.entry, path,
			    "the database shows another owner or mode than "
			    "the entry");
		/* A missing node is a finding already. */
		rc = rc == TF_NOTFOUND ? TF_OK : rc;
	}
	return rc;
}

/* Evidence is compared at the entry that creates it, directories at the end. */
static enum tf_code
created(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_attr want = { .id = e->node,
		.parent = x->parent,
		.kind = x->kind,
		.mode = e->access.mode,
		.uid = e->access.uid,
		.gid = e->access.gid,
		.size = e->content.size,
		.mtime = e->mtime,
		.ctime = e->ctime,
		.btime = e->created };
	struct tf_str name = { e->path.p + x->name_at, e->path.n - x->name_at };
	struct store *s = a->self;
	struct tf_node_row have;
	bool there = false;
	enum tf_code rc;

	if (x->kind != TF_KIND_EVIDENCE)
		return TF_OK;
	s->files++;
	s->content_bytes += e->content.size;
	/* A later entry may have changed the access: compare it at the end. */
	rc = tf_nodes_get(s->db, e->node, &have, err);
	if (rc == TF_OK &&
	    (have.attr.mode != want.mode || have.attr.uid != want.uid ||
		have.attr.gid != want.gid)) {
		want.mode = have.attr.mode;
		want.uid = have.attr.uid;
		want.gid = have.attr.gid;
		compare_later(s, e->path);
	}
	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = compare(a, &want, name, e->path, e->seq, TF_NO_SEQ, &have,
		    &there, err);
	if (rc != TF_OK || !there)
		return rc;
	if ((rc = compare_xattrs(a, e, err)) != TF_OK)
		return rc;
	return contents(a, e, have.object, err);
}

static enum tf_code
directory(void *arg, const struct tf_replay_dir *d, struct tf_error *err)
{
	struct tf_str none = { "", 0 };
	struct tf_node_row have;
	bool there;

	return compare(arg, &d->attr,
	    d->attr.kind == TF_KIND_ROOT ? none : d->name, d->path, d->entry,
	    d->seal, &have, &there, err);
}

static enum tf_code
count_name(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct store *s = a->self;

	bool known;
	enum tf_code rc;

	s->names++;
	rc = tf_replay_knows(a->replay, r->attr.id, &known, err);
	if (rc == TF_OK && !known)
		tf_audit_finding(a, TF_CHECK_NAMES, UINT64_MAX,
		    (struct tf_str){ r->name, r->name_len },
		    "node %llu has no entry", (unsigned long long)r->attr.id);
	return rc;
}

static enum tf_code
one_tile(void *arg, int64_t level, int64_t n, uint64_t width,
    struct tf_error *err)
{
	struct tf_audit *a = arg;

	(void)err;
	if (level < 0 || level >= TF_TILE_LEVELS || n < 0 ||
	    tf_tile_width(a->head.size, (unsigned)level, (uint64_t)n) != width)
		tf_audit_finding(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere,
		    "tile %lld/%lld has %llu hashes, which the log does not "
		    "have",
		    (long long)level, (long long)n, (unsigned long long)width);
	return TF_OK;
}

static enum tf_code
one_misnamed(void *arg, uint64_t object, struct tf_error *err)
{
	(void)err;
	tf_audit_finding(arg, TF_CHECK_CONTENTS, UINT64_MAX, tf_nowhere,
	    "a digest names object %llu, which has other bytes",
	    (unsigned long long)object);
	return TF_OK;
}

/* Find rows that are in the database but not in the log. */
static enum tf_code
extra_rows(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	uint64_t rows;
	enum tf_code rc = tf_entries_rows(s->db, &rows, err);

	if (rc == TF_OK && rows > a->head.size)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the database has %llu entries, the log %llu",
		    (unsigned long long)rows, (unsigned long long)a->head.size);
	if (rc == TF_OK)
		rc = tf_tiles_each(s->db, one_tile, a, err);
	return rc == TF_OK ? tf_object_misnamed(s->db, one_misnamed, a, err) :
			     rc;
}

/* Compare the sums of status with the entries, if no entry is missing. */
static enum tf_code
sums(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	uint64_t files = 0, bytes = 0;
	enum tf_code rc = tf_meta_get_int(s->db, "files", &files, err);

	if (rc == TF_OK)
		rc = tf_meta_get_int(s->db, "content_bytes", &bytes, err);
	if (rc == TF_OK && !a->unseen &&
	    (files != s->files || bytes != s->content_bytes))
		tf_audit_finding(a, TF_CHECK_NAMES, UINT64_MAX, tf_nowhere,
		    "the database counts %llu files of %llu bytes, the "
		    "entries %llu of %llu",
		    (unsigned long long)files, (unsigned long long)bytes,
		    (unsigned long long)s->files,
		    (unsigned long long)s->content_bytes);
	return rc;
}

static enum tf_code
names(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	enum tf_code rc = tf_replay_each(a->replay, directory, a, err);

	if (rc == TF_OK)
		rc = compare_changed(a, err);
	if (rc == TF_OK)
		rc = tf_nodes_each(s->db, count_name, a, err);
	if (rc == TF_OK && s->names != tf_replay_names(a->replay))
		tf_audit_finding(a, TF_CHECK_NAMES, UINT64_MAX, tf_nowhere,
		    "the database has %llu names, the entries make %llu",
		    (unsigned long long)s->names,
		    (unsigned long long)tf_replay_names(a->replay));
	if (rc == TF_OK && strcmp(tf_replay_store(a->replay), s->id) != 0)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the entries are those of another store");
	if (rc == TF_OK)
		rc = sums(a, err);
	return rc == TF_OK ? extra_rows(a, err) : rc;
}

/* --- ledger --------------------------------------------------------------------------- */

static enum tf_code
tile(struct tf_audit *a, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	struct store *s = a->self;

	return tf_tiles_get(s->db, level, n, width, out, err);
}

static enum tf_code
payload(struct tf_audit *a, const struct tf_entry *e, struct tf_buf *out,
    struct tf_error *err)
{
	struct store *s = a->self;
	struct tf_object_row o = { .size = 0 };
	uint64_t id;
	enum tf_code rc = tf_object_find(s->db, &e->statement.payload, &id,
	    err);

	if (rc == TF_OK)
		rc = tf_object_get(s->db, id, &o, out, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "the database has no object for it");
	if (rc == TF_OK && o.size != out->n)
		out->n = 0; /* reported as altered */
	return rc;
}

static enum tf_code
one_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct store *s = a->self;

	if (idx >= a->head.size)
		return TF_NODATA; /* after the newest checkpoint */
	if (idx == a->next && off != s->off)
		tf_audit_finding(a, TF_CHECK_ENTRIES, idx, tf_nowhere,
		    "its place in events.jsonl is wrong");
	s->off = off + n + 1;
	return tf_audit_entry(a, idx, body, n, err);
}

static enum tf_code
entries(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	uint64_t count, bytes;
	enum tf_code rc = tf_entries_size(s->db, &count, &bytes, err);

	if (rc == TF_OK && count > a->head.size)
		tf_audit_finding(a, TF_CHECK_ENTRIES, a->head.size, tf_nowhere,
		    "there are entries after the newest checkpoint");
	if (rc == TF_OK)
		rc = tf_entries_each(s->db, 0, one_row, a, err);
	return rc == TF_NODATA ? TF_OK : rc;
}

static const struct tf_source source = {
	.entries = entries,
	.tile = tile,
	.created = created,
	.access = access_changed,
	.payload = payload,
	.end = names,
};

/* --- around it --------------------------------------------------------------------------- */

static enum tf_code
open_store(struct store *s, const char *path, struct tf_error *err)
{
	char name[PATH_MAX];
	enum tf_code rc;

	s->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	if ((s->db_path = strdup(name)) == NULL)
		return tf_nomem(err);
	if ((rc = tf_db_open(name, TF_DB_READ, &s->db, err)) != TF_OK ||
	    (rc = tf_meta_get_text(s->db, "origin", s->origin,
		 sizeof(s->origin), err)) != TF_OK ||
	    (rc = tf_meta_get_text(s->db, "store", s->id, sizeof(s->id),
		 err)) != TF_OK ||
	    (rc = tf_file_read(s->dirfd, TF_LOG_VKEY, 4096, &s->vkey, err)) !=
		TF_OK)
		return rc;
	s->objectsfd = openat(s->dirfd, "objects",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->objectsfd < 0)
		return tf_fail(err,
		    tf_code_of_open(errno) == TF_NOTFOUND ?
			TF_FOREIGN :
			tf_code_of_open(errno),
		    "%.100s/objects: %s", path, strerror(errno));
	return TF_OK;
}

static void
close_store(struct store *s)
{
	if (s->db != NULL)
		tf_db_rollback(s->db);
	tf_db_close(s->db);
	if (s->objectsfd >= 0)
		(void)close(s->objectsfd);
	if (s->dirfd >= 0)
		(void)close(s->dirfd);
	tf_buf_free(&s->vkey);
	tf_buf_free(&s->beside);
	tf_buf_free(&s->changed);
	tf_bits_free(&s->queued);
	free(s->db_path);
}

/* Read the newest checkpoint and compare its row with its note. */
static enum tf_code
take_head(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	struct tf_buf note = { 0 };
	struct tf_hash root;
	uint64_t size;
	enum tf_code rc = tf_checkpoints_newest(s->db, &size, &root, &note,
	    err);

	if (rc == TF_NOTFOUND) {
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "there is no checkpoint");
		rc = TF_OK;
	} else if (rc == TF_OK) {
		tf_audit_head(a, tf_buf_bytes(&note));
		if (!a->head_good) { /* use the row instead of the note */
			a->head.size = a->r->size = size;
			a->head.root = a->r->root = root;
		} else if (a->head.size != size ||
		    memcmp(&root, &a->head.root, sizeof(root)) != 0) {
			tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX,
			    tf_nowhere,
			    "the checkpoint's row is not its "
			    "note");
		}
	}
	tf_buf_free(&note);
	return rc;
}

/* Report a file that does not belong in the store: no entry records it.  An
 * object that was put aside shows that the store was damaged. */
static void
one_stray(void *arg, const char *path, bool aside)
{
	struct tf_str where = { path, strlen(path) };

	tf_audit_remark(arg, TF_CHECK_NAMES, TF_GRADE_BESIDE, where,
	    aside ? "was damaged or unreadable and put aside: the same bytes "
		    "of new evidence took its place" :
		    "does not belong in a store and is not recorded");
}

/* Report a pending row that cannot be sealed: see unplaced.h. */
static void
one_unplaced(void *arg, uint64_t id, const char *name, const char *why)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "node %llu is not sealed and not shown, as %s",
	    (unsigned long long)id, why);
	tf_audit_remark(arg, TF_CHECK_NAMES, TF_GRADE_BESIDE,
	    (struct tf_str){ name, strlen(name) }, text);
}

static enum tf_code
run(struct tf_audit *a, struct tf_error *err)
{
	struct store *s = a->self;
	struct tf_pool_work w = { .begin = begin,
		.end = end,
		.hash = hash,
		.arg = s };
	struct tf_error e;
	enum tf_code rc;

	a->source = &source;
	/* Read the file before the snapshot: the database is then at least as
	 * new as the file. */
	rc = tf_file_read(s->dirfd, "checkpoint", TF_NOTE_MAX, &s->beside, err);
	if (tf_code_undecided(rc))
		return rc;
	if (rc == TF_OK)
		tf_audit_beside(a, tf_buf_bytes(&s->beside));
	if (tf_db_check(s->db, &e) != TF_OK)
		tf_audit_trouble(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "", &e);
	if ((rc = tf_db_snapshot(s->db, err)) != TF_OK ||
	    (rc = tf_pool_new(&w, a->v->threads, &a->pool, err)) != TF_OK ||
	    (rc = take_head(a, err)) != TF_OK)
		return rc;
	if (strcmp(s->origin, a->vkey.name) != 0)
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "the store's origin is not the key's");
	tf_store_check_strays(s->dirfd, true, one_stray, a);
	if ((rc = tf_unplaced_each(s->db, TF_STAGE_RULE, one_unplaced, a,
		 &e)) == TF_NOMEM)
		return tf_fail_as(err, &e);
	if (rc != TF_OK)
		tf_audit_trouble(a, TF_CHECK_NAMES, UINT64_MAX, tf_nowhere,
		    "what is not sealed", &e);
	return tf_audit_run(a, err);
}

/* Put the origin of the database into s->vkey.  If a recovery stopped before it
 * wrote keys/log.vkey, that file has the old origin until the next start. */
static enum tf_code
name_own_key(struct store *s, struct tf_error *err)
{
	struct tf_str text = tf_buf_bytes(&s->vkey);
	struct tf_pubkey pub;
	struct tf_vkey k;

	if (tf_vkey_parse(text.p, strcspn(text.p, "\n"), &k, NULL) != TF_OK ||
	    strcmp(k.name, s->origin) == 0)
		return TF_OK; /* tf_audit_new reports a malformed key */
	pub = k.pub;
	tf_vkey_make(&k, s->origin, &pub);
	s->vkey.n = 0;
	tf_vkey_text(&k, &s->vkey);
	return tf_buf_end(&s->vkey, err);
}

enum tf_code
tf_verify_store(const char *path, const struct tf_verify *v,
    struct tf_report *report, struct tf_error *err)
{
	struct store s = { .dirfd = -1, .objectsfd = -1 };
	struct tf_audit *a = NULL;
	enum tf_code rc = open_store(&s, path, err);

	if (rc == TF_OK)
		rc = name_own_key(&s, err);
	if (rc == TF_OK)
		rc = tf_audit_new(v, tf_buf_bytes(&s.vkey).p, report, &a, err);
	if (rc == TF_OK) {
		a->self = &s;
		rc = run(a, err);
	}
	tf_audit_free(a); /* first: its threads use the store */
	close_store(&s);
	return rc;
}
