/*
 * Time stamps under audit: see stamp.h.
 *
 * Three answers must not be confused.  A stamp with a fault is evidence of an
 * alteration.  A stamp of an authority that the caller does not trust says
 * nothing, because anybody can make one.  Only a stamp below a certificate that
 * the caller gave says that the entries existed at its time.
 *
 * The time of a stamp is compared with clocks that may be wrong themselves: that
 * of the host, and that of this computer.  So no difference is evidence of an
 * alteration.  If the host's clock differs from a trusted authority, people must
 * know that the times of the ledger are wrong there, and by how much.
 */
#include "stamp.h"

#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/time_text.h"
#include "../base/timestamp.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/replay.h"
#include "../store/config_file.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"

/* Is the note a checkpoint of the tree that the entry names, by the log?  Its
 * key is the one that was in force at the entry. */
static bool
is_of_tree(struct tf_audit *a, const struct tf_entry *e, struct tf_str note)
{
	const char *text = tf_replay_vkey(a->replay);
	struct tf_vkey key;
	struct tf_checkpoint c;
	struct tf_error err = { .code = TF_OK };

	if (tf_vkey_parse(text, strlen(text), &key, &err) != TF_OK ||
	    tf_log_keys_check(&a->keys, &key, note.p, note.n, &c, NULL, &err) !=
		TF_OK)
		tf_audit_trouble(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name,
		    "the stamped checkpoint", &err);
	else if (c.size != e->tree_size ||
	    memcmp(&c.root, &e->tree_root, sizeof(c.root)) != 0)
		tf_audit_finding(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name,
		    "the stamped checkpoint is not that of the entry");
	else
		return true;
	return false;
}

/* Report that the stamp differs from a reading of the clock.  Without a trusted
 * authority it may as well be the stamp that is wrong. */
static void
differs(struct tf_audit *a, const struct tf_entry *e, const struct tf_stamp *s,
    struct tf_time clock, int64_t by, const char *when)
{
	char stamped[TF_TIME_LEN + 1], read[TF_TIME_LEN + 1];
	char span[TF_SPAN_LEN + 1], text[240];

	tf_time_text(s->at, stamped);
	tf_time_text(clock, read);
	tf_span_text(by < 0 ? -by : by, span);
	(void)snprintf(text, sizeof(text),
	    "the clock of the host was %s %s the stamp: it said %s %s, the "
	    "stamp says %s",
	    span, by < 0 ? "ahead of" : "behind", read, when, stamped);
	if (a->v->tsa_ca.p != NULL)
		tf_audit_remark(a, TF_CHECK_TIMESTAMP, TF_GRADE_BESIDE, e->seq,
		    e->anchor_name, text);
	else
		tf_audit_unread(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name,
		    text);
}

/* Compare the time of the stamp with the clocks.  False: it is later than now. */
static bool
check_time(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_stamp *s, const struct tf_time *made)
{
	const struct tf_time received = e->has_clock ? e->clock : e->at;
	const struct tf_time now = tf_clock_now();
	const int64_t by = tf_stamp_differs(s, made, &received);
	const int64_t ahead = tf_stamp_differs(s, NULL, &now);
	char at[TF_TIME_LEN + 1], span[TF_SPAN_LEN + 1], text[160];

	if (by < 0)
		differs(a, e, s, *made, by, "at an entry that is stamped");
	else if (by > 0)
		differs(a, e, s, received, by, "when the stamp was received");
	if (ahead == 0)
		return true;
	tf_time_text(s->at, at);
	tf_span_text(ahead, span);
	(void)snprintf(text, sizeof(text),
	    "the stamp says %s, %s after the time of this computer: it is not "
	    "counted",
	    at, span);
	tf_audit_unread(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name, text);
	return false;
}

/* Remember the stamp that is about the most entries. */
static void
count(struct tf_audit *a, const struct tf_entry *e, const struct tf_stamp *s)
{
	if (a->r->stamped > 0 && a->r->stamped >= e->tree_size)
		return;
	a->r->stamped = e->tree_size;
	a->r->stamped_at = s->at;
}

/* Remember a stamp that satisfies a store that requires stamps: one of a trusted
 * authority.  Of others only the existence is remembered.  trusted: the stamp is one
 * by the certificates of the caller; or NULL. */
static void
note_required(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_stamp_check *check, const struct tf_audit_stamped *s,
    const struct tf_stamp *trusted)
{
	struct tf_stamp_check c = *check;
	struct tf_stamp stamp;
	struct tf_time at;
	struct tf_error err = { .code = TF_OK };

	a->stamp.any = true;
	if (a->v->tsa_ca.p == NULL && s->required.p != NULL) {
		c.trusted = s->required;
		if (tf_stamp_check(&c, &stamp, NULL, &err) == TF_OK)
			trusted = &stamp;
		else if (err.code == TF_NOMEM)
			tf_audit_no_memory(a);
	}
	if (trusted == NULL)
		return;
	at = tf_stamps_time(e->at, trusted->at, s->next);
	if (a->stamp.counts && tf_time_cmp(at, a->stamp.at) <= 0)
		return;
	a->stamp.counts = true;
	a->stamp.at = at;
}

void
tf_audit_stamp(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_audit_stamped *s)
{
	const struct tf_stamp_check c = { .note = s->note,
		.token = s->token,
		.chain = s->chain,
		.trusted = a->v->tsa_ca };
	struct tf_stamp stamp;
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc;

	a->r->stamps++;
	if (s->note.p == NULL) {
		tf_audit_unread(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name,
		    "the stamped checkpoint is not at hand");
		return;
	}
	if (!is_of_tree(a, e, s->note))
		return;
	rc = tf_stamp_check(&c, &stamp, NULL, &err);
	if (rc == TF_OK || rc == TF_FOREIGN)
		note_required(a, e, &c, s,
		    rc == TF_OK && a->v->tsa_ca.p != NULL ? &stamp : NULL);
	if (rc == TF_FOREIGN)
		tf_audit_unread(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name,
		    "your certificates do not vouch for this authority");
	else if (rc != TF_OK)
		tf_audit_trouble(a, TF_CHECK_TIMESTAMP, e->seq, e->anchor_name,
		    "", &err);
	else if (check_time(a, e, &stamp, s->made) && a->v->tsa_ca.p != NULL)
		count(a, e, &stamp);
}

void
tf_audit_stamps_end(struct tf_audit *a, uint64_t needed)
{
	char text[128];
	enum tf_verdict *v = &a->r->check[TF_CHECK_TIMESTAMP];

	if (*v == TF_VERDICT_FAILED)
		return;
	*v = TF_VERDICT_ABSENT;
	if (a->r->stamped == 0)
		return;
	if (a->r->stamped >= needed) {
		*v = TF_VERDICT_OK;
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "the newest stamp is about the first %llu entries, %llu are needed",
	    (unsigned long long)a->r->stamped, (unsigned long long)needed);
	tf_audit_unread(a, TF_CHECK_TIMESTAMP, UINT64_MAX, tf_nowhere, text);
}
