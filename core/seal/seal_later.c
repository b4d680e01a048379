/*
 * Seals in the background: see seal_later.h.  `later` in the list of closed or
 * idle directories says that a thread has the directory, so the sealer passes
 * over it.  run() clears that mark in any case, and then wakes the sealer,
 * which sees whether the directory is still due.
 */
#include <pthread.h>
#include <stdlib.h>

#include "../node/background.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "evaluate.h"
#include "seal_later.h"

struct later {
	struct tf_duty duty; /* first: run() gets its address */
	struct tf_vault *v;
	uint64_t id;
	void (*seal)(struct tf_vault *v, uint64_t id);
};

/* tf_attr_of() for callers without mu. */
static enum tf_code
attr_of(struct tf_vault *v, struct tf_db *db, uint64_t id, struct tf_attr *a)
{
	struct tf_error e;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_attr_of(v, db, id, a, &e);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

bool
tf_seal_judges(struct tf_vault *v, uint64_t id)
{
	struct tf_attr a;
	struct tf_error e;
	struct tf_db *db;
	bool yes = false;

	if (tf_reader_db(v, &db, &e) != TF_OK)
		return false;
	if (attr_of(v, db, id, &a) == TF_OK &&
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

	if (l == NULL || tf_reader_db(v, &db, &e) != TF_OK) {
		free(l);
		return false;
	}
	(void)attr_of(v, db, id, &a);
	tf_reader_done(v, db);
	*l = (struct later){ { .uid = a.uid, .run = run }, v, id, seal };
	pthread_mutex_lock(&v->mu);
	mark(v, id, true);
	pthread_mutex_unlock(&v->mu);
	tf_background_add(v->background, &l->duty);
	return true;
}
