/*
 * Sealing what is quiet: attestations below which nothing was made, closed,
 * renamed, deleted or changed for as long as the setting says.  What is
 * remembered of each is when that time will be over; every change moves it on,
 * and the keeper looks when the first is due.  Nothing is remembered of an
 * attestation in which nothing happened yet.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "base.h"
#include "children.h"
#include "holds.h"
#include "idle.h"
#include "pending.h"
#include "vault_i.h"

size_t
tf_quiet_place(const struct tf_vault *v, uint64_t att)
{
	size_t low = 0, high = v->n_quiet, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (v->quiet[mid].att < att)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
tf_quiet_is_there(const struct tf_vault *v, size_t i, uint64_t att)
{
	return i < v->n_quiet && v->quiet[i].att == att;
}

void
tf_quiet_due(struct tf_vault *v, uint64_t att, uint64_t due_ns)
{
	size_t i = tf_quiet_place(v, att), cap;
	void *p;

	if (!tf_quiet_is_there(v, i, att)) {
		if (v->n_quiet == v->cap_quiet) {
			cap = v->cap_quiet * 2 + 16;
			p = realloc(v->quiet, cap * sizeof(*v->quiet));
			if (p == NULL)
				return;
			v->quiet = p;
			v->cap_quiet = cap;
		}
		memmove(v->quiet + i + 1, v->quiet + i,
		    (v->n_quiet - i) * sizeof(*v->quiet));
		v->n_quiet++;
		v->quiet[i].att = att;
	}
	v->quiet[i].due_ns = due_ns;
	if (due_ns < v->alarm_ns)
		pthread_cond_signal(&v->alarm);
}

void
tf_quiet_touch(struct tf_vault *v, uint64_t att)
{
	uint64_t quiet = v->settings.value[TF_QUIET] * TF_SECOND;

	if (quiet != 0 && att != 0)
		tf_quiet_due(v, att, tf_clock_boot_ns() + quiet);
}

bool
tf_quiet_over(const struct tf_vault *v, uint64_t att)
{
	size_t i = tf_quiet_place(v, att);

	return tf_quiet_is_there(v, i, att) &&
	    v->quiet[i].due_ns <= tf_clock_boot_ns();
}

uint64_t
tf_quiet_next(const struct tf_vault *v, uint64_t now, uint64_t *next_ns)
{
	for (size_t i = 0; i < v->n_quiet; i++) {
		if (v->quiet[i].due_ns <= now)
			return v->quiet[i].att;
		if (v->quiet[i].due_ns < *next_ns)
			*next_ns = v->quiet[i].due_ns;
	}
	return 0;
}

/* Nothing more to do for it, unless something happened meanwhile. */
static void
forget(struct tf_vault *v, uint64_t att)
{
	size_t i;

	pthread_mutex_lock(&v->mu);
	if (tf_quiet_over(v, att)) {
		i = tf_quiet_place(v, att);
		memmove(v->quiet + i, v->quiet + i + 1,
		    (v->n_quiet - i - 1) * sizeof(*v->quiet));
		v->n_quiet--;
	}
	pthread_mutex_unlock(&v->mu);
}

void
tf_quiet_seal(struct tf_vault *v, uint64_t att)
{
	struct tf_seal_request r = { .id = att, .cause = "quiet" };
	struct tf_error e = { .code = TF_OK };
	bool any = false;
	enum tf_code rc = tf_holds_something(v, att, &any, &e);

	if (rc == TF_OK && any)
		rc = tf_seal_dir(v, &r, &e);
	/* Sealed (perhaps by somebody else), empty, or a draft attestation. */
	if (rc == TF_OK || rc == TF_NOTFOUND || rc == TF_DENIED) {
		forget(v, att);
		return;
	}
	if (rc != TF_BUSY)
		tf_vault_say(v, rc, "node %llu is quiet and not sealed yet: %s",
		    (unsigned long long)att, e.text);
	pthread_mutex_lock(&v->mu);
	if (tf_quiet_over(v, att))
		tf_quiet_touch(v, att); /* try again after as long */
	pthread_mutex_unlock(&v->mu);
}

/* --- at the start --------------------------------------------------------- */

struct scan {
	struct tf_vault *v;
	struct tf_db *db;
	struct tf_time newest; /* in the attestation that is looked at */
};

/* Something happened in att at that time, as the wall clock was. */
static void
happened(struct tf_vault *v, uint64_t att, struct tf_time at)
{
	uint64_t quiet = v->settings.value[TF_QUIET] * TF_SECOND, due;
	struct tf_time now = tf_clock_now();
	int64_t age_s = now.s - at.s - 1; /* at least: never too early */
	size_t i;

	if (age_s > 0 && (uint64_t)age_s >= v->settings.value[TF_QUIET])
		quiet = 0;
	else if (age_s > 0)
		quiet -= (uint64_t)age_s * TF_SECOND;
	due = tf_clock_boot_ns() + quiet;
	i = tf_quiet_place(v, att);
	if (!tf_quiet_is_there(v, i, att) || v->quiet[i].due_ns < due)
		tf_quiet_due(v, att, due);
}

/* A name born in a directory moves the directory's times. */
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

static void
look_at_live(void *arg, struct tf_live *l)
{
	happened(arg, l->att, l->attr.ctime);
}

enum tf_code
tf_quiet_start(struct tf_vault *v, struct tf_error *err)
{
	struct scan s = { .v = v };
	enum tf_code rc;

	if (v->settings.value[TF_QUIET] == 0)
		return TF_OK;
	if ((rc = tf_reader_db(v, &s.db, err)) != TF_OK)
		return rc;
	rc = tf_each_child(s.db, TF_ROOT_ID, look_for_open, &s, err);
	tf_reader_done(v, s.db);
	pthread_mutex_lock(&v->mu);
	tf_live_each(&v->live, look_at_live, v);
	pthread_mutex_unlock(&v->mu);
	return rc;
}
