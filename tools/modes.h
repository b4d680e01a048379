/*
 * Owner, group and mode of what is in a mount, and what they give to whom.
 */
#ifndef TRAILCTL_MODES_H
#define TRAILCTL_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "core/error.h"

#define MODES_READ 4u
#define MODES_WRITE 2u
#define MODES_SEARCH 1u

#define MODES_NAME_SIZE 257

/* The permission bits of st.  A mode that gives the group nothing is shown with
 * a mark where the mount has roles (Roles in trailfs-access(7)); here it has none. */
unsigned modes_of(const struct stat *st);

/*
 * chmod(2) for a mode that means what it says.  Where a mode is shown with a mark,
 * the group gets the write bit only by a second request.  Returns 0, or -1 with
 * errno.
 */
TF_MUST_USE int modes_set(const char *file, unsigned mode);

/* What reading needs: of a directory, to search it too. */
unsigned modes_reading(const struct stat *st);

/* The name of a user or group, or the number. */
void modes_user(uid_t uid, char out[MODES_NAME_SIZE]);
void modes_group(gid_t gid, char out[MODES_NAME_SIZE]);

/* A group that has a role in a mount, see Roles in trailfs-access(7). */
struct modes_role {
	gid_t gid;
	bool writes; /* the file, for which only members of admins= can */
};
#define MODES_ROLES 2

/* Set role to the groups that may read the file because of their roles.  Returns
 * how many there are; 0 also if that cannot be read. */
size_t modes_roles(const char *file, struct modes_role role[MODES_ROLES]);

/* Is the group for this user alone, as useradd(8) makes one? */
bool modes_is_private(uid_t uid, gid_t gid);

/* The group with this name or number.  TF_USAGE. */
TF_MUST_USE enum tf_code modes_find_group(const char *name, gid_t *gid,
    struct tf_error *err);

#endif
