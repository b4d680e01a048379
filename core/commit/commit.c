/*
 * The one writer of the ledger, and group commit: while one transaction is
 * flushed, the queue of the next one fills.
 *
 * Promises, and what keeps them here:
 *  I1  A committed entry never changes and never moves.  append_body() puts an
 *      entry at txn.size only; triggers of the schema refuse UPDATE and DELETE.
 *  I2  An object is durable before the entry that names it.  Jobs are submitted
 *      after their objects were linked and synced (tf_seal_prepare).
 *  I3  Each checkpoint is consistent with every earlier one.  load() compares
 *      the right edge of the tree with the newest checkpoint; finish() signs
 *      the root of the same tree; publish() shows the checkpoint only after
 *      COMMIT returned, so no two checkpoints of one size were ever seen.
 *  I4  Success is answered only after it is durable.  process() calls done()
 *      after tf_db_commit(), which flushes the write-ahead log.
 *  I5  The tree of names follows from the entries.  An entry and the rows that
 *      it changes are one transaction.
 *  I6  A verifier needs no secret.  finish() signs; the public key is enough to
 *      check the checkpoint.
 *
 * States of a job:
 *
 *     tf_commit_submit()      take()        run_jobs()     tf_db_commit()
 * --------------> queued ---------> claimed -------> running -------> committed
 * ^                |                 |                            process():  |
 * | undo()          |                            one by one  |                v
 * |                                        +---(first)--- undone              |
 * |(second)         |                                                         v
 * process()    v                                                        done
 * <-------------+
 *
 *  queued     In the list of c->mu.  The submitter may hold vault.mu.
 *  claimed    In the list of the committer's thread.  At most BATCH_MAX jobs
 *             share a transaction.  refused_all() fails them when the vault is
 *             read-only or broken.
 *  running    run() was called inside the transaction.  It may take vault.mu
 *             for a moment; it takes no pending.io and never waits for the
 *             committer.
 *  undone     A job failed after it had written, or COMMIT failed.  undo()
 *             rolls the database back and loads the tree again.  A job that
 *             failed makes all jobs of its transaction run again, each in a
 *             transaction of its own (retried alone): so one bad job fails
 *             nobody else, and run() may be called twice.  A failed COMMIT
 *             fails all jobs at once.
 *  committed  publish() stored the head in the vault under vault.mu, and
 *             tell_changed() dropped what the kernel remembered.
 *  done       done() was called, exactly once, in the committer's thread and
 *             without a lock of this file.  The job may be freed.
 *
 * A job that wrote nothing (a refusal, a question) is answered without a
 * commit.  An error of the ledger's disk is final (poison): the kernel may have
 * dropped pages that it could not write, so nothing is appended until the store
 * is opened again.  A full disk, a lock, want of memory or of descriptors fail
 * only the jobs of that transaction.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/mutant.h"
#include "../base/time_text.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_write.h"
#include "../ledger/merkle.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/schema.h"
#include "commit.h"

#define BATCH_MAX 256	   /* jobs in one transaction */
#define LOCK_TRIES 10	   /* of 3 s each, see schema.c */
#define JUMP_NS 1000000000 /* wall against boot clock: a jump from here on */

/* Readings of wall clock and boot clock at the last entry.  If their
 * differences to the present readings disagree, the wall clock was set. */
struct seen {
	bool known;
	struct tf_time clock;
	uint64_t boot_ns;
};

struct tf_committer {
	struct tf_vault *v;
	struct tf_db *db;	  /* the committer's thread only */
	struct tf_tree *tree;	  /* likewise */
	struct tf_txn txn;	  /* likewise */
	uint64_t next_id, end_id; /* node ids for jobs, likewise */
	struct seen seen;	  /* likewise */

	pthread_t thread;
	bool started;
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct tf_job *head, **tail; /* guarded by mu */
	bool quit;		     /* guarded by mu */
};

/* --- what jobs call --- */

static enum tf_code
put_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *h,
    unsigned width, struct tf_error *err)
{
	return tf_tiles_put(arg, level, n, h, width, err);
}

/* Append an entry with the bytes body and the time at.  I1: at the end only. */
static enum tf_code
append_body(struct tf_txn *t, const struct tf_buf *body, struct tf_time at,
    struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_committer *c = t->v->commit;
	struct tf_hash h;
	enum tf_code rc;

	tf_entry_leaf(body->p, body->n, &h);
	rc = tf_entries_put(t->db, t->size, t->bytes, body->p, body->n, err);
	if (rc == TF_OK)
		rc = tf_tree_append(c->tree, &h, put_tile, t->db, err);
	if (rc != TF_OK)
		return rc;
	t->size++;
	t->bytes += body->n + 1;
	t->at = at;
	if (leaf != NULL)
		*leaf = h;
	return TF_OK;
}

static enum tf_code
append_bytes(struct tf_txn *t, const struct tf_entry *e, struct tf_hash *leaf,
    struct tf_error *err)
{
	struct tf_buf body = { 0 };
	enum tf_code rc;

	t->wrote = true;
	if ((rc = tf_entry_encode(e, &body, err)) == TF_OK)
		rc = append_body(t, &body, e->at, leaf, err);
	tf_buf_free(&body);
	return rc;
}

/* Set the entry's time: later than that of the entry before, and not before
 * t->not_before, even if the clock was set back. */
static void
stamp(struct tf_txn *t, struct tf_entry *e, struct tf_time now)
{
	struct tf_time at = now, least = tf_time_add_ns(t->at, 1);

	if (t->size > 0 && tf_time_cmp(at, least) < 0)
		at = least;
	if (tf_time_cmp(at, t->not_before) < 0)
		at = t->not_before;
	e->v = TF_ENTRY_VERSION;
	e->seq = t->size;
	e->origin = (struct tf_str){ t->v->origin, strlen(t->v->origin) };
	e->at = at;
	e->has_clock = tf_time_cmp(at, now) != 0;
	e->clock = now;
	e->has_batch = t->batch;
	e->batch_first = t->batch_first;
	e->batch_last = t->batch_last;
}

static int64_t
ns_between(struct tf_time a, struct tf_time b)
{
	return (b.s - a.s) * 1000000000 + (int64_t)b.ns - (int64_t)a.ns;
}

/* Warn about a wrong or unsynchronised clock at the start of a daemon, when the
 * operator can still correct it.  last: the time of the last entry. */
static void
doubt_clock(struct tf_vault *v, struct tf_time last)
{
	const struct tf_time now = tf_clock_now();
	char here[TF_TIME_LEN + 1], there[TF_TIME_LEN + 1];

	if (v->mount == NULL)
		return;
	tf_time_text(now, here);
	tf_time_text(last, there);
	if (ns_between(now, last) > JUMP_NS)
		tf_vault_say(v, TF_INDOUBT,
		    "the clock says %s, and the last entry was at %s: one of "
		    "them is wrong; new entries keep their order and note the "
		    "clock",
		    here, there);
	if (tf_clock_adrift())
		tf_vault_say(v, TF_INDOUBT,
		    "the kernel reports that the clock is not synchronised: "
		    "times of entries are only as good as this clock");
}

/* Append clock.jumped if the clock was set since the last entry. */
static enum tf_code
watch_clock(struct tf_txn *t, struct tf_time now, struct tf_error *err)
{
	struct tf_committer *c = t->v->commit;
	uint64_t boot = tf_clock_boot_ns();
	struct tf_entry e = { .type = TF_CLOCK_JUMPED };
	struct seen last = c->seen;
	int64_t off = 0;

	if (last.known)
		off = ns_between(last.clock, now) -
		    (int64_t)(boot - last.boot_ns);
	if (last.known)
		e.expected = tf_time_add_ns(last.clock, boot - last.boot_ns);
	c->seen = (struct seen){ true, now, boot };
	if (!last.known || (off <= JUMP_NS && off >= -JUMP_NS))
		return TF_OK;
	stamp(t, &e, now);
	return append_bytes(t, &e, NULL, err);
}

enum tf_code
tf_txn_append(struct tf_txn *t, struct tf_entry *e, struct tf_hash *leaf,
    struct tf_error *err)
{
	struct tf_time now = tf_clock_now();
	enum tf_code rc;

	if (!t->batch && (rc = watch_clock(t, now, err)) != TF_OK)
		return rc;
	stamp(t, e, now);
	return append_bytes(t, e, leaf, err);
}

enum tf_code
tf_txn_append_prepared(struct tf_txn *t, const struct tf_prepared_entry *p,
    struct tf_error *err)
{
	struct tf_time now = tf_clock_now();
	struct tf_entry e = { 0 };
	enum tf_code rc;

	t->wrote = true;
	if (!t->batch && (rc = watch_clock(t, now, err)) != TF_OK)
		return rc;
	stamp(t, &e, now);
	/* The buffer is reused, but an earlier lack of memory must not be. */
	t->body.n = 0;
	t->body.failed = false;
	if ((rc = tf_entry_complete(p, &e, &t->body, err)) == TF_OK)
		rc = append_body(t, &t->body, e.at, NULL, err);
	return rc;
}

enum tf_code
tf_txn_batch(struct tf_txn *t, uint64_t n, struct tf_error *err)
{
	enum tf_code rc = watch_clock(t, tf_clock_now(), err);

	if (rc != TF_OK)
		return rc;
	t->batch = true;
	t->batch_first = t->size;
	t->batch_last = t->size + n - 1;
	return TF_OK;
}

void
tf_txn_batch_end(struct tf_txn *t)
{
	t->batch = false;
}

enum tf_code
tf_txn_changed(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	size_t cap;
	void *p;

	if (t->n_touched == t->cap_touched) {
		cap = t->cap_touched == 0 ? 16 : t->cap_touched * 2;
		p = realloc(t->touched, cap * sizeof(*t->touched));
		if (p == NULL)
			return tf_nomem(err);
		t->touched = p;
		t->cap_touched = cap;
	}
	t->touched[t->n_touched].id = id;
	t->touched[t->n_touched++].moves = false;
	return TF_OK;
}

enum tf_code
tf_txn_touch(struct tf_txn *t, uint64_t id, struct tf_time at,
    struct tf_error *err)
{
	size_t n = t->n_touched;
	enum tf_code rc;

	/* sort_touched removes the duplicates that this misses. */
	if (n == 0 || !t->touched[n - 1].moves || t->touched[n - 1].id != id) {
		if ((rc = tf_txn_changed(t, id, err)) != TF_OK)
			return rc;
		n = t->n_touched;
	}
	t->touched[n - 1].moves = true;
	t->touched[n - 1].at = at;
	return TF_OK;
}

/* Reserve a block of ids durably, so that none is used again after a crash. */
static enum tf_code
reserve_ids(struct tf_txn *t, uint64_t *first, struct tf_error *err)
{
	uint64_t used;
	enum tf_code rc = tf_meta_get_int(t->db, "next_id", first, err);

	if (rc == TF_OK)
		rc = tf_nodes_max_id(t->db, &used, err);
	if (rc != TF_OK)
		return rc;
	/* The stored value may have been altered: never reuse an id in use. */
	if (*first <= used)
		*first = used + 1;
	return tf_meta_set_int(tf_txn_write(t), "next_id", *first + TF_ID_BLOCK,
	    err);
}

enum tf_code
tf_txn_new_id(struct tf_txn *t, uint64_t *id, struct tf_error *err)
{
	struct tf_committer *c = t->v->commit;
	enum tf_code rc;

	if (c->next_id == c->end_id) {
		if ((rc = reserve_ids(t, &c->next_id, err)) != TF_OK)
			return rc;
		c->end_id = c->next_id + TF_ID_BLOCK;
	}
	*id = c->next_id++;
	return TF_OK;
}

static enum tf_code
reserve_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	return reserve_ids(t, arg, err);
}

enum tf_code
tf_vault_new_id(struct tf_vault *v, uint64_t *id, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	uint64_t first;

	pthread_mutex_lock(&v->mu);
	while (rc == TF_OK && v->next_id == v->end_id) {
		if (v->reserving) {
			tf_vault_wait(v);
			continue;
		}
		v->reserving = true;
		pthread_mutex_unlock(&v->mu);
		rc = tf_commit_wait(v->commit, reserve_run, &first, err);
		pthread_mutex_lock(&v->mu);
		v->reserving = false;
		if (rc == TF_OK) {
			v->next_id = first;
			v->end_id = first + TF_ID_BLOCK;
		}
		pthread_cond_broadcast(&v->changed);
	}
	if (rc == TF_OK)
		*id = v->next_id++;
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* --- the transaction --- */

static void
forget_scratch(struct tf_txn *t)
{
	t->n_touched = 0;
	t->path_id = 0;
	t->path.n = 0;
	t->open_att = 0;
	t->known_dir = 0;
	t->batch = false;
	t->not_before = (struct tf_time){ INT64_MIN, 0 };
}

static int
by_directory(const void *a, const void *b)
{
	const struct tf_touched *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->moves != y->moves)
		return x->moves ? 1 : -1;
	return x->moves ? tf_time_cmp(x->at, y->at) : 0;
}

/* Sort t->touched and keep each directory once, with its latest time. */
static void
sort_touched(struct tf_txn *t)
{
	struct tf_touched *d = t->touched;
	size_t n = 0;

	if (t->n_touched < 2)
		return;
	qsort(d, t->n_touched, sizeof(*d), by_directory);
	for (size_t i = 0; i < t->n_touched; i++)
		if (i + 1 == t->n_touched || d[i].id != d[i + 1].id)
			d[n++] = d[i];
	t->n_touched = n;
}

/* Write the directories' times, the tiles and the checkpoint. */
static enum tf_code
finish(struct tf_committer *c, uint64_t before, struct tf_checkpoint *cp,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_txn *t = &c->txn;
	enum tf_code rc;

	sort_touched(t);
	for (size_t i = 0; i < t->n_touched; i++)
		if (t->touched[i].moves &&
		    (rc = tf_nodes_touch(t->db, t->touched[i].id,
			 t->touched[i].at, err)) != TF_OK)
			return rc;
	if (t->size == before)
		return TF_OK;
	if ((rc = tf_meta_set_int(t->db, "files", t->files, err)) != TF_OK ||
	    (rc = tf_meta_set_int(t->db, "content_bytes", t->content_bytes,
		 err)) != TF_OK ||
	    (rc = tf_tree_edge(c->tree, before, put_tile, t->db, err)) != TF_OK)
		return rc;
	memset(cp, 0, sizeof(*cp));
	memcpy(cp->origin, c->v->origin, sizeof(cp->origin));
	cp->size = t->size;
	tf_tree_root(c->tree, &cp->root);
	if ((rc = tf_checkpoint_sign(cp, c->v->log_key, note, err)) != TF_OK)
		return rc;
	return tf_checkpoints_put(t->db, cp->size, &cp->root, note->p, note->n,
	    err);
}

static void
publish(struct tf_committer *c, const struct tf_checkpoint *cp,
    struct tf_buf *note)
{
	struct tf_vault *v = c->v;

	pthread_mutex_lock(&v->mu);
	v->head.size = c->txn.size;
	v->head.bytes = c->txn.bytes;
	v->head.files = c->txn.files;
	v->head.content_bytes = c->txn.content_bytes;
	v->head.root = cp->root;
	tf_buf_free(&v->head.note);
	v->head.note = *note;
	memset(note, 0, sizeof(*note));
	if (v->alarm_ns == UINT64_MAX) /* the sealer sleeps without a limit */
		pthread_cond_signal(&v->alarm);
	pthread_mutex_unlock(&v->mu);
}

/* Report the changed directories, before the jobs' callers are answered. */
static void
tell_changed(const struct tf_txn *t)
{
	for (size_t i = 0; i < t->n_touched; i++)
		tf_vault_changed(t->v, t->touched[i].id);
}

/* Roll back and reload the state on disk.  If that fails, the vault becomes
 * read-only. */
static void
undo(struct tf_committer *c, const struct tf_txn *saved,
    const struct seen *seen)
{
	struct tf_vault *v = c->v;
	struct tf_error e;

	tf_db_rollback(c->db);
	c->txn.size = saved->size;
	c->txn.bytes = saved->bytes;
	c->txn.files = saved->files;
	c->txn.content_bytes = saved->content_bytes;
	c->txn.at = saved->at;
	/* The next entry detects again a clock jump whose entry is undone. */
	c->seen = *seen;
	c->next_id = c->end_id = 0; /* their reservation may be undone */
	forget_scratch(&c->txn);
	if (tf_tree_load(c->tree, saved->size, tf_tiles_read, c->db, &e) ==
	    TF_OK)
		return;
	pthread_mutex_lock(&v->mu);
	if (v->broken == TF_OK) {
		v->broken = e.code;
		v->broken_why = e;
	}
	pthread_mutex_unlock(&v->mu);
}

/* An error of the ledger's disk is final: the kernel may have dropped pages. */
static void
poison(struct tf_committer *c, enum tf_code code, const struct tf_error *err)
{
	struct tf_vault *v = c->v;

	if (code == TF_NOSPACE || code == TF_QUOTA || code == TF_NOMEM ||
	    code == TF_LOCKED || code == TF_TOOMANY)
		return;
	pthread_mutex_lock(&v->mu);
	if (v->broken == TF_OK) {
		v->broken = code;
		v->broken_why = *err;
	}
	pthread_mutex_unlock(&v->mu);
	tf_vault_say(v, code,
	    "the ledger cannot be written (%s): read-only "
	    "until the store is mounted again",
	    err->text);
}

static void
all_failed(struct tf_job *list, enum tf_code code, const struct tf_error *err)
{
	for (struct tf_job *j = list; j != NULL; j = j->next)
		if (j->rc == TF_OK) {
			j->rc = code;
			j->err = *err;
		}
}

/* Run the jobs.  False if one failed after it wrote: the transaction must be
 * rolled back. */
static bool
run_jobs(struct tf_committer *c, struct tf_job *list, bool *wrote)
{
	*wrote = false;
	for (struct tf_job *j = list; j != NULL; j = j->next) {
		c->txn.wrote = false;
		c->txn.not_before = (struct tf_time){ INT64_MIN, 0 };
		j->err = (struct tf_error){ .code = TF_OK };
		j->rc = j->run(&c->txn, j, &j->err);
		tf_txn_batch_end(&c->txn);
		if (j->rc != TF_OK && c->txn.wrote)
			return false;
		*wrote = *wrote || c->txn.wrote;
	}
	return true;
}

/*
 * Begin a transaction.  Another program, such as a shell or a backup, may hold
 * the database's lock for a while: waiting loses nothing.  After the last try
 * these jobs fail with TF_LOCKED, and the next jobs try again.
 */
static enum tf_code
begin(struct tf_committer *c, struct tf_error *err)
{
	enum tf_code rc;

	for (int i = 0; i < LOCK_TRIES; i++) {
		rc = tf_db_begin(c->db, err);
		if (rc != TF_LOCKED && i > 0)
			tf_vault_say(c->v, TF_OK,
			    "the lock on the database is gone");
		if (rc != TF_LOCKED)
			return rc;
		if (i == 0)
			tf_vault_say(c->v, rc,
			    "another program holds a lock on %s: writers wait",
			    TF_DB_NAME);
	}
	tf_vault_say(c->v, rc,
	    "another program holds a lock on %s: what waited for it failed",
	    TF_DB_NAME);
	return rc;
}

/* Run these jobs in one transaction.  False: it was rolled back, and the caller
 * runs them one by one. */
static bool
transact(struct tf_committer *c, struct tf_job *list)
{
	struct tf_txn saved = c->txn;
	struct seen seen = c->seen;
	struct tf_checkpoint cp;
	struct tf_buf note = { 0 };
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc;
	bool wrote;

	if ((rc = begin(c, &err)) != TF_OK) {
		for (struct tf_job *j = list; j != NULL; j = j->next)
			j->rc = TF_OK;
		all_failed(list, rc, &err);
		poison(c, rc, &err);
		return true;
	}
	forget_scratch(&c->txn);
	if (!run_jobs(c, list, &wrote)) {
		undo(c, &saved, &seen);
		return false;
	}
	if (!wrote) {
		tf_db_rollback(c->db);
		return true;
	}
	rc = finish(c, saved.size, &cp, &note, &err);
	if (TF_IS_MUTANT(TF_SHOW_FIRST) && rc == TF_OK &&
	    c->txn.size != saved.size)
		publish(c, &cp, &note);
	if (rc == TF_OK)
		rc = tf_db_commit(c->db, &err);
	if (rc != TF_OK) {
		undo(c, &saved, &seen);
		all_failed(list, rc, &err);
		poison(c, rc, &err);
	} else {
		if (c->txn.size != saved.size && !TF_IS_MUTANT(TF_SHOW_FIRST))
			publish(c, &cp, &note);
		tell_changed(&c->txn);
	}
	tf_buf_free(&note);
	return true;
}

static bool
refused_all(struct tf_committer *c, struct tf_job *list)
{
	struct tf_error err;
	enum tf_code rc = tf_vault_writable(c->v, &err);

	if (rc == TF_OK)
		return false;
	for (struct tf_job *j = list; j != NULL; j = j->next)
		j->rc = TF_OK;
	all_failed(list, rc, &err);
	return true;
}

static void
process(struct tf_committer *c, struct tf_job *list)
{
	struct tf_job *j, *next;

	if (!refused_all(c, list) && !transact(c, list)) {
		for (j = list; j != NULL; j = next) {
			next = j->next;
			j->next = NULL;
			if (!refused_all(c, j))
				(void)transact(c, j); /* result: j->rc */
			j->next = next;
		}
	}
	for (j = list; j != NULL; j = next) {
		next = j->next;
		j->done(j, j->rc, &j->err);
	}
}

/* Take up to BATCH_MAX jobs.  NULL: the queue is empty and the thread ends. */
static struct tf_job *
take(struct tf_committer *c)
{
	struct tf_job *list, **at;
	unsigned n = 0;

	pthread_mutex_lock(&c->mu);
	while (c->head == NULL && !c->quit)
		pthread_cond_wait(&c->more, &c->mu);
	list = c->head;
	for (at = &list; *at != NULL && n < BATCH_MAX; n++)
		at = &(*at)->next;
	c->head = *at;
	*at = NULL;
	if (c->head == NULL)
		c->tail = &c->head;
	pthread_mutex_unlock(&c->mu);
	return list;
}

static void *
work(void *arg)
{
	struct tf_committer *c = arg;
	struct tf_job *list;

	while ((list = take(c)) != NULL)
		process(c, list);
	return NULL;
}

void
tf_commit_submit(struct tf_committer *c, struct tf_job *j)
{
	j->next = NULL;
	pthread_mutex_lock(&c->mu);
	*c->tail = j;
	c->tail = &j->next;
	pthread_mutex_unlock(&c->mu);
	pthread_cond_signal(&c->more); /* after unlock: no second wait */
}

struct waiting {
	struct tf_job job;
	enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err);
	void *arg;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool over;
	enum tf_code rc;
	struct tf_error err;
};

static enum tf_code
waiting_run(struct tf_txn *t, struct tf_job *j, struct tf_error *err)
{
	struct waiting *w = (struct waiting *)j;

	return w->run(t, w->arg, err);
}

static void
waiting_done(struct tf_job *j, enum tf_code code, const struct tf_error *err)
{
	struct waiting *w = (struct waiting *)j;

	pthread_mutex_lock(&w->mu);
	w->rc = code;
	w->err = *err;
	w->over = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mu);
}

enum tf_code
tf_commit_wait(struct tf_committer *c,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct waiting w = { .job = { .run = waiting_run,
				 .done = waiting_done },
		.run = run,
		.arg = arg };

	tf_vault_slow(c->v);
	(void)pthread_mutex_init(&w.mu, NULL);
	(void)pthread_cond_init(&w.cond, NULL);
	tf_commit_submit(c, &w.job);
	pthread_mutex_lock(&w.mu);
	while (!w.over)
		pthread_cond_wait(&w.cond, &w.mu);
	pthread_mutex_unlock(&w.mu);
	(void)pthread_cond_destroy(&w.cond);
	(void)pthread_mutex_destroy(&w.mu);
	if (w.rc != TF_OK && err != NULL)
		*err = w.err;
	return w.rc;
}

/* --- start and stop --- */

/* Check that entries, tiles and the newest checkpoint agree, in time that does
 * not depend on the length of the log. */
static enum tf_code
load(struct tf_committer *c, struct tf_error *err)
{
	struct tf_txn *t = &c->txn;
	struct tf_vault *v = c->v;
	struct tf_checkpoint cp;
	struct tf_buf note = { 0 }, body = { 0 };
	struct tf_entry_decoded d = { 0 };
	struct tf_hash root, computed;
	uint64_t size;
	enum tf_code rc;

	rc = tf_entries_size(t->db, &t->size, &t->bytes, err);
	if (rc != TF_OK || t->size == 0)
		return rc;
	rc = tf_checkpoints_newest(t->db, &size, &root, &note, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && size != t->size))
		rc = tf_fail(err, TF_TAMPER,
		    "the newest checkpoint does not "
		    "cover the %llu entries",
		    (unsigned long long)t->size);
	if (rc == TF_OK)
		rc = tf_checkpoint_check(note.p, note.n, &v->vkey, &cp, err);
	if (rc == TF_OK)
		rc = tf_tree_load(c->tree, t->size, tf_tiles_read, t->db, err);
	if (rc != TF_OK)
		goto out;
	tf_tree_root(c->tree, &computed);
	if (cp.size != t->size || memcmp(&computed, &cp.root, 32) != 0 ||
	    memcmp(&root, &cp.root, 32) != 0) {
		rc = tf_fail(err, TF_TAMPER,
		    "the tree's right edge does not "
		    "give the root of the newest checkpoint: run trailctl "
		    "verify");
		goto out;
	}
	rc = tf_entries_get(t->db, t->size - 1, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(t->db, "files", &t->files, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(t->db, "content_bytes", &t->content_bytes,
		    err);
	if (rc == TF_OK) {
		t->at = d.e.at;
		doubt_clock(c->v, t->at);
		publish(c, &cp, &note);
	}
out:
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	tf_buf_free(&note);
	return rc;
}

enum tf_code
tf_commit_start(struct tf_vault *v, struct tf_db *db, struct tf_committer **out,
    struct tf_error *err)
{
	struct tf_committer *c = calloc(1, sizeof(*c));
	enum tf_code rc;

	if (c == NULL || (c->tree = calloc(1, sizeof(*c->tree))) == NULL) {
		free(c);
		tf_db_close(db);
		return tf_nomem(err);
	}
	c->v = v;
	c->db = c->txn.db = db;
	c->txn.v = v;
	c->tail = &c->head;
	(void)pthread_mutex_init(&c->mu, NULL);
	(void)pthread_cond_init(&c->more, NULL);
	if ((rc = load(c, err)) == TF_OK &&
	    pthread_create(&c->thread, NULL, work, c) != 0)
		rc = tf_fail(err, TF_NOMEM, "cannot start a thread");
	if (rc != TF_OK) {
		tf_commit_stop(c);
		return rc;
	}
	c->started = true;
	*out = c;
	return TF_OK;
}

void
tf_commit_stop(struct tf_committer *c)
{
	if (c == NULL)
		return;
	if (c->started) {
		pthread_mutex_lock(&c->mu);
		c->quit = true;
		pthread_cond_signal(&c->more);
		pthread_mutex_unlock(&c->mu);
		(void)pthread_join(c->thread, NULL);
	}
	tf_db_close(c->db);
	tf_buf_free(&c->txn.path);
	tf_buf_free(&c->txn.body);
	free(c->txn.touched);
	(void)pthread_cond_destroy(&c->more);
	(void)pthread_mutex_destroy(&c->mu);
	free(c->tree);
	free(c);
}
