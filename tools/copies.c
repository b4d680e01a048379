/* The copies of an organisation that an argument names: see copies.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copies.h"
#include "core/base/array.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/copies.h"
#include "core/fetch.h"
#include "core/org.h"
#include "interrupt.h"
#include "progress.h"
#include "report.h"
#include "text.h"
#include "verdict.h"

bool
copies_named(const char *arg)
{
	return tf_org_is_uri(arg) || tf_copies_are(arg);
}

int
copies_problem(const char *origin, const struct tf_error *why)
{
	struct tf_buf b = { 0 };

	text_add(&b, origin, strlen(origin));
	report_note("%s: %s", text_of(&b), why->text);
	tf_buf_free(&b);
	return report_status(why->code);
}

int
copies_status(const struct copies *c)
{
	int status = report_status(c->order.why.code);

	for (size_t i = 0; i < c->n; i++)
		status = verdict_graver(status,
		    report_status(c->v[i].why.code));
	return status;
}

enum tf_code
copies_unwanted(const struct copies_wish *w, const char *arg,
    struct tf_error *err)
{
	const char *name = w->origin != NULL ? "--origin" :
	    w->blobs != NULL		     ? "--blobs" :
					       "--cache";

	if (w->origin == NULL && w->blobs == NULL && w->cache == NULL)
		return TF_OK;
	return tf_fail(err, TF_USAGE,
	    "%s goes with an organisation: %.80s is neither its URI nor a "
	    "directory of copies",
	    name, arg);
}

/* --- the list ------------------------------------------------------------------ */

static char *
copy_of(const char *s)
{
	return s == NULL ? NULL : strdup(s);
}

static enum tf_code
add(struct copies *c, const char *origin, const char *vkey,
    struct copies_one **out, struct tf_error *err)
{
	struct copies_one *o;

	if (!tf_array_room(&c->v, c->n, &c->cap, sizeof(*c->v)))
		return tf_nomem(err);
	o = &c->v[c->n++];
	*o = (struct copies_one){ .origin = strdup(origin),
		.vkey = strdup(vkey) };
	*out = o;
	return o->origin == NULL || o->vkey == NULL ? tf_nomem(err) : TF_OK;
}

static struct copies_one *
find(const struct copies *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].name != NULL && strcmp(c->v[i].name, name) == 0)
			return &c->v[i];
	return NULL;
}

struct opening {
	struct copies *c;
	const struct copies_wish *w;
	struct progress progress;
	enum tf_code rc;
};

/* A copy of an origin about which the fetch said something, or another one. */
static enum tf_code
take_copy(void *arg, const struct tf_copy *t, struct tf_error *err)
{
	struct opening *p = arg;
	struct copies_one *o = find(p->c, t->name);
	enum tf_code rc = TF_OK;

	if (p->w->origin != NULL && strcmp(p->w->origin, t->origin) != 0)
		return TF_OK;
	if (o == NULL && (rc = add(p->c, t->origin, t->vkey, &o, err)) != TF_OK)
		return rc;
	free(o->name);
	free(o->origin);
	free(o->vkey);
	o->name = copy_of(t->name);
	o->origin = copy_of(t->origin); /* of one that the ledger lacks now */
	o->vkey = copy_of(t->vkey);	/* not what the ledger says of it now */
	o->path = copy_of(t->path);
	return o->name == NULL || o->origin == NULL || o->vkey == NULL ||
		o->path == NULL ?
	    tf_nomem(err) :
	    TF_OK;
}

enum tf_code
copies_single(struct copies *out, const struct tf_copy *one,
    struct tf_error *err)
{
	const struct copies_wish any = { 0 };
	struct opening p = { .c = out, .w = &any };

	return take_copy(&p, one, err);
}

static int
by_origin(const void *x, const void *y)
{
	const struct copies_one *a = x, *b = y;

	return strcmp(a->origin, b->origin);
}

static enum tf_code
list(struct opening *p, const char *arg, struct tf_error *err)
{
	struct copies *c = p->c;
	enum tf_code rc = tf_copies_each(c->dir, take_copy, p, err);

	if (rc == TF_OK && c->n > 1)
		qsort(c->v, c->n, sizeof(*c->v), by_origin);
	errno = 0;
	if (rc == TF_OK && c->n == 0)
		return p->w->origin != NULL ?
		    tf_fail(err, TF_NOTFOUND, "%.80s has no origin %.60s", arg,
			p->w->origin) :
		    tf_fail(err, TF_NOTFOUND, "%.80s has no copy of any origin",
			arg);
	return rc;
}

/* --- the organisation -------------------------------------------------------------- */

static void
draw(void *arg, uint64_t entries, uint64_t of, uint64_t bytes)
{
	struct opening *p = arg;

	progress_draw_bytes(&p->progress, entries, of, bytes);
}

static bool
stop(void *arg)
{
	struct tf_error err;

	(void)arg;
	return interrupt_check(&err) != TF_OK;
}

/* A vault that has sent nothing yet is no part of any answer. */
static void
done(void *arg, const struct tf_fetched *f, const struct tf_error *why)
{
	struct opening *p = arg;
	struct copies_one *o;
	struct tf_error err;

	progress_end(&p->progress);
	if (why == NULL && f->entries == 0 && f->waiting == 0)
		return;
	if (why != NULL)
		(void)copies_problem(f->origin, why);
	p->rc = add(p->c, f->origin, f->vkey != NULL ? f->vkey : "", &o, &err);
	if (p->rc != TF_OK)
		return;
	o->waiting = f->waiting;
	if (why != NULL)
		o->why = *why;
	if ((o->name = copy_of(f->dir)) == NULL)
		p->rc = TF_NOMEM;
}

static const char *
vkey_of(void *arg, const char *origin)
{
	const struct opening *p = arg;

	return p->w->keys != NULL ? keyring_find(p->w->keys, origin) : NULL;
}

static void
signed_of(void *arg, const char *origin, uint64_t entries)
{
	struct opening *p = arg;

	for (size_t i = 0; i < p->c->n; i++)
		if (strcmp(p->c->v[i].origin, origin) == 0)
			p->c->v[i].covered = entries;
}

static void
order(void *arg, const struct tf_fetch_order *f, const struct tf_error *why)
{
	struct opening *p = arg;
	struct copies_order *o = &p->c->order;

	progress_end(&p->progress);
	if (f->origin == NULL)
		return;
	*o = (struct copies_order){ .origin = copy_of(f->origin),
		.vkey = copy_of(f->vkey),
		.given = f->given,
		.size = f->size,
		.entries = f->entries };
	if (o->origin == NULL || o->vkey == NULL)
		p->rc = TF_NOMEM;
	if (why == NULL)
		return;
	o->why = *why;
	(void)copies_problem(f->origin, why);
}

/* Make the directories above a cache and it itself, for this user alone. */
static enum tf_code
make_dirs(char *path, struct tf_error *err)
{
	struct stat st;

	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return report_system(err, "make %s", path);
		*p = was;
		if (was == '\0')
			break;
	}
	if (stat(path, &st) < 0)
		return report_system(err, "%s", path);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return tf_fail(err, TF_ACCESS,
		    "%.100s: others can write there; give a directory of your "
		    "own with --cache",
		    path);
	return TF_OK;
}

/* The same line for each name of a directory, and for none that is elsewhere. */
static enum tf_code
add_uri(struct tf_buf *b, const char *uri, struct tf_error *err)
{
	char *absolute;
	enum tf_code rc = tf_org_uri_absolute(uri, &absolute, err);

	if (rc != TF_OK)
		return rc;
	tf_buf_printf(b, "%s\n", absolute);
	free(absolute);
	return TF_OK;
}

/* A directory for what these URIs name. */
static enum tf_code
find_cache(const char *ledger, const char *blobs, char **out,
    struct tf_error *err)
{
	const char *base = secure_getenv("XDG_CACHE_HOME"),
		   *home = secure_getenv("HOME");
	char hex[2 * 16 + 1];
	struct tf_buf both = { 0 };
	struct tf_hash h;
	enum tf_code rc = add_uri(&both, ledger, err);
	int n;

	if (rc == TF_OK)
		rc = add_uri(&both, blobs, err);
	if (rc == TF_OK && both.failed)
		rc = tf_nomem(err);
	if (rc != TF_OK) {
		tf_buf_free(&both);
		return rc;
	}
	tf_sha256(both.p, both.n, &h);
	tf_buf_free(&both);
	tf_hex(h.b, 16, hex);
	if (base != NULL && base[0] == '/')
		n = asprintf(out, "%s/trailfs/%s", base, hex);
	else if (home != NULL && home[0] == '/')
		n = asprintf(out, "%s/.cache/trailfs/%s", home, hex);
	else
		return tf_fail(err, TF_USAGE,
		    "neither XDG_CACHE_HOME nor HOME is set: give a directory "
		    "with --cache");
	if (n < 0) {
		*out = NULL;
		return tf_nomem(err);
	}
	return make_dirs(*out, err);
}

static enum tf_code
fetch(struct opening *p, const char *uri, struct tf_error *err)
{
	const char *blobs = p->w->blobs != NULL ? p->w->blobs : uri;
	struct tf_fetch o = { .ledger = uri,
		.blobs = blobs,
		.as_is = p->w->names,
		.done = done,
		.vkey_of = vkey_of,
		.signed_of = signed_of,
		.order = order,
		.progress = draw,
		.stop = stop,
		.arg = p };
	enum tf_code rc = TF_OK;

	if (p->w->blobs == NULL && strncmp(uri, "dir:", 4) != 0)
		return tf_fail(err, TF_USAGE,
		    "only dir: is a ledger and blobs: give them with --blobs");
	if (p->w->cache != NULL)
		p->c->dir = copy_of(p->w->cache);
	else
		rc = find_cache(uri, blobs, &p->c->dir, err);
	if (rc == TF_OK && p->c->dir == NULL)
		rc = tf_nomem(err);
	if (rc != TF_OK)
		return rc;
	o.dir = p->c->dir;
	o.only = p->w->origin;
	interrupt_hold();
	rc = tf_fetch(&o, err);
	progress_end(&p->progress);
	interrupt_release();
	if (rc == TF_OK && p->rc != TF_OK)
		rc = tf_nomem(err);
	p->c->fetched = rc == TF_OK;
	return rc;
}

enum tf_code
copies_open(struct copies *out, const char *arg, const struct copies_wish *w,
    struct tf_error *err)
{
	struct opening p = { .c = out,
		.w = w,
		.progress = { .what = "fetch", .silent = w->quiet } };
	enum tf_code rc = TF_OK;

	*out = (struct copies){ 0 };
	if (tf_org_is_uri(arg))
		rc = fetch(&p, arg, err);
	else if (w->blobs != NULL || w->cache != NULL)
		return tf_fail(err, TF_USAGE,
		    "--blobs and --cache go with the URI of an organisation");
	else if ((out->dir = copy_of(arg)) == NULL)
		rc = tf_nomem(err);
	return rc == TF_OK ? list(&p, arg, err) : rc;
}

void
copies_free(struct copies *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].origin);
		free(c->v[i].vkey);
		free(c->v[i].name);
		free(c->v[i].path);
	}
	free(c->v);
	free(c->order.origin);
	free(c->order.vkey);
	free(c->dir);
	*c = (struct copies){ 0 };
}
