/* Making and governing an organisation: see org.h above. */
#include "../org.h"

#include <string.h>

#include "../ledger/note.h"
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
		    "the store of the blobs ignores locks: a locked object "
		    "could be deleted");
	if (worm != NULL)
		*worm = verdict == TF_WORM_HELD;
	return rc;
}

/* The ledger comes last: whoever is killed here can begin again. */
enum tf_code
tf_org_init(const char *ledger, const char *blobs, bool *worm,
    struct tf_error *err)
{
	enum tf_code rc = tf_blobs_create(blobs, err);

	if (rc == TF_OK)
		rc = probe(blobs, worm, err);
	return rc == TF_OK ? tf_ledger_create(ledger, err) : rc;
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
