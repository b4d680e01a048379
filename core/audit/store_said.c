/*
 * Compares definitions, claims, user data and evaluation reports of a store
 * with the entries.  A definition is compared at its entry, claims about trails
 * and workflows after the last one.  Claims that no entry holds yet can only be
 * checked for their form.
 *
 * These rows decide what a status says: a template that was altered in the
 * database would make a workflow compliant without any change of evidence.
 */
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../definition.h"
#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/evaluated.h"
#include "../ledger/replay.h"
#include "../ledger/withheld.h"
#include "../store/claims.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../verify.h"
#include "audit.h"
#include "evaluation.h"
#include "findings.h"
#include "store_anchors.h"
#include "store_contents.h"
#include "store_i.h"
#include "store_said.h"

/* --- at the entry ---------------------------------------------------------- */

/* The row must name this entry, and its object the bytes that the entry names;
 * it is counted, so that rows without an entry are found at the end. */
static enum tf_code
check_definition(struct tf_audit *a, const struct tf_entry *e,
    struct tf_definition_row *row, const struct tf_content *want,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	enum tf_code rc = tf_definitions_get(s->db, row, err);

	if (rc == TF_NOTFOUND || (rc == TF_OK && row->entry != e->seq)) {
		tf_audit_finding(a, TF_CHECK_NAMES, e->seq, e->path,
		    rc == TF_OK ?
			"the database shows another entry for the definition" :
			"the definition is missing from the database");
		return TF_OK;
	}
	if (rc != TF_OK)
		return rc;
	s->definitions++;
	return tf_audit_store_content(a, e, want, row->object, err);
}

/* Does the row of the attestation say that its report went with the evidence? */
static bool
shows_report(struct tf_audit *a, const struct tf_entry *e)
{
	struct tf_audit_store *s = a->self;
	struct tf_definition_row row = { .kind = TF_ROW_REDACTED,
		.name = { "", 0 } };

	return tf_nodes_attestation(s->db, e->path, &row.node, NULL) == TF_OK &&
	    tf_definitions_get(s->db, &row, NULL) == TF_OK &&
	    row.entry == e->seq && row.object == 1;
}

/* The row of a protection or a redaction counts its entries; only that of a
 * redaction that deleted bytes has an object. */
static enum tf_code
check_protection(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	bool hold = e->type == TF_HOLD_PLACED || e->type == TF_HOLD_RELEASED;
	bool done = e->type == TF_REDACTION_DONE;
	struct tf_definition_row row = { .node = x->subject,
		.kind = hold			     ? TF_ROW_HOLD :
		    e->type == TF_RETENTION_SET	     ? TF_ROW_RETENTION :
		    e->type == TF_REDACTION_PROPOSED ? TF_ROW_PROPOSAL :
						       TF_ROW_REDACTED,
		.name = hold ? e->hold : (struct tf_str){ "", 0 },
		.version = x->version };
	uint64_t object = done && e->has_count && e->count == 0;
	enum tf_code rc;

	/* The row of a text leads to its object, which has no other one. */
	if (x->text) {
		row.kind = done ? TF_ROW_TEXT_REDACTED : TF_ROW_TEXT_PROPOSAL;
		row.name = (struct tf_str){ (const char *)e->content.sha256.b,
			sizeof(e->content.sha256.b) };
	}

	if (x->version == 0)
		return TF_OK; /* a broken entry, which was reported */
	rc = tf_definitions_get(s->db, &row, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (rc == TF_OK && row.entry == e->seq &&
	    (x->text ? (row.object != 0) == (object != 0) :
		       row.object == object) &&
	    (!e->has_report || shows_report(a, e)))
		s->definitions += 1 + e->has_report;
	else
		tf_audit_finding(a, TF_CHECK_NAMES, e->seq, e->path,
		    "the database does not show this %s",
		    hold			     ? "hold" :
			row.kind == TF_ROW_RETENTION ? "retention" :
						       "redaction");
	return TF_OK;
}

/* Check bytes that are found by their digest. */
static enum tf_code
check_object(struct tf_audit *a, const struct tf_entry *e, bool report,
    const struct tf_content *want, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t object;
	enum tf_code rc = tf_object_find(s->db, &want->sha256, &object, err);

	if (rc == TF_NOTFOUND) {
		tf_audit_absent(a, e->seq, e->path,
		    report ? NULL : &want->sha256, want, true,
		    report ? "missing: the database has no object for its "
			     "evaluation report" :
			     "missing: the database has no object for its "
			     "user data");
		return TF_OK;
	}
	return rc == TF_OK ? tf_audit_store_content(a, e, want, object, err) :
			     rc;
}

/* Claims name user data by digest; the bytes are an object like any other. */
static enum tf_code
check_user_data(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_content want;
	bool has;
	enum tf_code rc = tf_claims_user_data(e->claims, &want, &has, err);

	return rc == TF_OK && has ? check_object(a, e, false, &want, err) : rc;
}

struct texts {
	struct tf_audit *a;
	const struct tf_entry *e;
};

/* Is body the text that x names?  Append its JSON to text. */
static bool
is_text(const struct tf_buf *body, const struct tf_withheld *x,
    struct tf_buf *text)
{
	struct tf_hash h;

	tf_sha256(tf_buf_bytes(body).p, body->n, &h);
	return memcmp(&h, &x->sha256, sizeof(h)) == 0 &&
	    tf_withheld_text(tf_buf_bytes(body).p, body->n, x->max, text);
}

/* A text that stands apart: its object, or the redaction of it. */
static enum tf_code
check_text(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	const struct texts *t = arg;
	struct tf_audit_store *s = t->a->self;
	struct tf_content want = { x->sha256, 0 };
	struct tf_buf body = { 0 }, text = { 0 };
	struct tf_object_row o;
	uint64_t object;
	bool gone = false, ok = false;
	enum tf_code rc = tf_text_redacted(s->db, &x->sha256, &gone, err);

	if (rc != TF_OK || gone)
		return rc;
	rc = tf_object_find(s->db, &x->sha256, &object, err);
	if (rc == TF_OK)
		rc = tf_object_get(s->db, object, &o, NULL, err);
	if (rc == TF_NOTFOUND) {
		tf_audit_finding(t->a, TF_CHECK_CONTENTS, t->e->seq, t->e->path,
		    "missing: the database has no object for its text %s",
		    x->name);
		return TF_OK;
	}
	if (rc == TF_OK && o.is_inline && o.size <= TF_WITHHELD_MAX)
		rc = tf_object_get(s->db, object, &o, &body, err);
	if (rc == TF_OK)
		ok = is_text(&body, x, &text);
	if (rc == TF_OK && !ok)
		tf_audit_finding(t->a, TF_CHECK_CONTENTS, t->e->seq, t->e->path,
		    "altered: the object of its text %s is another", x->name);
	if (rc == TF_OK && ok) {
		want.size = o.size;
		rc = tf_audit_store_content(t->a, t->e, &want, object, err);
	}
	t->a->r->texts += ok;
	tf_buf_free(&body);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_audit_store_texts(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct texts t = { a, e };

	return tf_withheld_named(e, check_text, &t, err);
}

/* The report is an object like evidence: its bytes are hashed by the pool. */
static enum tf_code
check_report(struct tf_audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_evaluated_field was;
	enum tf_code rc = tf_evaluated_read(e->evaluated, &was, err);

	return rc == TF_OK && was.has_report ?
	    check_object(a, e, true, &was.report, err) :
	    rc;
}

/* --- judged again ----------------------------------------------------------- */

struct again {
	struct tf_audit_store *s;
	const struct tf_replay_effect *x;
	struct tf_content report;
};

/* The text of the type, from the definitions of the trail that the statement
 * names. */
static enum tf_code
type_text(void *arg, struct tf_str name, uint64_t version, struct tf_buf *out,
    struct tf_error *err)
{
	struct again *g = arg;
	struct tf_str trail = g->x->statement.trail;
	struct tf_definition_row row = { .kind = TF_DEFINITION_TYPE,
		.name = name,
		.version = version };
	struct tf_object_row o;
	struct tf_node_row node;
	enum tf_code rc = tf_nodes_find(g->s->db, TF_ROOT_ID, trail.p, trail.n,
	    &node, err);

	row.node = rc == TF_OK ? node.attr.id : 0;
	if (rc == TF_OK)
		rc = tf_definitions_get(g->s->db, &row, err);
	return rc == TF_OK ? tf_object_get(g->s->db, row.object, &o, out, err) :
			     rc;
}

/* Pass the bytes of the object of that digest to sink, wherever the store has
 * them.  They are not compared here: other checks do that. */
static enum tf_code
pass_object(struct again *g, const struct tf_hash *h,
    const struct tf_sink *sink, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	char piece[65536];
	uint64_t id, off = 0;
	size_t got = 1;
	int fd = -1;
	enum tf_code rc = tf_object_find(g->s->db, h, &id, err);

	if (rc == TF_OK)
		rc = tf_object_get(g->s->db, id, &o, &body, err);
	if (rc == TF_OK && o.is_inline)
		rc = sink->put(sink->arg, tf_buf_bytes(&body).p, body.n, err);
	else if (rc == TF_OK)
		rc = tf_object_open(g->s->objectsfd, h, &fd, err);
	while (rc == TF_OK && fd >= 0 && got > 0) {
		rc = tf_file_pread(fd, piece, sizeof(piece), off, &got, err);
		if (rc == TF_OK && got > 0)
			rc = sink->put(sink->arg, piece, got, err);
		off += got;
	}
	if (fd >= 0)
		(void)close(fd); /* read-only */
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
read_file(void *arg, const struct tf_subject_file *f,
    const struct tf_sink *sink, struct tf_error *err)
{
	return pass_object(arg, &f->sha256, sink, err);
}

static enum tf_code
report_text(void *arg, struct tf_buf *out, struct tf_error *err)
{
	struct again *g = arg;
	const struct tf_sink sink = tf_buf_sink(out);

	return pass_object(g, &g->report.sha256, &sink, err);
}

/* Judge only attestations whose seal has a report; see evaluation.h. */
static enum tf_code
judge_again(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct again g = { a->self, x, { .size = 0 } };
	const struct tf_audit_judged from = { type_text, report_text, read_file,
		&g };
	struct tf_evaluated_field was;
	enum tf_code rc = tf_evaluated_read(e->evaluated, &was, err);

	if (rc != TF_OK || !was.has_report)
		return rc;
	g.report = was.report;
	return tf_audit_evaluate(a, e, x, &from, err);
}

enum tf_code
tf_audit_store_said(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_definition_row row = { .node = x->subject,
		.kind = TF_DEFINITION_TEMPLATE,
		.name = { "", 0 },
		.version = e->template_version };
	enum tf_code rc;

	switch (e->type) {
	case TF_TEMPLATE_SET:
		return check_definition(a, e, &row, &e->template_content, err);
	case TF_TYPE_SET:
	case TF_RECIPIENTS_SET:
		row.kind = e->type == TF_TYPE_SET ? TF_DEFINITION_TYPE :
						    TF_DEFINITION_RECIPIENTS;
		if (e->type == TF_TYPE_SET)
			row.name = e->definition_name;
		row.version = e->definition_version;
		return check_definition(a, e, &row, &e->definition_content,
		    err);
	case TF_ANCHOR_ADDED:
		return tf_audit_store_anchor(a, e, err);
	case TF_EVIDENCE_READ:
		return check_object(a, e, "list of readers", &e->reads, err);
	case TF_HOLD_PLACED:
	case TF_HOLD_RELEASED:
	case TF_RETENTION_SET:
	case TF_REDACTION_PROPOSED:
	case TF_REDACTION_DONE:
		return check_protection(a, e, x, err);
	default:
		rc = check_user_data(a, e, err);
		if (rc == TF_OK)
			rc = check_report(a, e, err);
		return rc == TF_OK ? judge_again(a, e, x, err) : rc;
	}
}

/* --- after the last entry -------------------------------------------------- */

/* Are the claims those of entry seq? */
static enum tf_code
compare_claims(struct tf_audit *a, const struct tf_claim_row *row, uint64_t seq,
    bool *same, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc;

	*same = false;
	if (row->entry != seq)
		return TF_OK;
	rc = tf_entries_get(s->db, seq, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK)
		*same = tf_str_same(tf_buf_bytes(&row->claims), d.e.claims);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	/* A damaged entry is a finding already. */
	return rc == TF_INVALID || rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_audit_store_claims(struct tf_audit *a, const struct tf_replay_dir *d,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_claim_row row = { 0 };
	bool same = true;
	enum tf_code rc;

	if (d->attr.kind != TF_KIND_TRAIL && d->attr.kind != TF_KIND_WORKFLOW)
		return TF_OK;
	rc = tf_claims_get(s->db, d->attr.id, &row, err);
	if (rc == TF_OK && d->claims != 0)
		rc = compare_claims(a, &row, d->claims, &same, err);
	else if (rc == TF_OK)
		same = row.claims.n == 0;
	if (rc == TF_OK && !same)
		tf_audit_finding(a, TF_CHECK_NAMES,
		    d->claims != 0 ? d->claims : UINT64_MAX, d->path,
		    "the database shows other claims than the entries");
	tf_claim_row_free(&row);
	return rc;
}

/* Compare user data that no entry names yet with the claims of its row. */
static enum tf_code
compare_user_data(struct tf_audit *a, const struct tf_claim_row *row,
    struct tf_str name, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	struct tf_content want;
	struct tf_hash h;
	bool has, same;
	enum tf_code rc = tf_claims_user_data(tf_buf_bytes(&row->claims), &want,
	    &has, err);

	if (rc != TF_OK)
		return rc;
	same = has == (row->object != 0);
	if (has && same) {
		rc = tf_object_get(s->db, row->object, &o, &body, err);
		tf_sha256(tf_buf_bytes(&body).p, body.n, &h);
		same = rc == TF_OK && body.n == want.size &&
		    memcmp(&h, &want.sha256, sizeof(h)) == 0 &&
		    memcmp(&o.sha256, &want.sha256, sizeof(h)) == 0;
	}
	tf_buf_free(&body);
	if (rc != TF_OK && rc != TF_NOTFOUND && rc != TF_TAMPER)
		return rc;
	if (!same)
		tf_audit_finding(a, TF_CHECK_CONTENTS, UINT64_MAX, name,
		    "the user data of node %llu, which is not sealed, were "
		    "altered",
		    (unsigned long long)row->id);
	return TF_OK;
}

/* Check the form of claims that no entry holds yet: a later entry will. */
static enum tf_code
one_claim(void *arg, const struct tf_claim_row *row, struct tf_error *err)
{
	struct tf_audit *a = arg;
	struct tf_audit_store *s = a->self;
	struct tf_node_row node;
	struct tf_buf uids = { 0 }, type = { 0 };
	struct tf_str name = tf_nowhere;
	enum tf_code rc = tf_nodes_get(s->db, row->id, &node, err);

	if (row->entry != 0) /* tf_audit_store_claims() compares it */
		return rc == TF_NOTFOUND ? TF_OK : rc;
	if (rc == TF_OK)
		name = (struct tf_str){ node.name, node.name_len };
	if (rc == TF_OK || rc == TF_NOTFOUND) /* a draft has no row */
		rc = tf_claimants_add(tf_buf_bytes(&row->uids), 0, &uids, err);
	if (rc == TF_OK || rc == TF_DENIED) /* there are many */
		rc = tf_claims_value(tf_buf_bytes(&row->claims), "type", &type,
		    err);
	if (rc == TF_OK || rc == TF_NODATA) /* well-formed, then */
		rc = compare_user_data(a, row, name, err);
	tf_buf_free(&uids);
	tf_buf_free(&type);
	if (rc != TF_INVALID && rc != TF_TAMPER)
		return rc;
	tf_audit_finding(a, TF_CHECK_NAMES, UINT64_MAX, name,
	    "the claims about node %llu, which is not sealed, are damaged",
	    (unsigned long long)row->id);
	return TF_OK;
}

enum tf_code
tf_audit_store_unsealed(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;

	return tf_claims_each(s->db, one_claim, a, err);
}

/* Count the rows, for the comparison with the entries. */
static enum tf_code
count_definition(void *arg, const struct tf_definition_row *r,
    struct tf_error *err)
{
	uint64_t *n = arg;

	(void)r;
	(void)err;
	++*n;
	return TF_OK;
}

enum tf_code
tf_audit_store_definitions(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t rows = 0;
	enum tf_code rc = tf_definitions_each(s->db, count_definition, &rows,
	    err);

	if (rc == TF_OK && rows > s->definitions && !a->unseen)
		tf_audit_finding(a, TF_CHECK_NAMES, UINT64_MAX, tf_nowhere,
		    "the database has %llu definitions, holds, retentions or "
		    "redactions without an entry",
		    (unsigned long long)(rows - s->definitions));
	return rc;
}
