/*
 * Reading status.json of trails and workflows, and printing it for people.
 *
 * The verdict is made by core and only shown here. Each attestation gets one
 * meaning (meaning_of()), and the table and the JUnit file are two prints of
 * it, so that they cannot disagree. The JUnit file never says less than the
 * exit status: if no attestation is at fault but the workflow is not compliant,
 * it gets an error case of its own.
 *
 * The exit status is for gates in a pipeline: 0 only for COMPLIANT, 1 for
 * NON-COMPLIANT, 4 for DAMAGED, and 5 for everything else, since a word that
 * this version does not know must not open a gate.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compliance.h"
#include "core/base/bytes.h"
#include "core/control.h"
#include "core/page.h"
#include "files.h"
#include "report.h"
#include "text.h"

#define STATUS_MAX (256u << 20) /* bytes; a mount that sends more is refused */

/* The depth below the root is the kind; a control file has none. */
static bool
has_depth(const struct where *w, unsigned want)
{
	unsigned depth = strcmp(w->path, ".") != 0;

	if (strstr(w->path, TF_CONTROL_DIR) != NULL)
		return false; /* a control file */
	for (const char *p = w->path; depth > 0 && *p != '\0'; p++)
		depth += *p == '/';
	return depth == want;
}

bool
compliance_of_trail(const struct where *w)
{
	return has_depth(w, TF_KIND_TRAIL);
}

bool
compliance_of_workflow(const struct where *w)
{
	return has_depth(w, TF_KIND_WORKFLOW);
}

/* --- reading ---------------------------------------------------------------- */

static enum tf_code
read_mount(const struct where *w, struct tf_buf *out, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if ((rc = where_control_of(w, w->path, TF_CONTROL_STATUS, &fd, err)) !=
	    TF_OK)
		return rc;
	rc = files_read_fd(fd, "the status", STATUS_MAX, out, err);
	(void)close(fd); /* read-only */
	return rc;
}

enum tf_code
compliance_read(const struct where *w, struct tf_buf *out, struct tf_error *err)
{
	return w->mount != NULL ? read_mount(w, out, err) :
				  where_render(w, tf_view_status, out, err);
}

/* --- printing --------------------------------------------------------------- */

struct tf_str
compliance_word(const struct tf_json_doc *d, int of, const char *key)
{
	int t = tf_json_get(d, of, key);
	struct tf_str s = { NULL, 0 };

	if (t >= 0 && d->tok[t].type == TF_JSON_STRING) {
		s = tf_json_text(d, t);
		s.p++;
		s.n -= 2;
	}
	return s;
}

/* Exactly this word. A missing one (p NULL) is none. */
static bool
is_word(struct tf_str s, const char *word)
{
	return s.p != NULL && s.n == strlen(word) &&
	    memcmp(s.p, word, s.n) == 0;
}

int
compliance_exit(struct tf_str word)
{
	return is_word(word, "COMPLIANT")  ? REPORT_OK :
	    is_word(word, "NON-COMPLIANT") ? REPORT_FINDING :
	    is_word(word, "DAMAGED")	   ? REPORT_TAMPERED :
					     REPORT_DOUBT;
}

/* Pad a column to that width; longer values stick out. */
static void
pad(size_t n, size_t width)
{
	printf("%*s", n < width ? (int)(width - n) : 0, "");
}

/* What one attestation means for the workflow. */
enum meaning { GOOD, BAD, LACKING, OPTIONAL };

/* A member that is true; anything else counts as false. */
static bool
is_set(const struct tf_json_doc *d, int t, const char *key)
{
	int m = tf_json_get(d, t, key);

	return m >= 0 && d->tok[m].type == TF_JSON_BOOL && d->tok[m].num != 0;
}

enum compliance_verdict
compliance_verdict(const struct tf_json_doc *d, int t)
{
	static const char *const bad[] = { "overridden", "denied", "failed",
		"user", "late", "order" };
	struct tf_str cause = compliance_word(d, t, "cause");

	if (tf_json_get(d, t, "version") < 0)
		return COMPLIANCE_NONE;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_word(cause, bad[i]))
			return COMPLIANCE_BAD;
	return COMPLIANCE_GOOD;
}

/* Append the reason of an override, if there is one. */
static void
add_reason(struct tf_buf *out, const struct tf_json_doc *d, int t)
{
	int reason = tf_json_get(d, t, "override_reason");

	if (reason < 0)
		return;
	tf_buf_str(out, ": ");
	text_add_token(out, d, reason);
}

/* Append the reason to why, unless the meaning is GOOD. */
static enum meaning
meaning_of(const struct tf_json_doc *d, int t, bool sealed_only,
    struct tf_buf *why)
{
	enum compliance_verdict v = compliance_verdict(d, t);
	bool reported = v != COMPLIANCE_NONE;
	struct tf_str state = compliance_word(d, t, "status");
	bool damaged = is_word(state, "DAMAGED");
	bool missing = damaged || is_word(state, "MISSING");
	int text = tf_json_get(d, t, "why");
	enum meaning m = v == COMPLIANCE_BAD ? BAD :
	    missing && !damaged && is_set(d, t, "optional") && !reported ?
					       OPTIONAL :
	    missing ? LACKING :
		      GOOD;

	if (sealed_only && m != OPTIONAL && reported &&
	    tf_json_get(d, t, "index") < 0) {
		tf_buf_str(why, "it is not sealed");
		return LACKING;
	}
	if (m == GOOD)
		return m;
	if (text >= 0)
		text_add_token(why, d, text);
	else
		tf_buf_str(why,
		    m == BAD			       ? "it is not compliant" :
			m == OPTIONAL		       ? "optional" :
			tf_json_get(d, t, "open") >= 0 ? "it is still open" :
							 "it was not reported");
	return m;
}

/* One row: name, status, verdict, versions, and the reason. */
static void
print_attestation(const struct tf_json_doc *d, int t, bool sealed_only)
{
	struct tf_str name = compliance_word(d, t, "attestation_name");
	struct tf_str state = compliance_word(d, t, "status");
	int good = tf_json_get(d, t, "is_compliant");
	int open = tf_json_get(d, t, "open"), version;
	struct tf_buf why = { 0 };
	const char *sign = "";

	version = tf_json_get(d, t, "version");
	if (good >= 0 && d->tok[good].type == TF_JSON_BOOL)
		sign = d->tok[good].num != 0 ? "compliant" : "NOT compliant";
	fputs("  ", stdout);
	text_put(stdout, name.p != NULL ? name.p : "?", name.n);
	pad(name.n, 24);
	fputs("  ", stdout);
	text_put(stdout, state.p, state.n);
	pad(state.n, 8);
	printf("  %-13s", sign);
	if (version >= 0 && d->tok[version].num > 1)
		printf("  version %lld", (long long)d->tok[version].num);
	if (tf_json_get(d, t, "imported") >= 0)
		printf("  imported");
	if (tf_json_get(d, t, "overridden") >= 0)
		printf("  overridden");
	add_reason(&why, d, t);
	fputs(why.n > 0 ? text_of(&why) : "", stdout);
	why.n = 0;
	if (open >= 0 && d->tok[open].num > 1)
		printf("  version %lld is open", (long long)d->tok[open].num);
	else if (open >= 0)
		printf("  open");
	if (meaning_of(d, t, sealed_only, &why) != GOOD)
		printf("  %s", text_of(&why));
	putchar('\n');
	tf_buf_free(&why);
}

/* The statuses of the attestations; -1: there is none. */
static int
list_of(const struct tf_json_doc *d)
{
	return tf_json_get(d, tf_json_get(d, 0, "compliance_status"),
	    "attestations_statuses");
}

void
compliance_print(const char *path, struct tf_str word,
    const struct tf_json_doc *d, bool sealed_only)
{
	int list = list_of(d);

	sealed_only = sealed_only && !is_word(word, "COMPLIANT");
	text_put(stdout, path, strlen(path));
	fputs("  ", stdout);
	text_put(stdout, word.p, word.n);
	puts(tf_json_get(d, 0, "imported") >= 0 ? "  imported" : "");
	if (list < 0) {
		puts("  nothing was recorded");
		return;
	}
	for (uint32_t t = (uint32_t)list + 1; t < d->tok[list].next;
	     t = d->tok[t].next)
		print_attestation(d, (int)t, sealed_only);
}

/* --- JUnit ------------------------------------------------------------------ */

/* What a JUnit file says about each meaning. */
static const char *const elements[] = { [GOOD] = NULL,
	[BAD] = "failure",
	[LACKING] = "error",
	[OPTIONAL] = "skipped" };

/* Names come from the vault: first safe for a terminal, then for XML. */
static void
add_case(struct tf_buf *out, struct tf_str name, enum meaning m,
    const struct tf_buf *why)
{
	struct tf_buf shown = { 0 };

	text_add(&shown, name.p, name.n);
	tf_buf_str(out, "  <testcase classname=\"trailfs.assert\" name=\"");
	text_add_xml(out, shown.p, shown.n);
	if (elements[m] == NULL) {
		tf_buf_str(out, "\"/>\n");
	} else {
		tf_buf_printf(out, "\">\n    <%s message=\"", elements[m]);
		text_add_xml(out, why->p, why->n);
		tf_buf_str(out, "\"/>\n  </testcase>\n");
	}
	out->failed = out->failed || shown.failed || why->failed;
	tf_buf_free(&shown);
}

enum tf_code
compliance_junit(const char *path, struct tf_str word,
    const struct tf_json_doc *d, bool sealed_only, struct tf_buf *out,
    struct tf_error *err)
{
	size_t count[OPTIONAL + 1] = { 0 }, n = 0;
	struct tf_buf cases = { 0 }, why = { 0 };
	int list = list_of(d);

	/* An open repeat of a sealed report is no reason. */
	sealed_only = sealed_only && !is_word(word, "COMPLIANT");
	for (uint32_t t = (uint32_t)list + 1;
	     list >= 0 && t < d->tok[list].next; t = d->tok[t].next, n++) {
		enum meaning m;

		why.n = 0;
		m = meaning_of(d, (int)t, sealed_only, &why);
		if (m != GOOD)
			add_reason(&why, d, (int)t);
		add_case(&cases, compliance_word(d, (int)t, "attestation_name"),
		    m, &why);
		count[m]++;
	}
	/* The cases never say less than the exit status. */
	if (!is_word(word, "COMPLIANT") && count[BAD] + count[LACKING] == 0) {
		why.n = 0;
		tf_buf_str(&why,
		    n == 0 ? "nothing was recorded" : "it is not compliant");
		add_case(&cases, tf_str_of(path), LACKING, &why);
		count[LACKING]++;
		n++;
	}
	tf_buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	tf_buf_printf(out,
	    "<testsuite name=\"trailfs.assert\" tests=\"%zu\" "
	    "failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
	    n, count[BAD], count[LACKING], count[OPTIONAL]);
	tf_buf_add(out, cases.p, cases.n);
	tf_buf_str(out, "</testsuite>\n");
	out->failed = out->failed || cases.failed;
	tf_buf_free(&cases);
	tf_buf_free(&why);
	return tf_buf_end(out, err);
}

/* "  kept until 2033-11-29", by the word of a retention and its end. */
static void
print_kept(struct tf_str kept, struct tf_str end)
{
	if (kept.p == NULL)
		return;
	if (tf_str_same(kept, tf_str_of("forever")))
		fputs("  kept for ever", stdout);
	else if (end.p == NULL)
		fputs("  kept from its seal on", stdout);
	else
		printf("  kept until %.*s%s", end.n < 10 ? (int)end.n : 10,
		    end.p,
		    tf_str_same(kept, tf_str_of("over")) ? ", which is over" :
							   "");
}

/* "  held by case-17, case-18" */
static void
print_holds(const struct tf_json_doc *d)
{
	int t = tf_json_get(d, 0, "holds");
	const char *before = "  held by ";

	for (uint32_t i = (uint32_t)t + 1; t >= 0 && i < d->tok[t].next;
	     i = d->tok[i].next) {
		struct tf_str name = compliance_word(d, (int)i, "hold");

		fputs(before, stdout);
		text_put(stdout, name.p, name.n);
		before = ", ";
	}
}

/* Counts that are 0 are left out. */
static void
print_workflow(const struct tf_json_doc *d)
{
	static const char *const counts[] = { "missing", "non_compliant",
		"open" };
	struct tf_str name = compliance_word(d, 0, "name");
	struct tf_str word = compliance_word(d, 0, "status");
	int t;

	text_put(stdout, name.p, name.n);
	pad(name.n, 32);
	fputs("  ", stdout);
	text_put(stdout, word.p, word.n);
	pad(word.n, 13);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if ((t = tf_json_get(d, 0, counts[i])) >= 0 &&
		    d->tok[t].num > 0)
			printf("  %lld %s", (long long)d->tok[t].num,
			    i == 1 ? "not compliant" : counts[i]);
	if (is_set(d, 0, "imported"))
		fputs("  imported", stdout);
	print_kept(compliance_word(d, 0, "kept"),
	    compliance_word(d, 0, "kept_until"));
	print_holds(d);
	putchar('\n');
}

void
compliance_print_protection(const struct tf_json_doc *d)
{
	int t = tf_json_get(d, 0, "retention");

	if (t < 0 && tf_json_get(d, 0, "holds") < 0)
		return;
	fputs("protected:", stdout);
	if (t >= 0)
		print_kept(compliance_word(d, t, "kept"),
		    compliance_word(d, t, "ends"));
	print_holds(d);
	putchar('\n');
}

/* Parse status.json of a trail line by line. */
static enum tf_code
each_workflow(const struct tf_buf *text, bool print, struct damage *damage,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	const char *p = text->p, *end = p + text->n, *lf;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			lf = end;
		rc = tf_json_parse_status(&d, p, (size_t)(lf - p), err);
		if (rc == TF_OK && print)
			print_workflow(&d);
		if (rc == TF_OK)
			damage_read(damage, &d, 0);
		tf_json_doc_free(&d);
	}
	return rc;
}

enum tf_code
compliance_print_trail(const struct tf_buf *text, struct damage *damage,
    struct tf_error *err)
{
	return each_workflow(text, true, damage, err);
}

enum tf_code
compliance_read_damage(const struct tf_buf *text, struct damage *damage,
    struct tf_error *err)
{
	return each_workflow(text, false, damage, err);
}
