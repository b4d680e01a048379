/*
 * Replay of evidence.grown: the digests of a file, part by part, while it grows
 * or just before its seal.  The parts follow each other without a gap, and the
 * seal must be that of the same file, under the same name, with all its bytes
 * entered: so nobody can replace what was entered, by a shorter file or by one
 * of another name.  That it is gone altogether, the audit reports (audit/pieces.h).
 * evidence.flushed binds nothing: the file may be written again, and renamed.
 */
#include <string.h>

#include "../base/crypto.h"
#include "chunks.h"
#include "replay_change.h"
#include "replay_grown.h"

static struct tf_hash
hash_path(struct tf_str path)
{
	struct tf_hash h;

	tf_sha256(path.p, path.n, &h);
	return h;
}

static bool
is_at(const struct tf_replay_tree_grown *g, struct tf_str path)
{
	const struct tf_hash h = hash_path(path);

	return memcmp(&h, &g->path, sizeof(h)) == 0;
}

/* The file has no entry yet, and its attestation is open. */
static enum tf_code
check_unsealed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_replay_tree_dir att;
	struct tf_replay_tree_file f;
	bool known;
	enum tf_code rc = tf_replay_tree_get(&r->tree,
	    tf_replay_attestation_path(e->path), &att, err);

	if (rc == TF_NOTFOUND)
		return tf_replay_broken(r,
		    "is in an attestation that does not exist");
	if (rc == TF_OK && tf_replay_is_sealed(&att))
		return tf_replay_broken(r,
		    "is in an attestation that was sealed");
	if (rc == TF_OK)
		rc = tf_replay_tree_knows(&r->tree, e->node, &known, err);
	if (rc == TF_OK && known)
		return tf_replay_broken(r, "its node number was used before");
	if (rc != TF_OK)
		return rc;
	rc = tf_replay_tree_get_file(&r->tree, e->path, &f, err);
	if (rc == TF_OK)
		return tf_replay_broken(r, "its name was used before");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_replay_evidence_flushed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	enum tf_code rc = check_unsealed(r, e, err);

	return rc == TF_OK ? tf_replay_check_encryption(r, e, err) : rc;
}

/* g is what the entries before say, {0} if there is none. */
static enum tf_code
check_order(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_chunks *c, const struct tf_replay_tree_grown *g)
{
	if (g->to > 0 && !is_at(g, e->path))
		return tf_replay_broken(r,
		    "has another path than the part before it");
	if (c->from != g->to || (c->has_before && c->before != g->seq))
		return tf_replay_broken(r,
		    "does not follow the part before it");
	return TF_OK;
}

enum tf_code
tf_replay_evidence_grown(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_replay_tree_grown g;
	struct tf_chunks c;
	enum tf_code rc = check_unsealed(r, e, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_replay_tree_grown(&r->tree, e->node, &g, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (rc == TF_NOTFOUND || g.over)
		memset(&g, 0, sizeof(g));
	if (!tf_chunks_read(e->chunks, &c))
		return tf_replay_broken(r, "has chunks that do not fit");
	/* The parts before may be missing. */
	if ((g.to > 0 || !r->gaps) && (rc = check_order(r, e, &c, &g)) != TF_OK)
		return rc;
	memset(&g, 0, sizeof(g));
	g.path = hash_path(e->path);
	g.seq = e->seq;
	g.to = c.to;
	rc = tf_replay_tree_set_grown(&r->tree, e->node, &g, err);
	return rc == TF_OK ?
	    tf_replay_tree_set_growing(&r->tree, e->path, e->node, err) :
	    rc;
}

enum tf_code
tf_replay_evidence_interrupted(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_replay_tree_grown g;
	uint64_t node;
	enum tf_code rc = tf_replay_tree_growing(&r->tree, e->path, &node, err);

	if (rc == TF_OK)
		rc = tf_replay_tree_grown(&r->tree, node, &g, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	g.over = true;
	return tf_replay_tree_set_grown(&r->tree, node, &g, err);
}

enum tf_code
tf_replay_check_grown(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_replay_tree_grown g;
	enum tf_code rc = tf_replay_tree_grown(&r->tree, e->node, &g, err);

	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (rc == TF_NOTFOUND || g.over) {
		if (e->has_grown && !r->gaps)
			(void)tf_replay_broken(r,
			    "names an entry that is not about its parts");
		return TF_OK;
	}
	if (!is_at(&g, e->path))
		(void)tf_replay_broken(r,
		    "has another path than its parts that were entered");
	else if (!e->has_grown || e->grown != g.seq ||
	    g.to != e->content.size || e->has_encryption)
		(void)tf_replay_broken(r,
		    "is not the file of which parts were entered");
	return TF_OK;
}
