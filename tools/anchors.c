/*
 * Recording anchors: see anchors.h.  A mount takes the request as any program
 * could write it; in a store the vault gets it under its lock.
 */
#include "anchors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "core/control.h"
#include "define.h"
#include "files.h"
#include "report.h"

#define ANCHORS_MAX ((size_t)1 << 24)

/* The errno of the mount says why the vault refused. */
static enum tf_code
refused(const struct where *w, struct tf_error *err)
{
	int sys = errno;

	(void)report_system(err, "%s", w->mount);
	(void)define_explain(w->mount, err);
	if (sys == EPERM || sys == EACCES)
		err->code = TF_DENIED;
	else if (sys == EINVAL)
		err->code = TF_INVALID;
	else if (sys == EIO)
		err->code = TF_TAMPER;
	return err->code;
}

static enum tf_code
request_mounted(const struct where *w, const struct tf_buf *request,
    struct tf_error *err)
{
	char *path = NULL;
	int fd = -1;
	enum tf_code rc = TF_OK;

	if (asprintf(&path, "%s/%s/%s", w->mount, TF_CONTROL_DIR,
		TF_CONTROL_ANCHOR) < 0) {
		path = NULL;
		rc = tf_nomem(err);
	}
	if (rc == TF_OK &&
	    (fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)) < 0)
		rc = errno == EACCES || errno == EPERM ?
		    tf_fail(err, TF_DENIED,
			"%s: only the owner of the vault's root directory and "
			"root may",
			w->mount) :
		    report_system(err, "%s", path);
	if (rc == TF_OK)
		rc = files_put(fd, path, request->p, request->n, err);
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK)
		rc = refused(w, err);
	free(path);
	return rc;
}

static enum tf_code
record_mounted(const struct where *w, const struct tf_anchor *a,
    struct tf_error *err)
{
	struct tf_buf request = { 0 };
	enum tf_code rc = tf_anchor_request(a, &request, err);

	if (rc == TF_OK)
		rc = request_mounted(w, &request, err);
	tf_buf_free(&request);
	return rc;
}

static enum tf_code
refuse_mounted(const struct where *w, const struct tf_refusal *r,
    struct tf_error *err)
{
	struct tf_buf request = { 0 };
	enum tf_code rc = tf_refusal_request(r, &request, err);

	if (rc == TF_OK)
		rc = request_mounted(w, &request, err);
	tf_buf_free(&request);
	return rc;
}

static enum tf_code
record_stored(const struct where *w, const struct tf_anchor *a,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_anchor_add(v, &self, a, err);
	return where_done(v, rc, err);
}

enum tf_code
tf_anchor_record(const char *target, const struct tf_anchor *a,
    struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(target, &w, err);

	if (rc == TF_OK)
		rc = w.mount != NULL ? record_mounted(&w, a, err) :
				       record_stored(&w, a, err);
	where_free(&w);
	return rc;
}

enum tf_code
tf_anchor_refused(const char *target, const struct tf_refusal *r,
    struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(target, &w, err);

	if (rc == TF_OK)
		rc = w.mount != NULL ? refuse_mounted(&w, r, err) :
				       tf_store_anchor_refused(w.store, r, err);
	where_free(&w);
	return rc;
}

enum tf_code
tf_anchors_read(const struct where *w, struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err)
{
	int fd;
	enum tf_code rc;

	if (v != NULL)
		return tf_vault_anchors(v, out, err);
	if ((rc = where_control(w, TF_CONTROL_ANCHORS, &fd, err)) != TF_OK)
		return rc;
	rc = files_read_fd(fd, TF_CONTROL_ANCHORS, ANCHORS_MAX, out, err);
	(void)close(fd);
	return rc;
}

/* Is member key of object t the word? */
static bool
is_word(const struct tf_json_doc *d, int t, const char *key, const char *word)
{
	const int m = tf_json_get(d, t, key);
	struct tf_str s;

	if (m < 0 || d->tok[m].type != TF_JSON_STRING)
		return false;
	s = tf_json_text(d, m);
	return s.n == strlen(word) + 2 &&
	    memcmp(s.p + 1, word, strlen(word)) == 0;
}

enum tf_code
tf_anchors_current(struct tf_str json, const char *name, uint64_t *size,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;
	int list, n;

	*size = 0;
	if (json.n > 0 && json.p[json.n - 1] == '\n')
		json.n--;
	rc = tf_json_parse(&d, json.p, json.n, err);
	list = rc == TF_OK ? tf_json_get(&d, 0, "anchors") : -1;
	for (int t = list + 1; list >= 0 && t < (int)d.tok[list].next;
	     t = (int)d.tok[t].next) {
		const bool stamp = is_word(&d, t, "kind", TF_ANCHOR_STAMP);

		n = tf_json_get(&d, t, "size");
		if (tf_json_get(&d, t, "current") >= 0 && n >= 0 &&
		    (name == NULL ? !stamp :
				    stamp && is_word(&d, t, "name", name)) &&
		    d.tok[n].num > 0 && (uint64_t)d.tok[n].num > *size)
			*size = (uint64_t)d.tok[n].num;
	}
	tf_json_doc_free(&d);
	return rc;
}
