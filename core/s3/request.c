/*
 * Requests to S3: see request.h.
 *
 * libcurl signs (SigV4): the method, the path, the query, and each header that is
 * given to it.  So no header is given that libcurl does not send: an empty Expect
 * is signed and left out, and the store then refuses the request.  Each request
 * has the digest of its body in x-amz-content-sha256, which the store checks.
 */
#include "request.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/time_text.h"
#include "answer_xml.h"
#include "credentials.h"

#define CONNECT_S 10L
#define TRIES 3
#define SMALL 262144 /* bytes of a body that libcurl gets at once */

struct tf_s3 {
	struct tf_s3_target target;
	struct tf_s3_credentials credentials;
	CURL *curl;
	char said[CURL_ERROR_SIZE];
};

/* What the callbacks of one request know. */
struct exchange {
	struct tf_s3 *s;
	const struct tf_s3_request *r;
	struct tf_s3_answer *a;
	struct tf_sha256 *sha256;
	uint64_t sent, came;
	bool too_big;
	enum tf_code rc; /* of a file that could not be read or written */
	struct tf_error err;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
begin(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum tf_code
tf_s3_new(const char *uri, struct tf_s3 **out, struct tf_error *err)
{
	struct tf_s3 *s = calloc(1, sizeof(*s));
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	rc = tf_s3_target_parse(uri, &s->target, err);
	if (rc == TF_OK)
		rc = tf_s3_credentials_read(s->target.credentials,
		    &s->credentials, err);
	if (rc == TF_OK) {
		(void)pthread_once(&once, begin);
		if ((s->curl = curl_easy_init()) == NULL)
			rc = tf_nomem(err);
	}
	if (rc != TF_OK) {
		tf_s3_free(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

void
tf_s3_free(struct tf_s3 *s)
{
	if (s == NULL)
		return;
	if (s->curl != NULL)
		curl_easy_cleanup(s->curl);
	explicit_bzero(&s->credentials, sizeof(s->credentials));
	free(s);
}

const struct tf_s3_target *
tf_s3_target(const struct tf_s3 *s)
{
	return &s->target;
}

bool
tf_s3_escape(const char *s, char *out, size_t room)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-_.~";
	size_t n = 0;

	for (; *s != '\0'; s++) {
		const bool is_plain = strchr(plain, *s) != NULL;

		if (n + (is_plain ? 1 : 3) >= room)
			return false;
		if (is_plain)
			out[n++] = *s;
		else
			n += (size_t)sprintf(out + n, "%%%02X",
			    (unsigned char)*s);
	}
	out[n] = '\0';
	return true;
}

/* --- the body that is sent ------------------------------------------------ */

static size_t
send_body(char *to, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	const uint64_t left = x->r->n - x->sent;
	size_t got = 0, want = size * n;

	if (want > left)
		want = (size_t)left;
	if (x->r->p != NULL) {
		memcpy(to, (const char *)x->r->p + x->sent, want);
		got = want;
	} else {
		x->rc = tf_file_pread(x->r->fd, to, want, x->r->off + x->sent,
		    &got, &x->err);
		if (x->rc == TF_OK && got < want)
			x->rc = tf_fail(&x->err, TF_TAMPER,
			    "the file became shorter while it was sent");
		if (x->rc != TF_OK)
			return CURL_READFUNC_ABORT;
	}
	x->sent += got;
	return got;
}

/* A kept connection may turn out to be closed: libcurl then begins again. */
static int
seek_body(void *arg, curl_off_t off, int origin)
{
	struct exchange *x = arg;

	if (origin != SEEK_SET || off < 0 || (uint64_t)off > x->r->n)
		return CURL_SEEKFUNC_CANTSEEK;
	x->sent = (uint64_t)off;
	return CURL_SEEKFUNC_OK;
}

/* --- the answer ----------------------------------------------------------- */

static bool
is_header(struct tf_str line, const char *name, struct tf_str *value)
{
	const size_t n = strlen(name);

	if (line.n <= n || strncasecmp(line.p, name, n) != 0 ||
	    line.p[n] != ':')
		return false;
	value->p = line.p + n + 1;
	value->n = line.n - n - 1;
	while (value->n > 0 && (*value->p == ' ' || *value->p == '\t'))
		value->p++, value->n--;
	while (value->n > 0 && (unsigned char)value->p[value->n - 1] <= ' ')
		value->n--;
	return true;
}

static void
copy(char *out, size_t room, struct tf_str s)
{
	(void)snprintf(out, room, "%.*s", (int)s.n, s.p);
}

static void
put_until(struct tf_s3_answer *a, struct tf_str value)
{
	char text[64], whole[TF_TIME_LEN + 1];
	struct tf_time t;

	copy(text, sizeof(text), value);
	if (tf_time_complete(text, whole) &&
	    tf_time_parse(whole, TF_TIME_LEN, &t))
		a->until = t.s;
}

static size_t
take_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct tf_s3_answer *a = x->a;
	const struct tf_str line = { p, size * n };
	char version[TF_S3_VERSION_MAX + 1];
	struct tf_str value;

	if (line.n > 5 && memcmp(p, "HTTP/", 5) == 0) {
		/* 100 Continue came before. */
		a->version[0] = a->etag[0] = a->location[0] = '\0';
		a->lock = TF_BLOB_UNLOCKED;
		a->until = 0;
	} else if (is_header(line, "x-amz-version-id", &value)) {
		copy(version, sizeof(version), value);
		if (!tf_s3_escape(version, a->version, sizeof(a->version)))
			a->version[0] = '\0';
	} else if (is_header(line, "etag", &value)) {
		copy(a->etag, sizeof(a->etag), value);
	} else if (is_header(line, "location", &value)) {
		copy(a->location, sizeof(a->location), value);
	} else if (is_header(line, "x-amz-object-lock-mode", &value)) {
		if (tf_str_same(value, tf_str_of("GOVERNANCE")))
			a->lock = TF_BLOB_GOVERNANCE;
		else if (tf_str_same(value, tf_str_of("COMPLIANCE")))
			a->lock = TF_BLOB_COMPLIANCE;
	} else if (is_header(line, "x-amz-object-lock-retain-until-date",
		       &value)) {
		put_until(a, value);
	}
	return line.n;
}

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	const size_t bytes = size * n;
	long status = 0;
	uint64_t max;

	(void)curl_easy_getinfo(x->s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300 && x->r->to_file) {
		if (x->r->into >= 0)
			x->rc = tf_file_pwrite(x->r->into, p, bytes, x->came,
			    &x->err);
		if (x->rc != TF_OK)
			return 0;
		tf_sha256_add(x->sha256, p, bytes);
		x->came += bytes;
		return bytes;
	}
	max = status >= 200 && status < 300 && x->r->max != 0 ?
	    x->r->max :
	    TF_S3_ANSWER_MAX;
	if (bytes > max - x->came) {
		x->too_big = true;
		return 0;
	}
	tf_buf_add(&x->a->body, p, bytes);
	x->came += bytes;
	return x->a->body.failed ? 0 : bytes;
}

/* --- one request ---------------------------------------------------------- */

static bool
add(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more == NULL)
		return false;
	*list = more;
	return true;
}

/* libcurl signs it as every header that it is given. */
static bool
add_token(const struct tf_s3_credentials *c, struct curl_slist **list)
{
	char line[sizeof(c->token) + 32];
	bool ok;

	if (c->token[0] == '\0')
		return true;
	(void)snprintf(line, sizeof(line), "x-amz-security-token: %s",
	    c->token);
	ok = add(list, line);
	explicit_bzero(line, sizeof(line));
	return ok;
}

/* The list has a secret. */
static void
free_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static bool
list_headers(const struct tf_s3 *s, const struct tf_s3_request *r,
    struct curl_slist **list)
{
	char line[128];
	struct tf_hash empty;
	const size_t most = sizeof(r->headers) / sizeof(r->headers[0]);
	int n = snprintf(line, sizeof(line), "x-amz-content-sha256: ");

	tf_sha256("", 0, &empty);
	tf_hex(r->sha256 != NULL ? r->sha256->b : empty.b, sizeof(empty.b),
	    line + n);
	if (!add(list, line))
		return false;
	if (!add_token(&s->credentials, list))
		return false;
	if ((r->n > 0 || strcmp(r->method, "POST") == 0) &&
	    !add(list, "content-type: application/octet-stream"))
		return false;
	for (size_t i = 0; i < most && r->headers[i] != NULL; i++)
		if (!add(list, r->headers[i]))
			return false;
	return true;
}

static void
set_url(struct tf_s3 *s, const struct tf_s3_request *r)
{
	const struct tf_s3_target *t = &s->target;
	char url[4096];

	(void)snprintf(url, sizeof(url), "%s/%s%s%s%s%s%s", t->endpoint,
	    t->bucket, r->key != NULL ? "/" : "",
	    r->key != NULL ? t->prefix : "", r->key != NULL ? r->key : "",
	    r->query != NULL ? "?" : "", r->query != NULL ? r->query : "");
	(void)curl_easy_setopt(s->curl, CURLOPT_URL, url);
}

static void
set_body(struct tf_s3 *s, const struct tf_s3_request *r, struct exchange *x)
{
	CURL *c = s->curl;

	if (strcmp(r->method, "HEAD") == 0) {
		(void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	/* A body in memory is sent with its headers; one that libcurl has to ask
	 * for waits until the store has said 100 Continue. */
	if (r->p != NULL && r->n <= SMALL) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->n);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->p);
	} else if (r->n > 0) {
		(void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)r->n);
		(void)curl_easy_setopt(c, CURLOPT_READFUNCTION, send_body);
		(void)curl_easy_setopt(c, CURLOPT_READDATA, x);
		(void)curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, seek_body);
		(void)curl_easy_setopt(c, CURLOPT_SEEKDATA, x);
	} else if (strcmp(r->method, "GET") != 0 &&
	    strcmp(r->method, "DELETE") != 0) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)0);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
	}
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
}

static void
set_options(struct tf_s3 *s, struct exchange *x)
{
	const struct tf_s3_target *t = &s->target;
	const bool is_tls = strncmp(t->endpoint, "https:", 6) == 0;
	CURL *c = s->curl;
	char sigv4[128];

	(void)snprintf(sigv4, sizeof(sigv4), "aws:amz:%s:s3", t->region);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->said);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
	    is_tls ? "https" : "http");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(c, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(c, CURLOPT_AWS_SIGV4, sigv4);
	(void)curl_easy_setopt(c, CURLOPT_USERNAME, s->credentials.key);
	(void)curl_easy_setopt(c, CURLOPT_PASSWORD, s->credentials.secret);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)t->stall);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	if (t->ca[0] != '\0') {
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, t->ca);
		(void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	/* A proxy of the environment would see what goes to this machine. */
	if (t->is_loopback)
		(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
}

/* Does the same request make sense after this failure of libcurl? Not after a
 * transfer that stood still: the caller has waited long enough. */
static bool
may_pass(CURLcode code)
{
	return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
	    code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE ||
	    code == CURLE_COULDNT_CONNECT;
}

static enum tf_code
failed(struct exchange *x, CURLcode code, struct tf_error *err)
{
	const struct tf_s3_target *t = &x->s->target;

	x->a->try_again = false;
	if (x->rc != TF_OK)
		return tf_fail_as(err, &x->err);
	if (x->a->body.failed || code == CURLE_OUT_OF_MEMORY)
		return tf_nomem(err);
	if (x->too_big)
		return tf_fail(err, TF_TOOBIG,
		    "%s: the answer has more bytes than it may have",
		    t->endpoint);
	x->a->try_again = may_pass(code);
	errno = 0;
	return tf_fail(err, TF_IO, "%s: %s", t->endpoint,
	    x->s->said[0] != '\0' ? x->s->said : curl_easy_strerror(code));
}

static void
finish(struct exchange *x)
{
	struct tf_s3_answer *a = x->a;
	curl_off_t length = -1;

	(void)curl_easy_getinfo(x->s->curl, CURLINFO_RESPONSE_CODE, &a->status);
	(void)curl_easy_getinfo(x->s->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
	    &length);
	a->length = length >= 0 ? (uint64_t)length : x->came;
	if (x->r->to_file) {
		a->length = x->came;
		tf_sha256_peek(x->sha256, &a->sha256);
	}
	if (a->status < 200 || a->status >= 300)
		tf_s3_xml_error(tf_buf_bytes(&a->body), a->code,
		    sizeof(a->code), a->message, sizeof(a->message));
	a->try_again = a->status == 429 || a->status >= 500;
}

/* Others that cannot be read, such as a file that is being written, do not replace
 * those that are known: the store says when they are over. */
static void
refresh(struct tf_s3 *s)
{
	const char *name = s->target.credentials;
	struct tf_s3_credentials now;

	if (!tf_s3_credentials_changed(name, &s->credentials))
		return;
	if (tf_s3_credentials_read(name, &now, NULL) == TF_OK)
		s->credentials = now;
	explicit_bzero(&now, sizeof(now));
}

enum tf_code
tf_s3_send(struct tf_s3 *s, const struct tf_s3_request *r,
    struct tf_s3_answer *a, struct tf_error *err)
{
	struct exchange x = { .s = s, .r = r, .a = a };
	struct curl_slist *headers = NULL;
	enum tf_code rc = TF_OK;
	CURLcode code;

	memset(a, 0, sizeof(*a));
	if (r->to_file && (x.sha256 = tf_sha256_new()) == NULL)
		return tf_nomem(err);
	refresh(s);
	curl_easy_reset(s->curl);
	s->said[0] = '\0';
	set_options(s, &x);
	set_url(s, r);
	set_body(s, r, &x);
	if (list_headers(s, r, &headers)) {
		(void)curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
		code = curl_easy_perform(s->curl);
	} else {
		code = CURLE_OUT_OF_MEMORY;
	}
	if (code != CURLE_OK)
		rc = failed(&x, code, err);
	else
		finish(&x);
	free_headers(headers);
	tf_sha256_free(x.sha256);
	return rc;
}

void
tf_s3_answer_free(struct tf_s3_answer *a)
{
	tf_buf_free(&a->body);
}

/* --- what a refusal means ------------------------------------------------- */

static bool
is_code(const struct tf_s3_answer *a, const char *code)
{
	return strcmp(a->code, code) == 0;
}

/* Temporary credentials are over, or may be: not every store says why it denies.
 * Others may come. */
static bool
is_over(const struct tf_s3 *s, const struct tf_s3_answer *a)
{
	return s->credentials.token[0] != '\0' &&
	    (a->status == 401 || a->status == 403 ||
		is_code(a, "ExpiredToken") ||
		is_code(a, "TokenRefreshRequired"));
}

static enum tf_code
code_of(const struct tf_s3 *s, const struct tf_s3_answer *a)
{
	if (is_over(s, a))
		return TF_IO;
	if (is_code(a, "NoSuchBucket"))
		return TF_IO; /* never: the object is not there */
	if (is_code(a, "XAmzContentSHA256Mismatch") ||
	    is_code(a, "BadDigest") || is_code(a, "InvalidDigest"))
		return TF_TAMPER;
	if (is_code(a, "AuthorizationHeaderMalformed") ||
	    is_code(a, "RequestTimeTooSkewed") || a->status == 401 ||
	    a->status == 403)
		return is_code(a, "QuotaExceeded") ? TF_NOSPACE : TF_ACCESS;
	if (a->status == 404)
		return TF_NOTFOUND;
	if (is_code(a, "InvalidRequest") || is_code(a, "NotImplemented") ||
	    is_code(a, "InvalidBucketState") || a->status == 501)
		return TF_UNSUPPORTED;
	return a->status == 507 ? TF_NOSPACE : TF_IO;
}

enum tf_code
tf_s3_refused(const struct tf_s3 *s, const struct tf_s3_request *r,
    const struct tf_s3_answer *a, struct tf_error *err)
{
	const struct tf_s3_target *t = &s->target;
	const bool is_redirect = a->status >= 300 && a->status < 400;

	errno = 0;
	if (is_redirect)
		return tf_fail(err, TF_IO,
		    "%s %s: redirected%s%s: give this endpoint= and region=",
		    r->method, t->endpoint,
		    a->location[0] != '\0' ? " to " : "", a->location);
	return tf_fail(err, code_of(s, a), "%s %s/%s/%s%s: %ld%s%s%s%s%s",
	    r->method, t->endpoint, t->bucket, r->key != NULL ? t->prefix : "",
	    r->key != NULL ? r->key : "", a->status,
	    a->code[0] != '\0' ? " " : "", a->code,
	    a->message[0] != '\0' ? ": " : "", a->message,
	    is_over(s, a) ? ": are the temporary credentials over?" : "");
}

/* 0.2 and 0.8 seconds. */
static void
pause_before(int try)
{
	struct timespec t = { 0, 200000000L };

	if (try == 2)
		t.tv_nsec *= 4;
	(void)nanosleep(&t, NULL);
}

static bool
changed(const struct tf_s3 *s)
{
	return tf_s3_credentials_changed(s->target.credentials,
	    &s->credentials);
}

enum tf_code
tf_s3_ask(struct tf_s3 *s, const struct tf_s3_request *r,
    struct tf_s3_answer *a, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (int try = 0; try < TRIES; try++) {
		if (try > 0) {
			tf_s3_answer_free(a);
			pause_before(try);
		}
		rc = tf_s3_send(s, r, a, err);
		if (rc == TF_OK && (a->status < 200 || a->status >= 300))
			rc = tf_s3_refused(s, r, a, err);
		if (rc == TF_OK ||
		    !(a->try_again || (is_over(s, a) && changed(s))))
			break;
	}
	return rc;
}
