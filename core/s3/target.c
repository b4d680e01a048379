/* The URI of a store of blobs: see target.h. */
#include "target.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"

#define DAYS_MAX 36500
#define STALL_MAX 3600
#define STALL_S 60
#define PART_MIN UINT64_C(65536)
#define PART_MAX (UINT64_C(5) << 30) /* of S3 */
#define PART (UINT64_C(512) << 20) /* 10,000 of them are 5 TiB, all S3 takes */

static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Is all of s of letters, digits and the characters of more? */
static bool
made_of(struct tf_str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' ||
		    (strchr(letters, s.p[i]) == NULL &&
			strchr(more, s.p[i]) == NULL))
			return false;
	return s.n > 0;
}

static bool
fits(char *out, size_t room, struct tf_str s)
{
	if (s.n >= room)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

/* A path, with %xx for bytes that would end it. */
static bool
put_path(char *out, size_t room, struct tf_str s)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++, n++) {
		char c = s.p[i];
		const char *high, *low;

		if (n + 1 >= room)
			return false;
		if (c == '%') {
			if (i + 2 >= s.n)
				return false;
			high = strchr(hex, s.p[i + 1] | 0x20);
			low = strchr(hex, s.p[i + 2] | 0x20);
			if (high == NULL || low == NULL)
				return false;
			c = (char)((high - hex) << 4 | (low - hex));
			i += 2;
		}
		if (c == '\0')
			return false;
		out[n] = c;
	}
	out[n] = '\0';
	return n > 0;
}

/* Keys are written into URLs and signed: characters that need no escape. */
static bool
put_prefix(struct tf_s3_target *t, struct tf_str s)
{
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	if (s.n == 0)
		return true;
	if (!made_of(s, "._-/") || s.p[0] == '/' ||
	    memmem(s.p, s.n, "//", 2) != NULL ||
	    memmem(s.p, s.n, "..", 2) != NULL || s.p[0] == '.' ||
	    memmem(s.p, s.n, "/.", 2) != NULL || s.n + 1 >= sizeof(t->prefix))
		return false;
	memcpy(t->prefix, s.p, s.n);
	memcpy(t->prefix + s.n, "/", 2);
	return true;
}

/* 127.0.0.0/8, ::1, and localhost, which libcurl takes as one of them. */
static bool
is_loopback(struct tf_str host)
{
	unsigned a, b, c;
	char text[32];
	int end = 0;

	if (tf_str_same(host, tf_str_of("localhost")) ||
	    tf_str_same(host, tf_str_of("[::1]")))
		return true;
	return fits(text, sizeof(text), host) &&
	    sscanf(text, "127.%3u.%3u.%3u%n", &a, &b, &c, &end) == 3 &&
	    (size_t)end == host.n && a < 256 && b < 256 && c < 256;
}

static enum tf_code
put_endpoint(struct tf_s3_target *t, struct tf_str s, struct tf_error *err)
{
	struct tf_str host = s;
	bool is_tls;
	size_t port;

	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	is_tls = s.n > 8 && memcmp(s.p, "https://", 8) == 0;
	if (!is_tls && (s.n <= 7 || memcmp(s.p, "http://", 7) != 0))
		return tf_fail(err, TF_INVALID,
		    "endpoint=%.*s: expected https://HOST or https://HOST:PORT",
		    (int)s.n, s.p);
	host.p = s.p + (is_tls ? 8 : 7);
	host.n = s.n - (is_tls ? 8 : 7);
	if (!made_of(host, ".-:[]") ||
	    !fits(t->endpoint, sizeof(t->endpoint), s))
		return tf_fail(err, TF_INVALID,
		    "endpoint=%.*s: no path, no user, letters, digits and . -",
		    (int)s.n, s.p);
	port = host.n;
	while (port > 0 && host.p[port - 1] >= '0' && host.p[port - 1] <= '9')
		port--;
	if (port > 0 && port < host.n && host.p[port - 1] == ':')
		host.n = port - 1;
	t->is_loopback = is_loopback(host);
	if (!is_tls && !t->is_loopback)
		return tf_fail(err, TF_INVALID,
		    "endpoint=%s: only https leaves this machine", t->endpoint);
	return TF_OK;
}

static bool
put_number(struct tf_str s, uint64_t min, uint64_t max, uint64_t *out)
{
	return tf_decimal(s.p, s.n, max, out) && *out >= min;
}

static enum tf_code
put_parameter(struct tf_s3_target *t, struct tf_str key, struct tf_str value,
    struct tf_error *err)
{
	uint64_t n = 0;
	bool ok;

	if (tf_str_same(key, tf_str_of("endpoint")))
		return put_endpoint(t, value, err);
	if (tf_str_same(key, tf_str_of("region"))) {
		ok = made_of(value, "-") &&
		    fits(t->region, sizeof(t->region), value);
	} else if (tf_str_same(key, tf_str_of("credentials"))) {
		ok = put_path(t->credentials, sizeof(t->credentials), value);
	} else if (tf_str_same(key, tf_str_of("ca"))) {
		ok = put_path(t->ca, sizeof(t->ca), value) && t->ca[0] == '/';
	} else if (tf_str_same(key, tf_str_of("retention"))) {
		ok = put_number(value, 1, DAYS_MAX, &n);
		t->retention_days = (unsigned)n;
	} else if (tf_str_same(key, tf_str_of("mode"))) {
		ok = true;
		if (tf_str_same(value, tf_str_of("governance")))
			t->mode = TF_BLOB_GOVERNANCE;
		else if (tf_str_same(value, tf_str_of("compliance")))
			t->mode = TF_BLOB_COMPLIANCE;
		else
			ok = false;
	} else if (tf_str_same(key, tf_str_of("part"))) {
		ok = put_number(value, PART_MIN, PART_MAX, &n);
		t->part = n;
	} else if (tf_str_same(key, tf_str_of("stall"))) {
		ok = put_number(value, 1, STALL_MAX, &n);
		t->stall = (unsigned)n;
	} else {
		return tf_fail(err, TF_INVALID, "s3: no parameter %.*s",
		    (int)key.n, key.p);
	}
	return ok ? TF_OK :
		    tf_fail(err, TF_INVALID, "s3: %.*s=%.*s is not valid",
			(int)key.n, key.p, (int)value.n, value.p);
}

static enum tf_code
put_parameters(struct tf_s3_target *t, const char *p, struct tf_error *err)
{
	while (*p != '\0') {
		const size_t n = strcspn(p, "&");
		const char *is = memchr(p, '=', n);
		enum tf_code rc;

		if (is == NULL)
			return tf_fail(err, TF_INVALID,
			    "s3: %.*s has no =", (int)n, p);
		rc = put_parameter(t, (struct tf_str){ p, (size_t)(is - p) },
		    (struct tf_str){ is + 1, n - (size_t)(is - p) - 1 }, err);
		if (rc != TF_OK)
			return rc;
		p += n + (p[n] == '&');
	}
	return TF_OK;
}

enum tf_code
tf_s3_target_parse(const char *uri, struct tf_s3_target *out,
    struct tf_error *err)
{
	struct tf_s3_target t = { .part = PART, .stall = STALL_S };
	const char *p, *query;
	struct tf_str bucket;
	enum tf_code rc;

	if (strncmp(uri, "s3://", 5) != 0)
		return tf_fail(err, TF_INVALID, "expected s3://BUCKET/PREFIX");
	p = uri + 5;
	query = p + strcspn(p, "?");
	bucket = (struct tf_str){ p, strcspn(p, "/?") };
	if (bucket.n < 3 || !made_of(bucket, ".-") ||
	    !fits(t.bucket, sizeof(t.bucket), bucket))
		return tf_fail(err, TF_INVALID, "s3: %.*s is no bucket",
		    (int)bucket.n, bucket.p);
	p += bucket.n;
	if (p < query &&
	    !put_prefix(&t, (struct tf_str){ p + 1, (size_t)(query - p) - 1 }))
		return tf_fail(err, TF_INVALID,
		    "s3: the prefix has letters, digits and ._-/ only");
	rc = put_parameters(&t, query + (*query == '?'), err);
	if (rc != TF_OK)
		return rc;
	if (t.mode != TF_BLOB_UNLOCKED && t.retention_days == 0)
		return tf_fail(err, TF_INVALID,
		    "s3: mode= needs retention=DAYS: no number is assumed");
	if (t.retention_days != 0 && t.mode == TF_BLOB_UNLOCKED)
		t.mode = TF_BLOB_GOVERNANCE;
	if (t.region[0] == '\0')
		strcpy(t.region, "us-east-1");
	if (t.endpoint[0] == '\0')
		(void)snprintf(t.endpoint, sizeof(t.endpoint),
		    "https://s3.%s.amazonaws.com", t.region);
	if (t.credentials[0] == '\0')
		strcpy(t.credentials, "s3");
	*out = t;
	return TF_OK;
}
