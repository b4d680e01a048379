/*
 * Control files.  A new one is a function and a row.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/control.h"
#include "control.h"
#include "ops.h"

#define ID_BITS 56
#define ID_MASK ((UINT64_C(1) << ID_BITS) - 1)
#define KIND_DIR 1 /* a .trailfs; row r of the table is r + KIND_ROW */
#define KIND_ROW 2

#define AT(kind) (1u << (kind))

static enum tf_code
checkpoint(struct tf_vault *v, uint64_t dir, struct tf_buf *out,
    struct tf_error *err)
{
	(void)dir;
	return tf_vault_checkpoint(v, out, err);
}

static enum tf_code
vkey(struct tf_vault *v, uint64_t dir, struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_vkey(v, out, err);
}

static enum tf_code
pem(struct tf_vault *v, uint64_t dir, struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	return tf_vault_pem(v, out, err);
}

static enum tf_code
status(struct tf_vault *v, uint64_t dir, struct tf_buf *out,
    struct tf_error *err)
{
	(void)dir;
	return tf_vault_status(v, out, err);
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

/*
 * Either render makes the whole file, or it is read in ranges: size tells its
 * size and a mark, and read gives parts of the file as it was at that mark.
 * The row number is in node ids: new rows at the end.
 */
static const struct row {
	const char *name;
	unsigned levels; /* AT(kind) of directories that have it */
	unsigned mode;	 /* less what the directory's mode lacks */
	enum tf_code (*render)(struct tf_vault *v, uint64_t dir,
	    struct tf_buf *out, struct tf_error *err);
	enum tf_code (*size)(struct tf_vault *v, uint64_t dir, uint64_t *mark,
	    uint64_t *size, struct tf_error *err);
	enum tf_code (*read)(struct tf_vault *v, uint64_t dir, uint64_t mark,
	    void *p, size_t n, uint64_t off, size_t *got, struct tf_error *err);
} rows[] = {
	{ TF_CONTROL_CHECKPOINT, AT(TF_KIND_ROOT), 0444, checkpoint, NULL,
	    NULL },
	{ TF_CONTROL_VKEY, AT(TF_KIND_ROOT), 0444, vkey, NULL, NULL },
	{ TF_CONTROL_PEM, AT(TF_KIND_ROOT), 0444, pem, NULL, NULL },
	{ TF_CONTROL_STATUS, AT(TF_KIND_ROOT), 0440, status, NULL, NULL },
	{ TF_CONTROL_EVENTS, AT(TF_KIND_ROOT), 0440, NULL, events_size,
	    events_read },
};
#define ROWS (sizeof rows / sizeof rows[0])

struct fs_snapshot {
	struct fs_snapshot *next; /* guarded by fs_control.mu */
	unsigned opens;		  /* guarded by fs_control.mu */
	uint64_t ino;		  /* this and what follows never change */
	const struct row *row;
	struct tf_buf text; /* of render */
	uint64_t mark, size;
};

struct fs_control {
	struct tf_vault *vault;
	pthread_mutex_t mu;
	struct fs_snapshot *open; /* guarded by mu */
};

struct fs_control *
fs_control_new(struct tf_vault *v)
{
	struct fs_control *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->vault = v;
	pthread_mutex_init(&c->mu, NULL);
	return c;
}

void
fs_control_free(struct fs_control *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->mu);
	free(c);
}

bool
fs_control_is(uint64_t ino)
{
	return ino >> ID_BITS != 0;
}

bool
fs_control_is_dir(uint64_t ino)
{
	return ino >> ID_BITS == KIND_DIR;
}

uint64_t
fs_control_owner(uint64_t ino)
{
	return ino & ID_MASK;
}

static uint64_t
make_id(uint64_t kind, uint64_t dir)
{
	return kind << ID_BITS | (dir & ID_MASK);
}

/* The row of file ino in a directory of that kind, or NULL. */
static const struct row *
row_of(uint64_t ino, enum tf_kind kind)
{
	uint64_t r = (ino >> ID_BITS) - KIND_ROW;

	if (r >= ROWS || (rows[r].levels & AT(kind)) == 0)
		return NULL;
	return &rows[r];
}

/* --- snapshots ---------------------------------------------------------- */

static void
snapshot_free(struct fs_snapshot *s)
{
	if (s == NULL)
		return;
	tf_buf_free(&s->text);
	free(s);
}

/* Make the content of file ino, a row. */
static enum tf_code
snapshot_new(struct tf_vault *v, uint64_t ino, const struct row *row,
    struct fs_snapshot **out, struct tf_error *err)
{
	uint64_t dir = fs_control_owner(ino);
	struct fs_snapshot *s = calloc(1, sizeof *s);
	enum tf_code rc;

	if (s == NULL)
		return tf_fail(err, TF_NOMEM, "make %s", row->name);
	s->ino = ino;
	s->row = row;
	if (row->render == NULL) {
		rc = row->size(v, dir, &s->mark, &s->size, err);
	} else {
		rc = row->render(v, dir, &s->text, err);
		s->size = s->text.n;
		if (rc == TF_OK && s->text.failed)
			rc = tf_fail(err, TF_NOMEM, "make %s", row->name);
	}
	if (rc != TF_OK) {
		snapshot_free(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

/* The open snapshot of ino, or NULL.  mu is held. */
static struct fs_snapshot *
find(struct fs_control *c, uint64_t ino)
{
	struct fs_snapshot *s;

	for (s = c->open; s != NULL; s = s->next)
		if (s->ino == ino)
			return s;
	return NULL;
}

static enum tf_code
size_of(struct fs_control *c, uint64_t ino, const struct row *row,
    uint64_t *size, struct tf_error *err)
{
	struct fs_snapshot *s;
	enum tf_code rc;

	pthread_mutex_lock(&c->mu);
	s = find(c, ino);
	if (s != NULL)
		*size = s->size;
	pthread_mutex_unlock(&c->mu);
	if (s != NULL)
		return TF_OK;
	if ((rc = snapshot_new(c->vault, ino, row, &s, err)) != TF_OK)
		return rc;
	*size = s->size;
	snapshot_free(s);
	return TF_OK;
}

enum tf_code
fs_control_open(struct fs_control *c, uint64_t ino, struct fs_snapshot **out,
    struct tf_error *err)
{
	struct fs_snapshot *s, *mine = NULL;
	struct tf_attr dir;
	const struct row *row;
	enum tf_code rc;

	rc = tf_vault_getattr(c->vault, fs_control_owner(ino), &dir, err);
	if (rc != TF_OK)
		return rc;
	if ((row = row_of(ino, dir.kind)) == NULL)
		return tf_fail(err, TF_NOTFOUND, "no such control file");

	pthread_mutex_lock(&c->mu);
	if ((s = find(c, ino)) == NULL) {
		pthread_mutex_unlock(&c->mu);
		rc = snapshot_new(c->vault, ino, row, &mine, err);
		if (rc != TF_OK)
			return rc;
		pthread_mutex_lock(&c->mu);
		/* Somebody else may have been faster: theirs counts. */
		if ((s = find(c, ino)) == NULL) {
			s = mine;
			mine = NULL;
			s->next = c->open;
			c->open = s;
		}
	}
	s->opens++;
	pthread_mutex_unlock(&c->mu);
	snapshot_free(mine);
	*out = s;
	return TF_OK;
}

void
fs_control_close(struct fs_control *c, struct fs_snapshot *s)
{
	struct fs_snapshot **at;
	bool last;

	pthread_mutex_lock(&c->mu);
	last = --s->opens == 0;
	for (at = &c->open; last && *at != s; at = &(*at)->next)
		;
	if (last)
		*at = s->next;
	pthread_mutex_unlock(&c->mu);
	if (last)
		snapshot_free(s);
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
	if (s->row->render == NULL)
		return s->row->read(c->vault, fs_control_owner(s->ino), s->mark,
		    p, n, off, got, err);
	memcpy(p, s->text.p + off, n);
	*got = n;
	return TF_OK;
}

/* --- names -------------------------------------------------------------- */

/* stat(2) of control node ino of directory dir. */
static enum tf_code
stat_of(struct fs_control *c, uint64_t ino, const struct tf_attr *dir,
    struct stat *st, struct tf_error *err)
{
	const struct row *row;
	uint64_t size;
	enum tf_code rc;

	fs_ops_stat(dir, st);
	st->st_ino = ino;
	if (fs_control_is_dir(ino)) {
		st->st_mode = S_IFDIR | (0555 & dir->mode);
		return TF_OK;
	}
	if ((row = row_of(ino, dir->kind)) == NULL)
		return tf_fail(err, TF_NOTFOUND, "no such control file");
	if ((rc = size_of(c, ino, row, &size, err)) != TF_OK)
		return rc;
	st->st_mode = S_IFREG | (row->mode & dir->mode);
	st->st_nlink = 1;
	st->st_size = (off_t)size;
	st->st_blocks = (blkcnt_t)((size + 511) / 512);
	return TF_OK;
}

enum tf_code
fs_control_stat(struct fs_control *c, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr dir;
	enum tf_code rc;

	rc = tf_vault_getattr(c->vault, fs_control_owner(ino), &dir, err);
	return rc != TF_OK ? rc : stat_of(c, ino, &dir, st, err);
}

enum tf_code
fs_control_lookup(struct fs_control *c, uint64_t parent, const char *name,
    struct stat *st, struct tf_error *err)
{
	struct tf_attr dir;
	enum tf_code rc;

	rc = tf_vault_getattr(c->vault, fs_control_owner(parent), &dir, err);
	if (rc != TF_OK)
		return rc;
	if (dir.kind == TF_KIND_EVIDENCE ||
	    (fs_control_is(parent) && !fs_control_is_dir(parent)))
		return tf_fail(err, TF_NOTDIR, "not a directory");
	if (!fs_control_is(parent))
		return stat_of(c, make_id(KIND_DIR, dir.id), &dir, st, err);
	for (unsigned r = 0; r < ROWS; r++)
		if (strcmp(rows[r].name, name) == 0)
			return stat_of(c, make_id(r + KIND_ROW, dir.id), &dir,
			    st, err);
	return tf_fail(err, TF_NOTFOUND, "no such control file");
}

enum tf_code
fs_control_list(struct fs_control *c, uint64_t ino, unsigned *row,
    const char **name, struct stat *st, struct tf_error *err)
{
	struct tf_attr dir;
	enum tf_code rc;

	rc = tf_vault_getattr(c->vault, fs_control_owner(ino), &dir, err);
	if (rc != TF_OK)
		return rc;
	for (unsigned r = *row; r < ROWS; r++) {
		if ((rows[r].levels & AT(dir.kind)) == 0)
			continue;
		*row = r;
		*name = rows[r].name;
		return stat_of(c, make_id(r + KIND_ROW, dir.id), &dir, st, err);
	}
	return tf_fail(err, TF_NOTFOUND, "the end");
}
