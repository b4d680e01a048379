/* Making and governing an organisation: see core/org.h. */
#include "../org.h"

#include <string.h>

#include "../ledger/note.h"
#include "organiser.h"
#include "own.h"
#include "uri.h"

static enum tf_code
probe(const char *uri, bool *worm, struct tf_error *err)
{
	struct tf_blobs *b = NULL;
	enum tf_worm verdict = TF_WORM_UNLOCKED;
	enum tf_code rc = tf_blobs_open(uri, TF_ORG_ORGANISER, &b, err);

	if (rc == TF_OK)
		rc = b->ops->probe_worm(b, &verdict, err);
	tf_blobs_close(b);
	if (rc == TF_OK && verdict == TF_WORM_NOT_HELD)
		rc = tf_fail(err, TF_DENIED,
		    "a locked object could be deleted: the store of the blobs "
		    "ignores locks, or these credentials may bypass them");
	if (worm != NULL)
		*worm = verdict == TF_WORM_HELD;
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

enum tf_code
tf_org_enrol(const char *ledger, const char *vkey, const char *role,
    struct tf_error *err)
{
	struct tf_ledger *l = NULL;
	struct tf_vkey key;
	enum tf_code rc = tf_vkey_parse(vkey, strcspn(vkey, "\n"), &key, err);

	if (rc == TF_OK && strchr(vkey, '\n') != NULL)
		rc = tf_fail(err, TF_INVALID,
		    "give the first key of the log alone, without rotations");
	if (rc == TF_OK)
		rc = tf_ledger_open(ledger, TF_ORG_ORGANISER, &l, err);
	if (rc == TF_OK)
		rc = l->ops->enrol(l, key.name, vkey, role, err);
	tf_ledger_close(l);
	return rc;
}

enum tf_code
tf_org_revoke(const char *ledger, const char *origin, struct tf_error *err)
{
	struct tf_ledger *l = NULL;
	enum tf_code rc = tf_ledger_open(ledger, TF_ORG_ORGANISER, &l, err);

	if (rc == TF_OK)
		rc = l->ops->revoke(l, origin, err);
	tf_ledger_close(l);
	return rc;
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
