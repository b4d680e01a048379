/* The list of closed directories: see closed.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "closed.h"
#include "freeze.h"
#include "vault_i.h"

bool
tf_is_closed(const struct tf_vault *v, uint64_t id)
{
	return tf_closed_find(v, id) != NULL;
}

enum tf_code
tf_closed_refuses(const struct tf_vault *v, uint64_t id, struct tf_error *err)
{
	return !tf_is_closed(v, id) ?
	    TF_OK :
	    tf_fail(err, TF_READONLY,
		"chmod closed this directory: until it is sealed, chmod u+w "
		"opens it");
}

enum tf_code
tf_closed_actor(const struct tf_vault *v, uint64_t id, char **out,
    struct tf_error *err)
{
	const struct tf_closed *c = tf_closed_find(v, id);

	if (c == NULL)
		return tf_fail(err, TF_NOTFOUND, "it is not closed");
	*out = strdup(c->actor);
	return *out != NULL ? TF_OK : tf_nomem(err);
}

void
tf_closed_forget(struct tf_vault *v, uint64_t id)
{
	for (size_t i = v->n_closed; i-- > 0;)
		if (v->closed[i].id == id || v->closed[i].wf == id)
			tf_closed_drop(v, &v->closed[i]);
}

void
tf_closed_free(struct tf_vault *v)
{
	while (v->n_closed > 0)
		tf_closed_drop(v, &v->closed[v->n_closed - 1]);
	free(v->closed);
}

struct tf_closed *
tf_closed_find(const struct tf_vault *v, uint64_t id)
{
	for (size_t i = 0; i < v->n_closed; i++)
		if (v->closed[i].id == id)
			return &v->closed[i];
	return NULL;
}

void
tf_closed_drop(struct tf_vault *v, struct tf_closed *c)
{
	free(c->actor);
	*c = v->closed[--v->n_closed];
}

bool
tf_closes(struct tf_vault *v, uint64_t id)
{
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = tf_is_closed(v, id);
	pthread_mutex_unlock(&v->mu);
	return yes;
}

uint64_t
tf_closed_next(const struct tf_vault *v, uint64_t now, uint64_t *next_ns)
{
	for (size_t i = 0; i < v->n_closed; i++) {
		if (v->closed[i].later)
			continue;
		if (v->closed[i].due_ns <= now)
			return v->closed[i].id;
		if (v->closed[i].due_ns < *next_ns)
			*next_ns = v->closed[i].due_ns;
	}
	return 0;
}

enum tf_code
tf_closed_reserve(struct tf_vault *v, size_t n, struct tf_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!tf_array_room(&v->closed, v->n_closed + i, &v->cap_closed,
			sizeof(*v->closed)))
			return tf_nomem(err);
	return TF_OK;
}

/* Settling starts again, but ends TF_SETTLE_MAX_S after the chmod. */
void
tf_closed_settle(struct tf_vault *v, struct tf_closed *c)
{
	uint64_t last_ns = c->first_ns + TF_SETTLE_MAX_S * TF_SECOND;

	c->due_ns = tf_clock_boot_ns() +
	    v->settings.value[TF_SETTLE] * TF_SECOND;
	if (c->due_ns > last_ns)
		c->due_ns = last_ns;
	if (c->due_ns < v->alarm_ns)
		pthread_cond_signal(&v->alarm);
}

/* Add directory a to v->closed, which has room.  Takes actor. */
void
tf_closed_add(struct tf_vault *v, const struct tf_attr *a, char *actor)
{
	struct tf_closed *c = &v->closed[v->n_closed++];

	*c = (struct tf_closed){ .id = a->id,
		.wf = a->kind == TF_KIND_ATTESTATION ? a->parent : 0,
		.actor = actor,
		.first_ns = tf_clock_boot_ns() };
	tf_closed_settle(v, c);
}
