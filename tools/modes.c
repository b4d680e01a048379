/* Owner, group and mode of what is in a mount: see modes.h. */
#include "modes.h"

#include <endian.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/base/bytes.h"

#define GROUP_BITS 070u
#define MARK 020u

/* posix_acl_xattr.h of the kernel. */
#define ACL_XATTR "system.posix_acl_access"
#define ACL_GROUP 8
#define ACL_HEAD_SIZE 4
#define ACL_ENTRY_SIZE 8

unsigned
modes_of(const struct stat *st)
{
	unsigned mode = st->st_mode & 07777;

	return (mode & GROUP_BITS) == MARK ? mode & ~MARK : mode;
}

int
modes_set(const char *file, unsigned mode)
{
	struct stat st;

	if (chmod(file, mode) < 0 || lstat(file, &st) < 0)
		return -1;
	return (mode & ~modes_of(&st) & MARK) == 0 ? 0 : chmod(file, mode);
}

unsigned
modes_reading(const struct stat *st)
{
	return S_ISDIR(st->st_mode) ? MODES_READ | MODES_SEARCH : MODES_READ;
}

void
modes_user(uid_t uid, char out[MODES_NAME_SIZE])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		(void)snprintf(out, MODES_NAME_SIZE, "%s", pw->pw_name);
	else
		(void)snprintf(out, MODES_NAME_SIZE, "%u", (unsigned)uid);
}

void
modes_group(gid_t gid, char out[MODES_NAME_SIZE])
{
	const struct group *gr = getgrgid(gid);

	if (gr != NULL)
		(void)snprintf(out, MODES_NAME_SIZE, "%s", gr->gr_name);
	else
		(void)snprintf(out, MODES_NAME_SIZE, "%u", (unsigned)gid);
}

size_t
modes_roles(const char *file, struct modes_role role[MODES_ROLES])
{
	unsigned char acl[ACL_HEAD_SIZE + 64 * ACL_ENTRY_SIZE];
	const ssize_t size = getxattr(file, ACL_XATTR, acl, sizeof(acl));
	size_t n = 0;

	for (ssize_t i = ACL_HEAD_SIZE; i + ACL_ENTRY_SIZE <= size;
	     i += ACL_ENTRY_SIZE) {
		uint16_t head[2];
		uint32_t id;

		memcpy(head, acl + i, sizeof(head));
		memcpy(&id, acl + i + sizeof(head), sizeof(id));
		if (le16toh(head[0]) == ACL_GROUP && n < MODES_ROLES)
			role[n++] = (struct modes_role){ le32toh(id),
				(le16toh(head[1]) & MODES_WRITE) != 0 };
	}
	return n;
}

bool
modes_is_private(uid_t uid, gid_t gid)
{
	const struct passwd *pw = getpwuid(uid);
	const struct group *gr = getgrgid(gid);

	if (pw == NULL || gr == NULL)
		return pw == NULL && gr == NULL && uid == gid;
	if (pw->pw_gid != gid || strcmp(pw->pw_name, gr->gr_name) != 0)
		return false;
	for (char **m = gr->gr_mem; *m != NULL; m++)
		if (strcmp(*m, pw->pw_name) != 0)
			return false;
	return true;
}

enum tf_code
modes_find_group(const char *name, gid_t *gid, struct tf_error *err)
{
	const struct group *gr = getgrnam(name);
	uint64_t id = 0;

	if (gr == NULL && !tf_decimal(name, strlen(name), UINT32_MAX - 1, &id))
		return tf_fail(err, TF_USAGE,
		    "--group: there is no group %.64s", name);
	*gid = gr != NULL ? gr->gr_gid : (gid_t)id;
	return TF_OK;
}
