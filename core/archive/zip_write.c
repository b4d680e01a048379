/*
 * Write the archive with libzip.  Order, time, attributes and compression are
 * set explicitly, so that the same members give the same bytes.
 *
 * libzip reads members and writes the file through callbacks.  The bytes of
 * members come from the caller in pieces, and the file is written through one
 * buffer; the archive is never in memory as a whole.  An error of a callback is
 * kept in struct output, because libzip can pass on only its own codes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "../base/file.h"
#include "zip_write.h"

#define BUFFER 65536
#define DOS_DATE ((zip_uint16_t)(1 << 5 | 1)) /* 1980-01-01, the earliest */
#define LEVEL 6

/* The file that libzip writes: it seeks back to complete its headers. */
struct output {
	int fd;
	char buf[BUFFER];
	size_t n;	/* bytes in buf */
	uint64_t start; /* offset of buf in the file */
	uint64_t end;	/* size of the file */
	struct tf_error err;
};

struct writer {
	struct output out;
	tf_zip_read read;
	void *arg;
};

/* One member, read by a callback of libzip. */
struct input {
	struct writer *w;
	const struct tf_zip_member *m;
	size_t i;
	uint64_t at;
};

/* --- members -------------------------------------------------------------- */

static zip_int64_t
input_stat(const struct input *in, void *data)
{
	zip_stat_t *st = data;

	zip_stat_init(st);
	st->valid = ZIP_STAT_SIZE;
	st->size = in->m->size;
	return sizeof(*st);
}

static zip_int64_t
input_read(struct input *in, void *p, zip_uint64_t n)
{
	struct writer *w = in->w;
	size_t got = 0;

	if (w->read(w->arg, in->i, p, n, in->at, &got, &w->out.err) != TF_OK)
		return -1;
	in->at += got;
	return (zip_int64_t)got;
}

/* The commands of libzip for one member. */
static zip_int64_t
input(void *self, void *data, zip_uint64_t n, zip_source_cmd_t cmd)
{
	struct input *in = self;
	zip_error_t e;

	switch (cmd) {
	case ZIP_SOURCE_OPEN:
		in->at = 0;
		return 0;
	case ZIP_SOURCE_READ:
		return input_read(in, data, n);
	case ZIP_SOURCE_CLOSE:
	case ZIP_SOURCE_FREE:
		return 0;
	case ZIP_SOURCE_STAT:
		return input_stat(in, data);
	case ZIP_SOURCE_ERROR:
		zip_error_init(&e);
		zip_error_set(&e, ZIP_ER_READ, in->w->out.err.sys);
		return zip_error_to_data(&e, data, n);
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN,
		    ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
		    ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
	default:
		return -1;
	}
}

/* --- the file ------------------------------------------------------------- */

/* Write the buffer and move its start; the size of the file grows only here. */
static zip_int64_t
flush(struct output *o)
{
	if (o->n > 0 &&
	    tf_file_pwrite(o->fd, o->buf, o->n, o->start, &o->err) != TF_OK)
		return -1;
	o->start += o->n;
	o->n = 0;
	if (o->start > o->end)
		o->end = o->start;
	return 0;
}

static zip_int64_t
output_write(struct output *o, const char *p, zip_uint64_t n)
{
	zip_uint64_t left = n;
	size_t k;

	while (left > 0) {
		if (o->n == sizeof(o->buf) && flush(o) < 0)
			return -1;
		k = sizeof(o->buf) - o->n;
		k = k < left ? k : (size_t)left;
		memcpy(o->buf + o->n, p, k);
		o->n += k;
		p += k;
		left -= k;
	}
	return (zip_int64_t)n;
}

/* libzip goes back to complete a header after its bytes; the buffer is written
 * before, so that it always holds one run of bytes. */
static zip_int64_t
output_seek(struct output *o, void *data, zip_uint64_t n)
{
	zip_error_t e;
	zip_int64_t to;

	if (flush(o) < 0)
		return -1;
	zip_error_init(&e);
	to = zip_source_seek_compute_offset(o->start, o->end, data, n, &e);
	if (to < 0)
		return -1;
	o->start = (uint64_t)to;
	return 0;
}

/* The commands of libzip for the file.  An unfinished file is the caller's to
 * remove. */
static zip_int64_t
output(void *self, void *data, zip_uint64_t n, zip_source_cmd_t cmd)
{
	struct output *o = self;
	zip_error_t e;

	switch (cmd) {
	case ZIP_SOURCE_STAT:
		zip_stat_init(data);
		return sizeof(zip_stat_t);
	case ZIP_SOURCE_OPEN: /* libzip opens a file that it will truncate */
	case ZIP_SOURCE_CLOSE:
	case ZIP_SOURCE_BEGIN_WRITE:
	case ZIP_SOURCE_FREE:
		return 0;
	case ZIP_SOURCE_WRITE:
		return output_write(o, data, n);
	case ZIP_SOURCE_SEEK_WRITE:
		return output_seek(o, data, n);
	case ZIP_SOURCE_TELL_WRITE:
		return (zip_int64_t)(o->start + o->n);
	case ZIP_SOURCE_COMMIT_WRITE:
		return flush(o);
	case ZIP_SOURCE_ROLLBACK_WRITE:
		o->n = 0;
		return 0;
	case ZIP_SOURCE_ERROR:
		zip_error_init(&e);
		zip_error_set(&e, ZIP_ER_WRITE, o->err.sys);
		return zip_error_to_data(&e, data, n);
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(ZIP_SOURCE_STAT,
		    ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
		    ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_ERROR,
		    ZIP_SOURCE_FREE, ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_WRITE,
		    ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE,
		    ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE,
		    ZIP_SOURCE_REMOVE, ZIP_SOURCE_SUPPORTS, -1);
	default:
		return -1; /* libzip never reads the file that it writes */
	}
}

/* --- the archive ---------------------------------------------------------- */

/* Names of ASCII do not say that they are UTF-8.  libzip before 1.10 leaves that
 * out by itself. */
static zip_flags_t
encoding(const char *name)
{
	for (; *name != '\0'; name++)
		if ((unsigned char)*name >= 0x80)
			return ZIP_FL_ENC_UTF_8;
	return ZIP_FL_ENC_GUESS;
}

static bool
add(struct writer *w, zip_t *z, struct input *in)
{
	const struct tf_zip_member *m = in->m;
	zip_uint32_t mode = S_IFREG | (m->executable ? 0755 : 0644);
	zip_source_t *s = zip_source_function(z, input, in);
	zip_int64_t i;

	(void)w;
	if (s == NULL)
		return false;
	if ((i = zip_file_add(z, m->name, s, encoding(m->name))) < 0) {
		zip_source_free(s);
		return false;
	}
	return zip_file_set_dostime(z, (zip_uint64_t)i, 0, DOS_DATE, 0) == 0 &&
	    zip_file_set_external_attributes(z, (zip_uint64_t)i, 0,
		ZIP_OPSYS_UNIX, mode << 16) == 0 &&
	    zip_set_file_compression(z, (zip_uint64_t)i,
		m->deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
		m->deflate ? LEVEL : 0) == 0;
}

static enum tf_code
failed(const struct writer *w, zip_t *z, const char *what, struct tf_error *err)
{
	/* Our own error has more detail than that of libzip. */
	if (w->out.err.code != TF_OK) {
		if (err != NULL)
			*err = w->out.err;
		return w->out.err.code;
	}
	return tf_fail(err, TF_IO, "%s: %s", what, zip_strerror(z));
}

enum tf_code
tf_zip_write(int fd, const struct tf_zip_member *(*member)(void *arg, size_t i),
    size_t n, tf_zip_read read, void *arg, struct tf_error *err)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct input *in = calloc(n + 1, sizeof(*in));
	zip_source_t *s = NULL;
	zip_error_t e;
	zip_t *z = NULL;
	enum tf_code rc = TF_OK;

	zip_error_init(&e);
	if (w == NULL || in == NULL) {
		rc = tf_nomem(err);
		goto out;
	}
	w->out.fd = fd;
	w->read = read;
	w->arg = arg;
	if ((s = zip_source_function_create(output, &w->out, &e)) == NULL ||
	    (z = zip_open_from_source(s, ZIP_CREATE | ZIP_TRUNCATE, &e)) ==
		NULL) {
		zip_source_free(s);
		rc = tf_fail(err, TF_NOMEM, "zip: %s", zip_error_strerror(&e));
		goto out;
	}
	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		in[i] = (struct input){ .w = w, .m = member(arg, i), .i = i };
		if (!add(w, z, &in[i]))
			rc = failed(w, z, in[i].m->name, err);
	}
	if (rc == TF_OK && zip_close(z) == 0)
		z = NULL;
	else if (rc == TF_OK)
		rc = failed(w, z, "write the package", err);
	if (z != NULL)
		zip_discard(z);
out:
	zip_error_fini(&e);
	free(w);
	free(in);
	return rc;
}
