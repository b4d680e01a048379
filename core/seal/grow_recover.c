/*
 * What a crash or a failure left of a file that was entered while it grew (G4 of
 * node/growth.h).
 *
 * Its chunks are compared with their entries, from the newest entry back.  If all
 * are there, the file is sealed whole: no draft, for a draft may be rewritten, and
 * entered bytes never change.  Its entry has `proven`, the end of these chunks: the
 * bytes after that survived, but no flush says that they are what was sent.
 *
 * A crash in here repeats everything.  While the bytes are read, no claim is held:
 * nobody can write a file that failed, and its name stays.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../base/show.h"
#include "../commit/hasher.h"
#include "../commit/staging.h"
#include "../ledger/chunks.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/growth.h"
#include "../node/load_entry.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "grow.h"
#include "seal.h"

/* --- the entries -------------------------------------------------------------- */

/* Read entry seq, which should be one about l; its strings are in *d and text. */
static enum tf_code
load_grown(const struct tf_pending *l, struct tf_db *db, uint64_t seq,
    struct tf_buf *text, struct tf_entry_decoded *d, struct tf_chunks *out,
    struct tf_error *err)
{
	enum tf_code rc = tf_load_entry(db, seq, text, d, err);

	if (rc == TF_OK &&
	    (d->e.type != TF_EVIDENCE_GROWN || d->e.node != l->attr.id ||
		!tf_chunks_read(d->e.chunks, out)))
		rc = tf_fail(err, TF_TAMPER,
		    "entry %llu is not about what it has grown by",
		    (unsigned long long)seq);
	return rc;
}

enum tf_code
tf_grow_found(struct tf_pending *l, struct tf_db *db, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_chunks c;
	enum tf_code rc;

	if (l->growth == NULL)
		return TF_OK;
	rc = load_grown(l, db, l->entered_seq, &text, &d, &c, &e);
	pthread_mutex_lock(&l->v->mu);
	if (rc == TF_OK) {
		l->entered = l->growth->fixed = c.to;
	} else if (rc == TF_TAMPER) {
		/* The row is damaged, or the entry: then verify says so. */
		tf_growth_free(l);
		l->entered_seq = 0;
	}
	pthread_mutex_unlock(&l->v->mu);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	if (rc == TF_OK)
		return TF_OK;
	if (rc != TF_TAMPER)
		return tf_fail_as(err, &e);
	tf_vault_say(l->v, rc, "%.60s: which of its bytes are entered: %s",
	    l->name, e.text);
	return TF_OK;
}

/* --- the bytes ---------------------------------------------------------------- */

/* Hashing ends early when the vault does; the next start hashes again. */
static bool
ends(void *arg)
{
	struct tf_vault *v = arg;

	return atomic_load(&v->ending) || atomic_load(&v->stopping);
}

/* Are the bytes of fd those of c? */
static enum tf_code
compare(struct tf_pending *l, int fd, const struct tf_chunks *c,
    struct tf_error *err)
{
	const struct tf_patience p = { .is_over = ends, .arg = l->v };
	struct tf_chunk_list list = { 0 };
	struct tf_hash want;
	enum tf_code rc = tf_hash_chunks(l->v->hasher, l->attr.uid, fd, c->from,
	    c->to, &p, &list, err);

	for (size_t i = 0; rc == TF_OK && i < tf_chunks_count(c); i++) {
		tf_chunks_digest(c, i, &want);
		if (i >= list.n ||
		    memcmp(&want, &list.digest[i], sizeof(want)) != 0)
			rc = tf_fail(err, TF_TAMPER,
			    "bytes %llu to %llu are not those that were "
			    "entered",
			    (unsigned long long)c->from + i * c->bytes,
			    (unsigned long long)c->from + (i + 1) * c->bytes -
				1);
	}
	tf_chunk_list_free(&list);
	return rc;
}

/* Compare all entered chunks of l with fd, from the newest back. */
static enum tf_code
compare_all(struct tf_pending *l, struct tf_db *db, int fd,
    struct tf_error *err)
{
	uint64_t seq = l->entered_seq, end = l->entered;
	bool more = true;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && more) {
		struct tf_entry_decoded d = { 0 };
		struct tf_buf text = { 0 };
		struct tf_chunks c;

		rc = load_grown(l, db, seq, &text, &d, &c, err);
		if (rc == TF_OK && (c.to != end || c.before >= seq))
			rc = tf_fail(err, TF_TAMPER,
			    "entry %llu does not fit the one after it",
			    (unsigned long long)seq);
		if (rc == TF_OK)
			rc = compare(l, fd, &c, err);
		if (rc == TF_OK) {
			more = c.has_before;
			seq = c.before;
			end = c.from;
		}
		tf_entry_decoded_free(&d);
		tf_buf_free(&text);
	}
	return rc;
}

/* Read and compare what survived of l, whose digest and size become those of
 * content. */
static enum tf_code
survived(struct tf_pending *l, struct tf_content *content, struct tf_error *err)
{
	struct tf_patience p = { .is_over = ends, .arg = l->v };
	struct tf_db *db = NULL;
	enum tf_code rc;
	int fd;

	tf_vault_slow(l->v);
	if ((rc = tf_content_open(l, &fd, err)) == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "its bytes are gone");
	if (rc != TF_OK)
		return rc;
	rc = tf_file_datasync(fd, err);
	if (rc == TF_OK)
		rc = tf_hash_whole(l->v->hasher, l->attr.uid, fd, &p,
		    &content->sha256, &content->size, err);
	if (rc == TF_OK && content->size < l->entered)
		rc = tf_fail(err, TF_TAMPER,
		    "it has %llu bytes, and %llu are entered",
		    (unsigned long long)content->size,
		    (unsigned long long)l->entered);
	if (rc == TF_OK && (rc = tf_reader_db(l->v, &db, err)) == TF_OK) {
		rc = compare_all(l, db, fd, err);
		tf_reader_done(l->v, db);
	}
	(void)close(fd);
	return rc;
}

/* --- the seal ----------------------------------------------------------------- */

/* l has what content names, durably, and is as if its last writer had closed it.
 * mu is held, and l is claimed. */
static void
take_survived(struct tf_pending *l, const struct tf_content *content)
{
	l->failed = TF_OK;
	free(l->failure);
	l->failure = NULL;
	l->size = l->attr.size = content->size;
	tf_quota_charge(l, l->size);
	l->digest = content->sha256;
	l->saved_gen = ++l->gen;
	l->in_file = true;
	l->in_db = l->unchecked = l->wants_check = false;
	tf_pending_disorder(l);
	l->wrote = true; /* though the last write may be lost */
	l->attr.state = TF_STATE_FROZEN;
	l->frozen_ns = l->deadline_ns = tf_clock_boot_ns();
	l->growth->doubt = true;
}

/* The bytes could not be compared: nobody may write l, and the sealer comes back to
 * it. */
static void
try_again(struct tf_pending *l, enum tf_code rc, const struct tf_error *e)
{
	pthread_mutex_lock(&l->v->mu);
	l->attr.state = TF_STATE_FROZEN;
	tf_pending_set_failed(l, rc, e);
	tf_pending_index(l);
	pthread_mutex_unlock(&l->v->mu);
}

static void
say_survived(struct tf_pending *l, const char *name, enum tf_code rc,
    const struct tf_error *e)
{
	if (rc == TF_OK)
		tf_vault_say(l->v, TF_OK,
		    "%.60s was interrupted while it grew: it is sealed with "
		    "its %llu bytes, of which the first %llu are proven and "
		    "the rest is in doubt",
		    name, (unsigned long long)l->size,
		    (unsigned long long)l->entered);
	else
		tf_vault_say(l->v, rc,
		    "%.60s was interrupted while it grew, and is not sealed "
		    "yet: %s",
		    name, e->text);
}

/* Seal l, unless another thread was faster. */
static enum tf_code
seal_survived(struct tf_pending *l, const struct tf_content *content,
    struct tf_error *err)
{
	struct tf_vault *v = l->v;
	struct tf_pending *one = l;
	const char *cause = NULL;
	bool claimed;

	pthread_mutex_lock(&v->mu);
	claimed = tf_pending_claim(v, l);
	if (claimed && l->growth->doubt) {
		tf_pending_unclaim(v, l);
		claimed = false;
	}
	if (claimed) {
		cause = l->growth->found ? "recovery" : NULL;
		take_survived(l, content);
	}
	pthread_mutex_unlock(&v->mu);
	return claimed ? tf_seal_files(v, &one, 1, cause, err) : TF_OK;
}

bool
tf_grow_survives(struct tf_pending *l)
{
	struct tf_vault *v = l->v;
	struct tf_error e = { .code = TF_OK };
	struct tf_content content = { .size = 0 };
	struct tf_buf shown = { 0 };
	bool grew, lost = false;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	grew = l->growth != NULL && l->entered > 0 && !l->growth->lost &&
	    l->meant == NULL;
	if (grew)
		tf_name_show(&shown, l->name, l->name_len);
	pthread_mutex_unlock(&v->mu);
	if (!grew)
		return false;
	rc = survived(l, &content, &e);
	if (rc == TF_OK) {
		rc = seal_survived(l, &content, &e);
		say_survived(l, tf_buf_bytes(&shown).p, rc, &e);
	} else if (rc == TF_TAMPER) {
		lost = true;
		tf_vault_say(v, rc,
		    "%.60s: entered bytes are gone, so this disk lost what it "
		    "had taken, or another program changed it: %s",
		    tf_buf_bytes(&shown).p, e.text);
		pthread_mutex_lock(&v->mu);
		l->growth->lost = true;
		pthread_mutex_unlock(&v->mu);
	} else {
		try_again(l, rc, &e);
		if (rc != TF_INTERRUPTED)
			say_survived(l, tf_buf_bytes(&shown).p, rc, &e);
	}
	tf_buf_free(&shown);
	return !lost;
}
