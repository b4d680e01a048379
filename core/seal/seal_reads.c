/*
 * Records who opened what: see seal_reads.h.
 *
 * The counts are taken out of the table, so that readers go on counting while
 * entries are made.  They are sorted by trail, actor and node, which makes the
 * same openings the same bytes.  Each entry is a transaction of its own: when
 * one fails, the openings after it are put back and wait for the next minute.
 */
#include "seal_reads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/member.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/paths.h"
#include "../node/quota.h"
#include "../node/reads.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"

/* An opened node, and where it is. */
struct place {
	struct tf_read *read;
	uint64_t trail;
	bool package; /* not evidence: its package was opened */
};

struct record {
	struct tf_vault *v;
	struct tf_db *db;
	struct tf_read_counts counts;
	struct place *place;
	size_t n;
};

/* The entry that is being made. */
struct piece {
	uint64_t trail, count, lost;
	struct tf_buf text;
	struct tf_hash sha256;
};

/* --- where the nodes are ----------------------------------------------------- */

/* Find the trail of the node.  TF_NOTFOUND: it is in none. */
static enum tf_code
find_trail(struct tf_db *db, uint64_t node, struct place *out,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(db, node, &row, err);

	out->package = rc == TF_OK && row.attr.kind != TF_KIND_EVIDENCE;
	while (rc == TF_OK && row.attr.kind > TF_KIND_TRAIL)
		rc = tf_nodes_get(db, row.attr.parent, &row, err);
	if (rc == TF_OK && row.attr.kind != TF_KIND_TRAIL)
		return TF_NOTFOUND;
	out->trail = row.attr.id;
	return rc;
}

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->trail != y->trail)
		return x->trail < y->trail ? -1 : 1;
	if (x->read->actor != y->read->actor)
		return x->read->actor < y->read->actor ? -1 : 1;
	return (x->read->node > y->read->node) -
	    (x->read->node < y->read->node);
}

/* List what is to be recorded, sorted. */
static enum tf_code
find_places(struct record *r, struct tf_error *err)
{
	struct place p;
	uint64_t asked = 0;
	bool wanted = false;
	enum tf_code rc;

	r->place = calloc(r->counts.n > 0 ? r->counts.n : 1, sizeof(p));
	if (r->place == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < r->counts.n; i++) {
		p = (struct place){ .read = &r->counts.reads[i] };
		rc = find_trail(r->db, p.read->node, &p, err);
		if (rc == TF_NOTFOUND)
			continue;
		if (rc != TF_OK)
			return rc;
		if (p.trail != asked)
			wanted = tf_wished(r->v, p.trail, TF_WISH_READS);
		asked = p.trail;
		if (wanted)
			r->place[r->n++] = p;
	}
	if (r->n > 1)
		qsort(r->place, r->n, sizeof(p), by_place);
	return TF_OK;
}

/* --- the object -------------------------------------------------------------- */

/* {"actor":{...}}: the lines that follow are openings by this actor. */
static enum tf_code
put_actor(struct record *r, struct piece *x, uint32_t actor,
    struct tf_error *err)
{
	const struct tf_actor *who = &r->counts.actors[actor];
	char *text = NULL;
	enum tf_code rc;

	tf_vault_learn(r->v, who->uid, who->gid);
	if ((rc = tf_actor_text(who, &text, err)) != TF_OK)
		return rc;
	tf_buf_str(&x->text, "{\"actor\":");
	tf_buf_str(&x->text, text);
	tf_buf_str(&x->text, "}\n");
	free(text);
	return tf_buf_end(&x->text, err);
}

/* {"count":2,"first":...,"last":...,"node":9,"path":...,"what":"package"} */
static enum tf_code
put_read(struct record *r, struct piece *x, const struct place *p,
    struct tf_error *err)
{
	struct tf_buf path = { 0 };
	struct tf_json j;
	enum tf_code rc = tf_path_of(r->v, r->db, p->read->node, &path, err);

	if (rc == TF_OK)
		rc = tf_buf_end(&path, err);
	if (rc == TF_OK) {
		tf_json_begin(&j, &x->text);
		tf_json_object(&j);
		tf_put_uint(&j, "count", p->read->count);
		tf_put_time(&j, "first", p->read->first);
		tf_put_time(&j, "last", p->read->last);
		tf_put_uint(&j, "node", p->read->node);
		tf_put_str(&j, "path", tf_buf_bytes(&path));
		if (p->package)
			tf_put_cstr(&j, "what", "package");
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	}
	tf_buf_add(&x->text, "\n", 1);
	tf_buf_free(&path);
	x->count++;
	return rc == TF_OK ? tf_buf_end(&x->text, err) : rc;
}

static enum tf_code
append_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct piece *x = arg;
	struct tf_entry e = { .type = TF_EVIDENCE_READ,
		.reads = { x->sha256, x->text.n },
		.reads_count = x->count,
		.reads_lost = x->lost };
	uint64_t object;
	enum tf_code rc;

	if ((rc = tf_existing_keep(t, &x->sha256, x->text.p, x->text.n, 0,
		 &object, err)) != TF_OK ||
	    (rc = tf_txn_path(t, x->trail, &e.path, err)) != TF_OK)
		return rc;
	(void)tf_txn_write(t);
	t->said += x->text.n;
	return tf_txn_append(t, &e, NULL, err);
}

static enum tf_code
append(struct record *r, struct piece *x, struct tf_error *err)
{
	enum tf_code rc = tf_space_say(r->v, 0, x->text.n, err);

	if (rc != TF_OK)
		return rc;
	tf_sha256(x->text.p, x->text.n, &x->sha256);
	return tf_commit_wait(r->v->commit, append_run, x, err);
}

/* Make the entry of the places from i on.  *end becomes the place after them. */
static enum tf_code
make_entry(struct record *r, size_t i, size_t *end, struct tf_error *err)
{
	struct piece x = { .trail = r->place[i].trail, .lost = r->counts.lost };
	enum tf_code rc = TF_OK;
	size_t from = i;

	for (; rc == TF_OK && i < r->n && r->place[i].trail == x.trail &&
	     x.text.n < TF_READS_BYTES;
	     i++) {
		if (i == from ||
		    r->place[i].read->actor != r->place[i - 1].read->actor)
			rc = put_actor(r, &x, r->place[i].read->actor, err);
		if (rc == TF_OK)
			rc = put_read(r, &x, &r->place[i], err);
	}
	*end = i;
	if (rc == TF_OK)
		rc = append(r, &x, err);
	for (; rc == TF_OK && from < i; from++)
		atomic_fetch_add(&r->v->counters.reads_recorded,
		    r->place[from].read->count);
	tf_buf_free(&x.text);
	return rc;
}

/* --- recording --------------------------------------------------------------- */

/* Nothing that was counted may be forgotten: what has no place yet is put back
 * whole. */
static void
put_back(struct record *r, size_t from)
{
	if (r->place == NULL) {
		for (size_t i = 0; i < r->counts.n; i++)
			tf_reads_put_back(&r->v->reads, &r->counts,
			    &r->counts.reads[i]);
		return;
	}
	for (size_t i = from; i < r->n; i++)
		tf_reads_put_back(&r->v->reads, &r->counts, r->place[i].read);
}

static enum tf_code
record(struct record *r, struct tf_error *err)
{
	size_t i = 0, end = 0;
	enum tf_code rc = tf_reader_db(r->v, &r->db, err);

	if (rc == TF_OK) {
		rc = find_places(r, err);
		if (rc != TF_OK) {
			free(r->place);
			r->place = NULL;
		}
		while (rc == TF_OK && i < r->n)
			if ((rc = make_entry(r, i, &end, err)) == TF_OK)
				i = end;
		tf_reader_done(r->v, r->db);
	}
	if (rc != TF_OK)
		put_back(r, i);
	/* The entries say so, and the next ones if there were none. */
	if (i == 0 && r->counts.lost > 0)
		tf_reads_lose(&r->v->reads, r->counts.lost);
	return rc;
}

enum tf_code
tf_reads_record(struct tf_vault *v, struct tf_error *err)
{
	struct record r = { .v = v };
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->reads.recording);
	tf_reads_take(&v->reads, &r.counts);
	if (r.counts.n > 0 || r.counts.lost > 0)
		rc = record(&r, err);
	pthread_mutex_unlock(&v->reads.recording);
	tf_read_counts_free(&r.counts);
	free(r.place);
	return rc;
}

/* --- the thread -------------------------------------------------------------- */

/* Wait for the minute to end, or for many openings.  False: the end. */
static bool
wait_minute(struct tf_reads *r, bool failed)
{
	struct timespec until;
	bool goes_on;
	int over = 0;

	tf_clock_after(TF_READS_EVERY_S * TF_SECOND, &until);
	pthread_mutex_lock(&r->mu);
	while (!r->ends && over == 0 && (failed || !r->early))
		over = pthread_cond_timedwait(&r->wake, &r->mu, &until);
	goes_on = !r->ends;
	pthread_mutex_unlock(&r->mu);
	return goes_on;
}

static void *
run(void *vault)
{
	struct tf_vault *v = vault;
	struct tf_error e;
	enum tf_code rc, before = TF_OK;

	while (wait_minute(&v->reads, before != TF_OK)) {
		if (!tf_vault_notes_reads(v))
			continue;
		e = (struct tf_error){ .code = TF_OK };
		rc = tf_reads_record(v, &e);
		if (rc != TF_OK && before == TF_OK)
			tf_vault_say(v, rc,
			    "who read what cannot be recorded now and is tried "
			    "again each minute: %s",
			    e.text);
		before = rc;
	}
	return NULL;
}

enum tf_code
tf_reads_begin(struct tf_vault *v, struct tf_error *err)
{
	if (v->mount == NULL)
		return TF_OK;
	if (pthread_create(&v->reads.thread, NULL, run, v) != 0)
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	v->reads.runs = true;
	return TF_OK;
}

void
tf_reads_end(struct tf_vault *v)
{
	if (!v->reads.runs)
		return;
	pthread_mutex_lock(&v->reads.mu);
	v->reads.ends = true;
	pthread_cond_broadcast(&v->reads.wake);
	pthread_mutex_unlock(&v->reads.mu);
	(void)pthread_join(v->reads.thread, NULL);
	v->reads.runs = false;
}
