/*
 * The rows of definitions, claims and protections in a replica, and the objects
 * that entries name beside evidence: definitions, user data, reports,
 * statements and lists of readers.
 */
#include <stdio.h>
#include <string.h>

#include "../anchor.h"
#include "../base/array.h"
#include "../base/bytes.h"
#include "../definition.h"
#include "../commit/append.h"
#include "../ledger/claim_content.h"
#include "../ledger/entry.h"
#include "../ledger/entry_scan.h"
#include "../ledger/merkle.h"
#include "../ledger/withheld.h"
#include "../node/redacted.h"
#include "../node/log_keys.h"
#include "../store/anchors.h"
#include "../store/claims.h"
#include "../store/definitions.h"
#include "../store/meta.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "replica_i.h"

/* Each of these needs its object; err names what is missing. */
static enum tf_code
keep(struct tf_replica *r, const struct tf_content *c, const char *what,
    uint64_t *id, struct tf_error *err)
{
	enum tf_code rc = tf_replica_object(r, c, true, id, err);

	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "the object of its %s is absent", what) :
	    rc;
}

/* A definition is a row that names its object. */
static enum tf_code
define(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	bool template = e->type == TF_TEMPLATE_SET;
	const struct tf_content *c = template ? &e->template_content :
						&e->definition_content;
	struct tf_definition_row row = { .node = x->subject,
		.kind = template		 ? TF_DEFINITION_TEMPLATE :
		    e->type == TF_RECIPIENTS_SET ? TF_DEFINITION_RECIPIENTS :
						   TF_DEFINITION_TYPE,
		.name = { "", 0 },
		.version = template ? e->template_version :
				      e->definition_version,
		.entry = e->seq };
	enum tf_code rc = keep(r, c, "definition", &row.object, err);

	if (e->type == TF_TYPE_SET)
		row.name = e->definition_name;
	r->said += c->size;
	return rc == TF_OK ? tf_definitions_put(r->db, &row, err) : rc;
}

/* User data that are absent were redacted with evidence of the same digest, which
 * is then owed, too. */
static enum tf_code
find_owed(struct tf_replica *r, const struct tf_content *c, bool *is,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_object_row o;
	enum tf_code rc = TF_OK;

	*is = false;
	for (size_t i = 0; rc == TF_OK && !*is && i < r->n_owed_ids; i++) {
		rc = tf_nodes_get(r->db, r->owed_ids[i], &row, err);
		if (rc == TF_OK && row.attr.kind == TF_KIND_EVIDENCE)
			rc = tf_object_get(r->db, row.object, &o, NULL, err);
		*is = rc == TF_OK && row.attr.kind == TF_KIND_EVIDENCE &&
		    memcmp(&o.sha256, &c->sha256, sizeof(o.sha256)) == 0;
	}
	return rc;
}

/* Keep the user data that claims name.  before: the claims that they replace, of
 * which equal user data count once. */
static enum tf_code
keep_user_data(struct tf_replica *r, struct tf_str claims, struct tf_str before,
    struct tf_error *err)
{
	struct tf_content now, old;
	bool has, had = false;
	uint64_t id;
	enum tf_code rc = tf_claims_user_data(claims, &now, &has, err);

	if (rc == TF_OK && before.n > 0)
		rc = tf_claims_user_data(before, &old, &had, err);
	if (rc != TF_OK || !has)
		return rc;
	if (!had || memcmp(&now.sha256, &old.sha256, sizeof(now.sha256)) != 0)
		r->said += now.size;
	rc = tf_replica_object(r, &now, true, &id, err);
	if (rc != TF_NOTFOUND)
		return rc;
	rc = find_owed(r, &now, &has, err);
	return rc != TF_OK || has ?
	    rc :
	    tf_fail(err, TF_TAMPER, "the object of its user data is absent");
}

static enum tf_code
set_claims(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct tf_claim_row row = { 0 };
	enum tf_code rc = tf_claims_get(r->db, x->subject, &row, err);

	if (rc == TF_OK && e->claims.n > 0)
		rc = keep_user_data(r, e->claims, tf_buf_bytes(&row.claims),
		    err);
	row.claims.n = 0;
	if (e->claims.n > 0)
		tf_buf_add(&row.claims, e->claims.p, e->claims.n);
	row.id = x->subject;
	row.entry = e->seq;
	if (rc == TF_OK && row.claims.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_claims_put(r->db, &row, err);
	tf_claim_row_free(&row);
	return rc;
}

/* A report without bytes is owed, like evidence: it must turn out to have gone
 * with evidence of the attestation.  The node names its row from now on. */
static enum tf_code
keep_report(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_content *report, struct tf_error *err)
{
	uint64_t id, att;
	enum tf_code rc = tf_replica_object(r, report, true, &id, err);

	if (rc != TF_NOTFOUND)
		return rc;
	if ((rc = tf_nodes_attestation(r->db, e->path, &att, err)) == TF_OK &&
	    (rc = tf_replica_owe(r, att, err)) == TF_OK &&
	    (rc = tf_replica_no_object(r, report, &id, err)) == TF_OK)
		rc = tf_nodes_set_object(r->db, att, id, err);
	return rc;
}

/* What the seal of an attestation names. */
static enum tf_code
attested(struct tf_replica *r, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_content payload = { e->statement.payload, e->statement.size },
			  report;
	bool has = false;
	uint64_t id;
	enum tf_code rc = keep(r, &payload, "statement", &id, err);

	if (rc == TF_OK && e->claims.n > 0)
		rc = keep_user_data(r, e->claims, (struct tf_str){ NULL, 0 },
		    err);
	if (rc == TF_OK && e->evaluated.n > 0)
		rc = tf_evaluated_report(e->evaluated, &report, &has, err);
	return rc == TF_OK && has ? keep_report(r, e, &report, err) : rc;
}

/* The name of rows about a text. */
static struct tf_str
name_of(const struct tf_hash *h)
{
	return (struct tf_str){ (const char *)h->b, sizeof(h->b) };
}

/* Holds, retentions and proposals: rows that count their entries. */
static enum tf_code
protect(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, int kind, struct tf_error *err)
{
	struct tf_definition_row row = { .node = x->subject,
		.kind = kind,
		.name = kind == TF_ROW_HOLD ? e->hold :
					      (struct tf_str){ "", 0 },
		.version = x->version,
		.entry = e->seq };

	if (x->text) {
		row.kind = TF_ROW_TEXT_PROPOSAL;
		row.name = name_of(&e->content.sha256);
	}
	return tf_definitions_put(r->db, &row, err);
}

static void
no_longer_owed(struct tf_replica *r, uint64_t node)
{
	if (!tf_bits_has(&r->owed, node))
		return;
	tf_bits_remove(&r->owed, node);
	r->n_owed--;
}

/* The report of the attestation goes with its evidence, if the entry says so. */
static enum tf_code
redact_report(struct tf_replica *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_node_row att;
	uint64_t id, object;
	enum tf_code rc = tf_nodes_attestation(r->db, e->path, &id, err);

	if (rc != TF_OK)
		return rc;
	no_longer_owed(r, id);
	if (!e->has_report)
		return TF_OK;
	if ((rc = tf_nodes_get(r->db, id, &att, err)) != TF_OK)
		return rc;
	object = att.object;
	if (object == 0)
		rc = tf_object_find(r->db, &e->report.sha256, &object, err);
	if (rc == TF_OK)
		rc = tf_report_redacted(r->db, id, e->seq, object, err);
	return rc == TF_OK ? tf_replica_hold(r, object, err) : rc;
}

/* --- texts -------------------------------------------------------------------- */

static size_t
owed_text(const struct tf_replica *r, const struct tf_hash *h)
{
	size_t i = 0;

	while (i < r->n_owed_texts &&
	    memcmp(&r->owed_texts[i], h, sizeof(*h)) != 0)
		i++;
	return i;
}

/* A text without bytes is owed: it must turn out to be redacted. */
static enum tf_code
expect_text(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct tf_replica *r = arg;
	bool is = false;
	enum tf_code rc = tf_text_redacted(r->db, &x->sha256, &is, err);

	if (rc == TF_OK && !is)
		rc = tf_replica_has(r, &x->sha256, &is, err);
	if (rc != TF_OK || is || owed_text(r, &x->sha256) < r->n_owed_texts)
		return rc;
	if (!tf_array_room(&r->owed_texts, r->n_owed_texts, &r->cap_owed_texts,
		sizeof(*r->owed_texts)))
		return tf_nomem(err);
	r->owed_texts[r->n_owed_texts++] = x->sha256;
	r->n_owed++;
	return TF_OK;
}

/* The row of a redacted text leads to its object, also if that never came. */
static enum tf_code
redact_text(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	const struct tf_hash *h = &e->content.sha256;
	struct tf_definition_row row = { .node = x->subject,
		.kind = TF_ROW_TEXT_REDACTED,
		.name = name_of(h),
		.version = x->version,
		.entry = e->seq };
	const size_t owed = owed_text(r, h);
	const bool goes = e->has_count && e->count == 0;
	enum tf_code rc = TF_OK;

	if (owed < r->n_owed_texts) {
		r->owed_texts[owed] = r->owed_texts[--r->n_owed_texts];
		r->n_owed--;
	}
	if (goes)
		rc = tf_object_find(r->db, h, &row.object, err);
	if (rc == TF_NOTFOUND)
		rc = tf_replica_no_object(r, &e->content, &row.object, err);
	if (rc == TF_OK)
		rc = tf_definitions_put(r->db, &row, err);
	return rc == TF_OK && goes ? tf_replica_hold(r, row.object, err) : rc;
}

/* The bytes may go if no other entry names them, which the entry says. */
static enum tf_code
redact(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	bool goes = e->has_count && e->count == 0;
	struct tf_definition_row row = { .node = x->subject,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 },
		.version = x->version,
		.entry = e->seq,
		.object = goes };
	struct tf_node_row node = { .object = 0 };
	enum tf_code rc = tf_definitions_put(r->db, &row, err);

	no_longer_owed(r, x->subject);
	if (rc == TF_OK)
		rc = redact_report(r, e, err);
	if (rc == TF_OK && goes)
		rc = tf_nodes_get(r->db, x->subject, &node, err);
	return rc == TF_OK && goes ? tf_replica_hold(r, node.object, err) : rc;
}

/* The root that an anchor is about must be that of this tree, as at the source.
 * The partial tiles of the batch are written for that. */
static enum tf_code
check_anchor(struct tf_replica *r, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_hash root;
	enum tf_code rc = tf_tree_edge(r->tree, r->head.size,
	    tf_commit_put_tile, r->db, err);

	if (rc == TF_OK)
		rc = tf_merkle_root(e->tree_size, tf_tiles_read, r->db, &root,
		    err);
	if (rc == TF_OK && memcmp(&root, &e->tree_root, sizeof(root)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "an anchor of another tree than the first %llu entries",
		    (unsigned long long)e->tree_size);
	return rc;
}

/* One line follows the empty line of a note; or two that differ, if two keys of the
 * log can have signed it. */
static bool
has_signatures_of_log(const struct tf_replica *r, struct tf_str note)
{
	struct tf_str rest = note, line, before = { NULL, 0 };
	const char *p = memmem(note.p, note.n, "\n\n", 2);
	size_t lines = 0;

	if (p == NULL)
		return false;
	rest.n -= (size_t)(p + 2 - note.p);
	rest.p = p + 2;
	for (; tf_note_take(&rest, &line); lines++) {
		if (lines > 0 && tf_str_same(line, before))
			return false;
		before = line;
	}
	return rest.n == 0 && (lines == 1 || (lines == 2 && r->keys.n > 0));
}

/* Keep the checkpoint that was stamped: the entry must be about it. */
static enum tf_code
keep_stamped(struct tf_replica *r, const struct tf_entry *e,
    struct tf_error *err)
{
	const struct tf_str note = tf_buf_bytes(&r->stamped);
	const char *text = tf_replay_vkey(r->replay);
	struct tf_error why = { 0 };
	struct tf_vkey k;
	struct tf_checkpoint c;
	enum tf_code rc;

	if (note.n == 0 ||
	    !tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_STAMP)))
		return TF_OK;
	rc = tf_vkey_parse(text, strlen(text), &k, &why);
	if (rc == TF_OK)
		rc = tf_log_keys_check(&r->keys, &k, note.p, note.n, &c, NULL,
		    &why);
	if (tf_code_undecided(rc))
		return tf_fail_as(err, &why);
	if (rc != TF_OK)
		return tf_fail(err, TF_TAMPER, "the stamped checkpoint: %s",
		    why.text);
	if (c.size != e->tree_size ||
	    memcmp(&c.root, &e->tree_root, sizeof(c.root)) != 0 ||
	    !has_signatures_of_log(r, note))
		return tf_fail(err, TF_TAMPER,
		    "the stamped checkpoint is not that of the entry");
	r->stamped.n = 0;
	return tf_checkpoints_add(r->db, c.size, &c.root, note.p, note.n, err);
}

static enum tf_code
add_anchor(struct tf_replica *r, const struct tf_entry *e, struct tf_error *err)
{
	char kind[32], name[256];
	struct tf_anchor_row row = { .seq = e->seq,
		.kind = kind,
		.name = name,
		.size = e->tree_size };
	enum tf_code rc = check_anchor(r, e, err);

	if (rc == TF_OK)
		rc = keep_stamped(r, e, err);
	(void)snprintf(kind, sizeof(kind), "%.*s", (int)e->anchor_kind.n,
	    e->anchor_kind.p);
	(void)snprintf(name, sizeof(name), "%.*s", (int)e->anchor_name.n,
	    e->anchor_name.p);
	if (rc == TF_OK)
		rc = keep(r, &e->content, "anchor", &row.object, err);
	r->said += e->content.size;
	if (rc == TF_OK && e->has_chain)
		rc = keep(r, &e->chain, "chain", &row.chain, err);
	r->said += e->has_chain ? e->chain.size : 0;
	return rc == TF_OK ? tf_anchors_put(r->db, &row, err) : rc;
}

static enum tf_code
said(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	uint64_t id;

	switch (e->type) {
	case TF_TEMPLATE_SET:
	case TF_TYPE_SET:
	case TF_RECIPIENTS_SET:
		return define(r, e, x, err);
	case TF_CLAIMS_SET:
		return set_claims(r, e, x, err);
	case TF_ATTESTATION_SEALED:
		return attested(r, e, err);
	case TF_ANCHOR_ADDED:
		return add_anchor(r, e, err);
	case TF_VERIFY_DONE:
		return tf_meta_set_int(r->db, TF_META_VERIFIED, e->seq, err);
	case TF_KEY_ROTATED:
		return tf_str_same(e->use, tf_str_of("log")) ?
		    tf_log_keys_record(r->db, e->seq, err) :
		    TF_OK;
	case TF_EVIDENCE_READ:
		return keep(r, &e->reads, "list of readers", &id, err);
	case TF_HOLD_PLACED:
	case TF_HOLD_RELEASED:
		return protect(r, e, x, TF_ROW_HOLD, err);
	case TF_RETENTION_SET:
		return protect(r, e, x, TF_ROW_RETENTION, err);
	case TF_REDACTION_PROPOSED:
		return protect(r, e, x, TF_ROW_PROPOSAL, err);
	case TF_REDACTION_DONE:
		return x->text ? redact_text(r, e, x, err) :
				 redact(r, e, x, err);
	default:
		return TF_OK;
	}
}

enum tf_code
tf_replica_said(struct tf_replica *r, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	enum tf_code rc = tf_withheld_named(e, expect_text, r, err);

	return rc == TF_OK ? said(r, e, x, err) : rc;
}

/* --- what an entry names ------------------------------------------------------ */

static enum tf_code
name_claimed(struct tf_str raw,
    enum tf_code (*read)(struct tf_str raw, struct tf_content *out, bool *has,
	struct tf_error *err),
    tf_replica_named_fn fn, void *arg, struct tf_error *err)
{
	struct tf_content c;
	bool has = false;
	enum tf_code rc = raw.n == 0 ? TF_OK : read(raw, &c, &has, err);

	return rc == TF_OK && has ? fn(arg, &c.sha256, c.size, err) : rc;
}

static enum tf_code
name_all(const struct tf_entry *e, tf_replica_named_fn fn, void *arg,
    struct tf_error *err)
{
	enum tf_code rc;

	switch (e->type) {
	case TF_EVIDENCE_SEALED:
		return fn(arg, &e->content.sha256, e->content.size, err);
	case TF_TEMPLATE_SET:
		return fn(arg, &e->template_content.sha256,
		    e->template_content.size, err);
	case TF_TYPE_SET:
	case TF_RECIPIENTS_SET:
		return fn(arg, &e->definition_content.sha256,
		    e->definition_content.size, err);
	case TF_ANCHOR_ADDED:
		rc = fn(arg, &e->content.sha256, e->content.size, err);
		return rc == TF_OK && e->has_chain ?
		    fn(arg, &e->chain.sha256, e->chain.size, err) :
		    rc;
	case TF_EVIDENCE_READ:
		return fn(arg, &e->reads.sha256, e->reads.size, err);
	case TF_CLAIMS_SET:
		return name_claimed(e->claims, tf_claims_user_data, fn, arg,
		    err);
	case TF_ATTESTATION_SEALED:
		rc = fn(arg, &e->statement.payload, e->statement.size, err);
		if (rc == TF_OK)
			rc = name_claimed(e->claims, tf_claims_user_data, fn,
			    arg, err);
		return rc == TF_OK ? name_claimed(e->evaluated,
					 tf_evaluated_report, fn, arg, err) :
				     rc;
	default:
		return TF_OK;
	}
}

struct naming {
	tf_replica_named_fn fn;
	void *arg;
};

static enum tf_code
name_text(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	const struct naming *n = arg;

	return n->fn(n->arg, &x->sha256, TF_REPLICA_TEXT, err);
}

enum tf_code
tf_replica_named(const void *entry, size_t n, tf_replica_named_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, entry, n, err);

	if (rc == TF_OK)
		rc = name_all(&d.e, fn, arg, err);
	if (rc == TF_OK)
		rc = tf_withheld_named(&d.e, name_text,
		    &(struct naming){ fn, arg }, err);
	tf_entry_decoded_free(&d);
	return rc;
}

enum tf_code
tf_replica_stamp(const void *entry, size_t n, uint64_t *size,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_str type, path;
	enum tf_code rc;

	*size = 0;
	tf_entry_scan(entry, n, &type, &path);
	if (!tf_str_same(type, tf_str_of(tf_type_name(TF_ANCHOR_ADDED))))
		return TF_OK;
	rc = tf_entry_decode(&d, entry, n, err);
	if (rc == TF_OK &&
	    tf_str_same(d.e.anchor_kind, tf_str_of(TF_ANCHOR_STAMP)))
		*size = d.e.tree_size;
	tf_entry_decoded_free(&d);
	return rc;
}
