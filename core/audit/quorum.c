/*
 * The quorum of a policy under audit: see quorum.h.
 *
 * A quorum is one of a checkpoint, and the cosignatures of different witnesses
 * over the same checkpoint come in notes of their own, with those of other
 * checkpoints between them.  So the witnesses of the last checkpoints are kept:
 * enough for every order in which answers come in practice, and bounded.  What
 * falls out of memory can only make the verdict worse.
 */
#include "quorum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../verify.h"
#include "../witness.h"
#include "audit.h"
#include "findings.h"

#define KEPT 1024 /* checkpoints */

struct seen {
	uint64_t size;
	struct tf_hash root;
	bool has_cosigned[TF_WITNESS_NODES_MAX];
};

struct tf_quorum_count {
	struct seen *seen; /* in the order in which they came */
	size_t n;
	bool any;
	uint64_t needed; /* entries */
};

enum tf_code
tf_quorum_count_new(struct tf_audit *a, struct tf_error *err)
{
	struct tf_quorum_count *q;

	if (a->v->policy == NULL)
		return TF_OK;
	if ((q = calloc(1, sizeof(*q))) == NULL ||
	    (q->seen = calloc(KEPT, sizeof(*q->seen))) == NULL) {
		tf_quorum_count_free(q);
		return tf_nomem(err);
	}
	a->quorum = q;
	a->r->quorum.of = tf_witness_policy_count(a->v->policy);
	return TF_OK;
}

void
tf_quorum_count_free(struct tf_quorum_count *q)
{
	if (q != NULL)
		free(q->seen);
	free(q);
}

/* What is known of that checkpoint; the one that came first makes room. */
static struct seen *
find(struct tf_quorum_count *q, const struct tf_checkpoint *c)
{
	struct seen *s;

	for (size_t i = q->n; i > 0; i--) {
		s = &q->seen[i - 1];
		if (s->size == c->size &&
		    memcmp(&s->root, &c->root, sizeof(s->root)) == 0)
			return s;
	}
	if (q->n == KEPT) {
		q->n--;
		memmove(q->seen, q->seen + 1, q->n * sizeof(*q->seen));
	}
	s = &q->seen[q->n++];
	memset(s, 0, sizeof(*s));
	s->size = c->size;
	s->root = c->root;
	return s;
}

/* Compare with the best so far: met before not met, then the longer log or the
 * more witnesses. */
static void
keep_best(struct tf_audit *a, const struct seen *s)
{
	struct tf_quorum_report *best = &a->r->quorum;
	const bool met = tf_witness_policy_met(a->v->policy, s->has_cosigned);
	size_t n = 0;

	for (size_t i = 0; i < best->of; i++)
		n += s->has_cosigned[i];
	if (met != best->met ? !met :
		met	     ? s->size < best->size :
			       n < best->cosigned ||
		    (n == best->cosigned && s->size < best->size))
		return;
	best->met = met;
	best->size = s->size;
	best->cosigned = n;
}

void
tf_quorum_count_note(struct tf_audit *a, const struct tf_checkpoint *c,
    struct tf_str note)
{
	struct tf_error why = { .code = TF_OK };
	struct tf_quorum q;
	struct seen *s;
	enum tf_code rc;

	if (a->quorum == NULL)
		return;
	rc = tf_witness_policy_judge(a->v->policy, note, &q, &why);
	if (rc == TF_NOMEM)
		tf_audit_no_memory(a);
	else if (rc != TF_OK)
		tf_audit_trouble(a, TF_CHECK_WITNESS, UINT64_MAX, tf_nowhere,
		    "a cosigned checkpoint", &why);
	if (rc != TF_OK || (q.cosigned == 0 && !q.met))
		return;
	a->quorum->any |= q.cosigned > 0;
	s = find(a->quorum, c);
	for (size_t i = 0; i < TF_WITNESS_NODES_MAX; i++)
		s->has_cosigned[i] |= q.has_cosigned[i];
	keep_best(a, s);
}

void
tf_quorum_count_needs(struct tf_audit *a, uint64_t entries)
{
	if (a->quorum != NULL)
		a->quorum->needed = entries;
}

static void
too_small(struct tf_audit *a)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "the newest quorum is about the first %llu entries, %llu are needed",
	    (unsigned long long)a->r->quorum.size,
	    (unsigned long long)a->quorum->needed);
	a->r->check[TF_CHECK_WITNESS] = TF_VERDICT_ABSENT;
	tf_audit_unread(a, TF_CHECK_WITNESS, UINT64_MAX, tf_nowhere, text);
}

/* The log's key, as the policy would have it. */
static bool
has_log(const struct tf_audit *a)
{
	struct tf_buf key = { 0 };
	bool has;

	tf_vkey_text(&a->vkey, &key);
	has = tf_witness_policy_has_log(a->v->policy, tf_buf_bytes(&key));
	tf_buf_free(&key);
	return has;
}

void
tf_quorum_count_end(struct tf_audit *a)
{
	if (a->quorum == NULL ||
	    a->r->check[TF_CHECK_WITNESS] == TF_VERDICT_FAILED)
		return;
	if (!has_log(a))
		tf_audit_remark(a, TF_CHECK_WITNESS, TF_GRADE_BESIDE,
		    tf_nowhere, "the policy does not name this log and key");
	else if (a->r->quorum.met && a->r->quorum.size < a->quorum->needed)
		too_small(a);
	else if (a->r->quorum.met)
		a->r->check[TF_CHECK_WITNESS] = TF_VERDICT_OK;
	else if (a->quorum->any)
		tf_audit_remark(a, TF_CHECK_WITNESS, TF_GRADE_BESIDE,
		    tf_nowhere, "no checkpoint is cosigned by the quorum");
	else
		a->r->check[TF_CHECK_WITNESS] = TF_VERDICT_ABSENT;
}
