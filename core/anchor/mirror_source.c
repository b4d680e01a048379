/*
 * Reading the store that is mirrored: see mirror_source.h.
 *
 * Entries and heads never change, so no snapshot is held while a slow connection
 * takes them: a long snapshot would let the write-ahead log of a busy mount
 * grow.  Objects may go while the store is read, by a redaction.
 */
#include "mirror_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../store/connection.h"
#include "../node/log_keys.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/objects.h"
#include "../store/store_files.h"

#define VKEY_MAX 4096

/* The key of keys/log.vkey under the origin of the database: a recovery that was
 * interrupted leaves the old origin in the file. */
static enum tf_code
take_vkey(struct tf_mirror_source *s, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_pubkey pub;
	enum tf_code rc = tf_file_read(s->dirfd, TF_LOG_VKEY, VKEY_MAX, &text,
	    err);

	if (rc == TF_OK)
		rc = tf_vkey_parse(tf_buf_bytes(&text).p,
		    strcspn(tf_buf_bytes(&text).p, "\n"), &s->vkey, err);
	tf_buf_free(&text);
	if (rc != TF_OK)
		return rc;
	pub = s->vkey.pub;
	tf_vkey_make(&s->vkey, s->origin, &pub);
	if ((rc = tf_log_keys_load(s->db, &s->keys, err)) != TF_OK)
		return rc;
	/* A rotation that was interrupted leaves the old key there. */
	s->vkey = *tf_log_keys_at(&s->keys, &s->vkey, UINT64_MAX);
	tf_vkey_text(&s->vkey, &s->vkey_text);
	if (s->keys.n > 0) {
		tf_buf_str(&s->vkey_text, "\n");
		tf_buf_add(&s->vkey_text, s->keys.text.p, s->keys.text.n - 1);
	}
	return tf_buf_end(&s->vkey_text, err);
}

enum tf_code
tf_mirror_source_open(struct tf_mirror_source *s, const char *path,
    struct tf_error *err)
{
	char name[PATH_MAX];
	enum tf_code rc;

	*s = (struct tf_mirror_source){ .objectsfd = -1 };
	s->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, TF_DB_NAME) >=
	    sizeof(name))
		return tf_fail(err, TF_NAMETOOLONG, "%.100s is too long", path);
	if ((rc = tf_db_open(name, TF_DB_READ, &s->db, err)) != TF_OK ||
	    (rc = tf_db_refuse_sparse(s->db, err)) != TF_OK ||
	    (rc = tf_meta_get_text(s->db, "origin", s->origin,
		 sizeof(s->origin), err)) != TF_OK ||
	    (rc = tf_meta_get_text(s->db, "store", s->store, sizeof(s->store),
		 err)) != TF_OK ||
	    (rc = take_vkey(s, err)) != TF_OK)
		return rc;
	s->objectsfd = openat(s->dirfd, "objects",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->objectsfd < 0)
		return tf_fail(err, tf_code_of_open(errno),
		    "%.100s/objects: %s", path, strerror(errno));
	return TF_OK;
}

void
tf_mirror_source_close(struct tf_mirror_source *s)
{
	tf_db_close(s->db);
	if (s->objectsfd >= 0)
		(void)close(s->objectsfd); /* only read, both */
	if (s->dirfd >= 0)
		(void)close(s->dirfd);
	tf_buf_free(&s->vkey_text);
	tf_log_keys_free(&s->keys);
}

/* --- heads and proofs ------------------------------------------------------ */

enum tf_code
tf_mirror_source_head(struct tf_mirror_source *s, struct tf_checkpoint *head,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_hash root;
	uint64_t size;
	enum tf_code rc;

	note->n = 0;
	rc = tf_checkpoints_newest(s->db, &size, &root, note, err);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "the store has no checkpoint");
	if (rc == TF_OK)
		rc = tf_log_keys_check(&s->keys, &s->vkey, note->p, note->n,
		    head, NULL, err);
	if (rc == TF_OK && head->size != size)
		rc = tf_fail(err, TF_TAMPER,
		    "the checkpoint's row is not its note");
	return rc;
}

/* Most commits are small, so the first question finds a head.  Heads from before
 * a recovery have another origin: no receiver could check them. */
enum tf_code
tf_mirror_source_piece(struct tf_mirror_source *s, uint64_t after,
    uint64_t last, const struct tf_buf *last_note, uint64_t *size,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_hash root;
	enum tf_code rc;

	for (uint64_t n = TF_MIRROR_PIECE; last - after > n; n *= 2) {
		note->n = 0;
		rc = tf_checkpoints_between(s->db, after, after + n, size,
		    &root, note, err);
		if (rc == TF_OK)
			rc = tf_log_keys_check(&s->keys, &s->vkey, note->p,
			    note->n, &c, NULL, err);
		if (rc == TF_OK && c.size == *size)
			return TF_OK;
		if (tf_code_undecided(rc))
			return rc;
	}
	note->n = 0;
	tf_buf_add(note, last_note->p, last_note->n);
	*size = last;
	return tf_buf_end(note, err);
}

enum tf_code
tf_mirror_source_proof(struct tf_mirror_source *s, uint64_t m, uint64_t n,
    struct tf_proof *out, struct tf_error *err)
{
	out->n = 0;
	if (m == 0 || m >= n)
		return TF_OK;
	return tf_merkle_consistency(m, n, tf_tiles_read, s->db, out, err);
}

/* --- objects ---------------------------------------------------------------- */

static enum tf_code
open_file(struct tf_mirror_source *s, const struct tf_hash *sha256,
    struct tf_mirror_object *o, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc = tf_object_open(s->objectsfd, sha256, &o->fd, err);

	if (rc == TF_TAMPER) {
		o->present = false; /* the receiver judges that */
		return TF_OK;
	}
	if (rc == TF_OK && fstat(o->fd, &st) < 0)
		return tf_fail(err, TF_IO, "an object: %s", strerror(errno));
	if (rc == TF_OK)
		o->size = (uint64_t)st.st_size;
	return rc;
}

enum tf_code
tf_mirror_object_open(struct tf_mirror_source *s, const struct tf_hash *sha256,
    struct tf_mirror_object *o, struct tf_error *err)
{
	struct tf_object_row row;
	uint64_t id;
	enum tf_code rc;

	*o = (struct tf_mirror_object){ .fd = -1 };
	rc = tf_object_find(s->db, sha256, &id, err);
	if (rc == TF_OK)
		rc = tf_object_get(s->db, id, &row, &o->body, err);
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK)
		return rc;
	o->present = true;
	o->size = o->body.n;
	return row.is_inline ? TF_OK : open_file(s, sha256, o, err);
}

void
tf_mirror_object_close(struct tf_mirror_object *o)
{
	if (o->fd >= 0)
		(void)close(o->fd); /* only read */
	tf_buf_free(&o->body);
}

enum tf_code
tf_mirror_object_read(const struct tf_mirror_object *o, uint64_t off, void *p,
    size_t n, size_t *got, struct tf_error *err)
{
	if (o->fd >= 0)
		return tf_file_pread(o->fd, p, n, off, got, err);
	*got = off >= o->body.n ? 0 : o->body.n - off;
	*got = *got < n ? *got : n;
	if (*got > 0)
		memcpy(p, o->body.p + off, *got);
	return TF_OK;
}
