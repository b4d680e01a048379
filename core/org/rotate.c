/* The key of an organisation's log, replaced: tf_org_rotate() in core/org.h. */
#include <string.h>

#include "../base/file.h"
#include "../org.h"
#include "settle.h"
#include "uri.h"

/* A new key that a killed run has left is taken. */
static enum tf_code
make_new(const struct tf_organiser *o, struct tf_key **key,
    struct tf_vkey *vkey, struct tf_error *err)
{
	enum tf_code rc = tf_organiser_load_key(o, TF_ORGANISER_NEW, key, vkey,
	    err);

	if (rc != TF_NOTFOUND)
		return rc;
	rc = tf_key_generate(key, err);
	if (rc == TF_OK)
		rc = tf_key_save(*key, o->dir, TF_ORGANISER_NEW, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(o->dir, ".", err);
	tf_key_free(*key);
	*key = NULL;
	return rc == TF_OK ?
	    tf_organiser_load_key(o, TF_ORGANISER_NEW, key, vkey, err) :
	    rc;
}

/* The old key is good for what it has signed.  *finished: it has signed nothing yet,
 * because a rotation to it was cut before the publication. */
static enum tf_code
signed_size(struct tf_ledger *l, const struct tf_organiser *o,
    const struct tf_own *own, uint64_t *size, bool *finished,
    struct tf_error *err)
{
	struct tf_vkey by;
	struct tf_buf note = { 0 };
	struct tf_checkpoint c;
	enum tf_code rc = l->ops->checkpoint_get(l, size, &note, err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_NOTFOUND,
		    "nothing was published yet: publish first");
	if (rc == TF_OK)
		rc = tf_log_keys_check(&own->keys, &o->vkey, note.p, note.n, &c,
		    &by, err);
	if (rc == TF_OK) {
		*size = c.size;
		*finished = memcmp(&by.pub, &o->vkey.pub, sizeof(by.pub)) != 0;
	}
	tf_buf_free(&note);
	return rc;
}

static enum tf_code
rotate(struct tf_ledger *l, struct tf_organiser *o, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_own own = { 0 };
	struct tf_own_rotation r = { .old_vkey = &o->vkey, .old_key = o->key };
	struct tf_key *key = NULL;
	struct tf_vkey vkey;
	bool finished = false;
	enum tf_code rc = tf_own_read(l, o->vkey.name, &own, err);

	if (rc == TF_OK)
		rc = tf_organiser_settle(o, &own, &finished, err);
	if (rc == TF_OK && !finished)
		rc = signed_size(l, o, &own, &r.size, &finished, err);
	if (rc == TF_OK && !finished)
		rc = make_new(o, &key, &vkey, err);
	if (rc == TF_OK && !finished) {
		r.new_key = key;
		r.new_vkey = &vkey;
		rc = tf_own_rotate(l, &r, who, &own, err);
	}
	tf_key_free(o->old_key);
	o->old_key = NULL;
	if (rc == TF_OK && !finished)
		rc = tf_organiser_settle(o, &own, NULL, err);
	tf_key_free(key);
	tf_own_free(&own);
	return rc;
}

enum tf_code
tf_org_rotate(const struct tf_publish *o, struct tf_published *out,
    struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_organiser organiser;
	struct tf_ledger *l = NULL;
	enum tf_code rc = tf_organiser_load(o->keys, &organiser, err);

	if (rc == TF_OK)
		rc = tf_ledger_open(o->ledger, TF_ORG_ORGANISER, &l, err);
	if (rc == TF_OK)
		rc = rotate(l, &organiser, o->who, err);
	if (rc == TF_OK) {
		tf_vkey_text(&organiser.vkey, vkey);
		rc = tf_buf_end(vkey, err);
	}
	tf_ledger_close(l);
	tf_organiser_free(&organiser);
	return rc == TF_OK ? tf_org_publish(o, out, err) : rc;
}
