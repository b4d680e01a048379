/*
 * Metadata: chmod, chown, utimens, truncate by path, extended attributes.
 * Files settle in memory until they are sealed; what the upper three levels
 * are given is a ledger entry at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../control.h"
#include "names.h"

#define XATTRS_MAX 4096		/* bytes of the JSON object */
#define WRITE_BITS 0222u

/* --- files ------------------------------------------------------------------ */

static bool
is_now(struct tf_time t)
{
	return t.s == INT64_MIN;
}

/* Would this change anything but the size? */
static bool
changes(const struct tf_attr *a, unsigned mask, const struct tf_attr *want)
{
	return ((mask & TF_SET_MODE) != 0 &&
	    (want->mode & 07777) != a->mode) ||
	    ((mask & TF_SET_UID) != 0 && want->uid != a->uid) ||
	    ((mask & TF_SET_GID) != 0 && want->gid != a->gid) ||
	    ((mask & TF_SET_MTIME) != 0 && (is_now(want->mtime) ||
	    tf_time_cmp(want->mtime, a->mtime) != 0));
}

void
tf_attr_apply(struct tf_attr *a, unsigned mask, const struct tf_attr *want)
{
	struct tf_time now = tf_clock_now();

	if ((mask & TF_SET_MODE) != 0)
		a->mode = want->mode & 07777;
	if ((mask & TF_SET_UID) != 0)
		a->uid = want->uid;
	if ((mask & TF_SET_GID) != 0)
		a->gid = want->gid;
	if ((mask & TF_SET_MTIME) != 0)
		a->mtime = is_now(want->mtime) ? now :
		    tf_time_clamp(want->mtime);
	a->ctime = now;
}

static enum tf_code
refuse_sealed(enum tf_request req, struct tf_error *err)
{
	struct tf_subject s = { .kind = TF_KIND_EVIDENCE,
	    .state = TF_STATE_SEALED };

	return tf_fail(err, TF_SEALED, "sealed evidence: %s",
	    tf_policy_advice(&s, req));
}

/* A live file; mu held, l claimed. */
static enum tf_code
set_file(struct tf_live *l, unsigned mask, const struct tf_attr *want,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_subject s = tf_live_subject(l, who->uid);
	enum tf_code rc;

	if (!changes(&l->attr, mask, want))
		return TF_OK;
	rc = tf_policy(&s, TF_REQ_SETMETA, who->uid);
	if (rc != TF_OK)
		return tf_refusal(rc, &s, TF_REQ_SETMETA, l->name, err);
	tf_attr_apply(&l->attr, mask, want);
	l->stale = true;
	if (l->attr.state == TF_STATE_FROZEN)
		tf_live_freeze(l);
	return TF_OK;
}

/* A size by path: only drafts, since nothing would freeze it afterwards. */
static enum tf_code
set_path_size(struct tf_vault *v, const struct tf_attr *a, uint64_t size,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_subject s = { .kind = a->kind, .state = a->state,
	    .size = a->size, .uid = a->uid };
	struct tf_file *f;
	enum tf_code rc;

	if (a->kind != TF_KIND_EVIDENCE)
		return tf_fail(err, TF_ISDIR, "is a directory");
	if (size == a->size)
		return TF_OK;
	rc = tf_policy(&s, TF_REQ_TRUNCATE_PATH, who->uid);
	if (rc != TF_OK)
		return tf_fail(err, rc, "truncate: %s", tf_policy_advice(&s,
		    TF_REQ_TRUNCATE_PATH));
	if ((rc = tf_vault_open_write(v, a->id, false, who, &f, err)) != TF_OK)
		return rc;
	rc = tf_file_set_size(f, size, err);
	tf_file_release(f);
	return rc;
}

/* --- the upper levels ---------------------------------------------------------- */

struct access_change {
	uint64_t id;
	unsigned mask;
	struct tf_attr want;
	const char *actor;
};

static enum tf_code
access_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct access_change *c = arg;
	struct tf_entry e = { .type = TF_ACCESS_CHANGED, .has_access = true,
	    .actor = { c->actor, strlen(c->actor) } };
	struct tf_access_names names = { 0 };
	struct tf_node_row row;
	struct tf_attr *a = &row.attr;
	enum tf_code rc;

	if ((rc = tf_nodes_get(t->db, c->id, &row, err)) != TF_OK)
		return rc;
	if (row.seal != TF_NO_SEQ && (c->mask & TF_SET_MODE) != 0 &&
	    (c->want.mode & ~a->mode & WRITE_BITS) != 0)
		return tf_fail(err, TF_SEALED, "it is sealed: no write "
		    "permission comes back");
	tf_attr_apply(a, c->mask & ~TF_SET_MTIME, &c->want);
	tf_access_fill(&e.access, a->mode, a->uid, a->gid, &names);
	if ((rc = tf_txn_path(t, c->id, &e.path, err)) == TF_OK &&
	    (rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		rc = tf_nodes_set_access(t->db, c->id, a->mode, a->uid,
		    a->gid, t->at, err);
	tf_access_names_free(&names);
	return rc;
}

struct any_below {
	uint64_t id;
	bool any;
};

static void
look_for_file(void *arg, struct tf_live *l)
{
	struct any_below *b = arg;

	b->any = b->any || (l->att == b->id && tf_live_is_file(l));
}

/* Does the directory hold anything that a seal would be about? */
static enum tf_code
holds_something(struct tf_vault *v, uint64_t id, bool *any,
    struct tf_error *err)
{
	struct any_below b = { .id = id };
	struct tf_node_row row;
	struct tf_db *db;
	size_t n = 0;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	tf_live_each(&v->live, look_for_file, &b);
	pthread_mutex_unlock(&v->mu);
	*any = b.any;
	if (*any)
		return TF_OK;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_nodes_list(db, id, 0, &row, 1, &n, err);
	tf_reader_done(v, db);
	*any = n > 0;
	return rc;
}

static bool
takes_last_write_bit(const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want)
{
	return (mask & TF_SET_MODE) != 0 && a->kind != TF_KIND_ROOT &&
	    a->state == TF_STATE_OPEN && (a->mode & WRITE_BITS) != 0 &&
	    (want->mode & WRITE_BITS) == 0;
}

static enum tf_code
set_directory(struct tf_vault *v, const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err)
{
	struct access_change c = { .id = a->id,
	    .mask = mask & ~TF_SET_MTIME, .want = *want };
	struct tf_seal_request r = { .id = a->id, .who = who,
	    .mask = mask & ~TF_SET_MTIME, .want = want };
	bool any = false;
	char *actor;
	enum tf_code rc;

	mask &= ~TF_SET_MTIME;	/* times follow the entries */
	if (!changes(a, mask, want))
		return TF_OK;
	if (takes_last_write_bit(a, mask, want)) {
		rc = holds_something(v, a->id, &any, err);
		if (rc != TF_OK || any)
			return rc == TF_OK ? tf_seal_dir(v, &r, err) : rc;
	}
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_actor_text(who, &actor, err)) != TF_OK)
		return rc;
	c.actor = actor;
	rc = tf_commit_wait(v->commit, access_run, &c, err);
	free(actor);
	return rc;
}

/* --- either ---------------------------------------------------------------------- */

/* What is live is changed here; *done tells.  mu is taken. */
static enum tf_code
set_live(struct tf_vault *v, uint64_t id, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who, bool *done,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	struct tf_live *l;

	pthread_mutex_lock(&v->mu);
	l = tf_live_get(&v->live, id);
	if (l != NULL && l->unlinked) {
		tf_attr_apply(&l->attr, mask, want);	/* fchmod, no name */
		*done = true;
		pthread_mutex_unlock(&v->mu);
		return TF_OK;
	}
	*done = l != NULL && tf_live_claim(v, l);
	if (*done) {
		if (tf_live_is_file(l))
			rc = set_file(l, mask, want, who, err);
		else if (l->attr.kind == TF_KIND_ATTESTATION &&
		    changes(&l->attr, mask & ~TF_SET_MTIME, want)) {
			tf_attr_apply(&l->attr, mask & ~TF_SET_MTIME, want);
			l->stale = true;
		}
		tf_live_unclaim(v, l);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_vault_setattr(struct tf_vault *v, uint64_t id, struct tf_file *file,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err)
{
	unsigned rest = mask & ~TF_SET_SIZE;
	bool done = false;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if ((mask & TF_SET_SIZE) != 0)
		rc = file != NULL ? tf_file_set_size(file, want->size, err) :
		    set_path_size(v, &a, want->size, who, err);
	if (rc == TF_OK && rest != 0)
		rc = set_live(v, id, rest, want, who, &done, err);
	if (rc == TF_OK && rest != 0 && !done) {
		if (a.kind == TF_KIND_EVIDENCE)
			rc = changes(&a, rest, want) ?
			    refuse_sealed(TF_REQ_SETMETA, err) : TF_OK;
		else if (a.kind != TF_KIND_DIRECTORY)
			rc = set_directory(v, &a, rest, want, who, err);
	}
	return rc == TF_OK ? tf_vault_getattr(v, id, out, err) : rc;
}

/* --- extended attributes ------------------------------------------------------------ */

static const char *const state_names[TF_STATES] = {
	[TF_STATE_PLACEHOLDER] = "placeholder",
	[TF_STATE_OPEN] = "open",
	[TF_STATE_DRAFT] = "draft",
	[TF_STATE_FROZEN] = "frozen",
	[TF_STATE_SEALED] = "sealed",
};

const char *
tf_state_name(enum tf_state s)
{
	return state_names[s];
}

static enum tf_code
no_data(struct tf_error *err)
{
	return tf_fail(err, TF_NODATA, "no such attribute");
}

/* Digest of a frozen file, or of sealed evidence. */
static enum tf_code
get_sha256(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_object_row o;
	struct tf_live *l;
	char hex[65];
	bool have = false;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	l = tf_live_get(&v->live, a->id);
	if (l != NULL && l->attr.state == TF_STATE_FROZEN &&
	    tf_live_clean(l)) {
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

/* index, sealed-at, actor: from the entry. */
static enum tf_code
get_entry_fact(struct tf_db *db, const struct tf_attr *a, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_node_row row;
	char at[TF_TIME_LEN + 1];
	uint64_t seq;
	enum tf_code rc = tf_nodes_get(db, a->id, &row, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? no_data(err) : rc;
	seq = row.seal != TF_NO_SEQ ? row.seal : row.entry;
	if (strcmp(name, TF_XATTR_INDEX) == 0) {
		tf_buf_printf(out, "%llu", (unsigned long long)seq);
		return TF_OK;
	}
	rc = tf_entries_get(db, seq, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK && strcmp(name, TF_XATTR_ACTOR) == 0) {
		if (d.e.actor.p == NULL)
			rc = no_data(err);
		else
			tf_buf_add(out, d.e.actor.p, d.e.actor.n);
	} else if (rc == TF_OK && row.attr.state == TF_STATE_SEALED) {
		tf_time_text(d.e.at, at);
		tf_buf_str(out, at);
	} else if (rc == TF_OK) {
		rc = no_data(err);
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
get_own(struct tf_vault *v, struct tf_db *db, const struct tf_attr *a,
    const char *name, struct tf_buf *out, struct tf_error *err)
{
	if (strcmp(name, TF_XATTR_STATE) == 0) {
		tf_buf_str(out, tf_state_name(a->state));
		return TF_OK;
	}
	if (strcmp(name, TF_XATTR_SHA256) == 0)
		return get_sha256(v, db, a, out, err);
	if (strcmp(name, TF_XATTR_INDEX) == 0 ||
	    strcmp(name, TF_XATTR_SEALED_AT) == 0 ||
	    strcmp(name, TF_XATTR_ACTOR) == 0)
		return get_entry_fact(db, a, name, out, err);
	return no_data(err);
}

/* The writers' attributes of id as JSON, onto out; nothing for none. */
static enum tf_code
get_json(struct tf_vault *v, struct tf_db *db, uint64_t id,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_live *l;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	l = tf_live_get(&v->live, id);
	if (l != NULL && l->xattrs.n > 0)
		tf_buf_add(out, l->xattrs.p, l->xattrs.n);
	pthread_mutex_unlock(&v->mu);
	if (l != NULL)
		return TF_OK;
	rc = tf_nodes_xattrs(db, id, out, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
get_written(struct tf_vault *v, struct tf_db *db, uint64_t id,
    const char *key, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf json = { 0 };
	enum tf_code rc = get_json(v, db, id, &json, err);
	struct tf_str s;
	int t = -1;

	if (rc == TF_OK && json.n > 0)
		rc = tf_json_parse(&d, json.p, json.n, err);
	if (rc == TF_OK && json.n > 0)
		t = tf_json_get(&d, 0, key);
	if (rc == TF_OK && t < 0)
		rc = no_data(err);
	if (rc == TF_OK) {
		s = tf_json_text(&d, t);	/* quotes around base64 */
		if (s.n < 2 || !tf_unbase64(s.p + 1, s.n - 2, out))
			rc = tf_fail(err, TF_TAMPER, "attribute is malformed");
	}
	tf_json_doc_free(&d);
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
	if (rc == TF_OK && out->failed)
		rc = tf_fail(err, TF_NOMEM, "no memory");
	return rc;
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
		rc = tf_fail(err, TF_NOMEM, "no memory");
	return rc;
}

/* A key of an entry's JSON: printable ASCII without '"' and '\'. */
static bool
fit_key(const char *s)
{
	for (size_t n = 0; s[n] != '\0'; n++)
		if (s[n] < 0x20 || s[n] > 0x7e || s[n] == '"' || s[n] == '\\')
			return false;
	return s[0] != '\0';
}

static void
put_value(struct tf_json *j, const char *key, const void *p, size_t n)
{
	struct tf_buf b64 = { 0 };

	tf_base64(&b64, p, n);
	tf_json_key(j, key);
	tf_json_str(j, b64.p, b64.n);
	j->failed = j->failed || b64.failed;
	tf_buf_free(&b64);
}

/* The object of old with key set (value) or removed (NULL), into out. */
static enum tf_code
rebuild(const struct tf_buf *old, const char *key, const void *value,
    size_t n, bool *had, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_json j;
	bool placed = value == NULL;
	unsigned members = 0;
	char k[256];
	enum tf_code rc = TF_OK;
	int order;

	*had = false;
	if (old->n > 0 && (rc = tf_json_parse(&d, old->p, old->n, err)) !=
	    TF_OK)
		return rc;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	for (uint32_t t = 1; t < d.n; t = d.tok[t].next) {
		(void)snprintf(k, sizeof(k), "%.*s", (int)d.tok[t].key_len,
		    d.text + d.tok[t].key_off);
		order = strcmp(k, key);
		if (order == 0)
			*had = true;
		if (order >= 0 && !placed) {
			put_value(&j, key, value, n);
			placed = true;
			members++;
		}
		if (order != 0) {
			tf_json_key(&j, k);
			tf_json_raw(&j, tf_json_text(&d, (int)t));
			members++;
		}
	}
	if (!placed) {
		put_value(&j, key, value, n);
		members++;
	}
	tf_json_doc_free(&d);
	if (members == 0) {
		out->n = 0;
		return TF_OK;
	}
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* Set or remove on a claimed live file; mu held. */
static enum tf_code
set_written(struct tf_live *l, const char *key, const void *value, size_t n,
    int flags, const struct tf_actor *who, struct tf_error *err)
{
	struct tf_subject s = tf_live_subject(l, who->uid);
	struct tf_buf made = { 0 };
	bool had = false;
	enum tf_code rc = tf_policy(&s, TF_REQ_SETMETA, who->uid);

	if (rc != TF_OK)
		return tf_refusal(rc, &s, TF_REQ_SETMETA, l->name, err);
	rc = rebuild(&l->xattrs, key, value, n, &had, &made, err);
	if (rc == TF_OK && ((flags & XATTR_CREATE) != 0 && had))
		rc = tf_fail(err, TF_EXISTS, "the attribute exists");
	if (rc == TF_OK && !had && ((flags & XATTR_REPLACE) != 0 ||
	    value == NULL))
		rc = no_data(err);
	if (rc == TF_OK && made.n > XATTRS_MAX)
		rc = tf_fail(err, TF_NOSPACE, "attributes of one file take at "
		    "most %d bytes", XATTRS_MAX);
	if (rc != TF_OK) {
		tf_buf_free(&made);
		return rc;
	}
	tf_buf_free(&l->xattrs);
	l->xattrs = made;
	l->stale = true;
	l->attr.ctime = tf_clock_now();
	if (l->attr.state == TF_STATE_FROZEN)
		tf_live_freeze(l);
	return TF_OK;
}

static enum tf_code
change_xattr(struct tf_vault *v, uint64_t id, const char *name,
    const void *value, size_t n, int flags, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_live *l;
	struct tf_attr a;
	enum tf_code rc;

	if (strncmp(name, USER, strlen(USER)) != 0)
		return tf_fail(err, TF_UNSUPPORTED, "only user.* attributes");
	if (strncmp(name, TF_XATTR_PREFIX, strlen(TF_XATTR_PREFIX)) == 0)
		return tf_fail(err, TF_DENIED, "%.60s is trailfs's own", name);
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	/* No name or value that an entry could not hold. */
	if (a.kind != TF_KIND_EVIDENCE || !fit_key(name + strlen(USER)) ||
	    (value != NULL && n == 0))
		return tf_fail(err, TF_UNSUPPORTED, "this attribute cannot be "
		    "kept in an entry");
	pthread_mutex_lock(&v->mu);
	l = tf_live_get(&v->live, id);
	if (l != NULL && tf_live_claim(v, l)) {
		rc = set_written(l, name + strlen(USER), value, n, flags, who,
		    err);
		tf_live_unclaim(v, l);
	} else {
		rc = refuse_sealed(TF_REQ_SETMETA, err);
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
