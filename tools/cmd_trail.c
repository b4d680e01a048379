/*
 * trailctl trail create: a trail with its template and its description.
 *
 * All that can be wrong is checked first, template and claims too: the name of
 * a trail can never be removed from the ledger, so a failed command must not
 * leave one. Then the trail is made, and then its claims, its template and, last,
 * its access are set: a new owner may set nothing for the caller. A trail that
 * exists is success, and what it has already is not set
 * again. So a retry after a failure in the middle does the rest.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actor.h"
#include "claim_dir.h"
#include "cmd.h"
#include "compliance.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "define.h"
#include "modes.h"
#include "refusals.h"
#include "report.h"
#include "text.h"

#define TRAIL_MODE 0750 /* trails begin closed for others */
#define SET_GROUP 02000 /* chmod(1) keeps it, too, where a mode is octal */

static struct {
	bool json;
	const char *steps, *file, *description;
	const char *owner, *group, *mode;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "steps",
	    .value = "A,B",
	    .help = "a template that needs these attestations",
	    .text = &ask.steps },
	{ .name = "template",
	    .value = "FILE",
	    .help = "the template; - is standard input",
	    .text = &ask.file },
	{ .name = "description",
	    .value = "TEXT",
	    .help = "what the trail is for",
	    .text = &ask.description },
	{ .name = "owner",
	    .value = "USER",
	    .help = "the owner of the trail, by name or number; for root",
	    .text = &ask.owner },
	{ .name = "group",
	    .letter = 'g',
	    .value = "GROUP",
	    .help = "the group of the trail, by name or number",
	    .text = &ask.group },
	{ .name = "mode",
	    .value = "MODE",
	    .help = "the mode of the trail, octal; 0750 by default",
	    .text = &ask.mode },
	{ 0 },
};

/* What was done. */
struct done {
	bool created, template, described, access;
	uint64_t version; /* of the template; 0: unknown */
};

/* --- the template ----------------------------------------------------------- */

/* Letters of ASCII only, whatever the locale is: the name stands in YAML. */
static bool
is_name(const char *s, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789";

	if (n == 0 || strchr("._~-", s[0]) != NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\0' ||
		    (strchr(letters, s[i]) == NULL &&
			strchr("._~-", s[i]) == NULL))
			return false;
	return true;
}

/* The text of a template that needs the attestations of --steps. */
static enum tf_code
make_template(struct tf_buf *out, struct tf_error *err)
{
	const char *p = ask.steps;
	size_t n;

	tf_buf_str(out, "version: 1\ntrail:\n  attestations:\n");
	for (;; p += n + 1) {
		n = strcspn(p, ",");
		if (!is_name(p, n))
			return tf_fail(err, TF_USAGE,
			    "--steps: \"%.*s\" is no name of an attestation",
			    (int)(n < 64 ? n : 64), p);
		tf_buf_printf(out, "    - name: \"%.*s\"\n", (int)n, p);
		tf_buf_str(out, "      type: generic\n");
		if (p[n] == '\0')
			break;
	}
	if (out->failed)
		return tf_nomem(err);
	return define_check(TF_DEFINITION_TEMPLATE, "", "--steps", out, err);
}

/* out stays empty if no template was asked for. */
static enum tf_code
read_template(struct tf_buf *out, struct tf_error *err)
{
	if (ask.file != NULL)
		return define_read(TF_DEFINITION_TEMPLATE, "", ask.file, out,
		    err);
	return ask.steps != NULL ? make_template(out, err) : TF_OK;
}

/* --- owner, group and mode -------------------------------------------------------- */

/* What is asked for: the bits of TF_SET_ in mask. */
struct access {
	unsigned mask;
	struct tf_attr want;
};

static enum tf_code
take_owner(const char *name, struct access *a, struct tf_error *err)
{
	const struct passwd *pw = getpwnam(name);
	uint64_t id = 0;

	if (pw == NULL && !tf_decimal(name, strlen(name), UINT32_MAX - 1, &id))
		return tf_fail(err, TF_USAGE, "--owner: there is no user %.64s",
		    name);
	a->mask |= TF_SET_UID;
	a->want.uid = pw != NULL ? pw->pw_uid : (uint32_t)id;
	return TF_OK;
}

static enum tf_code
take_group(const char *name, struct access *a, struct tf_error *err)
{
	const struct group *gr = getgrnam(name);
	uint64_t id = 0;

	if (gr == NULL && !tf_decimal(name, strlen(name), UINT32_MAX - 1, &id))
		return tf_fail(err, TF_USAGE,
		    "--group: there is no group %.64s", name);
	a->mask |= TF_SET_GID;
	a->want.gid = gr != NULL ? gr->gr_gid : (uint32_t)id;
	return TF_OK;
}

/* A mode without write permission would close the trail, and seal it. */
static enum tf_code
take_mode(const char *text, struct access *a, struct tf_error *err)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[strspn(text, "01234567")] != '\0' || *end != '\0' ||
	    mode > 0777 || (mode & 0200) == 0)
		return tf_fail(err, TF_USAGE,
		    "--mode is an octal number such as 0770, with write "
		    "permission for the owner");
	a->mask |= TF_SET_MODE;
	a->want.mode = (uint32_t)mode;
	return TF_OK;
}

static enum tf_code
take_access(struct access *a, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (ask.owner != NULL)
		rc = take_owner(ask.owner, a, err);
	if (rc == TF_OK && ask.group != NULL)
		rc = take_group(ask.group, a, err);
	if (rc == TF_OK && ask.mode != NULL)
		rc = take_mode(ask.mode, a, err);
	return rc;
}

/* Leave out of mask what the trail has already. */
static void
leave_equal(struct access *a, uint32_t uid, uint32_t gid, uint32_t mode)
{
	if (a->want.uid == uid)
		a->mask &= ~TF_SET_UID;
	if (a->want.gid == gid)
		a->mask &= ~TF_SET_GID;
	if (a->want.mode == (mode & 07777))
		a->mask &= ~TF_SET_MODE;
}

/* The group first, so that a wider mode is never for another group; the owner
 * last, who alone may change the mode afterwards. */
static enum tf_code
set_access_mounted(const struct where *w, struct access *a,
    struct tf_error *err)
{
	struct stat st;

	if (stat(w->file, &st) < 0)
		return report_system(err, "%s", w->path);
	a->want.mode |= st.st_mode & SET_GROUP;
	leave_equal(a, st.st_uid, st.st_gid, modes_of(&st));
	if ((a->mask & TF_SET_GID) != 0 &&
	    chown(w->file, (uid_t)-1, a->want.gid) < 0)
		return report_system(err, "%s: group %s", w->path, ask.group);
	if ((a->mask & TF_SET_MODE) != 0 &&
	    modes_set(w->file, a->want.mode) < 0)
		return report_system(err, "%s: mode %s", w->path, ask.mode);
	if ((a->mask & TF_SET_UID) != 0 &&
	    chown(w->file, a->want.uid, (gid_t)-1) < 0)
		return report_system(err, "%s: owner %s", w->path, ask.owner);
	return TF_OK;
}

/* As the kernel decides for chown(2) and chmod(2): only root gives a trail away,
 * and an owner only to own groups. */
static enum tf_code
may_set(const struct access *a, const struct tf_attr *is,
    const struct tf_actor *self, struct tf_error *err)
{
	if (self->uid == 0 || a->mask == 0)
		return TF_OK;
	if (self->uid != is->uid || (a->mask & TF_SET_UID) != 0 ||
	    ((a->mask & TF_SET_GID) != 0 && a->want.gid != getegid() &&
		group_member(a->want.gid) == 0))
		return tf_fail(err, TF_DENIED,
		    "only root may give the trail to that owner or group");
	return TF_OK;
}

static enum tf_code
set_access_stored(const struct where *w, struct access *a, struct tf_error *err)
{
	static const unsigned order[] = { TF_SET_GID, TF_SET_MODE, TF_SET_UID };
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr is;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_lookup(v, TF_ROOT_ID, w->path, &is, err);
	if (rc == TF_OK) {
		a->want.mode |= is.mode & SET_GROUP;
		leave_equal(a, is.uid, is.gid, is.mode);
		rc = may_set(a, &is, &self, err);
	}
	/* One by one: the entries are those of chgrp, chmod and chown. */
	for (size_t i = 0; rc == TF_OK && i < 3; i++)
		if ((a->mask & order[i]) != 0)
			rc = tf_vault_setattr(v, is.id, NULL, order[i],
			    &a->want, &self, &is, err);
	return where_done(v, rc, err);
}

static enum tf_code
set_access(const struct where *w, struct access *a, struct done *done,
    struct tf_error *err)
{
	enum tf_code rc;

	if (a->mask == 0)
		return TF_OK;
	rc = w->mount != NULL ? set_access_mounted(w, a, err) :
				set_access_stored(w, a, err);
	done->access = rc == TF_OK && a->mask != 0;
	return rc;
}

/* --- the trail ------------------------------------------------------------------ */

/* EEXIST is success: another caller may have made it. */
static enum tf_code
create_mounted(const struct where *w, struct done *done, struct tf_error *err)
{
	done->created = mkdir(w->file, TRAIL_MODE) == 0;
	if (done->created || errno == EEXIST)
		return TF_OK;
	(void)report_name(err, w->path);
	return refusals_explain_path(w->file, err);
}

static enum tf_code
create_stored(const struct where *w, struct done *done, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_mkdir(v, TF_ROOT_ID, w->path, TRAIL_MODE, &self, &a, err);
	done->created = rc == TF_OK;
	if (rc == TF_EXISTS)
		rc = TF_OK;
	return where_done(v, rc, err);
}

/* --- the verb ------------------------------------------------------------------ */

/* Say what was done now, and what was there before. */
static enum tf_code
print(const char *path, const struct done *done, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	if (!ask.json) {
		text_put(stdout, path, strlen(path));
		fputs(done->created ? "  created" : "  exists already", stdout);
		if (done->template && done->version != 0)
			printf(", template version %llu",
			    (unsigned long long)done->version);
		else if (done->template)
			fputs(", template set", stdout);
		fputs(done->described ? ", description set" : "", stdout);
		puts(done->access ? ", access set" : "");
		return TF_OK;
	}
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_bool(&j, "access_set", done->access);
	tf_put_bool(&j, "created", done->created);
	tf_put_bool(&j, "description_set", done->described);
	tf_put_cstr(&j, "path", path);
	tf_put_bool(&j, "template_set", done->template);
	if (done->version != 0)
		tf_put_uint(&j, "version", done->version);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* The steps in the order that the head of this file gives. */
static enum tf_code
create(const char *arg, struct tf_error *err)
{
	struct where w = { 0 };
	struct done done = { 0 };
	struct claims_options o = { .description = ask.description };
	struct claims claims = { 0 };
	struct tf_buf text = { 0 };
	struct define d = { &w, TF_DEFINITION_TEMPLATE, "" };
	struct access access = { 0 };
	bool exists;
	enum tf_code rc = where_find_name(arg, &w, &exists, err);

	if (rc == TF_OK && !compliance_of_trail(&w))
		rc = tf_fail(err, TF_USAGE,
		    "%s is no place of a trail: name MOUNT/TRAIL or "
		    "STORE/TRAIL",
		    arg);
	/* What is wrong must not leave a trail without it. */
	if (rc == TF_OK)
		rc = read_template(&text, err);
	if (rc == TF_OK)
		rc = claims_take(&o, &claims, err);
	if (rc == TF_OK)
		rc = claim_dir_check(TF_KIND_TRAIL, &claims, err);
	if (rc == TF_OK)
		rc = take_access(&access, err);
	if (rc == TF_OK)
		rc = w.mount != NULL ? create_mounted(&w, &done, err) :
				       create_stored(&w, &done, err);
	if (rc == TF_OK)
		rc = claim_dir(&w, &claims, &done.described, err);
	if (rc == TF_OK && text.n > 0)
		rc = define_set(&d, &text, &done.template, &done.version, err);
	if (rc == TF_OK)
		rc = set_access(&w, &access, &done, err);
	if (rc == TF_OK)
		rc = print(w.path, &done, err);
	claims_free(&claims);
	tf_buf_free(&text);
	where_free(&w);
	return rc;
}

static int
run(int n, char **arg)
{
	struct tf_error err = { 0 };

	(void)n;
	if (ask.steps != NULL && ask.file != NULL)
		return cmd_usage(&cmd_trail,
		    "--steps and --template exclude each other");
	return create(arg[1], &err) == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_trail = {
	.name = "trail",
	.summary = "create a trail with its template",
	.usage = "create [OPTION...] TRAIL",
	.options = options,
	.actions = "create",
	.min = 2,
	.max = 2,
	.run = run,
};
