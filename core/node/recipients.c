/*
 * The recipients of trails: see recipients.h.
 *
 * A version that is committed while another thread reads the one before could
 * be displaced by it in the list.  So keep() takes only what was read since the
 * last change.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../definition.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "base.h"
#include "recipients.h"
#include "vault_i.h"

static enum tf_code
found_one(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	bool *any = arg;

	(void)err;
	*any = *any || r->kind == TF_DEFINITION_RECIPIENTS;
	return TF_OK;
}

enum tf_code
tf_recipients_start(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	bool any = false;
	enum tf_code rc = tf_definitions_each(db, found_one, &any, err);

	atomic_store(&v->recipients.any, any);
	return rc;
}

void
tf_recipients_unref(struct tf_kept_recipients *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	tf_recipients_free(&k->list);
	free(k);
}

void
tf_recipients_end(struct tf_vault *v)
{
	for (size_t i = 0; i < TF_RECIPIENTS_KEPT; i++)
		tf_recipients_unref(v->recipients.kept[i]);
}

static enum tf_code
parse(struct tf_db *db, const struct tf_definition_row *row,
    struct tf_kept_recipients *k, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf text = { 0 };
	struct tf_hash h;
	enum tf_code rc = tf_object_get(db, row->object, &o, &text, err);

	if (rc == TF_OK) {
		tf_sha256(tf_buf_bytes(&text).p, text.n, &h);
		if (memcmp(&h, &o.sha256, sizeof(h)) != 0)
			rc = TF_NOTFOUND;
	}
	if (rc == TF_OK)
		rc = tf_recipients_parse(tf_buf_bytes(&text).p, text.n,
		    &k->list, err);
	if (rc == TF_NOTFOUND || rc == TF_INVALID || rc == TF_UNSUPPORTED)
		rc = tf_fail(err, TF_TAMPER,
		    "recipients %llu of the trail were altered in the store",
		    (unsigned long long)row->version);
	k->version = row->version;
	tf_buf_free(&text);
	return rc;
}

/* Read the newest version; a trail without recipients has version 0. */
static enum tf_code
read_newest(struct tf_vault *v, struct tf_kept_recipients *k,
    struct tf_error *err)
{
	struct tf_definition_row row = { .kind = TF_DEFINITION_RECIPIENTS,
		.name = { "", 0 } };
	struct tf_node_row wf;
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_get(db, k->workflow, &wf, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "the workflow is missing");
	if (rc == TF_OK) {
		row.node = wf.attr.parent;
		rc = tf_definitions_get(db, &row, err);
		if (rc == TF_OK)
			rc = parse(db, &row, k, err);
		else if (rc == TF_NOTFOUND)
			rc = TF_OK;
	}
	tf_reader_done(v, db);
	return rc;
}

/* mu is held. */
static struct tf_kept_recipients *
find(struct tf_vault *v, uint64_t workflow)
{
	struct tf_kept_recipients *k;

	for (size_t i = 0; i < TF_RECIPIENTS_KEPT; i++) {
		k = v->recipients.kept[i];
		if (k == NULL || k->workflow != workflow)
			continue;
		k->refs++;
		k->used = ++v->recipients.uses;
		return k;
	}
	return NULL;
}

/* Put k in the place that was used least recently.  mu is held. */
static void
keep(struct tf_vault *v, struct tf_kept_recipients *k)
{
	struct tf_kept_recipients **at = &v->recipients.kept[0];

	for (size_t i = 1; i < TF_RECIPIENTS_KEPT && *at != NULL; i++)
		if (v->recipients.kept[i] == NULL ||
		    v->recipients.kept[i]->used < (*at)->used)
			at = &v->recipients.kept[i];
	tf_recipients_unref(*at);
	*at = k;
	k->refs++; /* of the list */
	k->used = ++v->recipients.uses;
}

enum tf_code
tf_recipients_hold(struct tf_vault *v, uint64_t workflow,
    struct tf_kept_recipients **out, struct tf_error *err)
{
	struct tf_kept_recipients *k;
	uint64_t changes;
	enum tf_code rc = TF_OK;

	*out = NULL;
	if (!atomic_load(&v->recipients.any))
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	k = find(v, workflow);
	changes = atomic_load(&v->recipients.changes);
	pthread_mutex_unlock(&v->mu);
	if (k == NULL) {
		if ((k = calloc(1, sizeof(*k))) == NULL)
			return tf_nomem(err);
		k->refs = 1;
		k->workflow = workflow;
		rc = read_newest(v, k, err);
		pthread_mutex_lock(&v->mu);
		if (rc == TF_OK &&
		    changes == atomic_load(&v->recipients.changes))
			keep(v, k);
		pthread_mutex_unlock(&v->mu);
	}
	if (rc == TF_OK && k->version > 0)
		*out = k;
	else
		tf_recipients_let_go(v, k);
	return rc;
}

/* The trail of a workflow, and whether it has recipients. */
static enum tf_code
trail_of(struct tf_db *db, uint64_t workflow, uint64_t *trail, bool *has,
    struct tf_error *err)
{
	struct tf_definition_row row = { .kind = TF_DEFINITION_RECIPIENTS,
		.name = { "", 0 } };
	struct tf_node_row wf;
	enum tf_code rc = tf_nodes_get(db, workflow, &wf, err);

	*trail = row.node = rc == TF_OK ? wf.attr.parent : 0;
	if (rc == TF_OK)
		rc = tf_definitions_get(db, &row, err);
	*has = rc == TF_OK;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_recipients_any_of(struct tf_db *db, uint64_t workflow, bool *yes,
    struct tf_error *err)
{
	uint64_t trail;

	return trail_of(db, workflow, &trail, yes, err);
}

enum tf_code
tf_recipients_differ(struct tf_vault *v, struct tf_db *db, uint64_t from,
    uint64_t to, bool *yes, struct tf_error *err)
{
	uint64_t trail[2];
	bool has[2];
	enum tf_code rc;

	*yes = false;
	if (!atomic_load(&v->recipients.any) || from == to)
		return TF_OK;
	if ((rc = trail_of(db, from, &trail[0], &has[0], err)) != TF_OK ||
	    (rc = trail_of(db, to, &trail[1], &has[1], err)) != TF_OK)
		return rc;
	*yes = trail[0] != trail[1] && (has[0] || has[1]);
	return TF_OK;
}

void
tf_recipients_let_go(struct tf_vault *v, struct tf_kept_recipients *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&v->mu);
	tf_recipients_unref(k);
	pthread_mutex_unlock(&v->mu);
}

void
tf_recipients_changed(struct tf_vault *v)
{
	pthread_mutex_lock(&v->mu);
	atomic_fetch_add(&v->recipients.changes, 1);
	atomic_store(&v->recipients.any, true);
	for (size_t i = 0; i < TF_RECIPIENTS_KEPT; i++) {
		tf_recipients_unref(v->recipients.kept[i]);
		v->recipients.kept[i] = NULL;
	}
	pthread_mutex_unlock(&v->mu);
}
