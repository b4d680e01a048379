/* Claims of pending nodes: see claim.h. */
#include <pthread.h>

#include "claim.h"
#include "pending.h"
#include "pending_index.h"
#include "pending_table.h"
#include "quota.h"
#include "vault_i.h"

void
tf_pending_wait(struct tf_vault *v, struct tf_pending *l)
{
	while (l->job)
		tf_vault_wait(v);
}

bool
tf_pending_claim(struct tf_vault *v, struct tf_pending *l)
{
	tf_pending_ref(l);
	tf_pending_wait(v, l);
	if (l->attr.state == TF_STATE_SEALED || l->unlinked) {
		tf_pending_unref(l);
		return false;
	}
	l->job = true;
	return true;
}

void
tf_pending_unclaim(struct tf_vault *v, struct tf_pending *l)
{
	l->job = false;
	tf_pending_index(l);
	pthread_cond_broadcast(&v->changed);
	tf_pending_unref(l);
}

void
tf_pending_leave(struct tf_vault *v, struct tf_pending *l)
{
	l->attr.state = TF_STATE_SEALED;
	l->saved = false;
	tf_quota_charge(l, 0);
	/* From now on its row is seen, which has the time of its entry. */
	if (!tf_pending_is_file(l))
		tf_vault_changed(v, l->attr.id);
	if (tf_pending_remove(&v->pending, l))
		tf_pending_unref(l); /* the reference of the table */
}

enum tf_code
tf_pending_fail(struct tf_pending *l, enum tf_code rc, const struct tf_error *e,
    struct tf_error *err)
{
	pthread_mutex_lock(&l->v->mu);
	tf_pending_set_failed(l, rc, e);
	pthread_mutex_unlock(&l->v->mu);
	if (err != NULL)
		*err = *e;
	return rc;
}
