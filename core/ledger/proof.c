/* Write and parse C2SP tlog-proof files. */
#include <string.h>

#include "../base/bytes.h"
#include "proof.h"

#define HEAD "c2sp.org/tlog-proof@v1"
#define EXTRA "extra "
#define INDEX "index "

void
tf_tlog_proof_write(struct tf_buf *out, uint64_t index,
    const struct tf_proof *path, struct tf_str extra, struct tf_str note)
{
	tf_buf_str(out, HEAD "\n");
	if (extra.p != NULL) {
		tf_buf_str(out, EXTRA);
		tf_base64(out, extra.p, extra.n);
		tf_buf_add(out, "\n", 1);
	}
	tf_buf_printf(out, INDEX "%llu\n", (unsigned long long)index);
	for (unsigned i = 0; i < path->n; i++) {
		tf_base64(out, path->h[i].b, sizeof(path->h[i].b));
		tf_buf_add(out, "\n", 1);
	}
	tf_buf_add(out, "\n", 1);
	tf_buf_add(out, note.p, note.n);
}

/* Take the next line without its LF; false when no whole line is left. */
static bool
next_line(struct tf_str *rest, struct tf_str *line)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*line = (struct tf_str){ rest->p, (size_t)(end - rest->p) };
	rest->n -= line->n + 1;
	rest->p = end + 1;
	return true;
}

static bool
begins(struct tf_str line, const char *word)
{
	return line.n >= strlen(word) &&
	    memcmp(line.p, word, strlen(word)) == 0;
}

static bool
read_hash(struct tf_str line, struct tf_hash *out)
{
	return tf_unbase64_exact(line.p, line.n, out->b, sizeof(out->b));
}

enum tf_code
tf_tlog_proof_parse(const char *text, size_t n, struct tf_tlog_proof *p,
    struct tf_error *err)
{
	struct tf_str rest = { text, n }, line;

	memset(p, 0, sizeof(*p));
	if (!next_line(&rest, &line) || line.n != strlen(HEAD) ||
	    !begins(line, HEAD))
		return tf_fail(err, TF_INVALID, "not a tlog-proof");
	if (!next_line(&rest, &line))
		return tf_fail(err, TF_INVALID, "the proof is cut");
	if (begins(line, EXTRA)) {
		if (!tf_unbase64(line.p + strlen(EXTRA), line.n - strlen(EXTRA),
			&p->extra) ||
		    !next_line(&rest, &line))
			return p->extra.failed ?
			    tf_nomem(err) :
			    tf_fail(err, TF_INVALID, "extra is malformed");
	}
	if (!begins(line, INDEX) ||
	    !tf_decimal(line.p + strlen(INDEX), line.n - strlen(INDEX),
		INT64_MAX, &p->index))
		return tf_fail(err, TF_INVALID, "index is malformed");
	for (;;) {
		if (!next_line(&rest, &line))
			return tf_fail(err, TF_INVALID, "the proof is cut");
		if (line.n == 0)
			break;
		if (p->path.n == TF_PROOF_MAX ||
		    !read_hash(line, &p->path.h[p->path.n]))
			return tf_fail(err, TF_INVALID,
			    "hash %u of the path "
			    "is malformed",
			    p->path.n);
		p->path.n++;
	}
	p->note = rest;
	return TF_OK;
}

void
tf_tlog_proof_free(struct tf_tlog_proof *p)
{
	tf_buf_free(&p->extra);
}
