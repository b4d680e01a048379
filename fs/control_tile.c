/*
 * The tiles of the log, named as in C2SP tlog-tiles.  Under .trailfs/tile of
 * the root are the full tiles L/N and entries/N, and the partial tiles L/N.p/W
 * and entries/N.p/W.
 *
 * Node ids, below the kind:
 *	bits 53-55	level 0 to 6 of hashes, 7 for entries
 *	bits 8-52	N, the number of a tile; for a directory of tiles its
 *			path read as a number, as x001/x234 is 1234, and 0 for
 *			the directory of the level
 *	bits 0-7	width of a partial tile, 0 for a full one
 * That is enough for 2^53 entries.  The kinds: the topmost directory (all bits
 * 0), directories of tiles, N.p, files.
 *
 * The log only grows.  So the bytes of a tile of a given width are final, and a
 * lookup finds every width that a tile has or had.  A listing names only the
 * full tiles and those partial tiles that the caller needs (struct fs_walks).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "control_tree.h"
#include "fs.h"

#define ENTRIES 7 /* the level that stands for entries */
#define FULL 256
#define HASH 32 /* bytes */
#define N_SHIFT 8
#define LEVEL_SHIFT 53
#define N_MAX ((UINT64_C(1) << (LEVEL_SHIFT - N_SHIFT)) - 1)

struct tile {
	unsigned kind;
	unsigned level;
	uint64_t n;
	unsigned width; /* 0: full */
};

static struct tile
tile_of(uint64_t ino)
{
	return (struct tile){
		.kind = fs_control_kind(ino),
		.level = ino >> LEVEL_SHIFT & 7,
		.n = ino >> N_SHIFT & N_MAX,
		.width = ino & 0xff,
	};
}

static uint64_t
make_id(unsigned kind, unsigned level, uint64_t n, unsigned width)
{
	return fs_control_id(kind,
	    (uint64_t)level << LEVEL_SHIFT | n << N_SHIFT | width);
}

/* The number of tile d in the directory of tiles n.  False: beyond any log. */
static bool
inside(uint64_t n, unsigned d, uint64_t *out)
{
	if (n > N_MAX / 1000)
		return false;
	*out = n * 1000 + d;
	return *out <= N_MAX;
}

static unsigned
width_at(uint64_t size, unsigned level, uint64_t n)
{
	return tf_log_width(size, level == ENTRIES ? 0 : level, n);
}

/* Does a log of that size have a tile in the directory of tiles n? */
static bool
any_inside(uint64_t size, unsigned level, uint64_t n)
{
	uint64_t first;

	return inside(n, 0, &first) && width_at(size, level, first) > 0;
}

/* --- walks --------------------------------------------------------------- */

#define WALKS 256

struct fs_walks {
	pthread_mutex_t mu;
	struct walk {
		uint64_t caller, size;
		bool checkpoint; /* begun by one, and not listed since */
	} walk[WALKS];		 /* guarded by mu; size 0: unused */
	unsigned next;		 /* the oldest; guarded by mu */
};

struct fs_walks *
fs_walks_new(void)
{
	struct fs_walks *w = calloc(1, sizeof *w);

	if (w != NULL)
		pthread_mutex_init(&w->mu, NULL);
	return w;
}

void
fs_walks_free(struct fs_walks *w)
{
	if (w == NULL)
		return;
	pthread_mutex_destroy(&w->mu);
	free(w);
}

/* The walk of caller, or NULL.  mu is held. */
static struct walk *
find(struct fs_walks *w, uint64_t caller)
{
	for (unsigned i = 0; i < WALKS; i++)
		if (w->walk[i].size != 0 && w->walk[i].caller == caller)
			return &w->walk[i];
	return NULL;
}

/* Begin a walk.  mu is held. */
static void
begin(struct fs_walks *w, uint64_t caller, uint64_t size, bool checkpoint)
{
	struct walk *k = find(w, caller);

	if (k == NULL) {
		k = &w->walk[w->next];
		w->next = (w->next + 1) % WALKS;
	}
	*k = (struct walk){ caller, size, checkpoint };
}

void
fs_walks_begin(struct fs_walks *w, uint64_t caller, const struct tf_buf *note)
{
	const char *end = note->p + note->n;
	const char *at = memchr(note->p, '\n', note->n);
	uint64_t size = 0;

	/* The second line is the number of entries. */
	for (; at != NULL && ++at < end && *at >= '0' && *at <= '9';)
		size = size * 10 + (uint64_t)(*at - '0');
	pthread_mutex_lock(&w->mu);
	begin(w, caller, size, true);
	pthread_mutex_unlock(&w->mu);
}

/* The size of the log when the caller's walk began; now if there is no walk.
 * top: the caller lists the topmost directory from its beginning. */
static uint64_t
begun(struct fs_walks *w, uint64_t caller, bool top, uint64_t now)
{
	struct walk *k;
	uint64_t size = now;

	pthread_mutex_lock(&w->mu);
	k = find(w, caller);
	if (top && (k == NULL || !k->checkpoint)) {
		begin(w, caller, now, false);
	} else if (k != NULL) {
		size = k->size;
		k->checkpoint = k->checkpoint && !top;
	}
	pthread_mutex_unlock(&w->mu);
	return size;
}

/* --- names --------------------------------------------------------------- */

/* The number of the three digits at s, or -1. */
static int
three_digits(const char *s)
{
	if (strspn(s, "0123456789") < 3)
		return -1;
	return (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
}

static uint64_t
find_level(const char *name)
{
	if (strcmp(name, "entries") == 0)
		return make_id(FS_KIND_TILE_GROUP, ENTRIES, 0, 0);
	if (name[0] >= '0' && name[0] < '0' + ENTRIES && name[1] == '\0')
		return make_id(FS_KIND_TILE_GROUP, (unsigned)(name[0] - '0'), 0,
		    0);
	return 0;
}

static uint64_t
find_in_group(const struct tile *dir, const char *name)
{
	const char *digits = name + (name[0] == 'x');
	int d = three_digits(digits);
	uint64_t n;
	unsigned kind;

	if (d < 0 || !inside(dir->n, (unsigned)d, &n))
		return 0;
	if (digits != name) /* x000 would be leading zeros */
		kind = digits[3] == '\0' && n != 0 ? FS_KIND_TILE_GROUP : 0;
	else if (digits[3] == '\0')
		kind = FS_KIND_TILE;
	else
		kind = strcmp(digits + 3, ".p") == 0 ? FS_KIND_TILE_PART : 0;
	return kind != 0 ? make_id(kind, dir->level, n, 0) : 0;
}

static uint64_t
find_width(const struct tile *dir, const char *name)
{
	size_t n = strspn(name, "0123456789");
	unsigned w = 0;

	if (n == 0 || n > 3 || name[n] != '\0' || name[0] == '0')
		return 0;
	for (; *name != '\0'; name++)
		w = w * 10 + (unsigned)(*name - '0');
	return w < FULL ? make_id(FS_KIND_TILE, dir->level, dir->n, w) : 0;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	struct tile dir = tile_of(parent);

	(void)v;
	if (dir.kind == FS_KIND_TILE_TOP)
		*ino = find_level(name);
	else if (dir.kind == FS_KIND_TILE_GROUP)
		*ino = find_in_group(&dir, name);
	else
		*ino = find_width(&dir, name);
	return *ino != 0 ? TF_OK : tf_fail(err, TF_NOTFOUND, "no such tile");
}

static uint64_t
top(uint64_t dir)
{
	(void)dir; /* the root */
	return make_id(FS_KIND_TILE_TOP, 0, 0, 0);
}

static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) != FS_KIND_TILE;
}

static enum tf_code
parent(struct tf_vault *v, uint64_t ino, uint64_t *out, struct tf_error *err)
{
	struct tile t = tile_of(ino);

	(void)v;
	(void)err;
	if (t.kind == FS_KIND_TILE_TOP)
		*out = fs_control_id(FS_KIND_DIR, TF_ROOT_ID);
	else if (t.kind == FS_KIND_TILE_GROUP && t.n == 0)
		*out = top(TF_ROOT_ID);
	else if (t.kind == FS_KIND_TILE && t.width != 0)
		*out = make_id(FS_KIND_TILE_PART, t.level, t.n, 0);
	else
		*out = make_id(FS_KIND_TILE_GROUP, t.level, t.n / 1000, 0);
	return TF_OK;
}

/* --- stat and content ---------------------------------------------------- */

static bool
exists(const struct tile *t, uint64_t size)
{
	unsigned width = width_at(size, t->level, t->n);

	switch (t->kind) {
	case FS_KIND_TILE_TOP:
		return true;
	case FS_KIND_TILE_GROUP:
		return any_inside(size, t->level, t->n);
	case FS_KIND_TILE_PART:
		return width > 0;
	default:
		return width >= (t->width != 0 ? t->width : FULL);
	}
}

static enum tf_code
stat_tile(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tile t = tile_of(ino);
	struct tf_attr root;
	uint64_t size, bytes;
	enum tf_code rc;

	if ((rc = tf_vault_size(v, &size, &bytes, err)) != TF_OK)
		return rc;
	if (!exists(&t, size))
		return tf_fail(err, TF_NOTFOUND, "no such tile");
	if ((rc = tf_vault_getattr(v, TF_ROOT_ID, &root, err)) != TF_OK)
		return rc;
	fs_attr_stat(&root, st);
	st->st_ino = ino;
	if (is_dir(ino)) {
		st->st_mode = S_IFDIR | (0555 & root.mode);
		return TF_OK;
	}
	/* Hashes disclose nothing.  Entries disclose everything, and a bundle
	 * cannot leave one out, so only the owner may read it. */
	st->st_mode = S_IFREG |
	    ((t.level == ENTRIES ? 0400 : 0444) & root.mode);
	st->st_nlink = 1;
	st->st_size = t.level == ENTRIES ?
	    -1 :
	    HASH * (off_t)(t.width != 0 ? t.width : FULL);
	/* A tile never changes, so its time is that of the store. */
	st->st_mtim.tv_sec = root.btime.s;
	st->st_mtim.tv_nsec = root.btime.ns;
	st->st_ctim = st->st_atim = st->st_mtim;
	return TF_OK;
}

static enum tf_code
render(struct tf_vault *v, uint64_t ino, struct tf_buf *out,
    struct tf_error *err)
{
	struct tile t = tile_of(ino);
	unsigned width = t.width != 0 ? t.width : FULL;

	if (t.level == ENTRIES)
		return tf_vault_bundle(v, t.n, width, out, err);
	return tf_vault_tile(v, t.level, t.n, width, out, err);
}

/* --- listing ------------------------------------------------------------- */

/* The sizes of the log now, and when the caller's walk began.  Both have tiles
 * to list. */
struct sizes {
	uint64_t now, begun;
};

/* Add a name unless its place is before the listing.  False: it is full. */
static bool
add(const struct fs_names *names, uint64_t place, const char *name,
    uint64_t ino)
{
	return place < names->at ||
	    names->add(names->arg, place, name, ino,
		is_dir(ino) ? S_IFDIR : S_IFREG);
}

static void
list_top(const struct sizes *s, const struct fs_names *names)
{
	char name[8];

	for (unsigned level = 0; level <= ENTRIES; level++) {
		if (!any_inside(s->now, level, 0))
			continue;
		snprintf(name, sizeof name, level == ENTRIES ? "entries" : "%u",
		    level);
		if (!add(names, level, name,
			make_id(FS_KIND_TILE_GROUP, level, 0, 0)))
			return;
	}
}

/* Is a tile of that width a partial tile? */
static bool
partial(unsigned width)
{
	return width > 0 && width < FULL;
}

/* The places of names: 2d for partial tile d, 2d + 1 for full tile d, and
 * 2000 + d for the directory xDDD. */
static void
list_group(const struct tile *t, const struct sizes *s,
    const struct fs_names *names)
{
	char name[8];
	uint64_t n;

	for (unsigned d = 0; d < 1000 && inside(t->n, d, &n); d++) {
		unsigned now = width_at(s->now, t->level, n);
		unsigned then = width_at(s->begun, t->level, n);

		if (now == 0)
			break;
		snprintf(name, sizeof name, "%03u.p", d);
		if ((partial(now) || partial(then)) &&
		    !add(names, 2 * d, name,
			make_id(FS_KIND_TILE_PART, t->level, n, 0)))
			return;
		name[3] = '\0';
		if (now == FULL &&
		    !add(names, 2 * d + 1, name,
			make_id(FS_KIND_TILE, t->level, n, 0)))
			return;
	}
	for (unsigned d = 0; d < 1000 && inside(t->n, d, &n); d++) {
		if (n == 0)
			continue;
		if (!any_inside(s->now, t->level, n))
			break;
		snprintf(name, sizeof name, "x%03u", d);
		if (!add(names, 2000 + d, name,
			make_id(FS_KIND_TILE_GROUP, t->level, n, 0)))
			return;
	}
}

static void
list_widths(const struct tile *t, const struct sizes *s,
    const struct fs_names *names)
{
	unsigned width[] = { width_at(s->begun, t->level, t->n),
		width_at(s->now, t->level, t->n) };
	char name[8];

	for (unsigned i = 0; i < 2; i++) {
		if (!partial(width[i]) || (i == 1 && width[1] == width[0]))
			continue;
		snprintf(name, sizeof name, "%u", width[i]);
		if (!add(names, width[i], name,
			make_id(FS_KIND_TILE, t->level, t->n, width[i])))
			return;
	}
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	struct tile t = tile_of(ino);
	struct sizes s;
	uint64_t bytes;
	enum tf_code rc;

	if ((rc = tf_vault_size(v, &s.now, &bytes, err)) != TF_OK)
		return rc;
	s.begun = begun(names->walks, names->caller,
	    t.kind == FS_KIND_TILE_TOP && names->at == 0, s.now);
	if (t.kind == FS_KIND_TILE_TOP)
		list_top(&s, names);
	else if (t.kind == FS_KIND_TILE_GROUP)
		list_group(&t, &s, names);
	else
		list_widths(&t, &s, names);
	return TF_OK;
}

const struct fs_tree fs_tile_tree = {
	.first = FS_KIND_TILE_TOP,
	.last = FS_KIND_TILE,
	.final = true,
	.top = top,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent,
	.stat = stat_tile,
	.render = render,
	.list = list,
};
