/* Redacted evidence that a mirror still has: see mirror.h. */
#include "../mirror.h"
#include "replica.h"

struct listing {
	tf_mirror_held_fn fn;
	void *arg;
	bool any;
};

static enum tf_code
one(void *arg, const char *path, uint64_t size, uint64_t entry,
    struct tf_error *err)
{
	struct listing *l = arg;

	(void)err;
	l->any = true;
	l->fn(l->arg, path, size, entry);
	return TF_OK;
}

enum tf_code
tf_mirror_held(const char *dir, bool erase, tf_mirror_held_fn fn, void *arg,
    struct tf_error *err)
{
	struct listing l = { .fn = fn, .arg = arg };
	struct tf_replica *r = NULL;
	enum tf_code rc = tf_replica_open(dir, &r, err);

	if (rc == TF_OK)
		rc = tf_replica_held(r, one, &l, err);
	if (rc == TF_OK && erase && l.any)
		rc = tf_replica_erase_held(r, err);
	tf_replica_close(r);
	return rc;
}
