/*
 * The table of anchors under audit, and the receipts that it finds.  A row that
 * differs from its entry would show an outside memory that there is not.
 */
#include "store_anchors.h"

#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/entry.h"
#include "../store/anchors.h"
#include "../store/objects.h"
#include "../verify.h"
#include "anchors.h"
#include "audit.h"
#include "findings.h"
#include "store_contents.h"
#include "store_i.h"

struct row {
	const struct tf_entry *e;
	bool found, fits;
	uint64_t object, chain;
};

static enum tf_code
take_row(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct row *x = arg;

	(void)err;
	x->found = true;
	x->fits = tf_str_same(tf_str_of(r->kind), x->e->anchor_kind) &&
	    tf_str_same(tf_str_of(r->name), x->e->anchor_name) &&
	    r->size == x->e->tree_size && (r->chain != 0) == x->e->has_chain;
	x->object = r->object;
	x->chain = r->chain;
	return TF_OK;
}

/* Judge the note in object row id.  Bytes that were altered are reported by the
 * pool, with their digest. */
static enum tf_code
judge_note(struct tf_audit *a, const struct tf_entry *e, uint64_t id,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct tf_object_row o;
	struct tf_buf note = { 0 };
	struct tf_hash h;
	enum tf_code rc = tf_object_get(s->db, id, &o, &note, err);

	if (rc == TF_OK) {
		tf_sha256(tf_buf_bytes(&note).p, note.n, &h);
		if (memcmp(&h, &e->content.sha256, sizeof(h)) == 0)
			tf_audit_cosigned(a, e, tf_buf_bytes(&note));
		else
			tf_audit_uncosigned(a);
	}
	tf_buf_free(&note);
	return rc == TF_NOTFOUND ? TF_OK : rc; /* reported as content */
}

enum tf_code
tf_audit_store_anchor(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	struct row x = { .e = e };
	enum tf_code rc = tf_anchors_get(s->db, e->seq, take_row, &x, err);

	tf_audit_anchor_tree(a, e);
	if (rc != TF_OK)
		return rc;
	s->anchors += x.found;
	if (!x.found || !x.fits) {
		tf_audit_finding(a, TF_CHECK_NAMES, e->seq, tf_nowhere,
		    x.found ? "the database shows another anchor than the "
			      "entry" :
			      "the anchor is missing from the database");
		return TF_OK;
	}
	rc = tf_audit_store_content(a, e, &e->content, x.object, err);
	if (rc == TF_OK && e->has_chain)
		rc = tf_audit_store_content(a, e, &e->chain, x.chain, err);
	if (rc == TF_OK &&
	    (tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_MIRROR)) ||
		tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_WITNESS))))
		rc = judge_note(a, e, x.object, err);
	return rc;
}

enum tf_code
tf_audit_store_anchors_end(struct tf_audit *a, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t rows;
	enum tf_code rc = tf_anchors_count(s->db, &rows, err);

	if (rc == TF_OK && rows > s->anchors && !a->unseen)
		tf_audit_finding(a, TF_CHECK_NAMES, UINT64_MAX, tf_nowhere,
		    "the database has %llu anchors without an entry",
		    (unsigned long long)(rows - s->anchors));
	return rc;
}
