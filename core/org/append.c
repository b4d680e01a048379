/* Appending until the outcome is known: see append.h. */
#include "append.h"

#include <string.h>

#define NUMBER_MAX ((uint64_t)1 << 62)

static enum tf_code
check(const struct tf_batch *b, struct tf_error *err)
{
	size_t n = strlen(b->origin);

	if (n == 0 || n > TF_ORG_NAME_MAX || b->n == 0 || b->n > TF_BATCH_MAX ||
	    b->nlocated > TF_LOCATED_MAX || b->number > NUMBER_MAX)
		return tf_fail(err, TF_USAGE, "a batch breaks a limit");
	for (size_t i = 0; i < b->n; i++)
		if (b->entries[i].n == 0 || b->entries[i].n > TF_ORG_ENTRY_MAX)
			return tf_fail(err, TF_USAGE,
			    "an entry of a batch breaks a limit");
	for (size_t i = 0; i < b->nlocated; i++)
		if (b->located[i].len > TF_BUNDLED_MAX ||
		    b->located[i].off > TF_BUNDLE_MAX - b->located[i].len)
			return tf_fail(err, TF_USAGE,
			    "a part of a bundle breaks a limit");
	return TF_OK;
}

unsigned
tf_pause_after(unsigned ms)
{
	if (ms == 0)
		return TF_PAUSE_FIRST_MS;
	return ms < TF_PAUSE_MOST_MS / 2 ? ms * 2 : TF_PAUSE_MOST_MS;
}

enum tf_code
tf_org_append(struct tf_ledger *l, const struct tf_batch *b,
    const struct tf_patience *p, struct tf_appended *out, struct tf_error *err)
{
	struct tf_error why = { 0 };
	unsigned ms = 0;
	bool doubt = false;
	enum tf_code rc = check(b, err);

	if (rc != TF_OK)
		return rc;
	for (;;) {
		rc = l->ops->append(l, b, out, &why);
		if (rc == TF_OK)
			return TF_OK;
		if (rc != TF_INDOUBT && rc != TF_BUSY && rc != TF_IO)
			return tf_fail_as(err, &why);
		doubt = doubt || rc == TF_INDOUBT;
		ms = tf_pause_after(ms);
		if (!p->pause(p->arg, ms, &why))
			break;
	}
	return doubt ? tf_fail(err, TF_INDOUBT, "%.150s", why.text) :
		       tf_fail_as(err, &why);
}
