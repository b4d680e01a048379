/*
 * Extended attributes.  Those of trailfs are read from the entries.  Those
 * that writers set are kept as the canonical JSON that the entry will have.
 *
 * An attribute of a file changes under vault.mu with a claim, in memory; the
 * seal puts it into the entry, and tf_vault_save_rows() or a flush into the
 * row.  Claims (user.trailfs.KEY) go to tf_vault_claim() and are durable at
 * once.  No other name of trailfs can be set: trailfs itself states those
 * facts.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../control.h"
#include "../definition.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/closed.h"
#include "../node/encrypted.h"
#include "../node/freeze.h"
#include "../node/growth.h"
#include "../node/idle.h"
#include "../node/load_entry.h"
#include "../node/past.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/vault_i.h"
#include "../node/xattrs.h"
#include "../store/entries.h"
#include "../store/forwarded.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/transaction.h"
#include "../past.h"
#include "../vault.h"
#include "stream.h"

#define XATTRS_MAX 4096 /* bytes of the JSON object */

/* The part of the name behind TF_XATTR_PREFIX; NULL: it is no name of ours. */
static const char *
own_key(const char *name)
{
	size_t n = strlen(TF_XATTR_PREFIX);

	return strncmp(name, TF_XATTR_PREFIX, n) == 0 ? name + n : NULL;
}

static enum tf_code
no_data(struct tf_error *err)
{
	return tf_fail(err, TF_NODATA, "no such attribute");
}

/* sha256: the digest of a frozen or sealed file. */
static enum tf_code
get_sha256(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_object_row o;
	struct tf_pending *l;
	char hex[65];
	bool have = false;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, a->id);
	if (l != NULL && tf_pending_shows_encrypted(l)) {
		have = l->encrypted != NULL;
		if (have)
			tf_hex(l->encrypted->content.sha256.b, 32, hex);
	} else if (l != NULL && l->attr.state == TF_STATE_FROZEN &&
	    tf_pending_clean(l)) {
		tf_hex(l->digest.b, 32, hex);
		have = true;
	}
	pthread_mutex_unlock(&v->mu);
	if (!have) {
		if (a->kind != TF_KIND_EVIDENCE)
			return no_data(err);
		rc = tf_nodes_get(db, a->id, &row, err);
		if (rc == TF_OK)
			rc = tf_object_get(db, row.object, &o, NULL, err);
		if (rc != TF_OK)
			return rc == TF_NOTFOUND ? no_data(err) : rc;
		tf_hex(o.sha256.b, 32, hex);
	}
	tf_buf_add(out, hex, 64);
	return TF_OK;
}

/* An entry as the search for a time sees it. */
struct probe {
	int order; /* of its time against the one that is sought */
	struct tf_time at, when;
	bool moved; /* the clock said `when`, not `at` */
};

static enum tf_code
probe(struct tf_db *db, uint64_t seq, struct tf_time sought, struct probe *p,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(db, seq, &body, &d, err);

	if (rc == TF_OK) {
		p->at = d.e.at;
		p->order = tf_time_cmp(d.e.at, sought);
		p->when = tf_entry_when(&d.e, &p->moved);
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* Where the time lies between two entries, if they came evenly. */
static uint64_t
guess(uint64_t low, uint64_t high, struct tf_time first, struct tf_time last,
    struct tf_time sought)
{
	const double all = (double)(last.s - first.s) + 1,
		     part = (double)(sought.s - first.s);
	const double share = part <= 0 ? 0 : part >= all ? 1 : part / all;
	const uint64_t at = low + (uint64_t)(share * (double)(high - low));

	return at < high ? at : high - 1;
}

/*
 * Find an entry with the time `sought` from low on.  Times of entries never go
 * back.  A directory that nobody has changed since it was made takes one entry;
 * the others are guessed by their time, and every second step halves what is left,
 * so that no distribution of times makes it slow.  p->order is not 0: there is
 * none.
 */
static enum tf_code
find_time(struct tf_db *db, uint64_t low, uint64_t high, struct tf_time sought,
    struct probe *p, struct tf_error *err)
{
	struct tf_time first, last;
	bool halve = false;
	enum tf_code rc = probe(db, low, sought, p, err);

	if (rc != TF_OK || p->order >= 0 || ++low >= high)
		return rc;
	first = p->at;
	rc = probe(db, --high, sought, p, err);
	if (rc != TF_OK || p->order <= 0)
		return rc;
	last = p->at;
	for (; rc == TF_OK && p->order != 0 && low < high; halve = !halve) {
		const uint64_t middle = halve ?
		    low + (high - low) / 2 :
		    guess(low, high, first, last, sought);

		rc = probe(db, middle, sought, p, err);
		if (rc == TF_OK && p->order < 0) {
			low = middle + 1;
			first = p->at;
		} else {
			high = middle;
			last = p->at;
		}
	}
	return rc;
}

/*
 * The clock's reading at the last change of a directory.  Its mtime is the time
 * of the entry of that change.  A mtime that somebody set has no entry.
 */
static enum tf_code
get_changed_clock(struct tf_db *db, const struct tf_attr *a, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_node_row row;
	uint64_t high, bytes;
	struct probe p = { .order = 1 };
	char text[TF_TIME_LEN + 1];
	enum tf_code rc;

	if (a->kind == TF_KIND_EVIDENCE || a->state == TF_STATE_SEALED)
		return no_data(err);
	if ((rc = tf_nodes_get(db, a->id, &row, err)) != TF_OK)
		return rc == TF_NOTFOUND ? no_data(err) : rc;
	rc = tf_entries_size(db, &high, &bytes, err);
	if (rc == TF_OK && row.entry < high)
		rc = find_time(db, row.entry, high, a->mtime, &p, err);
	/* An entry on the way that cannot be read is no damage of this name. */
	if (rc == TF_TAMPER || (rc == TF_OK && (p.order != 0 || !p.moved)))
		return no_data(err);
	if (rc != TF_OK)
		return rc;
	tf_time_text(p.when, text);
	tf_buf_str(out, text);
	return TF_OK;
}

/* index, sealed-at and actor, from the entry. */
static enum tf_code
get_entry_fact(struct tf_db *db, const struct tf_attr *a, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_node_row row;
	char at[TF_TIME_LEN + 1];
	struct tf_time when;
	uint64_t seq;
	bool moved;
	enum tf_code rc = tf_nodes_get(db, a->id, &row, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? no_data(err) : rc;
	seq = row.seal != TF_NO_SEQ ? row.seal : row.entry;
	if (strcmp(name, TF_XATTR_INDEX) == 0) {
		tf_buf_printf(out, "%llu", (unsigned long long)seq);
		return TF_OK;
	}
	rc = tf_load_entry(db, seq, &body, &d, err);
	if (rc == TF_OK && strcmp(name, TF_XATTR_ACTOR) == 0) {
		if (d.e.actor.p == NULL)
			rc = no_data(err);
		else
			tf_buf_add(out, d.e.actor.p, d.e.actor.n);
	} else if (rc == TF_OK && strcmp(name, TF_XATTR_PROVEN) == 0) {
		if (!d.e.has_proven)
			rc = no_data(err);
		else
			tf_buf_printf(out, "%llu",
			    (unsigned long long)d.e.proven);
	} else if (rc == TF_OK && row.attr.state == TF_STATE_SEALED) {
		when = tf_entry_when(&d.e, &moved);
		if (strcmp(name, TF_XATTR_CLOCK) != 0)
			when = d.e.at;
		else if (!moved)
			rc = no_data(err);
		tf_time_text(when, at);
		if (rc == TF_OK)
			tf_buf_str(out, at);
	} else if (rc == TF_OK) {
		rc = no_data(err);
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* stream and proven: of a file that is entered while it grows.  A seal after a
 * failure still says what is proven. */
static enum tf_code
get_growth(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a,
    const char *name, struct tf_buf *out, struct tf_error *err)
{
	const bool proven = strcmp(name, TF_XATTR_PROVEN) == 0;
	struct tf_pending *l;
	bool grows;

	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, a->id);
	grows = l != NULL && l->growth != NULL && !l->growth->over;
	if (grows && proven)
		tf_buf_printf(out, "%llu", (unsigned long long)l->entered);
	else if (grows)
		tf_buf_str(out, "1");
	pthread_mutex_unlock(&v->mu);
	if (grows)
		return TF_OK;
	return l == NULL && proven && a->kind == TF_KIND_EVIDENCE ?
	    get_entry_fact(db, a, name, out, err) :
	    no_data(err);
}

/* Has the organisation its entry, as far as the forwarder has said? */
static enum tf_code
get_forwarded(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_forward_state f;
	struct tf_node_row row;
	uint64_t seq = UINT64_MAX; /* none yet */
	enum tf_code rc = tf_forwarded_get(v->dirfd, &f, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? no_data(err) : rc;
	if ((rc = tf_nodes_get(db, a->id, &row, err)) == TF_OK)
		seq = row.seal != TF_NO_SEQ ? row.seal : row.entry;
	else if (rc != TF_NOTFOUND)
		return rc;
	tf_buf_str(out, seq < f.entries ? "yes" : "no");
	return TF_OK;
}

/* An attribute of trailfs: the state, a claim, or a fact of the entry. */
static enum tf_code
get_own(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a,
    const char *name, struct tf_buf *out, struct tf_error *err)
{
	if (strcmp(name, TF_XATTR_STATE) == 0) {
		bool redacted;

		pthread_mutex_lock(&v->mu);
		redacted = tf_bits_has(&v->redacted, a->id);
		pthread_mutex_unlock(&v->mu);
		tf_buf_str(out,
		    redacted		    ? TF_REDACTED_STATE :
			tf_closes(v, a->id) ? TF_CLOSING :
					      tf_state_name(a->state));
		return TF_OK;
	}
	if (tf_claims_has_key(a->kind, name + strlen(TF_XATTR_PREFIX)))
		return tf_vault_claimed(v, a->id,
		    name + strlen(TF_XATTR_PREFIX), out, err);
	if (strcmp(name, TF_XATTR_SHA256) == 0)
		return get_sha256(v, db, a, out, err);
	if (strcmp(name, TF_XATTR_STREAM) == 0 ||
	    strcmp(name, TF_XATTR_PROVEN) == 0)
		return get_growth(v, db, a, name, out, err);
	if (strcmp(name, TF_XATTR_FORWARDED) == 0)
		return get_forwarded(v, db, a, out, err);
	if (strcmp(name, TF_XATTR_CHANGED_CLOCK) == 0)
		return get_changed_clock(db, a, out, err);
	if (strcmp(name, TF_XATTR_INDEX) == 0 ||
	    strcmp(name, TF_XATTR_SEALED_AT) == 0 ||
	    strcmp(name, TF_XATTR_CLOCK) == 0 ||
	    strcmp(name, TF_XATTR_ACTOR) == 0)
		return get_entry_fact(db, a, name, out, err);
	return no_data(err);
}

/* Append the writers' attributes of id to out as JSON; nothing if there are
 * none. */
static enum tf_code
get_json(struct tf_vault *v, struct tf_db *db, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_pending *l;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL && l->xattrs.n > 0)
		tf_buf_add(out, l->xattrs.p, l->xattrs.n);
	pthread_mutex_unlock(&v->mu);
	if (l != NULL)
		return tf_buf_end(out, err);
	rc = tf_nodes_xattrs(db, id, out, err);
	return rc == TF_OK || rc == TF_NOTFOUND ? tf_buf_end(out, err) : rc;
}

/*
 * An attribute that a writer set.  Its value is base64, since values may be
 * any bytes and JSON holds text only.
 */
static enum tf_code
get_written(struct tf_vault *v, struct tf_db *db, uint64_t id, const char *key,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf json = { 0 };
	enum tf_code rc = get_json(v, db, id, &json, err);

	if (rc == TF_OK)
		rc = tf_xattrs_get(tf_buf_bytes(&json), key, out, err);
	if (rc == TF_NODATA)
		rc = no_data(err);
	tf_buf_free(&json);
	return rc;
}

#define USER "user."

enum tf_code
tf_vault_xattr_get(struct tf_vault *v, uint64_t id, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_attr a;
	struct tf_db *db;
	enum tf_code rc;

	if (strncmp(name, USER, strlen(USER)) != 0)
		return no_data(err);
	if ((rc = tf_vault_getattr(v, id, &a, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	if (strncmp(name, TF_XATTR_PREFIX, strlen(TF_XATTR_PREFIX)) == 0)
		rc = get_own(v, db, &a, name, out, err);
	else
		rc = get_written(v, db, id, name + strlen(USER), out, err);
	tf_reader_done(v, db);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* What may be asked of the past; other attributes are about the present.  The
 * claims of a seal are those of today. */
static bool
is_of_entries(const struct tf_attr *a, const char *name)
{
	static const char *const names[] = { TF_XATTR_STATE, TF_XATTR_SHA256,
		TF_XATTR_INDEX, TF_XATTR_SEALED_AT, TF_XATTR_CLOCK,
		TF_XATTR_ACTOR, TF_XATTR_PROVEN };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	if (strncmp(name, TF_XATTR_PREFIX, strlen(TF_XATTR_PREFIX)) != 0)
		return strncmp(name, USER, strlen(USER)) == 0;
	return a->kind == TF_KIND_ATTESTATION && a->state == TF_STATE_SEALED &&
	    tf_claims_has_key(a->kind, name + strlen(TF_XATTR_PREFIX));
}

/* Of a directory, which may be closed now, the row alone says the state. */
enum tf_code
tf_past_xattr(struct tf_vault *v, uint64_t size, uint64_t id, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_attr a;
	struct tf_time at;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_past_getattr(v, size, id, &a, err)) != TF_OK)
		return rc;
	if (!is_of_entries(&a, name))
		return no_data(err);
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_past_begin(v, db, size, &at, err);
	if (rc == TF_OK && strcmp(name, TF_XATTR_STATE) == 0 &&
	    a.kind != TF_KIND_EVIDENCE)
		tf_buf_str(out, tf_state_name(a.state));
	else if (rc == TF_OK &&
	    strncmp(name, TF_XATTR_PREFIX, strlen(TF_XATTR_PREFIX)) == 0)
		rc = get_own(v, db, &a, name, out, err);
	else if (rc == TF_OK)
		rc = get_written(v, db, id, name + strlen(USER), out, err);
	tf_db_end_now(db);
	tf_reader_done(v, db);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum tf_code
tf_past_xattr_list(struct tf_vault *v, uint64_t size, uint64_t id,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_past_getattr(v, size, id, &a, err);

	return rc == TF_OK && a.kind == TF_KIND_EVIDENCE ?
	    tf_vault_xattr_list(v, id, out, err) :
	    rc;
}

enum tf_code
tf_vault_xattr_list(struct tf_vault *v, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf json = { 0 };
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = get_json(v, db, id, &json, err);
	if (rc == TF_OK && json.n > 0)
		rc = tf_json_parse(&d, json.p, json.n, err);
	for (uint32_t t = 1; rc == TF_OK && t < d.n; t = d.tok[t].next) {
		tf_buf_str(out, USER);
		tf_buf_add(out, d.text + d.tok[t].key_off, d.tok[t].key_len);
		tf_buf_add(out, "", 1);
	}
	tf_json_doc_free(&d);
	tf_buf_free(&json);
	tf_reader_done(v, db);
	if (rc == TF_OK && out->failed)
		rc = tf_nomem(err);
	return rc;
}

/* Is it a legal key of canonical JSON: printable ASCII without '"' and '\'? */
static bool
fit_key(const char *s)
{
	for (size_t n = 0; s[n] != '\0'; n++)
		if (s[n] < 0x20 || s[n] > 0x7e || s[n] == '"' || s[n] == '\\')
			return false;
	return s[0] != '\0';
}

/* Set or remove an attribute of a claimed pending file; mu held. */
static enum tf_code
set_written(struct tf_pending *l, const char *key, const void *value, size_t n,
    int flags, const struct tf_actor *who, struct tf_error *err)
{
	struct tf_subject s = tf_pending_subject(l, who->uid);
	struct tf_buf made = { 0 };
	bool had = false;
	enum tf_code rc = tf_policy(&s, TF_REQ_SETMETA, who->uid);

	if (rc != TF_OK)
		return tf_refusal(rc, &s, TF_REQ_SETMETA, l->name, err);
	rc = tf_xattrs_set(tf_buf_bytes(&l->xattrs), key, value, n, &had, &made,
	    err);
	if (rc == TF_OK && ((flags & XATTR_CREATE) != 0 && had))
		rc = tf_fail(err, TF_EXISTS, "the attribute exists");
	if (rc == TF_OK && !had &&
	    ((flags & XATTR_REPLACE) != 0 || value == NULL))
		rc = no_data(err);
	if (rc == TF_OK && made.n > XATTRS_MAX)
		rc = tf_fail(err, TF_NOSPACE,
		    "attributes of one file take at "
		    "most %d bytes",
		    XATTRS_MAX);
	if (rc == TF_OK && made.n / 1024 > l->xattrs.n / 1024)
		rc = tf_quota_names(l->v, l->counted_uid,
		    made.n / 1024 - l->xattrs.n / 1024, err);
	if (rc != TF_OK) {
		tf_buf_free(&made);
		return rc;
	}
	tf_buf_free(&l->xattrs);
	l->xattrs = made;
	tf_quota_recount(l);
	l->stale = true;
	tf_idle_touch(l->v, l->att);
	l->attr.ctime = tf_clock_now();
	if (l->attr.state == TF_STATE_FROZEN)
		tf_pending_freeze(l);
	return TF_OK;
}

/*
 * value NULL removes the attribute.  Names of trailfs come first, because most
 * of them can never be set.
 */
static enum tf_code
change_xattr(struct tf_vault *v, uint64_t id, const char *name,
    const void *value, size_t n, int flags, const struct tf_actor *who,
    struct tf_error *err)
{
	const char *own = own_key(name);
	struct tf_pending *l;
	struct tf_attr a;
	enum tf_code rc;

	if (strncmp(name, USER, strlen(USER)) != 0)
		return tf_fail(err, TF_UNSUPPORTED, "only user.* attributes");
	if (own != NULL && (rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (own != NULL && tf_claims_has_key(a.kind, own))
		return tf_vault_claim(v, id, own, value, n, flags, who, err);
	if (value != NULL && strcmp(name, TF_XATTR_STREAM) == 0)
		return tf_stream_mark(v, id, value, n, flags, who, err);
	if (own != NULL)
		return tf_fail(err, TF_DENIED, "%.60s is trailfs's own", name);
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (value != NULL &&
		(rc = tf_space_take(v, who->uid, TF_FILE_COST + n, 0, err)) !=
		    TF_OK) ||
	    (rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	/* The entry must be able to hold name and value. */
	if (a.kind != TF_KIND_EVIDENCE || !fit_key(name + strlen(USER)) ||
	    (value != NULL && n == 0))
		return tf_fail(err, TF_UNSUPPORTED,
		    "this attribute cannot be "
		    "kept in an entry");
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL && tf_pending_claim(v, l)) {
		rc = set_written(l, name + strlen(USER), value, n, flags, who,
		    err);
		tf_pending_unclaim(v, l);
	} else {
		rc = tf_sealed_refusal(TF_REQ_SETMETA, err);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_vault_xattr_set(struct tf_vault *v, uint64_t id, const char *name,
    const void *value, size_t n, int flags, const struct tf_actor *who,
    struct tf_error *err)
{
	return change_xattr(v, id, name, value == NULL ? "" : value, n, flags,
	    who, err);
}

enum tf_code
tf_vault_xattr_remove(struct tf_vault *v, uint64_t id, const char *name,
    const struct tf_actor *who, struct tf_error *err)
{
	return change_xattr(v, id, name, NULL, 0, 0, who, err);
}
