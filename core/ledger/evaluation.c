/* The entry point of judgements: see evaluation.h. */
#include "../evaluation.h"

#include <string.h>
#include <strings.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/json_any.h"
#include "../base/json_any_write.h"
#include "../base/member.h"
#include "checks.h"
#include "junit.h"

void
tf_evaluation_free(struct tf_evaluation *e)
{
	tf_buf_free(&e->counts);
	tf_buf_free(&e->report);
	*e = (struct tf_evaluation){ 0 };
}

/* --- by a type ---------------------------------------------------------- */

/* The bytes of a file, and one more if it is too long. */
static enum tf_code
keep(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct tf_buf *b = arg;
	size_t room = TF_ANY_BYTES + 1 - b->n;

	tf_buf_add(b, p, n < room ? n : room);
	return tf_buf_end(b, err);
}

/* Find the file that type t is about; f->path.p stays NULL without. */
static enum tf_code
find_file(const struct tf_type *t, const struct tf_judged_files *files,
    struct tf_judged_file *f, struct tf_error *err)
{
	bool found;
	enum tf_code rc;

	for (;;) {
		*f = (struct tf_judged_file){ 0 };
		rc = files->next(files->arg, f, &found, err);
		if (rc == TF_OK && !found)
			f->path.p = NULL;
		if (rc != TF_OK || !found || tf_str_same(f->path, t->evidence))
			return rc;
	}
}

static enum tf_code
evaluate_type(const struct tf_type *t, const struct tf_judged_files *files,
    struct tf_evaluation *out, struct tf_error *err)
{
	static const struct tf_str none = { NULL, 0 };
	struct tf_buf bytes = { 0 };
	const struct tf_sink sink = { keep, &bytes };
	struct tf_judged_file f;
	enum tf_code rc = find_file(t, files, &f, err);

	if (rc == TF_OK && f.path.p == NULL)
		return tf_checks_evaluate(t, none, "there is no such file",
		    true, out, err);
	if (rc == TF_OK && f.size <= TF_ANY_BYTES)
		rc = files->read(files->arg, &sink, err);
	if (rc == TF_OK)
		rc = f.size > TF_ANY_BYTES || bytes.n > TF_ANY_BYTES ?
		    tf_checks_evaluate(t, none, "longer than 16 MiB", false,
			out, err) :
		    tf_checks_evaluate(t, tf_buf_bytes(&bytes), NULL, false,
			out, err);
	tf_buf_free(&bytes);
	return rc;
}

/* --- JUnit -------------------------------------------------------------- */

static enum tf_code
pass_bytes(void *arg, const void *p, size_t n, struct tf_error *err)
{
	return tf_junit_feed(arg, p, n, err);
}

static bool
is_xml(struct tf_str path)
{
	return path.n >= 4 && strncasecmp(path.p + path.n - 4, ".xml", 4) == 0;
}

static enum tf_code
judge_files(struct tf_junit *j, const struct tf_judged_files *files,
    struct tf_error *err)
{
	const struct tf_sink sink = { pass_bytes, j };
	struct tf_judged_file f = { 0 };
	bool found, read;
	enum tf_code rc;

	while ((rc = files->next(files->arg, &f, &found, err)) == TF_OK &&
	    found) {
		if (!is_xml(f.path))
			continue;
		rc = tf_junit_begin(j, &f, &read, err);
		if (rc == TF_OK && read)
			rc = files->read(files->arg, &sink, err);
		if (rc == TF_OK)
			rc = tf_junit_end(j, err);
		if (rc != TF_OK)
			break;
	}
	return rc;
}

static enum tf_code
evaluate_junit(const struct tf_judged_files *files, struct tf_evaluation *out,
    struct tf_error *err)
{
	struct tf_junit *j;
	enum tf_code rc = tf_junit_new(&j, err);

	if (rc == TF_OK)
		rc = judge_files(j, files, err);
	if (rc == TF_OK)
		rc = tf_junit_report(j, out, err);
	tf_junit_free(j);
	return rc;
}

enum tf_code
tf_evaluate(const struct tf_type *t, const struct tf_judged_files *files,
    struct tf_evaluation *out, struct tf_error *err)
{
	*out = (struct tf_evaluation){ 0 };
	return t != NULL ? evaluate_type(t, files, out, err) :
			   evaluate_junit(files, out, err);
}

enum tf_code
tf_evaluation_field(const struct tf_evaluation *e, const char *definition,
    uint64_t version, struct tf_buf *out, struct tf_hash *sha256,
    struct tf_error *err)
{
	struct tf_json j;

	tf_sha256(tf_buf_bytes(&e->report).p, e->report.n, sha256);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_bool(&j, "compliant", e->compliant);
	tf_put_raw(&j, "counts", tf_buf_bytes(&e->counts));
	if (definition != NULL) {
		tf_json_key(&j, "definition");
		tf_json_object(&j);
		tf_put_cstr(&j, "name", definition);
		tf_put_uint(&j, "version", version);
		tf_json_object_end(&j);
	}
	tf_json_key(&j, "report");
	tf_json_object(&j);
	tf_put_hash(&j, "sha256", sha256);
	tf_put_uint(&j, "size", e->report.n);
	tf_json_object_end(&j);
	tf_put_cstr(&j, "rule", e->rule);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

enum tf_code
tf_evaluate_refused(bool junit, const char *why, struct tf_evaluation *out,
    struct tf_error *err)
{
	struct tf_json j;
	enum tf_code rc;

	*out = (struct tf_evaluation){ .rule = junit ? "junit" : "checks" };
	tf_json_begin(&j, &out->counts);
	tf_json_object(&j);
	tf_put_uint(&j, junit ? "errors" : "failed", 1);
	tf_put_uint(&j, junit ? "failures" : "passed", 0);
	tf_put_uint(&j, junit ? "skipped" : "requirements", 0);
	tf_put_uint(&j, junit ? "tests" : "satisfied", 0);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	if (rc != TF_OK)
		return rc;
	tf_buf_str(&out->report, "{\"causes\":[");
	tf_any_put_string(&out->report, tf_str_of(why));
	tf_buf_str(&out->report, "],\"compliant\":false,\"version\":1}");
	return tf_buf_end(&out->report, err);
}
