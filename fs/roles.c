/* The access control lists that members of a role need: see roles.h. */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "roles.h"

/* posix_acl_xattr.h of the kernel. */
#define ACL_VERSION 2
#define ACL_USER_OBJ 1
#define ACL_GROUP_OBJ 4
#define ACL_GROUP 8
#define ACL_MASK 16
#define ACL_OTHER 32
#define ACL_NO_ID UINT32_MAX
#define ACL_ENTRY_SIZE 8 /* bytes */

#define GROUP_BITS 070u
#define WRITE_BITS 0222u
#define MARK 020u

void
fs_roles_set(struct fs_roles *r, const struct tf_vault *v)
{
	const struct tf_role_group *auditors = tf_vault_role(v, TF_AUDITORS),
				   *admins = tf_vault_role(v, TF_ADMINS);

	r->auditors = auditors->name[0] != '\0' ? auditors : NULL;
	r->admins = admins->name[0] != '\0' ? admins : NULL;
}

bool
fs_roles_any(const struct fs_roles *r)
{
	return r->auditors != NULL || r->admins != NULL;
}

/* --- lists ---------------------------------------------------------------- */

struct list {
	unsigned char *p;
	size_t n;
};

static void
add(struct list *l, unsigned tag, unsigned perm, uint32_t id)
{
	const uint16_t head[] = { htole16((uint16_t)tag),
		htole16((uint16_t)perm) };
	const uint32_t who = htole32(id);

	memcpy(l->p + l->n, head, sizeof head);
	memcpy(l->p + l->n + sizeof head, &who, sizeof who);
	l->n += sizeof head + sizeof who;
}

/* The named entries are in the order of their ids. */
static void
add_roles(struct list *l, const struct fs_roles *r, unsigned auditor,
    unsigned admin)
{
	const struct tf_role_group *a = r->auditors, *b = r->admins;

	if (a != NULL && b != NULL && a->gid == b->gid) {
		add(l, ACL_GROUP, auditor | admin, a->gid);
		return;
	}
	if (b != NULL && (a == NULL || b->gid < a->gid))
		add(l, ACL_GROUP, admin, b->gid);
	if (a != NULL)
		add(l, ACL_GROUP, auditor, a->gid);
	if (b != NULL && a != NULL && a->gid < b->gid)
		add(l, ACL_GROUP, admin, b->gid);
}

/* A member of a role has also what all others have: once an entry for a group
 * matches, the kernel does not look at the bits of others. */
size_t
fs_roles_acl(const struct fs_roles *r, const struct stat *st,
    enum fs_admin admin, unsigned char *out)
{
	const uint32_t version = htole32(ACL_VERSION);
	unsigned user = st->st_mode >> 6 & 7, group = st->st_mode >> 3 & 7,
		 other = st->st_mode & 7, all = group & other;
	unsigned reads = S_ISDIR(st->st_mode) ? 5 : 4;
	unsigned writes = admin == FS_ADMIN_WRITES ? reads | 2 : reads;
	struct list l = { out, sizeof version };

	if ((r->auditors == NULL || (all & reads) == reads) &&
	    (r->admins == NULL || (all & writes) == writes))
		return 0;
	memcpy(out, &version, sizeof version);
	add(&l, ACL_USER_OBJ, user, ACL_NO_ID);
	add(&l, ACL_GROUP_OBJ, group, ACL_NO_ID);
	add_roles(&l, r, reads | other, writes | other);
	/* A program that cannot copy the list makes the mask the mode of the
	 * group. */
	add(&l, ACL_MASK,
	    group | (r->auditors != NULL ? reads | other : 0) |
		(r->admins != NULL ? writes | other : 0),
	    ACL_NO_ID);
	add(&l, ACL_OTHER, other, ACL_NO_ID);
	return l.n;
}

static bool
is_role(const struct fs_roles *r, uint32_t gid)
{
	return (r->auditors != NULL && r->auditors->gid == gid) ||
	    (r->admins != NULL && r->admins->gid == gid);
}

bool
fs_roles_read_acl(const struct fs_roles *r, const void *value, size_t size,
    unsigned *mode)
{
	const unsigned char *p = value;
	const unsigned base = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
	unsigned user = 0, group = 0, other = 0, mask = 7, seen = 0;
	uint16_t head[2];
	uint32_t word;

	if (size < sizeof word || (size - sizeof word) % ACL_ENTRY_SIZE != 0)
		return false;
	memcpy(&word, p, sizeof word);
	if (le32toh(word) != ACL_VERSION)
		return false;
	for (size_t i = sizeof word; i < size; i += ACL_ENTRY_SIZE) {
		unsigned perm;

		memcpy(head, p + i, sizeof head);
		memcpy(&word, p + i + sizeof head, sizeof word);
		perm = le16toh(head[1]) & 7;
		seen |= le16toh(head[0]);
		switch (le16toh(head[0])) {
		case ACL_USER_OBJ:
			user = perm;
			break;
		case ACL_GROUP_OBJ:
			group = perm;
			break;
		case ACL_OTHER:
			other = perm;
			break;
		case ACL_MASK:
			mask = perm;
			break;
		case ACL_GROUP:
			if ((perm & 4) != 0 && is_role(r, le32toh(word)))
				break;
			return false;
		default:
			return false;
		}
	}
	*mode = user << 6 | (group & mask) << 3 | other;
	return (seen & base) == base;
}

/* --- modes ---------------------------------------------------------------- */

void
fs_roles_mark(const struct fs_roles *r, struct stat *st)
{
	if (fs_roles_any(r) && (st->st_mode & GROUP_BITS) == 0)
		st->st_mode |= MARK;
}

unsigned
fs_roles_unmark(const struct fs_roles *r, unsigned now, unsigned mode)
{
	bool is_marked = (now & GROUP_BITS) == 0 || (mode & GROUP_BITS) == MARK;

	return fs_roles_any(r) && is_marked ? mode & ~MARK : mode;
}

bool
fs_roles_closes(const struct fs_roles *r, unsigned now, unsigned mode)
{
	/* The mark alone is no wish: chmod u-w leaves it. */
	return (mode & WRITE_BITS) != 0 && (mode & GROUP_BITS) != MARK &&
	    (fs_roles_unmark(r, now, mode) & WRITE_BITS) == 0;
}

unsigned
fs_roles_unmark_new(const struct fs_roles *r, unsigned mode)
{
	return fs_roles_unmark(r, mode, mode);
}
