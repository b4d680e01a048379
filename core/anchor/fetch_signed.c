/*
 * What the organisation has signed: see fetch_signed.h.
 *
 *	load	what was remembered
 *	key	the one that the caller trusts, or that of entry 0, and its rotations
 *	newest	the newest checkpoint: signed, and no step back
 *	read	the entries since the last one: the tree, and that of each origin
 *	compare	the root; then each origin that has new ones with its copy
 *	save
 */
#include "fetch_signed.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/member.h"
#include "../ledger/entry_scan.h"
#include "../ledger/merkle.h"
#include "../ledger/peaks.h"
#include "../ledger/rotation.h"
#include "../store/connection.h"
#include "../store/entries.h"

#define PIECE 4096		    /* entries of a read */
#define STATE_MAX ((size_t)1 << 30) /* bytes */

/* An origin below the checkpoint. */
struct origin {
	char *name;
	struct tf_peaks tree;  /* the entries that its copy has, too */
	struct tf_buf waiting; /* leaf hashes of those behind it */
	uint64_t has;	       /* entries of its copy; */
	bool asked;	       /* that is known */
	bool touched;	       /* in this run */
};

struct order {
	struct tf_fetch_run *run;
	int dirfd;
	void (*dir_of)(const char *origin, char out[TF_FETCH_NAME]);
	struct tf_fetch_order out;
	struct tf_buf by;	      /* the key that signed the checkpoint */
	char name[TF_ORIGIN_MAX + 1]; /* of the organisation */
	struct tf_buf key, seen_key;  /* of entry 0: now, and as remembered */
	struct tf_log_keys keys;
	struct tf_vkey from;
	uint64_t seen; /* entries of the ledger */
	struct tf_peaks tree;
	struct tf_checkpoint head;
	struct origin *origin; /* in the order of their names */
	size_t n, cap;
};

/* --- origins ---------------------------------------------------------------------- */

static int
by_name(const void *key, const void *item)
{
	const struct origin *o = item;

	return tf_str_cmp(*(const struct tf_str *)key, tf_str_of(o->name));
}

static enum tf_code
find_origin(struct order *v, struct tf_str name, struct origin **out,
    struct tf_error *err)
{
	size_t at = tf_array_place(v->origin, v->n, sizeof(*v->origin), &name,
	    by_name);
	struct origin *o;

	if (at == v->n || by_name(&name, &v->origin[at]) != 0) {
		if (!tf_array_room(&v->origin, v->n, &v->cap,
			sizeof(*v->origin)))
			return tf_nomem(err);
		o = &v->origin[at];
		memmove(o + 1, o, (v->n++ - at) * sizeof(*o));
		*o = (struct origin){ .name = strndup(name.p, name.n) };
		if (o->name == NULL)
			return tf_nomem(err);
	}
	*out = &v->origin[at];
	return TF_OK;
}

/* --- the memory ------------------------------------------------------------------- */

static void
put_hex(struct tf_json *j, const char *key, const struct tf_buf *bytes)
{
	char *hex;

	if (bytes->n == 0)
		return;
	if ((hex = malloc(2 * bytes->n + 1)) == NULL) {
		j->failed = true;
		return;
	}
	tf_hex(bytes->p, bytes->n, hex);
	tf_put_cstr(j, key, hex);
	free(hex);
}

static void
put_tree(struct tf_json *j, const struct tf_peaks *tree)
{
	struct tf_buf peaks = { 0 };

	tf_peaks_put(tree, &peaks);
	put_hex(j, "peaks", &peaks);
	tf_buf_free(&peaks);
	tf_put_uint(j, "size", tree->size);
}

static enum tf_code
save(const struct order *v, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_str(&j, "key", tf_buf_bytes(&v->key));
	tf_put_uint(&j, "ledger", v->seen);
	put_tree(&j, &v->tree);
	tf_put_uint(&j, "v", 1);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	for (size_t i = 0; rc == TF_OK && i < v->n; i++) {
		const struct origin *o = &v->origin[i];

		tf_buf_str(&b, "\n");
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_put_str(&j, "origin", tf_str_of(o->name));
		put_tree(&j, &o->tree);
		put_hex(&j, "waiting", &o->waiting);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	}
	tf_buf_str(&b, "\n");
	if (rc == TF_OK && (rc = tf_buf_end(&b, err)) == TF_OK)
		rc = tf_file_write(v->dirfd, TF_FETCH_STATE, b.p, b.n, 0600,
		    false, err);
	tf_buf_free(&b);
	return rc;
}

/* Append the bytes of a member; absent: none. */
static bool
get_hex(const struct tf_json_doc *d, const char *key, struct tf_buf *out)
{
	int t = tf_json_get(d, 0, key);
	struct tf_str s;

	if (t < 0)
		return true;
	s = tf_json_text(d, t);
	if (s.n < 2 || s.n % 2 != 0 || !tf_buf_room(out, s.n / 2 - 1) ||
	    !tf_unhex(s.p + 1, s.n - 2, out->p + out->n, s.n / 2 - 1))
		return false;
	out->n += s.n / 2 - 1;
	return true;
}

static bool
get_tree(const struct tf_json_doc *d, struct tf_peaks *tree)
{
	int t = tf_json_get(d, 0, "size");
	struct tf_buf peaks = { 0 };
	bool ok = t >= 0 && d->tok[t].type == TF_JSON_INT &&
	    d->tok[t].num >= 0 && get_hex(d, "peaks", &peaks) &&
	    tf_peaks_get(tree, (uint64_t)d->tok[t].num, peaks.p, peaks.n);

	tf_buf_free(&peaks);
	return ok;
}

static enum tf_code
load_line(struct order *v, const struct tf_json_doc *d, bool first,
    struct tf_error *err)
{
	const char *key = first ? "key" : "origin";
	struct tf_buf name = { 0 };
	struct origin *o = NULL;
	enum tf_code rc = TF_OK;
	int t = tf_json_get(d, 0, key), n = tf_json_get(d, 0, "ledger");
	bool ok = t >= 0 && (!first || (n >= 0 && d->tok[n].num >= 0));

	if (ok)
		rc = tf_json_string(d, t, first ? &v->seen_key : &name, err);
	if (ok && rc == TF_OK && first) {
		v->seen = (uint64_t)d->tok[n].num;
		ok = get_tree(d, &v->tree);
	} else if (ok && rc == TF_OK) {
		rc = find_origin(v, tf_buf_bytes(&name), &o, err);
		ok = rc == TF_OK && get_tree(d, &o->tree) &&
		    get_hex(d, "waiting", &o->waiting) &&
		    o->waiting.n % sizeof(struct tf_hash) == 0;
	}
	tf_buf_free(&name);
	if (rc != TF_OK && rc != TF_INVALID)
		return rc;
	return ok ? TF_OK : tf_fail(err, TF_INVALID, "malformed");
}

static enum tf_code
load(struct order *v, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_error why = { 0 };
	struct tf_str rest, line;
	enum tf_code rc = tf_file_read(v->dirfd, TF_FETCH_STATE, STATE_MAX, &b,
	    err);
	bool first = true;

	if (rc == TF_NOTFOUND) {
		tf_buf_free(&b);
		return TF_OK;
	}
	rest = tf_buf_bytes(&b);
	while (rc == TF_OK && tf_note_take(&rest, &line)) {
		struct tf_json_doc d;

		rc = tf_json_parse(&d, line.p, line.n, &why);
		if (rc == TF_OK) {
			rc = load_line(v, &d, first, &why);
			tf_json_doc_free(&d);
		}
		first = false;
	}
	if (rc == TF_INVALID || (rc == TF_OK && (first || rest.n > 0)))
		rc = tf_fail(err, TF_TAMPER,
		    "the file %s of this directory is damaged: remove it to "
		    "read the ledger from its beginning",
		    TF_FETCH_STATE);
	tf_buf_free(&b);
	return rc;
}

/* --- the key ---------------------------------------------------------------------- */

static enum tf_code
learn(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct order *v = arg;

	return tf_log_keys_learn(&v->keys, leaf->bytes.p, leaf->bytes.n, err);
}

/* All entries of the organisation's own are few. */
static enum tf_code
learn_all(struct order *v, struct tf_error *err)
{
	uint64_t from = 0, next = 0;
	enum tf_code rc = v->run->ledger->ops->member(v->run->ledger, v->name,
	    &next, NULL, err);

	if (rc == TF_DENIED) /* it is revoked, but for its own appends */
		rc = TF_OK;
	for (; rc == TF_OK && from < next; from += PIECE)
		rc = v->run->ledger->ops->read_of(v->run->ledger, v->name, from,
		    PIECE, learn, v, err);
	return rc;
}

/* TF_TAMPER, by which *err says that something does not fit. */
static enum tf_code
find_key(struct order *v, struct tf_error *err)
{
	const struct tf_fetch *o = v->run->o;
	struct tf_vkey own;
	const char *given;
	enum tf_code rc;

	if (tf_vkey_parse(v->key.p, v->key.n, &own, NULL) != TF_OK ||
	    strcmp(own.name, v->name) != 0)
		return tf_fail(err, TF_TAMPER,
		    "entry 0 of the ledger names no key of it");
	if (v->seen_key.n > 0 &&
	    !tf_str_same(tf_buf_bytes(&v->seen_key), tf_buf_bytes(&v->key)))
		return tf_fail(err, TF_TAMPER,
		    "the ledger is of another organisation than the one that "
		    "this directory was filled from");
	v->from = own;
	given = o->vkey_of != NULL ? o->vkey_of(o->arg, v->name) : NULL;
	v->out.given = given != NULL;
	if (given != NULL &&
	    (rc = tf_log_keys_parse(&v->keys, tf_str_of(given), &v->from,
		 err)) != TF_OK)
		return rc;
	if ((rc = learn_all(v, err)) != TF_OK)
		return rc;
	if (!tf_log_keys_has(&v->keys, &v->from, &own))
		return tf_fail(err, TF_TAMPER,
		    "the key in entry 0 of the ledger is not the one given");
	return TF_OK;
}

/* --- the newest checkpoint ---------------------------------------------------------- */

static enum tf_code
judge_head(struct order *v, uint64_t size, struct tf_error *err)
{
	const struct tf_checkpoint *c = &v->head;
	struct tf_hash root;

	if (c->size != size)
		return tf_fail(err, TF_TAMPER,
		    "its newest checkpoint has another size than the ledger "
		    "says");
	if (c->size > v->out.entries)
		return tf_fail(err, TF_TAMPER,
		    "the ledger has %llu entries, but %llu were signed: some "
		    "are lost",
		    (unsigned long long)v->out.entries,
		    (unsigned long long)c->size);
	if (c->size < v->tree.size)
		return tf_fail(err, TF_TAMPER,
		    "the ledger was set back: its newest checkpoint has %llu "
		    "entries, and this directory has seen one of %llu",
		    (unsigned long long)c->size,
		    (unsigned long long)v->tree.size);
	tf_peaks_root(&v->tree, &root);
	if (c->size == v->tree.size &&
	    memcmp(root.b, c->root.b, sizeof(root.b)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "forked: its checkpoint of %llu entries is of other "
		    "entries than those that this directory has seen",
		    (unsigned long long)c->size);
	return TF_OK;
}

static enum tf_code
read_head(struct order *v, struct tf_error *err)
{
	struct tf_ledger *l = v->run->ledger;
	struct tf_buf note = { 0 };
	struct tf_vkey by;
	uint64_t size = 0;
	enum tf_code rc = l->ops->size(l, &v->out.entries, err);

	if (rc == TF_OK && v->out.entries < v->seen)
		return tf_fail(err, TF_TAMPER,
		    "the ledger was set back: it has %llu entries, and this "
		    "directory has seen %llu",
		    (unsigned long long)v->out.entries,
		    (unsigned long long)v->seen);
	if (rc == TF_OK)
		rc = l->ops->checkpoint_get(l, &size, &note, err);
	if (rc == TF_NOTFOUND && v->tree.size > 0)
		rc = tf_fail(err, TF_TAMPER,
		    "the ledger was set back: it has no checkpoint, and this "
		    "directory has seen one of %llu entries",
		    (unsigned long long)v->tree.size);
	else if (rc == TF_NOTFOUND)
		rc = TF_OK;
	else if (rc == TF_OK) {
		rc = tf_log_keys_check(&v->keys, &v->from, note.p, note.n,
		    &v->head, &by, err);
		if (rc == TF_TAMPER || rc == TF_INVALID || rc == TF_FOREIGN)
			rc = tf_fail(err, TF_TAMPER,
			    "its newest checkpoint is not signed by its key");
		if (rc == TF_OK)
			rc = judge_head(v, size, err);
		if (rc == TF_OK) {
			v->out.size = v->head.size;
			tf_vkey_text(&by, &v->by);
		}
	}
	tf_buf_free(&note);
	return rc;
}

/* --- the entries ------------------------------------------------------------------ */

static enum tf_code
open_copy(const struct order *v, const struct origin *o, struct tf_db **db)
{
	char name[TF_FETCH_NAME], path[PATH_MAX];

	v->dir_of(o->name, name);
	if (snprintf(path, sizeof(path), "%s/%s/" TF_DB_NAME, v->run->o->dir,
		name) >= (int)sizeof(path))
		return TF_NAMETOOLONG;
	return tf_db_open(path, TF_DB_READ, db, NULL);
}

/* How many entries the copy has; none, if there is none or it cannot be read. */
static void
ask_copy(const struct order *v, struct origin *o)
{
	struct tf_db *db = NULL;
	struct tf_hash root;

	o->asked = true;
	if (open_copy(v, o, &db) != TF_OK ||
	    tf_checkpoints_newest(db, &o->has, &root, NULL, NULL) != TF_OK)
		o->has = 0;
	tf_db_close(db);
}

/* Of what waits, take what the copy has now. */
static void
take_waiting(struct origin *o)
{
	size_t used = 0;

	while (o->tree.size < o->has &&
	    o->waiting.n - used >= sizeof(struct tf_hash)) {
		struct tf_hash leaf;

		memcpy(leaf.b, o->waiting.p + used, sizeof(leaf.b));
		tf_peaks_add(&o->tree, &leaf);
		used += sizeof(leaf.b);
	}
	if (used > 0)
		memmove(o->waiting.p, o->waiting.p + used, o->waiting.n - used);
	o->waiting.n -= used;
}

static enum tf_code
take(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct order *v = arg;
	struct origin *o;
	struct tf_hash hash;
	uint64_t next;
	enum tf_code rc;

	if (leaf->index != v->tree.size)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the ledger is missing",
		    (unsigned long long)v->tree.size);
	tf_merkle_leaf(leaf->bytes.p, leaf->bytes.n, &hash);
	tf_peaks_add(&v->tree, &hash);
	if (tf_str_same(leaf->origin, tf_str_of(v->name)))
		return TF_OK;
	if ((rc = find_origin(v, leaf->origin, &o, err)) != TF_OK)
		return rc;
	if (!o->asked)
		ask_copy(v, o);
	o->touched = true;
	next = o->tree.size + o->waiting.n / sizeof(hash);
	if (leaf->number != next)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the ledger does not follow the one before "
		    "it of %.60s",
		    (unsigned long long)leaf->index, o->name);
	if (o->waiting.n == 0 && o->tree.size < o->has)
		tf_peaks_add(&o->tree, &hash);
	else
		tf_buf_add(&o->waiting, hash.b, sizeof(hash.b));
	return o->waiting.failed ? tf_nomem(err) : TF_OK;
}

static enum tf_code
read_new(struct order *v, struct tf_error *err)
{
	const struct tf_fetch *o = v->run->o;
	struct tf_ledger *l = v->run->ledger;
	struct tf_hash root;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && v->tree.size < v->head.size) {
		uint64_t before = v->tree.size, n = v->head.size - before;

		if (o->stop != NULL && o->stop(o->arg))
			return tf_fail(err, TF_INTERRUPTED, "interrupted");
		rc = l->ops->read(l, before, n < PIECE ? n : PIECE, take, v,
		    err);
		if (rc == TF_OK && v->tree.size == before)
			rc = tf_fail(err, TF_TAMPER,
			    "entry %llu of the ledger is missing",
			    (unsigned long long)before);
		if (o->progress != NULL)
			o->progress(o->arg, v->tree.size, v->head.size,
			    v->run->bytes);
	}
	if (rc != TF_OK || v->head.size == 0)
		return rc;
	tf_peaks_root(&v->tree, &root);
	return memcmp(root.b, v->head.root.b, sizeof(root.b)) == 0 ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER,
		"the first %llu entries of the ledger are not those that were "
		"signed: it was altered, or forked",
		(unsigned long long)v->head.size);
}

/* --- the copies ------------------------------------------------------------------- */

/* A copy that was lost and is not fetched again to where it was: the run said why. */
static bool
is_short(const struct origin *o)
{
	return o->asked && o->has < o->tree.size;
}

/* G2.  A copy may have more than the organisation has signed. */
static enum tf_code
compare_copy(const struct order *v, const struct origin *o,
    struct tf_error *err)
{
	struct tf_db *db = NULL;
	struct tf_hash want, have;
	enum tf_code rc;

	if (o->tree.size == 0 || is_short(o))
		return TF_OK;
	tf_peaks_root(&o->tree, &want);
	rc = open_copy(v, o, &db);
	if (rc == TF_OK)
		rc = tf_merkle_root(o->tree.size, tf_tiles_read, db, &have,
		    NULL);
	tf_db_close(db);
	if (rc == TF_NOMEM)
		return tf_nomem(err);
	return rc == TF_OK && memcmp(want.b, have.b, sizeof(have.b)) == 0 ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER,
		"the first %llu entries of the copy of %.60s are not those "
		"that the organisation has signed",
		(unsigned long long)o->tree.size, o->name);
}

static enum tf_code
compare(struct order *v, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < v->n; i++) {
		struct origin *o = &v->origin[i];

		if (!o->asked && o->waiting.n > 0)
			ask_copy(v, o);
		if (o->waiting.n > 0 && o->tree.size < o->has) {
			take_waiting(o);
			o->touched = true;
		}
		if (o->touched)
			rc = compare_copy(v, o, err);
	}
	return rc;
}

static void
tell(struct order *v, const struct tf_error *why)
{
	const struct tf_fetch *o = v->run->o;

	v->out.origin = v->name[0] != '\0' ? v->name : NULL;
	tf_buf_add(&v->by, "", 1);
	v->out.vkey = v->by.failed ? "" : v->by.p;
	for (size_t i = 0; o->signed_of != NULL && why == NULL && i < v->n; i++)
		if (!is_short(&v->origin[i]) && v->origin[i].tree.size > 0)
			o->signed_of(o->arg, v->origin[i].name,
			    v->origin[i].tree.size);
	if (o->order != NULL)
		o->order(o->arg, &v->out, why);
}

static enum tf_code
run_all(struct order *v, struct tf_error *err)
{
	enum tf_code rc = load(v, err);
	bool changed;

	v->out.before = v->tree.size;
	if (rc == TF_OK)
		rc = find_key(v, err);
	if (rc == TF_OK)
		rc = read_head(v, err);
	if (rc == TF_OK)
		rc = read_new(v, err);
	if (rc == TF_OK)
		rc = compare(v, err);
	if (rc != TF_OK)
		return rc;
	changed = v->seen != v->out.entries || v->tree.size != v->out.before;
	for (size_t i = 0; i < v->n; i++)
		changed = changed || v->origin[i].touched;
	v->seen = v->out.entries;
	return changed ? save(v, err) : TF_OK;
}

/* Nobody signs a ledger without an entry 0 of its own. */
static bool
name_it(struct order *v)
{
	struct tf_str key = tf_buf_bytes(&v->run->organisation);
	size_t n = 0;

	while (n < key.n && key.p[n] != '+')
		n++;
	if (n == 0 || n > TF_ORIGIN_MAX)
		return false;
	memcpy(v->name, key.p, n);
	v->name[n] = '\0';
	tf_buf_add(&v->key, key.p, key.n);
	return true;
}

enum tf_code
tf_fetch_signed(struct tf_fetch_run *run, int dirfd,
    void (*dir_of)(const char *origin, char out[TF_FETCH_NAME]),
    struct tf_error *err)
{
	struct order v = { .run = run, .dirfd = dirfd, .dir_of = dir_of };
	struct tf_error why = { 0 };
	enum tf_code rc = TF_OK;

	if (name_it(&v))
		rc = run_all(&v, &why);
	if (rc == TF_OK || rc == TF_TAMPER || rc == TF_INVALID) {
		tell(&v, rc == TF_OK ? NULL : &why);
		rc = TF_OK;
	} else {
		rc = tf_fail_as(err, &why);
	}
	for (size_t i = 0; i < v.n; i++) {
		free(v.origin[i].name);
		tf_buf_free(&v.origin[i].waiting);
	}
	free(v.origin);
	tf_buf_free(&v.key);
	tf_buf_free(&v.seen_key);
	tf_buf_free(&v.by);
	tf_log_keys_free(&v.keys);
	return rc;
}
