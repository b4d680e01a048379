/*
 * Recovery.  A row of stage has the size and the digest that a flush promised.
 * If the surviving bytes match, the file is sealed with the cause "recovery".
 * If not, what survived becomes a draft, and an entry records that.  Every
 * step is a transaction, so after a crash in here the next start does the same
 * again.
 *
 * tf_recover() goes over all rows several times, because each step needs that
 * the one before has ended for all of them: load every row, so that parents
 * are there; rename those that gave up their names, so that no two have one
 * name; find each one's place; decide about each file.  tf_orphans_remove()
 * comes last, when it is known which staged files belong to a node.  It deletes
 * nothing when a step before has failed.
 *
 * At most HASH_AT_START bytes are hashed before the mount serves.  The rest is
 * compared in the background, with `unchecked` set, and until then such a file
 * is not sealed.
 */
#include <pthread.h>
#include <stdlib.h>

#include "../commit/staged_secret.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/growth.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "grow.h"
#include "orphans.h"
#include "recover.h"
#include "recover_file.h"
#include "recover_rows.h"
#include "tend.h"

#define HASH_AT_START ((uint64_t)256 << 20) /* bytes */

/*
 * Finish l.  One file that cannot be finished does not keep the vault from
 * opening.  Only TF_NOMEM is returned; other failures are reported.
 */
static enum tf_code
finish_or_say(struct tf_found *f, struct tf_pending *l, bool dirty,
    struct tf_db *db, struct tf_error *err)
{
	struct tf_vault *v = f->v;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = l->secret ? tf_secret_address(l, &e) : TF_OK;

	/* Its seal finds the recipients, or says why it does not. */
	if (rc != TF_NOMEM)
		rc = tf_grow_found(l, db, &e);
	if (rc == TF_OK)
		rc = tf_recover_file(f, l, dirty, db, &e);
	if (rc == TF_OK)
		return TF_OK;
	if (rc == TF_NOMEM)
		return tf_fail_as(err, &e);
	/* Nobody may write to a file whose bytes could not be read. */
	pthread_mutex_lock(&v->mu);
	if (l->attr.state == TF_STATE_DRAFT)
		tf_pending_set_failed(l, rc, &e);
	pthread_mutex_unlock(&v->mu);
	tf_vault_say(v, rc,
	    "%.60s could not be recovered and is tried again: "
	    "%s",
	    l->name, e.text);
	return TF_OK;
}

enum tf_code
tf_recover(struct tf_vault *v, struct tf_error *err)
{
	struct tf_found f = { .v = v, .budget = HASH_AT_START };
	struct tf_db *db;
	size_t sealed = 0;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_recover_set_aside(v, db, err);
	if (rc == TF_OK)
		rc = tf_stage_each(db, tf_recover_load, &f, err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		rc = tf_recover_step_aside(f.l[i], db, err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		rc = tf_recover_place(v, db, f.l[i], err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		if (tf_pending_is_file(f.l[i])) {
			tf_vault_learn(v, f.l[i]->attr.uid, f.l[i]->attr.gid);
			rc = finish_or_say(&f, f.l[i], f.dirty[i], db, err);
			sealed += f.l[i]->attr.state == TF_STATE_SEALED &&
			    !tf_growth_in_doubt(f.l[i]);
		}
	if (rc == TF_OK)
		rc = tf_orphans_remove(v, db, err);
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < f.n; i++) {
		if (f.l[i]->attr.state != TF_STATE_SEALED)
			tf_quota_charge(f.l[i], f.l[i]->size);
		if (rc == TF_OK && f.l[i]->wants_check)
			tf_pending_tend_later(f.l[i]);
		tf_pending_unref(f.l[i]);
	}
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	free(f.l);
	free(f.dirty);
	if (rc == TF_OK && sealed > 0)
		tf_vault_say(v, TF_OK,
		    "%zu files that the last run had "
		    "accepted were sealed",
		    sealed);
	return rc;
}
