/*
 * trailctl forward: send what is in a store to an organisation (core/forward.h),
 * once or as a service.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "core/base/member.h"
#include "core/forward.h"
#include "interrupt.h"
#include "progress.h"
#include "report.h"
#include "text.h"
#include "where.h"

static struct {
	bool json, quiet, once;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	ARGS_QUIET(&ask.quiet),
	{ .name = "once",
	    .help = "end when everything was sent",
	    .flag = &ask.once },
	{ 0 },
};

/* A failure is said once, until it passes. */
struct forwarding {
	struct progress progress;
	bool failed, unwritten;
};

/* Once: a user who may only read the store cannot write in it. */
static void
say_unwritten(struct forwarding *f, const struct tf_forwarded *now)
{
	if (now->unwritten[0] == '\0' || f->unwritten)
		return;
	progress_end(&f->progress);
	report_note("trailctl status does not show this: %s", now->unwritten);
	f->unwritten = true;
}

static void
show(void *arg, const struct tf_forwarded *now, const struct tf_error *why)
{
	struct forwarding *f = arg;

	if (why != NULL && !f->failed) {
		progress_end(&f->progress);
		report_note("%s; trying again", why->text);
	} else if (why == NULL && f->failed) {
		report_note("going on at entry %llu",
		    (unsigned long long)now->entries);
	}
	f->failed = why != NULL;
	say_unwritten(f, now);
	if (why == NULL)
		progress_draw_bytes(&f->progress, now->entries, now->of,
		    now->bytes);
}

static bool
stop(void *arg)
{
	struct tf_error err;

	(void)arg;
	return interrupt_check(&err) != TF_OK;
}

static enum tf_code
print_json(const struct tf_forwarded *r, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "bytes", r->bytes);
	tf_put_uint(&j, "entries", r->entries);
	tf_put_uint(&j, "new", r->sent);
	tf_put_uint(&j, "objects", r->objects);
	tf_put_uint(&j, "redacted", r->absent);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
print(const struct tf_forwarded *r, struct tf_error *err)
{
	if (ask.json)
		return print_json(r, err);
	if (!ask.quiet)
		printf("forwarded up to %llu entries: %llu new, %llu objects, "
		       "%llu bytes\n",
		    (unsigned long long)r->entries, (unsigned long long)r->sent,
		    (unsigned long long)r->objects,
		    (unsigned long long)r->bytes);
	return TF_OK;
}

/* The directory of the store, also of one that is mounted at arg. */
static enum tf_code
find_store(const char *arg, char **store, struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK)
		rc = where_ends(&w, arg, err);
	if (rc == TF_OK && w.mount != NULL)
		rc = where_store(&w, store, err);
	else if (rc == TF_OK && (*store = strdup(w.store)) == NULL)
		rc = tf_nomem(err);
	where_free(&w);
	return rc;
}

static int
run(int n, char **arg)
{
	struct forwarding f = { .progress = { .what = "forward" } };
	struct tf_forwarded out = { 0 };
	struct tf_error err = { 0 };
	struct tf_forward o = { .ledger = arg[1],
		.blobs = n == 3 ? arg[2] : arg[1],
		.once = ask.once,
		.report = show,
		.stop = stop,
		.arg = &f };
	char *store = NULL;
	int status;
	enum tf_code rc;

	if (n == 2 && strncmp(arg[1], "dir:", 4) != 0)
		return cmd_no_blobs(&cmd_forward, arg[1]);
	/* A service writes lines for a journal, and draws nothing. */
	f.progress.silent = ask.quiet || ask.json || !ask.once;
	rc = find_store(arg[0], &store, &err);
	o.store = store;
	interrupt_hold();
	if (rc == TF_OK)
		rc = tf_forward(&o, &out, &err);
	progress_end(&f.progress);
	if (rc == TF_OK)
		say_unwritten(&f, &out);
	if (rc == TF_OK)
		rc = print(&out, &err);
	status = rc == TF_OK ? REPORT_OK : report(&err);
	free(store);
	status = report_end(status);
	interrupt_release();
	return status;
}

const struct verb cmd_forward = {
	.name = "forward",
	.summary = "send a store to an organisation's ledger",
	.usage = "[--once] [--json] [--quiet] STORE|PATH LEDGER [BLOBS]",
	.options = options,
	.min = 2,
	.max = 3,
	.run = run,
};
