/*
 * Appending to the ledger of the engine `dir:`, in one transaction of SQLite:
 *
 *	begin -> is the origin a member -> judge -> insert -> commit
 *
 * judge compares what is there already with the batch (E4).  What it refuses is
 * recorded by the same transaction, which is then committed without an entry.
 */
#include <string.h>

#include "../base/clock.h"
#include "../base/crypto.h"
#include "../store/sql.h"
#include "dir_i.h"

struct append {
	struct tf_dir_ledger *l;
	const struct tf_batch *b;
	struct tf_dir_member m;
	uint64_t size; /* of the ledger */
	size_t known;  /* entries of the batch that are there already */
	bool refused;  /* and recorded, to be committed */
};

static enum tf_code
record(struct append *a, uint64_t number, struct tf_str given,
    const struct tf_hash *there, struct tf_error *err)
{
	struct tf_time now = tf_clock_now();
	struct tf_hash h;

	a->refused = true;
	tf_sha256(given.p, given.n, &h);
	return tf_sql_run(a->l->db,
	    tf_sql(a->l->db, err,
		"INSERT OR IGNORE INTO refusal"
		"(member, number, given, there, at_s, at_ns, revoked)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		"iubbiii", a->m.id, number, h.b, sizeof(h.b),
		there != NULL ? there->b : NULL, sizeof(h.b), now.s,
		(int64_t)now.ns, (int64_t)a->m.revoked),
	    "record a refusal", err);
}

/* Compare entry i of the batch with that of its number. */
static enum tf_code
compare(struct append *a, size_t i, struct tf_error *err)
{
	uint64_t number = a->b->number + i;
	struct tf_str given = a->b->entries[i];
	sqlite3_stmt *st = tf_sql(a->l->db, err,
	    "SELECT body FROM leaf WHERE member = ?1 AND number = ?2", "iu",
	    a->m.id, number);
	struct tf_hash there;
	bool same;
	enum tf_code rc = tf_sql_row(a->l->db, st, "read an entry", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_IO,
		    "the ledger lacks entry %llu of %s, which it has had",
		    (unsigned long long)number, a->b->origin);
	if (rc != TF_OK)
		return rc;
	same = (size_t)sqlite3_column_bytes(st, 0) == given.n &&
	    memcmp(sqlite3_column_blob(st, 0), given.p, given.n) == 0;
	if (!same)
		tf_sha256(sqlite3_column_blob(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0), &there);
	(void)sqlite3_reset(st);
	if (same)
		return TF_OK;
	if ((rc = record(a, number, given, &there, err)) != TF_OK)
		return rc;
	return tf_fail(err, TF_TAMPER,
	    "the ledger has another entry %llu of %s: its history has forked",
	    (unsigned long long)number, a->b->origin);
}

/* Sets a->refused for a fork and a gap. */
static enum tf_code
judge(struct append *a, struct tf_error *err)
{
	const struct tf_batch *b = a->b;
	enum tf_code rc;

	if (b->number > a->m.next) {
		rc = record(a, b->number, b->entries[0], NULL, err);
		return rc != TF_OK ?
		    rc :
		    tf_fail(err, TF_INVALID,
			"entry %llu of %s does not follow: %llu comes next",
			(unsigned long long)b->number, b->origin,
			(unsigned long long)a->m.next);
	}
	a->known = a->m.next - b->number < b->n ?
	    (size_t)(a->m.next - b->number) :
	    b->n;
	for (size_t i = 0; i < a->known; i++)
		if ((rc = compare(a, i, err)) != TF_OK)
			return rc;
	return TF_OK;
}

static enum tf_code
insert_entries(struct append *a, struct tf_error *err)
{
	struct tf_db *db = a->l->db;
	enum tf_code rc = TF_OK;

	for (size_t i = a->known; rc == TF_OK && i < a->b->n; i++)
		rc = tf_sql_run(db,
		    tf_sql(db, err,
			"INSERT INTO leaf(seq, member, number, body)"
			" VALUES(?1, ?2, ?3, ?4)",
			"uiub", a->size++, a->m.id, a->b->number + i,
			a->b->entries[i].p, a->b->entries[i].n),
		    "append an entry", err);
	a->m.next += a->b->n - a->known;
	if (rc == TF_OK && a->known < a->b->n)
		rc = tf_sql_run(db,
		    tf_sql(db, err, "UPDATE member SET next = ?2 WHERE id = ?1",
			"iu", a->m.id, a->m.next),
		    "append entries", err);
	return rc;
}

/* Of several for one size, or one object, the first is kept. */
static enum tf_code
insert_rest(struct append *a, struct tf_error *err)
{
	const struct tf_batch *b = a->b;
	struct tf_db *db = a->l->db;
	const struct tf_located *o;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < b->nlocated; i++) {
		o = &b->located[i];
		rc = tf_sql_run(db,
		    tf_sql(db, err,
			"INSERT OR IGNORE INTO located"
			"(member, object, bundle, off, len)"
			" VALUES(?1, ?2, ?3, ?4, ?5)",
			"ibbuu", a->m.id, o->object.b, sizeof(o->object.b),
			o->bundle.b, sizeof(o->bundle.b), o->off, o->len),
		    "locate an object", err);
	}
	if (rc == TF_OK && b->note.p != NULL)
		rc = tf_sql_run(db,
		    tf_sql(db, err,
			"INSERT OR IGNORE INTO note(member, size, note)"
			" VALUES(?1, ?2, ?3)",
			"iub", a->m.id, b->number + b->n, b->note.p, b->note.n),
		    "keep a checkpoint", err);
	return rc;
}

/* The first new entry after a revocation is recorded: who has lost the right cannot
 * fill the ledger with refusals. */
static enum tf_code
after_revocation(struct append *a, struct tf_error *err)
{
	const struct tf_batch *b = a->b;
	uint64_t number = b->number > a->m.next ? b->number : a->m.next;
	enum tf_code rc = TF_OK;

	if (!a->m.organiser && !a->m.refused && number - b->number < b->n) {
		rc = record(a, number, b->entries[number - b->number], NULL,
		    err);
		if (rc == TF_OK)
			rc = tf_sql_run(a->l->db,
			    tf_sql(a->l->db, err,
				"UPDATE member SET refused = 1 WHERE id = ?1",
				"i", a->m.id),
			    "record a refusal", err);
	}
	return rc == TF_OK ?
	    tf_fail(err, TF_DENIED, "%s was revoked", b->origin) :
	    rc;
}

static enum tf_code
in_transaction(struct append *a, struct tf_error *err)
{
	enum tf_code rc = tf_dir_member(a->l, a->b->origin, &a->m, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_DENIED, "%s is not enrolled",
		    a->b->origin);
	if (rc == TF_OK && a->m.revoked)
		return after_revocation(a, err);
	if (rc == TF_OK && a->m.organiser && a->l->how < TF_ORG_ORGANISER)
		return tf_fail(err, TF_DENIED,
		    "only an organiser appends for %s", a->b->origin);
	if (rc != TF_OK || (rc = tf_dir_size(a->l, &a->size, err)) != TF_OK ||
	    (rc = judge(a, err)) != TF_OK)
		return rc;
	rc = insert_entries(a, err);
	return rc == TF_OK ? insert_rest(a, err) : rc;
}

enum tf_code
tf_dir_append(struct tf_ledger *ledger, const struct tf_batch *b,
    struct tf_appended *out, struct tf_error *err)
{
	struct append a = { .l = tf_dir_ledger(ledger), .b = b };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_dir_may(a.l, TF_ORG_MEMBER, err), end;

	if (rc != TF_OK || (rc = tf_dir_begin(a.l, err)) != TF_OK)
		return rc;
	rc = in_transaction(&a, &why);
	if (rc == TF_OK ||
	    (a.refused &&
		(rc == TF_TAMPER || rc == TF_INVALID || rc == TF_DENIED))) {
		*out = (struct tf_appended){ a.m.next, a.size };
		if ((end = tf_dir_commit(a.l, err)) == TF_OK)
			return rc == TF_OK ? TF_OK : tf_fail_as(err, &why);
		rc = end;
	} else
		(void)tf_fail_as(err, &why);
	tf_dir_rollback(a.l);
	return rc;
}

enum tf_code
tf_dir_append_own(struct tf_dir_ledger *l, const struct tf_governed *g,
    struct tf_error *err)
{
	struct tf_batch b = { .origin = g->own,
		.number = g->number,
		.entries = &g->entry,
		.n = 1 };
	struct append a = { .l = l, .b = &b };
	enum tf_code rc = tf_dir_member(l, g->own, &a.m, err);

	if (rc == TF_NOTFOUND ||
	    (rc == TF_OK && (!a.m.organiser || a.m.next != g->number)))
		return tf_fail(err, TF_BUSY,
		    "%s has another next entry: another organiser was faster",
		    g->own);
	if (rc == TF_OK)
		rc = tf_dir_size(l, &a.size, err);
	return rc == TF_OK ? insert_entries(&a, err) : rc;
}
