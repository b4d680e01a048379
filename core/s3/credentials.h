/* The credentials of a store: an access key and its secret, from a file. */
#ifndef TF_S3_CREDENTIALS_H
#define TF_S3_CREDENTIALS_H

#include "../error.h"

struct tf_s3_credentials {
	char key[132], secret[260];
};

/*
 * Read them from name, a path, or without a slash the name of a credential that
 * systemd keeps in $CREDENTIALS_DIRECTORY.  The file has two lines: the access
 * key, and the secret.  The caller wipes out.
 * Errors: TF_FOREIGN the file is not private (tf_secret_read); TF_INVALID it has
 * other lines; TF_ACCESS it is missing, or cannot be opened; TF_IO.  No text has a part of the file.
 */
TF_MUST_USE enum tf_code tf_s3_credentials_read(const char *name,
    struct tf_s3_credentials *out, struct tf_error *err);

#endif
