/*
 * The field `run` of verifications: see verify_run.h.  An object belongs to a part
 * by its digest, which nothing changes, so that successive parts read each old
 * object once.
 */
#include "verify_run.h"

#include <stdio.h>
#include <string.h>

#include "../base/member.h"

bool
tf_verify_is_bad(const char *verdict)
{
	return verdict[0] != '\0' && strcmp(verdict, TF_VERIFY_OK) != 0;
}

enum tf_code
tf_verify_run_text(const struct tf_verify_run *run, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_verify_scope *s = &run->scope;
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (tf_verify_is_bad(run->verdict)) {
		if (run->entries > 0)
			tf_put_uint(&j, "entries", run->entries);
		tf_put_uint(&j, "findings", run->findings);
	}
	if (s->parts > 0) {
		tf_put_uint(&j, "from", s->from);
		tf_put_uint(&j, "full", s->full);
		tf_put_uint(&j, "part", s->part);
		tf_put_uint(&j, "parts", s->parts);
	}
	tf_put_uint(&j, "seconds", run->seconds);
	tf_put_cstr(&j, "verdict",
	    run->verdict[0] == '\0' ? TF_VERIFY_OK : run->verdict);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* A word that is too long for a verdict is one that nobody knows. */
static void
take_verdict(const struct tf_json_doc *d, char out[TF_VERIFY_WORD + 1])
{
	int t = tf_json_get(d, 0, "verdict");
	struct tf_str s;

	(void)snprintf(out, TF_VERIFY_WORD + 1, "%s", TF_VERIFY_OK);
	if (t < 0 || d->tok[t].type != TF_JSON_STRING)
		return;
	s = tf_json_text(d, t);
	(void)snprintf(out, TF_VERIFY_WORD + 1, "%.*s", (int)(s.n - 2),
	    s.p + 1);
}

/* Set *out to the integer of a member; false if there is none. */
static bool
take(const struct tf_json_doc *d, const char *key, uint64_t *out)
{
	int t = tf_json_get(d, 0, key);

	if (t < 0 || d->tok[t].type != TF_JSON_INT || d->tok[t].num < 0)
		return false;
	*out = (uint64_t)d->tok[t].num;
	return true;
}

enum tf_code
tf_verify_run_read(struct tf_str text, struct tf_verify_run *out,
    struct tf_error *err)
{
	struct tf_verify_scope *s = &out->scope;
	struct tf_json_doc d = { 0 };
	unsigned n;
	bool fits;
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	if (text.p == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&d, text.p, text.n, err)) != TF_OK)
		return rc;
	(void)take(&d, "seconds", &out->seconds);
	(void)take(&d, "entries", &out->entries);
	(void)take(&d, "findings", &out->findings);
	take_verdict(&d, out->verdict);
	n = (unsigned)take(&d, "from", &s->from) +
	    (unsigned)take(&d, "full", &s->full) +
	    (unsigned)take(&d, "part", &s->part) +
	    (unsigned)take(&d, "parts", &s->parts);
	fits = n == 0 || (n == 4 && s->part < s->parts);
	tf_json_doc_free(&d);
	return fits ?
	    TF_OK :
	    tf_fail(err, TF_INVALID, "its parts do not fit each other");
}

bool
tf_verify_in_part(const struct tf_verify_scope *s, const struct tf_hash *sha256)
{
	uint32_t n = (uint32_t)sha256->b[0] << 24 |
	    (uint32_t)sha256->b[1] << 16 | (uint32_t)sha256->b[2] << 8 |
	    sha256->b[3];

	return s->parts == 0 || n % s->parts == s->part;
}
