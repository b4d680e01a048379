/* The files of the last results: see results.h. */
#include "results.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "store_files.h"

#define RESULT_MAX ((size_t)1024)

enum tf_code
tf_result_may_put(int dirfd, struct tf_error *err)
{
	if (faccessat(dirfd, TF_MIRROR_MARK, F_OK, 0) < 0 &&
	    faccessat(dirfd, TF_BACKUP_MARK, F_OK, 0) < 0)
		return TF_OK;
	errno = 0;
	return tf_fail(err, TF_READONLY,
	    "it is a mirror or a backup, and records nothing itself");
}

enum tf_code
tf_result_put(int dirfd, const char *file, const struct tf_result *r,
    struct tf_error *err)
{
	struct tf_buf line = { 0 };
	struct tf_json j;
	enum tf_code rc = tf_result_may_put(dirfd, err);

	if (rc != TF_OK)
		return rc;
	tf_json_begin(&j, &line);
	tf_json_object(&j);
	tf_put_time(&j, "at", r->at);
	tf_put_uint(&j, "entries", r->entries);
	tf_put_uint(&j, "findings", r->findings);
	tf_put_cstr(&j, "verdict", r->verdict);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_add(&line, "\n", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&line, err);
	if (rc == TF_OK)
		rc = tf_file_write(dirfd, file, line.p, line.n, 0600, false,
		    err);
	tf_buf_free(&line);
	return rc;
}

static void
take_number(const struct tf_json_doc *d, const char *key, uint64_t *out)
{
	int t = tf_json_get(d, 0, key);

	if (t >= 0 && d->tok[t].type == TF_JSON_INT && d->tok[t].num >= 0)
		*out = (uint64_t)d->tok[t].num;
}

static void
take_text(const struct tf_json_doc *d, const char *key, struct tf_buf *out)
{
	int t = tf_json_get(d, 0, key);

	out->n = 0;
	if (t >= 0 && tf_json_string(d, t, out, NULL) != TF_OK)
		out->n = 0;
}

static void
parse(struct tf_str line, struct tf_result *out)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf text = { 0 };

	if (tf_json_parse(&d, line.p, line.n, NULL) == TF_OK) {
		take_number(&d, "entries", &out->entries);
		take_number(&d, "findings", &out->findings);
		take_text(&d, "at", &text);
		if (!tf_time_parse(text.p, text.n, &out->at))
			out->at = (struct tf_time){ 0, 0 };
		take_text(&d, "verdict", &text);
		if (text.n > 0 && text.n <= TF_VERIFY_WORD)
			(void)snprintf(out->verdict, sizeof(out->verdict),
			    "%.*s", (int)text.n, text.p);
	}
	tf_json_doc_free(&d);
	tf_buf_free(&text);
}

enum tf_code
tf_result_get(int dirfd, const char *file, struct tf_result *out,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_str line;
	enum tf_code rc = tf_file_read(dirfd, file, RESULT_MAX, &b, err);

	memset(out, 0, sizeof(*out));
	(void)snprintf(out->verdict, sizeof(out->verdict), "unknown");
	line = tf_buf_bytes(&b);
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (rc == TF_OK)
		parse(line, out);
	tf_buf_free(&b);
	return rc == TF_TOOBIG ? TF_OK : rc;
}

enum tf_code
tf_result_remove(int dirfd, const char *file, struct tf_error *err)
{
	if (unlinkat(dirfd, file, 0) < 0)
		return errno == ENOENT ? TF_OK :
					 tf_fail(err, TF_IO, "remove %s", file);
	return tf_file_sync_dir(dirfd, ".", err);
}
