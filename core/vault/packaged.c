/*
 * The entries that record that a package was made, and that the vault was
 * verified; and the file about a verification that did not find it whole.
 *
 * The caller says of which tree.  append() computes the root of that tree from
 * the tiles, so that the ledger never vouches for another log.  The package is
 * not read and nothing is verified: that is the caller's word.  What failed has no
 * root.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/verify_run.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../package.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/results.h"
#include "../vault.h"
#include "reason.h"

/* The entry to append, but for its path; it is about node id. */
struct record {
	uint64_t id;
	struct tf_entry e;
	const char *of; /* "the package", for messages */
};

/* Is its tree one of this log?  It is in the committer's thread, where the tree
 * cannot grow meanwhile. */
static enum tf_code
check_tree(const struct tf_txn *t, const struct record *r, struct tf_error *err)
{
	struct tf_hash root = { .b = { 0 } };
	enum tf_code rc = TF_INVALID;

	if (r->e.tree_size > 0 && r->e.tree_size <= t->size)
		rc = tf_merkle_root(r->e.tree_size, tf_tiles_read, t->db, &root,
		    err);
	if (tf_code_undecided(rc))
		return rc;
	if (rc != TF_OK || memcmp(&root, &r->e.tree_root, sizeof(root)) != 0)
		return tf_fail(err, TF_INVALID, "%s is of another log", r->of);
	return TF_OK;
}

static enum tf_code
append(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct record *r = arg;
	struct tf_entry e = r->e;
	struct tf_node_row row;
	enum tf_code rc = TF_OK;

	if (e.type != TF_VERIFY_FAILED)
		rc = check_tree(t, r, err);
	if (rc != TF_OK)
		return rc;
	/* A draft is in no package. */
	if ((rc = tf_nodes_get(t->db, r->id, &row, err)) != TF_OK)
		return rc == TF_NOTFOUND ?
		    tf_fail(err, rc, "it is not in the ledger yet") :
		    rc;
	rc = tf_txn_path(t, r->id, &e.path, err);
	if (rc == TF_OK) {
		(void)tf_txn_write(t);
		rc = tf_txn_append(t, &e, NULL, err);
	}
	if (rc == TF_OK && e.type == TF_VERIFY_DONE)
		rc = tf_meta_set_int(t->db, TF_META_VERIFIED, t->size - 1, err);
	return rc;
}

/* Append r for who, the owner of the directory a or root. */
static enum tf_code
record(struct tf_vault *v, struct record *r, const struct tf_attr *a,
    const struct tf_actor *who, struct tf_error *err)
{
	char *actor = NULL;
	enum tf_code rc;

	if (who->uid != 0 && who->uid != a->uid)
		return tf_fail(err, TF_DENIED,
		    "only its owner and root may record %s", r->of);
	if ((rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) != TF_OK)
		return rc;
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_actor_text(who, &actor, err)) != TF_OK)
		return rc;
	r->e.actor = tf_str_of(actor);
	rc = tf_commit_wait(v->commit, append, r, err);
	free(actor);
	return rc;
}

enum tf_code
tf_package_to_check(const char *to, struct tf_error *err)
{
	return tf_to_check(tf_str_of(to), err);
}

enum tf_code
tf_vault_packaged(struct tf_vault *v, uint64_t id,
    const struct tf_package_made *made, const struct tf_actor *who,
    struct tf_error *err)
{
	struct record r = { .id = id,
		.of = "the package",
		.e = { .type = TF_PACKAGE_MADE,
		    .package = { made->sha256, made->size },
		    .to = tf_str_of(made->to),
		    .tree_root = made->tree_root,
		    .tree_size = made->tree_size } };
	struct tf_attr a = { .uid = 0 };
	enum tf_code rc = tf_vault_writable(v, err);

	if (rc == TF_OK)
		rc = tf_vault_getattr(v, id, &a, err);
	if (rc == TF_OK && a.kind > TF_KIND_ATTESTATION)
		rc = tf_fail(err, TF_UNSUPPORTED, "no package is made of that");
	if (rc == TF_OK && made->to != NULL)
		rc = tf_package_to_check(made->to, err);
	return rc == TF_OK ? record(v, &r, &a, who, err) : rc;
}

/* As the replay has it: full is an entry, so it is before this one. */
static bool
fits(const struct tf_verify_scope *s, uint64_t size)
{
	return s->parts == 0 ||
	    (s->part < s->parts && s->from <= size && s->full < size);
}

/* Append r, which is about the root, with that field `run`. */
static enum tf_code
record_run(struct tf_vault *v, struct record *r,
    const struct tf_verify_run *run, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_attr a = { .uid = 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_vault_writable(v, err);

	if (rc == TF_OK)
		rc = tf_verify_run_text(run, &text, err);
	r->e.run = tf_buf_bytes(&text);
	if (rc == TF_OK)
		rc = tf_vault_getattr(v, TF_ROOT_ID, &a, err);
	if (rc == TF_OK)
		rc = record(v, r, &a, who, err);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_vault_verified(struct tf_vault *v, const struct tf_verified *made,
    const struct tf_actor *who, struct tf_error *err)
{
	const struct tf_verify_run run = { .scope = made->scope,
		.seconds = made->seconds };
	struct record r = { .id = TF_ROOT_ID,
		.of = "the verification",
		.e = { .type = TF_VERIFY_DONE,
		    .tree_root = made->root,
		    .tree_size = made->size } };
	enum tf_code rc;

	if (!fits(&made->scope, made->size))
		return tf_fail(err, TF_INVALID, "the scope does not fit");
	rc = record_run(v, &r, &run, who, err);
	if (rc == TF_OK && made->scope.parts == 0)
		rc = tf_result_remove(v->dirfd, TF_RESULT_VERIFY, err);
	return rc;
}

enum tf_code
tf_vault_verify_failed(struct tf_vault *v, const struct tf_verified *made,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_verify_run run = { .scope = made->scope,
		.seconds = made->seconds,
		.findings = made->findings };
	struct record r = { .id = TF_ROOT_ID,
		.of = "the verification",
		.e = { .type = TF_VERIFY_FAILED } };
	enum tf_code rc;
	bool fit;

	if (strcmp(made->verdict, TF_VERIFY_WRONG) != 0 &&
	    strcmp(made->verdict, TF_VERIFY_UNUSUAL) != 0 &&
	    strcmp(made->verdict, TF_VERIFY_UNDECIDED) != 0)
		return tf_fail(err, TF_INVALID, "that is no verdict");
	/* Of a head that this ledger does not have, nothing is said. */
	pthread_mutex_lock(&v->mu);
	if (made->size <= v->head.size)
		run.entries = made->size;
	fit = fits(&made->scope, v->head.size);
	pthread_mutex_unlock(&v->mu);
	if (!fit)
		return tf_fail(err, TF_INVALID, "the scope does not fit");
	(void)snprintf(run.verdict, sizeof(run.verdict), "%s", made->verdict);
	rc = record_run(v, &r, &run, who, err);
	if (rc == TF_OK)
		tf_vault_say(v,
		    strcmp(made->verdict, TF_VERIFY_WRONG) == 0 ? TF_TAMPER :
								  TF_INDOUBT,
		    "a verification of this vault ended with the verdict %s "
		    "and %llu finding%s",
		    made->verdict, (unsigned long long)made->findings,
		    made->findings == 1 ? "" : "s");
	return rc;
}

enum tf_code
tf_store_verify_failed(const char *path, const struct tf_verified *made,
    struct tf_error *err)
{
	struct tf_result result = { .at = tf_clock_now(),
		.entries = made->size,
		.findings = made->findings };
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc;

	if (fd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	(void)snprintf(result.verdict, sizeof(result.verdict), "%s",
	    made->verdict);
	rc = tf_result_put(fd, TF_RESULT_VERIFY, &result, err);
	(void)close(fd); /* only read */
	return rc;
}
