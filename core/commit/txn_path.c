/* Paths in a transaction: see txn_path.h. */
#include "../node/paths.h"
#include "commit.h"
#include "txn_path.h"

enum tf_code
tf_child_path(struct tf_txn *t, uint64_t dir, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_str parent;
	enum tf_code rc = tf_txn_path(t, dir, &parent, err);

	if (rc != TF_OK)
		return rc;
	if (dir != TF_ROOT_ID) {
		tf_buf_add(out, parent.p, parent.n);
		tf_buf_add(out, "/", 1);
	}
	tf_buf_str(out, name);
	return tf_buf_end(out, err);
}

enum tf_code
tf_txn_path(struct tf_txn *t, uint64_t dir, struct tf_str *out,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (t->path_id != dir) {
		t->path_id = 0;
		/* Reuse the buffer, but not an earlier lack of memory. */
		t->path.n = 0;
		t->path.failed = false;
		rc = tf_path_of(t->v, t->db, dir, &t->path, err);
		if (rc == TF_OK)
			t->path_id = dir;
	}
	*out = (struct tf_str){ t->path.p, t->path.n };
	return rc;
}
