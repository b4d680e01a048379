/*
 * A row of stage has the size and the digest that a flush promised.  Here the
 * surviving bytes are compared with them, and the file is sealed, kept or
 * interrupted.
 *
 * intact() never trusts a digest without the bytes: either they hash to what
 * the row promised (F2), or the file was not promised in this form.  Content
 * may survive in two places, the staged file and the database, when a short
 * file grew after its flush: goes_on() tells which one counts.
 * Sealing, keeping and interrupting are transactions of their own, so a crash
 * in here repeats the decision with the same result.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../commit/commit.h"
#include "../commit/hasher.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../ledger/name.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/secret.h"
#include "../node/stage_files.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "interrupt.h"
#include "placeholder.h"
#include "recover_file.h"
#include "recover_rows.h"
#include "seal.h"

struct repair {
	struct tf_pending *l;
	struct tf_buf body;
};

/* Write size and digest again, with the bytes that were hashed. */
static enum tf_code
repair_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct repair *m = arg;

	return tf_object_put(tf_txn_write(t), m->l->attr.id, &m->l->digest,
	    m->body.p, m->body.n, err);
}

/* The bytes are those that were flushed, but size or digest in the object's row
 * is damaged.  Write that row anew: sealed with it, nobody could read them. */
static enum tf_code
repair_row(struct repair *m, struct tf_error *err)
{
	struct tf_vault *v = m->l->v;
	enum tf_code rc = tf_commit_wait(v->commit, repair_run, m, err);

	if (rc == TF_OK)
		tf_vault_say(v, TF_TAMPER,
		    "%.60s: size or digest beside its bytes was damaged; the "
		    "bytes are those that were accepted, and are kept",
		    m->l->name);
	return rc;
}

/*
 * Is the content in the database (else TF_NOTFOUND), how long is it, and is it
 * what the row of stage says?  The bytes are hashed: the digest beside damaged
 * bytes would seal what nobody wrote.
 */
static enum tf_code
in_database(struct tf_pending *l, struct tf_db *db, uint64_t *size, bool *yes,
    struct tf_error *err)
{
	struct repair m = { .l = l };
	struct tf_object_row o;
	struct tf_hash h;
	enum tf_code rc = tf_object_get(db, l->attr.id, &o, &m.body, err);

	*yes = false;
	if (rc == TF_OK) {
		tf_sha256(m.body.p, m.body.n, &h);
		*size = m.body.n;
		*yes = m.body.n == tf_pending_stored(l) &&
		    memcmp(&h, &l->digest, sizeof(h)) == 0;
	}
	if (*yes &&
	    (!o.is_inline || o.size != m.body.n ||
		memcmp(&h, &o.sha256, sizeof(h)) != 0))
		rc = repair_row(&m, err);
	tf_buf_free(&m.body);
	return rc;
}

/* Delete the staged file of l: l was flushed while it was short, and nobody was
 * promised what was written to the file later. */
static void
drop_file(struct tf_pending *l)
{
	char name[TF_STAGE_NAME];

	tf_stage_name(l->attr.id, name);
	(void)unlinkat(l->v->stagefd, name, 0);
	if (l->secret) {
		tf_stage_spare_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0);
	}
	l->in_file = false;
	l->in_db = true;
}

/*
 * The database has what a flush promised when l was short, and there is a
 * staged file, too, of `size` stored bytes.  Does the file count?  It began as a
 * synced copy of that content, and its writer went on in it.  Without the mark
 * of F4 nobody has written to it.
 */
static bool
goes_on(const struct tf_pending *l, bool dirty, uint64_t size)
{
	return dirty && size >= tf_pending_stored(l);
}

/* Is the surviving content of l what its row says?  Sets size and place. */
static enum tf_code
intact(struct tf_pending *l, bool dirty, struct tf_db *db, bool *yes,
    struct tf_error *err)
{
	struct tf_hash h;
	uint64_t size = 0, kept;
	enum tf_code rc;
	int fd;

	*yes = false;
	rc = tf_content_open(l, &fd, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (rc != TF_OK) {
		rc = in_database(l, db, &size, yes, err);
		if (rc != TF_OK && rc != TF_NOTFOUND)
			return rc;
		l->in_db = rc == TF_OK;
		if (!l->secret)
			l->size = l->attr.size = size;
		return TF_OK;
	}
	l->in_file = true;
	rc = tf_hash_fd(fd, &h, &size, err);
	(void)close(fd);
	if (rc != TF_OK)
		return rc;
	*yes = size == tf_pending_stored(l) &&
	    memcmp(&h, &l->digest, sizeof(h)) == 0;
	/* Where nothing was promised, what survived is worth keeping. */
	if (!*yes && l->size > 0 && !goes_on(l, dirty, size) &&
	    in_database(l, db, &kept, yes, NULL) == TF_OK && *yes) {
		drop_file(l);
		return TF_OK;
	}
	if (!l->secret) /* else tf_pending_interrupt() finds the size */
		l->size = l->attr.size = size;
	return TF_OK;
}

/* Make the staged file of l writable again; sealing made it read-only. */
static enum tf_code
allow_writing(struct tf_pending *l, struct tf_error *err)
{
	struct stat st;
	char name[TF_STAGE_NAME];

	if (!l->in_file)
		return TF_OK;
	tf_stage_name(l->attr.id, name);
	if (fstatat(l->v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tf_fail(err, TF_IO, "stat stage/%s", name);
	/* It is an object, too: a write makes a copy first. */
	if ((l->linked = st.st_nlink > 1))
		return TF_OK;
	if (fchmodat(l->v->stagefd, name, 0600, 0) < 0)
		return tf_fail(err, TF_IO, "chmod stage/%s", name);
	return TF_OK;
}

/* Mark l as failed until what survived of it is recorded: nobody writes it. */
static void
set_lost(struct tf_pending *l)
{
	struct tf_error e;

	if (l->meant == NULL)
		l->attr.state = TF_STATE_FROZEN;
	tf_pending_set_failed(l,
	    tf_fail(&e, TF_BUSY, "what survived the last run is being saved"),
	    &e);
	l->wants_check = true;
}

/*
 * Decide about l, which has a long staged file, without reading it.  A draft is
 * compared with its digest only when somebody seals it.  An ordinary file is
 * compared, and an interrupted one recorded, in the background.
 */
static enum tf_code
finish_later(struct tf_pending *l, uint64_t size, bool dirty, bool draft,
    struct tf_error *err)
{
	struct tf_vault *v = l->v;
	bool same;

	l->in_file = true;
	same = !dirty && l->meant == NULL && size == tf_pending_stored(l);
	pthread_mutex_lock(&v->mu);
	if (!l->secret)
		l->size = l->attr.size = size;
	l->unchecked = same;
	if (!same) {
		set_lost(l);
	} else if (!draft && tf_pending_written(l)) {
		l->attr.state = TF_STATE_FROZEN;
		l->wants_check = true;
	} else if (!draft) {
		l->attr.state = TF_STATE_PLACEHOLDER;
	}
	l->deadline_ns = UINT64_MAX; /* the sealer leaves it alone */
	tf_pending_index(l);
	pthread_mutex_unlock(&v->mu);
	return allow_writing(l, err);
}

/*
 * Would the staged file of l, of *size bytes, take long to hash?  *budget is
 * how many bytes may still be hashed before the mount serves.
 */
static bool
takes_long(struct tf_pending *l, uint64_t *size, uint64_t *budget)
{
	struct stat st;
	char name[TF_STAGE_NAME];

	tf_stage_name(l->attr.id, name);
	if (fstatat(l->v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	*size = (uint64_t)st.st_size;
	if (*size <= TF_HASH_LONG && *size <= *budget) {
		*budget -= *size;
		return false;
	}
	return true;
}

enum tf_code
tf_recover_file(struct tf_found *f, struct tf_pending *l, bool dirty,
    struct tf_db *db, struct tf_error *err)
{
	bool same, draft = l->in_draft || tf_name_draft(l->name, l->name_len);
	struct tf_vault *v = f->v;
	struct tf_pending *one = l;
	uint64_t size, kept;
	enum tf_code rc;

	if (!takes_long(l, &size, &f->budget))
		rc = intact(l, dirty, db, &same, err);
	else if (l->size > 0 && l->size <= TF_INLINE_MAX &&
	    !goes_on(l, dirty, size) &&
	    (rc = in_database(l, db, &kept, &same, err)) == TF_OK && same)
		drop_file(l);
	else
		return finish_later(l, size, dirty, draft, err);
	if (rc != TF_OK)
		return rc;
	if (l->meant != NULL)
		same = false; /* its writer knows that it failed */
	if (same && !draft && !tf_pending_written(l)) {
		pthread_mutex_lock(&v->mu);
		l->attr.state = TF_STATE_PLACEHOLDER;
		tf_placeholder_rest(l);
		pthread_mutex_unlock(&v->mu);
	}
	if (same && (draft || !tf_pending_written(l)))
		return allow_writing(l, err);
	if (!dirty && same) {
		pthread_mutex_lock(&v->mu);
		l->attr.state = TF_STATE_FROZEN;
		(void)tf_pending_claim(v, l);
		pthread_mutex_unlock(&v->mu);
		return tf_seal_files(v, &one, 1, "recovery", err);
	}
	if ((rc = allow_writing(l, err)) != TF_OK)
		return rc;
	tf_pending_interrupt(l);
	return TF_OK;
}
