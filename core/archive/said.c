/*
 * Definitions, reports, user data and anchors in a package: see said.h.
 *
 * An entry names these texts by digest.  The writer adds them and the verifier
 * expects them by one list, this file, so that the two cannot differ about the
 * name of a file.
 */
#include "said.h"

#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "format.h"
#include "names.h"
#include "select.h"

/* Call fn with the name in b, which is emptied. */
static enum tf_code
found(struct tf_buf *b, const struct tf_content *c, tf_package_said_found fn,
    void *arg, struct tf_error *err)
{
	enum tf_code rc;

	tf_buf_add(b, "", 1);
	rc = tf_buf_end(b, err);
	if (rc == TF_OK)
		rc = fn(arg, b->p, c, err);
	tf_buf_free(b);
	return rc;
}

enum tf_code
tf_package_definitions(const struct tf_package_place *p,
    struct tf_package_names *names, struct tf_str path, struct tf_buf *out,
    struct tf_error *err)
{
	const char *slash = memchr(path.p, '/', path.n);
	enum tf_code rc;

	tf_buf_str(out, TF_PACKAGE_DEFINITIONS);
	if (p->kind != TF_KIND_ROOT)
		return tf_buf_end(out, err);
	if (slash != NULL)
		path.n = (size_t)(slash - path.p);
	rc = tf_package_directory(names, path, out, err);
	tf_buf_str(out, "/");
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

static enum tf_code
definition(const struct tf_package_place *p, struct tf_package_names *names,
    const struct tf_entry *e, tf_package_said_found fn, void *arg,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_package_definitions(p, names, e->path, &b, err);

	if (rc != TF_OK) {
		tf_buf_free(&b);
		return rc;
	}
	if (e->type == TF_TEMPLATE_SET) {
		tf_buf_printf(&b, TF_PACKAGE_TEMPLATE "@%llu.yml",
		    (unsigned long long)e->template_version);
		return found(&b, &e->template_content, fn, arg, err);
	}
	if (e->type == TF_RECIPIENTS_SET) {
		tf_buf_printf(&b, TF_PACKAGE_RECIPIENTS "@%llu",
		    (unsigned long long)e->definition_version);
		return found(&b, &e->definition_content, fn, arg, err);
	}
	tf_buf_printf(&b, TF_PACKAGE_TYPES "%.*s@%llu.yml",
	    (int)e->definition_name.n, e->definition_name.p,
	    (unsigned long long)e->definition_version);
	return found(&b, &e->definition_content, fn, arg, err);
}

/* The note or the time stamp of an anchor, and its certificates. */
static enum tf_code
anchor(const struct tf_entry *e, tf_package_said_found fn, void *arg,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc;

	tf_buf_printf(&b, TF_PACKAGE_ANCHORS "%llu%s",
	    (unsigned long long)e->seq,
	    tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_STAMP)) ?
		TF_PACKAGE_ANCHOR_STAMP :
		TF_PACKAGE_ANCHOR_NOTE);
	rc = found(&b, &e->content, fn, arg, err);
	if (rc != TF_OK || !e->has_chain)
		return rc;
	tf_buf_printf(&b, TF_PACKAGE_ANCHORS "%llu" TF_PACKAGE_ANCHOR_CHAIN,
	    (unsigned long long)e->seq);
	return found(&b, &e->chain, fn, arg, err);
}

static enum tf_code
of_attestation(struct tf_str dir, const char *file,
    const struct tf_content *content, tf_package_said_found fn, void *arg,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };

	tf_buf_str(&b, TF_PACKAGE_ATTESTATIONS);
	tf_buf_add(&b, dir.p, dir.n);
	tf_buf_str(&b, file);
	return found(&b, content, fn, arg, err);
}

static enum tf_code
attestation(struct tf_str dir, const struct tf_entry *e,
    tf_package_said_found fn, void *arg, struct tf_error *err)
{
	struct tf_evaluated_field judged;
	struct tf_content data;
	bool has = false;
	enum tf_code rc = tf_evaluated_read(e->evaluated, &judged, err);

	if (rc == TF_OK && judged.has_report)
		rc = of_attestation(dir, TF_PACKAGE_REPORT, &judged.report, fn,
		    arg, err);
	if (rc == TF_OK)
		rc = tf_claims_user_data(e->claims, &data, &has, err);
	return rc == TF_OK && has ?
	    of_attestation(dir, TF_PACKAGE_USER_DATA, &data, fn, arg, err) :
	    rc;
}

enum tf_code
tf_package_said(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_entry *e,
    tf_package_said_found fn, void *arg, struct tf_error *err)
{
	struct tf_str rel;
	struct tf_buf dir = { 0 };
	enum tf_code rc;

	if (e->type == TF_TEMPLATE_SET || e->type == TF_TYPE_SET ||
	    e->type == TF_RECIPIENTS_SET)
		return definition(p, names, e, fn, arg, err);
	if (e->type == TF_ANCHOR_ADDED)
		return anchor(e, fn, arg, err);
	if (e->type != TF_ATTESTATION_SEALED)
		return TF_OK;
	rel = tf_package_below(p, e->path);
	if (rel.p == NULL)
		return TF_OK;
	rc = tf_package_directory(names, rel, &dir, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&dir, err);
	if (rc == TF_OK)
		rc = attestation(tf_buf_bytes(&dir), e, fn, arg, err);
	tf_buf_free(&dir);
	return rc;
}

enum tf_code
tf_package_name_dirs(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_str rel = tf_package_below(p, e->path);
	struct tf_buf name = { 0 };
	enum tf_code rc = TF_OK;

	if (rel.p != NULL &&
	    (e->type == TF_ATTESTATION_SEALED ||
		(e->type == TF_TRAIL_CREATED && p->kind == TF_KIND_ROOT)))
		rc = tf_package_directory(names, rel, &name, err);
	tf_buf_free(&name);
	return rc;
}
