/*
 * trailctl grant and revoke: let a group read or write a trail, and no longer.
 *
 * The change is one of groups and modes, which chgrp(1) and chmod(1) could make,
 * and each has its access.changed entry.  All of the trail is looked at first:
 * what modes cannot say is refused before anything is changed.  What is as it
 * should be is left alone, so a repeated command changes nothing and a command
 * that was interrupted is completed by the next one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "compliance.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "modes.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define GROUP_READ 040u
#define GROUP_WRITE 020u
#define GROUP_SEARCH 010u
#define SET_GROUP 02000u
#define WRITE_BITS 0222u
#define LEVEL_TRAIL 1
#define LEVEL_ATTESTATION 3

static struct {
	bool json, read, write;
	const char *group;
} ask;

static const struct args_option options[] = {
	{ .name = "group",
	    .letter = 'g',
	    .value = "GROUP",
	    .help = "the group, by name or number (required)",
	    .text = &ask.group },
	ARGS_JSON(&ask.json),
	{ .name = "read",
	    .help = "read what is in the trail",
	    .flag = &ask.read },
	{ .name = "user",
	    .value = "USER",
	    .refused = "a mode has room for the owner and one group: put the "
		       "user into a group, and name that" },
	{ .name = "write", .help = "record in the trail", .flag = &ask.write },
	{ 0 },
};

/* One node to be changed. */
struct change {
	struct change *next;
	char *file;	  /* its real path */
	const char *path; /* in file: from the root of the vault */
	gid_t gid;	  /* or -1: stays */
	unsigned mode;	  /* or MODE_STAYS */
};
#define MODE_STAYS UINT32_MAX

struct plan {
	const struct where *w;
	gid_t gid;
	char name[MODES_NAME_SIZE]; /* of the group */
	struct change *first, **end;
	/* Who gets past the trail before the change. */
	bool others_enter, group_enters;
	gid_t entering;
};

static void
plan_free(struct plan *p)
{
	while (p->first != NULL) {
		struct change *c = p->first;

		p->first = c->next;
		free(c->file);
		free(c);
	}
}

/* Add what node st at file needs to get this group and mode. */
static enum tf_code
add(struct plan *p, const char *file, const struct stat *st, gid_t gid,
    unsigned mode, struct tf_error *err)
{
	struct change *c;

	if (gid == st->st_gid && mode == modes_of(st))
		return TF_OK;
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->file = strdup(file)) == NULL) {
		free(c);
		return tf_nomem(err);
	}
	c->path = c->file + strlen(p->w->mount);
	c->path += strspn(c->path, "/");
	c->gid = gid == st->st_gid ? (gid_t)-1 : gid;
	c->mode = mode == modes_of(st) ? MODE_STAYS : mode;
	*p->end = c;
	p->end = &c->next;
	return TF_OK;
}

/* --- grant ------------------------------------------------------------------ */

/* The bits that the group needs of a node at this level. */
static unsigned
needed(const struct stat *st, int level, bool sealed)
{
	unsigned bits = GROUP_READ;

	if (!S_ISDIR(st->st_mode))
		return bits;
	bits |= GROUP_SEARCH;
	if (ask.write && !sealed && level <= LEVEL_ATTESTATION)
		bits |= GROUP_WRITE;
	return bits;
}

/*
 * A member of the group who is neither owner nor in the node's group has the
 * bits of others.  One group fits into a mode: another one that has rights is
 * not replaced, unless the owner is its only member or it does not get past the
 * trail.
 */
static enum tf_code
grant_node(struct plan *p, const char *file, const struct stat *st, int level,
    struct tf_error *err)
{
	bool dir = S_ISDIR(st->st_mode);
	bool sealed = dir && where_is_sealed(file);
	unsigned mode = modes_of(st), bits = needed(st, level, sealed);
	char other[MODES_NAME_SIZE];

	if (st->st_gid != p->gid && (mode << 3 & bits) == bits)
		return TF_OK;
	/* The group of these is that of their attestation. */
	if (dir && level > LEVEL_ATTESTATION)
		return add(p, file, st, st->st_gid, mode | bits, err);
	if (st->st_gid != p->gid && (mode & 070) != 0 &&
	    (p->others_enter ||
		(p->group_enters && p->entering == st->st_gid)) &&
	    !modes_is_private(st->st_uid, st->st_gid)) {
		modes_group(st->st_gid, other);
		return tf_fail(err, TF_DENIED,
		    "%.60s: the group %.32s has rights, and a mode has room for "
		    "one group: revoke them first, or use auditors=",
		    file + strlen(p->w->mount) + 1, other);
	}
	mode |= bits;
	if (dir && !sealed)
		mode |= SET_GROUP; /* for what will be in it */
	return add(p, file, st, p->gid, mode, err);
}

static enum tf_code grant_below(struct plan *p, const char *dir, int level,
    struct tf_error *err);

static enum tf_code
grant_one(struct plan *p, const char *file, int level, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	if (lstat(file, &st) < 0)
		return report_system(err, "%s", file);
	if (level == LEVEL_TRAIL) {
		p->others_enter = (modes_of(&st) & 01) != 0;
		p->group_enters = (modes_of(&st) & GROUP_SEARCH) != 0;
		p->entering = st.st_gid;
	}
	rc = grant_node(p, file, &st, level, err);
	if (rc == TF_OK && S_ISDIR(st.st_mode))
		rc = grant_below(p, file, level + 1, err);
	return rc;
}

static enum tf_code
grant_below(struct plan *p, const char *dir, int level, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	const struct dirent *d;
	DIR *names = opendir(dir);
	char *file;

	if (names == NULL && errno == EACCES)
		return where_denied(dir, err);
	if (names == NULL)
		return report_system(err, "%s", dir);
	while (rc == TF_OK && (errno = 0, d = readdir(names)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (asprintf(&file, "%s/%s", dir, d->d_name) < 0) {
			rc = tf_nomem(err);
			break;
		}
		rc = grant_one(p, file, level, err);
		free(file);
	}
	if (rc == TF_OK && errno != 0)
		rc = report_system(err, "%s", dir);
	(void)closedir(names);
	return rc;
}

/* --- revoke ----------------------------------------------------------------- */

/* Take the bits away from the trail.  Nobody gets past it then, so what is below
 * keeps its modes. */
static enum tf_code
revoke_trail(struct plan *p, struct tf_error *err)
{
	unsigned bits = ask.read ? 070 : GROUP_WRITE, mode;
	struct stat st;

	if (lstat(p->w->file, &st) < 0)
		return report_system(err, "%s", p->w->path);
	mode = modes_of(&st);
	if ((mode << 3 & bits & 070) != 0)
		return tf_fail(err, TF_DENIED,
		    "%.60s: all others have these rights, too: chmod o-rwx "
		    "first",
		    p->w->path);
	if (st.st_gid != p->gid)
		return TF_OK;
	if ((mode & WRITE_BITS) != 0 && (mode & ~bits & WRITE_BITS) == 0)
		return tf_fail(err, TF_DENIED,
		    "%.60s: only this group may write it, and without a write "
		    "bit it would be sealed: chmod u+w first",
		    p->w->path);
	return add(p, p->w->file, &st, st.st_gid, mode & ~bits, err);
}

/* --- both ------------------------------------------------------------------- */

/* The group first, so that a wider mode is never for another group. */
static enum tf_code
make_changes(const struct plan *p, struct tf_error *err)
{
	for (const struct change *c = p->first; c != NULL; c = c->next) {
		if (c->gid != (gid_t)-1 &&
		    chown(c->file, (uid_t)-1, c->gid) < 0)
			return errno == EPERM ?
			    tf_fail(err, TF_DENIED,
				"%.60s: only root, and its owner as a member "
				"of %.32s, may give it that group",
				c->path, p->name) :
			    report_system(err, "%s", c->path);
		if (c->mode != MODE_STAYS && modes_set(c->file, c->mode) < 0)
			return errno == EPERM && !where_is_sealed(c->file) ?
			    tf_fail(err, TF_DENIED,
				"%s: only its owner and root may change who "
				"reads it",
				c->path) :
			    report_system(err, "%s", c->path);
	}
	return TF_OK;
}

static void
print_changes(const struct plan *p)
{
	for (const struct change *c = p->first; c != NULL; c = c->next) {
		text_put(stdout, c->path, strlen(c->path));
		if (c->gid != (gid_t)-1)
			printf("  group %s", p->name);
		if (c->mode != MODE_STAYS)
			printf("  mode %04o", c->mode);
		printf("\n");
	}
	if (p->first == NULL) {
		text_put(stdout, p->w->path, strlen(p->w->path));
		puts("  unchanged");
	}
}

static enum tf_code
print_json(const struct plan *p, struct tf_error *err)
{
	struct tf_buf out = { 0 };
	char mode[8];
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &out);
	tf_json_object(&j);
	tf_json_key(&j, "changed");
	tf_json_array(&j);
	for (const struct change *c = p->first; c != NULL; c = c->next) {
		tf_json_object(&j);
		if (c->gid != (gid_t)-1)
			tf_put_cstr(&j, "group", p->name);
		(void)snprintf(mode, sizeof(mode), "%04o", c->mode & 07777);
		if (c->mode != MODE_STAYS)
			tf_put_cstr(&j, "mode", mode);
		tf_put_cstr(&j, "path", c->path);
		tf_json_object_end(&j);
	}
	tf_json_array_end(&j);
	tf_put_cstr(&j, "group", p->name);
	tf_put_cstr(&j, "path", p->w->path);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&out));
	tf_buf_free(&out);
	return rc;
}

static enum tf_code
change(const char *arg, bool grants, struct tf_error *err)
{
	struct where w = { 0 };
	struct plan p = { .w = &w };
	enum tf_code rc = modes_find_group(ask.group, &p.gid, err);

	p.end = &p.first;
	if (rc == TF_OK)
		rc = where_find(arg, &w, err);
	if (rc == TF_OK && w.mount == NULL)
		rc = tf_fail(err, TF_USAGE,
		    "mount the store and name the trail there");
	if (rc == TF_OK && !compliance_of_trail(&w))
		rc = tf_fail(err, TF_USAGE, "%.60s is not a trail", w.path);
	if (rc == TF_OK) {
		modes_group(p.gid, p.name);
		rc = grants ? grant_one(&p, w.file, LEVEL_TRAIL, err) :
			      revoke_trail(&p, err);
	}
	if (rc == TF_OK)
		rc = make_changes(&p, err);
	if (rc == TF_OK && ask.json)
		rc = print_json(&p, err);
	else if (rc == TF_OK)
		print_changes(&p);
	plan_free(&p);
	where_free(&w);
	return rc;
}

static int
run(const struct verb *verb, const char *arg)
{
	struct tf_error err = { 0 };

	if (ask.group == NULL)
		return cmd_usage(verb, "--group is missing");
	if (!ask.read && !ask.write)
		return cmd_usage(verb, "say --read or --write");
	return change(arg, verb == &cmd_grant, &err) == TF_OK ? REPORT_OK :
								report(&err);
}

static int
run_grant(int n, char **arg)
{
	(void)n;
	return run(&cmd_grant, arg[0]);
}

static int
run_revoke(int n, char **arg)
{
	(void)n;
	return run(&cmd_revoke, arg[0]);
}

const struct verb cmd_grant = {
	.name = "grant",
	.summary = "let a group read a trail, or record in it",
	.usage = "--group GROUP --read|--write [--json] TRAIL",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run_grant,
};

const struct verb cmd_revoke = {
	.name = "revoke",
	.summary = "take from a group what grant gave it",
	.usage = "--group GROUP --read|--write [--json] TRAIL",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run_revoke,
};
