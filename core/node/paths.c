/* The place of a node in the tree: see paths.h. */
#include <pthread.h>
#include <string.h>

#include "../ledger/name.h"
#include "../ledger/policy.h"
#include "../store/nodes.h"
#include "attr.h"
#include "paths.h"
#include "pending.h"
#include "pending_table.h"
#include "vault_i.h"

/* True if id is pending; *out and, unless it is NULL, the name are set then.  mu
 * is held. */
static bool
pending_attr(struct tf_vault *v, uint64_t id, struct tf_attr *out, char *name,
    size_t *name_len)
{
	struct tf_pending *l = tf_pending_get(&v->pending, id);

	if (l == NULL)
		return false;
	*out = tf_pending_shown(l);
	if (name != NULL) {
		memcpy(name, l->name, l->name_len);
		*name_len = l->name_len;
	}
	return true;
}

static enum tf_code
row_attr(struct tf_db *db, uint64_t id, struct tf_attr *out, char *name,
    size_t *name_len, struct tf_error *err)
{
	struct tf_node_row r;
	enum tf_code rc = tf_nodes_get(db, id, &r, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "no node %llu", (unsigned long long)id);
	if (rc != TF_OK)
		return rc;
	*out = r.attr;
	if (name != NULL) {
		memcpy(name, r.name, r.name_len);
		*name_len = r.name_len;
	}
	return TF_OK;
}

/* The attributes of id, pending or committed, without the attestation's.  held:
 * the caller holds mu. */
static enum tf_code
raw_attr(struct tf_vault *v, struct tf_db *db, bool held, uint64_t id,
    struct tf_attr *out, char *name, size_t *name_len, struct tf_error *err)
{
	bool pending;

	if (!held)
		pthread_mutex_lock(&v->mu);
	pending = pending_attr(v, id, out, name, name_len);
	if (!held)
		pthread_mutex_unlock(&v->mu);
	/* In this order: a node leaves memory after its row is committed. */
	return pending ? TF_OK : row_attr(db, id, out, name, name_len, err);
}

/* Replace a by the directory above it.  In a damaged database parents may form
 * a circle, so *depth, which starts at 0, limits the walk. */
static enum tf_code
go_up(struct tf_vault *v, struct tf_db *db, bool held, struct tf_attr *a,
    char *name, size_t *name_len, unsigned *depth, struct tf_error *err)
{
	if (++*depth > TF_DEPTH_MAX)
		return tf_fail(err, TF_TAMPER,
		    "the directories above node %llu are a circle",
		    (unsigned long long)a->id);
	return raw_attr(v, db, held, a->parent, a, name, name_len, err);
}

static enum tf_code
follow(struct tf_vault *v, struct tf_db *db, bool held, struct tf_attr *a,
    struct tf_error *err)
{
	struct tf_attr up = *a;
	struct tf_node_row r;
	unsigned depth = 0;
	enum tf_code rc;

	if (a->kind != TF_KIND_DIRECTORY)
		return TF_OK;
	while (up.kind == TF_KIND_DIRECTORY) {
		rc = go_up(v, db, held, &up, NULL, NULL, &depth, err);
		if (rc != TF_OK)
			return rc;
	}
	/* *a was read before its attestation and may be older than the seal:
	 * read it again, because clients cache sealed attributes for ever.  A
	 * node without a row is not sealed and is being removed. */
	if (up.state == TF_STATE_SEALED && a->state != TF_STATE_SEALED) {
		rc = tf_nodes_get(db, a->id, &r, err);
		if (rc == TF_OK) {
			*a = r.attr;
			a->state = TF_STATE_SEALED;
		} else if (rc != TF_NOTFOUND) {
			return rc;
		}
	}
	a->mode = tf_dir_mode(up.mode, a->mode);
	a->uid = up.uid;
	a->gid = up.gid;
	return TF_OK;
}

enum tf_code
tf_follow_attestation(struct tf_vault *v, struct tf_db *db, struct tf_attr *a,
    struct tf_error *err)
{
	return follow(v, db, true, a, err);
}

enum tf_code
tf_follow_unlocked(struct tf_vault *v, struct tf_db *db, struct tf_attr *a,
    struct tf_error *err)
{
	return follow(v, db, false, a, err);
}

enum tf_code
tf_attr_of(struct tf_vault *v, struct tf_db *db, uint64_t id,
    struct tf_attr *out, struct tf_error *err)
{
	enum tf_code rc = raw_attr(v, db, true, id, out, NULL, NULL, err);
	struct tf_attr own = { .unlinked = false };

	if (rc == TF_OK) {
		own = *out;
		rc = tf_follow_attestation(v, db, out, err);
	}
	if (rc == TF_NOTFOUND && own.unlinked) {
		*out = own; /* its ancestors were removed, too */
		rc = TF_OK;
	}
	return rc;
}

enum tf_code
tf_attr_unlocked(struct tf_vault *v, struct tf_db *db, uint64_t id,
    struct tf_attr *out, struct tf_error *err)
{
	enum tf_code rc = raw_attr(v, db, false, id, out, NULL, NULL, err);

	if (rc == TF_OK)
		rc = tf_follow_unlocked(v, db, out, err);
	if (rc != TF_NOTFOUND)
		return rc;
	/* It, or a directory above it, may have been removed meanwhile. */
	pthread_mutex_lock(&v->mu);
	rc = tf_attr_of(v, db, id, out, err);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_place_of(struct tf_vault *v, struct tf_db *db, uint64_t id,
    struct tf_place *out, struct tf_error *err)
{
	struct tf_pending *l;
	struct tf_attr a;
	char name[256];
	unsigned depth = 0;
	size_t n;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	rc = raw_attr(v, db, true, id, &out->parent, name, &n, err);
	if (rc != TF_OK)
		return rc;
	l = tf_pending_get(&v->pending, id);
	out->in_draft = l != NULL && l->in_draft;
	a = out->parent;
	while (a.kind == TF_KIND_DIRECTORY) {
		out->below += n + 1;
		out->in_draft = out->in_draft || tf_name_draft_dir(name, n);
		rc = go_up(v, db, true, &a, name, &n, &depth, err);
		if (rc != TF_OK)
			return rc;
	}
	out->att = a;
	out->wf = a.kind == TF_KIND_ATTESTATION ? a.parent : 0;
	if (out->parent.kind == TF_KIND_DIRECTORY) {
		out->parent.mode = tf_dir_mode(a.mode, out->parent.mode);
		out->parent.uid = a.uid;
		out->parent.gid = a.gid;
	}
	return TF_OK;
}

enum tf_code
tf_path_of(struct tf_vault *v, struct tf_db *db, uint64_t id,
    struct tf_buf *out, struct tf_error *err)
{
	char text[TF_PATH_MAX + 256], name[256];
	size_t at = sizeof(text), n = 0;
	struct tf_attr a;
	enum tf_code rc;

	if (id == TF_ROOT_ID) {
		tf_buf_add(out, ".", 1);
		return tf_buf_end(out, err);
	}
	while (id != TF_ROOT_ID) {
		rc = raw_attr(v, db, false, id, &a, name, &n, err);
		if (rc != TF_OK)
			return rc;
		if (n + 1 > at)
			return tf_fail(err, TF_TAMPER, "a path is too long");
		if (at < sizeof(text))
			text[--at] = '/';
		at -= n;
		memcpy(text + at, name, n);
		id = a.parent;
	}
	tf_buf_add(out, text + at, sizeof(text) - at);
	return tf_buf_end(out, err);
}

struct tf_subject
tf_directory_subject(const struct tf_attr *a, bool has_entry)
{
	return (struct tf_subject){ .kind = a->kind,
		.state = a->state,
		.uid = a->uid,
		.has_entry = has_entry };
}
