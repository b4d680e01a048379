/*
 * Control files.  A new one is a function and a row; a directory is a tree.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "control_tree.h"
#include "core/control.h"
#include "core/package.h"
#include "core/page.h"
#include "fs.h"
#include "worker.h"

#define AT(kind) (1u << (kind))
#define BELOW_ROOT \
	(AT(TF_KIND_TRAIL) | AT(TF_KIND_WORKFLOW) | AT(TF_KIND_ATTESTATION))

static enum tf_code
checkpoint(struct tf_vault *v, uint64_t dir, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	(void)who;
	(void)dir;
	return tf_vault_checkpoint(v, out, err);
}

static enum tf_code
vkey(struct tf_vault *v, uint64_t dir, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	(void)who;
	(void)dir;
	return tf_vault_vkey(v, out, err);
}

static enum tf_code
pem(struct tf_vault *v, uint64_t dir, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	(void)who;
	(void)dir;
	return tf_vault_pem(v, out, err);
}

static enum tf_code
status(struct tf_vault *v, uint64_t dir, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_status(v, who, out, err);
}

static enum tf_code
denied(struct tf_vault *v, uint64_t dir, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_denials(v, who, out, err);
}

static enum tf_code
events_size(struct tf_vault *v, uint64_t dir, uint64_t *mark, uint64_t *size,
    struct tf_error *err)
{
	(void)dir;
	return tf_vault_size(v, mark, size, err);
}

static enum tf_code
events_read(struct tf_vault *v, uint64_t dir, uint64_t mark, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err)
{
	(void)dir;
	return tf_vault_events(v, mark, off, p, n, got, err);
}

static enum tf_code
attestation_proof(struct tf_vault *v, uint64_t dir, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_view *w = NULL;
	enum tf_code rc = tf_view_open(v, who, &w, err);

	/* The entry of a seal has digests of all the evidence. */
	if (rc == TF_OK)
		rc = tf_view_check_whole(w, dir, err);
	tf_view_close(w);
	return rc == TF_OK ? tf_vault_prove(v, dir, out, err) : rc;
}

static enum tf_code
page(struct tf_view *w, uint64_t dir, const struct tf_sink *out,
    struct tf_error *err)
{
	return tf_view_page(w, dir, NULL, out, err);
}

/*
 * One of these makes a file: render makes it whole, being short; write gives it
 * piece by piece; or, for who may read all, it is read in ranges: size tells
 * its size and a mark, and read gives parts of the file as it was at that mark.
 *  Or it is a package, or the topmost directory of a tree.  What a file shows
 * depends on who asks, unless it is the same for all.  The number of a row is
 * in node ids: new rows at the end.
 */
static const struct row {
	const char *name;
	unsigned levels; /* AT(kind) of directories that have it */
	unsigned mode;	 /* less what the directory's mode lacks */
	enum tf_code (*render)(struct tf_vault *v, uint64_t dir,
	    const struct tf_asker *who, struct tf_buf *out,
	    struct tf_error *err);
	enum tf_code (*write)(struct tf_view *w, uint64_t dir,
	    const struct tf_sink *out, struct tf_error *err);
	enum tf_code (*size)(struct tf_vault *v, uint64_t dir, uint64_t *mark,
	    uint64_t *size, struct tf_error *err);
	enum tf_code (*read)(struct tf_vault *v, uint64_t dir, uint64_t mark,
	    void *p, size_t n, uint64_t off, size_t *got, struct tf_error *err);
	const struct fs_tree *tree;
	bool package;
	bool same;   /* for all who may open it */
	bool sealed; /* only when the directory is sealed */
	bool seals;  /* a directory that is closed is sealed for it */
	bool ledger; /* the ledger's entries alone decide what it holds */
} rows[] = {
	{ TF_CONTROL_CHECKPOINT, AT(TF_KIND_ROOT), 0444, .render = checkpoint,
	    .same = true },
	{ TF_CONTROL_VKEY, AT(TF_KIND_ROOT), 0444, .render = vkey,
	    .same = true },
	{ TF_CONTROL_PEM, AT(TF_KIND_ROOT), 0444, .render = pem, .same = true },
	{ TF_CONTROL_STATUS, AT(TF_KIND_ROOT), 0440, .render = status },
	{ TF_CONTROL_EVENTS, AT(TF_KIND_ROOT), 0440, .size = events_size,
	    .read = events_read, .write = tf_view_events },
	/* Each user's own attempts. */
	{ TF_CONTROL_DENIED, AT(TF_KIND_ROOT), 0444, .render = denied },
	{ TF_CONTROL_TILE, AT(TF_KIND_ROOT), .tree = &fs_tile_tree },
	{ TF_CONTROL_PROOF, AT(TF_KIND_ATTESTATION), .tree = &fs_proof_tree,
	    .seals = true },
	{ TF_CONTROL_SEAL_PROOF, AT(TF_KIND_ATTESTATION), 0440,
	    .render = attestation_proof, .sealed = true, .seals = true,
	    .ledger = true },
	{ TF_CONTROL_EVENTS, BELOW_ROOT, 0440, .write = tf_view_events,
	    .ledger = true },
	{ TF_CONTROL_ATTESTATION, AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_attestation, .seals = true },
	{ TF_CONTROL_SUMS, AT(TF_KIND_ATTESTATION), 0440, .write = tf_view_sums,
	    .seals = true, .ledger = true },
	{ TF_CONTROL_INTOTO, AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_intoto, .sealed = true, .seals = true,
	    .ledger = true },
	{ TF_CONTROL_SIGSTORE, AT(TF_KIND_ATTESTATION), 0440,
	    .write = tf_view_sigstore, .sealed = true, .seals = true,
	    .ledger = true },
	{ TF_CONTROL_WORD, AT(TF_KIND_WORKFLOW), 0444,
	    .write = tf_view_status_word, .same = true, .seals = true,
	    .ledger = true },
	{ TF_CONTROL_STATUS, AT(TF_KIND_TRAIL) | AT(TF_KIND_WORKFLOW), 0440,
	    .write = tf_view_status, .seals = true, .ledger = true },
	{ TF_CONTROL_STATUS_MD, AT(TF_KIND_WORKFLOW), 0440,
	    .write = tf_view_status_md, .seals = true, .ledger = true },
	{ TF_CONTROL_PAGE,
	    AT(TF_KIND_ROOT) | AT(TF_KIND_TRAIL) | AT(TF_KIND_WORKFLOW), 0440,
	    .write = page, .ledger = true },
	/* All the evidence, which may be others' business. */
	{ TF_CONTROL_PACKAGE, BELOW_ROOT, 0400, .package = true, .seals = true,
	    .ledger = true },
};
#define ROWS (sizeof rows / sizeof rows[0])
_Static_assert(FS_KIND_ROW + ROWS - 1 <= FS_KIND_ROW_LAST, "kinds of rows");

/* What a file's content is made by: exactly one is not NULL. */
struct source {
	const struct row *row;
	const struct fs_tree *tree;
	uint32_t owner; /* of a row's directory */
	/* Who asks; his groups are kept by the caller, or by the snapshot.
	 * Nobody where all see the same. */
	struct tf_asker who;
};

/*
 * What an edition of a file holds.  A LOOKUP promises it, a GETATTR or OPEN
 * makes it.  It stays a while after its last close, as long as the ledger has
 * not grown: tools look a file up, ask for its size and open it.
 */
struct fs_snapshot {
	struct fs_snapshot *next; /* newest first; guarded by fs_control.mu */
	unsigned opens;		  /* guarded by fs_control.mu */
	enum { PROMISED, BEGUN, MADE } state; /* guarded by fs_control.mu */
	uint64_t head; /* entries of the ledger then; likewise until MADE */
	uint64_t ino;  /* this and what follows never change */
	struct source from;
	bool stays;
	uint32_t *groups; /* of from.who */
	/* Until it is made these are empty. */
	struct tf_buf text;	/* of render */
	struct tf_spool *spool; /* of write, of a package */
	uint64_t mark, size;
};

#define STAY_MAX 64	      /* snapshots nobody has open */
#define STAY_BYTES (1u << 20) /* and what they take of memory */
#define STAY_PACKAGES 4	      /* of the store's disk */

struct fs_control {
	struct tf_vault *vault;
	const atomic_bool *stop;
	struct fs_walks *walks;
	pthread_mutex_t mu;
	struct fs_snapshot *all; /* guarded by mu */
	uint64_t editions;	 /* so far; guarded by mu */
};

static void snapshot_free(struct fs_snapshot *s);

struct fs_control *
fs_control_new(struct tf_vault *v, const atomic_bool *stop)
{
	struct fs_control *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	if ((c->walks = fs_walks_new()) == NULL) {
		free(c);
		return NULL;
	}
	c->vault = v;
	c->stop = stop;
	pthread_mutex_init(&c->mu, NULL);
	return c;
}

void
fs_control_free(struct fs_control *c)
{
	struct fs_snapshot *s;

	if (c == NULL)
		return;
	while ((s = c->all) != NULL) {
		c->all = s->next;
		snapshot_free(s);
	}
	pthread_mutex_destroy(&c->mu);
	fs_walks_free(c->walks);
	free(c);
}

bool
fs_control_is(uint64_t ino)
{
	return fs_control_kind(ino) != 0;
}

/* The tree that ino is in, or NULL. */
static const struct fs_tree *
tree_of(uint64_t ino)
{
	unsigned kind = fs_control_kind(ino);
	const struct fs_tree *t;

	for (unsigned r = 0; r < ROWS; r++) {
		t = rows[r].tree;
		if (t != NULL && kind >= t->first && kind <= t->last)
			return t;
	}
	return NULL;
}

bool
fs_control_is_final(uint64_t ino)
{
	const struct fs_tree *t = tree_of(ino);

	return t != NULL && t->final && !t->is_dir(ino);
}

static bool
is_dir(uint64_t ino)
{
	const struct fs_tree *t = tree_of(ino);

	return t != NULL ? t->is_dir(ino) : fs_control_kind(ino) == FS_KIND_DIR;
}

/* The directory of the vault that .trailfs or file ino, a row, belongs to. */
static uint64_t
owner_of(uint64_t ino)
{
	return ino & FS_NODE_MASK;
}

/* Does file ino come in editions? */
static bool
has_editions(uint64_t ino)
{
	return !is_dir(ino) && !fs_control_is_final(ino);
}

/* Node ino without its edition: what stat(2) shows, and what names lead to. */
static uint64_t
base_of(uint64_t ino)
{
	return has_editions(ino) ? ino & ~FS_EDITION_MASK : ino;
}

static bool
has_row(const struct tf_attr *dir, const struct row *row)
{
	return (row->levels & AT(dir->kind)) != 0 &&
	    (!row->sealed || dir->state == TF_STATE_SEALED);
}

static uint64_t
row_id(unsigned r, uint64_t dir)
{
	return rows[r].tree != NULL ? rows[r].tree->top(dir) :
				      fs_control_id(FS_KIND_ROW + r, dir);
}

/* The row of file ino in directory dir.  TF_NOTFOUND. */
static enum tf_code
row_of(uint64_t ino, const struct tf_attr *dir, const struct row **out,
    struct tf_error *err)
{
	unsigned r = fs_control_kind(ino) - FS_KIND_ROW;

	if (r >= ROWS || rows[r].tree != NULL || !has_row(dir, &rows[r]))
		return tf_fail(err, TF_NOTFOUND, "no such control file");
	*out = &rows[r];
	return TF_OK;
}

/* --- snapshots ---------------------------------------------------------- */

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

/* Keep who asked. */
static enum tf_code
keep_asker(struct fs_snapshot *s, struct tf_error *err)
{
	struct tf_asker *who = &s->from.who;

	if (who->n_groups == 0)
		return TF_OK;
	s->groups = calloc(who->n_groups, sizeof *s->groups);
	if (s->groups == NULL)
		return tf_nomem(err);
	memcpy(s->groups, who->groups, who->n_groups * sizeof *s->groups);
	who->groups = s->groups;
	return TF_OK;
}

static bool
is_package(const struct fs_snapshot *s)
{
	return s->from.row != NULL && s->from.row->package;
}

/* A sink that fails when nobody wants the file any more. */
static enum tf_code
pass_on(void *arg, const void *p, size_t n, struct tf_error *err)
{
	const struct tf_sink *to = arg;

	if (fs_worker_given_up())
		return tf_fail(err, TF_INTERRUPTED, "given up");
	return to->put(to->arg, p, n, err);
}

static enum tf_code
write_row(struct tf_vault *v, struct fs_snapshot *s, struct tf_error *err)
{
	struct tf_view *w = NULL;
	struct tf_sink sink = { .put = pass_on };
	enum tf_code rc = tf_spool_new(v, &s->spool, err);

	if (rc == TF_OK)
		rc = tf_view_open(v, &s->from.who, &w, err);
	if (rc == TF_OK) {
		sink.arg = (void *)tf_spool_sink(s->spool);
		rc = s->from.row->write(w, owner_of(s->ino), &sink, err);
	}
	if (rc == TF_OK)
		tf_spool_done(s->spool);
	tf_view_close(w);
	return rc;
}

/* A promise of file ino. */
static enum tf_code
snapshot_new(uint64_t ino, const struct source *from, struct fs_snapshot **out,
    struct tf_error *err)
{
	struct fs_snapshot *s = calloc(1, sizeof *s);
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	s->ino = ino;
	s->from = *from;
	s->stays = from->row == NULL || from->row->ledger;
	if ((rc = keep_asker(s, err)) != TF_OK) {
		snapshot_free(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

/* Make its content; s is not in the list. */
static enum tf_code
make(struct fs_control *c, struct fs_snapshot *s, uint64_t head,
    struct tf_error *err)
{
	const struct row *row = s->from.row;
	const atomic_bool *stop = fs_worker_flag();
	uint64_t dir = owner_of(s->ino);
	struct tf_vault *v = c->vault;
	enum tf_code rc;

	s->head = head;
	if (row == NULL)
		rc = s->from.tree->render(v, s->ino, &s->text, err);
	else if (row->render != NULL)
		rc = row->render(v, dir, &s->from.who, &s->text, err);
	else if (row->size != NULL && tf_asker_may_all(&s->from.who))
		rc = row->size(v, dir, &s->mark, &s->size, err);
	else if (row->write != NULL)
		rc = write_row(v, s, err);
	else
		rc = tf_package_spool(v, dir, &s->from.who,
		    stop != NULL ? stop : c->stop, &s->spool, err);
	if (rc == TF_OK && s->text.failed)
		rc = tf_nomem(err);
	if (rc == TF_BUSY && fs_worker_given_up())
		rc = tf_fail(err, TF_INTERRUPTED, "given up");
	if (rc != TF_OK)
		return rc;
	if (s->spool != NULL)
		s->size = tf_spool_size(s->spool);
	else if (row == NULL || row->render != NULL)
		s->size = s->text.n;
	s->state = MADE;
	return TF_OK;
}

/* Take s, which is in the list, out of it; mu is held. */
static void
unlink_snapshot(struct fs_control *c, const struct fs_snapshot *s)
{
	struct fs_snapshot **at = &c->all;

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

/* Of those that nobody has open only the newest stay, and `but`; mu is held. */
static void
trim(struct fs_control *c, const struct fs_snapshot *but)
{
	struct fs_snapshot **at = &c->all, *s;
	size_t n = 0, bytes = 0, packages = 0;

	while ((s = *at) != NULL) {
		if (s->opens == 0) {
			n++;
			bytes += memory_of(s);
			packages += is_package(s) && s->state == MADE;
		}
		if (s->opens == 0 && s != but &&
		    ((!s->stays && s->state == MADE) || n > STAY_MAX ||
			bytes > STAY_BYTES || packages > STAY_PACKAGES)) {
			*at = s->next;
			snapshot_free(s);
		} else {
			at = &s->next;
		}
	}
}

/* The snapshot of edition ino, made or not, that shows what who may see, or
 * NULL; mu is held. */
static struct fs_snapshot *
find(const struct fs_control *c, uint64_t ino, const struct tf_asker *who)
{
	struct fs_snapshot *s = c->all;

	while (s != NULL &&
	    (s->ino != ino || !tf_asker_same(&s->from.who, who)))
		s = s->next;
	return s;
}

/* Is there any snapshot of edition ino?  mu is held. */
static bool
is_used(const struct fs_control *c, uint64_t ino)
{
	const struct fs_snapshot *s = c->all;

	while (s != NULL && s->ino != ino)
		s = s->next;
	return s != NULL;
}

/* The edition of file `base` that shows what is so now, or NULL: one that
 * nobody began to make yet, or one that the ledger has not outgrown.  mu is
 * held. */
static struct fs_snapshot *
find_current(const struct fs_control *c, uint64_t base,
    const struct source *from, uint64_t head)
{
	struct fs_snapshot *s;

	for (s = c->all; s != NULL; s = s->next)
		if (base_of(s->ino) == base && s->ino != base &&
		    tf_asker_same(&s->from.who, &from->who) &&
		    (s->state == PROMISED || (s->stays && s->head == head)))
			return s;
	return NULL;
}

/* Promise an edition of file `base` as it is now: its number and, if it is made
 * already, its size. */
static enum tf_code
promise(struct fs_control *c, uint64_t base, const struct source *from,
    uint64_t *ino, uint64_t *size, struct tf_error *err)
{
	struct fs_snapshot *s, *mine = NULL;
	uint64_t head, bytes;
	enum tf_code rc;

	if ((rc = tf_vault_size(c->vault, &head, &bytes, err)) != TF_OK ||
	    (rc = snapshot_new(base, from, &mine, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&c->mu);
	if ((s = find_current(c, base, from, head)) == NULL) {
		do
			mine->ino = base |
			    (++c->editions << FS_NODE_BITS & FS_EDITION_MASK);
		while (mine->ino == base || is_used(c, mine->ino));
		mine->next = c->all;
		c->all = s = mine;
		mine = NULL;
	}
	*ino = s->ino;
	*size = s->size;
	trim(c, s);
	pthread_mutex_unlock(&c->mu);
	snapshot_free(mine);
	return TF_OK;
}

/* Say that the edition is being made: a LOOKUP promises another when the ledger
 * has grown. */
static void
begin(struct fs_control *c, uint64_t ino, const struct source *from,
    uint64_t head)
{
	struct fs_snapshot *s;

	pthread_mutex_lock(&c->mu);
	s = find(c, ino, &from->who);
	if (s != NULL && s->state == PROMISED) {
		s->state = BEGUN;
		s->head = head;
	}
	pthread_mutex_unlock(&c->mu);
}

/* The edition, if it is made; now opened once more.  NULL: it is not. */
static struct fs_snapshot *
reopen(struct fs_control *c, uint64_t ino, const struct source *from)
{
	struct fs_snapshot *s;

	pthread_mutex_lock(&c->mu);
	s = find(c, ino, &from->who);
	if (s != NULL && s->state != MADE)
		s = NULL;
	if (s != NULL)
		s->opens++;
	pthread_mutex_unlock(&c->mu);
	return s;
}

/* Put s, which is made and now open, into the list.  What was promised goes;
 * what somebody else made meanwhile counts, and is returned. */
static struct fs_snapshot *
enter(struct fs_control *c, struct fs_snapshot *s)
{
	struct fs_snapshot *old;

	pthread_mutex_lock(&c->mu);
	old = find(c, s->ino, &s->from.who);
	if (old != NULL && old->state != MADE) {
		unlink_snapshot(c, old);
		snapshot_free(old);
		old = NULL;
	}
	if (old != NULL) {
		old->opens++;
	} else {
		s->opens = 1;
		s->next = c->all;
		c->all = s;
	}
	pthread_mutex_unlock(&c->mu);
	if (old != NULL)
		snapshot_free(s);
	return old != NULL ? old : s;
}

static enum tf_code
get_snapshot(struct fs_control *c, uint64_t ino, const struct source *from,
    struct fs_snapshot **out, struct tf_error *err)
{
	struct fs_snapshot *mine = NULL;
	uint64_t head, bytes;
	enum tf_code rc;

	if ((*out = reopen(c, ino, from)) != NULL)
		return TF_OK;
	if ((rc = tf_vault_size(c->vault, &head, &bytes, err)) != TF_OK ||
	    (rc = snapshot_new(ino, from, &mine, err)) != TF_OK)
		return rc;
	begin(c, ino, from, head);
	if ((rc = make(c, mine, head, err)) != TF_OK) {
		snapshot_free(mine);
		return rc;
	}
	*out = enter(c, mine);
	return TF_OK;
}

void
fs_control_close(struct fs_control *c, struct fs_snapshot *s)
{
	pthread_mutex_lock(&c->mu);
	if (--s->opens == 0)
		trim(c, NULL);
	pthread_mutex_unlock(&c->mu);
}

bool
fs_control_sweep(struct fs_control *c)
{
	struct fs_snapshot **at, *s;
	uint64_t head, bytes;
	bool known = tf_vault_size(c->vault, &head, &bytes, NULL) == TF_OK;
	bool left = false;

	pthread_mutex_lock(&c->mu);
	for (at = &c->all; (s = *at) != NULL;) {
		if (known && is_package(s) && s->opens == 0 &&
		    s->state == MADE && s->head != head) {
			*at = s->next;
			snapshot_free(s);
			continue;
		}
		left |= is_package(s) && s->state == MADE;
		at = &s->next;
	}
	pthread_mutex_unlock(&c->mu);
	return left;
}

/* Is it a package of which who is neither owner nor root? */
static bool
is_others_package(const struct source *from)
{
	return from->row != NULL && from->row->package &&
	    !tf_asker_may_all(&from->who) && from->who.uid != from->owner;
}

/* The size of edition ino into *st; 0 for who may not open it. */
static enum tf_code
size_of(struct fs_control *c, uint64_t ino, const struct source *from,
    struct stat *st, struct tf_error *err)
{
	struct fs_snapshot *s;
	enum tf_code rc;

	st->st_size = 0;
	if (is_others_package(from))
		return TF_OK;
	rc = get_snapshot(c, ino, from, &s, err);
	if (rc != TF_OK)
		return rc == TF_ACCESS ? TF_OK : rc;
	st->st_size = (off_t)s->size;
	fs_control_close(c, s);
	return TF_OK;
}

/* Whose eyes a row is for. */
static void
set_asker(struct source *from, struct fs_asker *who)
{
	if (!from->row->same)
		from->who = *fs_asker_get(who);
}

/* What makes file ino for who. */
static enum tf_code
source_of(struct fs_control *c, uint64_t ino, struct fs_asker *who,
    struct source *out, struct tf_error *err)
{
	struct tf_attr dir;
	struct stat st;
	enum tf_code rc;

	*out = (struct source){ .tree = tree_of(ino) };
	if (out->tree != NULL)
		return out->tree->stat(c->vault, ino, &st, err);
	rc = tf_vault_getattr(c->vault, owner_of(ino), &dir, err);
	if (rc != TF_OK)
		return rc;
	out->owner = dir.uid;
	if ((rc = row_of(ino, &dir, &out->row, err)) == TF_OK)
		set_asker(out, who);
	return rc;
}

/* Does it take long to make that, in a vault of any size? */
static bool
is_long(const struct source *from)
{
	const struct row *row = from->row;

	if (row == NULL || is_others_package(from) ||
	    (row->size != NULL && tf_asker_may_all(&from->who)))
		return false;
	return row->render == NULL || row->render == attestation_proof;
}

bool
fs_control_takes_long(struct fs_control *c, uint64_t ino, struct fs_asker *who)
{
	struct fs_snapshot *s;
	struct source from;
	bool ready;

	if (tree_of(ino) != NULL || is_dir(ino) ||
	    source_of(c, ino, who, &from, NULL) != TF_OK || !is_long(&from))
		return false;
	pthread_mutex_lock(&c->mu);
	s = find(c, ino, &from.who);
	ready = s != NULL && s->state == MADE;
	pthread_mutex_unlock(&c->mu);
	return !ready;
}

enum tf_code
fs_control_open(struct fs_control *c, uint64_t ino, struct fs_asker *who,
    struct fs_snapshot **out, struct tf_error *err)
{
	struct source from;
	enum tf_code rc = source_of(c, ino, who, &from, err);

	if (rc == TF_OK && is_others_package(&from))
		rc = tf_fail(err, TF_ACCESS, "only for owner and root");
	if (rc == TF_OK)
		rc = get_snapshot(c, ino, &from, out, err);
	if (rc == TF_OK && from.row != NULL && from.row->render == checkpoint)
		fs_walks_told(c->walks, who->caller, &(*out)->text);
	return rc;
}

enum tf_code
fs_control_read(struct fs_control *c, const struct fs_snapshot *s, void *p,
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
		return s->from.row->read(c->vault, owner_of(s->ino), s->mark, p,
		    n, off, got, err);
	memcpy(p, s->text.p + off, n);
	*got = n;
	return TF_OK;
}

/* --- names -------------------------------------------------------------- */

/* stat(2) of a .trailfs, or of a file that is a row, in directory dir. */
static enum tf_code
stat_row(uint64_t ino, const struct tf_attr *dir, struct fs_asker *who,
    struct source *from, struct stat *st, struct tf_error *err)
{
	enum tf_code rc;

	fs_attr_stat(dir, st);
	st->st_ino = ino;
	if (fs_control_kind(ino) == FS_KIND_DIR) {
		st->st_mode = S_IFDIR | (0555 & dir->mode);
		return TF_OK;
	}
	if ((rc = row_of(ino, dir, &from->row, err)) != TF_OK)
		return rc;
	from->owner = dir->uid;
	set_asker(from, who);
	st->st_mode = S_IFREG | (from->row->mode & dir->mode);
	st->st_nlink = 1;
	st->st_size = -1;
	return TF_OK;
}

enum tf_code
fs_control_stat(struct fs_control *c, uint64_t ino, struct fs_asker *who,
    uint64_t *edition, struct stat *st, struct tf_error *err)
{
	struct source from = { .tree = tree_of(ino) };
	uint64_t size = 0;
	struct tf_attr dir;
	enum tf_code rc;

	if (from.tree != NULL) {
		rc = from.tree->stat(c->vault, ino, st, err);
	} else {
		rc = tf_vault_getattr(c->vault, owner_of(ino), &dir, err);
		if (rc == TF_OK)
			rc = stat_row(ino, &dir, who, &from, st, err);
	}
	if (edition != NULL)
		*edition = ino;
	if (rc == TF_OK && edition != NULL && has_editions(ino)) {
		rc = promise(c, ino, &from, edition, &size, err);
		st->st_size = (off_t)size;
	} else if (rc == TF_OK && st->st_size < 0) {
		rc = size_of(c, ino, &from, st, err);
	}
	st->st_ino = base_of(ino);
	if (rc == TF_OK)
		st->st_blocks = (st->st_size + 511) / 512;
	return rc;
}

/* Which node is name in the .trailfs of dir? */
static enum tf_code
find_row(const struct tf_attr *dir, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	for (unsigned r = 0; r < ROWS; r++) {
		if (strcmp(rows[r].name, name) != 0 || !has_row(dir, &rows[r]))
			continue;
		*ino = row_id(r, dir->id);
		return TF_OK;
	}
	return tf_fail(err, TF_NOTFOUND, "no such control file");
}

/* Is name, in the .trailfs of dir, what only a seal makes whole? */
static bool
asks_for_seal(const struct tf_attr *dir, const char *name)
{
	for (unsigned r = 0; r < ROWS; r++)
		if (rows[r].seals && (rows[r].levels & AT(dir->kind)) != 0 &&
		    strcmp(rows[r].name, name) == 0)
			return true;
	return false;
}

/* The directory of which parent is the .trailfs; sealed, if it is closed and
 * somebody asks for what the seal makes. */
static enum tf_code
directory_of(struct fs_control *c, uint64_t parent, const char *name,
    struct tf_attr *dir, struct tf_error *err)
{
	enum tf_code rc = tf_vault_getattr(c->vault, owner_of(parent), dir,
	    err);

	if (rc != TF_OK || dir->state != TF_STATE_OPEN ||
	    !fs_control_is(parent) || !asks_for_seal(dir, name))
		return rc;
	if ((rc = tf_vault_finish(c->vault, dir->id, err)) != TF_OK)
		return rc;
	return tf_vault_getattr(c->vault, dir->id, dir, err);
}

enum tf_code
fs_control_lookup(struct fs_control *c, uint64_t parent, const char *name,
    uint64_t *ino, struct tf_error *err)
{
	const struct fs_tree *tree = tree_of(parent);
	struct tf_attr dir;
	enum tf_code rc;

	if (fs_control_is(parent) && !is_dir(parent))
		return tf_fail(err, TF_NOTDIR, "not a directory");
	if (tree != NULL)
		return tree->lookup(c->vault, parent, name, ino, err);
	rc = directory_of(c, parent, name, &dir, err);
	if (rc != TF_OK)
		return rc;
	if (dir.kind == TF_KIND_EVIDENCE)
		return tf_fail(err, TF_NOTDIR, "not a directory");
	*ino = fs_control_id(FS_KIND_DIR, dir.id);
	return fs_control_is(parent) ? find_row(&dir, name, ino, err) : TF_OK;
}

enum tf_code
fs_control_parent(struct fs_control *c, uint64_t ino, uint64_t *parent,
    struct tf_error *err)
{
	const struct fs_tree *tree = tree_of(ino);

	if (tree != NULL)
		return tree->parent(c->vault, ino, parent, err);
	*parent = owner_of(ino);
	if (fs_control_kind(ino) != FS_KIND_DIR)
		*parent = fs_control_id(FS_KIND_DIR, *parent);
	return TF_OK;
}

enum tf_code
fs_control_list(struct fs_control *c, uint64_t ino, uint64_t caller,
    uint64_t at, fs_control_add add, void *arg, struct tf_error *err)
{
	const struct fs_tree *tree = tree_of(ino);
	struct fs_names names = { at, caller, c->walks, add, arg };
	struct tf_attr dir;
	uint64_t id;
	enum tf_code rc;

	if (!is_dir(ino))
		return tf_fail(err, TF_NOTDIR, "not a directory");
	if (tree != NULL)
		return tree->list(c->vault, ino, &names, err);
	rc = tf_vault_getattr(c->vault, owner_of(ino), &dir, err);
	if (rc != TF_OK)
		return rc;
	/* The place of a name is its row. */
	for (uint64_t r = at; r < ROWS; r++) {
		if (!has_row(&dir, &rows[r]))
			continue;
		id = row_id((unsigned)r, dir.id);
		if (!add(arg, r, rows[r].name, id,
			is_dir(id) ? S_IFDIR : S_IFREG))
			return TF_OK;
	}
	return TF_OK;
}
