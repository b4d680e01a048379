/*
 * Reports what an audit finds, and what it could not check.
 *
 * A verdict goes one way only: OK may become ABSENT or FAILED, and FAILED
 * stays.  So the order of the findings does not matter.  Names come from the
 * evidence and may hold any byte; they are made printable before the caller
 * gets them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "../base/show.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"

static const char *const link_names[TF_CHECKS] = {
	[TF_CHECK_PACKAGE] = "package",
	[TF_CHECK_CONTENTS] = "contents",
	[TF_CHECK_EVALUATION] = "evaluation",
	[TF_CHECK_ENTRIES] = "entries",
	[TF_CHECK_NAMES] = "names",
	[TF_CHECK_TREE] = "tree",
	[TF_CHECK_TILES] = "tiles",
	[TF_CHECK_SIGNATURE] = "signature",
	[TF_CHECK_EARLIER] = "earlier checkpoint",
	[TF_CHECK_WITNESS] = "witness",
	[TF_CHECK_TIMESTAMP] = "timestamp",
};

const struct tf_str tf_nowhere;

const char *
tf_check_name(enum tf_check l)
{
	return link_names[l];
}

/*
 * Pass a finding to the caller; path and text are valid during the call only.
 */
static void
tell(struct tf_audit *a, enum tf_check l, enum tf_grade grade, uint64_t seq,
    struct tf_str path, const char *text, const struct tf_content *want,
    const struct tf_content *have)
{
	struct tf_finding f = { .check = l,
		.grade = grade,
		.seq = seq,
		.text = text,
		.want = want,
		.have = have };

	a->shown.n = 0;
	if (path.p != NULL)
		tf_name_show(&a->shown, path.p, path.n);
	tf_buf_add(&a->shown, "", 1);
	f.path = a->shown.failed ? "" : a->shown.p;
	if (a->v->found != NULL)
		a->v->found(a->v->arg, &f);
}

void
tf_audit_finding(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->r->check[l] = TF_VERDICT_FAILED;
	a->r->findings++;
	tell(a, l, TF_GRADE_WRONG, seq, path, text, NULL, NULL);
}

void
tf_audit_remark(struct tf_audit *a, enum tf_check l, enum tf_grade grade,
    uint64_t seq, struct tf_str path, const char *text)
{
	if (grade == TF_GRADE_UNPROVEN) {
		a->r->unproven++;
	} else if (grade == TF_GRADE_HARMLESS) {
		a->r->harmless++;
	} else if (grade == TF_GRADE_SURVIVED) {
		a->r->survived++;
	} else {
		a->r->check[l] = TF_VERDICT_FAILED;
		a->r->findings++;
		a->r->beside += grade == TF_GRADE_BESIDE;
	}
	tell(a, l, grade, seq, path, text, NULL, NULL);
}

/* A check that did not see all of its input cannot pass. */
void
tf_audit_not_seen(struct tf_audit *a, enum tf_check l)
{
	if (a->r->check[l] == TF_VERDICT_OK)
		a->r->check[l] = TF_VERDICT_ABSENT;
}

void
tf_audit_unread(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *text)
{
	tf_audit_not_seen(a, l);
	tell(a, l, TF_GRADE_UNREAD, seq, path, text, NULL, NULL);
}

void
tf_audit_bytes(struct tf_audit *a, enum tf_grade grade, uint64_t seq,
    struct tf_str path, const struct tf_content *want,
    const struct tf_content *have, const char *text)
{
	if (grade == TF_GRADE_UNREAD) {
		tf_audit_not_seen(a, TF_CHECK_CONTENTS);
	} else {
		a->r->check[TF_CHECK_CONTENTS] = TF_VERDICT_FAILED;
		a->r->findings++;
	}
	tell(a, TF_CHECK_CONTENTS, grade, seq, path, text, want, have);
}

void
tf_audit_trouble(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *what, const struct tf_error *why)
{
	if (!tf_code_undecided(why->code))
		tf_audit_finding(a, l, seq, path, "%s%s%s", what,
		    *what == '\0' ? "" : ": ", why->text);
	else if (a->unable.code == TF_OK)
		a->unable = *why;
}

void
tf_audit_no_memory(struct tf_audit *a)
{
	(void)tf_nomem(&a->unable);
}

enum tf_code
tf_audit_able(const struct tf_audit *a, struct tf_error *err)
{
	return a->unable.code == TF_OK ? TF_OK : tf_fail_as(err, &a->unable);
}
