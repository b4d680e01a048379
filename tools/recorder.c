/*
 * Recording one attestation, in a mount or a store: see recorder.h.
 *
 * This file has what is the same in both: the place of an attestation, the name
 * of the draft, the directories of a file, and when the draft is removed.
 * recorder_mount.c and recorder_store.c have the operations. r->draft is the
 * only sign that there is a draft: it is set before the operation that makes
 * it, and cleared when the draft is published, kept or dropped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "core/base/crypto.h"
#include "core/control.h"
#include "recorder.h"
#include "report.h"

/* Is w a place where an attestation can be?  A dot begins names of drafts. */
static bool
is_place(const struct where *w)
{
	unsigned slashes = 0;

	for (const char *p = w->path; *p != '\0'; p++)
		slashes += *p == '/';
	return slashes == 2 && strrchr(w->path, '/')[1] != '.' &&
	    strstr(w->path, TF_CONTROL_DIR) == NULL &&
	    strstr(w->path, "/../") == NULL;
}

/* The part of path before its last '/', allocated. */
static char *
above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strndup(path, (size_t)(slash - path));
}

/* Take the lock of the store. The actor is read once, and all entries of this
 * recording have the same one. */
static enum tf_code
open_store(struct recorder *r, struct tf_error *err)
{
	r->ops = &recorder_store;
	if ((r->self = calloc(1, sizeof(*r->self))) == NULL)
		return tf_nomem(err);
	actor_self(r->self);
	return where_open(&r->w, true, &r->v, err);
}

enum tf_code
recorder_open(const char *arg, struct recorder *r, struct tf_error *err)
{
	enum tf_code rc;

	*r = (struct recorder){ .fd = -1 };
	rc = where_find_name(arg, &r->w, &r->exists, err);
	if (rc != TF_OK)
		return rc;
	if (!is_place(&r->w))
		return tf_fail(err, TF_USAGE,
		    "%s is no place of an attestation: name "
		    "TRAIL/WORKFLOW/NAME in a mount or a store",
		    arg);
	r->wf = above(r->w.path);
	r->name = strdup(strrchr(r->w.path, '/') + 1);
	if (r->wf == NULL || r->name == NULL)
		return tf_nomem(err);
	if (r->w.store != NULL)
		return open_store(r, err);
	r->ops = &recorder_mount;
	r->wf_file = above(r->w.file);
	return r->wf_file != NULL ? TF_OK : tf_nomem(err);
}

/* The order matters: the draft is removed before the guard hears that all is
 * well, so that one of the two always removes it. */
enum tf_code
recorder_close(struct recorder *r, enum tf_code rc, struct tf_error *err)
{
	recorder_drop(r);
	if (r->guard != 0)
		r->ops->unguard(r);
	if (r->v != NULL)
		rc = where_done(r->v, rc, err);
	where_free(&r->w);
	free(r->wf);
	free(r->name);
	free(r->wf_file);
	free(r->self);
	*r = (struct recorder){ .fd = -1 };
	return rc;
}

enum tf_code
recorder_workflow(struct recorder *r, bool begin, struct tf_error *err)
{
	bool no_trail = false;
	enum tf_code rc = r->ops->find(r, begin, &no_trail, err);

	if (rc != TF_NOTFOUND)
		return rc;
	if (no_trail)
		return tf_fail(err, TF_USAGE,
		    "there is no trail %.*s: make it with trailctl trail "
		    "create",
		    (int)strcspn(r->wf, "/"), r->wf);
	return tf_fail(err, TF_USAGE,
	    "there is no workflow %s: begin it with mkdir, or give --begin",
	    r->wf);
}

enum tf_code
recorder_state(struct recorder *r, const char *name, char out[16],
    struct tf_error *err)
{
	out[0] = '\0';
	return r->ops->state(r, name, out, err);
}

enum tf_code
recorder_claimed(struct recorder *r, const char *name, const char *key,
    struct tf_buf *out, struct tf_error *err)
{
	return r->ops->claimed(r, name, key, out, err);
}

enum tf_code
recorder_recorded(struct recorder *r, const char *name, struct tf_buf *sums,
    struct tf_buf *json, struct tf_error *err)
{
	return r->ops->recorded(r, name, sums, json, err);
}

enum tf_code
recorder_begin(struct recorder *r, const char *prefix, bool guard,
    struct tf_error *err)
{
	uint64_t number;
	enum tf_code rc;

	/* A free name, also for two callers at once. */
	if ((rc = tf_random(&number, sizeof(number), err)) != TF_OK)
		return rc;
	(void)snprintf(r->draft, sizeof(r->draft), "%s%016llx", prefix,
	    (unsigned long long)number);
	rc = r->ops->begin(r, err);
	if (rc != TF_OK)
		r->draft[0] = '\0';
	else if (guard && r->ops->guard != NULL)
		r->ops->guard(r);
	return rc;
}

enum tf_code
recorder_directory(const struct recorder *r, char **out, struct tf_error *err)
{
	*out = NULL;
	if (r->wf_file != NULL &&
	    asprintf(out, "%s/%s", r->wf_file, r->draft) < 0)
		return tf_nomem(err);
	return TF_OK;
}

/* Directories are made one by one, from the top; one that exists is fine. */
enum tf_code
recorder_create(struct recorder *r, const char *name, unsigned mode,
    struct tf_error *err)
{
	char *dir = strdup(name);
	enum tf_code rc = dir == NULL ? tf_nomem(err) : TF_OK;

	for (char *p = dir; rc == TF_OK && (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		rc = r->ops->mkdir(r, dir, err);
		*p = '/';
	}
	free(dir);
	return rc == TF_OK ? r->ops->create(r, name, mode, err) : rc;
}

enum tf_code
recorder_write(struct recorder *r, const void *p, size_t n,
    struct tf_error *err)
{
	return r->ops->write(r, p, n, err);
}

enum tf_code
recorder_end(struct recorder *r, struct tf_error *err)
{
	return r->ops->end(r, err);
}

enum tf_code
recorder_read(struct recorder *r, const char *name, const struct tf_sink *sink,
    struct tf_error *err)
{
	return r->ops->read(r, name, sink, err);
}

enum tf_code
recorder_claim(struct recorder *r, const char *key, const void *value, size_t n,
    struct tf_error *err)
{
	return r->ops->claim(r, key, value, n, err);
}

enum tf_code
recorder_publish(struct recorder *r, const char *name, struct tf_error *err)
{
	enum tf_code rc = r->ops->publish(r, name, err);

	if (rc == TF_OK)
		r->draft[0] = '\0';
	return rc;
}

void
recorder_keep(struct recorder *r)
{
	r->draft[0] = '\0';
}

void
recorder_drop(struct recorder *r)
{
	struct tf_error err = { 0 };

	if (r->fd >= 0 || r->file != NULL)
		(void)r->ops->end(r, &err);
	if (r->draft[0] == '\0')
		return;
	if (r->ops->drop(r, &err) != TF_OK)
		report_note("the draft %s/%s is still there: %s", r->wf,
		    r->draft, err.text);
	r->draft[0] = '\0';
}
