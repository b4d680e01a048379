/*
 * trailctl upgrade: convert a store of an earlier format (core/upgrade.h).  The
 * store is verified before and after, and its root must stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "cmd.h"
#include "core/backup.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/upgrade.h"
#include "core/verify.h"
#include "progress.h"
#include "report.h"
#include "text.h"

static struct {
	bool json, check;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "check",
	    .help =
		"change nothing: exit status 1 if the store must be upgraded",
	    .flag = &ask.check },
	{ 0 },
};

/* Verify the store, with the sizes of long objects and not their bytes, which an
 * upgrade does not touch. */
static enum tf_code
verify(const char *store, struct tf_report *report, struct tf_error *err)
{
	struct progress shown = { .what = "upgrade",
		.unit = "entries",
		.silent = ask.json };
	const struct tf_verify v = { .found = progress_finding,
		.progress = progress_draw,
		.arg = &shown,
		.sizes = true };
	enum tf_code rc = tf_verify_store(store, &v, report, err);

	progress_end(&shown);
	return rc;
}

static bool
is_whole(const struct tf_report *r)
{
	return r->findings == r->beside;
}

static enum tf_code
upgrade(const char *store, struct tf_upgraded *u, struct tf_error *err)
{
	struct tf_report before = { 0 }, after = { 0 };
	enum tf_code rc = verify(store, &before, err);

	if (rc == TF_OK && !is_whole(&before))
		rc = tf_fail(err, TF_TAMPER,
		    "the store is not whole, as above: it stays as it is");
	if (rc == TF_OK && (rc = tf_upgrade(store, false, u, err)) == TF_OK)
		rc = verify(store, &after, err);
	if (rc == TF_OK &&
	    (!is_whole(&after) || after.size != before.size ||
		memcmp(&after.root, &before.root, sizeof(after.root)) != 0))
		rc = tf_fail(err, TF_TAMPER,
		    "the upgraded store is not what it was: put the backup "
		    "back");
	return rc;
}

static enum tf_code
print(const struct tf_upgraded *u, struct tf_error *err)
{
	char root[2 * sizeof(u->root.b) + 1];
	struct tf_buf b = { 0 };
	struct tf_json j;
	const bool same = strcmp(u->from, u->to) == 0;
	enum tf_code rc = TF_OK;

	tf_hex(u->root.b, sizeof(u->root.b), root);
	if (ask.json) {
		tf_json_begin(&j, &b);
		tf_json_object(&j);
		tf_put_cstr(&j, "from", u->from);
		tf_put_cstr(&j, "to", u->to);
		tf_json_object_end(&j);
		if ((rc = tf_json_end(&j, err)) == TF_OK)
			printf("%s\n", text_of(&b));
	} else if (same) {
		printf("the store has format %s, the newest\n", u->to);
	} else if (ask.check) {
		printf("the store has format %s; trailctl upgrade makes it "
		       "%s\n",
		    u->from, u->to);
	} else {
		printf("upgraded from format %s to %s: %llu entries, root %s, "
		       "as before\n",
		    u->from, u->to, (unsigned long long)u->entries, root);
	}
	tf_buf_free(&b);
	return rc;
}

static int
run(int n, char **arg)
{
	struct tf_upgraded u = { .from = "" };
	struct tf_error err = { 0 };
	char *store = NULL;
	bool old = false;
	enum tf_code rc = apart_find(arg[0], NULL, "store", &store, &err);

	(void)n;
	if (rc == TF_OK && !ask.check && tf_backup_is(store))
		rc = tf_fail(&err, TF_READONLY,
		    "%.100s is a backup, which follows its store; trailctl "
		    "restore upgrades what it makes of it",
		    store);
	if (rc == TF_OK && (rc = tf_upgrade(store, true, &u, &err)) == TF_OK)
		old = strcmp(u.from, u.to) != 0;
	if (rc == TF_OK && old && !ask.check)
		rc = upgrade(store, &u, &err);
	if (rc == TF_OK)
		rc = print(&u, &err);
	free(store);
	if (rc != TF_OK)
		return report(&err);
	return old && ask.check ? REPORT_FINDING : REPORT_OK;
}

const struct verb cmd_upgrade = {
	.name = "upgrade",
	.summary = "convert a store of an earlier format",
	.usage = "[--json] [--check] STORE",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
