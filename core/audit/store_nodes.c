/*
 * Compares the node table of a store with the entries (I5).  Evidence is
 * compared at the entry that creates it, directories and changed access after
 * the last entry.
 *
 * Evidence never changes after its seal except for owner, group and mode, so it
 * can be compared at once and needs no memory.  A directory changes until its
 * own seal; the replay knows its final state at the end.  Rows that no entry
 * made are found by counting and by asking the replay for each row.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/replay.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "store_anchors.h"
#include "store_contents.h"
#include "store_i.h"
#include "store_said.h"
#include "store_nodes.h"

/* --- names ---------------------------------------------------------------- */

/* Return the word for the first field in which two nodes differ, or NULL. */
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

/* Compare one row with what the entries give.  One finding per row is enough:
 * the first difference names the field. */
static enum tf_code
compare(struct tf_audit *a, const struct tf_attr *want, struct tf_str name,
    struct tf_str path, uint64_t entry, uint64_t seal, struct tf_node_row *have,
    bool *there, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
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

/* Extended attributes are evidence as well: both texts are canonical, so equal
 * attributes are equal bytes. */
static enum tf_code
compare_xattrs(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_buf have = { 0 };
	enum tf_code rc = tf_nodes_xattrs(s->db, e->node, &have, err);

	if (rc == TF_OK && !tf_str_same(tf_buf_bytes(&have), e->xattrs))
		tf_audit_finding(a, TF_CHECK_NAMES, e->seq, e->path,
		    "the database shows other attributes than the entry");
	tf_buf_free(&have);
	return rc;
}

/* Keep a path for the end; a failed buffer is reported there. */
static void
compare_later(struct tf_audit_store *s, struct tf_str path)
{
	tf_buf_add(&s->changed, path.p, path.n);
	tf_buf_add(&s->changed, "", 1);
}

void
tf_audit_store_access(struct tf_audit *a, const struct tf_entry *e)
{
	compare_later(a->self, e->path);
}

/* Compare the access of the evidence in s->changed, after the last entry. */
static enum tf_code
compare_changed(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
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
/* A mirror keeps the bytes of what was redacted at its source, until its operator
 * erases them: then the digest does not name them any more. */
static enum tf_code
compare_held(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_definition_row *redacted, uint64_t object,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t id;
	enum tf_code rc;

	if (redacted->object == 0)
		return TF_OK;
	rc = tf_object_find(s->db, &e->content.sha256, &id, err);
	if (rc != TF_OK || id != object)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	a->r->held++;
	return tf_audit_store_content(a, e, &e->content, object, err);
}

enum tf_code
tf_audit_store_created(struct tf_audit *a, const struct tf_entry *e,
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
	struct tf_audit_store *s = a->self;
	struct tf_definition_row redacted = { .node = e->node,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 } };
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
	/* Of redacted evidence there are no bytes, but in a mirror.  That the
	 * entries say so is checked when all of them were seen. */
	rc = tf_definitions_get(s->db, &redacted, err);
	if (rc == TF_OK)
		return compare_held(a, e, &redacted, have.object, err);
	if (rc != TF_NOTFOUND)
		return rc;
	return tf_audit_store_content(a, e, &e->content, have.object, err);
}

/* Compare a directory, and the claims about it, in their state after the last
 * entry. */
static enum tf_code
directory(void *arg, const struct tf_replay_dir *d, struct tf_error *err)
{
	struct tf_str none = { "", 0 };
	struct tf_node_row have;
	bool there;
	enum tf_code rc = compare(arg, &d->attr,
	    d->attr.kind == TF_KIND_ROOT ? none : d->name, d->path, d->entry,
	    d->seal, &have, &there, err);

	return rc == TF_OK ? tf_audit_store_claims(arg, d, err) : rc;
}

/* Find rows that no entry made: a file that was put into the table by hand
 * would appear in the mount. */
static enum tf_code
count_name(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_store *s = a->self;

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

/* --- rows that are in the database but not in the log --------------------- */

/* A tile of another width than the tree has would be served to clients as a
 * part of the log. */
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

/* A digest that names an object of other bytes would give wrong bytes to a
 * later file with that digest. */
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
	struct tf_audit_store *s = a->self;
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

/* --- the end -------------------------------------------------------------- */

/* Compare the sums of status with the entries, if no entry is missing. */
static enum tf_code
sums(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
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

enum tf_code
tf_audit_store_end(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
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
		rc = tf_audit_store_definitions(a, err);
	if (rc == TF_OK)
		rc = tf_audit_store_anchors_end(a, err);
	if (rc == TF_OK)
		rc = tf_audit_store_unsealed(a, err);
	if (rc == TF_OK)
		rc = sums(a, err);
	return rc == TF_OK ? extra_rows(a, err) : rc;
}
