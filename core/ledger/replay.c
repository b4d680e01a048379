/*
 * Replay of a ledger.  One function a type; a rule that is broken is told at
 * that entry and nothing is skipped or repaired.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "policy.h"
#include "replay.h"

#define NO_SEQ UINT64_MAX
#define WRITE_BITS 0222u

/* Evidence of an attestation that is still open. */
struct file {
	struct tf_hash sha256;
	uint64_t size;
	size_t name, name_len; /* in struct dir's names */
};

struct dir {
	struct tf_replay_dir d;
	char *path;
	struct dir *next; /* hash chain */
	struct dir *up, *children, *sibling;
	struct tf_hash birth_leaf, seal_leaf;
	/* an attestation */
	struct file *files; /* until it is sealed */
	size_t n_files, cap_files;
	struct tf_buf names;
	struct tf_time first, last; /* created, ctime of its evidence */
	struct tf_hash payload;	    /* of its statement */
	bool has_template;
	uint64_t template_version; /* trail: newest; workflow: in force */
};

/* Numbers seen before: open addressing, 0 is free. */
struct set {
	uint64_t *slot;
	size_t slots, n;
};

struct tf_replay {
	void (*fail)(void *arg, const struct tf_entry *e, const char *text);
	void *arg;
	struct dir **dirs;
	size_t slots, n_dirs;
	struct set names, nodes;
	uint64_t n_names;
	uint64_t next_seq;
	bool any, gap;
	struct tf_time at;
	char origin[129], store[33];
	char *vkey, *attester, *host;
	bool in_batch;
	uint64_t batch_first, batch_last;
	struct tf_subject_file *listed; /* for the last statement */
	const struct tf_entry *e;	/* the entry at hand */
};

static bool
broken(struct tf_replay *r, const char *text)
{
	r->fail(r->arg, r->e, text);
	return false;
}

/* --- sets ------------------------------------------------------------------- */

static bool
set_grow(struct set *s)
{
	size_t slots = s->slots == 0 ? 1024 : s->slots * 2, at;
	uint64_t *slot = calloc(slots, sizeof(*slot));

	if (slot == NULL)
		return false;
	for (size_t i = 0; i < s->slots; i++) {
		if (s->slot[i] == 0)
			continue;
		at = (size_t)(s->slot[i] * 0x9e3779b97f4a7c15u) & (slots - 1);
		while (slot[at] != 0)
			at = (at + 1) & (slots - 1);
		slot[at] = s->slot[i];
	}
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	return true;
}

/* 1: new and put in; 0: seen before; -1: no memory.  key is not 0. */
static int
set_add(struct set *s, uint64_t key)
{
	size_t at;

	if (s->n + 1 > s->slots / 4 * 3 && !set_grow(s))
		return -1;
	at = (size_t)(key * 0x9e3779b97f4a7c15u) & (s->slots - 1);
	while (s->slot[at] != 0) {
		if (s->slot[at] == key)
			return 0;
		at = (at + 1) & (s->slots - 1);
	}
	s->slot[at] = key;
	s->n++;
	return 1;
}

static bool
set_has(const struct set *s, uint64_t key)
{
	size_t at;

	if (s->slots == 0 || key == 0)
		return false;
	at = (size_t)(key * 0x9e3779b97f4a7c15u) & (s->slots - 1);
	while (s->slot[at] != 0 && s->slot[at] != key)
		at = (at + 1) & (s->slots - 1);
	return s->slot[at] == key;
}

static uint64_t
fingerprint(struct tf_str path)
{
	struct tf_hash h;
	uint64_t v;

	tf_sha256(path.p, path.n, &h);
	memcpy(&v, h.b, sizeof(v));
	return v == 0 ? 1 : v;
}

/* --- directories ----------------------------------------------------------------- */

static size_t
slot_of(const struct tf_replay *r, const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3u;
	return (size_t)(h >> 16) & (r->slots - 1);
}

static struct dir *
find(const struct tf_replay *r, struct tf_str path)
{
	struct dir *d = r->dirs[slot_of(r, path.p, path.n)];

	while (d != NULL &&
	    (d->d.path.n != path.n || memcmp(d->path, path.p, path.n) != 0))
		d = d->next;
	return d;
}

static void
grow_dirs(struct tf_replay *r)
{
	struct dir **old = r->dirs, *d, *next;
	size_t n = r->slots, s;

	r->dirs = calloc(n * 2, sizeof(struct dir *));
	if (r->dirs == NULL) {
		r->dirs = old; /* longer chains, nothing wrong */
		return;
	}
	r->slots = n * 2;
	for (size_t i = 0; i < n; i++)
		for (d = old[i]; d != NULL; d = next) {
			next = d->next;
			s = slot_of(r, d->path, d->d.path.n);
			d->next = r->dirs[s];
			r->dirs[s] = d;
		}
	free(old);
}

/* "a/b/c": where "c" begins. */
static size_t
last_part(struct tf_str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash == NULL ? 0 : (size_t)(slash + 1 - path.p);
}

static struct dir *
add_dir(struct tf_replay *r, const struct tf_attr *a, struct tf_str path,
    struct dir *up)
{
	struct dir *d = calloc(1, sizeof(*d));
	size_t s;

	if (d == NULL || (d->path = strndup(path.p, path.n)) == NULL) {
		free(d);
		return NULL;
	}
	d->d.attr = *a;
	d->d.path = (struct tf_str){ d->path, path.n };
	s = last_part(d->d.path);
	d->d.name = (struct tf_str){ d->path + s, path.n - s };
	d->d.entry = r->e->seq;
	d->d.seal = NO_SEQ;
	if (r->n_dirs >= r->slots)
		grow_dirs(r);
	s = slot_of(r, path.p, path.n);
	d->next = r->dirs[s];
	r->dirs[s] = d;
	r->n_dirs++;
	if ((d->up = up) != NULL) {
		d->sibling = up->children;
		up->children = d;
	}
	return d;
}

static struct dir *
parent_of(const struct tf_replay *r, struct tf_str path, size_t *name_at)
{
	*name_at = last_part(path);
	if (*name_at == 0)
		return find(r, (struct tf_str){ ".", 1 });
	return find(r, (struct tf_str){ path.p, *name_at - 1 });
}

static struct dir *
attestation_above(struct dir *d)
{
	while (d != NULL && d->d.attr.kind == TF_KIND_DIRECTORY)
		d = d->up;
	return d;
}

static bool
is_sealed(const struct dir *d)
{
	return d->d.seal != NO_SEQ;
}

/* --- common fields ------------------------------------------------------------------ */

static bool
same(struct tf_str s, const char *text)
{
	return text != NULL && s.n == strlen(text) &&
	    memcmp(s.p, text, s.n) == 0;
}

static void
check_batch(struct tf_replay *r, const struct tf_entry *e)
{
	if (r->in_batch) {
		if (!e->has_batch || e->batch_first != r->batch_first ||
		    e->batch_last != r->batch_last)
			(void)broken(r, "the batch before it is not whole");
	} else if (e->has_batch && e->batch_first != e->seq && !r->gap) {
		(void)broken(r, "its batch did not begin where it says");
	}
	r->in_batch = e->has_batch && e->batch_last > e->seq;
	r->batch_first = e->batch_first;
	r->batch_last = e->batch_last;
}

static bool
check_common(struct tf_replay *r, const struct tf_entry *e)
{
	bool ok = true;
	char text[80];

	if (e->seq != r->next_seq) {
		(void)snprintf(text, sizeof(text),
		    "says that it is number "
		    "%llu",
		    (unsigned long long)e->seq);
		ok = broken(r, text);
	}
	if (r->any && !r->gap && tf_time_cmp(e->at, r->at) <= 0)
		ok = broken(r, "is not later than the one before");
	if (!r->any && e->type != TF_LEDGER_OPENED)
		ok = broken(r, "the first entry is not ledger.opened");
	check_batch(r, e);
	r->at = e->at;
	return ok;
}

static bool
check_origin(struct tf_replay *r, const struct tf_entry *e)
{
	if (same(e->origin, r->origin))
		return true;
	return broken(r, "belongs to another ledger");
}

/* --- ledger.opened -------------------------------------------------------------------- */

static enum tf_code
keep(char **at, struct tf_str s)
{
	char *copy = strndup(s.p, s.n);

	if (copy == NULL)
		return TF_NOMEM;
	free(*at);
	*at = copy;
	return TF_OK;
}

static enum tf_code
keep_opening(struct tf_replay *r, const struct tf_entry *e)
{
	(void)snprintf(r->origin, sizeof(r->origin), "%.*s", (int)e->origin.n,
	    e->origin.p);
	(void)snprintf(r->store, sizeof(r->store), "%.*s", (int)e->store.n,
	    e->store.p);
	if (keep(&r->vkey, e->key_log) != TF_OK ||
	    keep(&r->attester, e->key_attester) != TF_OK)
		return TF_NOMEM;
	return keep(&r->host, e->host);
}

/* Does "previous" hang this entry on what was before? */
static bool
check_previous(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_json_doc d;
	struct tf_buf head = { 0 };
	const char *p, *end;
	uint64_t size = 0;
	bool ok = false;
	int t;

	if (tf_json_parse(&d, e->previous.p, e->previous.n, NULL) != TF_OK)
		return broken(r, "previous is malformed");
	t = tf_json_get(&d, 0, "head");
	/* The note's second line is its size. */
	if (t >= 0 && tf_json_string(&d, t, &head, NULL) == TF_OK &&
	    (p = memchr(head.p, '\n', head.n)) != NULL) {
		p++;
		end = memchr(p, '\n', head.n - (size_t)(p - head.p));
		ok = end != NULL &&
		    tf_decimal(p, (size_t)(end - p), INT64_MAX, &size);
	}
	ok = ok && (e->seq == 0 || size == e->seq);
	ok = ok && (e->seq == 0 || !same(e->origin, r->origin));
	tf_buf_free(&head);
	tf_json_doc_free(&d);
	return ok ? true : broken(r, "previous does not continue this ledger");
}

static enum tf_code
opened(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_attr a = { .id = TF_ROOT_ID,
		.parent = TF_ROOT_ID,
		.kind = TF_KIND_ROOT,
		.state = TF_STATE_OPEN };

	if (e->previous.p != NULL && !check_previous(r, e))
		return TF_OK;
	if (r->n_dirs == 0) {
		a.mode = e->access.mode;
		a.uid = e->access.uid;
		a.gid = e->access.gid;
		a.mtime = a.ctime = a.btime = e->at;
		if (!e->has_access)
			(void)broken(r, "does not say whose the root is");
		if (add_dir(r, &a, (struct tf_str){ ".", 1 }, NULL) == NULL)
			return TF_NOMEM;
		r->n_names++;
		return keep_opening(r, e);
	}
	if (e->previous.p == NULL && !check_origin(r, e))
		return TF_OK;
	if (!same(e->store, r->store))
		(void)broken(r, "was written by another store");
	if (e->previous.p == NULL &&
	    (!same(e->key_log, r->vkey) || !same(e->key_attester, r->attester)))
		(void)broken(r, "names keys that are not in force");
	return keep_opening(r, e);
}

/* --- births ---------------------------------------------------------------------------- */

static struct dir *
place_of(struct tf_replay *r, const struct tf_entry *e, enum tf_kind kind,
    struct tf_replay_effect *out)
{
	struct dir *up = parent_of(r, e->path, &out->name_at), *att;
	enum tf_kind child;

	if (up == NULL) {
		(void)broken(r, "is born in a directory that does not exist");
		return NULL;
	}
	if (tf_policy_child(up->d.attr.kind, kind != TF_KIND_EVIDENCE,
		&child) != TF_OK ||
	    child != kind || e->path.n - out->name_at > TF_NAME_MAX) {
		(void)broken(r, "is born at the wrong depth");
		return NULL;
	}
	att = attestation_above(up);
	if (is_sealed(up) || (att != NULL && is_sealed(att))) {
		(void)broken(r, "is born in a directory that was sealed");
		return NULL;
	}
	return up;
}

/* The name and the node number are new.  TF_EXISTS: told. */
static enum tf_code
check_new(struct tf_replay *r, const struct tf_entry *e)
{
	int name = set_add(&r->names, fingerprint(e->path));
	int node = set_add(&r->nodes, e->node);

	if (name < 0 || node < 0)
		return TF_NOMEM;
	if (name == 0)
		(void)broken(r, "its name was used before");
	if (node == 0 || e->node == TF_ROOT_ID)
		(void)broken(r, "its node number was used before");
	return name == 0 || node == 0 ? TF_EXISTS : TF_OK;
}

/* NAME@N after NAME@(N-1) was sealed. */
static bool
check_version(struct tf_replay *r, const struct tf_entry *e,
    const struct dir *up, size_t name_at)
{
	char before[TF_PATH_MAX + 16];
	unsigned version;
	struct dir *d;
	size_t base;
	int n;

	base = tf_name_version(e->path.p + name_at, e->path.n - name_at,
	    &version);
	(void)up;
	if (version < 2)
		return true;
	n = version == 2 ? snprintf(before, sizeof(before), "%.*s",
			       (int)(name_at + base), e->path.p) :
			   snprintf(before, sizeof(before), "%.*s@%u",
			       (int)(name_at + base), e->path.p, version - 1);
	d = find(r, (struct tf_str){ before, (size_t)n });
	if (d == NULL || !is_sealed(d))
		return broken(r, "repeats what is not sealed yet");
	return true;
}

/* A workflow is judged by the template in force when it began. */
static void
check_template(struct tf_replay *r, const struct tf_entry *e,
    const struct dir *trail)
{
	if (e->has_template != trail->has_template ||
	    (e->has_template && e->template_version != trail->template_version))
		(void)broken(r, "names a template that is not in force");
}

static enum tf_code
born_directory(struct tf_replay *r, const struct tf_entry *e, enum tf_kind kind,
    const struct tf_hash *leaf, struct tf_replay_effect *out)
{
	struct dir *up = place_of(r, e, kind, out), *d;
	struct tf_attr a = { .id = e->node,
		.kind = kind,
		.state = TF_STATE_OPEN };
	enum tf_code rc;

	if (up == NULL)
		return TF_OK;
	if ((rc = check_new(r, e)) != TF_OK)
		return rc == TF_EXISTS ? TF_OK : rc;
	if (kind == TF_KIND_ATTESTATION &&
	    !check_version(r, e, up, out->name_at))
		return TF_OK;
	if (kind == TF_KIND_WORKFLOW)
		check_template(r, e, up);
	a.parent = up->d.attr.id;
	a.mode = e->access.mode;
	a.uid = e->access.uid;
	a.gid = e->access.gid;
	a.mtime = a.ctime = a.btime = e->at;
	if ((d = add_dir(r, &a, e->path, up)) == NULL)
		return TF_NOMEM;
	d->birth_leaf = *leaf;
	d->has_template = kind == TF_KIND_WORKFLOW && e->has_template;
	d->template_version = d->has_template ? e->template_version : 0;
	up->d.attr.mtime = up->d.attr.ctime = e->at;
	out->born = true;
	out->kind = kind;
	out->parent = a.parent;
	r->n_names++;
	return TF_OK;
}

static enum tf_code
add_file(struct dir *att, const struct tf_entry *e)
{
	size_t skip = att->d.path.n + 1;
	struct file *f;

	if (att->n_files == att->cap_files) {
		att->cap_files = att->cap_files == 0 ? 4 : att->cap_files * 2;
		f = realloc(att->files, att->cap_files * sizeof(*f));
		if (f == NULL)
			return TF_NOMEM;
		att->files = f;
	}
	f = &att->files[att->n_files];
	f->sha256 = e->content.sha256;
	f->size = e->content.size;
	f->name = att->names.n;
	f->name_len = e->path.n - skip;
	tf_buf_add(&att->names, e->path.p + skip, f->name_len);
	if (att->n_files == 0 || tf_time_cmp(e->created, att->first) < 0)
		att->first = e->created;
	if (att->n_files == 0 || tf_time_cmp(e->ctime, att->last) > 0)
		att->last = e->ctime;
	att->n_files++;
	return att->names.failed ? TF_NOMEM : TF_OK;
}

static enum tf_code
born_evidence(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out)
{
	struct dir *up = place_of(r, e, TF_KIND_EVIDENCE, out);
	enum tf_code rc;

	if (up == NULL)
		return TF_OK;
	if ((rc = check_new(r, e)) != TF_OK)
		return rc == TF_EXISTS ? TF_OK : rc;
	up->d.attr.mtime = up->d.attr.ctime = e->at;
	out->born = true;
	out->kind = TF_KIND_EVIDENCE;
	out->parent = up->d.attr.id;
	r->n_names++;
	return add_file(attestation_above(up), e);
}

/* --- seals ----------------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	const struct tf_subject_file *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = memcmp(x->name.p, y->name.p, n);

	return c != 0 ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static struct dir *
to_seal(struct tf_replay *r, const struct tf_entry *e)
{
	struct dir *d = find(r, e->path);

	if (d == NULL)
		(void)broken(r, "seals what was never begun");
	else if (is_sealed(d))
		(void)broken(r, "seals a second time");
	else
		return d;
	return NULL;
}

static void
seal(struct dir *d, const struct tf_entry *e, const struct tf_hash *leaf)
{
	d->d.seal = e->seq;
	d->d.attr.state = TF_STATE_SEALED;
	d->d.attr.ctime = e->at;
	d->seal_leaf = *leaf;
	if (e->has_access) {
		d->d.attr.mode = e->access.mode;
		d->d.attr.uid = e->access.uid;
		d->d.attr.gid = e->access.gid;
	}
}

static bool
check_sealing_access(struct tf_replay *r, const struct tf_entry *e)
{
	return !e->has_access || (e->access.mode & WRITE_BITS) == 0 ?
	    true :
	    broken(r, "seals and leaves write permission");
}

/* The evidence of d, sorted by name; r keeps it. */
static enum tf_code
list_files(struct tf_replay *r, const struct dir *d)
{
	struct tf_subject_file *f = calloc(d->n_files + 1, sizeof(*f));

	if (f == NULL)
		return TF_NOMEM;
	for (size_t i = 0; i < d->n_files; i++)
		f[i] = (struct tf_subject_file){ .sha256 = d->files[i].sha256,
			.size = d->files[i].size,
			.name = { d->names.p + d->files[i].name,
			    d->files[i].name_len } };
	qsort(f, d->n_files, sizeof(*f), by_name);
	free(r->listed);
	r->listed = f;
	return TF_OK;
}

/* "trail/workflow/attestation" taken apart. */
static void
split_path(const struct dir *d, struct tf_statement *s)
{
	const struct dir *wf = d->up, *trail = wf->up;

	s->trail = trail->d.name;
	s->workflow = wf->d.name;
	s->attestation = d->d.name;
	s->attestation.n = tf_name_version(d->d.name.p, d->d.name.n,
	    &s->version);
}

static void
previous_version(const struct tf_replay *r, const struct dir *d,
    struct tf_statement *s)
{
	char before[TF_PATH_MAX + 16];
	const struct dir *p;
	int n;

	if (s->version < 2)
		return;
	n = s->version == 2 ?
	    snprintf(before, sizeof(before), "%s/%.*s", d->up->path,
		(int)s->attestation.n, s->attestation.p) :
	    snprintf(before, sizeof(before), "%s/%.*s@%u", d->up->path,
		(int)s->attestation.n, s->attestation.p, s->version - 1);
	p = find(r, (struct tf_str){ before, (size_t)n });
	s->has_previous = p != NULL;
	if (p != NULL)
		s->previous = p->payload;
}

static void
expect_statement(struct tf_replay *r, const struct tf_entry *e,
    const struct dir *d, struct tf_replay_effect *out)
{
	struct tf_statement *s = &out->statement;

	split_path(d, s);
	s->origin = e->origin;
	s->host = (struct tf_str){ r->host, strlen(r->host) };
	s->has_template = d->up->has_template;
	s->template_version = d->up->template_version;
	s->actor = e->actor;
	s->cause = e->cause;
	s->claims = e->claims;
	s->claimants = e->claimants;
	s->evaluated = e->evaluated;
	s->has_written = d->n_files > 0;
	s->first_written = d->first;
	s->last_written = d->last;
	previous_version(r, d, s);
	s->files = r->listed;
	s->n_files = d->n_files;
	out->has_statement = true;
	out->attester = (struct tf_str){ r->attester, strlen(r->attester) };
}

static enum tf_code
attestation_sealed(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out)
{
	struct dir *d = to_seal(r, e);
	struct tf_hash sums;
	uint64_t bytes;
	enum tf_code rc;

	if (d == NULL || !check_sealing_access(r, e))
		return TF_OK;
	if ((rc = list_files(r, d)) != TF_OK ||
	    (rc = tf_sums(r->listed, d->n_files, &bytes, &sums, NULL)) != TF_OK)
		return rc;
	if (e->evidence_count != d->n_files || e->evidence_bytes != bytes ||
	    memcmp(&sums, &e->evidence_sums, sizeof(sums)) != 0)
		(void)broken(r,
		    "its sums are not those of the evidence that "
		    "was sealed");
	expect_statement(r, e, d, out);
	d->payload = e->statement.payload;
	seal(d, e, leaf);
	free(d->files);
	d->files = NULL;
	return TF_OK;
}

static enum tf_code
parent_sealed(struct tf_replay *r, const struct tf_entry *e, bool workflow,
    const struct tf_hash *leaf)
{
	struct dir *d = to_seal(r, e), *c;
	struct tf_subject_file *f;
	struct tf_hash sums;
	uint64_t bytes;
	size_t n = 0;
	enum tf_code rc;

	if (d == NULL || !check_sealing_access(r, e))
		return TF_OK;
	for (c = d->children; c != NULL; c = c->sibling) {
		n++;
		if (workflow && !is_sealed(c)) {
			(void)broken(r,
			    "seals a workflow with an open "
			    "attestation");
			return TF_OK;
		}
	}
	if ((f = calloc(n + 1, sizeof(*f))) == NULL)
		return TF_NOMEM;
	n = 0;
	for (c = d->children; c != NULL; c = c->sibling) {
		f[n].name = c->d.name;
		f[n++].sha256 = workflow ? c->seal_leaf : c->birth_leaf;
	}
	qsort(f, n, sizeof(*f), by_name);
	rc = tf_sums(f, n, &bytes, &sums, NULL);
	free(f);
	if (rc != TF_OK)
		return rc;
	if (e->children_count != n ||
	    memcmp(&sums, &e->children_sums, sizeof(sums)) != 0)
		(void)broken(r,
		    workflow ? "its sums are not those of its "
			       "attestations" :
			       "its sums are not those of its "
			       "workflows");
	seal(d, e, leaf);
	return TF_OK;
}

/* --- the others -------------------------------------------------------------------------- */

static void
access_changed(struct tf_replay *r, const struct tf_entry *e)
{
	struct dir *d = find(r, e->path);

	if (d == NULL || d->d.attr.kind == TF_KIND_DIRECTORY) {
		(void)broken(r, "changes access of what does not exist");
		return;
	}
	if (is_sealed(d) &&
	    (e->access.mode & ~d->d.attr.mode & WRITE_BITS) != 0)
		(void)broken(r, "gives a sealed directory write permission");
	d->d.attr.mode = e->access.mode;
	d->d.attr.uid = e->access.uid;
	d->d.attr.gid = e->access.gid;
	d->d.attr.ctime = e->at;
}

static void
template_set(struct tf_replay *r, const struct tf_entry *e)
{
	struct dir *d = find(r, e->path);

	if (d == NULL || d->d.attr.kind != TF_KIND_TRAIL) {
		(void)broken(r, "sets a template of no trail");
		return;
	}
	if (e->template_version != d->template_version + 1)
		(void)broken(r, "its template has not the next version");
	d->has_template = true;
	d->template_version = e->template_version;
}

static void
overridden(struct tf_replay *r, const struct tf_entry *e)
{
	struct dir *d = find(r, e->path);

	if (d == NULL || d->d.attr.kind != TF_KIND_ATTESTATION ||
	    !is_sealed(d) || d->d.seal != e->target)
		(void)broken(r, "overrides what is not the seal of its path");
}

static enum tf_code
rotated(struct tf_replay *r, const struct tf_entry *e)
{
	bool log = same(e->use, "log");
	char **key = log ? &r->vkey : &r->attester;

	if (!log && !same(e->use, "attester"))
		return TF_OK; /* a use that came later */
	if (!same(e->key_old, *key)) {
		(void)broken(r, "replaces a key that is not in force");
		return TF_OK;
	}
	return keep(key, e->key_new);
}

static enum tf_code
effect(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out)
{
	switch (e->type) {
	case TF_LEDGER_OPENED:
		return opened(r, e);
	case TF_TRAIL_CREATED:
		return born_directory(r, e, TF_KIND_TRAIL, leaf, out);
	case TF_WORKFLOW_BEGUN:
		return born_directory(r, e, TF_KIND_WORKFLOW, leaf, out);
	case TF_ATTESTATION_BEGUN:
		return born_directory(r, e, TF_KIND_ATTESTATION, leaf, out);
	case TF_DIRECTORY_CREATED:
		return born_directory(r, e, TF_KIND_DIRECTORY, leaf, out);
	case TF_EVIDENCE_SEALED:
		return born_evidence(r, e, out);
	case TF_ATTESTATION_SEALED:
		return attestation_sealed(r, e, leaf, out);
	case TF_WORKFLOW_SEALED:
	case TF_TRAIL_SEALED:
		return parent_sealed(r, e, e->type == TF_WORKFLOW_SEALED, leaf);
	case TF_ACCESS_CHANGED:
		access_changed(r, e);
		return TF_OK;
	case TF_TEMPLATE_SET:
		template_set(r, e);
		return TF_OK;
	case TF_ATTESTATION_OVERRIDDEN:
		overridden(r, e);
		return TF_OK;
	case TF_KEY_ROTATED:
		return rotated(r, e);
	default:
		return TF_OK;
	}
}

enum tf_code
tf_replay_entry(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool ok;

	memset(out, 0, sizeof(*out));
	r->e = e;
	ok = check_common(r, e);
	if (ok && r->n_dirs > 0 && e->type != TF_LEDGER_OPENED)
		ok = check_origin(r, e);
	if (ok)
		rc = effect(r, e, leaf, out);
	r->next_seq++;
	r->any = true;
	r->gap = false;
	return rc == TF_NOMEM ? tf_fail(err, rc, "no memory") : TF_OK;
}

void
tf_replay_gap(struct tf_replay *r, uint64_t next_seq)
{
	r->next_seq = next_seq;
	r->gap = true;
	r->in_batch = false;
}

void
tf_replay_end(struct tf_replay *r)
{
	static const struct tf_entry none = { .seq = UINT64_MAX };

	r->e = &none;
	if (r->in_batch)
		(void)broken(r, "the log ends within a batch");
}

/* --- making and asking ---------------------------------------------------------------------- */

struct tf_replay *
tf_replay_new(void (*fail)(void *arg, const struct tf_entry *e,
		  const char *text),
    void *arg)
{
	struct tf_replay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->fail = fail;
	r->arg = arg;
	r->slots = 1024;
	if ((r->dirs = calloc(r->slots, sizeof(struct dir *))) == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
tf_replay_free(struct tf_replay *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->slots; i++)
		while (r->dirs[i] != NULL) {
			struct dir *d = r->dirs[i];

			r->dirs[i] = d->next;
			tf_buf_free(&d->names);
			free(d->files);
			free(d->path);
			free(d);
		}
	free(r->dirs);
	free(r->names.slot);
	free(r->nodes.slot);
	free(r->vkey);
	free(r->attester);
	free(r->host);
	free(r->listed);
	free(r);
}

const char *
tf_replay_origin(const struct tf_replay *r)
{
	return r->origin;
}

const char *
tf_replay_store(const struct tf_replay *r)
{
	return r->store;
}

const char *
tf_replay_vkey(const struct tf_replay *r)
{
	return r->vkey == NULL ? "" : r->vkey;
}

bool
tf_replay_knows(const struct tf_replay *r, uint64_t node)
{
	return node == TF_ROOT_ID || set_has(&r->nodes, node);
}

uint64_t
tf_replay_names(const struct tf_replay *r)
{
	return r->n_names;
}

enum tf_code
tf_replay_each(const struct tf_replay *r,
    enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	enum tf_code rc;

	for (size_t i = 0; i < r->slots; i++)
		for (struct dir *d = r->dirs[i]; d != NULL; d = d->next)
			if ((rc = fn(arg, &d->d, err)) != TF_OK)
				return rc;
	return TF_OK;
}
