/*
 * Seals in the background: see seal_later.h.  `later` in the list of closed or
 * idle directories says that a thread has the directory, so the sealer passes
 * over it.  run() clears that mark in any case, and then wakes the sealer,
 * which sees whether the directory is still due.
 *
 * A background thread is kept free of long seals (background.h), so whether a
 * seal is long is decided before, by how much evidence there is.  That walk
 * ends early: the sealer must not read 100,000 rows.
 */
#include <pthread.h>
#include <stdlib.h>

#include "../node/background.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/closed.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "evaluate.h"
#include "seal_later.h"

#define SHORT_BYTES ((uint64_t)1 << 20) /* of evidence, in a short seal */
#define SHORT_NAMES 256			/* likewise */

struct later {
	struct tf_duty duty; /* first: run() gets its address */
	struct tf_vault *v;
	uint64_t id;
	void (*seal)(struct tf_vault *v, uint64_t id);
};

bool
tf_seal_judges(struct tf_vault *v, uint64_t id)
{
	struct tf_attr a;
	struct tf_error e;
	struct tf_db *db;
	bool yes = false;

	if (tf_reader_db(v, &db, &e) != TF_OK)
		return false;
	if (tf_attr_unlocked(v, db, id, &a, &e) == TF_OK &&
	    tf_seal_will_evaluate(v, db, &a, &yes, &e) != TF_OK)
		yes = false;
	tf_reader_done(v, db);
	return yes;
}

/* Note in the lists whether a background thread seals id.  mu is held. */
static void
mark(struct tf_vault *v, uint64_t id, bool later)
{
	struct tf_closed *c = tf_closed_find(v, id);
	size_t i = tf_idle_place(v, id);

	if (c != NULL)
		c->later = later;
	if (tf_idle_is_there(v, i, id))
		v->idle[i].later = later;
}

/* The evidence below a directory, as far as it was counted. */
struct amount {
	struct tf_db *db;
	uint64_t bytes, names;
};

static bool
is_much(const struct amount *m)
{
	return m->bytes > SHORT_BYTES || m->names > SHORT_NAMES;
}

static bool
count_pending(void *arg, struct tf_pending *l)
{
	struct amount *m = arg;

	m->names++;
	m->bytes += l->attr.size;
	return !is_much(m);
}

static enum tf_code
count_row(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct amount *m = arg;

	m->names++;
	if (is_much(m))
		return tf_fail(err, TF_TOOBIG, "much evidence");
	if (r->attr.kind != TF_KIND_EVIDENCE)
		return tf_each_child(m->db, r->attr.id, count_row, m, err);
	m->bytes += r->attr.size;
	return TF_OK;
}

/* Does directory a hold so much evidence that its seal may take long?  True,
 * too, when that cannot be found out. */
static bool
is_long(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a)
{
	const uint64_t att[] = { a->parent, a->id };
	struct amount m = { .db = db };
	struct tf_error e;
	enum tf_code rc = tf_each_child(db, a->id, count_row, &m, &e);

	pthread_mutex_lock(&v->mu);
	if (a->kind == TF_KIND_ATTESTATION)
		tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION, att, 2,
		    count_pending, &m);
	else
		tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION, &a->id,
		    1, count_pending, &m);
	pthread_mutex_unlock(&v->mu);
	return rc != TF_OK || is_much(&m);
}

static void
run(struct tf_duty *d)
{
	struct later *l = (struct later *)d;
	struct tf_vault *v = l->v;
	bool quit;

	pthread_mutex_lock(&v->mu);
	quit = v->quit;
	pthread_mutex_unlock(&v->mu);
	if (!quit) /* else the next start does it */
		l->seal(v, l->id);
	pthread_mutex_lock(&v->mu);
	mark(v, l->id, false);
	pthread_cond_signal(&v->alarm);
	pthread_mutex_unlock(&v->mu);
	free(l);
}

bool
tf_seal_later(struct tf_vault *v, uint64_t id,
    void (*seal)(struct tf_vault *v, uint64_t id))
{
	struct later *l = malloc(sizeof(*l));
	struct tf_attr a = { .uid = 0 };
	struct tf_error e;
	struct tf_db *db;
	bool much;

	if (l == NULL || tf_reader_db(v, &db, &e) != TF_OK) {
		free(l);
		return false;
	}
	(void)!tf_attr_unlocked(v, db, id, &a, &e);
	much = is_long(v, db, &a);
	tf_reader_done(v, db);
	*l = (struct later){ { .uid = a.uid, .is_long = much, .run = run }, v,
		id, seal };
	pthread_mutex_lock(&v->mu);
	mark(v, id, true);
	pthread_mutex_unlock(&v->mu);
	tf_background_add(v->background, &l->duty);
	return true;
}
