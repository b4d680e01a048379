/*
 * The lines of SHA256SUMS, and the digest over them.
 *
 * The digest is computed line by line, so that 100,000 files need no text in
 * memory.  It is the digest that sha256sum(1) of the file SHA256SUMS would
 * give.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "sums.h"

void
tf_sums_line(struct tf_buf *out, const struct tf_hash *h, const char *name,
    size_t n)
{
	bool escape = n > 0 && memchr(name, '\\', n) != NULL;
	char hex[2 * sizeof(h->b) + 1];

	tf_hex(h->b, sizeof(h->b), hex);
	tf_buf_str(out, escape ? "\\" : "");
	tf_buf_str(out, hex);
	tf_buf_str(out, "  ");
	for (size_t i = 0; i < n; i++)
		tf_buf_add(out, name[i] == '\\' ? "\\\\" : &name[i],
		    name[i] == '\\' ? 2 : 1);
	tf_buf_str(out, "\n");
}
struct tf_summer {
	struct tf_sha256 *h;
	struct tf_buf line, last; /* last: the previous name */
	uint64_t count, bytes;
};

struct tf_summer *
tf_summer_new(void)
{
	struct tf_summer *s = calloc(1, sizeof(*s));

	if (s != NULL && (s->h = tf_sha256_new()) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

enum tf_code
tf_summer_add(struct tf_summer *s, const struct tf_subject_file *f,
    struct tf_error *err)
{
	struct tf_str last;

	if (s == NULL)
		return tf_nomem(err);
	last = (struct tf_str){ s->last.p, s->last.n };
	if (s->count > 0 && tf_str_cmp(last, f->name) >= 0)
		return tf_fail(err, TF_INVALID, "sums: names not sorted");
	if (f->size > (uint64_t)TF_JSON_MAX - s->bytes)
		return tf_fail(err, TF_TOOBIG, "sums: too many bytes");
	s->bytes += f->size;
	s->count++;
	s->line.n = s->last.n = 0;
	tf_sums_line(&s->line, &f->sha256, f->name.p, f->name.n);
	tf_buf_add(&s->last, f->name.p, f->name.n);
	if (s->line.failed || s->last.failed)
		return tf_nomem(err);
	tf_sha256_add(s->h, s->line.p, s->line.n);
	return TF_OK;
}

enum tf_code
tf_summer_end(struct tf_summer *s, struct tf_sums *out, struct tf_error *err)
{
	if (s == NULL)
		return tf_nomem(err);
	out->count = s->count;
	out->bytes = s->bytes;
	tf_sha256_peek(s->h, &out->sums);
	tf_summer_free(s);
	return TF_OK;
}

void
tf_summer_free(struct tf_summer *s)
{
	if (s == NULL)
		return;
	tf_sha256_free(s->h);
	tf_buf_free(&s->line);
	tf_buf_free(&s->last);
	free(s);
}

enum tf_code
tf_sums(const struct tf_subject_file *files, size_t n, struct tf_sums *out,
    struct tf_error *err)
{
	struct tf_summer *s = tf_summer_new();
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < n; i++)
		rc = tf_summer_add(s, &files[i], err);
	if (rc == TF_OK)
		return tf_summer_end(s, out, err);
	tf_summer_free(s);
	return rc;
}
