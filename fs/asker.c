/* The groups of an asker, from /proc. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "asker.h"
#include "fs.h"

#define STATUS_MAX (1u << 20) /* bytes: 65,536 groups and the rest */

uint64_t
fs_asker_caller(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (uint64_t)ctx->uid << 32 | (uint32_t)ctx->pid;
}

void
fs_asker_of(fuse_req_t req, struct fs_asker *out)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	*out = (struct fs_asker){ .caller = fs_asker_caller(req),
		.roles = &fs_of(req)->roles,
		.tid = fs_actors_know(fs_of(req)->actors) ? (uint32_t)ctx->pid :
							    0,
		.who = { .uid = ctx->uid, .gid = ctx->gid } };
	/* The user of this process can read the store itself. */
	if (out->who.uid == geteuid())
		out->who.uid = 0;
}

void
fs_asker_free(struct fs_asker *a)
{
	free(a->groups);
	a->groups = NULL;
}

/* All of /proc/TID/status, allocated, or NULL. */
static char *
read_status(uint32_t tid)
{
	size_t size = 4096, n = 0;
	char path[32], *text = NULL, *more;
	ssize_t got = 1;
	int fd;

	snprintf(path, sizeof path, "/proc/%u/status", tid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return NULL;
	while (got > 0 && size <= STATUS_MAX) {
		if ((more = realloc(text, size)) == NULL)
			break;
		text = more;
		got = read(fd, text + n, size - n - 1);
		n += got > 0 ? (size_t)got : 0;
		if (n == size - 1)
			size *= 2;
	}
	(void)close(fd); /* read-only */
	if (got != 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* The text after key at the beginning of a line, or NULL. */
static char *
value_of(char *text, const char *key)
{
	char *at = text;
	size_t n = strlen(key);

	while ((at = strstr(at, key)) != NULL) {
		if (at == text || at[-1] == '\n')
			return at + n;
		at += n;
	}
	return NULL;
}

/* The kernel sends SIGKILL to each thread that another fatal signal ends. */
bool
fs_asker_dies(fuse_req_t req)
{
	const uint32_t tid = (uint32_t)fuse_req_ctx(req)->pid;
	char *text = fs_actors_know(fs_of(req)->actors) ? read_status(tid) :
							  NULL;
	char *signals = text == NULL ? NULL : value_of(text, "SigPnd:");
	bool dies = signals != NULL &&
	    (strtoull(signals, NULL, 16) >> (SIGKILL - 1) & 1) != 0;

	free(text);
	return dies;
}

/* Is id the fourth number at `at`, the one used for file access? */
static bool
is_fourth(char *at, uint32_t id)
{
	unsigned long v = 0;

	for (int i = 0; at != NULL && i < 4; i++) {
		char *end;

		v = strtoul(at, &end, 10);
		at = end == at ? NULL : end;
	}
	return at != NULL && v == id;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
take_groups(struct fs_asker *a, char *at)
{
	size_t n = 0, max = strcspn(at, "\n") / 2 + 1;
	char *end;

	if ((a->groups = calloc(max, sizeof *a->groups)) == NULL)
		return;
	for (; n < max && *at != '\n'; at = end) {
		unsigned long gid = strtoul(at, &end, 10);

		if (end == at)
			break;
		a->groups[n++] = (uint32_t)gid;
		end += strspn(end, " ");
	}
	if (n > 1)
		qsort(a->groups, n, sizeof *a->groups, by_number);
	a->who.groups = a->groups;
	a->who.n_groups = n;
}

static bool
has_role(const struct tf_asker *who, const struct tf_role_group *role)
{
	return role != NULL && tf_asker_is_in(who, role->gid);
}

const struct tf_asker *
fs_asker_get(struct fs_asker *a)
{
	char *text, *groups;

	if (a->complete || tf_asker_may_all(&a->who) || a->tid == 0)
		return &a->who;
	a->complete = true;
	text = read_status(a->tid);
	groups = text != NULL ? value_of(text, "Groups:") : NULL;
	if (groups != NULL && is_fourth(value_of(text, "Uid:"), a->who.uid) &&
	    is_fourth(value_of(text, "Gid:"), a->who.gid)) {
		groups += strspn(groups, " \t");
		take_groups(a, groups);
	}
	free(text);
	a->who.reads_all = has_role(&a->who, a->roles->auditors) ||
	    has_role(&a->who, a->roles->admins);
	return &a->who;
}

bool
fs_asker_administers(fuse_req_t req)
{
	const struct tf_role_group *admins = fs_of(req)->roles.admins;
	struct fs_asker a;
	bool is;

	if (admins == NULL)
		return false;
	fs_asker_of(req, &a);
	is = has_role(fs_asker_get(&a), admins);
	fs_asker_free(&a);
	return is;
}
