/*
 * The mark of a file that is entered while it grows: see stream.h.
 *
 * Its writer asks for it, because it binds him: what is entered can neither be
 * written again nor renamed.  A draft is refused, for it may be written again and
 * has no name that an entry could have.  Encrypted evidence is refused: its
 * bytes on disk change until the seal, and its content must not be entered in
 * clear digests.
 */
#include <pthread.h>
#include <string.h>
#include <sys/xattr.h>

#include "../commit/staged_secret.h"
#include "../ledger/policy.h"
#include "../node/base.h"
#include "../node/growth.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/refusal.h"
#include "../node/vault_i.h"
#include "../vault.h"
#include "stream.h"

/* Is the content of l secret, or will it be?  io is held. */
static enum tf_code
is_secret(struct tf_pending *l, bool *yes, struct tf_error *err)
{
	enum tf_code rc = tf_secret_expect(l, err);

	pthread_mutex_lock(&l->v->mu);
	*yes = l->secret || (l->size == 0 && !l->in_file && l->to != NULL);
	pthread_mutex_unlock(&l->v->mu);
	return rc;
}

/* io and mu are held: a write looks at the mark with io, all others with mu. */
static enum tf_code
mark(struct tf_pending *l, int flags, const struct tf_actor *who,
    struct tf_error *err)
{
	enum tf_code rc;

	if (l->failed != TF_OK)
		return tf_pending_failure(l, err);
	if (l->attr.state == TF_STATE_FROZEN ||
	    l->attr.state == TF_STATE_SEALED)
		return tf_sealed_refusal(TF_REQ_WRITE_OPEN, err);
	if (l->attr.state == TF_STATE_DRAFT || l->in_draft)
		return tf_fail(err, TF_DENIED,
		    "a draft is not entered while it grows: give it its name "
		    "first");
	if (l->writers == 0 || l->writer != who->uid)
		return tf_fail(err, TF_DENIED,
		    "only who has it open for writing marks it");
	if (l->growth != NULL && l->growth->over)
		return tf_fail(err, TF_BUSY,
		    "it was interrupted, and is marked again in a moment");
	if (l->growth != NULL)
		return (flags & XATTR_CREATE) != 0 ?
		    tf_fail(err, TF_EXISTS, "the attribute exists") :
		    TF_OK;
	if ((flags & XATTR_REPLACE) != 0)
		return tf_fail(err, TF_NODATA, "no such attribute");
	if ((rc = tf_growth_new(l, err)) == TF_OK)
		tf_growth_due(l, false);
	return rc;
}

enum tf_code
tf_stream_mark(struct tf_vault *v, uint64_t id, const void *value, size_t n,
    int flags, const struct tf_actor *who, struct tf_error *err)
{
	struct tf_pending *l;
	bool secret = false;
	enum tf_code rc;

	if (n != 1 || memcmp(value, "1", 1) != 0)
		return tf_fail(err, TF_INVALID, "its value is 1");
	if ((rc = tf_vault_writable(v, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL)
		tf_pending_ref(l);
	pthread_mutex_unlock(&v->mu);
	if (l == NULL)
		return tf_sealed_refusal(TF_REQ_WRITE_OPEN, err);
	tf_pending_lock(l);
	if (!tf_pending_is_file(l))
		rc = tf_fail(err, TF_DENIED, "only evidence grows");
	else
		rc = is_secret(l, &secret, err);
	if (rc == TF_OK && secret)
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "evidence of a trail with recipients is not entered while "
		    "it grows");
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK)
		rc = mark(l, flags, who, err);
	pthread_mutex_unlock(&v->mu);
	pthread_mutex_unlock(&l->io);
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	return rc;
}
