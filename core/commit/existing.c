/* Storing equal bytes once: see existing.h. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../node/base.h"
#include "../node/open_objects.h"
#include "../node/pending.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "commit.h"
#include "existing.h"
#include "hasher.h"
#include "node_ids.h"

static bool
never_over(void *arg)
{
	(void)arg;
	return false;
}

/* Hash the file and compare with the digest of l.  A file that the disk cannot
 * read counts as damaged. */
static enum tf_code
hash_existing(struct tf_pending *l, const struct tf_patience *p, bool *right,
    struct tf_error *err)
{
	const struct tf_patience patient = { .is_over = never_over };
	struct tf_error e = { .code = TF_OK };
	struct tf_vault *v = l->v;
	struct tf_hash h;
	uint64_t size = 0;
	enum tf_code rc;
	int fd;

	*right = false;
	rc = tf_object_open(v->objectsfd, &l->digest, &fd, &e);
	if (rc == TF_TAMPER)
		return TF_OK; /* not a regular file */
	if (rc == TF_OK) {
		tf_vault_slow(v);
		rc = tf_hash_whole(v->hasher, l->attr.uid, fd,
		    p == NULL ? &patient : p, &h, &size, &e);
		(void)close(fd);
		if (rc == TF_IO && e.sys == EIO)
			return TF_OK;
	}
	if (rc != TF_OK)
		return tf_fail_as(err, &e);
	*right = size == l->attr.size && memcmp(&h, &l->digest, sizeof(h)) == 0;
	return TF_OK;
}

/* Rename the file with inode number ino, which was hashed and is damaged.  Of
 * two threads that find the damage at once, the second must not rename the good
 * file that the first has linked since: the inode number tells them apart. */
static enum tf_code
put_aside(struct tf_pending *l, uint64_t ino, struct tf_error *err)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	char name[TF_OBJECT_ASIDE];
	enum tf_code rc;

	pthread_mutex_lock(&one);
	rc = tf_object_put_aside(l->v->objectsfd, &l->digest, ino, name, err);
	pthread_mutex_unlock(&one);
	/* No further reader may use the open descriptor of the damaged file. */
	tf_object_is_aside(&l->v->objects, &l->digest);
	if (rc == TF_OK)
		tf_vault_say(l->v, TF_TAMPER,
		    "an object was damaged or unreadable: it is kept as "
		    "objects/%s, and new evidence with the same bytes takes "
		    "its place",
		    name);
	return rc;
}

enum tf_code
tf_existing_check(struct tf_pending *l, const struct tf_patience *p,
    struct tf_error *err)
{
	struct tf_vault *v = l->v;
	bool right = false;
	uint64_t gen, ino;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	gen = l->gen;
	right = !l->in_file || l->compared_gen == gen;
	pthread_mutex_unlock(&v->mu);
	while (!right) {
		rc = tf_object_inode(v->objectsfd, &l->digest, &ino, err);
		if (rc != TF_OK || ino == 0)
			return rc;
		if ((rc = hash_existing(l, p, &right, err)) != TF_OK)
			return rc;
		if (!right && (rc = put_aside(l, ino, err)) != TF_OK &&
		    rc != TF_NOTFOUND)
			return rc;
	}
	pthread_mutex_lock(&v->mu);
	l->compared_gen = gen;
	pthread_mutex_unlock(&v->mu);
	return TF_OK;
}

enum tf_code
tf_existing_is_right(struct tf_vault *v, struct tf_db *db, uint64_t id,
    const struct tf_hash *h, uint64_t size, bool *right, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	struct tf_hash got = *h;
	uint64_t n = size;
	int fd = -1;
	enum tf_code rc = tf_object_get(db, id, &o, &body, err);

	*right = false;
	if (rc == TF_OK && o.is_inline) {
		tf_sha256(body.p == NULL ? "" : body.p, body.n, &got);
		n = body.n;
	} else if (rc == TF_OK && size <= TF_INLINE_MAX) {
		rc = tf_object_open(v->objectsfd, h, &fd, err);
		if (rc == TF_OK)
			rc = tf_hash_fd(fd, &got, &n, err);
		if (fd >= 0)
			(void)close(fd);
	}
	tf_buf_free(&body);
	if (rc != TF_OK && rc != TF_NOTFOUND && rc != TF_TAMPER)
		return rc;
	*right = rc == TF_OK && o.size == size && n == size &&
	    memcmp(&o.sha256, h, sizeof(*h)) == 0 &&
	    memcmp(&got, h, sizeof(*h)) == 0;
	return TF_OK;
}

enum tf_code
tf_existing_find(struct tf_txn *t, const struct tf_hash *h, uint64_t size,
    uint64_t compared, uint64_t *id, bool *known, bool *right,
    struct tf_error *err)
{
	enum tf_code rc = tf_object_find(t->db, h, id, err);

	*known = rc == TF_OK;
	*right = *known && *id == compared;
	if (rc == TF_NOTFOUND || *right)
		return TF_OK;
	/* A damaged row of digest may refer to other or damaged bytes. */
	return rc == TF_OK ?
	    tf_existing_is_right(t->v, t->db, *id, h, size, right, err) :
	    rc;
}

enum tf_code
tf_existing_keep(struct tf_txn *t, const struct tf_hash *h, const void *bytes,
    uint64_t n, uint64_t own, uint64_t *id, struct tf_error *err)
{
	bool known, right;
	enum tf_code rc = tf_existing_find(t, h, n, 0, id, &known, &right, err);

	if (rc != TF_OK)
		return rc;
	if (right)
		return own == 0 ? TF_OK :
				  tf_object_drop(tf_txn_write(t), own, err);
	if (known)
		tf_vault_say(t->v, TF_TAMPER,
		    "object %llu was damaged: the same bytes, written again, "
		    "are kept beside it; run trailctl verify",
		    (unsigned long long)*id);
	if (own != 0)
		*id = own;
	else if ((rc = tf_txn_new_id(t, id, err)) == TF_OK)
		rc = tf_object_put(tf_txn_write(t), *id, h, bytes, n, err);
	return rc == TF_OK && !known ?
	    tf_object_seal(tf_txn_write(t), h, *id, err) :
	    rc;
}
