/*
 * Judges evidence again: see evaluation.h.
 *
 * The verdict of a check at the seal is worth no more than the program that
 * made it.  The type, the evidence and the report are all in the ledger by
 * their digests, and the rules give the same report for the same bytes, so the
 * audit makes the report once more and compares every byte.  A report which
 * says that nothing could be judged is left alone: its reason may not exist on
 * this machine.
 */
#include "evaluation.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../evaluation.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../ledger/replay.h"
#include "../ledger/statement.h"
#include "../ledger/type.h"
#include "audit.h"
#include "findings.h"

/* The files of the attestation, in the order of their names. */
struct judged {
	const struct tf_audit_judged *from;
	const struct tf_statement *s;
	uint64_t at; /* of the next file */
};

/* The names and sizes are those of the statement that the replay made from the
 * entries. */
static enum tf_code
next_file(void *arg, struct tf_judged_file *f, bool *found,
    struct tf_error *err)
{
	struct judged *j = arg;

	(void)err;
	*found = j->at < j->s->evidence.count;
	if (!*found)
		return TF_OK;
	f->path = j->s->files[j->at].name;
	f->size = j->s->files[j->at].size;
	f->sha256 = &j->s->files[j->at].sha256;
	j->at++;
	return TF_OK;
}

/* A sink that also takes the digest of what it passes on. */
struct hashing {
	const struct tf_sink *to;
	struct tf_sha256 *sha;
};

static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct hashing *h = arg;

	tf_sha256_add(h->sha, p, n);
	return h->to->put(h->to->arg, p, n, err);
}

/* Judge only bytes with the sealed digest; other bytes are reported by the
 * check of contents, and a second finding would say nothing new. */
static enum tf_code
read_file(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	struct judged *j = arg;
	const struct tf_subject_file *f = &j->s->files[j->at - 1];
	struct hashing h = { sink, tf_sha256_new() };
	const struct tf_sink hashed = { put, &h };
	struct tf_hash got;
	enum tf_code rc;

	if (h.sha == NULL)
		return tf_nomem(err);
	rc = j->from->read(j->from->arg, f, &hashed, err);
	tf_sha256_peek(h.sha, &got);
	tf_sha256_free(h.sha);
	if (rc == TF_OK && memcmp(&got, &f->sha256, sizeof(got)) != 0)
		rc = tf_fail(err, TF_TAMPER, "the evidence was altered");
	return rc;
}

/* True if the report says that nothing could be judged: see
 * tf_evaluate_refused. */
static bool
is_refusal(const struct tf_buf *report, bool junit)
{
	struct tf_evaluation e = { 0 };
	struct tf_buf why = { 0 };
	struct tf_json_doc d = { 0 };
	bool same = false;
	int list;

	if (tf_json_parse(&d, report->p, report->n, NULL) != TF_OK)
		return false;
	list = tf_json_get(&d, 0, "causes");
	if (list >= 0 && tf_json_string(&d, list + 1, &why, NULL) == TF_OK &&
	    tf_evaluate_refused(junit, why.p, &e, NULL) == TF_OK)
		same = tf_str_same(tf_buf_bytes(&e.report),
		    tf_buf_bytes(report));
	tf_evaluation_free(&e);
	tf_buf_free(&why);
	tf_json_doc_free(&d);
	return same;
}

/* The type of that version, as it was in force at the seal.  A type that no
 * longer parses ends the judgement without a finding. */
static enum tf_code
load_type(const struct tf_audit_judged *from,
    const struct tf_evaluated_field *was, struct tf_type **out,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = from->type(from->arg, was->name, was->version, &text,
	    err);

	if (rc == TF_OK)
		rc = tf_type_parse(tf_buf_bytes(&text).p, text.n, out, err);
	tf_buf_free(&text);
	return rc;
}

/* The verdict, the counts and every byte of the report must be the same. */
static bool
is_same(const struct tf_evaluated_field *was, const struct tf_evaluation *now)
{
	struct tf_hash h;

	tf_sha256(tf_buf_bytes(&now->report).p, now->report.n, &h);
	return now->compliant == was->compliant &&
	    tf_str_same(tf_buf_bytes(&now->counts), was->counts) &&
	    now->report.n == was->report.size &&
	    memcmp(&h, &was->report.sha256, sizeof(h)) == 0;
}

/* Judge again, unless the seal could not. */
static enum tf_code
judge(struct tf_audit *a, const struct tf_entry *e, struct judged *j,
    const struct tf_evaluated_field *was, struct tf_error *err)
{
	const struct tf_judged_files files = { next_file, read_file, j };
	struct tf_evaluation now = { 0 };
	struct tf_type *type = NULL;
	enum tf_code rc = TF_OK;

	if (was->name.p != NULL)
		rc = load_type(j->from, was, &type, err);
	if (rc == TF_OK)
		rc = tf_evaluate(type, &files, &now, err);
	if (rc == TF_OK) {
		a->r->judged++;
		if (a->r->check[TF_CHECK_EVALUATION] == TF_VERDICT_ABSENT)
			a->r->check[TF_CHECK_EVALUATION] = TF_VERDICT_OK;
		if (!is_same(was, &now))
			tf_audit_finding(a, TF_CHECK_EVALUATION, e->seq,
			    e->path,
			    "judged again, its evidence gives another report");
	}
	tf_type_free(type);
	tf_evaluation_free(&now);
	return rc;
}

enum tf_code
tf_audit_evaluate(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, const struct tf_audit_judged *from,
    struct tf_error *err)
{
	struct judged j = { .from = from, .s = &x->statement };
	struct tf_evaluated_field was;
	struct tf_buf report = { 0 };
	struct tf_error why = { .code = TF_OK };
	bool junit;
	enum tf_code rc = tf_evaluated_read(e->evaluated, &was, err);

	junit = rc == TF_OK && was.is &&
	    tf_str_same(was.rule, tf_str_of("junit"));
	if (rc != TF_OK || !was.has_report || (!junit && was.name.p == NULL) ||
	    !x->has_statement ||
	    x->statement.evidence.count > TF_STATEMENT_SUBJECTS)
		return rc;
	rc = from->report(from->arg, &report, &why);
	if (rc == TF_OK && !is_refusal(&report, junit))
		rc = judge(a, e, &j, &was, &why);
	tf_buf_free(&report);
	if (rc == TF_NOMEM)
		return tf_nomem(err);
	if (tf_code_undecided(rc))
		tf_audit_unread(a, TF_CHECK_EVALUATION, e->seq, e->path,
		    "its evidence could not be read to judge it again");
	return TF_OK;
}
