/* The entries of an organisation's log: see organisation.h. */
#include "organisation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "../ledger/organisation.h"
#include "../ledger/replay.h"
#include "../store/temp_table.h"
#include "audit.h"
#include "findings.h"

/* The replays of all members share one table: each has its own beginning of keys. */
struct part {
	struct tf_temp_table *whole;
	uint8_t prefix[4];
};
#define PREFIX sizeof(((struct part *)0)->prefix)
#define KEY_MAX (TF_PATH_MAX + 256)

struct member {
	struct tf_audit *a;
	char *origin;
	struct tf_standing standing;
	struct tf_replay *replay;
	struct part part;
};

/* A refusal that says which entry is there. */
struct fork {
	uint64_t idx; /* of the refusal */
	const struct member *member;
	uint64_t number;
	struct tf_hash there;
};

struct tf_audit_org {
	char origin[TF_ORIGIN_MAX + 1];
	struct tf_org_said said;
	struct member **member; /* sorted by origin */
	size_t n, cap;
	struct fork *fork;
	size_t forks, forks_cap;
	size_t waiting; /* members without an entry of their own origin */
	bool again;	/* the entries are read again, for the forks */
};

/* --- a part of the table ------------------------------------------------------------ */

static struct part *
part_of(struct tf_temp_table *t)
{
	return (struct part *)t;
}

/* False: no key is as long. */
static bool
whole_key(const struct part *p, struct tf_str key, char out[PREFIX + KEY_MAX],
    struct tf_str *whole)
{
	if (key.n > KEY_MAX)
		return false;
	memcpy(out, p->prefix, PREFIX);
	if (key.n > 0)
		memcpy(out + PREFIX, key.p, key.n);
	*whole = (struct tf_str){ out, PREFIX + key.n };
	return true;
}

static enum tf_code
too_long(struct tf_error *err)
{
	return tf_fail(err, TF_NAMETOOLONG, "a name is too long");
}

static enum tf_code
part_add(struct tf_temp_table *t, struct tf_str key, struct tf_str value,
    struct tf_error *err)
{
	char room[PREFIX + KEY_MAX];
	struct tf_str k;

	return whole_key(part_of(t), key, room, &k) ?
	    tf_temp_table_add(part_of(t)->whole, k, value, err) :
	    too_long(err);
}

static enum tf_code
part_put(struct tf_temp_table *t, struct tf_str key, struct tf_str value,
    struct tf_error *err)
{
	char room[PREFIX + KEY_MAX];
	struct tf_str k;

	return whole_key(part_of(t), key, room, &k) ?
	    tf_temp_table_put(part_of(t)->whole, k, value, err) :
	    too_long(err);
}

static enum tf_code
part_get(struct tf_temp_table *t, struct tf_str key, void *out, size_t n,
    struct tf_error *err)
{
	char room[PREFIX + KEY_MAX];
	struct tf_str k;

	return whole_key(part_of(t), key, room, &k) ?
	    tf_temp_table_get(part_of(t)->whole, k, out, n, err) :
	    too_long(err);
}

struct walk {
	enum tf_code (*fn)(void *arg, struct tf_str key, struct tf_str value,
	    struct tf_error *err);
	void *arg;
};

static enum tf_code
without_prefix(void *arg, struct tf_str key, struct tf_str value,
    struct tf_error *err)
{
	struct walk *w = arg;

	return w->fn(w->arg, (struct tf_str){ key.p + PREFIX, key.n - PREFIX },
	    value, err);
}

static enum tf_code
part_each(struct tf_temp_table *t, struct tf_str low, struct tf_str high,
    enum tf_code (*fn)(void *arg, struct tf_str key, struct tf_str value,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	char room[2][PREFIX + KEY_MAX];
	struct walk w = { fn, arg };
	struct tf_str l, h;

	return whole_key(part_of(t), low, room[0], &l) &&
		whole_key(part_of(t), high, room[1], &h) ?
	    tf_temp_table_each(part_of(t)->whole, l, h, without_prefix, &w,
		err) :
	    too_long(err);
}

static enum tf_code
part_cut(struct tf_temp_table *t, struct tf_str low, struct tf_str high,
    struct tf_error *err)
{
	char room[2][PREFIX + KEY_MAX];
	struct tf_str l, h;

	return whole_key(part_of(t), low, room[0], &l) &&
		whole_key(part_of(t), high, room[1], &h) ?
	    tf_temp_table_cut(part_of(t)->whole, l, h, err) :
	    too_long(err);
}

static const struct tf_temp_table_ops part_ops = {
	.add = part_add,
	.put = part_put,
	.get = part_get,
	.each = part_each,
	.cut = part_cut,
};

/* --- members ------------------------------------------------------------------------ */

static void
broken_rule(void *arg, const struct tf_entry *e, const char *text)
{
	struct member *m = arg;

	tf_audit_finding(m->a, TF_CHECK_ENTRIES, m->a->next, e->path,
	    "entry %llu of %s: %s", (unsigned long long)e->seq, m->origin,
	    text);
}

static int
by_origin(const void *key, const void *item)
{
	return tf_str_cmp(*(const struct tf_str *)key,
	    tf_str_of((*(struct member *const *)item)->origin));
}

static void
member_free(struct member *m)
{
	if (m == NULL)
		return;
	tf_replay_free(m->replay);
	free(m->origin);
	free(m);
}

/* The member, which is made if this is the first that is heard of it. */
static enum tf_code
get_member(struct tf_audit *a, struct tf_str origin, struct member **out,
    struct tf_error *err)
{
	struct tf_audit_org *o = a->org;
	size_t i = tf_array_place(o->member, o->n, sizeof(struct member *),
	    &origin, by_origin);
	struct member *m;

	if (i < o->n && by_origin(&origin, &o->member[i]) == 0) {
		*out = o->member[i];
		return TF_OK;
	}
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return tf_nomem(err);
	m->a = a;
	m->origin = strndup(origin.p, origin.n);
	m->part.whole = a->table;
	tf_put_be32(m->part.prefix, (uint32_t)o->n);
	m->replay = tf_replay_new(&part_ops, (struct tf_temp_table *)&m->part,
	    broken_rule, m);
	if (m->origin == NULL || m->replay == NULL ||
	    !tf_array_room(&o->member, o->n, &o->cap,
		sizeof(struct member *))) {
		member_free(m);
		return tf_nomem(err);
	}
	memmove(&o->member[i + 1], &o->member[i],
	    (o->n++ - i) * sizeof(struct member *));
	o->member[i] = m;
	a->r->members = o->n;
	*out = m;
	return TF_OK;
}

/* Does the entry continue what this member has, though it has another origin?  A vault
 * that was restored has the entries of the vault before it first. */
static bool
continues(const struct member *m, const struct tf_entry *e)
{
	const struct tf_standing *s = &m->standing;

	if (s->is != TF_ENROLLED || s->begun || s->entries != e->seq)
		return false;
	if (e->type == TF_LEDGER_OPENED &&
	    (e->seq == 0 || e->previous.p != NULL))
		return true;
	return s->entries > 0 &&
	    tf_str_same(e->origin, tf_str_of(tf_replay_origin(m->replay)));
}

/* Of whom is the entry?  Its own origin, if that may go on with it. */
static enum tf_code
member_of(struct tf_audit *a, const struct tf_entry *e, struct member **out,
    struct tf_error *err)
{
	struct tf_audit_org *o = a->org;
	struct tf_str origin = e->origin;
	size_t i = tf_array_place(o->member, o->n, sizeof(struct member *),
	    &origin, by_origin);
	bool known = i < o->n && by_origin(&origin, &o->member[i]) == 0;

	if (known && o->member[i]->standing.is == TF_ENROLLED &&
	    o->member[i]->standing.entries == e->seq) {
		*out = o->member[i];
		return TF_OK;
	}
	for (i = 0; o->waiting > 0 && i < o->n; i++)
		if (continues(o->member[i], e)) {
			*out = o->member[i];
			return TF_OK;
		}
	return get_member(a, origin, out, err);
}

static enum tf_code
check_member(struct tf_audit *a, uint64_t idx, const struct tf_entry *e,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_replay_effect x;
	enum tf_standing_fault f;
	struct member *m;
	uint64_t next;
	bool begun;
	enum tf_code rc = member_of(a, e, &m, err);

	if (rc != TF_OK)
		return rc;
	next = m->standing.entries;
	begun = m->standing.begun;
	f = tf_standing_entry(&m->standing, e, &a->org->said);
	a->org->waiting -= !begun && m->standing.begun &&
	    m->standing.is != TF_NOT_ENTERED;
	if (f != TF_STANDING_RIGHT)
		tf_audit_finding(a, TF_CHECK_ENTRIES, idx, e->path,
		    "entry %llu of %s %s", (unsigned long long)e->seq,
		    m->origin, tf_standing_text(f));
	if (e->seq != next) {
		tf_audit_finding(a, TF_CHECK_ENTRIES, idx, e->path,
		    "entry %llu of %s does not follow: %llu comes next",
		    (unsigned long long)e->seq, m->origin,
		    (unsigned long long)next);
		m->standing.entries = e->seq + 1;
		tf_replay_gap(m->replay, e->seq);
	}
	a->r->newer += e->v > TF_ENTRY_VERSION;
	a->r->unknown += e->v == TF_ENTRY_VERSION && e->type == TF_TYPE_UNKNOWN;
	rc = tf_replay_entry(m->replay, e, leaf, &x, err);
	if (rc == TF_OK && x.created && x.kind == TF_KIND_EVIDENCE)
		a->r->files++;
	return rc;
}

/* --- the organisation --------------------------------------------------------------- */

static enum tf_code
remember_fork(struct tf_audit_org *o, uint64_t idx, const struct member *m,
    const struct tf_org_entry *e, struct tf_error *err)
{
	if (!tf_array_room(&o->fork, o->forks, &o->forks_cap, sizeof(*o->fork)))
		return tf_nomem(err);
	o->fork[o->forks++] = (struct fork){ idx, m, e->number, e->there };
	return TF_OK;
}

static enum tf_code
about_member(struct tf_audit *a, uint64_t idx, const struct tf_org_entry *e,
    const char **broken, struct tf_error *err)
{
	struct member *m;
	bool entered;
	enum tf_code rc = get_member(a, tf_buf_bytes(&e->member), &m, err);

	if (rc != TF_OK)
		return rc;
	entered = m->standing.is != TF_NOT_ENTERED;
	*broken = tf_standing_own(&m->standing, e, &a->org->said);
	a->org->waiting += !entered && m->standing.is != TF_NOT_ENTERED &&
	    !m->standing.begun;
	if (*broken == NULL && e->type == TF_ORG_REFUSED &&
	    e->kind == TF_ORG_FORK)
		rc = remember_fork(a->org, idx, m, e, err);
	return rc;
}

static enum tf_code
check_own(struct tf_audit *a, uint64_t idx, struct tf_str bytes,
    struct tf_error *err)
{
	struct tf_error why = { .code = TF_OK };
	const char *broken = NULL;
	struct tf_org_entry e;
	enum tf_code rc = tf_org_entry_decode(&e, bytes.p, bytes.n, &why);

	if (rc == TF_OK)
		rc = tf_org_said_take(&a->org->said, &e, bytes, idx, &broken);
	if (rc == TF_OK && e.type == TF_ORG_OPENED && broken == NULL &&
	    !tf_log_keys_has(&a->keys, &a->vkey, &e.key))
		broken = "names another key of the log";
	if (rc == TF_OK && broken == NULL && e.member.n > 0)
		rc = about_member(a, idx, &e, &broken, err);
	if (broken != NULL)
		tf_audit_finding(a, TF_CHECK_ENTRIES, idx, tf_nowhere,
		    "entry %llu of the organisation %s",
		    (unsigned long long)e.d.e.seq, broken);
	a->r->unknown += rc == TF_OK && e.type == TF_ORG_OTHER;
	a->r->newer += rc == TF_NEWER;
	if (rc == TF_INVALID)
		tf_audit_trouble(a, TF_CHECK_ENTRIES, idx, tf_nowhere,
		    "malformed", &why);
	tf_org_entry_free(&e);
	return rc == TF_INVALID || rc == TF_NEWER ? TF_OK : rc;
}

/* The second reading: the entry that is there is the one that a refusal says. */
static void
compare_forks(struct tf_audit *a, const struct tf_entry *e, struct tf_str bytes)
{
	const struct tf_audit_org *o = a->org;
	struct tf_hash h;

	for (size_t i = 0; i < o->forks; i++) {
		const struct fork *f = &o->fork[i];

		if (f->number != e->seq ||
		    !tf_str_same(e->origin, tf_str_of(f->member->origin)))
			continue;
		tf_sha256(bytes.p, bytes.n, &h);
		if (memcmp(h.b, f->there.b, sizeof(h.b)) != 0)
			tf_audit_finding(a, TF_CHECK_ENTRIES, f->idx,
			    tf_nowhere,
			    "entry %llu of %s is another one than this refusal "
			    "says",
			    (unsigned long long)f->number, f->member->origin);
	}
}

enum tf_code
tf_audit_org_entry(struct tf_audit *a, uint64_t idx, const struct tf_entry *e,
    struct tf_str bytes, const struct tf_hash *leaf, struct tf_error *err)
{
	if (a->org->again) {
		compare_forks(a, e, bytes);
		return TF_OK;
	}
	if (TF_IS_MUTANT(TF_JUDGE_NO_MEMBER))
		return TF_OK;
	return tf_str_same(e->origin, tf_str_of(a->org->origin)) ?
	    check_own(a, idx, bytes, err) :
	    check_member(a, idx, e, leaf, err);
}

enum tf_code
tf_audit_org_new(struct tf_audit *a, const struct tf_entry *e,
    struct tf_str bytes, struct tf_audit_org **out, struct tf_error *err)
{
	struct tf_org_entry o;
	enum tf_code rc;

	*out = NULL;
	rc = tf_org_entry_decode(&o, bytes.p, bytes.n, err);
	/* A malformed one is reported as every other entry is. */
	if (rc == TF_OK || (rc == TF_INVALID && o.type == TF_ORG_OPENED)) {
		rc = TF_OK;
		if (o.type == TF_ORG_OPENED &&
		    (*out = calloc(1, sizeof(**out))) == NULL)
			rc = tf_nomem(err);
		if (*out != NULL)
			(void)snprintf((*out)->origin, sizeof((*out)->origin),
			    "%.*s", (int)e->origin.n, e->origin.p);
		if (*out != NULL &&
		    !tf_str_same(e->origin, tf_str_of(a->vkey.name)))
			tf_audit_finding(a, TF_CHECK_ENTRIES, 0, tf_nowhere,
			    "the first entry is of another ledger than the "
			    "key's");
	} else if (rc != TF_NOMEM) {
		rc = TF_OK;
	}
	tf_org_entry_free(&o);
	return rc;
}

void
tf_audit_org_free(struct tf_audit_org *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n; i++)
		member_free(o->member[i]);
	free(o->member);
	free(o->fork);
	free(o);
}

enum tf_code
tf_audit_org_end(struct tf_audit *a, struct tf_error *err)
{
	const struct tf_vkey *now = tf_audit_key(a);
	enum tf_code rc = TF_OK;

	if (a->org->said.next > 0 &&
	    memcmp(&a->org->said.key.pub, &now->pub, sizeof(now->pub)) != 0)
		tf_audit_finding(a, TF_CHECK_ENTRIES, UINT64_MAX, tf_nowhere,
		    "the entries name another log key");
	/* What is wrong already would be found a second time. */
	if (a->org->forks > 0 && a->r->findings == 0) {
		a->org->again = true;
		rc = a->source->entries(a, err);
		a->org->again = false;
	}
	return rc;
}
