/* Entries in a transaction: their times and their place at the end (I1). */
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/entry_write.h"
#include "../ledger/merkle.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "append.h"
#include "commit.h"
#include "committer_i.h"
#include "withhold.h"

#define JUMP_NS 1000000000 /* wall against boot clock: a jump from here on */

enum tf_code
tf_commit_put_tile(void *arg, unsigned level, uint64_t n,
    const struct tf_hash *h, unsigned width, struct tf_error *err)
{
	return tf_tiles_put(arg, level, n, h, width, err);
}

/* Append an entry with the bytes body and the time at.  I1: at the end only. */
static enum tf_code
append_body(struct tf_txn *t, const struct tf_buf *body, struct tf_time at,
    struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_committer *c = t->v->commit;
	struct tf_hash h;
	enum tf_code rc;

	tf_entry_leaf(body->p, body->n, &h);
	rc = tf_entries_put(t->db, t->size, t->bytes, body->p, body->n, err);
	if (rc == TF_OK)
		rc = tf_tree_append(c->tree, &h, tf_commit_put_tile, t->db,
		    err);
	if (rc != TF_OK)
		return rc;
	t->size++;
	t->bytes += body->n + 1;
	t->at = at;
	if (leaf != NULL)
		*leaf = h;
	return TF_OK;
}

/* Does the trail of the entry want its texts apart? */
static enum tf_code
wants_apart(struct tf_txn *t, const struct tf_entry *e, bool *wants,
    struct tf_error *err)
{
	const char *end = memchr(e->path.p, '/', e->path.n);
	size_t n = end == NULL ? e->path.n : (size_t)(end - e->path.p);
	struct tf_node_row trail = { .attr = { .id = 0 } };
	enum tf_code rc = tf_nodes_find(t->db, TF_ROOT_ID, e->path.p, n, &trail,
	    err);

	/* A trail that is being made has no template yet. */
	if (rc == TF_NOTFOUND)
		rc = TF_OK;
	*wants = rc == TF_OK && tf_wished(t->v, trail.attr.id, TF_WISH_TEXTS);
	return rc;
}

/* Which entries keep their texts: those about no path; a seal, whose statement
 * was signed with the claims as they are; redactions, which show to everybody
 * why something is gone. */
static bool
may_withhold(const struct tf_txn *t, const struct tf_entry *e)
{
	return e->path.p != NULL && e->type != TF_ATTESTATION_SEALED &&
	    e->type != TF_REDACTION_PROPOSED && e->type != TF_REDACTION_DONE &&
	    (e->reason.p != NULL || e->to.p != NULL || e->claims.p != NULL ||
		e->imported.p != NULL) &&
	    tf_wishes_any(t->v, TF_WISH_TEXTS);
}

/* Put the texts of the entry apart, if its trail wants that. */
static enum tf_code
withhold(struct tf_txn *t, const struct tf_entry *e, struct tf_buf *body,
    struct tf_error *err)
{
	struct tf_withhold w = { 0 };
	struct tf_buf apart = { 0 };
	bool wants = may_withhold(t, e);
	enum tf_code rc = wants ? wants_apart(t, e, &wants, err) : TF_OK;

	if (rc != TF_OK || !wants)
		return rc;
	rc = tf_withhold_entry(&w, body->p, body->n, &apart, err);
	if (rc == TF_OK)
		rc = tf_entry_check(apart.p, apart.n, err);
	if (rc == TF_OK)
		rc = tf_withhold_keep(t, &w, err);
	if (rc == TF_OK) {
		tf_buf_free(body);
		*body = apart;
		apart = (struct tf_buf){ 0 };
	}
	tf_buf_free(&apart);
	tf_withhold_free(&w);
	return rc;
}

static enum tf_code
append_bytes(struct tf_txn *t, const struct tf_entry *e, struct tf_hash *leaf,
    struct tf_error *err)
{
	struct tf_buf body = { 0 };
	enum tf_code rc;

	t->wrote = true;
	if ((rc = tf_entry_encode(e, &body, err)) == TF_OK)
		rc = withhold(t, e, &body, err);
	if (rc == TF_OK)
		rc = append_body(t, &body, e->at, leaf, err);
	tf_buf_free(&body);
	return rc;
}

/* Set the entry's time: later than that of the entry before, and not before
 * t->not_before, even if the clock was set back. */
static void
stamp(struct tf_txn *t, struct tf_entry *e, struct tf_time now)
{
	struct tf_time at = now, least = tf_time_add_ns(t->at, 1);

	if (t->size > 0 && tf_time_cmp(at, least) < 0)
		at = least;
	if (tf_time_cmp(at, t->not_before) < 0)
		at = t->not_before;
	e->v = TF_ENTRY_VERSION;
	e->seq = t->size;
	e->origin = (struct tf_str){ t->v->origin, strlen(t->v->origin) };
	e->at = at;
	e->has_clock = tf_time_cmp(at, now) != 0;
	e->clock = now;
	e->has_batch = t->batch;
	e->batch_first = t->batch_first;
	e->batch_last = t->batch_last;
}

static int64_t
ns_between(struct tf_time a, struct tf_time b)
{
	return (b.s - a.s) * 1000000000 + (int64_t)b.ns - (int64_t)a.ns;
}

void
tf_txn_doubt_clock(struct tf_vault *v, struct tf_time last)
{
	const struct tf_time now = tf_clock_now();
	struct tf_clock_state state;
	char here[TF_TIME_LEN + 1], there[TF_TIME_LEN + 1];

	tf_time_text(now, here);
	tf_time_text(last, there);
	if (ns_between(now, last) > JUMP_NS)
		tf_vault_say(v, TF_INDOUBT,
		    "the clock says %s, and the last entry was at %s: one of "
		    "them is wrong; new entries keep their order and note the "
		    "clock",
		    here, there);
	tf_clock_state(&state);
	if (v->mount != NULL && state.known && !state.synchronised)
		tf_vault_say(v, TF_INDOUBT,
		    "the kernel reports that the clock is not synchronised: "
		    "times of entries are only as good as this clock");
}

/* Append clock.jumped if the clock was set since the last entry. */
static enum tf_code
watch_clock(struct tf_txn *t, struct tf_time now, struct tf_error *err)
{
	struct tf_committer *c = t->v->commit;
	uint64_t boot = tf_clock_boot_ns();
	struct tf_entry e = { .type = TF_CLOCK_JUMPED };
	struct tf_clock_seen last = c->seen;
	int64_t off = 0;

	if (last.known)
		off = ns_between(last.clock, now) -
		    (int64_t)(boot - last.boot_ns);
	if (last.known)
		e.expected = tf_time_add_ns(last.clock, boot - last.boot_ns);
	c->seen = (struct tf_clock_seen){ true, now, boot };
	if (!last.known || (off <= JUMP_NS && off >= -JUMP_NS))
		return TF_OK;
	stamp(t, &e, now);
	return append_bytes(t, &e, NULL, err);
}

enum tf_code
tf_txn_append(struct tf_txn *t, struct tf_entry *e, struct tf_hash *leaf,
    struct tf_error *err)
{
	struct tf_time now = tf_clock_now();
	enum tf_code rc;

	if (!t->batch && (rc = watch_clock(t, now, err)) != TF_OK)
		return rc;
	stamp(t, e, now);
	return append_bytes(t, e, leaf, err);
}

enum tf_code
tf_txn_append_prepared(struct tf_txn *t, const struct tf_prepared_entry *p,
    const uint64_t *grown, struct tf_error *err)
{
	struct tf_time now = tf_clock_now();
	struct tf_entry e = { .has_grown = grown != NULL,
		.grown = grown == NULL ? 0 : *grown };
	enum tf_code rc;

	t->wrote = true;
	if (!t->batch && (rc = watch_clock(t, now, err)) != TF_OK)
		return rc;
	stamp(t, &e, now);
	/* The buffer is reused, but an earlier lack of memory must not be. */
	t->body.n = 0;
	t->body.failed = false;
	if ((rc = tf_entry_complete(p, &e, &t->body, err)) == TF_OK)
		rc = append_body(t, &t->body, e.at, NULL, err);
	return rc;
}

enum tf_code
tf_txn_batch(struct tf_txn *t, uint64_t n, struct tf_error *err)
{
	enum tf_code rc = watch_clock(t, tf_clock_now(), err);

	if (rc != TF_OK)
		return rc;
	t->batch = true;
	t->batch_first = t->size;
	t->batch_last = t->size + n - 1;
	return TF_OK;
}

void
tf_txn_batch_end(struct tf_txn *t)
{
	t->batch = false;
}
