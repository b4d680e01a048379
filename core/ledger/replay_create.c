/*
 * Replay of the entries that create a name: trail.created, workflow.begun,
 * attestation.begun, directory.created, evidence.sealed.
 */
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "policy.h"
#include "replay_change.h"
#include "replay_create.h"
#include "replay_grown.h"

/* The directory in which a name is created, and the attestation around it. */
struct parents {
	struct tf_str dir_path, att_path; /* att_path.n 0: no attestation */
	struct tf_replay_tree_dir dir, att;
};

/* Find the directory of a new name and check that the name may be there. */
static enum tf_code
find_parents(struct tf_replay *r, enum tf_kind kind, struct parents *p,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_str path = r->e->path;
	enum tf_kind child;
	enum tf_code rc;

	p->dir_path = tf_replay_parent_path(path);
	p->att_path = (struct tf_str){ NULL, 0 };
	out->name_at = tf_replay_last_part(path);
	rc = tf_replay_tree_get(&r->tree, p->dir_path, &p->dir, err);
	if (rc == TF_NOTFOUND)
		return tf_replay_broken(r,
		    "is created in a directory that does not exist");
	if (rc != TF_OK)
		return rc;
	if (tf_policy_child(p->dir.attr.kind, kind != TF_KIND_EVIDENCE,
		&child) != TF_OK ||
	    child != kind || path.n - out->name_at > TF_NAME_MAX)
		return tf_replay_broken(r, "is created at the wrong depth");
	if (p->dir.attr.kind == TF_KIND_ATTESTATION ||
	    p->dir.attr.kind == TF_KIND_DIRECTORY) {
		p->att_path = tf_replay_attestation_path(p->dir_path);
		/* It exists: a directory below it exists. */
		rc = tf_replay_tree_get(&r->tree, p->att_path, &p->att, err);
		if (rc != TF_OK)
			return rc;
	}
	if (tf_replay_is_sealed(&p->dir) ||
	    (p->att_path.n > 0 && tf_replay_is_sealed(&p->att)))
		return tf_replay_broken(r,
		    "is created in a directory that was sealed");
	return TF_OK;
}

/* A number is never used twice, so that a node is one file for ever. */
static enum tf_code
check_node(struct tf_replay *r, struct tf_error *err)
{
	enum tf_code rc = tf_replay_tree_node(&r->tree, r->e->node, err);

	return rc == TF_EXISTS ?
	    tf_replay_broken(r, "its node number was used before") :
	    rc;
}

/*
 * Finish the creation of a name: report a name that exists, which added says,
 * or update the times of its directory and describe the effect.
 */
static enum tf_code
name_created(struct tf_replay *r, enum tf_code added, enum tf_kind kind,
    struct parents *p, struct tf_replay_effect *out, struct tf_error *err)
{
	enum tf_code rc;

	if (added != TF_OK)
		return added == TF_EXISTS ?
		    tf_replay_broken(r, "its name was used before") :
		    added;
	p->dir.attr.mtime = p->dir.attr.ctime = r->e->at;
	if ((rc = tf_replay_tree_put(&r->tree, p->dir_path, &p->dir, err)) !=
	    TF_OK)
		return rc;
	out->created = true;
	out->kind = kind;
	out->parent = p->dir.attr.id;
	r->n_names++;
	return TF_OK;
}

/* NAME@N may begin only after NAME@(N-1) was sealed. */
static enum tf_code
check_version(struct tf_replay *r, struct tf_error *err)
{
	char text[TF_PATH_MAX + 16];
	struct tf_replay_tree_dir d;
	struct tf_str before;
	enum tf_code rc;

	if (!tf_replay_version_before(r->e->path, text, &before))
		return TF_OK;
	rc = tf_replay_tree_get(&r->tree, before, &d, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && !tf_replay_is_sealed(&d)))
		return tf_replay_broken(r, "repeats what is not sealed yet");
	return rc;
}

/* The template in force when a workflow begins stays valid for it. */
static void
check_template(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_replay_tree_dir *trail)
{
	if (e->has_template != trail->has_template ||
	    (e->has_template && e->template_version != trail->template_version))
		(void)tf_replay_broken(r,
		    "names a template that is not in force");
}

enum tf_code
tf_replay_directory_created(struct tf_replay *r, const struct tf_entry *e,
    enum tf_kind kind, const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	struct tf_replay_tree_dir d = { .attr = { .id = e->node,
					    .kind = kind,
					    .state = TF_STATE_OPEN,
					    .mode = e->access.mode,
					    .uid = e->access.uid,
					    .gid = e->access.gid,
					    .mtime = e->at,
					    .ctime = e->at,
					    .btime = e->at },
		.entry = e->seq,
		.imported = e->imported.p != NULL,
		.seal = TF_REPLAY_OPEN,
		.created_leaf = *leaf };
	struct parents p;
	enum tf_code rc;

	if ((rc = find_parents(r, kind, &p, out, err)) != TF_OK ||
	    (rc = check_node(r, err)) != TF_OK)
		return rc;
	if (kind == TF_KIND_ATTESTATION &&
	    (rc = check_version(r, err)) != TF_OK)
		return rc;
	if (kind == TF_KIND_WORKFLOW) {
		check_template(r, e, &p.dir);
		d.has_template = e->has_template;
		d.template_version = e->has_template ? e->template_version : 0;
	}
	if (kind == TF_KIND_DIRECTORY && !e->has_access)
		d.attr.mode = 0777; /* no restriction */
	d.attr.parent = p.dir.attr.id;
	rc = tf_replay_tree_add(&r->tree, e->path, &d, err);
	return name_created(r, rc, kind, &p, out, err);
}

/* For the statement: how many files, and when they were written. */
static void
count_file(struct tf_replay_tree_dir *att, const struct tf_entry *e)
{
	if (att->files == 0 || tf_time_cmp(e->created, att->first) < 0)
		att->first = e->created;
	if (att->files == 0 || tf_time_cmp(e->ctime, att->last) > 0)
		att->last = e->ctime;
	att->files++;
}

/*
 * The directory and the attestation may be one and the same row, and then only
 * one copy of it may be changed and stored.
 */
enum tf_code
tf_replay_evidence_sealed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_file f = { .sha256 = e->content.sha256,
		.size = e->content.size,
		.node = e->node,
		.entry = e->seq,
		.mode = e->access.mode,
		.uid = e->access.uid,
		.gid = e->access.gid };
	struct parents p;
	enum tf_code rc;

	if ((rc = find_parents(r, TF_KIND_EVIDENCE, &p, out, err)) != TF_OK ||
	    (rc = check_node(r, err)) != TF_OK ||
	    (rc = tf_replay_check_encryption(r, e, err)) != TF_OK ||
	    (rc = tf_replay_check_grown(r, e, err)) != TF_OK)
		return rc;
	if ((rc = tf_replay_tree_add_file(&r->tree, e->path, &f, err)) ==
	    TF_OK) {
		if (tf_str_same(p.dir_path, p.att_path)) {
			tf_replay_check_imported(r, &p.dir);
			count_file(&p.dir, e);
		} else {
			tf_replay_check_imported(r, &p.att);
			count_file(&p.att, e);
			rc = tf_replay_tree_put(&r->tree, p.att_path, &p.att,
			    err);
		}
	}
	return name_created(r, rc, TF_KIND_EVIDENCE, &p, out, err);
}
