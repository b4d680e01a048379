/* The words of compliance: see status_words.h. */
#include "status_words.h"

#include "../base/bytes.h"
#include "status_report.h"

const char *
tf_compliance_word(enum tf_compliance c)
{
	return c == TF_COMPLIANT  ? "COMPLIANT" :
	    c == TF_NON_COMPLIANT ? "NON-COMPLIANT" :
	    c == TF_INCOMPLETE	  ? "INCOMPLETE" :
				    "DAMAGED";
}

const char *
tf_item_word(enum tf_item_state s)
{
	return s == TF_ITEM_COMPLETE ? "COMPLETE" :
	    s == TF_ITEM_MISSING     ? "MISSING" :
				       "DAMAGED";
}

const char *
tf_cause_word(enum tf_cause c)
{
	static const char *const words[TF_CAUSES] = {
		[TF_CAUSE_NONE] = "",
		[TF_CAUSE_DAMAGED] = "damaged",
		[TF_CAUSE_OVERRIDDEN] = "overridden",
		[TF_CAUSE_DENIED] = "denied",
		[TF_CAUSE_FAILED] = "failed",
		[TF_CAUSE_USER] = "user",
		[TF_CAUSE_LATE] = "late",
		[TF_CAUSE_ORDER] = "order",
		[TF_CAUSE_TYPE] = "type",
		[TF_CAUSE_COUNT] = "count",
		[TF_CAUSE_USERS] = "users",
		[TF_CAUSE_OPEN] = "open",
		[TF_CAUSE_MISSING] = "missing",
	};

	return words[c];
}

static const char *const reasons[TF_CAUSES] = {
	[TF_CAUSE_DAMAGED] = "a record about it cannot be read",
	[TF_CAUSE_OVERRIDDEN] = "an override says that it is not compliant",
	[TF_CAUSE_DENIED] = "it was reported as not compliant",
	[TF_CAUSE_FAILED] = "its evidence did not pass the checks",
	[TF_CAUSE_USER] = "it was reported by a user who may not report it",
	[TF_CAUSE_LATE] = "it was reported after its deadline",
	[TF_CAUSE_OPEN] = "it has begun and does not count yet",
	[TF_CAUSE_MISSING] = "nothing was reported",
};

void
tf_status_why(const struct tf_status_item *m, struct tf_buf *out)
{
	struct tf_str claimed = m->claimed.p != NULL ? m->claimed :
						       tf_str_of("generic");

	if (reasons[m->cause] != NULL)
		tf_buf_str(out, reasons[m->cause]);
	else if (m->cause == TF_CAUSE_ORDER)
		tf_buf_printf(out, "it began before %.*s counted",
		    (int)m->before.n, m->before.p);
	else if (m->cause == TF_CAUSE_TYPE)
		tf_buf_printf(out, "its type is %.*s, not %.*s", (int)claimed.n,
		    claimed.p, (int)m->type.n, m->type.p);
	else if (m->cause == TF_CAUSE_COUNT)
		tf_buf_printf(out, "%zu of %u reports", m->sufficient,
		    (unsigned)tf_slot_needs(m->slot));
	else if (m->cause == TF_CAUSE_USERS)
		tf_buf_printf(out, "reports of %zu of %u different users",
		    m->sufficient, (unsigned)tf_slot_needs(m->slot));
	if (m->overdue)
		tf_buf_str(out, "; its deadline has passed");
}
