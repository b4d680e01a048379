/*
 * Preloaded into trailfs: a name service that does not answer.  While the file
 * exists that TRAILFS_TEST_HOLD names, a question about SLOW waits.  The names
 * of BIG come only into a buffer for a group of very many members.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOW 1001
#define BIG 1002
#define BIG_SIZE 300000 /* bytes of a buffer */

static char hold[512];

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("TRAILFS_TEST_HOLD");

	(void)snprintf(hold, sizeof(hold), "%s", path == NULL ? "" : path);
}

static void
wait_for_answer(unsigned id)
{
	const struct timespec moment = { 0, 10000000 };

	while (id == SLOW && hold[0] != '\0' && access(hold, F_OK) == 0)
		(void)nanosleep(&moment, NULL);
}

static int
answer(const char *kind, unsigned id, char *buf, size_t n)
{
	wait_for_answer(id);
	if (n < 64 || (id == BIG && n < BIG_SIZE))
		return ERANGE;
	(void)snprintf(buf, n, "%s%u", kind, id);
	return 0;
}

int
getpwuid_r(uid_t uid, struct passwd *p, char *buf, size_t n,
    struct passwd **out)
{
	int rc = answer("user", uid, buf, n);

	*out = rc == 0 ? p : NULL;
	memset(p, 0, sizeof(*p));
	p->pw_name = buf;
	return rc;
}

int
getgrgid_r(gid_t gid, struct group *g, char *buf, size_t n, struct group **out)
{
	int rc = answer("group", gid, buf, n);

	*out = rc == 0 ? g : NULL;
	memset(g, 0, sizeof(*g));
	g->gr_name = buf;
	return rc;
}
