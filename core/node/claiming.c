/* Claims on their way into the database: see claiming.h. */
#include <pthread.h>
#include <stdlib.h>

#include "claiming.h"
#include "../base/array.h"
#include "vault_i.h"

enum tf_code
tf_claiming_begin(struct tf_vault *v, uint64_t att, uint64_t wf,
    struct tf_error *err)
{
	if (!tf_array_room(&v->claiming, v->n_claiming, &v->cap_claiming,
		sizeof(*v->claiming)))
		return tf_nomem(err);
	v->claiming[v->n_claiming++] = (struct tf_claiming){ att, wf };
	return TF_OK;
}

void
tf_claiming_end(struct tf_vault *v, uint64_t att)
{
	size_t i = 0;

	/* It is there: each end follows its begin. */
	while (v->claiming[i].att != att)
		i++;
	v->claiming[i] = v->claiming[--v->n_claiming];
	pthread_cond_broadcast(&v->changed);
}

bool
tf_claiming_below(const struct tf_vault *v, const struct tf_attr *dir)
{
	for (size_t i = 0; i < v->n_claiming; i++)
		if (v->claiming[i].att == dir->id ||
		    v->claiming[i].wf == dir->id)
			return true;
	return false;
}
