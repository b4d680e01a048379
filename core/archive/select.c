/*
 * Select the entries of a package: all entries at its path or below, and the
 * entries that replay (trailfs-entries(5)) needs to check them.
 *
 * A verifier with only these entries must be able to say who wrote them, with
 * which keys and on which host.  So the first entry of the ledger, recoveries,
 * rotations of a key, and the opening before each group of entries belong to
 * every package.  So does the newest anchor of each kind and name: what somebody
 * outside has said of the log.  A cut by time chooses whole workflows by the time at which
 * they began: a part of a workflow would prove nothing about it.  So do control,
 * status and person; these need a walk of their own before the first entry of a
 * workflow is passed on.  So does each cut of the vault, which has only the trails of
 * those workflows.
 *
 * The package of the whole vault has every entry, so that a verifier can say that
 * none is missing.
 *
 * Of the period of the package come the entries about the vault itself as well:
 * when it was open, what its clock did, and who verified it.  A verifier makes
 * health.json from them again.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/name.h"
#include "../ledger/slot.h"
#include "../ledger/status_words.h"
#include "../package.h"
#include "../store/anchors.h"
#include "../store/entries.h"
#include "person.h"
#include "select.h"

#define VAULT "." /* its path in requests and entries */
#define VAULT_NAME "vault"

struct selection {
	const struct tf_package_place *p;
	uint64_t size;
	bool all;	      /* every entry */
	char *below;	      /* "\"path\":\"TRAIL": a fast filter */
	struct tf_buf opened; /* last ledger.opened, until passed to fn */
	uint64_t opened_seq;
	struct tf_buf closed; /* the ledger.closed of that session, or empty */
	uint64_t closed_seq;
	struct workflow {
		char *name;   /* its path below the base */
		bool claimed; /* an attestation claims the control */
		bool acted;   /* the person made an entry of it */
	} * workflow;	      /* those that were chosen; sorted by name */
	size_t n, cap;
	bool chosen;	   /* no more are added */
	bool period;	   /* has begun */
	uint64_t expected; /* number of the next entry of the ledger */
	uint64_t *anchor;  /* entries of the newest anchors, not sorted */
	size_t anchors, anchor_cap;
	tf_selected fn;
	void *arg;
};

/* --- places --------------------------------------------------------------- */

bool
tf_package_is_cut(const struct tf_package_place *p)
{
	return p->has_since || p->has_until || p->control.p != NULL ||
	    p->status.p != NULL || p->person.p != NULL;
}

/* Does the request choose by more than the entry that begins a workflow? */
static bool
chooses_by_content(const struct tf_package_place *p)
{
	return p->control.p != NULL || p->status.p != NULL ||
	    p->person.p != NULL;
}

/* Must the workflows be known before the first entry is passed on? */
static bool
chooses_first(const struct tf_package_place *p)
{
	return chooses_by_content(p) ||
	    (p->kind == TF_KIND_ROOT && tf_package_is_cut(p));
}

static bool
take_time(const char *text, bool *has, struct tf_time *out)
{
	*has = text != NULL;
	return text == NULL || tf_time_parse(text, strlen(text), out);
}

static bool
is_status(struct tf_str s)
{
	return tf_str_same(s, tf_str_of(tf_compliance_word(TF_COMPLIANT))) ||
	    tf_str_same(s, tf_str_of(tf_compliance_word(TF_NON_COMPLIANT))) ||
	    tf_str_same(s, tf_str_of(tf_compliance_word(TF_INCOMPLETE)));
}

/* Take control, status and person of the request. */
static enum tf_code
take_content(const struct tf_package_request *r, struct tf_package_place *p,
    struct tf_error *err)
{
	p->control = tf_str_of(r->control);
	p->status = tf_str_of(r->status);
	p->person = tf_str_of(r->person);
	if (p->control.p != NULL && !tf_control_ok(p->control.p, p->control.n))
		return tf_fail(err, TF_USAGE, "%.64s is no id of a control",
		    r->control);
	if (p->status.p != NULL && !is_status(p->status))
		return tf_fail(err, TF_USAGE,
		    "a status is COMPLIANT, NON-COMPLIANT or INCOMPLETE");
	if (p->person.p != NULL && !tf_package_person_ok(p->person))
		return tf_fail(err, TF_USAGE, "that is no name of a person");
	return TF_OK;
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
	if (take_content(r, p, err) != TF_OK)
		return TF_USAGE;
	p->base = (struct tf_str){ rest, 0 };
	p->name = tf_str_of(VAULT_NAME);
	if (strcmp(rest, VAULT) == 0)
		return TF_OK;
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
	if (p->kind != TF_KIND_TRAIL && tf_package_is_cut(p))
		return tf_fail(err, TF_USAGE,
		    chooses_by_content(p) ?
			"only of the vault or a trail a part is selected" :
			"only the vault or a trail is cut by time");
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
	if (p->kind == TF_KIND_ROOT && path.p != NULL && !is(path, p->path))
		return path;
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

/* The workflow of path, as it is called below the base; p NULL: path is none. */
static struct tf_str
workflow_of(const struct tf_package_place *p, struct tf_str path)
{
	struct tf_str rel = tf_package_below(p, path);
	int parts = TF_KIND_WORKFLOW - (int)p->kind; /* still to come */
	size_t n = 0;

	for (; n < rel.n; n++)
		if (rel.p[n] == '/' && --parts == 0)
			break;
	return rel.n > 0 && parts <= 1 ? (struct tf_str){ rel.p, n } :
					 (struct tf_str){ NULL, 0 };
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
		way = strncmp(s->workflow[mid].name, name.p, name.n);
		if (way == 0 && s->workflow[mid].name[name.n] != '\0')
			way = 1;
		*there = way == 0;
		if (way < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return hi;
}

/* Does the entry begin a workflow of what is asked for in the range of time? */
static bool
begins_in_time(const struct selection *s, const struct tf_entry *e)
{
	return e->type == TF_WORKFLOW_BEGUN && s->p->kind <= TF_KIND_TRAIL &&
	    in_time(s, e) && workflow_of(s->p, e->path).p != NULL;
}

/* Keep the name of a workflow in sorted order. */
static enum tf_code
choose_workflow(struct selection *s, struct tf_str name, struct tf_error *err)
{
	size_t at;
	bool there;

	if (!tf_array_room(&s->workflow, s->n, &s->cap, sizeof(*s->workflow)))
		return tf_nomem(err);
	at = find_workflow(s, name, &there);
	memmove(s->workflow + at + 1, s->workflow + at,
	    (s->n - at) * sizeof(*s->workflow));
	s->n++;
	s->workflow[at] = (struct workflow){ .name = strndup(name.p, name.n) };
	if (s->workflow[at].name == NULL)
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

/* Is a workflow of the trail chosen?  They are sorted, so one is where the first
 * name that begins with the trail would be. */
static bool
trail_chosen(const struct selection *s, struct tf_str trail)
{
	size_t at;
	bool there;

	for (at = find_workflow(s, trail, &there); at < s->n; at++) {
		const char *name = s->workflow[at].name;

		if (strncmp(name, trail.p, trail.n) != 0)
			break;
		if (name[trail.n] == '/')
			return true;
	}
	return false;
}

/* Package of a trail or the vault: select by the workflow of the entry's path. */
static bool
of_trail(const struct selection *s, const struct tf_entry *e)
{
	struct tf_str name = workflow_of(s->p, e->path);

	if (!tf_package_is_cut(s->p))
		return true;
	if (name.p != NULL)
		return workflow_chosen(s, name);
	if (e->type == TF_TRAIL_SEALED)
		return false; /* its sums need the workflows left out */
	return s->p->kind == TF_KIND_TRAIL || is(e->path, s->p->path) ||
	    trail_chosen(s, e->path);
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

static bool
is_of_vault(enum tf_entry_kind type)
{
	return type == TF_LEDGER_OPENED || type == TF_LEDGER_CLOSED ||
	    type == TF_CLOCK_JUMPED || type == TF_CLOCK_OBSERVED ||
	    type == TF_VERIFY_DONE || type == TF_VERIFY_FAILED;
}

bool
tf_package_in_period(const struct tf_package_place *p, bool *begun,
    const struct tf_entry *e)
{
	const bool creates = e->type == TF_TRAIL_CREATED ||
	    e->type == TF_WORKFLOW_BEGUN || e->type == TF_ATTESTATION_BEGUN;

	if (!*begun)
		*begun = p->has_since ? tf_time_cmp(e->at, p->since) >= 0 :
					p->kind == TF_KIND_ROOT ||
			(creates && is(e->path, p->path));
	return *begun && (!p->has_until || tf_time_cmp(e->at, p->until) < 0);
}

/* Is it about the vault itself, in the period of the package? */
static bool
is_of_period(struct selection *s, const struct tf_entry *e)
{
	return tf_package_in_period(s->p, &s->period, e) &&
	    is_of_vault(e->type);
}

/* The rule of the selection; the head of this file gives the reasons. */
static bool
is_selected(const struct selection *s, const struct tf_entry *e)
{
	const struct tf_package_place *p = s->p;

	if (s->all || e->type == TF_KEY_ROTATED || is_anchor(s, e->seq))
		return true;
	if (e->path.p == NULL)
		return e->seq == 0 || e->previous.p != NULL;
	if (p->kind > TF_KIND_TRAIL && is(e->path, p->part[0]))
		return e->type == TF_TRAIL_CREATED ||
		    e->type == TF_TEMPLATE_SET || e->type == TF_TYPE_SET ||
		    e->type == TF_RECIPIENTS_SET || e->type == TF_CLAIMS_SET ||
		    redacts_text(e, "claims") || redacts_text(e, "imported");
	if (p->kind == TF_KIND_ROOT)
		return of_trail(s, e);
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

/* Pass on the last opening: it has host and keys of the next entries.  The end
 * of its session is there only if the next entry is an opening. */
static enum tf_code
pass_opening(struct selection *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (s->opened.n > 0)
		rc = pass_entry(s, s->opened_seq, s->opened.p, s->opened.n,
		    err);
	if (rc == TF_OK && s->closed.n > 0)
		rc = pass_entry(s, s->closed_seq, s->closed.p, s->closed.n,
		    err);
	s->opened.n = 0;
	s->closed.n = 0;
	return rc;
}

/* Keep an opening until an entry follows that the package needs; many openings
 * have none. */
static enum tf_code
take_opening(struct selection *s, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	s->opened.n = 0;
	s->closed.n = 0;
	s->opened_seq = seq;
	tf_buf_add(&s->opened, body, n);
	return tf_buf_end(&s->opened, err);
}

/* Keep the end of a session before the period: if an opening in the period
 * follows, the vault was not open at its beginning. */
static enum tf_code
take_closing(struct selection *s, uint64_t seq, const void *body, size_t n,
    struct tf_error *err)
{
	s->closed.n = 0;
	s->closed_seq = seq;
	tf_buf_add(&s->closed, body, n);
	return tf_buf_end(&s->closed, err);
}

/* Pass on an entry about the vault.  Those before the first of the period that
 * say in which state it began come first. */
static enum tf_code
pass_of_period(struct selection *s, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err)
{
	enum tf_code rc = pass_opening(s, err);

	return rc == TF_OK ? s->fn(s->arg, seq, body, e, err) : rc;
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
	if (!s->chosen && tf_package_is_cut(p) && begins_in_time(s, &d.e))
		rc = choose_workflow(s, workflow_of(p, d.e.path), err);
	if (rc == TF_OK && is_of_period(s, &d.e)) {
		rc = pass_of_period(s, seq, (struct tf_str){ body, n }, &d.e,
		    err);
		tf_entry_decoded_free(&d);
		return rc;
	}
	if (rc == TF_OK && d.e.type == TF_LEDGER_OPENED)
		rc = take_opening(s, seq, body, n, err);
	if (rc == TF_OK && d.e.type == TF_LEDGER_CLOSED && !s->period)
		rc = take_closing(s, seq, body, n, err);
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
	static const char *const types[] = { "\"type\":\"ledger.",
		"\"type\":\"key.rotated\"", "\"type\":\"clock.",
		"\"type\":\"verify." };
	struct selection *s = arg;
	bool may = s->all || is_anchor(s, idx) ||
	    memmem(body, n, s->below, strlen(s->below)) != NULL;

	(void)off;
	if (idx >= s->size)
		return TF_NODATA; /* after the checkpoint: stop the walk */
	if (idx != s->expected++)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu is missing: run trailctl verify",
		    (unsigned long long)s->expected - 1);
	for (size_t i = 0; !may && i < sizeof(types) / sizeof(*types); i++)
		may = memmem(body, n, types[i], strlen(types[i])) != NULL;
	return may ? choose_entry(s, idx, body, n, err) : TF_OK;
}

/* --- workflows by control, status and person --------------------------------- */

/* Note what an entry says about its workflow. */
static enum tf_code
note_entry(struct selection *s, const struct tf_entry *e, struct tf_error *err)
{
	const struct tf_package_place *p = s->p;
	struct tf_str name;
	bool there, yes = false;
	size_t at;
	enum tf_code rc = TF_OK;

	if (begins_in_time(s, e))
		rc = choose_workflow(s, workflow_of(p, e->path), err);
	if (rc != TF_OK)
		return rc;
	name = workflow_of(p, e->path);
	at = name.p == NULL ? 0 : find_workflow(s, name, &there);
	if (name.p == NULL || !there)
		return TF_OK;
	if (p->control.p != NULL &&
	    (rc = tf_package_claims(e, p->control, &yes, err)) == TF_OK && yes)
		s->workflow[at].claimed = true;
	if (rc == TF_OK && p->person.p != NULL &&
	    (rc = tf_package_acted(e, p->person, &yes, err)) == TF_OK && yes)
		s->workflow[at].acted = true;
	return rc;
}

static enum tf_code
note_row(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct selection *s = arg;
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc;

	(void)off;
	if (idx >= s->size)
		return TF_NODATA;
	if (memmem(body, n, s->below, strlen(s->below)) == NULL)
		return TF_OK;
	rc = tf_entry_decode(&d, body, n, err);
	if (rc == TF_OK)
		rc = note_entry(s, &d.e, err);
	else if (rc != TF_NOMEM)
		rc = tf_fail(err, TF_TAMPER,
		    "entry %llu is damaged: run trailctl verify",
		    (unsigned long long)idx);
	tf_entry_decoded_free(&d);
	return rc;
}

/* Keep of the workflows those that fit. */
static enum tf_code
choose_by_content(struct selection *s, struct tf_db *db, tf_package_fits fits,
    struct tf_error *err)
{
	const struct tf_package_place *p = s->p;
	size_t kept = 0;
	bool yes;
	enum tf_code rc = tf_entries_each(db, 0, note_row, s, err);

	if (rc == TF_NODATA)
		rc = TF_OK;
	for (size_t i = 0; rc == TF_OK && i < s->n; i++) {
		struct workflow *w = &s->workflow[i];

		yes = p->person.p == NULL || w->acted;
		if (yes && fits != NULL)
			rc = fits(s->arg, tf_str_of(w->name), w->claimed, &yes,
			    err);
		if (rc != TF_OK)
			break;
		if (!yes) {
			free(w->name);
			w->name = NULL;
		} else {
			s->workflow[kept] = *w;
			if (kept++ != i)
				w->name = NULL;
		}
	}
	if (rc == TF_OK)
		s->n = kept;
	s->chosen = true;
	return rc;
}

/* A name that is misspelled must not look like an answer. */
static enum tf_code
nothing_fits(const struct tf_package_place *p, struct tf_error *err)
{
	return tf_fail(err, TF_NODATA, "no workflow fits%s%.*s%s%.*s%s%.*s%s",
	    p->control.p != NULL ? " --control " : "", (int)p->control.n,
	    p->control.n > 0 ? p->control.p : "",
	    p->status.p != NULL ? " --status " : "", (int)p->status.n,
	    p->status.n > 0 ? p->status.p : "",
	    p->person.p != NULL ? " --person " : "",
	    (int)(p->person.n > 64 ? 64 : p->person.n),
	    p->person.n > 0 ? p->person.p : "",
	    p->has_since || p->has_until ? " and the time given" : "");
}

/* --- the whole ---------------------------------------------------------------- */

enum tf_code
tf_package_select(struct tf_db *db, uint64_t size,
    const struct tf_package_place *p, tf_selected fn, tf_package_fits fits,
    void *arg, struct tf_error *err)
{
	struct selection s = { .p = p,
		.size = size,
		.all = p->kind == TF_KIND_ROOT && !tf_package_is_cut(p),
		.fn = fn,
		.arg = arg };
	struct tf_buf below = { 0 };
	bool none;
	enum tf_code rc;

	tf_buf_printf(&below, "\"path\":\"%.*s", (int)p->part[0].n,
	    p->part[0].p);
	tf_buf_add(&below, "", 1);
	s.below = below.p;
	rc = below.failed ? tf_nomem(err) :
			    tf_anchors_newest(db, take_anchor, &s, err);
	if (rc == TF_OK && chooses_first(p))
		rc = choose_by_content(&s, db, fits, err);
	none = rc == TF_OK && s.n == 0 && chooses_by_content(p);
	if (rc == TF_OK && !none)
		rc = tf_entries_each(db, 0, one_row, &s, err);
	for (size_t i = 0; i < s.n; i++)
		free(s.workflow[i].name);
	free(s.workflow);
	free(s.anchor);
	tf_buf_free(&s.opened);
	tf_buf_free(&s.closed);
	tf_buf_free(&below);
	if (none)
		return nothing_fits(p, err);
	if (rc == TF_NODATA)
		rc = TF_OK;
	/* An entry that is missing at the end; its number is the first of them. */
	return rc == TF_OK && size != UINT64_MAX && s.expected != size ?
	    tf_fail(err, TF_TAMPER,
		"entry %llu is missing: run trailctl verify",
		(unsigned long long)s.expected) :
	    rc;
}
