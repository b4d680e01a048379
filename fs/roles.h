/*
 * The members of auditors= and admins=, as the kernel sees them.
 *
 * The kernel checks permissions itself (default_permissions).  With these roles
 * it also asks for the access control list of each node (FUSE_POSIX_ACL), and
 * checks that.  The list follows from owner, group and mode of the node: it has
 * an entry per role, so that nothing has to be stored and nobody can change it.
 *
 * The kernel asks for a list only where the group has a bit of the mode.  Where
 * it has none, a mode is shown with a mark, the write bit of the group.  For a
 * directory that bit means nothing without the search bit, and content of
 * evidence never changes.
 *
 * Programs compute the mode that they set from the one that they see, so the mark
 * comes back with bits that were asked for: chmod g+rx asks for 0770 where 0720
 * is shown for 0700.  A request cannot say whether the write bit is meant, and
 * the group gets it only if it had another bit before.
 */
#ifndef FS_ROLES_H
#define FS_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "core/vault.h"

#define FS_ACL_XATTR "system.posix_acl_access"
#define FS_DEFAULT_ACL_XATTR "system.posix_acl_default"

/* Set by fs_roles_set before there are requests, then never changed. */
struct fs_roles {
	const struct tf_role_group *auditors, *admins; /* or NULL */
};

void fs_roles_set(struct fs_roles *r, const struct tf_vault *v);
/* Is there a role that the kernel must know of? */
bool fs_roles_any(const struct fs_roles *r);

/* What members of admins= may do with a node beyond reading it. */
enum fs_admin { FS_ADMIN_READS, FS_ADMIN_WRITES };

#define FS_ACL_SIZE (4 + 6 * 8)
/*
 * Write the list of a node with this owner, group and mode to out, which has
 * FS_ACL_SIZE bytes, as the value of FS_ACL_XATTR.  Returns its size; 0: the
 * mode alone gives the roles what they need.
 */
size_t fs_roles_acl(const struct fs_roles *r, const struct stat *st,
    enum fs_admin admin, unsigned char *out);

/* Set *mode to the permission bits that a list gives to owner, group and others.
 * False: it is malformed, names somebody who has no role, or does not let a role
 * read. */
bool fs_roles_read_acl(const struct fs_roles *r, const void *value, size_t size,
    unsigned *mode);

/* Put the mark into the mode of a node to be shown, if it needs one. */
void fs_roles_mark(const struct fs_roles *r, struct stat *st);
/* The mode that a request for mode gives to a node whose real mode is now. */
unsigned fs_roles_unmark(const struct fs_roles *r, unsigned now, unsigned mode);
/* Would that mode take the last right to write from the node, though the request
 * leaves some?  A directory would be closed, which nobody asked for. */
bool fs_roles_closes(const struct fs_roles *r, unsigned now, unsigned mode);
/* The mode that a request for mode gives to a new node.  A program that copies a
 * node asks for the mode that it saw. */
unsigned fs_roles_unmark_new(const struct fs_roles *r, unsigned mode);

#endif
