/*
 * Redactions: two people remove the bytes of evidence.
 *
 * The proposal and the approval are entries.  All that another change can make
 * untrue is checked in their transactions: the state of the evidence, what
 * protects it, the owner of the trail, and the newest proposal.  The approval
 * empties the object row in the same transaction, so that after a crash either
 * the bytes are there and nothing was approved, or the approval and the note
 * that leads the next start to the rest (redact_erase.c).
 *
 * What quotes the evidence goes with it: the report of its attestation, and user
 * data of the attestation with the same bytes (node/redacted.h).
 *
 * An object stays while any entry names its digest other than those of redacted
 * evidence: evidence with equal bytes, a template, the report of another
 * attestation.  The entries alone
 * decide this (I5), so a search through the ledger comes before each deletion.
 * It may take long.  So a first transaction only checks the approval, then the
 * ledger is searched outside, and the second transaction searches what was
 * appended meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../asker.h"
#include "../base/array.h"
#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../base/users.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/claim_content.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/redaction.h"
#include "../ledger/withheld.h"
#include "../node/actor.h"
#include "../node/background.h"
#include "../node/base.h"
#include "../node/load_entry.h"
#include "../node/protection.h"
#include "../node/quota.h"
#include "../node/redacted.h"
#include "../node/vault_i.h"
#include "../protection.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/scrub.h"
#include "../store/transaction.h"
#include "reason.h"
#include "redact.h"

/* The clock may gain this much on the boot clock before it counts as set. */
#define SET_FORWARD_S 3600

struct request {
	struct tf_vault *v;
	uint64_t id;
	bool expired;
	struct tf_str reason;
	const struct tf_actor *who;
	enum tf_membership approver; /* in the group, if one is configured */
	char *actor;
	uint64_t proposal;
	/* a text that stands apart, in entry target; NULL: evidence */
	const struct tf_hash *text;
	uint64_t target;
	/* of an approval: the bytes, and the report that goes with them; entries
	 * before `searched` were searched for what else names them; again:
	 * search the ledger, and commit again */
	uint64_t att;
	struct wanted {
		bool is, is_report;
		struct tf_content content;
		uint64_t object; /* of the report: its row */
		uint64_t found;	 /* entries that name it, of those searched */
		uint64_t others; /* of all */
	} bytes, report;
	uint64_t searched;
	uint64_t
	    *twins; /* evidence with these bytes that was redacted before */
	size_t n_twins, cap_twins;
	bool again;
	uint64_t seq; /* the result */
};

/* --- who, what and when ----------------------------------------------------- */

/* Who hides the login uid may be the other person as well. */
static enum tf_code
check_login(const struct request *q, struct tf_error *err)
{
	if (!q->v->login_uids || q->who->loginuid != TF_AUDIT_UNKNOWN)
		return TF_OK;
	return tf_fail(err, TF_DENIED,
	    "the login uid of the process that asks cannot be read");
}

/*
 * With a group, its members approve, and they, the owner of the trail and root
 * propose.  Without one, the owner of the trail and root do both.
 */
static enum tf_code
check_person(const struct request *q, uint64_t trail_uid, bool approves,
    struct tf_error *err)
{
	const char *group = q->v->approvers;
	bool owns = q->who->uid == 0 || q->who->uid == trail_uid ||
	    (!approves && tf_may_administer(q->who, trail_uid));

	if (group == NULL)
		return owns ? TF_OK :
			      tf_fail(err, TF_DENIED,
				  "only the owner of the trail%s and root may",
				  approves ? "" : ", members of admins=");
	if (q->approver == TF_MEMBER || (owns && !approves))
		return TF_OK;
	if (q->approver == TF_NO_SUCH_GROUP)
		return tf_fail(err, TF_DENIED,
		    "the group %.64s, whose members approve, does not exist",
		    group);
	if (q->approver == TF_NO_ANSWER)
		return tf_fail(err, TF_DENIED,
		    "the name service does not say who is in the group %.64s: "
		    "try again",
		    group);
	return tf_fail(err, TF_DENIED,
	    approves ? "only members of the group %.64s may approve" :
		       "only the owner of the trail, root and members of the "
		       "group %.64s may propose",
	    group);
}

/* Read the row of the evidence and that of its attestation, which must be
 * sealed. */
static enum tf_code
check_evidence(struct tf_txn *t, const struct request *q, bool approves,
    struct tf_node_row *row, struct tf_node_row *att, struct tf_error *err)
{
	struct tf_definition_row done = { .node = q->id,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 } };
	struct tf_node_row up;
	enum tf_code rc = tf_nodes_get(t->db, q->id, row, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_BUSY, "it is not in the ledger yet");
	if (rc == TF_OK && row->attr.kind != TF_KIND_EVIDENCE)
		return tf_fail(err, TF_ISDIR,
		    "a directory is not redacted as a whole: each file needs "
		    "its own approval");
	up = *row;
	while (rc == TF_OK && up.attr.kind > TF_KIND_ATTESTATION)
		rc = tf_nodes_get(t->db, up.attr.parent, &up, err);
	*att = up;
	if (rc == TF_OK && up.seal == TF_NO_SEQ)
		return tf_fail(err, TF_BUSY, "seal its attestation first");
	while (rc == TF_OK && up.attr.kind > TF_KIND_TRAIL)
		rc = tf_nodes_get(t->db, up.attr.parent, &up, err);
	if (rc == TF_OK)
		rc = check_person(q, up.attr.uid, approves, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_get(t->db, &done, err);
	if (rc == TF_OK)
		return tf_fail(err, TF_SEALED, "it was redacted before");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* --- a text ------------------------------------------------------------------- */

struct text_search {
	const struct tf_hash *text;
	bool found;
	char field[16];
};

static enum tf_code
match_text(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct text_search *s = arg;

	(void)err;
	if (memcmp(&x->sha256, s->text, sizeof(x->sha256)) != 0)
		return TF_OK;
	s->found = true;
	(void)snprintf(s->field, sizeof(s->field), "%.*s", (int)x->field.n,
	    x->field.p);
	return TF_OK;
}

/* Find the field of entry target, which must be about the node of q. */
static enum tf_code
find_field(struct tf_txn *t, const struct request *q, struct text_search *s,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_str path;
	enum tf_code rc = TF_NODATA;

	if (q->target < t->size)
		rc = tf_load_entry(t->db, q->target, &body, &d, err);
	if (rc == TF_OK)
		rc = tf_txn_path(t, q->id, &path, err);
	if (rc == TF_OK && tf_str_same(d.e.path, path))
		rc = tf_withheld_named(&d.e, match_text, s, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc == TF_NODATA || (rc == TF_OK && !s->found) ?
	    tf_fail(err, TF_NODATA, "entry %llu has no such text about it",
		(unsigned long long)q->target) :
	    rc;
}

/* May the caller redact the text?  Sets the field of e, target and content;
 * *object becomes the row of its bytes. */
static enum tf_code
check_text(struct tf_txn *t, const struct request *q, bool approves,
    struct text_search *s, struct tf_entry *e, uint64_t *object,
    struct tf_error *err)
{
	struct tf_object_row o = { .size = 0 };
	struct tf_node_row up;
	bool gone = false;
	enum tf_code rc = tf_nodes_get(t->db, q->id, &up, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_BUSY, "it is not in the ledger yet");
	while (rc == TF_OK && up.attr.kind > TF_KIND_TRAIL)
		rc = tf_nodes_get(t->db, up.attr.parent, &up, err);
	if (rc == TF_OK)
		rc = check_person(q, up.attr.uid, approves, err);
	if (rc == TF_OK)
		rc = tf_text_redacted(t->db, q->text, &gone, err);
	if (rc == TF_OK && gone)
		return tf_fail(err, TF_SEALED, "it was redacted before");
	if (rc == TF_OK)
		rc = find_field(t, q, s, err);
	if (rc == TF_OK)
		rc = tf_object_find(t->db, q->text, object, err);
	if (rc == TF_OK)
		rc = tf_object_get(t->db, *object, &o, NULL, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_NODATA, "the store has no such text");
	e->target = q->target;
	e->what = tf_str_of(s->field);
	e->content = (struct tf_content){ *q->text, o.size };
	return rc;
}

/* --- when ----------------------------------------------------------------------- */

/* A clock that was set forward must not end a retention.  An earlier start with
 * a wrong clock shows in the times of the ledger. */
static enum tf_code
check_clock(const struct request *q, struct tf_time now, struct tf_error *err)
{
	const struct tf_clock_start *s = &q->v->start;
	int64_t passed = (int64_t)((tf_clock_boot_ns() - s->boot_ns) /
	    TF_SECOND);

	if (now.s - s->clock.s <= passed + SET_FORWARD_S)
		return TF_OK;
	return tf_fail(err, TF_DENIED,
	    "the clock was set forward since the vault was opened: it cannot "
	    "show that a retention is over");
}

static enum tf_code
check_protection(struct tf_txn *t, const struct request *q, bool expired,
    struct tf_error *err)
{
	struct tf_time now = tf_protection_now();
	struct tf_protection p;
	enum tf_code rc = tf_refuse_protected(t->db, q->id, now, err);

	if (rc == TF_OK)
		rc = check_clock(q, now, err);
	if (rc != TF_OK || !expired)
		return rc;
	rc = tf_protected(t->db, q->id, now, &p, err);
	if (rc == TF_OK && p.kept != TF_KEPT_OVER)
		rc = tf_fail(err, TF_DENIED,
		    "it has no retention that could be over: redact it with a "
		    "reason");
	return rc;
}

static enum tf_code
content_of(struct tf_db *db, const struct tf_node_row *row,
    struct tf_content *out, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc = tf_object_get(db, row->object, &o, NULL, err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "its object is missing");
	if (rc == TF_OK)
		*out = (struct tf_content){ o.sha256, o.size };
	return rc;
}

/* What is redacted: sets target and content of e, and what for a text; *object
 * becomes the row of its bytes, and of evidence *att that of its attestation. */
static enum tf_code
check_subject(struct tf_txn *t, const struct request *q, bool approves,
    struct text_search *s, struct tf_entry *e, uint64_t *object,
    struct tf_node_row *att, struct tf_error *err)
{
	struct tf_node_row node;
	enum tf_code rc;

	if (q->text != NULL)
		return check_text(t, q, approves, s, e, object, err);
	rc = check_evidence(t, q, approves, &node, att, err);
	if (rc == TF_OK)
		rc = content_of(t->db, &node, &e->content, err);
	e->target = node.entry;
	*object = node.object;
	return rc;
}

/* --- proposing --------------------------------------------------------------- */

/* Rows about a text have its digest as name. */
static struct tf_definition_row
row_of(const struct request *q, int kind)
{
	struct tf_definition_row row = { .node = q->id,
		.kind = kind,
		.name = { "", 0 } };

	if (q->text == NULL)
		return row;
	row.node = TF_ROOT_ID;
	row.kind = kind == TF_ROW_PROPOSAL ? TF_ROW_TEXT_PROPOSAL :
					     TF_ROW_TEXT_REDACTED;
	row.name = (struct tf_str){ (const char *)q->text->b,
		sizeof(q->text->b) };
	return row;
}

/* The row of the newest proposal; version 0: none. */
static enum tf_code
newest_proposal(struct tf_db *db, const struct request *q,
    struct tf_definition_row *row, struct tf_error *err)
{
	enum tf_code rc;

	*row = row_of(q, TF_ROW_PROPOSAL);
	rc = tf_definitions_get(db, row, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
append(struct tf_txn *t, struct request *q, struct tf_entry *e,
    struct tf_definition_row *row, struct tf_error *err)
{
	enum tf_code rc = tf_txn_path(t, q->id, &e->path, err);

	if (rc == TF_OK)
		rc = tf_txn_append(t, e, NULL, err);
	row->entry = q->seq = t->size - 1;
	return rc == TF_OK ? tf_definitions_put(tf_txn_write(t), row, err) : rc;
}

static enum tf_code
propose_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct request *q = arg;
	struct tf_entry e = { .type = TF_REDACTION_PROPOSED,
		.actor = tf_str_of(q->actor),
		.reason = q->reason,
		.what = tf_str_of(q->expired ? TF_REDACTION_EXPIRED :
					       TF_REDACTION_CONTENT),
		.has_content = true,
		.has_target = true };
	struct text_search s = { .text = q->text };
	struct tf_definition_row row;
	struct tf_node_row att;
	uint64_t object;
	enum tf_code rc = check_subject(t, q, false, &s, &e, &object, &att,
	    err);

	if (rc == TF_OK)
		rc = check_protection(t, q, q->expired, err);
	if (rc == TF_OK)
		rc = newest_proposal(t->db, q, &row, err);
	if (rc != TF_OK)
		return rc;
	row.version++;
	row.object = 0;
	return append(t, q, &e, &row, err);
}

/* --- who else has the bytes --------------------------------------------------- */

struct holders {
	struct tf_db *db;
	struct request *q;
	const struct wanted *want;
	uint64_t n;
	bool lost; /* one of them was redacted, perhaps after it was counted */
};

static enum tf_code
add_twin(struct request *q, uint64_t id, struct tf_error *err)
{
	if (!tf_array_room(&q->twins, q->n_twins, &q->cap_twins,
		sizeof(*q->twins)))
		return tf_nomem(err);
	q->twins[q->n_twins++] = id;
	return TF_OK;
}

/* Other evidence holds its bytes until it is redacted. */
static enum tf_code
evidence_holds(struct holders *h, uint64_t id, bool *holds,
    struct tf_error *err)
{
	struct tf_definition_row row = { .node = id,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 } };
	enum tf_code rc;

	*holds = false;
	if (id == h->q->id && h->q->text == NULL)
		return TF_OK;
	rc = tf_definitions_get(h->db, &row, err);
	*holds = rc == TF_NOTFOUND;
	if (rc == TF_OK && !h->want->is_report)
		rc = add_twin(h->q, id, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* A seal names a report and user data: they go with evidence of its
 * attestation, and then the seal holds them no more. */
static enum tf_code
seal_holds(struct holders *h, struct tf_str path, bool *holds,
    struct tf_error *err)
{
	uint64_t att = 0;
	bool gone = false;
	enum tf_code rc = tf_nodes_attestation(h->db, path, &att, err);

	if (rc == TF_OK && att != h->q->att)
		rc = tf_redacted_in(h->db, att,
		    h->want->is_report ? NULL : &h->want->content.sha256,
		    UINT64_MAX, &gone, err);
	*holds = !gone && att != h->q->att;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
names_bytes(struct holders *h, const struct tf_entry *e, bool *names,
    struct tf_error *err)
{
	*names = false;
	switch (e->type) {
	case TF_REDACTION_DONE:
		h->lost = true;
		return TF_OK;
	case TF_REDACTION_PROPOSED:
	case TF_PACKAGE_MADE:
	case TF_EVIDENCE_FLUSHED: /* its seal names the same content */
	case TF_EVIDENCE_GROWN:	  /* digests of pieces, not of a content */
	case TF_EVIDENCE_INTERRUPTED:
		return TF_OK;
	case TF_EVIDENCE_SEALED:
		return evidence_holds(h, e->node, names, err);
	case TF_ATTESTATION_SEALED:
		return seal_holds(h, e->path, names, err);
	default:
		*names = true;
		return TF_OK;
	}
}

/* Does the entry name the bytes as a text that is gone, or that goes now? */
static enum tf_code
is_only_text(const struct holders *h, const struct tf_entry *e, bool *is,
    struct tf_error *err)
{
	struct text_search s = { .text = &h->want->content.sha256 };
	enum tf_code rc = tf_withheld_named(e, match_text, &s, err);

	*is = rc == TF_OK && s.found && h->q->text != NULL;
	return rc == TF_OK && s.found && !*is ?
	    tf_text_redacted(h->db, &h->want->content.sha256, is, err) :
	    rc;
}

static enum tf_code
count_holder(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct holders *h = arg;
	struct tf_entry_decoded d = { 0 };
	bool names = false, text = false;
	enum tf_code rc = tf_entry_decode(&d, body, n, err);

	(void)idx;
	(void)off;
	if (rc == TF_INVALID)
		rc = tf_fail(err, TF_TAMPER, "an entry is damaged");
	if (rc == TF_OK)
		rc = is_only_text(h, &d.e, &text, err);
	if (rc == TF_OK && !text)
		rc = names_bytes(h, &d.e, &names, err);
	h->n += names;
	tf_entry_decoded_free(&d);
	return rc;
}

/* Count the other entries that name what is wanted, among those that were not
 * searched yet.  What no entry names has rows of its own. */
static enum tf_code
count_others(struct tf_db *db, struct request *q, const struct wanted *want,
    struct holders *h, struct tf_error *err)
{
	char hex[65];

	*h = (struct holders){ .db = db, .q = q, .want = want };
	if (!want->is)
		return TF_OK;
	tf_hex(want->content.sha256.b, sizeof(want->content.sha256.b), hex);
	return tf_entries_with(db, q->searched, hex, count_holder, h, err);
}

/* Search the entries that are there, in a snapshot of a reader. */
static enum tf_code
search_ledger(struct request *q, struct tf_error *err)
{
	uint64_t size, bytes;
	struct holders of_bytes = { .n = 0 }, of_report = { .n = 0 };
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(q->v, &db, err);

	if (rc != TF_OK)
		return rc;
	q->n_twins = 0;
	if ((rc = tf_db_snapshot(db, err)) == TF_OK &&
	    (rc = tf_entries_size(db, &size, &bytes, err)) == TF_OK &&
	    (rc = count_others(db, q, &q->bytes, &of_bytes, err)) == TF_OK)
		rc = count_others(db, q, &q->report, &of_report, err);
	tf_db_rollback(db);
	tf_reader_done(q->v, db);
	if (rc == TF_OK) {
		q->searched = size;
		q->bytes.found = of_bytes.n;
		q->report.found = of_report.n;
	}
	return rc;
}

/* All others, unless the ledger is to be searched again. */
static enum tf_code
count_rest(struct tf_txn *t, struct request *q, struct tf_error *err)
{
	struct holders of_bytes = { .n = 0 }, of_report = { .n = 0 };
	enum tf_code rc = TF_OK;

	if (q->searched > 0)
		rc = count_others(t->db, q, &q->bytes, &of_bytes, err);
	if (rc == TF_OK && q->searched > 0)
		rc = count_others(t->db, q, &q->report, &of_report, err);
	q->again = rc == TF_OK &&
	    (q->searched == 0 || of_bytes.lost || of_report.lost);
	if (q->again) {
		q->searched = 0;
		return tf_fail(err, TF_BUSY, "the ledger must be searched");
	}
	q->bytes.others = q->bytes.found + of_bytes.n;
	q->report.others = q->report.found + of_report.n;
	return rc;
}

/* --- approving ---------------------------------------------------------------- */

/* Read the newest proposal, which must be the one that is approved. */
static enum tf_code
load_proposal(struct tf_txn *t, const struct request *q, struct tf_buf *body,
    struct tf_entry_decoded *d, struct tf_error *err)
{
	struct tf_definition_row row;
	enum tf_code rc = newest_proposal(t->db, q, &row, err);

	if (rc == TF_OK && row.version == 0)
		return tf_fail(err, TF_NODATA, "nobody has proposed that");
	if (rc == TF_OK && row.entry != q->proposal)
		return tf_fail(err, TF_DENIED,
		    "the newest proposal is entry %llu",
		    (unsigned long long)row.entry);
	return rc == TF_OK ? tf_load_entry(t->db, row.entry, body, d, err) : rc;
}

/* The time that the entry will have at least. */
static void
foresee_time(const struct tf_txn *t, struct tf_entry *e)
{
	struct tf_time now = tf_protection_now();

	e->at = tf_time_cmp(now, t->at) > 0 ? now : t->at;
	e->has_clock = true;
	e->clock = now;
}

static enum tf_code
check_approval(const struct tf_txn *t, const struct tf_entry *proposed,
    struct tf_entry *e, struct tf_error *err)
{
	struct tf_proposal p;
	const char *why = NULL;
	enum tf_code rc = tf_proposal_of(proposed, &p, err);

	foresee_time(t, e);
	if (rc == TF_OK)
		rc = tf_redaction_refused(&p, e, &why, err);
	return rc == TF_OK && why != NULL ? tf_fail(err, TF_DENIED, "%s", why) :
					    rc;
}

/* Bytes that were recorded again while their row was damaged have a row of their
 * own.  The row that digests lead to goes with its own evidence only. */
static enum tf_code
erase_twin(struct tf_txn *t, const struct request *q, uint64_t twin,
    uint64_t object, struct tf_error *err)
{
	struct tf_node_row row;
	uint64_t first = 0;
	enum tf_code rc = tf_nodes_get(t->db, twin, &row, err);

	if (rc == TF_NOTFOUND)
		return TF_OK; /* verify reports it */
	if (rc != TF_OK || row.object == object)
		return rc;
	rc = tf_object_find(t->db, &q->bytes.content.sha256, &first, err);
	if (rc == TF_NOTFOUND)
		rc = TF_OK;
	if (rc != TF_OK || row.object == first)
		return rc;
	return tf_object_erase(tf_txn_write(t), row.object, err);
}

/* Find the report that the seal of the attestation names, unless it has gone. */
static enum tf_code
find_report(struct tf_txn *t, struct request *q, const struct tf_node_row *att,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct wanted *w = &q->report;
	enum tf_code rc = TF_OK;

	q->att = att->attr.id;
	*w = (struct wanted){ .is_report = true, .found = w->found };
	if (att->object != 0) /* it has */
		return TF_OK;
	rc = tf_load_entry(t->db, att->seal, &body, &d, err);
	if (rc == TF_OK && d.e.evaluated.n > 0)
		rc = tf_evaluated_report(d.e.evaluated, &w->content, &w->is,
		    err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	if (rc == TF_OK && w->is)
		rc = tf_object_find(t->db, &w->content.sha256, &w->object, err);
	if (rc == TF_NOTFOUND) { /* verify reports that */
		w->is = false;
		rc = TF_OK;
	}
	return rc;
}

/* The report goes, too, if no other entry names its bytes. */
static enum tf_code
erase_report(struct tf_txn *t, const struct request *q, struct tf_error *err)
{
	uint64_t object = q->report.object;
	enum tf_code rc = tf_report_redacted(tf_txn_write(t), q->att, q->seq,
	    object, err);

	return rc == TF_OK ? tf_object_erase(tf_txn_write(t), object, err) : rc;
}

/* The bytes of the row go; the rest is noted, and done after the commit. */
static enum tf_code
erase(struct tf_txn *t, const struct request *q, uint64_t object,
    bool with_report, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (q->bytes.others == 0)
		rc = tf_object_erase(tf_txn_write(t), object, err);
	for (size_t i = 0;
	     rc == TF_OK && q->bytes.others == 0 && i < q->n_twins; i++)
		rc = erase_twin(t, q, q->twins[i], object, err);
	if (rc == TF_OK && with_report)
		rc = erase_report(t, q, err);
	return rc == TF_OK && (q->bytes.others == 0 || with_report) ?
	    tf_meta_set_int(tf_txn_write(t), TF_META_ERASING, q->seq, err) :
	    rc;
}

static enum tf_code
approve_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct request *q = arg;
	struct tf_entry_decoded p = { 0 };
	struct tf_buf body = { 0 };
	struct tf_entry e = { .type = TF_REDACTION_DONE,
		.actor = tf_str_of(q->actor),
		.has_content = true,
		.has_target = true,
		.has_proposal = true,
		.proposal = q->proposal,
		.has_count = true };
	struct tf_definition_row row = row_of(q, TF_ROW_REDACTED);
	struct text_search s = { .text = q->text };
	struct tf_node_row att;
	uint64_t object;
	enum tf_code rc;

	q->again = false;
	q->bytes.is = true;
	row.version = 1;
	rc = check_subject(t, q, true, &s, &e, &object, &att, err);
	if (rc == TF_OK)
		rc = load_proposal(t, q, &body, &p, err);
	e.reason = p.e.reason;
	e.what = p.e.what;
	if (rc == TF_OK)
		rc = check_protection(t, q,
		    tf_str_same(e.what, tf_str_of(TF_REDACTION_EXPIRED)), err);
	if (rc == TF_OK)
		rc = check_approval(t, &p.e, &e, err);
	if (rc == TF_OK && q->text == NULL)
		rc = find_report(t, q, &att, err);
	q->bytes.content = e.content;
	if (rc == TF_OK)
		rc = count_rest(t, q, err);
	e.count = q->bytes.others;
	e.has_report = q->report.is && q->report.others == 0;
	e.report = q->report.content;
	row.object = q->bytes.others > 0 ? 0 : q->text != NULL ? object : 1;
	if (rc == TF_OK)
		rc = append(t, q, &e, &row, err);
	if (rc == TF_OK)
		rc = erase(t, q, object, e.has_report, err);
	tf_entry_decoded_free(&p);
	tf_buf_free(&body);
	return rc;
}

/* --- both --------------------------------------------------------------------- */

static enum tf_code
commit(struct request *q,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    struct tf_error *err)
{
	struct tf_vault *v = q->v;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = check_login(q, err)) != TF_OK ||
	    (rc = tf_space_take(v, q->who->uid, TF_FILE_COST, 0, err)) != TF_OK)
		return rc;
	tf_vault_learn(v, q->who->uid, q->who->gid);
	if (v->approvers != NULL)
		q->approver = tf_user_in_group(q->who->uid, v->approvers);
	if ((rc = tf_actor_text(q->who, &q->actor, err)) == TF_OK)
		rc = tf_commit_wait(v->commit, run, q, err);
	free(q->actor);
	return rc;
}

static enum tf_code
propose(struct request *q, uint64_t *entry, struct tf_error *err)
{
	enum tf_code rc = tf_reason_check("a redaction", q->reason, err);

	if (rc == TF_OK)
		rc = commit(q, propose_run, err);
	*entry = q->seq;
	return rc;
}

enum tf_code
tf_vault_redact(struct tf_vault *v, uint64_t id, bool expired,
    const char *reason, size_t n, const struct tf_actor *who, uint64_t *entry,
    struct tf_error *err)
{
	struct request q = { .v = v,
		.id = id,
		.expired = expired,
		.reason = { reason, n },
		.who = who };

	return propose(&q, entry, err);
}

enum tf_code
tf_vault_redact_text(struct tf_vault *v, uint64_t id, uint64_t target,
    const struct tf_hash *text, const char *reason, size_t n,
    const struct tf_actor *who, uint64_t *entry, struct tf_error *err)
{
	struct request q = { .v = v,
		.id = id,
		.target = target,
		.text = text,
		.reason = { reason, n },
		.who = who };

	return propose(&q, entry, err);
}

/* Makes the kernel drop the pages of a node. */
struct forget {
	struct tf_duty duty;
	struct tf_vault *v;
	uint64_t id;
};

static void
forget_pages(struct tf_duty *d)
{
	struct forget *f = (struct forget *)d;

	f->v->on_altered(f->v->arg, f->id);
	free(f);
}

/* From now on nobody reads the file.  The kernel may have pages of it; without
 * memory for the duty they stay until it needs the room. */
static void
forget_content(struct tf_vault *v, uint64_t id, uint32_t uid)
{
	struct forget *f = calloc(1, sizeof(*f));

	pthread_mutex_lock(&v->mu);
	tf_bits_add(&v->redacted, id);
	pthread_mutex_unlock(&v->mu);
	if (f == NULL || v->on_altered == NULL) {
		free(f);
		return;
	}
	*f = (struct forget){ { .uid = uid, .run = forget_pages }, v, id };
	tf_background_add(v->background, &f->duty);
}

static enum tf_code
approve(struct request *q, uint64_t *others, struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = commit(q, approve_run, err);

	/* Each further round follows another redaction. */
	while (q->again) {
		q->again = false;
		if ((rc = search_ledger(q, err)) == TF_OK)
			rc = commit(q, approve_run, err);
	}
	free(q->twins);
	if (rc != TF_OK)
		return rc;
	*others = q->bytes.others;
	if (q->text == NULL)
		forget_content(q->v, q->id, q->who->uid);
	if (tf_redactions_erase(q->v, &e) != TF_OK)
		tf_vault_say(q->v, e.code,
		    "what was redacted is not deleted from the disk yet: %s",
		    e.text);
	return TF_OK;
}

enum tf_code
tf_vault_redact_approve(struct tf_vault *v, uint64_t id, uint64_t proposal,
    const struct tf_actor *who, uint64_t *others, struct tf_error *err)
{
	struct request q = { .v = v,
		.id = id,
		.proposal = proposal,
		.who = who };

	return approve(&q, others, err);
}

enum tf_code
tf_vault_redact_text_approve(struct tf_vault *v, uint64_t id, uint64_t target,
    const struct tf_hash *text, uint64_t proposal, const struct tf_actor *who,
    uint64_t *others, struct tf_error *err)
{
	struct request q = { .v = v,
		.id = id,
		.target = target,
		.text = text,
		.proposal = proposal,
		.who = who };

	return approve(&q, others, err);
}
