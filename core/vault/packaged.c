/*
 * The entry that records that a package was made.
 *
 * The caller says of which tree the package was made.  append() computes the
 * root of that tree from the tiles, so that the ledger never vouches for a
 * package of another log.  The package itself is not read: its digest is the
 * caller's word.
 */
#include <stdlib.h>
#include <string.h>

#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../package.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../vault.h"

struct packaged {
	uint64_t id;
	const struct tf_package_made *made;
	const char *actor;
};

/*
 * The root is computed in the committer's thread, where the tree cannot grow
 * meanwhile.
 */
static enum tf_code
append(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct packaged *p = arg;
	struct tf_entry e = { .type = TF_PACKAGE_MADE,
		.package = { p->made->sha256, p->made->size },
		.tree_root = p->made->tree_root,
		.tree_size = p->made->tree_size };
	struct tf_hash root = { .b = { 0 } };
	struct tf_node_row row;
	enum tf_code rc = TF_INVALID;

	if (p->made->tree_size > 0 && p->made->tree_size <= t->size)
		rc = tf_merkle_root(p->made->tree_size, tf_tiles_read, t->db,
		    &root, err);
	if (tf_code_undecided(rc))
		return rc;
	if (rc != TF_OK || memcmp(&root, &e.tree_root, sizeof(root)) != 0)
		return tf_fail(err, TF_INVALID,
		    "the package is of another log");
	/* A draft is in no package. */
	if ((rc = tf_nodes_get(t->db, p->id, &row, err)) != TF_OK)
		return rc == TF_NOTFOUND ?
		    tf_fail(err, rc, "it is not in the ledger yet") :
		    rc;
	rc = tf_txn_path(t, p->id, &e.path, err);
	e.actor = (struct tf_str){ p->actor, strlen(p->actor) };
	if (rc == TF_OK) {
		(void)tf_txn_write(t);
		rc = tf_txn_append(t, &e, NULL, err);
	}
	return rc;
}

enum tf_code
tf_vault_packaged(struct tf_vault *v, uint64_t id,
    const struct tf_package_made *made, const struct tf_actor *who,
    struct tf_error *err)
{
	struct packaged p = { .id = id, .made = made };
	struct tf_attr a = { .uid = 0 };
	char *actor = NULL;
	enum tf_code rc = tf_vault_writable(v, err);

	if (rc == TF_OK)
		rc = tf_vault_getattr(v, id, &a, err);
	if (rc == TF_OK &&
	    (a.kind < TF_KIND_TRAIL || a.kind > TF_KIND_ATTESTATION))
		rc = tf_fail(err, TF_UNSUPPORTED, "no package is made of that");
	if (rc == TF_OK && who->uid != 0 && who->uid != a.uid)
		rc = tf_fail(err, TF_DENIED,
		    "only its owner and root may record a package");
	if (rc == TF_OK)
		tf_vault_learn(v, who->uid, who->gid);
	if (rc == TF_OK)
		rc = tf_actor_text(who, &actor, err);
	p.actor = actor;
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, append, &p, err);
	free(actor);
	return rc;
}
