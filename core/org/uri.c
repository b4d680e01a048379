/* URIs of engines: see uri.h. */
#include "uri.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir.h"
#include "plugin.h"

/* Only `dir:` is in the program itself. */
static const struct tf_engine dir_engine = {
	.abi = TF_ENGINE_ABI,
	.ledger = &tf_dir_ledger_ops,
	.blobs = &tf_dir_blob_ops,
};

static const struct {
	const char *scheme, *plugin;
} engines[] = {
	{ "dir:", NULL },
	{ "postgresql://", "postgresql" },
	{ "postgres://", "postgresql" },
	{ "s3://", "s3" },
};

bool
tf_org_is_uri(const char *arg)
{
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (strncmp(arg, engines[i].scheme,
			strlen(engines[i].scheme)) == 0)
			return true;
	return false;
}

enum tf_code
tf_org_uri_absolute(const char *uri, char **out, struct tf_error *err)
{
	const size_t n = strlen(TF_DIR_SCHEME);
	char *whole;

	if (strncmp(uri, TF_DIR_SCHEME, n) != 0 || uri[n] == '/') {
		*out = strdup(uri);
		return *out != NULL ? TF_OK : tf_nomem(err);
	}
	if ((whole = realpath(uri + n, NULL)) == NULL) {
		const bool missing = errno == ENOENT;

		if (missing)
			errno = 0; /* it says less */
		return tf_fail(err, TF_NOTFOUND, "%.100s%s", uri + n,
		    missing ? ": there is no such directory" : "");
	}
	if (asprintf(out, "%s%s", TF_DIR_SCHEME, whole) < 0)
		*out = NULL;
	free(whole);
	return *out != NULL ? TF_OK : tf_nomem(err);
}

/* In USER:PASSWORD@ of the authority, or as a parameter. */
static bool
has_password(const char *uri)
{
	static const char *const words[] = { "password=", "secret=",
		"sslpassword=" };
	const char *p = strstr(uri, "://"), *at, *colon;
	size_t n;

	if (p == NULL)
		return false;
	p += 3;
	n = strcspn(p, "/?");
	at = memchr(p, '@', n);
	colon = at == NULL ? NULL : memchr(p, ':', (size_t)(at - p));
	if (colon != NULL)
		return true;
	for (p += n; (p = strpbrk(p, "?&")) != NULL;) {
		p++;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strncasecmp(p, words[i], strlen(words[i])) == 0)
				return true;
	}
	return false;
}

static enum tf_code
find_engine(const char *uri, const struct tf_engine **out, struct tf_error *err)
{
	if (has_password(uri))
		return tf_fail(err, TF_INVALID,
		    "no password in the URI, everybody can see it: use a file");
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		if (strncmp(uri, engines[i].scheme,
			strlen(engines[i].scheme)) != 0)
			continue;
		*out = &dir_engine;
		return engines[i].plugin == NULL ?
		    TF_OK :
		    tf_plugin_load(engines[i].plugin, out, err);
	}
	return tf_fail(err, TF_INVALID,
	    "%.60s: expected dir:PATH, postgresql://... or s3://...", uri);
}

static enum tf_code
find_ledger(const char *uri, const struct tf_ledger_ops **out,
    struct tf_error *err)
{
	const struct tf_engine *e;
	enum tf_code rc = find_engine(uri, &e, err);

	if (rc == TF_OK && (*out = e->ledger) == NULL)
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "%.60s keeps blobs, it is no ledger", uri);
	return rc;
}

static enum tf_code
find_blobs(const char *uri, const struct tf_blob_ops **out,
    struct tf_error *err)
{
	const struct tf_engine *e;
	enum tf_code rc = find_engine(uri, &e, err);

	if (rc == TF_OK && (*out = e->blobs) == NULL)
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "%.60s is a ledger, it keeps no blobs", uri);
	return rc;
}

enum tf_code
tf_ledger_create(const char *uri, struct tf_error *err)
{
	const struct tf_ledger_ops *ops;
	enum tf_code rc = find_ledger(uri, &ops, err);

	return rc == TF_OK ? ops->create(uri, err) : rc;
}

enum tf_code
tf_ledger_open(const char *uri, enum tf_org_how how, struct tf_ledger **out,
    struct tf_error *err)
{
	const struct tf_ledger_ops *ops;
	enum tf_code rc = find_ledger(uri, &ops, err);

	return rc == TF_OK ? ops->open(uri, how, out, err) : rc;
}

void
tf_ledger_close(struct tf_ledger *l)
{
	if (l != NULL)
		l->ops->close(l);
}

enum tf_code
tf_blobs_create(const char *uri, struct tf_error *err)
{
	const struct tf_blob_ops *ops;
	enum tf_code rc = find_blobs(uri, &ops, err);

	return rc == TF_OK ? ops->create(uri, err) : rc;
}

enum tf_code
tf_blobs_open(const char *uri, enum tf_org_how how, struct tf_blobs **out,
    struct tf_error *err)
{
	const struct tf_blob_ops *ops;
	enum tf_code rc = find_blobs(uri, &ops, err);

	return rc == TF_OK ? ops->open(uri, how, out, err) : rc;
}

void
tf_blobs_close(struct tf_blobs *b)
{
	if (b != NULL)
		b->ops->close(b);
}

enum tf_code
tf_blobs_probe(struct tf_blobs *b, bool *held, struct tf_error *err)
{
	enum tf_worm verdict = TF_WORM_UNLOCKED;
	enum tf_code rc = b->ops->probe_worm(b, &verdict, err);

	*held = rc == TF_OK && verdict == TF_WORM_HELD;
	if (rc == TF_OK && verdict == TF_WORM_NOT_HELD)
		rc = tf_fail(err, TF_DENIED,
		    "a locked object could be deleted: the store of the blobs "
		    "ignores locks, or these credentials may bypass them");
	return rc;
}
