/*
 * Names of users and groups: see users.h.  A small table holds what is known;
 * where it is full, the name that was longest not asked for goes.
 */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "users.h"

#define SETS 256 /* of WAYS slots; a name has its place in one of them */
#define WAYS 4
#define NAME_SIZE 257
#define KEEP_NS (60 * UINT64_C(1000000000))   /* what was heard */
#define STALE_NS (540 * UINT64_C(1000000000)) /* and used after that */
#define RETRY_NS (5 * UINT64_C(1000000000))   /* after an error */
#define PATIENCE_NS (2 * UINT64_C(1000000000))
#define ASKING_MAX 16	       /* threads that wait for the service */
#define BUFFER_MAX (16u << 20) /* a group with very many members */

struct slot {
	bool used, group;
	bool asking; /* a thread does; the slot stays what it is */
	bool late;   /* somebody waited in vain: nobody waits again */
	uint32_t id;
	uint64_t until_ns; /* fresh until then */
	uint64_t turn;	   /* when it was last wanted */
	char name[NAME_SIZE];
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t heard;	      /* an answer came */
static struct slot table[SETS][WAYS]; /* guarded by mu, as all below */
static uint64_t turn;
static unsigned asking;

static void
begin(void)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&heard, &attr);
	(void)pthread_condattr_destroy(&attr);
}

/* One question with a buffer of n bytes: 0, or an errno. */
static int
ask_once(bool group, uint32_t id, char *buf, size_t n, char out[NAME_SIZE])
{
	struct passwd pw, *p = NULL;
	struct group gr, *g = NULL;
	int rc;

	if (group)
		rc = getgrgid_r(id, &gr, buf, n, &g);
	else
		rc = getpwuid_r(id, &pw, buf, n, &p);
	if (rc == 0 && (g != NULL || p != NULL))
		(void)snprintf(out, NAME_SIZE, "%s",
		    group ? g->gr_name : p->pw_name);
	return rc;
}

/* Ask the service; false: it failed.  A group comes with all its members, so
 * the answer may be long. */
static bool
ask(bool group, uint32_t id, char out[NAME_SIZE])
{
	char *buf = NULL, *more;
	int rc = ERANGE;

	out[0] = '\0';
	for (size_t n = 4096; rc == ERANGE && n <= BUFFER_MAX; n *= 4) {
		if ((more = realloc(buf, n)) == NULL)
			break;
		buf = more;
		rc = ask_once(group, id, buf, n, out);
	}
	free(buf);
	return rc == 0;
}

static struct slot *
find(bool group, uint32_t id)
{
	struct slot *set = table[(id * 2 + group) % SETS];

	for (int i = 0; i < WAYS; i++)
		if (set[i].used && set[i].id == id && set[i].group == group)
			return &set[i];
	return NULL;
}

/* A slot for a new name, or NULL while all of its set are being asked for. */
static struct slot *
make(bool group, uint32_t id)
{
	struct slot *set = table[(id * 2 + group) % SETS], *s = NULL;

	for (int i = 0; i < WAYS; i++)
		if (!set[i].asking && (s == NULL || set[i].turn < s->turn))
			s = &set[i];
	if (s != NULL)
		*s = (struct slot){ .used = true, .group = group, .id = id };
	return s;
}

static void *
asker(void *arg)
{
	struct slot *s = arg;
	char name[NAME_SIZE];
	uint32_t id;
	bool group, ok;

	pthread_mutex_lock(&mu);
	group = s->group;
	id = s->id;
	pthread_mutex_unlock(&mu);
	ok = ask(group, id, name);
	pthread_mutex_lock(&mu);
	/* After an error the old name is better than none. */
	if (ok)
		memcpy(s->name, name, sizeof(name));
	s->until_ns = tf_clock_boot_ns() + (ok ? KEEP_NS : RETRY_NS);
	s->asking = s->late = false;
	asking--;
	pthread_cond_broadcast(&heard);
	pthread_mutex_unlock(&mu);
	return NULL;
}

/* Have a thread ask; mu held. */
static void
start_asker(struct slot *s)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (asking >= ASKING_MAX || pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	s->asking = true;
	asking++;
	if (pthread_create(&thread, &attr, asker, s) != 0) {
		s->asking = false;
		asking--;
	}
	(void)pthread_attr_destroy(&attr);
}

/* The slot of a name, being asked for if it is not fresh; mu held. */
static struct slot *
find_or_add(bool group, uint32_t id)
{
	struct slot *s = find(group, id);

	if (s == NULL && (s = make(group, id)) == NULL)
		return NULL;
	s->turn = ++turn;
	if (!s->asking && tf_clock_boot_ns() >= s->until_ns)
		start_asker(s);
	return s;
}

/* A name that is only a little old does. */
static bool
is_awaited(const struct slot *s, uint64_t now)
{
	return s != NULL && s->asking && !s->late &&
	    (s->until_ns == 0 || now >= s->until_ns + STALE_NS);
}

bool
tf_users_ask(uint32_t uid, uint32_t gid)
{
	uint64_t now = tf_clock_boot_ns();
	const struct slot *u, *g;
	bool known;

	(void)pthread_once(&once, begin);
	pthread_mutex_lock(&mu);
	u = find_or_add(false, uid);
	g = find_or_add(true, gid);
	known = !is_awaited(u, now) && !is_awaited(g, now);
	pthread_mutex_unlock(&mu);
	return known;
}

void
tf_users_learn(uint32_t uid, uint32_t gid)
{
	uint64_t now = tf_clock_boot_ns();
	struct timespec until;
	struct slot *u, *g;
	int rc = 0;

	(void)pthread_once(&once, begin);
	tf_clock_after(PATIENCE_NS, &until);
	pthread_mutex_lock(&mu);
	u = find_or_add(false, uid);
	g = find_or_add(true, gid);
	while (rc == 0 && (is_awaited(u, now) || is_awaited(g, now)))
		rc = pthread_cond_timedwait(&heard, &mu, &until);
	if (rc != 0 && is_awaited(u, now))
		u->late = true;
	if (rc != 0 && is_awaited(g, now))
		g->late = true;
	pthread_mutex_unlock(&mu);
}

static void
name(bool group, uint32_t id, char *out, size_t size)
{
	struct slot *s;

	pthread_mutex_lock(&mu);
	if ((s = find(group, id)) != NULL)
		s->turn = ++turn;
	(void)snprintf(out, size, "%s", s == NULL ? "" : s->name);
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
