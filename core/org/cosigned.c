/* The checkpoint of an organisation with the lines of witnesses: see core/org.h. */
#include <string.h>

#include "organiser.h"
#include "uri.h"

#define CHECKPOINT "checkpoint"

enum tf_code
tf_org_checkpoint(const char *ledger, struct tf_buf *note, struct tf_error *err)
{
	struct tf_ledger *l = NULL;
	uint64_t size;
	enum tf_code rc = tf_ledger_open(ledger, TF_ORG_READER, &l, err);

	if (rc == TF_OK)
		rc = l->ops->checkpoint_get(l, &size, note, err);
	tf_ledger_close(l);
	return rc;
}

enum tf_code
tf_org_published(const char *blobs, const char *name, size_t max,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_blobs *b = NULL;
	enum tf_code rc = tf_blobs_open(blobs, TF_ORG_READER, &b, err);

	if (rc == TF_OK)
		rc = b->ops->fetch(b, name, max, out, err);
	tf_blobs_close(b);
	return rc;
}

static enum tf_code
put(struct tf_ledger *l, struct tf_str note, struct tf_error *err)
{
	struct tf_buf now = { 0 };
	uint64_t size;
	enum tf_code rc = l->ops->checkpoint_get(l, &size, &now, err);

	if (rc == TF_OK &&
	    (note.n < now.n || memcmp(note.p, now.p, now.n) != 0 ||
		!tf_note_split(note.p, note.n, &(struct tf_note){ 0 })))
		rc = tf_fail(err, TF_BUSY,
		    "another checkpoint was published meanwhile");
	if (rc == TF_OK)
		rc = l->ops->checkpoint_put(l, size, size, note, err);
	tf_buf_free(&now);
	return rc;
}

/* The lock of the keys keeps other publications of this machine away. */
enum tf_code
tf_org_cosigned(const char *ledger, const char *blobs, const char *keys,
    struct tf_str note, struct tf_error *err)
{
	struct tf_organiser o;
	struct tf_ledger *l = NULL;
	struct tf_blobs *b = NULL;
	enum tf_code rc = tf_organiser_load(keys, &o, err);

	if (rc == TF_OK)
		rc = tf_ledger_open(ledger, TF_ORG_ORGANISER, &l, err);
	if (rc == TF_OK)
		rc = tf_blobs_open(blobs, TF_ORG_ORGANISER, &b, err);
	if (rc == TF_OK)
		rc = put(l, note, err);
	if (rc == TF_OK)
		rc = b->ops->publish(b, CHECKPOINT, note.p, note.n, false, err);
	tf_ledger_close(l);
	tf_blobs_close(b);
	tf_organiser_free(&o);
	return rc;
}
