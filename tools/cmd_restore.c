/* trailctl restore: make a vault from a backup or a mirror. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "actor.h"
#include "apart.h"
#include "cmd.h"
#include "core/restore.h"
#include "progress.h"
#include "refusals.h"
#include "report.h"
#include "text.h"

static struct {
	bool json, keys;
	const char *origin;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "keys",
	    .help = "go on with the private keys of the backup",
	    .flag = &ask.keys },
	{ .name = "origin",
	    .value = "NAME",
	    .help = "the new first line of every checkpoint; required",
	    .text = &ask.origin },
	{ 0 },
};

/* The key as one line, or as JSON. */
static enum tf_code
print(const struct tf_buf *vkey, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (ask.json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_json_key(&j, "vkey");
		tf_json_str(&j, vkey->p, vkey->n);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	} else {
		text_add(&b, vkey->p, vkey->n);
	}
	if (rc == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
from_mirror(char **arg, const struct tf_actor *self, struct tf_buf *vkey,
    struct tf_error *err)
{
	enum tf_code rc;

	if (ask.keys)
		return tf_fail(err, TF_USAGE,
		    "--keys is for a backup: a mirror has no private keys");
	rc = apart_ordinary(arg[1], "restored store", err);
	return rc == TF_OK ?
	    tf_restore(arg[0], arg[1], ask.origin, self, vkey, err) :
	    rc;
}

/* What the guard of the lost store had seen and the backup has not. */
static void
note_lost(const struct tf_restored *r)
{
	if (r->guard_entries > 0)
		report_note("%llu entries were written after this backup, as "
			    "the guard %s shows, and are LOST unless a mirror "
			    "has them: trailctl compare %s",
		    (unsigned long long)(r->guard_entries - r->copy.entries),
		    r->guard, "STORE MIRROR");
	else
		report_note("What was written after this backup is not in it: "
			    "trailctl compare finds it in a mirror, a package "
			    "or a witness");
	if (r->guard[0] != '\0')
		report_note("STORE/config names no guard any more: the old one "
			    "belongs to the lost store");
}

/* *status: lost objects do not keep the rest from being restored. */
static enum tf_code
from_backup(char **arg, const struct tf_actor *self, struct tf_buf *vkey,
    int *status, struct tf_error *err)
{
	struct progress progress = { .what = "restore", .silent = ask.json };
	struct tf_backup b = { .store = arg[0],
		.dir = arg[1],
		.keys = ask.keys,
		.progress = progress_draw,
		.found = progress_finding,
		.arg = &progress };
	struct tf_restored r;
	char *store = NULL;
	enum tf_code rc = apart_find(arg[0], arg[1], "restored store", &store,
	    err);

	free(store);
	if (rc != TF_OK)
		return rc;
	rc = tf_restore_backup(&b, ask.origin, self, &r, err);
	progress_end(&progress);
	*vkey = r.vkey;
	if (rc != TF_OK)
		return rc;
	note_lost(&r);
	if (r.format[0] != '\0')
		report_note("the backup had format %s; the new store was "
			    "upgraded",
		    r.format);
	if (r.copy.report.findings > 0) {
		report_note("the backup has %llu findings, as above",
		    (unsigned long long)r.copy.report.findings);
		*status = REPORT_TAMPERED;
	}
	return TF_OK;
}

/* The key alone is on stdout, as that of trailctl init. */
static int
run(int n, char **arg)
{
	struct tf_buf vkey = { 0 };
	struct tf_error err = { 0 };
	struct tf_actor self;
	int status = REPORT_OK;
	enum tf_code rc;

	(void)n;
	if (ask.origin == NULL)
		return cmd_usage(&cmd_restore,
		    "--origin is required: a vault that is restored never "
		    "signs under the old one");
	actor_self(&self);
	rc = tf_backup_is(arg[0]) ?
	    from_backup(arg, &self, &vkey, &status, &err) :
	    from_mirror(arg, &self, &vkey, &err);
	if (rc != TF_OK)
		rc = refusals_explain_below(arg[1], &err);
	if (rc == TF_OK) {
		report_note(
		    "The ledger goes on in %s as %s; the first new entry "
		    "says so.  From now on a verifier needs this new "
		    "key; the old key stays good for what was signed "
		    "before.",
		    arg[1], ask.origin);
		report_note("Keep this key somewhere else: it distinguishes "
			    "this store from a forged one.");
		rc = print(&vkey, &err);
	}
	tf_buf_free(&vkey);
	return rc == TF_OK ? status : report(&err);
}

const struct verb cmd_restore = {
	.name = "restore",
	.summary = "make a vault from a backup or a mirror",
	.usage = "[--json] [--keys] --origin NAME BACKUP|MIRROR STORE",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
