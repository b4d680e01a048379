/*
 * One object of a store, in one or several versions.  A key is below the prefix of
 * the target.  Where a bucket keeps versions, a plain deletion only adds a marker,
 * and an upload only adds a version: what was locked is still there.
 */
#ifndef TF_S3_OBJECT_H
#define TF_S3_OBJECT_H

#include "answer_xml.h"
#include "request.h"

/* What is asked of an upload. */
struct tf_s3_upload {
	const char *key;
	struct tf_hash sha256; /* of the bytes */
	const void *p;	       /* them, or NULL: n bytes of fd from 0 */
	int fd;
	uint64_t n;
	int64_t until; /* lock them until then; 0: do not */
};

/*
 * Upload.  On TF_OK the bytes are durable, and *version (of TF_S3_VERSION_MAX + 1
 * bytes, or NULL) is the escaped id of their version, or "".  A connection that is
 * lost leaves it open whether they are there; to upload them again adds a version.
 * TF_TAMPER: the store computed another digest.
 */
TF_MUST_USE enum tf_code tf_s3_upload(struct tf_s3 *s,
    const struct tf_s3_upload *u, char *version, struct tf_error *err);

/* In parts of the size that the target says, of the file u->fd. */
TF_MUST_USE enum tf_code tf_s3_upload_parts(struct tf_s3 *s,
    const struct tf_s3_upload *u, struct tf_error *err);

/*
 * Ask for an object (method GET or HEAD), or for one version of it (an escaped
 * id), with one more header or NULL.  TF_OK: a->status is 2xx, or what the store
 * said of that object: 404, 403 or 400.  Free a->body in each case.
 */
TF_MUST_USE enum tf_code tf_s3_look(struct tf_s3 *s, struct tf_s3_request *r,
    const char *version, struct tf_s3_answer *a, struct tf_error *err);

/*
 * Call fn for each version of key, the newest first, markers too, until it sets
 * *done or fails.  TF_TAMPER: more than 100,000 of them.
 */
typedef enum tf_code (*tf_s3_version_fn)(void *arg, const char *version,
    const struct tf_s3_version *v, bool *done, struct tf_error *err);
TF_MUST_USE enum tf_code tf_s3_each_version(struct tf_s3 *s, const char *key,
    tf_s3_version_fn fn, void *arg, struct tf_error *err);

/* The headers of a lock: "" and "" without one. */
struct tf_s3_lock {
	char mode[64], until[80];
};
void tf_s3_lock_headers(const struct tf_s3 *s, int64_t until,
    struct tf_s3_lock *out);

#endif
