/*
 * The pages of a package: the files of core/page.h, with links that hold inside
 * the package.
 *
 * A package has other names than a mount, and not all of its files: find() maps
 * each target to the member that has it, or says that there is none.
 */
#include <unistd.h>

#include "../archive/format.h"
#include "../archive/names.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../base/bytes.h"
#include "../page.h"
#include "../store/nodes.h"
#include "../view/view.h"
#include "pages.h"

struct page {
	struct tf_package_pages *g;
	const struct tf_package_dir *d;
	const char
	    *up; /* from the page to the topmost directory, "": it is there */
};

/* --- links ---------------------------------------------------------------- */

static bool
add(struct tf_buf *out, const char *a, struct tf_str b, const char *c)
{
	tf_buf_str(out, a);
	tf_buf_add(out, b.p, b.n);
	tf_buf_str(out, c);
	return true;
}

/* Append the stored name of path in the trail, workflow or attestation name of this
 * directory. */
static bool
add_stored(struct page *p, struct tf_str name, struct tf_str path,
    struct tf_buf *out)
{
	struct tf_buf whole = { 0 };
	struct tf_str rel = tf_package_below(p->g->p, p->d->path);

	if (rel.n > 0)
		add(&whole, "", rel, "/");
	add(&whole, "", name, "");
	if (path.n > 0)
		add(&whole, "/", path, "");
	if (!whole.failed)
		tf_package_stored(p->g->names,
		    (struct tf_str){ whole.p, whole.n }, out);
	out->failed = out->failed || whole.failed;
	tf_buf_free(&whole);
	return true;
}

/* Append the link to the page above.  A package of a part of a trail or the vault
 * has no pages of these. */
static bool
link_up(const struct page *p, struct tf_buf *out)
{
	const bool beside = p->g->p->kind == TF_KIND_ROOT &&
	    p->d->kind == TF_KIND_WORKFLOW;

	if (*p->up == '\0' || tf_package_is_cut(p->g->p))
		return false;
	tf_buf_printf(out, "%s" TF_PACKAGE_PAGE, beside ? "../" : p->up);
	return true;
}

/* The entry that sealed attestation name of this workflow, or TF_NO_SEQ. */
static uint64_t
seal_of(const struct page *p, struct tf_str name)
{
	struct tf_node_row row;

	return tf_nodes_find(p->g->w->db, p->d->id, name.p, name.n, &row,
		   NULL) == TF_OK ?
	    row.seal :
	    TF_NO_SEQ;
}

/* Proofs of entries other than evidence have the number of the entry as their
 * name. */
static bool
link_seal_proof(const struct page *p, struct tf_str name, struct tf_buf *out)
{
	uint64_t seal = seal_of(p, name);

	tf_buf_printf(out, TF_PACKAGE_EVENT_PROOFS "%llu" TF_PACKAGE_PROOF,
	    (unsigned long long)seal);
	return seal != TF_NO_SEQ;
}

/* Append the member that a link of the page leads to; false if the package has
 * none.  Files of an attestation that only a seal makes are linked only after
 * the seal. */
static bool
find(void *arg, const struct tf_page_target *t, struct tf_buf *out)
{
	static const struct tf_str none;
	struct page *p = arg;

	switch (t->link) {
	case TF_PAGE_UP:
		return link_up(p, out);
	case TF_PAGE_BELOW:
		if (tf_str_same(t->name, p->d->path))
			return false; /* an entry about the vault itself */
		tf_buf_str(out, p->up);
		tf_buf_str(out, TF_PACKAGE_WORKFLOWS);
		return add_stored(p, t->name, none, out) &&
		    add(out, "/" TF_PACKAGE_PAGE, none, "");
	case TF_PAGE_VAULT:
		return p->g->p->kind == TF_KIND_ROOT && *p->up != '\0' &&
		    !tf_package_is_cut(p->g->p) &&
		    add(out, p->up, none, TF_PACKAGE_PAGE);
	case TF_PAGE_PACKAGE:
		return false; /* there is none in a package */
	case TF_PAGE_STATUS:
		return p->d->kind != TF_KIND_ROOT &&
		    add(out, TF_PACKAGE_STATUS, none, "");
	default:
		break;
	}
	tf_buf_str(out, p->up);
	switch (t->link) {
	case TF_PAGE_EVENTS:
		return add(out, TF_PACKAGE_EVENTS, none, "");
	case TF_PAGE_CHECKPOINT:
		return add(out, TF_PACKAGE_CHECKPOINT, none, "");
	case TF_PAGE_KEY:
		return add(out, TF_PACKAGE_VKEY, none, "");
	case TF_PAGE_REPLAY:
		tf_buf_printf(out,
		    TF_PACKAGE_REPLAYS "%llu" TF_PACKAGE_REPLAY_PAGE,
		    (unsigned long long)t->entry);
		return true;
	case TF_PAGE_SEAL_PROOF:
		return link_seal_proof(p, t->name, out);
	case TF_PAGE_EVIDENCE:
		tf_buf_str(out, TF_PACKAGE_DATA);
		return add_stored(p, t->name, t->path, out);
	case TF_PAGE_PROOF:
		tf_buf_str(out, TF_PACKAGE_FILE_PROOFS);
		return add_stored(p, t->name, t->path, out) &&
		    add(out, TF_PACKAGE_PROOF, none, "");
	default:
		if (t->link != TF_PAGE_ATTESTATION &&
		    seal_of(p, t->name) == TF_NO_SEQ)
			return false;
		tf_buf_str(out, TF_PACKAGE_ATTESTATIONS);
		return add_stored(p, t->name, none, out) &&
		    add(out,
			t->link == TF_PAGE_SUMS	      ? TF_PACKAGE_SUMS :
			    t->link == TF_PAGE_INTOTO ? TF_PACKAGE_ENVELOPE :
			    t->link == TF_PAGE_REPORT ? TF_PACKAGE_REPORT :
			    t->link == TF_PAGE_USER_DATA ?
							TF_PACKAGE_USER_DATA :
							TF_PACKAGE_ATTESTATION,
			none, "");
	}
}

/* --- files ---------------------------------------------------------------- */

static enum tf_code
write_page(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;
	const struct tf_page_links links = { find, p };

	return tf_view_page(p->g->w, p->d->id, &links, out, err);
}

static enum tf_code
write_trail_page(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;

	return tf_view_trail_page(p->g->w, p->d->id, out, err);
}

static enum tf_code
write_status(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;

	return tf_view_status(p->g->w, p->d->id, out, err);
}

static enum tf_code
write_attestation(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;

	return tf_view_attestation(p->g->w, p->d->id, out, err);
}

static enum tf_code
write_sums(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;

	return tf_view_sums(p->g->w, p->d->id, out, err);
}

static enum tf_code
write_envelope(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;

	return tf_view_intoto(p->g->w, p->d->id, out, err);
}

static enum tf_code
write_custody(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;

	return tf_view_custody(p->g->w, p->d->id, out, err);
}

/* Add one file; texts.c decides which files a directory has, this table who
 * writes them. */
static enum tf_code
add_text(void *arg, enum tf_package_text text, const char *name,
    struct tf_error *err)
{
	static const tf_package_writer write[] = {
		[TF_PACKAGE_TEXT_PAGE] = write_page,
		[TF_PACKAGE_TEXT_TRAIL_PAGE] = write_trail_page,
		[TF_PACKAGE_TEXT_STATUS] = write_status,
		[TF_PACKAGE_TEXT_ATTESTATION] = write_attestation,
		[TF_PACKAGE_TEXT_SUMS] = write_sums,
		[TF_PACKAGE_TEXT_ENVELOPE] = write_envelope,
		[TF_PACKAGE_TEXT_CUSTODY] = write_custody,
	};
	struct page *p = arg;

	return p->g->text(p->g->arg, name, write[text], p, err);
}

struct replay {
	struct tf_view *w;
	uint64_t node;
	struct tf_str href; /* from the page to the evidence */
};

static enum tf_code
write_replay(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	const struct replay *r = arg;

	return tf_view_replay(r->w, r->node, &r->href, out, err);
}

enum tf_code
tf_package_replay_add(struct tf_package_pages *g, uint64_t node, uint64_t entry,
    const char *data, struct tf_error *err)
{
	uint64_t parts[TF_REPLAY_PARTS];
	struct replay r = { .w = g->w, .node = node };
	struct tf_buf name = { 0 }, href = { 0 };
	size_t n = 0;
	enum tf_code rc = tf_view_replay_parts(g->w, node, parts, &n, err);

	if (rc == TF_OK && n > 0) {
		tf_buf_printf(&name,
		    TF_PACKAGE_REPLAYS "%llu" TF_PACKAGE_REPLAY_PAGE,
		    (unsigned long long)entry);
		tf_buf_printf(&href, "../%s", data);
		r.href = tf_buf_bytes(&href);
		rc = name.failed || href.failed ?
		    tf_nomem(err) :
		    g->text(g->arg, name.p, write_replay, &r, err);
	}
	tf_buf_free(&name);
	tf_buf_free(&href);
	return rc;
}

enum tf_code
tf_package_pages_add(struct tf_package_pages *g, const struct tf_package_dir *d,
    struct tf_error *err)
{
	/* From workflows/NAME/, and from workflows/TRAIL/NAME/. */
	static const char *const ups[] = { "", "../../", "../../../" };
	struct page p = { .g = g, .d = d, .up = "" };

	if (d->kind != TF_KIND_ATTESTATION)
		p.up = ups[d->kind - g->p->kind];
	return tf_package_texts(g->p, g->names, d, add_text, &p, err);
}
