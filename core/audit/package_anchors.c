/*
 * Anchors in a package: see package_anchors.h.
 *
 * The entry is proven like any other, so the log itself said that it received
 * the anchor.  What it says of an earlier tree is checked here: without the
 * consistency proof, an anchor of another history would look like one of this.
 */
#include "package_anchors.h"

#include <string.h>

#include "../anchor.h"
#include "../archive/format.h"
#include "../archive/members.h"
#include "../archive/reader.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../verify.h"
#include "../witness.h"
#include "anchors.h"
#include "audit.h"
#include "findings.h"
#include "package_members.h"
#include "stamp.h"

/* The name of a file of the anchor, with a NUL. */
static enum tf_code
name_file(const struct tf_entry *e, const char *suffix, struct tf_buf *name,
    struct tf_error *err)
{
	name->n = 0;
	tf_buf_printf(name, TF_PACKAGE_ANCHORS "%llu%s",
	    (unsigned long long)e->seq, suffix);
	tf_buf_add(name, "", 1);
	return tf_buf_end(name, err);
}

static bool
is_kind(const struct tf_entry *e, const char *kind)
{
	return tf_str_same(e->anchor_kind, tf_str_of(kind));
}

static enum tf_check
check_of(const struct tf_entry *e)
{
	return is_kind(e, TF_ANCHOR_STAMP) ? TF_CHECK_TIMESTAMP :
					     TF_CHECK_WITNESS;
}

/* --- the earlier tree ----------------------------------------------------- */

/* What is wrong with the consistency proof, or NULL. */
static const char *
wrong_path(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_witness_request *c)
{
	struct tf_audit_package *k = a->self;

	if (c->old != e->tree_size)
		return "is not about the tree of its entry";
	if (!tf_str_same(c->note, tf_buf_bytes(&k->note)))
		return "is under another checkpoint than the package";
	if (tf_merkle_check_consistency(c->old, a->head.size, &e->tree_root,
		&a->head.root, c->proof, c->hashes) != TF_OK)
		return "the tree of its entry is not the beginning of this "
		       "log";
	return NULL;
}

static enum tf_code
check_path(struct tf_audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_buf name = { 0 }, text = { 0 };
	struct tf_error why = { .code = TF_OK };
	struct tf_witness_request c;
	const char *wrong;
	enum tf_code rc = name_file(e, TF_PACKAGE_ANCHOR_PATH, &name, err);

	if (rc == TF_OK &&
	    tf_audit_member_load(a, check_of(e), name.p, TF_AUDIT_TEXT_MAX,
		&text)) {
		if (tf_witness_request_parse(tf_buf_bytes(&text), &c, &why) !=
		    TF_OK)
			tf_audit_member_wrong(a, check_of(e), name.p, why.text);
		else if ((wrong = wrong_path(a, e, &c)) != NULL)
			tf_audit_member_wrong(a, check_of(e), name.p, wrong);
		else
			tf_audit_held_proven(a, e->tree_size, &e->tree_root);
	}
	tf_buf_free(&name);
	tf_buf_free(&text);
	return rc;
}

/* --- files ---------------------------------------------------------------- */

/* Are these the bytes of the entry?  If not, that was reported. */
static bool
is_content(const struct tf_buf *b, const struct tf_content *want)
{
	struct tf_hash h;

	tf_sha256(b->n == 0 ? "" : b->p, b->n, &h);
	return b->n == want->size && memcmp(&h, &want->sha256, sizeof(h)) == 0;
}

/*
 * Append the bytes of a file to out and set *s to them.  want: the entry has
 * their digest, and a missing or another file leaves *s absent; NULL: so does a
 * missing file.
 */
static enum tf_code
load(struct tf_audit *a, const struct tf_entry *e, const char *suffix,
    const struct tf_content *want, struct tf_buf *out, struct tf_str *s,
    struct tf_error *err)
{
	struct tf_audit_package *k = a->self;
	struct tf_buf name = { 0 };
	enum tf_code rc = name_file(e, suffix, &name, err);
	size_t i;

	/* Without a digest, a missing file is no finding; with one, it was
	 * reported. */
	if (rc == TF_OK && tf_archive_find(k->z, name.p, &i) &&
	    tf_audit_member_load(a, check_of(e), name.p, TF_AUDIT_TEXT_MAX,
		out) &&
	    (want == NULL || is_content(out, want)))
		*s = tf_buf_bytes(out);
	tf_buf_free(&name);
	return rc;
}

/* The clock at the newest entry of the package below size, or NULL. */
static const struct tf_time *
clock_below(const struct tf_audit_package *k, uint64_t size)
{
	const struct tf_audit_clock *c = (const void *)k->clocks.p;

	for (size_t n = k->clocks.n / sizeof(*c); n > 0; n--)
		if (c[n - 1].seq < size)
			return &c[n - 1].clock;
	return NULL;
}

static enum tf_code
check_stamp(struct tf_audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_buf note = { 0 }, token = { 0 }, chain = { 0 };
	struct tf_audit_stamped s = { .note = { NULL, 0 },
		.made = clock_below(a->self, e->tree_size) };
	enum tf_code rc = load(a, e, TF_PACKAGE_ANCHOR_NOTE, NULL, &note,
	    &s.note, err);

	if (rc == TF_OK)
		rc = load(a, e, TF_PACKAGE_ANCHOR_STAMP, &e->content, &token,
		    &s.token, err);
	if (rc == TF_OK && e->has_chain)
		rc = load(a, e, TF_PACKAGE_ANCHOR_CHAIN, &e->chain, &chain,
		    &s.chain, err);
	if (rc == TF_OK && s.token.p != NULL &&
	    (!e->has_chain || s.chain.p != NULL))
		tf_audit_stamp(a, e, &s);
	tf_buf_free(&note);
	tf_buf_free(&token);
	tf_buf_free(&chain);
	return rc;
}

static enum tf_code
check_note(struct tf_audit *a, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_str s = { NULL, 0 };
	enum tf_code rc = load(a, e, TF_PACKAGE_ANCHOR_NOTE, &e->content, &note,
	    &s, err);

	if (rc == TF_OK && s.p != NULL)
		tf_audit_cosigned(a, e, s);
	else if (rc == TF_OK)
		tf_audit_uncosigned(a);
	tf_buf_free(&note);
	return rc;
}

enum tf_code
tf_audit_package_anchor(struct tf_audit *a, const struct tf_entry *e,
    struct tf_error *err)
{
	enum tf_code rc = check_path(a, e, err);

	a->r->anchors++;
	if (rc != TF_OK)
		return rc;
	if (is_kind(e, TF_ANCHOR_STAMP))
		return check_stamp(a, e, err);
	if (is_kind(e, TF_ANCHOR_MIRROR) || is_kind(e, TF_ANCHOR_WITNESS))
		return check_note(a, e, err);
	return TF_OK;
}
