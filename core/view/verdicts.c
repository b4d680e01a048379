/*
 * Results of workflows that are kept between views: see verdicts.h.
 *
 * A workflow may have very many attestations, and a list of workflows or a search
 * needs only its word and a few counts.  What these depend on:
 *
 *   - entries about the workflow.  Walks note the newest one (unindexed.h): a
 *     result is of use only if it is older than the result and than the view;
 *   - claims about attestations that are open and count.  They have no entry, so
 *     their rows are compared by a digest;
 *   - the time.  Until the next deadline of a name that is missing, and after the
 *     last one that has passed, nothing changes;
 *   - altered entries.  When one is found, no older result is used.
 *
 * A record may be spoilt while it is kept.  A result is therefore judged again
 * after some time, in which it was worth keeping: at once if that is fast, else
 * in the background, while the old one is still used.
 *
 * A result with damage is not kept: the damage may be repaired, and who asks is
 * shown all of it.
 */
#include "verdicts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../node/background.h"
#include "../node/paths.h"
#include "../page.h"
#include "../node/vault_i.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "compliance.h"
#include "template.h"
#include "unindexed.h"
#include "view.h"

#define KEPT_NS (10 * TF_SECOND) /* at least, before it is judged again */
#define KEPT_TIMES 100		 /* the time of judging, at least */
#define FAST_NS (TF_SECOND / 100)

/* --- what a result holds for ----------------------------------------------------- */

static enum tf_code
add_claims(void *arg, const struct tf_claim_row *r, struct tf_error *err)
{
	struct tf_sha256 *h = arg;
	const uint64_t head[] = { r->id, r->claims.n };

	(void)err;
	tf_sha256_add(h, head, sizeof(head));
	if (r->claims.n > 0)
		tf_sha256_add(h, r->claims.p, r->claims.n);
	return TF_OK;
}

/* The digest of all claims in the range of ids. */
static enum tf_code
digest_claims(struct tf_view *w, uint64_t low, uint64_t high,
    struct tf_hash *out, struct tf_error *err)
{
	struct tf_sha256 *h;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	if (low > high)
		return TF_OK;
	if ((h = tf_sha256_new()) == NULL)
		return tf_nomem(err);
	rc = tf_claims_range(w->db, low, high, add_claims, h, err);
	tf_sha256_peek(h, out);
	tf_sha256_free(h);
	return rc;
}

/* An open attestation that has no evidence counts in no case. */
static void
find_open(const struct tf_judgement *f, struct tf_verdict *out)
{
	out->low = UINT64_MAX;
	out->high = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (f->r[i].sealed || !f->r[i].has_evidence)
			continue;
		if (f->a[i].id < out->low)
			out->low = f->a[i].id;
		if (f->a[i].id > out->high)
			out->high = f->a[i].id;
	}
}

static void
find_times(const struct tf_judgement *f, struct tf_verdict *out)
{
	for (size_t i = 0; i < f->status.n; i++) {
		const struct tf_status_item *m = &f->status.items[i];
		struct tf_time end = f->begun.d.e.at;

		if (!m->lacking || m->slot == NULL || m->slot->deadline_s == 0)
			continue;
		end.s += (int64_t)m->slot->deadline_s;
		if (m->overdue && tf_time_cmp(out->after, end) < 0)
			out->after = end;
		if (!m->overdue &&
		    (out->until.s == 0 || tf_time_cmp(end, out->until) < 0))
			out->until = end;
	}
}

static bool
is_damaged(const struct tf_judgement *f)
{
	return f->damaged || f->damage.n > 0 || f->status.word == TF_DAMAGED;
}

static void
set_result(const struct tf_judgement *f, struct tf_verdict *out)
{
	out->word = f->status.word;
	out->tally = tf_status_tally(&f->status);
	out->names = f->status.n;
	if (f->template != NULL) {
		out->template = f->template->version;
		out->warnings = f->template->t.n_warnings;
	}
	find_open(f, out);
	find_times(f, out);
}

/* --- the memory -------------------------------------------------------------------- */

/* What walks know about the workflow; walks first. */
static enum tf_code
read_walked(struct tf_view *w, const struct tf_node_row *row,
    struct tf_walked *out, struct tf_error *err)
{
	struct tf_buf path = { 0 };
	enum tf_code rc = tf_view_walk(w, row->entry, err);

	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, row->attr.id, &path, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&path, err);
	if (rc == TF_OK)
		tf_view_walked(w, (struct tf_str){ path.p, path.n }, out);
	tf_buf_free(&path);
	return rc;
}

/* Does a result hold in this view? */
static enum tf_code
holds(struct tf_view *w, const struct tf_verdict *x,
    const struct tf_walked *walked, bool *is, struct tf_error *err)
{
	struct tf_hash claims;
	enum tf_code rc;

	*is = walked->newest <= x->entries && walked->newest <= w->entries &&
	    walked->lost == x->lost && tf_time_cmp(w->now, x->after) > 0 &&
	    (x->until.s == 0 || tf_time_cmp(w->now, x->until) <= 0);
	if (!*is)
		return TF_OK;
	rc = digest_claims(w, x->low, x->high, &claims, err);
	*is = rc == TF_OK && memcmp(&claims, &x->claims, sizeof(claims)) == 0;
	return rc;
}

static void
keep(struct tf_view *w, const struct tf_verdict *x)
{
	struct tf_verdicts *k = w->v->verdicts;

	pthread_mutex_lock(&k->mu);
	k->of[x->workflow % TF_VERDICTS] = *x;
	pthread_mutex_unlock(&k->mu);
}

static void
forget(struct tf_view *w, uint64_t workflow)
{
	struct tf_verdicts *k = w->v->verdicts;

	pthread_mutex_lock(&k->mu);
	if (k->of[workflow % TF_VERDICTS].workflow == workflow)
		k->of[workflow % TF_VERDICTS].workflow = 0;
	pthread_mutex_unlock(&k->mu);
}

static enum tf_code
judge(struct tf_view *w, const struct tf_node_row *row,
    const struct tf_walked *walked, struct tf_judgement *f,
    struct tf_verdict *out, struct tf_error *err)
{
	const uint64_t begun = tf_clock_boot_ns();
	enum tf_code rc = tf_judgement_read(w, row, f, err);

	if (rc != TF_OK)
		return rc;
	*out = (struct tf_verdict){ .workflow = row->attr.id,
		.entries = w->entries,
		.lost = walked->lost,
		.read_ns = begun,
		.took_ns = tf_clock_boot_ns() - begun };
	set_result(f, out);
	if (w->ledger_only)
		return TF_OK;
	if (is_damaged(f)) {
		forget(w, row->attr.id);
		return TF_OK;
	}
	rc = digest_claims(w, out->low, out->high, &out->claims, err);
	if (rc == TF_OK)
		keep(w, out);
	return rc;
}

enum tf_code
tf_verdict_judge(struct tf_view *w, const struct tf_node_row *row,
    struct tf_judgement *f, struct tf_error *err)
{
	struct tf_verdict unused;
	struct tf_walked walked;
	enum tf_code rc = read_walked(w, row, &walked, err);

	return rc == TF_OK ? judge(w, row, &walked, f, &unused, err) : rc;
}

/* --- again -------------------------------------------------------------------------- */

struct again {
	struct tf_duty duty;
	struct tf_vault *v;
	uint64_t workflow;
};

/* What fails here fails for the next asker, too. */
static void
judge_again(struct tf_duty *d)
{
	struct again *x = (struct again *)d;
	struct tf_judgement f = { 0 };
	struct tf_node_row row = { 0 };
	struct tf_view *w = NULL;
	enum tf_code rc = TF_OK;

	if (!tf_vault_must_stop(x->v))
		rc = tf_view_open(x->v, NULL, &w, NULL);
	if (rc == TF_OK && w != NULL)
		rc = tf_view_row(w, x->workflow, TF_KIND_WORKFLOW, &row, NULL);
	if (rc == TF_OK && w != NULL &&
	    tf_verdict_judge(w, &row, &f, NULL) != TF_OK)
		forget(w, x->workflow);
	tf_judgement_free(&f);
	tf_view_close(w);
	free(x);
}

/* Is the result too old to be used?  One whose judging takes long is used once
 * more, and judged in the background: by one thread, as read_ns is set. */
static bool
is_stale(struct tf_view *w, const struct tf_verdict *x)
{
	struct tf_verdicts *k = w->v->verdicts;
	const uint64_t now = tf_clock_boot_ns(), age = now - x->read_ns;
	struct tf_verdict *kept = &k->of[x->workflow % TF_VERDICTS];
	struct again *a;
	bool first;

	if (age < KEPT_NS || age / KEPT_TIMES < x->took_ns)
		return false;
	if (x->took_ns <= FAST_NS || w->v->background == NULL)
		return true;
	pthread_mutex_lock(&k->mu);
	first = kept->workflow == x->workflow && kept->read_ns == x->read_ns;
	if (first)
		kept->read_ns = now;
	pthread_mutex_unlock(&k->mu);
	if (!first)
		return false;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return true;
	*a = (struct again){ .duty = { .is_long = true, .run = judge_again },
		.v = w->v,
		.workflow = x->workflow };
	tf_background_add(w->v->background, &a->duty);
	return false;
}

enum tf_code
tf_verdict_with_damage(struct tf_view *w, const struct tf_node_row *row,
    struct tf_verdict *out, struct tf_damage *damage, struct tf_error *err)
{
	struct tf_verdicts *k = w->v->verdicts;
	struct tf_judgement f = { 0 };
	struct tf_walked walked;
	bool is = false;
	enum tf_code rc = read_walked(w, row, &walked, err);

	if (rc == TF_OK)
		rc = tf_view_raise_now(w, err);
	if (rc != TF_OK)
		return rc;
	pthread_mutex_lock(&k->mu);
	*out = k->of[row->attr.id % TF_VERDICTS];
	pthread_mutex_unlock(&k->mu);
	if (out->workflow == row->attr.id && !w->ledger_only)
		rc = holds(w, out, &walked, &is, err);
	if (rc != TF_OK || (is && !is_stale(w, out)))
		return rc;
	rc = judge(w, row, &walked, &f, out, err);
	if (rc == TF_OK && damage != NULL) {
		*damage = f.damage;
		f.damage = (struct tf_damage){ 0 };
	}
	tf_judgement_free(&f);
	return rc;
}

enum tf_code
tf_verdict_of(struct tf_view *w, const struct tf_node_row *row,
    struct tf_verdict *out, struct tf_error *err)
{
	return tf_verdict_with_damage(w, row, out, NULL, err);
}
