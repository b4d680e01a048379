/*
 * The turns of directories: see turn.h.
 *
 * A seal that judges evidence has its turn for as long as that takes.  So a
 * turn keeps only those waiting whose directory is above or below its own:
 * the seals of other users, and the sealer, go on meanwhile.
 */
#include <pthread.h>

#include "../node/base.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "turn.h"

static bool
is_within(const struct tf_turn *t, uint64_t id)
{
	return t->id == id || t->wf == id || t->trail == id;
}

static bool
is_in_the_way(const struct tf_vault *v, const struct tf_turn *t)
{
	for (const struct tf_turn *o = v->turns; o != NULL; o = o->next)
		if (o != t && !o->given_up &&
		    (is_within(o, t->id) || is_within(t, o->id)))
			return true;
	return false;
}

/* Find what directory id is in. */
static enum tf_code
locate(struct tf_vault *v, struct tf_db *db, struct tf_turn *t, uint64_t id,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_attr_of(v, db, id, &a, err);

	*t = (struct tf_turn){ .id = id };
	if (rc == TF_OK && a.kind == TF_KIND_ATTESTATION) {
		t->wf = a.parent;
		rc = tf_attr_of(v, db, t->wf, &a, err);
	}
	if (rc == TF_OK && a.kind == TF_KIND_WORKFLOW)
		t->trail = a.parent;
	return rc;
}

enum tf_code
tf_turn_begin(struct tf_vault *v, struct tf_db *db, struct tf_turn *t,
    uint64_t id, bool hurry, struct tf_error *err)
{
	enum tf_code rc;

	/* A draft attestation may move while we wait. */
	while ((rc = locate(v, db, t, id, err)) == TF_OK &&
	    is_in_the_way(v, t)) {
		if (hurry)
			return tf_fail(err, TF_BUSY, "another seal is at work");
		tf_vault_wait(v);
	}
	if (rc != TF_OK)
		return rc;
	t->next = v->turns;
	v->turns = t;
	return TF_OK;
}

void
tf_turn_end(struct tf_vault *v, struct tf_turn *t)
{
	struct tf_turn **at = &v->turns;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	pthread_cond_broadcast(&v->changed);
}

/*
 * The turn comes back also after a failure, so that callers end it in one way.
 */
enum tf_code
tf_turn_wait(struct tf_vault *v, struct tf_turn *t, struct tf_error *err)
{
	enum tf_code rc;

	t->given_up = true;
	pthread_cond_broadcast(&v->changed);
	do
		rc = tf_vault_wait_long(v, err);
	while (rc == TF_OK && is_in_the_way(v, t));
	while (is_in_the_way(v, t))
		tf_vault_wait(v);
	t->given_up = false;
	return rc;
}

size_t
tf_turns(const struct tf_vault *v)
{
	size_t n = 0;

	for (const struct tf_turn *t = v->turns; t != NULL; t = t->next)
		n++;
	return n;
}

bool
tf_has_turn(const struct tf_vault *v, uint64_t id)
{
	for (const struct tf_turn *t = v->turns; t != NULL; t = t->next)
		if (t->id == id && !t->given_up)
			return true;
	return false;
}
