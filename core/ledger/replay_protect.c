/*
 * Replay of holds and retentions.
 *
 * Whether a retention has ended depends on the time of the question, so replay
 * only checks that no entry takes back what an earlier one promised.  Holds do
 * not depend on time: an entry that removes something below a hold is broken.
 */
#include "replay_protect.h"

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

enum tf_code
tf_replay_redaction_done(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_str path = e->path;
	uint64_t standing;
	enum tf_code rc;

	for (;;) {
		rc = tf_replay_tree_holds(&r->tree, path, &standing, err);
		if (rc != TF_OK)
			return rc;
		if (standing > 0)
			return tf_replay_broken(r,
			    "removes what a hold protects");
		if (path.n == 1 && path.p[0] == '.')
			return TF_OK;
		path = tf_replay_parent_path(path);
	}
}
