/* Owner, group and mode of what is in a mount: see modes.h. */
#include "modes.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "core/base/bytes.h"

#define GROUP_BITS 070u
#define MARK 020u

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
