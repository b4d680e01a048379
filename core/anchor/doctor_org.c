/*
 * Examining an organisation: see core/doctor.h.  The tree, the signature and the
 * members' own checkpoints are the work of tf_org_publish and of verify; this is
 * what a monitor asks often.
 */
#include "../doctor.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/note.h"
#include "../org/uri.h"

#define PUBLISH_LATE_S ((int64_t)86400)
#define REFUSED_NEW_S ((int64_t)7 * 86400) /* nobody can delete a refusal */

struct look {
	const struct tf_doctor *d;
	struct tf_ledger *ledger;
	struct tf_blobs *blobs; /* NULL: not examined */
	uint64_t size;
	struct tf_buf origin; /* of the organisation */
	/* Members but for the organisation itself. */
	uint64_t members, revoked, empty;
	/* Refusals, and those of them that are forks. */
	uint64_t refused, forks, after_revocation;
	struct tf_time newest_at;
	struct tf_time made_at; /* an entry; {0, 0}: not known */
};

/* --- the ledger ------------------------------------------------------------------ */

static void
say_replicas(struct look *k)
{
	if (k->ledger->ops->caps(k->ledger) & TF_LEDGER_REPLICATED)
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_OK, NULL,
		    "%llu entries; what is acknowledged is on two nodes",
		    (unsigned long long)k->size);
	else
		tf_doctor_say(k->d, "ledger", TF_DOCTOR_NOTE,
		    "see LEDGER IN POSTGRESQL in trailfs-engines(7)",
		    "%llu entries, which only one node has: the loss of its "
		    "disk loses them",
		    (unsigned long long)k->size);
}

static enum tf_code
take_leaf(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct look *k = arg;
	bool moved;
	enum tf_code rc;

	if (leaf->index == 0) {
		tf_buf_add(&k->origin, leaf->origin.p, leaf->origin.n);
		return tf_buf_end(&k->origin, err);
	}
	/* A later version may have written it. */
	rc = tf_entry_decode(&d, leaf->bytes.p, leaf->bytes.n, NULL);
	if (rc == TF_OK)
		k->made_at = tf_entry_when(&d.e, &moved);
	tf_entry_decoded_free(&d);
	return rc == TF_NOMEM ? tf_nomem(err) : TF_OK;
}

static enum tf_code
count_member(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct look *k = arg;

	(void)err;
	if (tf_str_same(m->origin, tf_buf_bytes(&k->origin)))
		return TF_OK;
	k->members++;
	k->revoked += m->revoked;
	k->empty += m->next == 0 && !m->revoked;
	return TF_OK;
}

static enum tf_code
look_at_members(struct look *k, struct tf_error *err)
{
	enum tf_code rc = k->ledger->ops->members(k->ledger, count_member, k,
	    err);

	if (rc != TF_OK)
		return rc;
	tf_doctor_say(k->d, "members",
	    k->empty > 0 ? TF_DOCTOR_NOTE : TF_DOCTOR_OK,
	    k->empty > 0 ? "trailctl org list shows them" : NULL,
	    "members: %llu, of them revoked: %llu; have sent nothing yet: %llu",
	    (unsigned long long)k->members, (unsigned long long)k->revoked,
	    (unsigned long long)k->empty);
	return TF_OK;
}

static enum tf_code
count_refusal(void *arg, const struct tf_refused *r, struct tf_error *err)
{
	struct look *k = arg;

	(void)err;
	k->refused++;
	k->forks += r->is_fork;
	k->after_revocation += r->is_revoked;
	if (tf_time_cmp(r->at, k->newest_at) > 0)
		k->newest_at = r->at;
	return TF_OK;
}

static enum tf_code
look_at_refusals(struct look *k, struct tf_error *err)
{
	const struct tf_time now = tf_clock_now();
	char at[TF_TIME_LEN + 1], late[80] = "";
	enum tf_code rc = k->ledger->ops->refusals(k->ledger, 0, count_refusal,
	    k, err);

	if (rc != TF_OK)
		return rc;
	tf_time_text(k->newest_at, at);
	if (k->after_revocation > 0)
		(void)snprintf(late, sizeof(late),
		    " and %llu after a revocation",
		    (unsigned long long)k->after_revocation);
	if (k->refused == 0)
		tf_doctor_say(k->d, "refused", TF_DOCTOR_OK, NULL,
		    "no fork and no gap was refused");
	else
		tf_doctor_say(k->d, "refused",
		    now.s - k->newest_at.s > REFUSED_NEW_S ? TF_DOCTOR_NOTE :
							     TF_DOCTOR_WRONG,
		    "trailctl org refused shows whose; the host was set back, "
		    "copied or forged",
		    "%llu forks and %llu gaps%s were refused, the last one %s",
		    (unsigned long long)k->forks,
		    (unsigned long long)(k->refused - k->forks -
			k->after_revocation),
		    late, at);
	return TF_OK;
}

/* --- what is signed ---------------------------------------------------------------- */

/* The copy that readers take is put after that of the ledger. */
static enum tf_code
look_at_published(struct look *k, const struct tf_buf *note,
    struct tf_error *err)
{
	static const char cure[] = "trailctl org publish puts it";
	struct tf_buf beside = { 0 };
	struct tf_error why;
	enum tf_code rc = k->blobs->ops->fetch(k->blobs, "checkpoint",
	    TF_NOTE_MAX, &beside, &why);

	if (rc == TF_NOTFOUND)
		tf_doctor_say(k->d, "log", TF_DOCTOR_WRONG, cure,
		    "the blobs have no checkpoint");
	else if (rc == TF_OK &&
	    !tf_str_same(tf_buf_bytes(note), tf_buf_bytes(&beside)))
		tf_doctor_say(k->d, "log", TF_DOCTOR_NOTE, cure,
		    "the checkpoint beside the blobs is not the newest one: a "
		    "publication is running, or was cut short");
	else if (rc != TF_OK)
		tf_doctor_say(k->d, "log", TF_DOCTOR_UNSEEN, NULL, "%s",
		    why.text);
	tf_buf_free(&beside);
	return rc == TF_NOMEM ? tf_fail_as(err, &why) : TF_OK;
}

static enum tf_code
say_lacks(struct look *k, uint64_t signed_size, struct tf_error *err)
{
	const struct tf_time now = tf_clock_now();
	char span[TF_SPAN_LEN + 1];
	int64_t age;
	enum tf_code rc = k->ledger->ops->read(k->ledger, signed_size, 1,
	    take_leaf, k, err);

	if (rc != TF_OK)
		return rc;
	age = k->made_at.s != 0 && now.s > k->made_at.s ? now.s - k->made_at.s :
							  0;
	tf_span_text(age, span);
	tf_doctor_say(k->d, "log",
	    age > PUBLISH_LATE_S ? TF_DOCTOR_WRONG : TF_DOCTOR_OK,
	    age > PUBLISH_LATE_S ? "trailctl org publish; does its timer run?" :
				   NULL,
	    "the checkpoint lacks %llu of %llu entries; the first of them was "
	    "made %s ago",
	    (unsigned long long)(k->size - signed_size),
	    (unsigned long long)k->size, span);
	return TF_OK;
}

static enum tf_code
look_at_log(struct look *k, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	uint64_t size = 0;
	enum tf_code rc = k->ledger->ops->checkpoint_get(k->ledger, &size,
			 &note, err),
		     sized;

	/* Read after the checkpoint, the ledger has at least its entries. */
	if ((sized = k->ledger->ops->size(k->ledger, &k->size, err)) != TF_OK) {
		tf_buf_free(&note);
		return sized;
	}

	if (rc == TF_NOTFOUND) {
		tf_doctor_say(k->d, "log",
		    k->size > 1 ? TF_DOCTOR_WRONG : TF_DOCTOR_NOTE,
		    "trailctl org publish",
		    "never published: nobody has signed this ledger");
		rc = TF_OK;
	} else if (rc == TF_OK && size > k->size) {
		tf_doctor_say(k->d, "log", TF_DOCTOR_WRONG,
		    "trailctl org publish says more; look for a copy of the "
		    "ledger that has them",
		    "the checkpoint has %llu entries, the ledger only %llu: "
		    "some are lost",
		    (unsigned long long)size, (unsigned long long)k->size);
	} else if (rc == TF_OK && size == k->size) {
		tf_doctor_say(k->d, "log", TF_DOCTOR_OK, NULL,
		    "the checkpoint has all %llu entries",
		    (unsigned long long)size);
	} else if (rc == TF_OK) {
		rc = say_lacks(k, size, err);
	}
	if (rc == TF_OK && note.n > 0 && k->blobs != NULL)
		rc = look_at_published(k, &note, err);
	tf_buf_free(&note);
	return rc;
}

/* --- the blobs ---------------------------------------------------------------------- */

static void
look_at_locks(struct look *k)
{
	enum tf_worm verdict = TF_WORM_UNLOCKED;
	struct tf_error why;
	enum tf_code rc = k->blobs->ops->probe_worm(k->blobs, &verdict, &why);

	if (rc != TF_OK)
		tf_doctor_say(k->d, "locks", TF_DOCTOR_UNSEEN, NULL, "%s",
		    why.text);
	else if (verdict == TF_WORM_HELD)
		tf_doctor_say(k->d, "locks", TF_DOCTOR_OK, NULL,
		    "a locked object could not be deleted");
	else if (verdict == TF_WORM_NOT_HELD)
		tf_doctor_say(k->d, "locks", TF_DOCTOR_WRONG,
		    "see Rights of a host in trailfs-engines(7)",
		    "a locked object could be deleted: the store of the blobs "
		    "ignores locks, or these credentials may bypass them");
	else
		tf_doctor_say(k->d, "locks", TF_DOCTOR_NOTE, NULL,
		    "nothing is locked: who may write the blobs may delete "
		    "them");
}

static enum tf_code
look_at_all(struct look *k, const char *blobs, struct tf_error *err)
{
	struct tf_error why;
	enum tf_code rc = tf_blobs_open(blobs, TF_ORG_ORGANISER, &k->blobs,
	    &why);

	if (rc == TF_INVALID || rc == TF_UNSUPPORTED || rc == TF_NEWER)
		return tf_fail_as(err, &why);
	if (rc != TF_OK)
		tf_doctor_say(k->d, "blobs", TF_DOCTOR_UNSEEN, NULL, "%s",
		    why.text);

	if ((rc = k->ledger->ops->size(k->ledger, &k->size, err)) != TF_OK ||
	    (rc = k->ledger->ops->read(k->ledger, 0, 1, take_leaf, k, err)) !=
		TF_OK)
		return rc;
	say_replicas(k);
	if ((rc = look_at_members(k, err)) != TF_OK ||
	    (rc = look_at_refusals(k, err)) != TF_OK ||
	    (rc = look_at_log(k, err)) != TF_OK)
		return rc;
	if (k->blobs != NULL)
		look_at_locks(k);
	return TF_OK;
}

enum tf_code
tf_doctor_organisation(const char *ledger, const char *blobs,
    const struct tf_doctor *d, struct tf_error *err)
{
	struct look k = { .d = d };
	enum tf_code rc = tf_ledger_open(ledger, TF_ORG_READER, &k.ledger, err);

	if (rc == TF_OK)
		rc = look_at_all(&k, blobs, err);
	tf_ledger_close(k.ledger);
	tf_blobs_close(k.blobs);
	tf_buf_free(&k.origin);
	return rc;
}
