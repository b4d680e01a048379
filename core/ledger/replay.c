/*
 * Replay of a ledger, with one function per type of entry.  A broken rule is
 * reported at its entry.  Replay never skips or repairs entries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "policy.h"
#include "sums.h"
#include "replay.h"

#define NO_SEQ UINT64_MAX
#define WRITE_BITS 0222u
/* A rule is broken and was reported: no effect, and the replay goes on. */
#define REPORTED TF_INVALID

struct tf_replay {
	void (*fail)(void *arg, const struct tf_entry *e, const char *text);
	void *arg;
	struct tf_replay_tree tree;
	uint64_t n_names; /* 0: the root is not created yet */
	uint64_t next_seq;
	bool any, gap;
	struct tf_time at;
	char origin[129], store[33];
	char *vkey, *attester, *host;
	bool in_batch;
	uint64_t batch_first, batch_last;
	/* evidence of the last statement, and the storage of its names */
	struct tf_subject_file listed[TF_STATEMENT_SUBJECTS];
	struct tf_buf listed_names;
	const struct tf_entry *e; /* the current entry */
};

static enum tf_code
broken(struct tf_replay *r, const char *text)
{
	r->fail(r->arg, r->e, text);
	return REPORTED;
}

/* Offset of the last name: of "c" in "a/b/c". */
static size_t
last_part(struct tf_str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash == NULL ? 0 : (size_t)(slash + 1 - path.p);
}

static struct tf_str
parent_path(struct tf_str path)
{
	size_t at = last_part(path);

	return at == 0 ? (struct tf_str){ ".", 1 } :
			 (struct tf_str){ path.p, at - 1 };
}

/* The attestation at or above path: at most the first three names. */
static struct tf_str
attestation_path(struct tf_str path)
{
	unsigned parts = 0;
	size_t n = 0;

	for (; n < path.n; n++)
		if (path.p[n] == '/' && ++parts == 3)
			break;
	return (struct tf_str){ path.p, n };
}

static bool
is_sealed(const struct tf_replay_tree_dir *d)
{
	return d->seal != NO_SEQ;
}

/* Get the directory of the entry; what is the rule to report if none exists. */
static enum tf_code
subject(struct tf_replay *r, struct tf_replay_tree_dir *d, const char *what,
    struct tf_error *err)
{
	enum tf_code rc = tf_replay_tree_get(&r->tree, r->e->path, d, err);

	return rc == TF_NOTFOUND ? broken(r, what) : rc;
}

/* --- common fields ------------------------------------------------------------------ */

static bool
same(struct tf_str s, const char *text)
{
	return text != NULL &&
	    tf_str_same(s, (struct tf_str){ text, strlen(text) });
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

static enum tf_code
check_common(struct tf_replay *r, const struct tf_entry *e)
{
	enum tf_code rc = TF_OK;
	char text[80];

	if (e->seq != r->next_seq) {
		(void)snprintf(text, sizeof(text),
		    "says that it is number "
		    "%llu",
		    (unsigned long long)e->seq);
		rc = broken(r, text);
	}
	if (r->any && !r->gap && tf_time_cmp(e->at, r->at) <= 0)
		rc = broken(r, "is not later than the one before");
	if (!r->any && e->type != TF_LEDGER_OPENED)
		rc = broken(r, "the first entry is not ledger.opened");
	check_batch(r, e);
	r->at = e->at;
	return rc;
}

static enum tf_code
check_origin(struct tf_replay *r, const struct tf_entry *e)
{
	if (same(e->origin, r->origin))
		return TF_OK;
	return broken(r, "belongs to another ledger");
}

/* --- ledger.opened -------------------------------------------------------------------- */

static enum tf_code
keep(char **at, struct tf_str s)
{
	char *copy = strndup(s.n > 0 ? s.p : "", s.n);

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

/* Check that "previous" of an opening matches the entries before it. */
static enum tf_code
check_previous(struct tf_replay *r, const struct tf_entry *e)
{
	struct tf_json_doc d;
	struct tf_buf head = { 0 };
	const char *p, *end;
	uint64_t size = 0;
	bool ok = false;
	enum tf_code rc;
	int t;

	rc = tf_json_parse(&d, e->previous.p, e->previous.n, NULL);
	if (rc != TF_OK)
		return rc == TF_NOMEM ? rc : broken(r, "previous is malformed");
	t = tf_json_get(&d, 0, "head");
	if (t >= 0)
		rc = tf_json_string(&d, t, &head, NULL);
	if (rc == TF_NOMEM || head.failed) {
		tf_buf_free(&head);
		tf_json_doc_free(&d);
		return TF_NOMEM;
	}
	/* The note's second line is its size. */
	if (t >= 0 && rc == TF_OK &&
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
	return ok ? TF_OK : broken(r, "previous does not continue this ledger");
}

static enum tf_code
first_opened(struct tf_replay *r, const struct tf_entry *e)
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
		.seal = NO_SEQ };

	if (!e->has_access)
		(void)broken(r, "does not say whose the root is");
	tf_replay_tree_root(&r->tree, &root);
	r->n_names++;
	return keep_opening(r, e);
}

static enum tf_code
opened(struct tf_replay *r, const struct tf_entry *e)
{
	enum tf_code rc = TF_OK;

	if (e->previous.p != NULL)
		rc = check_previous(r, e);
	else if (r->n_names > 0)
		rc = check_origin(r, e);
	if (rc != TF_OK)
		return rc;
	if (r->n_names == 0)
		return first_opened(r, e);
	if (!same(e->store, r->store))
		(void)broken(r, "was written by another store");
	if (e->previous.p == NULL &&
	    (!same(e->key_log, r->vkey) || !same(e->key_attester, r->attester)))
		(void)broken(r, "names keys that are not in force");
	return keep_opening(r, e);
}

/* --- new names ----------------------------------------------------------- */

/* Where a name is created: its directory, and the attestation around it. */
struct place {
	struct tf_str up_path, att_path; /* att_path.n 0: in none */
	struct tf_replay_tree_dir up, att;
};

static enum tf_code
place_of(struct tf_replay *r, enum tf_kind kind, struct place *p,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_str path = r->e->path;
	enum tf_kind child;
	enum tf_code rc;

	p->up_path = parent_path(path);
	p->att_path = (struct tf_str){ NULL, 0 };
	out->name_at = last_part(path);
	rc = tf_replay_tree_get(&r->tree, p->up_path, &p->up, err);
	if (rc == TF_NOTFOUND)
		return broken(r, "is born in a directory that does not exist");
	if (rc != TF_OK)
		return rc;
	if (tf_policy_child(p->up.attr.kind, kind != TF_KIND_EVIDENCE,
		&child) != TF_OK ||
	    child != kind || path.n - out->name_at > TF_NAME_MAX)
		return broken(r, "is born at the wrong depth");
	if (p->up.attr.kind == TF_KIND_ATTESTATION ||
	    p->up.attr.kind == TF_KIND_DIRECTORY) {
		p->att_path = attestation_path(p->up_path);
		/* It exists: a directory below it exists. */
		rc = tf_replay_tree_get(&r->tree, p->att_path, &p->att, err);
		if (rc != TF_OK)
			return rc;
	}
	if (is_sealed(&p->up) || (p->att_path.n > 0 && is_sealed(&p->att)))
		return broken(r, "is born in a directory that was sealed");
	return TF_OK;
}

static enum tf_code
check_node(struct tf_replay *r, struct tf_error *err)
{
	enum tf_code rc = tf_replay_tree_node(&r->tree, r->e->node, err);

	return rc == TF_EXISTS ? broken(r, "its node number was used before") :
				 rc;
}

/* A name was created: update its directory. */
static enum tf_code
born(struct tf_replay *r, enum tf_code added, enum tf_kind kind,
    struct place *p, struct tf_replay_effect *out, struct tf_error *err)
{
	enum tf_code rc;

	if (added != TF_OK)
		return added == TF_EXISTS ?
		    broken(r, "its name was used before") :
		    added;
	p->up.attr.mtime = p->up.attr.ctime = r->e->at;
	if ((rc = tf_replay_tree_put(&r->tree, p->up_path, &p->up, err)) !=
	    TF_OK)
		return rc;
	out->born = true;
	out->kind = kind;
	out->parent = p->up.attr.id;
	r->n_names++;
	return TF_OK;
}

/* Write the name of the version before "NAME@N" to text; false: it is first. */
static bool
version_before(struct tf_str path, char text[TF_PATH_MAX + 16],
    struct tf_str *out)
{
	size_t name_at = last_part(path), base;
	unsigned version;
	int n;

	base = tf_name_version(path.p + name_at, path.n - name_at, &version);
	if (version < 2)
		return false;
	n = version == 2 ? snprintf(text, TF_PATH_MAX + 16, "%.*s",
			       (int)(name_at + base), path.p) :
			   snprintf(text, TF_PATH_MAX + 16, "%.*s@%u",
			       (int)(name_at + base), path.p, version - 1);
	*out = (struct tf_str){ text, (size_t)n };
	return true;
}

/* NAME@N may begin only after NAME@(N-1) was sealed. */
static enum tf_code
check_version(struct tf_replay *r, struct tf_error *err)
{
	char text[TF_PATH_MAX + 16];
	struct tf_replay_tree_dir d;
	struct tf_str before;
	enum tf_code rc;

	if (!version_before(r->e->path, text, &before))
		return TF_OK;
	rc = tf_replay_tree_get(&r->tree, before, &d, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && !is_sealed(&d)))
		return broken(r, "repeats what is not sealed yet");
	return rc;
}

/* The template in force when a workflow begins stays valid for it. */
static void
check_template(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_replay_tree_dir *trail)
{
	if (e->has_template != trail->has_template ||
	    (e->has_template && e->template_version != trail->template_version))
		(void)broken(r, "names a template that is not in force");
}

static enum tf_code
born_directory(struct tf_replay *r, const struct tf_entry *e, enum tf_kind kind,
    const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	struct tf_replay_tree_dir d = { .attr = { .id = e->node,
					    .kind = kind,
					    .state = TF_STATE_OPEN,
					    .mode = e->access.mode,
					    .uid = e->access.uid,
					    .gid = e->access.gid,
					    .mtime = e->at,
					    .ctime = e->at,
					    .btime = e->at },
		.entry = e->seq,
		.seal = NO_SEQ,
		.birth_leaf = *leaf };
	struct place p;
	enum tf_code rc;

	if ((rc = place_of(r, kind, &p, out, err)) != TF_OK ||
	    (rc = check_node(r, err)) != TF_OK)
		return rc;
	if (kind == TF_KIND_ATTESTATION &&
	    (rc = check_version(r, err)) != TF_OK)
		return rc;
	if (kind == TF_KIND_WORKFLOW) {
		check_template(r, e, &p.up);
		d.has_template = e->has_template;
		d.template_version = e->has_template ? e->template_version : 0;
	}
	if (kind == TF_KIND_DIRECTORY && !e->has_access)
		d.attr.mode = 0777; /* no restriction */
	d.attr.parent = p.up.attr.id;
	rc = tf_replay_tree_add(&r->tree, e->path, &d, err);
	return born(r, rc, kind, &p, out, err);
}

static void
count_file(struct tf_replay_tree_dir *att, const struct tf_entry *e)
{
	if (att->files == 0 || tf_time_cmp(e->created, att->first) < 0)
		att->first = e->created;
	if (att->files == 0 || tf_time_cmp(e->ctime, att->last) > 0)
		att->last = e->ctime;
	att->files++;
}

static enum tf_code
born_evidence(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_file f = { .sha256 = e->content.sha256,
		.size = e->content.size,
		.node = e->node,
		.mode = e->access.mode,
		.uid = e->access.uid,
		.gid = e->access.gid };
	struct place p;
	enum tf_code rc;

	if ((rc = place_of(r, TF_KIND_EVIDENCE, &p, out, err)) != TF_OK ||
	    (rc = check_node(r, err)) != TF_OK)
		return rc;
	if ((rc = tf_replay_tree_add_file(&r->tree, e->path, &f, err)) ==
	    TF_OK) {
		if (tf_str_same(p.up_path, p.att_path)) {
			count_file(&p.up, e);
		} else {
			count_file(&p.att, e);
			rc = tf_replay_tree_put(&r->tree, p.att_path, &p.att,
			    err);
		}
	}
	return born(r, rc, TF_KIND_EVIDENCE, &p, out, err);
}

/* --- seals ----------------------------------------------------------------------------- */

static enum tf_code
to_seal(struct tf_replay *r, struct tf_replay_tree_dir *d, struct tf_error *err)
{
	const struct tf_entry *e = r->e;
	enum tf_code rc = subject(r, d, "seals what was never begun", err);

	if (rc == TF_OK && is_sealed(d))
		rc = broken(r, "seals a second time");
	if (rc == TF_OK && e->has_access && (e->access.mode & WRITE_BITS) != 0)
		rc = broken(r, "seals and leaves write permission");
	return rc;
}

static void
set_access(struct tf_replay_tree_dir *d, const struct tf_entry *e)
{
	d->attr.mode = e->access.mode;
	d->attr.uid = e->access.uid;
	d->attr.gid = e->access.gid;
}

static enum tf_code
seal(struct tf_replay *r, struct tf_replay_tree_dir *d,
    const struct tf_hash *leaf, struct tf_error *err)
{
	const struct tf_entry *e = r->e;

	d->seal = e->seq;
	d->attr.state = TF_STATE_SEALED;
	d->attr.ctime = e->at;
	d->seal_leaf = *leaf;
	if (e->has_access)
		set_access(d, e);
	return tf_replay_tree_put(&r->tree, e->path, d, err);
}

struct listing {
	struct tf_replay *r;
	struct tf_summer *sums;
	bool workflow; /* sum seal_leaf of the children, else birth_leaf */
	uint64_t n;
};

/* Add one evidence file to the sums; store the first ones for the statement. */
static enum tf_code
list_file(void *arg, struct tf_str name, const struct tf_replay_tree_file *f,
    struct tf_error *err)
{
	struct tf_subject_file s = { .name = name,
		.sha256 = f->sha256,
		.size = f->size };
	struct listing *l = arg;
	enum tf_code rc = tf_summer_add(l->sums, &s, err);

	if (l->n < TF_STATEMENT_SUBJECTS) {
		tf_buf_add(&l->r->listed_names, name.p, name.n);
		l->r->listed[l->n] = s;
	}
	l->n++;
	return rc;
}

/* Compute the sums of the evidence of the current attestation. */
static enum tf_code
list_files(struct tf_replay *r, struct tf_sums *out, struct tf_error *err)
{
	struct listing l = { .r = r, .sums = tf_summer_new() };
	enum tf_code rc;
	const char *p;

	r->listed_names.n = 0;
	rc = tf_replay_tree_files(&r->tree, r->e->path, list_file, &l, err);
	if (rc == TF_OK && r->listed_names.failed)
		rc = tf_nomem(err);
	if (rc != TF_OK) {
		tf_summer_free(l.sums);
		return rc;
	}
	p = r->listed_names.p;
	for (uint64_t i = 0; i < l.n && i < TF_STATEMENT_SUBJECTS; i++) {
		r->listed[i].name.p = p;
		p += r->listed[i].name.n;
	}
	return tf_summer_end(l.sums, out, err);
}

/* Split "trail/workflow/attestation" into its names. */
static void
split_path(struct tf_str path, struct tf_statement *s)
{
	struct tf_str wf = parent_path(path), trail = parent_path(wf);

	s->trail = trail;
	s->workflow = (struct tf_str){ wf.p + trail.n + 1, wf.n - trail.n - 1 };
	s->attestation.p = path.p + wf.n + 1;
	s->attestation.n = tf_name_version(s->attestation.p, path.n - wf.n - 1,
	    &s->version);
}

static enum tf_code
previous_version(struct tf_replay *r, struct tf_statement *s,
    struct tf_error *err)
{
	char text[TF_PATH_MAX + 16];
	struct tf_replay_tree_dir d = { .files = 0 };
	struct tf_str before;
	enum tf_code rc;

	if (!version_before(r->e->path, text, &before))
		return TF_OK;
	/* It exists: check_version found it when this version began. */
	rc = tf_replay_tree_get(&r->tree, before, &d, err);
	s->has_previous = rc == TF_OK;
	s->previous = d.payload;
	return rc;
}

static enum tf_code
expect_statement(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_replay_tree_dir *d, const struct tf_sums *sums,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_statement *s = &out->statement;
	struct tf_replay_tree_dir wf;
	enum tf_code rc;

	rc = tf_replay_tree_get(&r->tree, parent_path(e->path), &wf, err);
	if (rc != TF_OK)
		return rc;
	split_path(e->path, s);
	s->origin = e->origin;
	s->host = (struct tf_str){ r->host, strlen(r->host) };
	s->has_template = wf.has_template;
	s->template_version = wf.template_version;
	s->actor = e->actor;
	s->cause = e->cause;
	s->claims = e->claims;
	s->claimants = e->claimants;
	s->evaluated = e->evaluated;
	s->has_written = d->files > 0;
	s->first_written = d->first;
	s->last_written = d->last;
	s->evidence = *sums;
	s->files = r->listed;
	out->has_statement = true;
	out->attester = (struct tf_str){ r->attester, strlen(r->attester) };
	return previous_version(r, s, err);
}

static enum tf_code
attestation_sealed(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	static const char wrong[] =
	    "its sums are not those of the evidence that was sealed";
	struct tf_replay_tree_dir d;
	struct tf_sums sums;
	enum tf_code rc;

	if ((rc = to_seal(r, &d, err)) != TF_OK)
		return rc;
	if (d.attr.kind != TF_KIND_ATTESTATION)
		return broken(r, "seals what is no attestation");
	rc = list_files(r, &sums, err);
	if (rc == TF_TOOBIG) /* no entry can hold a sum this large */
		return broken(r, wrong);
	if (rc != TF_OK)
		return rc;
	if (e->evidence_count != sums.count ||
	    e->evidence_bytes != sums.bytes ||
	    memcmp(&sums.sums, &e->evidence_sums, sizeof(sums.sums)) != 0)
		(void)broken(r, wrong);
	if ((rc = expect_statement(r, e, &d, &sums, out, err)) != TF_OK)
		return rc;
	d.payload = e->statement.payload;
	if ((rc = seal(r, &d, leaf, err)) != TF_OK)
		return rc;
	return TF_OK;
}

static enum tf_code
list_child(void *arg, struct tf_str name, const struct tf_replay_tree_dir *d,
    struct tf_error *err)
{
	struct listing *l = arg;
	struct tf_subject_file s = { .name = name,
		.sha256 = l->workflow ? d->seal_leaf : d->birth_leaf };

	if (l->workflow && !is_sealed(d))
		return broken(l->r,
		    "seals a workflow with an open "
		    "attestation");
	return tf_summer_add(l->sums, &s, err);
}

static enum tf_code
parent_sealed(struct tf_replay *r, const struct tf_entry *e, bool workflow,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct listing l = { .r = r, .workflow = workflow };
	struct tf_replay_tree_dir d;
	struct tf_sums sums;
	enum tf_code rc;

	if ((rc = to_seal(r, &d, err)) != TF_OK)
		return rc;
	if (d.attr.kind != (workflow ? TF_KIND_WORKFLOW : TF_KIND_TRAIL))
		return broken(r, "seals what is of another kind");
	l.sums = tf_summer_new();
	rc = tf_replay_tree_children(&r->tree, e->path, list_child, &l, err);
	if (rc == TF_OK)
		rc = tf_summer_end(l.sums, &sums, err);
	else
		tf_summer_free(l.sums);
	if (rc != TF_OK)
		return rc;
	if (e->children_count != sums.count ||
	    memcmp(&sums.sums, &e->children_sums, sizeof(sums.sums)) != 0)
		(void)broken(r,
		    workflow ? "its sums are not those of its "
			       "attestations" :
			       "its sums are not those of its "
			       "workflows");
	return seal(r, &d, leaf, err);
}

/* --- other types --------------------------------------------------------- */

/* Change the group and the read bits of evidence; nothing else may change. */
static enum tf_code
evidence_access_changed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	static const char what[] = "changes access of what does not exist";
	struct tf_replay_tree_file f;
	enum tf_code rc = tf_replay_tree_get_file(&r->tree, e->path, &f, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? broken(r, what) : rc;
	if (!e->has_node || e->node != f.node)
		return broken(r, "its node is not the evidence's");
	if (((e->access.mode ^ f.mode) & ~TF_READ_BITS) != 0 ||
	    e->access.uid != f.uid)
		return broken(r, "changes more of evidence than who reads it");
	f.mode = e->access.mode;
	f.gid = e->access.gid;
	out->evidence_access = true;
	return tf_replay_tree_put_file(&r->tree, e->path, &f, err);
}

static enum tf_code
access_changed(struct tf_replay *r, const struct tf_entry *e,
    struct tf_replay_effect *out, struct tf_error *err)
{
	struct tf_replay_tree_dir d, att;
	bool sealed;
	enum tf_code rc = tf_replay_tree_get(&r->tree, e->path, &d, err);

	if (rc == TF_NOTFOUND)
		return evidence_access_changed(r, e, out, err);
	if (rc == TF_OK && e->has_node && e->node != d.attr.id)
		return broken(r, "its node is not the directory's");
	if (rc == TF_OK && d.attr.kind == TF_KIND_DIRECTORY)
		rc = tf_replay_tree_get(&r->tree, attestation_path(e->path),
		    &att, err);
	if (rc != TF_OK)
		return rc;
	sealed = is_sealed(d.attr.kind == TF_KIND_DIRECTORY ? &att : &d);
	if (sealed && (e->access.mode & ~d.attr.mode & WRITE_BITS) != 0)
		(void)broken(r, "gives a sealed directory write permission");
	set_access(&d, e);
	d.attr.ctime = e->at;
	return tf_replay_tree_put(&r->tree, e->path, &d, err);
}

static enum tf_code
template_set(struct tf_replay *r, const struct tf_entry *e,
    struct tf_error *err)
{
	static const char what[] = "sets a template of no trail";
	struct tf_replay_tree_dir d;
	enum tf_code rc = subject(r, &d, what, err);

	if (rc == TF_OK && d.attr.kind != TF_KIND_TRAIL)
		rc = broken(r, what);
	if (rc != TF_OK)
		return rc;
	if (e->template_version != d.template_version + 1)
		(void)broken(r, "its template has not the next version");
	d.has_template = true;
	d.template_version = e->template_version;
	return tf_replay_tree_put(&r->tree, e->path, &d, err);
}

static enum tf_code
overridden(struct tf_replay *r, const struct tf_entry *e, struct tf_error *err)
{
	static const char what[] = "overrides what is not the seal of its path";
	struct tf_replay_tree_dir d;
	enum tf_code rc = subject(r, &d, what, err);

	if (rc == TF_OK &&
	    (d.attr.kind != TF_KIND_ATTESTATION || !is_sealed(&d) ||
		d.seal != e->target))
		rc = broken(r, what);
	return rc;
}

static enum tf_code
rotated(struct tf_replay *r, const struct tf_entry *e)
{
	bool log = same(e->use, "log");
	char **key = log ? &r->vkey : &r->attester;

	if (!log && !same(e->use, "attester"))
		return TF_OK; /* a use that later versions define */
	if (!same(e->key_old, *key))
		return broken(r, "replaces a key that is not in force");
	return keep(key, e->key_new);
}

static enum tf_code
effect(struct tf_replay *r, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_replay_effect *out,
    struct tf_error *err)
{
	switch (e->type) {
	case TF_LEDGER_OPENED:
		return opened(r, e);
	case TF_TRAIL_CREATED:
		return born_directory(r, e, TF_KIND_TRAIL, leaf, out, err);
	case TF_WORKFLOW_BEGUN:
		return born_directory(r, e, TF_KIND_WORKFLOW, leaf, out, err);
	case TF_ATTESTATION_BEGUN:
		return born_directory(r, e, TF_KIND_ATTESTATION, leaf, out,
		    err);
	case TF_DIRECTORY_CREATED:
		return born_directory(r, e, TF_KIND_DIRECTORY, leaf, out, err);
	case TF_EVIDENCE_SEALED:
		return born_evidence(r, e, out, err);
	case TF_ATTESTATION_SEALED:
		return attestation_sealed(r, e, leaf, out, err);
	case TF_WORKFLOW_SEALED:
	case TF_TRAIL_SEALED:
		return parent_sealed(r, e, e->type == TF_WORKFLOW_SEALED, leaf,
		    err);
	case TF_ACCESS_CHANGED:
		return access_changed(r, e, out, err);
	case TF_TEMPLATE_SET:
		return template_set(r, e, err);
	case TF_ATTESTATION_OVERRIDDEN:
		return overridden(r, e, err);
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
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	r->e = e;
	rc = check_common(r, e);
	if (rc == TF_OK && r->n_names > 0 && e->type != TF_LEDGER_OPENED)
		rc = check_origin(r, e);
	if (rc == TF_OK)
		rc = effect(r, e, leaf, out, err);
	r->next_seq++;
	r->any = true;
	r->gap = false;
	if (rc == TF_NOMEM)
		return tf_fail(err, rc, "no memory");
	return rc == REPORTED ? TF_OK : rc;
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

/* --- the replay ---------------------------------------------------------- */

struct tf_replay *
tf_replay_new(const struct tf_temp_table_ops *ops, struct tf_temp_table *table,
    void (*fail)(void *arg, const struct tf_entry *e, const char *text),
    void *arg)
{
	struct tf_replay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->tree.ops = ops;
	r->tree.table = table;
	r->fail = fail;
	r->arg = arg;
	return r;
}

void
tf_replay_free(struct tf_replay *r)
{
	if (r == NULL)
		return;
	free(r->vkey);
	free(r->attester);
	free(r->host);
	tf_buf_free(&r->listed_names);
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

enum tf_code
tf_replay_access(struct tf_replay *r, struct tf_str path, struct tf_attr *out,
    struct tf_error *err)
{
	struct tf_replay_tree_file f;
	enum tf_code rc = tf_replay_tree_get_file(&r->tree, path, &f, err);

	if (rc == TF_OK) {
		out->id = f.node;
		out->mode = f.mode;
		out->uid = f.uid;
		out->gid = f.gid;
	}
	return rc;
}

uint64_t
tf_replay_names(const struct tf_replay *r)
{
	return r->n_names;
}

enum tf_code
tf_replay_knows(struct tf_replay *r, uint64_t node, bool *yes,
    struct tf_error *err)
{
	return tf_replay_tree_knows(&r->tree, node, yes, err);
}

struct each {
	enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	    struct tf_error *err);
	void *arg;
};

static enum tf_code
one_dir(void *arg, struct tf_str path, const struct tf_replay_tree_dir *d,
    struct tf_error *err)
{
	const struct each *x = arg;
	size_t at = last_part(path);
	struct tf_replay_dir out = { .attr = d->attr,
		.path = path,
		.name = { path.p + at, path.n - at },
		.entry = d->entry,
		.seal = d->seal };

	return x->fn(x->arg, &out, err);
}

enum tf_code
tf_replay_each(struct tf_replay *r,
    enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct each x = { fn, arg };

	return tf_replay_tree_each(&r->tree, one_dir, &x, err);
}
