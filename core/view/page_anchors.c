/*
 * The table of anchors: what a mirror, a witness or an authority outside of this
 * machine has seen of the ledger, and when.
 *
 * An age needs a "now", so only a page of the present has one.  In a package and
 * in an earlier state the time alone is shown, and the same state gives the same
 * bytes.  Anchors that came after the entries of the view are not shown.
 */
#include "page_anchors.h"

#include "../base/html.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../page.h"
#include "../store/anchors.h"
#include "../types.h"
#include "page.h"
#include "view.h"

static const struct tf_str none = { NULL, 0 };

struct listing {
	struct tf_page *p;
	uint64_t last;
	size_t n;
};

/* Write how long ago the loaded anchor was recorded. */
static void
put_age(struct tf_page *p)
{
	char age[TF_SPAN_LEN + 1];
	bool moved;
	int64_t s;

	if (!p->loaded.is)
		return;
	s = p->w->now.s - tf_entry_when(&p->loaded.d.e, &moved).s;
	tf_span_text(s > 0 ? s : 0, age);
	tf_html(&p->b, "%s", age);
}

static enum tf_code
put_one(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct listing *l = arg;
	struct tf_page *p = l->p;
	bool live = tf_page_is_live(p);
	enum tf_code rc;

	if (r->seq >= p->w->entries)
		return TF_OK;
	if ((rc = tf_loaded_entry_try(p->w, r->seq, &p->loaded, NULL, err)) !=
	    TF_OK)
		return rc;
	if (l->n++ == 0)
		tf_page_table(p, "Anchors", none,
		    live && l->last != TF_NO_SEQ ?
			"Kind|By|#Entries|Recorded|Age|Covers this page" :
			live ? "Kind|By|#Entries|Recorded|Age" :
			l->last != TF_NO_SEQ ?
			       "Kind|By|#Entries|Recorded|Covers this page" :
			       "Kind|By|#Entries|Recorded");
	tf_html(&p->b,
	    "<tr><td>%s</td><th scope=\"row\"><bdi>%s</bdi></th>"
	    "<td class=\"n\">%llu</td><td>",
	    r->kind, r->name, (unsigned long long)r->size);
	tf_page_time(p, &p->loaded);
	if (live) {
		tf_html(&p->b, "</td><td>");
		put_age(p);
	}
	if (l->last != TF_NO_SEQ)
		tf_html(&p->b, "</td><td>%s",
		    r->size > l->last ? "all of it" : "not its end");
	tf_html(&p->b, "</td></tr>\n");
	return tf_page_flush(p, err);
}

enum tf_code
tf_page_anchors(struct tf_page *p, uint64_t last, struct tf_error *err)
{
	struct listing l = { p, last, 0 };
	enum tf_code rc;

	tf_html(&p->b, "<h2>Anchors</h2>\n");
	rc = tf_anchors_newest(p->w->db, put_one, &l, err);
	if (l.n > 0)
		tf_page_table_end(p);
	else
		tf_html(&p->b,
		    "<p>None: no mirror, witness or time stamp outside of this "
		    "machine is recorded.</p>\n");
	return rc;
}
