/* The file about the forwarder: see forwarded.h. */
#include "forwarded.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../base/member.h"
#include "../base/show.h"
#include "../base/time_text.h"
#include "results.h"

#define LINE_MAX_BYTES ((size_t)4096)

enum tf_code
tf_forwarded_put(int dirfd, const struct tf_forward_state *s,
    struct tf_error *err)
{
	struct tf_buf line = { 0 }, why = { 0 };
	struct tf_json j;
	enum tf_code rc = tf_result_may_put(dirfd, err);

	if (rc != TF_OK)
		return rc;
	tf_name_show(&why, s->why, strlen(s->why));
	tf_json_begin(&j, &line);
	tf_json_object(&j);
	if (s->at.s != 0)
		tf_put_time(&j, "at", s->at);
	tf_put_uint(&j, "entries", s->entries);
	if (s->failed_at.s != 0) {
		tf_put_time(&j, "failed_at", s->failed_at);
		if (s->final)
			tf_put_bool(&j, "final", true);
		if (why.n > 0)
			tf_put_str(&j, "why", tf_buf_bytes(&why));
	}
	tf_json_object_end(&j);
	rc = why.failed ? tf_nomem(err) : tf_json_end(&j, err);
	tf_buf_add(&line, "\n", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&line, err);
	if (rc == TF_OK)
		rc = tf_file_write(dirfd, TF_FORWARDED, line.p, line.n, 0600,
		    false, err);
	tf_buf_free(&line);
	tf_buf_free(&why);
	return rc;
}

/* False: it is there, and is no time. */
static bool
take_time(const struct tf_json_doc *d, const char *key, struct tf_time *out)
{
	int t = tf_json_get(d, 0, key);
	struct tf_buf text = { 0 };
	bool ok = t < 0;

	if (t >= 0)
		ok = tf_json_string(d, t, &text, NULL) == TF_OK &&
		    tf_time_parse(text.p, text.n, out);
	tf_buf_free(&text);
	return ok;
}

/* False: this is no line of such a file. */
static bool
parse(const struct tf_json_doc *d, struct tf_forward_state *out)
{
	int entries = tf_json_get(d, 0, "entries"),
	    final = tf_json_get(d, 0, "final"), why = tf_json_get(d, 0, "why");
	struct tf_buf text = { 0 }, shown = { 0 };

	if (!take_time(d, "at", &out->at) ||
	    !take_time(d, "failed_at", &out->failed_at) || entries < 0 ||
	    d->tok[entries].type != TF_JSON_INT || d->tok[entries].num < 0)
		return false;
	out->entries = (uint64_t)d->tok[entries].num;
	out->final = final >= 0 && d->tok[final].type == TF_JSON_BOOL;
	if (why >= 0 && tf_json_string(d, why, &text, NULL) == TF_OK) {
		tf_name_show(&shown, text.p, text.n);
		if (!shown.failed)
			(void)snprintf(out->why, sizeof(out->why), "%.*s",
			    (int)shown.n, shown.p);
	}
	tf_buf_free(&text);
	tf_buf_free(&shown);
	return true;
}

enum tf_code
tf_forwarded_get(int dirfd, struct tf_forward_state *out, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf b = { 0 };
	struct tf_str line;
	enum tf_code rc = tf_file_read(dirfd, TF_FORWARDED, LINE_MAX_BYTES, &b,
	    err);

	memset(out, 0, sizeof(*out));
	line = tf_buf_bytes(&b);
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (rc == TF_TOOBIG ||
	    (rc == TF_OK &&
		(tf_json_parse(&d, line.p, line.n, NULL) != TF_OK ||
		    d.tok[0].type != TF_JSON_OBJECT || !parse(&d, out)))) {
		*out = (struct tf_forward_state){ .failed_at = { 1, 0 },
			.final = true,
			.why = "STORE/forwarded is damaged" };
		rc = TF_OK;
	}
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	return rc;
}
