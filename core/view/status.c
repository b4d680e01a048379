/*
 * The vault's own files: entries, checkpoint and status.json.
 *
 * events.jsonl of the root is one file that grows, so a read gets a range of
 * bytes.  The table of entries records the offset of each line; a binary search
 * finds the line where the range begins.
 *
 * The status of a vault that is open for writing comes from its memory, under
 * one lock, so that the counts agree with one another.  A reader has no such
 * memory and asks the database; its status counts sealed files only.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../asker.h"
#include "../base/bytes.h"
#include "../ledger/actor_json.h"
#include "../ledger/entry.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/denied.h"
#include "../node/holder.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/unplaced.h"
#include "../vault.h"
#include "readable.h"
#include "view.h"

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

bool
tf_vault_knows_type(const char *type)
{
	for (int t = TF_TYPE_UNKNOWN + 1; t < TF_TYPES; t++)
		if (strcmp(type, tf_type_name((enum tf_entry_kind)t)) == 0)
			return true;
	return false;
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

/* --- status.json ------------------------------------------------------------ */

#define WAITING_MAX 100 /* unsealed names that are listed */

/* What status.json says of files, copied while mu is held, so that JSON is
 * written and permissions are checked without the lock. */
struct counts {
	uint64_t n[TF_STATES];
	uint64_t id[WAITING_MAX];
	enum tf_state state[WAITING_MAX];
	size_t listed;
	uint64_t closed_id[WAITING_MAX]; /* directories */
	size_t closed;
	uint64_t failed, denied;
	uint32_t asker;
	char trouble[sizeof(((struct tf_error *)0)->text)];
};

/* Add a file to the list; false ends the walk when the list is full. */
static bool
list_one(void *arg, struct tf_pending *l)
{
	struct counts *c = arg;

	if (c->listed == WAITING_MAX)
		return false;
	c->id[c->listed] = l->attr.id;
	c->state[c->listed++] = l->attr.state;
	return true;
}

/* Skip the asker's own files, which are in the list already. */
static bool
list_others(void *arg, struct tf_pending *l)
{
	struct counts *c = arg;

	return l->attr.uid == c->asker || list_one(c, l);
}

/* Collect up to WAITING_MAX files, the asker's own first: another user may have
 * very many.  mu is held. */
static void
list_waiting(struct tf_vault *v, struct counts *c)
{
	uint64_t part[] = { TF_PENDING_TO_SEAL, c->asker };

	for (; part[0] <= TF_PENDING_FILE; part[0]++)
		tf_pending_range(&v->pending, TF_PENDING_BY_OWNER, part, 2,
		    list_one, c);
	for (part[0] = 0; part[0] <= TF_PENDING_FILE; part[0]++)
		tf_pending_range(&v->pending, TF_PENDING_BY_OWNER, part, 1,
		    list_others, c);
}

/* Write how many files are in each state. */
static void
put_states(struct tf_json *j, const struct counts *c, uint64_t sealed)
{
	tf_json_key(j, "states");
	tf_json_object(j);
	tf_json_key(j, "draft");
	tf_json_int(j, (int64_t)c->n[TF_STATE_DRAFT]);
	tf_json_key(j, "frozen");
	tf_json_int(j, (int64_t)c->n[TF_STATE_FROZEN]);
	tf_json_key(j, "open");
	tf_json_int(j, (int64_t)c->n[TF_STATE_OPEN]);
	tf_json_key(j, "placeholder");
	tf_json_int(j, (int64_t)c->n[TF_STATE_PLACEHOLDER]);
	tf_json_key(j, "sealed");
	tf_json_int(j, (int64_t)sealed);
	tf_json_object_end(j);
}

/* Write one unsealed name; the first one begins the list, as an empty list is
 * not written. */
static void
put_one_waiting(struct tf_json *j, const struct tf_buf *path, const char *state,
    bool *any)
{
	if (!*any) {
		tf_json_key(j, "waiting");
		tf_json_array(j);
		*any = true;
	}
	tf_json_object(j);
	tf_json_key(j, "path");
	tf_json_str(j, path->p, path->n);
	tf_json_key(j, "state");
	tf_json_cstr(j, state);
	tf_json_object_end(j);
}

/* Write the list of unsealed files and closed directories.  A path that the
 * asker may not read is left out, though the counts above include it: a count
 * tells nothing about a file. */
static void
put_waiting(struct tf_view *w, struct tf_json *j, const struct counts *c)
{
	struct tf_buf path = { 0 };
	bool any = false;

	for (size_t i = 0; i < c->listed; i++)
		if (tf_path_to_show(w, c->id[i], &path, j))
			put_one_waiting(j, &path, tf_state_name(c->state[i]),
			    &any);
	for (size_t i = 0; i < c->closed; i++)
		if (tf_path_to_show(w, c->closed_id[i], &path, j))
			put_one_waiting(j, &path, TF_CLOSING, &any);
	if (any)
		tf_json_array_end(j);
	tf_buf_free(&path);
}

/* Read head and counts, of a writer from memory, of a reader from the
 * database. */
static enum tf_code
status_facts(struct tf_vault *v, struct tf_db *db, uint32_t asker,
    struct tf_head *h, struct counts *c, struct tf_error *err)
{
	enum tf_code rc;

	memset(h, 0, sizeof(*h));
	memset(c, 0, sizeof(*c));
	c->asker = asker;
	c->denied = tf_denied_count(v);
	if (!v->read_only) {
		pthread_mutex_lock(&v->mu);
		*h = v->head;
		if (v->broken != TF_OK)
			memcpy(c->trouble, v->broken_why.text,
			    sizeof(c->trouble));
		for (unsigned i = 0; i < TF_STATES; i++)
			c->n[i] = v->pending.files[i];
		c->failed = v->pending.failed;
		list_waiting(v, c);
		for (size_t i = 0; i < v->n_closed && i < WAITING_MAX; i++)
			c->closed_id[c->closed++] = v->closed[i].id;
		pthread_mutex_unlock(&v->mu);
		return TF_OK;
	}
	rc = tf_checkpoints_newest(db, &h->size, &h->root, NULL, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(db, "files", &h->files, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(db, "content_bytes", &h->content_bytes,
		    err);
	return rc;
}

/* Write the process that has the store open for writing, and its mount point:
 * this process, or the holder of the lock. */
static void
find_writer(struct tf_vault *v, struct tf_holder *who)
{
	memset(who, 0, sizeof(*who));
	if (!v->read_only)
		who->pid = getpid();
	else if (v->mount != NULL || !tf_holder_find(v->dirfd, who))
		memset(who, 0, sizeof(*who));
}

/* Write head and counts.  Keys are in the order of their names, because
 * canonical JSON (RFC 8785) wants it. */
static void
put_facts(struct tf_vault *v, struct tf_json *j, const struct tf_head *h,
    const struct counts *c)
{
	struct tf_holder who;
	char hex[65];

	find_writer(v, &who);
	tf_hex(h->root.b, sizeof(h->root.b), hex);
	tf_json_key(j, "bytes");
	tf_json_int(j, (int64_t)h->content_bytes);
	tf_json_key(j, "denied");
	tf_json_int(j, (int64_t)c->denied);
	tf_json_key(j, "entries");
	tf_json_int(j, (int64_t)h->size);
	tf_json_key(j, "failed");
	tf_json_int(j, (int64_t)c->failed);
	tf_put_hint(j, "host", v->host, SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "mount", v->mount != NULL ? v->mount : who.mount,
	    SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "origin", v->origin, SIZE_MAX, TF_HINT_MAX);
	if (who.pid > 0) {
		tf_json_key(j, "pid");
		tf_json_int(j, who.pid);
	}
	tf_json_key(j, "root");
	tf_json_cstr(j, hex);
	put_states(j, c, h->files);
	tf_put_hint(j, "store", v->store, SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "trouble", c->trouble, SIZE_MAX, TF_HINT_MAX);
}

struct unplaced {
	struct tf_json *j;
	size_t n;
};

/* Write one row without a place, by number.  Its name is not shown, since
 * nobody can say who may read it. */
static void
put_one_unplaced(void *arg, uint64_t id, const char *name, const char *why)
{
	struct unplaced *u = arg;

	(void)name; /* the row's place is unknown, so its readers are too */
	if (u->n == WAITING_MAX)
		return;
	if (u->n++ == 0) {
		tf_json_key(u->j, "unplaced");
		tf_json_array(u->j);
	}
	tf_json_object(u->j);
	tf_json_key(u->j, "node");
	tf_json_int(u->j, (int64_t)id);
	tf_json_key(u->j, "why");
	tf_json_cstr(u->j, why);
	tf_json_object_end(u->j);
}

/* Write the rows of stage without a place.  A writer found them at its start, a
 * reader searches now. */
static enum tf_code
put_unplaced(struct tf_vault *v, struct tf_db *db, struct tf_json *j,
    struct tf_error *err)
{
	struct unplaced u = { .j = j };
	enum tf_code rc = TF_OK;

	if (v->read_only)
		rc = tf_unplaced_each(db, TF_STAGE_RULE, put_one_unplaced, &u,
		    err);
	else
		for (size_t i = 0; i < v->n_unplaced; i++)
			put_one_unplaced(&u, v->unplaced[i].id, NULL,
			    v->unplaced[i].why);
	if (u.n > 0)
		tf_json_array_end(j);
	return rc;
}

/*
 * The view is on the stack and has no snapshot: the status describes the
 * present, most of which is in memory, and needs a view only for permissions.
 */
enum tf_code
tf_vault_status(struct tf_vault *v, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_view w = { .v = v, .all = tf_asker_may_all(who) };
	struct tf_head h;
	struct counts *c = malloc(sizeof(*c));
	struct tf_json j;
	enum tf_code rc;

	if (c == NULL)
		return tf_nomem(err);
	if (!w.all)
		w.who = *who;
	if ((rc = tf_reader_db(v, &w.db, err)) != TF_OK) {
		free(c);
		return rc;
	}
	if ((rc = status_facts(v, w.db, w.all ? 0 : w.who.uid, &h, c, err)) ==
	    TF_OK) {
		tf_json_begin(&j, out);
		tf_json_object(&j);
		put_facts(v, &j, &h, c);
		rc = put_unplaced(v, w.db, &j, err);
		tf_put_hint(&j, "version", TF_VERSION, SIZE_MAX, TF_HINT_MAX);
		put_waiting(&w, &j, c);
		tf_json_object_end(&j);
		if (rc == TF_OK)
			rc = tf_json_end(&j, err);
		tf_buf_add(out, "\n", 1);
	}
	tf_reader_done(v, w.db);
	free(c);
	return rc;
}
