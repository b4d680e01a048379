/*
 * Attestations by their id, and names by their digests, for the words of Kosli:
 * see kosli_find.h.
 *
 * The id of an attestation is the leaf hash of an entry. No index has leaf
 * hashes, so the entries are hashed, the newest first.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "find_query.h"
#include "kosli_find.h"
#include "ledger_lines.h"

/* --- names ------------------------------------------------------------------------ */

struct asked {
	kosli_find_fn fn;
	void *arg;
};

static enum tf_code
take_path(void *arg, const char *line, size_t n, const struct tf_json_doc *d,
    struct tf_error *err)
{
	const struct asked *a = arg;
	struct tf_buf path = { 0 };
	enum tf_code rc = tf_json_string(d, tf_json_get(d, 0, "path"), &path,
	    err);

	(void)line;
	(void)n;
	tf_buf_add(&path, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&path, err);
	if (rc == TF_OK)
		rc = a->fn(a->arg, path.p, err);
	tf_buf_free(&path);
	return rc;
}

enum tf_code
kosli_find(const char *vault, const char *key, const char *value,
    kosli_find_fn fn, void *arg, struct tf_error *err)
{
	struct asked a = { fn, arg };
	struct where w = { 0 };
	struct find f = { 0 };
	struct tf_buf query = { 0 };
	uint64_t all = 0;
	enum tf_code rc = where_find(vault, &w, err);

	find_add(&query, key, value);
	if (rc == TF_OK)
		rc = tf_buf_end(&query, err);
	if (rc == TF_OK)
		rc = find_open(&f, &w, NULL, err);
	if (rc == TF_OK)
		rc = find_each(&f, &query, 0, take_path, &a, &all, err);
	find_close(&f);
	tf_buf_free(&query);
	where_free(&w);
	return rc;
}

/* --- ids -------------------------------------------------------------------------- */

struct wanted {
	struct tf_hash leaf;
	struct tf_buf path; /* a string; empty: not found */
};

/* A leaf is the entry behind a zero byte: RFC 6962, 2.1. */
static void
hash_leaf(const char *line, size_t n, struct tf_hash *out, bool *ok)
{
	struct tf_sha256 *h = tf_sha256_new();

	*ok = h != NULL;
	if (h == NULL)
		return;
	tf_sha256_add(h, "", 1);
	tf_sha256_add(h, line, n);
	tf_sha256_peek(h, out);
	tf_sha256_free(h);
}

static enum tf_code
take_line(void *arg, const char *line, size_t n, struct tf_error *err)
{
	struct wanted *x = arg;
	struct tf_json_doc d = { 0 };
	struct tf_hash leaf;
	struct tf_str type;
	bool ok;
	enum tf_code rc;

	hash_leaf(line, n, &leaf, &ok);
	if (!ok)
		return tf_nomem(err);
	if (memcmp(&leaf, &x->leaf, sizeof(leaf)) != 0)
		return TF_OK;
	rc = tf_json_parse(&d, line, n, err);
	type = tf_json_text(&d, tf_json_get(&d, 0, "type"));
	if (rc == TF_OK &&
	    (tf_str_same(type, tf_str_of("\"attestation.begun\"")) ||
		tf_str_same(type, tf_str_of("\"attestation.sealed\"")) ||
		tf_str_same(type, tf_str_of("\"attestation.overridden\"")))) {
		rc = tf_json_string(&d, tf_json_get(&d, 0, "path"), &x->path,
		    err);
		tf_buf_add(&x->path, "", 1);
	}
	tf_json_doc_free(&d);
	return rc == TF_OK ? TF_NODATA : rc; /* there is no other */
}

enum tf_code
kosli_find_id(const char *vault, const char *id, struct tf_buf *path,
    struct tf_error *err)
{
	struct wanted x = { 0 };
	struct lines l;
	enum tf_code rc = lines_open(&l, vault, err);

	lines_gather(&l);
	(void)tf_unhex(id, 64, (char *)x.leaf.b, sizeof(x.leaf.b));
	if (rc == TF_OK)
		rc = lines_look(&l, err);
	if (rc == TF_OK)
		rc = lines_backward(&l, take_line, &x, err);
	if (rc == TF_OK && x.path.n == 0)
		rc = tf_fail(err, TF_NOTFOUND, "no attestation has this id");
	if (rc == TF_OK)
		rc = tf_buf_end(&x.path, err);
	if (rc == TF_OK)
		tf_buf_add(path, x.path.p, x.path.n);
	tf_buf_free(&x.path);
	lines_close(&l);
	return rc == TF_OK ? tf_buf_end(path, err) : rc;
}
