/* The entries of an organisation: see organisation.h. */
#include "organisation.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/mutant.h"
#include "../base/time_text.h"
#include "name.h"

/* --- decoding -------------------------------------------------------------------- */

static bool
get_text(const struct tf_org_entry *o, const char *key, struct tf_buf *out)
{
	int t = tf_json_get(&o->d.doc, 0, key);

	return t >= 0 && tf_json_string(&o->d.doc, t, out, NULL) == TF_OK &&
	    out->n > 0;
}

static bool
get_number(const struct tf_org_entry *o, const char *key, uint64_t *out)
{
	int t = tf_json_get(&o->d.doc, 0, key);

	if (t < 0 || o->d.doc.tok[t].type != TF_JSON_INT ||
	    o->d.doc.tok[t].num < 0)
		return false;
	*out = (uint64_t)o->d.doc.tok[t].num;
	return true;
}

/* A string without escapes, as keys, digests, times and words are. */
static struct tf_str
plain(const struct tf_org_entry *o, const char *key)
{
	int t = tf_json_get(&o->d.doc, 0, key);
	struct tf_str s;

	if (t < 0 || o->d.doc.tok[t].type != TF_JSON_STRING)
		return (struct tf_str){ 0 };
	s = tf_json_text(&o->d.doc, t);
	return (struct tf_str){ s.p + 1, s.n - 2 };
}

static bool
get_hash(const struct tf_org_entry *o, const char *key, struct tf_hash *out)
{
	struct tf_str s = plain(o, key);

	return s.n == 64 && tf_unhex(s.p, s.n, out->b, sizeof(out->b));
}

static bool
get_key(struct tf_org_entry *o)
{
	struct tf_str s = plain(o, "key");

	return s.p != NULL && tf_vkey_parse(s.p, s.n, &o->key, NULL) == TF_OK;
}

/* A member is another log than the organisation's. */
static bool
get_member(struct tf_org_entry *o)
{
	return get_text(o, "member", &o->member) &&
	    o->member.n <= TF_ORIGIN_MAX &&
	    !tf_str_same(tf_buf_bytes(&o->member), o->d.e.origin);
}

static bool
get_refusal(struct tf_org_entry *o)
{
	struct tf_str kind = plain(o, "kind"), at = plain(o, "refused");

	if (tf_str_same(kind, tf_str_of("fork")))
		o->kind = TF_ORG_FORK;
	else if (tf_str_same(kind, tf_str_of("gap")))
		o->kind = TF_ORG_GAP;
	else if (tf_str_same(kind, tf_str_of("revoked")))
		o->kind = TF_ORG_WAS_REVOKED;
	else
		return false;
	return get_member(o) && get_number(o, "number", &o->number) &&
	    get_number(o, "refusal", &o->refusal) &&
	    get_hash(o, "given", &o->given) && at.p != NULL &&
	    tf_time_parse(at.p, at.n, &o->refused) &&
	    get_hash(o, "there", &o->there) == (o->kind == TF_ORG_FORK);
}

static bool
get_standing(struct tf_org_entry *o)
{
	/* The key of a log has the name of its origin. */
	return get_member(o) && get_key(o) &&
	    strcmp(o->key.name, o->member.p) == 0 &&
	    get_number(o, "next", &o->next) &&
	    (tf_json_get(&o->d.doc, 0, "role") < 0 ||
		get_text(o, "role", &o->role));
}

static bool
get_fields(struct tf_org_entry *o)
{
	struct tf_str type = o->d.e.type_name;

	if (o->d.e.actor.p == NULL)
		return false;
	o->earlier = tf_str_same(o->d.e.cause, tf_str_of("earlier"));
	if (tf_str_same(type, tf_str_of("organisation.opened"))) {
		o->type = TF_ORG_OPENED;
		o->by_entries = tf_str_same(plain(o, "members"),
		    tf_str_of("entries"));
		return get_key(o);
	}
	if (tf_str_same(type, tf_str_of("member.enrolled"))) {
		o->type = TF_ORG_ENROLLED;
		return get_standing(o);
	}
	if (tf_str_same(type, tf_str_of("member.revoked"))) {
		o->type = TF_ORG_REVOKED;
		return get_standing(o);
	}
	if (tf_str_same(type, tf_str_of("member.refused"))) {
		o->type = TF_ORG_REFUSED;
		return get_refusal(o);
	}
	if (tf_str_same(type, tf_str_of("key.rotated"))) {
		o->type = TF_ORG_ROTATED;
		return get_number(o, "size", &o->size) && o->size > 0;
	}
	return true;
}

enum tf_code
tf_org_entry_decode(struct tf_org_entry *o, const char *bytes, size_t n,
    struct tf_error *err)
{
	enum tf_code rc;

	*o = (struct tf_org_entry){ .type = TF_ORG_OTHER };
	if ((rc = tf_entry_decode(&o->d, bytes, n, err)) != TF_OK)
		return rc;
	if (o->d.e.v > TF_ORG_ENTRY_VERSION)
		return tf_fail(err, TF_NEWER, "version %llu",
		    (unsigned long long)o->d.e.v);
	if (o->d.e.v != TF_ORG_ENTRY_VERSION)
		return tf_fail(err, TF_INVALID,
		    "an entry of the organisation has not version 2");
	if (!get_fields(o))
		rc = tf_fail(err, TF_INVALID,
		    "a field of %.*s is absent or malformed",
		    (int)o->d.e.type_name.n, o->d.e.type_name.p);
	return o->member.failed || o->role.failed ? tf_nomem(err) : rc;
}

void
tf_org_entry_free(struct tf_org_entry *o)
{
	tf_entry_decoded_free(&o->d);
	tf_buf_free(&o->member);
	tf_buf_free(&o->role);
}

/* --- the organisation ------------------------------------------------------------ */

static bool
same_key(const struct tf_vkey *a, const struct tf_vkey *b)
{
	return strcmp(a->name, b->name) == 0 &&
	    memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

static enum tf_code
rotated(struct tf_org_said *s, const struct tf_org_entry *o,
    struct tf_str bytes, uint64_t index, const char **broken)
{
	struct tf_log_keys k = { 0 };
	enum tf_code rc = tf_log_keys_learn(&k, bytes.p, bytes.n, NULL);

	if (rc == TF_OK && k.n == 0)
		*broken = "is not signed by both keys";
	else if (rc == TF_OK && !same_key(&k.rotation[0].old_key, &s->key))
		*broken = "replaces a key that is not in force";
	else if (rc == TF_OK && (o->size > index || o->size < s->rotated))
		*broken = "says another end of the old key than it can have";
	if (rc == TF_OK && *broken == NULL) {
		s->key = k.rotation[0].new_key;
		s->rotated = o->size;
	}
	tf_log_keys_free(&k);
	return rc;
}

static bool
later(struct tf_time a, struct tf_time b)
{
	return a.s > b.s || (a.s == b.s && a.ns > b.ns);
}

enum tf_code
tf_org_said_take(struct tf_org_said *s, const struct tf_org_entry *o,
    struct tf_str bytes, uint64_t index, const char **broken)
{
	bool first = s->next == 0;
	enum tf_code rc = TF_OK;

	*broken = NULL;
	if (o->d.e.seq != s->next)
		*broken = "does not follow the one before it";
	else if (!first && !later(o->d.e.at, s->at))
		*broken = "is not later than the one before it";
	else if ((o->type == TF_ORG_OPENED) != (index == 0))
		*broken = index == 0 ?
		    "is the first of the ledger and not organisation.opened" :
		    "opens the organisation again";
	else if (o->type == TF_ORG_OPENED &&
	    !tf_str_same(o->d.e.origin, tf_str_of(o->key.name)))
		*broken = "names the key of another log";
	else if (o->type == TF_ORG_REFUSED && o->refusal != s->refusals)
		*broken = "is not the next refusal";
	s->next = o->d.e.seq + 1;
	s->at = o->d.e.at;
	if (o->type == TF_ORG_REFUSED)
		s->refusals = o->refusal + 1;
	if (*broken != NULL)
		return TF_OK;
	if (o->type == TF_ORG_OPENED) {
		s->key = o->key;
		s->by_entries = o->by_entries;
	} else if (o->type == TF_ORG_ROTATED) {
		rc = rotated(s, o, bytes, index, broken);
	}
	return rc;
}

/* --- a member --------------------------------------------------------------------- */

/* Is `next` what the ledger has?  A member that may append can have done so since the
 * entry was made. */
static bool
fits(const struct tf_standing *m, const struct tf_org_entry *o, bool may_append)
{
	return may_append ? o->next <= m->entries : o->next == m->entries;
}

static const char *
enrolled(struct tf_standing *m, const struct tf_org_entry *o)
{
	if (!fits(m, o, m->is == TF_ENROLLED || o->earlier))
		return "says another number of entries than the ledger has";
	m->is = TF_ENROLLED;
	m->begun = m->begun || (o->earlier && m->entries > 0);
	return NULL;
}

static const char *
revoked(struct tf_standing *m, const struct tf_org_entry *o)
{
	if (m->is != TF_ENROLLED)
		return "revokes a log that is not enrolled";
	if (!fits(m, o, false))
		return "says another number of entries than the ledger has";
	m->is = TF_REVOKED;
	m->was_revoked = true;
	return NULL;
}

const char *
tf_standing_own(struct tf_standing *m, const struct tf_org_entry *o,
    const struct tf_org_said *s)
{
	bool known = m->is != TF_NOT_ENTERED;

	if (o->type == TF_ORG_REFUSED) {
		if (!known && s->by_entries)
			return "is about a log that is no member";
		if (o->kind == TF_ORG_WAS_REVOKED && known && !m->was_revoked)
			return "is about a log that was not revoked";
		if (o->kind == TF_ORG_FORK && o->number >= m->entries)
			return "names an entry that is not there";
		return NULL;
	}
	if (o->earlier &&
	    (s->by_entries || (known && o->type == TF_ORG_ENROLLED)))
		return "says what was before there were such entries";
	if (known && !same_key(&m->key, &o->key))
		return "names another key than the first entry about this log";
	m->key = o->key;
	return o->type == TF_ORG_ENROLLED ? enrolled(m, o) : revoked(m, o);
}

enum tf_standing_fault
tf_standing_entry(struct tf_standing *m, const struct tf_entry *e,
    const struct tf_org_said *s)
{
	struct tf_vkey own;
	bool first = !m->begun &&
	    tf_str_same(e->origin, tf_str_of(m->key.name));

	m->entries++;
	m->begun = m->begun || first;
	if (TF_IS_MUTANT(TF_ANY_MEMBER))
		return TF_STANDING_RIGHT;
	if (m->is == TF_NOT_ENTERED) {
		m->early++;
		return s->by_entries ? TF_STANDING_NOT_ENROLLED :
				       TF_STANDING_RIGHT;
	}
	if (m->is == TF_REVOKED)
		return TF_STANDING_REVOKED;
	if (first && e->type == TF_LEDGER_OPENED &&
	    (tf_vkey_parse(e->key_log.p, e->key_log.n, &own, NULL) != TF_OK ||
		memcmp(&own.pub, &m->key.pub, sizeof(own.pub)) != 0))
		return TF_STANDING_OTHER_KEY;
	return TF_STANDING_RIGHT;
}

const char *
tf_standing_text(enum tf_standing_fault f)
{
	static const char *const text[TF_STANDING_FAULTS] = {
		[TF_STANDING_RIGHT] = "is right",
		[TF_STANDING_NOT_ENROLLED] =
		    "is there before an entry enrolled this log",
		[TF_STANDING_REVOKED] = "is there after this log was revoked",
		[TF_STANDING_OTHER_KEY] =
		    "names another key than the one that was enrolled",
	};

	return text[f];
}
