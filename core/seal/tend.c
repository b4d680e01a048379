/*
 * Tending files that nobody has open for writing: see tend.h.  tend() chooses
 * one step under vault.mu (interrupt, flush, compare, or free what the file
 * holds) and does it without mu; after a step that ends later, such as a
 * flush, the file is tended again or found by the sealer.  `on_duty` says that
 * a background thread has the file, `again` that something changed meanwhile:
 * run() then goes round once more, so that no change is lost between its last
 * look and its end.  A process that ends leaves the step to recovery.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/show.h"
#include "../commit/encrypt.h"
#include "../commit/existing.h"
#include "../commit/flush.h"
#include "../commit/hasher.h"
#include "../commit/staged_fd.h"
#include "../commit/staging.h"
#include "../node/background.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/secret.h"
#include "../node/vault_i.h"
#include "chunk.h"
#include "interrupt.h"
#include "seal.h"
#include "tend.h"

#define LONG_BYTES ((uint64_t)64 << 20) /* more may take a second to hash */
#define RETRY_NS TF_SECOND /* when there were too few descriptors */

/*
 * Nobody waits for this flush: the last close has returned.  So a failure is
 * reported to the operator, and F3 makes it final.
 */
static void
after_flush(void *arg, enum tf_code code, const struct tf_error *err)
{
	struct tf_pending *l = arg;
	struct tf_vault *v = l->v;

	if (code == TF_TOOMANY) {
		pthread_mutex_lock(&v->mu);
		l->deadline_ns = tf_clock_boot_ns() + RETRY_NS;
		tf_pending_index(l);
		pthread_mutex_unlock(&v->mu);
	}
	/* After TF_INTERRUPTED the next start finds the file. */
	if (code != TF_OK && code != TF_INTERRUPTED)
		tf_vault_say(v, code,
		    "node %llu: what was written after its "
		    "last close is not on disk: %s",
		    (unsigned long long)l->attr.id, err->text);
	/* The sealer goes on with it when it is due. */
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
}

/* Free the copy in memory and the descriptor of l: the database or the staged
 * file has the content. */
static void
put_down(struct tf_pending *l)
{
	bool over, in_db;

	tf_pending_lock(l);
	pthread_mutex_lock(&l->v->mu);
	over = tf_pending_clean(l) && l->writers == 0;
	in_db = l->in_db;
	pthread_mutex_unlock(&l->v->mu);
	if (over && in_db)
		tf_content_forget(l);
	if (over)
		tf_content_put_down(l);
	pthread_mutex_unlock(&l->io);
}

/* --- after a crash -------------------------------------------------------------- */

/* May the comparison end early?  Then the next start does it. */
static bool
can_wait(void *arg)
{
	struct tf_pending *l = arg;
	bool unlinked;

	pthread_mutex_lock(&l->v->mu);
	unlinked = l->unlinked;
	pthread_mutex_unlock(&l->v->mu);
	return unlinked || atomic_load(&l->v->ending) ||
	    tf_vault_must_stop(l->v);
}

enum tf_code
tf_pending_check(struct tf_pending *l, struct tf_error *err)
{
	struct tf_patience p = { .is_over = can_wait, .arg = l };
	struct tf_vault *v = l->v;
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;
	uint64_t size = 0, gen;
	enum tf_code rc;
	int fd;

	tf_pending_lock(l);
	gen = l->gen;
	rc = tf_content_open(l, &fd, &e);
	pthread_mutex_unlock(&l->io);
	if (rc == TF_OK) {
		tf_vault_slow(v);
		rc = tf_hash_whole(v->hasher, l->attr.uid, fd, &p, &h, &size,
		    &e);
		(void)close(fd);
	}
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK && gen == l->gen && l->unchecked &&
	    (size != tf_pending_stored(l) ||
		memcmp(&h, &l->digest, sizeof(h)) != 0))
		rc = tf_fail(&e, TF_TAMPER,
		    "the bytes are not those that were accepted");
	if (rc != TF_INTERRUPTED && rc != TF_TOOMANY && gen == l->gen) {
		l->unchecked = false;
		if (rc != TF_OK)
			tf_pending_set_failed(l, rc, &e);
		tf_pending_index(l);
	}
	pthread_mutex_unlock(&v->mu);
	return rc == TF_OK ? rc : tf_fail_as(err, &e);
}

/* The comparison could not be made: the sealer asks for it again.  Who waits
 * for it must not do so, or both would take turns without a pause. */
static void
check_again_later(struct tf_pending *l)
{
	pthread_mutex_lock(&l->v->mu);
	l->wants_check = true;
	l->retry_ns = tf_clock_boot_ns() + RETRY_NS;
	tf_pending_index(l);
	pthread_mutex_unlock(&l->v->mu);
}

/* Seal l, which the last run accepted and whose bytes match, as recovery does
 * with short files. */
static void
seal_recovered(struct tf_pending *l)
{
	struct tf_vault *v = l->v;
	struct tf_error e = { .code = TF_OK };
	struct tf_buf shown = { 0 };
	struct tf_pending *one = l;
	bool claimed;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	claimed = l->failed == TF_OK && tf_pending_claim(v, l);
	tf_name_show(&shown, l->name, l->name_len);
	pthread_mutex_unlock(&v->mu);
	if (claimed)
		rc = tf_seal_files(v, &one, 1, "recovery", &e);
	if (rc != TF_OK)
		tf_vault_say(v, rc,
		    "%.60s could not be recovered and is tried again: %s",
		    tf_buf_bytes(&shown).p, e.text);
	tf_buf_free(&shown);
	pthread_mutex_lock(&v->mu);
	l->deadline_ns = 0; /* not sealed?  The sealer tries at once */
	tf_pending_index(l);
	pthread_mutex_unlock(&v->mu);
}

/* --- encrypting ------------------------------------------------------------------ */

/*
 * Make the age file of l, which is frozen.  If there is one for recipients that
 * are no longer the newest, only the holder of the claim may replace it; if
 * somebody has claimed l, he does that.
 */
static void
encrypt(struct tf_pending *l)
{
	const struct tf_patience p = { .is_over = can_wait, .arg = l };
	struct tf_vault *v = l->v;
	struct tf_error e = { .code = TF_OK };
	bool claimed;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	claimed = l->encrypted != NULL && tf_encrypt_takes_long(l) && !l->job;
	if (claimed && (claimed = tf_pending_claim(v, l)))
		tf_pending_index(l);
	pthread_mutex_unlock(&v->mu);
	rc = tf_encrypt(l, claimed, &p, &e);
	pthread_mutex_lock(&v->mu);
	l->retry_ns = rc == TF_OK ? 0 : tf_clock_boot_ns() + TF_SEAL_RETRY_NS;
	tf_pending_index(l);
	if (claimed)
		tf_pending_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK && rc != TF_INTERRUPTED)
		tf_vault_say(v, rc,
		    "node %llu is not encrypted yet, its bytes are safe, it is "
		    "tried again: %s",
		    (unsigned long long)l->attr.id, e.text);
}

/* --- either ---------------------------------------------------------------------- */

/* Is l tended in the background? */
static bool
is_long(const struct tf_pending *l)
{
	return l->attr.size > TF_HASH_LONG;
}

/* Has l failed, without being a draft yet, and no writer is left?  mu held. */
static bool
is_lost(const struct tf_pending *l)
{
	return l->writers == 0 && !l->unlinked &&
	    l->attr.state != TF_STATE_SEALED && l->failed != TF_OK &&
	    (l->attr.state != TF_STATE_DRAFT || l->meant != NULL);
}

/* One step for l, which has a reference.  No lock is held. */
static void
tend(struct tf_pending *l)
{
	const struct tf_patience p = { .is_over = can_wait, .arg = l };
	struct tf_vault *v = l->v;
	bool free, lost, check, flush, frozen, draft;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	free = l->writers == 0 && !l->unlinked &&
	    l->attr.state != TF_STATE_SEALED;
	frozen = l->attr.state == TF_STATE_FROZEN;
	draft = l->attr.state == TF_STATE_DRAFT;
	lost = is_lost(l);
	flush = free && !lost && !tf_pending_clean(l);
	check = free && !lost && !flush && l->unchecked && l->wants_check;
	l->wants_check = false;
	if (flush)
		tf_pending_ref(l);
	pthread_mutex_unlock(&v->mu);
	if (lost) {
		tf_pending_interrupt(l);
	} else if (flush) {
		tf_flush(l, false, after_flush, l);
	} else if (check) {
		rc = tf_pending_check(l, NULL);
		if (rc == TF_TOOMANY || rc == TF_INTERRUPTED)
			check_again_later(l);
		else if (rc == TF_OK && frozen)
			seal_recovered(l);
		else if (frozen && l->failed != TF_OK)
			tf_pending_interrupt(l);
	} else {
		put_down(l);
		if (frozen && l->secret)
			encrypt(l);
		/* A failure shows when l is sealed. */
		if (frozen && !l->secret && is_long(l) &&
		    tf_existing_check(l, &p, NULL) != TF_OK)
			return;
		if ((frozen || draft) && free && is_long(l) &&
		    tf_chunk(l, &p, NULL) != TF_OK)
			return;
	}
}

static void
run(struct tf_duty *d)
{
	struct tf_pending *l = (struct tf_pending *)((char *)d -
	    offsetof(struct tf_pending, duty));
	struct tf_vault *v = l->v;

	pthread_mutex_lock(&v->mu);
	do {
		l->again = false;
		pthread_mutex_unlock(&v->mu);
		tend(l);
		pthread_mutex_lock(&v->mu);
	} while (l->again);
	l->on_duty = false;
	tf_pending_index(l);
	pthread_cond_broadcast(&v->changed);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
}

void
tf_pending_tend_later(struct tf_pending *l)
{
	l->again = true;
	if (l->on_duty)
		return;
	l->on_duty = true;
	tf_pending_ref(l);
	l->duty.uid = l->attr.uid;
	l->duty.is_long = l->attr.size > LONG_BYTES;
	l->duty.run = run;
	tf_background_add(l->v->background, &l->duty);
}

void
tf_pending_tend(struct tf_pending *l)
{
	bool later;

	pthread_mutex_lock(&l->v->mu);
	later = is_long(l) && l->v->background != NULL;
	if (later && is_lost(l) && l->meant == NULL && l->entered == 0) {
		/* Free the name at once, so that the writer can retry. */
		pthread_mutex_unlock(&l->v->mu);
		tf_pending_step_aside(l);
		pthread_mutex_lock(&l->v->mu);
	}
	if (later)
		tf_pending_tend_later(l);
	pthread_mutex_unlock(&l->v->mu);
	if (!later)
		tend(l);
}
