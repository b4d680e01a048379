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
#include "../vault.h"
#include "idle.h"
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
