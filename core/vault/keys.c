/*
 * The keys of a store.  The log's key signs checkpoints; the newest
 * checkpoint, which tf_commit_start() and tf_head_compare() read, shows
 * whether it is the right one.  No checkpoint speaks of the attester's key, so
 * check_attester() compares that with the ledger's.  keys/log.vkey holds
 * nothing secret and follows from key and origin; it is written anew when it
 * does not match.
 */
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../environment.h"
#include "../ledger/checkpoint.h"
#include "../node/base.h"
#include "../node/host.h"
#include "../node/vault_i.h"
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

enum tf_code
tf_vault_load_keys(struct tf_vault *v, int control, struct tf_db *db,
    const struct tf_vkey *restored, struct tf_error *err)
{
	enum tf_code rc;

	tf_environment_hide_memory();
	if ((rc = tf_vault_open_signer(v, control, err)) != TF_OK)
		return rc;
	v->attester = tf_signer_keys(v->signer)->attester;
	if (restored != NULL) {
		v->vkey = *restored;
		return TF_OK;
	}
	tf_vkey_make(&v->vkey, v->origin, &tf_signer_keys(v->signer)->log);
	return check_attester(v, db, err);
}

enum tf_code
tf_vault_keep_vkey(struct tf_vault *v, struct tf_error *err)
{
	struct tf_buf have = { 0 }, want = { 0 };
	enum tf_code rc = tf_file_read(v->dirfd, TF_LOG_VKEY, SMALL_FILE, &have,
	    err);

	/* A file that is missing or damaged is written; one that could not be
	 * read now may be right. */
	if (tf_code_undecided(rc))
		goto out;
	if ((rc = tf_vault_vkey(v, &want, err)) == TF_OK &&
	    !tf_str_same(tf_buf_bytes(&have), tf_buf_bytes(&want))) {
		rc = tf_file_write(v->dirfd, TF_LOG_VKEY, want.p, want.n, 0400,
		    false, err);
		if (rc == TF_OK)
			tf_vault_say(v, TF_OK,
			    "%s was not that of the key and the origin %s, and "
			    "is written anew",
			    TF_LOG_VKEY, v->origin);
	}
out:
	tf_buf_free(&have);
	tf_buf_free(&want);
	return rc;
}

enum tf_code
tf_vault_load_vkey(struct tf_vault *v, struct tf_error *err)
{
	struct tf_buf b = { 0 };
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
	return rc;
}
