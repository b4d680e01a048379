/* The paths of the evidence with a digest, for by-sha256. */
#include <inttypes.h>
#include <string.h>

#include "../find.h"
#include "../json.h"

#define HEX_LEN 64

/* Append the path of one line of an answer, and a LF; *index is its index. */
static enum tf_code
add_path(struct tf_str line, struct tf_buf *out, int64_t *index,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf path = { 0 };
	int i, p = -1;
	enum tf_code rc = tf_json_parse(&d, line.p, line.n, err);

	if (rc == TF_OK &&
	    ((i = tf_json_get(&d, 0, "index")) < 0 ||
		(p = tf_json_get(&d, 0, "path")) < 0))
		rc = tf_fail(err, TF_INVALID, "an answer without a path");
	if (rc == TF_OK) {
		*index = d.tok[i].num;
		rc = tf_json_string(&d, p, &path, err);
	}
	if (rc == TF_OK) {
		tf_buf_add(out, path.p, path.n);
		tf_buf_add(out, "\n", 1);
	}
	tf_buf_free(&path);
	tf_json_doc_free(&d);
	return rc;
}

/* Append the paths of an answer.  *lines is their number. */
static enum tf_code
add_paths(const struct tf_buf *answer, struct tf_buf *out, size_t *lines,
    int64_t *index, struct tf_error *err)
{
	const char *p = answer->p, *end;
	enum tf_code rc = TF_OK;

	*lines = 0;
	while (rc == TF_OK && p != NULL && p < answer->p + answer->n) {
		end = memchr(p, '\n', (size_t)(answer->p + answer->n - p));
		if (end == NULL)
			end = answer->p + answer->n;
		rc = add_path((struct tf_str){ p, (size_t)(end - p) }, out,
		    index, err);
		++*lines;
		p = end + 1;
	}
	return rc;
}

enum tf_code
tf_find_paths(struct tf_vault *v, const char *hex, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf query = { 0 }, answer = { 0 };
	size_t lines = TF_FIND_LIMIT_MAX;
	int64_t index = INT64_MAX;
	enum tf_code rc = TF_OK;

	if (strlen(hex) != HEX_LEN ||
	    strspn(hex, "0123456789abcdef") != HEX_LEN)
		return tf_fail(err, TF_NOTFOUND, "it is no digest");
	for (int n = 0; rc == TF_OK && lines == TF_FIND_LIMIT_MAX &&
	     n < TF_FIND_PATHS_MAX / TF_FIND_LIMIT_MAX;
	     n++) {
		query.n = answer.n = 0;
		tf_buf_printf(&query, "sha256=%s&limit=%d", hex,
		    TF_FIND_LIMIT_MAX);
		if (n > 0)
			tf_buf_printf(&query, "&before=%" PRId64, index);
		if ((rc = tf_buf_end(&query, err)) == TF_OK)
			rc = tf_find(v, query.p, who, &answer, err);
		if (rc == TF_OK)
			rc = add_paths(&answer, out, &lines, &index, err);
	}
	tf_buf_free(&query);
	tf_buf_free(&answer);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}
