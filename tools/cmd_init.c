/* trailctl init: make a store; --recover: continue a store that was restored
 * from a backup; --moved: continue one that was moved to another place;
 * --guard-lost: continue one whose guard is lost. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "apart.h"
#include "cmd.h"
#include "core/vault.h"
#include "refusals.h"
#include "report.h"
#include "text.h"

#define SERVICE_USER "trailfs" /* owns new stores where it exists */

static struct {
	bool guard_lost, json, moved, recover;
	const char *keys;   /* NULL: in the store */
	const char *signer; /* NULL: none but trailfs itself */
	const char *origin; /* NULL: of host and directory */
	const char *user;   /* NULL: see find_owner */
} ask;

static const struct args_option options[] = {
	{ .name = "guard-lost",
	    .help = "continue a store whose guard is lost",
	    .flag = &ask.guard_lost },
	ARGS_JSON(&ask.json),
	{ .name = "keys",
	    .value = "DIR",
	    .help = "the directory of the secret keys, outside the store",
	    .text = &ask.keys },
	{ .name = "moved",
	    .help = "continue a store that was moved here, not copied",
	    .flag = &ask.moved },
	{ .name = "origin",
	    .value = "NAME",
	    .help = "the first line of every checkpoint",
	    .text = &ask.origin },
	{ .name = "recover",
	    .help = "continue a store that was restored from a backup",
	    .flag = &ask.recover },
	{ .name = "signer",
	    .value = "COMMAND",
	    .help = "the command that has the keys, instead of new ones",
	    .text = &ask.signer },
	{ .name = "user",
	    .value = "NAME",
	    .help = "the owner of the store, as whom the mount runs",
	    .text = &ask.user },
	{ 0 },
};

/* The key as one line, or as JSON. */
static enum tf_code
print(struct tf_str vkey, bool json, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_json_key(&j, "vkey");
		tf_json_str(&j, vkey.p, vkey.n);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	} else {
		text_add(&b, vkey.p, vkey.n);
	}
	if (rc == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

/* The key alone is on stdout, so that it can be redirected. */
static void
explain(void)
{
	if (ask.recover)
		report_note("The ledger continues under a new origin; the "
			    "first entry under it records what was lost.  From "
			    "now on a verifier needs this new key.");
	report_note("Keep this key somewhere else: it distinguishes this store "
		    "from a forged one.");
}

/* Continue a store as it is: the opening records that it was moved, and the guard
 * that it has from now on. */
static enum tf_code
go_on(const char *path, const struct tf_actor *self, struct tf_buf *vkey,
    struct tf_error *err)
{
	struct tf_vault_options o = { .program = "trailctl",
		.actor = self,
		.moved = ask.moved,
		.guard_lost = ask.guard_lost };
	struct tf_vault *v;
	enum tf_code rc;

	if (ask.recover || ask.origin != NULL || ask.user != NULL)
		return tf_fail(err, TF_USAGE,
		    "--moved and --guard-lost keep the origin and the owner of "
		    "the store");
	if ((rc = tf_vault_open(path, &o, &v, err)) != TF_OK)
		return rc;
	rc = tf_vault_vkey(v, vkey, err);
	return where_done(v, rc, err);
}

/*
 * Set *owner to the user to whom root gives the new store: the one who was named,
 * or the user trailfs where there is one.  *given: false if the store stays the
 * caller's.
 *
 * The user trailfs mounts nothing itself, so root keeps its keys (of_root); a user who
 * was named may want to.
 */
static enum tf_code
find_owner(struct tf_owner *owner, bool *given, bool *of_root,
    struct tf_error *err)
{
	const char *name = ask.user != NULL ? ask.user : SERVICE_USER;
	const struct passwd *pw = getpwnam(name);

	*given = *of_root = false;
	if (pw == NULL)
		return ask.user == NULL ?
		    TF_OK :
		    tf_fail(err, TF_USAGE, "there is no user %.64s", name);
	if (geteuid() != 0)
		return ask.user == NULL || pw->pw_uid == geteuid() ?
		    TF_OK :
		    tf_fail(err, TF_USAGE,
			"only root can give a store to another user");
	*owner = (struct tf_owner){ pw->pw_uid, pw->pw_gid };
	*given = pw->pw_uid != 0;
	*of_root = *given && strcmp(name, SERVICE_USER) == 0;
	return TF_OK;
}

/* Make a store. */
static enum tf_code
make(const char *path, const struct tf_actor *self, struct tf_buf *vkey,
    struct tf_error *err)
{
	struct tf_owner owner;
	bool given, of_root;
	enum tf_code rc = find_owner(&owner, &given, &of_root, err);

	if (rc == TF_OK)
		rc = apart_ordinary(path, "store", err);
	if (rc == TF_OK)
		rc = tf_vault_init_for(path, ask.origin, ask.keys, ask.signer,
		    given ? &owner : NULL, of_root, self, vkey, err);
	return rc;
}

/* The key is printed after the store is made: a printed key belongs to a store
 * that exists. */
static int
run(int n, char **arg)
{
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	struct tf_actor self;
	struct tf_str line;
	enum tf_code rc;

	(void)n;
	actor_self(&self);
	if (ask.keys != NULL && ask.signer != NULL) {
		(void)tf_fail(&err, TF_USAGE,
		    "--signer has its keys itself: give it without --keys");
		return report(&err);
	}
	if ((ask.keys != NULL || ask.signer != NULL) &&
	    (ask.moved || ask.guard_lost || ask.recover)) {
		(void)tf_fail(&err, TF_USAGE,
		    "%s is for a new store: STORE/config of this one says "
		    "where its keys are",
		    ask.keys != NULL ? "--keys" : "--signer");
		return report(&err);
	}
	rc = ask.moved || ask.guard_lost ?
	    go_on(arg[0], &self, &vkey, &err) :
	    ask.recover ?
	    tf_vault_recover(arg[0], ask.origin, &self, &vkey, &err) :
	    make(arg[0], &self, &vkey, &err);
	if (rc != TF_OK)
		rc = refusals_explain_below(arg[0], &err);
	if (rc == TF_OK) {
		line = (struct tf_str){ vkey.p, vkey.n };
		while (line.n > 0 && line.p[line.n - 1] == '\n')
			line.n--;
		explain();
		rc = print(line, ask.json, &err);
	}
	tf_buf_free(&vkey);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_init = {
	.name = "init",
	.summary = "make a store and print its public key",
	.usage = "[OPTION...] STORE",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
