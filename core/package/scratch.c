/* Collects texts of a package in a file without a name.  The file vanishes with
 * the process, so a package that was given up leaves nothing to clean.  On the
 * disk of the store each write first asks for space: a package must never take
 * what a seal needs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "../buffer.h"
#include "../node/quota.h"
#include "../node/spool.h"
#include "../node/vault_i.h"
#include "scratch.h"

#define CHUNK 65536 /* bytes */

enum tf_code
tf_scratch_space(struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	return v->read_only ? TF_OK : tf_space_spool(v, n, err);
}

enum tf_code
tf_scratch_open(struct tf_scratch *s, struct tf_vault *v, const char *dir,
    struct tf_error *err)
{
	char name[PATH_MAX];

	if (dir == NULL) {
		s->v = v;
		return tf_spool_scratch(v, &s->fd, err);
	}
	s->fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return TF_OK;
	/* Some file systems do not support O_TMPFILE. */
	(void)snprintf(name, sizeof(name), "%s/.package.XXXXXX", dir);
	if ((s->fd = mkostemp(name, O_CLOEXEC)) < 0)
		return tf_fail(err, TF_IO, "%.100s: %s", dir, strerror(errno));
	(void)unlink(name);
	return TF_OK;
}

enum tf_code
tf_scratch_flush(struct tf_scratch *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (s->buf.failed)
		return tf_nomem(err);
	if (s->v != NULL)
		rc = tf_scratch_space(s->v, s->buf.n, err);
	if (rc == TF_OK)
		rc = tf_file_pwrite(s->fd, s->buf.p, s->buf.n,
		    s->end - s->buf.n, err);
	s->buf.n = 0;
	return rc;
}

enum tf_code
tf_scratch_add(struct tf_scratch *s, const void *p, size_t n,
    struct tf_error *err)
{
	tf_buf_add(&s->buf, p, n);
	s->end += n;
	return s->buf.failed || s->buf.n >= CHUNK ? tf_scratch_flush(s, err) :
						    TF_OK;
}

void
tf_scratch_close(struct tf_scratch *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	tf_buf_free(&s->buf);
}
