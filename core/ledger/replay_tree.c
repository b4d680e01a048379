/*
 * The tree of names in a temporary table.  Values are structs as bytes in
 * memory: only this process reads them.
 */
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "replay_tree.h"

/* First letters of keys. */
enum {
	LEVELS = 4,
	FILES = 'f',	  /* evidence, by path */
	GROWN = 'g',	  /* what was entered of evidence, by node */
	GROWING = 'i',	  /* the node that grows there, by path */
	NODES = 'n',	  /* node numbers, by run */
	TYPES = 't',	  /* newest version of a type, by trail and name */
	HOLDS = 'h',	  /* number of entries about a hold, by path and name;
			without a name: number of holds that stand there */
	PROPOSALS = 'p',  /* to redact, the newest one, by path */
	REPORTS = 'q',	  /* that seals name, by path of the attestation */
	RETENTIONS = 'r', /* what all retentions ask for, by path */
	TEXTS = 'x',	  /* where a text is named, by digest and entry */
	TEXTS_GONE = 'y', /* by digest */
	TEXT_PROPOSALS = 'z',
};
static const char level_letters[LEVELS + 1] = { 'a', 'b', 'c', 'd', 'e' };

#define NODE_RUN (8 * 512)

#define NAME_BYTES 64 /* of a type or a hold */

struct key {
	char p[1 + TF_PATH_MAX + 1 + NAME_BYTES];
	size_t n;
};

static struct tf_str
key_str(const struct key *k)
{
	return (struct tf_str){ k->p, k->n };
}

/* Make a key of letter, path and last; last 0 is left out. */
static void
make_key(struct key *k, char letter, struct tf_str path, char last)
{
	size_t n = path.n < TF_PATH_MAX ? path.n : TF_PATH_MAX;

	k->p[0] = letter;
	memcpy(k->p + 1, path.p, n);
	k->n = 1 + n;
	if (last != '\0')
		k->p[k->n++] = last;
}

/* Make the range of keys below path: '0' is the byte after '/'. */
static void
keys_below(struct key *low, struct key *high, char letter, struct tf_str path)
{
	make_key(low, letter, path, '/');
	make_key(high, letter, path, '/' + 1);
}

static int
level(struct tf_str path)
{
	int n = 1;

	if (path.n == 1 && path.p[0] == '.')
		return 0;
	for (size_t i = 0; i < path.n && n < LEVELS; i++)
		n += path.p[i] == '/';
	return n;
}

static void
dir_key(struct key *k, struct tf_str path)
{
	make_key(k, level_letters[level(path)], path, '\0');
}

static struct tf_str
bytes(const void *p, size_t n)
{
	return (struct tf_str){ p, n };
}

static bool
is_last(const struct tf_replay_tree *t, struct tf_str path)
{
	return t->last_len > 0 && t->last_len == path.n &&
	    memcmp(t->last_path, path.p, path.n) == 0;
}

/* Write the cached directory to the table, if it has changed. */
static enum tf_code
write_last(struct tf_replay_tree *t, struct tf_error *err)
{
	struct key key;
	enum tf_code rc = TF_OK;

	if (!t->last_changed)
		return TF_OK;
	dir_key(&key, (struct tf_str){ t->last_path, t->last_len });
	rc = t->ops->put(t->table, key_str(&key),
	    bytes(&t->last, sizeof(t->last)), err);
	t->last_changed = rc != TF_OK;
	return rc;
}

enum tf_code
tf_replay_tree_get(struct tf_replay_tree *t, struct tf_str path,
    struct tf_replay_tree_dir *out, struct tf_error *err)
{
	struct key key;

	if (is_last(t, path)) {
		*out = t->last;
		return TF_OK;
	}
	dir_key(&key, path);
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_put(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_replay_tree_dir *d, struct tf_error *err)
{
	enum tf_code rc;

	if (!is_last(t, path)) {
		if ((rc = write_last(t, err)) != TF_OK)
			return rc;
		if (path.n > sizeof(t->last_path))
			return tf_fail(err, TF_NAMETOOLONG,
			    "a path is too long");
		memcpy(t->last_path, path.p, path.n);
		t->last_len = path.n;
	}
	t->last = *d;
	t->last_changed = true;
	return TF_OK;
}

enum tf_code
tf_replay_tree_add(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_replay_tree_dir *d, struct tf_error *err)
{
	struct tf_replay_tree_file f;
	struct key key;
	enum tf_code rc;

	if (level(path) == LEVELS) { /* files may have this name, too */
		make_key(&key, FILES, path, '\0');
		rc = t->ops->get(t->table, key_str(&key), &f, sizeof(f), err);
		if (rc != TF_NOTFOUND)
			return rc == TF_OK ? TF_EXISTS : rc;
	}
	dir_key(&key, path);
	return t->ops->add(t->table, key_str(&key), bytes(d, sizeof(*d)), err);
}

enum tf_code
tf_replay_tree_add_file(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_replay_tree_file *f, struct tf_error *err)
{
	struct tf_replay_tree_dir d;
	struct key key;
	enum tf_code rc = tf_replay_tree_get(t, path, &d, err);

	if (rc != TF_NOTFOUND)
		return rc == TF_OK ? TF_EXISTS : rc;
	make_key(&key, FILES, path, '\0');
	return t->ops->add(t->table, key_str(&key), bytes(f, sizeof(*f)), err);
}

/* --- counts: versions of types, holds --------------------------------------- */

static void
count_key(struct key *k, char letter, struct tf_str path, struct tf_str name)
{
	make_key(k, letter, path, '/');
	if (name.n <= NAME_BYTES && name.n > 0) {
		memcpy(k->p + k->n, name.p, name.n);
		k->n += name.n;
	}
}

/* 0 if nothing was put. */
static enum tf_code
get_count(struct tf_replay_tree *t, char letter, struct tf_str path,
    struct tf_str name, uint64_t *n, struct tf_error *err)
{
	struct key key;
	enum tf_code rc;

	count_key(&key, letter, path, name);
	rc = t->ops->get(t->table, key_str(&key), n, sizeof(*n), err);
	if (rc == TF_NOTFOUND)
		*n = 0;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
put_count(struct tf_replay_tree *t, char letter, struct tf_str path,
    struct tf_str name, uint64_t n, struct tf_error *err)
{
	struct key key;

	count_key(&key, letter, path, name);
	return t->ops->put(t->table, key_str(&key), bytes(&n, sizeof(n)), err);
}

enum tf_code
tf_replay_tree_type(struct tf_replay_tree *t, struct tf_str trail,
    struct tf_str name, uint64_t *version, struct tf_error *err)
{
	return get_count(t, TYPES, trail, name, version, err);
}

enum tf_code
tf_replay_tree_set_type(struct tf_replay_tree *t, struct tf_str trail,
    struct tf_str name, uint64_t version, struct tf_error *err)
{
	return put_count(t, TYPES, trail, name, version, err);
}

enum tf_code
tf_replay_tree_hold(struct tf_replay_tree *t, struct tf_str path,
    struct tf_str hold, uint64_t *changes, struct tf_error *err)
{
	return get_count(t, HOLDS, path, hold, changes, err);
}

enum tf_code
tf_replay_tree_set_hold(struct tf_replay_tree *t, struct tf_str path,
    struct tf_str hold, uint64_t changes, struct tf_error *err)
{
	uint64_t standing;
	enum tf_code rc = tf_replay_tree_holds(t, path, &standing, err);

	if (rc == TF_OK)
		rc = put_count(t, HOLDS, path, hold, changes, err);
	/* The first change places it, the second releases it, and so on. */
	standing = changes % 2 != 0 ? standing + 1 : standing - 1;
	return rc == TF_OK ?
	    put_count(t, HOLDS, path, (struct tf_str){ "", 0 }, standing, err) :
	    rc;
}

enum tf_code
tf_replay_tree_holds(struct tf_replay_tree *t, struct tf_str path,
    uint64_t *standing, struct tf_error *err)
{
	return get_count(t, HOLDS, path, (struct tf_str){ "", 0 }, standing,
	    err);
}

enum tf_code
tf_replay_tree_kept(struct tf_replay_tree *t, struct tf_str path,
    struct tf_replay_tree_kept *out, struct tf_error *err)
{
	struct key key;
	enum tf_code rc;

	make_key(&key, RETENTIONS, path, '\0');
	rc = t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
	if (rc == TF_NOTFOUND)
		memset(out, 0, sizeof(*out));
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_replay_tree_set_kept(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_replay_tree_kept *kept, struct tf_error *err)
{
	struct key key;

	make_key(&key, RETENTIONS, path, '\0');
	return t->ops->put(t->table, key_str(&key), bytes(kept, sizeof(*kept)),
	    err);
}

enum tf_code
tf_replay_tree_proposal(struct tf_replay_tree *t, struct tf_str path,
    struct tf_proposal *out, struct tf_error *err)
{
	struct key key;

	make_key(&key, PROPOSALS, path, '\0');
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_set_proposal(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_proposal *p, struct tf_error *err)
{
	struct key key;

	make_key(&key, PROPOSALS, path, '\0');
	return t->ops->put(t->table, key_str(&key), bytes(p, sizeof(*p)), err);
}

enum tf_code
tf_replay_tree_report(struct tf_replay_tree *t, struct tf_str path,
    struct tf_replay_tree_report *out, struct tf_error *err)
{
	struct key key;

	make_key(&key, REPORTS, path, '\0');
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_set_report(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_replay_tree_report *report, struct tf_error *err)
{
	struct key key;

	make_key(&key, REPORTS, path, '\0');
	return t->ops->put(t->table, key_str(&key),
	    bytes(report, sizeof(*report)), err);
}

static void
grown_key(struct key *k, uint64_t node)
{
	k->p[0] = GROWN;
	tf_put_be64((uint8_t *)k->p + 1, node);
	k->n = 1 + sizeof(node);
}

enum tf_code
tf_replay_tree_grown(struct tf_replay_tree *t, uint64_t node,
    struct tf_replay_tree_grown *out, struct tf_error *err)
{
	struct key key;

	grown_key(&key, node);
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_set_grown(struct tf_replay_tree *t, uint64_t node,
    const struct tf_replay_tree_grown *g, struct tf_error *err)
{
	struct key key;

	grown_key(&key, node);
	return t->ops->put(t->table, key_str(&key), bytes(g, sizeof(*g)), err);
}

enum tf_code
tf_replay_tree_growing(struct tf_replay_tree *t, struct tf_str path,
    uint64_t *node, struct tf_error *err)
{
	struct key key;

	make_key(&key, GROWING, path, '\0');
	return t->ops->get(t->table, key_str(&key), node, sizeof(*node), err);
}

enum tf_code
tf_replay_tree_set_growing(struct tf_replay_tree *t, struct tf_str path,
    uint64_t node, struct tf_error *err)
{
	struct key key;

	make_key(&key, GROWING, path, '\0');
	return t->ops->put(t->table, key_str(&key), bytes(&node, sizeof(node)),
	    err);
}

/* --- texts ---------------------------------------------------------------- */

static void
text_key(struct key *k, char letter, const struct tf_hash *text)
{
	make_key(k, letter,
	    (struct tf_str){ (const char *)text->b, sizeof(text->b) }, '\0');
}

static void
named_key(struct key *k, const struct tf_hash *text, uint64_t seq)
{
	text_key(k, TEXTS, text);
	tf_put_be64((uint8_t *)k->p + k->n, seq);
	k->n += sizeof(seq);
}

enum tf_code
tf_replay_tree_put_text(struct tf_replay_tree *t, const struct tf_hash *text,
    uint64_t seq, const struct tf_replay_tree_text *in, struct tf_error *err)
{
	struct key key;

	named_key(&key, text, seq);
	return t->ops->put(t->table, key_str(&key), bytes(in, sizeof(*in)),
	    err);
}

enum tf_code
tf_replay_tree_get_text(struct tf_replay_tree *t, const struct tf_hash *text,
    uint64_t seq, struct tf_replay_tree_text *out, struct tf_error *err)
{
	struct key key;

	named_key(&key, text, seq);
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_text_gone(struct tf_replay_tree *t, const struct tf_hash *text,
    bool *gone, struct tf_error *err)
{
	struct key key;
	char is;
	enum tf_code rc;

	text_key(&key, TEXTS_GONE, text);
	rc = t->ops->get(t->table, key_str(&key), &is, sizeof(is), err);
	*gone = rc == TF_OK;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_replay_tree_set_text_gone(struct tf_replay_tree *t,
    const struct tf_hash *text, struct tf_error *err)
{
	struct key key;

	text_key(&key, TEXTS_GONE, text);
	return t->ops->put(t->table, key_str(&key), bytes("1", 1), err);
}

enum tf_code
tf_replay_tree_text_proposal(struct tf_replay_tree *t,
    const struct tf_hash *text, struct tf_proposal *out, struct tf_error *err)
{
	struct key key;

	text_key(&key, TEXT_PROPOSALS, text);
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_set_text_proposal(struct tf_replay_tree *t,
    const struct tf_hash *text, const struct tf_proposal *p,
    struct tf_error *err)
{
	struct key key;

	text_key(&key, TEXT_PROPOSALS, text);
	return t->ops->put(t->table, key_str(&key), bytes(p, sizeof(*p)), err);
}

/* --- node numbers --------------------------------------------------------- */

static void
mark(struct tf_replay_tree *t, unsigned i)
{
	t->bits[i / 8] |= (uint8_t)(1u << (i % 8));
	t->changed = true;
}

/* Both caches are unused, so this call needs no table access. */
void
tf_replay_tree_root(struct tf_replay_tree *t,
    const struct tf_replay_tree_dir *d)
{
	t->last = *d;
	t->last_path[0] = '.';
	t->last_len = 1;
	t->last_changed = true;
	mark(t, TF_ROOT_ID);
}

static void
run_key(struct key *k, uint64_t run)
{
	k->p[0] = NODES;
	tf_put_be64((uint8_t *)k->p + 1, run);
	k->n = 1 + sizeof(run);
}

/* Load the bits of this run into the cache. */
static enum tf_code
load_run(struct tf_replay_tree *t, uint64_t run, struct tf_error *err)
{
	struct key key;
	enum tf_code rc = TF_OK;

	if (t->run == run)
		return TF_OK;
	if (t->changed) {
		run_key(&key, t->run);
		rc = t->ops->put(t->table, key_str(&key),
		    bytes(t->bits, sizeof(t->bits)), err);
		if (rc != TF_OK)
			return rc;
	}
	t->changed = false;
	t->run = run;
	run_key(&key, run);
	rc = t->ops->get(t->table, key_str(&key), t->bits, sizeof(t->bits),
	    err);
	if (rc != TF_NOTFOUND)
		return rc;
	memset(t->bits, 0, sizeof(t->bits));
	return TF_OK;
}

enum tf_code
tf_replay_tree_knows(struct tf_replay_tree *t, uint64_t node, bool *yes,
    struct tf_error *err)
{
	unsigned i = (unsigned)(node % NODE_RUN);
	enum tf_code rc = load_run(t, node / NODE_RUN, err);

	if (rc == TF_OK)
		*yes = (t->bits[i / 8] >> (i % 8) & 1) != 0;
	return rc;
}

enum tf_code
tf_replay_tree_node(struct tf_replay_tree *t, uint64_t node,
    struct tf_error *err)
{
	unsigned i = (unsigned)(node % NODE_RUN);
	bool seen;
	enum tf_code rc = tf_replay_tree_knows(t, node, &seen, err);

	if (rc != TF_OK || seen)
		return rc == TF_OK ? TF_EXISTS : rc;
	mark(t, i);
	return TF_OK;
}

/* --- walks ---------------------------------------------------------------- */

struct walk {
	tf_replay_tree_dir_fn dir;
	tf_replay_tree_file_fn file;
	void *arg;
	size_t skip; /* bytes of the key before the name */
};

static enum tf_code
visit_dir(void *arg, struct tf_str key, struct tf_str value,
    struct tf_error *err)
{
	const struct walk *w = arg;
	struct tf_replay_tree_dir d;

	memcpy(&d, value.p, sizeof(d));
	return w->dir(w->arg,
	    (struct tf_str){ key.p + w->skip, key.n - w->skip }, &d, err);
}

static enum tf_code
visit_file(void *arg, struct tf_str key, struct tf_str value,
    struct tf_error *err)
{
	const struct walk *w = arg;
	struct tf_replay_tree_file f;

	memcpy(&f, value.p, sizeof(f));
	return w->file(w->arg,
	    (struct tf_str){ key.p + w->skip, key.n - w->skip }, &f, err);
}

enum tf_code
tf_replay_tree_children(struct tf_replay_tree *t, struct tf_str path,
    tf_replay_tree_dir_fn fn, void *arg, struct tf_error *err)
{
	struct walk w = { .dir = fn, .arg = arg, .skip = path.n + 2 };
	struct key low, high;
	enum tf_code rc = write_last(t, err);

	if (rc != TF_OK)
		return rc;
	keys_below(&low, &high, level_letters[level(path) + 1], path);
	return t->ops->each(t->table, key_str(&low), key_str(&high), visit_dir,
	    &w, err);
}

enum tf_code
tf_replay_tree_each(struct tf_replay_tree *t, tf_replay_tree_dir_fn fn,
    void *arg, struct tf_error *err)
{
	struct walk w = { .dir = fn, .arg = arg, .skip = 1 };
	struct tf_str low = { level_letters, 1 };
	static const char high[] = { FILES };
	enum tf_code rc = write_last(t, err);

	if (rc != TF_OK)
		return rc;
	return t->ops->each(t->table, low, (struct tf_str){ high, 1 },
	    visit_dir, &w, err);
}

enum tf_code
tf_replay_tree_files(struct tf_replay_tree *t, struct tf_str path,
    tf_replay_tree_file_fn fn, void *arg, struct tf_error *err)
{
	struct walk w = { .file = fn, .arg = arg, .skip = path.n + 2 };
	struct key low, high;

	keys_below(&low, &high, FILES, path);
	return t->ops->each(t->table, key_str(&low), key_str(&high), visit_file,
	    &w, err);
}

enum tf_code
tf_replay_tree_get_file(struct tf_replay_tree *t, struct tf_str path,
    struct tf_replay_tree_file *out, struct tf_error *err)
{
	struct key key;

	make_key(&key, FILES, path, '\0');
	return t->ops->get(t->table, key_str(&key), out, sizeof(*out), err);
}

enum tf_code
tf_replay_tree_put_file(struct tf_replay_tree *t, struct tf_str path,
    const struct tf_replay_tree_file *f, struct tf_error *err)
{
	struct key key;

	make_key(&key, FILES, path, '\0');
	return t->ops->put(t->table, key_str(&key), bytes(f, sizeof(*f)), err);
}
