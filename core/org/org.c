/* Making and governing an organisation: see core/org.h. */
#include "../org.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../ledger/note.h"
#include "organiser.h"
#include "own.h"
#include "uri.h"

static enum tf_code
probe(const char *uri, bool *worm, struct tf_error *err)
{
	struct tf_blobs *b = NULL;
	bool held = false;
	enum tf_code rc = tf_blobs_open(uri, TF_ORG_ORGANISER, &b, err);

	if (rc == TF_OK)
		rc = tf_blobs_probe(b, &held, err);
	tf_blobs_close(b);
	if (worm != NULL)
		*worm = held;
	return rc;
}

/* A ledger that a killed run has left empty is taken. */
static enum tf_code
create(const char *uri, struct tf_ledger **l, struct tf_error *err)
{
	struct tf_error why = { 0 };
	uint64_t size;
	enum tf_code rc = tf_ledger_create(uri, &why), opened;

	if (rc != TF_OK && rc != TF_EXISTS)
		return tf_fail_as(err, &why);
	if ((opened = tf_ledger_open(uri, TF_ORG_ORGANISER, l, err)) != TF_OK)
		return opened;
	if (rc == TF_OK)
		return TF_OK;
	if ((rc = (*l)->ops->size(*l, &size, err)) == TF_OK && size > 0)
		rc = tf_fail_as(err, &why);
	return rc;
}

static enum tf_code
append_first(struct tf_ledger *l, const struct tf_organiser *o,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_buf entry = { 0 }, vkey = { 0 };
	struct tf_str bytes;
	enum tf_code rc = tf_organiser_entry(o, who, &entry, err);

	tf_vkey_text(&o->vkey, &vkey);
	tf_buf_add(&vkey, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&vkey, err);
	bytes = tf_buf_bytes(&entry);
	if (rc == TF_OK)
		rc = tf_own_append(l, o->vkey.name, vkey.p, 0, &bytes, 1, err);
	tf_buf_free(&entry);
	tf_buf_free(&vkey);
	return rc;
}

enum tf_code
tf_org_init(const struct tf_org_new *o, bool *worm, struct tf_error *err)
{
	struct tf_organiser organiser;
	struct tf_ledger *l = NULL;
	enum tf_code rc = tf_organiser_make(o->keys, o->origin, &organiser,
	    err);

	if (rc == TF_OK)
		rc = tf_blobs_create(o->blobs, err);
	if (rc == TF_OK)
		rc = probe(o->blobs, worm, err);
	if (rc == TF_OK)
		rc = create(o->ledger, &l, err);
	if (rc == TF_OK)
		rc = append_first(l, &organiser, o->who, err);
	tf_ledger_close(l);
	tf_organiser_free(&organiser);
	return rc;
}

/* --- members -------------------------------------------------------------------- */

#define TRIES 5 /* of organisers who do something at the same moment */

struct governing {
	struct tf_ledger *l;
	const struct tf_actor *who;
	struct tf_member to;  /* what the member is to be */
	struct tf_buf origin; /* of the organisation; empty: it has none */
	struct tf_own own;
	/* what the engine's list says now */
	bool listed, revoked, same_role;
	struct tf_buf vkey;
	uint64_t next;
};

static enum tf_code
take_first(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct governing *g = arg;
	struct tf_org_entry o;
	enum tf_code rc = tf_org_entry_decode(&o, leaf->bytes.p, leaf->bytes.n,
	    NULL);

	if (rc == TF_OK && o.type == TF_ORG_OPENED) {
		tf_buf_add(&g->origin, leaf->origin.p, leaf->origin.n);
		tf_buf_add(&g->origin, "", 1);
		rc = tf_buf_end(&g->origin, err);
		g->origin.n--;
	} else if (rc != TF_NOMEM) {
		rc = TF_OK;
	}
	tf_org_entry_free(&o);
	return rc;
}

static enum tf_code
find_listed(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct governing *g = arg;

	if (!tf_str_same(m->origin, g->to.origin))
		return TF_OK;
	g->listed = true;
	g->revoked = m->revoked;
	g->same_role = tf_str_same(m->role, g->to.role);
	g->next = m->next;
	g->vkey.n = 0;
	tf_buf_add(&g->vkey, m->vkey.p, m->vkey.n);
	return tf_buf_end(&g->vkey, err);
}

/* Is the member what it is to be, and does an entry say so? */
static bool
is_done(const struct governing *g)
{
	const struct tf_own_member *m = tf_own_member(&g->own, g->to.origin);
	bool listed = g->listed && g->revoked == g->to.revoked;

	if (g->to.revoked)
		return listed && m != NULL && m->is == TF_REVOKED;
	return listed && g->same_role && m != NULL && m->is == TF_ENROLLED &&
	    tf_str_same(tf_str_of(m->role), g->to.role);
}

/* Only the engine's list: a ledger without an organisation has no entries of one; and
 * what is there already is asked for again, since the answer to this waits for all
 * nodes that must have it. */
static enum tf_code
change_list(struct governing *g, struct tf_error *err)
{
	char *name = strndup(g->to.origin.p, g->to.origin.n),
	     *vkey = strndup(g->to.vkey.p, g->to.vkey.n),
	     *role = strndup(g->to.role.p, g->to.role.n);
	enum tf_code rc;

	if (name == NULL || vkey == NULL || role == NULL)
		rc = tf_nomem(err);
	else if (g->to.revoked)
		rc = g->l->ops->revoke(g->l, name, err);
	else
		rc = g->l->ops->enrol(g->l, name, vkey, role, err);
	free(name);
	free(vkey);
	free(role);
	return rc;
}

static enum tf_code
govern_once(struct governing *g, struct tf_error *err)
{
	enum tf_code rc;

	g->listed = false;
	if (g->origin.n > 0) {
		rc = tf_own_read(g->l, g->origin.p, &g->own, err);
		if (rc != TF_OK)
			return rc;
	}
	if ((rc = g->l->ops->members(g->l, find_listed, g, err)) != TF_OK)
		return rc;
	errno = 0;
	if (g->to.revoked && !g->listed)
		return tf_fail(err, TF_NOTFOUND, "%.*s is not enrolled",
		    (int)g->to.origin.n, g->to.origin.p);
	if (!g->to.revoked && g->listed &&
	    !tf_str_same(tf_buf_bytes(&g->vkey), g->to.vkey))
		return tf_fail(err, TF_EXISTS,
		    "%.*s is enrolled with another key", (int)g->to.origin.n,
		    g->to.origin.p);
	if (g->to.revoked)
		g->to.vkey = tf_buf_bytes(&g->vkey);
	if (g->origin.n == 0 || is_done(g))
		return change_list(g, err);
	g->to.next = g->listed ? g->next : 0;
	return tf_own_govern(g->l, g->origin.p, &g->to, false, g->who, &g->own,
	    err);
}

static enum tf_code
govern(struct governing *g, const char *ledger, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_ledger_open(ledger, TF_ORG_ORGANISER, &g->l, err);

	if (rc != TF_OK)
		return rc;
	rc = g->l->ops->read(g->l, 0, 1, take_first, g, err);
	errno = 0;
	if (rc == TF_OK && tf_str_same(g->to.origin, tf_buf_bytes(&g->origin)))
		rc = tf_fail(err, TF_INVALID,
		    "%s is the organisation itself, and no member",
		    g->origin.p);
	for (int i = 0; rc == TF_OK; i++) {
		rc = govern_once(g, &why);
		if ((rc != TF_BUSY && rc != TF_INDOUBT) || i == TRIES)
			break;
		rc = TF_OK;
	}
	if (rc != TF_OK && why.code != TF_OK)
		rc = tf_fail_as(err, &why);
	tf_ledger_close(g->l);
	tf_own_free(&g->own);
	tf_buf_free(&g->origin);
	tf_buf_free(&g->vkey);
	return rc;
}

enum tf_code
tf_org_enrol(const char *ledger, const char *vkey, const char *role,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_vkey key;
	struct governing g = { .who = who };
	enum tf_code rc = tf_vkey_parse(vkey, strcspn(vkey, "\n"), &key, err);

	if (rc == TF_OK && strchr(vkey, '\n') != NULL)
		rc = tf_fail(err, TF_INVALID,
		    "give the first key of the log alone, without rotations");
	if (rc != TF_OK)
		return rc;
	g.to = (struct tf_member){ .origin = tf_str_of(key.name),
		.vkey = tf_str_of(vkey),
		.role = tf_str_of(role) };
	return govern(&g, ledger, err);
}

enum tf_code
tf_org_revoke(const char *ledger, const char *origin,
    const struct tf_actor *who, struct tf_error *err)
{
	struct governing g = { .who = who,
		.to = { .origin = tf_str_of(origin),
		    .role = tf_str_of(""),
		    .revoked = true } };

	return govern(&g, ledger, err);
}

enum tf_code
tf_org_members(const char *ledger, tf_member_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_ledger *l = NULL;
	enum tf_code rc = tf_ledger_open(ledger, TF_ORG_READER, &l, err);

	if (rc == TF_OK)
		rc = l->ops->members(l, fn, arg, err);
	tf_ledger_close(l);
	return rc;
}

enum tf_code
tf_org_refusals(const char *ledger, tf_refused_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_ledger *l = NULL;
	enum tf_code rc = tf_ledger_open(ledger, TF_ORG_READER, &l, err);

	if (rc == TF_OK)
		rc = l->ops->refusals(l, 0, fn, arg, err);
	tf_ledger_close(l);
	return rc;
}
