/*
 * trailctl access: who may read and write what is in a mount, and why.
 *
 * Each directory on the way decides who gets past it, so everybody who has a
 * right anywhere on the way is judged at each step: owners, groups, and others.
 * A user who has a name is judged with the groups that the group database gives.
 * Below the path, only what differs from the directory that it is in is printed.
 *
 * The roles are read from the access control list of a trail's .trailfs, where
 * members of admins= may write; for who may not enter the trail, from that of the
 * root.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cmd.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/control.h"
#include "modes.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define STEPS_MAX 512	/* directories on a way */
#define PERSONS_MAX 64	/* with rights on it */
#define GROUPS_MAX 1024 /* of one user */

static struct {
	bool json;
} ask;

static const struct args_option options[] = { ARGS_JSON(&ask.json), { 0 } };

enum kind { OWNER, GROUP, OTHERS };

struct person {
	enum kind kind;
	uint32_t id; /* of OWNER and GROUP */
	gid_t groups[GROUPS_MAX];
	int n_groups;
};

/* A node, with the directories above it. */
struct way {
	const struct where *w;
	struct stat step[STEPS_MAX]; /* the last one is the node */
	size_t n;
	struct person *person;
	size_t n_persons;
	struct modes_role role[MODES_ROLES];
	size_t n_roles;
	size_t recipients; /* who can open what is encrypted; 0: nothing is */
	struct tf_json json, *j; /* j: json, or NULL */
};

/* --- rights ----------------------------------------------------------------- */

static bool
is_member(const struct person *p, gid_t gid)
{
	if (p->kind == GROUP)
		return p->id == gid;
	for (int i = 0; i < p->n_groups; i++)
		if (p->groups[i] == gid)
			return true;
	return false;
}

/* The bits that st gives to the person. */
static unsigned
bits_of(const struct person *p, const struct stat *st)
{
	unsigned mode = modes_of(st);

	if (p->kind == OWNER && p->id == st->st_uid)
		return mode >> 6 & 7;
	return (is_member(p, st->st_gid) ? mode >> 3 : mode) & 7;
}

/* Does the person get to the last node of the way? */
static bool
comes(const struct way *y, const struct person *p)
{
	for (size_t i = 0; i + 1 < y->n; i++)
		if ((bits_of(p, &y->step[i]) & MODES_SEARCH) == 0)
			return false;
	return true;
}

static bool
may(const struct way *y, const struct person *p, unsigned want)
{
	return comes(y, p) && (bits_of(p, &y->step[y->n - 1]) & want) == want;
}

/* --- persons ---------------------------------------------------------------- */

static void
find_groups(struct person *p)
{
	const struct passwd *pw = getpwuid(p->id);

	p->n_groups = GROUPS_MAX;
	if (pw == NULL ||
	    getgrouplist(pw->pw_name, pw->pw_gid, p->groups, &p->n_groups) < 0)
		p->n_groups = 0;
}

static void
add_person(struct way *y, enum kind kind, uint32_t id)
{
	struct person *p;

	for (size_t i = 0; i < y->n_persons; i++)
		if (y->person[i].kind == kind && y->person[i].id == id)
			return;
	if (y->n_persons == PERSONS_MAX || (kind == OWNER && id == 0))
		return; /* root may do everything */
	p = &y->person[y->n_persons++];
	*p = (struct person){ .kind = kind, .id = id };
	if (kind == OWNER)
		find_groups(p);
}

static void
find_persons(struct way *y)
{
	y->n_persons = 0;
	for (size_t i = y->n; i-- > 0;) {
		add_person(y, OWNER, y->step[i].st_uid);
		add_person(y, GROUP, y->step[i].st_gid);
	}
	add_person(y, OTHERS, 0);
}

/* Append who the person is, and why it is named here. */
static void
put_person(const struct way *y, const struct person *p, struct tf_buf *out)
{
	const struct stat *st = &y->step[y->n - 1];
	char name[MODES_NAME_SIZE];

	if (p->kind == OTHERS) {
		tf_buf_str(out, "everybody (others)");
		return;
	}
	if (p->kind == OWNER)
		modes_user(p->id, name);
	else
		modes_group(p->id, name);
	tf_buf_printf(out, "%s (%s)", name,
	    p->kind == GROUP		 ? "group" :
		p->id == st->st_uid	 ? "owner" :
		is_member(p, st->st_gid) ? "member of the group" :
					   "others");
}

static void
put_roles(const struct way *y, bool only_admins, struct tf_buf *out)
{
	char name[MODES_NAME_SIZE];

	for (size_t i = 0; i < y->n_roles; i++) {
		if (only_admins && !y->role[i].writes)
			continue;
		modes_group(y->role[i].gid, name);
		tf_buf_printf(out, "%s (%s), ", name,
		    y->role[i].writes ? "admins=" : "auditors=");
	}
}

/* Append all who have the bits, root last. */
static void
put_all(const struct way *y, unsigned want, bool roles, struct tf_buf *out)
{
	const struct person *others = &y->person[y->n_persons - 1];
	bool all = may(y, others, want);

	for (size_t i = 0; i < y->n_persons; i++) {
		const struct person *p = &y->person[i];

		/* Whoever is named besides "everybody" has another reason. */
		if (!may(y, p, want) ||
		    (all && p->kind != OTHERS &&
			!(p->kind == OWNER &&
			    p->id == y->step[y->n - 1].st_uid)))
			continue;
		put_person(y, p, out);
		tf_buf_str(out, ", ");
	}
	if (roles)
		put_roles(y, (want & MODES_WRITE) != 0, out);
	tf_buf_str(out, "root");
}

/* --- the answer ------------------------------------------------------------- */

/* Who can still change the node: nobody, once it is frozen or sealed. */
static void
put_writers(const struct way *y, const char *file, struct tf_buf *out)
{
	const struct stat *st = &y->step[y->n - 1];
	char state[32] = "";
	bool dir = S_ISDIR(st->st_mode);

	(void)!getxattr(file, "user.trailfs.state", state, sizeof(state) - 1);
	if (strcmp(state, "sealed") == 0 || strcmp(state, "frozen") == 0)
		tf_buf_printf(out, "nobody (it is %s)", state);
	else
		/* Members of admins= make trails in the root. */
		put_all(y, dir ? MODES_WRITE | MODES_SEARCH : MODES_WRITE,
		    y->n == 1, out);
}

struct answer {
	struct tf_buf read, write, administer;
};

static void
answer_free(struct answer *a)
{
	tf_buf_free(&a->read);
	tf_buf_free(&a->write);
	tf_buf_free(&a->administer);
}

/* A trail is administered by its owner, members of admins= and root. */
static void
find_answer(struct way *y, const char *file, struct answer *a)
{
	const struct stat *st = &y->step[y->n - 1];
	char name[MODES_NAME_SIZE];

	find_persons(y);
	put_all(y, modes_reading(st), true, &a->read);
	put_writers(y, file, &a->write);
	if (y->n != 2)
		return;
	modes_user(st->st_uid, name);
	if (st->st_uid != 0)
		tf_buf_printf(&a->administer, "%s (owner), ", name);
	put_roles(y, true, &a->administer);
	tf_buf_str(&a->administer, "root");
}

static void
print(const struct way *y, const char *path, const struct answer *a)
{
	const struct stat *st = &y->step[y->n - 1];
	char user[MODES_NAME_SIZE], group[MODES_NAME_SIZE], mode[8];

	modes_user(st->st_uid, user);
	modes_group(st->st_gid, group);
	(void)snprintf(mode, sizeof(mode), "%04o", modes_of(st));
	if (y->j != NULL) {
		tf_json_object(y->j);
		if (a->administer.n > 0)
			tf_put_cstr(y->j, "administer", a->administer.p);
		tf_put_cstr(y->j, "group", group);
		tf_put_cstr(y->j, "mode", mode);
		tf_put_cstr(y->j, "owner", user);
		tf_put_cstr(y->j, "path", path);
		tf_put_cstr(y->j, "read", a->read.p);
		if (y->n == 2 && y->recipients > 0)
			tf_put_uint(y->j, "recipients", y->recipients);
		tf_put_cstr(y->j, "write", a->write.p);
		tf_json_object_end(y->j);
		return;
	}
	text_put(stdout, path, strlen(path));
	printf("  owner %s, group %s, mode %s\n", user, group, mode);
	printf("  read        %s\n", a->read.p);
	printf("  write       %s\n", a->write.p);
	if (a->administer.n > 0)
		printf("  administer  %s\n", a->administer.p);
	if (y->n == 2 && y->recipients > 0)
		printf("  decrypt     who has a secret key of one of %zu "
		       "recipient%s\n",
		    y->recipients, y->recipients == 1 ? "" : "s");
}

/* --- what all nodes have in common ------------------------------------------ */

/* Read the roles from the list of the root or of the .trailfs of a trail.  Who may
 * not enter the trail knows those of the root. */
static void
find_roles(struct way *y, const char *dir, const char *name)
{
	struct modes_role role[MODES_ROLES];
	char *file = NULL;
	size_t n;

	if (asprintf(&file, "%s/%s", dir, name) < 0)
		return;
	n = modes_roles(file, role);
	free(file);
	if (n == 0)
		return;
	memcpy(y->role, role, sizeof(role));
	y->n_roles = n;
}

static void
count_recipients(struct way *y, const char *trail)
{
	char *file = NULL, line[512];
	FILE *f;

	y->recipients = 0;
	if (asprintf(&file, "%s/%s/%s", trail, TF_CONTROL_DIR,
		TF_CONTROL_RECIPIENTS) < 0)
		return;
	f = fopen(file, "re");
	free(file);
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL)
		y->recipients += line[0] != '#' && line[0] != '\n';
	(void)fclose(f);
}

static void
learn_trail(struct way *y, const char *trail)
{
	find_roles(y, trail, TF_CONTROL_DIR);
	count_recipients(y, trail);
}

/* --- the walk --------------------------------------------------------------- */

static enum tf_code
add_step(struct way *y, const char *file, struct tf_error *err)
{
	if (y->n == STEPS_MAX)
		return tf_fail(err, TF_UNSUPPORTED, "the path is too deep");
	if (lstat(file, &y->step[y->n]) < 0)
		return report_system(err, "%s", file);
	y->n++;
	return TF_OK;
}

static enum tf_code show_below(struct way *y, const char *file,
    const struct answer *above, struct tf_error *err);

/* Do they say the same about a node and the directory that it is in?  Sealing is
 * no matter of rights. */
static bool
differ(const struct way *y, const struct answer *a, const struct answer *above)
{
	bool final = strncmp(a->write.p, "nobody", 6) == 0;

	return strcmp(a->read.p, above->read.p) != 0 ||
	    (S_ISDIR(y->step[y->n - 1].st_mode) && !final &&
		strcmp(a->write.p, above->write.p) != 0);
}

/* Print the node at file if it differs, and go on below it. */
static enum tf_code
show(struct way *y, const char *file, const struct answer *above,
    struct tf_error *err)
{
	const char *path = file + strlen(y->w->mount);
	struct answer a = { 0 };
	enum tf_code rc = add_step(y, file, err);

	if (rc != TF_OK)
		return rc;
	path += strspn(path, "/");
	if (y->n == 2)
		learn_trail(y, file);
	find_answer(y, file, &a);
	if (a.read.failed || a.write.failed || a.administer.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && (above == NULL || y->n == 2 || differ(y, &a, above)))
		print(y, *path == '\0' ? "." : path, &a);
	if (rc == TF_OK && S_ISDIR(y->step[y->n - 1].st_mode))
		rc = show_below(y, file, &a, err);
	y->n--;
	answer_free(&a);
	return rc;
}

static enum tf_code
show_below(struct way *y, const char *file, const struct answer *above,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	const struct dirent *d;
	DIR *names = opendir(file);
	char *child;

	if (names == NULL) /* whoever may not read it sees no more */
		return errno == EACCES ? TF_OK : report_system(err, "%s", file);
	while (rc == TF_OK && (d = readdir(names)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (asprintf(&child, "%s/%s", file, d->d_name) < 0) {
			rc = tf_nomem(err);
			break;
		}
		rc = show(y, child, above, err);
		free(child);
	}
	(void)closedir(names);
	return rc;
}

/* Take the steps from the root to the directory above the path. */
static enum tf_code
go_down(struct way *y, struct tf_error *err)
{
	const char *path = y->w->path, *slash = path;
	enum tf_code rc;
	char *dir;

	if (strcmp(path, ".") == 0)
		return TF_OK;
	rc = add_step(y, y->w->mount, err);
	for (; rc == TF_OK && (slash = strchr(slash, '/')) != NULL; slash++) {
		if (asprintf(&dir, "%s/%.*s", y->w->mount, (int)(slash - path),
			path) < 0)
			return tf_nomem(err);
		rc = add_step(y, dir, err);
		if (rc == TF_OK && y->n == 2)
			learn_trail(y, dir);
		free(dir);
	}
	return rc;
}

static enum tf_code
show_json(struct way *y, struct tf_error *err)
{
	struct tf_buf out = { 0 };
	enum tf_code rc;

	y->j = &y->json;
	tf_json_begin(y->j, &out);
	tf_json_array(y->j);
	rc = show(y, y->w->file, NULL, err);
	tf_json_array_end(y->j);
	if (rc == TF_OK && (rc = tf_json_end(y->j, err)) == TF_OK)
		printf("%s\n", text_of(&out));
	tf_buf_free(&out);
	return rc;
}

static enum tf_code
show_access(const char *arg, struct tf_error *err)
{
	struct where w = { 0 };
	struct way *y = calloc(1, sizeof(*y));
	enum tf_code rc = y == NULL ? tf_nomem(err) : where_find(arg, &w, err);

	if (rc == TF_OK && w.mount == NULL)
		rc = tf_fail(err, TF_USAGE,
		    "mount the store and name a path there: a store is its "
		    "owner's alone");
	if (rc == TF_OK &&
	    (y->person = calloc(PERSONS_MAX, sizeof(*y->person))) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK) {
		y->w = &w;
		find_roles(y, w.mount, "");
		rc = go_down(y, err);
	}
	if (rc == TF_OK)
		rc = ask.json ? show_json(y, err) : show(y, w.file, NULL, err);
	if (y != NULL)
		free(y->person);
	free(y);
	where_free(&w);
	return rc;
}

static int
run(int n, char **arg)
{
	struct tf_error err = { 0 };

	return show_access(n > 0 ? arg[0] : ".", &err) == TF_OK ? REPORT_OK :
								  report(&err);
}

const struct verb cmd_access = {
	.name = "access",
	.summary = "who may read and write what, and why",
	.usage = "[--json] [PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
