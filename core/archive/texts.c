/*
 * The names of the files in a package that describe its directories to a human
 * reader.  A package has exactly these files, so the writer and the verifier of
 * packages both use this list.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "format.h"
#include "names.h"
#include "select.h"
#include "texts.h"

/* A package of a part of the vault or of a trail has no page of these: that page
 * would count workflows that the package leaves out. */
bool
tf_package_dir_of(const struct tf_package_place *p, const struct tf_entry *e,
    struct tf_package_dir *d)
{
	enum tf_kind kind;

	switch (e->type) {
	case TF_LEDGER_OPENED: /* the first one creates the root */
		if (e->seq != 0)
			return false;
		kind = TF_KIND_ROOT;
		break;
	case TF_TRAIL_CREATED:
		kind = TF_KIND_TRAIL;
		break;
	case TF_WORKFLOW_BEGUN:
		kind = TF_KIND_WORKFLOW;
		break;
	case TF_ATTESTATION_BEGUN:
		kind = TF_KIND_ATTESTATION;
		break;
	default:
		return false;
	}
	if (kind < p->kind || (kind <= TF_KIND_TRAIL && tf_package_is_cut(p)))
		return false;
	*d = (struct tf_package_dir){ .kind = kind,
		.id = kind == TF_KIND_ROOT ? TF_ROOT_ID : e->node,
		.path = kind == TF_KIND_ROOT ? p->path : e->path };
	return true;
}

/* The path is copied, as the entry that it points into is valid only during the
 * walk. */
enum tf_code
tf_package_dirs_add(struct tf_package_dirs *l, const struct tf_package_dir *d,
    struct tf_error *err)
{
	char *path;

	if (!tf_array_room(&l->d, l->n, &l->cap, sizeof(*l->d)) ||
	    (path = strndup(d->path.p, d->path.n)) == NULL)
		return tf_nomem(err);
	l->d[l->n] = *d;
	l->d[l->n++].path.p = path;
	return TF_OK;
}

void
tf_package_dirs_free(struct tf_package_dirs *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((char *)l->d[i].path.p);
	free(l->d);
}

static enum tf_code
found(const char *dir, struct tf_str stored, const char *file,
    enum tf_package_text text, tf_package_text_found fn, void *arg,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc;

	tf_buf_str(&b, dir);
	tf_buf_add(&b, stored.p, stored.n);
	tf_buf_str(&b, file);
	tf_buf_add(&b, "", 1);
	rc = b.failed ? tf_nomem(err) : fn(arg, text, b.p, err);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
attestation_texts(const struct tf_package_dir *d, struct tf_str stored,
    tf_package_text_found fn, void *arg, struct tf_error *err)
{
	enum tf_code rc = found(TF_PACKAGE_ATTESTATIONS, stored,
	    TF_PACKAGE_ATTESTATION, TF_PACKAGE_TEXT_ATTESTATION, fn, arg, err);

	if (rc == TF_OK && d->sealed)
		rc = found(TF_PACKAGE_ATTESTATIONS, stored, TF_PACKAGE_SUMS,
		    TF_PACKAGE_TEXT_SUMS, fn, arg, err);
	if (rc == TF_OK && d->sealed)
		rc = found(TF_PACKAGE_ATTESTATIONS, stored, TF_PACKAGE_ENVELOPE,
		    TF_PACKAGE_TEXT_ENVELOPE, fn, arg, err);
	return rc;
}

/* List the files of the vault, a trail or a workflow; those of the base are at the
 * top.  The status of the vault is that of today, which no entry says. */
static enum tf_code
parent_texts(enum tf_kind kind, struct tf_str stored, tf_package_text_found fn,
    void *arg, struct tf_error *err)
{
	bool top = stored.n == 0;
	const char *dir = top ? "" : TF_PACKAGE_WORKFLOWS;
	enum tf_code rc = found(dir, stored,
	    top ? TF_PACKAGE_PAGE : "/" TF_PACKAGE_PAGE, TF_PACKAGE_TEXT_PAGE,
	    fn, arg, err);

	if (rc != TF_OK || kind == TF_KIND_ROOT)
		return rc;
	rc = found(dir, stored,
	    top ? TF_PACKAGE_TRAIL_PAGE : "/" TF_PACKAGE_TRAIL_PAGE,
	    TF_PACKAGE_TEXT_TRAIL_PAGE, fn, arg, err);
	return rc == TF_OK ?
	    found(dir, stored, top ? TF_PACKAGE_STATUS : "/" TF_PACKAGE_STATUS,
		TF_PACKAGE_TEXT_STATUS, fn, arg, err) :
	    rc;
}

enum tf_code
tf_package_texts(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_package_dir *d,
    tf_package_text_found fn, void *arg, struct tf_error *err)
{
	struct tf_str rel = tf_package_below(p, d->path);
	struct tf_buf stored = { 0 };
	enum tf_code rc = TF_OK;

	if (rel.n > 0)
		rc = tf_package_directory(names, rel, &stored, err);
	if (rc == TF_OK && stored.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && d->kind == TF_KIND_ATTESTATION)
		rc = attestation_texts(d, tf_buf_bytes(&stored), fn, arg, err);
	else if (rc == TF_OK)
		rc = parent_texts(d->kind, tf_buf_bytes(&stored), fn, arg, err);
	/* One for all that is in the package; a vault has no custody of its own. */
	if (rc == TF_OK && d->kind != TF_KIND_ROOT &&
	    tf_str_same(d->path, p->path))
		rc = found("", (struct tf_str){ "", 0 }, TF_PACKAGE_CUSTODY,
		    TF_PACKAGE_TEXT_CUSTODY, fn, arg, err);
	tf_buf_free(&stored);
	return rc;
}
