/* The operations that a vault refuses; see model.h.  If two rules are broken at
 * once, either errno is correct.  The kernel checks search and write permission
 * and file types itself, before it asks the vault. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/* --- refusals --------------------------------------------------------- */

static answers
evidence_place(const struct node *dir, const char *name)
{
	answers no = evidence_name(name);

	if (dir->level < 3)
		no |= ON(EPERM);
	else if (length_below(dir, name) > 1024)
		no |= ON(ENAMETOOLONG);
	return no | (is_closed(dir) ? ON(EROFS) : 0);
}

/* NAME@N needs version N-1 to be sealed, or closing if mkdir(2) makes it. */
static answers
attestation_name(struct model *m, struct node *dir, const char *name, bool made)
{
	const char *at = strchr(name, '@');
	size_t n = at != NULL ? (size_t)(at - name) : strlen(name);
	answers no = upper_name(name, n);
	char before[300];
	struct node *a;
	long number;

	if (at == NULL)
		return no;
	number = strtol(at + 1, NULL, 10);
	snprintf(before, sizeof before, "%ld", number);
	if (number < 2 || strcmp(before, at + 1) != 0)
		return no | ON(EINVAL);
	snprintf(before, sizeof before, "%.*s", (int)n, name);
	if (number > 2)
		snprintf(before + n, sizeof before - n, "@%ld", number - 1);
	a = child(m, dir, before);
	return no |
	    (a == NULL || !(a->sealed || (made && a->closing)) ? ON(EPERM) : 0);
}

static answers
expect_new_dir(struct model *m, struct node *dir, const char *name, bool made)
{
	answers no = is_closed(dir) ? ON(EROFS) : 0;

	if (dir->level >= 3)
		return evidence_place(dir, name);
	if (dir->level < 2)
		return no | upper_name(name, strlen(name));
	if (name[0] == '.')
		return no | upper_name(name + 1, strlen(name) - 1) |
		    (strlen(name) > 255 ? ON(ENAMETOOLONG) : 0);
	return no | attestation_name(m, dir, name, made) |
	    (strlen(name) > 255 ? ON(ENAMETOOLONG) : 0);
}

static answers
expect_content_change(const struct node *f, uid_t who, unsigned flags)
{
	answers no = 0;

	if ((flags & (F_WRITE | F_TRUNC)) == 0)
		return 0;
	if (f->sealed || is_frozen(f))
		return ON(EPERM);
	if ((flags & F_TRUNC) != 0 && f->now.n > 0 && !is_draft(f))
		no |= ON(EPERM);
	if (f->writers > 0 && f->writer != who)
		no |= ON(EBUSY);
	if (is_closing(f))
		no |= ON(EROFS);
	return no;
}

static answers
expect_open_node(const struct node *d, uid_t who, unsigned flags)
{
	unsigned want = ((flags & F_READ) != 0 ? R : 0) |
	    ((flags & (F_WRITE | F_TRUNC)) != 0 ? W : 0);

	if (!may(d, who, want))
		return ON(EACCES);
	return d->dir ? 0 : expect_content_change(d, who, flags);
}

static answers
expect_open(struct model *m, const struct op *o)
{
	struct place at = walk(m, o->who, o->p);

	if (at.no != 0)
		return at.no;
	if (at.node != NULL || at.control) {
		if ((o->flags & F_EXCL) != 0 && (o->flags & F_CREATE) != 0)
			return ON(EEXIST);
		/* .trailfs is a directory too. */
		if ((at.control || at.node->dir) &&
		    (o->flags & (F_WRITE | F_TRUNC | F_CREATE)) != 0)
			return ON(EISDIR);
		if (at.control)
			return may(at.dir, o->who, R) ? YES : ON(EACCES);
		return expect_open_node(at.node, o->who, o->flags);
	}
	if ((o->flags & F_CREATE) == 0)
		return ON(ENOENT);
	if (!may(at.dir, o->who, W | X))
		return ON(EACCES);
	return evidence_place(at.dir, at.name);
}

/* The file loses its name, by unlink or because it is replaced. */
static answers
expect_loss(const struct node *f, uid_t who)
{
	answers no = is_closing(f) ? ON(EROFS) : 0;

	if (f->sealed || (is_written(f) && !is_draft(f)) || !owns(f, who))
		no |= ON(EPERM);
	return no;
}

bool
has_children(struct model *m, const struct node *dir)
{
	for (size_t i = 1; i < m->n; i++)
		if (m->nodes[i]->parent == dir && !m->nodes[i]->unlinked)
			return true;
	return false;
}

/* The maker of a directory below an attestation is an owner of it too. */
static bool
owns_directory(const struct node *d, uid_t who)
{
	return owns(d, who) || d->uid == who;
}

static answers
expect_rmdir(struct model *m, const struct node *d, uid_t who)
{
	answers no = has_children(m, d) ? ON(ENOTEMPTY) | ON(EPERM) : 0;

	if (d->level == 3 && d->name[0] == '.' && !d->sealed)
		return no | (owns(d, who) ? 0 : ON(EPERM));
	if (d->level <= 3)
		return ON(EPERM) | no;
	if (is_closed(d))
		return ON(EPERM) | ON(EROFS) | no;
	return no | (d->recorded || !owns_directory(d, who) ? ON(EPERM) : 0);
}

/* True if a file below is open for writing. */
static bool
is_written_below(struct model *m, const struct node *dir)
{
	for (size_t i = 1; i < m->n; i++)
		if (m->nodes[i]->writers > 0 && !m->nodes[i]->unlinked &&
		    is_below(m->nodes[i], dir))
			return true;
	return false;
}

/* At its new place, all nodes in a directory must still be allowed. */
static answers
expect_move_below(struct model *m, struct node *d, struct node *dir,
    const char *name, uid_t who)
{
	size_t was = length_below(d->parent, d->name);
	size_t more = length_below(dir, name);
	answers no = d->recorded || !owns_directory(d, who) ? ON(EPERM) : 0;

	for (size_t i = 1; i < m->n; i++) {
		const struct node *f = m->nodes[i];

		if (f == d || f->unlinked || !is_below(f, d))
			continue;
		if (length_below(f->parent, f->name) - was + more > 1024)
			no |= ON(ENAMETOOLONG);
		if (attestation(d) != attestation(dir) ||
		    is_draft_at(d, "x") !=
			(is_draft_at(dir, "x") || is_draft_dir(name)))
			no |= ON(EPERM);
		if (!f->dir && (f->sealed || is_frozen(f)))
			no |= ON(EPERM);
		if (who != 0 && !f->dir && f->uid != who)
			no |= ON(EPERM);
	}
	return no;
}

static answers
expect_rename_dir(struct model *m, const struct op *o, struct place *from,
    struct place *to)
{
	struct node *d = from->node;
	answers no = 0;

	if (d->level < 3 || (d->level == 3 && (d->name[0] != '.' || d->sealed)))
		return ON(EPERM) | expect_new_dir(m, to->dir, to->name, false);
	if (to->node != NULL &&
	    (has_children(m, to->node) || to->node->recorded ||
		to->node->level < 3 || is_closed(to->node) ||
		(to->node->level == 3 && to->node->name[0] != '.')))
		no |= ON(EPERM) | ON(ENOTEMPTY);
	if (to->node != NULL && !owns_directory(to->node, o->who))
		no |= ON(EPERM);
	if (d->level > 3) {
		if (to->dir->level < 3)
			no |= ON(EPERM);
		no |= evidence_place(to->dir, to->name) |
		    expect_move_below(m, d, to->dir, to->name, o->who);
		return no;
	}
	if (to->dir != d->parent)
		no |= ON(EPERM) | upper_name(to->name, strlen(to->name));
	if (!owns(d, o->who))
		no |= ON(EPERM);
	if (to->name[0] != '.' && is_written_below(m, d))
		no |= ON(EBUSY);
	return no | expect_new_dir(m, to->dir, to->name, false);
}

static answers
expect_rename(struct model *m, const struct op *o)
{
	struct place from = walk(m, o->who, o->p), to = walk(m, o->who, o->q);
	struct node *f = from.node;
	answers no = 0;

	if ((o->flags & F_EXCHANGE) != 0 &&
	    (o->flags & (F_NOREPLACE | F_WHITEOUT)) != 0)
		return ON(EINVAL);
	/* The kernel refuses the root before it looks up the other name. */
	if (f == m->nodes[0] && from.no == 0 && to.no != 0)
		return ON(EBUSY) | to.no;
	if (from.no != 0 || to.no != 0)
		return from.no != 0 ? from.no : to.no;
	if (f == m->nodes[0] || to.node == m->nodes[0])
		return f != m->nodes[0] && (o->flags & F_NOREPLACE) != 0 ?
		    ON(EEXIST) :
		    ON(EBUSY);
	if (f == NULL && !from.control)
		return ON(ENOENT);
	if ((o->flags & F_NOREPLACE) != 0 && (to.node != NULL || to.control))
		return ON(EEXIST);
	if ((o->flags & F_EXCHANGE) != 0 && to.node == NULL && !to.control)
		return ON(ENOENT);
	if (from.control || to.control)
		return ON(EPERM) | ON(EACCES) | ON(EISDIR) | ON(EINVAL) |
		    ON(ENOTEMPTY);
	if (f->dir && is_below(to.dir, f))
		return ON(EINVAL);
	if (to.node != NULL && is_below(from.dir, to.node))
		return (o->flags & F_EXCHANGE) != 0 ? ON(EINVAL) :
						      ON(ENOTEMPTY);
	if (f == to.node)
		return 0;
	if (!may(from.dir, o->who, W | X) || !may(to.dir, o->who, W | X))
		return ON(EACCES);
	if (to.node != NULL && (o->flags & F_EXCHANGE) == 0 &&
	    f->dir != to.node->dir)
		return f->dir ? ON(ENOTDIR) : ON(EISDIR);
	/* The ".." of moved directories changes. */
	if (from.dir != to.dir &&
	    ((f->dir && !may(f, o->who, W)) ||
		((o->flags & F_EXCHANGE) != 0 && to.node->dir &&
		    !may(to.node, o->who, W))))
		return ON(EACCES);
	if ((o->flags & (F_EXCHANGE | F_WHITEOUT)) != 0)
		no |= ON(EINVAL);
	if (f->level > 3 && is_closing(f))
		no |= ON(EROFS);
	if (f->dir)
		return no | expect_rename_dir(m, o, &from, &to);
	no |= evidence_place(to.dir, to.name);
	if (f->sealed || !owns(f, o->who))
		no |= ON(EPERM);
	if (to.dir->level >= 3 && is_written(f) && !is_draft(f) &&
	    is_draft_at(to.dir, to.name))
		no |= ON(EPERM);
	if (to.node != NULL && !to.node->dir)
		no |= expect_loss(to.node, o->who);
	return no;
}

/* chmod(2) closes an attestation that has a file, and a directory that holds
 * only sealed and closed directories. */
bool
is_worth_sealing(struct model *m, const struct node *d)
{
	bool any = false;

	for (size_t i = 1; i < m->n; i++) {
		const struct node *c = m->nodes[i];

		if (c->unlinked || c == d || !is_below(c, d))
			continue;
		if (d->level == 3 && !c->dir)
			return true;
		if (d->level == 3 || c->parent != d || c->name[0] == '.')
			continue;
		if (!c->sealed && !c->closing)
			return false;
		any = true;
	}
	return any;
}

bool
takes_last_write_bit(const struct node *d, unsigned mode)
{
	return !d->sealed && !d->closing && (d->mode & 0222) != 0 &&
	    (mode & 0222) == 0;
}

static answers
expect_chmod(struct model *m, const struct node *d, const struct op *o)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;

	if (!owns(d, o->who))
		return ON(EPERM);
	if (!d->dir)
		return d->sealed && ((d->mode ^ o->mode) & 07333) != 0 ?
		    ON(EPERM) :
		    0;
	if (d->level > 3) {
		node_access(d, &mode, &uid, &gid);
		return mode != o->mode && attestation(d)->sealed &&
			(o->mode & 0222 & ~d->mode) != 0 ?
		    ON(EPERM) :
		    0;
	}
	if (d->level == 0 || d->mode == o->mode)
		return 0;
	if (d->sealed)
		return (o->mode & 0222 & ~d->mode) != 0 ? ON(EPERM) :
		    (o->mode & 0222) != 0		? ON(EPERM) | YES :
							  0;
	if (d->closing && d->level == 3 && d->parent->closing &&
	    (o->mode & 0222) != 0)
		return owns(d->parent, o->who) ? 0 : ON(EPERM);
	if (!takes_last_write_bit(d, o->mode) || d->level == 1)
		return 0;
	if (d->level == 3 && d->name[0] == '.')
		return 0;
	if (!is_worth_sealing(m, d))
		return 0;
	if (is_written_below(m, d))
		return ON(EBUSY);
	for (size_t i = 1; d->level == 3 && i < m->n; i++)
		if (m->nodes[i]->filling && !m->nodes[i]->unlinked &&
		    is_below(m->nodes[i], d))
			return ON(EBUSY);
	for (size_t i = 1; d->level == 2 && i < m->n; i++)
		if (m->nodes[i]->parent == d && m->nodes[i]->name[0] == '.')
			return ON(EBUSY);
	return 0;
}

static answers
expect_chown(const struct node *d, const struct op *o)
{
	uid_t uid, to = (uid_t)o->n;
	gid_t gid, group = (gid_t)o->at;
	unsigned mode;

	node_access(d, &mode, &uid, &gid);
	if (o->who != 0 && to != (uid_t)-1 && (o->who != uid || to != uid))
		return ON(EPERM);
	if (o->who != 0 && group != (gid_t)-1 &&
	    (o->who != uid || (group != o->who && group != gid)))
		return ON(EPERM);
	if (!d->dir && d->sealed && to != (uid_t)-1 && to != uid)
		return ON(EPERM);
	return 0;
}

static answers
expect_utimens(const struct node *d, const struct op *o)
{
	if (!owns(d, o->who)) {
		if ((o->flags & F_NOW) == 0)
			return ON(EPERM);
		if (!may(d, o->who, W))
			return ON(EACCES);
		return d->dir ? 0 : ON(EPERM) | (d->sealed ? 0 : YES);
	}
	if (!d->dir && d->sealed &&
	    ((o->flags & F_NOW) != 0 || !d->mtime_known ||
		d->mtime_ns != o->n * 1000000000))
		return ON(EPERM);
	return 0;
}

const char *const *
xattr_names(void)
{
	static const char *const names[XATTRS] = { "user.a", "user.b",
		"user.trailfs.description", "user.trailfs.annotation.k",
		"user.trailfs.type", "user.trailfs.compliant" };

	return names;
}

/* No trail defines the type ghost. */
const char *
xattr_value(int x, unsigned seed, char text[16])
{
	static const char *const types[] = { "generic", "junit", "ghost" };

	snprintf(text, 16, "%u", seed);
	return x == X_TYPE   ? types[seed % LEN(types)] :
	    x == X_COMPLIANT ? (seed % 3 > 0 ? "true" : "false") :
			       text;
}

static int
xattr_number(const char *name)
{
	for (int x = 0; x < XATTRS; x++)
		if (strcmp(name, xattr_names()[x]) == 0)
			return x;
	return -1;
}

/* True for a trail, a workflow or an attestation: people claim things about
 * them.  Only an attestation has a type and is compliant or not. */
static bool
has_claim(const struct node *d, int x)
{
	return d->dir && d->level >= (x >= X_TYPE ? 3 : 1) && d->level <= 3;
}

/* A claim is in the tree at once, and in the ledger at once or at the seal. */
static answers
expect_claim(const struct node *d, const struct op *o, int x)
{
	answers no = 0;

	if (o->verb == OP_GETXATTR)
		return d->xattr[x] == NULL ? ON(ENODATA) : 0;
	if (d->sealed)
		no |= ON(EPERM);
	if (is_closing(d))
		no |= ON(EROFS);
	if ((d->mode & 01000) != 0 && !owns(d, o->who))
		no |= ON(EPERM);
	if (d->xattr[x] == NULL &&
	    (o->verb == OP_REMOVEXATTR || (o->flags & F_REPLACE) != 0))
		no |= ON(ENODATA);
	if (d->xattr[x] != NULL && (o->flags & F_EXCL) != 0)
		no |= ON(EEXIST);
	return no;
}

static answers
expect_xattr(const struct node *d, const struct op *o)
{
	int x = xattr_number(o->q);
	answers no = 0;

	if (!may(d, o->who, o->verb == OP_GETXATTR ? R : W) &&
	    strncmp(o->q, "trusted.", 8) != 0)
		return ON(EACCES);
	if (strncmp(o->q, "user.", 5) != 0)
		return ON(EOPNOTSUPP);
	if (x >= FILE_XATTRS && has_claim(d, x))
		return expect_claim(d, o, x);
	if (x >= FILE_XATTRS && o->verb != OP_GETXATTR)
		return ON(EPERM) | ON(EOPNOTSUPP) | ON(ENODATA);
	if (strncmp(o->q, "user.trailfs.", 13) == 0)
		return o->verb == OP_GETXATTR ? YES | ON(ENODATA) : ON(EPERM);
	if (d->dir)
		return ON(EOPNOTSUPP) |
		    (o->verb != OP_SETXATTR ? ON(ENODATA) : 0);
	if (o->verb == OP_GETXATTR)
		return d->xattr[x] == NULL ? ON(ENODATA) : 0;
	if (d->sealed)
		no |= ON(EPERM);
	else if (!owns(d, o->who))
		no |= ON(EPERM);
	if (d->xattr[x] == NULL &&
	    (o->verb == OP_REMOVEXATTR || (o->flags & F_REPLACE) != 0))
		no |= ON(ENODATA);
	if (d->xattr[x] != NULL && (o->flags & F_EXCL) != 0)
		no |= ON(EEXIST);
	return no;
}

static answers
expect_on_node(struct model *m, const struct op *o)
{
	struct place at = walk(m, o->who, o->p);
	struct node *d = at.node;

	if (at.no != 0)
		return at.no;
	if (d == NULL && !at.control)
		return ON(ENOENT);
	if (o->verb == OP_UNLINK || o->verb == OP_RMDIR) {
		if (d == m->nodes[0])
			return o->verb == OP_UNLINK ? ON(EISDIR) : ON(EINVAL);
		if (!may(at.dir, o->who, W | X))
			return ON(EACCES);
	}
	if (at.control)
		return ON(EPERM) | ON(EISDIR) | ON(EACCES) | ON(EOPNOTSUPP) |
		    (o->verb == OP_LIST || o->verb == OP_SYNCDIR ||
				o->verb == OP_GETXATTR || o->verb == OP_CHOWN ||
				o->verb == OP_UTIMENS ?
			    YES | ON(ENODATA) :
			    0);
	switch (o->verb) {
	case OP_READ:
		return d->dir ?
		    ON(EISDIR) | (may(d, o->who, R) ? 0 : ON(EACCES)) :
		    may(d, o->who, R) ? 0 :
					ON(EACCES);
	case OP_LIST:
	case OP_SYNCDIR:
		return !d->dir	      ? ON(ENOTDIR) :
		    may(d, o->who, R) ? 0 :
					ON(EACCES);
	case OP_TRUNCATE:
		if (d->dir)
			return ON(EISDIR);
		if (!may(d, o->who, W))
			return ON(EACCES);
		if ((size_t)o->n == d->now.n)
			return 0;
		if (d->sealed || !is_draft(d))
			return ON(EPERM);
		if (is_closing(d))
			return ON(EROFS);
		return d->writers > 0 && d->writer != o->who ? ON(EBUSY) | YES :
							       0;
	case OP_UNLINK:
		return d->dir ? ON(EISDIR) : expect_loss(d, o->who);
	case OP_RMDIR:
		return !d->dir ? ON(ENOTDIR) : expect_rmdir(m, d, o->who);
	case OP_CHMOD:
		return expect_chmod(m, d, o);
	case OP_CHOWN:
		return expect_chown(d, o);
	case OP_UTIMENS:
		return expect_utimens(d, o);
	default:
		return expect_xattr(d, o);
	}
}

/* True if a directory would have fewer permissions than its attestation, which
 * another user owns. */
static bool
keeps_private(const struct node *dir, const struct op *o)
{
	const struct node *a = attestation(dir);

	return a != NULL && !owns(a, o->who) && (a->mode & ~o->mode & 055) != 0;
}

static answers
expect_new(struct model *m, const struct op *o)
{
	struct place at, from = { 0 };

	if (o->verb == OP_LINK) {
		from = walk(m, o->who, o->p);
		if (from.no != 0 || (from.node == NULL && !from.control))
			return from.no != 0 ? from.no : ON(ENOENT);
	}
	at = walk(m, o->who, o->verb == OP_LINK ? o->q : o->p);
	if (at.no != 0)
		return at.no;
	if (at.node != NULL || at.control)
		return ON(EEXIST);
	if (!may(at.dir, o->who, W | X))
		return ON(EACCES) | (o->verb == OP_LINK ? ON(EPERM) : 0);
	if (o->verb == OP_MKDIR)
		return expect_new_dir(m, at.dir, at.name, true) |
		    (keeps_private(at.dir, o) ? ON(EPERM) : 0);
	if (o->verb == OP_MKNOD && (o->flags & (F_FIFO | F_DEVICE)) == 0)
		return evidence_place(at.dir, at.name);
	return ON(EPERM) | evidence_place(at.dir, at.name);
}

bool
model_skips(const struct model *m, const struct op *o)
{
	const struct description *d;

	switch (o->verb) {
	case OP_OPEN:
		return m->slot[o->h] != NULL;
	case OP_WRITE:
	case OP_READ_FD:
	case OP_FTRUNCATE:
	case OP_FALLOCATE:
	case OP_FSYNC:
	case OP_CLOSE:
		return m->slot[o->h] == NULL;
	case OP_DUP:
	case OP_REOPEN:
		return m->slot[o->h] == NULL || m->slot[o->h2] != NULL ||
		    m->slot[o->h]->node->unlinked;
	case OP_MMAP:
		d = m->slot[o->h];
		return d == NULL ||
		    (d->flags & (F_READ | F_WRITE)) != (F_READ | F_WRITE) ||
		    (size_t)(o->at + o->n) > d->node->now.n;
	default:
		return false;
	}
}

answers
model_expect(struct model *m, const struct op *o)
{
	const struct description *d = m->slot[o->h];
	answers no;

	switch (o->verb) {
	case OP_OPEN:
		no = expect_open(m, o);
		break;
	case OP_WRITE:
	case OP_FALLOCATE:
		no = (d->flags & F_WRITE) != 0 ? 0 : ON(EBADF);
		break;
	case OP_READ_FD:
		no = (d->flags & F_READ) != 0 ? 0 : ON(EBADF);
		break;
	case OP_FTRUNCATE:
		no = (d->flags & F_WRITE) != 0 ? 0 : ON(EINVAL);
		break;
	case OP_REOPEN:
		no = expect_open_node(d->node, o->who, o->flags);
		break;
	case OP_RENAME:
		no = expect_rename(m, o);
		break;
	case OP_MKDIR:
	case OP_LINK:
	case OP_SYMLINK:
	case OP_MKNOD:
		no = expect_new(m, o);
		break;
	case OP_FSYNC:
	case OP_DUP:
	case OP_MMAP:
	case OP_CLOSE:
	case OP_KEEP:
	case OP_CRASH:
	case OP_REMOUNT:
		no = 0;
		break;
	default:
		no = expect_on_node(m, o);
		break;
	}
	return no != 0 ? no : YES;
}
