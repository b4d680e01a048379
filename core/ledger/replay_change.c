/*
 * Replay of the entries that change what exists: access.changed, template.set,
 * type.set, recipients.set, claims.set, attestation.overridden, import.done.
 *
 * A version that is not the next one and a missing right are reported, and the
 * change is taken over all the same: later entries are then judged by what the
 * ledger says, and one mistake is reported once.
 */
#include <string.h>

#include "../base/bytes.h"
#include "replay_change.h"

/* Change the group and the read bits of evidence; nothing else may change. */
static enum tf_code
evidence_access_changed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	static const char what[] = "changes access of what does not exist";
	struct tf_replay_tree_file f;
	enum tf_code rc = tf_replay_tree_get_file(&r->tree, e->path, &f, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? tf_replay_broken(r, what) : rc;
	if (!e->has_node || e->node != f.node)
		return tf_replay_broken(r, "its node is not the evidence's");
	if (((e->access.mode ^ f.mode) & ~TF_READ_BITS) != 0 ||
	    e->access.uid != f.uid)
		return tf_replay_broken(r,
		    "changes more of evidence than who reads it");
	f.mode = e->access.mode;
	f.gid = e->access.gid;
	out->evidence_access = true;
	return tf_replay_tree_put_file(&r->tree, e->path, &f, err);
}

/*
 * The path of a directory, or else of evidence.  A directory below an
 * attestation is sealed with it.
 */
enum tf_code
tf_replay_access_changed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_dir d, att;
	bool sealed;
	enum tf_code rc = tf_replay_tree_get(&r->tree, e->path, &d, err);

	if (rc == TF_NOTFOUND)
		return evidence_access_changed(r, e, out, err);
	if (rc == TF_OK && e->has_node && e->node != d.attr.id)
		return tf_replay_broken(r, "its node is not the directory's");
	if (rc == TF_OK && d.attr.kind == TF_KIND_DIRECTORY)
		rc = tf_replay_tree_get(&r->tree,
		    tf_replay_attestation_path(e->path), &att, err);
	if (rc != TF_OK)
		return rc;
	sealed = tf_replay_is_sealed(d.attr.kind == TF_KIND_DIRECTORY ? &att :
									&d);
	if (sealed &&
	    (e->access.mode & ~d.attr.mode & TF_REPLAY_WRITE_BITS) != 0)
		(void)tf_replay_broken(r,
		    "gives a sealed directory write permission");
	tf_replay_set_access(&d, e);
	d.attr.ctime = e->at;
	return tf_replay_tree_put(&r->tree, e->path, &d, err);
}

/* Get the trail that an entry defines something of; what is the rule to report
 * if it is none. */
static enum tf_code
open_trail(struct tf_replay *r, struct tf_replay_tree_dir *d, const char *what,
    struct tf_error *err)
{
	enum tf_code rc = tf_replay_subject(r, d, what, err);

	if (rc == TF_OK && d->attr.kind != TF_KIND_TRAIL)
		rc = tf_replay_broken(r, what);
	if (rc == TF_OK && tf_replay_is_sealed(d))
		rc = tf_replay_broken(r, "defines something of a sealed trail");
	return rc;
}

enum tf_code
tf_replay_template_set(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_dir d;
	enum tf_code rc = open_trail(r, &d, "sets a template of no trail", err);

	if (rc != TF_OK)
		return rc;
	if (e->template_version != d.template_version + 1)
		(void)tf_replay_broken(r,
		    "its template has not the next version");
	out->subject = d.attr.id;
	d.has_template = true;
	d.template_version = e->template_version;
	return tf_replay_tree_put(&r->tree, e->path, &d, err);
}

enum tf_code
tf_replay_type_set(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_dir d;
	uint64_t version;
	enum tf_code rc = open_trail(r, &d, "defines a type of no trail", err);

	if (rc == TF_OK)
		rc = tf_replay_tree_type(&r->tree, e->path, e->definition_name,
		    &version, err);
	if (rc != TF_OK)
		return rc;
	if (e->definition_version != version + 1)
		(void)tf_replay_broken(r, "its type has not the next version");
	out->subject = d.attr.id;
	return tf_replay_tree_set_type(&r->tree, e->path, e->definition_name,
	    e->definition_version, err);
}

enum tf_code
tf_replay_recipients_set(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_dir d;
	enum tf_code rc = open_trail(r, &d, "sets recipients of no trail", err);

	if (rc != TF_OK)
		return rc;
	if (e->definition_version != d.recipients + 1)
		(void)tf_replay_broken(r,
		    "its recipients have not the next version");
	out->subject = d.attr.id;
	d.recipients = e->definition_version;
	r->secret_len = 0;
	return tf_replay_tree_put(&r->tree, e->path, &d, err);
}

enum tf_code
tf_replay_check_encryption(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_str trail = tf_replay_trail_path(e->path);
	struct tf_replay_tree_dir d;
	enum tf_code rc;

	if (!tf_str_same(trail,
		(struct tf_str){ r->secret_trail, r->secret_len })) {
		rc = tf_replay_tree_get(&r->tree, trail, &d, err);
		if (rc != TF_OK)
			return rc;
		memcpy(r->secret_trail, trail.p, trail.n);
		r->secret_len = trail.n;
		r->secret_version = d.recipients;
	}
	if (!e->has_encryption && r->secret_version > 0)
		(void)tf_replay_broken(r,
		    "is not encrypted, although its trail has recipients");
	if (e->has_encryption && e->encryption_recipients > r->secret_version)
		(void)tf_replay_broken(r,
		    "is encrypted to recipients that its trail has not");
	return TF_OK;
}

/*
 * Claims about an attestation are in its seal, never in an entry of their own.
 */
enum tf_code
tf_replay_claims_set(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	static const char what[] = "claims something about what does not exist";
	struct tf_replay_tree_dir d;
	enum tf_code rc = tf_replay_subject(r, &d, what, err);

	if (rc == TF_OK && d.attr.kind != TF_KIND_TRAIL &&
	    d.attr.kind != TF_KIND_WORKFLOW)
		rc = tf_replay_broken(r, what);
	if (rc == TF_OK && tf_replay_is_sealed(&d))
		rc = tf_replay_broken(r,
		    "claims something about a sealed directory");
	if (rc != TF_OK)
		return rc;
	out->subject = d.attr.id;
	d.claims = e->seq;
	return tf_replay_tree_put(&r->tree, e->path, &d, err);
}

/* An override changes no state: it names the seal that it speaks of. */
enum tf_code
tf_replay_overridden(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	static const char what[] = "overrides what is not the seal of its path";
	struct tf_replay_tree_dir d;
	enum tf_code rc = tf_replay_subject(r, &d, what, err);

	if (rc == TF_OK &&
	    (d.attr.kind != TF_KIND_ATTESTATION || !tf_replay_is_sealed(&d) ||
		d.seal != e->target))
		rc = tf_replay_broken(r, what);
	return rc;
}

/* A file of another system was imported into a trail. */
enum tf_code
tf_replay_import_done(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	static const char what[] = "ends an import into what is no trail";
	struct tf_replay_tree_dir d;
	enum tf_code rc = tf_replay_subject(r, &d, what, err);

	(void)e;
	if (rc == TF_OK && d.attr.kind != TF_KIND_TRAIL)
		rc = tf_replay_broken(r, what);
	return rc;
}
