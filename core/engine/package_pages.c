/*
 * What people read of what is in a package: the files of core/page.h, under
 * the names that they have there.
 */
#include <string.h>

#include "package.h"
#include "view.h"

#define UP "../../" /* from a workflow's page in a package of its trail */

struct page {
	struct tf_package_pages *g;
	const struct tf_package_dir *d;
	const char *up; /* from the page to the topmost directory */
};

/* By time: not all workflows of the trail are in it. */
static bool
is_cut(const struct tf_package_place *p)
{
	return p->has_since || p->has_until;
}

bool
tf_package_dir_of(const struct tf_package_place *p, const struct tf_entry *e,
    struct tf_package_dir *d)
{
	enum tf_kind kind;

	switch (e->type) {
	case TF_TRAIL_CREATED:
		kind = TF_KIND_TRAIL;
		break;
	case TF_WORKFLOW_BEGUN:
		kind = TF_KIND_WORKFLOW;
		break;
	case TF_ATTESTATION_BEGUN:
		kind = TF_KIND_ATTESTATION;
		break;
	default:
		return false;
	}
	if (kind < p->kind || (kind == TF_KIND_TRAIL && is_cut(p)))
		return false;
	*d = (struct tf_package_dir){ .kind = kind,
		.id = e->node,
		.path = e->path };
	return true;
}

/* --- links ---------------------------------------------------------------------- */

static bool
add(struct tf_buf *out, const char *a, struct tf_str b, const char *c)
{
	tf_buf_str(out, a);
	tf_buf_add(out, b.p, b.n);
	tf_buf_str(out, c);
	return true;
}

/* The stored name of attestation name of this workflow, and of path in it. */
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

static bool
link_seal_proof(const struct page *p, struct tf_str name, struct tf_buf *out)
{
	uint64_t seal = seal_of(p, name);

	tf_buf_printf(out, TF_PACKAGE_EVENT_PROOFS "%llu" TF_PACKAGE_PROOF,
	    (unsigned long long)seal);
	return seal != TF_NO_SEQ;
}

static bool
find(void *arg, const struct tf_page_target *t, struct tf_buf *out)
{
	static const struct tf_str none;
	struct page *p = arg;

	switch (t->link) {
	case TF_PAGE_UP: /* of a trail that was cut there is no page */
		return *p->up != '\0' && !is_cut(p->g->p) &&
		    add(out, UP TF_PACKAGE_PAGE, none, "");
	case TF_PAGE_BELOW:
		return add(out, TF_PACKAGE_WORKFLOWS, t->name,
		    "/" TF_PACKAGE_PAGE);
	case TF_PAGE_VAULT:
	case TF_PAGE_PACKAGE:
		return false; /* neither is in a package */
	case TF_PAGE_STATUS:
		return add(out, TF_PACKAGE_STATUS, none, "");
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
							TF_PACKAGE_ATTESTATION,
			none, "");
	}
}

/* --- files ------------------------------------------------------------------------ */

static enum tf_code
write_page(void *arg, const struct tf_sink *out, struct tf_error *err)
{
	struct page *p = arg;
	const struct tf_page_links links = { find, p };

	return tf_view_page(p->g->w, p->d->id, &links, out, err);
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
add_text(struct page *p, const char *dir, struct tf_str name, const char *file,
    tf_package_text write, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc;

	add(&b, dir, name, file);
	tf_buf_add(&b, "", 1);
	rc = b.failed ? tf_nomem(err) :
			p->g->text(p->g->arg, b.p, write, p, err);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
add_attestation(struct page *p, struct tf_str stored, struct tf_error *err)
{
	enum tf_code rc = add_text(p, TF_PACKAGE_ATTESTATIONS, stored,
	    TF_PACKAGE_ATTESTATION, write_attestation, err);

	if (rc != TF_OK || !p->d->sealed)
		return rc;
	rc = add_text(p, TF_PACKAGE_ATTESTATIONS, stored, TF_PACKAGE_SUMS,
	    write_sums, err);
	return rc == TF_OK ? add_text(p, TF_PACKAGE_ATTESTATIONS, stored,
				 TF_PACKAGE_ENVELOPE, write_envelope, err) :
			     rc;
}

enum tf_code
tf_package_pages_add(struct tf_package_pages *g, const struct tf_package_dir *d,
    struct tf_error *err)
{
	struct page p = { .g = g, .d = d, .up = "" };
	struct tf_str rel = tf_package_below(g->p, d->path), none = { "", 0 };
	struct tf_buf stored = { 0 };
	enum tf_code rc = TF_OK;

	if (rel.n > 0)
		rc = tf_package_directory(g->names, rel, &stored, err);
	if (rc == TF_OK && stored.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && d->kind == TF_KIND_ATTESTATION) {
		rc = add_attestation(&p, (struct tf_str){ stored.p, stored.n },
		    err);
	} else if (rc == TF_OK && rel.n == 0) {
		rc = add_text(&p, "", none, TF_PACKAGE_PAGE, write_page, err);
		if (rc == TF_OK)
			rc = add_text(&p, "", none, TF_PACKAGE_STATUS,
			    write_status, err);
	} else if (rc == TF_OK) {
		p.up = UP;
		rc = add_text(&p, TF_PACKAGE_WORKFLOWS,
		    (struct tf_str){ stored.p, stored.n }, "/" TF_PACKAGE_PAGE,
		    write_page, err);
		if (rc == TF_OK)
			rc = add_text(&p, TF_PACKAGE_WORKFLOWS,
			    (struct tf_str){ stored.p, stored.n },
			    "/" TF_PACKAGE_STATUS, write_status, err);
	}
	tf_buf_free(&stored);
	return rc;
}
