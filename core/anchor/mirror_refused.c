/*
 * Keeps the heads of a source that was refused: see mirror_refused.h.
 *
 * Two heads that the same key signed and that are not consistent prove that the
 * history was rewritten; nobody can make that proof go away but the owner of the
 * mirror.  Files are written before the reason, so a directory with a reason is
 * complete.
 */
#include "mirror_refused.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/time_text.h"

#define DIRECTORY "refused"
#define ID_BYTES 8

static void
name_it(const struct tf_mirror_refusal *r, char name[TF_MIRROR_REFUSED_NAME])
{
	char hex[2 * ID_BYTES + 1];
	struct tf_hash h;

	tf_sha256_prefixed(0, r->source_head.p, r->source_head.n, r->reason,
	    strlen(r->reason), &h);
	tf_hex(h.b, ID_BYTES, hex);
	(void)snprintf(name, TF_MIRROR_REFUSED_NAME, DIRECTORY "/%s", hex);
}

static enum tf_code
make_directory(int dirfd, const char *name, struct tf_error *err)
{
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %s: %s", name,
		    strerror(errno));
	return TF_OK;
}

/* How many there are, at most TF_MIRROR_REFUSED_MAX. */
static enum tf_code
count(int dirfd, unsigned *n, struct tf_error *err)
{
	int fd = openat(dirfd, DIRECTORY,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	*n = 0;
	if (d == NULL) {
		int sys = errno;

		if (fd >= 0)
			(void)close(fd);
		errno = sys;
		return tf_fail(err, TF_IO, "read " DIRECTORY ": %s",
		    strerror(errno));
	}
	while (*n < TF_MIRROR_REFUSED_MAX && (e = readdir(d)) != NULL)
		*n += e->d_name[0] != '.';
	(void)closedir(d);
	return TF_OK;
}

static enum tf_code
put(int dirfd, const char *dir, const char *file, struct tf_str text,
    struct tf_error *err)
{
	char path[TF_MIRROR_REFUSED_NAME + 32];

	if (text.n == 0)
		return TF_OK;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	return tf_file_write(dirfd, path, text.p, text.n, 0600, false, err);
}

/* The hashes of the proof, one per line. */
static enum tf_code
put_proof(int dirfd, const char *dir, const struct tf_proof *p,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc;

	for (unsigned i = 0; i < p->n; i++) {
		tf_base64(&b, p->h[i].b, sizeof(p->h[i].b));
		tf_buf_str(&b, "\n");
	}
	if ((rc = tf_buf_end(&b, err)) == TF_OK)
		rc = put(dirfd, dir, "source.proof", tf_buf_bytes(&b), err);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
put_reason(int dirfd, const char *dir, const char *reason, struct tf_error *err)
{
	char at[TF_TIME_LEN + 1];
	struct tf_buf b = { 0 };
	enum tf_code rc;

	tf_time_text(tf_clock_now(), at);
	tf_buf_printf(&b, "%s %s\n", at, reason);
	if ((rc = tf_buf_end(&b, err)) == TF_OK)
		rc = put(dirfd, dir, "reason", tf_buf_bytes(&b), err);
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_mirror_refuse(int dirfd, const struct tf_mirror_refusal *r,
    char name[TF_MIRROR_REFUSED_NAME], struct tf_error *err)
{
	char reason[TF_MIRROR_REFUSED_NAME + 8];
	unsigned n;
	enum tf_code rc;

	name_it(r, name);
	(void)snprintf(reason, sizeof(reason), "%s/reason", name);
	if (faccessat(dirfd, reason, F_OK, 0) == 0)
		return TF_OK; /* kept before */
	if ((rc = make_directory(dirfd, DIRECTORY, err)) != TF_OK ||
	    (rc = tf_file_sync_dir(dirfd, ".", err)) != TF_OK ||
	    (rc = count(dirfd, &n, err)) != TF_OK)
		return rc;
	if (n >= TF_MIRROR_REFUSED_MAX)
		return tf_fail(err, TF_QUOTA, DIRECTORY " is full");
	if ((rc = make_directory(dirfd, name, err)) != TF_OK ||
	    (rc = tf_file_sync_dir(dirfd, DIRECTORY, err)) != TF_OK ||
	    (rc = put(dirfd, name, "source.checkpoint", r->source_head, err)) !=
		TF_OK ||
	    (rc = put(dirfd, name, "source.vkey", r->source_key, err)) !=
		TF_OK ||
	    (rc = put(dirfd, name, "mirror.checkpoint", r->mirror_head, err)) !=
		TF_OK ||
	    (rc = put(dirfd, name, "mirror.vkey", r->mirror_key, err)) !=
		TF_OK ||
	    (rc = put_proof(dirfd, name, &r->proof, err)) != TF_OK)
		return rc;
	return put_reason(dirfd, name, r->reason, err);
}
