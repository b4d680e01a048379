/* tf_view_page: chooses the page of a directory by its kind.  The kind comes
 * from the row in the ledger: a directory that is not there yet has nothing
 * that a page could show. */
#include "../page.h"
#include "page.h"
#include "page_dirs.h"
#include "page_workflow.h"
#include "view.h"

enum tf_code
tf_view_page(struct tf_view *w, uint64_t id, const struct tf_page_links *links,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_page p = { .w = w, .out = out, .links = links };
	enum tf_code rc = tf_page_begin(&p, id, err);

	if (rc == TF_OK) {
		switch (p.row.attr.kind) {
		case TF_KIND_ROOT:
			rc = tf_page_root(&p, err);
			break;
		case TF_KIND_TRAIL:
			rc = tf_page_trail(&p, err);
			break;
		case TF_KIND_WORKFLOW:
			rc = tf_page_workflow(&p, err);
			break;
		default:
			rc = tf_fail(err, TF_NOTFOUND,
			    "the directory has no page");
		}
	}
	if (rc == TF_OK)
		tf_page_foot(&p);
	return tf_page_end(&p, rc, err);
}
