/* Objects that entries name, and the files that are such an object: the report
 * of an evaluation, and user data. */
#include "object.h"

#include <string.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "claimed.h"
#include "readable.h"
#include "view.h"

/* Append the object file of c to out: at most one byte more than its size. */
static enum tf_code
read_file(struct tf_view *w, const struct tf_content *c, struct tf_buf *out,
    struct tf_error *err)
{
	char piece[4096];
	size_t got, start = out->n;
	int fd;
	enum tf_code rc = tf_object_open(w->v->objectsfd, &c->sha256, &fd, err);

	if (rc != TF_OK)
		return rc;
	do {
		rc = tf_file_pread(fd, piece, sizeof(piece), out->n - start,
		    &got, err);
		if (rc == TF_OK)
			tf_buf_add(out, piece, got);
	} while (rc == TF_OK && got > 0 && out->n - start <= c->size &&
	    !out->failed);
	(void)close(fd); /* read-only */
	return rc;
}

enum tf_code
tf_view_object_row(struct tf_view *w, uint64_t id, const struct tf_content *c,
    const char *what, struct tf_buf *out, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_hash h;
	size_t start = out->n;
	enum tf_code rc = TF_OK;

	if (id == 0)
		rc = tf_object_find(w->db, &c->sha256, &id, err);
	if (rc == TF_OK)
		rc = tf_object_get(w->db, id, &o, out, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "%s is missing", what);
	if (rc == TF_OK && !o.is_inline)
		rc = read_file(w, c, out, err);
	if (rc == TF_OK)
		rc = tf_buf_end(out, err);
	if (rc != TF_OK)
		return rc;
	tf_sha256(out->n == start ? "" : out->p + start, out->n - start, &h);
	if (out->n - start != c->size || memcmp(&h, &c->sha256, sizeof(h)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "%s differs from its entry: run trailctl verify", what);
	return TF_OK;
}

enum tf_code
tf_view_object(struct tf_view *w, const struct tf_content *c, const char *what,
    struct tf_buf *out, struct tf_error *err)
{
	return tf_view_object_row(w, 0, c, what, out, err);
}

/* --- evaluation.json ------------------------------------------------------ */

static enum tf_code
put_report(struct tf_view *w, const struct tf_loaded_entry *seal,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_evaluated e;
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_evaluated_read(seal->d.e.evaluated, &e, err);

	if (rc == TF_OK && !e.has_report)
		rc = tf_fail(err, TF_NOTFOUND, "its evidence was not judged");
	if (rc == TF_OK)
		rc = tf_view_object(w, &e.report, "a report", &text, err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &text, err);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_view_report(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_loaded_entry seal = { 0 };
	struct tf_node_row row;
	enum tf_code rc = tf_view_row(w, id, TF_KIND_ATTESTATION, &row, err);

	if (rc == TF_OK && row.seal == TF_NO_SEQ)
		rc = tf_fail(err, TF_NOTFOUND, "it is not sealed yet");
	/* A report quotes the evidence. */
	if (rc == TF_OK)
		rc = tf_view_check_whole(w, id, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, row.seal, &seal, err);
	if (rc == TF_OK)
		rc = put_report(w, &seal, out, err);
	tf_loaded_entry_free(&seal);
	return rc;
}

/* --- user-data ------------------------------------------------------------ */

enum tf_code
tf_view_user_data(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_claimed c = { 0 };
	struct tf_content content;
	struct tf_buf bytes = { 0 };
	bool has = false, may;
	enum tf_code rc = tf_may_read(w, id, &may, err);

	if (rc == TF_OK && !may)
		rc = tf_fail(err, TF_ACCESS,
		    "it is about something that you may not read");
	if (rc == TF_OK)
		rc = tf_claimed_read(w, id, &c, err);
	if (rc == TF_OK)
		rc = tf_claims_user_data(c.claims, &content, &has, err);
	if (rc == TF_OK && !has)
		rc = tf_fail(err, TF_NOTFOUND, "it has no user data");
	if (rc == TF_OK)
		rc = tf_view_object_row(w, c.object, &content, "user data",
		    &bytes, err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &bytes, err);
	tf_claimed_free(&c);
	tf_buf_free(&bytes);
	return rc;
}
