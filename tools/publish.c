/*
 * Claims and publication of an attestation: see publish.h.
 *
 * A retry is safe because the rename decides, and not an earlier look at the
 * name. A recorder that gets TF_EXISTS reads the attestation that has the name.
 * If that one is sealed with the same files and claims, an earlier attempt has
 * succeeded and only its answer was lost, so the draft is dropped and the
 * answer is success.
 *
 * The comparison reads SHA256SUMS, attestation.json and the claims, and not the
 * files: the digests stand for their bytes, and a large attestation need not be
 * read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "core/base/bytes.h"
#include "core/definition.h"
#include "define.h"
#include "interrupt.h"
#include "publish.h"

/* A sink into the file of the draft that is open. */
static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	return recorder_write(arg, p, n, err);
}

/* A source is read once: its bytes go to the draft and into the digest at the
 * same time, so both are about the same bytes. */
enum tf_code
publish_copy(struct recorder *r, const struct sources *s, struct evidence *e,
    struct tf_error *err)
{
	const struct tf_sink sink = { put, r };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < s->n; i++) {
		rc = recorder_create(r, s->v[i].name, s->v[i].mode, err);
		if (rc == TF_OK)
			rc = evidence_read(&s->v[i], &sink, e, err);
		if (rc == TF_OK)
			rc = recorder_end(r, err);
		if (rc == TF_OK)
			rc = interrupt_check(err);
	}
	return rc;
}

enum tf_code
publish_claims(struct recorder *r, const struct claims *c, struct tf_error *err)
{
	static const char label[] = "external-fingerprint.";
	enum tf_code rc = TF_OK;

	/* A fingerprint needs its URL, which comes later in this order. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; rc == TF_OK && i < c->n; i++)
			if ((strncmp(c->v[i].key, label, strlen(label)) == 0) ==
			    (pass == 1))
				rc = recorder_claim(r, c->v[i].key,
				    c->v[i].value, strlen(c->v[i].value), err);
	if (rc == TF_OK && c->user_data.n > 0)
		rc = recorder_claim(r, "user-data", c->user_data.p,
		    c->user_data.n, err);
	return rc;
}

/* --- is it the same? ----------------------------------------------------------- */

/* Compare the claims that have one value: an attribute of its own has each. */
static enum tf_code
same_single(struct recorder *r, const char *name, const struct claims *c,
    bool *same, struct tf_error *err)
{
	static const char *const keys[] = { "compliant", "control",
		"description", "on-behalf-of", "origin-url", "type" };
	struct tf_buf old = { 0 };
	enum tf_code rc = TF_OK;

	for (size_t i = 0;
	     rc == TF_OK && *same && i < sizeof(keys) / sizeof(*keys); i++) {
		const char *new = claims_get(c, keys[i]);

		old.n = 0;
		rc = recorder_claimed(r, name, keys[i], &old, err);
		if (rc == TF_NODATA) {
			rc = TF_OK;
			*same = new == NULL;
		} else {
			*same = new != NULL &&strlen(new) ==
			    old.n &&memcmp(new, old.p, old.n) == 0;
		}
	}
	tf_buf_free(&old);
	return rc;
}

/* The value of member key as text; p NULL: there is none. */
static struct tf_str
member(const struct tf_json_doc *d, const char *key)
{
	int t = d->tok == NULL ? -1 : tf_json_get(d, 0, key);
	struct tf_str none = { NULL, 0 };

	return t < 0 ? none : tf_json_text(d, t);
}

/* Compare the claims that are objects: with those in attestation.json. */
static enum tf_code
same_objects(const struct tf_buf *json, const struct claims *c, bool *same,
    struct tf_error *err)
{
	static const char *const keys[][2] = { { "annotations", "annotations" },
		{ "externalUrls", "external_urls" },
		{ "userData", "user_data_file" } };
	struct tf_json_doc new = { 0 }, old = { 0 };
	struct tf_buf mine = { 0 };
	enum tf_code rc = claims_json(c, &mine, err);

	if (rc == TF_OK && mine.n > 0)
		rc = tf_json_parse(&new, mine.p, mine.n, err);
	if (rc == TF_OK)
		rc = tf_json_parse_status(&old, json->p,
		    json->n > 0 ? json->n - 1 : 0, err);
	for (size_t i = 0;
	     rc == TF_OK && *same && i < sizeof(keys) / sizeof(*keys); i++) {
		struct tf_str a = member(&new, keys[i][0]);
		struct tf_str b = member(&old, keys[i][1]);

		*same = (a.p == NULL) == (b.p == NULL) && tf_str_same(a, b);
	}
	tf_json_doc_free(&new);
	tf_json_doc_free(&old);
	tf_buf_free(&mine);
	return rc;
}

enum tf_code
publish_compare(struct recorder *r, const char *name, struct evidence *e,
    const struct claims *c, bool *same, struct tf_error *err)
{
	struct tf_buf sums = { 0 }, old = { 0 }, json = { 0 };
	enum tf_code rc = evidence_sums(e, &sums, err);

	*same = false;
	if (rc == TF_OK)
		rc = recorder_recorded(r, name, &old, &json, err);
	if (rc == TF_OK)
		*same = sums.n == old.n &&
		    (sums.n == 0 || memcmp(sums.p, old.p, sums.n) == 0);
	if (rc == TF_OK && *same)
		rc = same_single(r, name, c, same, err);
	if (rc == TF_OK && *same)
		rc = same_objects(&json, c, same, err);
	tf_buf_free(&sums);
	tf_buf_free(&old);
	tf_buf_free(&json);
	return rc;
}

/* Two reasons, and two ways out: an open attestation can be continued, a sealed
 * one only repeated under the next version. */
enum tf_code
publish_taken(struct recorder *r, const char *state, struct evidence *e,
    const struct claims *c, bool *already, struct tf_error *err)
{
	enum tf_code rc;

	if (strcmp(state, "sealed") != 0)
		return tf_fail(err, TF_EXISTS,
		    "%s/%s exists and is %s: add to it with cp, or end it with "
		    "trailctl seal",
		    r->wf, r->name, state);
	rc = publish_compare(r, r->name, e, c, already, err);
	if (rc != TF_OK || *already)
		return rc;
	return tf_fail(err, TF_EXISTS,
	    /* Encrypted evidence cannot be compared. */
	    "%s/%s is sealed with other evidence or claims, or encrypted; "
	    "--again records "
	    "the next version",
	    r->wf, r->name);
}

enum tf_code
publish_unversioned(const struct recorder *r, const char *option,
    struct tf_error *err)
{
	if (strchr(r->name, '@') == NULL)
		return TF_OK;
	return tf_fail(err, TF_USAGE, "%s chooses the version: name %.*s",
	    option, (int)strcspn(r->name, "@"), r->name);
}

/* --- would it be accepted? ------------------------------------------------------ */

/* A version comes after the one before it is sealed. */
static enum tf_code
check_version(struct recorder *r, const char *name, struct tf_error *err)
{
	const char *at = strchr(name, '@');
	char before[300], state[16];
	uint64_t n;
	enum tf_code rc;

	if (at == NULL || !tf_decimal(at + 1, strlen(at + 1), 999999, &n))
		return TF_OK;
	if (n == 2)
		(void)snprintf(before, sizeof(before), "%.*s", (int)(at - name),
		    name);
	else
		(void)snprintf(before, sizeof(before), "%.*s@%llu",
		    (int)(at - name), name, (unsigned long long)n - 1);
	rc = recorder_state(r, before, state, err);
	if (rc == TF_OK && strcmp(state, "sealed") != 0)
		rc = tf_fail(err, TF_DENIED,
		    "%s can be begun once %s is sealed", name, before);
	return rc;
}

/* The directory path, up to its last '/' with above. */
static enum tf_code
copy_path(const char *path, bool above, char **out, struct tf_error *err)
{
	if (path == NULL)
		return TF_OK;
	*out = above ? strndup(path, (size_t)(strrchr(path, '/') - path)) :
		       strdup(path);
	return *out != NULL ? TF_OK : tf_nomem(err);
}

/* The workflow, or its trail with above. */
static enum tf_code
find_directory(const struct recorder *r, bool above, struct where *out,
    struct tf_error *err)
{
	enum tf_code rc;

	*out = (struct where){ .mount = r->w.mount, .store = r->w.store };
	rc = copy_path(r->wf, above, &out->path, err);
	return rc == TF_OK ? copy_path(r->wf_file, above, &out->file, err) : rc;
}

enum tf_code
publish_trail(const struct recorder *r, struct where *out, struct tf_error *err)
{
	return find_directory(r, true, out, err);
}

void
publish_trail_free(struct where *trail)
{
	free(trail->path);
	free(trail->file);
}

enum tf_code
publish_template(const struct recorder *r, struct tf_buf *out,
    struct tf_error *err)
{
	struct where w = { 0 };
	struct define d = { &w, TF_DEFINITION_TEMPLATE, "" };
	uint64_t version = 0;
	enum tf_code rc = find_directory(r, false, &w, err);

	if (rc == TF_OK)
		rc = define_of_workflow(&w, &version, err);
	if (rc == TF_OK)
		rc = define_get(&d, out, &version, err);
	publish_trail_free(&w);
	return rc == TF_NODATA ? TF_OK : rc;
}

enum tf_code
publish_check(struct recorder *r, const char *name, struct tf_error *err)
{
	struct tf_buf template = { 0 };
	struct tf_actor self;
	enum tf_code rc;

	actor_self(&self);
	/* Is it a name at all? */
	rc = tf_definition_permits(NULL, 0, name, &self, err);
	if (rc == TF_OK)
		rc = check_version(r, name, err);
	if (rc == TF_OK)
		rc = publish_template(r, &template, err);
	if (rc == TF_OK)
		rc = tf_definition_permits(template.p, template.n, name, &self,
		    err);
	tf_buf_free(&template);
	return rc;
}

/* --- publication ----------------------------------------------------------------- */

/* The name of version n, for the caller to free; NULL: no memory. */
static char *
version_name(const struct recorder *r, unsigned n)
{
	char *name = NULL;

	return (n == 1 ? asprintf(&name, "%s", r->name) :
			 asprintf(&name, "%s@%u", r->name, n)) < 0 ?
	    NULL :
	    name;
}

enum tf_code
publish_next(struct recorder *r, char **name, struct tf_error *err)
{
	char state[16];
	enum tf_code rc;

	*name = NULL;
	for (unsigned n = 1;; n++) {
		free(*name);
		if ((*name = version_name(r, n)) == NULL)
			return tf_nomem(err);
		rc = recorder_state(r, *name, state, err);
		if (rc != TF_OK || state[0] == '\0')
			return rc;
	}
}

/* Versions have no gaps, so the first free name ends the search. */
enum tf_code
publish_newest(struct recorder *r, char **name, char state[16],
    struct tf_error *err)
{
	char *next = NULL, of_next[16];
	enum tf_code rc = TF_OK;

	*name = NULL;
	state[0] = '\0';
	for (unsigned n = 1; rc == TF_OK; n++) {
		if ((next = version_name(r, n)) == NULL)
			return tf_nomem(err);
		rc = recorder_state(r, next, of_next, err);
		if (rc != TF_OK || of_next[0] == '\0')
			break;
		free(*name);
		*name = next;
		memcpy(state, of_next, sizeof(of_next));
	}
	free(next);
	return rc;
}

/* Another caller may take the name in between. */
enum tf_code
publish_as_next(struct recorder *r, char **name, struct tf_error *err)
{
	enum tf_code rc;

	*name = NULL;
	do {
		free(*name);
		rc = publish_next(r, name, err);
		if (rc == TF_OK)
			rc = recorder_publish(r, *name, err);
	} while (rc == TF_EXISTS);
	return rc;
}

/* On TF_EXISTS the draft stays for recorder_close() to drop. */
enum tf_code
publish_draft(struct recorder *r, bool again, struct evidence *e,
    const struct claims *c, char **name, bool *already, struct tf_error *err)
{
	char state[16];
	enum tf_code rc;

	*already = false;
	*name = NULL;
	if (again)
		return publish_as_next(r, name, err);
	if ((*name = strdup(r->name)) == NULL)
		return tf_nomem(err);
	if ((rc = recorder_publish(r, *name, err)) != TF_EXISTS)
		return rc;
	if ((rc = recorder_state(r, *name, state, err)) == TF_OK)
		rc = publish_taken(r, state, e, c, already, err);
	if (rc == TF_OK)
		recorder_drop(r);
	return rc;
}
