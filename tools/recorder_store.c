/*
 * Recording an attestation in a store, with calls of the vault: see recorder.h.
 *
 * The store is locked by this process, so nobody else can take the name or seal
 * the workflow between two calls. The calls are those that the mount makes for
 * the system calls of recorder_mount.c. There is no guard: a killed process may
 * leave the draft in the store, where it is no attestation and has no entry.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/definition.h"
#include "core/import.h"
#include "core/page.h"
#include "recorder.h"

/* The mode that open(2) and mkdir(2) would give. */
static uint32_t
masked(unsigned mode)
{
	mode_t mask = umask(0);

	umask(mask);
	return mode & 0777 & ~mask;
}

/* --- what is there ---------------------------------------------------------------- */

/* Also keeps the id of the workflow, which all other operations need. */
static enum tf_code
find(struct recorder *r, bool begin, bool *no_trail, struct tf_error *err)
{
	const char *name = strchr(r->wf, '/') + 1;
	char *trail = strndup(r->wf, (size_t)(name - r->wf) - 1);
	struct tf_attr in, a;
	enum tf_code rc;

	if (trail == NULL)
		return tf_nomem(err);
	rc = tf_vault_lookup(r->v, TF_ROOT_ID, trail, &in, err);
	free(trail);
	*no_trail = rc == TF_NOTFOUND;
	if (rc != TF_OK)
		return rc;
	rc = tf_vault_lookup(r->v, in.id, name, &a, err);
	if (rc == TF_NOTFOUND && begin)
		rc = tf_vault_mkdir(r->v, in.id, name, masked(0777), r->self,
		    &a, err);
	if (rc == TF_OK)
		r->wf_id = a.id;
	return rc;
}

/* The words are those of user.trailfs.state. */
static enum tf_code
state(struct recorder *r, const char *name, char *out, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(r->v, r->wf_id, name, &a, err);

	if (rc == TF_OK)
		strcpy(out, a.state == TF_STATE_SEALED ? "sealed" : "open");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
claimed(struct recorder *r, const char *name, const char *key,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(r->v, r->wf_id, name, &a, err);

	return rc == TF_OK ? tf_vault_claimed(r->v, a.id, key, out, err) : rc;
}

/* The view renders what a mount would show in its control files. */
static enum tf_code
recorded(struct recorder *r, const char *name, struct tf_buf *sums,
    struct tf_buf *json, struct tf_error *err)
{
	const struct tf_sink to_sums = tf_buf_sink(sums);
	const struct tf_sink to_json = tf_buf_sink(json);
	struct tf_view *view = NULL;
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(r->v, r->wf_id, name, &a, err);

	if (rc == TF_OK)
		rc = tf_view_open(r->v, NULL, &view, err);
	if (rc == TF_OK)
		rc = tf_view_sums(view, a.id, &to_sums, err);
	if (rc == TF_OK)
		rc = tf_view_attestation(view, a.id, &to_json, err);
	tf_view_close(view);
	return rc;
}

/* --- the draft ------------------------------------------------------------------- */

/*
 * TF_READONLY has several causes; a sealed workflow gets a message of its own.
 */
static enum tf_code
begin(struct recorder *r, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_mkdir(r->v, r->wf_id, r->draft, masked(0777),
	    r->self, &a, err);

	if (rc == TF_OK)
		r->draft_id = a.id;
	if (rc == TF_READONLY &&
	    tf_vault_getattr(r->v, r->wf_id, &a, NULL) == TF_OK &&
	    a.state == TF_STATE_SEALED)
		rc = tf_fail(err, TF_SEALED,
		    "%s is sealed: nothing can be added", r->wf);
	return rc;
}

/* The directory that has the last part of name, and that part. */
static enum tf_code
descend(struct recorder *r, const char *name, uint64_t *dir, const char **last,
    struct tf_error *err)
{
	const char *slash = strrchr(name, '/');
	struct tf_attr a;
	char *path = NULL;
	enum tf_code rc;

	*dir = r->draft_id;
	*last = slash == NULL ? name : slash + 1;
	if (slash == NULL)
		return TF_OK;
	if (asprintf(&path, "%s/%s/%.*s", r->wf, r->draft, (int)(slash - name),
		name) < 0)
		return tf_nomem(err);
	rc = tf_vault_walk(r->v, path, &a, err);
	free(path);
	if (rc == TF_OK)
		*dir = a.id;
	return rc;
}

/* One that exists is fine: several files may be in it. */
static enum tf_code
make_dir(struct recorder *r, const char *name, struct tf_error *err)
{
	struct tf_attr a;
	const char *last;
	uint64_t dir;
	enum tf_code rc = descend(r, name, &dir, &last, err);

	if (rc == TF_OK)
		rc = tf_vault_mkdir(r->v, dir, last, masked(0777), r->self, &a,
		    err);
	return rc == TF_EXISTS ? TF_OK : rc;
}

static enum tf_code
create(struct recorder *r, const char *name, unsigned mode,
    struct tf_error *err)
{
	struct tf_attr a;
	const char *last;
	uint64_t dir;
	enum tf_code rc = descend(r, name, &dir, &last, err);

	r->off = 0;
	return rc == TF_OK ? tf_vault_create(r->v, dir, last, masked(mode),
				 r->self, &a, &r->file, err) :
			     rc;
}

/* The offset is kept here: a file of the vault has no position. */
static enum tf_code
put(struct recorder *r, const void *p, size_t n, struct tf_error *err)
{
	enum tf_code rc = tf_file_write_at(r->file, p, n, r->off, false, err);

	r->off += n;
	return rc;
}

/* The handle is gone also after a failure. */
static enum tf_code
end(struct recorder *r, struct tf_error *err)
{
	struct tf_file *f = r->file;

	r->file = NULL;
	return tf_file_close(r->v, f, err);
}

static enum tf_code
read_back(struct recorder *r, const char *name, const struct tf_sink *sink,
    struct tf_error *err)
{
	static char part[1 << 16];
	struct tf_reader *from = NULL;
	struct tf_attr a;
	const char *last;
	uint64_t dir, off = 0;
	size_t n = 1;
	bool fresh;
	enum tf_code rc = descend(r, name, &dir, &last, err);

	if (rc == TF_OK)
		rc = tf_vault_lookup(r->v, dir, last, &a, err);
	if (rc == TF_OK)
		rc = tf_vault_open_read(r->v, a.id, r->self->uid, &from, &fresh,
		    err);
	for (; rc == TF_OK && n > 0; off += n) {
		rc = tf_reader_read(from, part, sizeof(part), off, &n, err);
		if (rc == TF_OK && n > 0)
			rc = sink->put(sink->arg, part, n, err);
	}
	if (from != NULL)
		tf_reader_close(from);
	return rc;
}

/* The vault knows sizes and forms; here both are the caller's wrong value. */
static enum tf_code
claim(struct recorder *r, const char *key, const void *value, size_t n,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_vault_claim(r->v, r->draft_id, key, value, n, 0,
	    r->self, &why);

	if (rc == TF_OK)
		return rc;
	if (rc == TF_TOOBIG || rc == TF_NOSPACE)
		rc = TF_INVALID;
	return tf_fail(err, rc, "%s: %s", key, why.text);
}

/* `true`: do not replace. */
static enum tf_code
publish(struct recorder *r, const char *name, struct tf_error *err)
{
	return r->imported != NULL ?
	    tf_vault_import_publish(r->v, r->wf_id, r->draft, name, r->imported,
		r->self, err) :
	    tf_vault_rename(r->v, r->wf_id, r->draft, r->wf_id, name, true,
		r->self, err);
}

/* --- dropping it -------------------------------------------------------------------- */

/* Depth first. Listing goes on by id, so removing nodes skips none. */
static enum tf_code
remove_below(struct recorder *r, uint64_t dir, struct tf_error *err)
{
	struct tf_dirent some[64];
	uint64_t after = 0;
	size_t n = 1;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && n > 0) {
		rc = tf_vault_list(r->v, dir, after, some,
		    sizeof(some) / sizeof(some[0]), &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = some[i].attr.id;
			if (some[i].attr.kind == TF_KIND_EVIDENCE) {
				rc = tf_vault_unlink(r->v, dir, some[i].name,
				    r->self, err);
				continue;
			}
			rc = remove_below(r, some[i].attr.id, err);
			if (rc == TF_OK)
				rc = tf_vault_rmdir(r->v, dir, some[i].name,
				    r->self, err);
		}
	}
	return rc;
}

/* Children first: the vault removes only empty directories. */
static enum tf_code
drop(struct recorder *r, struct tf_error *err)
{
	enum tf_code rc = remove_below(r, r->draft_id, err);

	return rc == TF_OK ?
	    tf_vault_rmdir(r->v, r->wf_id, r->draft, r->self, err) :
	    rc;
}

enum tf_code
recorder_begin_as(struct recorder *r, const char *draft, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc;

	(void)snprintf(r->draft, sizeof(r->draft), "%s", draft);
	rc = begin(r, err);
	if (rc == TF_EXISTS &&
	    (rc = tf_vault_lookup(r->v, r->wf_id, draft, &a, err)) == TF_OK) {
		r->draft_id = a.id;
		if ((rc = drop(r, err)) == TF_OK)
			rc = begin(r, err);
	}
	if (rc != TF_OK)
		r->draft[0] = '\0';
	return rc;
}

const struct recorder_ops recorder_store = {
	.find = find,
	.state = state,
	.claimed = claimed,
	.recorded = recorded,
	.begin = begin,
	.mkdir = make_dir,
	.create = create,
	.write = put,
	.end = end,
	.read = read_back,
	.claim = claim,
	.publish = publish,
	.drop = drop,
};
