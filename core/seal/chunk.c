/*
 * The digests of the chunks of a file: see chunk.h.
 *
 * The hasher could make them in the pass in which it follows the writer, but
 * then a close would wait for twice the work.  So they are made after the last
 * close, by a second pass over bytes that the page cache mostly still has.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../commit/hasher.h"
#include "../commit/staging.h"
#include "../ledger/entry.h"
#include "../node/base.h"
#include "../node/chunked.h"
#include "../node/pending.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "chunk.h"

static bool
never_over(void *arg)
{
	(void)arg;
	return false;
}

/* Does l need a list that it has not?  mu is held. */
static bool
is_wanted(const struct tf_pending *l)
{
	const struct tf_chunked *c = l->chunked;

	if (l->secret || l->attr.size <= l->entered ||
	    (l->entered == 0 &&
		(!l->in_file || l->attr.size <= TF_CHUNKED_BYTES)))
		return false;
	return c == NULL || !c->done || c->gen != l->gen ||
	    c->from != l->entered;
}

/* A list that must be made uses what is kept free for seals. */
static enum tf_code
make_list(struct tf_pending *l, uint64_t from, uint64_t to,
    const struct tf_patience *p, struct tf_chunk_list *out,
    struct tf_error *err)
{
	const struct tf_patience patient = { .is_over = never_over };
	struct tf_vault *v = l->v;
	enum tf_code rc = from > 0 ?
	    TF_OK :
	    tf_space_say(v, l->attr.uid,
		tf_chunks_entries(from, to) * TF_ENTRY_MAX, err);
	int fd = -1;

	if (rc != TF_OK)
		return rc;
	tf_pending_lock(l);
	rc = tf_content_open(l, &fd, err);
	pthread_mutex_unlock(&l->io);
	if (rc != TF_OK)
		return rc;
	tf_vault_slow(v);
	rc = tf_hash_chunks(v->hasher, l->attr.uid, fd, from, to,
	    p == NULL ? &patient : p, out, err);
	(void)close(fd);
	return rc;
}

/* May a file be sealed without a list after this failure? */
static bool
is_optional(enum tf_code rc)
{
	return rc == TF_NOSPACE || rc == TF_QUOTA || rc == TF_IO;
}

enum tf_code
tf_chunk(struct tf_pending *l, const struct tf_patience *p,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	struct tf_chunk_list list = { 0 };
	struct tf_vault *v = l->v;
	struct tf_chunked *c;
	uint64_t gen, from, to;
	enum tf_code rc;
	bool wanted;

	pthread_mutex_lock(&v->mu);
	while (l->chunked != NULL && l->chunked->making)
		pthread_cond_wait(&v->changed, &v->mu);
	gen = l->gen;
	from = l->entered;
	to = l->attr.size;
	wanted = is_wanted(l);
	if (wanted && l->chunked == NULL)
		l->chunked = calloc(1, sizeof(*l->chunked));
	c = l->chunked;
	if (wanted && c != NULL) {
		c->making = true;
		c->done = false;
	}
	pthread_mutex_unlock(&v->mu);
	if (!wanted)
		return TF_OK;
	if (c == NULL)
		return tf_nomem(err);
	rc = make_list(l, from, to, p, &list, &e);
	if (from == 0 && is_optional(rc)) {
		tf_vault_say(v, rc,
		    "node %llu is sealed without digests of its chunks: %s",
		    (unsigned long long)l->attr.id, e.text);
		list.n = 0;
		rc = TF_OK;
	}
	pthread_mutex_lock(&v->mu);
	tf_chunk_list_free(&c->list);
	c->list = list;
	c->gen = gen;
	c->from = from;
	c->done = rc == TF_OK;
	c->making = false;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
	return rc == TF_OK ? rc : tf_fail_as(err, &e);
}

const struct tf_chunk_list *
tf_chunk_result(const struct tf_pending *l)
{
	const struct tf_chunked *c = l->chunked;

	return c != NULL && c->done && c->gen == l->gen &&
		c->from == l->entered && c->list.n > 0 ?
	    &c->list :
	    NULL;
}
