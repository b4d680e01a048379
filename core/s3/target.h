/*
 * Where a store of blobs is, and how it keeps them: the URI
 *   s3://BUCKET/PREFIX?endpoint=URL&region=R&credentials=FILE&ca=FILE
 *       &retention=DAYS&mode=governance|compliance&part=BYTES&stall=SECONDS
 * A secret never stands in it: everybody sees the arguments of a process.
 */
#ifndef TF_S3_TARGET_H
#define TF_S3_TARGET_H

#include "../org/engine.h"

struct tf_s3_target {
	char bucket[64];
	char prefix[256];      /* "" or "a/b/": put before each key */
	char endpoint[256];    /* scheme, host and port, without a slash */
	char region[64];       /* us-east-1 */
	char credentials[512]; /* a path, or a name below the directory of
				* credentials that systemd gave */
	char ca[512]; /* PEM of the authorities; "": those of the system */
	bool is_loopback;
	unsigned retention_days; /* 0: nothing is locked */
	enum tf_blob_lock mode;
	uint64_t part;	/* bytes: a larger object is uploaded in parts */
	unsigned stall; /* seconds without a byte that end a request */
};

/*
 * Parse uri.  Errors: TF_INVALID, which names the part of it that is wrong: also
 * plain http to a host that is not this one, and a mode without a number of days.
 */
TF_MUST_USE enum tf_code tf_s3_target_parse(const char *uri,
    struct tf_s3_target *out, struct tf_error *err);

#endif
