/*
 * The pass of an audit.  It parses, hashes and replays every entry, builds the
 * tree from the leaves, and compares the tree with the tiles, the newest
 * checkpoint and the earlier checkpoints (I3).  It needs no private key (I6).
 *
 * What the pass trusts: the log's key and the earlier checkpoint that the
 * caller kept.  Everything else is under audit; only a store that is audited
 * without a key is measured with its own.  Each step rests on the one before:
 * the key signs the checkpoint, the checkpoint has the root of the tree, the
 * tree has the entries as leaves (RFC 6962, section 2.1), the entries name
 * digests, and the digests name the bytes of evidence.
 *
 * A fault is a finding and the pass goes on, because an auditor needs all
 * faults and not the first one.  After an error of I/O or memory there is no
 * verdict: what could not be read proves nothing.  A check that did not see all
 * of its input becomes ABSENT, never OK.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/replay.h"
#include "../ledger/replay_tree.h"
#include "../store/temp_table.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "organisation.h"
#include "pool.h"
#include "quorum.h"
#include "statement.h"
#include "tree.h"

#define PROGRESS_EVERY 256 /* entries */

/* The replay stores its state in a temporary table, not in memory. */
static const struct tf_temp_table_ops table_ops = {
	.add = tf_temp_table_add,
	.put = tf_temp_table_put,
	.get = tf_temp_table_get,
	.each = tf_temp_table_each,
	.cut = tf_temp_table_cut,
};

/* --- findings ------------------------------------------------------------- */

/* The replay found an entry that breaks a rule of the ledger, though its hash
 * may be right: a log can be signed and still be wrong. */
static void
rule_broken(void *arg, const struct tf_entry *e, const char *text)
{
	struct tf_audit *a = arg;

	tf_audit_finding(a, TF_CHECK_ENTRIES,
	    e->seq == UINT64_MAX ? UINT64_MAX : a->next, e->path, "%s", text);
}

void
tf_audit_absent(struct tf_audit *a, uint64_t seq, struct tf_str path,
    const struct tf_hash *sha256, const struct tf_content *want, bool read,
    const char *text)
{
	char hex[65] = "-";

	if (sha256 != NULL)
		tf_hex(sha256->b, sizeof(sha256->b), hex);
	tf_buf_printf(&a->absent, "%llu %d ", (unsigned long long)seq, read);
	tf_buf_add(&a->absent, hex, strlen(hex) + 1);
	tf_buf_add(&a->absent, path.p, path.n);
	tf_buf_add(&a->absent, "", 1);
	tf_buf_add(&a->absent, text, strlen(text) + 1);
	tf_buf_add(&a->absent, want, sizeof(*want));
}

/* Is it redacted?  hex: see tf_audit_absent(). */
static enum tf_code
is_redacted(struct tf_audit *a, struct tf_str path, const char *hex,
    bool *redacted, struct tf_error *err)
{
	struct tf_hash h;
	enum tf_code rc = TF_OK;

	*redacted = false;
	if (strcmp(hex, "-") == 0)
		return tf_replay_redacted(a->replay, path, redacted, err);
	if (tf_unhex(hex, strlen(hex), h.b, sizeof(h.b)))
		rc = tf_replay_redacted_in(a->replay, path, &h, redacted, err);
	return rc;
}

/* Bytes that were read and differ are a fault of the evidence; bytes that could
 * not be read are not. */
static void
content_wrong(void *arg, const struct tf_task *t, const struct tf_content *have,
    bool read, const char *text)
{
	struct tf_str path = { t->path, strlen(t->path) };
	struct tf_audit *a = arg;

	if (have == NULL)
		tf_audit_absent(a, t->seq, path, NULL, &t->want, read, text);
	else
		tf_audit_bytes(a, TF_GRADE_WRONG, t->seq, path, &t->want, have,
		    text);
}

/* Report what tf_audit_absent() has put off, but for what was redacted. */
static enum tf_code
report_absent(struct tf_audit *a, struct tf_error *err)
{
	enum tf_code rc = tf_buf_end(&a->absent, err);

	for (size_t at = 0; rc == TF_OK && at < a->absent.n;) {
		char *end;
		uint64_t seq = strtoull(a->absent.p + at, &end, 10);
		bool redacted, read = end[1] == '1';
		const char *hex = end + 3;
		struct tf_str path = tf_str_of(hex + strlen(hex) + 1);
		const char *text = path.p + path.n + 1;
		struct tf_content want;

		at = (size_t)(text + strlen(text) + 1 - a->absent.p);
		memcpy(&want, a->absent.p + at, sizeof(want));
		at += sizeof(want);
		rc = is_redacted(a, path, hex, &redacted, err);
		if (rc == TF_OK && !redacted)
			tf_audit_bytes(a,
			    read ? TF_GRADE_WRONG : TF_GRADE_UNREAD, seq, path,
			    &want, NULL, text);
	}
	return rc;
}

/* --- keys ----------------------------------------------------------------- */

enum tf_code
tf_audit_learn(struct tf_audit *a, const void *entry, size_t n,
    struct tf_error *err)
{
	return tf_log_keys_learn(&a->keys, entry, n, err);
}

enum tf_code
tf_audit_check_note(const struct tf_audit *a, struct tf_str note,
    struct tf_checkpoint *out, struct tf_error *err)
{
	return tf_log_keys_check(&a->keys, &a->vkey, note.n > 0 ? note.p : "",
	    note.n, out, NULL, err);
}

/* --- setting up ----------------------------------------------------------- */

/*
 * Check an earlier checkpoint from before a recovery: the same key under the
 * old origin.  A vault that was restored from a mirror has another key, and its
 * entries name the old one.
 */
static enum tf_code
check_old_origin(struct tf_audit *a, struct tf_error *err)
{
	struct tf_note parts;
	struct tf_str note = a->v->earlier;
	/* The note was parsed before, so its first line is an origin. */
	const char *end = memchr(note.p, '\n', note.n);
	char name[TF_ORIGIN_MAX + 1];
	struct tf_vkey old;
	enum tf_code rc;

	(void)snprintf(name, sizeof(name), "%.*s", (int)(end - note.p), note.p);
	tf_vkey_make(&old, name, &a->vkey.pub);
	rc = tf_checkpoint_check(note.p, note.n, &old, &a->held[0].c, err);
	if (rc != TF_TAMPER)
		return rc;
	a->held[0].unproven = a->held[0].late = true;
	return tf_checkpoint_parse(note.p, note.n, &parts, &a->held[0].c, err);
}

/* An opening names the key of the checkpoints that follow it. */
static void
prove_earlier(struct tf_audit *a, const struct tf_entry *e)
{
	struct tf_held *h = &a->held[0];
	struct tf_checkpoint c;
	struct tf_vkey k;

	if (h->unproven && e->type == TF_LEDGER_OPENED && e->seq < h->c.size &&
	    tf_vkey_parse(e->key_log.p, e->key_log.n, &k, NULL) == TF_OK &&
	    tf_checkpoint_check(a->v->earlier.p, a->v->earlier.n, &k, &c,
		NULL) == TF_OK)
		h->unproven = false;
}

/* This log must have signed it. */
enum tf_code
tf_audit_earlier(struct tf_audit *a, struct tf_error *err)
{
	const struct tf_verify *v = a->v;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;

	if (v->earlier.p == NULL)
		a->r->check[TF_CHECK_EARLIER] = TF_VERDICT_ABSENT;
	else
		rc = tf_audit_check_note(a, v->earlier, &a->held[0].c, &e);
	if (rc == TF_FOREIGN)
		rc = check_old_origin(a, &e);
	if (rc == TF_INVALID || rc == TF_NOMEM)
		return tf_fail(err, rc, "the earlier checkpoint: %.120s",
		    e.text);
	a->held[0].wanted = rc == TF_OK && v->earlier.p != NULL;
	a->held[0].what = "what you hold";
	if (rc != TF_OK)
		tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    "what you hold is no checkpoint of this log: %s", e.text);
	return TF_OK;
}

enum tf_code
tf_audit_new(const struct tf_verify *v, const char *own, struct tf_report *r,
    struct tf_audit **out, struct tf_error *err)
{
	struct tf_audit *a = calloc(1, sizeof(*a));
	const char *key = v->vkey != NULL ? v->vkey : own;
	enum tf_code rc = TF_OK;

	memset(r, 0, sizeof(*r));
	r->check[TF_CHECK_PACKAGE] = TF_VERDICT_ABSENT;
	r->check[TF_CHECK_EVALUATION] = TF_VERDICT_ABSENT; /* until one is */
	r->check[TF_CHECK_WITNESS] = TF_VERDICT_ABSENT;
	r->check[TF_CHECK_TIMESTAMP] = TF_VERDICT_ABSENT;
	r->pinned = v->vkey != NULL;
	if (a == NULL)
		return tf_nomem(err);
	if ((rc = tf_temp_table_open(&a->table, err)) != TF_OK) {
		tf_audit_free(a);
		return rc;
	}
	if ((a->tree = calloc(1, sizeof(*a->tree))) == NULL ||
	    (a->replay = tf_replay_new(&table_ops, a->table, rule_broken, a)) ==
		NULL) {
		tf_audit_free(a);
		return tf_nomem(err);
	}
	a->v = v;
	a->r = r;
	if (key == NULL)
		rc = tf_fail(err, TF_USAGE,
		    "the log's key is needed: it is "
		    "never learned from what is being checked");
	else
		rc = tf_log_keys_parse(&a->keys, tf_str_of(key), &a->vkey, err);
	if (rc != TF_OK) {
		tf_audit_free(a);
		return rc;
	}
	if ((rc = tf_quorum_count_new(a, err)) != TF_OK) {
		tf_audit_free(a);
		return rc;
	}
	(void)snprintf(r->origin, sizeof(r->origin), "%s", a->vkey.name);
	(void)snprintf(r->vkey, sizeof(r->vkey), "%.*s",
	    (int)strcspn(key, "\n"), key);
	*out = a;
	return TF_OK;
}

/* Give the key and its rotations to the caller. */
static void
tell_keys(struct tf_audit *a)
{
	struct tf_buf *out = a->v == NULL ? NULL : a->v->keys;

	if (out == NULL || a->vkey.name[0] == '\0')
		return;
	out->n = 0;
	tf_vkey_text(&a->vkey, out);
	tf_buf_str(out, "\n");
	tf_buf_add(out, a->keys.text.p, a->keys.text.n);
	tf_buf_add(out, "", 1);
}

void
tf_audit_free(struct tf_audit *a)
{
	if (a == NULL)
		return;
	tell_keys(a);
	tf_pool_free(a->pool);
	tf_log_keys_free(&a->keys);
	tf_audit_org_free(a->org);
	tf_replay_free(a->replay);
	tf_temp_table_close(a->table);
	tf_quorum_count_free(a->quorum);
	free(a->tree);
	tf_buf_free(&a->shown);
	tf_buf_free(&a->absent);
	tf_growing_free(&a->growing);
	tf_pieces_free(a->pieces);
	free(a);
}

/* True if the log's key signed the note, whatever its origin is. */
static bool
is_of_key(const struct tf_audit *a, struct tf_str note)
{
	const char *end = note.p == NULL ? NULL : memchr(note.p, '\n', note.n);
	char origin[TF_ORIGIN_MAX + 1];
	struct tf_checkpoint c;
	struct tf_vkey k;

	if (end == NULL || (size_t)(end - note.p) > TF_ORIGIN_MAX)
		return false;
	(void)snprintf(origin, sizeof(origin), "%.*s", (int)(end - note.p),
	    note.p);
	tf_vkey_make(&k, origin, &a->vkey.pub);
	return tf_checkpoint_check(note.p, note.n, &k, &c, NULL) == TF_OK;
}

void
tf_audit_beside(struct tf_audit *a, struct tf_str note)
{
	enum tf_code rc = tf_audit_check_note(a, note, &a->held[1].c, NULL);

	a->held[1].wanted = rc == TF_OK;
	a->held[1].what = "the checkpoint beside the database";
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	/* A note of this key with another origin is that of before a recovery,
	 * and not about this log. */
	else if (rc != TF_OK && !(rc == TF_FOREIGN && is_of_key(a, note)))
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "the checkpoint beside the database is not signed by the "
		    "%s",
		    a->r->pinned ? "key given" : "key of the store");
}

void
tf_audit_guard(struct tf_audit *a, struct tf_str note, bool last)
{
	struct tf_held *h = &a->held[last ? 4 : 2];
	char text[160];
	struct tf_error e;
	enum tf_code rc = tf_audit_check_note(a, note, &h->c, &e);

	h->wanted = rc == TF_OK;
	h->what = last ? "the guard of the last start" : "the guard";
	if (rc == TF_NOMEM) {
		tf_audit_no_memory(a);
	} else if (rc == TF_FOREIGN && is_of_key(a, note)) {
		(void)snprintf(text, sizeof(text),
		    "%s has this key and another origin: it is of a copy of "
		    "this log, or of before the origin changed",
		    h->what);
		tf_audit_unread(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    text);
	} else if (rc != TF_OK) {
		(void)snprintf(text, sizeof(text), "%s does not fit", h->what);
		tf_audit_trouble(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    text, &e);
	}
}

void
tf_audit_refused(struct tf_audit *a, struct tf_str note)
{
	struct tf_held *h = &a->held[3];
	struct tf_checkpoint c;

	if (tf_audit_check_note(a, note, &c, NULL) != TF_OK ||
	    (h->wanted && h->c.size >= c.size))
		return;
	h->c = c;
	h->wanted = true;
	h->what = "the head of a mirror or a witness";
}

/* A copy of the head that is signed and newer than the database's newest signature:
 * the row of that signature was written without a sync (core/commit/sign_head.c), so a
 * power cut loses it, and nothing in a store tells that from a row that somebody
 * deleted.  The ticket proves that the signer knows the tree in both cases. */
static void
name_lost_signature(struct tf_audit *a)
{
	char text[200];

	for (size_t i = 1; i < TF_HELD - 1; i++)
		if (a->held[i].wanted && a->held[i].c.size > a->head.size) {
			(void)snprintf(text, sizeof(text),
			    "%s is signed for %llu entries, and the database "
			    "lacks that signature: a power cut lost it, or "
			    "somebody deleted it",
			    a->held[i].what,
			    (unsigned long long)a->held[i].c.size);
			tf_audit_unread(a, TF_CHECK_SIGNATURE, a->head.size,
			    tf_nowhere, text);
			return;
		}
}

void
tf_audit_unsigned(struct tf_audit *a, uint64_t size, const struct tf_hash *root)
{
	struct tf_held *h = &a->held[5];
	char text[100];

	name_lost_signature(a);
	(void)snprintf(text, sizeof(text),
	    "%llu entries at the end are not signed yet: the next start signs "
	    "them",
	    (unsigned long long)(size - a->head.size));
	tf_audit_unread(a, TF_CHECK_SIGNATURE, a->head.size, tf_nowhere, text);
	h->c = a->head;
	h->wanted = a->head.size > 0;
	h->what = "the newest checkpoint";
	a->head.size = a->r->size = size;
	a->head.root = a->r->root = *root;
}

/* The newest checkpoint is good. */
static void
take_signer(struct tf_audit *a, struct tf_str note)
{
	struct tf_buf key = { 0 };

	tf_quorum_count_note(a, &a->head, note);
	tf_vkey_text(tf_audit_key(a), &key);
	if (key.failed)
		tf_audit_no_memory(a);
	else
		(void)snprintf(a->r->signer, sizeof(a->r->signer), "%.*s",
		    (int)key.n, key.p);
	tf_buf_free(&key);
}

void
tf_audit_head(struct tf_audit *a, struct tf_str note)
{
	struct tf_error e = { .code = TF_OK };

	a->head_good = tf_audit_check_note(a, note, &a->head, &e) == TF_OK;
	if (!a->head_good)
		tf_audit_trouble(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    e.code == TF_TAMPER && a->r->pinned ?
			"not signed by the key given" :
			"newest checkpoint",
		    &e);
	else
		take_signer(a, note);
	a->r->size = a->head.size;
	a->r->root = a->head.root;
}

void
tf_audit_held_proven(struct tf_audit *a, uint64_t size,
    const struct tf_hash *root)
{
	struct tf_held *h = &a->held[0];

	if (h->c.size != size)
		return;
	h->proven = true;
	h->contradicted |= memcmp(&h->c.root, root, sizeof(*root)) != 0;
}

void
tf_audit_held_alone(struct tf_audit *a)
{
	const struct tf_held *h = &a->held[0];

	if (!h->wanted)
		return;
	tf_audit_unproven(a);
	if (!h->wanted)
		return;
	tf_audit_held_proven(a, a->head.size, &a->head.root);
	if (!h->proven)
		a->r->check[TF_CHECK_EARLIER] = TF_VERDICT_ABSENT;
	else if (h->contradicted)
		tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    "what you hold is of the same size and another tree: "
		    "the log told two stories; keep both signed checkpoints");
}

/* --- one entry ------------------------------------------------------------ */

static void
remark_survived(struct tf_audit *a, const struct tf_entry *e)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
	    "bytes %llu-%llu survived a failure: no flush says that they are "
	    "what was written",
	    (unsigned long long)e->proven,
	    (unsigned long long)e->content.size - 1);
	tf_audit_remark(a, TF_CHECK_CONTENTS, TF_GRADE_SURVIVED, e->seq,
	    e->path, text);
}

/* What was entered of a file is in no evidence that is sealed. */
static void
report_gone(struct tf_audit *a, const struct tf_entry *e)
{
	char *path;
	uint64_t bytes;

	while (tf_growing_gone(&a->growing, e, &path, &bytes)) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq,
		    (struct tf_str){ path, strlen(path) },
		    "the first %llu bytes were entered and are gone",
		    (unsigned long long)bytes);
		free(path);
	}
}

/* Replay the entry, then let the source compare its own tables or files with
 * the effect.  The order matters: a source asks the replay for what the entries
 * so far have made. */
static enum tf_code
check_meaning(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_replay_effect x;
	enum tf_code rc = tf_replay_entry(a->replay, e, leaf, &x, err);

	prove_earlier(a, e);
	a->stamp.newest = e->at;
	a->r->newer += e->v > TF_ENTRY_VERSION;
	a->r->unknown += e->v == TF_ENTRY_VERSION && e->type == TF_TYPE_UNKNOWN;
	if (rc == TF_OK && x.created && x.kind == TF_KIND_EVIDENCE)
		a->r->files++;
	if (rc == TF_OK && x.text && e->type == TF_REDACTION_DONE) {
		a->r->redacted_texts++;
	} else if (rc == TF_OK && x.subject != 0 &&
	    e->type == TF_REDACTION_DONE) {
		a->r->redacted++;
		a->r->files--;
	}
	if (rc == TF_OK && a->source->texts != NULL)
		rc = a->source->texts(a, e, err);
	if (rc == TF_OK && e->type == TF_EVIDENCE_GROWN)
		rc = tf_growing_add(&a->growing, e, err);
	if (e->type == TF_EVIDENCE_SEALED)
		a->pieces = tf_growing_take(&a->growing, e);
	report_gone(a, e);
	if (rc == TF_OK && x.created)
		rc = a->source->created(a, e, &x, err);
	tf_pieces_free(a->pieces);
	a->pieces = NULL;
	if (x.created && e->has_proven && e->proven < e->content.size)
		remark_survived(a, e);
	if (rc == TF_OK && x.evidence_access && a->source->access != NULL)
		a->source->access(a, e);
	if (rc == TF_OK &&
	    (x.subject != 0 || x.has_statement || e->type == TF_ANCHOR_ADDED) &&
	    a->source->said != NULL)
		rc = a->source->said(a, e, &x, err);
	if (rc == TF_OK && x.has_statement && a->source->payload != NULL)
		tf_audit_check_statement(a, e, &x);
	return rc;
}

/* Report the faults that the pool found so far; finish: all of them. */
static enum tf_code
report_contents(struct tf_audit *a, bool finish, struct tf_error *err)
{
	uint64_t bytes = 0;
	enum tf_code rc = TF_OK;

	if (a->pool != NULL)
		rc = tf_pool_results(a->pool, finish, content_wrong, a, &bytes,
		    err);
	if (finish)
		a->r->bytes += bytes;
	return rc;
}

/* Report an opening under a new origin that continues another tree than that of
 * the entries before it, which are all there. */
static enum tf_code
check_previous(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_hash root;
	bool yes;
	enum tf_code rc;

	if (e->type != TF_LEDGER_OPENED || e->previous.p == NULL ||
	    e->seq == 0 || e->seq != a->tree->size || a->source->prove != NULL)
		return TF_OK;
	tf_tree_root(a->tree, &root);
	rc = tf_previous_continues(e, &root, &yes, err);
	if (rc == TF_OK && !yes)
		tf_audit_finding(a, TF_CHECK_ENTRIES, e->seq, tf_nowhere,
		    "previous is the head of another tree than that of the "
		    "entries before it");
	return rc;
}

/* The first entry says what the ledger is, such as that of an organisation, which
 * has the entries of many logs. */
static void
check_first(struct tf_audit *a, const struct tf_entry *e)
{
	a->later = true;
	if (!tf_str_same(e->origin, tf_str_of(a->vkey.name)))
		tf_audit_finding(a, TF_CHECK_ENTRIES, 0, tf_nowhere,
		    "the first entry is of another ledger than the key's");
}

/* The second reading of an organisation's log: the rest is done. */
static enum tf_code
read_again(struct tf_audit *a, uint64_t idx, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, body, n, err);

	if (rc == TF_OK)
		rc = tf_audit_org_entry(a, idx, &d.e,
		    (struct tf_str){ body, n }, NULL, err);
	tf_entry_decoded_free(&d);
	return rc == TF_INVALID ? TF_OK : rc;
}

enum tf_code
tf_audit_entry(struct tf_audit *a, uint64_t idx, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_hash leaf;
	struct tf_str path = tf_nowhere;
	enum tf_code rc = TF_OK;
	bool ok;

	if (a->org != NULL && idx < a->next)
		return read_again(a, idx, body, n, err);
	if (a->v->entry != NULL)
		rc = a->v->entry(a->v->arg, idx, body, n, err);
	if (rc != TF_OK)
		return rc;
	if (idx > a->next && a->source->prove != NULL)
		tf_replay_gap(a->replay, idx);
	else if (idx > a->next)
		tf_audit_missing(a, idx);
	tf_entry_leaf(body, n, &leaf);
	ok = tf_entry_decode(&d, body, n, &e) == TF_OK;
	if (ok)
		path = d.e.path;
	else
		tf_audit_trouble(a, TF_CHECK_ENTRIES, idx, tf_nowhere,
		    "malformed", &e);
	if (ok && idx == 0 && d.e.v > TF_ENTRY_VERSION) {
		rc = tf_audit_org_new(a, &d.e, (struct tf_str){ body, n },
		    &a->org, err);
		if (a->org == NULL)
			check_first(a, &d.e);
	}
	if (rc == TF_OK && ok && a->org != NULL)
		rc = tf_audit_org_entry(a, idx, &d.e,
		    (struct tf_str){ body, n }, &leaf, err);
	else if (ok && a->later)
		a->r->newer += d.e.v > TF_ENTRY_VERSION;
	else if (ok)
		rc = check_previous(a, &d.e, err);
	if (rc == TF_OK)
		rc = tf_audit_check_place(a, idx, path, &leaf, err);
	if (rc == TF_OK && ok && a->org != NULL)
		tf_replay_gap(a->replay, idx + 1);
	else if (rc == TF_OK && ok && !a->later)
		rc = check_meaning(a, &d.e, &leaf, err);
	else if (rc == TF_OK) {
		a->unseen = true;
		tf_replay_gap(a->replay, idx + 1);
	}
	tf_entry_decoded_free(&d);
	a->next = idx + 1;
	a->r->entries++;
	if (rc == TF_OK && idx % PROGRESS_EVERY == 0) {
		rc = report_contents(a, false, err);
		if (a->v->progress != NULL)
			a->v->progress(a->v->arg, idx, a->head.size);
	}
	return rc;
}

enum tf_code
tf_audit_content(struct tf_audit *a, uint64_t seq, struct tf_str path,
    uint64_t object, const struct tf_content *want, struct tf_error *err)
{
	struct tf_task t = { .seq = seq,
		.object = object,
		.want = *want,
		.path = strndup(path.p == NULL ? "" : path.p, path.n) };

	if (t.path == NULL)
		return tf_nomem(err);
	t.pieces = a->pieces;
	a->pieces = NULL;
	return tf_pool_add(a->pool, &t, err);
}

void
tf_audit_cut(struct tf_audit *a, const char *why)
{
	if (a->next >= a->head.size)
		return;
	tf_audit_unread(a, TF_CHECK_ENTRIES, a->next, tf_nowhere, why);
	tf_audit_not_seen(a, TF_CHECK_TREE);
	tf_audit_not_seen(a, TF_CHECK_TILES);
	for (int i = 0; i < TF_HELD; i++)
		if (a->held[i].wanted && a->held[i].c.size > a->next)
			tf_audit_not_seen(a, TF_CHECK_EARLIER);
	a->unseen = a->cut = true;
	tf_replay_gap(a->replay, a->head.size);
}

/* --- the whole ------------------------------------------------------------ */

/* The key of the caller must be the one that the entries name themselves;
 * otherwise somebody signed the tree of another ledger. */
static void
check_identity(struct tf_audit *a)
{
	const char *text = tf_replay_vkey(a->replay);
	struct tf_vkey k = { .name = "" }; /* no key, if the parse fails */

	(void)!tf_vkey_parse(text, strlen(text), &k, NULL);

	if (strcmp(tf_replay_origin(a->replay), a->vkey.name) != 0)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the entries end as another ledger than the key's");
	else if (memcmp(&k.pub, &tf_audit_key(a)->pub, sizeof(k.pub)) != 0)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the entries name another log key");
}

/* Without any checkpoint there is no size, so no entry can be read in its
 * place: nothing that depends on entries was seen. */
static void
without_head(struct tf_audit *a)
{
	tf_audit_not_seen(a, TF_CHECK_CONTENTS);
	tf_audit_not_seen(a, TF_CHECK_ENTRIES);
	tf_audit_not_seen(a, TF_CHECK_NAMES);
	tf_audit_not_seen(a, TF_CHECK_TREE);
	tf_audit_not_seen(a, TF_CHECK_TILES);
	tf_audit_not_seen(a, TF_CHECK_PACKAGE);
}

enum tf_code
tf_audit_run(struct tf_audit *a, struct tf_error *err)
{
	enum tf_code rc;

	if (a->head.size == 0 && !a->head_good) {
		without_head(a);
		return tf_audit_able(a, err);
	}
	/* Entries that an I/O error hides must not count as missing. */
	if ((rc = a->source->entries(a, err)) != TF_OK ||
	    (rc = tf_audit_able(a, err)) != TF_OK)
		return rc;
	if (a->source->prove != NULL)
		tf_replay_gap(a->replay, a->head.size);
	else if (!a->cut)
		tf_audit_check_tree(a);
	tf_replay_end(a->replay);
	if (!a->cut && a->org != NULL)
		rc = tf_audit_org_end(a, err);
	else if (!a->cut && !a->later)
		check_identity(a);
	if (rc != TF_OK)
		return rc;
	if (a->source->end != NULL && (rc = a->source->end(a, err)) != TF_OK)
		return rc;
	if ((rc = report_contents(a, true, err)) == TF_OK)
		rc = report_absent(a, err);
	if (a->unseen) {
		tf_audit_not_seen(a, TF_CHECK_CONTENTS);
		tf_audit_not_seen(a, TF_CHECK_NAMES);
	}
	if (!a->head_good)
		tf_audit_not_seen(a, TF_CHECK_TREE);
	tf_quorum_count_end(a);
	return rc == TF_OK ? tf_audit_able(a, err) : rc;
}
