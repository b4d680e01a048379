/* A pending node: its memory, its failure and its writers. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/cipher.h"
#include "../ledger/name.h"
#include "descriptors.h"
#include "chunked.h"
#include "encrypted.h"
#include "growth.h"
#include "interruption.h"
#include "pending.h"
#include "pending_index.h"
#include "quota.h"
#include "secret.h"
#include "secrets.h"
#include "text.h"
#include "vault_i.h"

struct tf_pending *
tf_pending_new(struct tf_vault *v, const struct tf_attr *attr, const char *name,
    size_t n)
{
	struct tf_pending *l = calloc(1, sizeof(*l));

	if (l == NULL || n > TF_NAME_MAX ||
	    (l->name = strndup(name, n)) == NULL) {
		free(l);
		return NULL;
	}
	l->uids = l->few;
	l->v = v;
	l->refs = 1;
	l->attr = *attr;
	l->name_len = n;
	l->fd = -1;
	(void)pthread_mutex_init(&l->io, NULL);
	/* The id is unique, so a mix of it balances well enough. */
	l->priority = (uint32_t)((attr->id * 0xd6e8feb86659fd93u) >> 32);
	return l;
}

void
tf_pending_ref(struct tf_pending *l)
{
	l->refs++;
}

void
tf_pending_unref(struct tf_pending *l)
{
	if (l == NULL || --l->refs > 0)
		return;
	if (l->fd >= 0)
		(void)close(l->fd); /* what counts was synced before */
	tf_descriptor_give_locked(l);
	tf_quota_charge(l, 0);
	if (l->mem != NULL)
		l->v->unsaved -= l->mem_cap;
	if (l->secret && l->mem != NULL)
		tf_wipe(l->mem, l->mem_cap);
	free(l->mem);
	tf_secret_free(l->key);
	tf_recipients_unref(l->to);
	tf_encrypted_free(l->encrypted);
	tf_chunked_free(l->chunked);
	if (l->secret)
		tf_secrets_give(l->v);
	tf_text_unref(l->actor);
	if (l->uids != l->few)
		free(l->uids);
	free(l->failure);
	free(l->name);
	free(l->meant);
	tf_interruption_free(l->interruption);
	tf_growth_free(l);
	tf_buf_free(&l->xattrs);
	if (l->hash != NULL)
		tf_sha256_free(l->hash->sha);
	free(l->hash);
	(void)pthread_mutex_destroy(&l->io);
	free(l);
}

void
tf_pending_set_failed(struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e)
{
	if (l->failed != TF_OK)
		return;
	l->failed = rc;
	l->recorded = false; /* a draft that was written again */
	if ((l->failure = malloc(sizeof(*e))) != NULL) {
		*l->failure = *e;
		l->failure->code = rc;
	}
	tf_pending_index(l);
}

enum tf_code
tf_pending_failure(const struct tf_pending *l, struct tf_error *err)
{
	if (l->failure != NULL)
		return tf_fail_as(err, l->failure);
	errno = 0; /* of another failure */
	return tf_fail(err, l->failed, "what was written of it is lost");
}

enum tf_code
tf_pending_note_writer(struct tf_pending *l, uint32_t uid, struct tf_error *err)
{
	unsigned i;

	for (i = 0; i < l->n_uids && l->uids[i] != uid; i++)
		;
	if (i < l->n_uids)
		return TF_OK;
	if (i == TF_WRITERS_MAX)
		return tf_fail(err, TF_DENIED,
		    "more than %d users wrote this file", TF_WRITERS_MAX);
	if (i == sizeof(l->few) / sizeof(l->few[0]) && l->uids == l->few) {
		l->uids = malloc(TF_WRITERS_MAX * sizeof(l->few[0]));
		if (l->uids == NULL) {
			l->uids = l->few;
			return tf_nomem(err);
		}
		memcpy(l->uids, l->few, sizeof(l->few));
	}
	for (; i > 0 && l->uids[i - 1] > uid; i--)
		l->uids[i] = l->uids[i - 1];
	l->uids[i] = uid;
	l->n_uids++;
	return TF_OK;
}

static int
by_id(const void *a, const void *b)
{
	const struct tf_pending *x = *(struct tf_pending *const *)a;
	const struct tf_pending *y = *(struct tf_pending *const *)b;

	return (x->attr.id > y->attr.id) - (x->attr.id < y->attr.id);
}

void
tf_pending_sort(struct tf_pending **l, size_t n)
{
	if (n > 1)
		qsort(l, n, sizeof(struct tf_pending *), by_id);
}
