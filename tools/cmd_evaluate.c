/* trailctl evaluate: judge files as the seal of an attestation would, without
 * recording anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "core/base/bytes.h"
#include "core/base/json_any.h"
#include "core/definition.h"
#include "core/evaluation.h"
#include "evidence.h"
#include "files.h"
#include "report.h"
#include "text.h"

static struct {
	const char *type, *output;
} ask;

static const struct args_option options[] = {
	{ .name = "type",
	    .letter = 't',
	    .value = "TYPE.yml|junit",
	    .help = "the definition of the type; required",
	    .text = &ask.type },
	{ .name = "output",
	    .letter = 'o',
	    .value = "table|json",
	    .closed = true,
	    .help = "json prints the report as it would be recorded",
	    .text = &ask.output },
	{ 0 },
};

/* --- the files ---------------------------------------------------------------- */

/* The files, and how many of them were offered. */
struct files {
	struct sources sources;
	size_t next;
	struct tf_type *type; /* NULL: JUnit */
	/* The name of a single file, whatever its own name is; or absent. */
	struct tf_str only;
	struct tf_buf xml;	/* of only */
	struct evidence hashed; /* what was read; not used */
	bool offered;		/* one of them can be judged */
};

static bool
is_xml(struct tf_str name)
{
	return name.n >= 4 && strncasecmp(name.p + name.n - 4, ".xml", 4) == 0;
}

static enum tf_code
next(void *arg, struct tf_judged_file *file, bool *found, struct tf_error *err)
{
	struct files *f = arg;
	struct stat st;

	*found = f->next < f->sources.n;
	if (!*found)
		return TF_OK;
	if (stat(f->sources.v[f->next].path, &st) < 0)
		return report_system(err, "%s", f->sources.v[f->next].path);
	file->path = f->only.p != NULL ? f->only :
					 tf_str_of(f->sources.v[f->next].name);
	file->size = (uint64_t)st.st_size;
	file->sha256 = NULL;
	f->next++;
	f->offered = f->offered ||
	    (f->type == NULL ?
		    is_xml(file->path) :
		    tf_str_same(file->path, tf_type_evidence(f->type)));
	return TF_OK;
}

static enum tf_code
read_last(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	struct files *f = arg;

	return evidence_read(&f->sources.v[f->next - 1], sink, &f->hashed, err);
}

/* A single file is the one that is meant. */
static enum tf_code
name_only(struct files *f, struct tf_error *err)
{
	if (f->sources.n != 1)
		return TF_OK;
	if (f->type != NULL) {
		f->only = tf_type_evidence(f->type);
	} else if (!is_xml(tf_str_of(f->sources.v[0].name))) {
		tf_buf_printf(&f->xml, "%s.xml", f->sources.v[0].name);
		f->only = tf_buf_bytes(&f->xml);
	}
	return tf_buf_end(&f->xml, err);
}

static void
files_free(struct files *f)
{
	tf_type_free(f->type);
	tf_buf_free(&f->xml);
	evidence_free(&f->hashed);
	sources_free(&f->sources);
}

/* --- the answer ----------------------------------------------------------------- */

static struct tf_str
member(const struct tf_any_doc *d, uint32_t of, const char *key)
{
	uint32_t i = of == TF_ANY_NONE ? TF_ANY_NONE :
					 tf_any_member(d, of, tf_str_of(key));
	struct tf_str none = { "", 0 };

	return i != TF_ANY_NONE &&
		(d->v[i].type == TF_ANY_STRING ||
		    d->v[i].type == TF_ANY_NUMBER_TEXT) ?
	    tf_any_text(d, i) :
	    none;
}

static void
put(const char *before, struct tf_str s)
{
	if (s.n == 0)
		return;
	fputs(before, stdout);
	text_put(stdout, s.p, s.n);
}

/* One row of the results that did not pass. */
static void
print_result(const struct tf_any_doc *d, uint32_t row)
{
	uint32_t passed = tf_any_member(d, row, tf_str_of("passed"));
	uint32_t subject = tf_any_member(d, row, tf_str_of("subject"));

	/* A subject that a requirement is not about is no fault. */
	if (passed == TF_ANY_NONE || d->v[passed].type == TF_ANY_TRUE ||
	    tf_str_same(member(d, row, "check"), tf_str_of("$applies")))
		return;
	put("  ", member(d, row, "requirement"));
	put("  ", member(d, row, "check"));
	if (subject != TF_ANY_NONE) {
		put("  ", member(d, subject, "type"));
		put(" ", member(d, subject, "id"));
	}
	put("  ", member(d, row, "cause"));
	putchar('\n');
}

/* The causes of a JUnit report, and the tests that failed. */
static void
print_cause(const struct tf_any_doc *d, uint32_t row)
{
	if (d->v[row].type == TF_ANY_STRING) {
		put("  ", tf_any_text(d, row));
	} else {
		put("  ", member(d, row, "kind"));
		put("  ", member(d, row, "suite"));
		put("  ", member(d, row, "name"));
	}
	putchar('\n');
}

static void
print_list(const struct tf_any_doc *d, const char *key,
    void (*print)(const struct tf_any_doc *, uint32_t))
{
	uint32_t list = tf_any_member(d, 0, tf_str_of(key));

	if (list == TF_ANY_NONE || d->v[list].type != TF_ANY_ARRAY)
		return;
	for (uint32_t i = list + 1; i < d->v[list].next; i = d->v[i].next)
		print(d, i);
}

static enum tf_code
print_table(const struct tf_evaluation *e, bool absent, struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	enum tf_code rc = tf_any_parse(&d, e->report.p, e->report.n, err);

	if (rc != TF_OK)
		return rc;
	puts(absent	     ? "NO EVIDENCE" :
		e->compliant ? "COMPLIANT" :
			       "NON-COMPLIANT");
	print_list(&d, "results", print_result);
	print_list(&d, "causes", print_cause);
	print_list(&d, "failed", print_cause);
	tf_any_free(&d);
	return TF_OK;
}

/* --- the verb --------------------------------------------------------------------- */

static enum tf_code
read_type(struct tf_type **out, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc;

	if (strcmp(ask.type, "junit") == 0)
		return TF_OK;
	rc = files_read(ask.type, TF_DEFINITION_MAX, &text, err);
	if (rc == TF_OK &&
	    (rc = tf_type_parse(text.p, text.n, out, &why)) != TF_OK)
		rc = tf_fail(err, rc, "%s: %s", ask.type, why.text);
	tf_buf_free(&text);
	return rc;
}

static enum tf_code
judge(int n, char **arg, struct tf_evaluation *e, bool *absent,
    struct tf_error *err)
{
	struct files f = { 0 };
	const struct tf_judged_files judged = { next, read_last, &f };
	enum tf_code rc = read_type(&f.type, err);

	if (rc == TF_OK)
		rc = sources_find(n, arg, &f.sources, err);
	if (rc == TF_OK)
		rc = name_only(&f, err);
	if (rc == TF_OK)
		rc = tf_evaluate(f.type, &judged, e, err);
	*absent = !f.offered;
	files_free(&f);
	return rc;
}

static int
run(int n, char **arg)
{
	const bool json = ask.output != NULL && strcmp(ask.output, "json") == 0;
	struct tf_evaluation e = { 0 };
	struct tf_error err = { 0 };
	int status = REPORT_DOUBT;
	bool absent = false;
	enum tf_code rc;

	if (ask.type == NULL)
		return cmd_usage(&cmd_evaluate, "--type is required");
	rc = judge(n, arg, &e, &absent, &err);
	if (rc == TF_OK) {
		status = absent ? REPORT_DOUBT :
		    e.compliant ? REPORT_OK :
				  REPORT_FINDING;
		if (json)
			printf("%.*s\n", (int)e.report.n, e.report.p);
		else
			rc = print_table(&e, absent, &err);
	}
	tf_evaluation_free(&e);
	return rc == TF_OK ? status : report(&err);
}

const struct verb cmd_evaluate = {
	.name = "evaluate",
	.summary = "judge files by a type, without recording anything",
	.usage = "[OPTION...] --type TYPE.yml|junit FILE...",
	.options = options,
	.min = 1,
	.max = VERB_ANY_NUMBER,
	.run = run,
};
