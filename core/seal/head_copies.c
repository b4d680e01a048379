/*
 * Copies of the newest checkpoint beside the database (STORE/checkpoint) and,
 * where a guard is set, on another disk.  The database alone cannot prove that
 * it is the newest.  If it is behind a copy of its head, it was rolled back:
 * signing more entries would make two histories of one log (I3).
 *
 * Each copy is written after the COMMIT of its checkpoint, so after a crash a
 * copy may be behind the database, which is no harm, and never ahead of it.  A
 * copy that is missing proves nothing and is accepted; one that is damaged, or
 * signed but not of our tree, or of another log, is refused.  tf_head_renew() is the only way on
 * from there: the new entry keeps what was lost, so that the break stays
 * visible.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../ledger/name.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../sign/sign.h"
#include "guard.h"
#include "head_compare.h"
#include "head_copies.h"

enum tf_code
tf_vault_keep_head(struct tf_vault *v, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	tf_buf_add(&note, v->head.note.p, v->head.note.n);
	v->kept_size = v->head.size; /* also after a failure: no busy loop */
	pthread_mutex_unlock(&v->mu);
	rc = note.failed ? tf_nomem(err) :
			   tf_file_write(v->dirfd, "checkpoint", note.p, note.n,
			       0600, false, err);
	/* The guard has its own disk: it is not held up by ours. */
	if (v->guarding != NULL && !note.failed)
		tf_guard_keep(v->guarding, tf_buf_bytes(&note));
	tf_buf_free(&note);
	return rc;
}

/* --- going on under another origin ------------------------------------------- */

/* "x" -> "x/2", "x/2" -> "x/3". */
static enum tf_code
next_origin(const char *old, char out[TF_ORIGIN_MAX + 1], struct tf_error *err)
{
	const char *slash = strrchr(old, '/');
	uint64_t n = 1;
	size_t base = strlen(old);
	int len;

	if (slash != NULL &&
	    tf_decimal(slash + 1, strlen(slash + 1), 1000000, &n) && n >= 2)
		base = (size_t)(slash - old);
	else
		n = 1;
	len = snprintf(out, TF_ORIGIN_MAX + 1, "%.*s/%llu", (int)base, old,
	    (unsigned long long)n + 1);
	if ((size_t)len > TF_ORIGIN_MAX)
		return tf_fail(err, TF_USAGE, "give a new --origin");
	return TF_OK;
}

/* Write a note into the entry; one that is too long for it is left out. */
static void
put_note(struct tf_json *j, const char *key, const struct tf_buf *note)
{
	if (note->n == 0 || note->n > 4096)
		return;
	tf_json_key(j, key);
	tf_json_str(j, note->p, note->n);
}

/*
 * What ledger.opened says about the break: our head, and the copy that was
 * ahead.
 */
static enum tf_code
previous_field(struct tf_vault *v, const struct tf_buf *lost,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_note(&j, "head", &v->head.note);
	put_note(&j, "lost", lost);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* Give the vault the new origin, with its own key. */
static enum tf_code
set_origin(struct tf_vault *v, const char *origin, const struct tf_buf *lost,
    struct tf_recovery *r, struct tf_error *err)
{
	struct tf_vkey k;
	enum tf_code rc;

	if (!tf_origin_ok(origin, strlen(origin)) ||
	    strcmp(origin, v->origin) == 0)
		return tf_fail(err, TF_USAGE,
		    "the new origin must be another "
		    "one, of A-Za-z0-9._~:/-");
	if ((rc = previous_field(v, lost, &r->previous, err)) != TF_OK)
		return rc;
	(void)snprintf(v->origin, sizeof(v->origin), "%s", origin);
	tf_vkey_make(&k, v->origin, &tf_signer_keys(v->signer)->log);
	tf_log_key_set(v, &k);
	return TF_OK;
}

enum tf_code
tf_head_renew(struct tf_vault *v, bool copied, struct tf_recovery *r,
    struct tf_error *err)
{
	char next[TF_ORIGIN_MAX + 1];
	const char *origin = r->origin;
	struct tf_buf lost = { 0 };
	enum tf_code rc = tf_head_compare(v, &lost, err);

	if (rc == TF_OK && !copied) {
		tf_buf_free(&lost);
		return tf_fail(err, TF_USAGE,
		    "nothing is wrong with this "
		    "store: it goes on as it is");
	}
	if (rc == TF_OK || rc == TF_TAMPER) {
		rc = origin == NULL ? next_origin(v->origin, next, err) : TF_OK;
		if (rc == TF_OK)
			rc = set_origin(v, origin == NULL ? next : origin,
			    &lost, r, err);
	}
	tf_buf_free(&lost);
	return rc;
}

enum tf_code
tf_head_restored(struct tf_vault *v, struct tf_recovery *r,
    struct tf_error *err)
{
	const struct tf_buf none = { 0 };

	return set_origin(v, r->origin, r->lost != NULL ? r->lost : &none, r,
	    err);
}
