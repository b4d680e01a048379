/*
 * Claims about a trail or workflow: see claim_dir.h.
 *
 * Each claim is read before it is set, and an equal one is left alone: setting
 * it would add an entry to the ledger, and a script that runs every night would
 * fill it. The claims are set one by one and are not atomic together; after a
 * failure, running the same command again sets what is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "actor.h"
#include "claim_dir.h"
#include "core/control.h"
#include "core/definition.h"
#include "files.h"
#include "report.h"

#define FINGERPRINT "external-fingerprint."
#define USER_DATA "user-data"

/* The directory, in a mount or in a store. */
struct place {
	const struct where *w;
	struct tf_vault *v; /* of a store; NULL in a mount */
	uint64_t id;
	struct tf_actor self;
};

/* --- in a mount -------------------------------------------------------------- */

/* TF_NODATA: the claim is not set. */
static enum tf_code
get_mounted(const struct place *p, const char *attr, struct tf_buf *out,
    struct tf_error *err)
{
	static char value[XATTR_SIZE_MAX];
	ssize_t n = getxattr(p->w->file, attr, value, sizeof(value));

	if (n < 0 && errno == ENODATA)
		return tf_fail(err, TF_NODATA, "%s", attr);
	if (n < 0)
		return report_system(err, "%s of %s", attr, p->w->path);
	tf_buf_add(out, value, (size_t)n);
	return tf_buf_end(out, err);
}

/* User data that is too long for an attribute is a file. */
static enum tf_code
user_data_file(const struct place *p, char **out, struct tf_error *err)
{
	return asprintf(out, "%s/%s/%s", p->w->file, TF_CONTROL_DIR,
		   TF_CONTROL_USER_DATA) < 0 ?
	    tf_nomem(err) :
	    TF_OK;
}

static enum tf_code
get_user_data(const struct place *p, struct tf_buf *out, struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc = user_data_file(p, &path, err);

	if (rc == TF_OK)
		rc = files_read(path, TF_USER_DATA_MAX, out, err);
	free(path);
	return rc == TF_NOTFOUND ? TF_NODATA : rc;
}

static enum tf_code
set_user_data(const struct place *p, const void *bytes, size_t n,
    struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc = user_data_file(p, &path, err);
	int fd;

	if (rc != TF_OK)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	rc = fd < 0 && errno == EACCES ?
	    where_denied_write(p->w->file, p->w->path, err) :
	    fd < 0 ? report_system(err, "%s", path) :
		     files_put(fd, path, bytes, n, err);
	/* The mount records it here. */
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK)
		rc = report_system(err, "%s", path);
	free(path);
	return rc;
}

/* The errnos of setxattr(2) that are about the value and not the mount. */
static enum tf_code
set_mounted(const struct place *p, const char *attr, const void *value,
    size_t n, struct tf_error *err)
{
	if (setxattr(p->w->file, attr, value, n, 0) == 0)
		return TF_OK;
	switch (errno) {
	case EINVAL:
		return tf_fail(err, TF_INVALID, "the value of %s is malformed",
		    attr);
	case E2BIG:
	case ENOSPC:
		return tf_fail(err, TF_INVALID,
		    "the value of %s is too long, or all claims together are",
		    attr);
	default:
		return report_system(err, "%s of %s", attr, p->w->path);
	}
}

/* --- both ----------------------------------------------------------------------- */

/* TF_NODATA: the claim is not set. */
static enum tf_code
get(const struct place *p, const char *key, struct tf_buf *out,
    struct tf_error *err)
{
	char attr[160];

	if (p->v != NULL)
		return tf_vault_claimed(p->v, p->id, key, out, err);
	if (strcmp(key, USER_DATA) == 0)
		return get_user_data(p, out, err);
	(void)snprintf(attr, sizeof(attr), TF_XATTR_PREFIX "%s", key);
	return get_mounted(p, attr, out, err);
}

/* Sizes and forms that the vault refuses are the caller's wrong value. */
static enum tf_code
set(const struct place *p, const char *key, const void *value, size_t n,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	char attr[160];
	enum tf_code rc;

	(void)snprintf(attr, sizeof(attr), TF_XATTR_PREFIX "%s", key);
	if (p->v == NULL)
		return strcmp(key, USER_DATA) == 0 ?
		    set_user_data(p, value, n, err) :
		    set_mounted(p, attr, value, n, err);
	rc = tf_vault_claim(p->v, p->id, key, value, n, 0, &p->self, &why);
	if (rc == TF_OK)
		return rc;
	if (rc == TF_TOOBIG || rc == TF_NOSPACE)
		rc = TF_INVALID;
	return tf_fail(err, rc, "%s: %s", key, why.text);
}

/* *changed stays as it was if the value is the same. */
static enum tf_code
claim(const struct place *p, const char *key, const void *value, size_t n,
    bool *changed, struct tf_error *err)
{
	struct tf_buf old = { 0 };
	enum tf_code rc = get(p, key, &old, err);

	if (rc == TF_NODATA ||
	    (rc == TF_OK && (old.n != n || memcmp(old.p, value, n) != 0))) {
		rc = set(p, key, value, n, err);
		*changed = true;
	}
	tf_buf_free(&old);
	return rc;
}

static enum tf_code
claim_all(const struct place *p, const struct claims *c, bool *changed,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	/* A fingerprint needs its URL, which comes later in this order. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; rc == TF_OK && i < c->n; i++)
			if ((strncmp(c->v[i].key, FINGERPRINT,
				 strlen(FINGERPRINT)) == 0) == (pass == 1))
				rc = claim(p, c->v[i].key, c->v[i].value,
				    strlen(c->v[i].value), changed, err);
	if (rc == TF_OK && c->user_data.n > 0)
		rc = claim(p, USER_DATA, c->user_data.p, c->user_data.n,
		    changed, err);
	return rc;
}

enum tf_code
claim_dir_stored(struct tf_vault *v, uint64_t id, const struct claims *c,
    bool *changed, struct tf_error *err)
{
	struct place p = { .v = v, .id = id };

	*changed = false;
	actor_self(&p.self);
	return claim_all(&p, c, changed, err);
}

enum tf_code
claim_dir(const struct where *w, const struct claims *c, bool *changed,
    struct tf_error *err)
{
	struct place p = { .w = w };
	struct tf_attr a;
	enum tf_code rc = TF_OK;

	*changed = false;
	if (c->n == 0 && c->user_data.n == 0)
		return TF_OK;
	if (w->mount != NULL)
		return claim_all(&p, c, changed, err);
	if ((rc = where_open(w, true, &p.v, err)) != TF_OK)
		return rc;
	actor_self(&p.self);
	rc = tf_vault_walk(p.v, w->path, &a, err);
	p.id = a.id;
	if (rc == TF_OK)
		rc = claim_all(&p, c, changed, err);
	return where_done(p.v, rc, err);
}

enum tf_code
claim_dir_check(enum tf_kind kind, const struct claims *c, struct tf_error *err)
{
	struct tf_buf made = { 0 };
	enum tf_code rc = TF_OK;

	/* In the order of claim_all. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; rc == TF_OK && i < c->n; i++)
			if ((strncmp(c->v[i].key, FINGERPRINT,
				 strlen(FINGERPRINT)) == 0) == (pass == 1))
				rc = tf_definition_claim(kind, &made,
				    c->v[i].key, c->v[i].value,
				    strlen(c->v[i].value), err);
	tf_buf_free(&made);
	if (rc == TF_TOOBIG || rc == TF_NOSPACE)
		rc = err->code = TF_INVALID;
	return rc;
}
