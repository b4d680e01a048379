/*
 * Deleting the bytes of redacted evidence: see redact.h.
 *
 * The transaction of redaction.done has emptied the object row, forgotten its
 * digest, and noted TF_META_ERASING.  The rest is done after it, by these steps,
 * each of which may be repeated:
 *	1. hide the object file, so that no new evidence takes it for its own;
 *	2. overwrite and delete it;
 *	3. clean the pages that an earlier version wrote, once per store;
 *	4. overwrite what the write-ahead log has of earlier transactions;
 *	5. remove the note.
 * After a crash the note is there, and the next start begins with step 1.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../node/base.h"
#include "../node/open_objects.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../store/clean_pages.h"
#include "../store/connection.h"
#include "../store/definitions.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/scrub.h"
#include "redact.h"

#define TRIES 5 /* for a log that readers need; each waits for seconds */

enum tf_code
tf_redacted(struct tf_error *err)
{
	return tf_fail(err, TF_REDACTED,
	    "it was redacted: two people have had its bytes deleted");
}

/* The objects whose bytes go. */
struct gone {
	struct tf_db *db;
	struct tf_hash *sha256;
	size_t n, cap;
};

static enum tf_code
add_gone(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct gone *g = arg;
	struct tf_object_row o;
	struct tf_node_row row;
	uint64_t id;
	enum tf_code rc;

	if (r->object == 0)
		return TF_OK; /* other evidence has the same bytes */
	rc = tf_nodes_get(g->db, r->node, &row, err);
	if (rc == TF_OK)
		rc = tf_object_get(g->db, row.object, &o, NULL, err);
	if (rc == TF_NOTFOUND)
		return TF_OK; /* verify reports it */
	if (rc != TF_OK)
		return rc;
	/* Was the same recorded again since? */
	rc = tf_object_find(g->db, &o.sha256, &id, err);
	if (rc != TF_NOTFOUND)
		return rc;
	if (!tf_array_room(&g->sha256, g->n, &g->cap, sizeof(*g->sha256)))
		return tf_nomem(err);
	g->sha256[g->n++] = o.sha256;
	return TF_OK;
}

struct pending_search {
	const struct tf_hash *h;
	bool found;
};

static bool
has_digest(void *arg, struct tf_pending *l)
{
	struct pending_search *s = arg;

	s->found = l->in_file && memcmp(&l->digest, s->h, sizeof(*s->h)) == 0;
	return !s->found;
}

/*
 * mu is held from the look at pending files until the rename: a file whose
 * digest is known before may have taken the object for its own, one whose digest
 * comes later will not find it.
 */
static enum tf_code
hide(struct tf_vault *v, const struct tf_hash *h, bool *is,
    struct tf_error *err)
{
	struct pending_search s = { h, false };
	enum tf_code rc = TF_OK;

	*is = false;
	pthread_mutex_lock(&v->mu);
	tf_pending_range(&v->pending, TF_PENDING_BY_PLACE, NULL, 0, has_digest,
	    &s);
	if (!s.found)
		rc = tf_object_hide(v->objectsfd, h, is, err);
	pthread_mutex_unlock(&v->mu);
	return s.found ?
	    tf_fail(err, TF_BUSY,
		"a file that is not sealed yet has the same bytes: "
		"they stay until the next start") :
	    rc;
}

static enum tf_code
erase_files(struct tf_vault *v, struct tf_error *err)
{
	struct gone g = { .n = 0 };
	struct tf_error e = { .code = TF_OK };
	bool is;
	enum tf_code rc = tf_reader_db(v, &g.db, err), one;

	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_of_kind(g.db, TF_ROW_REDACTED, add_gone, &g, err);
	tf_reader_done(v, g.db);
	for (size_t i = 0; rc == TF_OK && i < g.n; i++) {
		one = hide(v, &g.sha256[i], &is, &e);
		if (one == TF_OK && is) {
			tf_object_is_aside(&v->objects, &g.sha256[i]);
			tf_vault_slow(v);
		}
		if (one == TF_OK)
			one = tf_object_erase_file(v->objectsfd, &g.sha256[i],
			    &e);
		if (one != TF_OK && one != TF_BUSY)
			rc = tf_fail_as(err, &e);
	}
	free(g.sha256);
	if (rc == TF_OK && e.code == TF_BUSY)
		rc = tf_fail_as(err, &e);
	return rc;
}

/* The committer is the only one that writes to the database file. */
static enum tf_code
clean_pages(struct tf_txn *t, void *arg, struct tf_error *err)
{
	uint64_t is = 0;
	enum tf_code rc = tf_meta_get_int(t->db, TF_META_CLEAN, &is, err);

	(void)arg;
	if (is != 0 || (rc != TF_OK && rc != TF_NOTFOUND))
		return rc;
	rc = tf_db_clean_pages(t->db, err);
	return rc == TF_OK ?
	    tf_meta_set_int(tf_txn_write(t), TF_META_CLEAN, 1, err) :
	    rc;
}

static enum tf_code
scrub(struct tf_vault *v, struct tf_error *err)
{
	char path[PATH_MAX];
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_commit_wait(v->commit, clean_pages, NULL, err)) != TF_OK)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s", v->path, TF_DB_NAME);
	if ((rc = tf_db_open(path, TF_DB_WRITE, &db, err)) != TF_OK)
		return rc;
	rc = TF_LOCKED;
	for (int i = 0; i < TRIES && rc == TF_LOCKED; i++)
		rc = tf_db_scrub(db, err);
	tf_db_leave(db); /* the committer has the other one */
	return rc;
}

static enum tf_code
read_note(struct tf_vault *v, uint64_t *note, struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	*note = 0;
	if (rc != TF_OK)
		return rc;
	rc = tf_meta_get_int(db, TF_META_ERASING, note, NULL);
	tf_reader_done(v, db);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* A redaction may have been approved meanwhile: then the note stays. */
static enum tf_code
remove_note(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const uint64_t *note = arg;
	uint64_t now = 0;
	enum tf_code rc = tf_meta_get_int(t->db, TF_META_ERASING, &now, err);

	if (rc == TF_OK && now == *note)
		rc = tf_meta_set_int(tf_txn_write(t), TF_META_ERASING, 0, err);
	return rc;
}

enum tf_code
tf_redactions_erase(struct tf_vault *v, struct tf_error *err)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	uint64_t note;
	enum tf_code rc;

	pthread_mutex_lock(&one);
	rc = read_note(v, &note, err);
	if (rc == TF_OK && note != 0) {
		struct tf_error e = { .code = TF_OK };

		rc = erase_files(v, &e);
		if (rc == TF_OK || rc == TF_BUSY) {
			enum tf_code files = rc;

			rc = scrub(v, err);
			if (rc == TF_OK && files != TF_OK)
				rc = tf_fail_as(err, &e);
		} else {
			rc = tf_fail_as(err, &e);
		}
		if (rc == TF_OK)
			rc = tf_commit_wait(v->commit, remove_note, &note, err);
	}
	pthread_mutex_unlock(&one);
	return rc;
}

struct start {
	struct tf_vault *v;
	struct tf_db *db;
};

static enum tf_code
remember(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct start *s = arg;
	struct tf_vault *v = s->v;
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(s->db, r->node, &row, err);

	if (rc == TF_NOTFOUND ||
	    (rc == TF_OK && row.attr.kind != TF_KIND_EVIDENCE))
		return TF_OK; /* damage, or the report of an attestation */
	if (rc != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	tf_bits_add(&v->redacted, r->node);
	pthread_mutex_unlock(&v->mu);
	return tf_bits_has(&v->redacted, r->node) ? TF_OK : tf_nomem(err);
}

enum tf_code
tf_redactions_start(struct tf_vault *v, struct tf_error *err)
{
	struct tf_error e;
	struct start s = { .v = v };
	enum tf_code rc = tf_reader_db(v, &s.db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_of_kind(s.db, TF_ROW_REDACTED, remember, &s, err);
	tf_reader_done(v, s.db);
	if (rc != TF_OK || v->read_only)
		return rc;
	rc = tf_redactions_erase(v, &e);
	if (rc != TF_OK)
		tf_vault_say(v, rc,
		    "bytes of redacted evidence are not deleted yet: %s",
		    e.text);
	return rc == TF_NOMEM ? tf_fail_as(err, &e) : TF_OK;
}
