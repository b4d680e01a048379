/* JUnit reports, and the entry point of judgements. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/crypto.h"
#include "../../core/base/json_any.h"
#include "../../core/evaluation.h"
#include "../../core/ledger/junit.h"
#include "vectors.h"

/* Files in memory. */
struct file {
	const char *path, *p;
	size_t n;
	enum tf_code rc; /* of reading it */
};

struct files {
	const struct file *f;
	size_t n, next, piece;
	unsigned reads;
	const uint64_t *sizes;	      /* that they are said to have, or NULL */
	const struct tf_hash *sha256; /* of each, or NULL */
};

static enum tf_code
next_file(void *arg, struct tf_judged_file *f, bool *found,
    struct tf_error *err)
{
	struct files *x = arg;

	(void)err;
	*found = x->next < x->n;
	if (*found) {
		f->path = tf_str_of(x->f[x->next].path);
		f->size = x->sizes != NULL ? x->sizes[x->next] :
					     x->f[x->next].n;
		f->sha256 = x->sha256;
		x->next++;
	}
	return TF_OK;
}

static enum tf_code
read_file(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	struct files *x = arg;
	const struct file *f = &x->f[x->next - 1];

	x->reads++;
	for (size_t at = 0, n; at < f->n; at += n) {
		char *exact;
		enum tf_code rc;

		n = f->n - at < x->piece ? f->n - at : x->piece;
		exact = malloc(n);
		memcpy(exact, f->p + at, n);
		rc = sink->put(sink->arg, exact, n, err);
		free(exact);
		if (rc != TF_OK)
			return rc;
	}
	return f->rc;
}

static enum tf_code
evaluate_files(const struct tf_type *t, struct files *x,
    struct tf_evaluation *e)
{
	const struct tf_judged_files files = { next_file, read_file, x };
	enum tf_code rc = tf_evaluate(t, &files, e, NULL);

	if (rc == TF_OK)
		tf_buf_add(&e->report, "", 1);
	return rc;
}

static enum tf_code
try_files(const struct tf_type *t, const struct file *f, size_t n, size_t piece,
    struct tf_evaluation *e)
{
	struct files x = { .f = f, .n = n, .piece = piece };

	return evaluate_files(t, &x, e);
}

static struct tf_evaluation
evaluate(const char *p, size_t n, size_t piece)
{
	const struct file f = { "r.xml", p, n, TF_OK };
	struct tf_evaluation e;

	ck_assert_int_eq(TF_OK, try_files(NULL, &f, 1, piece, &e));
	return e;
}

static bool
says(const struct tf_evaluation *e, const char *text)
{
	return strstr(e->report.p, text) != NULL;
}

/* A report, its tests, failures, errors and skipped, and a part of the
 * report. */
static const struct {
	const char *xml;
	unsigned tests, failures, errors, skipped;
	bool compliant;
	const char *says;
} table[] = {
#define OK1 "<testcase classname='c' name='ok'/>"
#define BAD \
	"<testcase classname='c' name='bad'><failure message='m'>t</failure></testcase>"
#define ERR "<testcase name='err'><error/></testcase>"
#define SKIP "<testcase name='s'><skipped/></testcase>"
	{ "<testsuite name='s'>" OK1 "</testsuite>", 1, 0, 0, 0, true,
	    "{\"errors\":0,\"failures\":0,\"file\":\"r.xml\",\"name\":\"s\","
	    "\"skipped\":0,\"total\":1}" },
	{ "<testsuites><testsuite>" OK1 "</testsuite></testsuites>", 1, 0, 0, 0,
	    true, "\"name\":\"\"" },
	{ "<testsuite>" OK1 BAD "</testsuite>", 2, 1, 0, 0, false,
	    "{\"kind\":\"failure\",\"name\":\"c.bad\",\"suite\":\"\"}" },
	{ "<testsuite>" OK1 ERR SKIP "</testsuite>", 3, 0, 1, 1, false,
	    "[\"1 error\"]" },
	{ "<testsuite>" BAD BAD ERR "</testsuite>", 3, 2, 1, 0, false,
	    "[\"2 failures\",\"1 error\"]" },
	/* One testcase counts once, whatever it holds. */
	{ "<testsuite><testcase><failure/><failure/></testcase></testsuite>", 1,
	    1, 0, 0, false, "1 failure" },
	{ "<testsuite><testcase><failure/><error/></testcase></testsuite>", 1,
	    1, 1, 0, false, "1 error" },
	/* Surefire: reruns and flakes are not failures, what is inside output
	 * neither. */
	{ "<testsuite><testcase><flakyFailure/><system-out>x</system-out>"
	  "</testcase></testsuite>",
	    1, 0, 0, 0, true, "" },
	{ "<testsuite><testcase><failure/><rerunFailure/></testcase>"
	  "</testsuite>",
	    1, 1, 0, 0, false, "" },
	{ "<testsuite><properties><property><failure/></property></properties>"
	  "<testcase><x><failure/></x></testcase></testsuite>",
	    1, 0, 0, 0, true, "" },
	/* The worse count of attributes and children. */
	{ "<testsuite tests='5' failures='2' errors='1' skipped='1'>" OK1
	  "</testsuite>",
	    5, 2, 1, 1, false, "2 failures" },
	{ "<testsuite tests='1' failures='0'>" OK1 BAD "</testsuite>", 2, 1, 0,
	    0, false, "1 failure" },
	{ "<testsuites failures='1'><testsuite>" OK1
	  "</testsuite></testsuites>",
	    1, 1, 0, 0, false, "1 failure" },
	{ "<testsuites tests='2'><testsuite tests='1'>" OK1 "</testsuite>"
	  "<testsuite tests='1'>" OK1 "</testsuite></testsuites>",
	    2, 0, 0, 0, true, "" },
	{ "<testsuite skips='2' tests='3'>" OK1 "</testsuite>", 3, 0, 0, 2,
	    true, "" },
	/* A suite that could not even start. */
	{ "<testsuite>" OK1 "<error/></testsuite>", 1, 0, 1, 0, false, "" },
	{ "<testsuite>" OK1 "<failure/></testsuite>", 1, 1, 0, 0, false, "" },
	/* Nested suites: an outer one may state the sum or only its own. */
	{ "<testsuite tests='2' name='o'><testsuite tests='1'>" OK1
	  "</testsuite><testsuite tests='1'>" OK1 "</testsuite></testsuite>",
	    2, 0, 0, 0, true, "\"name\":\"o\",\"skipped\":0,\"total\":2}]" },
	{ "<testsuites><testsuite name='o'>" OK1 "<testsuite failures='3'>" BAD
	  "</testsuite></testsuite></testsuites>",
	    2, 3, 0, 0, false, "3 failures" },
	{ "<testsuites>" OK1 "</testsuites>", 1, 0, 0, 0, true,
	    "\"junit_results\":[]" },
	/* googletest. */
	{ "<?xml version='1.0' encoding='UTF-8'?>\n<testsuites tests='2' "
	  "failures='0' disabled='1' errors='0' time='0.001' "
	  "timestamp='2026-11-23T07:50:00.123' name='AllTests'><testsuite "
	  "name='T' tests='2' failures='0' disabled='1' skipped='0' errors='0' "
	  "time='0.001' timestamp='2026-11-23T07:50:00.123'><testcase name='A' "
	  "file='a.cc' line='3' status='run' result='completed' time='0.' "
	  "classname='T'/><testcase name='B' status='notrun' "
	  "result='suppressed' classname='T'/></testsuite></testsuites>",
	    2, 0, 0, 1, true,
	    "{\"duration\":0.001,\"errors\":0,\"failures\":0,\"file\":"
	    "\"r.xml\",\"name\":\"T\",\"skipped\":1,\"timestamp\":"
	    "\"2026-11-23T07:50:00.123\",\"total\":2}" },
	/* A duration that is no number of JSON is left out. */
	{ "<testsuite time='1,234.5'>" OK1 "</testsuite>", 1, 0, 0, 0, true,
	    "[{\"errors\":0" },
	/* Characters. */
	{ "<?xml version='1.0' encoding='ISO-8859-1'?><testsuite "
	  "name='\xe9&amp;&#x20ac;'>" OK1 "</testsuite>",
	    1, 0, 0, 0, true, "\"name\":\"\xc3\xa9&\xe2\x82\xac\"" },
	{ "\xef\xbb\xbf<testsuite>" OK1 "</testsuite>", 1, 0, 0, 0, true, "" },
	{ "<testsuite><![CDATA[</testsuite>]]><!-- <failure/> -->" OK1
	  "<?p <failure/>?></testsuite>\n",
	    1, 0, 0, 0, true, "" },
	/* No test ran. */
	{ "<testsuite/>", 0, 0, 0, 0, false, "no test ran" },
	{ "<testsuites/>", 0, 0, 0, 0, false, "no test ran" },
	{ "<testsuite tests='7'/>", 7, 0, 0, 0, false, "no test ran" },
	{ "<testsuite>" SKIP SKIP "</testsuite>", 2, 0, 0, 2, false,
	    "no test ran" },
	{ "<testsuite><testcase status='notrun'/></testsuite>", 1, 0, 0, 1,
	    false, "no test ran" },
	/* Not a report. */
	{ "", 0, 0, 0, 0, false, "r.xml: line 1, column 1: not well-formed" },
	{ "<html/>", 0, 0, 0, 0, false,
	    "r.xml: line 1, column 1: the root is neither" },
	{ "<testcase name='a'/>", 0, 0, 0, 0, false, "the root is neither" },
	{ "<testsuite>" OK1, 1, 0, 0, 0, false, "not well-formed" },
	{ "<testsuite>" OK1 "</testsuites>", 1, 0, 0, 0, false,
	    "not well-formed" },
	{ "<testsuite>" OK1 "</testsuite><testsuite/>", 1, 0, 0, 0, false,
	    "not well-formed" },
	{ "<testsuite>\n" OK1 "<a b=1/></testsuite>", 1, 0, 0, 0, false,
	    "r.xml: line 2, column 41: not well-formed" },
	{ "<testsuite name='\xff'/>", 0, 0, 0, 0, false, "not well-formed" },
	{ "<testsuite>" OK1 "\xc0\xaf</testsuite>", 1, 0, 0, 0, false,
	    "not well-formed" },
	{ "<testsuite>" OK1 "&#0;</testsuite>", 1, 0, 0, 0, false,
	    "not well-formed" },
	{ "<testsuite a='1' a='1'>" OK1 "</testsuite>", 0, 0, 0, 0, false,
	    "not well-formed" },
	{ "<?xml version='1.0' encoding='x-none'?><testsuite/>", 0, 0, 0, 0,
	    false, "not well-formed" },
	{ "<testsuite tests='many'>" OK1 "</testsuite>", 0, 0, 0, 0, false,
	    "a count of tests is not a number" },
	{ "<testsuite failures='-1'>" OK1 "</testsuite>", 0, 0, 0, 0, false,
	    "is not a number" },
	{ "<testsuite failures=''>" OK1 "</testsuite>", 0, 0, 0, 0, false,
	    "is not a number" },
	{ "<testsuite failures='99999999999999999999'>" OK1 "</testsuite>", 0,
	    0, 0, 0, false, "is not a number" },
	/* Entities. */
	{ "<!DOCTYPE testsuite><testsuite>" OK1 "</testsuite>", 0, 0, 0, 0,
	    false, "a document type is not allowed" },
	{ "<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>"
	  "<!ENTITY c '&b;&b;&b;&b;'>]><testsuite name='&c;'/>",
	    0, 0, 0, 0, false, "a document type is not allowed" },
	{ "<!DOCTYPE l [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><testsuite>"
	  "&a;</testsuite>",
	    0, 0, 0, 0, false, "a document type is not allowed" },
	{ "<testsuite>" OK1 "&unknown;</testsuite>", 1, 0, 0, 0, false,
	    "not well-formed" },
};

START_TEST(reports_are_counted_in_the_forms_that_tools_write)
{
	const char *xml = table[_i].xml;
	struct tf_evaluation e = evaluate(xml, strlen(xml), 1 << 20), other;
	char counts[128];

	snprintf(counts, sizeof(counts),
	    "{\"errors\":%u,\"failures\":%u,\"skipped\":%u,\"tests\":%u}",
	    table[_i].errors, table[_i].failures, table[_i].skipped,
	    table[_i].tests);
	if (e.counts.n != strlen(counts) ||
	    memcmp(counts, e.counts.p, e.counts.n) != 0 ||
	    e.compliant != table[_i].compliant || !says(&e, table[_i].says))
		ck_abort_msg("%s\n%s", xml, e.report.p);
	/* The pieces of the file change nothing. */
	for (size_t piece = 1; piece < 8; piece += 2) {
		other = evaluate(xml, strlen(xml), piece);
		assert_same(e.report.p, e.report.n, other.report.p,
		    other.report.n);
		tf_evaluation_free(&other);
	}
	tf_evaluation_free(&e);
}
END_TEST

static void
repeat(struct tf_buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tf_buf_str(b, text);
}

static void
must_say(struct tf_buf *b, bool compliant, const char *text)
{
	struct tf_evaluation e = evaluate(b->p, b->n, 4096), f;

	if (e.compliant != compliant || !says(&e, text))
		ck_abort_msg("%s", e.report.p);
	ck_assert_uint_lt(e.report.n, TF_REPORT_BYTES);
	f = evaluate(b->p, b->n, 1 << 20);
	assert_same(e.report.p, e.report.n, f.report.p, f.report.n);
	tf_evaluation_free(&f);
	tf_evaluation_free(&e);
	tf_buf_free(b);
}

START_TEST(hostile_reports_are_refused_in_bounded_space)
{
	struct tf_buf b = { 0 };

	/* Depth. */
	repeat(&b, "<testsuite>", 64);
	repeat(&b, "</testsuite>", 64);
	must_say(&b, false, "no test ran");
	repeat(&b, "<testsuite>", 65);
	must_say(&b, false, "nested too deeply");
	repeat(&b, "<testsuite>", 1000000);
	must_say(&b, false, "nested too deeply");
	/* Long text is as good as any; a long tag is not. */
	tf_buf_str(&b, "<testsuite><testcase/><system-out>");
	repeat(&b, "0123456789", 1000000);
	tf_buf_str(&b, "</system-out></testsuite>");
	must_say(&b, true, "\"causes\":[]");
	tf_buf_str(&b, "<testsuite><testcase/><system-out><![CDATA[");
	repeat(&b, "0123456789", 1000000);
	tf_buf_str(&b, "]]></system-out></testsuite>");
	must_say(&b, true, "\"causes\":[]");
	tf_buf_str(&b, "<testsuite name='");
	repeat(&b, "0123456789", 1000000);
	tf_buf_str(&b, "'><testcase/></testsuite>");
	must_say(&b, false, "a tag or comment of more than 1 MiB");
	tf_buf_str(&b, "<testsuite><!--");
	repeat(&b, "0123456789", 1000000);
	tf_buf_str(&b, "--><testcase/></testsuite>");
	must_say(&b, false, "a tag or comment of more than 1 MiB");
	/* A NUL, and 10 MB that are not XML. */
	tf_buf_add(&b, "<testsuite>\0</testsuite>", 24);
	must_say(&b, false, "not well-formed");
	tf_buf_add(&b, "\0", 1);
	must_say(&b, false, "not well-formed");
	repeat(&b, "x", 10000000);
	must_say(&b, false, "a tag or comment of more than 1 MiB");
	repeat(&b, "x ", 5000000);
	must_say(&b, false, "not well-formed");
	/* Long names are cut at a character. */
	tf_buf_str(&b, "<testsuite name='x");
	repeat(&b, "\xe2\x82\xac", 1000);
	tf_buf_str(&b, "'><testcase/></testsuite>");
	must_say(&b, true, "\xe2\x82\xac\xe2\x82\xac\",\"skipped\"");
}
END_TEST

START_TEST(long_lists_are_cut_and_say_so)
{
	struct tf_buf b = { 0 };

	tf_buf_str(&b, "<testsuites>");
	for (unsigned i = 0; i < 100000; i++)
		tf_buf_printf(&b,
		    "<testsuite name='s%u'><testcase name='t'>%s</testcase>"
		    "</testsuite>",
		    i, i % 2 ? "<failure/>" : "");
	tf_buf_str(&b, "</testsuites>");
	must_say(&b, false, "\"causes\":[\"50000 failures\"],");
	tf_buf_str(&b, "<testsuites>");
	for (unsigned i = 0; i < 10000; i++)
		tf_buf_printf(&b,
		    "<testsuite name='s%u'><testcase name='t'/></testsuite>",
		    i);
	tf_buf_str(&b, "</testsuites>");
	must_say(&b, true,
	    "\"cut\":{\"causes\":0,\"failed\":0,\"files\":0,"
	    "\"junit_results\":8");
}
END_TEST

/* All files that end in .xml are judged, and no others. */
START_TEST(each_xml_file_counts)
{
	static const char good[] = "<testsuite>" OK1 "</testsuite>";
	static const char bad[] = "<testsuite>" BAD "</testsuite>";
	const struct file files[] = {
		{ "a/B.XML", good, sizeof(good) - 1, TF_OK },
		{ "a/log.txt", bad, sizeof(bad) - 1, TF_IO },
		{ "b.xml", good, sizeof(good) - 1, TF_OK },
		{ "c.xml", bad, sizeof(bad) - 1, TF_OK },
		{ "d.xml", "<", 1, TF_OK },
	};
	struct tf_evaluation e;

	ck_assert_int_eq(TF_OK, try_files(NULL, files, 3, 5, &e));
	ck_assert(e.compliant && says(&e, "\"tests\":2}"));
	ck_assert(says(&e, "\"name\":\"a/B.XML\"") && !says(&e, "log.txt"));
	ck_assert_str_eq("junit", e.rule);
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_OK, try_files(NULL, files, 4, 5, &e));
	ck_assert(!e.compliant && says(&e, "[\"1 failure\"]"));
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_OK, try_files(NULL, files, 5, 5, &e));
	ck_assert(!e.compliant);
	ck_assert(says(&e,
	    "[\"d.xml: line 1, column 1: not well-formed XML\","
	    "\"1 failure\"]"));
	tf_evaluation_free(&e);
	/* No file at all. */
	ck_assert_int_eq(TF_OK, try_files(NULL, files + 1, 1, 5, &e));
	ck_assert(!e.compliant);
	ck_assert(says(&e, "[\"no file whose name ends in .xml\"]"));
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_OK, try_files(NULL, NULL, 0, 5, &e));
	ck_assert(!e.compliant);
	tf_evaluation_free(&e);
}
END_TEST

/* With a known digest, nothing is read that is not parsed; a file of unknown
 * digest is read to hash it. */
START_TEST(a_report_that_is_too_long_is_not_read)
{
	static const char good[] = "<testsuite>" OK1 "</testsuite>";
	const size_t n = sizeof(good) - 1;
	const struct file f[] = { { "a.xml", good, n, TF_OK },
		{ "b.xml", good, n, TF_OK }, { "c.xml", good, n, TF_OK } };
	/* With b, all have one byte too many. */
	const uint64_t sizes[] = { n, TF_JUNIT_BYTES - n + 1, UINT64_MAX };
	struct tf_hash h;
	struct files known = { .f = f,
		.n = 3,
		.piece = 7,
		.sizes = sizes,
		.sha256 = &h };
	struct files unknown = known;
	struct tf_evaluation e;
	char hex[65], cause[80];

	tf_sha256(good, n, &h);
	tf_hex(h.b, sizeof(h.b), hex);
	ck_assert_int_eq(TF_OK, evaluate_files(NULL, &known, &e));
	ck_assert_uint_eq(1, known.reads);
	ck_assert(!e.compliant && says(&e, hex));
	ck_assert(says(&e, "\"tests\":1}"));
	for (const char *name = "bc"; *name != '\0'; name++) {
		snprintf(cause, sizeof(cause),
		    "\"%c.xml: line 1, column 1: more than 256 MiB in all "
		    "files\"",
		    *name);
		ck_assert_msg(says(&e, cause), "%s in %s", cause, e.report.p);
	}
	tf_evaluation_free(&e);
	unknown.sha256 = NULL;
	ck_assert_int_eq(TF_OK, evaluate_files(NULL, &unknown, &e));
	ck_assert_uint_eq(3, unknown.reads);
	ck_assert(!e.compliant && says(&e, hex));
	tf_evaluation_free(&e);
}
END_TEST

/* A failure of the machine is none of the evidence. */
START_TEST(failures_to_read_are_passed_on)
{
	static const char good[] = "<testsuite>" OK1 "</testsuite>";
	static const char text[] = "version: 1\nevidence: e.json\nschema: {}\n";
	const struct file x = { "a.xml", good, sizeof(good) - 1, TF_IO };
	const struct file y = { "e.json", "{}", 2, TF_IO };
	struct tf_evaluation e;
	struct tf_type *t;

	ck_assert_int_eq(TF_OK, tf_type_parse(text, strlen(text), &t, NULL));
	ck_assert_int_eq(TF_IO, try_files(NULL, &x, 1, 5, &e));
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_IO, try_files(t, &y, 1, 5, &e));
	tf_evaluation_free(&e);
	tf_type_free(t);
}
END_TEST

START_TEST(a_type_judges_the_file_that_it_names)
{
	static const char text[] = "version: 1\nevidence: a/e.json\n"
				   "schema: {type: object, required: [ok]}\n";
	struct tf_buf big = { 0 };
	struct file files[] = {
		{ "a/d.json", "{}", 2, TF_IO },
		{ "a/e.json", "{\"ok\":1}", 8, TF_OK },
		{ "e.json", "{}", 2, TF_IO },
	};
	struct tf_evaluation e;
	struct tf_type *t;

	ck_assert_int_eq(TF_OK, tf_type_parse(text, strlen(text), &t, NULL));
	ck_assert_int_eq(TF_OK, try_files(t, files, 3, 3, &e));
	ck_assert(e.compliant);
	ck_assert_str_eq("checks", e.rule);
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_OK, try_files(t, files, 1, 3, &e));
	ck_assert(!e.compliant && says(&e, "there is no such file"));
	tf_evaluation_free(&e);
	repeat(&big, " ", (16 << 20) + 1);
	files[1].p = big.p;
	files[1].n = big.n;
	ck_assert_int_eq(TF_OK, try_files(t, files, 3, 1 << 20, &e));
	ck_assert(!e.compliant && says(&e, "longer than 16 MiB"));
	tf_evaluation_free(&e);
	tf_buf_free(&big);
	tf_type_free(t);
}
END_TEST

START_TEST(what_cannot_be_judged_is_refused_with_the_reason)
{
	struct tf_evaluation e;

	ck_assert_int_eq(TF_OK,
	    tf_evaluate_refused(false, "type \"x\" is not defined", &e, NULL));
	ck_assert(!e.compliant);
	tf_buf_add(&e.report, "", 1);
	ck_assert_str_eq("{\"causes\":[\"type \\\"x\\\" is not defined\"],"
			 "\"compliant\":false,\"version\":1}",
	    e.report.p);
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_OK, tf_evaluate_refused(true, "x", &e, NULL));
	ck_assert_str_eq("junit", e.rule);
	assert_same("{\"errors\":1,\"failures\":0,\"skipped\":0,\"tests\":0}",
	    47, e.counts.p, e.counts.n);
	tf_evaluation_free(&e);
}
END_TEST

/* NAME.xml gives NAME.report.json, byte for byte. */
START_TEST(reports_are_those_of_the_vectors)
{
	DIR *d = opendir(TF_VECTORS "/checks");
	unsigned seen = 0;
	struct dirent *f;

	ck_assert_ptr_nonnull(d);
	while ((f = readdir(d)) != NULL) {
		size_t n = strlen(f->d_name);
		struct tf_buf xml, report;
		struct tf_evaluation e;
		struct tf_any_doc doc;
		struct file file = { f->d_name, NULL, 0, TF_OK };
		char name[300];

		if (n < 4 || strcmp(f->d_name + n - 4, ".xml") != 0)
			continue;
		snprintf(name, sizeof(name), "checks/%s", f->d_name);
		xml = read_vector(name);
		snprintf(name, sizeof(name), "checks/%.*s.report.json",
		    (int)n - 4, f->d_name);
		report = read_vector(name);
		file.p = xml.p;
		file.n = xml.n;
		ck_assert_int_eq(TF_OK, try_files(NULL, &file, 1, 100, &e));
		assert_same(report.p, report.n, e.report.p, e.report.n - 1);
		ck_assert_int_eq(TF_OK,
		    tf_any_parse(&doc, report.p, report.n, NULL));
		tf_any_free(&doc);
		tf_evaluation_free(&e);
		tf_buf_free(&xml);
		tf_buf_free(&report);
		seen++;
	}
	closedir(d);
	ck_assert_uint_ge(seen, 3);
}
END_TEST

Suite *
suite_junit(void)
{
	Suite *s = suite_create("junit");
	TCase *t = tcase_create("junit");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t,
	    reports_are_counted_in_the_forms_that_tools_write, 0,
	    sizeof(table) / sizeof(*table));
	tcase_add_test(t, hostile_reports_are_refused_in_bounded_space);
	tcase_add_test(t, long_lists_are_cut_and_say_so);
	tcase_add_test(t, each_xml_file_counts);
	tcase_add_test(t, failures_to_read_are_passed_on);
	tcase_add_test(t, a_report_that_is_too_long_is_not_read);
	tcase_add_test(t, a_type_judges_the_file_that_it_names);
	tcase_add_test(t, what_cannot_be_judged_is_refused_with_the_reason);
	tcase_add_test(t, reports_are_those_of_the_vectors);
	suite_add_tcase(s, t);
	return s;
}
