/* The key of an organisation's log, replaced: see rotate.h. */
#include "rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../ledger/entry_read.h"
#include "../org.h"
#include "state.h"
#include "uri.h"

#define OVERLAP_S ((int64_t)30 * 24 * 3600) /* in which the old key signs too */

static bool
same(const struct tf_vkey *a, const struct tf_vkey *b)
{
	return memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

/* The key in a file as one of this log.  TF_NOTFOUND. */
static enum tf_code
load_key(const struct tf_organiser *o, const char *name, struct tf_key **key,
    struct tf_vkey *vkey, struct tf_error *err)
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
	enum tf_code rc = load_key(o, TF_ORGANISER_NEW, &key, &vkey, err);

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
	enum tf_code rc = load_key(o, TF_ORGANISER_NEW, &key, &vkey, err);

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
	rc = load_key(o, TF_ORGANISER_OLD, &o->old_key, &o->old_vkey, err);
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

/* --- a rotation ------------------------------------------------------------------- */

/* A new key that a killed run has left is taken. */
static enum tf_code
make_new(const struct tf_organiser *o, struct tf_key **key,
    struct tf_vkey *vkey, struct tf_error *err)
{
	enum tf_code rc = load_key(o, TF_ORGANISER_NEW, key, vkey, err);

	if (rc != TF_NOTFOUND)
		return rc;
	rc = tf_key_generate(key, err);
	if (rc == TF_OK)
		rc = tf_key_save(*key, o->dir, TF_ORGANISER_NEW, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(o->dir, ".", err);
	tf_key_free(*key);
	*key = NULL;
	return rc == TF_OK ? load_key(o, TF_ORGANISER_NEW, key, vkey, err) : rc;
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
		*finished = !same(&by, &o->vkey);
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
