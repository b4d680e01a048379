/*
 * The rows of the tree of names, as the entries of a replica make them: nodes,
 * seals, access.  The replay has checked each entry before; the rows are those
 * that the committer of the source wrote with it, which `trailctl verify`
 * compares with the entries (core/audit/store_nodes.c).
 *
 * A directory gets the time of the last name in it.  Names come in runs of one
 * directory, so its row is written when another directory follows.
 */
#include <string.h>

#include "../base/array.h"
#include "../ledger/entry.h"
#include "../store/connection.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "replica_i.h"

enum tf_code
tf_replica_touch(struct tf_replica *r, struct tf_error *err)
{
	struct tf_replica_touched t = r->touched;

	r->touched.id = 0;
	return t.id == 0 ? TF_OK : tf_nodes_touch(r->db, t.id, t.at, err);
}

static enum tf_code
touch_later(struct tf_replica *r, uint64_t id, struct tf_time at,
    struct tf_error *err)
{
	enum tf_code rc = r->touched.id == id ? TF_OK :
						tf_replica_touch(r, err);

	r->touched = (struct tf_replica_touched){ id, at };
	return rc;
}

/* The first entry makes the root. */
static enum tf_code
opened(struct tf_replica *r, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_node_row root = { .attr = { .id = TF_ROOT_ID,
					.parent = TF_ROOT_ID,
					.kind = TF_KIND_ROOT,
					.mode = e->access.mode,
					.uid = e->access.uid,
					.gid = e->access.gid,
					.mtime = e->at,
					.ctime = e->at,
					.btime = e->at } };
	char text[128];

	if (e->key_attester.n >= sizeof(text))
		return tf_fail(err, TF_TAMPER,
		    "the attester's key is too long");
	memcpy(text, e->key_attester.p, e->key_attester.n);
	text[e->key_attester.n] = '\0';
	if (e->seq == 0 || e->previous.p != NULL) {
		enum tf_code rc = tf_meta_set_text(r->db, "attester", text,
		    err);

		if (rc != TF_OK)
			return rc;
	}
	return e->seq == 0 ? tf_nodes_put(r->db, &root, err) : TF_OK;
}

/* Evidence without bytes is owed: it must turn out to be redacted. */
static enum tf_code
evidence_object(struct tf_replica *r, const struct tf_entry *e, uint64_t *id,
    struct tf_error *err)
{
	enum tf_code rc = tf_replica_object(r, &e->content, false, id, err);

	if (rc != TF_NOTFOUND)
		return rc;
	if (tf_db_is_sparse(r->db))
		return tf_replica_sparse_object(r, &e->content, id, err);
	rc = tf_replica_owe(r, e->node, err);
	return rc == TF_OK ? tf_replica_no_object(r, &e->content, id, err) : rc;
}

/* Directories below an attestation have its owner and group. */
static enum tf_code
directory_access(struct tf_replica *r, const struct tf_entry *e,
    struct tf_attr *a, struct tf_error *err)
{
	struct tf_node_row up;
	enum tf_code rc = tf_nodes_get(r->db, a->parent, &up, err);

	a->mode = e->has_access ? e->access.mode : 0777;
	a->uid = up.attr.uid;
	a->gid = up.attr.gid;
	return rc;
}

static enum tf_code
created(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_node_row row = { .attr = { .id = e->node,
				       .parent = x->parent,
				       .kind = x->kind,
				       .mode = e->access.mode,
				       .uid = e->access.uid,
				       .gid = e->access.gid,
				       .mtime = e->at,
				       .ctime = e->at,
				       .btime = e->at },
		.entry = e->seq,
		.name_len = e->path.n - x->name_at };
	enum tf_code rc = TF_OK;

	if (row.name_len >= sizeof(row.name))
		return tf_fail(err, TF_TAMPER, "the name is too long");
	memcpy(row.name, e->path.p + x->name_at, row.name_len);
	if (x->kind == TF_KIND_DIRECTORY)
		rc = directory_access(r, e, &row.attr, err);
	if (x->kind == TF_KIND_EVIDENCE) {
		row.attr.size = e->content.size;
		row.attr.mtime = e->mtime;
		row.attr.ctime = e->ctime;
		row.attr.btime = e->created;
		row.xattrs = e->xattrs;
		r->files++;
		r->content_bytes += e->content.size;
		rc = evidence_object(r, e, &row.object, err);
	}
	if (rc == TF_OK)
		rc = tf_nodes_put(r->db, &row, err);
	return rc == TF_OK ? touch_later(r, x->parent, e->at, err) : rc;
}

/* Find the row of the path of an entry that the replay has found, too. */
static enum tf_code
find(struct tf_replica *r, struct tf_str path, struct tf_node_row *out,
    struct tf_error *err)
{
	enum tf_code rc = tf_nodes_get(r->db, TF_ROOT_ID, out, err);

	if (path.n == 1 && path.p[0] == '.')
		return rc;
	for (size_t at = 0; rc == TF_OK && at < path.n;) {
		const char *p = path.p + at;
		const char *end = memchr(p, '/', path.n - at);
		size_t n = end == NULL ? path.n - at : (size_t)(end - p);

		rc = tf_nodes_find(r->db, out->attr.id, p, n, out, err);
		at += n + 1;
	}
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "its path has no row") :
	    rc;
}

static enum tf_code
sealed(struct tf_replica *r, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_node_row row = { .name_len = 0 };
	enum tf_code rc = tf_replica_touch(r, err);

	if (rc == TF_OK)
		rc = find(r, e->path, &row, err);
	if (rc == TF_OK && e->has_access)
		rc = tf_nodes_set_access(r->db, row.attr.id, e->access.mode,
		    e->access.uid, e->access.gid, e->at, err);
	return rc == TF_OK ?
	    tf_nodes_set_seal(r->db, row.attr.id, e->seq, e->at, err) :
	    rc;
}

/* The ctime of evidence is part of it and stays. */
static enum tf_code
access_changed(struct tf_replica *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_replica_touch(r, err);
	bool below, evidence;

	if (rc == TF_OK)
		rc = find(r, e->path, &row, err);
	if (rc != TF_OK)
		return rc;
	below = row.attr.kind == TF_KIND_DIRECTORY;
	evidence = row.attr.kind == TF_KIND_EVIDENCE;
	return tf_nodes_set_access(r->db, row.attr.id, e->access.mode,
	    below ? row.attr.uid : e->access.uid,
	    below ? row.attr.gid : e->access.gid,
	    evidence ? row.attr.ctime : e->at, err);
}

const char *
tf_replica_owed(struct tf_replica *r)
{
	size_t i = 0;

	while (i < r->n_owed_ids && !tf_bits_has(&r->owed, r->owed_ids[i]))
		i++;
	if (i == r->n_owed_ids)
		return r->n_owed_texts > 0 ? "a text of an entry" : "";
	return tf_replica_path(r->db, r->owed_ids[i], &r->owed_path, NULL) ==
		TF_OK ?
	    r->owed_path.p :
	    "evidence";
}

enum tf_code
tf_replica_apply(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	switch (e->type) {
	case TF_LEDGER_OPENED:
		return opened(r, e, err);
	case TF_ACCESS_CHANGED:
		return access_changed(r, e, err);
	case TF_ATTESTATION_SEALED:
	case TF_WORKFLOW_SEALED:
	case TF_TRAIL_SEALED:
		rc = sealed(r, e, err);
		break;
	default:
		if (x->created)
			return created(r, e, x, err);
	}
	return rc == TF_OK ? tf_replica_said(r, e, x, err) : rc;
}
