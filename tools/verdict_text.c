/*
 * The result of trailctl verify for people: the verdict, and one line per check.
 *
 * A line has the name of the check, its word, and what exactly was compared, so
 * that a reader sees how far an OK goes: whose key it was, how many files, what
 * may be missing from a package. An ABSENT line says how the check can be had.
 */
#include <string.h>

#include "core/anchor.h"
#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "report.h"
#include "text.h"
#include "verdict.h"

static void
add_count(struct tf_buf *out, uint64_t n, const char *what)
{
	tf_buf_printf(out, "%llu %s%s", (unsigned long long)n, what,
	    n == 1 ? "" : "s");
}

/*
 * Types that came later are counted; entries of a later version are in doubt.
 */
static void
add_entries(struct tf_buf *out, const struct tf_report *r)
{
	if (r->entries == 1)
		tf_buf_str(out, "1 entry");
	else
		tf_buf_printf(out, "%llu entries",
		    (unsigned long long)r->entries);
	if (r->members > 0)
		tf_buf_printf(out, " of an organisation with %llu member%s",
		    (unsigned long long)r->members, r->members == 1 ? "" : "s");
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
		    r->selected ?
			"; workflows that were not selected are left out" :
			"; workflows begun at other times are left out");
}

/* How far the quorum of the caller's policy goes. */
static void
add_quorum(struct tf_buf *out, const struct check *c)
{
	const struct tf_quorum_report *q = &c->report.quorum;

	tf_buf_str(out, "the quorum ");
	text_add(out, c->quorum, strlen(c->quorum));
	tf_buf_printf(out, " is met up to %llu of ",
	    (unsigned long long)q->size);
	tf_buf_printf(out, "%llu entries, by %zu of %zu witnesses",
	    (unsigned long long)c->report.size, q->cosigned, q->of);
}

/* What OK means for this check. */
static void
add_good(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	const struct tf_report *r = &c->report;
	char hex[2 * sizeof(r->root.b) + 1], at[TF_TIME_LEN + 1];

	switch (check) {
	case TF_CHECK_PACKAGE:
		tf_buf_str(out, "what its manifests list, and nothing else");
		if (r->unpacked)
			tf_buf_str(out, ", unpacked");
		break;
	case TF_CHECK_CONTENTS:
		add_count(out, r->files - r->unread - r->absent, "file");
		tf_buf_str(out, ", ");
		add_count(out, r->bytes, "byte");
		if (r->unread > 0)
			tf_buf_printf(out,
			    "; %llu older not read this time: their sizes and "
			    "places only",
			    (unsigned long long)r->unread);
		if (r->redacted > r->held)
			tf_buf_printf(out, "; %llu redacted, without bytes",
			    (unsigned long long)(r->redacted - r->held));
		if (r->held > 0)
			tf_buf_printf(out,
			    "; %llu redacted at the source, still held here",
			    (unsigned long long)r->held);
		if (r->texts > 0) {
			tf_buf_str(out, "; ");
			add_count(out, r->texts, "text");
		}
		if (r->redacted_texts > 0) {
			tf_buf_str(out, "; ");
			add_count(out, r->redacted_texts, "redacted text");
		}
		if (r->absent_texts > 0) {
			tf_buf_str(out, "; ABSENT: ");
			add_count(out, r->absent_texts, "text");
		}
		if (r->unpacked && c->form == CHECK_AGAINST)
			tf_buf_str(out, ", of an unpacked package");
		break;
	case TF_CHECK_EVALUATION:
		add_count(out, r->judged, "attestation");
		tf_buf_str(out, " judged again, with the same report");
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
		tf_hex(r->root.b, sizeof(r->root.b), hex);
		tf_buf_str(out, hex);
		break;
	case TF_CHECK_TILES:
		tf_buf_str(out, "what the entries give");
		break;
	case TF_CHECK_SIGNATURE:
		tf_buf_str(out, "of ");
		text_add(out, r->origin, strlen(r->origin));
		tf_buf_str(out,
		    r->pinned ? ", by the key given" :
				", by the store's own key; --vkey pins it");
		break;
	case TF_CHECK_EARLIER:
		tf_buf_str(out, "what it has are the first entries of now");
		break;
	case TF_CHECK_TIMESTAMP:
		tf_time_text(r->stamped_at, at);
		tf_buf_printf(out, "the first %llu entries existed at %s",
		    (unsigned long long)r->stamped, at);
		break;
	case TF_CHECK_WITNESS:
		add_quorum(out, c);
		break;
	default:
		break;
	}
}

/* Why no time stamp proves anything. */
static const char *
why_no_stamp(const struct check *c)
{
	if (c->report.stamps == 0)
		return c->form == CHECK_STORE || check_is_package(c) ?
		    "none was recorded" :
		    "none was asked";
	if (!c->stamps)
		return "judge the recorded ones with --tsa-ca";
	return c->report.stamped > 0 ?
	    "none is about all of it" :
	    "your certificates vouch for none of the recorded ones";
}

/* What there is of mirrors and witnesses, whose keys only the ledger names. */
static void
add_receipts(struct tf_buf *out, const struct tf_report *r)
{
	if (r->anchors == 0) {
		tf_buf_str(out, TF_ANCHOR_NONE);
		return;
	}
	if (r->cosigned == 0 && r->uncosigned == 0) {
		tf_buf_str(out,
		    "no mirror or witness has cosigned; there are "
		    "time stamps only");
		return;
	}
	add_count(out, r->cosigned, "receipt");
	tf_buf_str(out, r->cosigned == 1 ? " fits" : " fit");
	if (r->cosigned > 0)
		tf_buf_printf(out,
		    ", up to %llu entries; who made them is the ledger's word",
		    (unsigned long long)r->cosigned_size);
	if (r->uncosigned > 0)
		tf_buf_printf(out, "; the bytes of %llu are not here",
		    (unsigned long long)r->uncosigned);
}

/* The option that would have requested the check, or why there is none. */
static const char *
why_absent(const struct check *c, enum tf_check check)
{
	if (check == TF_CHECK_TIMESTAMP && c->form != CHECK_AGAINST)
		return why_no_stamp(c);
	/* If something could not be verified, another check has the reason. */
	if (!verdict_may_be_absent(c, check))
		return check == TF_CHECK_WITNESS ?
		    (c->report.quorum.met ?
			    "the quorum has cosigned too few entries" :
			    "no witness of the policy has cosigned a "
			    "checkpoint") :
		    check == TF_CHECK_EARLIER && c->report.foreign ?
		    "it is not of this log" :
		    check == TF_CHECK_EARLIER &&
			(c->form == CHECK_PROOF || check_is_package(c)) ?
		    "no checkpoint or anchor here has as many entries" :
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
		return check_is_package(c) ? "a package has none" :
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
add_notes(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	const struct tf_report *r = &c->report;

	if (check == TF_CHECK_PACKAGE && r->unproven > 0) {
		tf_buf_str(out, "; ");
		add_count(out, r->unproven, "file");
		tf_buf_str(out, " in it UNPROVEN");
	}
	if (r->harmless > 0 &&
	    check ==
		(check_is_package(c) ? TF_CHECK_PACKAGE : TF_CHECK_NAMES)) {
		tf_buf_str(out, "; ");
		add_count(out, r->harmless, "harmless file");
		tf_buf_str(out, " beside it");
	}
	if (check == TF_CHECK_CONTENTS && r->survived > 0) {
		tf_buf_str(out, "; ");
		add_count(out, r->survived, "file");
		tf_buf_str(out, " with last bytes in doubt");
	}
}

void
verdict_detail(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	switch (c->report.check[check]) {
	case TF_VERDICT_OK:
		add_good(out, c, check);
		break;
	case TF_VERDICT_FAILED:
		if (check == TF_CHECK_SIGNATURE && c->report.foreign &&
		    c->check[check].found == 0) {
			tf_buf_str(out,
			    "not signed by the key given: it is of ");
			text_add(out, c->report.origin,
			    strlen(c->report.origin));
			tf_buf_str(out,
			    ", so nothing is proven: the package only agrees "
			    "with itself");
			break;
		}
		add_count(out, c->check[check].found, "finding");
		add_beside(out, &c->check[check]);
		if (check == TF_CHECK_WITNESS && c->report.quorum.cosigned > 0)
			tf_buf_printf(out,
			    "; %zu of %zu witnesses have cosigned %llu entries",
			    c->report.quorum.cosigned, c->report.quorum.of,
			    (unsigned long long)c->report.quorum.size);
		break;
	case TF_VERDICT_ABSENT:
		if (check == TF_CHECK_WITNESS && c->quorum == NULL &&
		    (c->form == CHECK_STORE || c->form == CHECK_LOG ||
			(check_is_package(c) && c->report.cosigned > 0)))
			add_receipts(out, &c->report);
		else
			tf_buf_str(out, why_absent(c, check));
		break;
	}
	add_notes(out, c, check);
}

void
verdict_findings(struct tf_buf *out, const struct check_result *l,
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

/* What the caller asked for and may not read. */
static void
add_left(struct tf_buf *out, const struct check *c)
{
	const char *label = "left out";

	if (c->left_ledger) {
		tf_buf_printf(out,
		    "%-18s  the ledger of the vault as a whole\n", label);
		label = "";
	}
	for (size_t i = 0; i < c->n_left; i++, label = "")
		tf_buf_printf(out, "%-18s  %s: you may not read all of it\n",
		    label, c->left[i]);
	if (c->left_paths > c->n_left)
		tf_buf_printf(out, "%-18s  and %llu more\n", "",
		    (unsigned long long)(c->left_paths - c->n_left));
}

/* People read the top first. */
void
verdict_table(const struct check *c, struct tf_buf *out)
{
	verdict_line(c, out);
	tf_buf_str(out, "\n");
	tf_buf_add(out, c->subject_lines.p, c->subject_lines.n);
	if (check_left_any(c))
		add_left(out, c);
	for (int l = 0; l < TF_CHECKS; l++) {
		if (!verdict_shows(c, (enum tf_check)l))
			continue;
		tf_buf_printf(out, "%-18s  %-6s  ",
		    tf_check_name((enum tf_check)l),
		    verdict_word(c->report.check[l]));
		verdict_detail(out, c, (enum tf_check)l);
		tf_buf_str(out, "\n");
		verdict_findings(out, &c->check[l], "    ");
	}
}
