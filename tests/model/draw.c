/* Random operations; see ops.h. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

uint64_t
draw(struct chance *c, uint64_t below)
{
	c->state ^= c->state >> 12;
	c->state ^= c->state << 25;
	c->state ^= c->state >> 27;
	return (c->state * 0x2545f4914f6cdd1dULL >> 16) % below;
}

#define ONE_OF(c, array) ((array)[draw(c, LEN(array))])

static const char *const upper[] = { "t", "u", "v", "w", "a", "b", "0.B_c~d-e",
	"a@2", "a@3", "b@2", ".login", ".draft", ".b@2", "a@1", "a@02", "a@",
	".x", "-a", "a b", "n~" };

static const char *const lower[] = { "f", "g", "h", "d", "e", ".env", "a b",
	"\xc3\xbc", "f.tmp", "g.tmp", "f.part", "f~", ".f.a1B2c3", ".g.abcdef",
	".env.sample", ".#f", ".f.swp", ".f.swpx", ".goutputstream-A1B2", "#f#",
	"~$f", ".~lock.f#", ".f.kate-swp", "f.aria2", ".nfs1", "f#",
	"f.crdownload", ".~tmp~", ".rsync-partial", "f.filepart", "f.partial",
	"a@2", "CON", "..." };

/* join() replaces the LONG names by long ones. */
static const char *const nasty[] = { "a\nb", "\x1b[31m", "\x7f", "\xff",
	"a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x80\xae", "\xe2\x81\xa6",
	"\xc2\x85", "\xe2\x80\xa8", ".trailfs", "LONG255", "LONG256", "LONG200",
	"C:\\x", "-rf", "\xf0\x9f\x98\x80" };

static char *
join(const struct node *dir, const char *name)
{
	char path[4096], *out = NULL, big[300];
	size_t n;

	if (strncmp(name, "LONG", 4) == 0) {
		n = (size_t)atoi(name + 4);
		memset(big, 'n', n);
		big[n] = '\0';
		name = big;
	}
	node_path(dir, path);
	if (asprintf(&out, "%s/%s", path, name) < 0)
		abort();
	if (dir->parent == NULL)
		memmove(out, out + 2, strlen(out + 2) + 1);
	return out;
}

enum kind { ANY, A_FILE, A_DIR, A_PLACE /* a directory that holds files */ };

static struct node *
some_node(struct chance *c, struct model *m, enum kind kind)
{
	for (int tries = 0; tries < 40; tries++) {
		struct node *d = m->nodes[draw(c, m->n)];

		if (d->unlinked || (kind == A_FILE && d->dir) ||
		    (kind == A_DIR && !d->dir) ||
		    (kind == A_PLACE && (!d->dir || d->level < 3)))
			continue;
		/* Prefer nodes that are not sealed: more can happen to them. */
		if (d->sealed && draw(c, 2) > 0)
			continue;
		return d;
	}
	return m->nodes[0];
}

/* A name in some directory, usually a new one. */
static char *
new_path(struct chance *c, struct model *m, bool file)
{
	struct node *dir = some_node(c, m,
	    draw(c, 10) < (file ? 9 : 4) ? A_PLACE : A_DIR);
	uint64_t which = draw(c, 20);
	char name[32];

	if (which < 2)
		return join(dir, ONE_OF(c, nasty));
	if (which < 7) {
		snprintf(name, sizeof name, "n%u", (unsigned)draw(c, 1000));
		return join(dir, name);
	}
	return join(dir, dir->level < 3 ? ONE_OF(c, upper) : ONE_OF(c, lower));
}

static char *
some_path(struct chance *c, struct model *m, enum kind kind)
{
	uint64_t which = draw(c, 40);
	struct node *d = some_node(c, m, which < 36 ? kind : ANY);
	char path[4096];

	if (which == 39)
		return new_path(c, m, true);
	if (which == 38)
		return join(d, "x");
	return strdup(node_path(d, path));
}

static int
some_slot(struct chance *c, struct model *m, bool used)
{
	int h = (int)draw(c, SLOTS);

	for (int i = 0; i < SLOTS; i++)
		if ((m->slot[(h + i) % SLOTS] != NULL) == used)
			return (h + i) % SLOTS;
	return h;
}

/* Usually small; sometimes near the limit of inline content. */
static long
some_length(struct chance *c)
{
	uint64_t which = draw(c, 100);

	return which < 4 ? 0 :
	    which < 90	 ? (long)draw(c, 300) :
	    which < 96	 ? (long)(4090 + draw(c, 12)) :
	    which < 99	 ? (long)(65530 + draw(c, 12)) :
			   (long)draw(c, 300000);
}

static unsigned
some_open_flags(struct chance *c)
{
	static const unsigned flags[] = { F_WRITE, F_WRITE, F_READ | F_WRITE,
		F_READ | F_WRITE, F_READ, F_WRITE | F_APPEND, F_WRITE | F_TRUNC,
		F_READ | F_TRUNC, F_READ | F_WRITE | F_APPEND };

	return ONE_OF(c, flags);
}

static void
draw_open(struct chance *c, struct model *m, struct op *o)
{
	static const unsigned modes[] = { 0644, 0666, 0666, 0600, 0640, 0444, 0,
		0660 };

	o->h = some_slot(c, m, false);
	o->flags = some_open_flags(c);
	o->mode = ONE_OF(c, modes);
	if (draw(c, 10) < 4) {
		o->p = some_path(c, m, draw(c, 20) == 0 ? ANY : A_FILE);
		if (draw(c, 3) == 0)
			o->flags |= F_CREATE;
	} else {
		o->p = new_path(c, m, true);
		o->flags |= F_CREATE;
	}
	if ((o->flags & F_CREATE) != 0 && draw(c, 3) == 0)
		o->flags |= F_EXCL;
}

/* Usually from a draft to a final name. */
static void
draw_rename(struct chance *c, struct model *m, struct op *o)
{
	static const unsigned flags[] = { 0, 0, 0, 0, F_NOREPLACE, F_EXCHANGE,
		F_WHITEOUT };
	struct node *d = some_node(c, m, draw(c, 4) == 0 ? A_PLACE : A_FILE);
	char path[4096];

	o->flags = ONE_OF(c, flags);
	o->p = draw(c, 20) == 0 ? some_path(c, m, ANY) :
				  strdup(node_path(d, path));
	if (draw(c, 4) == 0)
		o->q = some_path(c, m, d->dir ? A_DIR : A_FILE);
	else if (draw(c, 2) == 0 || d->parent == NULL)
		o->q = new_path(c, m, !d->dir);
	else
		o->q = join(d->parent,
		    d->level <= 3 ? ONE_OF(c, upper) : ONE_OF(c, lower));
}

static void
draw_mode(struct chance *c, struct model *m, struct op *o)
{
	static const unsigned files[] = { 0644, 0666, 0600, 0444, 0755, 0 };
	static const unsigned dirs[] = { 0777, 0777, 0777, 0777, 0755, 0770,
		0750, 0700, 0711, 0733, 0555, 0555, 0555 };
	struct node *d;

	o->p = some_path(c, m, ANY);
	d = model_find(m, o->p);
	o->mode = d != NULL && d->dir ? ONE_OF(c, dirs) : ONE_OF(c, files);
	if (d != NULL && d->level < 3 && draw(c, 4) > 0)
		o->mode = 0777; /* keep it writable for all */
}

static const char *
some_xattr(struct chance *c)
{
	static const char *const others[] = { "user.trailfs.state", "trusted.x",
		"user.trailfs.state" };

	if (draw(c, 8) == 0)
		return ONE_OF(c, others);
	return xattr_names()[draw(c, XATTRS)];
}

static void
draw_on_slot(struct chance *c, struct model *m, struct op *o)
{
	o->h = some_slot(c, m, true);
	switch (o->verb) {
	case OP_WRITE:
	case OP_FALLOCATE:
		o->n = some_length(c);
		o->at = draw(c, 2) == 0 && m->slot[o->h] != NULL ?
		    (long)m->slot[o->h]->node->now.n :
		    (long)draw(c, 1000);
		o->seed = (unsigned)draw(c, 250) + 1;
		if (o->verb == OP_FALLOCATE) {
			o->n++;
			o->flags = draw(c, 2) == 0 ? F_KEEPSIZE : 0;
		}
		break;
	case OP_FTRUNCATE:
		o->n = some_length(c);
		break;
	case OP_MMAP:
		o->at = (long)draw(c, 200);
		o->n = (long)draw(c, 100) + 1;
		o->seed = (unsigned)draw(c, 250) + 1;
		break;
	case OP_REOPEN:
		o->flags = some_open_flags(c);
		/* fall through */
	case OP_DUP:
		o->h2 = some_slot(c, m, false);
		break;
	default:
		break;
	}
}

static void
draw_on_path(struct chance *c, struct model *m, struct op *o)
{
	static const long owners[] = { -1, 0, 1001, 1002 };
	static const long times[] = { 0, 1000000000, 1000000001 };
	static const unsigned nodes[] = { 0, 0, F_FIFO, F_DEVICE };

	switch (o->verb) {
	case OP_MKDIR:
		o->p = new_path(c, m, false);
		o->mode = draw(c, 4) == 0 ? 0555 | (unsigned)draw(c, 0400) :
					    0777;
		break;
	case OP_MKNOD:
		o->p = new_path(c, m, true);
		o->flags = ONE_OF(c, nodes);
		o->mode = 0644;
		break;
	case OP_LINK:
		o->p = some_path(c, m, A_FILE);
		o->q = new_path(c, m, true);
		break;
	case OP_SYMLINK:
		o->p = new_path(c, m, true);
		break;
	case OP_CHOWN:
		o->p = some_path(c, m, ANY);
		o->n = ONE_OF(c, owners);
		o->at = ONE_OF(c, owners);
		break;
	case OP_UTIMENS:
		o->p = some_path(c, m, ANY);
		o->flags = draw(c, 3) == 0 ? F_NOW : 0;
		o->n = ONE_OF(c, times);
		break;
	case OP_SETXATTR:
		o->flags = draw(c, 4) == 0 ? F_EXCL :
		    draw(c, 4) == 0	   ? F_REPLACE :
					     0;
		o->seed = (unsigned)draw(c, 1000) + 1;
		/* fall through */
	case OP_REMOVEXATTR:
	case OP_GETXATTR:
		if (draw(c, 2) == 0) { /* claims */
			o->p = some_path(c, m, A_DIR);
			o->q = strdup(xattr_names()[FILE_XATTRS +
			    draw(c, XATTRS - FILE_XATTRS)]);
			break;
		}
		o->p = some_path(c, m, draw(c, 8) == 0 ? ANY : A_FILE);
		o->q = strdup(some_xattr(c));
		break;
	case OP_TRUNCATE:
		o->p = some_path(c, m, A_FILE);
		o->n = draw(c, 3) == 0 ? 0 : some_length(c);
		break;
	case OP_READ:
	case OP_UNLINK:
		o->p = some_path(c, m, A_FILE);
		break;
	default:
		o->p = some_path(c, m, A_DIR);
		break;
	}
}

static const struct {
	enum verb verb;
	unsigned weight;
} weights[] = {
	{ OP_OPEN, 220 },
	{ OP_WRITE, 160 },
	{ OP_CLOSE, 150 },
	{ OP_RENAME, 110 },
	{ OP_MKDIR, 60 },
	{ OP_UNLINK, 40 },
	{ OP_CHMOD, 40 },
	{ OP_CHOWN, 15 },
	{ OP_UTIMENS, 25 },
	{ OP_SETXATTR, 50 },
	{ OP_REMOVEXATTR, 8 },
	{ OP_GETXATTR, 8 },
	{ OP_READ, 30 },
	{ OP_READ_FD, 15 },
	{ OP_LIST, 10 },
	{ OP_TRUNCATE, 25 },
	{ OP_FTRUNCATE, 20 },
	{ OP_FALLOCATE, 10 },
	{ OP_FSYNC, 15 },
	{ OP_DUP, 8 },
	{ OP_MMAP, 15 },
	{ OP_REOPEN, 15 },
	{ OP_RMDIR, 20 },
	{ OP_LINK, 5 },
	{ OP_SYMLINK, 5 },
	{ OP_MKNOD, 12 },
	{ OP_SYNCDIR, 6 },
	{ OP_KEEP, 2 },
	{ OP_CRASH, 2 },
	{ OP_REMOUNT, 1 },
};

/* Begin with a small tree that all users may write to. */
static bool
draw_beginning(struct op *o, size_t step)
{
	static const struct {
		enum verb verb;
		uid_t who;
		const char *path;
	} first[] = {
		{ OP_CHMOD, 0, "." },
		{ OP_MKDIR, 0, "t" },
		{ OP_CHMOD, 0, "t" },
		{ OP_MKDIR, 0, "t/w" },
		{ OP_MKDIR, 0, "t/w/a" },
		{ OP_MKDIR, 1001, "t/w/b" },
		{ OP_MKDIR, 1002, "t/w/.login" },
		{ OP_MKDIR, 1001, "t/w/a/.~tmp~" },
	};

	if (step >= LEN(first))
		return false;
	o->verb = first[step].verb;
	o->who = first[step].who;
	o->p = strdup(first[step].path);
	o->mode = 0777;
	return true;
}

struct op
draw_op(struct chance *c, struct model *m, size_t step)
{
	static const uid_t people[] = { 0, 0, 1001, 1002 };
	struct op o = { 0 };
	unsigned all = 0;
	size_t i = 0;
	uint64_t at;

	if (draw_beginning(&o, step))
		return o;
	for (size_t w = 0; w < LEN(weights); w++)
		all += weights[w].weight;
	for (at = draw(c, all); at >= weights[i].weight; i++)
		at -= weights[i].weight;
	o.verb = weights[i].verb;
	o.who = ONE_OF(c, people);
	if (o.verb == OP_OPEN)
		draw_open(c, m, &o);
	else if (o.verb == OP_RENAME)
		draw_rename(c, m, &o);
	else if (o.verb == OP_CHMOD)
		draw_mode(c, m, &o);
	else if (o.verb >= OP_WRITE && o.verb <= OP_REOPEN)
		draw_on_slot(c, m, &o);
	else if (o.verb < OP_KEEP)
		draw_on_path(c, m, &o);
	if (o.verb >= OP_KEEP)
		o.who = 0;
	return o;
}
