/* Whether a directory has content: see holds.h. */
#include <pthread.h>

#include "../store/nodes.h"
#include "base.h"
#include "holds.h"
#include "paths.h"
#include "pending.h"
#include "pending_index.h"
#include "vault_i.h"

static bool
note_file(void *arg, struct tf_pending *l)
{
	*(bool *)arg = tf_pending_is_file(l);
	return !*(bool *)arg;
}

/* True if attestation att holds an unsealed file; mu held. */
static bool
any_file(struct tf_vault *v, const struct tf_attr *att)
{
	uint64_t part[] = { att->parent, att->id, TF_PENDING_TO_SEAL };
	bool any = false;

	tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION, part, 3,
	    note_file, &any);
	part[2] = TF_PENDING_FILE;
	if (!any)
		tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION, part,
		    3, note_file, &any);
	return any;
}

enum tf_code
tf_holds_something(struct tf_vault *v, uint64_t id, bool *any,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_attr a;
	struct tf_db *db;
	size_t n = 0;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	if ((rc = tf_attr_of(v, db, id, &a, err)) == TF_OK)
		*any = any_file(v, &a);
	pthread_mutex_unlock(&v->mu);
	if (rc == TF_OK && !*any) {
		rc = tf_nodes_list(db, id, 0, &row, 1, &n, err);
		*any = n > 0;
	}
	tf_reader_done(v, db);
	return rc;
}
