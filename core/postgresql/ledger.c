/*
 * The ledger engine on PostgreSQL: org/engine.h by the functions and tables of
 * organisation.sql, which is compiled in and states what each function promises.
 * This file only asks and translates; connection.h says what is in doubt.
 *
 * What a ledger with replicas shows is safe: before a handle shows what it has not
 * seen as safe, it asks for the size, and that commit waits for a standby (P3 in
 * organisation.sql).  So an organiser signs nothing that a loss of the primary could
 * take back, and a former primary shows nothing.
 */
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../org/engine.h"
#include "connection.h"

#define VERSION 2	  /* of organisation.sql */
#define ROWS_AT_ONCE 1024 /* entries of a question, of up to 16 KiB */
#define GLANCE_MS 200	  /* between two looks for new entries */

__asm__(".pushsection .rodata\n"
	"tf_pg_organisation:\n"
	".incbin \"core/postgresql/organisation.sql\"\n"
	".byte 0\n"
	".popsection\n");
extern const char tf_pg_organisation[] __attribute__((visibility("hidden")));

struct pg_ledger {
	struct tf_ledger l;
	struct tf_pg *c;
	enum tf_org_how how;
	bool replicated;
	uint64_t version; /* of organisation.sql that made it */
	uint64_t safe;	  /* this many entries are known to be safe */
};

static const struct tf_ledger_ops ops;

static struct pg_ledger *
of(struct tf_ledger *l)
{
	return (struct pg_ledger *)l;
}

static enum tf_code
unsafe(struct tf_error *err, enum tf_code code)
{
	errno = 0;
	return tf_fail(err, code,
	    "PostgreSQL keeps nothing safe now: synchronous_standby_names is "
	    "empty, or fsync is off");
}

/* An answer that organisation.sql never gives. */
static enum tf_code
strange(struct tf_error *err)
{
	return tf_fail(err, TF_TAMPER,
	    "PostgreSQL: the functions of trailfs were changed");
}

/* Ask a question that has exactly one row as its answer. */
static enum tf_code
ask_row(struct pg_ledger *p, enum tf_pg_kind kind, const char *sql,
    const struct tf_pg_args *args, int columns, PGresult **out,
    struct tf_error *err)
{
	enum tf_code rc = tf_pg_ask(p->c, kind, sql, args, out, err);

	if (rc == TF_OK &&
	    (PQntuples(*out) != 1 || PQnfields(*out) != columns)) {
		PQclear(*out);
		*out = NULL;
		rc = strange(err);
	}
	return rc;
}

static enum tf_code
organiser_only(const struct pg_ledger *p, struct tf_error *err)
{
	if (p->how == TF_ORG_ORGANISER)
		return TF_OK;
	return tf_fail(err, TF_DENIED, "only an organiser may do that");
}

/* --- making and opening ----------------------------------------------- */

/* May this server have a ledger of that kind? */
static enum tf_code
check_server(struct tf_pg *c, struct tf_error *err)
{
	PGresult *r;
	struct tf_pg_args none = { 0 };
	enum tf_code rc = tf_pg_ask(c, TF_PG_READS,
	    "SELECT btrim(current_setting('synchronous_standby_names')) <> '', "
	    "current_setting('fsync') = 'on', "
	    "to_regclass('trailfs.organisation') IS NOT NULL",
	    &none, &r, err);

	if (rc != TF_OK)
		return rc;
	if (tf_pg_bool(r, 0, 2))
		rc = tf_fail(err, TF_EXISTS,
		    "this database has the ledger of an organisation");
	else if (!tf_pg_bool(r, 0, 1))
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "fsync is off: this server loses data with the power");
	else if (!tf_pg_bool(r, 0, 0) &&
	    strcmp(tf_pg_replicas(c), "required") == 0)
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "synchronous_standby_names is empty: configure standbys, or "
		    "add replicas=none to the URI");
	PQclear(r);
	return rc;
}

static enum tf_code
fill(struct tf_pg *c, struct tf_error *err)
{
	static const char text[] =
	    "INSERT INTO trailfs.organisation (version, replicas) "
	    "VALUES ($1, $2)";
	struct tf_pg_args a = { 0 };
	PGresult *r = NULL;
	enum tf_code rc;

	rc = tf_pg_ask(c, TF_PG_WRITES, tf_pg_organisation, NULL, &r, err);
	PQclear(r);
	if (rc != TF_OK)
		return rc;
	tf_pg_arg_number(&a, VERSION);
	tf_pg_arg_text(&a, tf_pg_replicas(c));
	rc = tf_pg_ask(c, TF_PG_WRITES, text, &a, &r, err);
	PQclear(r);
	return rc;
}

static enum tf_code
pg_create(const char *uri, struct tf_error *err)
{
	struct tf_pg *c = NULL;
	PGresult *r = NULL;
	enum tf_code rc = tf_pg_open(uri, &c, err);

	if (rc == TF_OK)
		rc = check_server(c, err);
	if (rc == TF_OK)
		rc = tf_pg_ask(c, TF_PG_WRITES, "BEGIN", NULL, &r, err);
	PQclear(r);
	r = NULL;
	if (rc == TF_OK)
		rc = fill(c, err);
	if (rc == TF_OK)
		rc = tf_pg_ask(c, TF_PG_WRITES, "COMMIT", NULL, &r, err);
	PQclear(r);
	tf_pg_free(c); /* which ends a transaction that failed */
	return rc;
}

static void
pg_close(struct tf_ledger *l)
{
	tf_pg_free(of(l)->c);
	free(l);
}

static enum tf_code
hello(struct pg_ledger *p, struct tf_error *err)
{
	struct tf_pg_args none = { 0 };
	PGresult *r;
	struct tf_error why;
	enum tf_code rc = tf_pg_ask(p->c, TF_PG_READS,
	    "SELECT version, replicas FROM trailfs.trail_hello()", &none, &r,
	    &why);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_NOTFOUND,
		    "this database has no ledger of an organisation");
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	if (PQntuples(r) != 1)
		rc = strange(err);
	else if (tf_pg_number(r, 0, 0) > VERSION)
		rc = tf_fail(err, TF_NEWER,
		    "a later version of trailfs made this ledger");
	else
		p->replicated = tf_pg_is(r, 0, 1, "required");
	if (rc == TF_OK)
		p->version = tf_pg_number(r, 0, 0);
	PQclear(r);
	return rc;
}

static enum tf_code
pg_open(const char *uri, enum tf_org_how how, struct tf_ledger **out,
    struct tf_error *err)
{
	struct pg_ledger *p = calloc(1, sizeof(*p));
	enum tf_code rc;

	*out = NULL;
	if (p == NULL)
		return tf_nomem(err);
	p->l.ops = &ops;
	p->how = how;
	rc = tf_pg_open(uri, &p->c, err);
	if (rc == TF_OK)
		rc = hello(p, err);
	if (rc != TF_OK) {
		pg_close(&p->l);
		return rc;
	}
	*out = &p->l;
	return TF_OK;
}

static unsigned
pg_caps(struct tf_ledger *l)
{
	return TF_LEDGER_SHARED |
	    (of(l)->replicated ? TF_LEDGER_REPLICATED : 0);
}

/* --- append ----------------------------------------------------------- */

/* The arrays of a question; they are its arguments, so they live as long. */
struct arrays {
	struct tf_buf entries, objects, bundles, offs, lens;
};

static void
free_arrays(struct arrays *a)
{
	tf_buf_free(&a->entries);
	tf_buf_free(&a->objects);
	tf_buf_free(&a->bundles);
	tf_buf_free(&a->offs);
	tf_buf_free(&a->lens);
}

static enum tf_code
pack(const struct tf_batch *b, struct arrays *a, struct tf_error *err)
{
	enum tf_code rc;

	tf_pg_array_begin(&a->entries, false, b->n);
	for (size_t i = 0; i < b->n; i++)
		tf_pg_array_bytes(&a->entries, b->entries[i].p,
		    b->entries[i].n);
	tf_pg_array_begin(&a->objects, false, b->nlocated);
	tf_pg_array_begin(&a->bundles, false, b->nlocated);
	tf_pg_array_begin(&a->offs, true, b->nlocated);
	tf_pg_array_begin(&a->lens, true, b->nlocated);
	for (size_t i = 0; i < b->nlocated; i++) {
		const struct tf_located *l = &b->located[i];

		tf_pg_array_bytes(&a->objects, l->object.b, sizeof(l->object));
		tf_pg_array_bytes(&a->bundles, l->bundle.b, sizeof(l->bundle));
		tf_pg_array_number(&a->offs, l->off);
		tf_pg_array_number(&a->lens, l->len);
	}
	rc = tf_buf_end(&a->entries, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&a->objects, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&a->bundles, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&a->offs, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&a->lens, err);
	return rc;
}

static enum tf_code
judged(const struct tf_batch *b, const PGresult *r, struct tf_appended *out,
    struct tf_error *err)
{
	uint64_t next = tf_pg_number(r, 0, 1), size = tf_pg_number(r, 0, 2);

	if (tf_pg_is(r, 0, 0, "ok")) {
		if (next < b->number + b->n || size < next)
			return strange(err);
		*out = (struct tf_appended){ .next = next, .size = size };
		return TF_OK;
	}
	if (tf_pg_is(r, 0, 0, "denied"))
		return tf_fail(err, TF_DENIED,
		    "%s is not enrolled, is revoked, or is not yours",
		    b->origin);
	if (tf_pg_is(r, 0, 0, "fork"))
		return tf_fail(err, TF_TAMPER,
		    "a fork: the organisation has other entries of %s",
		    b->origin);
	if (tf_pg_is(r, 0, 0, "gap")) {
		out->next = next;
		return tf_fail(err, TF_INVALID,
		    "a gap: the next entry of %s has the number %llu, not %llu",
		    b->origin, (unsigned long long)next,
		    (unsigned long long)b->number);
	}
	if (tf_pg_is(r, 0, 0, "unsafe"))
		return unsafe(err, TF_BUSY);
	if (tf_pg_is(r, 0, 0, "invalid"))
		return tf_fail(err, TF_INVALID, "a batch beyond its limits");
	return strange(err);
}

static enum tf_code
pg_append(struct tf_ledger *l, const struct tf_batch *b,
    struct tf_appended *out, struct tf_error *err)
{
	struct pg_ledger *p = of(l);
	struct arrays arrays = { 0 };
	struct tf_pg_args a = { 0 };
	PGresult *r = NULL;
	enum tf_code rc;

	*out = (struct tf_appended){ 0 };
	if (p->how == TF_ORG_READER)
		return tf_fail(err, TF_DENIED, "a reader appends nothing");
	rc = pack(b, &arrays, err);
	if (rc != TF_OK)
		goto out;
	tf_pg_arg_bytes(&a, tf_str_of(b->origin));
	tf_pg_arg_number(&a, b->number);
	tf_pg_arg_array(&a, false, &arrays.entries);
	tf_pg_arg_array(&a, false, &arrays.objects);
	tf_pg_arg_array(&a, false, &arrays.bundles);
	tf_pg_arg_array(&a, true, &arrays.offs);
	tf_pg_arg_array(&a, true, &arrays.lens);
	tf_pg_arg_bytes(&a, b->note);
	rc = ask_row(p, TF_PG_WRITES,
	    "SELECT verdict, next_number, ledger_size FROM "
	    "trailfs.trail_append($1, $2, $3, $4, $5, $6, $7, $8)",
	    &a, 3, &r, err);
	if (rc == TF_OK)
		rc = judged(b, r, out, err);
out:
	PQclear(r);
	free_arrays(&arrays);
	return rc;
}

/* --- questions -------------------------------------------------------- */

static enum tf_code
pg_member(struct tf_ledger *l, const char *origin, uint64_t *next,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	struct tf_str text;
	enum tf_code rc;

	*next = 0;
	tf_pg_arg_bytes(&a, tf_str_of(origin));
	rc = ask_row(of(l), TF_PG_WRITES,
	    "SELECT verdict, next_number, checkpoint "
	    "FROM trailfs.trail_member($1)",
	    &a, 3, &r, err);
	/* Nothing was to change: to ask again is to call again. */
	if (rc == TF_INDOUBT) {
		if (err != NULL)
			err->code = TF_IO;
		return TF_IO;
	}
	if (rc != TF_OK)
		return rc;
	if (tf_pg_is(r, 0, 0, "absent")) {
		rc = tf_fail(err, TF_NOTFOUND, "%s is not enrolled", origin);
	} else if (tf_pg_is(r, 0, 0, "unsafe")) {
		rc = unsafe(err, TF_IO);
	} else {
		*next = tf_pg_number(r, 0, 1);
		text = tf_pg_bytes(r, 0, 2);
		if (note != NULL && text.p != NULL) {
			tf_buf_add(note, text.p, text.n);
			rc = tf_buf_end(note, err);
		}
		if (rc == TF_OK && tf_pg_is(r, 0, 0, "revoked"))
			rc = tf_fail(err, TF_DENIED, "%s is revoked", origin);
	}
	PQclear(r);
	return rc;
}

static enum tf_code
pg_size(struct tf_ledger *l, uint64_t *n, struct tf_error *err)
{
	struct pg_ledger *p = of(l);
	struct tf_pg_args none = { 0 };
	PGresult *r;
	enum tf_code rc = ask_row(p, TF_PG_WRITES,
	    "SELECT safe, ledger_size FROM trailfs.trail_size()", &none, 2, &r,
	    err);

	*n = 0;
	if (rc == TF_INDOUBT) {
		if (err != NULL)
			err->code = TF_IO;
		return TF_IO;
	}
	if (rc != TF_OK)
		return rc;
	if (!tf_pg_bool(r, 0, 0) && p->how != TF_ORG_READER)
		rc = unsafe(err, TF_IO);
	else
		*n = p->safe = tf_pg_number(r, 0, 1);
	PQclear(r);
	return rc;
}

/* Rows [from, from + n) of the ledger, which must all be there. */
static enum tf_code
read_rows(struct pg_ledger *p, uint64_t from, uint64_t n, tf_leaf_fn fn,
    void *arg, struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	enum tf_code rc;

	tf_pg_arg_number(&a, from);
	tf_pg_arg_number(&a, from + n);
	rc = tf_pg_ask(p->c, TF_PG_READS,
	    "SELECT l.seq, m.origin, l.number, l.body, n.note "
	    "FROM trailfs.leaf l "
	    "LEFT JOIN trailfs.member m ON m.id = l.member "
	    "LEFT JOIN trailfs.note n "
	    "ON n.member = l.member AND n.entries = l.number + 1 "
	    "WHERE l.seq >= $1 AND l.seq < $2 ORDER BY l.seq",
	    &a, &r, err);
	if (rc != TF_OK)
		return rc;
	for (int i = 0; rc == TF_OK && (uint64_t)i < n; i++) {
		struct tf_leaf leaf = { .index = from + (uint64_t)i };

		if (i >= PQntuples(r) || tf_pg_number(r, i, 0) != leaf.index ||
		    PQgetisnull(r, i, 1)) {
			rc = tf_fail(err, TF_TAMPER,
			    "PostgreSQL: entry %llu of the ledger is not there",
			    (unsigned long long)leaf.index);
			break;
		}
		leaf.origin = tf_pg_bytes(r, i, 1);
		leaf.number = tf_pg_number(r, i, 2);
		leaf.bytes = tf_pg_bytes(r, i, 3);
		leaf.note = tf_pg_bytes(r, i, 4);
		rc = fn(arg, &leaf, err);
	}
	PQclear(r);
	return rc;
}

static enum tf_code
pg_read(struct tf_ledger *l, uint64_t from, uint64_t max, tf_leaf_fn fn,
    void *arg, struct tf_error *err)
{
	struct pg_ledger *p = of(l);
	uint64_t end, n;
	enum tf_code rc = TF_OK;

	if (p->safe < from || max > p->safe - from)
		rc = pg_size(l, &n, err);
	if (rc != TF_OK || from >= p->safe)
		return rc;
	end = max > p->safe - from ? p->safe : from + max;
	for (; rc == TF_OK && from < end; from += n) {
		n = end - from < ROWS_AT_ONCE ? end - from : ROWS_AT_ONCE;
		rc = read_rows(p, from, n, fn, arg, err);
	}
	return rc;
}

/* Call fn for the rows of r.  TF_NODATA: the next one is not safe yet. */
static enum tf_code
give_of(struct tf_ledger *l, PGresult *r, uint64_t *next, tf_leaf_fn fn,
    void *arg, struct tf_error *err)
{
	struct pg_ledger *p = of(l);
	enum tf_code rc = TF_OK;
	uint64_t n;

	for (int i = 0; rc == TF_OK && i < PQntuples(r); i++) {
		struct tf_leaf leaf = { .index = tf_pg_number(r, i, 0),
			.origin = tf_pg_bytes(r, i, 1),
			.number = tf_pg_number(r, i, 2),
			.bytes = tf_pg_bytes(r, i, 3),
			.note = tf_pg_bytes(r, i, 4) };

		if (leaf.index >= p->safe)
			rc = pg_size(l, &n, err);
		if (rc == TF_OK && leaf.index >= p->safe)
			return TF_NODATA;
		if (rc == TF_OK && leaf.number != *next)
			rc = tf_fail(err, TF_TAMPER,
			    "PostgreSQL: entry %llu of the origin is not there",
			    (unsigned long long)*next);
		if (rc == TF_OK)
			rc = fn(arg, &leaf, err);
		++*next;
	}
	return rc;
}

static enum tf_code
pg_read_of(struct tf_ledger *l, const char *origin, uint64_t from, uint64_t max,
    tf_leaf_fn fn, void *arg, struct tf_error *err)
{
	struct pg_ledger *p = of(l);
	uint64_t next = from, n;
	enum tf_code rc = TF_OK;
	PGresult *r;
	int got;

	do {
		struct tf_pg_args a = { 0 };

		n = max - (next - from);
		n = n < ROWS_AT_ONCE ? n : ROWS_AT_ONCE;
		tf_pg_arg_bytes(&a, tf_str_of(origin));
		tf_pg_arg_number(&a, next);
		tf_pg_arg_number(&a, n);
		rc = tf_pg_ask(p->c, TF_PG_READS,
		    "SELECT l.seq, m.origin, l.number, l.body, n.note "
		    "FROM trailfs.member m "
		    "JOIN trailfs.leaf l ON l.member = m.id "
		    "LEFT JOIN trailfs.note n "
		    "ON n.member = l.member AND n.entries = l.number + 1 "
		    "WHERE m.origin = $1 AND l.number >= $2 "
		    "ORDER BY l.number LIMIT $3",
		    &a, &r, err);
		if (rc != TF_OK)
			return rc;
		got = PQntuples(r);
		rc = give_of(l, r, &next, fn, arg, err);
		PQclear(r);
	} while (rc == TF_OK && (uint64_t)got == n && next - from < max);
	/* That there is nothing is said by a node that is the primary now. */
	if (rc == TF_OK && next == from)
		rc = pg_size(l, &n, err);
	return rc == TF_NODATA ? TF_OK : rc;
}

static bool
take_hash(const PGresult *r, int row, int column, struct tf_hash *out)
{
	struct tf_str b = tf_pg_bytes(r, row, column);

	if (b.n != sizeof(out->b))
		return false;
	memcpy(out->b, b.p, b.n);
	return true;
}

/* Row `row` of an answer to pg_locate. */
static enum tf_code
take_located(const PGresult *r, int row, size_t n, struct tf_located *out,
    struct tf_error *err)
{
	const uint64_t i = tf_pg_number(r, row, 0); /* from 1 on */

	if (i == 0 || i > n || !take_hash(r, row, 1, &out[i - 1].bundle))
		return strange(err);
	out[i - 1].off = tf_pg_number(r, row, 2);
	out[i - 1].len = tf_pg_number(r, row, 3);
	return TF_OK;
}

/* trail_locate() for each object, in one statement: ledgers of earlier versions
 * answer it, too. */
static enum tf_code
pg_locate(struct tf_ledger *l, const char *origin,
    const struct tf_hash *objects, size_t n, struct tf_located *out,
    struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	struct tf_buf digests = { 0 };
	PGresult *r = NULL;
	enum tf_code rc;

	tf_pg_array_begin(&digests, false, n);
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct tf_located){ .object = objects[i],
			.len = TF_IN_NO_BUNDLE };
		tf_pg_array_bytes(&digests, objects[i].b, sizeof(objects[i]));
	}
	if ((rc = tf_buf_end(&digests, err)) != TF_OK)
		goto out;
	tf_pg_arg_bytes(&a, tf_str_of(origin));
	tf_pg_arg_array(&a, false, &digests);
	rc = tf_pg_ask(of(l)->c, TF_PG_READS,
	    "SELECT w.i, l.bundle, l.off, l.len "
	    "FROM unnest($2) WITH ORDINALITY AS w (digest, i), "
	    "LATERAL trailfs.trail_locate($1, w.digest) AS l",
	    &a, &r, err);
	for (int i = 0; rc == TF_OK && i < PQntuples(r); i++)
		rc = take_located(r, i, n, out, err);
out:
	PQclear(r);
	tf_buf_free(&digests);
	return rc;
}

static enum tf_code
pg_find(struct tf_ledger *l, const char *origin, uint64_t number,
    uint64_t *index, struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	uint64_t n;
	enum tf_code rc = pg_size(l, &n, err);

	if (rc != TF_OK)
		return rc;
	tf_pg_arg_bytes(&a, tf_str_of(origin));
	tf_pg_arg_number(&a, number);
	rc = tf_pg_ask(of(l)->c, TF_PG_READS,
	    "SELECT seq FROM trailfs.trail_find($1, $2)", &a, &r, err);
	if (rc != TF_OK)
		return rc;
	if (PQntuples(r) == 0)
		rc = tf_fail(err, TF_NOTFOUND, "%s has no entry %llu", origin,
		    (unsigned long long)number);
	else
		*index = tf_pg_number(r, 0, 0);
	PQclear(r);
	return rc;
}

static enum tf_code
pg_wait(struct tf_ledger *l, uint64_t beyond, int timeout_ms, uint64_t *size,
    struct tf_error *err)
{
	uint64_t until = tf_clock_boot_ns() + (uint64_t)timeout_ms * 1000000;
	struct tf_pg_args none = { 0 };
	PGresult *r;
	enum tf_code rc;

	for (;;) {
		struct timespec pause = { .tv_nsec = GLANCE_MS * 1000000L };
		uint64_t n, now;

		rc = ask_row(of(l), TF_PG_READS,
		    "SELECT trailfs.trail_glance()", &none, 1, &r, err);
		if (rc != TF_OK)
			return rc;
		n = tf_pg_number(r, 0, 0);
		PQclear(r);
		now = tf_clock_boot_ns();
		if (n > beyond || now >= until)
			return pg_size(l, size, err);
		if (until - now < (uint64_t)pause.tv_nsec)
			pause.tv_nsec = (long)(until - now);
		(void)nanosleep(&pause, NULL);
	}
}

/* --- checkpoints, members, refusals ----------------------------------- */

static enum tf_code
pg_checkpoint_get(struct tf_ledger *l, uint64_t *size, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_pg_args none = { 0 };
	struct tf_str text;
	PGresult *r;
	uint64_t n;
	enum tf_code rc;

	*size = 0;
	rc = tf_pg_ask(of(l)->c, TF_PG_READS,
	    "SELECT size, note FROM trailfs.checkpoint ORDER BY seq DESC LIMIT 1",
	    &none, &r, err);
	if (rc != TF_OK)
		return rc;
	if (PQntuples(r) == 0) {
		rc = tf_fail(err, TF_NOTFOUND, "no checkpoint was put yet");
	} else {
		/* What was read before this commit is safe after it. */
		rc = pg_size(l, &n, err);
		if (rc == TF_OK) {
			text = tf_pg_bytes(r, 0, 1);
			*size = tf_pg_number(r, 0, 0);
			tf_buf_add(note, text.p, text.n);
			rc = tf_buf_end(note, err);
		}
	}
	PQclear(r);
	return rc;
}

static enum tf_code
pg_checkpoint_put(struct tf_ledger *l, uint64_t expect, uint64_t size,
    struct tf_str note, struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	enum tf_code rc = organiser_only(of(l), err);

	if (rc != TF_OK)
		return rc;
	if (expect == UINT64_MAX)
		tf_pg_arg_null_number(&a);
	else
		tf_pg_arg_number(&a, expect);
	tf_pg_arg_number(&a, size);
	tf_pg_arg_bytes(&a, note);
	rc = ask_row(of(l), TF_PG_WRITES,
	    "SELECT trailfs.trail_checkpoint_put($1, $2, $3)", &a, 1, &r, err);
	if (rc != TF_OK)
		return rc;
	if (tf_pg_is(r, 0, 0, "busy"))
		rc = tf_fail(err, TF_BUSY, "another checkpoint was put");
	else if (tf_pg_is(r, 0, 0, "invalid"))
		rc = tf_fail(err, TF_INVALID,
		    "a checkpoint of %llu entries does not fit the ledger",
		    (unsigned long long)size);
	else if (tf_pg_is(r, 0, 0, "unsafe"))
		rc = unsafe(err, TF_BUSY);
	else if (!tf_pg_is(r, 0, 0, "ok"))
		rc = strange(err);
	PQclear(r);
	return rc;
}

/* What enrol, revoke and govern are answered. */
static enum tf_code
governed(const PGresult *r, const char *origin, const char *role,
    struct tf_error *err)
{
	if (tf_pg_is(r, 0, 0, "ok"))
		return TF_OK;
	if (tf_pg_is(r, 0, 0, "absent"))
		return tf_fail(err, TF_NOTFOUND, "%s is not enrolled", origin);
	if (tf_pg_is(r, 0, 0, "exists"))
		return tf_fail(err, TF_EXISTS,
		    "%s is enrolled with another key", origin);
	if (tf_pg_is(r, 0, 0, "busy"))
		return tf_fail(err, TF_BUSY, "another organiser was faster");
	if (tf_pg_is(r, 0, 0, "invalid"))
		return tf_fail(err, TF_INVALID,
		    "not an origin, or PostgreSQL has no role \"%s\"", role);
	if (tf_pg_is(r, 0, 0, "unsafe"))
		return unsafe(err, TF_IO);
	return strange(err);
}

static enum tf_code
pg_enrol(struct tf_ledger *l, const char *origin, const char *vkey,
    const char *role, struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	enum tf_code rc = organiser_only(of(l), err);

	if (rc != TF_OK)
		return rc;
	tf_pg_arg_bytes(&a, tf_str_of(origin));
	tf_pg_arg_text(&a, vkey);
	tf_pg_arg_text(&a, role);
	rc = ask_row(of(l), TF_PG_WRITES,
	    "SELECT trailfs.trail_enrol($1, $2, $3)", &a, 1, &r, err);
	if (rc == TF_OK)
		rc = governed(r, origin, role, err);
	PQclear(r);
	return rc;
}

static enum tf_code
pg_revoke(struct tf_ledger *l, const char *origin, struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	enum tf_code rc = organiser_only(of(l), err);

	if (rc != TF_OK)
		return rc;
	tf_pg_arg_bytes(&a, tf_str_of(origin));
	rc = ask_row(of(l), TF_PG_WRITES, "SELECT trailfs.trail_revoke($1)", &a,
	    1, &r, err);
	if (rc == TF_OK)
		rc = governed(r, origin, "", err);
	PQclear(r);
	return rc;
}

static enum tf_code
pg_govern(struct tf_ledger *l, const struct tf_governed *g,
    struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	enum tf_code rc = organiser_only(of(l), err);

	if (rc != TF_OK)
		return rc;
	if (of(l)->version < 2)
		return tf_fail(err, TF_UNSUPPORTED,
		    "an earlier version made this ledger");
	tf_pg_arg_bytes(&a, tf_str_of(g->origin));
	tf_pg_arg_text(&a, g->vkey);
	tf_pg_arg_text(&a, g->role);
	tf_pg_arg_bytes(&a, tf_str_of(g->own));
	tf_pg_arg_number(&a, g->number);
	tf_pg_arg_bytes(&a, g->entry);
	rc = ask_row(of(l), TF_PG_WRITES,
	    g->revokes ?
		"SELECT trailfs.trail_govern($1, $2, $3, true, $4, $5, $6)" :
		"SELECT trailfs.trail_govern($1, $2, $3, false, $4, $5, $6)",
	    &a, 1, &r, err);
	if (rc == TF_OK)
		rc = governed(r, g->origin, g->role, err);
	PQclear(r);
	return rc;
}

static enum tf_code
pg_members(struct tf_ledger *l, tf_member_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_pg_args none = { 0 };
	PGresult *r;
	uint64_t n;
	enum tf_code rc = pg_size(l, &n, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_pg_ask(of(l)->c, TF_PG_READS,
	    "SELECT origin, vkey, role, next, revoked FROM trailfs.member "
	    "ORDER BY origin",
	    &none, &r, err);

	if (rc != TF_OK)
		return rc;
	for (int i = 0; rc == TF_OK && i < PQntuples(r); i++) {
		struct tf_member m = {
			.origin = tf_pg_bytes(r, i, 0),
			.vkey = tf_pg_bytes(r, i, 1),
			.role = tf_pg_bytes(r, i, 2),
			.next = tf_pg_number(r, i, 3),
			.revoked = tf_pg_bool(r, i, 4),
		};

		rc = fn(arg, &m, err);
	}
	PQclear(r);
	return rc;
}

#define REFUSALS(revoked)                                                   \
	"SELECT r.seq, m.origin, r.number, r.fork, r.given, r.there, "      \
	"(extract(epoch FROM r.at) * 1000000)::bigint, " revoked            \
	" FROM trailfs.refusal r JOIN trailfs.member m ON m.id = r.member " \
	"WHERE r.seq >= $1 ORDER BY r.seq LIMIT $2"

/* One part of the refusals; *from becomes the index behind them, and stays if
 * there are none. */
static enum tf_code
some_refusals(struct pg_ledger *p, uint64_t *from, tf_refused_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_pg_args a = { 0 };
	PGresult *r;
	enum tf_code rc;

	tf_pg_arg_number(&a, *from);
	tf_pg_arg_number(&a, ROWS_AT_ONCE);
	rc = tf_pg_ask(p->c, TF_PG_READS,
	    p->version > 1 ? REFUSALS("r.revoked") : REFUSALS("false"), &a, &r,
	    err);
	if (rc != TF_OK)
		return rc;
	for (int i = 0; rc == TF_OK && i < PQntuples(r); i++) {
		uint64_t us = tf_pg_number(r, i, 6);
		struct tf_refused refused = {
			.index = tf_pg_number(r, i, 0),
			.origin = tf_pg_bytes(r, i, 1),
			.number = tf_pg_number(r, i, 2),
			.is_fork = tf_pg_bool(r, i, 3),
			.is_revoked = tf_pg_bool(r, i, 7),
			.at = { (int64_t)(us / 1000000),
			    (uint32_t)(us % 1000000) * 1000 },
		};

		if (refused.index != *from ||
		    !take_hash(r, i, 4, &refused.given) ||
		    (refused.is_fork && !take_hash(r, i, 5, &refused.there))) {
			rc = tf_fail(err, TF_TAMPER,
			    "PostgreSQL: refusal %llu is not there",
			    (unsigned long long)*from);
			break;
		}
		rc = fn(arg, &refused, err);
		++*from;
	}
	PQclear(r);
	return rc;
}

static enum tf_code
pg_refusals(struct tf_ledger *l, uint64_t from, tf_refused_fn fn, void *arg,
    struct tf_error *err)
{
	uint64_t before, n;
	enum tf_code rc = pg_size(l, &n, err);

	while (rc == TF_OK) {
		before = from;
		rc = some_refusals(of(l), &from, fn, arg, err);
		if (from - before < ROWS_AT_ONCE)
			break;
	}
	return rc;
}

static const struct tf_ledger_ops ops = {
	.create = pg_create,
	.open = pg_open,
	.close = pg_close,
	.caps = pg_caps,
	.append = pg_append,
	.member = pg_member,
	.size = pg_size,
	.read = pg_read,
	.read_of = pg_read_of,
	.locate = pg_locate,
	.find = pg_find,
	.checkpoint_get = pg_checkpoint_get,
	.checkpoint_put = pg_checkpoint_put,
	.wait = pg_wait,
	.enrol = pg_enrol,
	.revoke = pg_revoke,
	.govern = pg_govern,
	.members = pg_members,
	.refusals = pg_refusals,
};

TF_ENGINE_EXPORT const struct tf_engine tf_engine = {
	.abi = TF_ENGINE_ABI,
	.ledger = &ops,
};
