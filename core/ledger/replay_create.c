/*
 * Replay of the entries that create a name: trail.created, workflow.begun,
 * attestation.begun, directory.created, evidence.sealed.
 */
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "policy.h"
#include "replay_create.h"

/* Where a name is created: its directory, and the attestation around it. */
struct place {
	struct tf_str up_path, att_path; /* att_path.n 0: in none */
	struct tf_replay_tree_dir up, att;
};

static enum tf_code
place_of(struct tf_replay *r, enum tf_kind kind, struct place *p,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_str path = r->e->path;
	enum tf_kind child;
	enum tf_code rc;

	p->up_path = tf_replay_parent_path(path);
	p->att_path = (struct tf_str){ NULL, 0 };
	out->name_at = tf_replay_last_part(path);
	rc = tf_replay_tree_get(&r->tree, p->up_path, &p->up, err);
	if (rc == TF_NOTFOUND)
		return tf_replay_broken(r,
		    "is born in a directory that does not exist");
	if (rc != TF_OK)
		return rc;
	if (tf_policy_child(p->up.attr.kind, kind != TF_KIND_EVIDENCE,
		&child) != TF_OK ||
	    child != kind || path.n - out->name_at > TF_NAME_MAX)
		return tf_replay_broken(r, "is born at the wrong depth");
	if (p->up.attr.kind == TF_KIND_ATTESTATION ||
	    p->up.attr.kind == TF_KIND_DIRECTORY) {
		p->att_path = tf_replay_attestation_path(p->up_path);
		/* It exists: a directory below it exists. */
		rc = tf_replay_tree_get(&r->tree, p->att_path, &p->att, err);
		if (rc != TF_OK)
			return rc;
	}
	if (tf_replay_is_sealed(&p->up) ||
	    (p->att_path.n > 0 && tf_replay_is_sealed(&p->att)))
		return tf_replay_broken(r,
		    "is born in a directory that was sealed");
	return TF_OK;
}

static enum tf_code
check_node(struct tf_replay *r, struct tf_error *err)
{
	enum tf_code rc = tf_replay_tree_node(&r->tree, r->e->node, err);

	return rc == TF_EXISTS ?
	    tf_replay_broken(r, "its node number was used before") :
	    rc;
}

/* A name was created: update its directory. */
static enum tf_code
born(struct tf_replay *r, enum tf_code added, enum tf_kind kind,
    struct place *p, struct tf_replay_effect *out, struct tf_error *err)
{
	enum tf_code rc;

	if (added != TF_OK)
		return added == TF_EXISTS ?
		    tf_replay_broken(r, "its name was used before") :
		    added;
	p->up.attr.mtime = p->up.attr.ctime = r->e->at;
	if ((rc = tf_replay_tree_put(&r->tree, p->up_path, &p->up, err)) !=
	    TF_OK)
		return rc;
	out->created = true;
	out->kind = kind;
	out->parent = p->up.attr.id;
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
		.seal = TF_REPLAY_OPEN,
		.birth_leaf = *leaf };
	struct place p;
	enum tf_code rc;

	if ((rc = place_of(r, kind, &p, out, err)) != TF_OK ||
	    (rc = check_node(r, err)) != TF_OK)
		return rc;
	if (kind == TF_KIND_ATTESTATION &&
	    (rc = check_version(r, err)) != TF_OK)
		return rc;
	if (kind == TF_KIND_WORKFLOW) {
		check_template(r, e, &p.up);
		d.has_template = e->has_template;
		d.template_version = e->has_template ? e->template_version : 0;
	}
	if (kind == TF_KIND_DIRECTORY && !e->has_access)
		d.attr.mode = 0777; /* no restriction */
	d.attr.parent = p.up.attr.id;
	rc = tf_replay_tree_add(&r->tree, e->path, &d, err);
	return born(r, rc, kind, &p, out, err);
}

static void
count_file(struct tf_replay_tree_dir *att, const struct tf_entry *e)
{
	if (att->files == 0 || tf_time_cmp(e->created, att->first) < 0)
		att->first = e->created;
	if (att->files == 0 || tf_time_cmp(e->ctime, att->last) > 0)
		att->last = e->ctime;
	att->files++;
}

enum tf_code
tf_replay_evidence_sealed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_file f = { .sha256 = e->content.sha256,
		.size = e->content.size,
		.node = e->node,
		.mode = e->access.mode,
		.uid = e->access.uid,
		.gid = e->access.gid };
	struct place p;
	enum tf_code rc;

	if ((rc = place_of(r, TF_KIND_EVIDENCE, &p, out, err)) != TF_OK ||
	    (rc = check_node(r, err)) != TF_OK)
		return rc;
	if ((rc = tf_replay_tree_add_file(&r->tree, e->path, &f, err)) ==
	    TF_OK) {
		if (tf_str_same(p.up_path, p.att_path)) {
			count_file(&p.up, e);
		} else {
			count_file(&p.att, e);
			rc = tf_replay_tree_put(&r->tree, p.att_path, &p.att,
			    err);
		}
	}
	return born(r, rc, TF_KIND_EVIDENCE, &p, out, err);
}
