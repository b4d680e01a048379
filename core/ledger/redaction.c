/*
 * The rules of redactions: see redaction.h.
 *
 * The kernel vouches for the uid; the login uid stays the same through su and
 * sudo, so somebody who became another user is recognised where the system sets
 * it.  Both numbers of one person are compared with both of the other: who logs
 * in as alice and becomes root is alice.  If only one of the two has a login uid,
 * the other may be hiding his.
 *
 * The time of the ledger never goes back, so a clock that was set back cannot
 * prolong a proposal by it.  It may be ahead of the clock, though, and then it
 * hardly moves: so the limit counts for the clock, too.
 */
#include <string.h>

#include "../base/bytes.h"
#include "redaction.h"

#define LIMIT_S ((int64_t)TF_REDACTION_DAYS * 24 * 60 * 60)

struct person {
	int64_t uid, loginuid; /* -1: unknown */
};

static int64_t
number_of(const struct tf_json_doc *d, int obj, const char *key)
{
	int t = obj < 0 ? -1 : tf_json_get(d, obj, key);

	return t >= 0 && d->tok[t].type == TF_JSON_INT ? d->tok[t].num : -1;
}

static enum tf_code
person_of(struct tf_str actor, struct person *out, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;

	*out = (struct person){ -1, -1 };
	if (actor.p == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&d, actor.p, actor.n, err)) == TF_OK) {
		out->uid = number_of(&d, 0, "uid");
		out->loginuid = number_of(&d, tf_json_get(&d, 0, "hints"),
		    "loginuid");
	}
	tf_json_doc_free(&d);
	return rc;
}

/* Do the two share a number?  An unknown login uid is nobody's. */
static bool
is_same(int64_t uid, int64_t loginuid, const struct person *o)
{
	return uid == o->uid || uid == o->loginuid ||
	    (loginuid >= 0 && (loginuid == o->uid || loginuid == o->loginuid));
}

bool
tf_redaction_is_text(const struct tf_entry *e)
{
	static const char *const fields[] = { "claims", "imported", "reason",
		"to" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (tf_str_same(e->what, tf_str_of(fields[i])))
			return true;
	return false;
}

struct tf_time
tf_redaction_when(const struct tf_entry *e)
{
	return e->has_clock ? e->clock : e->at;
}

enum tf_code
tf_proposal_of(const struct tf_entry *e, struct tf_proposal *out,
    struct tf_error *err)
{
	struct person p;
	enum tf_code rc = person_of(e->actor, &p, err);

	if (rc != TF_OK)
		return rc;
	memset(out, 0, sizeof(*out));
	out->seq = e->seq;
	out->target = e->target;
	out->content = e->content;
	out->at = e->at;
	out->when = tf_redaction_when(e);
	out->expired = tf_str_same(e->what, tf_str_of(TF_REDACTION_EXPIRED));
	out->uid = p.uid;
	out->loginuid = p.loginuid;
	return TF_OK;
}

static bool
is_late(struct tf_time from, struct tf_time to)
{
	struct tf_time end = { from.s + LIMIT_S, from.ns };

	return tf_time_cmp(to, end) > 0;
}

enum tf_code
tf_redaction_refused(const struct tf_proposal *p, const struct tf_entry *done,
    const char **why, struct tf_error *err)
{
	struct tf_time when = tf_redaction_when(done);
	struct person by;
	enum tf_code rc = person_of(done->actor, &by, err);

	*why = NULL;
	if (rc != TF_OK)
		return rc;
	if (!done->has_proposal || done->proposal != p->seq)
		*why = "approves another proposal than the newest one";
	else if (done->target != p->target ||
	    done->content.size != p->content.size ||
	    memcmp(&done->content.sha256, &p->content.sha256,
		sizeof(p->content.sha256)) != 0 ||
	    tf_str_same(done->what, tf_str_of(TF_REDACTION_EXPIRED)) !=
		p->expired)
		*why = "approves something else than what was proposed";
	else if (p->uid < 0 || by.uid < 0)
		*why = "a redaction needs two people";
	else if (is_same(p->uid, p->loginuid, &by))
		*why = "who proposed a redaction cannot approve it";
	else if ((p->loginuid < 0) != (by.loginuid < 0))
		*why = "the login uid of one of the two is not known";
	else if (is_late(p->at, done->at) || is_late(p->when, when))
		*why = "the proposal is older than 7 days";
	else if (tf_time_cmp(when, p->when) < 0)
		*why = "the clock is behind the time of the proposal";
	return TF_OK;
}
