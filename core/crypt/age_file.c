/* A file that is encrypted to a passphrase: see core/age.h. */
#include <stdlib.h>

#include "../age.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "age_write.h"

#define PIECE ((size_t)1 << 20)

struct target {
	int fd;
	uint64_t size;
	struct tf_sha256 *sha;
};

static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct target *t = arg;
	enum tf_code rc = tf_file_pwrite(t->fd, p, n, t->size, err);

	tf_sha256_add(t->sha, p, n);
	t->size += n;
	return rc;
}

static enum tf_code
pass(struct tf_age_writer *w, int from, struct tf_error *err)
{
	char *buf = malloc(PIECE);
	uint64_t off = 0;
	size_t got = 1;
	enum tf_code rc = buf == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK && got > 0) {
		rc = tf_file_pread(from, buf, PIECE, off, &got, err);
		if (rc == TF_OK)
			rc = tf_age_writer_add(w, buf, got, err);
		off += got;
	}
	if (buf != NULL)
		tf_wipe(buf, PIECE);
	free(buf);
	return rc == TF_OK ? tf_age_writer_end(w, err) : rc;
}

enum tf_code
tf_age_encrypt_file(const char *passphrase, size_t n, int from, int to,
    struct tf_hash *sha256, uint64_t *size, struct tf_error *err)
{
	struct target t = { .fd = to, .sha = tf_sha256_new() };
	struct tf_age_writer *w = NULL;
	enum tf_code rc = t.sha == NULL ?
	    tf_nomem(err) :
	    tf_age_writer_new_passphrase(passphrase, n, TF_AGE_SCRYPT_LOG_N,
		put, &t, &w, err);

	if (rc == TF_OK)
		rc = pass(w, from, err);
	tf_age_writer_free(w);
	if (rc == TF_OK) {
		tf_sha256_peek(t.sha, sha256);
		*size = t.size;
	}
	tf_sha256_free(t.sha);
	return rc;
}
