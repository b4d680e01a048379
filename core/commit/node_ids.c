/* Numbers of nodes, reserved in blocks. */
#include <pthread.h>

#include "../node/vault_i.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "commit.h"
#include "committer_i.h"
#include "node_ids.h"
#include "queue.h"

/* Reserve a block of ids durably, so that none is used again after a crash. */
static enum tf_code
reserve_ids(struct tf_txn *t, uint64_t *first, struct tf_error *err)
{
	uint64_t used, next;
	enum tf_code rc = tf_meta_get_int(t->db, "next_id", &next, err);

	if (rc == TF_OK)
		rc = tf_nodes_max_id(t->db, &used, err);
	if (rc != TF_OK)
		return rc;
	/* The stored value may have been altered: never reuse an id in use. */
	if (next <= used)
		next = used + 1;
	rc = tf_meta_set_int(tf_txn_write(t), "next_id", next + TF_ID_BLOCK,
	    err);
	if (rc == TF_OK)
		*first = next;
	return rc;
}

enum tf_code
tf_txn_new_id(struct tf_txn *t, uint64_t *id, struct tf_error *err)
{
	struct tf_committer *c = t->v->commit;
	enum tf_code rc;

	if (c->next_id == c->end_id) {
		if ((rc = reserve_ids(t, &c->next_id, err)) != TF_OK)
			return rc;
		c->end_id = c->next_id + TF_ID_BLOCK;
	}
	*id = c->next_id++;
	return TF_OK;
}

static enum tf_code
reserve_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	return reserve_ids(t, arg, err);
}

enum tf_code
tf_vault_new_id(struct tf_vault *v, uint64_t *id, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	uint64_t first;

	pthread_mutex_lock(&v->mu);
	while (rc == TF_OK && v->next_id == v->end_id) {
		if (v->reserving) {
			tf_vault_wait(v);
			continue;
		}
		v->reserving = true;
		pthread_mutex_unlock(&v->mu);
		rc = tf_commit_wait(v->commit, reserve_run, &first, err);
		pthread_mutex_lock(&v->mu);
		v->reserving = false;
		if (rc == TF_OK) {
			v->next_id = first;
			v->end_id = first + TF_ID_BLOCK;
		}
		pthread_cond_broadcast(&v->changed);
	}
	if (rc == TF_OK)
		*id = v->next_id++;
	pthread_mutex_unlock(&v->mu);
	return rc;
}
