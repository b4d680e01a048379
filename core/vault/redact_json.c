/*
 * Requests about redactions as people and programs write them into the control
 * file of an attestation: JSON of any form, with no other member than those of
 * core/protection.h.
 */
#include <pthread.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/json_any.h"
#include "../json.h"
#include "../ledger/entry_read.h"
#include "../ledger/redaction.h"
#include "../node/base.h"
#include "../node/load_entry.h"
#include "../node/vault_i.h"
#include "../protection.h"

static const char form[] = "a request is {\"propose\":\"PATH\",\"reason\":"
			   "\"...\"} or {\"approve\":SEQ,"
			   "\"file\":\"NAME\",\"what\":\"...\"}, or has "
			   "\"text\":\"NAME\" in place of a path";

/* The text of a member; absent: p NULL. */
static enum tf_code
member(const struct tf_any_doc *d, const char *key, uint32_t *seen,
    struct tf_str *out, struct tf_error *err)
{
	uint32_t i = tf_any_member(d, 0, tf_str_of(key));

	*out = (struct tf_str){ NULL, 0 };
	if (i == TF_ANY_NONE)
		return TF_OK;
	++*seen;
	if (d->v[i].type != TF_ANY_STRING &&
	    (d->v[i].type != TF_ANY_NUMBER_TEXT ||
		(strcmp(key, "approve") != 0 && strcmp(key, "entry") != 0)))
		return tf_fail(err, TF_INVALID, "%s", form);
	*out = tf_any_text(d, i);
	return memchr(out->p, '\0', out->n) == NULL ?
	    TF_OK :
	    tf_fail(err, TF_INVALID, "%s", form);
}

static enum tf_code
propose(struct tf_vault *v, uint64_t id, struct tf_str path,
    struct tf_str reason, struct tf_str what, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_buf full = { 0 };
	struct tf_attr a;
	bool expired = tf_str_same(what, tf_str_of(TF_REDACTION_EXPIRED));
	uint64_t seq;
	enum tf_code rc;

	if (what.p != NULL && !expired &&
	    !tf_str_same(what, tf_str_of(TF_REDACTION_CONTENT)))
		return tf_fail(err, TF_INVALID,
		    "what is " TF_REDACTION_CONTENT
		    " or " TF_REDACTION_EXPIRED);
	rc = tf_vault_path(v, id, &full, err);
	tf_buf_printf(&full, "/%.*s", (int)path.n, path.p);
	tf_buf_add(&full, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&full, err);
	if (rc == TF_OK)
		rc = tf_vault_walk(v, full.p, &a, err);
	if (rc == TF_OK)
		rc = tf_vault_redact(v, a.id, expired, reason.p, reason.n, who,
		    &seq, err);
	tf_buf_free(&full);
	return rc;
}

/* Nobody approves another file than he names. */
static enum tf_code
check_file(struct tf_vault *v, uint64_t id, struct tf_str file,
    struct tf_str proposed, struct tf_error *err)
{
	struct tf_buf full = { 0 };
	enum tf_code rc = tf_vault_path(v, id, &full, err);

	tf_buf_printf(&full, "/%.*s", (int)file.n, file.p);
	if (rc == TF_OK)
		rc = tf_buf_end(&full, err);
	if (rc == TF_OK && !tf_str_same(tf_buf_bytes(&full), proposed))
		rc = tf_fail(err, TF_NODATA,
		    "the proposal is about another file: %.*s", (int)proposed.n,
		    proposed.p);
	tf_buf_free(&full);
	return rc;
}

/* Nobody approves a redaction as a disposal, or the other way round. */
static enum tf_code
check_what(struct tf_str what, struct tf_str proposed, struct tf_error *err)
{
	if (tf_str_same(what, proposed))
		return TF_OK;
	if (tf_str_same(proposed, tf_str_of(TF_REDACTION_EXPIRED)))
		return tf_fail(err, TF_NODATA,
		    "the proposal is a disposal, not a redaction");
	return tf_fail(err, TF_NODATA,
	    "the proposal is a redaction of \"%.*s\"", (int)proposed.n,
	    proposed.p);
}

/* Read the proposal at seq.  The caller frees *body and *d in any case. */
static enum tf_code
load_proposal(struct tf_vault *v, uint64_t seq, struct tf_buf *body,
    struct tf_entry_decoded *d, struct tf_error *err)
{
	struct tf_db *db;
	uint64_t entries;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	entries = v->head.size;
	pthread_mutex_unlock(&v->mu);
	if (seq >= entries)
		return tf_fail(err, TF_NODATA, "there is no such proposal");
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_load_entry(db, seq, body, d, err);
	tf_reader_done(v, db);
	if (rc == TF_OK && d->e.type != TF_REDACTION_PROPOSED)
		rc = tf_fail(err, TF_NODATA, "entry %llu proposes nothing",
		    (unsigned long long)seq);
	return rc;
}

/* The evidence of a proposal, which must be of attestation id, and of file and
 * what if they are given. */
static enum tf_code
proposed(struct tf_vault *v, uint64_t id, uint64_t seq, struct tf_str file,
    struct tf_str what, uint64_t *evidence, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 }, path = { 0 };
	struct tf_attr a = { .id = 0 };
	enum tf_code rc = load_proposal(v, seq, &body, &d, err);

	if (rc == TF_OK && file.p != NULL)
		rc = check_file(v, id, file, d.e.path, err);
	if (rc == TF_OK && what.p != NULL)
		rc = check_what(what, d.e.what, err);
	if (rc == TF_OK) {
		tf_buf_add(&path, d.e.path.p, d.e.path.n);
		tf_buf_add(&path, "", 1);
		rc = tf_buf_end(&path, err);
	}
	if (rc == TF_OK)
		rc = tf_vault_walk(v, path.p, &a, err);
	*evidence = a.id;
	while (rc == TF_OK && a.kind > TF_KIND_ATTESTATION)
		rc = tf_vault_getattr(v, a.parent, &a, err);
	if (rc == TF_OK && a.id != id)
		rc = tf_fail(err, TF_NODATA,
		    "entry %llu is about another attestation",
		    (unsigned long long)seq);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	tf_buf_free(&path);
	return rc;
}

static enum tf_code
approve(struct tf_vault *v, uint64_t id, struct tf_str number,
    struct tf_str file, struct tf_str what, const struct tf_actor *who,
    struct tf_error *err)
{
	uint64_t seq, evidence = 0, others;
	enum tf_code rc;

	if (!tf_decimal(number.p, number.n, TF_JSON_MAX, &seq))
		return tf_fail(err, TF_INVALID, "%s", form);
	rc = proposed(v, id, seq, file, what, &evidence, err);
	return rc == TF_OK ?
	    tf_vault_redact_approve(v, evidence, seq, who, &others, err) :
	    rc;
}

/* --- texts ------------------------------------------------------------------ */

/* A request about a text of an entry. */
struct text_request {
	struct tf_str name, entry, reason, number;
};

/* The target of proposal seq. */
static enum tf_code
target_of(struct tf_vault *v, uint64_t seq, uint64_t *target,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = load_proposal(v, seq, &body, &d, err);

	if (rc == TF_OK && !tf_redaction_is_text(&d.e))
		rc = tf_fail(err, TF_NODATA,
		    "the proposal is about evidence, not about a text");
	*target = d.e.target;
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* Nobody approves another text than the one that he names. */
static enum tf_code
redact_text(struct tf_vault *v, uint64_t id, const struct text_request *r,
    const struct tf_actor *who, struct tf_error *err)
{
	uint64_t target = TF_TEXT_NEWEST, seq = 0, ignored;
	struct tf_hash text;
	enum tf_code rc = TF_OK;

	if ((r->number.p != NULL) == (r->reason.p != NULL) ||
	    (r->number.p != NULL &&
		!tf_decimal(r->number.p, r->number.n, TF_JSON_MAX, &seq)) ||
	    (r->entry.p != NULL &&
		!tf_decimal(r->entry.p, r->entry.n, TF_JSON_MAX, &target)))
		return tf_fail(err, TF_INVALID, "%s", form);
	if (r->number.p != NULL)
		rc = target_of(v, seq, &target, err);
	if (rc == TF_OK)
		rc = tf_vault_find_text(v, id, r->name, &target, &text, err);
	if (rc != TF_OK)
		return rc;
	return r->number.p != NULL ?
	    tf_vault_redact_text_approve(v, id, target, &text, seq, who,
		&ignored, err) :
	    tf_vault_redact_text(v, id, target, &text, r->reason.p, r->reason.n,
		who, &ignored, err);
}

/* --- both ------------------------------------------------------------------- */

enum tf_code
tf_vault_redact_json(struct tf_vault *v, uint64_t id, const void *p, size_t n,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	struct tf_str path, reason, what, number, file, text, entry;
	uint32_t seen = 0;
	enum tf_code rc = tf_any_parse(&d, p, n, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = member(&d, "propose", &seen, &path, err)) == TF_OK &&
	    (rc = member(&d, "reason", &seen, &reason, err)) == TF_OK &&
	    (rc = member(&d, "what", &seen, &what, err)) == TF_OK &&
	    (rc = member(&d, "approve", &seen, &number, err)) == TF_OK &&
	    (rc = member(&d, "file", &seen, &file, err)) == TF_OK &&
	    (rc = member(&d, "text", &seen, &text, err)) == TF_OK &&
	    (rc = member(&d, "entry", &seen, &entry, err)) == TF_OK) {
		const struct text_request about = { text, entry, reason,
			number };

		if (text.p != NULL && d.v[0].count == seen &&
		    d.v[0].type == TF_ANY_OBJECT && path.p == NULL &&
		    file.p == NULL && what.p == NULL)
			rc = redact_text(v, id, &about, who, err);
		else if (text.p != NULL || entry.p != NULL ||
		    d.v[0].count != seen || d.v[0].type != TF_ANY_OBJECT ||
		    (path.p == NULL) == (number.p == NULL) ||
		    (path.p != NULL && file.p != NULL) ||
		    (number.p != NULL &&
			seen != 1u + (file.p != NULL) + (what.p != NULL)))
			rc = tf_fail(err, TF_INVALID, "%s", form);
		else if (path.p != NULL)
			rc = propose(v, id, path, reason, what, who, err);
		else
			rc = approve(v, id, number, file, what, who, err);
	}
	tf_any_free(&d);
	return rc;
}
