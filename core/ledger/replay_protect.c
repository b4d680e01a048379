/*
 * Replay of holds, retentions and redactions.
 *
 * Whether a retention has ended depends on the time of the question, so replay
 * only checks that no entry takes back what an earlier one promised.  Holds do
 * not depend on time: an entry that removes something below a hold is broken.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "redaction.h"
#include "replay_protect.h"
#include "withheld.h"

/* The node of the path: a directory or evidence. */
static enum tf_code
subject_of(struct tf_replay *r, const struct tf_entry *e, uint64_t *node,
    struct tf_error *err)
{
	struct tf_replay_tree_file f;
	struct tf_replay_tree_dir d;
	enum tf_code rc = tf_replay_tree_get(&r->tree, e->path, &d, err);

	if (rc == TF_OK)
		*node = d.attr.id;
	if (rc != TF_NOTFOUND)
		return rc;
	rc = tf_replay_tree_get_file(&r->tree, e->path, &f, err);
	if (rc == TF_OK)
		*node = f.node;
	return rc == TF_NOTFOUND ?
	    tf_replay_broken(r, "protects what does not exist") :
	    rc;
}

enum tf_code
tf_replay_hold(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	bool places = e->type == TF_HOLD_PLACED;
	uint64_t changes, node;
	enum tf_code rc = subject_of(r, e, &node, err);

	if (rc == TF_OK)
		rc = tf_replay_tree_hold(&r->tree, e->path, e->hold, &changes,
		    err);
	if (rc != TF_OK)
		return rc;
	if ((changes % 2 != 0) == places)
		return tf_replay_broken(r,
		    places ? "places a hold that stands already" :
			     "releases a hold that does not stand");
	out->subject = node;
	out->version = changes + 1;
	return tf_replay_tree_set_hold(&r->tree, e->path, e->hold, changes + 1,
	    err);
}

enum tf_code
tf_replay_retention_set(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_kept kept;
	struct tf_replay_tree_dir d;
	struct tf_retention asked;
	enum tf_code rc = tf_replay_subject(r, &d,
	    "sets the retention of what does not exist", err);

	if (rc == TF_OK)
		rc = tf_replay_tree_kept(&r->tree, e->path, &kept, err);
	if (rc != TF_OK)
		return rc;
	tf_retention_of(&e->retention, &asked);
	if (tf_retention_is_none(&asked))
		return tf_replay_broken(r, "its retention has no end");
	if (tf_retention_is_less(&kept.retention, &asked))
		return tf_replay_broken(r, "shortens a retention");
	tf_retention_add(&kept.retention, &asked);
	out->subject = d.attr.id;
	out->version = ++kept.entries;
	return tf_replay_tree_set_kept(&r->tree, e->path, &kept, err);
}

/* --- redaction ------------------------------------------------------------- */

/* Does anything at or above path forbid the removal at the time `when`?  Ends of
 * periods depend on seals, and are left to those who ask tf_protected(). */
static enum tf_code
check_protection(struct tf_replay *r, struct tf_str path, struct tf_time when,
    struct tf_error *err)
{
	struct tf_replay_tree_kept kept;
	uint64_t standing;
	enum tf_code rc;

	for (;;) {
		rc = tf_replay_tree_holds(&r->tree, path, &standing, err);
		if (rc == TF_OK)
			rc = tf_replay_tree_kept(&r->tree, path, &kept, err);
		if (rc != TF_OK)
			return rc;
		if (standing > 0)
			return tf_replay_broken(r,
			    "removes what a hold protects");
		if (kept.retention.never ||
		    (kept.retention.has_until &&
			tf_time_cmp(when, kept.retention.until) < 0))
			return tf_replay_broken(r,
			    "removes what a retention keeps");
		if (path.n == 1 && path.p[0] == '.')
			return TF_OK;
		path = tf_replay_parent_path(path);
	}
}

/* The evidence of the path, which the entry must name by target and content. */
static enum tf_code
evidence_of(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_tree_file *f, struct tf_error *err)
{
	enum tf_code rc = tf_replay_tree_get_file(&r->tree, e->path, f, err);

	if (rc == TF_NOTFOUND)
		return tf_replay_broken(r, "redacts what is no evidence");
	if (rc == TF_OK &&
	    (f->entry != e->target || f->size != e->content.size ||
		memcmp(&f->sha256, &e->content.sha256, sizeof(f->sha256)) != 0))
		return tf_replay_broken(r,
		    "redacts other content than that of its path");
	if (rc == TF_OK && f->redacted)
		return tf_replay_broken(r, "redacts what was redacted before");
	return rc;
}

/* --- texts ------------------------------------------------------------------ */

static enum tf_code
note_text(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct tf_replay *r = arg;
	struct tf_replay_tree_text in = { .field = "" };
	const struct tf_str path = r->e->path;

	(void)snprintf(in.field, sizeof(in.field), "%.*s", (int)x->field.n,
	    x->field.p);
	tf_sha256(path.p == NULL ? "" : path.p, path.n, &in.path);
	return tf_replay_tree_put_text(&r->tree, &x->sha256, r->e->seq, &in,
	    err);
}

enum tf_code
tf_replay_texts(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	return tf_withheld_named(e, note_text, r, err);
}

/* Is the text in that field of the target, an entry about the path, and still
 * there? */
static enum tf_code
check_text(struct tf_replay *r, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_replay_tree_text in;
	struct tf_hash path;
	bool gone;
	enum tf_code rc = tf_replay_tree_get_text(&r->tree, &e->content.sha256,
	    e->target, &in, err);

	tf_sha256(e->path.p, e->path.n, &path);
	if (rc == TF_NOTFOUND ||
	    (rc == TF_OK &&
		(!tf_str_same(e->what, tf_str_of(in.field)) ||
		    memcmp(&path, &in.path, sizeof(path)) != 0 ||
		    e->content.size <= TF_WITHHELD_SALT ||
		    e->content.size > TF_WITHHELD_MAX)))
		return tf_replay_broken(r,
		    "redacts a text that its target does not have");
	if (rc == TF_OK)
		rc = tf_replay_tree_text_gone(&r->tree, &e->content.sha256,
		    &gone, err);
	if (rc == TF_OK && gone)
		return tf_replay_broken(r, "redacts what was redacted before");
	return rc == TF_OK ?
	    check_protection(r, e->path, tf_redaction_when(e), err) :
	    rc;
}

static enum tf_code
text_proposed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	const struct tf_hash *h = &e->content.sha256;
	struct tf_proposal p = { .number = 0 }, before;
	enum tf_code rc = check_text(r, e, err);

	if (rc == TF_OK)
		rc = tf_proposal_of(e, &p, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_replay_tree_text_proposal(&r->tree, h, &before, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	p.number = rc == TF_OK ? before.number + 1 : 1;
	out->text = true;
	out->subject = TF_ROOT_ID;
	out->version = p.number;
	return tf_replay_tree_set_text_proposal(&r->tree, h, &p, err);
}

static enum tf_code
text_done(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	const struct tf_hash *h = &e->content.sha256;
	struct tf_proposal p;
	const char *why;
	enum tf_code rc = check_text(r, e, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_replay_tree_text_proposal(&r->tree, h, &p, err);
	if (rc == TF_NOTFOUND)
		return tf_replay_broken(r, "redacts what nobody proposed");
	if (rc == TF_OK)
		rc = tf_redaction_refused(&p, e, &why, err);
	if (rc != TF_OK)
		return rc;
	if (why != NULL)
		return tf_replay_broken(r, why);
	if (e->has_report)
		return tf_replay_broken(r,
		    "removes a report that is not that of its attestation");
	out->text = true;
	out->subject = TF_ROOT_ID;
	out->version = 1;
	return tf_replay_tree_set_text_gone(&r->tree, h, err);
}

/* --- both ------------------------------------------------------------------- */

enum tf_code
tf_replay_redaction_proposed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_file f;
	struct tf_proposal p = { .number = 0 }, before;
	enum tf_code rc;

	if (tf_redaction_is_text(e))
		return text_proposed(r, e, out, err);
	rc = evidence_of(r, e, &f, err);
	if (rc == TF_OK)
		rc = check_protection(r, e->path, tf_redaction_when(e), err);
	if (rc == TF_OK)
		rc = tf_proposal_of(e, &p, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_replay_tree_proposal(&r->tree, e->path, &before, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	p.number = rc == TF_OK ? before.number + 1 : 1;
	out->subject = f.node;
	out->version = p.number;
	return tf_replay_tree_set_proposal(&r->tree, e->path, &p, err);
}

/* The attestation that path is in. */
static struct tf_str
attestation_of(struct tf_str path)
{
	unsigned slashes = 0;
	size_t n = 0;

	while (n < path.n && (path.p[n] != '/' || ++slashes < 3))
		n++;
	return (struct tf_str){ path.p, n };
}

static bool
is_content(const struct tf_content *a, const struct tf_content *b)
{
	return a->size == b->size &&
	    memcmp(&a->sha256, &b->sha256, sizeof(a->sha256)) == 0;
}

/* The report of the attestation is hidden from now on.  What goes with the
 * evidence is that report, and goes once. */
static enum tf_code
hide_report(struct tf_replay *r, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str path = attestation_of(e->path);
	struct tf_replay_tree_report report;
	enum tf_code rc = tf_replay_tree_report(&r->tree, path, &report, err);
	bool is = rc == TF_OK;

	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (e->has_report && (!is || !is_content(&report.content, &e->report)))
		return tf_replay_broken(r,
		    "removes a report that is not that of its attestation");
	if (e->has_report && report.gone)
		return tf_replay_broken(r,
		    "removes a report that was removed before");
	if (!is)
		return TF_OK;
	report.hidden = true;
	report.gone = report.gone || e->has_report;
	return tf_replay_tree_set_report(&r->tree, path, &report, err);
}

enum tf_code
tf_replay_redaction_done(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_file f;
	struct tf_proposal p;
	const char *why;
	enum tf_code rc;

	if (tf_redaction_is_text(e))
		return text_done(r, e, out, err);
	rc = evidence_of(r, e, &f, err);
	if (rc == TF_OK)
		rc = check_protection(r, e->path, tf_redaction_when(e), err);
	if (rc != TF_OK)
		return rc;
	rc = tf_replay_tree_proposal(&r->tree, e->path, &p, err);
	if (rc == TF_NOTFOUND)
		return tf_replay_broken(r, "redacts what nobody proposed");
	if (rc == TF_OK)
		rc = tf_redaction_refused(&p, e, &why, err);
	if (rc != TF_OK)
		return rc;
	if (why != NULL)
		return tf_replay_broken(r, why);
	if ((rc = hide_report(r, e, err)) != TF_OK)
		return rc;
	f.redacted = true;
	out->subject = f.node;
	out->version = 1;
	return tf_replay_tree_put_file(&r->tree, e->path, &f, err);
}
