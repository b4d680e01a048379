/* The digest of a staged file, from the hasher as far as it came. */
#include <stdlib.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../node/pending.h"
#include "../node/secret.h"
#include "../node/vault_i.h"
#include "hasher.h"
#include "staging.h"

/* Add what the hasher leaves out: the chunk of a secret that may still grow. */
static enum tf_code
finish_digest(struct tf_pending *l, struct tf_hash *out, struct tf_error *err)
{
	size_t n = (size_t)(tf_pending_stored(l) - l->hash->hashed), got = 0;
	char *rest;
	int fd = l->fd;
	enum tf_code rc = TF_OK;

	if (n == 0) {
		tf_sha256_peek(l->hash->sha, out);
		return TF_OK;
	}
	if ((rest = malloc(n)) == NULL)
		return tf_nomem(err);
	if (fd < 0)
		rc = tf_content_open(l, &fd, err);
	if (rc == TF_OK)
		rc = tf_file_pread(fd, rest, n, l->hash->hashed, &got, err);
	if (fd != l->fd)
		(void)close(fd); /* read-only */
	if (rc == TF_OK && got < n)
		rc = tf_fail(err, TF_TAMPER, "a staged file changed its size");
	if (rc == TF_OK)
		tf_sha256_peek_with(l->hash->sha, rest, n, out);
	free(rest);
	return rc;
}

enum tf_code
tf_content_digest(struct tf_pending *l, struct tf_hash *out,
    struct tf_error *err)
{
	uint64_t size = 0;
	enum tf_code rc;
	int fd;

	if (tf_pending_in_order(l)) {
		tf_content_hash(l);
		tf_hash_wait(l->v->hasher, l);
		if (l->hash->hashed == tf_pending_ordered(l))
			return finish_digest(l, out, err);
	}
	if (l->hash != NULL && l->hash->whole_gen != 0 &&
	    l->hash->whole_gen == l->gen) {
		*out = l->hash->whole;
		return TF_OK;
	}
	if ((rc = tf_content_open(l, &fd, err)) != TF_OK)
		return rc;
	rc = tf_hash_fd(fd, out, &size, err);
	(void)close(fd);
	if (rc == TF_OK && size != tf_pending_stored(l))
		rc = tf_fail(err, TF_TAMPER, "a staged file changed its size");
	return rc;
}
