/*
 * Objects that entries name: see object.h.
 *
 * A control file gives such bytes to a reader who trusts them because an entry
 * names them, so each read compares size and digest, whether the bytes are in
 * the database or in objects/.  The objects are control texts and not evidence,
 * so they are read whole.
 */
#include "object.h"

#include <string.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/entry.h"
#include "../node/absent.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "view.h"

/* Append the object file of c to out: it stops soon after the size of c, so
 * that a file that somebody enlarged cannot fill the memory.  The caller
 * compares the size. */
static enum tf_code
read_file(struct tf_view *w, const struct tf_content *c, struct tf_buf *out,
    struct tf_error *err)
{
	char piece[4096];
	size_t got, start = out->n;
	int fd;
	enum tf_code rc = tf_vault_object_open(w->v, &c->sha256, &fd, err);

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
	if (out->n - start != c->size ||
	    memcmp(&h, &c->sha256, sizeof(h)) != 0) {
		atomic_fetch_add(&w->v->counters.damaged_reads, 1);
		return tf_fail(err, TF_TAMPER,
		    "%s differs from its entry: run trailctl verify", what);
	}
	return TF_OK;
}

enum tf_code
tf_view_object(struct tf_view *w, const struct tf_content *c, const char *what,
    struct tf_buf *out, struct tf_error *err)
{
	return tf_view_object_row(w, 0, c, what, out, err);
}
