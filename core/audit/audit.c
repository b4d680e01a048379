/*
 * The pass of an audit.  It parses, hashes and replays every entry, builds the
 * tree from the leaves, and compares the tree with the tiles, the newest
 * checkpoint and the earlier checkpoints (I3).  It needs no private key (I6).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/show.h"
#include "../base/time_text.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/merkle.h"
#include "../ledger/replay.h"
#include "../ledger/replay_tree.h"
#include "../ledger/statement.h"
#include "../store/temp_table.h"
#include "../verify.h"
#include "audit.h"
#include "pool.h"

#define MADE_UP_MAX (1U << 20) /* leaves */
#define PROGRESS_EVERY 256     /* entries */

const struct tf_str tf_nowhere;

/* The replay stores its state in a temporary table, not in memory. */
static const struct tf_temp_table_ops table_ops = {
	.add = tf_temp_table_add,
	.put = tf_temp_table_put,
	.get = tf_temp_table_get,
	.each = tf_temp_table_each,
	.cut = tf_temp_table_cut,
};

static const char *const link_names[TF_CHECKS] = {
	[TF_CHECK_PACKAGE] = "package",
	[TF_CHECK_CONTENTS] = "contents",
	[TF_CHECK_ENTRIES] = "entries",
	[TF_CHECK_NAMES] = "names",
	[TF_CHECK_TREE] = "tree",
	[TF_CHECK_TILES] = "tiles",
	[TF_CHECK_SIGNATURE] = "signature",
	[TF_CHECK_EARLIER] = "earlier checkpoint",
	[TF_CHECK_WITNESS] = "witness",
	[TF_CHECK_TIMESTAMP] = "timestamp",
};

const char *
tf_check_name(enum tf_check l)
{
	return link_names[l];
}

/* --- findings ------------------------------------------------------------------ */

static void
tell(struct tf_audit *a, enum tf_check l, enum tf_grade grade, uint64_t seq,
    struct tf_str path, const char *text)
{
	struct tf_finding f = { .check = l,
		.grade = grade,
		.seq = seq,
		.text = text };

	a->shown.n = 0;
	if (path.p != NULL)
		tf_name_show(&a->shown, path.p, path.n);
	tf_buf_add(&a->shown, "", 1);
	f.path = a->shown.failed ? "" : a->shown.p;
	if (a->v->found != NULL)
		a->v->found(a->v->arg, &f);
}

void
tf_audit_finding(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->r->check[l] = TF_VERDICT_FAILED;
	a->r->findings++;
	tell(a, l, TF_GRADE_WRONG, seq, path, text);
}

void
tf_audit_remark(struct tf_audit *a, enum tf_check l, enum tf_grade grade,
    struct tf_str path, const char *text)
{
	if (grade == TF_GRADE_UNPROVEN) {
		a->r->unproven++;
	} else {
		a->r->check[l] = TF_VERDICT_FAILED;
		a->r->findings++;
		a->r->beside += grade == TF_GRADE_BESIDE;
	}
	tell(a, l, grade, UINT64_MAX, path, text);
}

/* A check that did not see all of its input cannot pass. */
static void
not_seen(struct tf_audit *a, enum tf_check l)
{
	if (a->r->check[l] == TF_VERDICT_OK)
		a->r->check[l] = TF_VERDICT_ABSENT;
}

void
tf_audit_unread(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *text)
{
	not_seen(a, l);
	tell(a, l, TF_GRADE_UNREAD, seq, path, text);
}

void
tf_audit_trouble(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *what, const struct tf_error *why)
{
	if (!tf_code_undecided(why->code))
		tf_audit_finding(a, l, seq, path, "%s%s%s", what,
		    *what == '\0' ? "" : ": ", why->text);
	else if (a->unable.code == TF_OK)
		a->unable = *why;
}

void
tf_audit_no_memory(struct tf_audit *a)
{
	(void)tf_nomem(&a->unable);
}

enum tf_code
tf_audit_able(const struct tf_audit *a, struct tf_error *err)
{
	return a->unable.code == TF_OK ? TF_OK : tf_fail_as(err, &a->unable);
}

static void
rule_broken(void *arg, const struct tf_entry *e, const char *text)
{
	struct tf_audit *a = arg;

	tf_audit_finding(a, TF_CHECK_ENTRIES,
	    e->seq == UINT64_MAX ? UINT64_MAX : a->next, e->path, "%s", text);
}

static void
content_wrong(void *arg, const struct tf_task *t, bool read, const char *text)
{
	struct tf_str path = { t->path, strlen(t->path) };

	if (read)
		tf_audit_finding(arg, TF_CHECK_CONTENTS, t->seq, path, "%s",
		    text);
	else
		tf_audit_unread(arg, TF_CHECK_CONTENTS, t->seq, path, text);
}

/* --- setting up ------------------------------------------------------------------ */

/* Check an earlier checkpoint from before a recovery: the same key under the
 * old origin. */
static enum tf_code
check_old_origin(struct tf_audit *a, struct tf_error *err)
{
	struct tf_str note = a->v->earlier;
	/* The note was parsed before, so its first line is an origin. */
	const char *end = memchr(note.p, '\n', note.n);
	char name[TF_ORIGIN_MAX + 1];
	struct tf_vkey old;

	(void)snprintf(name, sizeof(name), "%.*s", (int)(end - note.p), note.p);
	tf_vkey_make(&old, name, &a->vkey.pub);
	return tf_checkpoint_check(note.p, note.n, &old, &a->held[0].c, err);
}

/* Check the earlier checkpoint of the caller: this log must have signed it. */
static enum tf_code
take_earlier(struct tf_audit *a, struct tf_error *err)
{
	const struct tf_verify *v = a->v;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;

	if (v->earlier.p == NULL)
		a->r->check[TF_CHECK_EARLIER] = TF_VERDICT_ABSENT;
	else
		rc = tf_checkpoint_check(v->earlier.p, v->earlier.n, &a->vkey,
		    &a->held[0].c, &e);
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
		rc = tf_vkey_parse(key, strcspn(key, "\n"), &a->vkey, err);
	if (rc == TF_OK)
		rc = take_earlier(a, err);
	if (rc != TF_OK) {
		tf_audit_free(a);
		return rc;
	}
	(void)snprintf(r->origin, sizeof(r->origin), "%s", a->vkey.name);
	*out = a;
	return TF_OK;
}

void
tf_audit_free(struct tf_audit *a)
{
	if (a == NULL)
		return;
	tf_pool_free(a->pool);
	tf_replay_free(a->replay);
	tf_temp_table_close(a->table);
	free(a->tree);
	tf_buf_free(&a->shown);
	free(a);
}

void
tf_audit_beside(struct tf_audit *a, struct tf_str note)
{
	enum tf_code rc = tf_checkpoint_check(note.p, note.n, &a->vkey,
	    &a->held[1].c, NULL);

	/* A note of another origin, or a malformed one, is not about this
	 * log. */
	a->held[1].wanted = rc == TF_OK;
	a->held[1].what = "the checkpoint beside the database";
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
}

void
tf_audit_head(struct tf_audit *a, struct tf_str note)
{
	struct tf_error e = { .code = TF_OK };

	a->head_good = tf_checkpoint_check(note.p, note.n, &a->vkey, &a->head,
			   &e) == TF_OK;
	if (!a->head_good)
		tf_audit_trouble(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    e.code == TF_TAMPER && a->r->pinned ?
			"not signed by the key given" :
			"newest checkpoint",
		    &e);
	a->r->size = a->head.size;
	a->r->root = a->head.root;
}

void
tf_audit_held_alone(struct tf_audit *a)
{
	const struct tf_held *h = &a->held[0];

	if (!h->wanted)
		return;
	if (h->c.size != a->head.size)
		a->r->check[TF_CHECK_EARLIER] = TF_VERDICT_ABSENT;
	else if (memcmp(&h->c.root, &a->head.root, sizeof(h->c.root)) != 0)
		tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    "what you hold is of the same size and another tree: "
		    "the log told two stories; keep both signed checkpoints");
}

/* --- entries ---------------------------------------------------------------------- */

/* Set *out to the stored leaf of entry idx; false if its tile has none. */
static bool
stored_leaf(struct tf_audit *a, uint64_t idx, struct tf_hash *out)
{
	unsigned i = (unsigned)(idx % TF_TILE_WIDTH);
	unsigned width = tf_tile_width(a->head.size, 0, idx / TF_TILE_WIDTH);
	struct tf_error e = { .code = TF_OK };

	/* compare_tile reports the faults of the tile later.  An I/O error is
	 * recorded now, as that later read may succeed. */
	if (i == 0) {
		a->stored_width = a->source->tile(a, 0, idx / TF_TILE_WIDTH,
				      width, a->stored, &e) == TF_OK ?
		    width :
		    0;
		if (tf_code_undecided(e.code) && a->unable.code == TF_OK)
			a->unable = e;
	}
	if (i >= a->stored_width)
		return false;
	*out = a->stored[i];
	return true;
}

static enum tf_code
compare_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *h,
    unsigned width, struct tf_error *err)
{
	struct tf_hash have[TF_TILE_WIDTH];
	struct tf_error e = { .code = TF_OK };
	struct tf_audit *a = arg;

	(void)err;
	if (a->source->tile(a, level, n, width, have, &e) != TF_OK)
		tf_audit_trouble(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere, "",
		    &e);
	else if (memcmp(have, h, width * sizeof(*h)) != 0)
		tf_audit_finding(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere,
		    "tile %u/%llu is not what the entries give", level,
		    (unsigned long long)n);
	return TF_OK;
}

static void
compare_earlier(struct tf_audit *a)
{
	struct tf_hash root;

	for (int i = 0; i < 2; i++) {
		const struct tf_held *h = &a->held[i];

		if (!h->wanted || a->tree->size != h->c.size)
			continue;
		tf_tree_root(a->tree, &root);
		if (memcmp(&root, &h->c.root, sizeof(root)) != 0)
			tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX,
			    tf_nowhere,
			    "the %llu entries of %s are not the "
			    "first ones of this log: history was rewritten; "
			    "keep both signed checkpoints",
			    (unsigned long long)h->c.size, h->what);
	}
}

/* The result is ignored: compare_tile never fails, and no log reaches
 * TF_TREE_MAX entries. */
static void
add_leaf(struct tf_audit *a, const struct tf_hash *leaf)
{
	(void)!tf_tree_append(a->tree, leaf, compare_tile, a, NULL);
	compare_earlier(a);
}

/* Report the entries from a->next up to upto as missing.  Their stored leaves
 * take their place in the tree, so that the later entries can be checked.  A
 * damaged row may state any index, so at most MADE_UP_MAX leaves are zeros. */
static void
missing(struct tf_audit *a, uint64_t upto)
{
	struct tf_hash have;
	uint64_t made_up = 0;

	a->unseen = true;
	if (upto > a->next + 1)
		tf_audit_finding(a, TF_CHECK_ENTRIES, a->next, tf_nowhere,
		    "entries %llu to %llu are missing",
		    (unsigned long long)a->next, (unsigned long long)upto - 1);
	else
		tf_audit_finding(a, TF_CHECK_ENTRIES, a->next, tf_nowhere,
		    "the entry is missing");
	for (; a->next < upto; a->next++) {
		memset(&have, 0, sizeof(have));
		if (!stored_leaf(a, a->next, &have) && ++made_up > MADE_UP_MAX)
			break;
		add_leaf(a, &have);
	}
	a->next = upto;
	tf_replay_gap(a->replay, upto);
}

/* --- statements ---------------------------------------------------------------------- */

/* Read sealedAt, the one field of the payload that no entry holds. */
static enum tf_code
sealed_at(const struct tf_buf *payload, struct tf_time *out, bool *there)
{
	struct tf_json_doc d;
	struct tf_str s;
	enum tf_code rc = tf_json_parse(&d, payload->p, payload->n, NULL);

	*there = false;
	if (rc != TF_OK)
		return rc;
	s = tf_json_text(&d,
	    tf_json_get(&d, tf_json_get(&d, 0, "predicate"), "sealedAt"));
	*there = s.n > 2 && tf_time_parse(s.p + 1, s.n - 2, out);
	tf_json_doc_free(&d);
	return TF_OK;
}

/* True if the payload equals the statement that the entries give. */
static bool
says_the_same(struct tf_audit *a, const struct tf_entry *e,
    struct tf_statement *s, const struct tf_buf *payload)
{
	struct tf_buf want = { 0 };
	bool ok;
	enum tf_code rc = sealed_at(payload, &s->sealed_at, &ok);

	ok = ok && tf_time_cmp(s->sealed_at, e->at) <= 0;
	if (ok)
		rc = tf_statement_encode(s, &want, NULL);
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	ok = rc == TF_NOMEM ||
	    (rc == TF_OK &&
		tf_str_same(tf_buf_bytes(&want), tf_buf_bytes(payload)));
	tf_buf_free(&want);
	return ok;
}

/* Verify the signature of the statement; the codes of tf_key_verify. */
static enum tf_code
signed_by(const struct tf_entry *e, struct tf_str attester, const void *pae,
    size_t n)
{
	uint8_t der[TF_SPKI_LEN], sig[TF_SIG_LEN];
	char keyid[TF_KEYID_LEN + 1];
	struct tf_pubkey pub;

	/* tf_entry_decode checked the form of all three. */
	(void)tf_unbase64_exact(attester.p, attester.n, der, sizeof(der));
	(void)tf_unbase64_exact(e->statement.sig.p, e->statement.sig.n, sig,
	    sizeof(sig));
	memcpy(pub.b, der + TF_SPKI_LEN - TF_PUBKEY_LEN, TF_PUBKEY_LEN);
	tf_dsse_keyid(&pub, keyid);
	if (memcmp(keyid, e->statement.keyid.p, TF_KEYID_LEN) != 0)
		return TF_TAMPER;
	return tf_key_verify(&pub, pae, n, sig);
}

static void
check_signature(struct tf_audit *a, const struct tf_entry *e,
    struct tf_str attester, const struct tf_buf *payload)
{
	struct tf_buf pae = { 0 };
	enum tf_code rc = TF_NOMEM;
	struct tf_hash h;

	tf_dsse_pae(payload->p, payload->n, &pae);
	tf_sha256(pae.p, pae.n, &h);
	if (!pae.failed)
		rc = memcmp(&h, &e->statement.pae, sizeof(h)) != 0 ?
		    TF_TAMPER :
		    signed_by(e, attester, pae.p, pae.n);
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	else if (rc != TF_OK)
		tf_audit_finding(a, TF_CHECK_ENTRIES, e->seq, e->path,
		    "its statement is not signed by the attester key in "
		    "force");
	tf_buf_free(&pae);
}

/* Check that the statement agrees with the entries and that its signature is
 * valid. */
static void
check_statement(struct tf_audit *a, const struct tf_entry *e,
    struct tf_replay_effect *x)
{
	struct tf_buf payload = { 0 };
	struct tf_error why = { .code = TF_OK };
	struct tf_hash h;

	if (a->source->payload(a, e, &payload, &why) != TF_OK) {
		tf_audit_trouble(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "its statement is missing", &why);
		goto out;
	}
	tf_sha256(payload.p, payload.n, &h);
	if (memcmp(&h, &e->statement.payload, sizeof(h)) != 0 ||
	    payload.n != e->statement.size) {
		tf_audit_finding(a, TF_CHECK_CONTENTS, e->seq, e->path,
		    "its statement is altered");
		goto out;
	}
	if (!says_the_same(a, e, &x->statement, &payload))
		tf_audit_finding(a, TF_CHECK_ENTRIES, e->seq, e->path,
		    "its statement says something else than the entries");
	check_signature(a, e, x->attester, &payload);
out:
	tf_buf_free(&payload);
}

/* --- one entry ------------------------------------------------------------------------ */

static enum tf_code
check_meaning(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_replay_effect x;
	enum tf_code rc = tf_replay_entry(a->replay, e, leaf, &x, err);

	a->r->newer += e->v > TF_ENTRY_VERSION;
	a->r->unknown += e->v == TF_ENTRY_VERSION && e->type == TF_TYPE_UNKNOWN;
	if (rc == TF_OK && x.created && x.kind == TF_KIND_EVIDENCE)
		a->r->files++;
	if (rc == TF_OK && x.created)
		rc = a->source->created(a, e, &x, err);
	if (rc == TF_OK && x.evidence_access && a->source->access != NULL)
		a->source->access(a, e);
	if (rc == TF_OK && x.has_statement && a->source->payload != NULL)
		check_statement(a, e, &x);
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

/* Check that the entry is at index idx of the tree, and add its leaf. */
static enum tf_code
check_place(struct tf_audit *a, uint64_t idx, struct tf_str path,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_hash have;

	if (a->source->prove != NULL)
		return a->source->prove(a, idx, path, leaf, err);
	if (stored_leaf(a, idx, &have) &&
	    memcmp(&have, leaf, sizeof(*leaf)) != 0)
		tf_audit_finding(a, TF_CHECK_TREE, idx, path,
		    "altered: the "
		    "entry is not the one that the tree holds");
	add_leaf(a, leaf);
	return TF_OK;
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

	if (idx > a->next && a->source->prove != NULL)
		tf_replay_gap(a->replay, idx);
	else if (idx > a->next)
		missing(a, idx);
	tf_entry_leaf(body, n, &leaf);
	ok = tf_entry_decode(&d, body, n, &e) == TF_OK;
	if (ok)
		path = d.e.path;
	else
		tf_audit_trouble(a, TF_CHECK_ENTRIES, idx, tf_nowhere,
		    "malformed", &e);
	rc = check_place(a, idx, path, &leaf, err);
	if (rc == TF_OK && ok)
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
		.path = strndup(path.p, path.n) };

	if (t.path == NULL)
		return tf_nomem(err);
	return tf_pool_add(a->pool, &t, err);
}

void
tf_audit_cut(struct tf_audit *a, const char *why)
{
	if (a->next >= a->head.size)
		return;
	tf_audit_unread(a, TF_CHECK_ENTRIES, a->next, tf_nowhere, why);
	not_seen(a, TF_CHECK_TREE);
	not_seen(a, TF_CHECK_TILES);
	for (int i = 0; i < 2; i++)
		if (a->held[i].wanted && a->held[i].c.size > a->next)
			not_seen(a, TF_CHECK_EARLIER);
	a->unseen = a->cut = true;
	tf_replay_gap(a->replay, a->head.size);
}

/* --- the whole --------------------------------------------------------------------------- */

static void
check_tree(struct tf_audit *a)
{
	struct tf_hash root;

	if (a->next < a->head.size)
		missing(a, a->head.size);
	(void)!tf_tree_edge(a->tree, 0, compare_tile, a, NULL);
	tf_tree_root(a->tree, &root);
	if (memcmp(&root, &a->head.root, sizeof(root)) != 0)
		tf_audit_finding(a, TF_CHECK_TREE, UINT64_MAX, tf_nowhere,
		    "the entries do not give the root of the newest "
		    "checkpoint");
	for (int i = 0; i < 2; i++)
		if (a->held[i].wanted && a->held[i].c.size > a->head.size)
			tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX,
			    tf_nowhere,
			    "%s has %llu entries, this log %llu: "
			    "entries were cut off, or an older copy was put "
			    "back",
			    a->held[i].what,
			    (unsigned long long)a->held[i].c.size,
			    (unsigned long long)a->head.size);
}

static void
check_identity(struct tf_audit *a)
{
	const char *text = tf_replay_vkey(a->replay);
	struct tf_vkey k = { .name = "" }; /* no key, if the parse fails */

	(void)!tf_vkey_parse(text, strlen(text), &k, NULL);

	if (strcmp(tf_replay_origin(a->replay), a->vkey.name) != 0)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the entries end as another ledger than the key's");
	else if (memcmp(&k.pub, &a->vkey.pub, sizeof(k.pub)) != 0)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the entries name another log key");
}

static void
without_head(struct tf_audit *a)
{
	not_seen(a, TF_CHECK_CONTENTS);
	not_seen(a, TF_CHECK_ENTRIES);
	not_seen(a, TF_CHECK_NAMES);
	not_seen(a, TF_CHECK_TREE);
	not_seen(a, TF_CHECK_TILES);
	not_seen(a, TF_CHECK_PACKAGE);
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
		check_tree(a);
	tf_replay_end(a->replay);
	if (!a->cut)
		check_identity(a);
	if (a->source->end != NULL && (rc = a->source->end(a, err)) != TF_OK)
		return rc;
	rc = report_contents(a, true, err);
	if (a->unseen) {
		not_seen(a, TF_CHECK_CONTENTS);
		not_seen(a, TF_CHECK_NAMES);
	}
	if (!a->head_good)
		not_seen(a, TF_CHECK_TREE);
	return rc == TF_OK ? tf_audit_able(a, err) : rc;
}
