/*
 * What is below a directory that is sealed or closed: found, claimed, named.
 * A node below must be on disk, compared and unclaimed before it can be
 * sealed; look_at() either takes it, asks the caller to wait for the work on
 * it, or refuses.  Looking and claiming are one step under vault.mu, so
 * nothing changes between the two.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../base/show.h"
#include "../commit/encrypt.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/vault_i.h"
#include "below.h"
#include "seal_dir.h"
#include "tend.h"
#include "unflushed.h"

#define SHOWN_PATH 120 /* bytes; a message shows the end of a path */

/* At the end of the vault nobody compares bytes any more: the next start
 * does. */
static bool
is_ending(const struct tf_pending *l)
{
	return atomic_load(&l->v->ending);
}

/* Add l, which is below, to b; or note that it must be waited for, or why it
 * may not be sealed. */
static void
look_at(struct tf_below *b, struct tf_pending *l)
{
	if (l->writers > 0 || l->attr.kind == TF_KIND_ATTESTATION) {
		b->refused = TF_BUSY;
		b->in_the_way = l->attr.id;
		return;
	}
	if (l->interruption != NULL) {
		b->wait = true;
		return;
	}
	if (l->failed != TF_OK) {
		b->refused = l->failed;
		b->in_the_way = l->attr.id;
		return;
	}
	if (l->put_off) {
		b->refused = TF_BUSY;
		b->in_the_way = l->attr.id;
		return;
	}
	if (l->job || !tf_pending_clean(l) || l->unchecked) {
		if (l->unchecked && !l->on_duty && is_ending(l)) {
			b->refused = TF_BUSY;
			b->in_the_way = l->attr.id;
			return;
		}
		/* If it is wanted already, the sealer has it tended when that
		 * may succeed. */
		if (l->unchecked && !l->on_duty && !l->wants_check) {
			l->wants_check = true;
			tf_pending_tend_later(l);
		}
		if (!l->job && !l->on_duty && tf_unflushed_waits(l))
			tf_pending_tend_later(l);
		b->wait = true;
		return;
	}
	/* If that has failed lately, the caller tries, and hears why. */
	if (tf_encrypt_takes_long(l) && !is_ending(l) &&
	    l->retry_ns <= tf_clock_boot_ns()) {
		if (!l->on_duty)
			tf_pending_tend_later(l);
		b->wait = true;
		return;
	}
	if (!tf_array_room(&b->l, b->n, &b->cap, sizeof(*b->l))) {
		b->refused = TF_NOMEM;
		return;
	}
	b->l[b->n++] = l;
}

/*
 * Called for each pending node below; false ends the walk at the first
 * refusal.
 */
static bool
look(void *arg, struct tf_pending *l)
{
	struct tf_below *b = arg;

	if (l->attr.id != b->dir.id)
		look_at(b, l);
	return b->refused == TF_OK;
}

/*
 * Pending nodes are ordered by workflow and attestation, so this walk visits
 * no node of another directory.
 */
enum tf_code
tf_below_look(struct tf_vault *v, struct tf_below *b, struct tf_error *err)
{
	const uint64_t att[] = { b->dir.parent, b->dir.id };

	b->n = 0;
	b->wait = false;
	b->refused = TF_OK;
	b->in_the_way = 0;
	if (b->dir.kind == TF_KIND_ATTESTATION)
		tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION, att, 2,
		    look, b);
	else if (b->dir.kind == TF_KIND_WORKFLOW)
		tf_pending_range(&v->pending, TF_PENDING_BY_ATTESTATION,
		    &b->dir.id, 1, look, b);
	if (b->refused != TF_OK)
		b->n = 0;
	if (b->refused == TF_NOMEM)
		return tf_nomem(err);
	if (b->refused != TF_OK)
		return tf_fail(err, b->refused, "%s below",
		    b->refused == TF_BUSY ? "being written" : "not on disk");
	return TF_OK;
}

/*
 * The claims are set without waiting: tf_below_look() saw, under the same mu,
 * that nobody has one.
 */
void
tf_below_claim(struct tf_below *b)
{
	for (size_t i = 0; i < b->n; i++) {
		tf_pending_ref(b->l[i]);
		b->l[i]->job = true;
	}
}

void
tf_below_unclaim(struct tf_vault *v, struct tf_below *b)
{
	for (size_t i = 0; i < b->n; i++)
		tf_pending_unclaim(v, b->l[i]);
	b->n = 0;
}

/* Only for people: without memory the message stays as it is. */
void
tf_below_name(struct tf_vault *v, const struct tf_below *b, struct tf_db *db,
    struct tf_error *err)
{
	struct tf_buf top = { 0 }, path = { 0 }, shown = { 0 };
	size_t skip = 0;

	if (err == NULL || b->in_the_way == 0)
		return;
	if (tf_path_of(v, db, b->dir.id, &top, NULL) == TF_OK &&
	    tf_path_of(v, db, b->in_the_way, &path, NULL) == TF_OK &&
	    path.n > top.n + 1) {
		skip = top.n + 1;
		tf_name_show(&shown, path.p + skip, path.n - skip);
	}
	if (!shown.failed && shown.n > 0) {
		skip = shown.n > SHOWN_PATH ? shown.n - SHOWN_PATH : 0;
		(void)snprintf(err->text + strlen(err->text),
		    sizeof(err->text) - strlen(err->text), ": %s%.*s",
		    skip > 0 ? "..." : "", (int)(shown.n - skip),
		    shown.p + skip);
	}
	tf_buf_free(&top);
	tf_buf_free(&path);
	tf_buf_free(&shown);
}
