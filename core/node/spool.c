/* Spools: text that may be too long for memory.  See page.h and spool.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../page.h"
#include "spool.h"
#include "vault_i.h"

#define NO_NODE (1ull << 62) /* all node ids are lower */
#define SHORT 65536	     /* bytes; a longer text goes to a file */

struct tf_spool {
	struct tf_vault *v;
	struct tf_sink sink;
	struct tf_buf text; /* the whole text, while it has no file */
	int fd;		    /* the file, while it is written; else -1 */
	char name[32];	    /* in stage/; "": the file has no name */
	uint64_t size;
};

enum tf_code
tf_spool_scratch(struct tf_vault *v, int *fd, struct tf_error *err)
{
	return tf_file_scratch(v->read_only ? -1 : v->stagefd, fd, err);
}

/* Create a file for s.  It has a name in stage/, so that a reader needs no
 * descriptor of the daemon between two reads; recovery removes the file if a
 * crash leaves it. */
static enum tf_code
make_file(struct tf_spool *s, struct tf_error *err)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
	static atomic_ullong made;

	if (s->v->read_only)
		return tf_spool_scratch(s->v, &s->fd, err);
	do {
		(void)snprintf(s->name, sizeof(s->name), "%llu.new",
		    NO_NODE + atomic_fetch_add(&made, 1));
		s->fd = openat(s->v->stagefd, s->name, flags, 0600);
	} while (s->fd < 0 && errno == EEXIST);
	if (s->fd >= 0)
		return TF_OK;
	s->name[0] = '\0';
	return tf_fail(err, TF_IO, "make a temporary file");
}

/* Move the text from memory to a file. */
static enum tf_code
spool(struct tf_spool *s, struct tf_error *err)
{
	enum tf_code rc = make_file(s, err);

	if (rc == TF_OK)
		rc = tf_file_pwrite(s->fd, s->text.p, s->text.n, 0, err);
	tf_buf_free(&s->text);
	return rc;
}

static enum tf_code
take(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct tf_spool *s = arg;
	enum tf_code rc = TF_OK;

	if (s->fd < 0 && s->size + n > SHORT)
		rc = spool(s, err);
	if (rc == TF_OK && s->fd >= 0)
		rc = tf_file_pwrite(s->fd, p, n, s->size, err);
	else if (rc == TF_OK)
		tf_buf_add(&s->text, p, n);
	s->size += n;
	if (rc == TF_OK && s->text.failed)
		rc = tf_nomem(err);
	return rc;
}

enum tf_code
tf_spool_new(struct tf_vault *v, struct tf_spool **out, struct tf_error *err)
{
	struct tf_spool *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return tf_nomem(err);
	s->v = v;
	s->fd = -1;
	s->sink = (struct tf_sink){ take, s };
	*out = s;
	return TF_OK;
}

enum tf_code
tf_spool_file(struct tf_vault *v, struct tf_spool **out, int *fd,
    struct tf_error *err)
{
	struct tf_spool *s = NULL;
	enum tf_code rc = tf_spool_new(v, &s, err);

	if (rc == TF_OK && (rc = make_file(s, err)) != TF_OK) {
		tf_spool_free(s);
		return rc;
	}
	if (rc == TF_OK) {
		*fd = s->fd;
		*out = s;
	}
	return rc;
}

enum tf_code
tf_spool_filled(struct tf_spool *s, struct tf_error *err)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return tf_fail(err, TF_IO, "stat a temporary file");
	s->size = (uint64_t)st.st_size;
	tf_spool_done(s);
	return TF_OK;
}

void
tf_spool_done(struct tf_spool *s)
{
	if (s->fd < 0 || s->name[0] == '\0')
		return;
	(void)close(s->fd);
	s->fd = -1;
}

void
tf_spool_free(struct tf_spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->name[0] != '\0')
		(void)unlinkat(s->v->stagefd, s->name, 0);
	tf_buf_free(&s->text);
	free(s);
}

const struct tf_sink *
tf_spool_sink(struct tf_spool *s)
{
	return &s->sink;
}

uint64_t
tf_spool_size(const struct tf_spool *s)
{
	return s->size;
}

size_t
tf_spool_in_memory(const struct tf_spool *s)
{
	return s->text.n;
}

enum tf_code
tf_spool_read(const struct tf_spool *s, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	*got = 0;
	if (off >= s->size)
		return TF_OK;
	if (s->fd >= 0)
		return tf_file_pread(s->fd, p, n, off, got, err);
	if (s->name[0] != '\0') {
		fd = openat(s->v->stagefd, s->name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return tf_fail(err, TF_IO, "open a temporary file");
		rc = tf_file_pread(fd, p, n, off, got, err);
		(void)close(fd);
		return rc;
	}
	*got = n < s->text.n - off ? n : s->text.n - (size_t)off;
	memcpy(p, s->text.p + off, *got);
	return TF_OK;
}
