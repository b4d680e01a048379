/*
 * Reading a pending file.  While a secret file is written, its writers read what
 * they wrote; from its freeze on everybody reads the age file that the seal
 * will name, which is made for the first reader if nobody has made it yet.
 */
#include <pthread.h>

#include "../node/attr.h"
#include "../node/encrypted.h"
#include "../node/pending.h"
#include "../node/vault_i.h"
#include "encrypt.h"
#include "pending_read.h"
#include "staging.h"

static bool
shows_encrypted(struct tf_pending *l)
{
	bool yes;

	pthread_mutex_lock(&l->v->mu);
	yes = tf_pending_shows_encrypted(l);
	pthread_mutex_unlock(&l->v->mu);
	return yes;
}

enum tf_code
tf_pending_read(struct tf_pending *l, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	bool encrypted = shows_encrypted(l);
	enum tf_code rc;

	*got = 0;
	if (encrypted && (rc = tf_encrypt(l, false, NULL, err)) != TF_OK)
		return rc;
	tf_pending_lock(l);
	rc = encrypted && l->encrypted != NULL ?
	    tf_encrypted_read(l, p, n, off, got, err) :
	    tf_content_read(l, p, n, off, got, err);
	pthread_mutex_unlock(&l->io);
	return rc;
}
