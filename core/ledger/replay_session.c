/*
 * Replay of the entries about the ledger itself: ledger.opened, key.rotated,
 * anchor.added, verify.done, verify.failed.  They decide the origin, the store
 * and the keys in force.
 *
 * The keys in force are those of the first opening, until key.rotated or an
 * opening with `previous` names others.  Such an opening begins a new origin
 * after a loss: it must state the size of the tree that it continues, and
 * another origin than before, so that two histories never have one name (I3).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "checkpoint.h"
#include "note.h"
#include "replay_session.h"
#include "rotation.h"
#include "verify_run.h"

enum tf_code
tf_replay_check_origin(struct tf_replay *r, const struct tf_entry *e)
{
	if (tf_replay_same(e->origin, r->origin))
		return TF_OK;
	return tf_replay_broken(r, "belongs to another ledger");
}

/* Replace the text at *at by a copy of s. */
static enum tf_code
replace_text(char **at, struct tf_str s)
{
	char *copy = strndup(s.n > 0 ? s.p : "", s.n);

	if (copy == NULL)
		return TF_NOMEM;
	free(*at);
	*at = copy;
	return TF_OK;
}

/* Set what an opening decides: origin, store, keys, host. */
static enum tf_code
set_session(struct tf_replay *r, const struct tf_entry *e)
{
	(void)snprintf(r->origin, sizeof(r->origin), "%.*s", (int)e->origin.n,
	    e->origin.p);
	(void)snprintf(r->store, sizeof(r->store), "%.*s", (int)e->store.n,
	    e->store.p);
	if (replace_text(&r->vkey, e->key_log) != TF_OK ||
	    replace_text(&r->attester, e->key_attester) != TF_OK)
		return TF_NOMEM;
	return replace_text(&r->host, e->host);
}

/* Append the note in "head" of the raw field "previous" to out; nothing if there
 * is none. */
static enum tf_code
head_of(struct tf_str previous, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json_doc d;
	enum tf_code rc = tf_json_parse(&d, previous.p, previous.n, err);
	int t;

	if (rc != TF_OK)
		return rc;
	t = tf_json_get(&d, 0, "head");
	if (t >= 0)
		rc = tf_json_string(&d, t, out, err);
	tf_json_doc_free(&d);
	if (rc == TF_INVALID) { /* no string */
		out->n = 0;
		rc = TF_OK;
	}
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum tf_code
tf_previous_continues(const struct tf_entry *e, const struct tf_hash *root,
    bool *yes, struct tf_error *err)
{
	struct tf_buf head = { 0 };
	struct tf_checkpoint c = { 0 };
	struct tf_note parts;
	enum tf_code rc = head_of(e->previous, &head, err);

	if (rc == TF_OK)
		rc = tf_checkpoint_parse(tf_buf_bytes(&head).p, head.n, &parts,
		    &c, err);
	*yes = rc == TF_OK && c.size == e->seq &&
	    memcmp(&c.root, root, sizeof(*root)) == 0;
	tf_buf_free(&head);
	return rc == TF_INVALID ? TF_OK : rc;
}

/* Check that "previous" of an opening matches the entries before it. */
static enum tf_code
check_previous(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_buf head = { 0 };
	const char *p, *end;
	uint64_t size = 0;
	bool ok = false;
	enum tf_code rc = head_of(e->previous, &head, NULL);

	if (rc != TF_OK) {
		tf_buf_free(&head);
		return rc == TF_NOMEM ?
		    rc :
		    tf_replay_broken(r, "previous is malformed");
	}
	/* The note's second line is its size. */
	if (head.n > 0 && (p = memchr(head.p, '\n', head.n)) != NULL) {
		p++;
		end = memchr(p, '\n', head.n - (size_t)(p - head.p));
		ok = end != NULL &&
		    tf_decimal(p, (size_t)(end - p), INT64_MAX, &size);
	}
	ok = ok && (e->seq == 0 || size == e->seq);
	ok = ok && (e->seq == 0 || !tf_replay_same(e->origin, r->origin));
	tf_buf_free(&head);
	return ok ?
	    TF_OK :
	    tf_replay_broken(r, "previous does not continue this ledger");
}

/* The first entry: create the root. */
static enum tf_code
create_root(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_replay_tree_dir root = { .attr = { .id = TF_ROOT_ID,
					       .parent = TF_ROOT_ID,
					       .kind = TF_KIND_ROOT,
					       .state = TF_STATE_OPEN,
					       .mode = e->access.mode,
					       .uid = e->access.uid,
					       .gid = e->access.gid,
					       .mtime = e->at,
					       .ctime = e->at,
					       .btime = e->at },
		.entry = e->seq,
		.seal = TF_REPLAY_OPEN };

	if (!e->has_access)
		(void)tf_replay_broken(r, "does not say whose the root is");
	tf_replay_tree_root(&r->tree, &root);
	r->n_names++;
	return set_session(r, e);
}

enum tf_code
tf_replay_opened(struct tf_replay *r, const struct tf_entry *e)
{
	enum tf_code rc = TF_OK;

	if (e->previous.p != NULL)
		rc = check_previous(r, e);
	else if (r->n_names > 0)
		rc = tf_replay_check_origin(r, e);
	if (rc != TF_OK)
		return rc;
	if (r->n_names == 0)
		return create_root(r, e);
	if (!tf_replay_same(e->store, r->store))
		(void)tf_replay_broken(r, "was written by another store");
	if (e->previous.p == NULL &&
	    (!tf_replay_same(e->key_log, r->vkey) ||
		!tf_replay_same(e->key_attester, r->attester)))
		(void)tf_replay_broken(r, "names keys that are not in force");
	return set_session(r, e);
}

/* The old key is stated, so a rotation cannot be applied to another key. */
enum tf_code
tf_replay_key_rotated(struct tf_replay *r, const struct tf_entry *e)
{
	bool log = tf_replay_same(e->use, "log");
	char **key = log ? &r->vkey : &r->attester;
	enum tf_code rc = TF_OK;

	if (!log && !tf_replay_same(e->use, "attester"))
		return TF_OK; /* a use that later versions define */
	if (!tf_replay_same(e->key_old, *key))
		return tf_replay_broken(r,
		    "replaces a key that is not in force");
	if (log && (rc = tf_rotation_check(e)) == TF_TAMPER)
		return tf_replay_broken(r,
		    "replaces the log's key without the signatures of both");
	return rc == TF_OK ? replace_text(key, e->key_new) : rc;
}

/* The root is compared by a caller that has the tree. */
enum tf_code
tf_replay_anchor_added(struct tf_replay *r, const struct tf_entry *e)
{
	if (e->tree_size > 0 && e->tree_size <= e->seq)
		return TF_OK;
	return tf_replay_broken(r,
	    "an anchor of a tree that this ledger did not have then");
}

/* The scope, if its members fit each other, and are about this ledger. */
static enum tf_code
check_run(struct tf_replay *r, const struct tf_entry *e, uint64_t size,
    struct tf_verify_run *run)
{
	struct tf_error why;
	enum tf_code rc = tf_verify_run_read(e->run, run, &why);

	if (rc == TF_NOMEM)
		return rc;
	if (rc != TF_OK ||
	    (run->scope.parts > 0 &&
		(run->scope.from > size || run->scope.full >= e->seq)))
		return tf_replay_broken(r,
		    "a verification whose scope does not fit");
	return TF_OK;
}

enum tf_code
tf_replay_verify_done(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_verify_run run;
	enum tf_code rc = check_run(r, e, e->tree_size, &run);

	if (rc != TF_OK)
		return rc;
	if (e->tree_size > 0 && e->tree_size <= e->seq)
		return TF_OK;
	return tf_replay_broken(r,
	    "a verification of a tree that this ledger did not have then");
}

enum tf_code
tf_replay_verify_failed(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_verify_run run;
	enum tf_code rc = check_run(r, e, e->seq, &run);

	if (rc != TF_OK)
		return rc;
	if (!tf_verify_is_bad(run.verdict))
		return tf_replay_broken(r,
		    "a failed verification with a good verdict");
	if (run.entries <= e->seq)
		return TF_OK;
	return tf_replay_broken(r,
	    "a verification of a tree that this ledger did not have then");
}
