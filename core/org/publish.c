/*
 * Publishing the log of an organisation: see org.h.
 *
 *	state of the last run (state.h), or nothing: then from entry 0
 *	-> refusals: entries of the own origin (own.h)
 *	-> entries: tree of the organisation, tree of each member (members.h)
 *	   at the size of the last checkpoint: is its root the same?
 *	   -> tiles and entries as C2SP tlog-tiles say
 *	-> checkpoint: into the ledger (one wins), then beside the tiles
 *	-> state
 *
 * What is signed continues what was signed: the tree has the root of the last
 * checkpoint at the size of that, wherever the reading began, and of the state that
 * is kept here at the size of that one.  So a ledger that was set back together with
 * its checkpoint is not signed a second time, otherwise.
 *
 * Full tiles never change, so an existing one is compared.  A run that is killed
 * leaves tiles that the next run finds.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/mutant.h"
#include "../ledger/tilepath.h"
#include "../org.h"
#include "../progress.h"
#include "listed.h"
#include "settle.h"
#include "state.h"
#include "uri.h"

#define PIECE 4096 /* entries of a read */
#define CHECKPOINT "checkpoint"

struct publisher {
	const struct tf_publish *o;
	struct tf_published *out;
	struct tf_organiser organiser;
	struct tf_ledger *ledger;
	struct tf_blobs *blobs;
	struct tf_org_state state; /* of the entries that were read */
	struct tf_org_state kept;  /* of the last run; tree NULL: none */
	struct tf_own own;
	struct tf_checkpoint last; /* size 0: none */
	bool has_last;
	uint64_t known_size; /* what an earlier run has read; 0: unknown */
	struct tf_hash known;
	uint64_t size;	      /* entries of this run */
	uint64_t next;	      /* index of the entry to be read */
	struct tf_buf bundle; /* of entries: each with its length */
};

/* --- tiles --------------------------------------------------------------------- */

/* What had this width at the last checkpoint is there already. */
static enum tf_code
put(struct publisher *p, unsigned level, uint64_t n, unsigned width,
    struct tf_str text, struct tf_error *err)
{
	unsigned of = level == TF_TILE_ENTRIES ? 0 : level;
	char path[TF_TILE_PATH_MAX];
	enum tf_code rc;

	if (tf_tile_width(p->last.size, of, n) == width)
		return TF_OK;
	tf_tile_path(level, n, width, path);
	rc = p->blobs->ops->publish(p->blobs, path, text.p, text.n,
	    width == TF_TILE_WIDTH, err);
	if (rc == TF_EXISTS)
		rc = tf_fail(err, TF_TAMPER,
		    "%s is there with other bytes: another ledger was "
		    "published",
		    path);
	p->out->tiles += rc == TF_OK;
	return rc;
}

static enum tf_code
put_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *hashes,
    unsigned width, struct tf_error *err)
{
	return put(arg, level, n, width,
	    (struct tf_str){ (const char *)hashes, width * sizeof(*hashes) },
	    err);
}

static enum tf_code
put_bundle(struct publisher *p, uint64_t size, struct tf_error *err)
{
	uint64_t n = (size - 1) / TF_TILE_WIDTH;
	enum tf_code rc = tf_buf_end(&p->bundle, err);

	if (rc == TF_OK)
		rc = put(p, TF_TILE_ENTRIES, n,
		    (unsigned)(size - n * TF_TILE_WIDTH),
		    tf_buf_bytes(&p->bundle), err);
	p->bundle.n = 0;
	return rc;
}

static enum tf_code
add_to_bundle(struct publisher *p, const struct tf_leaf *leaf,
    struct tf_error *err)
{
	uint8_t length[2];

	tf_put_be16(length, (uint16_t)leaf->bytes.n);
	tf_buf_add(&p->bundle, length, sizeof(length));
	tf_buf_add(&p->bundle, leaf->bytes.p, leaf->bytes.n);
	return (leaf->index + 1) % TF_TILE_WIDTH == 0 ?
	    put_bundle(p, leaf->index + 1, err) :
	    TF_OK;
}

/* --- reading -------------------------------------------------------------------- */

static enum tf_code
add_member(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct publisher *p = arg;

	enum tf_code rc = tf_org_members_add(&p->state.members, m->origin,
	    m->vkey, err);

	return rc != TF_INVALID ?
	    rc :
	    tf_fail(err, TF_TAMPER,
		"%.*s is in the list of members without a key: the ledger was "
		"altered",
		(int)m->origin.n, m->origin.p);
}

/* Does the tree have the root of what was signed, or read, at that size? */
static enum tf_code
check_known(struct publisher *p, struct tf_error *err)
{
	const struct tf_tree *t = p->state.tree;
	struct tf_hash root;
	bool last = p->has_last && t->size == p->last.size,
	     known = p->known_size > 0 && t->size == p->known_size;

	if ((!last && !known) || TF_IS_MUTANT(TF_CONTINUE_BLINDLY))
		return TF_OK;
	tf_tree_root(t, &root);
	if (last && memcmp(root.b, p->last.root.b, sizeof(root.b)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the first %llu entries of the ledger are not those that "
		    "were signed: it was altered",
		    (unsigned long long)t->size);
	if (known && memcmp(root.b, p->known.b, sizeof(root.b)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the first %llu entries are not those that were read "
		    "before: the ledger was altered, or " TF_ORGANISER_STATE
		    " is of another one",
		    (unsigned long long)t->size);
	return TF_OK;
}

/* A state that cannot be used costs a longer reading. */
static enum tf_code
load_kept(struct publisher *p, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_org_state_load(&p->organiser, &p->kept, &why);
	const char *self = p->organiser.vkey.name;
	const struct tf_org_member *own;
	struct tf_vkey first;
	struct tf_buf text = { 0 };

	if (rc == TF_NOMEM)
		return tf_fail_as(err, &why);
	if (rc != TF_OK) {
		if (rc != TF_NOTFOUND && p->o->warn != NULL)
			p->o->warn(p->o->arg, why.text);
		return TF_OK;
	}
	p->known_size = p->kept.tree->size;
	tf_tree_root(p->kept.tree, &p->known);
	own = tf_org_members_find(&p->kept.members, tf_str_of(self));
	if (own == NULL || p->o->full)
		return TF_OK;
	rc = TF_OK;
	p->own = (struct tf_own){ .next = own->tree.size,
		.refused = p->kept.refused,
		.at = p->kept.members.said.at,
		.by_entries = p->kept.members.said.by_entries };
	for (size_t i = 0; rc == TF_OK && i < p->kept.members.n; i++) {
		const struct tf_org_member *m = &p->kept.members.member[i];

		if (m->standing.is != TF_NOT_ENTERED)
			rc = tf_own_know(&p->own,
			    (struct tf_str){ m->origin, m->n }, m->standing.is,
			    err);
	}
	/* Its rotations, behind any key. */
	tf_vkey_text(&own->vkey, &text);
	tf_buf_str(&text, "\n");
	tf_buf_add(&text, tf_buf_bytes(&own->keys.text).p, own->keys.text.n);
	if (rc == TF_OK && (rc = tf_buf_end(&text, err)) == TF_OK)
		rc = tf_log_keys_parse(&p->own.keys, tf_buf_bytes(&text),
		    &first, err);
	tf_buf_free(&text);
	return rc;
}

/* Neither the ledger nor its checkpoint has less than what was signed. */
static enum tf_code
check_sizes(struct publisher *p, struct tf_error *err)
{
	if (p->last.size > p->size)
		return tf_fail(err, TF_TAMPER,
		    "the ledger has %llu entries, but %llu were signed: some "
		    "are lost",
		    (unsigned long long)p->size,
		    (unsigned long long)p->last.size);
	if (p->known_size > p->last.size)
		return tf_fail(err, TF_TAMPER,
		    "the ledger has a checkpoint of %llu entries, but %llu "
		    "were signed: it was set back",
		    (unsigned long long)p->last.size,
		    (unsigned long long)p->known_size);
	return TF_OK;
}

/* Go on where kept ends, unless a member has another key now. */
static enum tf_code
take_over(struct publisher *p, struct tf_error *err)
{
	struct tf_org_members *all = &p->state.members, *had = &p->kept.members;
	struct tf_org_member *m, *old;
	struct tf_tree *tree = p->state.tree;

	for (size_t i = 0; i < had->n; i++) {
		old = &had->member[i];
		m = tf_org_members_find(all,
		    (struct tf_str){ old->origin, old->n });
		if (m == NULL)
			return tf_fail(err, TF_TAMPER,
			    "%s is no member any more: the ledger was altered",
			    old->origin);
		if (memcmp(&m->vkey.pub, &old->vkey.pub, sizeof(m->vkey.pub)) !=
		    0)
			return TF_OK;
	}
	for (size_t i = 0; i < had->n; i++) {
		struct tf_org_member empty;

		old = &had->member[i];
		m = tf_org_members_find(all,
		    (struct tf_str){ old->origin, old->n });
		empty = *m;
		*m = *old;
		*old = empty;
	}
	all->said = had->said;
	p->state.tree = p->kept.tree;
	p->kept.tree = tree;
	return check_known(p, err);
}

/* Make entries of what the ledger has refused since. */
static enum tf_code
record_refusals(struct publisher *p, struct tf_error *err)
{
	uint64_t before = p->own.refused;
	enum tf_code rc = tf_own_record(p->ledger, p->organiser.vkey.name,
	    p->o->who, &p->own, err);

	p->out->recorded = p->own.refused - before;
	return rc;
}

static void
found_listed(void *arg, const char *member, const char *what)
{
	struct publisher *p = arg;

	p->out->wrong++;
	if (p->o->found != NULL)
		p->o->found(p->o->arg, member, UINT64_MAX, what);
}

/* Are the members those that the entries say? */
static enum tf_code
compare_list(struct publisher *p, struct tf_error *err)
{
	struct tf_listed x = { .origin = p->organiser.vkey.name,
		.who = p->o->who,
		.found = found_listed,
		.arg = p };
	enum tf_code rc = tf_org_listed(p->ledger, &p->own, &x, err);

	p->out->entered = x.recorded;
	return rc;
}

/* An entry that was read by an earlier run: the bundle of entries has it too. */
static enum tf_code
compare(struct publisher *p, const struct tf_leaf *leaf,
    const struct tf_hash *hash, struct tf_error *err)
{
	const struct tf_hash *was =
	    &p->state.tree->edge[0][leaf->index % TF_TILE_WIDTH];

	return memcmp(hash->b, was->b, sizeof(was->b)) == 0 ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER,
		"entry %llu of the ledger is not the one that was read "
		"before: it was altered",
		(unsigned long long)leaf->index);
}

static enum tf_code
take(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct publisher *p = arg;
	struct tf_tree *t = p->state.tree;
	struct tf_hash hash;
	enum tf_code rc;

	if (leaf->index != p->next)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the ledger is missing",
		    (unsigned long long)p->next);
	p->next++;
	p->out->read++;
	tf_merkle_leaf(leaf->bytes.p, leaf->bytes.n, &hash);
	if (leaf->index < t->size) {
		rc = compare(p, leaf, &hash, err);
		return rc == TF_OK ? add_to_bundle(p, leaf, err) : rc;
	}
	/* Another organiser may have appended since they were read. */
	if (tf_str_same(leaf->origin, tf_str_of(p->organiser.vkey.name)))
		rc = tf_own_take(&p->own, leaf->number, leaf->bytes, err);
	else
		rc = TF_OK;
	if (rc == TF_OK)
		rc = tf_org_members_take(&p->state.members,
		    tf_str_of(p->organiser.vkey.name), leaf, &hash, err);
	if (rc == TF_OK)
		rc = add_to_bundle(p, leaf, err);
	if (rc == TF_OK)
		rc = tf_tree_append(t, &hash, put_tile, p, err);
	return rc == TF_OK ? check_known(p, err) : rc;
}

static enum tf_code
read_entries(struct publisher *p, struct tf_error *err)
{
	struct tf_tree *t = p->state.tree;
	const uint64_t first = t->size;
	enum tf_code rc = TF_OK;

	if (first >= p->size)
		return TF_OK;
	/* A bundle is written as a whole. */
	p->next = t->size - t->size % TF_TILE_WIDTH;
	while (rc == TF_OK && p->next < p->size) {
		uint64_t before = p->next, left = p->size - before;

		rc = p->ledger->ops->read(p->ledger, before,
		    left < PIECE ? left : PIECE, take, p, err);
		if (rc == TF_OK && p->next == before)
			rc = tf_fail(err, TF_TAMPER,
			    "the ledger has only %llu entries now",
			    (unsigned long long)before);
		if (rc == TF_OK && p->next > first)
			tf_progress(p->next - first, p->size - first);
	}
	if (rc == TF_OK && p->bundle.n > 0)
		rc = put_bundle(p, p->size, err);
	return rc == TF_OK ? tf_tree_edge(t, p->last.size, put_tile, p, err) :
			     rc;
}

/* --- the checkpoint --------------------------------------------------------------- */

/* The key that was replaced lately signs for those who know no other one. */
static enum tf_code
sign_too(const struct publisher *p, struct tf_buf *note, struct tf_error *err)
{
	uint8_t sig[TF_SIG_LEN];
	struct tf_note parts;
	enum tf_code rc;

	if (!tf_note_split(note->p, note->n, &parts))
		return tf_fail(err, TF_INVALID, "the checkpoint is no note");
	rc = tf_key_sign(p->organiser.old_key, parts.body.p, parts.body.n, sig,
	    err);
	if (rc == TF_OK)
		tf_note_add_line(note, &p->organiser.old_vkey, sig,
		    sizeof(sig));
	return rc == TF_OK ? tf_buf_end(note, err) : rc;
}

/* The ledger decides who publishes; the copy beside the tiles follows it, also
 * after a run that was killed between the two. */
static enum tf_code
sign(struct publisher *p, struct tf_buf *note, struct tf_error *err)
{
	struct tf_checkpoint c = { .size = p->size };
	enum tf_code rc = TF_OK;

	if (!p->has_last || p->last.size < p->size) {
		(void)strcpy(c.origin, p->organiser.vkey.name);
		tf_tree_root(p->state.tree, &c.root);
		note->n = 0;
		rc = tf_checkpoint_sign(&c, p->organiser.key, note, err);
		if (rc == TF_OK && p->organiser.old_key != NULL)
			rc = sign_too(p, note, err);
		if (rc == TF_OK)
			rc = p->ledger->ops->checkpoint_put(p->ledger,
			    p->has_last ? p->last.size : UINT64_MAX, p->size,
			    tf_buf_bytes(note), err);
	}
	return rc == TF_OK ? p->blobs->ops->publish(p->blobs, CHECKPOINT,
				 note->p, note->n, false, err) :
			     rc;
}

/* The last checkpoint is one that this key has signed. */
static enum tf_code
read_last(struct publisher *p, struct tf_buf *note, struct tf_error *err)
{
	uint64_t size;
	enum tf_code rc = p->ledger->ops->checkpoint_get(p->ledger, &size, note,
	    err);

	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc == TF_OK)
		rc = tf_log_keys_check(&p->own.keys, &p->organiser.vkey,
		    note->p, note->n, &p->last, NULL, err);
	if (rc == TF_OK && p->last.size != size)
		rc = tf_fail(err, TF_TAMPER,
		    "the checkpoint of the ledger has another size");
	if (rc == TF_INVALID || rc == TF_FOREIGN)
		rc = tf_fail(err, TF_TAMPER,
		    "the checkpoint of the ledger is not of this key");
	p->has_last = rc == TF_OK;
	return rc;
}

static enum tf_code
first_is_own(struct publisher *p, struct tf_error *err)
{
	uint64_t index;
	enum tf_code rc = p->ledger->ops->find(p->ledger,
	    p->organiser.vkey.name, 0, &index, err);

	if (rc == TF_NOTFOUND || (rc == TF_OK && index != 0))
		rc = tf_fail(err, TF_FOREIGN,
		    "entry 0 of the ledger is not of %s: it was made with "
		    "another key, or without one",
		    p->organiser.vkey.name);
	return rc;
}

/* The checkpoint is signed and published already. */
static void
keep_state(struct publisher *p)
{
	struct tf_error why = { 0 };

	p->state.refused = p->own.refused;
	if (p->out->read > 0 &&
	    tf_org_state_save(&p->organiser, &p->state, &why) != TF_OK &&
	    p->o->warn != NULL)
		p->o->warn(p->o->arg, why.text);
}

static enum tf_code
run(struct publisher *p, struct tf_buf *note, struct tf_error *err)
{
	enum tf_code rc = first_is_own(p, err);

	if (rc == TF_OK)
		rc = load_kept(p, err);
	if (rc == TF_OK)
		rc = tf_own_read(p->ledger, p->organiser.vkey.name, &p->own,
		    err);
	if (rc == TF_OK)
		rc = tf_organiser_settle(&p->organiser, &p->own, NULL, err);
	if (rc == TF_OK)
		rc = read_last(p, note, err);
	if (rc == TF_OK)
		rc = p->ledger->ops->size(p->ledger, &p->size, err);
	if (rc == TF_OK)
		rc = check_sizes(p, err);
	if (rc == TF_OK)
		rc = record_refusals(p, err);
	if (rc == TF_OK)
		rc = compare_list(p, err);
	/* The size is read before the members: each entry has one. */
	if (rc == TF_OK)
		rc = p->ledger->ops->size(p->ledger, &p->size, err);
	if (rc == TF_OK)
		rc = p->ledger->ops->members(p->ledger, add_member, p, err);
	if (rc == TF_OK && p->kept.tree != NULL && !p->o->full)
		rc = take_over(p, err);
	if (rc == TF_OK)
		rc = read_entries(p, err);
	if (rc == TF_OK)
		rc = sign(p, note, err);
	if (rc == TF_OK)
		keep_state(p);
	return rc;
}

/* What is known of the members also when nothing could be signed. */
static void
tell(struct publisher *p)
{
	const struct tf_org_members *all = &p->state.members;

	p->out->entries = p->size;
	p->out->added = p->size - p->last.size;
	for (size_t i = 0; i < all->n; i++) {
		const struct tf_org_member *m = &all->member[i];

		if (strcmp(m->origin, p->organiser.vkey.name) != 0) {
			p->out->members++;
			p->out->uncovered += m->tree.size - m->verified;
		}
		if (m->finding == TF_FOUND_NOTHING)
			continue;
		p->out->wrong++;
		if (p->o->found != NULL)
			p->o->found(p->o->arg, m->origin, m->at,
			    tf_finding_text(m->finding));
	}
}

enum tf_code
tf_org_publish(const struct tf_publish *o, struct tf_published *out,
    struct tf_error *err)
{
	struct publisher p = { .o = o, .out = out };
	struct tf_buf note = { 0 };
	enum tf_code rc = tf_organiser_load(o->keys, &p.organiser, err);

	*out = (struct tf_published){ 0 };
	if (rc == TF_OK &&
	    (p.state.tree = calloc(1, sizeof(*p.state.tree))) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_ledger_open(o->ledger, TF_ORG_ORGANISER, &p.ledger,
		    err);
	if (rc == TF_OK)
		rc = tf_blobs_open(o->blobs, TF_ORG_ORGANISER, &p.blobs, err);
	if (rc == TF_OK) {
		rc = run(&p, &note, err);
		tell(&p);
	}
	tf_ledger_close(p.ledger);
	tf_blobs_close(p.blobs);
	tf_org_state_free(&p.state);
	tf_org_state_free(&p.kept);
	tf_own_free(&p.own);
	tf_buf_free(&p.bundle);
	tf_buf_free(&note);
	tf_organiser_free(&p.organiser);
	return rc;
}
