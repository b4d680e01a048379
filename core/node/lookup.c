/*
 * Lookup by name, id and path, and listing.  A name is pending (in memory, see
 * pending.h) or committed (in table node).  Pending names are searched first: a
 * node leaves memory only after its row is committed, so a search in this order
 * cannot miss it.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../ledger/name.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "attr.h"
#include "base.h"
#include "paths.h"
#include "pending.h"
#include "pending_index.h"
#include "pending_table.h"
#include "vault_i.h"

enum tf_code
tf_vault_lookup(struct tf_vault *v, uint64_t parent, const char *name,
    struct tf_attr *out, struct tf_error *err)
{
	struct tf_node_row r;
	struct tf_pending *l;
	struct tf_db *db;
	bool pending;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_find(&v->pending, parent, name, strlen(name));
	pending = l != NULL;
	if (pending)
		*out = tf_pending_shown(l);
	pthread_mutex_unlock(&v->mu);
	if (!pending) {
		rc = tf_nodes_find(db, parent, name, strlen(name), &r, err);
		if (rc == TF_OK)
			*out = r.attr;
	}
	if (rc == TF_OK)
		rc = tf_follow_unlocked(v, db, out, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "no such name");
	tf_reader_done(v, db);
	return rc;
}

enum tf_code
tf_vault_getattr(struct tf_vault *v, uint64_t id, struct tf_attr *out,
    struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_attr_unlocked(v, db, id, out, err);
	tf_reader_done(v, db);
	return rc;
}

/* Count one more reader of a pending directory.  One with an entry is never
 * removed. */
static bool
open_pending(struct tf_vault *v, uint64_t id)
{
	struct tf_pending *l;
	bool opened;

	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	opened = l != NULL && !tf_pending_is_file(l);
	if (opened)
		l->readers++;
	pthread_mutex_unlock(&v->mu);
	return opened;
}

enum tf_code
tf_vault_opendir(struct tf_vault *v, uint64_t id, struct tf_attr *out,
    struct tf_error *err)
{
	bool opened = open_pending(v, id);
	enum tf_code rc = tf_vault_getattr(v, id, out, err);

	if (rc != TF_OK && opened)
		tf_vault_closedir(v, id);
	return rc;
}

void
tf_vault_closedir(struct tf_vault *v, uint64_t id)
{
	struct tf_pending *l;

	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id); /* NULL: it has an entry now */
	if (l != NULL && !tf_pending_is_file(l) && l->readers > 0) {
		l->readers--;
		tf_pending_forget(&v->pending, l);
	}
	pthread_mutex_unlock(&v->mu);
}

enum tf_code
tf_vault_walk(struct tf_vault *v, const char *path, struct tf_attr *out,
    struct tf_error *err)
{
	const char *whole = path;
	char name[TF_NAME_MAX + 1];
	enum tf_code rc;
	size_t n;

	if ((rc = tf_vault_getattr(v, TF_ROOT_ID, out, err)) != TF_OK)
		return rc;
	for (;;) {
		path += strspn(path, "/");
		if ((n = strcspn(path, "/")) == 0)
			return TF_OK;
		if (n > TF_NAME_MAX)
			return tf_fail(err, TF_NAMETOOLONG, "name too long");
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		if (strcmp(name, ".") == 0)
			continue;
		rc = tf_vault_lookup(v, out->id, name, out, err);
		if (rc == TF_NOTFOUND) {
			errno = 0;
			return tf_fail(err, rc, "%s: no such name", whole);
		}
		if (rc != TF_OK)
			return rc;
	}
}

enum tf_code
tf_vault_path(struct tf_vault *v, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_path_of(v, db, id, out, err);
	tf_reader_done(v, db);
	return rc;
}

/* Copy the pending children with an id greater than after. */
static size_t
list_pending(struct tf_vault *v, uint64_t dir, uint64_t after,
    struct tf_dirent *out, size_t max)
{
	struct tf_pending *l;
	size_t n = 0;

	while (n < max &&
	    (l = tf_pending_next(&v->pending, dir, after)) != NULL) {
		out[n].attr = tf_pending_shown(l);
		memcpy(out[n].name, l->name, l->name_len + 1);
		after = l->attr.id;
		n++;
	}
	return n;
}

/* Merge pending and committed names by id; of an id in both lists the committed
 * one is taken. */
static size_t
merge_names(const struct tf_node_row *rows, size_t n_rows,
    const struct tf_dirent *pending, size_t n_pending, struct tf_dirent *out,
    size_t max)
{
	size_t i = 0, j = 0, n = 0;

	while (n < max && (i < n_rows || j < n_pending)) {
		if (j == n_pending ||
		    (i < n_rows && rows[i].attr.id <= pending[j].attr.id)) {
			if (j < n_pending &&
			    pending[j].attr.id == rows[i].attr.id)
				j++;
			out[n].attr = rows[i].attr;
			memcpy(out[n].name, rows[i].name, rows[i].name_len + 1);
			i++;
		} else {
			out[n] = pending[j++];
		}
		n++;
	}
	return n;
}

#define LIST_MAX 64

enum tf_code
tf_vault_list(struct tf_vault *v, uint64_t dir, uint64_t after,
    struct tf_dirent *out, size_t max, size_t *n, struct tf_error *err)
{
	struct tf_node_row rows[LIST_MAX];
	struct tf_dirent pending[LIST_MAX];
	size_t n_pending, n_rows = 0;
	struct tf_attr a;
	struct tf_db *db;
	enum tf_code rc;

	*n = 0;
	if (max > LIST_MAX)
		max = LIST_MAX;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	/* Pending names first: a node that is sealed between the two reads is
	 * then in both lists, and in the other order it would be in none. */
	pthread_mutex_lock(&v->mu);
	n_pending = list_pending(v, dir, after, pending, max);
	pthread_mutex_unlock(&v->mu);
	rc = tf_attr_unlocked(v, db, dir, &a, err);
	if (rc == TF_OK && a.kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_NOTDIR, "not a directory");
	if (rc == TF_OK)
		rc = tf_nodes_list(db, dir, after, rows, max, &n_rows, err);
	if (rc == TF_OK)
		*n = merge_names(rows, n_rows, pending, n_pending, out, max);
	for (size_t i = 0; rc == TF_OK && i < *n; i++)
		rc = tf_follow_unlocked(v, db, &out[i].attr, err);
	tf_reader_done(v, db);
	return rc;
}
