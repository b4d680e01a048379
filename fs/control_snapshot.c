/*
 * Snapshots: promised, made and open ones, and which of them stay in memory.
 *
 * A promise is PROMISED, or BEGUN while a thread makes its content.  The
 * content is made without the mutex, in a new snapshot outside the list; enter
 * puts that snapshot, MADE, into the list in place of the promise.  If another
 * thread was faster, enter returns the snapshot of that thread.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "control_snapshot.h"
#include "core/package.h"
#include "worker.h"

/* One edition of a file. */
struct fs_snapshot {
	struct fs_snapshot *next; /* newest first; guarded by fs_snapshots.mu */
	unsigned opens;		  /* guarded by fs_snapshots.mu */
	enum { PROMISED, BEGUN, MADE } state; /* guarded by fs_snapshots.mu */
	uint64_t head; /* ledger entries when begun; guarded until MADE */
	uint64_t ino;  /* this and the fields below never change once MADE */
	struct fs_source from;
	bool told;  /* its size is known without an open; guarded as opens */
	bool stays; /* may stay after its last close */
	uint32_t *groups; /* owned; those of from.asker */
	/* Empty until it is made. */
	struct tf_buf text;	/* by render */
	struct tf_spool *spool; /* by write, or a package */
	uint64_t mark, size;
};

#define STAY_MAX 64	      /* snapshots that nobody has open */
#define STAY_BYTES (1u << 20) /* their memory */
#define STAY_PACKAGES 4 /* packages among them, on the disk of the store */

struct fs_snapshots {
	struct tf_vault *vault;
	struct fs_saves *saves;
	const atomic_bool *stop;
	pthread_mutex_t mu;
	struct fs_snapshot *all; /* guarded by mu */
	uint64_t editions;	 /* number of the last; guarded by mu */
};

static void
snapshot_free(struct fs_snapshot *s)
{
	if (s == NULL)
		return;
	tf_buf_free(&s->text);
	tf_spool_free(s->spool);
	free(s->groups);
	free(s);
}

struct fs_snapshots *
fs_snapshots_new(struct tf_vault *v, struct fs_saves *saves,
    const atomic_bool *stop)
{
	struct fs_snapshots *ss = calloc(1, sizeof *ss);

	if (ss == NULL)
		return NULL;
	ss->vault = v;
	ss->saves = saves;
	ss->stop = stop;
	pthread_mutex_init(&ss->mu, NULL);
	return ss;
}

void
fs_snapshots_free(struct fs_snapshots *ss)
{
	struct fs_snapshot *s;

	if (ss == NULL)
		return;
	while ((s = ss->all) != NULL) {
		ss->all = s->next;
		snapshot_free(s);
	}
	pthread_mutex_destroy(&ss->mu);
	free(ss);
}

/* Copy the groups of the asker. */
static enum tf_code
keep_asker(struct fs_snapshot *s, struct tf_error *err)
{
	struct tf_asker *asker = &s->from.asker;

	if (asker->n_groups == 0)
		return TF_OK;
	s->groups = calloc(asker->n_groups, sizeof *s->groups);
	if (s->groups == NULL)
		return tf_nomem(err);
	memcpy(s->groups, asker->groups, asker->n_groups * sizeof *s->groups);
	asker->groups = s->groups;
	return TF_OK;
}

static bool
is_package(const struct fs_snapshot *s)
{
	return s->from.row != NULL && s->from.row->package;
}

/* A sink that fails when the request was given up. */
static enum tf_code
pass_on(void *arg, const void *p, size_t n, struct tf_error *err)
{
	const struct tf_sink *to = arg;

	if (fs_worker_given_up())
		return tf_fail(err, TF_INTERRUPTED, "given up");
	return to->put(to->arg, p, n, err);
}

/* Write the file of a row, or of a tree that has write_for. */
static enum tf_code
write_file(struct tf_vault *v, struct fs_snapshot *s, struct tf_error *err)
{
	struct tf_view *w = NULL;
	const struct fs_tree *t = s->from.tree;
	struct tf_sink sink = { .put = pass_on };
	enum tf_code rc = tf_spool_new(v, &s->spool, err);

	if (rc == TF_OK)
		rc = t != NULL && t->view != NULL ?
		    t->view(v, s->ino, &s->from.asker, &w, err) :
		    tf_view_open(v, &s->from.asker, &w, err);
	if (rc == TF_OK) {
		sink.arg = (void *)tf_spool_sink(s->spool);
		rc = s->from.row != NULL ?
		    s->from.row->write(w, fs_row_owner(s->ino), &sink, err) :
		    t->write_for(w, s->ino, &sink, err);
	}
	if (rc == TF_OK)
		tf_spool_done(s->spool);
	tf_view_close(w);
	return rc;
}

/* The content of a file of a tree. */
static enum tf_code
make_in_tree(struct tf_vault *v, struct fs_snapshot *s, struct tf_error *err)
{
	const struct fs_tree *t = s->from.tree;

	if (t->render_for != NULL)
		return t->render_for(v, s->ino, &s->from.asker, &s->text, err);
	return t->write_for != NULL ? write_file(v, s, err) :
				      t->render(v, s->ino, &s->text, err);
}

/* A promised snapshot of file ino, not in the list. */
static enum tf_code
snapshot_new(uint64_t ino, const struct fs_source *from,
    struct fs_snapshot **out, struct tf_error *err)
{
	struct fs_snapshot *s = calloc(1, sizeof *s);
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	s->ino = ino;
	s->from = *from;
	/* A page of evidence goes with its last close: the evidence may be
	 * redacted. */
	s->stays = from->row != NULL ? from->row->ledger :
				       from->tree->write_for == NULL;
	if ((rc = keep_asker(s, err)) != TF_OK) {
		snapshot_free(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

/* Make the content of s, which is not in the list. */
static enum tf_code
make(struct fs_snapshots *ss, struct fs_snapshot *s, uint64_t head,
    struct tf_error *err)
{
	const struct fs_row *row = s->from.row;
	const atomic_bool *stop = fs_worker_flag();
	uint64_t dir = fs_row_owner(s->ino);
	struct tf_vault *v = ss->vault;
	enum tf_code rc = TF_OK;

	s->head = head;
	if (row == NULL)
		rc = make_in_tree(v, s, err);
	else if (row->render != NULL)
		rc = row->render(v, dir, &s->from.asker, &s->text, err);
	else if (row->last_error)
		fs_saves_last_error(ss->saves, dir, &s->from.asker, &s->text);
	else if (row->size != NULL && tf_asker_may_all(&s->from.asker))
		rc = row->size(v, dir, &s->mark, &s->size, err);
	else if (row->write != NULL)
		rc = write_file(v, s, err);
	else
		rc = tf_package_spool(v, dir, &s->from.asker,
		    stop != NULL ? stop : ss->stop, &s->spool, err);
	if (rc == TF_OK && s->text.failed)
		rc = tf_nomem(err);
	if (rc == TF_BUSY && fs_worker_given_up())
		rc = tf_fail(err, TF_INTERRUPTED, "given up");
	if (rc != TF_OK)
		return rc;
	if (s->spool != NULL)
		s->size = tf_spool_size(s->spool);
	else if (row == NULL || row->render != NULL || row->last_error)
		s->size = s->text.n;
	s->state = MADE;
	return TF_OK;
}

/* Remove s from the list.  mu is held. */
static void
unlink_snapshot(struct fs_snapshots *ss, const struct fs_snapshot *s)
{
	struct fs_snapshot **at = &ss->all;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

static size_t
memory_of(const struct fs_snapshot *s)
{
	return s->text.n +
	    (s->spool != NULL ? tf_spool_in_memory(s->spool) : 0);
}

/* Free the snapshots that nobody has open, except the newest and `but`.  mu is
 * held. */
static void
trim(struct fs_snapshots *ss, const struct fs_snapshot *but)
{
	struct fs_snapshot **at = &ss->all, *s;
	size_t n = 0, bytes = 0, packages = 0;

	while ((s = *at) != NULL) {
		if (s->opens == 0) {
			n++;
			bytes += memory_of(s);
			packages += is_package(s) && s->state == MADE;
		}
		if (s->opens == 0 && s != but &&
		    ((!s->stays && !s->told && s->state == MADE) ||
			n > STAY_MAX || bytes > STAY_BYTES ||
			packages > STAY_PACKAGES)) {
			*at = s->next;
			snapshot_free(s);
		} else {
			at = &s->next;
		}
	}
}

/* The snapshot of edition ino for askers with these rights, made or not, or
 * NULL.  mu is held. */
static struct fs_snapshot *
find(const struct fs_snapshots *ss, uint64_t ino, const struct tf_asker *asker)
{
	struct fs_snapshot *s = ss->all;

	while (s != NULL &&
	    (s->ino != ino || !tf_asker_same(&s->from.asker, asker)))
		s = s->next;
	return s;
}

/* Is there a snapshot of edition ino, for any asker?  mu is held. */
static bool
is_used(const struct fs_snapshots *ss, uint64_t ino)
{
	const struct fs_snapshot *s = ss->all;

	while (s != NULL && s->ino != ino)
		s = s->next;
	return s != NULL;
}

/* The edition of file `base` that shows the present state, or NULL: one that
 * is only promised, or one that was made at this size of the ledger.  mu is
 * held. */
static struct fs_snapshot *
find_current(const struct fs_snapshots *ss, uint64_t base,
    const struct fs_source *from, uint64_t head)
{
	struct fs_snapshot *s;

	for (s = ss->all; s != NULL; s = s->next)
		if (fs_row_base(s->ino) == base && s->ino != base &&
		    tf_asker_same(&s->from.asker, &from->asker) &&
		    (s->state == PROMISED || (s->stays && s->head == head)))
			return s;
	return NULL;
}

enum tf_code
fs_snapshot_promise(struct fs_snapshots *ss, uint64_t base,
    const struct fs_source *from, uint64_t *ino, uint64_t *size,
    struct tf_error *err)
{
	struct fs_snapshot *s, *mine = NULL;
	uint64_t head, bytes;
	enum tf_code rc;

	if ((rc = tf_vault_size(ss->vault, &head, &bytes, err)) != TF_OK ||
	    (rc = snapshot_new(base, from, &mine, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&ss->mu);
	if ((s = find_current(ss, base, from, head)) == NULL) {
		do
			mine->ino = base |
			    (++ss->editions << FS_NODE_BITS & FS_EDITION_MASK);
		while (mine->ino == base || is_used(ss, mine->ino));
		mine->next = ss->all;
		ss->all = s = mine;
		mine = NULL;
	}
	*ino = s->ino;
	*size = s->size;
	trim(ss, s);
	pthread_mutex_unlock(&ss->mu);
	snapshot_free(mine);
	return TF_OK;
}

/* mu is held. */
static void
retire(struct fs_snapshot *s)
{
	s->head = UINT64_MAX;
	if (s->state == PROMISED)
		s->state = BEGUN;
}

void
fs_snapshots_retire(struct fs_snapshots *ss, uint64_t ino,
    const struct fs_source *from)
{
	struct fs_snapshot *s;

	pthread_mutex_lock(&ss->mu);
	s = find(ss, ino, &from->asker);
	if (s != NULL)
		retire(s);
	pthread_mutex_unlock(&ss->mu);
}

void
fs_snapshots_retire_all(struct fs_snapshots *ss, uint64_t ino)
{
	struct fs_snapshot *s;

	pthread_mutex_lock(&ss->mu);
	for (s = ss->all; s != NULL; s = s->next)
		if (s->ino == ino)
			retire(s);
	pthread_mutex_unlock(&ss->mu);
}

/* Mark the edition as being made, so that a LOOKUP promises another one once
 * the ledger has grown. */
static void
begin(struct fs_snapshots *ss, uint64_t ino, const struct fs_source *from,
    uint64_t head)
{
	struct fs_snapshot *s;

	pthread_mutex_lock(&ss->mu);
	s = find(ss, ino, &from->asker);
	if (s != NULL && s->state == PROMISED) {
		s->state = BEGUN;
		s->head = head;
	}
	pthread_mutex_unlock(&ss->mu);
}

/* Open the edition once more if it is made.  NULL: it is not. */
static struct fs_snapshot *
reopen(struct fs_snapshots *ss, uint64_t ino, const struct fs_source *from)
{
	struct fs_snapshot *s;

	pthread_mutex_lock(&ss->mu);
	s = find(ss, ino, &from->asker);
	if (s != NULL && s->state != MADE)
		s = NULL;
	if (s != NULL)
		s->opens++;
	pthread_mutex_unlock(&ss->mu);
	return s;
}

/* Put s, which is made, into the list, open once; it replaces the promise.  If
 * another thread made the edition meanwhile, s is freed and its snapshot is
 * returned. */
static struct fs_snapshot *
enter(struct fs_snapshots *ss, struct fs_snapshot *s)
{
	struct fs_snapshot *old;

	pthread_mutex_lock(&ss->mu);
	old = find(ss, s->ino, &s->from.asker);
	if (old != NULL && old->state != MADE) {
		unlink_snapshot(ss, old);
		snapshot_free(old);
		old = NULL;
	}
	if (old != NULL) {
		old->opens++;
	} else {
		s->opens = 1;
		s->next = ss->all;
		ss->all = s;
	}
	pthread_mutex_unlock(&ss->mu);
	if (old != NULL)
		snapshot_free(s);
	return old != NULL ? old : s;
}

enum tf_code
fs_snapshot_get(struct fs_snapshots *ss, uint64_t ino,
    const struct fs_source *from, struct fs_snapshot **out,
    struct tf_error *err)
{
	struct fs_snapshot *mine = NULL;
	uint64_t head, bytes;
	enum tf_code rc;

	if ((*out = reopen(ss, ino, from)) != NULL)
		return TF_OK;
	if ((rc = tf_vault_size(ss->vault, &head, &bytes, err)) != TF_OK ||
	    (rc = snapshot_new(ino, from, &mine, err)) != TF_OK)
		return rc;
	begin(ss, ino, from, head);
	if ((rc = make(ss, mine, head, err)) != TF_OK) {
		snapshot_free(mine);
		return rc;
	}
	*out = enter(ss, mine);
	return TF_OK;
}

void
fs_snapshot_tell(struct fs_snapshots *ss, struct fs_snapshot *s)
{
	pthread_mutex_lock(&ss->mu);
	s->told = true;
	pthread_mutex_unlock(&ss->mu);
}

void
fs_snapshot_close(struct fs_snapshots *ss, struct fs_snapshot *s)
{
	pthread_mutex_lock(&ss->mu);
	if (--s->opens == 0)
		trim(ss, NULL);
	pthread_mutex_unlock(&ss->mu);
}

bool
fs_snapshots_drop_packages(struct fs_snapshots *ss)
{
	struct fs_snapshot **at, *s;
	uint64_t head, bytes;
	bool known = tf_vault_size(ss->vault, &head, &bytes, NULL) == TF_OK;
	bool left = false;

	pthread_mutex_lock(&ss->mu);
	for (at = &ss->all; (s = *at) != NULL;) {
		if (known && is_package(s) && s->opens == 0 &&
		    s->state == MADE && s->head != head) {
			*at = s->next;
			snapshot_free(s);
			continue;
		}
		left |= is_package(s) && s->state == MADE;
		at = &s->next;
	}
	pthread_mutex_unlock(&ss->mu);
	return left;
}

bool
fs_snapshot_is_ready(struct fs_snapshots *ss, uint64_t ino,
    const struct tf_asker *asker)
{
	const struct fs_snapshot *s;
	bool ready;

	pthread_mutex_lock(&ss->mu);
	s = find(ss, ino, asker);
	ready = s != NULL && s->state == MADE;
	pthread_mutex_unlock(&ss->mu);
	return ready;
}

uint64_t
fs_snapshot_size(const struct fs_snapshot *s)
{
	return s->size;
}

const struct tf_buf *
fs_snapshot_text(const struct fs_snapshot *s)
{
	return &s->text;
}

enum tf_code
fs_snapshot_read(struct fs_snapshots *ss, const struct fs_snapshot *s, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err)
{
	*got = 0;
	if (off >= s->size)
		return TF_OK;
	if (n > s->size - off)
		n = (size_t)(s->size - off);
	if (s->spool != NULL)
		return tf_spool_read(s->spool, p, n, off, got, err);
	if (s->from.row != NULL && s->from.row->read != NULL)
		return s->from.row->read(ss->vault, fs_row_owner(s->ino),
		    s->mark, p, n, off, got, err);
	memcpy(p, s->text.p + off, n);
	*got = n;
	return TF_OK;
}
