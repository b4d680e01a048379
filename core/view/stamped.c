/*
 * Finds the checkpoint that a time stamp is about: see core/stamp.h.  A stamp
 * holds a digest and nothing else of the checkpoint, and answers come soon after
 * their requests: hence a search from the newest checkpoint back.
 */
#include "../stamp.h"

#include <string.h>

#include "../base/crypto.h"
#include "../buffer.h"
#include "../node/base.h"
#include "../store/entries.h"
#include "../vault.h"

struct search {
	const struct tf_hash *sha256;
	uint64_t size;
	struct tf_buf *note;
	bool found;
};

/* TF_NODATA ends the walk. */
static enum tf_code
compare(void *arg, uint64_t size, struct tf_str note, struct tf_error *err)
{
	struct search *s = arg;
	struct tf_hash h;

	tf_sha256(note.p, note.n, &h);
	if (memcmp(&h, s->sha256, sizeof(h)) != 0)
		return TF_OK;
	s->found = true;
	s->size = size;
	tf_buf_add(s->note, note.p, note.n);
	return s->note->failed ? tf_nomem(err) : TF_NODATA;
}

enum tf_code
tf_vault_stamped(struct tf_vault *v, const struct tf_hash *sha256,
    uint64_t *size, struct tf_buf *note, struct tf_error *err)
{
	struct search s = { .sha256 = sha256, .note = note };
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_checkpoints_back(db, compare, &s, err);
	tf_reader_done(v, db);
	if (rc == TF_NODATA)
		rc = TF_OK;
	if (rc == TF_OK && !s.found)
		rc = tf_fail(err, TF_NOTFOUND,
		    "no checkpoint of this log has these bytes");
	*size = s.size;
	return rc;
}
