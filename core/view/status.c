/*
 * status.json of the vault.
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
#include "../base/member.h"
#include "../ledger/actor_json.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/denied.h"
#include "../node/holder.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/protection.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/unplaced.h"
#include "../vault.h"
#include "anchors.h"
#include "machine.h"
#include "readable.h"
#include "redactions.h"
#include "refusals.h"
#include "stamped.h"
#include "view.h"

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
	/* Holds that stand, and redacted files, for who may see all; else 0. */
	uint64_t holds, redacted;
	uint32_t asker;
	char trouble[sizeof(((struct tf_error *)0)->text)];
	struct tf_guard_state guard;
	const char *stamps; /* NULL: STORE/config wants none */
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
		c->guard = v->guard_state;
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
static enum tf_code
put_facts(struct tf_vault *v, struct tf_json *j, const struct tf_head *h,
    const struct counts *c, struct tf_error *err)
{
	struct tf_holder who;
	char hex[65];
	enum tf_code rc;

	find_writer(v, &who);
	tf_hex(h->root.b, sizeof(h->root.b), hex);
	tf_json_key(j, "bytes");
	tf_json_int(j, (int64_t)h->content_bytes);
	tf_put_machine_clock(v, j, h->at);
	tf_json_key(j, "denied");
	tf_json_int(j, (int64_t)c->denied);
	tf_json_key(j, "entries");
	tf_json_int(j, (int64_t)h->size);
	tf_json_key(j, "failed");
	tf_json_int(j, (int64_t)c->failed);
	tf_put_guard(v, j, &c->guard);
	if (c->holds > 0)
		tf_put_uint(j, "holds", c->holds);
	tf_put_hint(j, "host", v->host, SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "mount", v->mount != NULL ? v->mount : who.mount,
	    SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "origin", v->origin, SIZE_MAX, TF_HINT_MAX);
	if (who.pid > 0) {
		tf_json_key(j, "pid");
		tf_json_int(j, who.pid);
	}
	if (c->redacted > 0)
		tf_put_uint(j, "redacted", c->redacted);
	rc = tf_put_refusals(v, j, err);
	tf_json_key(j, "root");
	tf_json_cstr(j, hex);
	if (c->stamps != NULL)
		tf_put_cstr(j, "stamps", c->stamps);
	put_states(j, c, h->files);
	tf_put_hint(j, "store", v->store, SIZE_MAX, TF_HINT_MAX);
	tf_put_hint(j, "trouble", c->trouble, SIZE_MAX, TF_HINT_MAX);
	return rc;
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
	rc = status_facts(v, w.db, w.all ? 0 : w.who.uid, &h, c, err);
	if (rc == TF_OK)
		rc = tf_stamps_word(&w, h.size, &c->stamps, err);
	if (rc == TF_OK && c->trouble[0] == '\0')
		rc = tf_refusal_newest(v, c->trouble, sizeof(c->trouble), err);
	if (rc == TF_OK) {
		tf_json_begin(&j, out);
		tf_json_object(&j);
		rc = tf_put_anchored(w.db, &j, err);
		c->holds = c->redacted = 0;
		if (rc == TF_OK && w.all)
			rc = tf_count_holds(w.db, &c->holds, err);
		if (rc == TF_OK && w.all)
			rc = tf_count_redactions(w.db, &c->redacted, err);
		if (rc == TF_OK)
			rc = put_facts(v, &j, &h, c, err);
		if (rc == TF_OK)
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
