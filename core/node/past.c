/*
 * The tree as it was: see core/past.h.
 *
 * Rows of table node say which entry created and which one sealed a node, so the
 * rule of what was there is one comparison, made where rows are read
 * (tf_db_end_at).  Nothing is stored for it.  Pending nodes are in no entry and
 * are not looked at, but for the attestation that a directory takes its owner
 * from.
 */
#include "../past.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/mutant.h"
#include "../base/time_text.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/transaction.h"
#include "base.h"
#include "load_entry.h"
#include "past.h"
#include "paths.h"
#include "vault_i.h"

#define LIST_MAX 64
#define SIZE_DIGITS 15

static enum tf_code
no_moment(struct tf_error *err)
{
	errno = 0; /* what it says is not about a call */
	return tf_fail(err, TF_NOTFOUND, "the ledger has no such moment");
}

/* What an entry says about the moment after it. */
struct end {
	struct tf_time at;
	bool inside;	/* its batch goes on */
	uint64_t first; /* of its batch */
};

static enum tf_code
read_end(struct tf_db *db, uint64_t size, struct end *out, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_load_entry(db, size - 1, &text, &d, err);

	if (rc == TF_OK)
		*out = (struct end){ d.e.at,
			d.e.has_batch && d.e.batch_last >= size,
			d.e.batch_first };
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
read_moment(struct tf_db *db, uint64_t size, struct tf_time *at,
    struct tf_error *err)
{
	uint64_t entries = 0, bytes;
	struct end end;
	enum tf_code rc = tf_entries_size(db, &entries, &bytes, err);

	if (rc == TF_OK && (size == 0 || size > entries))
		rc = no_moment(err);
	if (rc == TF_OK)
		rc = read_end(db, size, &end, err);
	if (rc == TF_OK && end.inside)
		rc = no_moment(err);
	if (rc == TF_OK)
		*at = end.at;
	return rc;
}

/* The moments that were asked for last are kept: each look-up has one. */
enum tf_code
tf_past_begin(struct tf_vault *v, struct tf_db *db, uint64_t size,
    struct tf_time *at, struct tf_error *err)
{
	struct tf_past_moment *kept = &v->moments[size % TF_MOMENTS];
	bool is;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	is = size != 0 && kept->size == size;
	if (is)
		*at = kept->at;
	pthread_mutex_unlock(&v->mu);
	if (!is) {
		if ((rc = read_moment(db, size, at, err)) != TF_OK)
			return rc;
		pthread_mutex_lock(&v->mu);
		*kept = (struct tf_past_moment){ size, *at };
		pthread_mutex_unlock(&v->mu);
	}
	if (!TF_IS_MUTANT(TF_PAST_IS_PRESENT))
		tf_db_end_at(db, size, *at);
	return TF_OK;
}

/* --- moments ------------------------------------------------------------------ */

/* Set *size to the number of entries up to the time t.  Their times rise. */
static enum tf_code
size_at(struct tf_db *db, uint64_t entries, struct tf_time t, uint64_t *size,
    struct tf_error *err)
{
	uint64_t low = 0, high = entries, mid;
	struct end end = { .inside = false };
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && low < high) {
		mid = low + (high - low) / 2;
		rc = read_end(db, mid + 1, &end, err);
		if (rc == TF_OK && tf_time_cmp(end.at, t) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (rc == TF_OK && low > 0)
		rc = read_end(db, low, &end, err);
	*size = rc == TF_OK && low > 0 && end.inside ? end.first : low;
	return rc;
}

/* False: text is no number in that form. */
static bool
read_size(const char *text, uint64_t *size)
{
	const size_t n = strlen(text);

	*size = 0;
	if (n == 0 || n > SIZE_DIGITS || text[0] == '0' ||
	    strspn(text, "0123456789") != n)
		return false;
	for (size_t i = 0; i < n; i++)
		*size = *size * 10 + (uint64_t)(text[i] - '0');
	return true;
}

bool
tf_past_is_moment(const char *text)
{
	char whole[TF_TIME_LEN + 1];
	uint64_t size;

	return read_size(text, &size) || tf_time_complete(text, whole);
}

/* The ledger as it is now is not the ledger of a later time. */
static enum tf_code
size_of_time(struct tf_db *db, uint64_t entries, const char *text,
    uint64_t *size, struct tf_error *err)
{
	char whole[TF_TIME_LEN + 1];
	struct end newest;
	struct tf_time t;
	enum tf_code rc;

	if (!tf_time_complete(text, whole) ||
	    !tf_time_parse(whole, TF_TIME_LEN, &t))
		return no_moment(err);
	rc = entries == 0 ? no_moment(err) :
			    read_end(db, entries, &newest, err);
	if (rc == TF_OK && tf_time_cmp(t, tf_clock_now()) > 0 &&
	    tf_time_cmp(t, newest.at) > 0)
		rc = no_moment(err);
	return rc == TF_OK ? size_at(db, entries, t, size, err) : rc;
}

enum tf_code
tf_past_size(struct tf_vault *v, const char *text, uint64_t *size,
    struct tf_error *err)
{
	struct tf_db *db;
	uint64_t entries, bytes;
	struct tf_time at;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_entries_size(db, &entries, &bytes, err);
	if (rc == TF_OK && !read_size(text, size))
		rc = size_of_time(db, entries, text, size, err);
	if (rc == TF_OK)
		rc = tf_past_begin(v, db, *size, &at, err);
	tf_db_end_now(db);
	tf_reader_done(v, db);
	return rc;
}

/* --- nodes -------------------------------------------------------------------- */

/* A directory takes owner and mode from its attestation, as today. */
static enum tf_code
show(struct tf_vault *v, struct tf_db *db, struct tf_attr *a,
    struct tf_error *err)
{
	const enum tf_state state = a->state;
	enum tf_code rc = tf_follow_unlocked(v, db, a, err);

	a->state = state;
	a->mode &= ~(uint32_t)0222;
	return rc;
}

/* Begin to read the moment: *db is the caller's until done(). */
static enum tf_code
begin(struct tf_vault *v, uint64_t size, struct tf_db **db,
    struct tf_error *err)
{
	struct tf_time at;
	enum tf_code rc = tf_reader_db(v, db, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = tf_past_begin(v, *db, size, &at, err)) != TF_OK)
		tf_reader_done(v, *db);
	return rc;
}

static enum tf_code
done(struct tf_vault *v, struct tf_db *db, enum tf_code rc,
    struct tf_error *err)
{
	tf_db_end_now(db);
	tf_reader_done(v, db);
	errno = 0;
	return rc == TF_NOTFOUND ? tf_fail(err, rc, "no such name") : rc;
}

enum tf_code
tf_past_lookup(struct tf_vault *v, uint64_t size, uint64_t parent,
    const char *name, struct tf_attr *out, struct tf_error *err)
{
	struct tf_node_row r;
	struct tf_db *db;
	enum tf_code rc = begin(v, size, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_find(db, parent, name, strlen(name), &r, err);
	if (rc == TF_OK) {
		*out = r.attr;
		rc = show(v, db, out, err);
	}
	return done(v, db, rc, err);
}

enum tf_code
tf_past_getattr(struct tf_vault *v, uint64_t size, uint64_t id,
    struct tf_attr *out, struct tf_error *err)
{
	struct tf_node_row r;
	struct tf_db *db;
	enum tf_code rc = begin(v, size, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_get(db, id, &r, err);
	if (rc == TF_OK) {
		*out = r.attr;
		rc = show(v, db, out, err);
	}
	return done(v, db, rc, err);
}

enum tf_code
tf_past_walk(struct tf_vault *v, uint64_t size, const char *path,
    struct tf_attr *out, struct tf_error *err)
{
	const char *whole = path;
	char name[TF_NAME_MAX + 1];
	enum tf_code rc = tf_past_getattr(v, size, TF_ROOT_ID, out, err);
	size_t n;

	for (; rc == TF_OK; path += n) {
		path += strspn(path, "/");
		if ((n = strcspn(path, "/")) == 0)
			break;
		if (n > TF_NAME_MAX)
			return tf_fail(err, TF_NAMETOOLONG, "name too long");
		memcpy(name, path, n);
		name[n] = '\0';
		if (strcmp(name, ".") != 0)
			rc = tf_past_lookup(v, size, out->id, name, out, err);
	}
	errno = 0;
	return rc == TF_NOTFOUND ?
	    tf_fail(err, rc, "%.100s: no such name at that moment", whole) :
	    rc;
}

enum tf_code
tf_past_list(struct tf_vault *v, uint64_t size, uint64_t dir, uint64_t after,
    struct tf_dirent *out, size_t max, size_t *n, struct tf_error *err)
{
	struct tf_node_row rows[LIST_MAX], r;
	struct tf_db *db;
	enum tf_code rc = begin(v, size, &db, err);

	*n = 0;
	if (rc != TF_OK)
		return rc;
	if (max > LIST_MAX)
		max = LIST_MAX;
	rc = tf_nodes_get(db, dir, &r, err);
	if (rc == TF_OK && r.attr.kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_NOTDIR, "not a directory");
	if (rc == TF_OK)
		rc = tf_nodes_list(db, dir, after, rows, max, n, err);
	for (size_t i = 0; rc == TF_OK && i < *n; i++) {
		out[i].attr = rows[i].attr;
		memcpy(out[i].name, rows[i].name, rows[i].name_len + 1);
		rc = show(v, db, &out[i].attr, err);
	}
	return done(v, db, rc, err);
}
