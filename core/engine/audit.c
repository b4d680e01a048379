/*
 * The audit of a whole store: every entry, tile, object and name, and the
 * newest checkpoint.  The entries are replayed, and the node table must be
 * what they say (I5).  Uses its own read connection and one snapshot, so a
 * live mount goes on; needs no private key (I6).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../verify.h"
#include "impl.h"

/* A directory as the entries made it, found by its path. */
struct dir {
	struct dir *next;
	struct tf_node_row row;
	char *path;
	size_t path_len;
};

struct audit {
	struct tf_report *r;
	tf_finding_fn found;
	tf_progress_fn progress;
	void *arg;
	struct tf_db *db;
	int storefd, objectsfd;
	struct tf_vkey vkey;
	char origin[TF_ORIGIN_MAX + 1];
	char store[33];
	struct tf_tree *tree;
	uint64_t total, next, off;
	struct tf_time at;
	struct tf_hash stored[TF_TILE_WIDTH];	/* level-0 tile at hand */
	unsigned stored_width;
	struct dir **dirs;
	size_t slots, n_dirs, n_nodes;
	uint8_t *good, *bad;	/* bitmaps by object number */
	size_t bits;
	uint64_t seq;		/* of the entry being looked at */
	struct tf_buf shown;
};

static const char *const link_names[TF_LINKS] = {
	[TF_LINK_CONTENTS] = "contents",
	[TF_LINK_ENTRIES] = "entries",
	[TF_LINK_NAMES] = "names",
	[TF_LINK_TREE] = "tree",
	[TF_LINK_SIGNATURE] = "signature",
};

const char *
tf_link_name(enum tf_link l)
{
	return (unsigned)l < TF_LINKS ? link_names[l] : "?";
}

/* --- findings ------------------------------------------------------------------ */

static void
finding(struct audit *a, enum tf_link l, uint64_t seq, struct tf_str path,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void
finding(struct audit *a, enum tf_link l, uint64_t seq, struct tf_str path,
    const char *fmt, ...)
{
	struct tf_finding f = { .link = l, .seq = seq };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->shown.n = 0;
	if (path.p != NULL)
		tf_name_show(&a->shown, path.p, path.n);
	tf_buf_add(&a->shown, "", 1);
	f.path = a->shown.failed ? "" : a->shown.p;
	f.text = text;
	a->r->link[l] = TF_VERDICT_FAILED;
	a->r->findings++;
	if (a->found != NULL)
		a->found(a->arg, &f);
}

static const struct tf_str nowhere;

/* --- objects --------------------------------------------------------------------- */

static bool
get_bit(const uint8_t *map, size_t bits, uint64_t i)
{
	return i < bits && (map[i / 8] >> (i % 8) & 1) != 0;
}

static enum tf_code
set_bit(struct audit *a, uint64_t i, bool good, struct tf_error *err)
{
	size_t bits = a->bits;
	void *p, *q;

	if (i >= SIZE_MAX / 16)
		return tf_fail(err, TF_TAMPER, "an object number is absurd");
	if (i >= bits) {
		bits = (size_t)(i + i / 2 + 65536) & ~(size_t)7;
		p = realloc(a->good, bits / 8);
		if (p != NULL)
			a->good = p;
		q = realloc(a->bad, bits / 8);
		if (q != NULL)
			a->bad = q;
		if (p == NULL || q == NULL)
			return tf_fail(err, TF_NOMEM, "no memory");
		memset(a->good + a->bits / 8, 0, (bits - a->bits) / 8);
		memset(a->bad + a->bits / 8, 0, (bits - a->bits) / 8);
		a->bits = bits;
	}
	(good ? a->good : a->bad)[i / 8] |= (uint8_t)(1u << (i % 8));
	return TF_OK;
}

/* Digest and size of the object's bytes as they are now. */
static enum tf_code
rehash(struct audit *a, const struct tf_object_row *o,
    const struct tf_buf *body, struct tf_hash *h, uint64_t *size,
    struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if (o->is_inline) {
		tf_sha256(body->p == NULL ? "" : body->p, body->n, h);
		*size = body->n;
		return TF_OK;
	}
	if ((rc = tf_object_open(a->objectsfd, &o->sha256, &fd, err)) != TF_OK)
		return rc;
	rc = tf_hash_fd(fd, h, size, err);
	(void)close(fd);
	return rc;
}

/* One object against what an entry says; each number once. */
static enum tf_code
check_object(struct audit *a, uint64_t id, const struct tf_content *c,
    struct tf_str path, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;
	uint64_t size = 0;
	enum tf_code rc;

	rc = tf_object_get(a->db, id, &o, &body, err);
	if (rc == TF_NOTFOUND) {
		finding(a, TF_LINK_CONTENTS, a->seq, path, "missing: the "
		    "database has no object for it");
		tf_buf_free(&body);
		return TF_OK;
	}
	if (rc != TF_OK && rc != TF_TAMPER)
		goto out;
	rc = rehash(a, &o, &body, &h, &size, &e);
	if (rc == TF_TAMPER) {
		finding(a, TF_LINK_CONTENTS, a->seq, path, "missing: %s",
		    e.text);
		rc = set_bit(a, id, false, err);
		goto out;
	}
	if (rc != TF_OK) {
		finding(a, TF_LINK_CONTENTS, a->seq, path, "unreadable: %s",
		    e.text);
		rc = set_bit(a, id, false, err);
		goto out;
	}
	if (size != c->size || memcmp(&h, &c->sha256, sizeof(h)) != 0 ||
	    memcmp(&o.sha256, &c->sha256, sizeof(h)) != 0 ||
	    o.size != c->size) {
		finding(a, TF_LINK_CONTENTS, a->seq, path, "altered: the "
		    "stored bytes are not those of the entry");
		rc = set_bit(a, id, false, err);
	} else {
		rc = set_bit(a, id, true, err);
	}
	a->r->bytes += size;
out:
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
contents(struct audit *a, uint64_t id, const struct tf_content *c,
    struct tf_str path, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc;

	if (get_bit(a->bad, a->bits, id)) {
		finding(a, TF_LINK_CONTENTS, a->seq, path,
		    "altered or missing, as named above");
		return TF_OK;
	}
	if (!get_bit(a->good, a->bits, id))
		return check_object(a, id, c, path, err);
	/* Right by its own row: is it the row that this entry means? */
	rc = tf_object_get(a->db, id, &o, NULL, err);
	if (rc == TF_OK && (o.size != c->size ||
	    memcmp(&o.sha256, &c->sha256, sizeof(o.sha256)) != 0))
		finding(a, TF_LINK_CONTENTS, a->seq, path,
		    "altered: the name points at other bytes");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* --- names ------------------------------------------------------------------------ */

static size_t
slot_of(const struct audit *a, const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3u;
	return (size_t)(h >> 16) & (a->slots - 1);
}

static struct dir *
find_dir(const struct audit *a, const char *p, size_t n)
{
	struct dir *d;

	for (d = a->dirs[slot_of(a, p, n)]; d != NULL; d = d->next)
		if (d->path_len == n && memcmp(d->path, p, n) == 0)
			return d;
	return NULL;
}

static enum tf_code
add_dir(struct audit *a, const struct tf_node_row *row, struct tf_str path,
    struct tf_error *err)
{
	struct dir *d = calloc(1, sizeof(*d)), *next;
	struct dir **old = a->dirs;
	size_t n = a->slots, s;

	if (d == NULL || (d->path = strndup(path.p, path.n)) == NULL) {
		free(d);
		return tf_fail(err, TF_NOMEM, "no memory");
	}
	d->row = *row;
	d->path_len = path.n;
	if (a->n_dirs >= a->slots &&
	    (a->dirs = calloc(n * 2, sizeof(struct dir *))) != NULL) {
		a->slots = n * 2;
		for (size_t i = 0; i < n; i++)
			for (struct dir *x = old[i]; x != NULL; x = next) {
				next = x->next;
				s = slot_of(a, x->path, x->path_len);
				x->next = a->dirs[s];
				a->dirs[s] = x;
			}
		free(old);
	} else if (a->dirs == NULL) {
		a->dirs = old;		/* longer chains, nothing wrong */
	}
	s = slot_of(a, d->path, d->path_len);
	d->next = a->dirs[s];
	a->dirs[s] = d;
	a->n_dirs++;
	a->n_nodes++;
	return TF_OK;
}

/* Parent directory and last name of a path. */
static struct dir *
parent_of(const struct audit *a, struct tf_str path, struct tf_str *name)
{
	const char *slash = memrchr(path.p, '/', path.n);

	if (slash == NULL) {
		*name = path;
		return find_dir(a, ".", 1);
	}
	name->p = slash + 1;
	name->n = path.n - (size_t)(slash + 1 - path.p);
	return find_dir(a, path.p, (size_t)(slash - path.p));
}

/* A name is born: its parent, and the row it must have. */
static struct dir *
birth(struct audit *a, const struct tf_entry *e, enum tf_kind kind,
    struct tf_node_row *row)
{
	struct tf_str name;
	struct dir *up = parent_of(a, e->path, &name);
	enum tf_kind child;

	memset(row, 0, sizeof(*row));
	if (up == NULL) {
		finding(a, TF_LINK_ENTRIES, e->seq, e->path,
		    "born in a directory that does not exist");
		return NULL;
	}
	if (up->row.seal != TF_NO_SEQ)
		finding(a, TF_LINK_ENTRIES, e->seq, e->path,
		    "born in a directory that was sealed before");
	if (tf_policy_child(up->row.attr.kind, kind != TF_KIND_EVIDENCE,
	    &child) != TF_OK || child != kind || name.n > TF_NAME_MAX) {
		finding(a, TF_LINK_ENTRIES, e->seq, e->path,
		    "born at the wrong depth");
		return NULL;
	}
	row->attr.id = e->node;
	row->attr.parent = up->row.attr.id;
	row->attr.kind = kind;
	row->attr.mode = e->access.mode;
	row->attr.uid = e->access.uid;
	row->attr.gid = e->access.gid;
	memcpy(row->name, name.p, name.n);
	row->name_len = name.n;
	row->entry = e->seq;
	row->seal = TF_NO_SEQ;
	up->row.attr.mtime = up->row.attr.ctime = e->at;
	return up;
}

static enum tf_code
born_dir(struct audit *a, const struct tf_entry *e, enum tf_kind kind,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct dir *up = birth(a, e, kind, &row);

	if (up == NULL)
		return TF_OK;
	if (find_dir(a, e->path.p, e->path.n) != NULL) {
		finding(a, TF_LINK_ENTRIES, e->seq, e->path,
		    "the name was used before");
		return TF_OK;
	}
	if (kind == TF_KIND_DIRECTORY) {
		row.attr.mode = up->row.attr.mode;
		row.attr.uid = up->row.attr.uid;
		row.attr.gid = up->row.attr.gid;
	}
	row.attr.mtime = row.attr.ctime = row.attr.btime = e->at;
	return add_dir(a, &row, e->path, err);
}

static const char *
difference(const struct tf_node_row *want, const struct tf_node_row *have)
{
	const struct tf_attr *x = &want->attr, *y = &have->attr;

	if (x->parent != y->parent || want->name_len != have->name_len ||
	    memcmp(want->name, have->name, want->name_len) != 0)
		return "name";
	if (x->kind != y->kind)
		return "kind";
	/* Below an attestation access follows it and is not looked at. */
	if (x->kind != TF_KIND_DIRECTORY && (x->mode != y->mode ||
	    x->uid != y->uid || x->gid != y->gid))
		return "owner or mode";
	if (x->size != y->size)
		return "size";
	if (tf_time_cmp(x->mtime, y->mtime) != 0 ||
	    tf_time_cmp(x->ctime, y->ctime) != 0 ||
	    tf_time_cmp(x->btime, y->btime) != 0)
		return "time";
	if (want->entry != have->entry || want->seal != have->seal)
		return "entry";
	return NULL;
}

static enum tf_code
compare_row(struct audit *a, const struct tf_node_row *want,
    struct tf_str path, struct tf_node_row *have, bool *there,
    struct tf_error *err)
{
	enum tf_code rc = tf_nodes_get(a->db, want->attr.id, have, err);
	const char *what;

	*there = rc == TF_OK;
	if (rc == TF_NOTFOUND) {
		finding(a, TF_LINK_NAMES, want->entry, path,
		    "the name is missing from the database");
		return TF_OK;
	}
	if (rc != TF_OK)
		return rc;
	if ((what = difference(want, have)) != NULL)
		finding(a, TF_LINK_NAMES, want->entry, path,
		    "the database shows another %s than the entry", what);
	return TF_OK;
}

static enum tf_code
compare_xattrs(struct audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_buf have = { 0 };
	enum tf_code rc = tf_nodes_xattrs(a->db, e->node, &have, err);

	if (rc == TF_OK && (have.n != e->xattrs.n || (have.n > 0 &&
	    memcmp(have.p, e->xattrs.p, have.n) != 0)))
		finding(a, TF_LINK_NAMES, e->seq, e->path, "the database "
		    "shows other attributes than the entry");
	tf_buf_free(&have);
	return rc;
}

static enum tf_code
evidence(struct audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_node_row want, have;
	bool there = false;
	enum tf_code rc;

	if (birth(a, e, TF_KIND_EVIDENCE, &want) == NULL)
		return TF_OK;
	a->r->files++;
	a->n_nodes++;
	want.attr.size = e->content.size;
	want.attr.mtime = e->mtime;
	want.attr.ctime = e->ctime;
	want.attr.btime = e->created;
	rc = compare_row(a, &want, e->path, &have, &there, err);
	if (rc != TF_OK || !there)
		return rc;
	if ((rc = compare_xattrs(a, e, err)) != TF_OK)
		return rc;
	return contents(a, have.object, &e->content, e->path, err);
}

/* An object that only entries name: the payload of a statement. */
static enum tf_code
named_object(struct audit *a, const struct tf_content *c, struct tf_str path,
    struct tf_error *err)
{
	uint64_t id;
	enum tf_code rc = tf_object_find(a->db, &c->sha256, &id, err);

	if (rc == TF_NOTFOUND) {
		finding(a, TF_LINK_CONTENTS, a->seq, path,
		    "missing: what the entry names is not in the store");
		return TF_OK;
	}
	return rc == TF_OK ? contents(a, id, c, path, err) : rc;
}

static enum tf_code
sealed_dir(struct audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_content c = { .sha256 = e->statement.payload,
	    .size = e->statement.size };
	struct dir *d = find_dir(a, e->path.p, e->path.n);

	if (d == NULL || d->row.seal != TF_NO_SEQ) {
		finding(a, TF_LINK_ENTRIES, e->seq, e->path, d == NULL ?
		    "seals what was never begun" : "sealed a second time");
		return TF_OK;
	}
	d->row.seal = e->seq;
	d->row.attr.ctime = e->at;
	if (e->has_access) {
		d->row.attr.mode = e->access.mode;
		d->row.attr.uid = e->access.uid;
		d->row.attr.gid = e->access.gid;
	}
	return e->type == TF_ATTESTATION_SEALED ?
	    named_object(a, &c, e->path, err) : TF_OK;
}

static void
access_changed(struct audit *a, const struct tf_entry *e)
{
	struct dir *d = find_dir(a, e->path.p, e->path.n);

	if (d == NULL || d->row.attr.kind == TF_KIND_DIRECTORY) {
		finding(a, TF_LINK_ENTRIES, e->seq, e->path,
		    "changes access of what does not exist");
		return;
	}
	if (d->row.seal != TF_NO_SEQ &&
	    (e->access.mode & ~d->row.attr.mode & 0222) != 0)
		finding(a, TF_LINK_ENTRIES, e->seq, e->path,
		    "gives a sealed directory write permission");
	d->row.attr.mode = e->access.mode;
	d->row.attr.uid = e->access.uid;
	d->row.attr.gid = e->access.gid;
	d->row.attr.ctime = e->at;
}

static enum tf_code
opened(struct audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_node_row row = { .attr = { .id = TF_ROOT_ID,
	    .parent = TF_ROOT_ID, .kind = TF_KIND_ROOT }, .seal = TF_NO_SEQ };
	struct tf_buf vkey = { 0 };

	if (e->store.n != strlen(a->store) ||
	    memcmp(e->store.p, a->store, e->store.n) != 0)
		finding(a, TF_LINK_ENTRIES, e->seq, nowhere,
		    "written by another store");
	tf_vkey_text(&a->vkey, &vkey);
	if (vkey.failed || e->key_log.n != vkey.n ||
	    memcmp(e->key_log.p, vkey.p, vkey.n) != 0)
		finding(a, TF_LINK_ENTRIES, e->seq, nowhere,
		    "names another log key");
	tf_buf_free(&vkey);
	if (e->seq > 0)
		return TF_OK;
	row.attr.mode = e->access.mode;
	row.attr.uid = e->access.uid;
	row.attr.gid = e->access.gid;
	row.attr.mtime = row.attr.ctime = row.attr.btime = e->at;
	return add_dir(a, &row, (struct tf_str){ ".", 1 }, err);
}

static enum tf_code
replay(struct audit *a, const struct tf_entry *e, struct tf_error *err)
{
	switch (e->type) {
	case TF_LEDGER_OPENED:
		return opened(a, e, err);
	case TF_TRAIL_CREATED:
		return born_dir(a, e, TF_KIND_TRAIL, err);
	case TF_WORKFLOW_BEGUN:
		return born_dir(a, e, TF_KIND_WORKFLOW, err);
	case TF_ATTESTATION_BEGUN:
		return born_dir(a, e, TF_KIND_ATTESTATION, err);
	case TF_DIRECTORY_CREATED:
		return born_dir(a, e, TF_KIND_DIRECTORY, err);
	case TF_EVIDENCE_SEALED:
		return evidence(a, e, err);
	case TF_ATTESTATION_SEALED:
	case TF_WORKFLOW_SEALED:
	case TF_TRAIL_SEALED:
		return sealed_dir(a, e, err);
	case TF_ACCESS_CHANGED:
		access_changed(a, e);
		return TF_OK;
	default:
		return TF_OK;
	}
}

/* The directories at the end, and nothing besides. */
static enum tf_code
compare_dirs(struct audit *a, struct tf_error *err)
{
	struct tf_node_row have;
	enum tf_code rc = TF_OK;
	bool there;

	for (size_t i = 0; rc == TF_OK && i < a->slots; i++)
		for (struct dir *d = a->dirs[i]; rc == TF_OK && d != NULL;
		    d = d->next)
			rc = compare_row(a, &d->row, (struct tf_str){ d->path,
			    d->path_len }, &have, &there, err);
	return rc;
}

struct extra {
	struct audit *a;
	uint64_t n;
};

static enum tf_code
count_node(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct extra *x = arg;

	(void)err;
	x->n++;
	if (r->entry >= x->a->next)
		finding(x->a, TF_LINK_NAMES, UINT64_MAX,
		    (struct tf_str){ r->name, r->name_len },
		    "node %llu has no entry", (unsigned long long)r->attr.id);
	return TF_OK;
}

static enum tf_code
extra_names(struct audit *a, struct tf_error *err)
{
	struct extra x = { .a = a };
	enum tf_code rc = tf_nodes_each(a->db, count_node, &x, err);

	if (rc == TF_OK && x.n != a->n_nodes)
		finding(a, TF_LINK_NAMES, UINT64_MAX, nowhere,
		    "the database has %llu names, the entries make %llu",
		    (unsigned long long)x.n, (unsigned long long)a->n_nodes);
	return rc;
}

/* --- entries and tree ----------------------------------------------------------------- */

/* The stored leaf of entry idx, when its tile has one. */
static bool
stored_leaf(struct audit *a, uint64_t idx, struct tf_hash *out)
{
	unsigned i = (unsigned)(idx % TF_TILE_WIDTH);
	unsigned width = tf_tile_width(a->total, 0, idx / TF_TILE_WIDTH);

	if (i == 0) {
		a->stored_width = width;
		if (tf_tiles_get(a->db, 0, idx / TF_TILE_WIDTH, width,
		    a->stored, NULL) != TF_OK)
			a->stored_width = 0;
	}
	if (i >= a->stored_width)
		return false;
	*out = a->stored[i];
	return true;
}

static enum tf_code
compare_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *h,
    unsigned width, struct tf_error *err)
{
	struct tf_hash have[TF_TILE_WIDTH];
	struct audit *a = arg;
	struct tf_error e;

	(void)err;
	if (tf_tiles_get(a->db, level, n, width, have, &e) != TF_OK)
		finding(a, TF_LINK_TREE, UINT64_MAX, nowhere, "%s", e.text);
	else if (memcmp(have, h, width * sizeof(*h)) != 0)
		finding(a, TF_LINK_TREE, UINT64_MAX, nowhere,
		    "tile %u/%llu is not what the entries give", level,
		    (unsigned long long)n);
	return TF_OK;
}

static void
check_common(struct audit *a, const struct tf_entry *e, uint64_t idx)
{
	if (e->seq != idx)
		finding(a, TF_LINK_ENTRIES, idx, e->path,
		    "says that it is number %llu",
		    (unsigned long long)e->seq);
	if (e->origin.n != strlen(a->origin) ||
	    memcmp(e->origin.p, a->origin, e->origin.n) != 0)
		finding(a, TF_LINK_ENTRIES, idx, e->path,
		    "belongs to another ledger");
	if (idx > 0 && tf_time_cmp(e->at, a->at) <= 0)
		finding(a, TF_LINK_ENTRIES, idx, e->path,
		    "is not later than the one before");
	a->at = e->at;
	if (idx == 0 && e->type != TF_LEDGER_OPENED)
		finding(a, TF_LINK_ENTRIES, idx, e->path,
		    "the first entry is not ledger.opened");
	if (e->has_batch && e->batch_last >= a->total)
		finding(a, TF_LINK_ENTRIES, idx, e->path,
		    "its batch is not whole");
}

static enum tf_code
one_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct audit *a = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_hash leaf, have;
	struct tf_str path = nowhere;
	bool ok;
	enum tf_code rc;

	if (idx >= a->total)
		return TF_OK;	/* after the checkpoint we look at */
	for (; a->next < idx; a->next++) {
		finding(a, TF_LINK_ENTRIES, a->next, nowhere, "missing");
		/* Its leaf stands for it, so that the rest can be checked. */
		memset(&have, 0, sizeof(have));
		(void)stored_leaf(a, a->next, &have);
		rc = tf_tree_append(a->tree, &have, compare_tile, a, err);
		if (rc != TF_OK)
			return rc;
	}
	a->seq = idx;
	tf_entry_leaf(body, n, &leaf);
	ok = tf_entry_decode(&d, body, n, &e) == TF_OK;
	if (ok)
		path = d.e.path;
	else
		finding(a, TF_LINK_ENTRIES, idx, nowhere, "malformed: %s",
		    e.text);
	if (stored_leaf(a, idx, &have) &&
	    memcmp(&have, &leaf, sizeof(leaf)) != 0)
		finding(a, TF_LINK_TREE, idx, path, "altered: the entry is "
		    "not the one that the tree holds");
	if (a->off != off)
		finding(a, TF_LINK_ENTRIES, idx, path,
		    "its place in events.jsonl is wrong");
	a->off = off + n + 1;
	rc = tf_tree_append(a->tree, &leaf, compare_tile, a, err);
	if (rc == TF_OK && ok) {
		check_common(a, &d.e, idx);
		rc = replay(a, &d.e, err);
	}
	tf_entry_decoded_free(&d);
	a->next = idx + 1;
	a->r->entries++;
	if (a->progress != NULL && idx % 256 == 0)
		a->progress(a->arg, idx, a->total);
	return rc;
}

static enum tf_code
check_tree(struct audit *a, const struct tf_checkpoint *c, bool signed_,
    struct tf_error *err)
{
	struct tf_hash root;
	enum tf_code rc;

	for (; a->next < a->total; a->next++)
		finding(a, TF_LINK_ENTRIES, a->next, nowhere, "missing");
	rc = tf_tree_edge(a->tree, 0, compare_tile, a, err);
	if (rc != TF_OK)
		return rc;
	tf_tree_root(a->tree, &root);
	a->r->root = root;
	if (signed_ && (a->tree->size != c->size ||
	    memcmp(&root, &c->root, sizeof(root)) != 0))
		finding(a, TF_LINK_TREE, UINT64_MAX, nowhere, "the entries do "
		    "not give the root of the newest checkpoint");
	return TF_OK;
}

/* --- the whole ---------------------------------------------------------------------------- */

static enum tf_code
check_signature(struct audit *a, struct tf_checkpoint *c, bool *good,
    struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_error e;
	struct tf_hash root;
	uint64_t size = 0, count = 0, bytes;
	enum tf_code rc = tf_entries_size(a->db, &count, &bytes, err);

	*good = false;
	if (rc != TF_OK)
		return rc;
	rc = tf_checkpoints_newest(a->db, &size, &root, &note, err);
	a->total = rc == TF_OK ? size : count;
	if (rc == TF_NOTFOUND) {
		finding(a, TF_LINK_SIGNATURE, UINT64_MAX, nowhere,
		    "there is no checkpoint");
		rc = TF_OK;
		goto out;
	}
	if (rc != TF_OK)
		goto out;
	if (tf_checkpoint_check(note.p, note.n, &a->vkey, c, &e) != TF_OK) {
		finding(a, TF_LINK_SIGNATURE, UINT64_MAX, nowhere,
		    "newest checkpoint: %s", e.text);
	} else {
		*good = true;
		a->total = c->size;
		if (c->size != size || memcmp(&root, &c->root, 32) != 0)
			finding(a, TF_LINK_SIGNATURE, UINT64_MAX, nowhere,
			    "the checkpoint's row is not its note");
	}
	if (count > a->total)
		finding(a, TF_LINK_ENTRIES, a->total, nowhere,
		    "there are entries after the newest checkpoint");
out:
	tf_buf_free(&note);
	return rc;
}

static enum tf_code
open_store(struct audit *a, const char *path, struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_buf b = { 0 };
	enum tf_code rc;

	a->storefd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->storefd < 0)
		return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_NOTFOUND,
		    "%.100s: %s", path, strerror(errno));
	(void)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME);
	if ((rc = tf_db_open(name, TF_DB_READ, &a->db, err)) != TF_OK ||
	    (rc = tf_meta_get_text(a->db, "origin", a->origin,
	    sizeof(a->origin), err)) != TF_OK ||
	    (rc = tf_meta_get_text(a->db, "store", a->store,
	    sizeof(a->store), err)) != TF_OK ||
	    (rc = tf_file_read(a->storefd, TF_LOG_VKEY, 4096, &b, err)) !=
	    TF_OK)
		goto out;
	rc = tf_vkey_parse(b.p == NULL ? "" : b.p, b.n > 0 &&
	    b.p[b.n - 1] == '\n' ? b.n - 1 : b.n, &a->vkey, err);
	a->objectsfd = openat(a->storefd, "objects",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == TF_OK && a->objectsfd < 0)
		rc = tf_fail(err, TF_FOREIGN, "%.100s/objects: %s", path,
		    strerror(errno));
	(void)snprintf(a->r->origin, sizeof(a->r->origin), "%s", a->origin);
out:
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
audit_all(struct audit *a, struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_error e;
	bool signed_;
	enum tf_code rc;

	if (tf_db_check(a->db, &e) != TF_OK)
		finding(a, TF_LINK_ENTRIES, UINT64_MAX, nowhere, "%s", e.text);
	if ((rc = tf_db_snapshot(a->db, err)) != TF_OK ||
	    (rc = check_signature(a, &c, &signed_, err)) != TF_OK ||
	    (rc = tf_entries_each(a->db, 0, one_entry, a, err)) != TF_OK ||
	    (rc = check_tree(a, &c, signed_, err)) != TF_OK ||
	    (rc = compare_dirs(a, err)) != TF_OK)
		return rc;
	return extra_names(a, err);
}

static void
audit_free(struct audit *a)
{
	for (size_t i = 0; a->dirs != NULL && i < a->slots; i++)
		while (a->dirs[i] != NULL) {
			struct dir *d = a->dirs[i];

			a->dirs[i] = d->next;
			free(d->path);
			free(d);
		}
	free(a->dirs);
	free(a->good);
	free(a->bad);
	free(a->tree);
	tf_buf_free(&a->shown);
	if (a->db != NULL)
		tf_db_rollback(a->db);
	tf_db_close(a->db);
	if (a->objectsfd >= 0)
		(void)close(a->objectsfd);
	if (a->storefd >= 0)
		(void)close(a->storefd);
	free(a);
}

enum tf_code
tf_verify_store(const char *path, struct tf_report *report,
    tf_finding_fn found, tf_progress_fn progress, void *arg,
    struct tf_error *err)
{
	struct audit *a = calloc(1, sizeof(*a));
	enum tf_code rc;

	memset(report, 0, sizeof(*report));
	if (a == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	a->r = report;
	a->found = found;
	a->progress = progress;
	a->arg = arg;
	a->storefd = a->objectsfd = -1;
	a->slots = 1024;
	a->dirs = calloc(a->slots, sizeof(struct dir *));
	a->tree = calloc(1, sizeof(*a->tree));
	rc = a->dirs == NULL || a->tree == NULL ?
	    tf_fail(err, TF_NOMEM, "no memory") : open_store(a, path, err);
	if (rc == TF_OK)
		rc = audit_all(a, err);
	audit_free(a);
	return rc;
}
