/*
 * Forwarding a store to an organisation: see forward.h.
 *
 *	begin:  open both sides, ask for the cursor, compare the histories
 *	cycle:  head of the store -> batches up to it -> wait for more
 *	batch:  which objects do its entries name -> which of them has the ledger
 *		(one question) -> send the others, small ones in bundles -> append
 *
 * Nothing that counts is remembered here between two runs: the ledger's answer to
 * member() is the cursor, and STORE/forwarded only says to people how far it is.
 * The first batch begins with the last entry that the ledger has, so that the ledger
 * itself compares the histories and records a fork (W3); the root of the last
 * checkpoint that it has is compared too.
 */
#include "../forward.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "../org/append.h"
#include "../org/uri.h"
#include "../store/entries.h"
#include "forward_i.h"

#define FEW 64		    /* entries that are sent at once; */
#define LINGER_NS TF_SECOND /* fewer wait so long for more */
#define LOOK_MS 100	    /* between two looks for more, or for stop */
#define REMEMBER_NS (10 * TF_SECOND) /* between two states while it sends */
#define WAITED_MS 5000 /* a pause is not longer while somebody waits */
#define KEEP_NS (10 * TF_SECOND) /* how long the source stays open */
#define ONCE_TRIES 7 /* of one step, which are 6 seconds of pauses */

static bool
may_pass(enum tf_code rc)
{
	return rc == TF_IO || rc == TF_BUSY || rc == TF_INDOUBT ||
	    rc == TF_NOSPACE || rc == TF_TOOMANY || rc == TF_LOCKED;
}

static bool
stopped(const struct tf_forwarder *f)
{
	return f->o->stop != NULL && f->o->stop(f->o->arg);
}

static void
tell(const struct tf_forwarder *f, const struct tf_error *why)
{
	if (f->o->report != NULL)
		f->o->report(f->o->arg, f->out, why);
}

/* --- the state, for people ------------------------------------------------------ */

/* Write the state, which nothing here reads again: a store that this user cannot
 * write is forwarded all the same. */
static void
remember(struct tf_forwarder *f, const struct tf_forward_state *state)
{
	struct tf_error why = { 0 };
	int fd = open(f->o->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = fd < 0 ? tf_fail(&why, TF_IO, "open the store") :
				   tf_forwarded_put(fd, state, &why);

	if (fd >= 0)
		(void)close(fd); /* a directory */
	(void)snprintf(f->out->unwritten, sizeof(f->out->unwritten), "%s",
	    rc == TF_OK ? "" : why.text);
	f->state = *state;
	f->remembered_ns = tf_clock_boot_ns();
	f->forgot = false;
}

static void
remember_success(struct tf_forwarder *f)
{
	const struct tf_forward_state s = { .at = tf_clock_now(),
		.entries = f->out->entries };

	remember(f, &s);
}

/* A failure that lasts is written once. */
static void
remember_failure(struct tf_forwarder *f, const struct tf_error *why, bool final)
{
	struct tf_forward_state s = f->state;

	/* An argument that is wrong says nothing about the forwarder that runs as
	 * a service. */
	if (why->code == TF_INVALID && f->ledger == NULL)
		return;
	if (s.failed_at.s != 0 && s.final == final &&
	    strcmp(s.why, why->text) == 0)
		return;
	s.failed_at = tf_clock_now();
	s.final = final;
	(void)snprintf(s.why, sizeof(s.why), "%s", why->text);
	remember(f, &s);
}

static void
load_state(struct tf_forwarder *f)
{
	int fd = open(f->o->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (tf_forwarded_get(fd, &f->state, NULL) != TF_OK)
		f->state = (struct tf_forward_state){ 0 };
	(void)close(fd); /* a directory */
}

/* False: there is to be no other attempt. */
static bool
pause_for(void *arg, unsigned ms, const struct tf_error *why)
{
	struct tf_forwarder *f = arg;
	uint32_t chance = 0;
	unsigned step;

	if (stopped(f) || (f->o->once && ++f->tries >= ONCE_TRIES))
		return false;
	remember_failure(f, why, false);
	tell(f, why);
	tf_forward_tell_waiters(f, why->text);
	/* Many hosts that lost the ledger at one moment must not come back at one
	 * moment: a busy machine may then answer none of them in time. */
	if (tf_random(&chance, sizeof(chance), NULL) == TF_OK)
		ms -= chance % (ms / 2 + 1);
	for (; ms > 0 && !stopped(f); ms -= step) {
		if (ms > WAITED_MS && tf_forward_is_awaited(f))
			ms = WAITED_MS;
		step = ms < LOOK_MS ? ms : LOOK_MS;
		tf_forward_pause(f, step);
	}
	return !stopped(f);
}

/* --- the beginning ------------------------------------------------------------- */

/* Is the checkpoint that the organisation has one of this store? */
static enum tf_code
compare_roots(struct tf_forwarder *f, const struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_hash root;
	struct tf_note parts;
	enum tf_code rc;

	if (note->n == 0)
		return TF_OK;
	rc = tf_checkpoint_parse(note->p, note->n, &parts, &c, err);
	if (rc == TF_NOMEM)
		return rc;
	if (rc != TF_OK || strcmp(c.origin, f->src.origin) != 0 ||
	    c.size > f->head.size)
		return tf_fail(err, TF_TAMPER,
		    "the organisation has a checkpoint of %s that is not of "
		    "this store",
		    f->src.origin);
	if (c.size == 0)
		return TF_OK;
	rc = tf_merkle_root(c.size, tf_tiles_read, f->src.db, &root, err);
	if (rc == TF_OK && memcmp(root.b, c.root.b, sizeof(root.b)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "the organisation has another history of %s: its "
		    "checkpoint of %llu entries is not of this store",
		    f->src.origin, (unsigned long long)c.size);
	return rc;
}

/* The origin was revoked: give the next entry all the same, which the ledger refuses
 * and records.  So the organisation knows that this vault has gone on. */
static void
offer(struct tf_forwarder *f)
{
	struct tf_batch b = { .origin = f->src.origin,
		.number = f->next,
		.n = 1 };
	struct tf_buf bytes = { 0 };
	struct tf_appended a;
	struct tf_str entry;

	if (f->next < f->head.size &&
	    tf_entries_get(f->src.db, f->next, &bytes, NULL, NULL) == TF_OK &&
	    tf_buf_end(&bytes, NULL) == TF_OK) {
		entry = tf_buf_bytes(&bytes);
		b.entries = &entry;
		(void)f->ledger->ops->append(f->ledger, &b, &a, NULL);
	}
	tf_buf_free(&bytes);
}

static enum tf_code
compare(struct tf_forwarder *f, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	enum tf_code rc = f->ledger->ops->member(f->ledger, f->src.origin,
	    &f->next, &note, err);

	if (rc == TF_DENIED)
		offer(f);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_DENIED,
		    "%s is not enrolled in this organisation: its organiser "
		    "runs trailctl org enrol",
		    f->src.origin);
	if (rc == TF_OK && f->next > f->head.size)
		rc = tf_fail(err, TF_TAMPER,
		    "the organisation has %llu entries of %s, this store only "
		    "%llu: entries were lost here (trailctl org fetch gets "
		    "them)",
		    (unsigned long long)f->next, f->src.origin,
		    (unsigned long long)f->head.size);
	if (rc == TF_OK)
		rc = compare_roots(f, &note, err);
	tf_buf_free(&note);
	if (rc != TF_OK)
		return rc;
	f->out->entries = f->next;
	f->next -= f->next > 0; /* the last one again: see above */
	f->compared = true;
	tf_forward_tell_waiters(f, "");
	return TF_OK;
}

/* The source knows the keys of its log since it was opened: a later rotation needs
 * it to be opened again. */
static void
close_source(struct tf_forwarder *f)
{
	tf_mirror_source_close(&f->src);
	f->src = (struct tf_mirror_source){ .dirfd = -1, .objectsfd = -1 };
}

/* Evidence is sent to no store that only says that it locks. */
static enum tf_code
open_blobs(struct tf_forwarder *f, struct tf_error *err)
{
	enum tf_code rc = tf_blobs_open(f->o->blobs, TF_ORG_MEMBER, &f->blobs,
	    err);
	bool held;

	if (rc == TF_OK)
		rc = tf_blobs_probe(f->blobs, &held, err);
	if (rc != TF_OK) {
		tf_blobs_close(f->blobs);
		f->blobs = NULL;
	}
	return rc;
}

static enum tf_code
open_both(struct tf_forwarder *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (f->ledger == NULL)
		rc = tf_ledger_open(f->o->ledger, TF_ORG_MEMBER, &f->ledger,
		    err);
	if (rc == TF_OK && f->blobs == NULL)
		rc = open_blobs(f, err);
	return rc;
}

/* --- batches ----------------------------------------------------------------------- */

/* One batch, of entries below `to`, where note is a checkpoint. */
static enum tf_code
send_batch(struct tf_forwarder *f, uint64_t to, struct tf_error *err)
{
	struct tf_patience patience = { pause_for, f };
	struct tf_appended a;
	struct tf_batch b;
	enum tf_code rc = tf_forward_collect(f, to, err);

	if (rc == TF_OK)
		rc = tf_forward_send_objects(f, err);
	if (rc != TF_OK)
		return rc;
	b = (struct tf_batch){ .origin = f->src.origin,
		.number = f->next,
		.entries = f->entries,
		.n = f->n,
		.located = f->bundler.located,
		.nlocated = f->bundler.n };
	if (f->next + f->n == to)
		b.note = tf_buf_bytes(&f->note);
	rc = tf_org_append(f->ledger, &b, &patience, &a, err);
	if (rc != TF_OK)
		return rc;
	f->next += f->n;
	f->out->sent += f->next - f->out->entries;
	f->out->entries = f->next;
	f->pause_ms = f->tries = 0;
	tf_forward_tell_waiters(f, "");
	if (f->state.failed_at.s != 0 ||
	    tf_clock_boot_ns() - f->remembered_ns >= REMEMBER_NS)
		remember_success(f);
	tell(f, NULL);
	return TF_OK;
}

static enum tf_code
send_all(struct tf_forwarder *f, struct tf_error *err)
{
	uint64_t to = f->next;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && f->next < f->head.size && !stopped(f)) {
		if (f->next == to)
			rc = tf_mirror_source_piece(&f->src, f->next,
			    f->head.size, &f->head_note, &to, &f->note, err);
		if (rc == TF_OK)
			rc = send_batch(f, to, err);
	}
	return rc;
}

/* The whole of what is there. */
static enum tf_code
cycle(struct tf_forwarder *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	tf_forward_listen_to_mounts(f);
	if (f->opened_ns == 0 || tf_clock_boot_ns() - f->opened_ns >= KEEP_NS) {
		close_source(f);
		f->opened_ns = 0;
		if ((rc = tf_mirror_source_open(&f->src, f->o->store, err)) ==
		    TF_OK)
			rc = open_both(f, err);
		if (rc == TF_OK)
			rc = tf_mirror_source_head(&f->src, &f->head,
			    &f->head_note, err);
		f->opened_ns = rc == TF_OK ? tf_clock_boot_ns() : 0;
	}
	f->out->of = f->head.size;
	if (rc == TF_OK && !f->compared)
		rc = compare(f, err);
	return rc == TF_OK ? send_all(f, err) : rc;
}

/* Wait until some entries are there, or a few for some time. */
static enum tf_code
wait_for_more(struct tf_forwarder *f, struct tf_error *err)
{
	uint64_t since = 0;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && !stopped(f)) {
		rc = tf_mirror_source_head(&f->src, &f->head, &f->head_note,
		    err);
		if (rc != TF_OK ||
		    f->head.size >= f->next + FEW + TF_IS_MUTANT(TF_FEW_LINGER))
			break;
		if (f->head.size > f->next && since == 0)
			since = tf_clock_boot_ns();
		if (since != 0 && !TF_IS_MUTANT(TF_ONE_STAYS) &&
		    (tf_forward_is_awaited(f) ||
			tf_clock_boot_ns() - since >= LINGER_NS))
			break;
		if (f->forgot &&
		    tf_clock_boot_ns() - f->remembered_ns >= LINGER_NS)
			remember_success(f);
		tf_forward_hear(f, LOOK_MS);
	}
	/* Of a key that was rotated meanwhile: cycle opens the store again. */
	if (rc == TF_TAMPER)
		f->opened_ns = 0;
	return rc == TF_TAMPER ? TF_OK : rc;
}

static enum tf_code
run(struct tf_forwarder *f, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	do {
		/* A writer that waits for the next entry does not wait for this
		 * file, too. */
		if ((rc = cycle(f, &why)) == TF_OK) {
			f->forgot = true;
			if (f->o->once || f->state.failed_at.s != 0 ||
			    tf_clock_boot_ns() - f->remembered_ns >= LINGER_NS)
				remember_success(f);
		}
		if (rc == TF_OK && f->o->once && !stopped(f))
			return TF_OK;
		if (rc == TF_OK)
			rc = wait_for_more(f, &why);
		if (rc == TF_OK)
			continue;
		f->opened_ns = 0;
		if (!may_pass(rc))
			return tf_fail_as(err, &why);
		f->pause_ms = tf_pause_after(f->pause_ms);
		if (!pause_for(f, f->pause_ms, &why) && !stopped(f))
			return tf_fail_as(err, &why);
	} while (!stopped(f));
	return f->o->once ? tf_fail(err, TF_INTERRUPTED, "interrupted") : TF_OK;
}

enum tf_code
tf_forward(const struct tf_forward *o, struct tf_forwarded *out,
    struct tf_error *err)
{
	struct tf_forwarder *f = calloc(1, sizeof(*f));
	struct tf_error why = { 0 };
	enum tf_code rc;

	*out = (struct tf_forwarded){ 0 };
	if (f == NULL)
		return tf_nomem(err);
	f->o = o;
	f->out = out;
	f->src = (struct tf_mirror_source){ .dirfd = -1, .objectsfd = -1 };
	f->dirfd = f->listening = -1;
	for (size_t i = 0; i < TF_FORWARD_PEERS; i++)
		f->peer[i] = -1;
	load_state(f);
	rc = run(f, &why);
	if (rc != TF_OK && rc != TF_INTERRUPTED)
		remember_failure(f, &why, !may_pass(rc));
	else if (f->forgot)
		remember_success(f);
	if (rc != TF_OK)
		(void)tf_fail_as(err, &why);
	tf_forward_tell_waiters(f, rc == TF_OK ? "" : why.text);
	tf_forward_hang_up(f);
	tf_ledger_close(f->ledger);
	tf_blobs_close(f->blobs);
	close_source(f);
	tf_bundler_free(&f->bundler);
	tf_buf_free(&f->head_note);
	tf_buf_free(&f->note);
	tf_buf_free(&f->bytes);
	free(f->digests);
	free(f->named);
	free(f->located);
	free(f);
	return rc;
}
