/* status.json of the vault: what status_facts.c has read, and the rest. */
#include <stdlib.h>
#include <string.h>

#include "../asker.h"
#include "../base/bytes.h"
#include "../base/member.h"
#include "../ledger/actor_json.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/holder.h"
#include "../node/protection.h"
#include "../node/roles.h"
#include "../node/org_wait.h"
#include "../node/vault_i.h"
#include "../store/unplaced.h"
#include "../vault.h"
#include "anchors.h"
#include "machine.h"
#include "readable.h"
#include "redactions.h"
#include "refusals.h"
#include "results.h"
#include "stamped.h"
#include "status_facts.h"
#include "view.h"

/* What status.json says besides. */
struct more {
	/* Holds that stand, and redacted files, for who may see all; else 0. */
	uint64_t holds, redacted;
	const char *stamps; /* NULL: STORE/config wants none */
	struct tf_results results;
};

/* Write how many files are in each state. */
static void
put_states(struct tf_json *j, const struct tf_status_facts *c)
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
	tf_json_int(j, (int64_t)c->head.files);
	tf_json_object_end(j);
}

/* Write one unsealed name; the first one begins the list, as an empty list is
 * not written. */
static void
put_one_waiting(struct tf_json *j, const struct tf_buf *path, uint64_t proven,
    const char *state, bool *any)
{
	if (!*any) {
		tf_json_key(j, "waiting");
		tf_json_array(j);
		*any = true;
	}
	tf_json_object(j);
	tf_json_key(j, "path");
	tf_json_str(j, path->p, path->n);
	if (proven > 0)
		tf_put_uint(j, "proven", proven);
	tf_json_key(j, "state");
	tf_json_cstr(j, state);
	tf_json_object_end(j);
}

/* Write the list of unsealed files and closed directories.  A path that the
 * asker may not read is left out, though the counts above include it: a count
 * tells nothing about a file. */
static void
put_waiting(struct tf_view *w, struct tf_json *j,
    const struct tf_status_facts *c)
{
	struct tf_buf path = { 0 };
	bool any = false;

	for (size_t i = 0; i < c->listed; i++)
		if (tf_path_to_show(w, c->id[i], &path, j))
			put_one_waiting(j, &path, c->proven[i],
			    tf_state_name(c->state[i]), &any);
	for (size_t i = 0; i < c->closed; i++)
		if (tf_path_to_show(w, c->closed_id[i], &path, j))
			put_one_waiting(j, &path, 0, TF_CLOSING, &any);
	if (any)
		tf_json_array_end(j);
	tf_buf_free(&path);
}

/* Write what reads have found damaged: how many files and reads, and the paths
 * that the asker may read. */
static void
put_damaged(struct tf_view *w, struct tf_json *j,
    const struct tf_status_facts *c)
{
	struct tf_buf path = { 0 };
	bool any = false;

	if (c->damaged == 0)
		return;
	tf_json_key(j, "damaged");
	tf_json_object(j);
	tf_put_uint(j, "files", c->damaged);
	for (size_t i = 0; i < c->damaged_listed; i++) {
		if (!tf_path_to_show(w, c->damaged_id[i], &path, j))
			continue;
		if (!any) {
			tf_json_key(j, "paths");
			tf_json_array(j);
		}
		any = true;
		tf_json_buf(j, &path);
	}
	if (any)
		tf_json_array_end(j);
	tf_put_uint(j, "reads", atomic_load(&w->v->counters.damaged_reads));
	tf_json_object_end(j);
	tf_buf_free(&path);
}

/* A sparse store has no bytes of evidence. */
static void
put_absent(const struct tf_vault *v, struct tf_json *j)
{
	struct tf_buf text = { 0 };

	tf_buf_printf(&text, "absent: they are in %s", v->blobs);
	tf_json_key(j, "contents");
	tf_json_buf(j, &text);
	tf_buf_free(&text);
}

/* Of a mount with durability=org. */
static void
put_organisation(struct tf_vault *v, struct tf_json *j)
{
	struct tf_org_state s;

	if (!tf_org_wait_state(v, &s))
		return;
	tf_json_key(j, "organisation");
	tf_json_object(j);
	tf_put_bool(j, "connected", s.connected);
	tf_put_uint(j, "timeouts", s.timeouts);
	tf_put_uint(j, "waiting", s.waiting);
	tf_put_hint(j, "why", s.why, sizeof(s.why), TF_HINT_MAX);
	tf_json_object_end(j);
}

/* Write head and counts.  Keys are in the order of their names, because
 * canonical JSON (RFC 8785) wants it. */
static enum tf_code
put_facts(struct tf_view *w, struct tf_json *j, const struct tf_status_facts *c,
    const struct more *m, struct tf_error *err)
{
	const struct tf_head *h = &c->head;
	struct tf_vault *v = w->v;
	struct tf_holder who;
	char hex[65];
	enum tf_code rc;

	tf_status_writer(v, &who);
	tf_hex(h->root.b, sizeof(h->root.b), hex);
	tf_put_backup(&m->results, j);
	tf_json_key(j, "bytes");
	tf_json_int(j, (int64_t)h->content_bytes);
	tf_put_machine_clock(v, j, h->at);
	if (v->sparse)
		put_absent(v, j);
	put_damaged(w, j, c);
	tf_json_key(j, "denied");
	tf_json_int(j, (int64_t)c->denied);
	tf_json_key(j, "entries");
	tf_json_int(j, (int64_t)h->size);
	tf_json_key(j, "failed");
	tf_json_int(j, (int64_t)c->failed);
	tf_put_forwarded(&m->results, j);
	tf_put_guard(v, j, &c->guard);
	if (m->holds > 0)
		tf_put_uint(j, "holds", m->holds);
	tf_put_hint(j, "host", v->host, SIZE_MAX, TF_HINT_MAX);
	if (v->mount != NULL && !v->login_uids)
		tf_put_cstr(j, "login_uids", "unknown");
	tf_put_hint(j, "mount", v->mount != NULL ? v->mount : who.mount,
	    SIZE_MAX, TF_HINT_MAX);
	put_organisation(v, j);
	tf_put_hint(j, "origin", v->origin, SIZE_MAX, TF_HINT_MAX);
	if (who.pid > 0) {
		tf_json_key(j, "pid");
		tf_json_int(j, who.pid);
	}
	if (m->redacted > 0)
		tf_put_uint(j, "redacted", m->redacted);
	rc = tf_put_refusals(v, j, err);
	tf_put_roles(v, j);
	tf_json_key(j, "root");
	tf_json_cstr(j, hex);
	tf_put_sandbox(v, j);
	if (c->signer_away != 0)
		tf_put_time(j, "signer_away",
		    (struct tf_time){ c->signer_away, 0 });
	if (m->stamps != NULL)
		tf_put_cstr(j, "stamps", m->stamps);
	put_states(j, c);
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
	if (u->n == TF_STATUS_LISTED)
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
	struct tf_status_facts *c = malloc(sizeof(*c));
	const uint32_t asker = w.all ? 0 : who->uid;
	struct more m = { 0 };
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
	rc = tf_status_read(v, w.db, &asker, c, err);
	if (rc == TF_OK)
		rc = tf_stamps_word(&w, c->head.size, &m.stamps, err);
	if (rc == TF_OK)
		rc = tf_results_read(v, w.db, c->head.size, &m.results, err);
	if (rc == TF_OK && c->trouble[0] == '\0')
		rc = tf_refusal_newest(v, c->trouble, sizeof(c->trouble), err);
	if (rc == TF_OK) {
		tf_json_begin(&j, out);
		tf_json_object(&j);
		rc = tf_put_anchored(w.db, &c->guard, &j, err);
		if (rc == TF_OK && w.all)
			rc = tf_count_holds(w.db, &m.holds, err);
		if (rc == TF_OK && w.all)
			rc = tf_count_redactions(w.db, &m.redacted, err);
		if (rc == TF_OK)
			rc = put_facts(&w, &j, c, &m, err);
		if (rc == TF_OK)
			rc = put_unplaced(v, w.db, &j, err);
		tf_put_verified(&m.results, &j);
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
