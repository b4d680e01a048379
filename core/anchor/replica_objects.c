/*
 * Objects of a replica.  A long one comes as a file: incoming/HEX, hashed when
 * it is complete, and then linked into objects/, durable before any entry can
 * name it (R3).  A short one is a row of the batch.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../store/connection.h"
#include "../store/definitions.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/scrub.h"
#include "../store/transaction.h"
#include "../vault/redact.h"
#include "replica_i.h"

#define HEX_NAME 65 /* of a digest, with the NUL */

static void
incoming_name(const struct tf_hash *h, char name[HEX_NAME])
{
	tf_hex(h->b, sizeof(h->b), name);
}

/* --- from the source ---------------------------------------------------------- */

enum tf_code
tf_replica_has(struct tf_replica *r, const struct tf_hash *h, bool *yes,
    struct tf_error *err)
{
	struct tf_object_row o = { .is_inline = true };
	uint64_t id, ino = 0;
	enum tf_code rc = tf_object_find(r->db, h, &id, err);

	if (rc == TF_OK && tf_db_is_sparse(r->db))
		rc = tf_object_get(r->db, id, &o, NULL, err);
	*yes = rc == TF_OK;
	if (rc != TF_NOTFOUND && (rc != TF_OK || o.is_inline))
		return rc;
	rc = tf_object_inode(r->objectsfd, h, &ino, err);
	*yes = ino != 0;
	return rc;
}

/* A new row with these bytes, that their digest names from now on. */
static enum tf_code
put_row(struct tf_replica *r, const struct tf_hash *h, const void *p, size_t n,
    uint64_t *id, struct tf_error *err)
{
	enum tf_code rc;

	*id = r->next_object++;
	rc = tf_object_put(r->db, *id, h, p, n, err);
	return rc == TF_OK ? tf_object_seal(r->db, h, *id, err) : rc;
}

static enum tf_code
put_file(struct tf_replica *r, const struct tf_hash *h, const void *p, size_t n,
    struct tf_error *err)
{
	uint64_t have;
	int fd;
	enum tf_code rc = tf_replica_object_open(r, h, &fd, &have, err);

	if (rc != TF_OK)
		return rc;
	rc = ftruncate(fd, 0) < 0 ? tf_fail(err, TF_IO, "empty an object") :
				    tf_file_pwrite(fd, p, n, 0, err);
	(void)close(fd); /* tf_replica_object_keep syncs it */
	return rc == TF_OK ? tf_replica_object_keep(r, h, n, err) : rc;
}

enum tf_code
tf_replica_object_put(struct tf_replica *r, const struct tf_hash *h,
    const void *p, size_t n, struct tf_error *err)
{
	struct tf_hash have;
	uint64_t id;
	bool yes;
	enum tf_code rc;

	if (!r->in_batch || n > TF_REPLICA_OBJECT_MAX)
		return tf_fail(err, TF_USAGE, "no object of a batch");
	tf_sha256(p, n, &have);
	if (memcmp(&have, h, sizeof(have)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "an object has other bytes than its digest says");
	rc = tf_replica_has(r, h, &yes, err);
	if (rc != TF_OK || yes)
		return rc;
	/* Absent evidence of a sparse replica has the row. */
	return tf_db_is_sparse(r->db) &&
		tf_object_find(r->db, h, &id, NULL) == TF_OK ?
	    put_file(r, h, p, n, err) :
	    put_row(r, h, p, n, &id, err);
}

enum tf_code
tf_replica_object_open(struct tf_replica *r, const struct tf_hash *h, int *fd,
    uint64_t *have, struct tf_error *err)
{
	char name[HEX_NAME];
	struct stat st;
	enum tf_code rc;

	incoming_name(h, name);
	rc = tf_file_open(r->incomingfd, name, O_RDWR | O_CREAT, fd, err);
	if (rc != TF_OK)
		return rc;
	if (fstat(*fd, &st) < 0) {
		rc = tf_fail(err, TF_IO, "stat " TF_INCOMING "/%s", name);
		(void)close(*fd);
		*fd = -1;
		return rc;
	}
	*have = (uint64_t)st.st_size;
	return TF_OK;
}

enum tf_code
tf_replica_object_keep(struct tf_replica *r, const struct tf_hash *h,
    uint64_t size, struct tf_error *err)
{
	char name[HEX_NAME];
	struct tf_hash have;
	uint64_t n = 0;
	int fd;
	enum tf_code rc;

	incoming_name(h, name);
	rc = tf_file_open(r->incomingfd, name, O_RDWR, &fd, err);
	if (rc != TF_OK)
		return rc;
	if ((rc = tf_hash_fd(fd, &have, &n, err)) == TF_OK &&
	    (n != size || memcmp(&have, h, sizeof(have)) != 0))
		rc = tf_fail(err, TF_TAMPER,
		    "an object has other bytes than its digest says");
	if (rc == TF_OK && (rc = tf_file_sync(fd, err)) == TF_OK)
		rc = tf_object_link(r->objectsfd, &r->dirs, r->incomingfd, name,
		    h, size, err);
	(void)close(fd); /* it is synced, or of no use */
	/* What is wrong is fetched anew; what is linked has its other name. */
	if (rc == TF_OK || rc == TF_TAMPER)
		(void)unlinkat(r->incomingfd, name, 0);
	return rc;
}

/* --- for entries --------------------------------------------------------------- */

/* The row is of redacted evidence only, and its digest names a new row with the
 * same bytes from now on: they were recorded again. */
static enum tf_code
record_again(struct tf_replica *r, const struct tf_hash *h, uint64_t old,
    uint64_t *id, struct tf_error *err)
{
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_object_get(r->db, old, &o, &body, err);

	if (rc == TF_OK)
		rc = tf_object_erase(r->db, old, err);
	if (rc == TF_OK && o.is_inline) {
		rc = put_row(r, h, body.p == NULL ? "" : body.p, body.n, id,
		    err);
	} else if (rc == TF_OK) {
		*id = r->next_object++;
		rc = tf_object_put_file(r->db, *id, h, o.size, err);
		if (rc == TF_OK)
			rc = tf_object_seal(r->db, h, *id, err);
	}
	tf_buf_free(&body);
	tf_bits_remove(&r->held, old);
	return rc;
}

/* Move the bytes of the file to a row.  The file goes after the commit. */
static enum tf_code
move_to_row(struct tf_replica *r, const struct tf_content *c, int fd,
    uint64_t *id, struct tf_error *err)
{
	struct tf_buf body = { 0 };
	struct tf_hash have;
	char piece[65536];
	size_t got = 1;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && got > 0) {
		rc = tf_file_pread(fd, piece, sizeof(piece), body.n, &got, err);
		if (rc == TF_OK)
			tf_buf_add(&body, piece, got);
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&body, err);
	if (rc == TF_OK)
		tf_sha256(tf_buf_bytes(&body).p, body.n, &have);
	if (rc == TF_OK && memcmp(&have, &c->sha256, sizeof(have)) != 0)
		rc = tf_fail(err, TF_TAMPER, "an object was altered");
	if (rc == TF_OK &&
	    !tf_array_room(&r->moved, r->n_moved, &r->cap_moved,
		sizeof(*r->moved)))
		rc = tf_nomem(err);
	if (rc == TF_OK) {
		r->moved[r->n_moved++] = c->sha256;
		rc = put_row(r, &c->sha256, tf_buf_bytes(&body).p, body.n, id,
		    err);
	}
	tf_buf_free(&body);
	return rc;
}

/* The object is a file without a row. */
static enum tf_code
object_of_file(struct tf_replica *r, const struct tf_content *c, bool keep,
    uint64_t *id, struct tf_error *err)
{
	struct stat st;
	uint64_t ino;
	int fd;
	enum tf_code rc = tf_object_inode(r->objectsfd, &c->sha256, &ino, err);

	if (rc != TF_OK || ino == 0)
		return rc == TF_OK ? TF_NOTFOUND : rc;
	if ((rc = tf_object_open(r->objectsfd, &c->sha256, &fd, err)) != TF_OK)
		return rc;
	if (fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat an object");
	else if ((uint64_t)st.st_size != c->size)
		rc = tf_fail(err, TF_TAMPER,
		    "its object has another size than it says");
	else if (keep)
		rc = move_to_row(r, c, fd, id, err);
	(void)close(fd); /* read-only */
	if (rc != TF_OK || keep)
		return rc;
	*id = r->next_object++;
	rc = tf_object_put_file(r->db, *id, &c->sha256, c->size, err);
	return rc == TF_OK ? tf_object_seal(r->db, &c->sha256, *id, err) : rc;
}

enum tf_code
tf_replica_object(struct tf_replica *r, const struct tf_content *c, bool keep,
    uint64_t *id, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc = tf_object_find(r->db, &c->sha256, id, err);

	if (rc == TF_NOTFOUND)
		return object_of_file(r, c, keep, id, err);
	if (rc == TF_OK)
		rc = tf_object_get(r->db, *id, &o, NULL, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && o.size != c->size))
		return tf_fail(err, TF_TAMPER,
		    "its object has another size than it says");
	return rc == TF_OK && tf_bits_has(&r->held, *id) ?
	    record_again(r, &c->sha256, *id, id, err) :
	    rc;
}

enum tf_code
tf_replica_owe(struct tf_replica *r, uint64_t node, struct tf_error *err)
{
	tf_bits_add(&r->owed, node);
	if (!tf_bits_has(&r->owed, node) ||
	    !tf_array_room(&r->owed_ids, r->n_owed_ids, &r->cap_owed_ids,
		sizeof(*r->owed_ids)))
		return tf_nomem(err);
	r->n_owed++;
	r->owed_ids[r->n_owed_ids++] = node;
	return TF_OK;
}

enum tf_code
tf_replica_no_object(struct tf_replica *r, const struct tf_content *c,
    uint64_t *id, struct tf_error *err)
{
	*id = r->next_object++;
	return tf_object_put_file(r->db, *id, &c->sha256, c->size, err);
}

/* --- after a crash -------------------------------------------------------------- */

/* Call fn for each file in the directory name below dirfd whose name is rest hex
 * digits, with the digest that these and the digits of prefix give. */
typedef enum tf_code (*file_fn)(struct tf_replica *r, const struct tf_hash *h,
    bool hidden, struct tf_error *err);
static enum tf_code
each_file(struct tf_replica *r, int dirfd, const char *name, const char *prefix,
    file_fn fn, struct tf_error *err)
{
	int fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum tf_code rc = TF_OK;
	const struct dirent *e;
	char hex[HEX_NAME];
	struct tf_hash h;
	size_t n;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return errno == ENOENT ? TF_OK :
					 tf_fail(err, TF_IO, "open %s", name);
	}
	while (rc == TF_OK && (e = readdir(d)) != NULL) {
		n = strcspn(e->d_name, ".");
		if (n + strlen(prefix) != HEX_NAME - 1)
			continue;
		(void)snprintf(hex, sizeof(hex), "%s%.*s", prefix, (int)n,
		    e->d_name);
		if (tf_unhex(hex, HEX_NAME - 1, h.b, sizeof(h.b)) &&
		    (e->d_name[n] == '\0' ||
			strcmp(e->d_name + n, TF_OBJECT_HIDDEN) == 0))
			rc = fn(r, &h, e->d_name[n] != '\0', err);
	}
	(void)closedir(d);
	return rc;
}

/* The object was linked, and its other name was to go. */
static enum tf_code
tidy_incoming(struct tf_replica *r, const struct tf_hash *h, bool hidden,
    struct tf_error *err)
{
	char name[HEX_NAME];
	bool yes;
	enum tf_code rc = tf_replica_has(r, h, &yes, err);

	incoming_name(h, name);
	if (rc == TF_OK && yes && !hidden)
		(void)unlinkat(r->incomingfd, name, 0);
	return rc;
}

/* The bytes have moved to a row, or were redacted. */
static enum tf_code
tidy_object(struct tf_replica *r, const struct tf_hash *h, bool hidden,
    struct tf_error *err)
{
	struct tf_object_row o;
	uint64_t id;
	enum tf_code rc;

	if (hidden)
		return tf_object_erase_file(r->objectsfd, h, err);
	if ((rc = tf_object_find(r->db, h, &id, err)) == TF_OK)
		rc = tf_object_get(r->db, id, &o, NULL, err);
	if (rc == TF_OK && o.is_inline)
		rc = tf_replica_erase_file(r, h, err);
	return rc == TF_NOTFOUND ? TF_OK : rc; /* an entry is still to come */
}

enum tf_code
tf_replica_tidy(struct tf_replica *r, struct tf_error *err)
{
	uint64_t note = 0;
	char name[3];
	enum tf_code rc = each_file(r, r->incomingfd, ".", "", tidy_incoming,
	    err);

	if (rc == TF_OK)
		rc = tf_meta_get_int(r->db, TF_META_ERASING, &note, err);
	if (rc != TF_OK || note == 0)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	for (unsigned i = 0; rc == TF_OK && i < 256; i++) {
		(void)snprintf(name, sizeof(name), "%02x", i);
		rc = each_file(r, r->objectsfd, name, name, tidy_object, err);
	}
	return rc == TF_OK ? tf_replica_erase(r, err) : rc;
}
