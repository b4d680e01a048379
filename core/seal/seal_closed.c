/*
 * Sealing the directories that chmod(2) closed: when they are due, on request,
 * and after a restart.
 *
 * A closed workflow is sealed after the closed attestations in it, each with
 * the actor of its own chmod; so next_of() gives one directory at a time, and
 * the list is read anew after each seal.  mu is held only to read or change
 * the list.  A failure leaves the directory in the list and in table closing,
 * so the sealer or the next start tries again.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/closed.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "../store/closings.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "seal_closed.h"
#include "seal_dir.h"
#include "seal_entries.h"
#include "seal_later.h"

#define RETRY_NS (5 * TF_SECOND) /* until the next try, after a failure */

#define BUSY_NS (TF_SECOND / 4) /* the same after TF_BUSY */

/* Saves a connection and a walk in the usual case, that none is closed. */
static bool
any_closed(struct tf_vault *v)
{
	bool any;

	pthread_mutex_lock(&v->mu);
	any = v->n_closed > 0;
	pthread_mutex_unlock(&v->mu);
	return any;
}

/* The directory to seal next so that id can be sealed: a closed attestation in
 * it, or id. */
static struct tf_seal_request
next_of(struct tf_vault *v, uint64_t id)
{
	struct tf_seal_request r = { .id = id, .closed = true };
	struct tf_closed *c;

	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < v->n_closed; i++)
		if (v->closed[i].wf == id)
			r.id = v->closed[i].id;
	c = tf_closed_find(v, r.id);
	if (c != NULL && c->recovered)
		r.cause = "recovery";
	pthread_mutex_unlock(&v->mu);
	return r;
}

/* hurry: fail with TF_BUSY where others wait for work below. */
static enum tf_code
seal_closed(struct tf_vault *v, uint64_t id, bool hurry, struct tf_error *err)
{
	struct tf_seal_request r;
	enum tf_code rc;

	do {
		r = next_of(v, id); /* each seal has the actor of its chmod */
		r.hurry = hurry;
		rc = tf_seal_dir(v, &r, err);
		/* Sealed by somebody else, or opened again. */
		if (rc == TF_NOTFOUND)
			rc = TF_OK;
	} while (rc == TF_OK && r.id != id);
	return rc;
}

enum tf_code
tf_closed_seal(struct tf_vault *v, uint64_t id, struct tf_error *err)
{
	return seal_closed(v, id, false, err);
}

enum tf_code
tf_closed_seal_due(struct tf_vault *v, uint64_t id)
{
	struct tf_error e = { .code = TF_OK };
	struct tf_closed *c;
	enum tf_code rc = seal_closed(v, id, true, &e);

	if (rc == TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	if ((c = tf_closed_find(v, id)) != NULL)
		c->due_ns = tf_clock_boot_ns() +
		    (rc == TF_BUSY ? BUSY_NS : RETRY_NS);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_BUSY)
		tf_vault_say(v, rc,
		    "node %llu is closed and not sealed yet, it is tried "
		    "again: %s",
		    (unsigned long long)id, e.text);
	return rc;
}

/* The next directory in v->closed, from *at on, that is at or below top and
 * that who may seal; or 0.  Attestations come before the directories above
 * them. */
static uint64_t
next_below(struct tf_vault *v, struct tf_db *db, uint64_t top,
    const struct tf_actor *who, size_t *at)
{
	struct tf_attr a, up;

	for (; *at < v->n_closed; ++*at) {
		if (tf_attr_of(v, db, v->closed[*at].id, &a, NULL) != TF_OK ||
		    (who->uid != 0 && who->uid != a.uid))
			continue;
		for (up = a; up.id != top && up.id != TF_ROOT_ID;)
			if (tf_attr_of(v, db, up.parent, &up, NULL) != TF_OK)
				break;
		if (up.id == top)
			return a.id;
	}
	return 0;
}

/* With judge false: leave out those whose seal judges evidence. */
static enum tf_code
seal_all_below(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    bool judge, struct tf_error *err)
{
	struct tf_db *db;
	uint64_t next;
	size_t at = 0;
	enum tf_code rc, last = TF_OK;

	if (!any_closed(v))
		return TF_OK;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	for (;;) {
		pthread_mutex_lock(&v->mu);
		next = next_below(v, db, id, who, &at);
		pthread_mutex_unlock(&v->mu);
		if (next == 0)
			break;
		if (!judge && tf_seal_judges(v, next)) {
			at++;
			continue;
		}
		rc = tf_closed_seal(v, next, err);
		/* What is not ready at the end of the vault is sealed after the
		 * next start. */
		if (rc == TF_BUSY && atomic_load(&v->ending)) {
			at++;
		} else if (rc != TF_OK) {
			last = rc;
			at++; /* go on with the others */
		} else {
			at = 0; /* v->closed has changed */
		}
	}
	tf_reader_done(v, db);
	return last;
}

enum tf_code
tf_closed_sync(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    struct tf_error *err)
{
	return seal_all_below(v, id, who, true, err);
}

enum tf_code
tf_closed_finish(struct tf_vault *v, struct tf_error *err)
{
	struct tf_actor root = { .uid = 0 };

	return seal_all_below(v, TF_ROOT_ID, &root, v->mount == NULL, err);
}

enum tf_code
tf_closed_before(struct tf_vault *v, uint64_t wf, const char *name,
    struct tf_error *err)
{
	struct tf_node_row before;
	struct tf_db *db;
	enum tf_code rc;

	if (!any_closed(v))
		return TF_OK;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	memset(&before, 0, sizeof(before));
	rc = tf_version_before(db, wf, name, &before, err);
	tf_reader_done(v, db);
	/* There is an earlier version, and it is not sealed. */
	if (rc == TF_DENIED && before.attr.id != 0)
		return tf_closed_seal(v, before.attr.id, err);
	return rc == TF_DENIED ? TF_OK : rc;
}

enum tf_code
tf_vault_finish(struct tf_vault *v, uint64_t id, struct tf_error *err)
{
	struct tf_actor root = { .uid = 0 };

	return tf_closed_sync(v, id, &root, err);
}

struct rows {
	struct tf_vault *v;
	struct tf_db *db;
};

static enum tf_code
load(void *arg, uint64_t id, struct tf_str actor, struct tf_error *err)
{
	struct rows *x = arg;
	struct tf_node_row row;
	char *copy;
	enum tf_code rc = tf_nodes_get(x->db, id, &row, err);

	/* A row of a directory that is gone or sealed has no meaning. */
	if (rc == TF_NOTFOUND || (rc == TF_OK && row.seal != TF_NO_SEQ))
		return TF_OK;
	if (rc != TF_OK)
		return rc;
	if ((copy = strndup(actor.p == NULL ? "" : actor.p, actor.n)) == NULL)
		return tf_nomem(err);
	pthread_mutex_lock(&x->v->mu);
	if ((rc = tf_closed_reserve(x->v, 1, err)) == TF_OK) {
		tf_closed_add(x->v, &row.attr, copy);
		tf_closed_find(x->v, id)->recovered = true;
	} else {
		free(copy);
	}
	pthread_mutex_unlock(&x->v->mu);
	return rc;
}

/* Seal closed directory i, unless the sealer has to do it. */
static enum tf_code
recover_one(struct tf_vault *v, size_t i)
{
	/* A mount does not wait until evidence is judged. */
	if (v->mount == NULL || !tf_seal_judges(v, v->closed[i].id))
		return tf_closed_seal_due(v, v->closed[i].id);
	v->closed[i].due_ns = tf_clock_boot_ns();
	return TF_BUSY;
}

enum tf_code
tf_closed_recover(struct tf_vault *v, struct tf_error *err)
{
	struct rows x = { .v = v };
	size_t left = 0;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &x.db, err)) != TF_OK)
		return rc;
	rc = tf_closings_each(x.db, load, &x, err);
	tf_reader_done(v, x.db);
	/* The sealer seals those that are not ready yet. */
	while (rc == TF_OK && v->n_closed > left) {
		rc = recover_one(v, left);
		if (rc == TF_NOMEM)
			return tf_fail(err, rc, "no memory");
		left += rc != TF_OK;
		rc = TF_OK;
	}
	return rc;
}
