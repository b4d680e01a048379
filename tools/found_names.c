/*
 * The names that a search found: see found_names.h.
 *
 * A search may find a million names, and log compares each entry with them: so
 * they are in one buffer, sorted once.
 */
#include <stdlib.h>
#include <string.h>

#include "found_names.h"
#include "text.h"

static enum tf_code
add_name(void *arg, const char *line, size_t n, const struct tf_json_doc *d,
    struct tf_error *err)
{
	struct found_names *x = arg;
	struct tf_buf path = { 0 };
	const int t = tf_json_get(d, 0, "path");
	enum tf_code rc = TF_OK;
	size_t *more;

	(void)line, (void)n;
	if (t < 0)
		return tf_fail(err, TF_INDOUBT, "an answer has no path");
	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 64 : 2 * x->cap;
		more = reallocarray(x->at, x->cap, sizeof(*more));
		if (more == NULL)
			return tf_nomem(err);
		x->at = more;
	}
	rc = tf_json_string(d, t, &path, err);
	if (rc == TF_OK) {
		x->at[x->n++] = x->text.n;
		tf_buf_add(&x->text, path.p, path.n);
		tf_buf_add(&x->text, "", 1);
		rc = x->text.failed ? tf_nomem(err) : TF_OK;
	}
	tf_buf_free(&path);
	return rc;
}

static int
by_path(const void *a, const void *b, void *text)
{
	const char *p = text;

	return strcmp(p + *(const size_t *)a, p + *(const size_t *)b);
}

enum tf_code
found_names_ask(struct found_names *out, struct find *f,
    const struct tf_buf *query, struct tf_error *err)
{
	uint64_t all;
	enum tf_code rc = find_each(f, query, 0, add_name, out, &all, err);

	if (rc == TF_OK && out->n > 0)
		qsort_r(out->at, out->n, sizeof(*out->at), by_path,
		    out->text.p);
	return rc;
}

void
found_names_free(struct found_names *x)
{
	tf_buf_free(&x->text);
	free(x->at);
	*x = (struct found_names){ 0 };
}

static bool
has(const struct found_names *x, const char *path)
{
	size_t low = 0, high = x->n, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = strcmp(x->text.p + x->at[mid], path);
		if (c == 0)
			return true;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool
found_names_have(const struct found_names *x, const struct tf_json_doc *d)
{
	const int t = tf_json_get(d, 0, "path");
	struct tf_buf b = { 0 };
	char *slash;
	bool is = false;

	if (x->n > 0 && t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK) {
		is = has(x, text_of(&b));
		slash = b.p;
		/* trail/workflow/attestation is before the third slash. */
		for (int i = 0; slash != NULL && i < 3; i++)
			slash = strchr(slash + (i > 0), '/');
		if (!is && slash != NULL) {
			*slash = '\0';
			is = has(x, b.p);
		}
	}
	tf_buf_free(&b);
	return is;
}
