/*
 * Comparing sealed objects with their entries: see check.h.
 *
 * At most one comparison per object is under way: it is in v->checks from
 * begin() to end().  Another open of the object waits for that comparison, or
 * adds its node to it.  The results are sets of object numbers: v->checked has
 * the right ones, v->altered those whose wrong bytes a reader may have seen.
 * vault.mu guards the list and the sets; nobody holds mu while bytes are
 * hashed.
 *
 * The opening thread hashes a short object.  A background thread hashes a long
 * one, because an open must not take as long as reading a large file; so
 * tf_check_known() answers the reads until then.  The sets are in memory only:
 * each start of the vault compares anew, and a crash loses nothing.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/crypto.h"
#include "../commit/hasher.h"
#include "../node/background.h"
#include "../node/base.h"
#include "../node/damaged.h"
#include "../node/open_objects.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "../vault.h"
#include "check.h"

#define NOW ((uint64_t)1 << 20) /* bytes; the opener hashes up to that */

/* A comparison under way, found by the number of its object. */
struct tf_object_check {
	struct tf_object_check *next; /* guarded by vault.mu */
	struct tf_vault *v;
	struct tf_duty duty;
	uint64_t object;
	uint32_t uid;
	struct tf_object_row row;
	uint64_t *nodes; /* read meanwhile; guarded by vault.mu */
	size_t n_nodes;
};

static enum tf_code
altered(struct tf_error *err)
{
	return tf_fail(err, TF_TAMPER,
	    "the bytes are not what the entry says: run trailctl verify");
}

/* Ends a long comparison early: the vault closes, or the caller gave up. */
static bool
is_over(void *arg)
{
	struct tf_vault *v = arg;

	return atomic_load(&v->ending) || tf_vault_must_stop(v);
}

/*
 * Hash the object and compare size and digest with its row.  No lock is held.
 */
static enum tf_code
compare(struct tf_vault *v, const struct tf_object_row *o, uint32_t uid,
    struct tf_error *err)
{
	struct tf_patience p = { .is_over = is_over, .arg = v };
	struct tf_open_object held;
	uint64_t size = 0;
	struct tf_hash h;
	enum tf_code rc;

	/* Compare the very file that is read: its name may be another. */
	rc = tf_object_hold(&v->objects, &o->sha256, &held, err);
	if (rc != TF_OK)
		return rc;
	tf_vault_slow(v);
	rc = o->size <= NOW ?
	    tf_hash_fd(held.fd, &h, &size, err) :
	    tf_hash_whole(v->hasher, uid, held.fd, &p, &h, &size, err);
	tf_object_let_go(&v->objects, &held);
	if (rc == TF_OK &&
	    (size != o->size || memcmp(&h, &o->sha256, sizeof(h)) != 0))
		rc = altered(err);
	/* The next open may find it repaired. */
	if (rc != TF_OK && rc != TF_INTERRUPTED)
		tf_object_is_aside(&v->objects, &o->sha256);
	return rc;
}

/* mu is held. */
static struct tf_object_check *
find(struct tf_vault *v, uint64_t object)
{
	struct tf_object_check *c = v->checks;

	while (c != NULL && c->object != object)
		c = c->next;
	return c;
}

/* c is in no list any more, so no other thread can find it. */
static void
discard(struct tf_object_check *c)
{
	free(c->nodes);
	free(c);
}

/* The comparison of c ended with rc.  Once c is out of the list, no other
 * thread adds nodes to it.  why: what to report, or NULL when a caller does. */
static void
end(struct tf_object_check *c, enum tf_code rc, const struct tf_error *why)
{
	struct tf_vault *v = c->v;
	struct tf_object_check **at = &v->checks;

	pthread_mutex_lock(&v->mu);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (rc == TF_OK) {
		tf_bits_add(&v->checked, c->object);
		tf_bits_remove(&v->altered, c->object);
	} else if (rc == TF_TAMPER && c->n_nodes > 0) {
		tf_bits_add(&v->altered, c->object);
	}
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
	/* Of altered bytes, tf_damaged_file_add() reports the path. */
	if (why != NULL && rc != TF_OK && rc != TF_INTERRUPTED &&
	    rc != TF_TAMPER)
		tf_vault_say(v, rc, "node %llu: %s",
		    (unsigned long long)(c->n_nodes > 0 ? c->nodes[0] : 0),
		    why->text);
	for (size_t i = 0; i < c->n_nodes; i++) {
		if (rc == TF_OK)
			tf_damaged_file_remove(v, c->nodes[i]);
		if (rc == TF_TAMPER)
			tf_damaged_file_add(v, c->nodes[i]);
		if (rc == TF_TAMPER && v->on_altered != NULL)
			v->on_altered(v->arg, c->nodes[i]);
	}
	discard(c);
}

/*
 * The background thread has no caller to answer, so end() reports the result.
 */
static void
run(struct tf_duty *d)
{
	struct tf_object_check *c = (struct tf_object_check *)((char *)d -
	    offsetof(struct tf_object_check, duty));
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = compare(c->v, &c->row, c->uid, &e);

	end(c, rc, &e);
}

/* Note that node is read before the result is known: when the bytes are wrong,
 * the kernel must drop its pages.  So the open fails when there is no memory
 * for the note.  mu held. */
static enum tf_code
add_node(struct tf_object_check *c, uint64_t node, struct tf_error *err)
{
	uint64_t *p = realloc(c->nodes, (c->n_nodes + 1) * sizeof(*p));

	if (p == NULL)
		return tf_nomem(err);
	c->nodes = p;
	for (size_t i = 0; i < c->n_nodes; i++)
		if (p[i] == node)
			return TF_OK;
	p[c->n_nodes++] = node;
	return TF_OK;
}

enum tf_code
tf_check_known(struct tf_vault *v, uint64_t id, bool *pending,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	*pending = !tf_bits_has(&v->checked, id);
	if (tf_bits_has(&v->altered, id))
		rc = altered(err);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* Begin a comparison; mu is held. */
static enum tf_code
begin(struct tf_vault *v, uint64_t id, const struct tf_object_row *o,
    uint32_t uid, struct tf_object_check **out, struct tf_error *err)
{
	struct tf_object_check *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return tf_nomem(err);
	c->v = v;
	c->object = id;
	c->row = *o;
	c->uid = uid;
	c->duty.uid = uid;
	c->duty.run = run;
	c->next = v->checks;
	v->checks = c;
	*out = c;
	return TF_OK;
}

/* Compare in the background; mu is held. */
static enum tf_code
check_later(struct tf_vault *v, uint64_t id, const struct tf_object_row *o,
    uint64_t node, uint32_t uid, struct tf_error *err)
{
	struct tf_object_check *c = find(v, id);
	bool is_new = c == NULL;
	enum tf_code rc = TF_OK;

	if (is_new)
		rc = begin(v, id, o, uid, &c, err);
	if (rc == TF_OK)
		rc = add_node(c, node, err);
	if (rc == TF_OK && is_new) {
		tf_background_add(v->background, &c->duty);
	} else if (is_new && c != NULL) {
		v->checks = c->next;
		discard(c);
	}
	return rc;
}

enum tf_code
tf_check_object(struct tf_vault *v, uint64_t id, const struct tf_object_row *o,
    uint64_t node, uint32_t uid, bool *pending, struct tf_error *err)
{
	struct tf_object_check *c = NULL;
	enum tf_code rc = TF_OK;
	bool known, wait;

	*pending = false;
	pthread_mutex_lock(&v->mu);
	for (;;) {
		known = tf_bits_has(&v->checked, id);
		/* An altered object may have been repaired: wait for the
		 * result, even if it is long. */
		wait = o->size <= TF_CHECK_WAIT || tf_bits_has(&v->altered, id);
		if (known || rc != TF_OK || !wait || find(v, id) == NULL)
			break;
		rc = tf_vault_wait_long(v, err);
	}
	if (!known && rc == TF_OK && !wait) {
		*pending = true;
		rc = check_later(v, id, o, node, uid, err);
	} else if (!known && rc == TF_OK) {
		rc = begin(v, id, o, uid, &c, err);
	}
	pthread_mutex_unlock(&v->mu);
	if (c != NULL) {
		rc = compare(v, o, uid, err);
		end(c, rc, NULL);
	}
	return rc;
}
