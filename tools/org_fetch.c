/*
 * trailctl org fetch.  An origin that does not fit is named on standard error, and
 * the others go on; the exit status is then that of the worst: 4 if anything is
 * altered or missing.
 */
#include "org_fetch.h"

#include <stdio.h>
#include <string.h>

#include "copies.h"
#include "core/base/bytes.h"
#include "core/base/member.h"
#include "core/fetch.h"
#include "interrupt.h"
#include "progress.h"
#include "report.h"
#include "text.h"
#include "verdict.h"

struct fetching {
	struct progress progress;
	bool json, quiet;
	uint64_t origins, entries, objects, bytes, waiting;
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
	if (why != NULL)
		v->status = verdict_graver(v->status,
		    copies_problem(f->origin, why));
	if (v->json)
		print_json(v, f, why);
	else if (!v->quiet && (f->entries > f->before || f->waiting > 0))
		print_text(f);
}

int
org_fetch(const char *ledger, const char *blobs, const char *dir, bool json,
    bool quiet)
{
	struct fetching v = { .progress = { .what = "fetch",
				  .silent = json || quiet },
		.json = json,
		.quiet = quiet };
	struct tf_fetch o = { .ledger = ledger,
		.blobs = blobs,
		.dir = dir,
		.done = done,
		.progress = draw,
		.stop = stop,
		.arg = &v };
	struct tf_error err = { 0 };
	enum tf_code rc;

	interrupt_hold();
	rc = tf_fetch(&o, &err);
	progress_end(&v.progress);
	if (rc == TF_OK && v.rc != TF_OK)
		rc = tf_fail(&err, v.rc, "print the answer");
	if (rc != TF_OK)
		v.status = verdict_graver(v.status, report(&err));
	else if (!json && !quiet)
		printf("%llu origin%s: %llu new entries, %llu objects, %llu "
		       "bytes\n",
		    (unsigned long long)v.origins, v.origins == 1 ? "" : "s",
		    (unsigned long long)v.entries,
		    (unsigned long long)v.objects, (unsigned long long)v.bytes);
	v.status = report_end(v.status);
	interrupt_release();
	return v.status;
}
