/*
 * The vault's entries and its checkpoint.
 *
 * events.jsonl of the root is one file that grows, so a read gets a range of
 * bytes.  The table of entries records the offset of each line; a binary search
 * finds the line where the range begins.
 */
#include <pthread.h>
#include <string.h>

#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../vault.h"

enum tf_code
tf_vault_size(struct tf_vault *v, uint64_t *entries, uint64_t *bytes,
    struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc;

	/* Not v->head, which is updated after the commit: a caller who sees a
	 * sealed file must find its entry. */
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_entries_size(db, entries, bytes, err);
	tf_reader_done(v, db);
	return rc;
}

/* Find the last of the first n entries that begins at or before off.  Rows may
 * be missing: a damaged database must not end the list. */
static enum tf_code
entry_at(struct tf_db *db, uint64_t n, uint64_t off, uint64_t *idx,
    struct tf_error *err)
{
	uint64_t low = 0, high = n, mid, at, found;
	enum tf_code rc;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		rc = tf_entries_before(db, mid, &found, &at, err);
		if (rc != TF_OK && rc != TF_NOTFOUND)
			return rc;
		if (rc == TF_NOTFOUND || at <= off)
			low = mid;
		else
			high = mid;
	}
	*idx = low;
	rc = tf_entries_before(db, low, idx, &at, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

struct copy {
	uint64_t entries, off;
	uint64_t next; /* the entry after the last one copied; or 0 */
	char *p;
	size_t n, got;
};

/* A damaged record may be shorter or longer than its place.  Let its line end
 * where its place ends, so that the lines after it are whole.  The place of
 * missing records (gap) is a line of spaces. */
static void
end_line_at(struct copy *c, uint64_t off, bool gap)
{
	const uint64_t at = c->off + c->got;

	if (at > off) {
		c->got -= at - off < c->got ? (size_t)(at - off) : c->got;
	} else if (at < off) {
		size_t left = c->n - c->got;

		if (c->got > 0 && !gap)
			c->p[c->got - 1] = ' ';
		if (left > off - at)
			left = (size_t)(off - at);
		memset(c->p + c->got, ' ', left);
		c->got += left;
	}
	if (c->got > 0 && c->off + c->got == off)
		c->p[c->got - 1] = '\n';
}

/* Copy the part of an entry that is in the range.  A read may begin and end
 * within a line. */
static enum tf_code
copy_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct copy *c = arg;
	size_t skip, take;

	(void)err;
	if (idx >= c->entries || c->got == c->n)
		return TF_NODATA; /* ends the walk */
	if (c->got > 0 || c->off < off)
		end_line_at(c, off, c->next != 0 && idx != c->next);
	c->next = idx + 1;
	if (c->got == c->n)
		return TF_NODATA;
	skip = (size_t)(c->off + c->got - off);
	if (skip < n) {
		take = n - skip < c->n - c->got ? n - skip : c->n - c->got;
		memcpy(c->p + c->got, (const char *)body + skip, take);
		c->got += take;
	}
	if (c->got < c->n)
		c->p[c->got++] = '\n';
	return TF_OK;
}

/* The range may begin after the last of these entries: then *got is 0, the end
 * of the file. */
enum tf_code
tf_vault_events(struct tf_vault *v, uint64_t entries, uint64_t off, void *p,
    size_t n, size_t *got, struct tf_error *err)
{
	struct copy c = { .entries = entries, .off = off, .p = p, .n = n };
	uint64_t idx, at = 0;
	struct tf_db *db;
	struct tf_buf last = { 0 };
	enum tf_code rc;

	*got = 0;
	if (entries == 0 || n == 0)
		return TF_OK;
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_entries_get(db, entries - 1, &last, &at, err);
	if (rc == TF_OK && off < at + last.n + 1 &&
	    (rc = entry_at(db, entries, off, &idx, err)) == TF_OK) {
		rc = tf_entries_each(db, idx, copy_entry, &c, err);
		if (rc == TF_NODATA)
			rc = TF_OK;
	}
	tf_reader_done(v, db);
	tf_buf_free(&last);
	*got = c.got;
	return rc;
}

enum tf_code
tf_vault_entry(struct tf_vault *v, uint64_t seq, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_entries_get(db, seq, out, NULL, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "no such entry");
	tf_reader_done(v, db);
	return rc;
}

enum tf_code
tf_vault_check_entry(const char *bytes, size_t n, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, bytes, n, err);

	tf_entry_decoded_free(&d);
	return rc;
}

const char *
tf_vault_type(size_t i)
{
	return i < TF_TYPES - TF_TYPE_UNKNOWN - 1 ?
	    tf_type_name((enum tf_entry_kind)(TF_TYPE_UNKNOWN + 1 + i)) :
	    NULL;
}

/* A process that writes answers with the note of the last COMMIT that returned
 * (commit/head.h); a process that only reads has no such note in memory. */
enum tf_code
tf_vault_checkpoint(struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_hash root;
	struct tf_db *db;
	uint64_t size;
	enum tf_code rc;

	if (!v->read_only) {
		pthread_mutex_lock(&v->mu);
		tf_buf_add(out, v->head.note.p, v->head.note.n);
		pthread_mutex_unlock(&v->mu);
		return tf_buf_end(out, err);
	}
	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_checkpoints_newest(db, &size, &root, out, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "no checkpoint yet");
	tf_reader_done(v, db);
	return rc;
}
