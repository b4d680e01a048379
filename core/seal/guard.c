/*
 * The thread of the guard: see guard.h.
 *
 * Before each write the thread reads the file.  Another text than this process
 * wrote, or accepted at its start, is the head of another process: of a clone of this store, since there is
 * one writer per store.  Such a head is compared with our tree like at the
 * start.  If it does not fit, it stays, and the next start of either store is
 * refused.
 *
 * struct tf_guard outlives the vault if its disk hangs: the thread then ends
 * when the disk answers, and frees it.  So the thread uses the vault only while
 * uses_vault is set, for which tf_guard_stop() waits, and the end of the process
 * does not wait for the disk.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../ledger/checkpoint.h"
#include "../node/base.h"
#include "../node/guard_state.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../store/guard_file.h"
#include "guard.h"
#include "head_compare.h"

#define RETRY_NS (5 * TF_SECOND)

static const char silent[] =
    "the disk of the guard does not answer: the newest "
    "head is not there";

struct tf_guard {
	struct tf_vault *v;
	char *path;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* All below: guarded by mu. */
	struct tf_buf next; /* to be written; n 0: nothing waits */
	bool quit, ended, abandoned, uses_vault;
	uint64_t since_ns; /* a write is under way; boot clock; or 0 */
	/* Of the thread alone. */
	struct tf_buf ours; /* what this process wrote last, or accepted */
};

static void
guard_free(struct tf_guard *g)
{
	if (g == NULL)
		return;
	(void)pthread_cond_destroy(&g->changed);
	(void)pthread_mutex_destroy(&g->mu);
	tf_buf_free(&g->next);
	tf_buf_free(&g->ours);
	free(g->path);
	free(g);
}

/* Begin to use the vault.  False: it is gone. */
static bool
vault_begin(struct tf_guard *g)
{
	bool is;

	pthread_mutex_lock(&g->mu);
	is = g->uses_vault = !g->abandoned;
	pthread_mutex_unlock(&g->mu);
	return is;
}

static void
vault_end(struct tf_guard *g)
{
	pthread_mutex_lock(&g->mu);
	g->uses_vault = false;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->mu);
}

/* Compare the text b, which is not ours, with our tree. */
static enum tf_code
compare(struct tf_guard *g, const struct tf_buf *b, struct tf_error *err)
{
	enum tf_code rc;

	if (!vault_begin(g))
		return tf_fail(err, TF_INTERRUPTED, "the vault was closed");
	rc = tf_head_compare_outside(g->v, "the guard", b, NULL, err);
	vault_end(g);
	return rc;
}

/* Nobody but us should touch the file.  Our database is open and cannot have been
 * put back meanwhile, so the file is made anew. */
static void
say_gone(struct tf_guard *g)
{
	if (g->ours.n == 0 || !vault_begin(g))
		return;
	tf_vault_say(g->v, TF_INDOUBT,
	    "somebody removed the guard: it is written again");
	vault_end(g);
}

/* Replace the guard by note, unless somebody else has written it. */
static enum tf_code
write_note(struct tf_guard *g, struct tf_buf *note, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_guard_read(g->path, TF_NOTE_MAX, &b, err);

	if (rc == TF_NOTFOUND) {
		say_gone(g);
		rc = TF_OK;
	} else if (rc == TF_TOOBIG || rc == TF_INVALID ||
	    (rc == TF_OK &&
		!tf_str_same(tf_buf_bytes(&b), tf_buf_bytes(&g->ours))))
		rc = compare(g, &b, err);
	if (rc == TF_OK)
		rc = tf_guard_write(g->path, tf_buf_bytes(note), err);
	tf_buf_free(&b);
	if (rc == TF_OK) {
		tf_buf_free(&g->ours);
		g->ours = *note;
		memset(note, 0, sizeof(*note));
	}
	return rc;
}

/* Show the result in the status, and say it when it is another one. */
static void
report(struct tf_guard *g, enum tf_code rc, const struct tf_error *e)
{
	struct tf_guard_state *s = &g->v->guard_state;
	struct tf_checkpoint c;
	bool changed;

	if (!vault_begin(g))
		return;
	pthread_mutex_lock(&g->v->mu);
	changed = (rc == TF_OK) != (s->trouble[0] == '\0');
	s->trouble[0] = '\0';
	if (rc != TF_OK)
		(void)snprintf(s->trouble, sizeof(s->trouble), "%s", e->text);
	else if (tf_vault_check_note(g->v, tf_buf_bytes(&g->ours), &c, NULL) ==
	    TF_OK) {
		s->size = c.size;
		s->at = tf_clock_now();
	}
	pthread_mutex_unlock(&g->v->mu);
	if (changed && rc != TF_OK)
		tf_vault_say(g->v, rc,
		    "the guard is not written, so nothing outside this disk "
		    "knows the newest entries: %s",
		    e->text);
	else if (changed)
		tf_vault_say(g->v, TF_OK, "the guard is written again");
	vault_end(g);
}

/* Take the note that waits.  mu is held. */
static void
take(struct tf_guard *g, struct tf_buf *note)
{
	*note = g->next;
	memset(&g->next, 0, sizeof(g->next));
}

/* Wait for a note; after a failure for a newer one or for RETRY_NS.  mu is
 * held. */
static void
wait_for_note(struct tf_guard *g, bool failed)
{
	struct timespec until;

	if (!failed) {
		while (!g->quit && g->next.n == 0)
			pthread_cond_wait(&g->changed, &g->mu);
		return;
	}
	tf_clock_after(RETRY_NS, &until);
	if (!g->quit && g->next.n == 0)
		(void)pthread_cond_timedwait(&g->changed, &g->mu, &until);
}

static void *
run(void *arg)
{
	struct tf_guard *g = arg;
	struct tf_buf note = { 0 };
	struct tf_error e;
	enum tf_code rc = TF_OK;
	bool abandoned;

	pthread_mutex_lock(&g->mu);
	for (;;) {
		wait_for_note(g, note.n > 0);
		if (g->next.n > 0) {
			tf_buf_free(&note);
			take(g, &note);
		} else if (g->quit) {
			break;
		}
		if (note.n == 0)
			continue;
		g->since_ns = tf_clock_boot_ns();
		pthread_mutex_unlock(&g->mu);
		rc = write_note(g, &note, &e);
		report(g, rc, &e);
		pthread_mutex_lock(&g->mu);
		g->since_ns = 0;
	}
	g->ended = true;
	abandoned = g->abandoned;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->mu);
	tf_buf_free(&note);
	if (abandoned)
		guard_free(g);
	return NULL;
}

enum tf_code
tf_guard_start(struct tf_vault *v, struct tf_error *err)
{
	struct tf_guard *g;
	pthread_condattr_t attr;

	if (v->guard == NULL)
		return TF_OK;
	if ((g = calloc(1, sizeof(*g))) == NULL)
		return tf_nomem(err);
	g->v = v;
	(void)pthread_mutex_init(&g->mu, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&g->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	g->ours = v->guard_seen;
	memset(&v->guard_seen, 0, sizeof(v->guard_seen));
	g->path = strdup(v->guard);
	if (g->path == NULL || pthread_create(&g->thread, NULL, run, g) != 0) {
		guard_free(g);
		return tf_fail(err, TF_NOMEM, "cannot start the guard");
	}
	v->guarding = g;
	return TF_OK;
}

/* A write is under way for too long: the disk hangs. */
static void
report_silence(struct tf_guard *g)
{
	struct tf_guard_state *s = &g->v->guard_state;
	bool first;

	pthread_mutex_lock(&g->v->mu);
	first = s->trouble[0] == '\0';
	if (first)
		(void)snprintf(s->trouble, sizeof(s->trouble), "%s", silent);
	pthread_mutex_unlock(&g->v->mu);
	if (first)
		tf_vault_say(g->v, TF_IO, "%s", silent);
}

void
tf_guard_keep(struct tf_guard *g, struct tf_str note)
{
	bool hangs;

	pthread_mutex_lock(&g->mu);
	hangs = g->since_ns != 0 &&
	    tf_clock_boot_ns() - g->since_ns > TF_GUARD_WAIT_S * TF_SECOND;
	g->next.n = 0;
	tf_buf_add(&g->next, note.p, note.n);
	if (g->next.failed) /* the next head is tried again */
		tf_buf_free(&g->next);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->mu);
	if (hangs)
		report_silence(g);
}

void
tf_guard_stop(struct tf_vault *v)
{
	struct tf_guard *g = v->guarding;
	struct timespec until;
	bool ended;

	if (g == NULL)
		return;
	tf_clock_after(TF_GUARD_WAIT_S * TF_SECOND, &until);
	pthread_mutex_lock(&g->mu);
	g->quit = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->ended &&
	    pthread_cond_timedwait(&g->changed, &g->mu, &until) == 0)
		;
	ended = g->ended;
	while (!ended && g->uses_vault) /* no disk of the guard in there */
		pthread_cond_wait(&g->changed, &g->mu);
	ended = g->ended;
	g->abandoned = !ended;
	pthread_mutex_unlock(&g->mu);
	v->guarding = NULL;
	if (ended) {
		(void)pthread_join(g->thread, NULL);
		guard_free(g);
		return;
	}
	(void)pthread_detach(g->thread);
	tf_vault_say(v, TF_IO, "%s", silent);
}
