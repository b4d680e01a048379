/*
 * Idle attestations: those below which no node was created, closed, renamed,
 * deleted or changed for TF_IDLE seconds.  v->idle holds, for each attestation
 * that has changed, the time at which it becomes idle.  Every change moves that
 * time, and the sealer wakes at the earliest.  An attestation without changes
 * is not in the list, so it is never sealed for being idle.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../vault.h"
#include "idle.h"
#include "vault_i.h"

static int
by_attestation(const void *key, const void *item)
{
	uint64_t att = *(const uint64_t *)key;
	const struct tf_idle *idle = item;

	return (att > idle->att) - (att < idle->att);
}

size_t
tf_idle_place(const struct tf_vault *v, uint64_t att)
{
	return tf_array_place(v->idle, v->n_idle, sizeof(*v->idle), &att,
	    by_attestation);
}

bool
tf_idle_is_there(const struct tf_vault *v, size_t i, uint64_t att)
{
	return i < v->n_idle && v->idle[i].att == att;
}

void
tf_idle_due(struct tf_vault *v, uint64_t att, uint64_t due_ns)
{
	size_t i = tf_idle_place(v, att);

	if (!tf_idle_is_there(v, i, att)) {
		if (!tf_array_room(&v->idle, v->n_idle, &v->cap_idle,
			sizeof(*v->idle)))
			return;
		memmove(v->idle + i + 1, v->idle + i,
		    (v->n_idle - i) * sizeof(*v->idle));
		v->n_idle++;
		v->idle[i].att = att;
		v->idle[i].later = false;
	}
	v->idle[i].due_ns = due_ns;
	if (due_ns < v->alarm_ns)
		pthread_cond_signal(&v->alarm);
}

void
tf_idle_touch(struct tf_vault *v, uint64_t att)
{
	uint64_t idle = v->settings.value[TF_IDLE] * TF_SECOND;

	if (idle != 0 && att != 0)
		tf_idle_due(v, att, tf_clock_boot_ns() + idle);
}

bool
tf_idle_over(const struct tf_vault *v, uint64_t att)
{
	size_t i = tf_idle_place(v, att);

	return tf_idle_is_there(v, i, att) &&
	    v->idle[i].due_ns <= tf_clock_boot_ns();
}

uint64_t
tf_idle_next(const struct tf_vault *v, uint64_t now, uint64_t *next_ns)
{
	for (size_t i = 0; i < v->n_idle; i++) {
		if (v->idle[i].later)
			continue;
		if (v->idle[i].due_ns <= now)
			return v->idle[i].att;
		if (v->idle[i].due_ns < *next_ns)
			*next_ns = v->idle[i].due_ns;
	}
	return 0;
}
