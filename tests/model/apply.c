/* Change the tree after an operation, and after a restart; see model.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

void
model_init(struct model *m, bool settles, unsigned root_mode)
{
	memset(m, 0, sizeof *m);
	m->settles = settles;
	add(m, NULL, "", true)->mode = root_mode;
}

void
model_free(struct model *m)
{
	for (int i = 0; i < SLOTS; i++)
		if (m->slot[i] != NULL && --m->slot[i]->refs == 0)
			free(m->slot[i]);
	while (m->n > 0)
		forget(m, m->nodes[m->n - 1]);
	free(m->nodes);
}

/* --- sealing ---------------------------------------------------------- */

static void
seal_file(struct node *f)
{
	f->sealed = f->written = true;
	for (struct node *d = f->parent; d->level > 3; d = d->parent)
		d->recorded = true;
}

static void
settle(struct model *m, struct node *f)
{
	if (!m->settles && !settles_always(f) && is_frozen(f))
		seal_file(f);
}

static void
seal_attestation(struct model *m, struct node *a)
{
	for (size_t i = 1; i < m->n; i++) {
		struct node *d = m->nodes[i];

		if (d == a || d->unlinked || !is_below(d, a))
			continue;
		if (d->dir)
			d->recorded = true;
		else
			seal_file(d);
	}
	a->sealed = true;
}

/* Seal a closed directory, and before it the closed directories in it. */
static void
seal_closing(struct model *m, struct node *d)
{
	if (d->level == 3)
		seal_attestation(m, d);
	for (size_t i = 1; d->level == 2 && i < m->n; i++)
		if (m->nodes[i]->parent == d && m->nodes[i]->closing)
			seal_closing(m, m->nodes[i]);
	d->sealed = true;
	d->closing = false;
}

static void
flush(struct node *f)
{
	copy(&f->durable, &f->now);
	f->flushed = true;
	f->durable_written = f->written;
	f->dirty = f->doubt = false;
}

static void
close_directory(struct model *m, struct node *d)
{
	for (size_t i = 1; i < m->n; i++)
		if (!m->nodes[i]->dir && attestation(m->nodes[i]) == d)
			flush(m->nodes[i]);
	d->closing = true;
	if (!m->settles)
		seal_closing(m, d);
}

static void
apply_chmod(struct model *m, struct node *d, unsigned mode)
{
	unsigned shown;
	uid_t uid;
	gid_t gid;

	if (d->dir && d->level > 3) {
		node_access(d, &shown, &uid, &gid);
		if (shown == mode)
			return;
		d->filling = (mode & 0222) != 0 &&
		    (d->filling || (d->mode & 0222) == 0);
		d->mode = mode & 0777;
		return;
	}
	if (d->closing && (mode & 0222) != 0) {
		d->closing = false;
		if (d->level == 3)
			d->parent->closing = false;
	}
	if (d->dir && d->level > 0 && takes_last_write_bit(d, mode) &&
	    (d->level != 3 || d->name[0] != '.') && is_worth_sealing(m, d))
		close_directory(m, d);
	d->mode = mode;
}

/* Seal the version before this name: mkdir(2) of the next version does that. */
static void
seal_before(struct model *m, const struct place *at)
{
	const char *version = strchr(at->name, '@');
	long number = version != NULL ? strtol(version + 1, NULL, 10) : 0;
	char before[340];
	struct node *a;

	if (at->dir->level != 2 || number < 2)
		return;
	snprintf(before, sizeof before, "%.*s", (int)(version - at->name),
	    at->name);
	if (number > 2)
		snprintf(before + strlen(before), 30, "@%ld", number - 1);
	a = child(m, at->dir, before);
	if (a != NULL && a->closing)
		seal_closing(m, a);
}

void
model_settle(struct model *m, struct node *d)
{
	if (!d->dir && is_closing(d))
		d = attestation(d);
	if (d->dir && d->closing)
		seal_closing(m, d);
	else if (!d->dir && is_frozen(d))
		seal_file(d);
}

static void
seal_below(struct model *m, const struct node *dir, uid_t who)
{
	for (size_t i = 1; i < m->n; i++) {
		struct node *f = m->nodes[i];

		if (f->unlinked || !is_below(f, dir) ||
		    (who != 0 && f->uid != who))
			continue;
		if (f->dir && f->closing)
			seal_closing(m, f);
		else if (!f->dir && (is_frozen(f) || is_placeholder(f)))
			seal_file(f);
	}
}

/* --- descriptors ------------------------------------------------------ */

/* O_RDONLY | O_TRUNC changes content too. */
static bool
is_writer(unsigned flags)
{
	return (flags & (F_WRITE | F_TRUNC)) != 0;
}

static void
open_slot(struct model *m, int h, struct node *d, unsigned flags, uid_t who)
{
	struct description *s = calloc(1, sizeof *s);

	s->node = d;
	s->flags = flags;
	s->refs = 1;
	m->slot[h] = s;
	d->handles++;
	if (is_writer(flags) && d->writers++ == 0)
		d->writer = who;
}

/* The last release by a writer makes durable the bytes that came after the last
 * close, but no caller learns when. */
static void
release(struct model *m, struct description *s)
{
	struct node *f = s->node;

	if (--s->refs > 0)
		return;
	f->handles--;
	if (is_writer(s->flags) && --f->writers == 0) {
		if (f->dirty)
			f->doubt = true;
		else
			flush(f);
	}
	free(s);
	if (f->unlinked && f->handles == 0)
		forget(m, f);
	else if (!f->unlinked)
		settle(m, f);
}

static void
close_slot(struct model *m, int h)
{
	struct description *s = m->slot[h];

	m->slot[h] = NULL;
	if (is_writer(s->flags))
		flush(s->node);
	release(m, s);
}

static void
changed(struct node *f)
{
	f->dirty = true;
	f->mtime_known = false;
}

static void
wrote(struct node *f)
{
	f->written = true;
	changed(f);
}

static void
store(struct node *f, size_t at, size_t n, unsigned seed)
{
	if (n == 0)
		return;
	if (at + n > f->now.n)
		resize(&f->now, at + n);
	fill(f->now.p + at, n, seed);
	wrote(f);
}

static void
cut(struct node *f, size_t n)
{
	if (f->now.n == n)
		return;
	resize(&f->now, n);
	wrote(f);
}

/* fsync of a descriptor for writing makes an empty file evidence.  fsync of
 * another descriptor asks to seal a file that has no writer. */
static void
sync_file(const struct description *s, uid_t who)
{
	struct node *f = s->node;

	if (is_writer(s->flags)) {
		f->written = true;
		flush(f);
		return;
	}
	f->doubt = f->dirty;
	if (!f->unlinked && is_placeholder(f) && owns(f, who))
		seal_file(f);
}

static void
apply_on_slot(struct model *m, const struct op *o)
{
	struct description *s = m->slot[o->h];
	struct node *f = s->node;

	switch (o->verb) {
	case OP_WRITE:
		store(f, (s->flags & F_APPEND) != 0 ? f->now.n : (size_t)o->at,
		    (size_t)o->n, o->seed);
		break;
	case OP_FTRUNCATE:
		cut(f, (size_t)o->n);
		f->mtime_known = false;
		break;
	case OP_FALLOCATE:
		if ((o->flags & F_KEEPSIZE) == 0 &&
		    (size_t)(o->at + o->n) > f->now.n)
			cut(f, (size_t)(o->at + o->n));
		f->mtime_known = false;
		break;
	case OP_FSYNC:
		sync_file(s, o->who);
		break;
	case OP_DUP:
		m->slot[o->h2] = s;
		s->refs++;
		break;
	case OP_REOPEN:
		open_slot(m, o->h2, f, o->flags, o->who);
		if ((o->flags & F_TRUNC) != 0)
			cut(f, 0);
		break;
	case OP_MMAP: /* written after the descriptor was closed */
		s->refs++;
		close_slot(m, o->h);
		store(f, (size_t)o->at, (size_t)o->n, o->seed);
		release(m, s);
		break;
	case OP_CLOSE:
		close_slot(m, o->h);
		break;
	default:
		break;
	}
}

/* --- names ------------------------------------------------------------ */

static struct node *
make(struct model *m, struct place *at, const struct op *o, bool dir)
{
	struct node *d = add(m, at->dir, at->name, dir);

	d->mode = o->mode & (dir && d->level == 1 ? 0770 : 0777);
	d->uid = o->who;
	d->gid = o->who;
	if (dir && d->level > 3 && !owns(d, o->who))
		d->mode = 0777; /* the attestation belongs to another user */
	return d;
}

static void
apply_open(struct model *m, const struct op *o, struct place *at)
{
	unsigned flags = o->flags;
	struct node *f = at->node;

	if (f != NULL && f->dir)
		return; /* opened for reading and closed */
	if (f == NULL)
		f = make(m, at, o, false);
	if ((flags & F_EXCL) != 0)
		flags &= ~F_TRUNC; /* the kernel: the file is new */
	if (at->node == NULL && !is_writer(flags))
		flush(f); /* closing a reader does not flush */
	open_slot(m, o->h, f, flags, o->who);
	if ((flags & F_TRUNC) != 0)
		cut(f, 0);
}

static void
apply_rename(struct model *m, const struct op *o, struct place *at)
{
	struct place to = walk(m, o->who, o->q);
	struct node *d = at->node;
	bool draft = !d->dir && is_draft(d);

	if (d == to.node)
		return;
	if (to.node != NULL)
		unlink_node(m, to.node);
	free(d->name);
	d->name = strdup(to.name);
	if (d->dir && d->level == 3 && d->name[0] != '.') {
		seal_attestation(m, d);
	} else if (!d->dir) {
		d->parent = to.dir;
		if (draft && is_frozen(d))
			seal_file(d); /* at once, also if files settle */
		settle(m, d);
	}
	d->parent = to.dir;
}

static void
set_xattr(struct node *d, const struct op *o)
{
	char value[16];

	for (int x = 0; x < XATTRS; x++) {
		if (strcmp(o->q, xattr_names()[x]) != 0)
			continue;
		free(d->xattr[x]);
		d->xattr[x] = o->verb == OP_SETXATTR ?
		    strdup(xattr_value(x, o->seed, value)) :
		    NULL;
	}
}

static void
set_times(struct node *d, const struct op *o)
{
	if (d->dir || (d->sealed && d->mtime_known))
		return;
	d->mtime_known = (o->flags & F_NOW) == 0;
	d->mtime_ns = o->n * 1000000000;
}

static void
set_owner(struct node *d, const struct op *o)
{
	if (d->dir && d->level > 3)
		return;
	if ((uid_t)o->n != (uid_t)-1)
		d->uid = (uid_t)o->n;
	if ((gid_t)o->at != (gid_t)-1)
		d->gid = (gid_t)o->at;
}

void
model_apply(struct model *m, const struct op *o)
{
	struct place at = o->p != NULL ? walk(m, o->who, o->p) :
					 (struct place){ 0 };
	struct node *d = at.node;

	if (o->p != NULL && d == NULL && (at.no != 0 || at.control))
		return;
	switch (o->verb) {
	case OP_MKDIR:
		seal_before(m, &at);
		make(m, &at, o, true);
		break;
	case OP_MKNOD:
		flush(make(m, &at, o, false));
		break;
	case OP_OPEN:
		apply_open(m, o, &at);
		break;
	case OP_TRUNCATE:
		if ((size_t)o->n != d->now.n) {
			resize(&d->now, (size_t)o->n);
			changed(d);
			d->doubt = true; /* it was not closed */
		}
		break;
	case OP_RENAME:
		apply_rename(m, o, &at);
		break;
	case OP_UNLINK:
	case OP_RMDIR:
		unlink_node(m, d);
		break;
	case OP_CHMOD:
		apply_chmod(m, d, o->mode);
		break;
	case OP_CHOWN:
		set_owner(d, o);
		break;
	case OP_UTIMENS:
		set_times(d, o);
		break;
	case OP_SETXATTR:
	case OP_REMOVEXATTR:
		set_xattr(d, o);
		break;
	case OP_SYNCDIR:
		seal_below(m, d, o->who);
		break;
	default:
		if (o->p == NULL && o->verb < OP_KEEP)
			apply_on_slot(m, o);
		break;
	}
}

/* --- the status of a workflow -------------------------------------------- */

static bool
has(const struct node *a, int x, const char *value)
{
	return a->xattr[x] != NULL && strcmp(a->xattr[x], value) == 0;
}

/* An attestation with a type is judged at its seal; no evidence that is drawn
 * satisfies a type but generic. */
static bool
is_judged(const struct node *a)
{
	return a->xattr[X_TYPE] != NULL && !has(a, X_TYPE, "generic");
}

static bool
counts(struct model *m, const struct node *a)
{
	if (a->sealed || is_judged(a))
		return a->sealed;
	for (size_t i = 1; i < m->n; i++)
		if (!m->nodes[i]->dir && !m->nodes[i]->unlinked &&
		    m->nodes[i]->sealed && is_below(m->nodes[i], a))
			return true;
	return false;
}

/* The version of attestation a if it has the same name as b, else 0. */
static long
version_of(const struct node *a, const struct node *b)
{
	size_t n = strcspn(b->name, "@");

	if (strcspn(a->name, "@") != n || strncmp(a->name, b->name, n) != 0)
		return 0;
	return a->name[n] == '@' ? strtol(a->name + n + 1, NULL, 10) : 1;
}

/* There is no template, so the newest attestation that counts of each name
 * decides, and a name of which none counts is missing. */
const char *
model_status(struct model *m, struct node *workflow)
{
	bool any = false, bad = false, missing = false;

	for (size_t i = 1; i < m->n; i++)
		if (m->nodes[i]->closing &&
		    (m->nodes[i] == workflow ||
			m->nodes[i]->parent == workflow))
			seal_closing(m, m->nodes[i]);
	for (size_t i = 1; i < m->n; i++) {
		const struct node *a = m->nodes[i], *decides = NULL;

		if (a->parent != workflow || a->name[0] == '.')
			continue;
		for (size_t k = 1; k < m->n; k++) {
			const struct node *b = m->nodes[k];

			if (b->parent == workflow && b->name[0] != '.' &&
			    version_of(b, a) > 0 && counts(m, b) &&
			    (decides == NULL ||
				version_of(b, a) > version_of(decides, a)))
				decides = b;
		}
		any |= decides != NULL;
		missing |= decides == NULL;
		bad |= decides != NULL &&
		    (is_judged(decides) || has(decides, X_COMPLIANT, "false"));
	}
	return bad	    ? "NON-COMPLIANT" :
	    missing || !any ? "INCOMPLETE" :
			      "COMPLIANT";
}

/* --- restarts --------------------------------------------------------- */

/* True if this is the draft that recovery made of f. */
static bool
is_interrupted(const struct node *f, const struct seen *s)
{
	char dir[4096], path[4096 + 300];
	const char *end = strstr(s->path, ".interrupted.part");
	size_t n;

	node_path(f->parent, dir);
	snprintf(path, sizeof path, "%s/%s", dir, f->name);
	n = strlen(dir) + 1 + (strlen(f->name) < 200 ? strlen(f->name) : 200);
	return !s->dir && end != NULL && end[17] == '\0' &&
	    strncmp(s->path, path, n) == 0;
}

static const struct seen *
seen_at(const struct seen *seen, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(seen[i].path, path) == 0)
			return &seen[i];
	return NULL;
}

static bool
wrong(char text[512], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, 512, fmt, ap);
	va_end(ap);
	return false;
}

/* Take owner, mode, times and attributes from the vault: none is promised.
 * Claims are. */
static void
learn(struct node *f, const struct seen *s)
{
	f->mode = s->mode;
	f->uid = s->uid;
	f->gid = s->gid;
	f->mtime_known = false;
	for (int x = 0; x < FILE_XATTRS; x++) {
		free(f->xattr[x]);
		f->xattr[x] = s->xattr[x] != NULL ? strdup(s->xattr[x]) : NULL;
	}
}

/* Check a file that was not sealed or closed when the daemon was killed. */
static bool
survive(struct model *m, struct node *f, const struct seen *seen, size_t n,
    const struct seen *there, char text[512])
{
	const struct seen *part = NULL;
	char path[4096];

	node_path(f, path);
	for (size_t i = 0; i < n && part == NULL; i++)
		if (is_interrupted(f, &seen[i]) && &seen[i] != there)
			part = &seen[i];
	if (there == NULL && part == NULL) {
		if (f->flushed)
			return wrong(text, "%s: what was flushed is gone",
			    path);
		forget(m, f);
		return true;
	}
	if (there == NULL)
		there = part;
	/* Its row may be written shortly before its bytes leave the memory. */
	if (!f->doubt && !same(&there->bytes, &f->now) &&
	    !same(&there->bytes, &f->durable) &&
	    (f->flushed || there->bytes.n > 0))
		return wrong(text, "%s: %zu bytes that nobody wrote", path,
		    there->bytes.n);
	if (strcmp(there->state, "sealed") == 0) {
		if (is_draft(f) || !f->flushed || (f->dirty && !f->doubt) ||
		    (!f->durable_written && f->durable.n == 0))
			return wrong(text, "%s is sealed, unfinished", path);
		if (!same(&there->bytes, &f->durable) && !f->doubt)
			return wrong(text, "%s: sealed other bytes", path);
		seal_file(f);
	} else if (f->flushed && !f->dirty && !is_draft(f) && is_written(f)) {
		return wrong(text, "%s was flushed and is %s", path,
		    there->state);
	} else if (there == part) {
		free(f->name);
		f->name = strdup(strrchr(part->path, '/') + 1);
	}
	/* The mark that it was written is lost with the bytes. */
	if (f->flushed && !f->durable_written && f->durable.n == 0 &&
	    there != part)
		f->written = false;
	learn(f, there);
	copy(&f->now, &there->bytes);
	flush(f);
	f->found = true;
	return true;
}

static bool
restart_file(struct model *m, struct node *f, bool crash, bool open,
    const struct seen *seen, size_t n, char text[512])
{
	const struct seen *there;
	char path[4096];

	node_path(f, path);
	there = seen_at(seen, n, path);
	if (open || (f->doubt && !f->sealed))
		return survive(m, f, seen, n, there, text);
	if (there == NULL)
		return wrong(text, "%s is gone", path);
	if (crash && !f->sealed)
		learn(f, there);
	if (is_frozen(f))
		seal_file(f);
	f->found = true;
	return true;
}

/* After a crash, a directory without an entry and without nodes may be gone. */
static bool
restart_dirs(struct model *m, bool crash, const struct seen *seen, size_t n,
    char text[512])
{
	const struct seen *there;
	char path[4096];
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = m->n; i-- > 1;) {
			struct node *d = m->nodes[i];

			if (!d->dir || d->found)
				continue;
			there = seen_at(seen, n, node_path(d, path));
			d->found = there != NULL;
			if (d->found && crash && d->level == 3 &&
			    d->name[0] == '.')
				learn(d, there);
			if (d->found || has_children(m, d))
				continue;
			if (!crash || d->recorded || d->level < 3 ||
			    (d->level == 3 && d->name[0] != '.'))
				return wrong(text, "directory %s is gone",
				    path);
			forget(m, d);
			again = true;
		}
	}
	return true;
}

bool
model_restart(struct model *m, bool crash, const struct seen *seen, size_t n,
    char text[512])
{
	bool open;
	size_t i;

	for (int h = 0; h < SLOTS; h++) {
		if (m->slot[h] == NULL)
			continue;
		m->slot[h]->node->handles = 0;
		if (--m->slot[h]->refs == 0)
			free(m->slot[h]);
		m->slot[h] = NULL;
	}
	for (i = m->n; i-- > 1;) {
		m->nodes[i]->found = m->nodes[i]->filling = false;
		if (m->nodes[i]->unlinked)
			forget(m, m->nodes[i]);
	}
	for (i = m->n; i-- > 1;) {
		struct node *f = m->nodes[i];

		open = f->writers > 0;
		f->writers = 0;
		if (!f->dir && !restart_file(m, f, crash, open, seen, n, text))
			return false;
	}
	for (i = m->n; i-- > 1;)
		if (m->nodes[i]->closing)
			seal_closing(m, m->nodes[i]);
	if (!restart_dirs(m, crash, seen, n, text))
		return false;
	for (i = 0; i < n; i++) {
		struct node *d = model_find(m, seen[i].path);

		if (d == NULL || !d->found)
			return wrong(text, "%s: nobody made it", seen[i].path);
	}
	return true;
}
