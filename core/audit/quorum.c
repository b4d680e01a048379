/*
 * The quorum of a policy under audit: see quorum.h.
 *
 * The cosignatures of different witnesses come in notes of their own.  Who has
 * cosigned a checkpoint has cosigned every smaller one of this log with it, since
 * the audit checks that the smaller one is its beginning.  So a quorum is about
 * the entries that enough witnesses have seen, at whichever size each, and the
 * longest log of each witness is all that must be kept.
 */
#include "quorum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../verify.h"
#include "../witness.h"
#include "audit.h"
#include "findings.h"

struct tf_quorum_count {
	/* The longest log that each node of the policy has cosigned, entries; 0:
	 * none. */
	uint64_t longest[TF_WITNESS_NODES_MAX];
	bool any;
	uint64_t top;	 /* the longest log of a note, entries */
	uint64_t needed; /* entries */
};

enum tf_code
tf_quorum_count_new(struct tf_audit *a, struct tf_error *err)
{
	struct tf_quorum_count *q;

	if (a->v->policy == NULL)
		return TF_OK;
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return tf_nomem(err);
	a->quorum = q;
	a->r->quorum.of = tf_witness_policy_count(a->v->policy);
	return TF_OK;
}

void
tf_quorum_count_free(struct tf_quorum_count *q)
{
	free(q);
}

/* Would the policy be met by those who have cosigned so many entries?  *n is
 * their number. */
static bool
is_met(struct tf_audit *a, uint64_t size, size_t *n)
{
	bool has_cosigned[TF_WITNESS_NODES_MAX];

	*n = 0;
	for (size_t i = 0; i < TF_WITNESS_NODES_MAX; i++) {
		has_cosigned[i] = size > 0 && a->quorum->longest[i] >= size;
		*n += i < a->r->quorum.of && has_cosigned[i];
	}
	return tf_witness_policy_met(a->v->policy, has_cosigned);
}

/* Report the longest log that a quorum has cosigned; without a quorum, what all
 * those have cosigned who have cosigned anything. */
static void
find_best(struct tf_audit *a)
{
	struct tf_quorum_report *best = &a->r->quorum;
	const uint64_t *longest = a->quorum->longest;
	size_t n;

	/* A policy may be met by nobody. */
	best->met = a->quorum->top > 0 && is_met(a, a->quorum->top, &n);
	best->size = best->met ? a->quorum->top : 0;
	for (size_t i = 0; i < TF_WITNESS_NODES_MAX; i++)
		if (longest[i] > best->size && is_met(a, longest[i], &n)) {
			best->met = true;
			best->size = longest[i];
		}
	for (size_t i = 0; !best->met && i < best->of; i++)
		if (longest[i] > 0 &&
		    (best->size == 0 || longest[i] < best->size))
			best->size = longest[i];
	(void)is_met(a, best->size, &best->cosigned);
}

void
tf_quorum_count_note(struct tf_audit *a, const struct tf_checkpoint *c,
    struct tf_str note)
{
	struct tf_error why = { .code = TF_OK };
	struct tf_quorum q;
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
	if (a->quorum->top < c->size)
		a->quorum->top = c->size;
	for (size_t i = 0; i < TF_WITNESS_NODES_MAX; i++)
		if (q.has_cosigned[i] && a->quorum->longest[i] < c->size)
			a->quorum->longest[i] = c->size;
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

/* Does the policy name a key of the log?  Whoever wrote it may not know the newest
 * one yet. */
static bool
has_log(const struct tf_audit *a)
{
	struct tf_buf key = { 0 };
	bool has;

	tf_vkey_text(&a->vkey, &key);
	has = tf_witness_policy_has_log(a->v->policy, tf_buf_bytes(&key));
	for (size_t i = 0; !has && i < 2 * a->keys.n; i++) {
		const struct tf_rotation *r = &a->keys.rotation[i / 2];
		const struct tf_vkey *k = i % 2 == 0 ? &r->old_key :
						       &r->new_key;

		if (!tf_log_keys_has(&a->keys, &a->vkey, k))
			continue;
		key.n = 0;
		tf_vkey_text(k, &key);
		has = tf_witness_policy_has_log(a->v->policy,
		    tf_buf_bytes(&key));
	}
	tf_buf_free(&key);
	return has;
}

void
tf_quorum_count_end(struct tf_audit *a)
{
	if (a->quorum == NULL ||
	    a->r->check[TF_CHECK_WITNESS] == TF_VERDICT_FAILED)
		return;
	find_best(a);
	if (!has_log(a))
		tf_audit_remark(a, TF_CHECK_WITNESS, TF_GRADE_BESIDE,
		    UINT64_MAX, tf_nowhere,
		    "the policy does not name this log and key");
	else if (a->r->quorum.met && a->r->quorum.size < a->quorum->needed)
		too_small(a);
	else if (a->r->quorum.met)
		a->r->check[TF_CHECK_WITNESS] = TF_VERDICT_OK;
	else if (a->quorum->any)
		tf_audit_remark(a, TF_CHECK_WITNESS, TF_GRADE_BESIDE,
		    UINT64_MAX, tf_nowhere,
		    "no checkpoint is cosigned by the quorum");
	else
		a->r->check[TF_CHECK_WITNESS] = TF_VERDICT_ABSENT;
}
