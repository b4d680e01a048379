/*
 * Select the entries of a package: all entries at its path or below, and the
 * entries that replay (trailfs-format(5)) needs to check them.
 *
 * A verifier with only these entries must be able to say who wrote them, with
 * which keys and on which host.  So the first entry of the ledger, recoveries,
 * rotations of a key, and the opening before each group of entries belong to
 * every package.  So does the newest anchor of each kind and name: what somebody
 * outside has said of the log.  A cut by time chooses whole workflows by the time at which
 * they began: a part of a workflow would prove nothing about it.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/name.h"
#include "../package.h"
#include "../store/anchors.h"
#include "../store/entries.h"
#include "select.h"

struct selection {
	const struct tf_package_place *p;
	uint64_t size;
	char *below;	      /* "\"path\":\"TRAIL": a fast filter */
	struct tf_buf opened; /* last ledger.opened, until passed to fn */
	uint64_t opened_seq;
	char **workflow; /* those in the time range; sorted */
	size_t n, cap;
	uint64_t *anchor; /* entries of the newest anchors, not sorted */
	size_t anchors, anchor_cap;
	tf_selected fn;
	void *arg;
};

/* --- places --------------------------------------------------------------- */

static bool
take_time(const char *text, bool *has, struct tf_time *out)
{
	*has = text != NULL;
	return text == NULL || tf_time_parse(text, strlen(text), out);
}

enum tf_code
tf_package_place(const struct tf_package_request *r, struct tf_package_place *p,
    struct tf_error *err)
{
	const char *rest = r->path;
	size_t n;

	memset(p, 0, sizeof(*p));
	p->path = (struct tf_str){ rest, strlen(rest) };
	if (!take_time(r->since, &p->has_since, &p->since) ||
	    !take_time(r->until, &p->has_until, &p->until))
		return tf_fail(err, TF_USAGE, "that is no time");
	for (p->kind = TF_KIND_ROOT; *rest != '\0';) {
		n = strcspn(rest, "/");
		p->kind = (enum tf_kind)((int)p->kind + 1);
		if (p->kind > TF_KIND_ATTESTATION ||
		    tf_name_check(p->kind, rest, n, NULL) != TF_OK) {
			p->kind = TF_KIND_ROOT;
			break;
		}
		p->part[p->kind - 1] = (struct tf_str){ rest, n };
		rest += n;
		rest += *rest == '/' && rest[1] != '\0';
	}
	if (p->kind == TF_KIND_ROOT)
		return tf_fail(err, TF_UNSUPPORTED,
		    "%.100s is no trail, workflow or attestation", r->path);
	if (p->kind != TF_KIND_TRAIL && (p->has_since || p->has_until))
		return tf_fail(err, TF_USAGE, "only a trail is cut by time");
	p->name = p->part[p->kind - 1];
	/* The base of an attestation is its workflow. */
	p->base = p->path;
	if (p->kind == TF_KIND_ATTESTATION)
		p->base.n -= p->name.n + 1;
	return TF_OK;
}

static bool
is(struct tf_str a, struct tf_str b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* True if path is dir or is below it. */
static bool
within(struct tf_str path, struct tf_str dir)
{
	return path.n >= dir.n && memcmp(path.p, dir.p, dir.n) == 0 &&
	    (path.n == dir.n || path.p[dir.n] == '/');
}

struct tf_str
tf_package_below(const struct tf_package_place *p, struct tf_str path)
{
	return within(path, p->base) && path.n > p->base.n ?
	    (struct tf_str){ path.p + p->base.n + 1, path.n - p->base.n - 1 } :
	    (struct tf_str){ NULL, 0 };
}

/* The name in path that follows its first n bytes and a slash. */
static struct tf_str
part_after(struct tf_str path, size_t n)
{
	const char *end;

	if (path.n <= n)
		return (struct tf_str){ NULL, 0 };
	path.p += n + 1;
	path.n -= n + 1;
	end = memchr(path.p, '/', path.n);
	if (end != NULL)
		path.n = (size_t)(end - path.p);
	return path;
}

/* --- anchors -------------------------------------------------------------- */

/* A row of the table of anchors: one per kind and name. */
static enum tf_code
take_anchor(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct selection *s = arg;

	if (r->seq >= s->size)
		return TF_OK;
	if (!tf_array_room(&s->anchor, s->anchors, &s->anchor_cap,
		sizeof(*s->anchor)))
		return tf_nomem(err);
	s->anchor[s->anchors++] = r->seq;
	return TF_OK;
}

static bool
is_anchor(const struct selection *s, uint64_t seq)
{
	for (size_t i = 0; i < s->anchors; i++)
		if (s->anchor[i] == seq)
			return true;
	return false;
}

/* --- selection ------------------------------------------------------------ */

static bool
in_time(const struct selection *s, const struct tf_entry *e)
{
	bool moved;
	struct tf_time when = tf_entry_when(e, &moved);

	return (!s->p->has_since || tf_time_cmp(when, s->p->since) >= 0) &&
	    (!s->p->has_until || tf_time_cmp(when, s->p->until) < 0);
}

/* Find the index of name among the workflows, or the index to insert it at.  A
 * longer name with the same beginning comes after it, hence the second
 * comparison. */
static size_t
find_workflow(const struct selection *s, struct tf_str name, bool *there)
{
	size_t lo = 0, hi = s->n, mid;
	int way;

	*there = false;
	while (lo < hi && !*there) {
		mid = lo + (hi - lo) / 2;
		way = strncmp(s->workflow[mid], name.p, name.n);
		if (way == 0 && s->workflow[mid][name.n] != '\0')
			way = 1;
		*there = way == 0;
		if (way < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return hi;
}

/* Keep the name of a workflow in sorted order. */
static enum tf_code
choose_workflow(struct selection *s, struct tf_str name, struct tf_error *err)
{
	size_t at;
	bool there;

	if (!tf_array_room(&s->workflow, s->n, &s->cap, sizeof(char *)))
		return tf_nomem(err);
	at = find_workflow(s, name, &there);
	memmove(s->workflow + at + 1, s->workflow + at,
	    (s->n - at) * sizeof(char *));
	s->n++;
	if ((s->workflow[at] = strndup(name.p, name.n)) == NULL)
		return tf_nomem(err);
	return TF_OK;
}

static bool
workflow_chosen(const struct selection *s, struct tf_str name)
{
	bool there;

	(void)find_workflow(s, name, &there);
	return there;
}

/* Package of a trail: select by the workflow of the entry's path. */
static bool
of_trail(const struct selection *s, const struct tf_entry *e)
{
	struct tf_str name = part_after(e->path, s->p->path.n);

	if (!s->p->has_since && !s->p->has_until)
		return true;
	if (name.p == NULL) /* its sums need the workflows left out */
		return e->type != TF_TRAIL_SEALED;
	return workflow_chosen(s, name);
}

/* Package of an attestation: its statement names the earlier versions. */
static bool
of_attestation(const struct selection *s, struct tf_str path)
{
	struct tf_str name = part_after(path, s->p->base.n);
	unsigned newest, have;
	size_t n = tf_name_version(s->p->name.p, s->p->name.n, &newest);

	return tf_name_version(name.p, name.n, &have) == n && have <= newest &&
	    memcmp(name.p, s->p->name.p, n) == 0;
}

/* Does the entry propose or say that a text of that field is removed?  Then it
 * belongs to the entries that have the text. */
static bool
redacts_text(const struct tf_entry *e, const char *field)
{
	return (e->type == TF_REDACTION_PROPOSED ||
		   e->type == TF_REDACTION_DONE) &&
	    tf_str_same(e->what, tf_str_of(field));
}

/* The rule of the selection; the head of this file gives the reasons. */
static bool
is_selected(const struct selection *s, const struct tf_entry *e)
{
	const struct tf_package_place *p = s->p;

	if (e->type == TF_KEY_ROTATED || is_anchor(s, e->seq))
		return true;
	if (e->path.p == NULL)
		return e->seq == 0 || e->previous.p != NULL;
	if (p->kind > TF_KIND_TRAIL && is(e->path, p->part[0]))
		return e->type == TF_TRAIL_CREATED ||
		    e->type == TF_TEMPLATE_SET || e->type == TF_TYPE_SET ||
		    e->type == TF_RECIPIENTS_SET || e->type == TF_CLAIMS_SET ||
		    redacts_text(e, "claims") || redacts_text(e, "imported");
	if (!within(e->path, p->base))
		return false;
	if (p->kind == TF_KIND_TRAIL)
		return of_trail(s, e);
	if (p->kind == TF_KIND_ATTESTATION)
		return e->path.n == p->base.n ? e->type == TF_WORKFLOW_BEGUN ||
			redacts_text(e, "imported") :
						of_attestation(s, e->path);
	return true;
}

/* --- the walk ------------------------------------------------------------- */

static enum tf_code
pass_entry(struct selection *s, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, body, n, err);

	if (rc == TF_OK)
		rc = s->fn(s->arg, seq, (struct tf_str){ body, n }, &d.e, err);
	tf_entry_decoded_free(&d);
	return rc;
}

/* Pass on the last opening: it has host and keys of the next entries. */
static enum tf_code
pass_opening(struct selection *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (s->opened.n > 0)
		rc = pass_entry(s, s->opened_seq, s->opened.p, s->opened.n,
		    err);
	s->opened.n = 0;
	return rc;
}

/* Keep an opening until an entry follows that the package needs; many openings
 * have none. */
static enum tf_code
take_opening(struct selection *s, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	s->opened.n = 0;
	s->opened_seq = seq;
	tf_buf_add(&s->opened, body, n);
	return tf_buf_end(&s->opened, err);
}

/* Decide about one entry.  Damage ends the walk: a package with a gap in its
 * entries would look as if the gap were in the ledger. */
static enum tf_code
choose_entry(struct selection *s, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	const struct tf_package_place *p = s->p;
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, body, n, err);

	if (rc != TF_OK || d.e.seq != seq) {
		tf_entry_decoded_free(&d);
		return tf_fail(err, rc == TF_NOMEM ? rc : TF_TAMPER,
		    rc == TF_NOMEM ?
			"no memory for entry %llu" :
			"entry %llu is damaged: run trailctl verify",
		    (unsigned long long)seq);
	}
	if (d.e.type == TF_WORKFLOW_BEGUN && p->kind == TF_KIND_TRAIL &&
	    (s->p->has_since || s->p->has_until) && in_time(s, &d.e) &&
	    within(d.e.path, p->path))
		rc = choose_workflow(s, part_after(d.e.path, p->path.n), err);
	if (rc == TF_OK && d.e.type == TF_LEDGER_OPENED)
		rc = take_opening(s, seq, body, n, err);
	if (rc == TF_OK && is_selected(s, &d.e)) {
		rc = pass_opening(s, err);
		if (rc == TF_OK && d.e.type != TF_LEDGER_OPENED)
			rc = s->fn(s->arg, seq, (struct tf_str){ body, n },
			    &d.e, err);
	}
	tf_entry_decoded_free(&d);
	return rc;
}

/* A search of the bytes rejects most entries of other trails before parsing. */
static enum tf_code
one_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	static const char opened[] = "\"type\":\"ledger.opened\"",
			  rotated[] = "\"type\":\"key.rotated\"";
	struct selection *s = arg;

	(void)off;
	if (idx >= s->size)
		return TF_NODATA; /* after the checkpoint: stop the walk */
	if (!is_anchor(s, idx) &&
	    memmem(body, n, s->below, strlen(s->below)) == NULL &&
	    memmem(body, n, opened, strlen(opened)) == NULL &&
	    memmem(body, n, rotated, strlen(rotated)) == NULL)
		return TF_OK;
	return choose_entry(s, idx, body, n, err);
}

enum tf_code
tf_package_select(struct tf_db *db, uint64_t size,
    const struct tf_package_place *p, tf_selected fn, void *arg,
    struct tf_error *err)
{
	struct selection s = { .p = p, .size = size, .fn = fn, .arg = arg };
	struct tf_buf below = { 0 };
	enum tf_code rc;

	tf_buf_printf(&below, "\"path\":\"%.*s", (int)p->part[0].n,
	    p->part[0].p);
	tf_buf_add(&below, "", 1);
	s.below = below.p;
	rc = below.failed ? tf_nomem(err) :
			    tf_anchors_newest(db, take_anchor, &s, err);
	if (rc == TF_OK)
		rc = tf_entries_each(db, 0, one_row, &s, err);
	for (size_t i = 0; i < s.n; i++)
		free(s.workflow[i]);
	free(s.workflow);
	free(s.anchor);
	tf_buf_free(&s.opened);
	tf_buf_free(&below);
	return rc == TF_NODATA ? TF_OK : rc;
}
