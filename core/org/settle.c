/* The files beside the ledger follow the key in force: see settle.h. */
#include "settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../ledger/entry_read.h"
#include "state.h"

#define OVERLAP_S ((int64_t)30 * 24 * 3600) /* in which the old key signs too */

static bool
same(const struct tf_vkey *a, const struct tf_vkey *b)
{
	return memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

enum tf_code
tf_organiser_load_key(const struct tf_organiser *o, const char *name,
    struct tf_key **key, struct tf_vkey *vkey, struct tf_error *err)
{
	struct tf_pubkey pub;
	enum tf_code rc = tf_key_load(o->dir, name, key, err);

	if (rc != TF_OK)
		return rc;
	tf_key_public(*key, &pub);
	tf_vkey_make(vkey, o->vkey.name, &pub);
	return TF_OK;
}

static enum tf_code
save_vkey(const struct tf_organiser *o, const struct tf_own *own,
    struct tf_error *err)
{
	struct tf_str rotations = tf_buf_bytes(&own->keys.text);
	struct tf_buf text = { 0 };
	enum tf_code rc;

	tf_vkey_text(&o->vkey, &text);
	tf_buf_str(&text, "\n");
	tf_buf_add(&text, rotations.p, rotations.n);
	if ((rc = tf_buf_end(&text, err)) == TF_OK)
		rc = tf_file_write(o->dir, TF_ORGANISER_VKEY, text.p, text.n,
		    0444, false, err);
	tf_buf_free(&text);
	return rc;
}

/* The new key takes the place of the old one.  The state is signed by the new one
 * then: without this step the next run would read everything. */
static enum tf_code
exchange(struct tf_organiser *o, const struct tf_vkey *now,
    struct tf_error *err)
{
	struct tf_org_state state = { 0 };
	struct tf_key *key = NULL;
	struct tf_vkey vkey;
	bool kept;
	enum tf_code rc = tf_organiser_load_key(o, TF_ORGANISER_NEW, &key,
	    &vkey, err);

	if (rc == TF_NOTFOUND || (rc == TF_OK && !same(&vkey, now))) {
		tf_key_free(key);
		return tf_fail(err, TF_FOREIGN,
		    "the key was replaced, and the new one is not beside it: "
		    "another copy of the directory has it");
	}
	if (rc != TF_OK)
		return rc;
	kept = tf_org_state_load(o, &state, NULL) == TF_OK;
	if (renameat2(o->dir, TF_ORGANISER_NEW, o->dir, TF_ORGANISER_SECRET,
		RENAME_EXCHANGE) < 0)
		rc = tf_fail(err, TF_IO, "exchange the keys: %s",
		    strerror(errno));
	if (rc == TF_OK)
		rc = tf_file_sync_dir(o->dir, ".", err);
	if (rc == TF_OK) {
		struct tf_key *old = o->key;

		o->key = key;
		o->vkey = vkey;
		key = old;
		/* If that fails, everything is read. */
		if (kept && tf_org_state_save(o, &state, NULL) != TF_OK)
			kept = false;
	}
	tf_key_free(key);
	tf_org_state_free(&state);
	return rc;
}

/* log.new.pem may be a key that was in force: it was exchanged, and not renamed. */
static enum tf_code
rename_old(const struct tf_organiser *o, const struct tf_own *own,
    struct tf_error *err)
{
	struct tf_key *key = NULL;
	struct tf_vkey vkey;
	enum tf_code rc = tf_organiser_load_key(o, TF_ORGANISER_NEW, &key,
	    &vkey, err);

	tf_key_free(key);
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK || !tf_log_keys_has(&own->keys, &o->vkey, &vkey))
		return rc;
	if ((rc = tf_file_wipe(o->dir, TF_ORGANISER_OLD, err)) != TF_OK)
		return rc;
	if (renameat(o->dir, TF_ORGANISER_NEW, o->dir, TF_ORGANISER_OLD) < 0)
		return tf_fail(err, TF_IO, "rename the old key: %s",
		    strerror(errno));
	return tf_file_sync_dir(o->dir, ".", err);
}

/* When the last rotation was. */
static int64_t
rotated_s(const struct tf_own *own)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_str text = tf_buf_bytes(&own->keys.text);
	const char *lf;
	int64_t s = 0;

	if (text.n == 0)
		return 0;
	lf = memrchr(text.p, '\n', text.n - 1);
	if (lf != NULL)
		text = (struct tf_str){ lf + 1,
			text.n - (size_t)(lf + 1 - text.p) };
	if (tf_entry_decode(&d, text.p, text.n - 1, NULL) == TF_OK)
		s = d.e.at.s;
	tf_entry_decoded_free(&d);
	return s;
}

static enum tf_code
load_old(struct tf_organiser *o, const struct tf_own *own, struct tf_error *err)
{
	enum tf_code rc;

	if (tf_clock_now().s - rotated_s(own) > OVERLAP_S)
		return tf_file_wipe(o->dir, TF_ORGANISER_OLD, err);
	rc = tf_organiser_load_key(o, TF_ORGANISER_OLD, &o->old_key,
	    &o->old_vkey, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_organiser_settle(struct tf_organiser *o, const struct tf_own *own,
    bool *switched, struct tf_error *err)
{
	struct tf_vkey now = *tf_log_keys_at(&own->keys, &o->vkey, UINT64_MAX);
	bool other = !same(&now, &o->vkey);
	enum tf_code rc = TF_OK;

	if (switched != NULL)
		*switched = other;
	if (other)
		rc = exchange(o, &now, err);
	if (rc == TF_OK && !tf_log_keys_has(&own->keys, &o->vkey, &o->file))
		rc = tf_fail(err, TF_FOREIGN, "%s is not the public half of %s",
		    TF_ORGANISER_VKEY, TF_ORGANISER_SECRET);
	if (rc != TF_OK || own->keys.n == 0)
		return rc;
	rc = rename_old(o, own, err);
	if (rc == TF_OK && !same(&o->vkey, &o->file)) {
		rc = save_vkey(o, own, err);
		o->file = o->vkey;
	}
	return rc == TF_OK ? load_old(o, own, err) : rc;
}
