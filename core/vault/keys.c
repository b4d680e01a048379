/*
 * The keys of a store.  The log's key signs checkpoints; the newest
 * checkpoint, which tf_commit_start() and tf_head_compare() read, shows
 * whether it is the right one.  No checkpoint speaks of the attester's key, so
 * check_attester() compares that with the ledger's.  keys/log.vkey holds
 * nothing secret and follows from key and origin; it is written anew when it
 * does not match.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../environment.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/host.h"
#include "../node/key_state.h"
#include "../node/log_keys.h"
#include "../node/vault_i.h"
#include "../seal/session.h"
#include "../sign/sign.h"
#include "../store/key_dir.h"
#include "../store/meta.h"
#include "../store/store_files.h"
#include "../vault.h"
#include "keys.h"
#include "signer.h"

#define SMALL_FILE 65536 /* bytes */

/* Check that the attester's key is the one in force.  (The newest checkpoint
 * proves the log's key.) */
static enum tf_code
check_attester(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	char want[128];
	struct tf_buf have = { 0 };
	bool same;
	enum tf_code rc = tf_meta_get_text(db, "attester", want, sizeof(want),
	    err);

	if (rc == TF_NOTFOUND)
		return TF_OK; /* the first opening */
	if (rc != TF_OK)
		return rc;
	tf_attester_text(v, &have);
	same = !have.failed && have.n == strlen(want) &&
	    memcmp(have.p, want, have.n) == 0;
	tf_buf_free(&have);
	return same ? TF_OK :
		      tf_fail(err, TF_TAMPER,
			  "%s is not the key that "
			  "the ledger says is in force",
			  TF_ATTESTER_SECRET);
}

/* Set *out to the attester's key in force; false: the ledger names none yet. */
static bool
attester_of(struct tf_db *db, struct tf_pubkey *out)
{
	uint8_t der[TF_SPKI_LEN];
	char text[128];

	if (tf_meta_get_text(db, "attester", text, sizeof(text), NULL) !=
		TF_OK ||
	    !tf_unbase64_exact(text, strlen(text), der, sizeof(der)))
		return false;
	memcpy(out->b, der + TF_SPKI_LEN - TF_PUBKEY_LEN, TF_PUBKEY_LEN);
	return true;
}

/*
 * The ledger decides which keys are in force.  After a crash between the commit of
 * a rotation and its adoption, this names them to the signer.  A signer without such
 * a key has those of another store: other checks say which.
 */
static enum tf_code
adopt(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	struct tf_key_state *s;
	struct tf_signer_keys keys;
	struct tf_error e;
	enum tf_code rc = tf_key_state_new(v, db, &s, err);

	if (rc != TF_OK)
		return rc;
	s->log = *tf_log_keys_at(&s->rotations, &s->log, UINT64_MAX);
	(void)attester_of(db, &s->attester);
	keys = (struct tf_signer_keys){ s->log.pub, s->attester };
	if (memcmp(&keys, tf_signer_keys(v->signer), sizeof(keys)) != 0) {
		rc = tf_signer_adopt(v->signer, &keys, false, &e);
		if (rc == TF_NOTFOUND) {
			tf_key_state_free(s);
			return TF_OK;
		}
		if (rc != TF_OK) {
			tf_key_state_free(s);
			return tf_fail_as(err, &e);
		}
		tf_vault_say_key(v, TF_OK,
		    "a rotation that was cut short is finished: the new key "
		    "signs");
	}
	v->vkey = s->log;
	tf_key_state_use(v, s);
	return TF_OK;
}

/* The log's key by the ledger: that of the last opening, or of a rotation since. */
static enum tf_code
ledger_log_key(struct tf_vault *v, struct tf_db *db, struct tf_vkey *out,
    struct tf_error *err)
{
	struct tf_log_keys keys = { .n = 0 };
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	struct tf_vkey k;
	enum tf_code rc = tf_session_last(v, &text, &d, err);

	if (rc == TF_OK)
		rc = tf_vkey_parse(d.e.key_log.n == 0 ? "" : d.e.key_log.p,
		    d.e.key_log.n, &k, err);
	if (rc == TF_OK)
		rc = tf_log_keys_load(db, &keys, err);
	if (rc == TF_OK)
		*out = *tf_log_keys_at(&keys, &k, UINT64_MAX);
	tf_log_keys_free(&keys);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}

/* The entries so far are judged by the ledger's keys; what follows the new origin is
 * signed by those of the signer. */
static enum tf_code
take_ledger_keys(struct tf_vault *v, struct tf_db *db, bool *other,
    struct tf_error *err)
{
	struct tf_vkey k;
	struct tf_error e;
	enum tf_code rc = check_attester(v, db, &e);

	*other = rc == TF_TAMPER;
	if (rc != TF_OK && rc != TF_TAMPER)
		return tf_fail_as(err, &e);
	if ((rc = ledger_log_key(v, db, &k, err)) != TF_OK)
		return rc;
	if (memcmp(&k.pub, &tf_log_key(v)->pub, sizeof(k.pub)) != 0) {
		*other = true;
		tf_log_key_set(v, &k);
	}
	return TF_OK;
}

enum tf_code
tf_vault_load_keys(struct tf_vault *v, int control, struct tf_db *db,
    const struct tf_vkey *restored, bool renews, bool *other,
    struct tf_error *err)
{
	enum tf_code rc;

	*other = false;
	tf_environment_hide_memory();
	if ((rc = tf_vault_open_signer(v, control, err)) != TF_OK)
		return rc;
	v->attester = tf_signer_keys(v->signer)->attester;
	if (restored != NULL) {
		v->vkey = *restored;
		return TF_OK;
	}
	tf_vkey_make(&v->vkey, v->origin, &tf_signer_keys(v->signer)->log);
	rc = adopt(v, db, err);
	if (rc == TF_OK && renews)
		return take_ledger_keys(v, db, other, err);
	return rc == TF_OK ? check_attester(v, db, err) : rc;
}

/* keys/ may belong to root in a store of another user: see tf_vault_keep_vkey(). */
static bool
may_write_keys(const struct tf_vault *v)
{
	return faccessat(v->dirfd, "keys", W_OK, AT_EACCESS) == 0 ||
	    errno != EACCES;
}

/* Write the file if it does not hold want. */
static enum tf_code
keep(struct tf_vault *v, const char *name, const struct tf_buf *want,
    bool *wrote, struct tf_error *err)
{
	struct tf_buf have = { 0 };
	enum tf_code rc = tf_file_read(v->dirfd, name, SMALL_FILE, &have, err);

	*wrote = false;
	if (rc == TF_ACCESS && !may_write_keys(v))
		return TF_OK;
	/* A file that is missing or damaged is written; one that could not be
	 * read now may be right. */
	if (!tf_code_undecided(rc)) {
		rc = want->failed ? tf_nomem(err) : TF_OK;
		if (rc == TF_OK &&
		    !tf_str_same(tf_buf_bytes(&have), tf_buf_bytes(want))) {
			*wrote = may_write_keys(v);
			if (*wrote)
				rc = tf_file_write(v->dirfd, name, want->p,
				    want->n, 0400, false, err);
			else
				tf_vault_say(v, TF_OK,
				    "%s is not that of the key in force: the "
				    "owner of keys/ writes it with the next "
				    "trailctl that writes to the store",
				    name);
			*wrote = *wrote && rc == TF_OK;
		}
	}
	tf_buf_free(&have);
	return rc;
}

enum tf_code
tf_vault_keep_vkey(struct tf_vault *v, bool rotated, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	bool wrote, other;
	enum tf_code rc = tf_vault_vkey(v, &text, err);

	if (rc == TF_OK)
		rc = keep(v, TF_LOG_VKEY, &text, &wrote, err);
	if (rc == TF_OK && wrote && !rotated)
		tf_vault_say(v, TF_OK,
		    "%s was not that of the key and the origin %s, and is "
		    "written anew",
		    TF_LOG_VKEY, v->origin);
	text.n = 0;
	tf_pubkey_pem(&tf_log_key(v)->pub, &text);
	if (rc == TF_OK)
		rc = keep(v, TF_LOG_PUB, &text, &other, err);
	text.n = 0;
	tf_pubkey_pem(tf_attester_key(v), &text);
	if (rc == TF_OK)
		rc = keep(v, TF_ATTESTER_PUB, &text, &other, err);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_vault_load_vkey(struct tf_vault *v, struct tf_error *err)
{
	struct tf_key_state *s = NULL;
	struct tf_buf b = { 0 };
	struct tf_db *db;
	struct tf_vkey k;
	enum tf_code rc;

	rc = tf_file_read(v->dirfd, TF_LOG_VKEY, SMALL_FILE, &b, err);
	if (rc == TF_OK)
		rc = tf_vkey_parse(b.p == NULL ? "" : b.p,
		    b.n > 0 && b.p[b.n - 1] == '\n' ? b.n - 1 : b.n, &k, err);
	/* After a crash it may have the old origin: see tf_vault_keep_vkey(). */
	if (rc == TF_OK)
		tf_vkey_make(&v->vkey, v->origin, &k.pub);
	tf_buf_free(&b);
	if (rc != TF_OK || (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_key_state_new(v, db, &s, err);
	tf_reader_done(v, db);
	if (rc != TF_OK)
		return rc;
	s->log = *tf_log_keys_at(&s->rotations, &s->log, UINT64_MAX);
	tf_key_state_use(v, s);
	return TF_OK;
}
