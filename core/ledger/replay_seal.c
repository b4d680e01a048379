/*
 * Replay of the entries that seal a directory: attestation.sealed,
 * workflow.sealed, trail.sealed.  The sums of each must be those of what the
 * entries before it sealed or created.
 *
 * The seal of an attestation covers its evidence by digest, size and name;
 * that of a workflow covers the seals of its attestations; that of a trail
 * covers the begins of its workflows.  The signed statement is not in the log:
 * expect_statement() says what it must contain, and the caller compares it.
 */
#include <string.h>

#include "../base/bytes.h"
#include "claim_content.h"
#include "name.h"
#include "replay_seal.h"

/* A directory is sealed once, and a seal takes all write permission. */
static enum tf_code
check_seal(struct tf_replay *r, struct tf_replay_tree_dir *d,
    struct tf_error *err)
{
	const struct tf_entry *e = r->e;
	enum tf_code rc = tf_replay_subject(r, d, "seals what was never begun",
	    err);

	if (rc == TF_OK && tf_replay_is_sealed(d))
		rc = tf_replay_broken(r, "seals a second time");
	if (rc == TF_OK && e->has_access &&
	    (e->access.mode & TF_REPLAY_WRITE_BITS) != 0)
		rc = tf_replay_broken(r, "seals and leaves write permission");
	return rc;
}

/* The leaf hash of the seal is kept: the parent is summed over it. */
static enum tf_code
seal(struct tf_replay *r, struct tf_replay_tree_dir *d,
    const struct tf_hash *leaf, struct tf_error *err)
{
	const struct tf_entry *e = r->e;

	d->seal = e->seq;
	d->attr.state = TF_STATE_SEALED;
	d->attr.ctime = e->at;
	d->seal_leaf = *leaf;
	if (e->has_access)
		tf_replay_set_access(d, e);
	return tf_replay_tree_put(&r->tree, e->path, d, err);
}

struct sum_walk {
	struct tf_replay *r;
	struct tf_summer *sums;
	bool workflow; /* sum seal_leaf of the children, else created_leaf */
	uint64_t n;
};

/* Add one evidence file to the sums; store the first ones for the statement. */
static enum tf_code
add_evidence(void *arg, struct tf_str name, const struct tf_replay_tree_file *f,
    struct tf_error *err)
{
	struct tf_subject_file s = { .name = name,
		.sha256 = f->sha256,
		.size = f->size };
	struct sum_walk *l = arg;
	enum tf_code rc = tf_summer_add(l->sums, &s, err);

	if (l->n < TF_STATEMENT_SUBJECTS) {
		tf_buf_add(&l->r->listed_names, name.p, name.n);
		l->r->listed[l->n] = s;
	}
	l->n++;
	return rc;
}

/* Compute the sums of the evidence of the current attestation. */
static enum tf_code
sum_evidence(struct tf_replay *r, struct tf_sums *out, struct tf_error *err)
{
	struct sum_walk l = { .r = r, .sums = tf_summer_new() };
	enum tf_code rc;
	const char *p;

	r->listed_names.n = 0;
	rc = tf_replay_tree_files(&r->tree, r->e->path, add_evidence, &l, err);
	if (rc == TF_OK && r->listed_names.failed)
		rc = tf_nomem(err);
	if (rc != TF_OK) {
		tf_summer_free(l.sums);
		return rc;
	}
	p = r->listed_names.p;
	for (uint64_t i = 0; i < l.n && i < TF_STATEMENT_SUBJECTS; i++) {
		r->listed[i].name.p = p;
		p += r->listed[i].name.n;
	}
	return tf_summer_end(l.sums, out, err);
}

/* Split "trail/workflow/attestation" into its names. */
static void
split_path(struct tf_str path, struct tf_statement *s)
{
	struct tf_str wf = tf_replay_parent_path(path),
		      trail = tf_replay_parent_path(wf);

	s->trail = trail;
	s->workflow = (struct tf_str){ wf.p + trail.n + 1, wf.n - trail.n - 1 };
	s->attestation.p = path.p + wf.n + 1;
	s->attestation.n = tf_name_version(s->attestation.p, path.n - wf.n - 1,
	    &s->version);
}

/*
 * A statement names the payload of the version before it, so that versions
 * form a chain.
 */
static enum tf_code
previous_version(struct tf_replay *r, struct tf_statement *s,
    struct tf_error *err)
{
	char text[TF_PATH_MAX + 16];
	struct tf_replay_tree_dir d = { .files = 0 };
	struct tf_str before;
	enum tf_code rc;

	if (!tf_replay_version_before(r->e->path, text, &before))
		return TF_OK;
	/* It exists: check_version found it when this version began. */
	rc = tf_replay_tree_get(&r->tree, before, &d, err);
	s->has_previous = rc == TF_OK;
	s->previous = d.payload;
	return rc;
}

static enum tf_code
expect_statement(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_replay_tree_dir *d, const struct tf_sums *sums,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_statement *s = &out->statement;
	struct tf_replay_tree_dir wf;
	enum tf_code rc;

	rc = tf_replay_tree_get(&r->tree, tf_replay_parent_path(e->path), &wf,
	    err);
	if (rc != TF_OK)
		return rc;
	split_path(e->path, s);
	s->origin = e->origin;
	s->host = (struct tf_str){ r->host, strlen(r->host) };
	s->has_template = wf.has_template;
	s->template_version = wf.template_version;
	s->actor = e->actor;
	s->cause = e->cause;
	s->claims = e->claims;
	s->claimants = e->claimants;
	s->evaluated = e->evaluated;
	s->imported = e->imported;
	s->has_written = d->files > 0;
	s->first_written = d->first;
	s->last_written = d->last;
	s->evidence = *sums;
	s->files = r->listed;
	out->has_statement = true;
	out->attester = (struct tf_str){ r->attester, strlen(r->attester) };
	return previous_version(r, s, err);
}

/* Remember the report, which a redaction may have removed later. */
static enum tf_code
keep_report(struct tf_replay *r, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_replay_tree_report report;
	bool has = false;
	enum tf_code rc;

	if (e->evaluated.n == 0)
		return TF_OK;
	memset(&report, 0, sizeof(report));
	rc = tf_evaluated_report(e->evaluated, &report.content, &has, err);
	return rc == TF_OK && has ?
	    tf_replay_tree_set_report(&r->tree, e->path, &report, err) :
	    rc;
}

enum tf_code
tf_replay_attestation_sealed(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	static const char wrong[] =
	    "its sums are not those of the evidence that was sealed";
	struct tf_replay_tree_dir d;
	struct tf_sums sums;
	enum tf_code rc;

	if ((rc = check_seal(r, &d, err)) != TF_OK)
		return rc;
	if (d.attr.kind != TF_KIND_ATTESTATION)
		return tf_replay_broken(r, "seals what is no attestation");
	tf_replay_check_imported(r, &d);
	rc = sum_evidence(r, &sums, err);
	if (rc == TF_TOOBIG) /* no entry can hold a sum this large */
		return tf_replay_broken(r, wrong);
	if (rc != TF_OK)
		return rc;
	if (e->evidence_count != sums.count ||
	    e->evidence_bytes != sums.bytes ||
	    memcmp(&sums.sums, &e->evidence_sums, sizeof(sums.sums)) != 0)
		(void)tf_replay_broken(r, wrong);
	if ((rc = expect_statement(r, e, &d, &sums, out, err)) != TF_OK)
		return rc;
	d.payload = e->statement.payload;
	if ((rc = seal(r, &d, leaf, err)) != TF_OK)
		return rc;
	return keep_report(r, e, err);
}

/*
 * A workflow is sealed only when all of its attestations are; a trail may be
 * sealed with open workflows.
 */
static enum tf_code
add_child(void *arg, struct tf_str name, const struct tf_replay_tree_dir *d,
    struct tf_error *err)
{
	struct sum_walk *l = arg;
	struct tf_subject_file s = { .name = name,
		.sha256 = l->workflow ? d->seal_leaf : d->created_leaf };

	if (l->workflow && !tf_replay_is_sealed(d))
		return tf_replay_broken(l->r,
		    "seals a workflow with an open "
		    "attestation");
	return tf_summer_add(l->sums, &s, err);
}

enum tf_code
tf_replay_parent_sealed(struct tf_replay *r, const struct tf_entry *e,
    bool workflow, const struct tf_hash *leaf, struct tf_error *err)
{
	struct sum_walk l = { .r = r, .workflow = workflow };
	struct tf_replay_tree_dir d;
	struct tf_sums sums;
	enum tf_code rc;

	if ((rc = check_seal(r, &d, err)) != TF_OK)
		return rc;
	if (d.attr.kind != (workflow ? TF_KIND_WORKFLOW : TF_KIND_TRAIL))
		return tf_replay_broken(r, "seals what is of another kind");
	l.sums = tf_summer_new();
	rc = tf_replay_tree_children(&r->tree, e->path, add_child, &l, err);
	if (rc == TF_OK)
		rc = tf_summer_end(l.sums, &sums, err);
	else
		tf_summer_free(l.sums);
	if (rc != TF_OK)
		return rc;
	if (e->children_count != sums.count ||
	    memcmp(&sums.sums, &e->children_sums, sizeof(sums.sums)) != 0)
		(void)tf_replay_broken(r,
		    workflow ? "its sums are not those of its "
			       "attestations" :
			       "its sums are not those of its "
			       "workflows");
	return seal(r, &d, leaf, err);
}
