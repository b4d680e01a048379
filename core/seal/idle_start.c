/*
 * When each open attestation was last changed: see idle_start.h.  The times of
 * entries are wall-clock times, while deadlines count by the boot clock, so
 * the age by the wall clock is subtracted from the limit once, here.  A wall
 * clock that went back makes an attestation younger: it is then sealed later.
 */
#include <pthread.h>

#include "../base/clock.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/idle.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "idle_start.h"

struct scan {
	struct tf_vault *v;
	struct tf_db *db;
	struct tf_time newest; /* change in the present attestation */
};

/* Note that att was changed at that time by the clock. */
static void
happened(struct tf_vault *v, uint64_t att, struct tf_time at)
{
	uint64_t idle = v->settings.value[TF_IDLE] * TF_SECOND, due;
	struct tf_time now = tf_clock_now();
	int64_t age_s = now.s - at.s -
	    1; /* at least, so that it is never sealed too early */
	size_t i;

	if (age_s > 0 && (uint64_t)age_s >= v->settings.value[TF_IDLE])
		idle = 0;
	else if (age_s > 0)
		idle -= (uint64_t)age_s * TF_SECOND;
	due = tf_clock_boot_ns() + idle;
	i = tf_idle_place(v, att);
	if (!tf_idle_is_there(v, i, att) || v->idle[i].due_ns < due)
		tf_idle_due(v, att, due);
}

/* A new name in a directory changes the times of the directory. */
static enum tf_code
look_below(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct scan *s = arg;

	if (tf_time_cmp(r->attr.ctime, s->newest) > 0)
		s->newest = r->attr.ctime;
	if (r->attr.kind == TF_KIND_EVIDENCE)
		return TF_OK;
	if (tf_time_cmp(r->attr.mtime, s->newest) > 0)
		s->newest = r->attr.mtime;
	return tf_each_child(s->db, r->attr.id, look_below, s, err);
}

/* Sealed directories are not entered: nothing in them is open. */
static enum tf_code
look_for_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct scan *s = arg;
	enum tf_code rc;

	if (r->seal != TF_NO_SEQ)
		return TF_OK;
	if (r->attr.kind != TF_KIND_ATTESTATION)
		return tf_each_child(s->db, r->attr.id, look_for_open, s, err);
	s->newest = r->attr.ctime;
	if ((rc = look_below(s, r, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&s->v->mu);
	happened(s->v, r->attr.id, s->newest);
	pthread_mutex_unlock(&s->v->mu);
	return TF_OK;
}

/* A change that has no entry yet counts, too. */
static void
look_at_pending(void *arg, struct tf_pending *l)
{
	happened(arg, l->att, l->attr.ctime);
}

enum tf_code
tf_idle_start(struct tf_vault *v, struct tf_error *err)
{
	struct scan s = { .v = v };
	enum tf_code rc;

	if (v->settings.value[TF_IDLE] == 0)
		return TF_OK;
	if ((rc = tf_reader_db(v, &s.db, err)) != TF_OK)
		return rc;
	rc = tf_each_child(s.db, TF_ROOT_ID, look_for_open, &s, err);
	tf_reader_done(v, s.db);
	pthread_mutex_lock(&v->mu);
	tf_pending_each(&v->pending, look_at_pending, v);
	pthread_mutex_unlock(&v->mu);
	return rc;
}
