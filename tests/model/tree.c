/* Names and nodes; see tree.h. */
#include "tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int sys;
	const char *name;
} known[] = { { 0, "success" }, { EPERM, "EPERM" }, { ENOENT, "ENOENT" },
	{ EBADF, "EBADF" }, { EACCES, "EACCES" }, { EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" }, { ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" },
	{ EINVAL, "EINVAL" }, { EROFS, "EROFS" }, { ENODATA, "ENODATA" },
	{ ENAMETOOLONG, "ENAMETOOLONG" }, { ENOTEMPTY, "ENOTEMPTY" },
	{ EILSEQ, "EILSEQ" }, { EOPNOTSUPP, "EOPNOTSUPP" } };

answers
answer_of(int sys)
{
	for (size_t i = 0; i < LEN(known); i++)
		if (known[i].sys == sys)
			return 1u << i;
	return 0;
}

const char *
answer_names(answers a, char text[256])
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < LEN(known); i++)
		if ((a >> i & 1) != 0)
			n += (size_t)snprintf(text + n, 256 - n, "%s%s",
			    n > 0 ? " or " : "", known[i].name);
	return text;
}

void
fill(unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8));
}

void
resize(struct bytes *b, size_t n)
{
	b->p = realloc(b->p, n + 1);
	if (n > b->n)
		memset(b->p + b->n, 0, n - b->n);
	b->n = n;
}

void
copy(struct bytes *to, const struct bytes *from)
{
	resize(to, from->n);
	if (from->n > 0)
		memcpy(to->p, from->p, from->n);
}

bool
same(const struct bytes *a, const struct bytes *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* --- names ------------------------------------------------------------ */

static bool
ends(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n > k && strcmp(name + n - k, end) == 0;
}

/* Is it .NAME.XXXXXX?  *odd: one of the six is a digit or a capital. */
static bool
has_six(const char *name, bool *odd)
{
	const char *dot = strrchr(name, '.');

	*odd = false;
	if (name[0] != '.' || dot <= name + 1 || strlen(dot + 1) != 6)
		return false;
	for (dot++; *dot != '\0'; dot++) {
		if ((*dot >= '0' && *dot <= '9') ||
		    (*dot >= 'A' && *dot <= 'Z'))
			*odd = true;
		else if (*dot < 'a' || *dot > 'z')
			return false;
	}
	return true;
}

/* As rsync makes it. */
static bool
by_rsync(const char *name)
{
	bool odd;

	return has_six(name, &odd) && odd;
}

bool
settles_always(const struct node *f)
{
	bool odd;

	return has_six(f->name, &odd) && !odd;
}

static bool
is_temporary(const char *name)
{
	static const char *const endings[] = { "~", ".tmp", ".part", ".partial",
		".crdownload", ".filepart", ".aria2" };
	static const char *const beginnings[] = { ".#", ".goutputstream-", "~$",
		".nfs", ".fuse_hidden" };
	size_t n = strlen(name);

	for (size_t i = 0; i < LEN(endings); i++)
		if (ends(name, endings[i]))
			return true;
	for (size_t i = 0; i < LEN(beginnings); i++)
		if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	if (n > 1 && name[n - 1] == '#' &&
	    (name[0] == '#' || strncmp(name, ".~lock.", 7) == 0))
		return true;
	if (name[0] == '.' && ends(name, ".kate-swp"))
		return true;
	if (name[0] == '.' && n > 5 && memcmp(name + n - 4, ".sw", 3) == 0)
		return true;
	if (name[0] == '.' && n > 6 && memcmp(name + n - 5, ".sw", 3) == 0 &&
	    name[n - 1] == 'x')
		return true;
	return by_rsync(name);
}

bool
is_draft_dir(const char *name)
{
	return strcmp(name, ".~tmp~") == 0 ||
	    strcmp(name, ".rsync-partial") == 0;
}

bool
is_draft_at(const struct node *dir, const char *name)
{
	if (is_temporary(name))
		return true;
	for (; dir->level > 3; dir = dir->parent)
		if (is_draft_dir(dir->name))
			return true;
	return dir->level == 3 && dir->name[0] == '.';
}

bool
is_draft(const struct node *f)
{
	return is_draft_at(f->parent, f->name);
}

/* Read the next code point of UTF-8; -1 if the bytes are not UTF-8. */
static long
code_point(const unsigned char **p)
{
	static const long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int more = **p < 0x80 ? 0 :
	    **p >> 5 == 6     ? 1 :
	    **p >> 4 == 14    ? 2 :
	    **p >> 3 == 30    ? 3 :
				-1;
	long c = more < 0 ? -1 : more == 0 ? **p : **p & (0x3f >> more);

	(*p)++;
	for (int i = 0; c >= 0 && i < more; i++, (*p)++) {
		if (**p >> 6 != 2)
			return -1;
		c = c << 6 | (**p & 0x3f);
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || more < 0)
		return -1;
	return c < least[more + 1] ? -1 : c;
}

/* Control characters and characters that change the direction of text. */
static bool
is_shown(long c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0x2028 &&
	    c != 0x2029 && c != 0x61c && c != 0x200e && c != 0x200f &&
	    (c < 0x202a || c > 0x202e) && (c < 0x2066 || c > 0x2069);
}

answers
evidence_name(const char *name)
{
	answers no = strlen(name) > 255 ? ON(ENAMETOOLONG) : 0;
	const unsigned char *p = (const unsigned char *)name;
	long c;

	while (*p != '\0') {
		if ((c = code_point(&p)) < 0)
			return no | ON(EILSEQ) | ON(EINVAL);
		if (!is_shown(c))
			no |= ON(EINVAL);
	}
	return no;
}

static const char plain[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._~-";

answers
upper_name(const char *name, size_t n)
{
	answers no = n > 255 ? ON(ENAMETOOLONG) : 0;

	if (n == 0 || strchr("._~-", name[0]) != NULL ||
	    strspn(name, plain) < n)
		no |= ON(EINVAL) | (evidence_name(name) & ON(EILSEQ));
	return no;
}

/* --- the tree --------------------------------------------------------- */

struct node *
child(struct model *m, const struct node *dir, const char *name)
{
	for (size_t i = 1; i < m->n; i++)
		if (m->nodes[i]->parent == dir && !m->nodes[i]->unlinked &&
		    strcmp(m->nodes[i]->name, name) == 0)
			return m->nodes[i];
	return NULL;
}

struct node *
add(struct model *m, struct node *dir, const char *name, bool is_dir)
{
	struct node *d = calloc(1, sizeof *d);

	if (m->n == m->cap) {
		m->cap = m->cap * 2 + 64;
		m->nodes = realloc(m->nodes, m->cap * sizeof m->nodes[0]);
	}
	d->parent = dir;
	d->name = strdup(name);
	d->level = dir == NULL ? 0 : dir->level < 4 ? dir->level + 1 : 4;
	d->dir = is_dir;
	m->nodes[m->n++] = d;
	return d;
}

void
forget(struct model *m, struct node *d)
{
	size_t i = 0;

	while (m->nodes[i] != d)
		i++;
	m->nodes[i] = m->nodes[--m->n];
	for (int x = 0; x < XATTRS; x++)
		free(d->xattr[x]);
	free(d->now.p);
	free(d->durable.p);
	free(d->name);
	free(d);
}

void
unlink_node(struct model *m, struct node *f)
{
	f->unlinked = true;
	if (f->handles == 0)
		forget(m, f);
}

bool
is_below(const struct node *d, const struct node *dir)
{
	while (d != NULL && d != dir)
		d = d->parent;
	return d != NULL;
}

/* The attestation that d is or is in, else NULL. */
struct node *
attestation(const struct node *d)
{
	while (d != NULL && d->level > 3)
		d = d->parent;
	return d != NULL && d->level == 3 ? (struct node *)d : NULL;
}

bool
is_closed(const struct node *dir)
{
	const struct node *a = attestation(dir);

	return a != NULL ? a->sealed || a->closing :
			   dir->sealed || dir->closing;
}

bool
is_closing(const struct node *d)
{
	const struct node *a = attestation(d);

	return a != NULL ? a->closing : d->closing;
}

/* A file with bytes counts as written, however they were made. */
bool
is_written(const struct node *f)
{
	return f->written || f->now.n > 0;
}

bool
is_frozen(const struct node *f)
{
	return is_written(f) && !f->sealed && f->writers == 0 && !is_draft(f);
}

/* Empty, not written, and without a writer. */
bool
is_placeholder(const struct node *f)
{
	return !is_written(f) && !f->sealed && f->writers == 0 && !is_draft(f);
}

const char *
node_state(const struct node *d)
{
	if (d->dir) {
		const struct node *a = attestation(d);

		if (a == NULL)
			a = d;
		return a->sealed		       ? "sealed" :
		    a->closing			       ? "closing" :
		    a->level == 3 && a->name[0] == '.' ? "draft" :
							 "open";
	}
	return d->sealed    ? "sealed" :
	    is_draft(d)	    ? "draft" :
	    !is_written(d)  ? "placeholder" :
	    d->writers == 0 ? "frozen" :
			      "open";
}

/* A directory below an attestation has the permissions of the attestation,
 * without those that its own mode lacks. */
void
node_access(const struct node *d, unsigned *mode, uid_t *uid, gid_t *gid)
{
	unsigned own = 07777;

	if (d->dir && d->level > 3) {
		own = d->mode | 07000;
		d = attestation(d);
	}
	*mode = d->mode & own;
	*uid = d->uid;
	*gid = d->gid;
}

bool
may(const struct node *d, uid_t who, unsigned want)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;

	node_access(d, &mode, &uid, &gid);
	if (who == 0)
		return true;
	mode >>= who == uid ? 6 : who == gid ? 3 : 0;
	return (mode & want) == want;
}

/* True for root and the owner. */
bool
owns(const struct node *d, uid_t who)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;

	node_access(d, &mode, &uid, &gid);
	return who == 0 || who == uid;
}

char *
node_path(const struct node *d, char path[4096])
{
	char rest[4096];

	if (d->parent == NULL)
		return strcpy(path, ".");
	snprintf(path, 4096, "%s", d->name);
	for (d = d->parent; d->parent != NULL; d = d->parent) {
		strcpy(rest, path);
		snprintf(path, 4096, "%s/%.3500s", d->name, rest);
	}
	return path;
}

/* The length in bytes of the path of name in dir below its attestation. */
size_t
length_below(const struct node *dir, const char *name)
{
	size_t n = strlen(name);

	for (; dir->level > 3; dir = dir->parent)
		n += strlen(dir->name) + 1;
	return n;
}

struct place
walk(struct model *m, uid_t who, const char *path)
{
	struct place at = { .node = m->nodes[0] };
	size_t n;

	if (strcmp(path, ".") == 0) {
		at.no = may(at.node, who, X) ? 0 : ON(EACCES);
		return at;
	}
	for (; *path != '\0'; path += n + (path[n] == '/')) {
		if (at.control || at.node == NULL)
			at.no = ON(ENOENT) | (at.control ? ON(EACCES) : 0);
		else if (!at.node->dir)
			at.no = ON(ENOTDIR);
		else if (!may(at.node, who, X))
			at.no = ON(EACCES);
		if (at.no != 0)
			return at;
		if ((n = strcspn(path, "/")) > 255) {
			at.no = ON(ENAMETOOLONG);
			return at;
		}
		snprintf(at.name, sizeof at.name, "%.*s", (int)n, path);
		at.dir = at.node;
		at.node = child(m, at.dir, at.name);
		at.control = strcmp(at.name, CONTROL) == 0;
	}
	return at;
}

struct node *
model_find(struct model *m, const char *path)
{
	struct place at = walk(m, 0, path);

	return at.no == 0 ? at.node : NULL;
}
