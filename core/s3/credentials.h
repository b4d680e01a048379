/* The credentials of a store: an access key and its secret, and the token of those
 * that end soon, from a file. */
#ifndef TF_S3_CREDENTIALS_H
#define TF_S3_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

#define TF_S3_TOKEN_MAX 8192 /* bytes, with the NUL */

struct tf_s3_credentials {
	char key[132], secret[260];
	char token[TF_S3_TOKEN_MAX]; /* of temporary credentials; else "" */
	/* The file that they were read from; it is replaced to give others. */
	uint64_t device, inode, size;
	int64_t changed_s;
	uint32_t changed_ns;
};

/*
 * Read them from name, a path, or without a slash the name of a credential that
 * systemd keeps in $CREDENTIALS_DIRECTORY.  The file has two lines, the access key
 * and the secret, and a third one with the session token of temporary credentials;
 * or lines with the names of AWS: aws_access_key_id = KEY, aws_secret_access_key,
 * aws_session_token, after a line [PROFILE] or without one.  The caller wipes out.
 * Errors: TF_FOREIGN the file is not private (tf_secret_read); TF_INVALID it has
 * other lines; TF_ACCESS it is missing, or cannot be opened; TF_IO.  No text has a
 * part of the file.
 */
TF_MUST_USE enum tf_code tf_s3_credentials_read(const char *name,
    struct tf_s3_credentials *out, struct tf_error *err);
/* Is the file another one now? */
bool tf_s3_credentials_changed(const char *name,
    const struct tf_s3_credentials *c);

#endif
