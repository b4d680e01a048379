/*
 * trailctl org fetch.  An origin that does not fit is named on standard error, and
 * the others go on; the exit status is then that of the worst: 4 if anything is
 * altered or missing.
 */
#include "org_fetch.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "copies.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/member.h"
#include "core/fetch.h"
#include "core/follow.h"
#include "interrupt.h"
#include "keyring.h"
#include "progress.h"
#include "report.h"
#include "text.h"
#include "verdict.h"

#define UNTIL_MS 200 /* between two fetches */

struct fetching {
	struct progress progress;
	bool json, quiet;
	uint64_t origins, entries, objects, bytes, waiting;
	struct keyring keys;
	const char *of; /* the origin that is waited for, or NULL */
	uint64_t has;	/* entries of its copy */
	bool follows;	/* a line for a journal is written at once */
	int status;
	enum tf_code rc; /* of printing */
};

static void
draw(void *arg, uint64_t entries, uint64_t of, uint64_t bytes)
{
	struct fetching *v = arg;

	progress_draw_bytes(&v->progress, entries, of, bytes);
}

static bool
stop(void *arg)
{
	struct tf_error err;

	(void)arg;
	return interrupt_check(&err) != TF_OK;
}

static void
print_json(struct fetching *v, const struct tf_fetched *f,
    const struct tf_error *why)
{
	struct tf_buf b = { 0 };
	struct tf_json j;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "bytes", f->bytes);
	tf_put_str(&j, "directory", tf_str_of(f->dir));
	tf_put_uint(&j, "entries", f->entries);
	tf_put_uint(&j, "new", f->entries - f->before);
	tf_put_uint(&j, "objects", f->objects);
	tf_put_str(&j, "origin", tf_str_of(f->origin));
	if (why != NULL)
		tf_put_str(&j, "problem", tf_str_of(why->text));
	if (f->vkey != NULL)
		tf_put_str(&j, "vkey", tf_str_of(f->vkey));
	tf_put_uint(&j, "waiting", f->waiting);
	tf_json_object_end(&j);
	if ((v->rc = tf_json_end(&j, NULL)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
}

static void
print_text(const struct tf_fetched *f)
{
	struct tf_buf b = { 0 };

	text_add(&b, f->origin, strlen(f->origin));
	tf_buf_printf(&b, ": %llu entries, %llu new",
	    (unsigned long long)f->entries,
	    (unsigned long long)(f->entries - f->before));
	if (f->waiting > 0)
		tf_buf_printf(&b, ", %llu waiting for a checkpoint",
		    (unsigned long long)f->waiting);
	if (f->made) {
		tf_buf_str(&b, ", with the key ");
		text_add(&b, f->vkey, strlen(f->vkey));
	}
	printf("%s\n", text_of(&b));
	tf_buf_free(&b);
}

static void
done(void *arg, const struct tf_fetched *f, const struct tf_error *why)
{
	struct fetching *v = arg;

	progress_end(&v->progress);
	v->origins++;
	v->entries += f->entries - f->before;
	v->objects += f->objects;
	v->bytes += f->bytes;
	v->waiting += f->waiting;
	if (v->of != NULL && strcmp(v->of, f->origin) == 0)
		v->has = f->entries;
	if (why != NULL)
		v->status = verdict_graver(v->status,
		    copies_problem(f->origin, why));
	if (v->json)
		print_json(v, f, why);
	else if (!v->quiet && (f->entries > f->before || f->waiting > 0))
		print_text(f);
	if (v->follows)
		(void)fflush(stdout); /* report_end() says that it failed */
}

static const char *
vkey_of(void *arg, const char *origin)
{
	const struct fetching *v = arg;

	return keyring_find(&v->keys, origin);
}

static void
print_order_json(struct fetching *v, const struct tf_fetch_order *o,
    const struct tf_error *why)
{
	struct tf_buf b = { 0 };
	struct tf_json j;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "entries", o->entries);
	tf_put_uint(&j, "new", o->size > o->before ? o->size - o->before : 0);
	tf_put_str(&j, "organisation", tf_str_of(o->origin));
	tf_put_bool(&j, "pinned", o->given);
	if (why != NULL)
		tf_put_str(&j, "problem", tf_str_of(why->text));
	tf_put_uint(&j, "signed", o->size);
	if (o->vkey[0] != '\0')
		tf_put_str(&j, "vkey", tf_str_of(o->vkey));
	tf_json_object_end(&j);
	if ((v->rc = tf_json_end(&j, NULL)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
}

/* The key is shown when it is new: the caller may not have compared it yet. */
static void
order(void *arg, const struct tf_fetch_order *o, const struct tf_error *why)
{
	struct fetching *v = arg;
	struct tf_buf b = { 0 };

	progress_end(&v->progress);
	if (o->origin == NULL)
		return;
	if (why != NULL)
		v->status = verdict_graver(v->status,
		    copies_problem(o->origin, why));
	if (v->json)
		print_order_json(v, o, why);
	if (v->json || v->quiet || why != NULL || o->size == o->before)
		return;
	text_add(&b, o->origin, strlen(o->origin));
	tf_buf_printf(&b, " has signed %llu of %llu entries",
	    (unsigned long long)o->size, (unsigned long long)o->entries);
	if (o->before == 0) {
		tf_buf_str(&b, ", with the key ");
		text_add(&b, o->vkey, strlen(o->vkey));
	}
	printf("%s\n", text_of(&b));
	tf_buf_free(&b);
}

/* A line for a journal. */
static void
say_failure(void *arg, const struct tf_error *why)
{
	(void)arg;
	if (why != NULL)
		report_note("%s; trying again", why->text);
	else
		report_note("it goes on");
}

/* The signal that ends it is no failure. */
static enum tf_code
follow(const struct tf_fetch *o, uint64_t size, struct tf_error *err)
{
	struct tf_follow f = { .fetch = *o,
		.size = size,
		.report = say_failure };
	enum tf_code rc = tf_follow(&f, err);

	return rc == TF_INTERRUPTED ? TF_OK : rc;
}

/* What was forwarded comes with the next fetch.  Another process may fetch into the
 * directory at this moment. */
static enum tf_code
until(const struct fetching *v, const struct tf_fetch *o,
    const struct org_fetch *ask, struct tf_error *err)
{
	const uint64_t end = tf_clock_boot_ns() + ask->wait_s * TF_SECOND;
	enum tf_code rc;

	for (;;) {
		rc = tf_fetch(o, err);
		if ((rc != TF_OK && rc != TF_LOCKED) || v->has >= ask->until)
			return rc;
		if (tf_clock_boot_ns() >= end)
			return tf_fail(err, TF_BUSY,
			    "the copy of %.80s has %llu entries after %llu "
			    "seconds, not %llu",
			    ask->of, (unsigned long long)v->has,
			    (unsigned long long)ask->wait_s,
			    (unsigned long long)ask->until);
		(void)poll(NULL, 0, UNTIL_MS);
		if ((rc = interrupt_check(err)) != TF_OK)
			return rc;
	}
}

int
org_fetch(const struct org_fetch *ask)
{
	struct fetching v = { .progress = { .what = "fetch",
				  .silent = ask->json || ask->quiet ||
				      ask->follow },
		.of = ask->of,
		.follows = ask->follow,
		.json = ask->json,
		.quiet = ask->quiet };
	struct tf_fetch o = { .ledger = ask->ledger,
		.blobs = ask->blobs,
		.dir = ask->dir,
		.names = ask->names,
		.done = done,
		.vkey_of = vkey_of,
		.order = order,
		.progress = draw,
		.stop = stop,
		.arg = &v };
	struct tf_error err = { 0 };
	enum tf_code rc = TF_OK;

	if (ask->vkey != NULL &&
	    keyring_read(&v.keys, ask->vkey, &err) != TF_OK) {
		keyring_free(&v.keys);
		return report(&err);
	}
	interrupt_hold();
	rc = ask->follow    ? follow(&o, ask->size, &err) :
	    ask->of != NULL ? until(&v, &o, ask, &err) :
			      tf_fetch(&o, &err);
	progress_end(&v.progress);
	if (rc == TF_OK && v.rc != TF_OK)
		rc = tf_fail(&err, v.rc, "print the answer");
	if (rc != TF_OK)
		v.status = verdict_graver(v.status, report(&err));
	else if (!ask->json && !ask->quiet && !ask->follow)
		printf("%llu origin%s: %llu new entries, %llu objects, %llu "
		       "bytes\n",
		    (unsigned long long)v.origins, v.origins == 1 ? "" : "s",
		    (unsigned long long)v.entries,
		    (unsigned long long)v.objects, (unsigned long long)v.bytes);
	v.status = report_end(v.status);
	keyring_free(&v.keys);
	interrupt_release();
	return v.status;
}
