/*
 * Publishing the log of an organisation: see org.h.
 *
 * The whole ledger is read from its beginning, each time: what the organisation
 * has signed before must be the beginning of what is there now, and each member's
 * checkpoints are compared with a tree over that member's entries.
 *
 *	members -> entries: tree of the organisation, tree of each member
 *	   at the size of the last checkpoint: is its root the same?
 *	   -> tiles and entries as C2SP tlog-tiles say
 *	-> checkpoint: into the ledger (one wins), then beside the tiles
 *
 * Full tiles never change, so an existing one is compared.  A run that is killed
 * leaves tiles that the next run finds.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../ledger/merkle.h"
#include "../ledger/rotation.h"
#include "../ledger/tilepath.h"
#include "../org.h"
#include "organiser.h"
#include "uri.h"

#define PIECE 4096 /* entries of a read */
#define CHECKPOINT "checkpoint"

/* A member, and the tree over its entries: of each full subtree the root. */
struct member {
	char *origin;
	size_t n;
	struct tf_vkey vkey;
	struct tf_log_keys keys;
	uint64_t size;
	struct tf_hash peak[64];
	uint64_t verified; /* entries that a checkpoint of it covers */
	bool own, wrong;
};

struct publisher {
	const struct tf_publish *o;
	struct tf_published *out;
	struct tf_organiser organiser;
	struct tf_ledger *ledger;
	struct tf_blobs *blobs;
	struct member *member;
	size_t n, cap;
	struct tf_checkpoint last; /* size 0: none */
	bool has_last;
	uint64_t size; /* entries of this run */
	struct tf_tree *tree;
	struct tf_buf bundle; /* of entries: each with its length */
};

/* --- members ------------------------------------------------------------------ */

static enum tf_code
add_member(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct publisher *p = arg;
	struct member *x;
	enum tf_code rc;

	if (!tf_array_room(&p->member, p->n, &p->cap, sizeof(*p->member)))
		return tf_nomem(err);
	x = &p->member[p->n];
	*x = (struct member){ .n = m->origin.n };
	rc = tf_vkey_parse(m->vkey.p, m->vkey.n, &x->vkey, err);
	if (rc != TF_OK)
		return rc;
	if ((x->origin = strndup(m->origin.p, m->origin.n)) == NULL)
		return tf_nomem(err);
	x->own = strcmp(x->origin, p->organiser.vkey.name) == 0;
	p->n++;
	return TF_OK;
}

static struct member *
find_member(struct publisher *p, struct tf_str origin)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = tf_str_cmp((struct tf_str){ p->member[mid].origin,
				       p->member[mid].n },
		    origin);

		if (c == 0)
			return &p->member[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The first finding about a member is enough. */
static void
found(struct publisher *p, struct member *m, uint64_t number, const char *what)
{
	if (m->wrong)
		return;
	m->wrong = true;
	p->out->wrong++;
	if (p->o->found != NULL)
		p->o->found(p->o->arg, m->origin, number, what);
}

static void
add_leaf(struct member *m, const struct tf_hash *leaf)
{
	struct tf_hash h = *leaf;
	unsigned i = 0;

	for (; m->size >> i & 1; i++)
		tf_merkle_node(&m->peak[i], &h, &h);
	m->peak[i] = h;
	m->size++;
}

static void
root_of(const struct member *m, struct tf_hash *out)
{
	bool first = true;

	for (unsigned i = 0; i < 64; i++) {
		if ((m->size >> i & 1) == 0)
			continue;
		if (first)
			*out = m->peak[i];
		else
			tf_merkle_node(&m->peak[i], out, out);
		first = false;
	}
}

/* Does the entry say what the ledger says of it? */
static enum tf_code
check_entry(struct publisher *p, struct member *m, const struct tf_leaf *leaf,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, leaf->bytes.p, leaf->bytes.n,
	    err);

	if (rc == TF_INVALID)
		found(p, m, leaf->number, "is no entry");
	else if (rc == TF_OK &&
	    (!tf_str_same(d.e.origin, leaf->origin) || d.e.seq != leaf->number))
		found(p, m, leaf->number,
		    "has another origin or number than the ledger says");
	if (rc == TF_OK && d.e.type == TF_KEY_ROTATED)
		rc = tf_log_keys_learn(&m->keys, leaf->bytes.p, leaf->bytes.n,
		    err);
	tf_entry_decoded_free(&d);
	return rc == TF_INVALID ? TF_OK : rc;
}

static enum tf_code
check_note(struct publisher *p, struct member *m, const struct tf_leaf *leaf,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_hash root;
	enum tf_code rc;

	if (leaf->note.p == NULL)
		return TF_OK;
	rc = tf_log_keys_check(&m->keys, &m->vkey, leaf->note.p, leaf->note.n,
	    &c, NULL, err);
	if (rc == TF_NOMEM)
		return rc;
	root_of(m, &root);
	if (rc != TF_OK)
		found(p, m, leaf->number,
		    "has a checkpoint that its key has not signed");
	else if (c.size != m->size ||
	    memcmp(c.root.b, root.b, sizeof(root.b)) != 0)
		found(p, m, leaf->number,
		    "has a checkpoint of other entries than those before it");
	else if (!m->wrong)
		m->verified = m->size;
	return TF_OK;
}

static enum tf_code
check_member(struct publisher *p, const struct tf_leaf *leaf,
    const struct tf_hash *hash, struct tf_error *err)
{
	struct member *m = find_member(p, leaf->origin);
	enum tf_code rc;

	if (m == NULL)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the ledger is of no member",
		    (unsigned long long)leaf->index);
	if (leaf->number != m->size)
		found(p, m, leaf->number, "does not follow the one before it");
	add_leaf(m, hash);
	rc = check_entry(p, m, leaf, err);
	return rc == TF_OK ? check_note(p, m, leaf, err) : rc;
}

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

/* --- the log --------------------------------------------------------------------- */

static enum tf_code
check_last(struct publisher *p, struct tf_error *err)
{
	struct tf_hash root;

	if (!p->has_last || p->tree->size != p->last.size)
		return TF_OK;
	tf_tree_root(p->tree, &root);
	return memcmp(root.b, p->last.root.b, sizeof(root.b)) == 0 ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER,
		"the first %llu entries of the ledger are not those that were "
		"signed: it was altered",
		(unsigned long long)p->last.size);
}

static enum tf_code
take(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct publisher *p = arg;
	struct tf_hash hash;
	enum tf_code rc;

	if (leaf->index != p->tree->size)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the ledger is missing",
		    (unsigned long long)p->tree->size);
	tf_merkle_leaf(leaf->bytes.p, leaf->bytes.n, &hash);
	rc = check_member(p, leaf, &hash, err);
	if (rc == TF_OK)
		rc = add_to_bundle(p, leaf, err);
	if (rc == TF_OK)
		rc = tf_tree_append(p->tree, &hash, put_tile, p, err);
	return rc == TF_OK ? check_last(p, err) : rc;
}

static enum tf_code
read_all(struct publisher *p, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && p->tree->size < p->size) {
		uint64_t before = p->tree->size, left = p->size - before;

		rc = p->ledger->ops->read(p->ledger, before,
		    left < PIECE ? left : PIECE, take, p, err);
		if (rc == TF_OK && p->tree->size == before)
			rc = tf_fail(err, TF_TAMPER,
			    "the ledger has only %llu entries now",
			    (unsigned long long)before);
	}
	if (rc == TF_OK && p->bundle.n > 0)
		rc = put_bundle(p, p->size, err);
	return rc == TF_OK ?
	    tf_tree_edge(p->tree, p->last.size, put_tile, p, err) :
	    rc;
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
		tf_tree_root(p->tree, &c.root);
		note->n = 0;
		rc = tf_checkpoint_sign(&c, p->organiser.key, note, err);
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
		rc = tf_checkpoint_check(note->p, note->n, &p->organiser.vkey,
		    &p->last, err);
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

static enum tf_code
run(struct publisher *p, struct tf_buf *note, struct tf_error *err)
{
	enum tf_code rc = first_is_own(p, err);

	/* The size is read before the members: each entry has one. */
	if (rc == TF_OK)
		rc = p->ledger->ops->size(p->ledger, &p->size, err);
	if (rc == TF_OK)
		rc = p->ledger->ops->members(p->ledger, add_member, p, err);
	if (rc == TF_OK)
		rc = read_last(p, note, err);
	if (rc == TF_OK && p->last.size > p->size)
		rc = tf_fail(err, TF_TAMPER,
		    "the ledger has %llu entries, but %llu were signed: some "
		    "are lost",
		    (unsigned long long)p->size,
		    (unsigned long long)p->last.size);
	if (rc == TF_OK)
		rc = read_all(p, err);
	if (rc == TF_OK)
		rc = sign(p, note, err);
	if (rc != TF_OK)
		return rc;
	p->out->entries = p->size;
	p->out->added = p->size - p->last.size;
	p->out->members = p->n - 1;
	for (size_t i = 0; i < p->n; i++)
		if (!p->member[i].own)
			p->out->uncovered += p->member[i].size -
			    p->member[i].verified;
	return TF_OK;
}

enum tf_code
tf_org_publish(const struct tf_publish *o, struct tf_published *out,
    struct tf_error *err)
{
	struct publisher p = { .o = o, .out = out };
	struct tf_buf note = { 0 };
	enum tf_code rc = tf_organiser_load(o->keys, &p.organiser, err);

	*out = (struct tf_published){ 0 };
	if (rc == TF_OK && (p.tree = calloc(1, sizeof(*p.tree))) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_ledger_open(o->ledger, TF_ORG_ORGANISER, &p.ledger,
		    err);
	if (rc == TF_OK)
		rc = tf_blobs_open(o->blobs, TF_ORG_ORGANISER, &p.blobs, err);
	if (rc == TF_OK)
		rc = run(&p, &note, err);
	tf_ledger_close(p.ledger);
	tf_blobs_close(p.blobs);
	for (size_t i = 0; i < p.n; i++) {
		free(p.member[i].origin);
		tf_log_keys_free(&p.member[i].keys);
	}
	free(p.member);
	free(p.tree);
	tf_buf_free(&p.bundle);
	tf_buf_free(&note);
	tf_organiser_free(&p.organiser);
	return rc;
}
