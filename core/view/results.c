/*
 * The last verifications, backup and forwarding: see results.h.  No part of this reads
 * more of the ledger when there is more of it.
 */
#include "results.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/html.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/actor_json.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/verify_run.h"
#include "../node/load_entry.h"
#include "../node/vault_i.h"
#include "../store/meta.h"
#include "page.h"
#include "view.h"

/* Take the verify.done with number seq; false: it is none, or cannot be read. */
static bool
load(struct tf_db *db, uint64_t seq, struct tf_time *at, uint64_t *size,
    uint64_t *full)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	struct tf_verify_run run;
	bool moved,
	    is = tf_load_entry(db, seq, &text, &d, NULL) == TF_OK &&
	    d.e.type == TF_VERIFY_DONE;

	if (is) {
		*at = tf_entry_when(&d.e, &moved);
		*size = d.e.tree_size;
		*full = tf_verify_run_read(d.e.run, &run, NULL) == TF_OK &&
			run.scope.parts > 0 ?
		    run.scope.full :
		    seq;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return is;
}

/* *is: the file is there. */
static enum tf_code
look(int dirfd, const char *file, bool *is, struct tf_result *out,
    struct tf_error *err)
{
	struct tf_error why;
	enum tf_code rc = tf_result_get(dirfd, file, out, &why);

	*is = rc == TF_OK;
	return rc == TF_OK || rc == TF_NOTFOUND ? TF_OK : tf_fail_as(err, &why);
}

static uint64_t
age_of(struct tf_time at)
{
	const struct tf_time now = tf_clock_now();

	return now.s > at.s ? (uint64_t)(now.s - at.s) : 0;
}

/* How long an entry is there; 0 if it cannot be read. */
static uint64_t
age_of_entry(struct tf_db *db, uint64_t seq)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	uint64_t age = 0;
	bool moved;

	if (tf_load_entry(db, seq, &text, &d, NULL) == TF_OK)
		age = age_of(tf_entry_when(&d.e, &moved));
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return age;
}

static enum tf_code
look_at_forwarder(struct tf_vault *v, struct tf_db *db, uint64_t size,
    struct tf_results *out, struct tf_error *err)
{
	struct tf_error why;
	enum tf_code rc = tf_forwarded_get(v->dirfd, &out->forward, &why);

	out->forwarded = rc == TF_OK;
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	if (out->forward.entries < size) {
		out->lacks = size - out->forward.entries;
		out->oldest_s = age_of_entry(db, out->forward.entries);
	}
	return TF_OK;
}

enum tf_code
tf_results_read(struct tf_vault *v, struct tf_db *db, uint64_t size,
    struct tf_results *out, struct tf_error *err)
{
	uint64_t full = 0, unused;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	rc = tf_meta_get_int(db, TF_META_VERIFIED, &out->seq, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	out->verified = rc == TF_OK &&
	    load(db, out->seq, &out->at, &out->size, &full);
	out->full_known = out->verified &&
	    load(db, full, &out->full_at, &unused, &unused);
	rc = look(v->dirfd, TF_RESULT_VERIFY, &out->failed, &out->failure, err);
	if (rc == TF_OK)
		rc = look(v->dirfd, TF_RESULT_BACKUP, &out->backed_up,
		    &out->backup, err);
	return rc == TF_OK ? look_at_forwarder(v, db, size, out, err) : rc;
}

/* --- status.json ---------------------------------------------------------- */

static void
put_age(struct tf_json *j, const char *key, struct tf_time at)
{
	tf_put_uint(j, key, age_of(at));
}

static void
put_failure(struct tf_json *j, const struct tf_forward_state *f)
{
	tf_json_key(j, "failed");
	tf_json_object(j);
	put_age(j, "age", f->failed_at);
	tf_put_time(j, "at", f->failed_at);
	if (f->final)
		tf_put_bool(j, "final", true);
	tf_put_hint(j, "why", f->why, sizeof(f->why), TF_HINT_MAX);
	tf_json_object_end(j);
}

void
tf_put_backup(const struct tf_results *r, struct tf_json *j)
{
	if (!r->backed_up)
		return;
	tf_json_key(j, "backup");
	tf_json_object(j);
	put_age(j, "age", r->backup.at);
	tf_put_time(j, "at", r->backup.at);
	tf_put_uint(j, "entries", r->backup.entries);
	tf_json_object_end(j);
}

void
tf_put_forwarded(const struct tf_results *r, struct tf_json *j)
{
	const struct tf_forward_state *f = &r->forward;

	if (!r->forwarded)
		return;
	tf_json_key(j, "forwarded");
	tf_json_object(j);
	if (f->at.s != 0) {
		put_age(j, "age", f->at);
		tf_put_time(j, "at", f->at);
	}
	tf_put_uint(j, "behind", r->lacks);
	tf_put_uint(j, "entries", f->entries);
	if (f->failed_at.s != 0)
		put_failure(j, f);
	tf_put_uint(j, "oldest", r->oldest_s);
	tf_json_object_end(j);
}

void
tf_put_verified(const struct tf_results *r, struct tf_json *j)
{
	if (r->verified) {
		tf_json_key(j, "verified");
		tf_json_object(j);
		put_age(j, "age", r->at);
		tf_put_time(j, "at", r->at);
		tf_put_uint(j, "entries", r->size);
		if (r->full_known)
			put_age(j, "full_age", r->full_at);
		tf_put_uint(j, "index", r->seq);
		tf_json_object_end(j);
	}
	if (!r->failed)
		return;
	tf_json_key(j, "verify_failed");
	tf_json_object(j);
	put_age(j, "age", r->failure.at);
	tf_put_time(j, "at", r->failure.at);
	if (r->failure.entries > 0)
		tf_put_uint(j, "entries", r->failure.entries);
	tf_put_uint(j, "findings", r->failure.findings);
	tf_put_hint(j, "verdict", r->failure.verdict, SIZE_MAX, TF_VERIFY_WORD);
	tf_json_object_end(j);
}

/* --- the page --------------------------------------------------------------- */

enum tf_code
tf_page_results(struct tf_page *p, struct tf_error *err)
{
	struct tf_results r;
	char at[TF_TIME_LEN + 1];
	enum tf_code rc = tf_results_read(p->w->v, p->w->db, 0, &r, err);

	if (rc != TF_OK || !r.failed)
		return rc;
	tf_time_text(r.failure.at, at);
	tf_html(&p->b,
	    "<dt>Verification</dt><dd class=\"bad\">that of %s ended with the "
	    "verdict %s and %llu finding%s: run trailctl verify</dd>\n",
	    at, r.failure.verdict, (unsigned long long)r.failure.findings,
	    r.failure.findings == 1 ? "" : "s");
	return TF_OK;
}
