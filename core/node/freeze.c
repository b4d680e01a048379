/* The freeze of a file: see freeze.h. */
#include "../base/clock.h"
#include "../ledger/name.h"
#include "../vault.h"
#include "freeze.h"
#include "pending.h"
#include "pending_index.h"
#include "vault_i.h"

#define ROUND_NS 500000000 /* at most, between two seals of files */

/*
 * Files that are closed one after the other are due at the same time, at most a
 * quarter of settle_s later.  A seal writes pages that the rows of many files share,
 * so one seal of many files writes much less than many seals.
 */
static uint64_t
due_together(uint64_t deadline_ns, uint64_t settle_s)
{
	uint64_t round_ns = settle_s * TF_SECOND / 4;

	if (round_ns > ROUND_NS)
		round_ns = ROUND_NS;
	return round_ns == 0 ?
	    deadline_ns :
	    (deadline_ns + round_ns - 1) / round_ns * round_ns;
}

void
tf_pending_freeze(struct tf_pending *l)
{
	uint64_t now = tf_clock_boot_ns();
	struct tf_time clock = tf_clock_now();
	/* A program that made the name up will rename the file. */
	const uint64_t settle_s = tf_name_may_be_draft(l->name, l->name_len) ?
	    TF_SETTLE_MAX_S :
	    l->v->settings.value[TF_SETTLE];

	/* Of a draft the kernel may remember the time. */
	if (l->attr.state == TF_STATE_DRAFT)
		tf_vault_changed(l->v, l->attr.id);
	if (l->attr.state != TF_STATE_FROZEN) {
		l->attr.state = TF_STATE_FROZEN;
		l->frozen_ns = now;
	}
	if (tf_time_cmp(l->attr.ctime, clock) < 0)
		l->attr.ctime = clock;
	l->deadline_ns = now + settle_s * TF_SECOND;
	if (l->deadline_ns > l->frozen_ns + TF_SETTLE_MAX_S * TF_SECOND)
		l->deadline_ns = l->frozen_ns + TF_SETTLE_MAX_S * TF_SECOND;
	l->deadline_ns = due_together(l->deadline_ns, settle_s);
	tf_pending_index(l);
}
