/* The entries of an organisation's own origin: see own.h. */
#include "own.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/member.h"
#include "../base/mutant.h"
#include "../ledger/entry_write.h"
#include "append.h"
#include "organiser.h"

#define TRIES 7 /* to append: 6 seconds of pauses */
#define PIECE 4096

/* --- reading -------------------------------------------------------------------- */

void
tf_own_free(struct tf_own *own)
{
	tf_log_keys_free(&own->keys);
	for (size_t i = 0; i < own->n; i++) {
		free(own->member[i].origin);
		free(own->member[i].role);
	}
	free(own->member);
	*own = (struct tf_own){ 0 };
}

static int
by_origin(const void *key, const void *item)
{
	const struct tf_own_member *m = item;

	return tf_str_cmp(*(const struct tf_str *)key, tf_str_of(m->origin));
}

static size_t
place_of(const struct tf_own *own, struct tf_str origin)
{
	return tf_array_place(own->member, own->n, sizeof(*own->member),
	    &origin, by_origin);
}

const struct tf_own_member *
tf_own_member(const struct tf_own *own, struct tf_str origin)
{
	size_t i = place_of(own, origin);

	return i < own->n && by_origin(&origin, &own->member[i]) == 0 ?
	    &own->member[i] :
	    NULL;
}

static enum tf_code
know(struct tf_own *own, struct tf_str origin, struct tf_str role,
    enum tf_standing_is is, struct tf_error *err)
{
	size_t i = place_of(own, origin);
	struct tf_own_member *m;
	char *text = strndup(role.p == NULL ? "" : role.p, role.n);

	if (text == NULL)
		return tf_nomem(err);
	if (i == own->n || by_origin(&origin, &own->member[i]) != 0) {
		char *name = strndup(origin.p, origin.n);

		if (name == NULL ||
		    !tf_array_room(&own->member, own->n, &own->cap,
			sizeof(*own->member))) {
			free(name);
			free(text);
			return tf_nomem(err);
		}
		m = &own->member[i];
		memmove(m + 1, m, (own->n++ - i) * sizeof(*m));
		*m = (struct tf_own_member){ .origin = name };
	}
	m = &own->member[i];
	free(m->role);
	m->role = text;
	m->is = is;
	return TF_OK;
}

enum tf_code
tf_own_know(struct tf_own *own, struct tf_str origin, enum tf_standing_is is,
    struct tf_error *err)
{
	return know(own, origin, (struct tf_str){ 0 }, is, err);
}

static enum tf_code
learn(struct tf_own *own, const struct tf_org_entry *o, struct tf_error *err)
{
	own->at = o->d.e.at;
	own->by_entries |= o->type == TF_ORG_OPENED && o->by_entries;
	if (o->type == TF_ORG_REFUSED && o->refusal >= own->refused &&
	    !TF_IS_MUTANT(TF_RECORD_AGAIN))
		own->refused = o->refusal + 1;
	if (o->type != TF_ORG_ENROLLED && o->type != TF_ORG_REVOKED)
		return TF_OK;
	return know(own, tf_buf_bytes(&o->member), tf_buf_bytes(&o->role),
	    o->type == TF_ORG_ENROLLED ? TF_ENROLLED : TF_REVOKED, err);
}

enum tf_code
tf_own_take(struct tf_own *own, uint64_t number, struct tf_str bytes,
    struct tf_error *err)
{
	struct tf_org_entry o;
	enum tf_code rc;

	if (number + 1 < own->next || number > own->next)
		return TF_OK;
	own->next = number + 1;
	rc = tf_org_entry_decode(&o, bytes.p, bytes.n, NULL);
	if (rc == TF_OK)
		rc = learn(own, &o, err);
	else if (rc != TF_NOMEM)
		rc = TF_OK;
	tf_org_entry_free(&o);
	return rc == TF_OK ?
	    tf_log_keys_learn(&own->keys, bytes.p, bytes.n, err) :
	    tf_nomem(err);
}

static enum tf_code
take(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	return tf_own_take(arg, leaf->number, leaf->bytes, err);
}

enum tf_code
tf_own_read(struct tf_ledger *l, const char *origin, struct tf_own *own,
    struct tf_error *err)
{
	uint64_t from = own->next > 0 ? own->next - 1 : 0, before;
	enum tf_code rc;

	do {
		before = own->next;
		rc = l->ops->read_of(l, origin, from, PIECE, take, own, err);
		from = own->next;
	} while (rc == TF_OK && own->next > before);
	return rc;
}

/* --- appending ------------------------------------------------------------------ */

static bool
wait_a_little(void *arg, unsigned ms, const struct tf_error *why)
{
	(void)why;
	(void)poll(NULL, 0, (int)ms);
	return ++*(unsigned *)arg < TRIES;
}

struct find_vkey {
	const char *origin;
	struct tf_buf *out;
};

static enum tf_code
add_vkey(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct find_vkey *x = arg;

	if (!tf_str_same(m->origin, tf_str_of(x->origin)))
		return TF_OK;
	tf_buf_add(x->out, m->vkey.p, m->vkey.n);
	tf_buf_add(x->out, "", 1);
	return tf_buf_end(x->out, err);
}

/* Append under the key with which the origin was enrolled: its first one. */
static enum tf_code
append_enrolled(struct tf_ledger *l, const char *origin, uint64_t number,
    const struct tf_str *entries, size_t n, struct tf_error *err)
{
	struct tf_buf vkey = { 0 };
	struct find_vkey find = { origin, &vkey };
	enum tf_code rc = l->ops->members(l, add_vkey, &find, err);

	if (rc == TF_OK)
		rc = tf_own_append(l, origin, tf_buf_bytes(&vkey).p, number,
		    entries, n, err);
	tf_buf_free(&vkey);
	return rc;
}

/* A run that is killed before the end leaves an origin for which organisers may
 * append. */
enum tf_code
tf_own_append(struct tf_ledger *l, const char *origin, const char *vkey,
    uint64_t number, const struct tf_str *entries, size_t n,
    struct tf_error *err)
{
	unsigned tries = 0;
	struct tf_patience patience = { wait_a_little, &tries };
	struct tf_batch b = { .origin = origin,
		.number = number,
		.entries = entries,
		.n = n };
	struct tf_appended a;
	struct tf_error why = { 0 };
	enum tf_code rc = l->ops->enrol(l, origin, vkey, TF_ORG_OWN, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_org_append(l, &b, &patience, &a, &why);
	if (rc == TF_TAMPER || rc == TF_INVALID)
		return tf_fail(err, TF_BUSY,
		    "another organiser appends at the same time: %.100s",
		    why.text);
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	return l->ops->revoke(l, origin, err);
}

/* --- refusals ------------------------------------------------------------------- */

struct record {
	const char *origin;
	struct tf_str actor;
	struct tf_own *own;
	struct tf_time at; /* of the last entry */
	size_t n;
	struct tf_buf text;
	size_t end[TF_BATCH_MAX]; /* of each entry in text */
	bool full;
};

static struct tf_time
after(struct tf_time last)
{
	struct tf_time now = tf_clock_now();

	if (now.s > last.s || (now.s == last.s && now.ns > last.ns))
		return now;
	last.s += last.ns == 999999999;
	last.ns = last.ns == 999999999 ? 0 : last.ns + 1;
	return last;
}

static enum tf_code
add_refusal(void *arg, const struct tf_refused *r, struct tf_error *err)
{
	struct record *x = arg;
	size_t begin = x->n > 0 ? x->end[x->n - 1] : 0;
	struct tf_json j;
	enum tf_code rc;

	if ((x->full = x->n == TF_BATCH_MAX))
		return TF_BUSY; /* ends the call */
	x->at = after(x->at);
	tf_json_begin(&j, &x->text);
	tf_json_object(&j);
	tf_put_raw(&j, "actor", x->actor);
	tf_put_time(&j, "at", x->at);
	tf_put_hash(&j, "given", &r->given);
	tf_put_cstr(&j, "kind",
	    r->is_fork	      ? "fork" :
		r->is_revoked ? "revoked" :
				"gap");
	tf_put_str(&j, "member", r->origin);
	tf_put_uint(&j, "number", r->number);
	tf_put_cstr(&j, "origin", x->origin);
	tf_put_uint(&j, "refusal", r->index);
	tf_put_time(&j, "refused", r->at);
	tf_put_uint(&j, "seq", x->own->next + x->n);
	if (r->is_fork)
		tf_put_hash(&j, "there", &r->there);
	tf_put_cstr(&j, "type", "member.refused");
	tf_put_uint(&j, "v", 2);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	if (rc == TF_OK)
		rc = tf_entry_check(x->text.p + begin, x->text.n - begin, err);
	x->end[x->n++] = x->text.n;
	return rc;
}

static enum tf_code
append_recorded(struct tf_ledger *l, struct record *x, struct tf_error *err)
{
	struct tf_str *entries = calloc(x->n, sizeof(*entries));
	enum tf_code rc = entries == NULL ? tf_nomem(err) : TF_OK;

	for (size_t i = 0, at = 0; rc == TF_OK && i < x->n; at = x->end[i++])
		entries[i] = (struct tf_str){ x->text.p + at, x->end[i] - at };
	if (rc == TF_OK)
		rc = append_enrolled(l, x->origin, x->own->next, entries, x->n,
		    err);
	if (rc == TF_OK) {
		x->own->next += x->n;
		x->own->refused += x->n;
		x->own->at = x->at;
	}
	free(entries);
	return rc;
}

enum tf_code
tf_own_record(struct tf_ledger *l, const char *origin,
    const struct tf_actor *who, struct tf_own *own, struct tf_error *err)
{
	struct tf_buf actor = { 0 };
	struct record *x = calloc(1, sizeof(*x));
	enum tf_code rc = x == NULL ? tf_nomem(err) : TF_OK;
	bool more = rc == TF_OK;

	tf_organiser_actor(who, &actor);
	if (rc == TF_OK)
		rc = tf_buf_end(&actor, err);
	while (rc == TF_OK && more) {
		*x = (struct record){ .origin = origin,
			.actor = tf_buf_bytes(&actor),
			.own = own,
			.at = own->at,
			.text = x->text };
		x->text.n = 0;
		rc = l->ops->refusals(l, own->refused, add_refusal, x, err);
		if (rc == TF_BUSY && x->full)
			rc = TF_OK;
		more = x->full;
		if (rc == TF_OK && x->n > 0)
			rc = append_recorded(l, x, err);
	}
	if (x != NULL)
		tf_buf_free(&x->text);
	free(x);
	tf_buf_free(&actor);
	return rc;
}

/* --- members -------------------------------------------------------------------- */

static enum tf_code
govern_entry(const char *origin, const struct tf_member *m, bool earlier,
    struct tf_str actor, const struct tf_own *own, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_raw(&j, "actor", actor);
	tf_put_time(&j, "at", after(own->at));
	if (earlier)
		tf_put_cstr(&j, "cause", "earlier");
	tf_put_str(&j, "key", m->vkey);
	tf_put_str(&j, "member", m->origin);
	tf_put_uint(&j, "next", m->next);
	tf_put_cstr(&j, "origin", origin);
	if (!m->revoked && m->role.n > 0)
		tf_put_str(&j, "role", m->role);
	tf_put_uint(&j, "seq", own->next);
	tf_put_cstr(&j, "type",
	    m->revoked ? "member.revoked" : "member.enrolled");
	tf_put_uint(&j, "v", 2);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	return rc == TF_OK ? tf_entry_check(out->p, out->n, err) : rc;
}

/* For a ledger whose engine cannot do both at once.  What may append without an entry
 * would be worse than an entry about what may not append yet; a run that is killed
 * between the two is repeated. */
static enum tf_code
govern_by_two(struct tf_ledger *l, const struct tf_governed *g,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (g->revokes)
		rc = l->ops->revoke(l, g->origin, err);
	if (rc == TF_OK)
		rc = append_enrolled(l, g->own, g->number, &g->entry, 1, err);
	if (rc == TF_OK && !g->revokes)
		rc = l->ops->enrol(l, g->origin, g->vkey, g->role, err);
	return rc;
}

static enum tf_code
govern(struct tf_ledger *l, const struct tf_governed *g, bool entry_only,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	if (entry_only)
		return append_enrolled(l, g->own, g->number, &g->entry, 1, err);
	rc = l->ops->govern(l, g, &why);
	if (rc == TF_UNSUPPORTED)
		return govern_by_two(l, g, err);
	return rc == TF_OK ? rc : tf_fail_as(err, &why);
}

enum tf_code
tf_own_govern(struct tf_ledger *l, const char *origin,
    const struct tf_member *m, bool entry_only, const struct tf_actor *who,
    struct tf_own *own, struct tf_error *err)
{
	struct tf_buf actor = { 0 }, entry = { 0 };
	char *name = strndup(m->origin.p, m->origin.n),
	     *vkey = strndup(m->vkey.p, m->vkey.n),
	     *role = strndup(m->role.p == NULL ? "" : m->role.p, m->role.n);
	struct tf_governed g = { .revokes = m->revoked,
		.origin = name,
		.vkey = vkey,
		.role = role,
		.own = origin,
		.number = own->next };
	enum tf_code rc = TF_OK;

	tf_organiser_actor(who, &actor);
	if (name == NULL || vkey == NULL || role == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_buf_end(&actor, err);
	if (rc == TF_OK)
		rc = govern_entry(origin, m, entry_only, tf_buf_bytes(&actor),
		    own, &entry, err);
	g.entry = tf_buf_bytes(&entry);
	if (rc == TF_OK)
		rc = govern(l, &g, entry_only, err);
	if (rc == TF_OK)
		rc = tf_own_take(own, own->next, g.entry, err);
	free(name);
	free(vkey);
	free(role);
	tf_buf_free(&actor);
	tf_buf_free(&entry);
	return rc;
}

/* --- rotations ------------------------------------------------------------------ */

static enum tf_code
sign_rotation(const struct tf_own_rotation *r, struct tf_str old_vkey,
    struct tf_str new_vkey, char old_sig[96], char new_sig[96],
    struct tf_error *err)
{
	uint8_t sig[TF_SIG_LEN];
	struct tf_buf text = { 0 };
	enum tf_code rc;

	tf_rotation_text(r->size - 1, old_vkey, new_vkey, &text);
	rc = tf_buf_end(&text, err);
	if (rc == TF_OK)
		rc = tf_key_sign(r->old_key, text.p, text.n, sig, err);
	if (rc == TF_OK) {
		tf_base64_text(sig, sizeof(sig), old_sig);
		rc = tf_key_sign(r->new_key, text.p, text.n, sig, err);
	}
	if (rc == TF_OK)
		tf_base64_text(sig, sizeof(sig), new_sig);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_own_rotate(struct tf_ledger *l, const struct tf_own_rotation *r,
    const struct tf_actor *who, struct tf_own *own, struct tf_error *err)
{
	struct tf_buf actor = { 0 }, old_vkey = { 0 }, new_vkey = { 0 },
		      out = { 0 };
	const char *origin = r->old_vkey->name;
	char old_sig[96], new_sig[96];
	struct tf_str bytes;
	struct tf_json j;
	enum tf_code rc;

	tf_organiser_actor(who, &actor);
	tf_vkey_text(r->old_vkey, &old_vkey);
	tf_vkey_text(r->new_vkey, &new_vkey);
	rc = sign_rotation(r, tf_buf_bytes(&old_vkey), tf_buf_bytes(&new_vkey),
	    old_sig, new_sig, err);
	if (rc == TF_OK) {
		tf_json_begin(&j, &out);
		tf_json_object(&j);
		tf_put_raw(&j, "actor", tf_buf_bytes(&actor));
		tf_put_time(&j, "at", after(own->at));
		tf_put_str(&j, "new", tf_buf_bytes(&new_vkey));
		tf_put_cstr(&j, "newSig", new_sig);
		tf_put_str(&j, "old", tf_buf_bytes(&old_vkey));
		tf_put_cstr(&j, "oldSig", old_sig);
		tf_put_cstr(&j, "origin", origin);
		tf_put_uint(&j, "seq", own->next);
		tf_put_uint(&j, "size", r->size);
		tf_put_cstr(&j, "type", "key.rotated");
		tf_put_cstr(&j, "use", "log");
		tf_put_uint(&j, "v", 2);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	}
	if (rc == TF_OK)
		rc = tf_entry_check(out.p, out.n, err);
	bytes = tf_buf_bytes(&out);
	if (rc == TF_OK)
		rc = append_enrolled(l, origin, own->next, &bytes, 1, err);
	if (rc == TF_OK)
		rc = tf_own_take(own, own->next, bytes, err);
	tf_buf_free(&actor);
	tf_buf_free(&old_vkey);
	tf_buf_free(&new_vkey);
	tf_buf_free(&out);
	return rc;
}
