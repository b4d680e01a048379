/*
 * Replay of a ledger.  Check the common fields of an entry, then call the
 * function of its type (replay_session.c, replay_create.c, replay_grown.c,
 * replay_seal.c, replay_change.c, replay_protect.c).  A broken rule is reported at its entry.
 * Replay never skips or repairs entries.
 *
 * Replay trusts nothing but the entries (I5, I6): it holds no object and no
 * row of a store, and builds the tree of names anew in a temporary table.
 * What a type of a later version says is read over, because a valid entry
 * stays valid; its place and time are checked all the same.
 * TF_REPLAY_REPORTED inside of replay means that a broken rule was reported
 * and the rest of the entry is not applied; outside it is TF_OK, because a
 * broken rule is a finding and no failure.  TF_NOMEM and errors of the table
 * are failures: then nothing is known about the entries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "replay.h"
#include "replay_change.h"
#include "replay_create.h"
#include "replay_grown.h"
#include "replay_protect.h"
#include "replay_seal.h"
#include "replay_session.h"

/*
 * The entries of one transaction state where it begins and ends, so a log that
 * was cut within one is recognised.
 */
static void
check_batch(struct tf_replay *r, const struct tf_entry *e)
{
	if (r->in_batch) {
		if (!e->has_batch || e->batch_first != r->batch_first ||
		    e->batch_last != r->batch_last)
			(void)tf_replay_broken(r,
			    "the batch before it is not whole");
	} else if (e->has_batch && e->batch_first != e->seq && !r->gap) {
		(void)tf_replay_broken(r,
		    "its batch did not begin where it says");
	}
	r->in_batch = e->has_batch && e->batch_last > e->seq;
	r->batch_first = e->batch_first;
	r->batch_last = e->batch_last;
}

/*
 * What holds for entries of every type.  After a gap the entry before is not
 * known, so nothing is compared with it.
 */
static enum tf_code
check_common(struct tf_replay *r, const struct tf_entry *e)
{
	enum tf_code rc = TF_OK;
	char text[80];

	if (e->seq != r->next_seq) {
		(void)snprintf(text, sizeof(text),
		    "says that it is number "
		    "%llu",
		    (unsigned long long)e->seq);
		rc = tf_replay_broken(r, text);
	}
	if (r->any && !r->gap && tf_time_cmp(e->at, r->at) <= 0)
		rc = tf_replay_broken(r, "is not later than the one before");
	if (!r->any && e->type != TF_LEDGER_OPENED)
		rc = tf_replay_broken(r,
		    "the first entry is not ledger.opened");
	check_batch(r, e);
	r->at = e->at;
	return rc;
}

/* An unknown type changes nothing that we know of. */
static enum tf_code
apply(struct tf_replay *r, const struct tf_entry *e, const struct tf_hash *leaf,
    struct tf_replay_effect *out, struct tf_error *err)
{
	switch (e->type) {
	case TF_LEDGER_OPENED:
		return tf_replay_opened(r, e);
	case TF_TRAIL_CREATED:
		return tf_replay_directory_created(r, e, TF_KIND_TRAIL, leaf,
		    out, err);
	case TF_WORKFLOW_BEGUN:
		return tf_replay_directory_created(r, e, TF_KIND_WORKFLOW, leaf,
		    out, err);
	case TF_ATTESTATION_BEGUN:
		return tf_replay_directory_created(r, e, TF_KIND_ATTESTATION,
		    leaf, out, err);
	case TF_DIRECTORY_CREATED:
		return tf_replay_directory_created(r, e, TF_KIND_DIRECTORY,
		    leaf, out, err);
	case TF_EVIDENCE_SEALED:
		return tf_replay_evidence_sealed(r, e, out, err);
	case TF_EVIDENCE_FLUSHED:
		return tf_replay_evidence_flushed(r, e, err);
	case TF_EVIDENCE_GROWN:
		return tf_replay_evidence_grown(r, e, err);
	case TF_EVIDENCE_INTERRUPTED:
		return tf_replay_evidence_interrupted(r, e, err);
	case TF_ATTESTATION_SEALED:
		return tf_replay_attestation_sealed(r, e, leaf, out, err);
	case TF_WORKFLOW_SEALED:
	case TF_TRAIL_SEALED:
		return tf_replay_parent_sealed(r, e,
		    e->type == TF_WORKFLOW_SEALED, leaf, err);
	case TF_ACCESS_CHANGED:
		return tf_replay_access_changed(r, e, out, err);
	case TF_TEMPLATE_SET:
		return tf_replay_template_set(r, e, out, err);
	case TF_TYPE_SET:
		return tf_replay_type_set(r, e, out, err);
	case TF_RECIPIENTS_SET:
		return tf_replay_recipients_set(r, e, out, err);
	case TF_CLAIMS_SET:
		return tf_replay_claims_set(r, e, out, err);
	case TF_ATTESTATION_OVERRIDDEN:
		return tf_replay_overridden(r, e, err);
	case TF_IMPORT_DONE:
		return tf_replay_import_done(r, e, err);
	case TF_HOLD_PLACED:
	case TF_HOLD_RELEASED:
		return tf_replay_hold(r, e, out, err);
	case TF_RETENTION_SET:
		return tf_replay_retention_set(r, e, out, err);
	case TF_REDACTION_PROPOSED:
		return tf_replay_redaction_proposed(r, e, out, err);
	case TF_REDACTION_DONE:
		return tf_replay_redaction_done(r, e, out, err);
	case TF_KEY_ROTATED:
		return tf_replay_key_rotated(r, e);
	case TF_ANCHOR_ADDED:
		return tf_replay_anchor_added(r, e);
	case TF_VERIFY_DONE:
		return tf_replay_verify_done(r, e);
	case TF_VERIFY_FAILED:
		return tf_replay_verify_failed(r, e);
	default:
		return TF_OK;
	}
}

enum tf_code
tf_replay_entry(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	r->e = e;
	rc = check_common(r, e);
	if (rc == TF_OK && r->n_names > 0 && e->type != TF_LEDGER_OPENED)
		rc = tf_replay_check_origin(r, e);
	if (rc == TF_OK)
		rc = apply(r, e, leaf, out, err);
	if (rc == TF_OK)
		rc = tf_replay_texts(r, e, err);
	r->next_seq++;
	r->any = true;
	r->gap = false;
	if (rc == TF_NOMEM)
		return tf_fail(err, rc, "no memory");
	return rc == TF_REPLAY_REPORTED ? TF_OK : rc;
}

/* Entries are left out: the batch that was open may have ended there. */
void
tf_replay_gap(struct tf_replay *r, uint64_t next_seq)
{
	r->next_seq = next_seq;
	r->gap = r->gaps = true;
	r->in_batch = false;
}

/* No entry is at fault, so the report names one that does not exist. */
void
tf_replay_end(struct tf_replay *r)
{
	static const struct tf_entry none = { .seq = UINT64_MAX };

	r->e = &none;
	if (r->in_batch)
		(void)tf_replay_broken(r, "the log ends within a batch");
}

struct tf_replay *
tf_replay_new(const struct tf_temp_table_ops *ops, struct tf_temp_table *table,
    void (*fail)(void *arg, const struct tf_entry *e, const char *text),
    void *arg)
{
	struct tf_replay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->tree.ops = ops;
	r->tree.table = table;
	r->fail = fail;
	r->arg = arg;
	return r;
}

void
tf_replay_free(struct tf_replay *r)
{
	if (r == NULL)
		return;
	free(r->vkey);
	free(r->attester);
	free(r->host);
	tf_buf_free(&r->listed_names);
	free(r);
}

const char *
tf_replay_origin(const struct tf_replay *r)
{
	return r->origin;
}

const char *
tf_replay_store(const struct tf_replay *r)
{
	return r->store;
}

const char *
tf_replay_vkey(const struct tf_replay *r)
{
	return r->vkey == NULL ? "" : r->vkey;
}

enum tf_code
tf_replay_access(struct tf_replay *r, struct tf_str path, struct tf_attr *out,
    struct tf_error *err)
{
	struct tf_replay_tree_file f;
	enum tf_code rc = tf_replay_tree_get_file(&r->tree, path, &f, err);

	if (rc == TF_OK) {
		out->id = f.node;
		out->mode = f.mode;
		out->uid = f.uid;
		out->gid = f.gid;
	}
	return rc;
}

enum tf_code
tf_replay_redacted(struct tf_replay *r, struct tf_str path, bool *yes,
    struct tf_error *err)
{
	struct tf_replay_tree_file f;
	struct tf_replay_tree_report report;
	enum tf_code rc = tf_replay_tree_get_file(&r->tree, path, &f, err);

	*yes = rc == TF_OK && f.redacted;
	if (rc != TF_NOTFOUND)
		return rc;
	rc = tf_replay_tree_report(&r->tree, path, &report, err);
	*yes = rc == TF_OK && report.hidden;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

struct search {
	const struct tf_hash *sha256;
	bool found;
};

static enum tf_code
compare_file(void *arg, struct tf_str name, const struct tf_replay_tree_file *f,
    struct tf_error *err)
{
	struct search *s = arg;

	(void)name;
	(void)err;
	s->found = s->found ||
	    (f->redacted &&
		memcmp(&f->sha256, s->sha256, sizeof(f->sha256)) == 0);
	return TF_OK;
}

enum tf_code
tf_replay_redacted_in(struct tf_replay *r, struct tf_str path,
    const struct tf_hash *sha256, bool *yes, struct tf_error *err)
{
	struct search s = { .sha256 = sha256 };
	enum tf_code rc = tf_replay_tree_files(&r->tree, path, compare_file, &s,
	    err);

	*yes = rc == TF_OK && s.found;
	return rc;
}

enum tf_code
tf_replay_text_redacted(struct tf_replay *r, const struct tf_hash *text,
    bool *yes, struct tf_error *err)
{
	return tf_replay_tree_text_gone(&r->tree, text, yes, err);
}

uint64_t
tf_replay_names(const struct tf_replay *r)
{
	return r->n_names;
}

enum tf_code
tf_replay_knows(struct tf_replay *r, uint64_t node, bool *yes,
    struct tf_error *err)
{
	return tf_replay_tree_knows(&r->tree, node, yes, err);
}

struct dir_walk {
	enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	    struct tf_error *err);
	void *arg;
};

static enum tf_code
visit_dir(void *arg, struct tf_str path, const struct tf_replay_tree_dir *d,
    struct tf_error *err)
{
	const struct dir_walk *x = arg;
	size_t at = tf_replay_last_part(path);
	struct tf_replay_dir out = { .attr = d->attr,
		.path = path,
		.name = { path.p + at, path.n - at },
		.entry = d->entry,
		.seal = d->seal,
		.claims = d->claims };

	return x->fn(x->arg, &out, err);
}

enum tf_code
tf_replay_each(struct tf_replay *r,
    enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct dir_walk x = { fn, arg };

	return tf_replay_tree_each(&r->tree, visit_dir, &x, err);
}
