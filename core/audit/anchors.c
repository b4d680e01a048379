/*
 * Receipts of mirrors and witnesses under audit: see anchors.h.
 *
 * The root of an earlier tree follows from the tiles.  The audit compares all
 * tiles with the entries, so a tile that was altered to fit a receipt is found
 * there.
 */
#include "anchors.h"

#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../ledger/cosigned.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/replay.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "quorum.h"

static enum tf_check
check_of(const struct tf_entry *e)
{
	return tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_STAMP)) ?
	    TF_CHECK_TIMESTAMP :
	    TF_CHECK_WITNESS;
}

/* The tiles of the source, as merkle.h asks for them. */
static enum tf_code
tile(void *arg, unsigned level, uint64_t n, unsigned width, struct tf_hash *out,
    struct tf_error *err)
{
	struct tf_audit *a = arg;

	return a->source->tile(a, level, n, width, out, err);
}

void
tf_audit_anchor_tree(struct tf_audit *a, const struct tf_entry *e)
{
	struct tf_error why = { .code = TF_OK };
	struct tf_hash root;
	enum tf_code rc;

	a->r->anchors++;
	/* The replay reports a tree that there was not then. */
	if (e->tree_size == 0 || e->tree_size > e->seq)
		return;
	rc = tf_merkle_root(e->tree_size, tile, a, &root, &why);
	if (tf_code_undecided(rc))
		tf_audit_trouble(a, check_of(e), e->seq, tf_nowhere, "", &why);
	else if (rc != TF_OK)
		tf_audit_not_seen(a, check_of(e));
	else if (memcmp(&root, &e->tree_root, sizeof(root)) != 0)
		tf_audit_finding(a, check_of(e), e->seq, tf_nowhere,
		    TF_ANCHOR_WORDS " does not fit: this log has another tree",
		    TF_ANCHOR_ARGS(e));
}

void
tf_audit_cosigned(struct tf_audit *a, const struct tf_entry *e,
    struct tf_str note)
{
	const char *key = tf_replay_vkey(a->replay);
	struct tf_error why = { .code = TF_OK };
	struct tf_cosigned c;
	struct tf_vkey log;
	enum tf_code rc;

	/* Without the entry that names the key nobody can say. */
	if (tf_vkey_parse(key, strlen(key), &log, NULL) != TF_OK) {
		tf_audit_uncosigned(a);
		return;
	}
	/* An earlier key, if the note is of before a rotation. */
	(void)!tf_log_keys_check(&a->keys, &log, note.n > 0 ? note.p : "",
	    note.n, &c.head, &log, NULL);
	rc = tf_cosigned_check(&log, e->anchor_key, note.n > 0 ? note.p : "",
	    note.n, &c, NULL, &why);
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	else if (rc != TF_OK)
		tf_audit_finding(a, TF_CHECK_WITNESS, e->seq, tf_nowhere,
		    TF_ANCHOR_WORDS " does not fit: %.100s", TF_ANCHOR_ARGS(e),
		    why.text);
	else if (c.head.size != e->tree_size ||
	    memcmp(&c.head.root, &e->tree_root, sizeof(c.head.root)) != 0)
		tf_audit_finding(a, TF_CHECK_WITNESS, e->seq, tf_nowhere,
		    TF_ANCHOR_WORDS " is about another tree than its entry",
		    TF_ANCHOR_ARGS(e));
	else {
		a->r->cosigned++;
		tf_quorum_count_note(a, &c.head, note);
		if (c.head.size > a->r->cosigned_size)
			a->r->cosigned_size = c.head.size;
	}
}

void
tf_audit_uncosigned(struct tf_audit *a)
{
	a->r->uncosigned++;
	tf_audit_not_seen(a, TF_CHECK_WITNESS);
}

void
tf_audit_cosigned_head(struct tf_audit *a, struct tf_str note)
{
	struct tf_error why = { .code = TF_OK };
	struct tf_hash root;
	struct tf_checkpoint c;
	enum tf_code rc = tf_audit_check_note(a, note, &c, &why);

	if (rc == TF_NOMEM) {
		tf_audit_no_memory(a);
		return;
	}
	if (rc == TF_FOREIGN) {
		tf_audit_unread(a, TF_CHECK_WITNESS, UINT64_MAX, tf_nowhere,
		    "the cosigned checkpoint has another origin: it may be "
		    "from before the origin changed");
		return;
	}
	if (rc != TF_OK) {
		tf_audit_trouble(a, TF_CHECK_WITNESS, UINT64_MAX, tf_nowhere,
		    "the cosigned checkpoint does not fit", &why);
		return;
	}
	if (!a->head_good || c.size == 0)
		return;
	if (c.size > a->head.size) {
		tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    "the cosigned checkpoint has %llu entries: the log lost "
		    "its end",
		    (unsigned long long)c.size);
		return;
	}
	rc = tf_merkle_root(c.size, tile, a, &root, &why);
	if (rc == TF_OK && memcmp(&root, &c.root, sizeof(root)) != 0)
		tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    "the cosigned checkpoint of %llu entries is of another "
		    "tree: the log was forked",
		    (unsigned long long)c.size);
	else if (rc == TF_OK)
		tf_quorum_count_note(a, &c, note);
	else
		tf_audit_not_seen(a, TF_CHECK_WITNESS);
}
