/*
 * Names of users and groups.  The name service may be slow (LDAP), so what it
 * said is kept for a minute; a small direct-mapped table is enough.
 */
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "users.h"

#define SLOTS 64
#define KEEP_NS (60 * (uint64_t)1000000000)

struct slot {
	bool used;
	uint32_t id;
	uint64_t until_ns;
	char name[257];
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct slot users[SLOTS], groups[SLOTS]; /* guarded by mu */

static void
ask(bool group, uint32_t id, char out[257])
{
	char buf[8192];
	struct passwd pw, *p = NULL;
	struct group gr, *g = NULL;

	out[0] = '\0';
	if (group) {
		if (getgrgid_r(id, &gr, buf, sizeof(buf), &g) == 0 && g)
			(void)snprintf(out, 257, "%s", g->gr_name);
	} else {
		if (getpwuid_r(id, &pw, buf, sizeof(buf), &p) == 0 && p)
			(void)snprintf(out, 257, "%s", p->pw_name);
	}
}

static void
name(bool group, uint32_t id, char *out, size_t size)
{
	struct slot *s = &(group ? groups : users)[id % SLOTS];
	uint64_t now = tf_clock_boot_ns();
	char fresh[257];

	pthread_mutex_lock(&mu);
	if (s->used && s->id == id && now < s->until_ns) {
		(void)snprintf(out, size, "%s", s->name);
		pthread_mutex_unlock(&mu);
		return;
	}
	pthread_mutex_unlock(&mu);
	ask(group, id, fresh);
	(void)snprintf(out, size, "%s", fresh);
	pthread_mutex_lock(&mu);
	*s = (struct slot){ .used = true, .id = id, .until_ns = now + KEEP_NS };
	memcpy(s->name, fresh, sizeof(fresh));
	pthread_mutex_unlock(&mu);
}

void
tf_user_name(uint32_t uid, char *out, size_t size)
{
	name(false, uid, out, size);
}

void
tf_group_name(uint32_t gid, char *out, size_t size)
{
	name(true, gid, out, size);
}
