/*
 * What people say about a trail, a workflow or an attestation, as control
 * files: user-data, override, the report of the checks, retention, holds and
 * redactions.
 */
#include <string.h>

#include "control_claims.h"
#include "core/base/json_any.h"
#include "core/definition.h"
#include "core/json.h"
#include "core/page.h"
#include "core/protection.h"

#define OVERRIDE_MAX 4096 /* bytes */

/* A file that does not exist is answered with this code everywhere. */
static enum tf_code
none(enum tf_code rc, struct tf_error *err)
{
	return rc == TF_NODATA ?
	    tf_fail(err, TF_NOTFOUND, "no such control file") :
	    rc;
}

/* --- user-data ----------------------------------------------------------- */

static enum tf_code
load_user_data(struct tf_vault *v, uint64_t dir, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	(void)name;
	return none(tf_vault_claimed(v, dir, "user-data", out, err), err);
}

static enum tf_code
save_user_data(struct tf_vault *v, uint64_t dir, const char *name,
    const void *p, size_t n, const struct tf_actor *who,
    struct tf_buf *warnings, struct tf_error *err)
{
	(void)name;
	(void)warnings;
	if (n == 0)
		return tf_fail(err, TF_INVALID, "user data are not empty");
	return tf_vault_user_data(v, dir, p, n, who, err);
}

const struct fs_settable fs_user_data = { .max = TF_USER_DATA_MAX,
	.mode = 0660,
	.load = load_user_data,
	.save = save_user_data };

enum tf_code
fs_has_user_data(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err)
{
	struct tf_buf claims = { 0 };
	struct tf_json_doc d = { 0 };
	enum tf_code rc = tf_vault_claims(v, dir->id, &claims, err);

	if (rc == TF_OK && claims.n > 0)
		rc = tf_json_parse(&d, claims.p, claims.n, err);
	if (rc == TF_OK &&
	    (claims.n == 0 || tf_json_get(&d, 0, "userData") < 0))
		rc = none(TF_NODATA, err);
	tf_json_doc_free(&d);
	tf_buf_free(&claims);
	return rc;
}

/* --- evaluation.json ----------------------------------------------------- */

enum tf_code
fs_has_report(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err)
{
	struct tf_buf report = { 0 };
	enum tf_code rc = tf_vault_evaluation(v, dir->id, &report, err);

	tf_buf_free(&report);
	return none(rc, err);
}

/* --- override ------------------------------------------------------------ */

enum tf_code
fs_override(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_view *w = NULL;
	enum tf_code rc = tf_view_open(v, NULL, &w, err);

	(void)asker;
	if (rc == TF_OK)
		rc = tf_view_override(w, dir, out, err);
	tf_view_close(w);
	return rc;
}

static enum tf_code
load_override(struct tf_vault *v, uint64_t dir, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	(void)name;
	return fs_override(v, dir, NULL, out, err);
}

static enum tf_code
save_override(struct tf_vault *v, uint64_t dir, const char *name, const void *p,
    size_t n, const struct tf_actor *who, struct tf_buf *warnings,
    struct tf_error *err)
{
	const struct tf_str keys[] = { { "compliant", 9 }, { "reason", 6 } };
	struct tf_any_doc d = { 0 };
	uint32_t compliant, reason;
	struct tf_str text;
	enum tf_code rc = tf_any_parse(&d, p, n, err);

	(void)name;
	(void)warnings;
	if (rc != TF_OK)
		return rc;
	compliant = tf_any_member(&d, 0, keys[0]);
	reason = tf_any_member(&d, 0, keys[1]);
	if (compliant == TF_ANY_NONE || reason == TF_ANY_NONE ||
	    d.v[0].count != 2 ||
	    (d.v[compliant].type != TF_ANY_TRUE &&
		d.v[compliant].type != TF_ANY_FALSE) ||
	    d.v[reason].type != TF_ANY_STRING) {
		rc = tf_fail(err, TF_INVALID,
		    "an override is {\"compliant\":true,\"reason\":\"...\"}, "
		    "or false");
	} else {
		text = tf_any_text(&d, reason);
		rc = tf_vault_override(v, dir,
		    d.v[compliant].type == TF_ANY_TRUE, text.p, text.n, who,
		    err);
	}
	tf_any_free(&d);
	return rc;
}

const struct fs_settable fs_override_settable = { .max = OVERRIDE_MAX,
	.mode = 0600,
	.by = FS_SET_BY_WORKFLOW,
	.when_sealed = true,
	.load = load_override,
	.save = save_override };

/* --- retention and holds ------------------------------------------------- */

/* Each write is a request of its own; nothing of an earlier one is changed. */
static enum tf_code
load_request(struct tf_vault *v, uint64_t dir, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	(void)v;
	(void)dir;
	(void)name;
	(void)out;
	return tf_fail(err, TF_NOTFOUND, "no request");
}

static enum tf_code
save_retention(struct tf_vault *v, uint64_t dir, const char *name,
    const void *p, size_t n, const struct tf_actor *who,
    struct tf_buf *warnings, struct tf_error *err)
{
	(void)name;
	(void)warnings;
	return tf_vault_retain_json(v, dir, p, n, who, err);
}

static enum tf_code
save_hold(struct tf_vault *v, uint64_t dir, const char *name, const void *p,
    size_t n, const struct tf_actor *who, struct tf_buf *warnings,
    struct tf_error *err)
{
	(void)name;
	(void)warnings;
	return tf_vault_hold_json(v, dir, p, n, who, err);
}

const struct fs_settable fs_retention_settable = {
	.max = TF_PROTECTION_TEXT_MAX,
	.mode = 0640,
	.by = FS_SET_BY_TRAIL,
	.when_sealed = true,
	.administers = true,
	.load = load_request,
	.save = save_retention
};

const struct fs_settable fs_holds_settable = { .max = TF_PROTECTION_TEXT_MAX,
	.mode = 0640,
	.by = FS_SET_BY_TRAIL,
	.when_sealed = true,
	.administers = true,
	.load = load_request,
	.save = save_hold };

/* --- redactions ----------------------------------------------------------- */

static enum tf_code
save_redaction(struct tf_vault *v, uint64_t dir, const char *name,
    const void *p, size_t n, const struct tf_actor *who,
    struct tf_buf *warnings, struct tf_error *err)
{
	(void)name;
	(void)warnings;
	return tf_vault_redact_json(v, dir, p, n, who, err);
}

const struct fs_settable fs_redactions_settable = {
	.max = TF_PROTECTION_TEXT_MAX,
	.mode = 0666,
	.by = FS_SET_BY_ANYONE,
	.when_sealed = true,
	.administers = true,
	.load = load_request,
	.save = save_redaction
};
