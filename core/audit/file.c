/* Hashing files that are under audit.  A file may be sparse and of any size, or
 * grow during the read.  The size in the entry is therefore a limit: a file of
 * another size is read only to say where it differs, and no read goes further
 * than one byte beyond that size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/entry.h"
#include "file.h"
#include "pieces.h"

#define CHUNK ((size_t)1 << 20)

/* Hash the bytes of fd, at most limit of them. */
static enum tf_code
hash_upto(int fd, uint64_t limit, struct tf_differ *where, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct tf_sha256 *sha = tf_sha256_new();
	char *buf = malloc(CHUNK);
	uint64_t off = 0;
	size_t n, got = 1;
	enum tf_code rc = TF_OK;

	if (sha == NULL || buf == NULL)
		rc = tf_nomem(err);
	while (rc == TF_OK && got > 0 && off < limit) {
		n = limit - off < CHUNK ? (size_t)(limit - off) : CHUNK;
		rc = tf_file_pread(fd, buf, n, off, &got, err);
		if (rc == TF_OK) {
			tf_sha256_add(sha, buf, got);
			off += got;
			tf_differ_add(where, buf, got);
		}
	}
	if (rc == TF_OK)
		tf_sha256_peek(sha, h);
	*size = off;
	tf_sha256_free(sha);
	free(buf);
	return rc;
}

enum tf_code
tf_audit_hash(int fd, const struct tf_content *want, struct tf_differ *where,
    struct tf_hash *h, uint64_t *size, struct tf_error *err)
{
	struct tf_hash other;
	uint64_t part;
	struct stat st;
	enum tf_code rc;

	memset(h, 0, sizeof(*h)); /* no file has this digest */
	if (fstat(fd, &st) < 0)
		return tf_fail(err, TF_IO, "%s", strerror(errno));
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size != want->size) {
		rc = where == NULL ?
		    TF_OK :
		    hash_upto(fd, want->size, where, &other, &part, err);
		*size = (uint64_t)st.st_size;
		return rc;
	}
	return hash_upto(fd, want->size + 1, where, h, size, err);
}

enum tf_code
tf_audit_hash_beneath(int dirfd, const char *path,
    const struct tf_content *want, struct tf_differ *where, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	rc = tf_file_open_beneath(dirfd, path, &fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_audit_hash(fd, want, where, h, size, err);
	(void)close(fd);
	return rc;
}
