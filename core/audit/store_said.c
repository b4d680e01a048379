/*
 * Compares definitions, claims, user data and evaluation reports of a store with
 * the entries.  A definition is compared at its entry, claims about trails and
 * workflows after the last one.
 */
#include "../base/bytes.h"
#include "../definition.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/replay.h"
#include "../store/claims.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/objects.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "store_contents.h"
#include "store_i.h"
#include "store_said.h"

/* --- at the entry ---------------------------------------------------------- */

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

/* Check bytes that are found by their digest. */
static enum tf_code
check_object(struct tf_audit *a, const struct tf_entry *e, const char *what,
    const struct tf_content *want, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t object;
	enum tf_code rc = tf_object_find(s->db, &want->sha256, &object, err);

	if (rc == TF_NOTFOUND) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "missing: the database has no object for its %s", what);
		return TF_OK;
	}
	return rc == TF_OK ? tf_audit_store_content(a, e, want, object, err) :
			     rc;
}

static enum tf_code
check_user_data(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_content want;
	bool has;
	enum tf_code rc = tf_claims_user_data(e->claims, &want, &has, err);

	return rc == TF_OK && has ?
	    check_object(a, e, "user data", &want, err) :
	    rc;
}

static enum tf_code
check_report(struct tf_audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_content want;
	bool has;
	enum tf_code rc = tf_evaluated_report(e->evaluated, &want, &has, err);

	return rc == TF_OK && has ?
	    check_object(a, e, "evaluation report", &want, err) :
	    rc;
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
		row.kind = TF_DEFINITION_TYPE;
		row.name = e->definition_name;
		row.version = e->definition_version;
		return check_definition(a, e, &row, &e->definition_content,
		    err);
	default:
		rc = check_user_data(a, e, err);
		return rc == TF_OK ? check_report(a, e, err) : rc;
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
		    "the database has %llu definitions without an entry",
		    (unsigned long long)(rows - s->definitions));
	return rc;
}
