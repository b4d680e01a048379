/*
 * Retention and holds: the entries retention.set, hold.placed and
 * hold.released, with their rows.
 *
 * Whatever another change can make untrue is checked in the transaction: the
 * owner of the trail, whether a hold stands, which retention is in force.  The
 * row is written in the transaction of its entry, so after a crash both are
 * there or neither.
 */
#include <stdlib.h>
#include <string.h>

#include "../asker.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/field_text.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/load_entry.h"
#include "../node/protection.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "protect.h"
#include "reason.h"

/* The time of the ledger, that the next entry will have at least.  A clock that
 * was set back makes no retention look longer than it is. */
static struct tf_time
txn_now(const struct tf_txn *t)
{
	struct tf_time now = tf_time_clamp(tf_clock_now());

	return tf_time_cmp(now, t->at) < 0 ? t->at : now;
}

/* Read the row of id.  Only those who administer its trail may go on; for the
 * root directory, those who administer that. */
static enum tf_code
check_owner(struct tf_txn *t, uint64_t id, const struct tf_actor *who,
    struct tf_node_row *out, struct tf_error *err)
{
	struct tf_node_row top;
	enum tf_code rc = tf_nodes_get(t->db, id, out, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_BUSY, "it is not in the ledger yet");
	top = *out;
	while (rc == TF_OK && top.attr.kind > TF_KIND_TRAIL)
		rc = tf_nodes_get(t->db, top.attr.parent, &top, err);
	if (rc == TF_OK && !tf_may_administer(who, top.attr.uid))
		return tf_fail(err, TF_DENIED,
		    "only the owner of the %s, members of admins= and "
		    "root may",
		    top.attr.kind == TF_KIND_ROOT ? "vault's root directory" :
						    "trail");
	return rc;
}

/* Append the entry and put its row. */
static enum tf_code
append(struct tf_txn *t, struct tf_entry *e, struct tf_definition_row *row,
    struct tf_error *err)
{
	enum tf_code rc = tf_txn_path(t, row->node, &e->path, err);

	if (rc == TF_OK)
		rc = tf_txn_append(t, e, NULL, err);
	row->entry = t->size - 1;
	return rc == TF_OK ? tf_definitions_put(tf_txn_write(t), row, err) : rc;
}

/* What both requests do around their transaction. */
static enum tf_code
commit(struct tf_vault *v, uint64_t id, enum tf_kind least,
    const struct tf_actor *who, const char **to,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err)
{
	char *actor = NULL;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (a.kind < least || a.kind > TF_KIND_ATTESTATION)
		return tf_fail(err, TF_UNSUPPORTED,
		    "that is for %strails, workflows and attestations",
		    least == TF_KIND_ROOT ? "the root, " : "");
	if ((rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) != TF_OK)
		return rc;
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_actor_text(who, &actor, err)) != TF_OK)
		return rc;
	*to = actor;
	rc = tf_commit_wait(v->commit, run, arg, err);
	free(actor);
	return rc;
}

/* --- holds ------------------------------------------------------------------ */

struct hold {
	uint64_t id;
	const struct tf_actor *who;
	bool place;
	struct tf_str name, reason;
	const char *actor;
};

static enum tf_code
hold_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct hold *h = arg;
	struct tf_entry e = { .type = h->place ? TF_HOLD_PLACED :
						 TF_HOLD_RELEASED,
		.actor = tf_str_of(h->actor),
		.hold = h->name,
		.reason = h->reason };
	struct tf_definition_row row = { .node = h->id,
		.kind = TF_ROW_HOLD,
		.name = h->name };
	struct tf_node_row node;
	enum tf_code rc = check_owner(t, h->id, h->who, &node, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_get(t->db, &row, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (row.version % 2 != 0 && h->place)
		return tf_fail(err, TF_EXISTS, "the hold stands already");
	if (row.version % 2 == 0 && !h->place)
		return tf_fail(err, TF_NODATA, "no such hold stands there");
	row.version++;
	row.object = 0;
	return append(t, &e, &row, err);
}

enum tf_code
tf_vault_hold(struct tf_vault *v, uint64_t id, bool place, const char *hold,
    const char *reason, size_t n, const struct tf_actor *who,
    struct tf_error *err)
{
	struct hold h = { .id = id,
		.who = who,
		.place = place,
		.name = tf_str_of(hold),
		.reason = { reason, n } };
	enum tf_code rc;

	if (h.name.n > TF_HOLD_NAME_MAX || !tf_text_hold_ok(h.name.p, h.name.n))
		return tf_fail(err, TF_INVALID,
		    "the name of a hold begins with a letter or digit and has "
		    "only A-Za-z0-9._- (at most %d)",
		    TF_HOLD_NAME_MAX);
	rc = tf_reason_check("a hold", h.reason, err);
	return rc == TF_OK ?
	    commit(v, id, TF_KIND_ROOT, who, &h.actor, hold_run, &h, err) :
	    rc;
}

/* --- retention -------------------------------------------------------------- */

struct retain {
	uint64_t id;
	const struct tf_actor *who;
	struct tf_retention_ref ref;
	struct tf_retention asked;
	const char *actor;
};

/* Does entry seq ask for the same, in the same words? */
static enum tf_code
has_same_words(struct tf_db *db, uint64_t seq, const struct tf_retention_ref *r,
    bool *same, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	const struct tf_retention_ref *o = &d.e.retention;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(db, seq, &body, &d, err);

	*same = rc == TF_OK && tf_str_same(o->period, r->period) &&
	    tf_str_same(o->mode, r->mode) && tf_str_same(o->rule, r->rule) &&
	    o->has_until == r->has_until &&
	    (!r->has_until || tf_time_cmp(o->until, r->until) == 0) &&
	    o->has_rule_text == r->has_rule_text &&
	    (!r->has_rule_text ||
		memcmp(&o->rule_text, &r->rule_text, sizeof(o->rule_text)) ==
		    0);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/*
 * Would the retention end before the one in force?  Both are counted from the
 * seal, or from now for a node that is not sealed.
 */
static enum tf_code
check_longer(struct tf_txn *t, const struct tf_node_row *node,
    const struct tf_retention *now_in_force, const struct tf_retention *asked,
    struct tf_error *err)
{
	struct tf_time start, was, will;
	bool begun;
	enum tf_code rc = tf_period_start(t->db, node, &begun, &start, err);

	if (rc != TF_OK)
		return rc;
	if (!begun)
		start = txn_now(t);
	if (!tf_retention_is_less(now_in_force, asked) &&
	    (!tf_retention_end(asked, start, &will) ||
		(tf_retention_end(now_in_force, start, &was) &&
		    tf_time_cmp(will, was) >= 0)))
		return TF_OK;
	return tf_fail(err, TF_DENIED, "a retention is never shortened");
}

static enum tf_code
retain_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct retain *r = arg;
	struct tf_retention in_force;
	struct tf_node_row node;
	uint64_t newest = TF_NO_SEQ, n = 0;
	bool same = false;
	enum tf_code rc = check_owner(t, r->id, r->who, &node, err);

	if (rc == TF_OK && r->asked.has_until &&
	    tf_time_cmp(r->asked.until, txn_now(t)) <= 0)
		rc = tf_fail(err, TF_INVALID, "that time has passed");
	if (rc == TF_OK)
		rc = tf_own_retention(t->db, r->id, &in_force, &newest, &n,
		    err);
	if (rc == TF_OK && n > 0)
		rc = has_same_words(t->db, newest, &r->ref, &same, err);
	if (rc == TF_OK && n > 0 && !same)
		rc = check_longer(t, &node, &in_force, &r->asked, err);
	if (rc != TF_OK || same)
		return rc;
	return tf_retain_append(t, r->id, n, &r->ref, r->actor, err);
}

enum tf_code
tf_retain_append(struct tf_txn *t, uint64_t id, uint64_t before,
    const struct tf_retention_ref *ref, const char *actor, struct tf_error *err)
{
	struct tf_entry e = { .type = TF_RETENTION_SET,
		.actor = tf_str_of(actor),
		.has_retention = true,
		.retention = *ref };
	struct tf_definition_row row = { .node = id,
		.kind = TF_ROW_RETENTION,
		.name = { "", 0 },
		.version = before + 1 };

	return append(t, &e, &row, err);
}

/* Fill r from the request, which must be well-formed. */
static enum tf_code
read_ask(const struct tf_retain *ask, struct retain *r, struct tf_error *err)
{
	const char *mode = ask->mode == NULL ? TF_RETENTION_MODE : ask->mode;

	if (strcmp(mode, TF_RETENTION_MODE) != 0 &&
	    strcmp(mode, TF_RETENTION_NEVER) != 0)
		return tf_fail(err, TF_INVALID,
		    "the mode of a retention is " TF_RETENTION_MODE
		    " or " TF_RETENTION_NEVER);
	if (ask->period != NULL &&
	    !tf_text_period_ok(ask->period, strlen(ask->period)))
		return tf_fail(err, TF_INVALID,
		    "a period is a number and y, m, w or d, such as 7y: at "
		    "least 1 and at most %d years",
		    TF_PERIOD_YEARS_MAX);
	if (ask->rule != NULL &&
	    (strlen(ask->rule) > TF_HOLD_NAME_MAX ||
		!tf_text_hold_ok(ask->rule, strlen(ask->rule))))
		return tf_fail(err, TF_INVALID,
		    "the id of a rule begins with a letter or digit and has "
		    "only A-Za-z0-9._- (at most %d)",
		    TF_HOLD_NAME_MAX);
	if (ask->rule == NULL && ask->has_rule_text)
		return tf_fail(err, TF_INVALID, "a text without a rule");
	r->ref = (struct tf_retention_ref){ .mode = tf_str_of(mode),
		.has_until = ask->has_until,
		.until = ask->until,
		.has_rule_text = ask->has_rule_text,
		.rule_text = ask->rule_text };
	if (ask->period != NULL)
		r->ref.period = tf_str_of(ask->period);
	if (ask->rule != NULL)
		r->ref.rule = tf_str_of(ask->rule);
	tf_retention_of(&r->ref, &r->asked);
	if (tf_retention_is_none(&r->asked))
		return tf_fail(err, TF_INVALID,
		    "a retention needs a period or a time");
	return TF_OK;
}

enum tf_code
tf_vault_retain(struct tf_vault *v, uint64_t id, const struct tf_retain *ask,
    const struct tf_actor *who, struct tf_error *err)
{
	struct retain r = { .id = id, .who = who };
	enum tf_code rc = read_ask(ask, &r, err);

	return rc == TF_OK ?
	    commit(v, id, TF_KIND_TRAIL, who, &r.actor, retain_run, &r, err) :
	    rc;
}
