/*
 * Names of users and groups: see users.h.  The cache is a set-associative
 * table; in a full set a new name replaces the least recently used one.  A
 * directory service may be slow or gone, so detached helper threads ask it,
 * and a caller waits at most PATIENCE_NS, and after that not again for the
 * same name until the service answers.  mu guards the table and is never held
 * while the service is asked.  A slot with a query on its way is not reused,
 * because the helper holds a pointer to it.
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

#define SETS 256 /* each of WAYS slots; an id belongs to one set */
#define WAYS 4
#define NAME_SIZE 257
#define KEEP_NS (60 * UINT64_C(1000000000))    /* an answer is fresh */
#define STALE_NS (540 * UINT64_C(1000000000))  /* then usable, but queried */
#define RETRY_NS (5 * UINT64_C(1000000000))    /* between failed queries */
#define PATIENCE_NS (2 * UINT64_C(1000000000)) /* a caller waits */
#define ASKING_MAX 16			       /* helper threads at most */
#define BUFFER_MAX (16u << 20) /* bytes; for a group with many members */

struct slot {
	bool used, group;
	bool asking; /* a thread queries this name; the slot is not reused */
	bool late;   /* a wait for this name timed out: do not wait again */
	uint32_t id;
	uint64_t until_ns; /* the name is fresh until this time */
	uint64_t turn;	   /* of the last use, for replacement */
	char name[NAME_SIZE];
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t heard;	      /* signalled at each answer */
static struct slot table[SETS][WAYS]; /* guarded by mu, as all below */
static uint64_t turn;
static unsigned asking;

/* Once: the condition needs the clock of tf_clock_after(). */
static void
begin(void)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&heard, &attr);
	(void)pthread_condattr_destroy(&attr);
}

/* Make one query with a buffer of n bytes.  Returns 0 or an errno. */
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

/* Query the service; false: it failed.  The answer for a group holds all its
 * members, so the buffer grows while it is too small. */
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

/* The slot of a known name, or NULL; mu held. */
static struct slot *
find(bool group, uint32_t id)
{
	struct slot *set = table[(id * 2 + group) % SETS];

	for (int i = 0; i < WAYS; i++)
		if (set[i].used && set[i].id == id && set[i].group == group)
			return &set[i];
	return NULL;
}

/* A slot for a new name, or NULL while every slot of its set has a query
 * running. */
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

/* The body of a helper thread.  It writes to the slot under mu only. */
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
	/* After an error the old name stays: it is better than none. */
	if (ok)
		memcpy(s->name, name, sizeof(name));
	s->until_ns = tf_clock_boot_ns() + (ok ? KEEP_NS : RETRY_NS);
	s->asking = s->late = false;
	asking--;
	pthread_cond_broadcast(&heard);
	pthread_mutex_unlock(&mu);
	return NULL;
}

/* Start a detached thread, unless too many ask already; mu held. */
static bool
start_thread(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	if (asking >= ASKING_MAX || pthread_attr_init(&attr) != 0)
		return false;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ok = pthread_create(&thread, &attr, run, arg) == 0;
	asking += ok;
	(void)pthread_attr_destroy(&attr);
	return ok;
}

/* Start a thread that queries the name of s; mu held. */
static void
start_asker(struct slot *s)
{
	s->asking = start_thread(asker, s);
}

/* The slot of a name; starts a query if it is not fresh; mu held. */
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

/* True if the name is fresh or at most STALE_NS past that. */
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

#define GROUPS_MAX 65536 /* of one user: Linux allows no more */

/* Is gid among the groups of the user? */
static bool
has_group(const char *user, gid_t primary, gid_t gid)
{
	int n = 64, room;
	gid_t *groups = NULL, *more;
	bool yes = false;

	do {
		room = n;
		more = realloc(groups, (size_t)room * sizeof(*groups));
		if (more == NULL)
			break;
		groups = more;
		if (getgrouplist(user, primary, groups, &n) >= 0) {
			for (int i = 0; i < n; i++)
				yes = yes || groups[i] == gid;
			break;
		}
	} while (n > room && n <= GROUPS_MAX);
	free(groups);
	return yes;
}

static enum tf_membership
find_membership(uint32_t uid, const char *group)
{
	char *buf = NULL, *more;
	struct passwd pw, *p = NULL;
	struct group gr, *g = NULL;
	gid_t gid = 0;
	enum tf_membership m = TF_NO_ANSWER;
	int rc = ERANGE;

	for (size_t n = 4096; rc == ERANGE && n <= BUFFER_MAX; n *= 4) {
		if ((more = realloc(buf, n)) == NULL)
			break;
		buf = more;
		rc = getgrnam_r(group, &gr, buf, n, &g);
		if (rc != 0 || g == NULL)
			continue;
		gid = g->gr_gid;
		rc = getpwuid_r(uid, &pw, buf, n, &p);
	}
	if (rc == 0 && g == NULL)
		m = TF_NO_SUCH_GROUP;
	else if (rc == 0)
		m = p != NULL && has_group(p->pw_name, p->pw_gid, gid) ?
		    TF_MEMBER :
		    TF_NO_MEMBER;
	free(buf);
	return m;
}

/* One question about a membership.  Its thread and its caller share it, and the
 * last of the two frees it. */
struct question {
	uint32_t uid;
	char group[NAME_SIZE];
	enum tf_membership answer; /* guarded by mu, as all below */
	bool answered;
	bool left; /* the caller does not wait any more */
};

static void *
membership_asker(void *arg)
{
	struct question *q = arg;
	enum tf_membership m = find_membership(q->uid, q->group);
	bool left;

	pthread_mutex_lock(&mu);
	q->answer = m;
	q->answered = true;
	left = q->left;
	asking--;
	pthread_cond_broadcast(&heard);
	pthread_mutex_unlock(&mu);
	if (left)
		free(q);
	return NULL;
}

enum tf_membership
tf_user_in_group(uint32_t uid, const char *group)
{
	struct question *q = calloc(1, sizeof(*q));
	enum tf_membership m = TF_NO_ANSWER;
	struct timespec until;
	bool mine;
	int rc = 0;

	if (q == NULL || strlen(group) >= NAME_SIZE) {
		free(q);
		return q == NULL ? TF_NO_ANSWER : TF_NO_SUCH_GROUP;
	}
	q->uid = uid;
	(void)snprintf(q->group, sizeof(q->group), "%s", group);
	(void)pthread_once(&once, begin);
	tf_clock_after(PATIENCE_NS, &until);
	pthread_mutex_lock(&mu);
	mine = !start_thread(membership_asker, q);
	while (!mine && rc == 0 && !q->answered)
		rc = pthread_cond_timedwait(&heard, &mu, &until);
	if (q->answered)
		m = q->answer;
	mine = mine || q->answered;
	q->left = true;
	pthread_mutex_unlock(&mu);
	if (mine)
		free(q);
	return m;
}

enum tf_code
tf_group_find(const char *name, uint32_t *gid, struct tf_error *err)
{
	char *buf = NULL, *more;
	struct group gr, *g = NULL;
	enum tf_code code = TF_OK;
	int rc = ERANGE;

	for (size_t n = 4096; rc == ERANGE && n <= BUFFER_MAX; n *= 4) {
		if ((more = realloc(buf, n)) == NULL) {
			rc = ENOMEM;
			break;
		}
		buf = more;
		rc = getgrnam_r(name, &gr, buf, n, &g);
	}
	/* Some services report a missing name as one of these. */
	if (g != NULL)
		*gid = g->gr_gid;
	else if (rc == ENOMEM)
		code = tf_nomem(err);
	else if (rc == 0 || rc == ENOENT || rc == ESRCH)
		code = tf_fail(err, TF_NOTFOUND, "there is no group %.100s",
		    name);
	else
		code = tf_fail(err, TF_IO,
		    "the name service does not answer for group %.100s", name);
	free(buf);
	return code;
}
