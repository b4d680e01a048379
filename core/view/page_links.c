/*
 * The links of the pages, in a mount or in a package.  See core/page.h.
 *
 * All links are relative, so that a mount can be copied or served below any
 * path.  The page asks for a target by its meaning, and a function finds the
 * file: the one below for a mount, that of package/pages.c for a package, where
 * other files exist under other names.  A text without a target is written
 * without a link, because a dead link in evidence looks as if something had
 * been removed.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/html.h"
#include "../buffer.h"
#include "../control.h"
#include "../ledger/name.h"
#include "../page.h"
#include "page.h"
#include "page_links.h"

static const struct tf_str none = { NULL, 0 };

/* Append three strings; name is what differs from link to link. */
static void
add(struct tf_buf *out, const char *before, struct tf_str name,
    const char *after)
{
	tf_buf_str(out, before);
	tf_buf_add(out, name.p, name.n);
	tf_buf_str(out, after);
}

/* Append the path of a file below .trailfs/ of the attestation. */
static void
beside(struct tf_buf *out, struct tf_str name, const char *file)
{
	add(out, "../", name, "/" TF_CONTROL_DIR "/");
	tf_buf_str(out, file);
}

/* Append the path of the proof of an evidence file; false if its name is too
 * long for the suffix. */
static bool
proof_of(struct tf_buf *out, const struct tf_page_target *t)
{
	const char *slash = memrchr(t->path.p, '/', t->path.n);
	size_t last = slash == NULL ?
	    t->path.n :
	    t->path.n - (size_t)(slash + 1 - t->path.p);

	if (last + strlen(TF_CONTROL_PROOF_SUFFIX) > TF_NAME_MAX)
		return false; /* the proof has a cut name: see control.h */
	beside(out, t->name, TF_CONTROL_PROOF "/");
	add(out, "", t->path, TF_CONTROL_PROOF_SUFFIX);
	return true;
}

/* The links of a page that lies under .trailfs of its directory. */
static bool
find_in_mount(void *arg, const struct tf_page_target *t, struct tf_buf *out)
{
	unsigned up = (unsigned)t->page; /* levels above: root is 0 */

	(void)arg;
	switch (t->link) {
	case TF_PAGE_UP:
		tf_buf_str(out, "../../" TF_CONTROL_DIR "/" TF_CONTROL_PAGE);
		return up > 0;
	case TF_PAGE_VAULT:
		for (unsigned i = 0; i <= up; i++)
			tf_buf_str(out, "../");
		tf_buf_str(out, TF_CONTROL_DIR "/" TF_CONTROL_PAGE);
		return up > 0;
	case TF_PAGE_BELOW:
		beside(out, t->name, TF_CONTROL_PAGE);
		return true;
	case TF_PAGE_STATUS:
		tf_buf_str(out, TF_CONTROL_STATUS);
		return true;
	case TF_PAGE_EVENTS:
		tf_buf_str(out, TF_CONTROL_EVENTS);
		return true;
	case TF_PAGE_PACKAGE:
		tf_buf_str(out, TF_CONTROL_PACKAGE);
		return up > 0;
	case TF_PAGE_CHECKPOINT:
	case TF_PAGE_KEY:
		for (unsigned i = 0; i < up; i++)
			tf_buf_str(out, "../");
		if (up > 0)
			tf_buf_str(out, "../" TF_CONTROL_DIR "/");
		tf_buf_str(out,
		    t->link == TF_PAGE_KEY ? TF_CONTROL_VKEY :
					     TF_CONTROL_CHECKPOINT);
		return true;
	case TF_PAGE_ATTESTATION:
		beside(out, t->name, TF_CONTROL_ATTESTATION);
		return true;
	case TF_PAGE_SUMS:
		beside(out, t->name, TF_CONTROL_SUMS);
		return true;
	case TF_PAGE_INTOTO:
		beside(out, t->name, TF_CONTROL_INTOTO);
		return true;
	case TF_PAGE_REPORT:
		beside(out, t->name, TF_CONTROL_EVALUATION);
		return true;
	case TF_PAGE_USER_DATA:
		beside(out, t->name, TF_CONTROL_USER_DATA);
		return true;
	case TF_PAGE_SEAL_PROOF:
		beside(out, t->name, TF_CONTROL_SEAL_PROOF);
		return true;
	case TF_PAGE_EVIDENCE:
		add(out, "../", t->name, "/");
		tf_buf_add(out, t->path.p, t->path.n);
		return true;
	case TF_PAGE_PROOF:
		return proof_of(out, t);
	case TF_PAGE_REPLAY:
		beside(out, t->name, TF_CONTROL_REPLAY "/");
		add(out, "", t->path, TF_CONTROL_REPLAY_SUFFIX);
		return true;
	}
	return false;
}

/* The same below .trailfs/at, where there is only what follows from the ledger of
 * that moment. */
static bool
find_in_past(void *arg, const struct tf_page_target *t, struct tf_buf *out)
{
	switch (t->link) {
	case TF_PAGE_PACKAGE:
	case TF_PAGE_CHECKPOINT:
	case TF_PAGE_KEY:
	case TF_PAGE_SEAL_PROOF:
	case TF_PAGE_PROOF:
	case TF_PAGE_REPLAY:
		return false;
	default:
		return find_in_mount(arg, t, out);
	}
}

void
tf_page_link(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, struct tf_str text)
{
	static const struct tf_page_links in_mount = { find_in_mount, NULL },
					  in_past = { find_in_past, NULL };
	const struct tf_page_links *l = p->links != NULL ? p->links :
	    p->w->past					 ? &in_past :
							   &in_mount;
	struct tf_page_target t = { link, p->row.attr.kind, name, path,
		p->loaded.seq };
	struct tf_buf to = { 0 }, href = { 0 };
	bool linked = l->find(l->arg, &t, &to) && to.n > 0;

	if (linked) {
		tf_html_path(&href, to.p, to.n);
		p->b.failed = p->b.failed || href.failed;
		tf_html(&p->b, "<a href=\"%s\">", href.failed ? "" : href.p);
	}
	/* dir="ltr": letters of a right-to-left script must not move the
	 * suffix of the name to another place. */
	tf_html(&p->b, "<bdi dir=\"ltr\">%.*s</bdi>", (int)text.n, text.p);
	if (linked)
		tf_html(&p->b, "</a>");
	p->b.failed = p->b.failed || to.failed;
	tf_buf_free(&to);
	tf_buf_free(&href);
}

void
tf_page_word(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, const char *text)
{
	tf_page_link(p, link, name, path, tf_str_of(text));
}

/* Write the link to package.zip only for an asker who may open it: the owner of
 * the directory, or an asker who may read everything. */
static void
put_package(struct tf_page *p)
{
	/* A page in a package has no link to a package, nor one of the past. */
	if (p->links != NULL || p->w->past ||
	    (!p->w->all && p->w->who.uid != p->row.attr.uid))
		return;
	tf_html(&p->b, ", ");
	tf_page_word(p, TF_PAGE_PACKAGE, none, none, TF_CONTROL_PACKAGE);
}

void
tf_page_programs(struct tf_page *p)
{
	tf_html(&p->b, "<dt>Files for programs</dt><dd>");
	tf_page_word(p, TF_PAGE_STATUS, none, none, "status.json");
	tf_html(&p->b, ", ");
	tf_page_word(p, TF_PAGE_EVENTS, none, none, "events.jsonl");
	put_package(p);
	tf_html(&p->b, "</dd>\n</dl>\n");
}
