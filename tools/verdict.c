/*
 * The exit status of trailctl verify, and what each check may answer.
 *
 * The status says the gravest thing that was found: 4 for damage to evidence or
 * ledger; then 6 if a package is of another log than that of the given key, for
 * then nothing else matters; then 5 if a check that was requested could not be
 * made, something was left out because the caller may not read it, or entries are
 * of a later version; then 1 for findings that are not about the evidence; and 0
 * only when everything requested was verified. ABSENT is success only for a check that
 * was not requested or that the form does not have. This file is the only place
 * that decides that; the three forms only print it.
 */
#include "report.h"
#include "verdict.h"

const char *
verdict_word(enum tf_verdict v)
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

bool
verdict_may_be_absent(const struct check *c, enum tf_check check)
{
	if (c->form == CHECK_AGAINST) /* verify the store for the rest */
		return check != TF_CHECK_CONTENTS && check != TF_CHECK_NAMES;
	switch (check) {
	case TF_CHECK_PACKAGE:
		return !check_is_package(c);
	case TF_CHECK_CONTENTS:
		return !c->contents;
	case TF_CHECK_NAMES:
		return c->form != CHECK_STORE && !check_is_package(c);
	case TF_CHECK_TILES:
		return c->form == CHECK_PROOF || check_is_package(c);
	case TF_CHECK_EARLIER:
		return !c->earlier;
	case TF_CHECK_TIMESTAMP:
		return !c->stamps;
	case TF_CHECK_WITNESS:
		return c->quorum == NULL;
	case TF_CHECK_EVALUATION: /* most evidence is judged by nobody */
		return true;
	default:
		return false;
	}
}

bool
verdict_shows(const struct check *c, enum tf_check check)
{
	if (check == TF_CHECK_EVALUATION)
		return c->report.judged > 0 ||
		    c->report.check[check] == TF_VERDICT_FAILED;
	return check != TF_CHECK_PACKAGE || check_is_package(c);
}

int
verdict_graver(int a, int b)
{
	static const int gravest[] = { REPORT_TAMPERED, REPORT_FOREIGN,
		REPORT_UNREACHABLE, REPORT_DOUBT, REPORT_FINDING };

	for (size_t i = 0; i < sizeof(gravest) / sizeof(gravest[0]); i++)
		if (a == gravest[i] || b == gravest[i])
			return gravest[i];
	return a != REPORT_OK ? a : b;
}

/* A check that could not be made does not hide damage, and a finding beside the
 * evidence does not hide what could not be checked. */
int
verdict_status(const struct check *c)
{
	const struct tf_report *r = &c->report;
	int status = r->findings > r->beside ? REPORT_TAMPERED :
	    r->beside > 0		     ? REPORT_FINDING :
					       REPORT_OK;

	if (r->foreign)
		status = verdict_graver(status, REPORT_FOREIGN);
	if (r->newer > 0 || check_left_any(c))
		status = verdict_graver(status, REPORT_DOUBT);
	for (int l = 0; l < TF_CHECKS; l++)
		if (r->check[l] == TF_VERDICT_ABSENT &&
		    !verdict_may_be_absent(c, (enum tf_check)l))
			status = verdict_graver(status, REPORT_DOUBT);
	return status;
}

bool
verdict_in_doubt(const struct check *c, enum tf_check check)
{
	if (check == TF_CHECK_ENTRIES && c->report.newer > 0)
		return c->report.check[check] == TF_VERDICT_OK;
	return c->report.check[check] == TF_VERDICT_ABSENT &&
	    !verdict_may_be_absent(c, check);
}
