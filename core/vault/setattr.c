/*
 * Metadata: chmod, chown, utimens, truncate by path.  Changes of a file stay
 * in memory until it is sealed, a flush writes its row or the vault is closed;
 * a crash before loses them, as other file systems lose metadata without
 * fsync.  A draft attestation is treated like a file.  A change of any other
 * attestation, a trail or a workflow is a ledger entry at once, and durable
 * when the call returns (I4).  dir_mode.c changes directories.
 *
 * tf_vault_setattr() looks at the attributes without a lock, to choose the
 * way.  Each way then decides under vault.mu with a claim, or in its
 * transaction, so a node that was sealed in between is refused there.
 */
#include <pthread.h>

#include "../ledger/policy.h"
#include "../node/actor.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/closed.h"
#include "../node/freeze.h"
#include "../node/idle.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/user_data.h"
#include "../node/vault_i.h"
#include "../seal/close_dir.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "dir_mode.h"
#include "evidence_access.h"
#include "file_write.h"
#include "setattr.h"

#define WRITE_BITS 0222u

/* --- files ------------------------------------------------------------------ */

/* Would this change anything but the size? */
static bool
changes(const struct tf_attr *a, unsigned mask, const struct tf_attr *want)
{
	return ((mask & TF_SET_MODE) != 0 && (want->mode & 07777) != a->mode) ||
	    ((mask & TF_SET_UID) != 0 && want->uid != a->uid) ||
	    ((mask & TF_SET_GID) != 0 && want->gid != a->gid) ||
	    ((mask & TF_SET_MTIME) != 0 &&
		(tf_time_is_now(want->mtime) ||
		    tf_time_cmp(want->mtime, a->mtime) != 0));
}

/* Change a pending file; mu held, l claimed. */
static enum tf_code
set_file(struct tf_pending *l, unsigned mask, const struct tf_attr *want,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_subject s = tf_pending_subject(l, who->uid);
	enum tf_code rc;

	if (!changes(&l->attr, mask, want))
		return TF_OK;
	rc = tf_policy(&s, TF_REQ_SETMETA, who->uid);
	if (rc != TF_OK)
		return tf_refusal(rc, &s, TF_REQ_SETMETA, l->name, err);
	tf_attr_apply(&l->attr, mask, want);
	tf_quota_charge(l, l->size);
	tf_quota_recount(l);
	tf_idle_touch(l->v, l->att);
	l->stale = true;
	if (l->attr.state == TF_STATE_FROZEN)
		tf_pending_freeze(l);
	return TF_OK;
}

/* truncate(2): only for drafts, since no release would freeze the result. */
static enum tf_code
set_path_size(struct tf_vault *v, const struct tf_attr *a, uint64_t size,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_subject s = { .kind = a->kind,
		.state = a->state,
		.size = a->size,
		.uid = a->uid };
	enum tf_code rc;

	if (a->kind != TF_KIND_EVIDENCE)
		return tf_fail(err, TF_ISDIR, "is a directory");
	if (size == a->size)
		return TF_OK;
	/* First the size that no file can have, whatever the file is. */
	if (size > a->size && (rc = tf_size_check(v, size, err)) != TF_OK)
		return rc;
	rc = tf_policy(&s, TF_REQ_TRUNCATE_PATH, who->uid);
	if (rc != TF_OK)
		return tf_fail(err, rc, "truncate: %s",
		    tf_policy_advice(&s, TF_REQ_TRUNCATE_PATH));
	return tf_path_set_size(v, a->id, size, who, err);
}

/* --- the upper levels ---------------------------------------------------------- */

/* Would this open a closed directory again, though its mode stays? */
static bool
opens_again(struct tf_vault *v, uint64_t id, unsigned mask,
    const struct tf_attr *want)
{
	bool closed;

	pthread_mutex_lock(&v->mu);
	closed = tf_is_closed(v, id);
	pthread_mutex_unlock(&v->mu);
	return closed && (mask & TF_SET_MODE) != 0 &&
	    (want->mode & WRITE_BITS) != 0;
}

/* Change a trail, workflow or attestation by an entry.  No lock is held. */
static enum tf_code
set_directory(struct tf_vault *v, const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err)
{
	mask &= ~TF_SET_MTIME; /* times follow the entries */
	if (!changes(a, mask, want) && !opens_again(v, a->id, mask, want))
		return TF_OK;
	return tf_change_access(v, a->id, mask, want, who, err);
}

/* --- what follows an attestation ------------------------------------------------- */

struct followers {
	struct tf_vault *v;
};

static bool
live_follows(void *arg, struct tf_pending *l)
{
	struct followers *f = arg;

	if (l->attr.kind == TF_KIND_DIRECTORY)
		tf_vault_changed(f->v, l->attr.id);
	return true;
}

static void
row_follows(void *arg, uint64_t id)
{
	struct followers *f = arg;

	tf_vault_changed(f->v, id);
}

/* Tell the kernel that the directories below att look different. */
static void
tell_followers(struct tf_vault *v, const struct tf_attr *att)
{
	const uint64_t part[] = { att->parent, att->id, TF_PENDING_DIRECTORY };
	struct followers f = { .v = v };
	struct tf_error e;
	struct tf_db *db;
	enum tf_code rc;

	if (v->on_change == NULL)
		return;
	/* Pending ones first: the rows have those that are sealed then. */
	pthread_mutex_lock(&v->mu);
	tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION, part, 3,
	    live_follows, &f);
	pthread_mutex_unlock(&v->mu);
	if ((rc = tf_reader_db(v, &db, &e)) == TF_OK) {
		rc = tf_nodes_dirs(db, att->id, row_follows, &f, &e);
		tf_reader_done(v, db);
	}
	if (rc != TF_OK)
		tf_vault_say(v, rc,
		    "directories below node %llu may look as before for a "
		    "moment: %s",
		    (unsigned long long)att->id, e.text);
}

/* --- sealed evidence ------------------------------------------------------------- */

/*
 * An equal value is accepted, because tools such as cp -p and rsync set what
 * is there already.
 */
static enum tf_code
set_sealed(struct tf_vault *v, const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err)
{
	if (!changes(a, mask, want))
		return TF_OK;
	if (!tf_evidence_only_access(a, mask, want))
		return tf_sealed_refusal(TF_REQ_SETMETA, err);
	return tf_evidence_set_access(v, a->id, mask, want, who, err);
}

/* --- either ---------------------------------------------------------------------- */

/* Change a pending node; *done: it was one.  Takes mu. */
static enum tf_code
set_pending(struct tf_vault *v, uint64_t id, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who, bool *done,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	struct tf_pending *l;

	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL && l->unlinked) {
		tf_attr_apply(&l->attr, mask, want); /* fchmod, no name */
		*done = true;
		pthread_mutex_unlock(&v->mu);
		return TF_OK;
	}
	*done = l != NULL && tf_pending_claim(v, l);
	if (*done) {
		if (tf_pending_is_file(l))
			rc = set_file(l, mask, want, who, err);
		else if (l->attr.kind == TF_KIND_ATTESTATION &&
		    changes(&l->attr, mask & ~TF_SET_MTIME, want)) {
			tf_attr_apply(&l->attr, mask & ~TF_SET_MTIME, want);
			l->stale = true;
		}
		tf_pending_unclaim(v, l);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_vault_setattr(struct tf_vault *v, uint64_t id, struct tf_file *file,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err)
{
	unsigned rest = mask & ~TF_SET_SIZE;
	bool done = false;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	/* The entry will have these names, now or when the file is sealed. */
	if ((rest & (TF_SET_MODE | TF_SET_UID | TF_SET_GID)) != 0) {
		tf_vault_learn(v, who->uid, who->gid);
		tf_vault_learn(v, rest & TF_SET_UID ? want->uid : a.uid,
		    rest & TF_SET_GID ? want->gid : a.gid);
	}
	if (a.kind != TF_KIND_EVIDENCE &&
	    changes(&a, rest & ~TF_SET_MTIME, want) &&
	    (rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) != TF_OK)
		return rc;
	if ((mask & TF_SET_SIZE) != 0)
		rc = file != NULL ? tf_file_set_size(file, want->size, err) :
				    set_path_size(v, &a, want->size, who, err);
	if (rc == TF_OK && rest != 0)
		rc = set_pending(v, id, rest, want, who, &done, err);
	if (rc == TF_OK && rest != 0 && !done) {
		if (a.kind == TF_KIND_EVIDENCE)
			rc = set_sealed(v, &a, rest, want, who, err);
		else if (a.kind == TF_KIND_DIRECTORY)
			rc = TF_OK; /* below */
		else
			rc = set_directory(v, &a, rest, want, who, err);
	}
	if (rc == TF_OK && a.kind == TF_KIND_DIRECTORY && !a.unlinked &&
	    (rest & TF_SET_MODE) != 0 && (want->mode & 07777) != a.mode &&
	    (rc = tf_dir_mode_allowed(&a, who, err)) == TF_OK)
		rc = tf_dir_mode_set(v, id, want->mode, who, err);
	if (rc == TF_OK && a.kind == TF_KIND_ATTESTATION &&
	    changes(&a, rest & ~TF_SET_MTIME, want))
		tell_followers(v, &a);
	if (rc == TF_OK && a.kind == TF_KIND_ATTESTATION &&
	    (rest & TF_SET_UID) != 0) {
		pthread_mutex_lock(&v->mu);
		tf_user_data_move(v, id, want->uid);
		pthread_mutex_unlock(&v->mu);
	}
	return rc == TF_OK ? tf_vault_getattr(v, id, out, err) : rc;
}

enum tf_code
tf_path_set_size(struct tf_vault *v, uint64_t id, uint64_t size,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_file *f;
	enum tf_code rc = tf_vault_open_write(v, id, false, who, &f, err);

	if (rc != TF_OK)
		return rc;
	f->by_path = true;
	rc = tf_file_set_size(f, size, err);
	tf_file_release(f);
	return rc;
}
