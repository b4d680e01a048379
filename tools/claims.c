/*
 * Claims as options and as JSON: see claims.h.
 *
 * Options are checked here with the names of the options, so that a wrong one
 * is found before a vault is opened. The vault checks all of it again when the
 * claim is set, and its answer counts. Keys are kept sorted, because canonical
 * JSON and the comparison with a recorded attestation need one order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/base/member.h"
#include "core/definition.h"
#include "files.h"

#define ANNOTATION "annotation."
#define URL "external-url."
#define FINGERPRINT "external-fingerprint."

void
claims_free(struct claims *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].key);
		free(c->v[i].value);
	}
	free(c->v);
	tf_buf_free(&c->user_data);
	*c = (struct claims){ 0 };
}

const char *
claims_get(const struct claims *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].key, key) == 0)
			return c->v[i].value;
	return NULL;
}

enum tf_code
claims_add(struct claims *c, const char *key, const char *value,
    struct tf_error *err)
{
	struct claim *v, new;
	size_t at = 0;

	while (at < c->n && strcmp(c->v[at].key, key) < 0)
		at++;
	if (at < c->n && strcmp(c->v[at].key, key) == 0)
		return tf_fail(err, TF_USAGE, "%s is given twice", key);
	if ((v = realloc(c->v, (c->n + 1) * sizeof(*v))) == NULL)
		return tf_nomem(err);
	c->v = v;
	new = (struct claim){ strdup(key), strdup(value) };
	if (new.key == NULL || new.value == NULL) {
		free(new.key);
		free(new.value);
		return tf_nomem(err);
	}
	memmove(&v[at + 1], &v[at], (c->n - at) * sizeof(*v));
	v[at] = new;
	c->n++;
	return TF_OK;
}

/* --- from options ----------------------------------------------------------- */

/* Is s a name of an annotation, or the label of a URL? */
static bool
is_name(const char *s, size_t n, bool label)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (label ?
			c <= 0x20 || c >= 0x7f || strchr(".=\"\\", c) :
			!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return n > 0 && n <= 64;
}

/* "NAME=VALUE" becomes the claim PREFIX.NAME. */
static enum tf_code
take_pair(struct claims *c, const char *option, const char *prefix,
    const char *pair, struct tf_error *err)
{
	const char *value = strchr(pair, '=');
	size_t n = value == NULL ? 0 : (size_t)(value - pair);
	char key[128];

	if (value == NULL || n == 0 || value[1] == '\0')
		return tf_fail(err, TF_USAGE,
		    "%s takes a name, '=' and a value, not \"%.60s\"", option,
		    pair);
	if (!is_name(pair, n, strcmp(prefix, ANNOTATION) != 0))
		return tf_fail(err, TF_USAGE, "%s: \"%.*s\" is no name", option,
		    (int)(n < 70 ? n : 70), pair);
	(void)snprintf(key, sizeof(key), "%s%.*s", prefix, (int)n, pair);
	return claims_add(c, key, value + 1, err);
}

/* All pairs of one option. */
static enum tf_code
take_list(struct claims *c, const char *option, const char *prefix,
    const struct args_list *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < l->n; i++)
		rc = take_pair(c, option, prefix, l->v[i], err);
	return rc;
}

/* Each fingerprint is 64 hex digits, about a URL that is given too. */
static enum tf_code
check_fingerprints(const struct claims *c, struct tf_error *err)
{
	const size_t n = strlen(FINGERPRINT);
	uint8_t digest[32];
	char url[128];

	for (size_t i = 0; i < c->n; i++) {
		const char *key = c->v[i].key, *value = c->v[i].value;

		if (strncmp(key, FINGERPRINT, n) != 0)
			continue;
		if (!tf_unhex(value, strlen(value), digest, sizeof(digest)))
			return tf_fail(err, TF_USAGE,
			    "--external-fingerprint %s: not 64 lower-case hex "
			    "digits",
			    key + n);
		(void)snprintf(url, sizeof(url), URL "%s", key + n);
		if (claims_get(c, url) == NULL)
			return tf_fail(err, TF_USAGE,
			    "--external-fingerprint %s: there is no "
			    "--external-url %s",
			    key + n, key + n);
	}
	return TF_OK;
}

/* Read whole: the vault needs its digest and size at once. */
static enum tf_code
take_user_data(const char *path, struct claims *c, struct tf_error *err)
{
	enum tf_code rc = files_read(path, TF_USER_DATA_MAX, &c->user_data,
	    err);

	if (rc == TF_OK && c->user_data.n == 0)
		return tf_fail(err, TF_USAGE, "--user-data: %s is empty", path);
	return rc;
}

enum tf_code
claims_take(const struct claims_options *o, struct claims *out,
    struct tf_error *err)
{
	const struct {
		const char *key, *value;
	} single[] = {
		{ "type", o->type },
		{ "compliant", o->compliant },
		{ "description", o->description },
		{ "on-behalf-of", o->on_behalf_of },
		{ "origin-url", o->origin_url },
		{ "control", o->control },
	};
	enum tf_code rc = TF_OK;

	*out = (struct claims){ 0 };
	if (o->compliant != NULL && strcmp(o->compliant, "true") != 0 &&
	    strcmp(o->compliant, "false") != 0)
		return tf_fail(err, TF_USAGE,
		    "--compliant is true or false, not \"%.60s\"",
		    o->compliant);
	for (size_t i = 0; rc == TF_OK && i < sizeof(single) / sizeof(*single);
	     i++)
		if (single[i].value != NULL)
			rc = claims_add(out, single[i].key, single[i].value,
			    err);
	if (rc == TF_OK)
		rc = take_list(out, "--annotate", ANNOTATION, &o->annotate,
		    err);
	if (rc == TF_OK)
		rc = take_list(out, "--external-url", URL, &o->url, err);
	if (rc == TF_OK)
		rc = take_list(out, "--external-fingerprint", FINGERPRINT,
		    &o->fingerprint, err);
	if (rc == TF_OK)
		rc = check_fingerprints(out, err);
	if (rc == TF_OK && o->user_data != NULL)
		rc = take_user_data(o->user_data, out, err);
	return rc;
}

/* --- as JSON ----------------------------------------------------------------- */

/* Append one member, unless the claim is not given. */
static void
put_single(struct tf_json *j, const struct claims *c, const char *key,
    const char *json)
{
	const char *value = claims_get(c, key);

	if (value != NULL)
		tf_put_cstr(j, json, value);
}

/* The member is left out when there is none, as in entries. */
static void
put_annotations(struct tf_json *j, const struct claims *c)
{
	const size_t n = strlen(ANNOTATION);
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		if (strncmp(c->v[i].key, ANNOTATION, n) != 0)
			continue;
		if (!any) {
			tf_json_key(j, "annotations");
			tf_json_object(j);
			any = true;
		}
		tf_put_cstr(j, c->v[i].key + n, c->v[i].value);
	}
	if (any)
		tf_json_object_end(j);
}

/* Keys are sorted, so labels come in the order of canonical JSON. */
static void
put_urls(struct tf_json *j, const struct claims *c)
{
	const size_t n = strlen(URL);
	bool any = false;
	char key[128];

	for (size_t i = 0; i < c->n; i++) {
		const char *label = c->v[i].key + n, *print;

		if (strncmp(c->v[i].key, URL, n) != 0)
			continue;
		if (!any) {
			tf_json_key(j, "externalUrls");
			tf_json_object(j);
			any = true;
		}
		(void)snprintf(key, sizeof(key), FINGERPRINT "%s", label);
		print = claims_get(c, key);
		tf_json_key(j, label);
		tf_json_object(j);
		if (print != NULL)
			tf_put_cstr(j, "fingerprint", print);
		tf_put_cstr(j, "href", c->v[i].value);
		tf_json_object_end(j);
	}
	if (any)
		tf_json_object_end(j);
}

/* Members in the order of their names: canonical JSON has no other. */
enum tf_code
claims_json(const struct claims *c, struct tf_buf *out, struct tf_error *err)
{
	const char *compliant = claims_get(c, "compliant");
	struct tf_hash h;
	struct tf_json j;

	if (c->n == 0 && c->user_data.n == 0)
		return TF_OK;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_annotations(&j, c);
	if (compliant != NULL)
		tf_put_bool(&j, "compliant", strcmp(compliant, "true") == 0);
	put_single(&j, c, "control", "control");
	put_single(&j, c, "description", "description");
	put_urls(&j, c);
	put_single(&j, c, "on-behalf-of", "onBehalfOf");
	put_single(&j, c, "origin-url", "originUrl");
	put_single(&j, c, "type", "type");
	if (c->user_data.n > 0) {
		tf_sha256(c->user_data.p, c->user_data.n, &h);
		tf_json_key(&j, "userData");
		tf_json_object(&j);
		tf_put_hash(&j, "sha256", &h);
		tf_put_uint(&j, "size", c->user_data.n);
		tf_json_object_end(&j);
	}
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}
