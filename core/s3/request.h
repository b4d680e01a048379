/*
 * One request to a store that speaks S3, by libcurl.  Only request.c uses libcurl.
 *
 * A request ends: a connection has 10 seconds, and a transfer that moves no byte
 * for `stall` seconds fails.  Nothing is asked again here (try_again says whether
 * that makes sense), and no redirect is followed: it would send the signature to
 * another host.
 *
 * The file of the credentials is read again when it is another one.  So who has
 * temporary credentials replaces the file, and no program is started again.
 */
#ifndef TF_S3_REQUEST_H
#define TF_S3_REQUEST_H

#include "target.h"

#define TF_S3_ANSWER_MAX (UINT64_C(4) << 20) /* bytes of XML */
#define TF_S3_VERSION_MAX 1024 /* bytes of a version id, escaped */

struct tf_s3; /* a target, its credentials and a connection */
struct tf_sha256;

/* On TF_OK free *out with tf_s3_free.  Errors: those of the target and of the
 * credentials; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_s3_new(const char *uri, struct tf_s3 **out,
    struct tf_error *err);
void tf_s3_free(struct tf_s3 *s);
const struct tf_s3_target *tf_s3_target(const struct tf_s3 *s);

struct tf_s3_request {
	const char *method; /* GET HEAD PUT POST DELETE */
	const char *key;    /* below the prefix; NULL: the bucket itself */
	/* Sorted, escaped, each with an =: "prefix=a%2Fb&versions="; or NULL. */
	const char *query;
	/* "name: value" in lower case, or NULL. */
	const char *headers[4];
	/* The body: n bytes at p, or if p is NULL, n bytes of fd at off. */
	const void *p;
	int fd;
	uint64_t off, n;
	const struct tf_hash *sha256; /* of the body; NULL: it is empty */
	/* Where an answer with status 2xx goes: to a file from offset 0 (-1: to
	 * none), with its digest; or if to_file is false to body, which takes at most max bytes. */
	bool to_file;
	int into;
	uint64_t max;
};

struct tf_s3_answer {
	long status;	       /* of HTTP */
	struct tf_buf body;    /* of a 2xx (without to_file), or the error */
	uint64_t length;       /* Content-Length, or what came */
	struct tf_hash sha256; /* of what went to a file */
	char version[TF_S3_VERSION_MAX +
	    1]; /* x-amz-version-id, escaped; or "" */
	char etag[160];
	enum tf_blob_lock lock;
	int64_t until; /* 0: not locked */
	char location[200];
	char code[64];	   /* of S3, such as NoSuchKey; or "" */
	char message[160]; /* its text */
	bool try_again;	   /* it failed, and an equal request may succeed */
};

/*
 * Send a request.  TF_OK: there is an answer, whatever its status, and it came
 * whole; free a->body.  Else there is none: TF_IO, TF_NOMEM, or a failed write to
 * the file; a->try_again is set then too.
 */
TF_MUST_USE enum tf_code tf_s3_send(struct tf_s3 *s,
    const struct tf_s3_request *r, struct tf_s3_answer *a,
    struct tf_error *err);

/* Give up what the answer holds, to send again. */
void tf_s3_answer_free(struct tf_s3_answer *a);

/*
 * The code for an answer that is no success: TF_NOTFOUND only for an object that
 * is not there; TF_ACCESS; TF_TAMPER the store computed another digest;
 * TF_UNSUPPORTED; TF_NOSPACE; TF_IO.
 */
enum tf_code tf_s3_refused(const struct tf_s3 *s, const struct tf_s3_request *r,
    const struct tf_s3_answer *a, struct tf_error *err);

/* Send up to three times, with pauses, while the store is overloaded or fails;
 * anything but 2xx becomes an error.  Free a->body, on failure too. */
TF_MUST_USE enum tf_code tf_s3_ask(struct tf_s3 *s,
    const struct tf_s3_request *r, struct tf_s3_answer *a,
    struct tf_error *err);

/* Escape s for a query; false if it does not fit. */
bool tf_s3_escape(const char *s, char *out, size_t room);

#endif
