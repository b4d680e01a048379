/*
 * The first line of the answer of trailctl verify: one sentence that a person can
 * quote.
 *
 * It begins with a word.  GENUINE: the key that the caller gave signed it, and
 * everything requested holds.  WHOLE: the same, by the store's own key, which
 * nobody vouched for.  SAME: a directory has what the ledger says.  FAILED and
 * UNDECIDED: what is wrong, or was not checked, and what to do.  The words follow
 * from the exit status (verdict.c) and from nothing else.  What was not part of the
 * check is named, or the sentence would say more than was checked: what may be
 * missing, contents that were not read, entries of unknown types.
 */
#include <string.h>

#include "report.h"
#include "text.h"
#include "verdict.h"

static void
add_count(struct tf_buf *out, uint64_t n, const char *one, const char *many)
{
	tf_buf_printf(out, "%llu %s", (unsigned long long)n,
	    n == 1 ? one : many);
}

/* --- what holds ----------------------------------------------------------- */

/* Name and number of a key, without the key itself. */
static void
add_key(struct tf_buf *out, const char *vkey)
{
	const char *plus = strchr(vkey, '+');

	if (plus != NULL)
		plus = strchr(plus + 1, '+');
	text_add(out, vkey,
	    plus == NULL ? strlen(vkey) : (size_t)(plus - vkey));
}

static void
add_signer(struct tf_buf *out, const struct check *c)
{
	const struct tf_report *r = &c->report;

	tf_buf_str(out, r->pinned ? "signed by " : "signed by its own key ");
	add_key(out, r->signer[0] != '\0' ? r->signer : r->vkey);
	if (!r->pinned)
		tf_buf_str(out, ", which --vkey did not pin");
	else if (r->signer[0] != '\0' && strcmp(r->signer, r->vkey) != 0)
		tf_buf_str(out, ", which replaced the key given");
}

/* "workflow t/w"; several packages have several subjects. */
static void
add_subject(struct tf_buf *out, const struct check *c)
{
	static const char *const kinds[] = { "trail", "workflow",
		"attestation" };
	size_t level = 0;

	if (c->form == CHECK_PACKAGES) {
		add_count(out, c->packages, "package that you may read",
		    "packages that you may read");
		return;
	}
	if (c->about.n == 1 && c->about.p[0] == '.') {
		tf_buf_str(out, "the whole vault");
		return;
	}
	for (size_t i = 0; i < c->about.n; i++)
		level += c->about.p[i] == '/';
	if (level < sizeof(kinds) / sizeof(kinds[0]))
		tf_buf_printf(out, "%s ", kinds[level]);
	tf_buf_add(out, c->about.p, c->about.n);
}

/* Evidence that two people had deleted, and texts, are not there, and need not
 * be. */
static void
add_exceptions(struct tf_buf *out, const struct tf_report *r)
{
	uint64_t files = r->redacted > r->held ? r->redacted - r->held : 0;
	uint64_t texts = r->redacted_texts + r->absent_texts;

	if (files + texts == 0)
		return;
	tf_buf_str(out, " but for ");
	if (files > 0)
		add_count(out, files, "redacted file", "redacted files");
	if (files > 0 && texts > 0)
		tf_buf_str(out, " and ");
	if (texts > 0)
		add_count(out, texts, "text of an entry", "texts of entries");
}

/* Does a seal in the package count everything that belongs to its subject? */
static bool
is_counted(const struct tf_report *r)
{
	return r->unsealed == 0 && !r->cut;
}

/* For what it is complete. */
static void
add_complete(struct tf_buf *out, const struct check *c)
{
	const struct tf_report *r = &c->report;

	switch (c->form) {
	case CHECK_STORE:
	case CHECK_LOG:
		tf_buf_printf(out, ", complete for the %s's ",
		    c->form == CHECK_STORE ? "store" : "log");
		add_count(out, r->entries, "entry", "entries");
		add_exceptions(out, r);
		break;
	case CHECK_PACKAGE:
	case CHECK_PACKAGES:
		if (!is_counted(r))
			break;
		tf_buf_str(out, ", complete for ");
		add_subject(out, c);
		add_exceptions(out, r);
		break;
	case CHECK_PROOF:
		tf_buf_printf(out,
		    c->contents ? ", the file is what entry %llu recorded as " :
				  ", entry %llu in it is about ",
		    (unsigned long long)c->about_seq);
		tf_buf_add(out, c->about.p, c->about.n);
		break;
	case CHECK_AGAINST:
		break;
	}
}

/* What the sentence before does not cover. */
static void
add_limits(struct tf_buf *out, const struct check *c)
{
	const struct tf_report *r = &c->report;

	if (check_is_package(c) && !is_counted(r)) {
		tf_buf_str(out, "; not known to be complete for ");
		add_subject(out, c);
		if (r->cut)
			tf_buf_str(out,
			    r->selected ?
				": it has selected workflows only" :
				": it has the workflows of some time only");
		else
			tf_buf_printf(out, ": %llu in it not sealed",
			    (unsigned long long)r->unsealed);
		add_exceptions(out, r);
	}
	if (check_is_package(c) && r->may_be_repeated)
		tf_buf_str(out, "; later versions of it may exist");
	if (r->unproven > 0) {
		tf_buf_str(out, "; proven by nothing: ");
		add_count(out, r->unproven, "file for reading",
		    "files for reading");
	}
	if (!c->contents && c->form != CHECK_AGAINST)
		tf_buf_str(out,
		    c->form == CHECK_PROOF ? "; the file was not checked" :
					     "; the evidence was not checked");
	if (r->unread > 0) {
		tf_buf_str(out, "; not read this time: ");
		add_count(out, r->unread, "older file", "older files");
	}
	if (r->unknown > 0) {
		tf_buf_str(out, "; of types that this version does not know: ");
		add_count(out, r->unknown, "entry", "entries");
	}
}

static void
add_same(struct tf_buf *out, const struct check *c)
{
	tf_buf_str(out,
	    "the directory has, byte for byte, all that the ledger of ");
	text_add(out, c->report.origin, strlen(c->report.origin));
	tf_buf_str(out, " has");
	if (c->compared != NULL && strcmp(c->compared, ".") != 0) {
		tf_buf_str(out, " for ");
		text_add(out, c->compared, strlen(c->compared));
	}
	if (c->timed)
		tf_buf_str(out, " in workflows of the time given");
	tf_buf_str(out, ", ");
	add_count(out, c->report.files, "file", "files");
	add_exceptions(out, &c->report);
	tf_buf_str(out, "; the ledger itself was not verified");
}

/* --- what does not hold --------------------------------------------------- */

/* The first finding of a check that is of this kind, or NULL. */
static const struct check_finding *
first_of(const struct check_result *l, enum tf_grade grade)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->kept[i].grade == grade)
			return &l->kept[i];
	return NULL;
}

/* "contents: entry 7, t/w/a/f: altered" */
static void
add_finding(struct tf_buf *out, enum tf_check check,
    const struct check_finding *f)
{
	tf_buf_printf(out, "%s: ", tf_check_name(check));
	if (f->seq != UINT64_MAX)
		tf_buf_printf(out, "entry %llu%s", (unsigned long long)f->seq,
		    f->path[0] != '\0' ? ", " : ": ");
	if (f->path[0] != '\0')
		tf_buf_printf(out, "%s: ", f->path);
	tf_buf_str(out, f->text);
}

/* The first finding of that grade: a wrong signature explains the others. */
static void
add_first(struct tf_buf *out, const struct check *c, enum tf_grade grade)
{
	const struct check_finding *f = first_of(&c->check[TF_CHECK_SIGNATURE],
	    grade);
	enum tf_check check = TF_CHECK_SIGNATURE;

	for (int l = 0; l < TF_CHECKS && f == NULL; l++)
		if ((f = first_of(&c->check[l], grade)) != NULL)
			check = (enum tf_check)l;
	if (f == NULL)
		return;
	tf_buf_str(out, ": ");
	add_finding(out, check, f);
}

static void
add_failed(struct tf_buf *out, const struct check *c)
{
	const struct tf_report *r = &c->report;

	if (r->foreign)
		tf_buf_str(out, "not signed by the key given, and ");
	add_count(out, r->findings - r->beside, "finding",
	    "findings, the first");
	add_first(out, c, TF_GRADE_WRONG);
	switch (c->form) {
	case CHECK_STORE:
		tf_buf_str(out,
		    ". Keep the store as it is, and compare it with a mirror "
		    "or a backup: trailctl compare");
		break;
	case CHECK_AGAINST:
		tf_buf_str(out,
		    ". Keep the directory as it is, and copy what differs "
		    "again");
		break;
	default:
		tf_buf_str(out,
		    ". Do not rely on it: keep it, and ask for another copy");
		break;
	}
}

static void
add_foreign(struct tf_buf *out, const struct check *c)
{
	tf_buf_str(out, "not signed by the key given: it is of the log ");
	text_add(out, c->report.origin, strlen(c->report.origin));
	tf_buf_str(out,
	    " and only agrees with itself. Do not rely on it, unless the owner "
	    "of that log gives you its key");
}

/* What makes a check possible that was requested and could not be made. */
static const char *
what_to_do(const struct check *c, enum tf_check check)
{
	switch (check) {
	case TF_CHECK_CONTENTS:
		if (c->report.absent > 0)
			return ". Fetch the copy without --names, and verify "
			       "again";
		break;
	case TF_CHECK_SIGNATURE:
		return ". Verify again when it is signed";
	case TF_CHECK_EARLIER:
		return ". Verify the whole log with that checkpoint";
	case TF_CHECK_WITNESS:
		return ". Have it cosigned by them, and verify again";
	case TF_CHECK_TIMESTAMP:
		return ". Have it stamped, or give the certificates of who "
		       "stamped it";
	default:
		break;
	}
	return ". Make it readable, and verify again";
}

/* Why checks that were requested could not be made, and what to do. */
static void
add_undecided(struct tf_buf *out, const struct check *c)
{
	const struct check_finding *f;
	const char *sep = ", but ";

	tf_buf_str(out, "no damage found in what was checked");
	if (check_left_any(c)) {
		tf_buf_printf(out,
		    "%syou may not read all of it. Ask somebody who may", sep);
		sep = "; and ";
	}
	if (c->report.newer > 0) {
		tf_buf_str(out, sep);
		add_count(out, c->report.newer, "entry is of a later version",
		    "entries are of a later version");
		tf_buf_str(out, ". Verify with a later trailfs");
		sep = "; and ";
	}
	for (int l = 0; l < TF_CHECKS; l++) {
		if (c->report.check[l] != TF_VERDICT_ABSENT ||
		    verdict_may_be_absent(c, (enum tf_check)l))
			continue;
		tf_buf_str(out, sep);
		sep = "; and ";
		f = first_of(&c->check[l], TF_GRADE_UNREAD);
		if (f != NULL) {
			add_finding(out, (enum tf_check)l, f);
		} else {
			tf_buf_printf(out,
			    "%s: ", tf_check_name((enum tf_check)l));
			verdict_detail(out, c, (enum tf_check)l);
		}
		tf_buf_str(out, what_to_do(c, (enum tf_check)l));
	}
}

/* --- the line ------------------------------------------------------------- */

static void
add_good(struct tf_buf *out, const struct check *c, bool beside)
{
	const struct tf_report *r = &c->report;

	tf_buf_str(out,
	    c->form == CHECK_AGAINST ? "SAME" :
		r->pinned	     ? "GENUINE" :
				       "WHOLE");
	tf_buf_str(out, ": ");
	if (c->form == CHECK_AGAINST) {
		add_same(out, c);
	} else {
		add_signer(out, c);
		add_complete(out, c);
		tf_buf_str(out,
		    c->form == CHECK_LOG && !c->contents ?
			", no entry was altered" :
			r->unread > 0 ? ", nothing that was read was altered" :
					", nothing recorded was altered");
		add_limits(out, c);
	}
	if (!beside)
		return;
	tf_buf_str(out, ". ");
	add_count(out, r->beside, "finding beside the evidence",
	    "findings beside the evidence, the first");
	add_first(out, c, TF_GRADE_BESIDE);
}

void
verdict_line(const struct check *c, struct tf_buf *out)
{
	switch (verdict_status(c)) {
	case REPORT_OK:
		add_good(out, c, false);
		break;
	case REPORT_FINDING:
		add_good(out, c, true);
		break;
	case REPORT_FOREIGN:
		tf_buf_str(out, "FAILED: ");
		add_foreign(out, c);
		break;
	case REPORT_DOUBT:
		tf_buf_str(out, "UNDECIDED: ");
		add_undecided(out, c);
		break;
	default:
		tf_buf_str(out, "FAILED: ");
		add_failed(out, c);
		break;
	}
}
