/*
 * The result of trailctl verify.  None of its three forms says OK about
 * something that was not verified.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "report.h"
#include "text.h"
#include "verdict.h"

static const char *
word(enum tf_verdict v)
{
	switch (v) {
	case TF_VERDICT_OK:
		return "OK";
	case TF_VERDICT_FAILED:
		return "FAILED";
	case TF_VERDICT_ABSENT:
		break;
	}
	return "ABSENT";
}

/* --- the status ------------------------------------------------------- */

/* May the check be ABSENT: was it not requested, or does the form have none? */
static bool
may_be_absent(const struct check *c, enum tf_check check)
{
	if (c->form == CHECK_AGAINST) /* verify the store for the rest */
		return check != TF_CHECK_CONTENTS && check != TF_CHECK_NAMES;
	switch (check) {
	case TF_CHECK_PACKAGE:
		return c->form != CHECK_PACKAGE;
	case TF_CHECK_CONTENTS:
		return !c->contents;
	case TF_CHECK_NAMES:
		return c->form != CHECK_STORE && c->form != CHECK_PACKAGE;
	case TF_CHECK_TILES:
		return c->form == CHECK_PROOF || c->form == CHECK_PACKAGE;
	case TF_CHECK_EARLIER:
		return !c->earlier;
	case TF_CHECK_WITNESS:
	case TF_CHECK_TIMESTAMP:
		return true;
	default:
		return false;
	}
}

/* Only a package has a form: this check is shown for packages only. */
static bool
is_shown(const struct check *c, enum tf_check check)
{
	return check != TF_CHECK_PACKAGE || c->form == CHECK_PACKAGE;
}

int
verdict_status(const struct check *c)
{
	const struct tf_report *r = &c->report;
	int status = r->beside > 0 ? REPORT_FINDING : REPORT_OK;

	if (r->findings > r->beside)
		return REPORT_TAMPERED;
	if (r->newer > 0)
		status = REPORT_DOUBT;
	for (int l = 0; l < TF_CHECKS; l++)
		if (r->check[l] == TF_VERDICT_ABSENT &&
		    !may_be_absent(c, (enum tf_check)l))
			status = REPORT_DOUBT;
	return status == REPORT_OK && r->foreign ? REPORT_FOREIGN : status;
}

/* --- for people ------------------------------------------------------- */

static void
add_count(struct tf_buf *out, uint64_t n, const char *what)
{
	tf_buf_printf(out, "%llu %s%s", (unsigned long long)n, what,
	    n == 1 ? "" : "s");
}

static void
add_root(struct tf_buf *out, const struct tf_report *r)
{
	char hex[2 * sizeof(r->root.b) + 1];

	tf_hex(r->root.b, sizeof(r->root.b), hex);
	tf_buf_str(out, hex);
}

static void
add_entries(struct tf_buf *out, const struct tf_report *r)
{
	if (r->entries == 1)
		tf_buf_str(out, "1 entry");
	else
		tf_buf_printf(out, "%llu entries",
		    (unsigned long long)r->entries);
	if (r->unknown > 0)
		tf_buf_printf(out, ", %llu of types that came later",
		    (unsigned long long)r->unknown);
	if (r->newer > 0)
		tf_buf_printf(out,
		    ", %llu of a later version that is not understood here",
		    (unsigned long long)r->newer);
}

/* Files that no seal in the package counts may have been left out. */
static void
add_missing(struct tf_buf *out, const struct tf_report *r)
{
	if (r->unsealed > 0)
		tf_buf_printf(out,
		    "; not all is sealed (%llu without a seal here): "
		    "evidence, later versions and seals may be missing",
		    (unsigned long long)r->unsealed);
	else if (r->may_be_repeated)
		tf_buf_str(out, "; later versions of it may be missing");
	if (r->cut)
		tf_buf_str(out,
		    "; workflows begun at other times are left out");
}

static void
add_good(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	const struct tf_report *r = &c->report;

	switch (check) {
	case TF_CHECK_PACKAGE:
		tf_buf_str(out, "what its manifests list, and nothing else");
		if (r->unpacked)
			tf_buf_str(out, ", unpacked");
		break;
	case TF_CHECK_CONTENTS:
		add_count(out, r->files, "file");
		tf_buf_str(out, ", ");
		add_count(out, r->bytes, "byte");
		if (r->unpacked && c->form == CHECK_AGAINST)
			tf_buf_str(out, ", of an unpacked package");
		break;
	case TF_CHECK_ENTRIES:
		add_entries(out, r);
		break;
	case TF_CHECK_NAMES:
		tf_buf_str(out,
		    c->form == CHECK_AGAINST ?
			"nothing that the store does not have" :
			"what the entries say");
		add_missing(out, r);
		break;
	case TF_CHECK_TREE:
		tf_buf_printf(out, "size %llu, root ",
		    (unsigned long long)r->size);
		add_root(out, r);
		break;
	case TF_CHECK_TILES:
		tf_buf_str(out, "what the entries give");
		break;
	case TF_CHECK_SIGNATURE:
		tf_buf_str(out, "of ");
		text_add(out, r->origin, strlen(r->origin));
		tf_buf_str(out,
		    r->pinned ? ", by the key given" :
			r->foreign ?
				", which is not the log of the key given: "
				"nothing is proven, the package only agrees "
				"with itself" :
				", by the store's own key; --vkey pins it");
		break;
	case TF_CHECK_EARLIER:
		tf_buf_str(out, "what it has are the first entries of now");
		break;
	default:
		break;
	}
}

static const char *
why_absent(const struct check *c, enum tf_check check)
{
	/* If something could not be verified, another check has the reason. */
	if (!may_be_absent(c, check))
		return check == TF_CHECK_EARLIER && c->report.foreign ?
		    "it is not of this log" :
		    check == TF_CHECK_EARLIER &&
			(c->form == CHECK_PROOF || c->form == CHECK_PACKAGE) ?
		    "one checkpoint says nothing about another tree" :
		    "could not be looked at";
	if (c->form == CHECK_AGAINST)
		return "verify the store itself for that";
	switch (check) {
	case TF_CHECK_CONTENTS:
		return c->form == CHECK_PROOF ?
		    "name the file after the proof" :
		    "name the evidence with --evidence";
	case TF_CHECK_NAMES:
		return "only a store has them";
	case TF_CHECK_TILES:
		return c->form == CHECK_PACKAGE ? "a package has none" :
						  "a proof has none";
	case TF_CHECK_EARLIER:
		return "give one with --checkpoint";
	default:
		return "none was asked";
	}
}

/* A line about findings that are not about the evidence. */
static void
add_beside(struct tf_buf *out, const struct check_result *l)
{
	if (l->beside == l->found)
		tf_buf_str(out, "; the evidence itself is not touched");
	else if (l->beside > 0)
		tf_buf_printf(out, ", of them %llu not about evidence",
		    (unsigned long long)l->beside);
}

/* A line about files that the verdict does not cover. */
static void
add_unproven(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	if (check != TF_CHECK_PACKAGE || c->report.unproven == 0)
		return;
	tf_buf_str(out, "; ");
	add_count(out, c->report.unproven, "file");
	tf_buf_str(out, " in it UNPROVEN");
}

static void
add_detail(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	switch (c->report.check[check]) {
	case TF_VERDICT_OK:
		add_good(out, c, check);
		break;
	case TF_VERDICT_FAILED:
		add_count(out, c->check[check].found, "finding");
		add_beside(out, &c->check[check]);
		break;
	case TF_VERDICT_ABSENT:
		tf_buf_str(out, why_absent(c, check));
		break;
	}
	add_unproven(out, c, check);
}

/* The findings of a check, one per line. */
static void
add_findings(struct tf_buf *out, const struct check_result *l,
    const char *indent)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct check_finding *f = &l->kept[i];

		tf_buf_str(out, indent);
		if (f->seq != UINT64_MAX)
			tf_buf_printf(out, "entry %llu%s",
			    (unsigned long long)f->seq,
			    f->path[0] != '\0' ? ", " : ": ");
		if (f->path[0] != '\0')
			tf_buf_printf(out, "%s: ", f->path);
		tf_buf_printf(out, "%s\n", f->text);
	}
	if (l->all > l->n)
		tf_buf_printf(out, "%sand %llu more\n", indent,
		    (unsigned long long)(l->all - l->n));
}

void
verdict_table(const struct check *c, struct tf_buf *out)
{
	const int status = verdict_status(c);

	tf_buf_add(out, c->subject_lines.p, c->subject_lines.n);
	if (c->subject_lines.n > 0 && status != REPORT_OK &&
	    status != REPORT_FINDING)
		tf_buf_str(out, "    NOT PROVEN: see below\n");
	for (int l = 0; l < TF_CHECKS; l++) {
		if (!is_shown(c, (enum tf_check)l))
			continue;
		tf_buf_printf(out, "%-18s  %-6s  ",
		    tf_check_name((enum tf_check)l), word(c->report.check[l]));
		add_detail(out, c, (enum tf_check)l);
		tf_buf_str(out, "\n");
		add_findings(out, &c->check[l], "    ");
	}
}

/* --- for programs ----------------------------------------------------- */

/* Leave out a number that canonical JSON cannot hold: no real count is that
 * big. */
static void
put_number(struct tf_json *j, const char *key, uint64_t v)
{
	if (v > (uint64_t)TF_JSON_MAX)
		return;
	tf_json_key(j, key);
	tf_json_int(j, (int64_t)v);
}

static void
put_finding(struct tf_json *j, enum tf_check check,
    const struct check_finding *f)
{
	tf_json_object(j);
	tf_json_key(j, "link");
	tf_json_cstr(j, tf_check_name(check));
	if (f->path[0] != '\0') {
		tf_json_key(j, "path");
		tf_json_cstr(j, f->path);
	}
	put_number(j, "seq", f->seq);
	tf_json_key(j, "text");
	tf_json_cstr(j, f->text[0] != '\0' ? f->text : "?");
	tf_json_object_end(j);
}

static void
put_findings(struct tf_json *j, const struct check *c)
{
	bool any = false;

	for (int l = 0; l < TF_CHECKS; l++) {
		for (size_t i = 0; i < c->check[l].n; i++) {
			if (c->check[l].kept[i].grade == TF_GRADE_UNPROVEN)
				continue;
			if (!any) {
				tf_json_key(j, "findings");
				tf_json_array(j);
			}
			any = true;
			put_finding(j, (enum tf_check)l, &c->check[l].kept[i]);
		}
	}
	if (any)
		tf_json_array_end(j);
}

/* The names of files that no entry covers. */
static void
put_unproven(struct tf_json *j, const struct check *c)
{
	const struct check_result *l = &c->check[TF_CHECK_PACKAGE];

	if (c->report.unproven == 0)
		return;
	tf_json_key(j, "unproven");
	tf_json_array(j);
	for (size_t i = 0; i < l->n; i++)
		if (l->kept[i].grade == TF_GRADE_UNPROVEN)
			tf_json_cstr(j, l->kept[i].path);
	tf_json_array_end(j);
}

static int
by_name(const void *a, const void *b)
{
	const enum tf_check *x = a, *y = b;

	return strcmp(tf_check_name(*x), tf_check_name(*y));
}

static void
put_links(struct tf_json *j, const struct check *c)
{
	enum tf_check order[TF_CHECKS];

	for (int l = 0; l < TF_CHECKS; l++)
		order[l] = (enum tf_check)l;
	qsort(order, TF_CHECKS, sizeof(order[0]), by_name);
	tf_json_key(j, "links");
	tf_json_object(j);
	for (int l = 0; l < TF_CHECKS; l++) {
		if (!is_shown(c, order[l]))
			continue;
		tf_json_key(j, tf_check_name(order[l]));
		tf_json_cstr(j, word(c->report.check[order[l]]));
	}
	tf_json_object_end(j);
}

enum tf_code
verdict_json(const struct check *c, struct tf_buf *out, struct tf_error *err)
{
	const struct tf_report *r = &c->report;
	struct tf_buf root = { 0 };
	struct tf_json j;
	enum tf_code rc;

	add_root(&root, r);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_number(&j, "beside", r->beside);
	put_number(&j, "bytes", r->bytes);
	put_number(&j, "entries", r->entries);
	put_number(&j, "files", r->files);
	put_findings(&j, c);
	if (r->foreign) {
		tf_json_key(&j, "foreign");
		tf_json_bool(&j, true);
	}
	put_number(&j, "found", r->findings);
	put_links(&j, c);
	put_number(&j, "newer", r->newer);
	if (r->origin[0] != '\0') {
		tf_json_key(&j, "origin");
		tf_json_cstr(&j, r->origin);
	}
	if (r->unsealed > 0 || r->may_be_repeated || r->cut) {
		tf_json_key(&j, "partial");
		tf_json_bool(&j, true);
	}
	tf_json_key(&j, "pinned");
	tf_json_bool(&j, r->pinned);
	tf_json_key(&j, "root");
	tf_json_str(&j, root.p, root.n);
	put_number(&j, "size", r->size);
	if (c->subject.n > 0) {
		tf_json_key(&j, "subject");
		tf_json_raw(&j, (struct tf_str){ c->subject.p, c->subject.n });
	}
	put_number(&j, "unknown", r->unknown);
	put_unproven(&j, c);
	if (c->form == CHECK_PACKAGE)
		put_number(&j, "unsealed", r->unsealed);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_str(out, "\n");
	tf_buf_free(&root);
	return rc;
}

/* --- for CI ----------------------------------------------------------- */

/*
 * Escape text for XML.  It has no characters that XML forbids (text_add),
 * except perhaps U+FFFE and U+FFFF.
 */
static void
add_xml(struct tf_buf *out, const char *p, size_t n)
{
	static const char last[] = "\xef\xbf"; /* U+FFC0 to U+FFFF */

	for (size_t i = 0; i < n; i++) {
		if (n - i >= 3 && memcmp(p + i, last, 2) == 0 &&
		    (p[i + 2] & 0xfe) == 0xbe) {
			tf_buf_printf(out, "\\xef\\xbf\\x%02x",
			    (unsigned char)p[i + 2]);
			i += 2;
			continue;
		}
		switch (p[i]) {
		case '&':
			tf_buf_str(out, "&amp;");
			break;
		case '<':
			tf_buf_str(out, "&lt;");
			break;
		case '>':
			tf_buf_str(out, "&gt;");
			break;
		case '"':
			tf_buf_str(out, "&quot;");
			break;
		default:
			tf_buf_add(out, p + i, 1);
		}
	}
}

/* Entries that this version cannot read and a foreign key do not pass a test. */
static bool
in_doubt(const struct check *c, enum tf_check check)
{
	if (check == TF_CHECK_SIGNATURE && c->report.foreign)
		return c->report.check[check] == TF_VERDICT_OK;
	if (check == TF_CHECK_ENTRIES && c->report.newer > 0)
		return c->report.check[check] == TF_VERDICT_OK;
	return c->report.check[check] == TF_VERDICT_ABSENT &&
	    !may_be_absent(c, check);
}

static void
add_case(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	struct tf_buf detail = { 0 }, lines = { 0 };
	const char *element = NULL;

	add_detail(&detail, c, check);
	add_findings(&lines, &c->check[check], "");
	if (in_doubt(c, check))
		element = "error";
	else if (c->report.check[check] == TF_VERDICT_FAILED)
		element = "failure";
	else if (c->report.check[check] == TF_VERDICT_ABSENT)
		element = "skipped";
	tf_buf_printf(out,
	    "  <testcase classname=\"trailfs.verify\" name=\"%s\"",
	    tf_check_name(check));
	if (element == NULL && lines.n > 0) {
		tf_buf_str(out, ">\n    <system-out>");
		add_xml(out, lines.p, lines.n);
		tf_buf_str(out, "</system-out>\n  </testcase>\n");
	} else if (element == NULL) {
		tf_buf_str(out, "/>\n");
	} else {
		tf_buf_printf(out, ">\n    <%s message=\"", element);
		add_xml(out, detail.p, detail.n);
		tf_buf_str(out, "\">");
		add_xml(out, lines.p, lines.n);
		tf_buf_printf(out, "</%s>\n  </testcase>\n", element);
	}
	out->failed = out->failed || detail.failed || lines.failed;
	tf_buf_free(&detail);
	tf_buf_free(&lines);
}

static void
begin_suite(struct tf_buf *out, int tests, int failures, int errors,
    int skipped)
{
	tf_buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	tf_buf_printf(out,
	    "<testsuite name=\"trailfs.verify\" tests=\"%d\" "
	    "failures=\"%d\" errors=\"%d\" skipped=\"%d\">\n",
	    tests, failures, errors, skipped);
}

static void
add_error(struct tf_buf *out, const struct tf_error *failed)
{
	struct tf_buf why = { 0 };

	text_add_shown(&why, failed->text, strlen(failed->text));
	begin_suite(out, 1, 0, 1, 0);
	tf_buf_str(out,
	    "  <testcase classname=\"trailfs.verify\" name=\"verify\">\n"
	    "    <error message=\"");
	add_xml(out, why.p, why.n);
	tf_buf_str(out, "\"/>\n  </testcase>\n</testsuite>\n");
	tf_buf_free(&why);
}

void
verdict_junit(const struct check *c, const struct tf_error *failed,
    struct tf_buf *out)
{
	int tests = 0, failures = 0, errors = 0, skipped = 0;

	if (failed != NULL) {
		add_error(out, failed);
		return;
	}
	for (int l = 0; l < TF_CHECKS; l++) {
		if (!is_shown(c, (enum tf_check)l))
			continue;
		tests++;
		if (in_doubt(c, (enum tf_check)l))
			errors++;
		else if (c->report.check[l] == TF_VERDICT_FAILED)
			failures++;
		else if (c->report.check[l] == TF_VERDICT_ABSENT)
			skipped++;
	}
	begin_suite(out, tests, failures, errors, skipped);
	for (int l = 0; l < TF_CHECKS; l++)
		if (is_shown(c, (enum tf_check)l))
			add_case(out, c, (enum tf_check)l);
	tf_buf_str(out, "</testsuite>\n");
}
