/*
 * trailctl backup: a copy of a store, updated while it is in use (core/backup.h).
 * Of the store, only the file backed-up is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "cmd.h"
#include "core/backup.h"
#include "core/base/member.h"
#include "progress.h"
#include "refusals.h"
#include "report.h"
#include "text.h"

static struct {
	bool json, quiet, keys;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ .name = "keys",
	    .help =
		"copy the private keys too: guard the backup like the store",
	    .flag = &ask.keys },
	{ 0 },
};

/* --- while it runs ----------------------------------------------------------- */

static void
print_erased(void *arg, const char *path, uint64_t size, uint64_t entry)
{
	struct tf_buf shown = { 0 };

	progress_end(arg);
	text_add(&shown, path, strlen(path));
	report_note("%s: erased from the backup, %llu bytes; redacted by entry "
		    "%llu",
	    text_of(&shown), (unsigned long long)size,
	    (unsigned long long)entry);
	tf_buf_free(&shown);
}

/* --- the answer ---------------------------------------------------------------- */

static enum tf_code
print_json(const struct tf_backed_up *r, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "bytes", r->bytes);
	tf_put_uint(&j, "entries", r->entries);
	tf_put_uint(&j, "erased", r->erased);
	tf_put_uint(&j, "findings", r->report.findings);
	tf_put_bool(&j, "keys", r->keys);
	tf_put_uint(&j, "ledgerBytes", r->ledger_bytes);
	tf_put_uint(&j, "ledgerPages", r->changed);
	tf_put_uint(&j, "new", r->entries - r->before);
	tf_put_uint(&j, "objects", r->objects);
	tf_put_uint(&j, "pending", r->pending);
	tf_put_uint(&j, "present", r->present);
	tf_put_uint(&j, "secret", r->secret);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static void
print(const struct tf_backed_up *r)
{
	printf("backed up %llu entries, %llu of them new: %llu objects, %llu "
	       "bytes (%llu objects were there); ledger %llu of %llu pages, "
	       "%llu bytes\n",
	    (unsigned long long)r->entries,
	    (unsigned long long)(r->entries - r->before),
	    (unsigned long long)r->objects, (unsigned long long)r->bytes,
	    (unsigned long long)r->present, (unsigned long long)r->changed,
	    (unsigned long long)r->pages, (unsigned long long)r->ledger_bytes);
	if (r->report.findings == 0)
		printf("verified: ledger, names and new objects; trailctl "
		       "verify hashes all objects of the backup\n");
}

/* What a person must know who will restore it one day. */
static void
print_notes(const struct tf_backed_up *r)
{
	if (r->keys && !ask.keys)
		report_note("PRIVATE KEYS of an earlier run with --keys are in "
			    "this backup");
	else if (r->keys)
		report_note("the PRIVATE KEYS are in this backup: who can read "
			    "it can sign as this store.  Guard it like the "
			    "store");
	else if (!ask.quiet)
		report_note("the private keys are NOT in this backup (--keys "
			    "copies them): a store that is restored from it "
			    "gets new keys");
	if (r->unrecorded[0] != '\0')
		report_note("the store does not know of this backup: %s",
		    r->unrecorded);
	if (r->secret > 0)
		report_note(
		    "%llu files of encrypted trails are not sealed yet, "
		    "and NOT in this backup",
		    (unsigned long long)r->secret);
}

static int
answer(const struct tf_backed_up *r, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (ask.json)
		rc = print_json(r, err);
	else if (!ask.quiet)
		print(r);
	if (rc != TF_OK)
		return report(err);
	print_notes(r);
	if (r->report.findings == 0)
		return REPORT_OK;
	report_note("the backup was made, but the store has %llu findings, as "
		    "above",
	    (unsigned long long)r->report.findings);
	return REPORT_TAMPERED;
}

static int
run(int n, char **arg)
{
	struct progress progress = { .what = "backup" };
	struct tf_backed_up r = { .bytes = 0 };
	struct tf_error err = { 0 };
	struct tf_backup b = { .dir = arg[1],
		.keys = ask.keys,
		.progress = progress_draw,
		.erased = print_erased,
		.found = progress_finding };
	char *store = NULL;
	int status;
	enum tf_code rc;

	(void)n;
	progress.silent = ask.quiet || ask.json;
	b.arg = &progress;
	rc = apart_find(arg[0], arg[1], "backup", &store, &err);
	b.store = store;
	if (rc == TF_OK)
		rc = tf_backup_make(&b, &r, &err);
	if (rc != TF_OK)
		rc = refusals_explain_below(arg[1], &err);
	progress_end(&progress);
	status = rc == TF_OK ? answer(&r, &err) : report(&err);
	free(store);
	return status;
}

const struct verb cmd_backup = {
	.name = "backup",
	.summary = "copy a store, or bring the copy up to date",
	.usage = "[--json] [--quiet] [--keys] STORE|PATH DIRECTORY",
	.options = options,
	.min = 2,
	.max = 2,
	.run = run,
};
