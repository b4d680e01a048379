/*
 * Time stamps of a store: see store_stamps.h.  Token and certificates are objects
 * that the entry names by digest.  The stamped checkpoint is a row of its own; a
 * mirror may lack it, and then nobody can tell there what was stamped.
 */
#include "store_stamps.h"

#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../store/config_file.h"
#include "../store/entries.h"
#include "../store/objects.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "stamp.h"
#include "store_i.h"

/* Append the object with that content to out.  False: it is not at hand as it
 * was recorded, which the check of contents reports. */
static enum tf_code
load(struct tf_audit *a, const struct tf_content *c, struct tf_buf *out,
    bool *good, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_object_row o;
	struct tf_hash h;
	uint64_t id;
	enum tf_code rc = tf_object_find(s->db, &c->sha256, &id, err);

	*good = false;
	if (rc == TF_OK)
		rc = tf_object_get(s->db, id, &o, out, err);
	if (rc == TF_OK) {
		tf_sha256(out->n == 0 ? "" : out->p, out->n, &h);
		*good = memcmp(&h, &c->sha256, sizeof(h)) == 0;
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Set the time and the clock's reading of entry seq.  Both stay as they are if it
 * cannot be read, which other checks report. */
static enum tf_code
times_of(struct tf_audit *a, uint64_t seq, struct tf_time *at,
    struct tf_time *clock, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_entries_get(s->db, seq, &body, NULL, &e);

	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, &e);
	if (rc == TF_OK) {
		*at = d.e.at;
		*clock = d.e.has_clock ? d.e.clock : d.e.at;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return tf_code_undecided(rc) ? tf_fail_as(err, &e) : TF_OK;
}

/* Set the times of the last entry that the stamped checkpoint has, and of the
 * first one that it lacks; clock is where x->made points to. */
static enum tf_code
times_around(struct tf_audit *a, uint64_t size, struct tf_audit_stamped *x,
    struct tf_time *clock, struct tf_error *err)
{
	struct tf_time at = { 0 }, unused;
	enum tf_code rc = size == 0 ? TF_OK :
				      times_of(a, size - 1, &at, clock, err);

	if (at.s != 0)
		x->made = clock;
	return rc == TF_OK ? times_of(a, size, &x->next, &unused, err) : rc;
}

enum tf_code
tf_audit_store_stamp(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_buf note = { 0 }, token = { 0 }, chain = { 0 };
	struct tf_audit_stamped x = { .note = { NULL, 0 } };
	struct tf_time clock;
	struct tf_hash root;
	bool has_token = false, has_chain = true;
	enum tf_code rc;

	if (!tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_STAMP)))
		return TF_OK;
	rc = load(a, &e->content, &token, &has_token, err);
	if (rc == TF_OK && e->has_chain)
		rc = load(a, &e->chain, &chain, &has_chain, err);
	if (rc == TF_OK && has_token && has_chain) {
		rc = tf_checkpoints_get(s->db, e->tree_size, &root, &note, err);
		if (rc == TF_OK)
			x.note = tf_buf_bytes(&note);
		if (s->stamps.ca.n > 0)
			x.required = tf_buf_bytes(&s->stamps.ca);
		x.token = tf_buf_bytes(&token);
		x.chain = tf_buf_bytes(&chain);
		if (rc == TF_OK || rc == TF_NOTFOUND)
			rc = times_around(a, e->tree_size, &x, &clock, err);
		if (rc == TF_OK)
			tf_audit_stamp(a, e, &x);
	}
	tf_buf_free(&note);
	tf_buf_free(&token);
	tf_buf_free(&chain);
	return rc;
}

enum tf_code
tf_audit_store_stamps_begin(struct tf_audit_store *s, struct tf_error *err)
{
	enum tf_code rc = tf_stamps_config_read(s->dirfd, &s->stamps, err);

	return rc == TF_NOMEM ? rc : TF_OK;
}

/* What is wrong with the stamps of a store that requires them, or NULL. */
static const char *
why_late(const struct tf_audit *a)
{
	if (!a->stamp.any)
		return "STORE/config requires time stamps: there is none";
	if (!tf_stamps_late(a->stamp.counts ? &a->stamp.at : NULL,
		a->stamp.newest))
		return NULL;
	return a->stamp.counts ?
	    "STORE/config requires time stamps: the newest one is more than 7 "
	    "days older than the newest entry" :
	    "STORE/config requires time stamps: there is none of an authority "
	    "that is trusted";
}

void
tf_audit_store_stamps_end(struct tf_audit *a)
{
	struct tf_audit_store *s = a->self;
	const char *why = why_late(a);

	tf_audit_stamps_end(a, 0);
	if (s->stamps.mode != TF_STAMPS_REQUIRED || why == NULL)
		return;
	if (s->stamps.trouble && a->v->tsa_ca.p == NULL && a->stamp.any)
		tf_audit_unread(a, TF_CHECK_TIMESTAMP, UINT64_MAX, tf_nowhere,
		    "STORE/config requires time stamps, and its stamp_ca is "
		    "missing or cannot be read: give --tsa-ca");
	else
		tf_audit_finding(a, TF_CHECK_TIMESTAMP, UINT64_MAX, tf_nowhere,
		    "%s", why);
}
